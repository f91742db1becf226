//! How long what sources say is kept: the first day of each that is. What is older goes when runs are made anew.
//!
//! An observation is as old as it was last made: what was last seen before the day goes, of what lasts longer the days
//! before go. Hits whose day is not known stay while the last of them may be later. A statement is as old as its
//! source was last found to say it.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::key::Table;
use super::manifest::{Batch, Manifest};
use super::observed::Observed;
use super::run::Run;
use super::value::{entries, push_entry};
use crate::value::Timestamp;

/// Facts of a batch can have been observed so many days after it was learnt: clocks of sensors go wrong.
const AHEAD_DAYS: i64 = 2;

/// The first day, since 1970, of which things are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// By name of the source; of others all is kept.
    pub sources: BTreeMap<String, u32>,
    /// Of contacts of any source; 0: all are kept.
    pub contacts: u32,
}

/// The same by number of the source, as rows name them.
pub struct KeepRows<'a> {
    sources: BTreeMap<u16, u32>,
    contacts: u32,
    manifest: &'a Manifest,
}

impl Keep {
    /// What is kept `days` back from `now`.
    pub fn first_day(now: Timestamp, days: u32) -> u32 {
        u32::try_from(now.day() - i64::from(days)).unwrap_or(0)
    }

    /// For the rows of a store.
    pub fn rows<'a>(&self, manifest: &'a Manifest) -> KeepRows<'a> {
        let numbered = manifest.sources.iter().enumerate();
        let sources = numbered
            .filter_map(|(number, name)| Some((u16::try_from(number).ok()?, *self.sources.get(name)?)));
        KeepRows { sources: sources.collect(), contacts: self.contacts, manifest }
    }
}

impl KeepRows<'_> {
    /// Whether a run has rows that are too old, or batches.
    pub fn is_due(&self, run: &Run) -> bool {
        let meta = &run.meta;
        let unknown = meta.oldest.is_empty()
            && meta.tables.keys().any(|table| Table::from_byte(*table).is_some_and(Table::is_observed));
        let too_old = |(source, first): (&u16, &u32)| {
            meta.oldest.get(source).is_some_and(|oldest| oldest < first)
                || meta.batches.iter().any(|batch| {
                    batch.source_id == *source && (unknown || self.is_said_before(batch, *first))
                })
        };
        self.sources.iter().any(too_old) || meta.oldest_contact.is_some_and(|oldest| oldest < self.contacts)
    }

    fn is_said_before(&self, batch: &Batch, day: u32) -> bool {
        self.manifest.held(batch, None).day() < i64::from(day)
    }

    /// The batches of a run of which nothing can be left.
    pub fn gone(&self, run: &Run) -> HashSet<u64> {
        let is_gone = |batch: &&Batch| {
            self.sources.get(&batch.source_id).is_some_and(|first| {
                self.is_said_before(batch, *first) && batch.learnt.day() + AHEAD_DAYS < i64::from(*first)
            })
        };
        run.meta.batches.iter().filter(is_gone).map(|batch| batch.seq).collect()
    }

    /// Leaves of a row what is not too old. `batches`: those that statements name by position. False: nothing is left.
    ///
    /// # Errors
    ///
    /// Where a value is not what was written.
    pub fn trim(&self, key: &[u8], table: Table, value: &mut Vec<u8>, batches: &[Batch]) -> io::Result<bool> {
        let source = key.last_chunk::<2>().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let of_source = self.sources.get(&source).copied().unwrap_or(0);
        let first = if table == Table::Contact { of_source.max(self.contacts) } else { of_source };
        if first == 0 {
            return Ok(true);
        }
        if !table.is_observed() {
            return Ok(self.trim_statements(source, first, value, batches));
        }
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "a value is not what was written");
        let Some(observed) = Observed::decode(value).ok_or_else(bad)?.since(first) else { return Ok(false) };
        value.clear();
        observed.encode(value);
        Ok(true)
    }

    fn trim_statements(&self, source: u16, first: u32, value: &mut Vec<u8>, batches: &[Batch]) -> bool {
        let mut left = Vec::with_capacity(value.len());
        for entry in entries(value) {
            let said = batches.get(entry.from as usize..=entry.to as usize).unwrap_or_default();
            let mut said = said.iter().filter(|batch| batch.source_id == source);
            if said.any(|batch| !self.is_said_before(batch, first)) {
                push_entry(&mut left, &entry);
            }
        }
        *value = left;
        !value.is_empty()
    }
}
