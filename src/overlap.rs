//! How much of each source stands in each other one, and who had it first: which feeds copy which.
//!
//! A source that repeats another is no second opinion: `derived_from` in the policy makes the two count once.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{Store, StoreError};
use crate::value::Timestamp;
use crate::verdict::{Judge, Policy};

/// The most sources that are compared with each other.
pub const SOURCES_MAX: usize = 1024;

/// From which share of a source in another on it may be derived from that.
const DERIVED_SHARE: f64 = 0.95;

/// With how many indicators a source is large enough to be told that.
const DERIVED_LISTED_MIN: u64 = 20;

/// How much of each source stands in each other one.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Overlap {
    /// The moment.
    pub at: Timestamp,
    /// Indicators that some source lists now.
    pub listed: u64,
    /// Sources that list something now, the largest first.
    pub sources: Vec<SourceOverlap>,
}

/// A source and the others.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SourceOverlap {
    /// The source.
    pub source: String,
    /// How many indicators it lists now.
    pub listed: u64,
    /// How many of them no other source lists now.
    pub unique: u64,
    /// The same as a share, 0 to 1.
    pub unique_share: f64,
    /// The source that the policy says it is derived from.
    pub derived_from: Option<String>,
    /// The source that it may be derived from: nearly all of it stands there, and that one was first.
    pub perhaps_derived_from: Option<String>,
    /// What it shares with each other source, the most first; sources that share nothing are left out.
    pub shared: Vec<Shared>,
}

/// What a source shares with another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SourceShared)]
pub struct Shared {
    /// The other source.
    pub with: String,
    /// How many indicators both list now.
    pub shared: u64,
    /// Of all that the source lists.
    pub share: f64,
    /// Of how many of them it was certainly first.
    pub first: u64,
    /// Of how many the other certainly was. Of the rest neither, or it is not known: what a source had in its
    /// first import, without a date, it may have had long before.
    pub later: u64,
}

/// Compares all sources by what they list now.
///
/// # Errors
///
/// Damage in the store; [`StoreError::Refused`] where there are more than [`SOURCES_MAX`] sources.
pub fn overlap(store: &Store, policy: &Policy, now: Timestamp) -> Result<Overlap, StoreError> {
    let view = store.snapshot()?.view(None);
    let snapshot = view.snapshot();
    let names = &snapshot.manifest.sources;
    let size = names.len();
    if size > SOURCES_MAX {
        let text =
            format!("{size} sources are too many to compare all with each other: {SOURCES_MAX} are the most");
        return Err(StoreError::Refused(text));
    }
    let mut begun = vec![Timestamp(i64::MAX); size];
    for batch in snapshot.batches() {
        if let Some(begun) = begun.get_mut(usize::from(batch.source_id)) {
            *begun = batch.observed.min(*begun);
        }
    }
    let judge = Judge::new(&view, policy, now);
    let mut matrix = vec![Pair::default(); size * size];
    let (mut all, mut listed, mut unique) = (0, vec![0u64; size], vec![0u64; size]);
    let mut here: Vec<Here> = Vec::new();
    view.each_listed(|hits| {
        here.clear();
        for hit in hits.iter().filter(|hit| usize::from(hit.entry.source) < size) {
            let source = usize::from(hit.entry.source);
            let is_dated = hit.entry.first != 0 || hit.first > begun[source];
            let one = Here { source, is_live: judge.is_live(hit), first: hit.first, is_dated };
            match here.iter_mut().find(|known| known.source == source) {
                Some(known) => known.join(&one),
                None => here.push(one),
            }
        }
        here.retain(|one| one.is_live);
        all += u64::from(!here.is_empty());
        if let [alone] = &here[..] {
            unique[alone.source] += 1;
        }
        for one in &here {
            listed[one.source] += 1;
            for other in here.iter().filter(|other| other.source != one.source) {
                let pair = &mut matrix[one.source * size + other.source];
                pair.shared += 1;
                pair.first += u64::from(one.is_before(other));
            }
        }
    })?;
    let declared = |name: &String| policy.sources.get(name).and_then(|own| own.derived_from.clone());
    let mut sources: Vec<SourceOverlap> = (0..size)
        .filter(|source| listed[*source] > 0)
        .map(|source| {
            let share = |count: u64| count as f64 / listed[source] as f64;
            let mut shared: Vec<Shared> = (0..size)
                .map(|other| (other, matrix[source * size + other], matrix[other * size + source]))
                .filter(|(_, pair, _)| pair.shared > 0)
                .map(|(other, pair, back)| Shared {
                    with: names[other].clone(),
                    shared: pair.shared,
                    share: share(pair.shared),
                    first: pair.first,
                    later: back.first,
                })
                .collect();
            shared.sort_by(|a, b| (b.shared, &a.with).cmp(&(a.shared, &b.with)));
            let is_origin = |one: &&Shared| one.share >= DERIVED_SHARE && one.later > one.first;
            let origin = shared.iter().find(is_origin).filter(|_| listed[source] >= DERIVED_LISTED_MIN);
            let derived_from = declared(&names[source]);
            SourceOverlap {
                source: names[source].clone(),
                listed: listed[source],
                unique: unique[source],
                unique_share: share(unique[source]),
                perhaps_derived_from: origin.map(|one| one.with.clone()).filter(|_| derived_from.is_none()),
                derived_from,
                shared,
            }
        })
        .collect();
    sources.sort_by(|a, b| (b.listed, &a.source).cmp(&(a.listed, &b.source)));
    Ok(Overlap { at: now, listed: all, sources })
}

/// Two sources: how many indicators both list, and of how many the one was first.
#[derive(Clone, Copy, Default)]
struct Pair {
    shared: u64,
    first: u64,
}

/// What a source says of one indicator.
struct Here {
    source: usize,
    is_live: bool,
    /// When it first said it, as far as is known.
    first: Timestamp,
    /// Whether that is a date: else it may have said it before.
    is_dated: bool,
}

impl Here {
    /// Joins another listing of the same source.
    fn join(&mut self, other: &Here) {
        self.is_live |= other.is_live;
        if (other.first, other.is_dated) < (self.first, self.is_dated) {
            (self.first, self.is_dated) = (other.first, other.is_dated);
        }
    }

    /// Whether it certainly said it before another.
    fn is_before(&self, other: &Here) -> bool {
        other.is_dated && self.first < other.first
    }
}
