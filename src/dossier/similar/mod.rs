//! Similar domains: known names that imitate one, with what is known of each.
//!
//! Nothing is resolved: a name that nobody registered, resolved or wrote about is no threat yet, and asking for it would
//! tell others what is looked at. How names are found stands in `search.rs` beside this, what makes them alike in [`crate::similar`].

mod owner;
mod search;

use std::collections::BTreeMap;

pub use owner::{Owner, is_hidden};
pub use search::{Depth, Search};

use super::registration;
use crate::fact::PortState;
use crate::indicator::DomainName;
use crate::similar::{Target, Technique, Techniques};
use crate::store::hot::{Kind, Probe};
use crate::store::names::Known;
use crate::store::{ObjectKey, StoreError, Table};
use crate::value::{DAY_S, Timestamp, Zone};
use crate::verdict::Judge;

/// Names of which more is asked than that they are alike: the most alike ones.
const JUDGED_MAX: usize = 1000;

/// A known name that looks alike.
#[derive(Clone, Debug)]
pub struct SimilarRow {
    /// Its zone.
    pub zone: Zone,
    /// The name; of the technique `subdomain` the host.
    pub domain: String,
    /// When it was registered.
    pub created: Option<Timestamp>,
    /// When that runs out.
    pub expires: Option<Timestamp>,
    /// Whether port 80 answered when it was last tried.
    pub http_open: Option<bool>,
    /// Whether port 443 did.
    pub https_open: Option<bool>,
    /// All that it fits; never none.
    pub techniques: Techniques,
    /// Edit distance of the two labels, in Unicode.
    pub distance: usize,
    /// Its best rank in a list of popular names.
    pub popularity: Option<u32>,
    /// Same registrant, name servers or addresses.
    pub same_owner: bool,
    /// How much worth a look, less is more: nearness, zone, age and popularity.
    pub cost: i32,
}

impl SimilarRow {
    /// How it was found: the most telling technique.
    pub fn technique(&self) -> &'static str {
        self.techniques.iter().next().map_or("", |row| row.name)
    }
}

/// A name that is alike, before anything else is known of it. Ordered: what is most worth a look first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    cost: i32,
    distance: usize,
    /// The label and the suffix of its registrable domain, or a host and nothing.
    name: (&'a str, Option<&'a str>),
    techniques: Techniques,
}

/// The known names that look like the registrable domain of `name`, as reports list them: nearest first, same owner
/// last, by name. Those that can be asked for are in it; [`ranked`] knows more.
///
/// # Errors
///
/// Damage in the store.
pub fn near(judge: &Judge<'_>, name: &DomainName, owner: &Owner) -> Result<Vec<SimilarRow>, StoreError> {
    let (_, mut rows) = rows(judge, name, owner, Depth::Report, None)?;
    rows.sort_by(|a, b| (a.distance, a.same_owner, &a.domain).cmp(&(b.distance, b.same_owner, &b.domain)));
    Ok(rows)
}

/// All known names that look like the registrable domain of `name` by one of `techniques` (none: any): how many, and the
/// thousand that are most worth a look, same owner last.
///
/// # Errors
///
/// Damage in the store.
pub fn ranked(
    judge: &Judge<'_>,
    name: &DomainName,
    owner: &Owner,
    techniques: Option<Techniques>,
) -> Result<(usize, Vec<SimilarRow>), StoreError> {
    let (found, mut rows) = rows(judge, name, owner, Depth::All, techniques)?;
    rows.sort_by(|a, b| {
        (a.same_owner, a.cost, a.distance, &a.domain).cmp(&(b.same_owner, b.cost, b.distance, &b.domain))
    });
    Ok((found, rows))
}

fn rows(
    judge: &Judge<'_>,
    name: &DomainName,
    owner: &Owner,
    depth: Depth,
    techniques: Option<Techniques>,
) -> Result<(usize, Vec<SimilarRow>), StoreError> {
    let Some(target) = Target::of(name) else { return Ok((0, Vec::new())) };
    let mut search = Search::new(target, depth);
    let known = search.known(judge.view())?;
    let subdomain: Techniques = [Technique::Subdomain].into_iter().collect();
    let is_wanted = |fits: Techniques| !fits.is_empty() && techniques.is_none_or(|wanted| wanted.meets(fits));
    let hosts = match depth == Depth::All && is_wanted(subdomain) {
        true => search.hosts(judge.view())?,
        false => Vec::new(),
    };
    let target = &search.target;
    let mut candidates = Vec::new();
    for Known { label, suffixes } in known.iter() {
        let of_label = target.techniques(label);
        if of_label.is_empty() && *label != target.label {
            continue;
        }
        let distance = target.distance(label);
        for suffix in suffixes {
            let techniques = target.under(of_label, label, suffix);
            if is_wanted(techniques) {
                let cost = nearness(target, label, suffix, techniques);
                candidates.push(Candidate { cost, distance, name: (label, Some(suffix)), techniques });
            }
        }
    }
    candidates.extend(hosts.iter().map(|host| Candidate {
        cost: Technique::Subdomain.row().cost as i32,
        distance: host.chars().count().saturating_sub(target.label.len() + target.suffix.len() + 1),
        name: (host, None),
        techniques: subdomain,
    }));
    let found = candidates.len();
    if found > JUDGED_MAX {
        candidates.select_nth_unstable(JUDGED_MAX);
        candidates.truncate(JUDGED_MAX);
    }
    let own_rank = rank(judge, name.registrable().unwrap_or_default())?;
    let rows = candidates.into_iter().map(|candidate| row(judge, candidate, owner, own_rank));
    Ok((found, rows.collect::<Result<_, _>>()?))
}

