//! What several sources list: the entries of all hot indexes in one order, so that all entries of an
//! indicator come together. Memory is a cursor a run.

use std::collections::BTreeSet;

use super::StoreError;
use super::hot::Kind;
use super::snapshot::Snapshot;

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
