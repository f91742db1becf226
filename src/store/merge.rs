//! Merging runs: fewer files to read, the same answers.
//!
//! Runs learnt in one period are joined: a day; a month once it is older than the detail retention; then a
//! year. Observations of a key are summed; statements keep their batches, and equal ones of neighbouring
//! batches of a source become one interval. The runs that were joined are kept for a while, so that a
//! single batch can still be retired.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::hot::Builder;
use super::index::index_row;
use super::key::object_len;
use super::manifest::{Batch, Manifest, RunEntry};
use super::run::{Run, RunMeta, RunWriter};
use super::value::{Entry, entries, merge_values, push_entry, table_of};
use crate::value::{DAY_S, Timestamp};

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days with hits by day; older days keep first, last, hits and peak.
    pub detail_days: u32,
    /// Days that the originals of a merged run are kept, so that a single batch can be retired.
    pub retire_days: u32,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { detail_days: 400, retire_days: 30 }
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

/// The groups of runs that a merge would join, each of two runs or more.
pub fn groups(manifest: &Manifest, now: Timestamp, retention: &Retention) -> Vec<Vec<RunEntry>> {
    let mut by_period: BTreeMap<Period, Vec<RunEntry>> = BTreeMap::new();
    for run in &manifest.runs {
        by_period.entry(period(run.learnt_last, now, retention)).or_default().push(run.clone());
    }
    by_period.into_values().filter(|runs| runs.len() > 1).collect()
}

/// Joins runs into one file at `path`.
///
/// # Errors
///
/// Damage in one of them; what the file system says.
pub fn merge(runs: &[&Run], path: &Path, seed: u64, fold_before: u32) -> io::Result<RunMeta> {
    let mut batches: Vec<Batch> = runs.iter().flat_map(|run| run.meta.batches.iter().cloned()).collect();
    batches.sort_by_key(|batch| batch.seq);
    let position = |seq: u64| batches.iter().position(|batch| batch.seq == seq).unwrap_or(0) as u32;
    // Where each run's batches stand in the list of all.
    let positions: Vec<Vec<u32>> =
        runs.iter().map(|run| run.meta.batches.iter().map(|batch| position(batch.seq)).collect()).collect();
    let ranks = ranks(&batches);
    let folded_before = runs.iter().map(|run| run.meta.folded_before).fold(fold_before, u32::max);
    let mut writer = RunWriter::create(path, RunMeta { batches, seed, folded_before, ..RunMeta::default() })?;
    let mut hot = Builder::default();
    let mut streams = Vec::with_capacity(runs.len());
    for run in runs {
        let mut stream = run.stream()?;
        let more = stream.advance();
        streams.push(more.then_some(stream));
    }
    let (mut key, mut value, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(least) = streams.iter().flatten().map(tantivy_sstable::Streamer::key).min() {
        key.clear();
        key.extend_from_slice(least);
        let table = table_of(&key);
        let observed = table.is_some_and(super::key::Table::is_observed);
        // The writer makes these anew.
        let derived = table.is_some_and(super::key::Table::is_derived);
        let mut first = true;
        for (stream, positions) in streams.iter_mut().zip(&positions) {
            let Some(open) = stream.as_mut().filter(|stream| stream.key() == key) else { continue };
            let from = if observed {
                open.value().bytes()
            } else {
                rename(open.value().bytes(), positions, &mut renamed);
                &renamed
            };
            if first {
                value.clear();
                value.extend_from_slice(from);
                first = false;
            } else if !derived {
                merge_values(&key, &mut value, from)?;
            }
            if !open.advance() {
                *stream = None;
            }
        }
        if derived {
            continue;
        }
        if observed {
            fold(&mut value, folded_before)?;
        } else {
            value = join(&value, source_of(&key), &ranks);
            index_row(&key, &value, seed, &mut hot)?;
        }
        writer.push(&key, &value)?;
    }
    writer.finish(hot)
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

/// Rewrites the batch positions of a value's statements.
fn rename(value: &[u8], positions: &[u32], out: &mut Vec<u8>) {
    out.clear();
    let at = |old: u32| positions.get(old as usize).copied().unwrap_or(0);
    for entry in entries(value) {
        push_entry(out, &Entry { from: at(entry.from), to: at(entry.to), payload: entry.payload });
    }
}

/// For each batch its source and its rank among the batches of that source.
fn ranks(batches: &[Batch]) -> Vec<(u16, u32)> {
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    batches
        .iter()
        .map(|batch| {
            let count = counts.entry(batch.source_id).or_default();
            *count += 1;
            (batch.source_id, *count - 1)
        })
        .collect()
}

/// Joins equal statements of neighbouring batches of a source.
fn join(value: &[u8], source: u16, ranks: &[(u16, u32)]) -> Vec<u8> {
    let rank = |position: u32| {
        ranks.get(position as usize).filter(|(owner, _)| *owner == source).map(|(_, rank)| *rank)
    };
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
