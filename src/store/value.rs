//! Values of rows: an observation, or the statements of one identity with the batches that made them.

use std::io;

use super::key::{Table, object_len};
use super::observed::{Observed, push_varint, take_varint};

/// A statement as a row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The first batch that made it, by position in the run's list.
    pub from: u32,
    /// The last one of an unbroken row of the source's batches.
    pub to: u32,
    /// The fact, as JSON.
    pub payload: &'a [u8],
}

/// Appends a statement.
pub fn push_entry(out: &mut Vec<u8>, entry: &Entry<'_>) {
    push_varint(out, u64::from(entry.from));
    push_varint(out, u64::from(entry.to));
    push_varint(out, entry.payload.len() as u64);
    out.extend_from_slice(entry.payload);
}

/// The statements of a value; stops where the bytes are none.
pub fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let from = u32::try_from(take_varint(&mut bytes)?).ok()?;
        let to = u32::try_from(take_varint(&mut bytes)?).ok()?;
        let len = usize::try_from(take_varint(&mut bytes)?).ok()?;
        let (payload, rest) = bytes.split_at_checked(len)?;
        bytes = rest;
        Some(Entry { from, to, payload })
    })
}

/// The table of a key.
pub fn table_of(key: &[u8]) -> Option<Table> {
    Table::from_byte(*key.get(object_len(key)?)?)
}

/// Merges the value of a key into another of the same key: observations are summed, statements are set
/// side by side, each once.
///
/// # Errors
///
/// Where the bytes are no values.
pub fn merge_values(key: &[u8], into: &mut Vec<u8>, from: &[u8]) -> io::Result<()> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "a value is not what was written");
    if table_of(key).ok_or_else(bad)?.is_observed() {
        let mut value = Observed::decode(into).ok_or_else(bad)?;
        value.merge(&Observed::decode(from).ok_or_else(bad)?);
        into.clear();
        value.encode(into);
        return Ok(());
    }
    if entries(into).collect::<Vec<_>>() == entries(from).collect::<Vec<_>>() {
        return Ok(());
    }
    let mut all: Vec<Entry<'_>> = entries(into).chain(entries(from)).collect();
    all.sort_by(|a, b| (a.from, a.to, a.payload).cmp(&(b.from, b.to, b.payload)));
    all.dedup();
    let mut merged = Vec::with_capacity(into.len() + from.len());
    for entry in &all {
        push_entry(&mut merged, entry);
    }
    *into = merged;
    Ok(())
}
