//! Replacing live runs by what they come to: alike ones are joined, periods merged, batches retired.
//!
//! The new run is written without the publish lock. Under it is only looked whether the runs that it replaces
//! are still live: another process may have been quicker, and then nothing is changed.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fold::{self, Folding};
use super::manifest::{Event, Manifest, RunEntry, append_catalogue};
use super::merge::{Retention, crowded, groups, merge};
use super::run::Run;
use super::temp::TempFolder;
use super::{Store, StoreError, run_path};
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
            tries.count(self.replace(&group, &[], now, folding, &never)?)?;
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
        while let Some(group) = crowded(&self.manifest()?, alike_max).filter(|_| !stop.load(Ordering::Relaxed)) {
            match self.replace(&group, &[], now, Folding::default(), stop) {
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

    /// Replaces live runs by one merged from the originals of all of them that hold none of `without`. False:
    /// another process replaced one of them meanwhile, and nothing is changed.
    fn replace(
        &self,
        group: &[RunEntry],
        without: &[u64],
        now: Timestamp,
        folding: Folding,
        stop: &AtomicBool,
    ) -> Result<bool, StoreError> {
        let folder = {
            let _lock = self.lock()?;
            TempFolder::create(&self.folder().join("tmp"))?
        };
        let originals: Vec<RunEntry> = group
            .iter()
            .flat_map(|run| if run.originals.is_empty() { vec![run.clone()] } else { run.originals.clone() })
            .filter(|run| !run.batches.iter().any(|seq| without.contains(seq)))
            .collect();
        // Merging what was merged is quicker than merging all that it was merged from.
        let inputs: Vec<&RunEntry> =
            if without.is_empty() { group.iter().collect() } else { originals.iter().collect() };
        let Some(open) = self.open_all(&inputs, group)? else { return Ok(false) };
        let file = folder.path.join("merged.run");
        let seed = self.manifest()?.seed;
        let mut runs: Vec<&Run> = open.iter().collect();
        let meta = if runs.is_empty() {
            None
        } else if folding.names == 0 {
            Some(merge(&runs, &file, seed, folding.before, None, stop)?)
        } else {
            self.refresh();
            let live = self.snapshot()?;
            let folded = fold::find(&runs, live.runs(), &folder.path, seed, folding.names, stop)?;
            runs.extend(folded.as_ref().map(|folded| &folded.run));
            Some(merge(&runs, &file, seed, folding.before, folded.as_ref(), stop)?)
        };
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        if !are_live(group, &manifest) {
            return Ok(false);
        }
        manifest.runs.retain(|run| group.iter().all(|old| old.id != run.id));
        if let Some(meta) = meta {
            let mut entry = self.adopt(&mut manifest, &file, &meta)?;
            if originals.len() > 1 {
                entry.originals = originals;
                entry.merged = Some(now);
            }
            manifest.runs.push(entry);
            manifest.runs.sort_by_key(|run| (run.learnt_first, run.id));
        }
        self.swap(manifest)?;
        Ok(true)
    }

    /// Opens runs; `None` where the group that they are of was replaced meanwhile.
    fn open_all(&self, inputs: &[&RunEntry], group: &[RunEntry]) -> Result<Option<Vec<Run>>, StoreError> {
        let mut open = Vec::with_capacity(inputs.len());
        for entry in inputs {
            let mut run = match Run::open(&run_path(self.folder(), entry.id), entry.id) {
                Ok(run) => run,
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound && !are_live(group, &self.manifest()?) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            for (batch, seq) in run.meta.batches.iter_mut().zip(&entry.batches) {
                batch.seq = *seq;
            }
            open.push(run);
        }
        Ok(Some(open))
    }

    /// Retires batches: their facts never were. A run that holds others too is made anew without them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] where a batch is not live, or was merged so long ago that the originals are
    /// gone; nothing is then changed.
    pub fn retire(&self, batches: &[u64], now: Timestamp) -> Result<Retired, StoreError> {
        let manifest = self.manifest()?;
        for seq in batches {
            let run = manifest.runs.iter().find(|run| run.batches.contains(seq));
            let run = run.ok_or_else(|| {
                StoreError::Refused(format!(
                    "batch {seq} is not live: `zonelens batches` lists those that are"
                ))
            })?;
            can_retire(run, batches)?;
        }
        let mut result = Retired { batches: batches.to_vec(), rebuilt: 0 };
        let never = AtomicBool::new(false);
        let mut tries = Tries(0);
        let holds = |run: &RunEntry| run.batches.iter().any(|seq| batches.contains(seq));
        while let Some(run) = self.manifest()?.runs.into_iter().find(holds) {
            // It may have been merged since.
            can_retire(&run, batches)?;
            let shares = !run.batches.iter().all(|seq| batches.contains(seq));
            let is_done = self.replace(&[run], batches, now, Folding::default(), &never)?;
            tries.count(is_done)?;
            result.rebuilt += usize::from(shares && is_done);
        }
        let events: Vec<Event> = batches.iter().map(|seq| Event::Retired { seq: *seq, at: now }).collect();
        let _lock = self.lock()?;
        append_catalogue(self.folder(), &events)?;
        Ok(result)
    }
}

fn are_live(group: &[RunEntry], manifest: &Manifest) -> bool {
    group.iter().all(|run| manifest.runs.iter().any(|live| live.id == run.id))
}

/// Whether those of `batches` that a run holds can be taken out of it.
fn can_retire(run: &RunEntry, batches: &[u64]) -> Result<(), StoreError> {
    let alone = |run: &RunEntry| run.batches.iter().all(|seq| batches.contains(seq));
    if alone(run) {
        return Ok(());
    }
    for seq in run.batches.iter().filter(|seq| batches.contains(seq)) {
        let is_kept = run.originals.iter().any(|original| original.batches.contains(seq) && alone(original));
        if !is_kept {
            let when = run.merged.map_or_else(String::new, |at| format!(" on {}", at.date()));
            return Err(StoreError::Refused(format!(
                "batch {seq} was merged{when} and its original is no longer kept: retire all batches of that \
                 merge together, or raise retire_days for the future"
            )));
        }
    }
    Ok(())
}
