//! What an import reads: a file, the files of a folder, or a stream; compressed or not; archives of files.
//!
//! gzip, bzip2, xz and zstd are [found](compression) by their first bytes, [archives](archive) by their content. The
//! digest is SHA-256 of what was decompressed; of a folder or an archive, of each file's name (its length before it),
//! the digest of its content and the content's length, in order of names: packed anew it is the same content.

use std::fs::{self, File};
use std::io::{self, BufRead, Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::archive::Visit;
use self::compression::{Kind, LIMITS, Limits, decompressed, kind, peeked};
use self::digest::{digest_of, digested};
use super::Origin;
use crate::feeds::SAMPLE_BYTES;

mod archive;
mod compression;
mod digest;
mod spool;
#[cfg(test)]
mod tests;

/// The most files of a folder.
pub const FOLDER_FILES_MAX: usize = 1_000_000;

/// How much of a stream is kept to find its format: of an archive the members within.
const STREAM_HEAD_BYTES: u64 = 1 << 20;

/// What one import reads.
pub struct Content {
    /// The name of the file or folder without folder and endings; empty for a stream.
    pub stem: String,
    /// Its compressed bytes, where that is known beforehand.
    pub bytes: Option<u64>,
    /// How many of them were read, in this pass.
    pub read: Arc<AtomicU64>,
    /// How many files there were in the last pass; before it, how many there are beside those of archives.
    pub files: usize,
    entries: Vec<Entry>,
    is_folder: bool,
    limits: Limits,
    /// The most bytes of all files, decompressed.
    pub bytes_max: u64,
}

struct Entry {
    /// What the parser sees: with `/` between folders, without the ending of its compression.
    name: String,
    bytes: Bytes,
}

enum Bytes {
    File(PathBuf),
    /// A zip that came as a stream.
    Spooled(File),
    /// Can be read once; taken when it is. Decompressed already where it was sampled.
    Stream {
        reader: Option<Box<dyn Read>>,
        is_plain: bool,
    },
}

/// Content that is open.
enum Opened {
    Plain(Box<dyn Read>),
    Tar(Box<dyn Read>),
    Zip(Counting<File>),
}

impl Content {
    /// Finds what there is to read.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path; an empty folder.
    pub fn find(origin: Origin) -> io::Result<Content> {
        let path = match origin {
            Origin::Stdin => return Ok(Content::stream("", Box::new(io::stdin().lock()))),
            Origin::Path(path) => path,
        };
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let meta = fs::metadata(&path).map_err(named)?;
        let name = file_name(&path);
        if meta.is_dir() {
            return folder(&path).map_err(named);
        }
        if !meta.is_file() {
            // A pipe, as the shell's <(…): read once.
            return Ok(Content::stream(&name, Box::new(File::open(&path).map_err(named)?)));
        }
        let entry = Entry { name: plain_name(&name).to_owned(), bytes: Bytes::File(path) };
        Ok(Content::of(stem(&name).to_owned(), Some(meta.len()), vec![entry], false))
    }

    /// What a stream gives, which is read once; `name` stands for it in messages.
    pub fn stream(name: &str, stream: Box<dyn Read>) -> Content {
        let entry = Entry {
            name: plain_name(name).to_owned(),
            bytes: Bytes::Stream { reader: Some(stream), is_plain: false },
        };
        Content::of(String::new(), None, vec![entry], false)
    }

    fn of(stem: String, bytes: Option<u64>, entries: Vec<Entry>, is_folder: bool) -> Content {
        let (read, files) = (Arc::default(), entries.len());
        Content { stem, bytes, read, files, entries, is_folder, limits: LIMITS, bytes_max: u64::MAX }
    }

    /// Whether it can be read more than once.
    pub fn is_rereadable(&self) -> bool {
        self.entries.iter().all(|entry| !matches!(entry.bytes, Bytes::Stream { .. }))
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Shows `is_found` the name and the first bytes of one file after the other, decompressed, until it says so. A
    /// stream keeps them for later; of an archive in a stream they are the members within its first MiB.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn sample(&mut self, mut is_found: impl FnMut(&str, &[u8]) -> bool) -> io::Result<()> {
        for index in 0..self.entries.len() {
            let shown = self.shown(index);
            let mut done = false;
            let mut visit = |name: &str, content: &mut dyn Read| {
                let mut head = Vec::new();
                content.take(SAMPLE_BYTES as u64).read_to_end(&mut head)?;
                done = is_found(base_name(plain_name(name)), &head);
                Ok(if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            self.sample_of(index, &mut visit).map_err(|error| explained(&shown, &error))?;
            if done {
                break;
            }
        }
        Ok(())
    }

    fn sample_of(&mut self, index: usize, visit: &mut Visit<'_>) -> io::Result<()> {
        self.settle(index)?;
        let Bytes::Stream { reader, .. } = &mut self.entries[index].bytes else {
            return self.walk(index, visit).map(|_| ());
        };
        let mut plain = reader.take().unwrap_or_else(|| Box::new(io::empty()));
        let mut head = Vec::new();
        plain.by_ref().take(STREAM_HEAD_BYTES).read_to_end(&mut head)?;
        *reader = Some(Box::new(Cursor::new(head.clone()).chain(plain)));
        if kind(head.get(..512).unwrap_or_default()) != Kind::Tar {
            return visit(&self.entries[index].name, &mut &head[..]).map(|_| ());
        }
        match archive::tar(Box::new(&head[..]), self.limits, visit) {
            // The head is not the whole of it.
            Err(_) if head.len() as u64 == STREAM_HEAD_BYTES => Ok(()),
            walked => walked,
        }
    }

    /// Reads every file to its end by `read`, which gets its name, and returns the digest.
    ///
    /// # Errors
    ///
    /// [`Failure::Input`] where a file cannot be read, though `read` may not have said so; what `read` says.
    pub fn each<E>(
        &mut self,
        mut read: impl FnMut(&str, &mut dyn BufRead) -> Result<(), E>,
    ) -> Result<String, Failure<E>> {
        self.read.store(0, Ordering::Relaxed);
        let (mut files, mut is_many, bytes_max) =
            (Vec::<digest::Digested>::new(), self.is_folder, self.bytes_max);
        for index in 0..self.entries.len() {
            let shown = self.shown(index);
            let (top, mut failed) = (self.entries[index].name.clone(), None);
            let mut visit = |name: &str, content: &mut dyn Read| {
                let shown = if name == top {
                    shown.clone()
                } else {
                    format!("{shown}, in it {}", member(name, &top))
                };
                let read_before: u64 = files.iter().map(|(_, _, bytes)| bytes).sum();
                let mut content = Bounded { inner: content, bytes_max, left: bytes_max - read_before };
                match digested(name, &mut content, &shown, &mut read) {
                    Ok(file) => {
                        files.push(file);
                        Ok(ControlFlow::Continue(()))
                    }
                    Err(failure) => {
                        failed = Some(failure);
                        Err(io::Error::other("stopped"))
                    }
                }
            };
            let walked = self.walk(index, &mut visit);
            if let Some(failure) = failed {
                return Err(failure);
            }
            is_many |= walked.map_err(|error| Failure::Input(explained(&shown, &error)))?;
        }
        self.files = files.len();
        Ok(digest_of(files, is_many))
    }

    /// Reads the files of one entry; whether it is an archive. The names of what is in it come after its own in a
    /// folder, and stand alone otherwise.
    fn walk(&mut self, index: usize, visit: &mut Visit<'_>) -> io::Result<bool> {
        self.settle(index)?;
        let (limits, name) = (self.limits, self.entries[index].name.clone());
        let opened = self.open(index)?;
        let prefix = if self.is_folder { format!("{name}/") } else { String::new() };
        let mut within =
            |member: &str, content: &mut dyn Read| visit(&format!("{prefix}{}", plain_name(member)), content);
        match opened {
            Opened::Plain(mut reader) => return visit(&name, &mut reader).map(|_| false),
            Opened::Tar(reader) => archive::tar(reader, limits, &mut within)?,
            Opened::Zip(file) => archive::zip(file, limits, &mut within)?,
        }
        Ok(true)
    }

    /// Reads through the compression of a stream; one that is a zip goes to a temporary file.
    fn settle(&mut self, index: usize) -> io::Result<()> {
        let Bytes::Stream { reader, is_plain: is_plain @ false } = &mut self.entries[index].bytes else {
            return Ok(());
        };
        let raw = reader.take().unwrap_or_else(|| Box::new(io::empty()));
        let (head, raw) = peeked(Box::new(Counting { inner: raw, read: self.read.clone() }))?;
        if kind(&head) == Kind::Zip {
            self.entries[index].bytes = Bytes::Spooled(spool::spooled(raw)?);
            return Ok(());
        }
        *reader = Some(decompressed(raw, self.limits)?.1);
        *is_plain = true;
        Ok(())
    }

    fn open(&mut self, index: usize) -> io::Result<Opened> {
        let file = match &mut self.entries[index].bytes {
            Bytes::File(path) => File::open(path)?,
            Bytes::Spooled(file) => file.try_clone()?,
            Bytes::Stream { reader, .. } => {
                let (head, plain) = peeked(reader.take().unwrap_or_else(|| Box::new(io::empty())))?;
                return opened(kind(&head), plain);
            }
        };
        let mut file = Counting { inner: file, read: self.read.clone() };
        let (head, _) = peeked(Box::new(&mut file))?;
        file.rewind()?;
        self.read.fetch_sub(head.len() as u64, Ordering::Relaxed);
        if kind(&head) == Kind::Zip {
            return Ok(Opened::Zip(file));
        }
        let (kind, plain) = decompressed(Box::new(file), self.limits)?;
        opened(kind, plain)
    }

    /// How a message names a file.
    fn shown(&self, index: usize) -> String {
        match &self.entries[index].bytes {
            Bytes::File(path) => path.display().to_string(),
            _ if self.entries[index].name.is_empty() => "standard input".to_owned(),
            _ => self.entries[index].name.clone(),
        }
    }
}

/// Why [`Content::each`] stopped.
pub enum Failure<E> {
    /// The input cannot be read on.
    Input(io::Error),
    /// What the reading function said.
    Other(E),
}

/// The files of a folder, in order of their names; hidden and empty ones are passed over.
fn folder(path: &Path) -> io::Result<Content> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    let mut folders = vec![(path.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push((path, format!("{prefix}{name}/")));
                continue;
            }
            let meta = fs::metadata(&path)?;
            if !meta.is_file() || meta.len() == 0 {
                continue;
            }
            bytes += meta.len();
            entries.push(Entry { name: format!("{prefix}{}", plain_name(&name)), bytes: Bytes::File(path) });
            if entries.len() > FOLDER_FILES_MAX {
                return Err(io::Error::other(format!(
                    "more than {FOLDER_FILES_MAX} files: import its folders one by one"
                )));
            }
        }
    }
    if entries.is_empty() {
        return Err(io::Error::other("there is no file with content in this folder"));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let name = path.canonicalize().map_or_else(|_| file_name(path), |path| file_name(&path));
    Ok(Content::of(name, Some(bytes), entries, true))
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name without the ending of its compression.
fn plain_name(name: &str) -> &str {
    [".gz", ".bz2", ".xz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A name without any ending.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

fn base_name(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

/// Says which file, and of a compressed one that was cut off what to do.
fn explained(name: &str, error: &io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            format!("{name} is truncated: its content ends early. Fetch it again")
        }
        _ => format!("{name} cannot be read: {error}"),
    };
    io::Error::new(error.kind(), text)
}

fn opened(kind: Kind, plain: Box<dyn Read>) -> io::Result<Opened> {
    match kind {
        Kind::Plain => Ok(Opened::Plain(plain)),
        Kind::Tar => Ok(Opened::Tar(plain)),
        Kind::Zip => Err(io::Error::other("it is a zip within a compressed file: decompress it before")),
    }
}

/// The name of what is in an archive, without that of the archive.
fn member<'n>(name: &'n str, archive: &str) -> &'n str {
    name.strip_prefix(archive).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name)
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// It is compressed.
    Compressed,
    /// It is an archive, compressed or not.
    Archive,
}

/// How the file is packed that a reader gives from its beginning.
pub(super) fn packing(raw: impl Read) -> io::Result<Packing> {
    let (head, raw) = peeked(Box::new(raw))?;
    if kind(&head) != Kind::Plain {
        return Ok(Packing::Archive);
    }
    if !compression::is_compressed(&head) {
        return Ok(Packing::Plain);
    }
    let (within, _) = decompressed(raw, LIMITS)?;
    Ok(if within == Kind::Plain { Packing::Compressed } else { Packing::Archive })
}

/// What is in a compressed file.
pub(super) fn unpacked(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(decompressed(Box::new(File::open(path)?), LIMITS)?.1)
}

/// Reads so many bytes and no more.
struct Bounded<'c> {
    inner: &'c mut dyn Read,
    bytes_max: u64,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            let most = self.bytes_max >> 20;
            io::Error::new(io::ErrorKind::FileTooLarge, format!("it is more than {most} MiB, decompressed"))
        })?;
        Ok(count)
    }
}

/// Counts what is read.
struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
