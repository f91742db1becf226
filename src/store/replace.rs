//! Replacing live runs by what they come to: alike ones are joined, periods merged, batches retired.
//!
//! The new run is written without the publish lock. Under it is only looked whether the runs that it replaces
//! are still live: another process may have been quicker, and then nothing is changed.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fold::{self, Folding};
use super::manifest::{Event, Manifest, RunEntry, append_catalogue};
use super::merge::{Retention, Shape, crowded, groups, merge};
use super::run::{Run, RunMeta};
use super::stated::{Input, only_states};
use super::temp::TempFolder;
use super::{Store, StoreError};
use crate::value::{DAY_S, Timestamp};

/// How often a merge or a retirement is tried while others replace the same runs.
const REPLACE_TRIES: usize = 20;

/// What retiring batches did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// The batches that never were.
    pub batches: Vec<u64>,
    /// Runs that were made anew without them.
    pub rebuilt: usize,
}

/// What stands beside a run that replaces others.
#[derive(Default)]
struct Replacement {
    /// Runs that are kept so that a batch can be retired.
    originals: Vec<RunEntry>,
    /// When it was merged.
    merged: Option<Timestamp>,
    /// The tombstones that it heeds.
    heeded: u64,
}

/// Counts how often others were quicker.
struct Tries(usize);

impl Tries {
    /// Takes in whether a replacement was made.
    fn count(&mut self, is_done: bool) -> Result<(), StoreError> {
        self.0 += usize::from(!is_done);
        if self.0 < REPLACE_TRIES {
            return Ok(());
        }
        Err(StoreError::Refused("another process changed these runs meanwhile: try again".to_owned()))
    }
}

impl Store {
    /// Joins the runs of each period into one, and folds what is old. Returns how many runs there were and are.
    ///
    /// # Errors
    ///
    /// Damage in a run: its group is then as it was.
    pub fn merge(&self, now: Timestamp, retention: &Retention) -> Result<(usize, usize), StoreError> {
        let before = self.manifest()?.runs.len();
        let never = AtomicBool::new(false);
        let mut tries = Tries(0);
        while let Some(group) = groups(&self.manifest()?, now, retention).into_iter().next() {
            let folding = retention.folding(&group, now);
            tries.count(self.merge_runs(&group, now, folding, &never)?)?;
        }
        self.expire_originals(now, retention)?;
        Ok((before, self.manifest()?.runs.len()))
    }

    /// Joins runs learnt on one day that are alike in size, where there are more than `alike_max` of them, until
    /// there are not, or `stop` is set. That changes no answer. Returns how many runs went into how many.
    ///
    /// # Errors
    ///
    /// Damage in a run: its group is then as it was.
    pub fn join(
        &self,
        now: Timestamp,
        alike_max: usize,
        stop: &AtomicBool,
    ) -> Result<(usize, usize), StoreError> {
        let (mut from, mut to) = (0, 0);
        while let Some(group) =
            crowded(&self.manifest()?, alike_max).filter(|_| !stop.load(Ordering::Relaxed))
        {
            match self.merge_runs(&group, now, Folding::default(), stop) {
                Ok(true) => (from, to) = (from + group.len(), to + 1),
                // Somebody else joins them already.
                Ok(false) => break,
                Err(_) if stop.load(Ordering::Relaxed) => break,
                Err(error) => return Err(error),
            }
        }
        Ok((from, to))
    }

