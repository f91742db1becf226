//! Merging runs: fewer files to read, the same answers.
//!
//! Runs learnt in one period are joined: a day; a month once it is older than the detail retention; then a
//! year. Observations of a key are summed; statements keep their batches, and equal ones of neighbouring
//! batches of a source become one interval. The runs that were joined are kept for a while, so that a
//! single batch can still be retired. What is older than the detail retention is folded, alone in its period
//! too.
//!
//! Between merges, runs learnt on one day are joined as soon as many are alike in size, and nothing is folded.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fold::{Folded, Folding};
use super::hot::Builder;
use super::index::index_row;
use super::keep::KeepRows;
use super::key::{Table, object_len};
use super::manifest::{Batch, Manifest, RunEntry};
use super::run::{RunMeta, RunWriter};
use super::stated::{Input, Places, Ranks, join};
use super::value::{merge_values, table_of};
use crate::value::{DAY_S, Timestamp};

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days with hits by day; older days keep first, last, hits and peak.
    pub detail_days: u32,
    /// Days that the originals of a merged run are kept, so that a single batch can be retired.
    pub retire_days: u32,
    /// More names than this directly below one, each seen once, become `*` below it, in runs learnt longer ago
    /// than `detail_days`; 0: never.
    pub fold_names: usize,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { detail_days: 400, retire_days: 30, fold_names: 10_000 }
    }
}

impl Retention {
    /// The first day with hits by day.
    fn detail_from(&self, now: Timestamp) -> u32 {
        (now.day() - i64::from(self.detail_days)).max(0) as u32
    }

    /// What a merge of runs folds.
    pub fn folding(&self, runs: &[RunEntry], now: Timestamp) -> Folding {
        let is_old = |run: &RunEntry| !matches!(period(run.learnt_last, now, self), Period::Day(_));
        let names = if runs.iter().all(is_old) { self.fold_names } else { 0 };
        Folding { before: self.detail_from(now), names }
    }
}

/// The period that a run belongs to: runs of one period are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A year, long ago.
    Year(i64),
    /// A month (year, month), older than the detail retention.
    Month(i64, i64),
    /// A day.
    Day(i64),
}

/// The period of a moment, seen from `now`.
pub fn period(learnt: Timestamp, now: Timestamp, retention: &Retention) -> Period {
    let age_days = (now.0 - learnt.0) / DAY_S;
    let date = learnt.date();
    let year = date[..4].parse().unwrap_or(0);
    if age_days > i64::from(retention.detail_days) * 2 {
        Period::Year(year)
    } else if age_days > i64::from(retention.detail_days) {
        Period::Month(year, date[5..7].parse().unwrap_or(0))
    } else {
        Period::Day(learnt.day())
    }
}

/// The groups of runs that a merge would replace: two of a period or more, or one that is to be folded.
pub fn groups(manifest: &Manifest, now: Timestamp, retention: &Retention) -> Vec<Vec<RunEntry>> {
    let mut by_period: BTreeMap<Period, Vec<RunEntry>> = BTreeMap::new();
    for run in &manifest.runs {
        by_period.entry(period(run.learnt_last, now, retention)).or_default().push(run.clone());
    }
    let is_due = |(period, runs): &(Period, Vec<RunEntry>)| {
        let unfolded = |run: &RunEntry| i64::from(run.folded_before) <= run.learnt_last.day();
        runs.len() > 1 || (!matches!(period, Period::Day(_)) && runs.iter().any(unfolded))
    };
    by_period.into_iter().filter(is_due).map(|(_, runs)| runs).collect()
}

/// Runs are alike whose numbers of rows have this power in common: a row is joined once a power.
const ALIKE_ROWS: u64 = 8;

/// Live runs of one learnt day that are alike in size, where there are more than `alike_max`.
pub fn crowded(manifest: &Manifest, alike_max: usize) -> Option<Vec<RunEntry>> {
    let mut alike: BTreeMap<(u32, i64), Vec<RunEntry>> = BTreeMap::new();
    for run in manifest.runs.iter().filter(|run| run.learnt_first.day() == run.learnt_last.day()) {
        let power = run.rows.max(1).ilog(ALIKE_ROWS);
        alike.entry((power, run.learnt_last.day())).or_default().push(run.clone());
    }
    alike.into_values().find(|runs| runs.len() > alike_max.max(1))
}

/// What goes when runs are joined; by default nothing.
#[derive(Default)]
pub struct Shape<'a> {
    /// Details of days before this one, 0: none.
    pub fold_before: u32,
    /// Names that are folded.
    pub folded: Option<&'a Folded>,
    /// What is older than this.
    pub keep: Option<&'a KeepRows<'a>>,
}

