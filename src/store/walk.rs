//! Walking over objects: those of a range of keys, and names that begin with a label.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::StoreError;
use super::key::{ObjectKey, Table, object_len};
use super::names;
use super::run::Run;
use super::snapshot::View;

/// An object with more rows than this is stepped over instead of being read to its end.
const ROWS_READ: usize = 64;

/// After every table.
const END: u8 = 0xff;

/// Objects of a range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first key that can be.
    pub from: Vec<u8>,
    /// Before this key.
    pub to: Vec<u8>,
}

impl Range {
    /// Everything below a name.
    pub fn below(name: &str) -> Range {
        // `com.example` and a zero byte end the name; `com.example.` begins all below it.
        let mut from = ObjectKey::domain(name).0;
        from.pop();
        let mut to = from.clone();
        from.push(b'.');
        to.push(b'.' + 1);
        Range { from, to }
    }

    /// The addresses of a network, one after the other.
    pub fn addresses(range: &crate::indicator::AddressRange) -> Range {
        let from = ObjectKey::address(range.first()).0;
        let mut to = ObjectKey::address(range.last()).0;
        to.push(END);
        Range { from, to }
    }

    /// The rest of the range, after an object.
    pub fn after(&self, object: &ObjectKey) -> Range {
        let mut from = object.0.clone();
        from.push(END);
        Range { from: from.max(self.from.clone()), to: self.to.clone() }
    }
}

impl View {
    /// The first `max` objects of a range that have a row of one of these tables, in order of keys: of any, where
    /// `tables` is empty. The rows themselves can still be of no source that the reader may see.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn objects(&self, range: &Range, tables: &[Table], max: usize) -> Result<Vec<ObjectKey>, StoreError> {
        let mut found: BTreeSet<Vec<u8>> = BTreeSet::new();
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if self.reads(index) {
                let most = if found.len() < max { None } else { found.iter().nth(max - 1).cloned() };
                objects_of(run, range, most, tables, max, &mut found)?;
            }
        }
        Ok(found.into_iter().take(max).map(ObjectKey).collect())
    }

    /// The known registrable domains whose first label is this, up to `max`: `example.com`, `example.co.uk`.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn names_with_label(&self, label: &str, max: usize) -> Result<Vec<String>, StoreError> {
        let mut names = BTreeSet::new();
        for run in self.runs_read() {
            let known = run.known(|names, found| {
                found.extend(names.label(label)?);
                Ok(())
            })?;
            names.extend(known.iter().flat_map(names::Known::names));
        }
        Ok(names.into_iter().take(max).collect())
    }
}

/// Adds the first objects of a run, none after `most`.
fn objects_of(
    run: &Run,
    range: &Range,
    most: Option<Vec<u8>>,
    tables: &[Table],
    max: usize,
    found: &mut BTreeSet<Vec<u8>>,
) -> Result<(), StoreError> {
    let wanted = |table: Option<&u8>| {
        let table = table.and_then(|byte| Table::from_byte(*byte));
        table.is_some_and(|table| !table.is_derived() && (tables.is_empty() || tables.contains(&table)))
    };
    let to = match most {
        Some(most) if most < range.to => Bound::Included(most),
        _ => Bound::Excluded(range.to.clone()),
    };
    let is_in = |object: &[u8]| match &to {
        Bound::Included(to) => object <= &to[..],
        Bound::Excluded(to) => object < &to[..],
        Bound::Unbounded => true,
    };
    let (mut from, mut count) = (range.from.clone(), 0);
    while count < max {
        let (mut current, mut is_found, mut rows) = (Vec::new(), false, 0);
        let mut step_over = false;
        run.scan_between(&from, &range.to, |key, _| {
            let Some(len) = object_len(key) else { return Ok(true) };
            let object = &key[..len];
            if !is_in(object) {
                return Ok(false);
            }
            if object != &current[..] {
                if count >= max {
                    return Ok(false);
                }
                (is_found, rows) = (false, 0);
                current.clear();
                current.extend_from_slice(object);
            }
            rows += 1;
            if !is_found && wanted(key.get(len)) {
                is_found = true;
                count += 1;
                found.insert(current.clone());
            }
            step_over = rows > ROWS_READ && is_found;
            Ok(!step_over)
        })?;
        if !step_over {
            break;
        }
        from.clone_from(&current);
        from.push(END);
    }
    Ok(())
}
