//! Objects with very many rows: an address with half a million names, a domain with as many below it.
//!
//! The writer of a run notices them while rows pass, and adds what a report needs: the rows that it shows
//! ([`Table::Top`]) and what all rows come to ([`Table::Summary`]), so that a report reads a thousand rows and
//! not all. The counts are exact in a run. Of several runs they are joined by sketches, the least hashes of
//! what is counted (Bar-Yossef et al. 2002): exact while the sketches hold everything, else within 1 % two
//! times of three. Both tables follow from the other rows and are made anew by every merge.

use std::collections::BinaryHeap;

use xxhash_rust::xxh3::xxh3_64;

use super::filter;
use super::key::{Part, Table, read_part};
use super::observed::{Observed, push_varint, take_varint};

/// More rows of a table than this make an object large.
pub const LARGE_ROWS: usize = 5_000;
/// Rows that are kept at hand: as many as a report shows.
pub const TOP_ROWS: usize = 1_000;
/// Hashes of a sketch of rows: the counts of distinct rows are exact up to here.
const ROWS_SKETCH: usize = 16_384;
/// Hashes of a sketch of registrable domains.
const DOMAINS_SKETCH: usize = 4_096;

/// Whether objects can be large by their rows of a table.
pub fn is_summarised(table: Table) -> bool {
    matches!(table, Table::ResolvedBy | Table::Subdomain)
}

/// What a report orders rows by besides their zone, the best first.
pub type Rank = (u64, u32);

/// The rank of a row: hits and the last moment, or for names below a domain the first.
pub fn rank(table: Table, observed: &Observed) -> Rank {
    let minute = |seconds: u32| u32::MAX - seconds / 60;
    match table {
        Table::Subdomain => (u64::MAX, minute(observed.first)),
        _ => (u64::MAX - observed.hits(), minute(observed.last)),
    }
}

/// The hash that stands for a counterpart in sketches and filters.
pub fn hash(counterpart: &[u8]) -> u64 {
    xxh3_64(counterpart)
}

//------------ Sketch --------------------------------------------------------

/// The least hashes of distinct things, in order: all of them while they are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    least: Vec<u32>,
    /// Things that the sketch is of.
    pub count: u64,
}

impl Sketch {
    /// The sketch of distinct things.
    pub fn of(hashes: impl Iterator<Item = u64>, max: usize) -> Sketch {
        let mut least: Vec<u32> = hashes.map(|hash| (hash >> 32) as u32).collect();
        let count = least.len() as u64;
        least.sort_unstable();
        least.truncate(max);
        Sketch { least, count }
    }

    /// How many distinct things the sketches are of together.
    pub fn union(sketches: &[&Sketch]) -> u64 {
        if let [one] = sketches {
            return one.count;
        }
        let whole = sketches.iter().all(|one| one.count == one.least.len() as u64);
        let mut all: Vec<u32> = sketches.iter().flat_map(|one| one.least.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        if whole {
            return all.len() as u64;
        }
        // Below the least of the last hashes every sketch is complete.
        let cut = sketches
            .iter()
            .filter(|one| one.count > one.least.len() as u64)
            .filter_map(|one| one.least.last())
            .min();
        let Some(cut) = cut else { return all.len() as u64 };
        let below = all.partition_point(|hash| hash < cut) as f64;
        let estimate = (below * 2f64.powi(32) / f64::from(*cut)).round() as u64;
        let most = sketches.iter().map(|one| one.count).max().unwrap_or(0);
        estimate.clamp(most, sketches.iter().map(|one| one.count).sum())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        push_varint(out, self.count);
        push_varint(out, self.least.len() as u64);
        out.extend(self.least.iter().flat_map(|hash| hash.to_le_bytes()));
    }

    fn decode(bytes: &mut &[u8]) -> Option<Sketch> {
        let count = take_varint(bytes)?;
        let len = usize::try_from(take_varint(bytes)?).ok()?.checked_mul(4)?;
        let (least, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        let least =
            least.chunks_exact(4).map(|hash| u32::from_le_bytes(hash.try_into().expect("four bytes")));
        Some(Sketch { least: least.collect(), count })
    }
}

//------------ Summary -------------------------------------------------------

/// What the rows of a large object in one run come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which rows.
    pub table: Table,
    /// First observation of any, Unix seconds.
    pub first: u32,
    /// Last observation of any.
    pub last: u32,
    /// All hits.
    pub hits: u64,
    /// Some are totals of a cumulative source, which do not add up over runs.
    pub has_totals: bool,
    /// Distinct counterparts.
    pub rows: Sketch,
    /// Distinct registrable domains of them.
    pub domains: Sketch,
    /// Which counterparts there are.
    pub filter: Vec<u8>,
}

impl Summary {
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.table as u8, u8::from(self.has_totals)];
        for number in [u64::from(self.first), u64::from(self.last), self.hits] {
            push_varint(&mut out, number);
        }
        self.rows.encode(&mut out);
        self.domains.encode(&mut out);
        out.extend_from_slice(&self.filter);
        out
    }

    /// Reads a summary; `None` where the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Summary> {
        let (head, mut rest) = bytes.split_first_chunk::<2>()?;
        let bytes = &mut rest;
        Some(Summary {
            table: Table::from_byte(head[0])?,
            has_totals: head[1] != 0,
            first: u32::try_from(take_varint(bytes)?).ok()?,
            last: u32::try_from(take_varint(bytes)?).ok()?,
            hits: take_varint(bytes)?,
            rows: Sketch::decode(bytes)?,
            domains: Sketch::decode(bytes)?,
            filter: bytes.to_vec(),
        })
    }
}