/// Joins runs into one file at `path`. What their readers pass over goes too.
///
/// # Errors
///
/// Damage in one of them; what the file system says; [`io::ErrorKind::Interrupted`] once `stop` is set.
pub fn merge(
    runs: &[Input<'_>],
    path: &Path,
    seed: u64,
    shape: &Shape<'_>,
    stop: &AtomicBool,
) -> io::Result<RunMeta> {
    let Shape { fold_before, folded, keep } = *shape;
    let mut batches: Vec<Batch> = runs.iter().flat_map(Input::batches).cloned().collect();
    batches.sort_by_key(|batch| batch.seq);
    let ranks = Ranks::of(&batches);
    // The rows of folded names are of no batch, and no days are missing there.
    let all = runs.iter().filter(|input| input.batches().next().is_some());
    let folded_before = all.map(|input| input.run.meta.folded_before).min().unwrap_or(0).max(fold_before);
    let meta = RunMeta { batches: batches.clone(), seed, folded_before, ..RunMeta::default() };
    let mut writer = RunWriter::create(path, meta)?;
    let mut hot = Builder::default();
    each(runs, &batches, stop, &mut |key, table, value| {
        if folded.is_some_and(|folded| folded.has(key, table)) {
            return Ok(true);
        }
        if table.is_observed() {
            fold(value, fold_before)?;
        } else {
            *value = join(value, source_of(key), &ranks);
        }
        if let Some(keep) = keep
            && !keep.trim(key, table, value, &batches)?
        {
            return Ok(true);
        }
        if !table.is_observed() {
            index_row(key, value, seed, &mut hot)?;
        }
        writer.push(key, value)?;
        Ok(true)
    })?;
    writer.finish(hot)
}

/// Takes a row: key, table, value. False: no more are wanted.
pub type TakeRow<'a> = dyn FnMut(&[u8], Table, &mut Vec<u8>) -> io::Result<bool> + 'a;

/// Rows between two looks at whether to stop.
const STOP_ROWS: usize = 4096;

/// Goes through the rows of runs in order, those of one key merged, but for what writers of runs make anew.
/// Statements name batches by their position among `batches`, which are sorted by number.
///
/// # Errors
///
/// As [`merge`].
pub fn each(
    runs: &[Input<'_>],
    batches: &[Batch],
    stop: &AtomicBool,
    row: &mut TakeRow<'_>,
) -> io::Result<()> {
    let ranks = Ranks::of(batches);
    let places: Vec<Places> = runs.iter().map(|input| Places::new(input, batches)).collect();
    let mut streams = Vec::with_capacity(runs.len());
    for input in runs {
        let mut stream = input.run.stream()?;
        let more = stream.advance();
        streams.push(more.then_some(stream));
    }
    let (mut key, mut value, mut renamed, mut kept) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0usize;
    while let Some(least) = streams.iter().flatten().map(tantivy_sstable::Streamer::key).min() {
        rows += 1;
        if rows.is_multiple_of(STOP_ROWS) && stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        key.clear();
        key.extend_from_slice(least);
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "a row of no known kind");
        let table = table_of(&key).ok_or_else(bad)?;
        let mut is_there = false;
        for ((stream, places), input) in streams.iter_mut().zip(&places).zip(runs) {
            let Some(open) = stream.as_mut().filter(|stream| stream.key() == key) else { continue };
            let visible = input.run.visible(&key, open.value().bytes(), &mut kept);
            let from = match visible {
                Some(value) if !table.is_observed() => {
                    places.rename(value, source_of(&key), &ranks, &mut renamed);
                    &renamed
                }
                seen => seen.unwrap_or_default(),
            };
            let comes_from_elsewhere = table.is_observed() && input.only_stated;
            let counts = !(from.is_empty() || comes_from_elsewhere);
            if counts && !is_there {
                value.clear();
                value.extend_from_slice(from);
                is_there = true;
            } else if counts && !table.is_derived() {
                merge_values(&key, &mut value, from)?;
            }
            if !open.advance() {
                *stream = None;
            }
        }
        if is_there && !table.is_derived() && !row(&key, table, &mut value)? {
            break;
        }
    }
    Ok(())
}

fn fold(value: &mut Vec<u8>, before: u32) -> io::Result<()> {
    if before == 0 {
        return Ok(());
    }
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "a value is not what was written");
    let mut observed = super::observed::Observed::decode(value).ok_or_else(bad)?;
    if observed.days.first().is_some_and(|(day, _)| *day < before) {
        observed.fold(before);
        value.clear();
        observed.encode(value);
    }
    Ok(())
}

fn source_of(key: &[u8]) -> u16 {
    debug_assert!(object_len(key).is_some());
    key.last_chunk::<2>().map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_keeps_runs_few_and_rewrites_a_row_once_a_power() {
        let entry = |id: u64, rows: u64, day: i64| RunEntry {
            id,
            batches: vec![id],
            learnt_first: Timestamp::start_of_day(day),
            learnt_last: Timestamp::start_of_day(day),
            bytes: 0,
            rows,
            originals: Vec::new(),
            merged: None,
            folded_before: 0,
            heeded: 0,
        };
        let mut manifest = Manifest::new(7);
        let (mut rewritten, mut most) = (0, 0);
        for id in 0..4096 {
            // Every second day is another one.
            manifest.runs.push(entry(id, 1, 19_000 + id as i64 % 2));
            while let Some(group) = crowded(&manifest, 8) {
                assert!(group.len() > 8 && group.iter().all(|run| run.learnt_last == group[0].learnt_last));
                let rows = group.iter().map(|run| run.rows).sum();
                rewritten += rows;
                manifest.runs.retain(|run| group.iter().all(|old| old.id != run.id));
                manifest.runs.push(entry(10_000 + group[0].id, rows, group[0].learnt_last.day()));
            }
            most = most.max(manifest.runs.len());
        }
        assert_eq!(manifest.runs.iter().map(|run| run.rows).sum::<u64>(), 4096);
        assert!(most <= 2 * 8 * 4 && rewritten <= 4096 * 4, "{most} runs, {rewritten} rows");
        // What spans days was merged, and is left alone.
        let mut merged = entry(1, 1, 19_000);
        merged.learnt_last = Timestamp::start_of_day(19_001);
        manifest.runs = (0..20).map(|id| RunEntry { id, ..merged.clone() }).collect();
        assert_eq!(crowded(&manifest, 8), None);
    }
}
