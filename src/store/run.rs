//! A run: one immutable file of sorted rows, written by an import or a merge.
//!
//! The body of the file of [pages](super::pages) is: the rows (a `tantivy-sstable` table with our value
//! codec), the filter on objects, the [hot index](super::hot), the [registrable names](super::names), the description ([`RunMeta`], JSON), and a table of where each of them starts (five u64, little-endian).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy_common::HasLen;
use tantivy_common::file_slice::FileSlice;
use tantivy_sstable::value::{ValueReader, ValueWriter};
use tantivy_sstable::{Dictionary, SSTable, Writer};
use xxhash_rust::xxh3::xxh3_64;

use super::blocks;
use super::filter;
use super::forget::{Forgotten, Tombstone};
use super::hashes::Hashes;
use super::hot::{Builder, Entry, Hot, Probe};
use super::key::{Part, Table, object_len, read_part};
use super::large::Summariser;
use super::manifest::{Batch, RunEntry};
use super::names::{self, Known, Names, NamesMeta};
use super::observed::{first_day, push_varint, take_varint};
use super::pages::{Damage, PageWriter, Pages, Section};

/// Bytes of keys in a block before it is closed: measured, see DESIGN.md.
const BLOCK_BYTES: usize = 4_000;

//------------ The value codec -----------------------------------------------

/// A row's value: a part of its block's values.
#[derive(Clone, Debug)]
pub struct RowValue {
    block: Arc<[u8]>,
    range: Range<usize>,
}

impl RowValue {
    /// A value of its own.
    pub fn new(bytes: &[u8]) -> RowValue {
        RowValue { block: Arc::from(bytes), range: 0..bytes.len() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }
}

/// The table of a run: byte strings to byte strings.
pub struct Rows;

impl SSTable for Rows {
    type Value = RowValue;
    type ValueReader = RowReader;
    type ValueWriter = RowWriter;
}

/// Values of a block: a count, the length of each, then all their bytes.
#[derive(Default)]
pub struct RowReader {
    values: Vec<RowValue>,
}

impl ValueReader for RowReader {
    type Value = RowValue;

    fn value(&self, index: usize) -> &RowValue {
        &self.values[index]
    }

    fn load(&mut self, data: &[u8]) -> io::Result<usize> {
        let short = || io::Error::new(io::ErrorKind::InvalidData, "a block of values is cut short");
        let mut rest = data;
        let count = take_varint(&mut rest).ok_or_else(short)? as usize;
        self.values.clear();
        self.values.reserve(count.min(data.len()));
        let mut lengths = rest;
        let mut total = 0usize;
        for _ in 0..count {
            total = total.saturating_add(take_varint(&mut rest).ok_or_else(short)? as usize);
        }
        let block: Arc<[u8]> = Arc::from(rest.get(..total).ok_or_else(short)?);
        let mut at = 0;
        for _ in 0..count {
            let len = take_varint(&mut lengths).ok_or_else(short)? as usize;
            self.values.push(RowValue { block: block.clone(), range: at..at + len });
            at += len;
        }
        Ok(data.len() - rest.len() + total)
    }
}

/// Collects the values of a block.
#[derive(Default)]
pub struct RowWriter {
    count: u64,
    lengths: Vec<u8>,
    bytes: Vec<u8>,
}

impl ValueWriter for RowWriter {
    type Value = RowValue;

    fn write(&mut self, value: &RowValue) {
        self.count += 1;
        push_varint(&mut self.lengths, value.bytes().len() as u64);
        self.bytes.extend_from_slice(value.bytes());
    }

    fn serialize_block(&self, output: &mut Vec<u8>) {
        push_varint(output, self.count);
        output.extend_from_slice(&self.lengths);
        output.extend_from_slice(&self.bytes);
    }

    fn clear(&mut self) {
        self.count = 0;
        self.lengths.clear();
        self.bytes.clear();
    }
}

//------------ RunMeta -------------------------------------------------------

/// What a run says of itself, so that manifest and catalogue can be made anew from the runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunMeta {
    /// The batches in it, by sequence number; rows name them by their position here.
    pub batches: Vec<Batch>,
    /// Rows.
    pub rows: u64,
    /// Distinct objects.
    pub objects: u64,
    /// Rows by table number.
    pub tables: std::collections::BTreeMap<u8, u64>,
    /// Hash seed of the hot index.
    pub seed: u64,
    /// Its registrable names.
    pub names: NamesMeta,
    /// The day before which daily detail is folded, 0: none is.
    #[serde(default)]
    pub folded_before: u32,
    /// The day of the oldest observation of each source.
    #[serde(default)]
    pub oldest: std::collections::BTreeMap<u16, u32>,
    /// The day of the oldest contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_contact: Option<u32>,
}

