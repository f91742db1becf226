//! Files that grow: the new lines of one, as batches that say which bytes of which file they are.
//!
//! How far a file was read is nowhere but in the batches themselves ([`Part`]), which are published with their lines or
//! not at all: whoever is killed at any moment loses nothing and counts nothing twice. A file is its first bytes, up to
//! [`HEAD_BYTES`], and the last ones that were read of it, whatever it is called and whether it was compressed since.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::content::{Packing, file_name, packing, unpacked};
use super::{ImportError, Options, Step, Summary, import_stream};
use crate::feeds::{self, SAMPLE_BYTES, Sample, State};
use crate::store::{Event, FilePart as Part, Identity, Store};
use crate::value::Timestamp;

/// The first bytes that a file is known by.
const HEAD_BYTES: u64 = 1024;

/// The last bytes that were read of it, by which it is told from another that begins alike.
const TAIL_BYTES: u64 = 256;

/// The most bytes of one batch.
pub const PART_BYTES: u64 = 64 << 20;

/// Blocks in which the last line end is looked for.
const BLOCK_BYTES: u64 = 64 << 10;

/// The most bytes of lines at the beginning of a file without which the others cannot be read.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// What of the beginning of a file is to be read before each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Nothing,
    /// The first line.
    FirstLine,
    /// The lines that begin with `#`.
    Comments,
}

/// Formats of which any whole lines can be read by themselves, with their header.
const GROWING: [(&str, Header); 7] = [
    ("native", Header::Nothing),
    ("zeek", Header::Comments),
    ("suricata-eve", Header::Nothing),
    ("squid", Header::Nothing),
    ("httpx", Header::Nothing),
    ("csv", Header::FirstLine),
    ("cof", Header::Nothing),
];

fn header_of(format: &str) -> Option<Header> {
    GROWING.iter().find(|(name, _)| *name == format).map(|(_, header)| *header)
}

/// How far to read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The end of its last whole line: it may grow.
    LastLine,
    /// Its end: nobody writes to it any more.
    End,
    /// Its end where nothing was read of it before, else the end of its last whole line.
    EndOfNew,
}

/// What is known of the files of a source, and how their new lines are imported.
pub struct Growing<'a> {
    store: &'a Store,
    options: Options,
    /// Of each file the part that ends last.
    known: Vec<Part>,
}

/// A file as it is now.
pub struct Found {
    file: Content,
    bytes: u64,
    /// The part that ends where it was read to; empty where nothing was.
    read: Part,
    is_known: bool,
}

/// What can be read more than once, from any byte on.
enum Content {
    Plain(File),
    /// Compressed.
    Packed(PathBuf),
}

impl<'a> Growing<'a> {
    /// The files of the source that the options name.
    ///
    /// # Errors
    ///
    /// [`ImportError::Usage`] where there is no source, or where each batch of it would be all that it says; what the
    /// store says.
    pub fn new(store: &'a Store, options: Options) -> Result<Growing<'a>, ImportError> {
        let usage = |text: &str| Err(ImportError::Usage(text.to_owned()));
        let Some(source) = options.source.clone() else { return usage("name the source with --source") };
        let defaults = options.sources.iter().find(|known| known.name == source);
        if options.state.or(defaults.and_then(|known| known.state)) == Some(State::Whole) {
            return usage("what grows is events: its state cannot be whole");
        }
        let mut known: Vec<Part> = Vec::new();
        store.refresh();
        let live = store.snapshot()?.batches().into_iter().cloned().collect::<Vec<_>>();
        let ever = store.catalogue()?.0.into_iter().filter_map(|event| match event {
            Event::Imported { batch } => Some(batch),
            _ => None,
        });
        for batch in ever.chain(live).filter(|batch| batch.source == source) {
            if let Some(Identity::Part(part)) = batch.identity {
                remember(&mut known, part);
            }
        }
        Ok(Growing { store, options: Options { state: Some(State::Events), ..options }, known })
    }

    /// Looks at a file that is open at a path, compressed or not. `None`: it is too short to be known.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn find(&self, path: &Path, file: File) -> Result<Option<Found>, ImportError> {
        let named = |error: io::Error| ImportError::Input(format!("{}: {error}", path.display()));
        let mut content = Content::of(path, file).map_err(named)?;
        let bytes = content.len().map_err(named)?;
        let head = content.first(HEAD_BYTES.min(bytes)).map_err(named)?;
        let digest = |bytes: u64| format!("{:x}", Sha256::digest(&head[..bytes as usize]));
        let begins =
            |part: &&Part| part.head_bytes <= head.len() as u64 && digest(part.head_bytes) == part.head;
        let mut alike: Vec<&Part> = self.known.iter().filter(begins).collect();
        alike.sort_by_key(|part| std::cmp::Reverse((part.head_bytes, part.generation)));
        let mut read = None;
        for part in &alike {
            if part.to <= bytes && content.tail(part.to).map_err(named)? == part.tail {
                read = Some((*part).clone());
                break;
            }
        }
        let is_known = read.is_some();
        let lines = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
        let head_bytes = if head.len() as u64 == HEAD_BYTES { HEAD_BYTES } else { lines };
        let read = match (read, alike.first()) {
            (Some(part), _) => part,
            // It begins like that one, and is another.
            (None, Some(part)) => Part { generation: part.generation + 1, from: 0, to: 0, ..(*part).clone() },
            (None, None) if head_bytes == 0 => return Ok(None),
            (None, None) => {
                let (head, tail) = (digest(head_bytes), String::new());
                Part { head, head_bytes, generation: 0, from: 0, to: 0, tail }
            }
        };
        Ok(Some(Found { file: content, bytes, read, is_known }))
    }

