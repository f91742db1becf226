//! Statements when runs are merged: each names the batches that made it by their position in its run's list, as an
//! interval. The interval means all batches of the source between its ends, so it is cut where the merge
//! brings one of them in from another run, and closes where one is left out.

use std::collections::{BTreeMap, HashSet};

use super::manifest::Batch;
use super::run::Run;
use super::value::{Entry, entries, push_entry};

/// Kinds of facts that are statements and nothing else, so that a batch of them can be taken out of a merged
/// run: observations are summed there.
const KINDS: [&str; 11] = [
    "registration",
    "network",
    "spam_report",
    "phishing_report",
    "publication",
    "mention",
    "port_state",
    "sighting",
    "false_positive",
    "pin",
    "note",
];

/// Whether a batch only states: its original need not be kept to retire it.
pub fn only_states(batch: &Batch) -> bool {
    batch.facts.keys().all(|kind| KINDS.contains(&kind.as_str()))
}

/// A run to be merged, and what of it.
pub struct Input<'a> {
    /// The run.
    pub run: &'a Run,
    /// Batches of it that never were.
    pub without: HashSet<u64>,
    /// Whether its observations come from elsewhere.
    pub only_stated: bool,
}

impl<'a> Input<'a> {
    /// All of a run.
    pub fn whole(run: &'a Run) -> Input<'a> {
        Input { run, without: HashSet::new(), only_stated: false }
    }

    /// The batches that stay.
    pub fn batches(&self) -> impl Iterator<Item = &'a Batch> {
        self.run.meta.batches.iter().filter(|batch| !self.without.contains(&batch.seq))
    }
}

/// For each batch its source and its rank among the batches of that source.
pub struct Ranks(Vec<(u16, u32)>);

impl Ranks {
    /// Those of a list of batches, sorted by number.
    pub fn of(batches: &[Batch]) -> Ranks {
        let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
        let rank = |batch: &Batch| {
            let count = counts.entry(batch.source_id).or_default();
            *count += 1;
            (batch.source_id, *count - 1)
        };
        Ranks(batches.iter().map(rank).collect())
    }

    fn get(&self, source: u16, position: u32) -> Option<u32> {
        self.0.get(position as usize).filter(|(owner, _)| *owner == source).map(|(_, rank)| *rank)
    }

    fn between(&self, source: u16, from: u32, to: u32) -> Option<u32> {
        self.get(source, to)?.checked_sub(self.get(source, from)?)
    }
}

/// Where a run's batches stand among those of all.
pub struct Places {
    places: Vec<Option<u32>>,
    own: Ranks,
    is_whole: bool,
}

impl Places {
    /// Among `batches`, sorted by number.
    pub fn new(input: &Input<'_>, batches: &[Batch]) -> Places {
        let place = |batch: &Batch| {
            let place = batches.binary_search_by_key(&batch.seq, |batch| batch.seq).ok()?;
            (!input.without.contains(&batch.seq)).then_some(place as u32)
        };
        let own = &input.run.meta.batches;
        Places {
            places: own.iter().map(place).collect(),
            own: Ranks::of(own),
            is_whole: input.without.is_empty(),
        }
    }

    fn get(&self, position: u32) -> Option<u32> {
        self.places.get(position as usize).copied().flatten()
    }

    /// Rewrites the batches of the statements of a value, none where none of the batches stays.
    pub fn rename(&self, value: &[u8], source: u16, ranks: &Ranks, out: &mut Vec<u8>) {
        out.clear();
        for Entry { from, to, payload } in entries(value) {
            let ends = self.get(from).zip(self.get(to)).filter(|(new_from, new_to)| {
                let between = self.own.between(source, from, to);
                self.is_whole && between.is_some() && between == ranks.between(source, *new_from, *new_to)
            });
            if let Some((from, to)) = ends {
                push_entry(out, &Entry { from, to, payload });
                continue;
            }
            let mut open: Option<(u32, u32)> = None;
            let mine = (from..=to).filter(|position| self.own.get(source, *position).is_some());
            for place in mine.filter_map(|position| self.get(position)) {
                match &mut open {
                    Some((_, to)) if ranks.between(source, *to, place) == Some(1) => *to = place,
                    _ => {
                        if let Some((from, to)) = open.replace((place, place)) {
                            push_entry(out, &Entry { from, to, payload });
                        }
                    }
                }
            }
            if let Some((from, to)) = open {
                push_entry(out, &Entry { from, to, payload });
            }
        }
    }
}

/// Joins equal statements of neighbouring batches of a source.
pub fn join(value: &[u8], source: u16, ranks: &Ranks) -> Vec<u8> {
    let rank = |position: u32| ranks.get(source, position);
    let mut all: Vec<Entry<'_>> = entries(value).collect();
    if all.len() > 1 {
        all.sort_by(|a, b| (a.payload, a.from, a.to).cmp(&(b.payload, b.from, b.to)));
        all.dedup_by(|next, last| {
            let touches = match (rank(last.to), rank(next.from)) {
                (Some(end), Some(start)) => start <= end + 1,
                _ => false,
            };
            let joined = next.payload == last.payload && touches;
            if joined {
                last.to = last.to.max(next.to);
            }
            joined
        });
        all.sort_by(|a, b| (a.from, a.to, a.payload).cmp(&(b.from, b.to, b.payload)));
    }
    let mut joined = Vec::with_capacity(value.len());
    for entry in &all {
        push_entry(&mut joined, entry);
    }
    joined
}
