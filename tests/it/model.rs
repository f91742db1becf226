//! What a store must answer, said the simple way: all batches in a list, each answer by going through all of
//! it. Nothing here is code of the store.

use std::collections::{BTreeMap, BTreeSet};

pub const DAY: i64 = 86_400;

/// Categories with their zone and the days after which a listing is no longer live (the built-in policy).
pub const CATEGORIES: [(&str, &str, i64); 4] = [
    ("MALWARE", "Red", 180),
    ("TOR_EXIT_NODE", "Orange", 14),
    ("APT", "Red", 1825),
    ("OTHER", "Yellow", 180),
];
/// Days that a state counts as fresh (the built-in policy).
const STALE_DAYS: i64 = 7;

#[derive(Clone, Debug)]
pub enum Fact {
    Resolution { name: &'static str, address: &'static str, first: i64, last: i64, hits: u64 },
    Listing { host: &'static str, category: usize },
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub seq: u64,
    pub source: &'static str,
    pub format: &'static str,
    pub digest: String,
    /// When it was observed and learnt; then when it was found again.
    pub said: Vec<(i64, i64)>,
    pub whole: bool,
    pub cumulative: bool,
    pub facts: Vec<Fact>,
}

/// A pair of name and address. Of a past day, the last observation is known to the day only where the pair was
/// observed later too: then it lies in a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub hits: u64,
    pub first: i64,
    pub last: (i64, i64),
    /// Hits of the best day, the day, and whether both are counted; unknown where `last` is and counts are totals.
    pub peak: Option<(u64, i64, bool)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// By address or name.
    pub rows: BTreeMap<String, Row>,
    /// Feeds by zone and mask.
    pub masks: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
    /// First, last and age in hours by source and category.
    pub evidence: BTreeMap<(&'static str, &'static str), (i64, i64, i64)>,
}

/// The moment of a question: now, or what could be known at a past one.
#[derive(Clone, Copy, Debug)]
pub struct When {
    pub at: i64,
    pub past: bool,
}

impl When {
    fn knew(self, (observed, learnt): (i64, i64)) -> bool {
        !self.past || observed.max(learnt) <= self.at
    }

    /// The end of the day, to which observations are known.
    fn limit(self) -> i64 {
        if self.past { (self.at.div_euclid(DAY) + 1) * DAY - 1 } else { i64::MAX }
    }
}

impl Batch {
    fn held(&self, when: When) -> i64 {
        self.said.iter().filter(|said| when.knew(**said)).map(|said| said.0).max().unwrap_or(self.said[0].0)
    }

    fn lists(&self, host: &str, category: usize) -> bool {
        let same = |fact: &Fact| matches!(fact, Fact::Listing { host: h, category: c } if *h == host && *c == category);
        self.facts.iter().any(same)
    }
}

#[derive(Clone, Default)]
pub struct Model {
    pub batches: Vec<Batch>,
}

/// A host without one `www.`: what is listed is gathered there.
fn bare(name: &str) -> &str {
    name.strip_prefix("www.").unwrap_or(name)
}

fn is_below(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|head| head.ends_with('.'))
}

impl Model {
    /// The live batch that importing this content would leave as it is.
    pub fn known(&self, new: &Batch) -> Option<u64> {
        let same = |one: &&Batch| one.format == new.format && one.digest == new.digest;
        let of_source = || self.batches.iter().filter(|one| one.source == new.source);
        if !new.whole {
            return of_source().find(same).map(|one| one.seq);
        }
        if let Some(one) = of_source().filter(same).find(|one| one.said[0] == new.said[0]) {
            return Some(one.seq);
        }
        let now = When { at: 0, past: false };
        let newest = of_source().max_by_key(|one| (one.held(now), &one.digest))?;
        let later = new.said[0].0 >= newest.said[0].0 && new.said[0].1 >= newest.said[0].1;
        (same(&newest) && later).then_some(newest.seq)
    }

