//! Walking over objects: those of a range of keys, and names that begin with a label.

use std::collections::BTreeSet;

use super::StoreError;
use super::key::{ObjectKey, Table, object_len};
use super::names;
use super::run::Run;
use super::snapshot::View;

/// An object with more rows than this is stepped over instead of being read to its end.
const ROWS_READ: usize = 64;

/// Bytes of the source, which ends a key.
const SOURCE_BYTES: usize = 2;

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

    /// The networks whose first address is in a range.
    pub fn networks(range: &crate::indicator::AddressRange) -> Range {
        let ObjectKey(key) = ObjectKey::network(range);
        let (kind, ends) = key.split_at(1);
        let (first, last) = ends.split_at(ends.len() / 2);
        Range { from: [kind, first].concat(), to: [kind, last, &[END; 17]].concat() }
    }

    /// One object.
    pub fn object(object: &ObjectKey) -> Range {
        let mut to = object.0.clone();
        to.push(END);
        Range { from: object.0.clone(), to }
    }

    /// The terms that begin with a text.
    pub fn terms(start: &str) -> Range {
        let mut from = ObjectKey::term(start).0;
        from.pop();
        let mut to = from.clone();
        to.push(END);
        Range { from, to }
    }

    /// All publications.
    pub fn publications() -> Range {
        let from = ObjectKey::publication("").0[..1].to_vec();
        let to = from.iter().map(|kind| kind + 1).collect();
        Range { from, to }
    }

    /// All that there is.
    pub fn all() -> Range {
        Range { from: Vec::new(), to: vec![END] }
    }

    /// The rest of the range, after an object.
    pub fn after(&self, object: &ObjectKey) -> Range {
        let mut from = object.0.clone();
        from.push(END);
        Range { from: from.max(self.from.clone()), to: self.to.clone() }
    }
}

/// What a walk finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Objects that have a row of one of the tables.
    Object,
    /// Rows of the tables, those of several sources as one: object, table and counterpart. Only for tables with
    /// counterparts of which none is the beginning of another.
    Row,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Objects or rows, in order of keys, each once.
    pub heads: Vec<Vec<u8>>,
    /// Where the walk ended because it had read enough: what is there and after it was not looked at.
    pub stopped: Option<Vec<u8>>,
    /// Rows that were read.
    pub rows: usize,
}

/// What is walked over, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// The keys.
    pub range: &'a Range,
    /// Rows of these tables; empty: of any.
    pub tables: &'a [Table],
    /// What is found.
    pub head: Head,
    /// The most that are found.
    pub max: usize,
    /// About the most rows that are read in each run.
    pub rows_max: usize,
    /// Only rows of this source.
    pub source: Option<u16>,
}

impl View {
    /// The first `max` objects of a range that have a row of one of these tables, in order of keys: of any, where
    /// `tables` is empty. The rows themselves can still be of no source that the reader may see.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn objects(&self, range: &Range, tables: &[Table], max: usize) -> Result<Vec<ObjectKey>, StoreError> {
        let walk = Walk { range, tables, head: Head::Object, max, rows_max: usize::MAX, source: None };
        Ok(self.walk(&walk)?.heads.into_iter().map(ObjectKey).collect())
    }

    /// Walks over a range of keys. The rows themselves can still be of no source that the reader may see.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn walk(&self, walk: &Walk<'_>) -> Result<Walked, StoreError> {
        let mut found: BTreeSet<Vec<u8>> = BTreeSet::new();
        let (mut stopped, mut rows): (Option<Vec<u8>>, usize) = (None, 0);
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            let is_of = |source: u16| run.meta.batches.iter().any(|batch| batch.source_id == source);
            if !self.reads(index) || !walk.source.is_none_or(is_of) {
                continue;
            }
            let most = if found.len() < walk.max { None } else { found.iter().nth(walk.max - 1).cloned() };
            let (at, read) = walk_run(run, walk, most, &mut found)?;
            rows += read;
            if let Some(at) = at {
                stopped = Some(stopped.map_or(at.clone(), |known| known.min(at)));
            }
        }
        let is_complete = |head: &Vec<u8>| stopped.as_ref().is_none_or(|at| head < at);
        let heads: Vec<Vec<u8>> = found.into_iter().filter(is_complete).take(walk.max).collect();
        // Where enough was found before, nothing was missed.
        let stopped = stopped.filter(|_| heads.len() < walk.max);
        Ok(Walked { heads, stopped, rows })
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

