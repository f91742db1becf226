//! A run: one immutable file of sorted rows, written by an import or a merge.
//!
//! The body of the file of [pages](super::pages) is: the rows (a `tantivy-sstable` table with our value
//! codec), the filter on objects, the [hot index](super::hot), the registrable names (a filter on them, the
//! names, one a line, sorted, and the skeletons of the internationalised ones), the description ([`RunMeta`], JSON), and a table of where each of them starts (five u64, little-endian).

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
use super::key::{Table, object_len};
use super::large::Summariser;
use super::manifest::{Batch, RunEntry};
use super::observed::{first_day, push_varint, take_varint};
use super::pages::{Damage, PageWriter, Pages, Section};
use super::sort::Sorter;
use crate::indicator::DomainName;

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
    /// Bytes of the filter on registrable names.
    #[serde(default)]
    pub names_filter_bytes: u64,
    /// Bytes of the registrable names; the skeletons follow.
    #[serde(default)]
    pub names_bytes: u64,
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

/// More than the longest line of the names: a skeleton and a name of 253 octets.
const LINE_BYTES_MAX: usize = 4096;
//------------ RunWriter -----------------------------------------------------

/// Writes a run. Rows come sorted, each key once.
pub struct RunWriter {
    table: Writer<PageWriter<BufWriter<File>>, RowWriter>,
    objects: Hashes,
    /// Hashes of object and table, for the tables that are asked for by the thousand.
    filtered: Hashes,
    last_table: (u64, u8),
    last_object: Vec<u8>,
    /// Names whose registrable domain is known to the run.
    names: Names,
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
            names: Names::new(path)?,
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
            self.names.add(&key[..len])?;
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
        let names_bytes = self.names.write(&mut out)?;
        self.meta.names_filter_bytes = names_bytes.filter;
        self.meta.names_bytes = names_bytes.names;
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

/// The registrable domains of a run's names: they come in another order than they are looked up in.
struct Names {
    sorter: Sorter,
    hashes: Hashes,
    last: String,
}

/// Bytes of what [`Names::write`] wrote.
struct NamesBytes {
    filter: u64,
    names: u64,
}

/// Memory for names that are being sorted.
const NAMES_BUFFER_BYTES: usize = 16 << 20;

impl Names {
    /// Those of the run at `path`, with temporary files in a folder beside it.
    fn new(path: &Path) -> io::Result<Names> {
        let folder = path.with_extension("names");
        std::fs::create_dir_all(&folder)?;
        let sorter = Sorter::merging(&folder, NAMES_BUFFER_BYTES, |_, _, _| Ok(()));
        Ok(Names { sorter, hashes: Hashes::new(&folder.join("hashes")), last: String::new() })
    }

    /// Takes in an object: names come in label-reversed order, so that equal ones follow each other.
    fn add(&mut self, object: &[u8]) -> io::Result<()> {
        let Some((super::key::Part::Domain(name), _)) = super::key::read_part(object) else { return Ok(()) };
        if !self.last.is_empty() && name.ends_with(&self.last) {
            let before = name.len() - self.last.len();
            if before == 0 || name.as_bytes()[before - 1] == b'.' {
                return Ok(());
            }
        }
        let Some(registrable) = psl::domain_str(&name).filter(|own| *own != self.last) else { return Ok(()) };
        registrable.clone_into(&mut self.last);
        self.hashes.push(xxh3_64(registrable.as_bytes()))?;
        self.sorter.push(registrable.as_bytes(), &[])
    }

