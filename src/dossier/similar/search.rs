//! Finding labels that are alike: what can be written down is asked for; the rest is found by the pairs of characters
//! that blocks of names have.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::similar::{
    INSIDE_CHARS_MIN, LONGER_CHARS_MIN, Labels, Matcher, NEARLY_ANYWHERE_CHARS_MIN, TWO_EDITS_CHARS_MIN,
    Target, Technique, added_words, keys_of, look_alikes, one_edit, with_suffixes,
};
use crate::store::names::{Known, Names, Pairs, Wanted, hash};
use crate::store::{Damage, Run, StoreError, View};

/// How much is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One edit, the same key, another suffix: a fraction of a millisecond.
    Report,
    /// All techniques: milliseconds.
    All,
}

/// Hosts with the whole name in them that are listed.
const HOSTS_MAX: usize = 1000;

/// What to look for, ready to be asked of any run.
pub struct Search {
    /// What is imitated.
    pub target: Target,
    depth: Depth,
    labels: Labels,
    /// Of each label.
    hashes: Vec<u64>,
}

impl Search {
    /// A search for what imitates a target.
    pub fn new(target: Target, depth: Depth) -> Search {
        Search { target, depth, labels: Labels::default(), hashes: Vec::new() }
    }

    /// Writes down what can be.
    fn prepare(&mut self) {
        let (plain, suffix) = (&self.target.plain, &self.target.suffix);
        one_edit(plain, &mut self.labels);
        with_suffixes(plain, suffix, &mut self.labels);
        if self.depth == Depth::All {
            look_alikes(plain, &mut self.labels);
            added_words(plain, &mut self.labels);
        }
        for label in [&self.target.label, plain].into_iter().chain(&keys_of(&self.target.label)) {
            self.labels.push(&[label]);
        }
        self.hashes = self.labels.iter().map(hash).collect();
    }

    /// The known labels that may be alike, each once with all its suffixes. Those that reports ask for are remembered.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn known(&mut self, view: &View) -> Result<Arc<Vec<Known>>, StoreError> {
        let name = self.name();
        let is_remembered = self.depth == Depth::Report && view.as_of().is_none();
        if is_remembered && let Some(known) = view.snapshot().remembered(&name) {
            return Ok(known);
        }
        let mut found = Vec::new();
        for run in view.runs_read() {
            found.extend(run.known(|names, found| self.within(names, found))?);
        }
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for known in found {
            all.entry(known.label).or_default().extend(known.suffixes);
        }
        let known = all.into_iter().map(|(label, mut suffixes)| {
            suffixes.sort_unstable();
            suffixes.dedup();
            Known { label, suffixes }
        });
        let known = Arc::new(known.collect::<Vec<_>>());
        if is_remembered {
            view.snapshot().remember(name, &known);
        }
        Ok(known)
    }

    /// Adds what the names of a run have, some of it more than once.
    ///
    /// # Errors
    ///
    /// Damage in the run.
    pub fn within(&mut self, names: &Names, found: &mut Vec<Known>) -> Result<(), Damage> {
        if self.labels.is_empty() {
            self.prepare();
        }
        let labels: Vec<(&str, u64)> = self.labels.iter().zip(self.hashes.iter().copied()).collect();
        names.find(&labels, found)?;
        if self.depth == Depth::All { self.scan(names, found) } else { Ok(()) }
    }

    /// What cannot be written down: the label inside longer ones, and two edits.
    fn scan(&self, names: &Names, found: &mut Vec<Known>) -> Result<(), Damage> {
        let plain = &self.target.plain;
        let length = plain.len();
        let mut inside = |pairs: Pairs, edits: u32| {
            names.scan(
                &pairs,
                &mut Inside { matcher: Matcher::inside(&self.target.pattern), edits, length },
                found,
            )
        };
        match length {
            0..LONGER_CHARS_MIN => {}
            // Words of others end on one side at least.
            LONGER_CHARS_MIN..INSIDE_CHARS_MIN => inside(Pairs::of(plain, true, 0, 1), 0)?,
            INSIDE_CHARS_MIN..NEARLY_ANYWHERE_CHARS_MIN => {
                inside(Pairs::of(plain, false, 0, 0), 0)?;
                inside(Pairs::of(plain, true, 1, 0), 1)?;
            }
            _ => inside(Pairs::of(plain, false, 1, 0), 1)?,
        }
        if length >= TWO_EDITS_CHARS_MIN {
            let matcher = Matcher::whole(&self.target.pattern);
            names.scan(&Pairs::of(plain, true, 2, 0), &mut TwoEdits { matcher, length }, found)?;
        }
        Ok(())
    }

    /// The names of a run that imitate the target and that no other of these runs knows, each with its technique.
    ///
    /// # Errors
    ///
    /// Damage in a run.
    pub fn new_names(
        &mut self,
        own: &Arc<Run>,
        runs: &[Arc<Run>],
    ) -> Result<Vec<(String, &'static str)>, Damage> {
        let found = own.known(|names, found| self.within(names, found))?;
        let mut names = BTreeMap::new();
        for known in &found {
            let techniques = self.target.techniques(&known.label);
            for suffix in &known.suffixes {
                if let Some(technique) = self.target.under(techniques, &known.label, suffix).iter().next() {
                    names.insert(format!("{}.{suffix}", known.label), technique.name);
                }
            }
        }
        let whole = self.name();
        for host in own.hosts_with(&whole, HOSTS_MAX)? {
            names.insert(host, Technique::Subdomain.row().name);
        }
        let others = || runs.iter().filter(|run| run.id != own.id);
        let mut new = Vec::new();
        for (name, technique) in names {
            let mut is_known = false;
            for run in others() {
                is_known |= run.knows_name(&name)? || run.hosts_with(&whole, HOSTS_MAX)?.contains(&name);
            }
            if !is_known {
                new.push((name, technique));
            }
        }
        Ok(new)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.target.label, self.target.suffix)
    }

    /// The known hosts that have the target's whole name in them.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn hosts(&self, view: &View) -> Result<Vec<String>, StoreError> {
        let name = self.name();
        let mut hosts = Vec::new();
        for run in view.runs_read() {
            hosts.extend(run.hosts_with(&name, HOSTS_MAX)?);
        }
        hosts.sort_unstable();
        hosts.dedup();
        // Of `example.com.evil.net` and what is below it the first.
        let all: HashSet<String> = hosts.iter().cloned().collect();
        hosts.retain(|host| {
            !std::iter::successors(Some(host.as_str()), |host| host.split_once('.').map(|(_, above)| above))
                .skip(1)
                .any(|above| all.contains(above))
        });
        Ok(hosts)
    }
}

/// Labels that have the target inside, with a few edits.
struct Inside<'a> {
    matcher: Matcher<'a>,
    edits: u32,
    length: usize,
}

impl Wanted for Inside<'_> {
    fn is_wanted(&mut self, label: &[u8], shared: usize) -> bool {
        self.matcher.read(label, shared).1 <= self.edits && label.len() > self.length
    }
}

/// Labels two edits from the target.
struct TwoEdits<'a> {
    matcher: Matcher<'a>,
    length: usize,
}

impl Wanted for TwoEdits<'_> {
    fn may_begin(&self, start: &[u8]) -> bool {
        self.matcher.pattern().distance_of_beginning(start) <= 2
    }

    fn is_wanted(&mut self, label: &[u8], shared: usize) -> bool {
        self.matcher.read(label, shared).0 <= 2 && label.len().abs_diff(self.length) <= 2
    }
}