/// How far a label is from the original to the eye and the hand: by its technique, whether it begins alike, what more
/// stands there, and whether the suffix is another.
fn nearness(target: &Target, label: &str, suffix: &str, techniques: Techniques) -> i32 {
    let technique = techniques.iter().map(|row| row.cost).min().unwrap_or(100) as i32;
    let begins = if label.as_bytes().first() == target.label.as_bytes().first() { 0 } else { 4 };
    let more = (label.len().saturating_sub(target.plain.len()) as i32).min(12);
    let suffix = if suffix == target.suffix || label == target.label { 0 } else { 3 };
    technique + begins + more + suffix
}

/// What zone, age and popularity take from the cost of a name, or add.
fn worth(zone: Zone, age_days: Option<i64>, rank: Option<u32>, own_rank: Option<u32>) -> i32 {
    let zone = match zone {
        Zone::Red => -30,
        Zone::Orange => -22,
        Zone::Yellow => -10,
        Zone::Grey => 0,
        Zone::Green => 20,
    };
    let age = match age_days {
        Some(..=30) => -12,
        Some(..=365) => -5,
        _ => 0,
    };
    // Far more popular than what was asked about: what that imitates.
    let is_original = rank.is_some_and(|rank| own_rank.is_none_or(|own| rank < own / 10));
    zone + age
        + if is_original {
            -40
        } else if rank.is_some() {
            10
        } else {
            0
        }
}

fn row(
    judge: &Judge<'_>,
    candidate: Candidate<'_>,
    owner: &Owner,
    own_rank: Option<u32>,
) -> Result<SimilarRow, StoreError> {
    let Candidate { cost, distance, name: (label, suffix), techniques } = candidate;
    let domain = suffix.map_or_else(|| label.to_owned(), |suffix| format!("{label}.{suffix}"));
    let zone = match DomainName::from_normal(&domain) {
        Some(name) => judge.domain_zone(&name)?.0,
        None => Zone::Grey,
    };
    let other = registration(judge.view(), &domain)?;
    let ports = judge.view().table(&ObjectKey::domain(&domain), Table::PortState)?;
    let mut states: BTreeMap<u16, (Timestamp, bool)> = BTreeMap::new();
    for statement in ports.statements(Table::PortState).filter(|one| one.is_current()) {
        let fact: PortState = statement.fact()?;
        let at = fact.observed.unwrap_or(statement.last);
        let state = states.entry(fact.port).or_insert((at, fact.open));
        if at >= state.0 {
            *state = (at, fact.open);
        }
    }
    let open = |port: u16| states.get(&port).map(|(_, open)| *open);
    let created = other.as_ref().and_then(|other| other.created);
    let popularity = rank(judge, &domain)?;
    let age_days = created.map(|created| (judge.hour().0 - created.0) / DAY_S);
    Ok(SimilarRow {
        zone,
        created,
        expires: other.as_ref().and_then(|other| other.expires),
        http_open: open(80),
        https_open: open(443),
        techniques,
        distance,
        popularity,
        // Anybody can name the servers and addresses of others: what is bad is not theirs.
        same_owner: zone != Zone::Red && zone != Zone::Orange && owner.has(&domain, other.as_ref()),
        cost: cost + worth(zone, age_days, popularity, own_rank),
        domain,
    })
}

/// The best rank of a name in a list of popular ones.
fn rank(judge: &Judge<'_>, name: &str) -> Result<Option<u32>, StoreError> {
    let mut best = None;
    judge.view().hits(&Probe::Name(name), &mut |hit| {
        if hit.entry.kind == Kind::Benign && hit.entry.first > 0 {
            best = Some(best.map_or(hit.entry.first, |best: u32| best.min(hit.entry.first)));
        }
    })?;
    Ok(best)
}

#[cfg(test)]
mod tests;