    /// Writes a filter on the names; they, sorted, a line each; and a line `skeleton tab name` of each
    /// internationalised one.
    fn write(self, out: &mut impl Write) -> io::Result<NamesBytes> {
        let filter = self.hashes.filter(None, filter::STRICT_BITS)?;
        out.write_all(&filter)?;
        let (mut skeletons, mut names) = (Vec::new(), 0);
        self.sorter.finish(|name, _| {
            names += name.len() as u64 + 1;
            out.write_all(name)?;
            out.write_all(b"\n")?;
            let text = std::str::from_utf8(name).ok().filter(|name| name.contains("xn--"));
            if let Some(unicode) = text.and_then(DomainName::from_normal).map(|name| name.unicode()) {
                skeletons.push([skeleton(&unicode).as_bytes(), b"\t", name, b"\n"].concat());
            }
            Ok(())
        })?;
        skeletons.sort_unstable();
        skeletons.iter().try_for_each(|line| out.write_all(line))?;
        Ok(NamesBytes { filter: filter.len() as u64, names })
    }
}

/// What a name looks like: UTS 39 skeleton of its Unicode form.
pub fn skeleton(unicode: &str) -> String {
    unicode_security::skeleton(unicode).collect::<String>().to_lowercase()
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
    rows: Dictionary<Rows>,
    filter: Range<usize>,
    names_filter: Range<usize>,
    names: Range<usize>,
    /// Where in the names the skeletons begin.
    names_end: usize,
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
        let names_filter = starts[2]..starts[2].saturating_add(meta.names_filter_bytes as usize);
        let names = names_filter.end..starts[3];
        let names_end = names.start.saturating_add(meta.names_bytes as usize);
        if names_end > names.end {
            return Err(pages.damage("the description (names)").into());
        }
        Ok(Run { id, meta, hot, rows, filter, names_filter, names, names_end, pages, forgotten: None })
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

    /// The filter on registrable names, by [`xxh3_64`]; one "yes" of a thousand is wrong.
    ///
    /// # Errors
    ///
    /// [`Damage`] where it is not what was written.
    pub fn names_filter(&self) -> Result<&[u8], Damage> {
        self.pages.bytes(self.names_filter.clone())
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

    /// Whether the run knows a registrable name.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the names are not what was written.
    pub fn knows_name(&self, name: &str) -> Result<bool, Damage> {
        let names = self.names.start..self.names_end;
        let at = self.first_line(&names, name.as_bytes())?;
        Ok(self.line(&names, at)?.1 == name.as_bytes())
    }

    /// The internationalised registrable names with this skeleton.
    ///
    /// # Errors
    ///
    /// As [`Run::knows_name`].
    pub fn names_with_skeleton(&self, skeleton: &str) -> Result<Vec<String>, Damage> {
        let lines = self.names_end..self.names.end;
        let wanted = format!("{skeleton}\t");
        let mut at = self.first_line(&lines, wanted.as_bytes())?;
        let mut names = Vec::new();
        while at < lines.end {
            let (range, line) = self.line(&lines, at)?;
            let Some(name) = line.strip_prefix(wanted.as_bytes()) else { break };
            names.extend(std::str::from_utf8(name).ok().map(str::to_owned));
            at = range.end + 1;
        }
        Ok(names)
    }

    /// The registrable names that begin with this, up to `max`.
    ///
    /// # Errors
    ///
    /// As [`Run::knows_name`].
    pub fn names_from(&self, start: &str, max: usize) -> Result<Vec<String>, Damage> {
        let lines = self.names.start..self.names_end;
        let mut at = self.first_line(&lines, start.as_bytes())?;
        let mut names = Vec::new();
        while at < lines.end && names.len() < max {
            let (range, line) = self.line(&lines, at)?;
            if !line.starts_with(start.as_bytes()) {
                break;
            }
            names.extend(std::str::from_utf8(line).ok().map(str::to_owned));
            at = range.end + 1;
        }
        Ok(names)
    }

    /// Where the first of sorted lines begins that is not less than `wanted`.
    fn first_line(&self, lines: &Range<usize>, wanted: &[u8]) -> Result<usize, Damage> {
        let (mut low, mut high) = (lines.start, lines.end);
        while low < high {
            let (range, line) = self.line(lines, low.midpoint(high))?;
            if line < wanted {
                low = range.end + 1;
            } else {
                high = range.start;
            }
        }
        Ok(low.min(lines.end))
    }

    /// The line that a byte is in, without its end, and where it stands.
    fn line(&self, lines: &Range<usize>, at: usize) -> Result<(Range<usize>, &[u8]), Damage> {
        let from = at.saturating_sub(LINE_BYTES_MAX).max(lines.start);
        let to = (at + LINE_BYTES_MAX).min(lines.end);
        let window = self.pages.bytes(from..to.max(from))?;
        let split = (at - from).min(window.len());
        let start = window[..split].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let end =
            window[split..].iter().position(|byte| *byte == b'\n').map_or(window.len(), |end| split + end);
        Ok((from + start..from + end, &window[start..end]))
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
