//! Reading an object: its rows of all runs, summed, and the statements on it.
//!
//! Of a large object (see [`super::large`]) the rows that a report shows are read, and the summaries say what
//! all of them come to.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::IpAddr;

use super::StoreError;
use super::filter;
use super::key::{ObjectKey, Table, is_domain};
use super::large::{self, Sketch, Summary, TOP_ROWS, rank};
use super::observed::Observed;
use super::run::Run;
use super::snapshot::{View, mask_type};
use super::value::entries;
use crate::indicator::Mask;
use crate::value::Timestamp;

/// An observed relation of an object, summed over runs and sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The relation.
    pub table: Table,
    /// The other end, as [`super::key::read_part`] reads it.
    pub counterpart: Box<[u8]>,
    /// When and how often.
    pub observed: Observed,
}

/// A statement about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The kind of statement.
    pub table: Table,
    /// Its identity.
    pub counterpart: Box<[u8]>,
    /// Who says so.
    pub source: u16,
    /// When it was first said.
    pub first: Timestamp,
    /// When it was last said.
    pub last: Timestamp,
    /// From a whole-state source.
    pub whole: bool,
    /// The source's newest state says so, and when that state was last found to hold.
    pub refreshed: Option<Timestamp>,
    /// The fact, as JSON.
    pub payload: Box<[u8]>,
}

/// All that is known of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Relations, by table and counterpart; of a large object those that a report shows.
    pub edges: Vec<Edge>,
    /// Statements, by table and identity.
    pub statements: Vec<Statement>,
    /// What all rows come to, where the object is large.
    pub large: Option<Large>,
}

impl Object {
    /// The relations of one table.
    pub fn edges(&self, table: Table) -> &[Edge] {
        let start = self.edges.partition_point(|edge| edge.table < table);
        let end = self.edges.partition_point(|edge| edge.table <= table);
        &self.edges[start..end]
    }

    /// How many relations a table has in all.
    pub fn count(&self, table: Table) -> u64 {
        let large = self.large.as_ref().filter(|large| large.table == table);
        large.map_or_else(|| self.edges(table).len() as u64, |large| large.rows)
    }

    /// How many registrable domains the names of a table have.
    pub fn domains(&self, table: Table) -> u64 {
        match &self.large {
            Some(large) if large.table == table => large.domains,
            _ => large::domains(self.edges(table).iter().map(|edge| &*edge.counterpart)).count,
        }
    }

    /// The statements of one table.
    pub fn statements(&self, table: Table) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(move |statement| statement.table == table)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.statements.is_empty()
    }
}

impl Statement {
    /// Whether its source still says so: a source of events always does.
    pub fn is_current(&self) -> bool {
        !self.whole || self.refreshed.is_some()
    }

    /// The mask of a listing or a benign entry, without reading the fact; `None` where it is none.
    pub fn mask(&self) -> Option<Mask> {
        let (kind, rest) = self.counterpart.split_first()?;
        let (port, text) = rest.split_first_chunk::<2>()?;
        let port = Some(u16::from_be_bytes(*port)).filter(|port| *port != 0);
        Mask::from_key(mask_type(*kind)?, std::str::from_utf8(text).ok()?, port).ok()
    }

    /// The fact.
    ///
    /// # Errors
    ///
    /// Where a later version wrote a payload that this one does not read.
    pub fn fact<T: serde::de::DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_slice(&self.payload).map_err(|error| {
            StoreError::Io(io::Error::other(format!("a stored statement does not read back: {error}")))
        })
    }
}

/// What the rows of a large object come to, of which [`Object::edges`] has those that a report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Large {
    /// Which rows.
    pub table: Table,
    /// Distinct counterparts; of several runs within about a hundredth.
    pub rows: u64,
    /// Distinct registrable domains of them; likewise.
    pub domains: u64,
    /// All hits.
    pub hits: u64,
    /// First observation.
    pub first: u32,
    /// Last observation.
    pub last: u32,
}

/// An object with more listed counterparts than this is read whole.
const FLAGGED_MAX: usize = 2_000;
/// After every table.
const END: u8 = 0xff;

impl View {
    /// Everything known of an object. Of a large one, as of now, the rows that a report shows.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where a block that was needed is not what was written.
    pub fn object(&self, object: &ObjectKey) -> Result<Object, StoreError> {
        match self.large_object(&object.0)? {
            Some(large) => Ok(large),
            None => self.read(&object.0, &object.0),
        }
    }