    /// The pair of a name and an address.
    fn row(&self, name: &str, address: &str, when: When) -> Option<Row> {
        let limit = when.limit();
        let (mut days, mut totals) = (BTreeMap::<i64, u64>::new(), BTreeMap::<&str, (i64, u64)>::new());
        let (mut span_hits, mut peaks, mut seen, mut later) = (0, Vec::new(), Vec::new(), false);
        for batch in self.batches.iter().filter(|batch| batch.said[0].1 <= limit) {
            for fact in &batch.facts {
                let Fact::Resolution { name: n, address: a, first, last, hits } = fact else { continue };
                later |= *n == name && *a == address && *last > limit;
                if *n != name || *a != address || *first > limit {
                    continue;
                }
                seen.push((*first, (*last).min(limit)));
                let (from, to) = (first / DAY, last / DAY);
                if batch.cumulative {
                    let total = totals.entry(batch.source).or_default();
                    *total = (*total).max((batch.said[0].0, *hits));
                } else if from == to {
                    *days.entry(from).or_default() += hits;
                } else {
                    span_hits += hits;
                    peaks.push((hits.div_ceil((to - from + 1) as u64), to, false));
                }
            }
        }
        let first = seen.iter().map(|one| one.0).min()?;
        let last = seen.iter().map(|one| one.1).max()?;
        let total: u64 = totals.values().map(|one| one.1).sum();
        let whole_days = span_hits == 0 && totals.is_empty();
        let exact = if later {
            ((last / DAY * DAY).max(first), if whole_days { last } else { limit })
        } else {
            (last, last)
        };
        peaks.extend(days.iter().map(|(day, hits)| (*hits, *day, true)));
        if !totals.is_empty() {
            peaks.push((total.div_ceil((last / DAY - first / DAY + 1) as u64), last / DAY, false));
        }
        let peak = peaks.into_iter().max().filter(|_| !later || totals.is_empty());
        Some(Row { hits: days.values().sum::<u64>() + span_hits + total, first, last: exact, peak })
    }

    /// What lists a host by this category at a source: first, last, age in hours; none that is no longer live.
    fn listed(&self, source: &str, host: &str, category: usize, when: When) -> Option<(i64, i64, i64)> {
        let known = |batch: &&Batch| batch.source == source && when.knew(batch.said[0]);
        let batches = || self.batches.iter().filter(known);
        let saying: Vec<&Batch> = batches().filter(|batch| batch.lists(host, category)).collect();
        let first = saying.iter().map(|batch| batch.said[0].0).min()?;
        let last = saying.iter().map(|batch| batch.held(when)).max()?;
        let newest =
            batches().filter(|batch| batch.whole).max_by_key(|batch| (batch.held(when), &batch.digest));
        let hour = when.at.div_euclid(3600) * 3600;
        let is_said = newest.is_some_and(|newest| newest.lists(host, category));
        let fresh = is_said && hour - last <= STALE_DAYS * DAY;
        let age = if fresh { 0 } else { ((hour - last) / 3600).max(0) };
        (age < CATEGORIES[category].2 * 24).then_some((first, last, age))
    }

    fn sources(&self) -> BTreeSet<&'static str> {
        self.batches.iter().map(|batch| batch.source).collect()
    }

    fn names(&self) -> BTreeSet<&'static str> {
        let name = |fact: &Fact| if let Fact::Resolution { name, .. } = fact { Some(*name) } else { None };
        self.batches.iter().flat_map(|batch| batch.facts.iter().filter_map(name)).collect()
    }

    /// Hosts that some batch known by then lists.
    fn hosts(&self, when: When) -> BTreeSet<&'static str> {
        let host = |fact: &Fact| if let Fact::Listing { host, .. } = fact { Some(*host) } else { None };
        let known = self.batches.iter().filter(|batch| when.knew(batch.said[0]));
        known.flat_map(|batch| batch.facts.iter().filter_map(host)).collect()
    }

    /// Adds evidence on `own` and the masks on hosts that are `shown`.
    fn judge(&self, answer: &mut Answer, own: &str, shown: impl Fn(&str) -> bool, when: When) {
        for (host, source) in
            self.hosts(when).into_iter().flat_map(|host| self.sources().into_iter().map(move |s| (host, s)))
        {
            for (index, (category, zone, _)) in CATEGORIES.iter().enumerate() {
                let Some(listed) = self.listed(source, host, index, when) else { continue };
                if shown(host) {
                    answer.masks.entry((zone, host)).or_default().insert(source);
                }
                if host == own {
                    answer.evidence.insert((source, category), listed);
                }
            }
        }
    }

    /// The answer on a name; none: nothing is known of it.
    pub fn domain(&self, name: &str, addresses: &[&'static str], when: When) -> Option<Answer> {
        let host = bare(name);
        let here = |other: &str| other == host || is_below(other, host);
        let seen = |other: &str| addresses.iter().any(|address| self.row(other, address, when).is_some());
        if !self.hosts(when).into_iter().any(here)
            && !self.names().into_iter().any(|one| here(one) && seen(one))
        {
            return None;
        }
        let mut answer = Answer::default();
        for address in addresses {
            answer.rows.extend(self.row(name, address, when).map(|row| ((*address).to_owned(), row)));
        }
        self.judge(&mut answer, host, here, when);
        Some(answer)
    }

    /// The answer on an address.
    pub fn address(&self, address: &str, when: When) -> Option<Answer> {
        let mut answer = Answer::default();
        for name in self.names() {
            answer.rows.extend(self.row(name, address, when).map(|row| (name.to_owned(), row)));
        }
        let names: BTreeSet<String> = answer.rows.keys().map(|name| bare(name).to_owned()).collect();
        self.judge(&mut answer, address, |host| host == address || names.contains(host), when);
        (self.hosts(when).contains(address) || !answer.rows.is_empty()).then_some(answer)
    }
}