//------------ Filter --------------------------------------------------------

/// Tables that stand in the filter with their objects: a list of names is followed into them.
pub const FILTERED: [Table; 9] = [
    Table::Url,
    Table::Downloaded,
    Table::AccessedBy,
    Table::RecordOf,
    Table::Listing,
    Table::Registration,
    Table::PortState,
    Table::Flagged,
    Table::Summary,
];

//------------ RunWriter -----------------------------------------------------

/// Writes a run. Rows come sorted, each key once.
pub struct RunWriter {
    table: Writer<PageWriter<BufWriter<File>>, RowWriter>,
    objects: Hashes,
    /// Hashes of object and table, for the tables that are asked for by the thousand.
    filtered: Hashes,
    last_table: (u64, u8),
    last_object: Vec<u8>,
    names: names::Writer,
    summariser: Summariser,
    meta: RunMeta,
}

impl RunWriter {
    /// A new run at `path`.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn create(path: &Path, meta: RunMeta) -> io::Result<RunWriter> {
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut table = Dictionary::<Rows>::builder(PageWriter::new(file))?;
        table.set_block_len(BLOCK_BYTES);
        Ok(RunWriter {
            table,
            objects: Hashes::new(&path.with_extension("objects")),
            filtered: Hashes::new(&path.with_extension("filtered")),
            last_table: (0, 0),
            last_object: Vec::new(),
            names: names::Writer::new(path)?,
            summariser: Summariser::default(),
            meta,
        })
    }

    /// Adds a row. Those that are made anew with a run are left out: the writer makes its own.
    ///
    /// # Errors
    ///
    /// What the file system says; a key that is none.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "a row of no known kind");
        let len = object_len(key).ok_or_else(bad)?;
        let table = key.get(len).and_then(|byte| Table::from_byte(*byte)).ok_or_else(bad)?;
        if table.is_derived() {
            return Ok(());
        }
        if self.summariser.is_next(&key[..len], table) {
            self.push_summary()?;
        }
        self.summariser.add(&key[..len], table, &key[len + 1..], value);
        self.write(key, len, table, value)
    }

    fn push_summary(&mut self) -> io::Result<()> {
        for (key, value) in self.summariser.finish() {
            let len = object_len(&key).unwrap_or_default();
            let table = key.get(len).and_then(|byte| Table::from_byte(*byte)).unwrap_or(Table::Summary);
            self.write(&key, len, table, &value)?;
        }
        Ok(())
    }

    /// Writes a row of an object of `len` bytes.
    fn write(&mut self, key: &[u8], len: usize, table: Table, value: &[u8]) -> io::Result<()> {
        if self.last_object != key[..len] {
            self.last_object.clear();
            self.last_object.extend_from_slice(&key[..len]);
            self.objects.push(xxh3_64(&key[..len]))?;
            if let Some((Part::Domain(name), _)) = read_part(&key[..len]) {
                self.names.add(&name)?;
            }
        }
        if self.last_table != (self.objects.len(), key[len]) {
            self.last_table = (self.objects.len(), key[len]);
            if FILTERED.contains(&table) {
                self.filtered.push(xxh3_64(&key[..=len]))?;
            }
        }
        if table.is_observed() && !table.is_derived() {
            self.note_oldest(key, table, value);
        }
        self.meta.rows += 1;
        *self.meta.tables.entry(key[len]).or_default() += 1;
        self.table.insert(key, &RowValue::new(value))
    }

    /// Remembers from when on the rows tell: by it is known whether something of a run is too old.
    fn note_oldest(&mut self, key: &[u8], table: Table, value: &[u8]) {
        let (Some(day), Some(source)) = (first_day(value), key.last_chunk::<2>()) else { return };
        let oldest = self.meta.oldest.entry(u16::from_be_bytes(*source)).or_insert(day);
        *oldest = day.min(*oldest);
        if table == Table::Contact {
            self.meta.oldest_contact = Some(self.meta.oldest_contact.map_or(day, |oldest| oldest.min(day)));
        }
    }

    /// Writes what follows the rows, and makes the file durable.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn finish(mut self, hot: Builder) -> io::Result<RunMeta> {
        self.push_summary()?;
        self.meta.objects = self.objects.len();
        let mut out = self.table.finish()?;
        let mut starts = vec![out.len() as u64];
        out.write_all(&self.objects.filter(Some(self.filtered), filter::KEY_BITS)?)?;
        starts.push(out.len() as u64);
        if !hot.is_empty() {
            hot.write(&mut out)?;
        }
        starts.push(out.len() as u64);
        self.meta.names = self.names.write(&mut out)?;
        starts.push(out.len() as u64);
        serde_json::to_writer(&mut out, &self.meta)?;
        starts.push(out.len() as u64);
        for start in starts {
            out.write_all(&start.to_le_bytes())?;
        }
        let file = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.meta)
    }
}