    /// One table of an object.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn table(&self, object: &ObjectKey, table: Table) -> Result<Object, StoreError> {
        self.read(&object.0, &[&object.0[..], &[table as u8]].concat())
    }

    /// One row of an object, of all sources.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn row(&self, object: &ObjectKey, table: Table, counterpart: &[u8]) -> Result<Object, StoreError> {
        self.read(&object.0, &[&object.0[..], &[table as u8], counterpart].concat())
    }

    /// One edge of an object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn edge(
        &self,
        object: &ObjectKey,
        table: Table,
        counterpart: &[u8],
    ) -> Result<Option<Observed>, StoreError> {
        let found = self.row(object, table, counterpart)?.edges.into_iter();
        Ok(found.map(|edge| edge.observed).reduce(|mut all, one| {
            all.add(&one);
            all
        }))
    }

    /// Whether an address has names of at least so many registrable domains: rows are read until it is clear,
    /// `rows_max` of them at most.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn has_domains(&self, address: IpAddr, least: usize, rows_max: usize) -> Result<bool, StoreError> {
        let object = ObjectKey::address(address);
        let prefix = [&object.0[..], &[Table::ResolvedBy as u8]].concat();
        let (mut domains, mut rows) = (BTreeSet::new(), 0);
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if domains.len() >= least || !self.reads(index) || !run.may_have(&object.0)? {
                continue;
            }
            run.scan(&prefix, |key, value| {
                let seen = Observed::decode(value).and_then(|observed| self.seen(observed));
                domains.extend(seen.and_then(|_| large::domain_of(&key[prefix.len()..key.len() - 2])));
                rows += 1;
                Ok(domains.len() < least && rows < rows_max)
            })?;
        }
        Ok(domains.len() >= least)
    }

    /// Whether some run may have rows of a table of `store::run::FILTERED`; of a hundred objects that have
    /// others only, one is found to.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn may_have(&self, object: &ObjectKey, table: Table) -> Result<bool, StoreError> {
        let prefix = [&object.0[..], &[table as u8]].concat();
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if self.reads(index) && has(run, &object.0, &prefix)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rows of an object whose key begins with `prefix`.
    fn read(&self, object: &[u8], prefix: &[u8]) -> Result<Object, StoreError> {
        let mut rows = Rows::new(self, object.len());
        rows.flagged = prefix.len() > object.len();
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if self.reads(index) && has(run, object, prefix)? {
                run.scan(prefix, |key, value| rows.add(index, key, value))?;
            }
        }
        Ok(rows.finish())
    }

    /// A large object as of now; `None` where it is none, or has to be read whole: totals of cumulative sources
    /// do not add up over runs, and of very many listed counterparts the most hit are not known beforehand.
    fn large_object(&self, object: &[u8]) -> Result<Option<Object>, StoreError> {
        // What is left out is not known of what the rows come to.
        if self.telemetry.is_some() || self.snapshot().leaves_something_out() {
            return Ok(None);
        }
        let Some(large) = LargeRuns::open(self, object)? else { return Ok(None) };
        let flagged = self.table(&ObjectKey(object.to_vec()), Table::Flagged)?.edges;
        if flagged.len() > FLAGGED_MAX {
            return Ok(None);
        }
        let mut rows = Rows::new(self, object.len());
        for (index, run) in self.snapshot().runs().iter().enumerate() {
            if !run.may_have(object)? {
                continue;
            }
            let mut add = |key: &[u8], value: &[u8]| rows.add(index, key, value);
            if large.runs.iter().any(|(large, _, _)| *large == index) {
                let at = |table: u8| [object, &[table]].concat();
                run.scan_between(object, &at(large.table as u8), &mut add)?;
                run.scan_between(&at(large.table as u8 + 1), &at(Table::Top as u8), &mut add)?;
                run.scan_between(&at(Table::Summary as u8 + 1), &at(END), &mut add)?;
            } else {
                run.scan(object, add)?;
            }
        }
        let mut found = rows.finish();
        let (few, edges) = found.edges.into_iter().partition(|edge| edge.table == large.table);
        found.edges = edges;
        let few: Vec<Edge> = few;
        if few.iter().any(|edge| edge.observed.total.is_some()) {
            return Ok(None);
        }
        found.large = Some(large.sum(&few));
        found.edges.extend(large.shown(object, few, &flagged)?);
        found.edges.sort_by(|a, b| (a.table, &a.counterpart).cmp(&(b.table, &b.counterpart)));
        Ok(Some(found))
    }

    fn seen(&self, observed: Observed) -> Option<Observed> {
        match self.telemetry {
            Some(limit) => observed.until(limit),
            None => Some(observed),
        }
    }

    /// The statements of a value that were known at the view's moment.
    fn stated(&self, run: usize, table: Table, rest: &[u8], value: &[u8], into: &mut Vec<Statement>) {
        let Some((counterpart, source)) = rest.split_last_chunk::<2>() else { return };
        let source = u16::from_be_bytes(*source);
        for entry in entries(value) {
            let Some(span) = self.span(run, source, entry.from, entry.to) else { continue };
            into.push(Statement {
                table,
                counterpart: Box::from(counterpart),
                source,
                first: span.first,
                last: span.last,
                whole: span.whole,
                refreshed: span.current,
                payload: Box::from(entry.payload),
            });
        }
    }
}

