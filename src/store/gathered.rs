//! What a look-up gathers over several objects: a file by all its hashes, each of which leads to the others; all
//! intelligence reports.

use std::collections::BTreeSet;

use super::key::{ObjectKey, Part, Table, publications, read_part};
use super::object::{Edge, Object, Statement};
use super::{StoreError, View};
use crate::indicator::{FileHash, FileHashes};
use crate::value::Timestamp;

impl View {
    /// The hashes of a file of which some are known; of each kind one.
    ///
    /// Where several of a kind are said to be of one file, by mistake or by a collision of MD5, the one that was said
    /// last is taken, then the greatest: what is said of the others is another file's.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn file_hashes(&self, known: FileHashes) -> Result<FileHashes, StoreError> {
        let mut file = known;
        let mut read = Vec::with_capacity(3);
        while !file.is_complete()
            && let Some(hash) = file.iter().find(|hash| !read.contains(hash))
        {
            read.push(hash);
            let aliases = self.table(&ObjectKey::file(&hash), Table::FileAlias)?;
            let mut others: Vec<(u32, FileHash)> = Vec::new();
            for edge in aliases.edges(Table::FileAlias) {
                if let Some((Part::File(other), _)) = read_part(&edge.counterpart) {
                    others.push((edge.observed.last, other));
                }
            }
            others.sort_unstable();
            others.iter().rev().for_each(|(_, other)| file.fill(*other));
        }
        Ok(file)
    }

    /// Everything known of a file under any of these hashes. What is stated of several of them stands once.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn file(&self, file: &FileHashes) -> Result<Object, StoreError> {
        let mut all = Object::default();
        for hash in file.iter() {
            let object = self.object(&ObjectKey::file(&hash))?;
            all.edges.extend(object.edges.into_iter().filter(|edge| edge.table != Table::FileAlias));
            all.statements.extend(object.statements);
        }
        // Each observation stands under one hash of its file, so that nothing is counted twice.
        all.edges.sort_by(|a, b| edge_key(a).cmp(&edge_key(b)));
        all.edges.dedup_by(|next, kept| {
            let same = edge_key(next) == edge_key(kept);
            if same {
                kept.observed.add(&next.observed);
            }
            same
        });
        type Key<'s> = (Table, &'s [u8], u16, Timestamp, Timestamp);
        fn key(one: &Statement) -> Key<'_> {
            (one.table, &one.counterpart, one.source, one.first, one.last)
        }
        all.statements.sort_by(|a, b| key(a).cmp(&key(b)));
        all.statements.dedup_by(|next, kept| key(next) == key(kept));
        Ok(all)
    }
}

impl View {
    /// The identifiers of all intelligence reports that something is said of.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn publications(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut ids = BTreeSet::new();
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if !self.reads(index) {
                continue;
            }
            run.scan(&publications(), |key, _| {
                if let Some((Part::Text(id), rest)) = read_part(key)
                    && rest.first() == Some(&(Table::Publication as u8))
                    && !ids.contains(id)
                {
                    ids.insert(id.to_owned());
                }
                Ok(true)
            })?;
        }
        Ok(ids)
    }
}

fn edge_key(edge: &Edge) -> (Table, &[u8]) {
    (edge.table, &edge.counterpart)
}