//------------ Run -----------------------------------------------------------

/// An open run.
pub struct Run {
    /// Its number.
    pub id: u64,
    /// What it says of itself.
    pub meta: RunMeta,
    /// Its hot index, where it has one.
    pub hot: Option<Hot>,
    names: Names,
    rows: Dictionary<Rows>,
    filter: Range<usize>,
    pages: Arc<Pages>,
    /// What every reader passes over, and the tombstones that say so.
    forgotten: Option<Forgotten>,
}

impl Run {
    /// Opens a run.
    ///
    /// # Errors
    ///
    /// [`Damage`] inside the I/O error where the file is not what was written.
    pub fn open(path: &Path, id: u64) -> io::Result<Run> {
        let pages = Pages::open(path)?;
        let end = pages.len();
        let table = end.checked_sub(40).ok_or_else(|| pages.damage("the table of contents"))?;
        let starts: Vec<usize> = pages
            .bytes(table..end)?
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")) as usize)
            .collect();
        if !starts.is_sorted() || starts[4] != table {
            return Err(pages.damage("the table of contents").into());
        }
        let meta: RunMeta = serde_json::from_slice(pages.bytes(starts[3]..starts[4])?)
            .map_err(|error| pages.damage(format!("the description ({error})")))?;
        let section = Section { pages: pages.clone(), range: 0..starts[0] };
        let rows = Dictionary::open(FileSlice::new(Arc::new(section)))?;
        let hot = Hot::open(&pages, starts[1]..starts[2])?;
        let filter = starts[0]..starts[1];
        let names = Names::open(&pages, &meta.names, starts[2]..starts[3])?;
        Ok(Run { id, meta, hot, names, rows, filter, pages, forgotten: None })
    }

    /// Opens a run that a manifest names. The manifest numbers batches: a run is written before its batch has
    /// its number.
    ///
    /// # Errors
    ///
    /// As [`Run::open`].
    pub fn live(folder: &Path, entry: &RunEntry, tombstones: &[Tombstone]) -> io::Result<Run> {
        let mut run = Run::open(&super::run_path(folder, entry.id), entry.id)?;
        for (batch, seq) in run.meta.batches.iter_mut().zip(&entry.batches) {
            batch.seq = *seq;
        }
        run.forgotten = Forgotten::of(tombstones.iter().filter(|tombstone| tombstone.number >= entry.heeded));
        Ok(run)
    }

    /// Whether the run may have rows of an object; 1 % of its "yes" are wrong, no "no" is.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the filter is.
    pub fn may_have(&self, object: &[u8]) -> Result<bool, Damage> {
        let hash = xxh3_64(object);
        let blocks = self.filter.len() / filter::BLOCK_BYTES;
        let at = self.filter.start + filter::block_of(hash, blocks) * filter::BLOCK_BYTES;
        Ok(filter::block_has(self.pages.bytes(at..at + filter::BLOCK_BYTES)?, hash))
    }

    /// Calls `row` with every key and value whose key begins with `prefix`, in order, until it returns
    /// false.
    ///
    /// # Errors
    ///
    /// [`Damage`] inside the I/O error where a block that was needed is not what was written; those of `row`.
    pub fn scan(
        &self,
        prefix: &[u8],
        mut row: impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        self.each_from(prefix, |key, value| Ok(key.starts_with(prefix) && row(key, value)?))
    }

    /// As [`Run::scan`], of the keys from `from` on and before `to`.
    ///
    /// # Errors
    ///
    /// As [`Run::scan`].
    pub fn scan_between(
        &self,
        from: &[u8],
        to: &[u8],
        mut row: impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        self.each_from(from, |key, value| Ok(key < to && row(key, value)?))
    }