    /// Whether a file can be read in parts: it is of a format of lines. `None`: it is of no known format.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn is_of_lines(&self, path: &Path) -> Result<bool, ImportError> {
        let packed = File::open(path).and_then(packing);
        let packed = packed.map_err(|error| ImportError::Input(format!("{}: {error}", path.display())))?;
        if packed == Packing::Archive {
            return Ok(false);
        }
        Ok(self.format(path, None)?.is_some_and(|format| header_of(format).is_some()))
    }

    /// The format of a file: the one that is named, else the one that recognises it.
    fn format(&self, path: &Path, found: Option<&mut Found>) -> Result<Option<&'static str>, ImportError> {
        let source =
            self.options.sources.iter().find(|known| Some(&known.name) == self.options.source.as_ref());
        let named = self.options.format.as_deref().or(source.and_then(|source| source.format.as_deref()));
        if let Some(name) = named {
            return super::format_by_name(name).map(|format| Some(format.name)).map_err(ImportError::Usage);
        }
        let error = |error: io::Error| ImportError::Input(format!("{}: {error}", path.display()));
        let head = match found {
            Some(found) => found.file.first(SAMPLE_BYTES as u64),
            None => File::open(path).and_then(|file| Content::of(path, file)?.first(SAMPLE_BYTES as u64)),
        };
        let name = file_name(path);
        let sample = Sample { name: &name, head: &head.map_err(error)? };
        Ok(feeds::recognise(&sample).map(|format| format.name))
    }

    /// Imports what is new in a file, in parts of [`PART_BYTES`] at most. `path` names it in messages and to its format.
    ///
    /// # Errors
    ///
    /// As [`super::import`]; what was imported before stays.
    pub fn take(
        &mut self,
        path: &Path,
        found: &mut Found,
        until: Until,
        now: Timestamp,
        progress: &mut dyn FnMut(Step),
    ) -> Result<Vec<Summary>, ImportError> {
        let named = |error: io::Error| ImportError::Input(format!("{}: {error}", path.display()));
        let mut summaries = Vec::new();
        let to_end = until == Until::End || (until == Until::EndOfNew && !found.is_known);
        while found.read.to < found.bytes {
            let Some(to) = found.next_end(to_end).map_err(named)? else { break };
            let tail = found.file.tail(to).map_err(named)?;
            let part = Part { from: found.read.to, to, tail, ..found.read.clone() };
            let format = self.format(path, Some(found))?.ok_or_else(|| {
                ImportError::Input(format!("no format recognises {}: name it with --format", path.display()))
            })?;
            let header = header_of(format).ok_or_else(|| {
                let names: Vec<&str> = GROWING.iter().map(|(name, _)| *name).collect();
                ImportError::Usage(format!(
                    "{format} cannot be followed: its lines do not stand alone; those of {} do",
                    names.join(", ")
                ))
            })?;
            let header = if part.from == 0 { Vec::new() } else { found.header(header).map_err(named)? };
            let lines = Exact { inner: found.file.from(part.from).map_err(named)?, left: to - part.from };
            let options = Options {
                now,
                format: Some(format.to_owned()),
                identity: Some(Identity::Part(part.clone())),
                ..self.options.clone()
            };
            let reader = Box::new(io::Cursor::new(header).chain(lines));
            let summary = import_stream(self.store, &options, &file_name(path), reader, progress)?;
            summaries.push(summary);
            remember(&mut self.known, part.clone());
            found.read = part;
        }
        Ok(summaries)
    }
}

