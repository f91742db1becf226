//! What several sources list: the listings of all hot indexes in one order, so that all that say something of
//! one indicator come together. Memory is a cursor a run, and the wildcards.
//!
//! An indicator is what a listing is found by: a name (alone or with what is below it), an address, a URL, a
//! folder, a script, a network, a wildcard, a hash of a file. Ports and categories make no other of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::StoreError;
use super::hot::{Entry, Hot, Kind};
use super::snapshot::{Hit, Snapshot, View};
use crate::indicator::to_u128;

/// What entries of one indicator have in common, and nothing else: the order of a scan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Indicated {
    /// By hash.
    Hash(u64),
    /// By range: its first address, and its last, the widest first, as indexes hold them.
    Range(u128, Reverse<u128>),
}

/// Where a scan stands in a run.
struct Cursor<'a> {
    run: usize,
    hot: &'a Hot,
    /// The next entry, and the one after the last.
    at: usize,
    end: usize,
}

impl Snapshot {
    /// The categories, by their index, that some stored listing has; and those that some benign entry has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where an index is not what was written.
    pub fn categories(&self) -> Result<(BTreeSet<usize>, BTreeSet<usize>), StoreError> {
        let (mut listed, mut topics) = (BTreeSet::new(), BTreeSet::new());
        for hot in self.runs().iter().filter_map(|run| run.hot.as_ref()) {
            let hashed = (0..hot.entry_count()).map(|at| hot.entry_at(at));
            let ranges = (0..hot.range_count() as u32).map(|at| hot.range_entry(at));
            for entry in hashed.chain(ranges) {
                let entry = entry?;
                match entry.kind {
                    Kind::Listing => listed.insert(usize::from(entry.category)),
                    Kind::Benign => topics.insert(usize::from(entry.category)),
                    _ => false,
                };
            }
        }
        Ok((listed, topics))
    }
}

impl View {
    /// Calls `found` with all listings of each indicator that the view knows, one indicator after the other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where an index is not what was written.
    pub fn each_listed(&self, mut found: impl FnMut(&[Hit])) -> Result<(), StoreError> {
        let hashed = |cursor: &Cursor<'_>| Ok(cursor.hot.entry_at(cursor.at)?);
        let ranged = |cursor: &Cursor<'_>| Ok(cursor.hot.range_entry(cursor.at as u32)?);
        self.scan(Hot::entry_count, &mut found, hashed, |cursor| Ok(Indicated::Hash(hashed(cursor)?.hash)))?;
        self.scan(Hot::bound_count, &mut found, ranged, |cursor| {
            let ends = cursor.hot.bounds(cursor.at as u32)?.map(|range| (range.first(), range.last()));
            // No range has ends of two families.
            Ok(ends.map_or(Indicated::Hash(0), |(first, last)| {
                Indicated::Range(to_u128(first), Reverse(to_u128(last)))
            }))
        })?;
        let mut wildcards: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
        self.wildcards(&mut |text, hit| {
            if hit.entry.kind == Kind::Listing {
                wildcards.entry(text.to_owned()).or_default().push(hit);
            }
        })?;
        wildcards.values().for_each(|hits| found(hits));
        Ok(())
    }

    /// Merges the entries of all runs in the order of what they indicate.
    fn scan(
        &self,
        count: impl Fn(&Hot) -> usize,
        found: &mut impl FnMut(&[Hit]),
        read: impl Fn(&Cursor<'_>) -> Result<Entry, StoreError>,
        indicated: impl Fn(&Cursor<'_>) -> Result<Indicated, StoreError>,
    ) -> Result<(), StoreError> {
        let runs = self.snapshot().runs().iter().enumerate();
        let mut cursors: Vec<Cursor<'_>> = runs
            .filter_map(|(run, open)| Some((run, open.hot.as_ref()?)))
            .map(|(run, hot)| Cursor { run, hot, at: 0, end: count(hot) })
            .collect();
        let mut next = BinaryHeap::with_capacity(cursors.len());
        for (index, cursor) in cursors.iter().enumerate().filter(|(_, cursor)| cursor.at < cursor.end) {
            next.push(Reverse((indicated(cursor)?, index)));
        }
        let mut hits: Vec<Hit> = Vec::new();
        let mut last = None;
        while let Some(Reverse((key, index))) = next.pop() {
            if last.as_ref() != Some(&key) {
                if !hits.is_empty() {
                    found(&hits);
                    hits.clear();
                }
                last = Some(key);
            }
            let cursor = &mut cursors[index];
            let entry = read(cursor)?;
            if entry.kind == Kind::Listing {
                self.hit(cursor.run, None, entry, &mut |hit| hits.push(hit));
            }
            cursor.at += 1;
            if cursor.at < cursor.end {
                next.push(Reverse((indicated(cursor)?, index)));
            }
        }
        if !hits.is_empty() {
            found(&hits);
        }
        Ok(())
    }
}
