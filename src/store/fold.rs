//! Folding names seen once: tunnels, tracking, generated names, by the ten thousand below one.
//!
//! A name goes when all its rows in the merged runs are one resolution with one hit, and no live run has a
//! statement on it. Of a parent with more such names directly below it than the limit, they become the name
//! `*` below it: a row an address with their hits summed, and a row of [`Table::Subdomain`] whose hits are how
//! many they were. `*` is no label of a name, so nothing else has that key; `*.parent` is how it reads.
//!
//! The first pass finds the names and writes the rows of `*.parent` to a run beside, which the merge takes in
//! like any other, so folding again adds up; the second pass is that merge, which leaves out the rows of the
//! names. In memory are the hashes of folded names, and of the parents of one name what is not yet clear.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::flagged::Flagger;
use super::key::{ObjectKey, Part, Table, is_domain, object_len, read_part};
use super::merge::each;
use super::observed::{Observed, Peak, Span};
use super::publish::write_run;
use super::rows::{ancestors, flagged_row};
use super::run::{Run, RunMeta};
use super::sort::Sorter;
use super::stated::Input;
use crate::indicator::is_reserved;
use crate::value::DAY_S;

/// The most names that one merge folds, which bounds its memory: about 70 MB.
pub const FOLDED_NAMES_MAX: usize = 4_000_000;

/// Memory for the rows of folded names that are not yet sorted.
const BUFFER_BYTES: usize = 16 << 20;

/// What a merge folds; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folding {
    /// Days before this one lose their detail, 0: none.
    pub before: u32,
    /// More names than this below one are folded, 0: none are.
    pub names: usize,
}

/// The names that are folded.
pub struct Folded {
    /// The rows of `*.parent`.
    pub run: Run,
    names: HashSet<u64>,
    seed: u64,
}

impl Folded {
    /// Whether a row is of a folded name or leads to one.
    pub fn has(&self, key: &[u8], table: Table) -> bool {
        let Some((object, rest)) = object_len(key).and_then(|len| key.split_at_checked(len)) else {
            return false;
        };
        let counterpart = rest.get(1..rest.len().saturating_sub(2)).unwrap_or_default();
        match table {
            Table::Subdomain | Table::ResolvedBy | Table::Flagged if is_domain(counterpart) => {
                self.is_folded(counterpart) || self.is_folded(object)
            }
            Table::RecordOf => {
                let name = counterpart.get(2..).and_then(|name| std::str::from_utf8(name).ok());
                name.is_some_and(|name| self.is_folded(&ObjectKey::domain(name).0))
            }
            _ => self.is_folded(object),
        }
    }

    fn is_folded(&self, object: &[u8]) -> bool {
        is_domain(object) && self.names.contains(&xxh3_64_with_seed(object, self.seed))
    }
}

/// Finds the names to fold in runs, and writes the rows that stand for them into a folder. `live` are all runs
/// whose statements keep a name. `None`: there are none to fold.
///
/// # Errors
///
/// Damage in a run; what the file system says; [`io::ErrorKind::Interrupted`] once `stop` is set.
pub fn find(
    runs: &[Input<'_>],
    live: &[Arc<Run>],
    folder: &Path,
    seed: u64,
    limit: usize,
    stop: &AtomicBool,
) -> io::Result<Option<Folded>> {
    let mut finder = Finder {
        limit,
        seed,
        live,
        flagger: Flagger::new(live.to_vec(), seed),
        open: Vec::new(),
        once: Once::default(),
        names: HashSet::new(),
        sorter: Sorter::new(folder, BUFFER_BYTES),
    };
    each(runs, &[], stop, &mut |key, table, value| {
        // Names stand before files, addresses and all else that is not a certificate.
        let Some(object) = object_len(key).map(|len| &key[..len]).filter(|_| key < &b"e"[..]) else {
            return Ok(false);
        };
        if is_domain(object) {
            finder.row(object, table, &key[object.len() + 1..], value)?;
        }
        Ok(true)
    })?;
    finder.end_name()?;
    if finder.names.len() >= FOLDED_NAMES_MAX {
        tracing::warn!(FOLDED_NAMES_MAX, "one merge folds no more names: the others stay");
    }
    let Finder { names, sorter, .. } = finder;
    if names.is_empty() {
        return Ok(None);
    }
    let path = folder.join("folded.run");
    write_run(&path, RunMeta { seed, ..RunMeta::default() }, |row| sorter.finish(row))?;
    Ok(Some(Folded { run: Run::open(&path, 0)?, names, seed }))
}

/// A name whose rows pass.
#[derive(Default)]
struct Once {
    object: Vec<u8>,
    /// Its one row: table, what follows that in the key, value. `None` where there are others.
    row: Option<(Table, Vec<u8>, Observed)>,
    rows: usize,
}

/// A parent whose names pass.
struct Parent {
    /// The key of names below it begins so.
    prefix: Vec<u8>,
    /// The name; empty where names below it are not folded.
    name: String,
    /// Names that were seen once, while they are too few to fold.
    held: Vec<Once>,
    is_folded: bool,
}

struct Finder<'a> {
    limit: usize,
    seed: u64,
    live: &'a [Arc<Run>],
    flagger: Flagger,
    /// The parents of the name that passes, the nearest last.
    open: Vec<Parent>,
    once: Once,
    names: HashSet<u64>,
    sorter: Sorter,
}

/// Types of records whose text says nothing that a report shows, and that tunnels use: NULL and TXT.
const TEXT_TYPES: [[u8; 2]; 2] = [[0, 10], [0, 16]];

