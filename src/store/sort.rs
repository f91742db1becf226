//! Sorts rows of any amount in bounded memory, and merges those of equal key.
//!
//! Rows collect in a buffer; a full one is sorted and merged on a second thread and written to a
//! temporary file, while the next one fills. At the end all are merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::value::merge_values;

/// A buffer of rows: each is key length (u16), value length (u32), key, value.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// A slot a row.
    index: Vec<Slot>,
}

/// Sixteen bytes of a key as numbers of the same order, and where its row begins.
type Slot = (u64, u64, u32);

const ROW_HEAD: usize = 6;
/// Bytes of a key that are compared at a time.
const CHUNK: usize = 16;
/// How hard temporary files are compressed: keys lack what they share already, so little is enough.
const SPILL_LEVEL: i32 = -3;
/// What is remembered to compress and to unpack them: they are all open at once.
const SPILL_WINDOW_LOG: u32 = 17;
/// Bytes that are read or written of one at once.
const SPILL_BUFFER: usize = 1 << 18;
/// So many rows are compared by their whole keys.
const FEW: usize = 4;

impl Buffer {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        let (high, low) = prefix(key);
        self.index.push((high, low, self.bytes.len() as u32));
        self.bytes.extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    fn row(&self, at: u32) -> (&[u8], &[u8]) {
        let head = &self.bytes[at as usize..];
        let key = usize::from(u16::from_le_bytes([head[0], head[1]]));
        let value = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
        (&head[ROW_HEAD..ROW_HEAD + key], &head[ROW_HEAD + key..ROW_HEAD + key + value])
    }

    fn sort(&mut self) {
        let mut index = std::mem::take(&mut self.index);
        self.sort_from(&mut index, 0);
        self.index = index;
    }

    /// Sorts rows that are equal before `depth`, whose slots hold the sixteen bytes from there. Those that are
    /// equal there too get the next sixteen: each key is fetched once a level, not once a comparison.
    fn sort_from(&self, index: &mut [Slot], depth: usize) {
        index.sort_unstable_by_key(|slot| (slot.0, slot.1));
        let mut rest = index;
        while let Some(first) = rest.first() {
            let chunk = (first.0, first.1);
            let len = rest.iter().take_while(|slot| (slot.0, slot.1) == chunk).count();
            let (group, after) = rest.split_at_mut(len);
            if group.len() > FEW {
                let mut more = false;
                for slot in group.iter_mut() {
                    let key = self.row(slot.2).0;
                    (slot.0, slot.1) = prefix(key.get(depth + CHUNK..).unwrap_or_default());
                    more |= key.len() > depth + CHUNK;
                }
                if more {
                    self.sort_from(group, depth + CHUNK);
                } else {
                    group.sort_unstable_by_key(|slot| self.row(slot.2).0.len());
                }
            } else if group.len() > 1 {
                group.sort_unstable_by(|a, b| self.row(a.2).0.cmp(self.row(b.2).0));
            }
            rest = after;
        }
    }

    /// Calls `row` with each key once, sorted, equal ones merged. The buffer is sorted.
    fn each(&self, merge: Merge, mut row: impl FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut at = 0;
        let mut merged = Vec::new();
        while at < self.index.len() {
            let (key, first) = self.row(self.index[at].2);
            at += 1;
            let mut several = false;
            while at < self.index.len() {
                let (next, value) = self.row(self.index[at].2);
                if next != key {
                    break;
                }
                if !several {
                    several = true;
                    merged.clear();
                    merged.extend_from_slice(first);
                }
                merge(key, &mut merged, value)?;
                at += 1;
            }
            row(key, if several { &merged } else { first })?;
        }
        Ok(())
    }
}

/// The first sixteen bytes of a key as numbers of the same order: enough to tell most names apart.
fn prefix(key: &[u8]) -> (u64, u64) {
    let mut bytes = [0; 16];
    let len = key.len().min(16);
    bytes[..len].copy_from_slice(&key[..len]);
    let number = u128::from_be_bytes(bytes);
    ((number >> 64) as u64, number as u64)
}

/// Merges the value of a key into another of the same key.
pub type Merge = fn(&[u8], &mut Vec<u8>, &[u8]) -> io::Result<()>;

/// Sorts rows; see the module.
pub struct Sorter {
    merge: Merge,
    buffer: Buffer,
    buffer_bytes: usize,
    full: Option<SyncSender<Buffer>>,
    worker: Option<JoinHandle<io::Result<Vec<PathBuf>>>>,
    folder: PathBuf,
}

impl Sorter {
    /// A sorter of rows with temporary files in `folder`.
    pub fn new(folder: &Path, buffer_bytes: usize) -> Sorter {
        Sorter::merging(folder, buffer_bytes, merge_values)
    }

    /// A sorter of anything: of equal keys the values are merged by `merge`.
    pub fn merging(folder: &Path, buffer_bytes: usize, merge: Merge) -> Sorter {
        let buffer_bytes = buffer_bytes.clamp(1 << 16, u32::MAX as usize / 2);
        Sorter {
            merge,
            buffer: Buffer::default(),
            buffer_bytes,
            full: None,
            worker: None,
            folder: folder.to_owned(),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    ///
    /// What the file system says of a temporary file; a key over 65,535 bytes.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if key.len() > usize::from(u16::MAX) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a key is longer than 65535 bytes"));
        }
        if self.buffer.bytes.len() + self.buffer.index.len() * 24 + key.len() + value.len()
            > self.buffer_bytes
            && !self.buffer.index.is_empty()
        {
            self.spill()?;
        }
        self.buffer.push(key, value);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let full = self.full.get_or_insert_with(|| {
            let (sender, receiver) = sync_channel(0);
            let (folder, merge) = (self.folder.clone(), self.merge);
            self.worker = Some(std::thread::spawn(move || write_spills(&receiver, &folder, merge)));
            sender
        });
        if full.send(buffer).is_err() {
            self.full = None;
            return Err(self.join().err().unwrap_or_else(|| io::Error::other("the sorting thread ended")));
        }
        Ok(())
    }