/// Whether a run may have rows of an object whose key begins with `prefix`.
fn has(run: &Run, object: &[u8], prefix: &[u8]) -> io::Result<bool> {
    let filtered = prefix.get(object.len()).and_then(|table| Table::from_byte(*table));
    let filtered = filtered.is_some_and(|table| super::run::FILTERED.contains(&table));
    Ok(run.may_have(object)? && (!filtered || run.may_have(&prefix[..=object.len()])?))
}

//------------ Rows ----------------------------------------------------------

/// Collects the rows of an object from several runs.
struct Rows<'a> {
    view: &'a View,
    object_len: usize,
    /// Candidates too, which say nothing of the object by themselves.
    flagged: bool,
    /// With the source of each.
    edges: Vec<(Edge, u16)>,
    statements: Vec<Statement>,
}

impl<'a> Rows<'a> {
    fn new(view: &'a View, object_len: usize) -> Rows<'a> {
        Rows { view, object_len, flagged: false, edges: Vec::new(), statements: Vec::new() }
    }

    fn add(&mut self, run: usize, key: &[u8], value: &[u8]) -> io::Result<bool> {
        let bad = || io::Error::other(format!("run {run} holds a row of no known kind"));
        let (table, rest) = key.get(self.object_len..).and_then(<[u8]>::split_first).ok_or_else(bad)?;
        let table = Table::from_byte(*table).ok_or_else(bad)?;
        if table.is_derived() || (table == Table::Flagged && !self.flagged) {
            return Ok(true);
        }
        if let Some((_, source)) = rest.split_last_chunk::<2>()
            && self.view.snapshot().leaves_out(u16::from_be_bytes(*source))
        {
            return Ok(true);
        }
        if !table.is_observed() {
            self.view.stated(run, table, rest, value, &mut self.statements);
            return Ok(true);
        }
        let (counterpart, source) = rest.split_last_chunk::<2>().ok_or_else(bad)?;
        let observed = self.view.seen(Observed::decode(value).ok_or_else(bad)?);
        if let Some(observed) = observed {
            let edge = Edge { table, counterpart: Box::from(counterpart), observed };
            self.edges.push((edge, u16::from_be_bytes(*source)));
        }
        Ok(true)
    }

    fn finish(self) -> Object {
        let Rows { view, mut edges, mut statements, .. } = self;
        // By the names of sources: their numbers are the order of their first imports.
        let name = |one: &Statement| view.snapshot().source_name(one.source);
        statements.sort_by(|a, b| {
            (a.table, &a.counterpart, name(a), a.first, &a.payload).cmp(&(
                b.table,
                &b.counterpart,
                name(b),
                b.first,
                &b.payload,
            ))
        });
        fn key((edge, source): &(Edge, u16)) -> (Table, &[u8], u16) {
            (edge.table, &edge.counterpart, *source)
        }
        if !edges.is_sorted_by(|a, b| key(a) <= key(b)) {
            edges.sort_by(|a, b| key(a).cmp(&key(b)));
        }
        Object { edges: sum(edges), statements, large: None }
    }
}

/// Sums sorted rows of one counterpart: within a source as that source counts, then over sources.
fn sum(rows: Vec<(Edge, u16)>) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    while let Some((mut edge, source)) = rows.next() {
        let same = |next: &(Edge, u16)| {
            next.1 == source && next.0.table == edge.table && next.0.counterpart == edge.counterpart
        };
        let mut more = Vec::new();
        while let Some(next) = rows.next_if(same) {
            more.push(next.0.observed);
        }
        more.iter().for_each(|observed| edge.observed.merge(observed));
        match edges.last_mut() {
            Some(last) if last.table == edge.table && last.counterpart == edge.counterpart => {
                last.observed.add(&edge.observed);
            }
            _ => edges.push(edge),
        }
    }
    edges
}

//------------ LargeRuns -----------------------------------------------------

/// The runs in which an object is large.
struct LargeRuns<'a> {
    table: Table,
    /// Position, run, and what its rows come to.
    runs: Vec<(usize, &'a Run, Summary)>,
}