impl Finder<'_> {
    /// Takes in a row of a name.
    fn row(&mut self, object: &[u8], table: Table, rest: &[u8], value: &[u8]) -> io::Result<()> {
        if self.once.object != object {
            self.end_name()?;
            self.once = Once { object: object.to_vec(), ..Once::default() };
        }
        // A candidate proves nothing, and is sought anew.
        if table == Table::Flagged {
            return Ok(());
        }
        self.once.rows += 1;
        let is_resolution = table == Table::Resolves
            || (table == Table::Record && TEXT_TYPES.iter().any(|number| rest.starts_with(number)));
        let seen = Observed::decode(value).filter(|seen| is_resolution && seen.hits() == 1);
        let seen = seen.filter(|seen| self.once.rows == 1 && seen.total.is_none());
        self.once.row = seen.map(|seen| (table, rest.to_vec(), seen));
        Ok(())
    }

    /// Decides on the name whose rows have passed.
    fn end_name(&mut self) -> io::Result<()> {
        let once = std::mem::take(&mut self.once);
        if once.object.is_empty() {
            return Ok(());
        }
        while self.open.last().is_some_and(|parent| !once.object.starts_with(&parent.prefix)) {
            self.open.pop();
        }
        let Some(dot) = once.object.iter().rposition(|byte| *byte == b'.').filter(|_| once.row.is_some())
        else {
            return Ok(());
        };
        let (prefix, label) = once.object.split_at(dot + 1);
        // Listings of a host stand for `www.` below it too.
        if label == b"www\0" || label == b"*\0" || self.names.len() >= FOLDED_NAMES_MAX {
            return Ok(());
        }
        if self.open.last().is_none_or(|parent| parent.prefix != prefix) {
            self.open.push(Parent::new(prefix));
        }
        let Some(parent) = self.open.last_mut().filter(|parent| !parent.name.is_empty()) else {
            return Ok(());
        };
        if has_statement(self.live, &once.object)? {
            return Ok(());
        }
        parent.held.push(once);
        parent.is_folded |= parent.held.len() > self.limit;
        if !parent.is_folded {
            return Ok(());
        }
        let (held, name) = (std::mem::take(&mut parent.held), format!("*.{}", parent.name));
        held.into_iter().try_for_each(|once| self.fold(once, &name))
    }

    /// Makes a name part of `*.parent`.
    fn fold(&mut self, once: Once, name: &str) -> io::Result<()> {
        let Some((table, rest, seen)) = once.row else { return Ok(()) };
        let Some((counterpart, source)) = rest.split_last_chunk::<2>() else { return Ok(()) };
        self.names.insert(xxh3_64_with_seed(&once.object, self.seed));
        let object = ObjectKey::domain(name).0;
        let resolved = if table == Table::Resolves { read_part(counterpart) } else { None };
        let address = match resolved {
            Some((Part::Address(address), _)) => Some(address),
            _ => None,
        };
        // Of a text the type stays.
        let kept = if address.is_some() { counterpart } else { &counterpart[..2] };
        self.push(&object, table, kept, *source, &seen)?;
        let source_id = u16::from_be_bytes(*source);
        if let Some(address) = address.filter(|address| !is_reserved(*address)) {
            self.push(counterpart, Table::ResolvedBy, &object, *source, &seen)?;
            if self.flagger.lists_name(name)? {
                self.flag(counterpart, &object, &seen, source_id)?;
            }
            if self.flagger.lists_address(address)? {
                self.flag(&object, counterpart, &seen, source_id)?;
            }
        }
        let day = seen.first / DAY_S as u32;
        let peak = Peak { hits: 1, day, exact: true };
        let span = Some(Span { hits: 1, first: seen.first, peak });
        let known = Observed { first: seen.first, last: seen.last, span, ..Observed::default() };
        for ancestor in ancestors(name) {
            let above = ObjectKey::domain(ancestor).0;
            self.push(&above, Table::Subdomain, &object, *source, &known)?;
            if self.flagger.lists_name(name)? {
                self.flag(&above, &object, &seen, source_id)?;
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        object: &[u8],
        table: Table,
        counterpart: &[u8],
        source: [u8; 2],
        observed: &Observed,
    ) -> io::Result<()> {
        let mut value = Vec::new();
        observed.encode(&mut value);
        self.sorter.push(&[object, &[table as u8], counterpart, &source].concat(), &value)
    }

    fn flag(&mut self, object: &[u8], counterpart: &[u8], seen: &Observed, source: u16) -> io::Result<()> {
        let (key, value) = flagged_row(object, counterpart, seen, source);
        self.sorter.push(&key, &value)
    }
}

impl Parent {
    fn new(prefix: &[u8]) -> Parent {
        let mut object = prefix.to_vec();
        object.pop();
        object.push(0);
        let name = match read_part(&object) {
            // Not a public suffix, also a private one: its names are other people's.
            Some((Part::Domain(name), _)) if psl::domain_str(&name).is_some() => name,
            _ => String::new(),
        };
        Parent { prefix: prefix.to_vec(), name, held: Vec::new(), is_folded: false }
    }
}

/// Whether a live run has a statement on an object.
fn has_statement(live: &[Arc<Run>], object: &[u8]) -> io::Result<bool> {
    let (from, to) = ([object, &[Table::Listing as u8]].concat(), [object, &[u8::MAX]].concat());
    let mut found = false;
    for run in live {
        if !found && run.may_have(object)? {
            run.scan_between(&from, &to, |_, _| {
                found = true;
                Ok(false)
            })?;
        }
    }
    Ok(found)
}