/// Tells the registrable domains of names that come in the order of rows, each once.
#[derive(Default)]
pub struct Domains {
    last: String,
}

impl Domains {
    /// The hash of a counterpart's registrable domain, where the one before it had another. Names come
    /// label-reversed: those of one registrable domain follow each other.
    pub fn next(&mut self, counterpart: &[u8]) -> Option<u64> {
        let Some((Part::Domain(name), _)) = read_part(counterpart) else { return None };
        let own = psl::domain_str(&name).unwrap_or(&name);
        (own != self.last).then(|| {
            own.clone_into(&mut self.last);
            xxh3_64(own.as_bytes())
        })
    }
}

/// The hash of a counterpart's registrable domain, of a name without one its own.
pub fn domain_of(counterpart: &[u8]) -> Option<u64> {
    Domains::default().next(counterpart)
}

/// The sketch of the registrable domains of counterparts in the order of rows.
pub fn domains<'a>(counterparts: impl Iterator<Item = &'a [u8]>) -> Sketch {
    let mut domains = Domains::default();
    Sketch::of(counterparts.filter_map(|counterpart| domains.next(counterpart)), DOMAINS_SKETCH)
}

/// The sketch of distinct counterparts.
pub fn counterparts<'a>(all: impl Iterator<Item = &'a [u8]>) -> Sketch {
    Sketch::of(all.map(hash), ROWS_SKETCH)
}

//------------ Summariser ----------------------------------------------------

/// Watches the rows of a run pass, and makes the rows of its large objects.
#[derive(Default)]
pub struct Summariser {
    /// Object and table of the rows that are held.
    object: Vec<u8>,
    /// Counterparts and values of the rows, one after another; and where each ends.
    bytes: Vec<u8>,
    ends: Vec<(usize, usize)>,
    /// What earlier rows of the object come to, once it is large.
    running: Option<Running>,
}

impl Summariser {
    /// Whether the rows of the object that is held are complete once this row comes.
    pub fn is_next(&self, object: &[u8], table: Table) -> bool {
        !self.object.is_empty() && (table > Table::Summary || self.object[..self.object.len() - 1] != *object)
    }

    /// Takes in a row, where objects can be large by it. Rows come in order.
    pub fn add(&mut self, object: &[u8], table: Table, rest: &[u8], value: &[u8]) {
        if !is_summarised(table) {
            return;
        }
        if self.object.is_empty() {
            self.object.extend_from_slice(object);
            self.object.push(table as u8);
        }
        self.bytes.extend_from_slice(rest);
        let counterpart = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((counterpart, self.bytes.len()));
        if self.ends.len() > LARGE_ROWS {
            self.take(table);
        }
    }

    /// Adds the rows that are held to what runs.
    fn take(&mut self, table: Table) {
        let running = self.running.get_or_insert_with(|| Running::new(table));
        let mut start = 0;
        for (middle, end) in &self.ends {
            let counterpart = self.bytes[start..*middle].split_last_chunk::<2>().map(|(head, _source)| head);
            let observed = Observed::decode(&self.bytes[*middle..*end]);
            start = *end;
            if let (Some(counterpart), Some(observed)) = (counterpart, observed) {
                running.add(counterpart, observed);
            }
        }
        self.bytes.clear();
        self.ends.clear();
    }

    /// The rows to be written after those of the object, which is forgotten: keys and values, in order.
    pub fn finish(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if let Some(table) = self.running.as_ref().map(|running| running.summary.table) {
            self.take(table);
        }
        let object = self.object.split_last().map_or(&[][..], |(_, object)| object);
        let rows = self.running.take().map_or_else(Vec::new, |running| running.finish(object));
        self.object.clear();
        self.bytes.clear();
        self.ends.clear();
        rows
    }
}