    /// Forgets the originals of runs that were merged long enough ago.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn expire_originals(&self, now: Timestamp, retention: &Retention) -> Result<(), StoreError> {
        let limit = now.0 - i64::from(retention.retire_days) * DAY_S;
        let expired = |run: &RunEntry| {
            !run.originals.is_empty()
                && (retention.retire_days == 0 || run.merged.is_some_and(|at| at.0 < limit))
        };
        if !self.manifest()?.runs.iter().any(expired) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        for run in manifest.runs.iter_mut().filter(|run| expired(run)) {
            run.originals.clear();
        }
        self.swap(manifest)
    }

    /// Replaces live runs by one merged from them. False: another process replaced one of them meanwhile, and
    /// nothing is changed.
    fn merge_runs(
        &self,
        group: &[RunEntry],
        now: Timestamp,
        folding: Folding,
        stop: &AtomicBool,
    ) -> Result<bool, StoreError> {
        let Some((open, heeded)) = self.open_all(&group.iter().collect::<Vec<_>>(), group)? else {
            return Ok(false);
        };
        let kept = |(entry, run): (&RunEntry, &Run)| match &entry.originals[..] {
            [] if run.meta.batches.iter().all(only_states) => Vec::new(),
            [] => vec![entry.clone()],
            originals => originals.to_vec(),
        };
        let originals = group.iter().zip(&open).flat_map(kept).collect();
        let Manifest { seed, .. } = self.manifest()?;
        let result = Replacement { originals, merged: Some(now), heeded };
        self.replace(group, result, |folder, file| {
            let mut inputs: Vec<Input<'_>> = open.iter().map(Input::whole).collect();
            let folded = if folding.names == 0 {
                None
            } else {
                self.refresh();
                fold::find(&inputs, self.snapshot()?.runs(), folder, seed, folding.names, stop)?
            };
            inputs.extend(folded.as_ref().map(|folded| Input::whole(&folded.run)));
            let shape = Shape { fold_before: folding.before, folded: folded.as_ref(), keep: None };
            Ok(Some(merge(&inputs, file, seed, &shape, stop)?))
        })
    }

    /// Replaces a live run by one without those of `retired`; by none where nothing is left. False: as
    /// [`Store::merge_runs`].
    fn rebuild(&self, run: &RunEntry, retired: &[u64]) -> Result<bool, StoreError> {
        let group = std::slice::from_ref(run);
        let left: HashSet<u64> = run.batches.iter().copied().filter(|seq| !retired.contains(seq)).collect();
        if left.is_empty() {
            return self.replace(group, Replacement::default(), |_, _| Ok(None));
        }
        let of_originals: HashSet<u64> = run.originals.iter().flat_map(|one| &one.batches).copied().collect();
        let Some((whole, heeded)) = self.open_all(&[run], group)? else { return Ok(false) };
        let Some((open, _)) = self.open_all(&run.originals.iter().collect::<Vec<_>>(), group)? else {
            return Ok(false);
        };
        let gone = |seq: &u64| !left.contains(seq);
        let mut observing =
            whole.iter().flat_map(|run| &run.meta.batches).filter(|batch| !only_states(batch));
        let mut inputs = Vec::new();
        if observing.all(|batch| left.contains(&batch.seq)) {
            let without: HashSet<u64> = run.batches.iter().copied().filter(gone).collect();
            inputs.extend(whole.iter().map(|run| Input { without: without.clone(), ..Input::whole(run) }));
        } else {
            for run in &open {
                let batches = &run.meta.batches;
                let without = batches.iter().map(|batch| batch.seq).filter(gone).collect();
                let only_stated = batches.iter().all(|batch| only_states(batch) || gone(&batch.seq));
                inputs.push(Input { run, without, only_stated });
            }
            // Of what only states no original is kept.
            let others = run.batches.iter().copied().filter(|seq| gone(seq) || of_originals.contains(seq));
            let without: HashSet<u64> = others.collect();
            inputs.extend(whole.iter().map(|run| Input { run, without: without.clone(), only_stated: true }));
        }
        inputs.retain(|input| input.batches().next().is_some());
        let seed = self.manifest()?.seed;
        let never = AtomicBool::new(false);
        let originals = run.originals.iter().filter(|one| !one.batches.iter().all(gone)).cloned().collect();
        self.replace(group, Replacement { originals, merged: run.merged, heeded }, |_, file| {
            Ok(Some(merge(&inputs, file, seed, &Shape::default(), &never)?))
        })
    }

    /// Replaces live runs by the one that `write` writes.
    fn replace(
        &self,
        group: &[RunEntry],
        replacement: Replacement,
        write: impl FnOnce(&Path, &Path) -> Result<Option<RunMeta>, StoreError>,
    ) -> Result<bool, StoreError> {
        let folder = {
            let _lock = self.lock()?;
            TempFolder::create(&self.folder().join("tmp"))?
        };
        let file = folder.path.join("merged.run");
        let meta = write(&folder.path, &file)?;
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        if !are_live(group, &manifest) {
            return Ok(false);
        }
        manifest.runs.retain(|run| group.iter().all(|old| old.id != run.id));
        if let Some(meta) = meta {
            let Replacement { originals, merged, heeded } = replacement;
            let mut entry = self.adopt(&mut manifest, &file, &meta, heeded)?;
            // What it was made of alone is no more than it is itself.
            if originals.iter().any(|one| one.batches.len() < entry.batches.len()) {
                entry.originals = originals;
            }
            entry.merged = merged;
            manifest.runs.push(entry);
            manifest.runs.sort_by_key(|run| (run.learnt_first, run.id));
        }
        self.swap(manifest)?;
        Ok(true)
    }

    /// Opens runs, and says which tombstones they heed; `None` where the group that they are of was replaced meanwhile.
    fn open_all(
        &self,
        inputs: &[&RunEntry],
        group: &[RunEntry],
    ) -> Result<Option<(Vec<Run>, u64)>, StoreError> {
        let manifest = self.manifest()?;
        let mut open = Vec::with_capacity(inputs.len());
        for entry in inputs {
            open.push(match Run::live(self.folder(), entry, &manifest.tombstones) {
                Ok(run) => run,
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound && !are_live(group, &self.manifest()?) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            });
        }
        Ok(Some((open, manifest.next_tombstone)))
    }

    /// Retires batches: their facts never were. A run that holds others too is made anew without them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] where a batch is not live, or was merged so long ago that the originals are
    /// gone; nothing is then changed.
    pub fn retire(&self, batches: &[u64], now: Timestamp) -> Result<Retired, StoreError> {
        // Not a snapshot: what is damaged can be retired too.
        let manifest = self.manifest()?;
        let stated = self.only_stated()?;
        if let Some(seq) =
            batches.iter().find(|seq| !manifest.runs.iter().any(|run| run.batches.contains(seq)))
        {
            return Err(StoreError::Refused(format!(
                "batch {seq} is not live: `zonelens batches` lists those that are"
            )));
        }
        let holds = |run: &&RunEntry| run.batches.iter().any(|seq| batches.contains(seq));
        manifest.runs.iter().filter(holds).try_for_each(|run| can_retire(run, batches, &stated))?;
        let mut result = Retired { batches: batches.to_vec(), rebuilt: 0 };
        let mut tries = Tries(0);
        while let Some(run) = self.manifest()?.runs.iter().find(holds) {
            // It may have been merged since.
            can_retire(run, batches, &stated)?;
            let is_done = self.rebuild(run, batches)?;
            tries.count(is_done)?;
            result.rebuilt += usize::from(is_done && !run.batches.iter().all(|seq| batches.contains(seq)));
        }
        let events: Vec<Event> = batches.iter().map(|seq| Event::Retired { seq: *seq, at: now }).collect();
        let _lock = self.lock()?;
        append_catalogue(self.folder(), &events)?;
        Ok(result)
    }
}