/// Keeps of each file the part that ends last.
fn remember(known: &mut Vec<Part>, part: Part) {
    match known.iter_mut().find(|known| known.is_of(&part)) {
        Some(known) if known.to >= part.to => {}
        Some(known) => *known = part,
        None => known.push(part),
    }
}

impl Found {
    /// Whether something was read of it before.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Bytes that were not read yet.
    pub fn left(&self) -> u64 {
        self.bytes - self.read.to
    }

    /// Whether it is not compressed.
    pub fn is_plain(&self) -> bool {
        matches!(self.file, Content::Plain(_))
    }

    /// Whether both are of one file.
    pub fn is_same(&self, other: &Found) -> bool {
        self.read.is_of(&other.read)
    }

    /// Where the next part ends; `None`: no line has ended yet.
    fn next_end(&mut self, to_end: bool) -> io::Result<Option<u64>> {
        let (from, most) = (self.read.to, self.bytes.min(self.read.to + PART_BYTES));
        if to_end && most == self.bytes {
            return Ok(Some(most));
        }
        if let Content::Packed(_) = self.file {
            // All of it is there.
            return Ok(Some(self.bytes));
        }
        let mut end = most;
        while end > from {
            let start = end.saturating_sub(BLOCK_BYTES).max(from);
            let mut block = Vec::new();
            self.file.from(start)?.take(end - start).read_to_end(&mut block)?;
            if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(start + at as u64 + 1));
            }
            end = start;
        }
        // A line that fills a part never becomes a record: it is passed over.
        Ok((most - from == PART_BYTES).then_some(most))
    }

    /// The lines at its beginning that its parts need.
    fn header(&mut self, header: Header) -> io::Result<Vec<u8>> {
        let first = match header {
            Header::Nothing => return Ok(Vec::new()),
            _ => self.file.first(HEADER_BYTES_MAX)?,
        };
        let lines = first.split_inclusive(|byte| *byte == b'\n');
        Ok(match header {
            Header::FirstLine => lines.take(1).flatten().copied().collect(),
            _ => lines.take_while(|line| line.starts_with(b"#")).flatten().copied().collect(),
        })
    }
}

impl Content {
    fn of(path: &Path, mut file: File) -> io::Result<Content> {
        file.seek(SeekFrom::Start(0))?;
        Ok(match packing(&file)? {
            Packing::Plain => Content::Plain(file),
            Packing::Compressed => Content::Packed(path.to_owned()),
            Packing::Archive => return Err(io::Error::other("an archive is not of lines")),
        })
    }

    fn from(&mut self, byte: u64) -> io::Result<Box<dyn Read>> {
        match self {
            Content::Plain(file) => {
                file.seek(SeekFrom::Start(byte))?;
                Ok(Box::new(file.try_clone()?))
            }
            Content::Packed(path) => {
                let mut reader = unpacked(path)?;
                io::copy(&mut reader.by_ref().take(byte), &mut io::sink())?;
                Ok(reader)
            }
        }
    }

    fn first(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut first = Vec::new();
        self.from(0)?.take(bytes).read_to_end(&mut first)?;
        Ok(first)
    }

    /// The digest of the last bytes before one.
    fn tail(&mut self, to: u64) -> io::Result<String> {
        let mut tail = Vec::new();
        self.from(to.saturating_sub(TAIL_BYTES))?.take(TAIL_BYTES.min(to)).read_to_end(&mut tail)?;
        Ok(format!("{:x}", Sha256::digest(&tail)))
    }

    fn len(&mut self) -> io::Result<u64> {
        match self {
            Content::Plain(file) => Ok(file.metadata()?.len()),
            Content::Packed(_) => io::copy(&mut self.from(0)?, &mut io::sink()),
        }
    }
}

/// So many bytes and not one less: a file that shrinks while it is read gives nothing.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut into[..most])?;
        if count == 0 && most > 0 {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