/// A seek costs about as much as reading so many rows.
const SEEK_ROWS: usize = 64;

/// Adds what a walk finds in a run, none after `most`. Where it stopped because it had read enough, and how many rows
/// it read.
fn walk_run(
    run: &Run,
    walk: &Walk<'_>,
    most: Option<Vec<u8>>,
    found: &mut BTreeSet<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, usize), StoreError> {
    let (object, last) = (Vec::new(), Vec::new());
    let next = Next::Row;
    let mut reading =
        Reading { walk, most, found, object, in_object: 0, last, rows: SEEK_ROWS, count: 0, next };
    let mut from = walk.range.from.clone();
    loop {
        run.scan_between(&from, &walk.range.to, |key, _| {
            reading.take(key);
            Ok(matches!(reading.next, Next::Row))
        })?;
        match std::mem::replace(&mut reading.next, Next::Row) {
            Next::Seek(key) => from = key,
            Next::Stop(at) => return Ok((Some(at), reading.rows)),
            Next::Row | Next::End => return Ok((None, reading.rows)),
        }
    }
}

/// What is read after a row.
enum Next {
    Row,
    Seek(Vec<u8>),
    /// Nothing: enough was read, all before this key.
    Stop(Vec<u8>),
    /// Nothing: all was found that is wanted.
    End,
}

/// A walk through one run.
struct Reading<'a> {
    walk: &'a Walk<'a>,
    most: Option<Vec<u8>>,
    found: &'a mut BTreeSet<Vec<u8>>,
    object: Vec<u8>,
    /// Rows of the object that were read.
    in_object: usize,
    /// What was found last.
    last: Vec<u8>,
    rows: usize,
    count: usize,
    next: Next,
}

impl Reading<'_> {
    /// Takes in a row, and says what to read next.
    fn take(&mut self, key: &[u8]) {
        let Some(len) = object_len(key) else { return };
        let (object, table) = (&key[..len], key.get(len).and_then(|byte| Table::from_byte(*byte)));
        let head = match self.walk.head {
            Head::Object => object,
            Head::Row => &key[..key.len().saturating_sub(SOURCE_BYTES).max(len)],
        };
        if self.count >= self.walk.max || self.most.as_ref().is_some_and(|most| head > &most[..]) {
            self.next = Next::End;
            return;
        }
        let is_new = object != &self.object[..];
        if self.rows >= self.walk.rows_max.saturating_add(SEEK_ROWS)
            && (is_new || self.walk.head == Head::Row)
        {
            self.next = Next::Stop(head.to_vec());
            return;
        }
        if is_new {
            self.object.clear();
            self.object.extend_from_slice(object);
            self.in_object = 0;
        }
        self.rows += 1;
        self.in_object += 1;
        let tables = self.walk.tables;
        let in_tables =
            table.is_some_and(|table| !table.is_derived() && (tables.is_empty() || tables.contains(&table)));
        let is_of = |source: u16| key.ends_with(&source.to_be_bytes());
        if in_tables && self.walk.source.is_none_or(is_of) && head != &self.last[..] {
            self.last.clear();
            self.last.extend_from_slice(head);
            self.count += 1;
            self.found.insert(head.to_vec());
        }
        let is_found = self.walk.head == Head::Object && self.last == object;
        if self.in_object > ROWS_READ && (is_found || !in_tables) {
            let next = tables.iter().filter(|wanted| !is_found && table.is_none_or(|table| **wanted > table));
            let next = next.min().map_or(END, |table| *table as u8);
            self.in_object = 0;
            self.rows += SEEK_ROWS;
            self.next = Next::Seek([object, &[next]].concat());
        }
    }
}