impl Store {
    /// The batches that only state, as the catalogue remembers them.
    fn only_stated(&self) -> Result<HashSet<u64>, StoreError> {
        let imported = self.catalogue()?.0.into_iter().filter_map(|event| match event {
            Event::Imported { batch } => Some(batch),
            _ => None,
        });
        Ok(imported.filter(only_states).map(|batch| batch.seq).collect())
    }
}

fn are_live(group: &[RunEntry], manifest: &Manifest) -> bool {
    group.iter().all(|run| manifest.runs.iter().any(|live| live.id == run.id))
}

/// Whether those of `batches` that a run holds can be taken out of it: those that only state (`stated`), and
/// those of which an original is kept that has no other observations.
fn can_retire(run: &RunEntry, batches: &[u64], stated: &HashSet<u64>) -> Result<(), StoreError> {
    let goes = |seq: &u64| batches.contains(seq) || stated.contains(seq);
    let alone = |run: &RunEntry| run.batches.iter().all(goes);
    if alone(run) {
        return Ok(());
    }
    for seq in run.batches.iter().filter(|seq| batches.contains(seq) && !stated.contains(seq)) {
        if !run.originals.iter().any(|original| original.batches.contains(seq) && alone(original)) {
            let when = run.merged.map_or_else(String::new, |at| format!(" on {}", at.date()));
            return Err(StoreError::Refused(format!(
                "batch {seq} was merged{when} and its original is no longer kept: raise retire_days for the future"
            )));
        }
    }
    Ok(())
}