    fn join(&mut self) -> io::Result<Vec<PathBuf>> {
        self.full = None;
        self.worker.take().map_or(Ok(Vec::new()), |worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("the sorting thread panicked")))
        })
    }

    /// Calls `row` with each key once, sorted, equal ones merged.
    ///
    /// # Errors
    ///
    /// What the file system or `row` says.
    pub fn finish(mut self, row: impl FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.worker.is_none() {
            self.buffer.sort();
            return self.buffer.each(self.merge, row);
        }
        if !self.buffer.index.is_empty() {
            self.spill()?;
        }
        let mut heap = BinaryHeap::new();
        for path in self.join()? {
            let file = BufReader::with_capacity(SPILL_BUFFER, File::open(&path)?);
            std::fs::remove_file(&path)?;
            let mut cursor = Cursor {
                input: zstd::stream::read::Decoder::with_buffer(file)?,
                key: Vec::new(),
                value: Vec::new(),
            };
            if cursor.advance()? {
                heap.push(cursor);
            }
        }
        on_another_thread(heap, self.merge, row)
    }
}

/// Rows of a chunk that goes from the merging thread to the writing one.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that wait.
const CHUNKS: usize = 4;

/// Merges on a thread of its own, while `row` takes the rows on this one.
fn on_another_thread<R: Read + Send + 'static>(
    mut heap: BinaryHeap<Cursor<R>>,
    merge: Merge,
    mut row: impl FnMut(&[u8], &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let (sender, receiver) = sync_channel::<Buffer>(CHUNKS);
    let merging = std::thread::spawn(move || {
        let mut chunk = Buffer::default();
        let gone = || io::Error::other("the writing thread ended");
        merge_sorted(&mut heap, merge, &mut |key: &[u8], value: &[u8]| {
            chunk.push(key, value);
            if chunk.bytes.len() >= CHUNK_BYTES {
                sender.send(std::mem::take(&mut chunk)).map_err(|_| gone())?;
            }
            Ok(())
        })?;
        sender.send(chunk).map_err(|_| gone())
    });
    let mut result = Ok(());
    while let Ok(chunk) = receiver.recv() {
        result = chunk.index.iter().try_for_each(|(_, _, at)| {
            let (key, value) = chunk.row(*at);
            row(key, value)
        });
        if result.is_err() {
            break;
        }
    }
    drop(receiver);
    let merged = merging.join().unwrap_or_else(|_| Err(io::Error::other("the merging thread panicked")));
    result.and(merged)
}

/// Merges sorted streams: equal keys are merged.
fn merge_sorted<R: Read>(
    heap: &mut BinaryHeap<Cursor<R>>,
    merge: Merge,
    row: &mut impl FnMut(&[u8], &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let mut have = false;
    while let Some(mut top) = heap.peek_mut() {
        if have && top.key == key {
            merge(&key, &mut value, &top.value)?;
        } else {
            if have {
                row(&key, &value)?;
            }
            std::mem::swap(&mut key, &mut top.key);
            std::mem::swap(&mut value, &mut top.value);
            top.key.clone_from(&key);
            have = true;
        }
        if !top.advance()? {
            std::collections::binary_heap::PeekMut::pop(top);
        }
    }
    if have { row(&key, &value) } else { Ok(()) }
}

fn write_spills(full: &Receiver<Buffer>, folder: &Path, merge: Merge) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    while let Ok(mut buffer) = full.recv() {
        buffer.sort();
        let path = folder.join(format!("{}.spill", paths.len()));
        let file = BufWriter::with_capacity(SPILL_BUFFER, File::create(&path)?);
        let mut out = zstd::stream::write::Encoder::new(file, SPILL_LEVEL)?;
        out.window_log(SPILL_WINDOW_LOG)?;
        let mut previous: Vec<u8> = Vec::new();
        buffer.each(merge, |key, value| {
            let shared = key.iter().zip(&previous).take_while(|(a, b)| a == b).count();
            let head = [shared as u16, (key.len() - shared) as u16];
            out.write_all(&head[0].to_le_bytes())?;
            out.write_all(&head[1].to_le_bytes())?;
            out.write_all(&(value.len() as u32).to_le_bytes())?;
            out.write_all(&key[shared..])?;
            out.write_all(value)?;
            previous.clear();
            previous.extend_from_slice(key);
            Ok(())
        })?;
        out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        paths.push(path);
    }
    Ok(paths)
}

/// A sorted stream at a row.
struct Cursor<R> {
    input: R,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl<R: Read> Cursor<R> {
    fn advance(&mut self) -> io::Result<bool> {
        let mut head = [0; 8];
        match self.input.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        let shared = usize::from(u16::from_le_bytes([head[0], head[1]]));
        let added = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let value = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        self.key.resize(shared + added, 0);
        self.input.read_exact(&mut self.key[shared..])?;
        self.value.resize(value, 0);
        self.input.read_exact(&mut self.value)?;
        Ok(true)
    }
}

impl<R> PartialEq for Cursor<R> {
    fn eq(&self, other: &Cursor<R>) -> bool {
        self.key == other.key
    }
}

impl<R> Eq for Cursor<R> {}

impl<R> PartialOrd for Cursor<R> {
    fn partial_cmp(&self, other: &Cursor<R>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> Ord for Cursor<R> {
    fn cmp(&self, other: &Cursor<R>) -> Ordering {
        other.key.cmp(&self.key)
    }
}