    /// Goes through the rows from a key on until `row` returns false.
    fn each_from(
        &self,
        from: &[u8],
        mut row: impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        let Some(block) = self.rows.sstable_index.get_block_with_key(from) else { return Ok(()) };
        let table = 0..self.rows.sstable_slice.len();
        let mut kept = Vec::new();
        blocks::each(&self.pages, table, block.byte_range.start, |key, value| {
            if key < from {
                return Ok(true);
            }
            match self.visible(key, value, &mut kept) {
                Some(value) => row(key, value),
                None => Ok(true),
            }
        })
    }

    /// What is left of a row's value when what is forgotten is passed over, in `kept` where that is less than all;
    /// `None`: nothing.
    pub fn visible<'a>(&self, key: &[u8], value: &'a [u8], kept: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        match &self.forgotten {
            Some(forgotten) => forgotten.visible(key, value, kept),
            None => Some(value),
        }
    }

    /// What readers of the run pass over.
    pub(super) fn forgotten(&self) -> Option<&Forgotten> {
        self.forgotten.as_ref()
    }

    /// Whether the run passes over what these tombstones say, and nothing else.
    pub fn heeds(&self, entry: &RunEntry, tombstones: &[Tombstone]) -> bool {
        let wanted =
            tombstones.iter().map(|tombstone| tombstone.number).filter(|number| *number >= entry.heeded);
        wanted.eq(self.forgotten.iter().flat_map(|forgotten| forgotten.numbers.iter().copied()))
    }

    /// Whether what a probe looks for is forgotten.
    pub fn hides(&self, probe: &Probe<'_>) -> bool {
        self.forgotten.as_ref().is_some_and(|forgotten| forgotten.hides(probe))
    }

    /// The labels that `ask` finds among the run's names, without names that are forgotten.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the names are not what was written.
    pub fn known(
        &self,
        ask: impl FnOnce(&Names, &mut Vec<Known>) -> Result<(), Damage>,
    ) -> Result<Vec<Known>, Damage> {
        let mut found = Vec::new();
        ask(&self.names, &mut found)?;
        if self.forgotten.is_some() {
            for known in &mut found {
                known.suffixes.retain(|suffix| !self.hides_name(&format!("{}.{suffix}", known.label)));
            }
            found.retain(|known| !known.suffixes.is_empty());
        }
        Ok(found)
    }

    /// Whether the run knows a registrable name.
    ///
    /// # Errors
    ///
    /// As [`Run::known`].
    pub fn knows_name(&self, name: &str) -> Result<bool, Damage> {
        Ok(self.names.knows(name)? && !self.hides_name(name))
    }

    /// Hosts below other domains that have the whole of a registrable name in them, up to `max`.
    ///
    /// # Errors
    ///
    /// As [`Run::known`].
    pub fn hosts_with(&self, name: &str, max: usize) -> Result<Vec<String>, Damage> {
        let mut hosts = self.names.hosts_with(name, max)?;
        hosts.retain(|host| !self.hides_name(host));
        Ok(hosts)
    }

    /// Whether a name is forgotten.
    pub fn hides_name(&self, name: &str) -> bool {
        self.hides(&Probe::Name(name))
    }

    /// Whether a text names what is forgotten.
    pub fn hides_text(&self, text: &str) -> bool {
        self.forgotten.as_ref().is_some_and(|forgotten| forgotten.is_named_in(text, true))
    }

    /// Calls `found` with every entry of the hot index whose range holds an address; of one that is forgotten with
    /// those that are of more than it.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the index is not what was written.
    pub fn covering(&self, address: IpAddr, found: &mut impl FnMut(u32, Entry)) -> Result<(), Damage> {
        let Some(hot) = &self.hot else { return Ok(()) };
        if !self.hides(&Probe::Address(address)) {
            return hot.find_covering(address, found);
        }
        let mut covering = Vec::new();
        hot.find_covering(address, &mut |range, entry| covering.push((range, entry)))?;
        for (range, entry) in covering {
            if hot.bounds(range)?.is_some_and(|bounds| bounds.first() != bounds.last()) {
                found(range, entry);
            }
        }
        Ok(())
    }

    /// All rows in order, as a merge reads them.
    ///
    /// # Errors
    ///
    /// As [`Run::scan`].
    pub fn stream(&self) -> io::Result<tantivy_sstable::Streamer<'_, Rows>> {
        self.rows.stream()
    }

    /// Checks every page; returns all that are wrong.
    pub fn verify(&self) -> Vec<Damage> {
        self.pages.verify()
    }

    /// Size of the file's body in bytes.
    pub fn bytes(&self) -> usize {
        self.pages.len()
    }
}
