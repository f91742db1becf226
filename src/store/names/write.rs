//! Writes the names of a run, in bounded memory.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    BLOCK_LABELS, CLASSES, HEAD_BYTES, NIBBLE, NamesMeta, ROWS, SEGMENT_BLOCKS, class, common, head,
};
use crate::store::filter;
use crate::store::hashes::Hashes;
use crate::store::observed::push_varint;
use crate::store::sort::Sorter;

/// Memory for names, and for keys, that are being sorted.
const BUFFER_BYTES: usize = 16 << 20;

/// Suffixes that get a number: the public ones are ten thousand, and whoever makes up more writes them out.
const SUFFIXES_MAX: usize = 1 << 14;

/// Between a label and a suffix while they are sorted: before all characters of names.
const SEPARATOR: u8 = 0;

/// Collects the registrable names of a run: they come in another order than they are looked up in.
pub struct Writer {
    names: Sorter,
    hosts: Sorter,
    keys: Sorter,
    hashes: Hashes,
    suffixes: HashMap<String, u64>,
    last: String,
    folder: PathBuf,
}

impl Writer {
    /// For the run at `path`, with temporary files in a folder beside it.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn new(path: &Path) -> io::Result<Writer> {
        let folder = path.with_extension("names");
        fs::create_dir_all(&folder)?;
        let sorter = |name: &str| {
            let folder = folder.join(name);
            fs::create_dir_all(&folder)?;
            Ok::<_, io::Error>(Sorter::merging(&folder, BUFFER_BYTES, |_, _, _| Ok(())))
        };
        Ok(Writer {
            names: sorter("names")?,
            hosts: sorter("hosts")?,
            keys: sorter("keys")?,
            hashes: Hashes::new(&folder.join("hashes")),
            suffixes: HashMap::new(),
            last: String::new(),
            folder,
        })
    }

    /// Takes in a name: its registrable domain, and whole names of others that stand in it. Names come in label-reversed order, so that equal ones follow each
    /// other.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn add(&mut self, name: &str) -> io::Result<()> {
        for whole in crate::similar::whole_names(name) {
            self.hosts.push(format!("{whole}\t{name}\n").as_bytes(), &[])?;
        }
        let is_below =
            name.strip_suffix(&self.last).is_some_and(|left| left.is_empty() || left.ends_with('.'));
        if !self.last.is_empty() && is_below {
            return Ok(());
        }
        let Some((label, suffix)) = crate::similar::label_and_suffix(name) else { return Ok(()) };
        // What is below a domain under which others register names is not its.
        if let Some(registrable) = psl::domain_str(name) {
            registrable.clone_into(&mut self.last);
        }
        if let Some(count) = self.suffixes.get_mut(suffix) {
            *count += 1;
        } else if self.suffixes.len() < SUFFIXES_MAX {
            self.suffixes.insert(suffix.to_owned(), 1);
        }
        self.names.push(&[label.as_bytes(), &[SEPARATOR], suffix.as_bytes()].concat(), &[])
    }

    /// Writes all parts.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<NamesMeta> {
        let mut suffixes: Vec<(String, u64)> = self.suffixes.drain().collect();
        suffixes.sort_unstable_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        let numbers = (1..).zip(&suffixes).map(|(number, (suffix, _))| (suffix.as_str(), number)).collect();
        let mut meta = NamesMeta { suffixes: suffixes.len() as u64, ..NamesMeta::default() };
        // The filter, which stands first, knows the keys: they are known when all labels were gone through.
        let path = self.folder.join("segments");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        let mut segments = Segments::new(BufWriter::with_capacity(1 << 18, file), &mut meta);
        let (keys, hashes) = (&mut self.keys, &mut self.hashes);
        let mut label = Label::default();
        self.names.finish(|row, _| {
            let split = row.iter().position(|byte| *byte == SEPARATOR).unwrap_or(row.len());
            let (own, suffix) = (&row[..split], row.get(split + 1..).unwrap_or_default());
            if own != &label.text[..] {
                segments.push(&mut label, keys, hashes)?;
                label.text.extend_from_slice(own);
            }
            label.add(suffix, &numbers);
            Ok(())
        })?;
        segments.push(&mut label, keys, hashes)?;
        let places = segments.finish()?;
        let filter = self.hashes.filter(None, filter::STRICT_BITS)?;
        meta.bytes[0] = filter.len() as u64;
        out.write_all(&filter)?;
        meta.bytes[1] = write_suffixes(&suffixes, out)?;
        io::copy(&mut File::open(&path)?, out)?;
        fs::remove_file(&path)?;
        for place in places {
            out.write_all(&place.to_le_bytes())?;
        }
        self.keys.finish(|row, _| {
            let (hash, label) = row.split_at(4);
            let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
            meta.keys += 1;
            out.write_all(&number(hash).to_le_bytes())?;
            out.write_all(&number(label).to_le_bytes())
        })?;
        self.hosts.finish(|line, _| {
            meta.bytes[3] += line.len() as u64;
            out.write_all(line)
        })?;
        Ok(meta)
    }
}

/// Where each suffix begins, one more than there are, and their texts.
fn write_suffixes(suffixes: &[(String, u64)], out: &mut impl Write) -> io::Result<u64> {
    let mut start = 0u32;
    for (suffix, _) in suffixes {
        out.write_all(&start.to_le_bytes())?;
        start += suffix.len() as u32;
    }
    out.write_all(&start.to_le_bytes())?;
    suffixes.iter().try_for_each(|(suffix, _)| out.write_all(suffix.as_bytes()))?;
    Ok((suffixes.len() as u64 + 1) * 4 + u64::from(start))
}