impl<'a> LargeRuns<'a> {
    fn open(view: &'a View, object: &[u8]) -> Result<Option<LargeRuns<'a>>, StoreError> {
        let key = [object, &[Table::Summary as u8]].concat();
        let mut runs = Vec::new();
        for (index, run) in view.snapshot().runs().iter().enumerate() {
            if run.may_have(&key)? {
                run.scan(&key, |_, value| {
                    runs.extend(Summary::decode(value).map(|summary| (index, &**run, summary)));
                    Ok(false)
                })?;
            }
        }
        let Some(table) = runs.first().map(|(_, _, summary)| summary.table) else { return Ok(None) };
        let adds_up = runs.iter().all(|(_, _, summary)| summary.table == table && !summary.has_totals);
        Ok(adds_up.then_some(LargeRuns { table, runs }))
    }

    /// What all rows come to, with the `few` of runs in which the object is not large.
    fn sum(&self, few: &[Edge]) -> Large {
        let counterparts = || few.iter().map(|edge| &*edge.counterpart);
        let (few_rows, few_domains) = (large::counterparts(counterparts()), large::domains(counterparts()));
        let union = |of: fn(&Summary) -> &Sketch, few: &Sketch| {
            let mut all: Vec<&Sketch> = self.runs.iter().map(|(_, _, summary)| of(summary)).collect();
            all.extend((few.count > 0).then_some(few));
            Sketch::union(&all)
        };
        let mut large = Large {
            table: self.table,
            rows: union(|summary| &summary.rows, &few_rows),
            domains: union(|summary| &summary.domains, &few_domains),
            hits: 0,
            first: u32::MAX,
            last: 0,
        };
        let summaries = self.runs.iter().map(|(_, _, one)| (one.first, one.last, one.hits));
        let rows = few.iter().map(|edge| (edge.observed.first, edge.observed.last, edge.observed.hits()));
        for (first, last, hits) in summaries.chain(rows) {
            large.hits = large.hits.saturating_add(hits);
            large.first = large.first.min(first);
            large.last = large.last.max(last);
        }
        large
    }

    /// The rows that a report shows: the best by rank, and those whose counterpart is listed.
    fn shown(&self, object: &[u8], few: Vec<Edge>, flagged: &[Edge]) -> Result<Vec<Edge>, StoreError> {
        // What is known of each row, and of which runs.
        let mut known: HashMap<Box<[u8]>, (Observed, Vec<usize>)> =
            few.into_iter().map(|edge| (edge.counterpart, (edge.observed, Vec::new()))).collect();
        let top = [object, &[Table::Top as u8]].concat();
        for (index, run, _) in &self.runs {
            run.scan(&top, |key, value| {
                let Some(observed) = Observed::decode(value) else { return Ok(true) };
                let counterpart = &key[top.len()..key.len() - 2];
                match known.get_mut(counterpart) {
                    Some((known, runs)) => {
                        known.add(&observed);
                        runs.push(*index);
                    }
                    None => {
                        known.insert(Box::from(counterpart), (observed, vec![*index]));
                    }
                }
                Ok(true)
            })?;
        }
        let mut order: Vec<_> =
            known.iter().map(|(counterpart, one)| (rank(self.table, &one.0), counterpart)).collect();
        order.sort_unstable();
        order.truncate(TOP_ROWS);
        let mut wanted: BTreeSet<Box<[u8]>> =
            order.into_iter().map(|(_, counterpart)| counterpart.clone()).collect();
        // A name is what both tables lead to; an address has listed files too.
        let names = flagged.iter().filter(|edge| is_domain(&edge.counterpart));
        wanted.extend(names.map(|edge| edge.counterpart.clone()));
        let mut edges = Vec::with_capacity(wanted.len());
        for counterpart in wanted {
            let (mut observed, runs) = match known.remove(&counterpart) {
                Some((observed, runs)) => (Some(observed), runs),
                None => (None, Vec::new()),
            };
            let hash = large::hash(&counterpart);
            let mut row = Vec::new();
            for (index, run, summary) in &self.runs {
                if runs.contains(index) || !filter::may_have(&summary.filter, hash) {
                    continue;
                }
                row.clear();
                row.extend_from_slice(object);
                row.push(self.table as u8);
                row.extend_from_slice(&counterpart);
                run.scan(&row, |_, value| {
                    if let Some(one) = Observed::decode(value) {
                        observed = Some(match observed.take() {
                            Some(mut all) => {
                                all.add(&one);
                                all
                            }
                            None => one,
                        });
                    }
                    Ok(true)
                })?;
            }
            edges.extend(observed.map(|observed| Edge { table: self.table, counterpart, observed }));
        }
        Ok(edges)
    }
}