/// What the rows of an object come to so far.
struct Running {
    summary: Summary,
    rows: Vec<u64>,
    domains: Domains,
    domain_hashes: Vec<u64>,
    /// The best rows, the worst of them first to go.
    top: BinaryHeap<(Rank, Vec<u8>, Vec<u8>)>,
    /// The row that the next one may belong to: another source saw it too.
    last: Option<(Vec<u8>, Observed)>,
}

impl Running {
    fn new(table: Table) -> Running {
        let summary = Summary {
            table,
            first: u32::MAX,
            last: 0,
            hits: 0,
            has_totals: false,
            rows: Sketch::default(),
            domains: Sketch::default(),
            filter: Vec::new(),
        };
        Running {
            summary,
            rows: Vec::new(),
            domains: Domains::default(),
            domain_hashes: Vec::new(),
            top: BinaryHeap::with_capacity(TOP_ROWS + 1),
            last: None,
        }
    }

    fn add(&mut self, counterpart: &[u8], observed: Observed) {
        match &mut self.last {
            Some((last, known)) if *last == counterpart => known.add(&observed),
            _ => {
                self.end_row();
                self.last = Some((counterpart.to_vec(), observed));
            }
        }
    }

    fn end_row(&mut self) {
        let Some((counterpart, observed)) = self.last.take() else { return };
        let summary = &mut self.summary;
        summary.first = summary.first.min(observed.first);
        summary.last = summary.last.max(observed.last);
        summary.hits = summary.hits.saturating_add(observed.hits());
        summary.has_totals |= observed.total.is_some();
        self.rows.push(hash(&counterpart));
        self.domain_hashes.extend(self.domains.next(&counterpart));
        let rank = rank(summary.table, &observed);
        if self.top.len() < TOP_ROWS || self.top.peek().is_some_and(|worst| rank < worst.0) {
            let mut value = Vec::new();
            observed.encode(&mut value);
            self.top.push((rank, counterpart, value));
        }
        if self.top.len() > TOP_ROWS {
            self.top.pop();
        }
    }

    fn finish(mut self, object: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.end_row();
        self.summary.filter = filter::build(&self.rows, filter::KEY_BITS);
        self.summary.rows = Sketch::of(self.rows.into_iter(), ROWS_SKETCH);
        self.summary.domains = Sketch::of(self.domain_hashes.into_iter(), DOMAINS_SKETCH);
        let key = |table: Table, counterpart: &[u8]| [object, &[table as u8], counterpart, &[0, 0]].concat();
        let top = self.top.into_iter().map(|(_, counterpart, value)| (key(Table::Top, &counterpart), value));
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = top.collect();
        rows.sort_unstable();
        rows.push((key(Table::Summary, &[]), self.summary.encode()));
        rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_union_is_exact_while_it_is_small_and_close_when_it_is_not() {
        let hashes = |range: std::ops::Range<u32>| range.map(|number| xxh3_64(&number.to_le_bytes()));
        let small = [Sketch::of(hashes(0..9_000), 16_384), Sketch::of(hashes(4_000..10_000), 16_384)];
        assert_eq!(Sketch::union(&[&small[0], &small[1]]), 10_000);
        for (a, b) in [(0..300_000, 200_000..500_000), (0..20_000, 19_000..500_000), (0..100, 50..500_000)] {
            let sketches = [Sketch::of(hashes(a), 16_384), Sketch::of(hashes(b), 16_384)];
            let union = Sketch::union(&[&sketches[0], &sketches[1]]) as f64;
            assert!((union / 500_000.0 - 1.0).abs() < 0.02, "{union}");
        }
        assert_eq!(Sketch::union(&[]), 0);
    }

    proptest! {
        #[test]
        fn summaries_read_back(count in 0u32..300, hits: u64, first: u32, has_totals: bool) {
            let hashes = || (0..count).map(|number| xxh3_64(&number.to_le_bytes()));
            let summary = Summary {
                table: Table::ResolvedBy,
                first,
                last: u32::MAX,
                hits,
                has_totals,
                rows: Sketch::of(hashes(), 200),
                domains: Sketch::of(hashes(), 100),
                filter: filter::build(&hashes().collect::<Vec<_>>(), filter::KEY_BITS),
            };
            let bytes = summary.encode();
            prop_assert_eq!(Summary::decode(&bytes), Some(summary));
            for len in 0..bytes.len().min(40) {
                Summary::decode(&bytes[..len]);
            }
        }
    }
}