/// A label and its suffixes, the last of them not yet written: whether more follow is said with it.
#[derive(Default)]
struct Label {
    text: Vec<u8>,
    suffixes: Vec<u8>,
    last: Option<(u64, Vec<u8>)>,
    count: u64,
}

impl Label {
    fn add(&mut self, suffix: &[u8], numbers: &HashMap<&str, u64>) {
        self.put(true);
        let number = std::str::from_utf8(suffix).ok().and_then(|suffix| numbers.get(suffix));
        self.last = Some((number.copied().unwrap_or(0), suffix.to_vec()));
        self.count += 1;
    }

    fn put(&mut self, more: bool) {
        let Some((number, suffix)) = self.last.take() else { return };
        push_varint(&mut self.suffixes, number << 1 | u64::from(more));
        if number == 0 {
            // A suffix is shorter than a name, which has at most 253 octets.
            self.suffixes.push(suffix.len() as u8);
            self.suffixes.extend_from_slice(&suffix);
        }
    }
}

/// Writes segments.
struct Segments<'a> {
    out: BufWriter<File>,
    meta: &'a mut NamesMeta,
    /// Two numbers a segment.
    places: Vec<u64>,
    written: u64,
    text: Vec<u8>,
    /// Where the blocks of the segment begin.
    starts: Vec<u32>,
    heads: Vec<u64>,
    /// A bit a block for each pair of characters.
    rows: Vec<[u8; SEGMENT_BLOCKS / 8]>,
    block: Vec<u8>,
    in_block: usize,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl<'a> Segments<'a> {
    fn new(out: BufWriter<File>, meta: &'a mut NamesMeta) -> Segments<'a> {
        let rows = vec![[0; SEGMENT_BLOCKS / 8]; ROWS];
        Segments {
            out,
            meta,
            places: Vec::new(),
            written: 0,
            text: Vec::new(),
            starts: Vec::new(),
            heads: Vec::new(),
            rows,
            block: Vec::new(),
            in_block: 0,
            first: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Writes a label, which is empty afterwards; its key, where it has one, and its hashes.
    fn push(&mut self, label: &mut Label, keys: &mut Sorter, hashes: &mut Hashes) -> io::Result<()> {
        if label.count == 0 {
            return Ok(());
        }
        label.put(false);
        if self.in_block == BLOCK_LABELS {
            self.end_block()?;
        }
        let block = self.starts.len();
        if self.in_block == 0 {
            self.first.clone_from(&label.text);
            self.last.clear();
        }
        let shared = common(&self.last, &label.text);
        let own = label.text.len() - shared;
        self.block.push((shared.min(NIBBLE) << 4 | own.min(NIBBLE)) as u8);
        // A label has at most 63 octets.
        self.block
            .extend([shared, own].into_iter().filter(|length| *length >= NIBBLE).map(|length| length as u8));
        self.block.extend_from_slice(&label.text[shared..]);
        self.block.extend_from_slice(&label.suffixes);
        let ends = [CLASSES - 1];
        let classes: Vec<usize> =
            ends.into_iter().chain(label.text.iter().map(|byte| class(*byte))).chain(ends).collect();
        for pair in classes.windows(2) {
            self.rows[pair[0] * CLASSES + pair[1]][block / 8] |= 1 << (block % 8);
        }
        let number =
            u32::try_from(self.meta.labels).map_err(|_| io::Error::other("too many names for one run"))?;
        if let Ok(text) = std::str::from_utf8(&label.text)
            && let Some(key) = crate::similar::key(text)
        {
            let hash = xxh3_64(key.as_bytes());
            hashes.push(hash)?;
            keys.push(&[(hash as u32).to_be_bytes(), number.to_be_bytes()].concat(), &[])?;
        }
        hashes.push(xxh3_64(&label.text))?;
        self.in_block += 1;
        self.meta.labels += 1;
        self.meta.names += label.count;
        std::mem::swap(&mut self.last, &mut label.text);
        *label = Label::default();
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.in_block == 0 {
            return Ok(());
        }
        self.starts.push(self.text.len() as u32);
        self.heads.push(head(&self.first));
        self.text.push(common(&self.first, &self.last) as u8);
        self.text.append(&mut self.block);
        self.in_block = 0;
        if self.starts.len() == SEGMENT_BLOCKS { self.end_segment() } else { Ok(()) }
    }

    fn end_segment(&mut self) -> io::Result<()> {
        if self.starts.is_empty() {
            return Ok(());
        }
        self.places.extend([self.written, self.written + self.text.len() as u64]);
        self.out.write_all(&self.text)?;
        let row_bytes = self.starts.len().div_ceil(8);
        self.starts.push(self.text.len() as u32);
        for start in &self.starts {
            self.out.write_all(&start.to_le_bytes())?;
        }
        for head in self.heads.drain(..) {
            self.out.write_all(&head.to_le_bytes())?;
        }
        for row in &mut self.rows {
            self.out.write_all(&row[..row_bytes])?;
            row.fill(0);
        }
        self.written += (self.text.len()
            + self.starts.len() * 4
            + (self.starts.len() - 1) * HEAD_BYTES
            + ROWS * row_bytes) as u64;
        self.text.clear();
        self.starts.clear();
        Ok(())
    }

    /// Ends the last segment; where they all begin.
    fn finish(mut self) -> io::Result<Vec<u64>> {
        self.end_block()?;
        self.end_segment()?;
        self.out.flush()?;
        self.meta.bytes[2] = self.written;
        Ok(self.places)
    }
}
