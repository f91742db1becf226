//! What an import reads: a file, the files of a folder, or a stream; compressed or not.
//!
//! gzip and zstd are found by their first bytes. The digest is SHA-256 of what was decompressed: for a
//! folder of each file's name (its length before it), content and the content's length, in order of names.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::Origin;
use crate::feeds::SAMPLE_BYTES;

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// The most files of a folder.
pub const FOLDER_FILES_MAX: usize = 1_000_000;

/// What one import reads.
pub struct Content {
    /// The name of the file or folder without folder and endings; empty for a stream.
    pub stem: String,
    /// Its compressed bytes, where that is known beforehand.
    pub bytes: Option<u64>,
    /// How many of them were read, in this pass.
    pub read: Arc<AtomicU64>,
    /// The most bytes, decompressed.
    pub bytes_max: u64,
    entries: Vec<Entry>,
    is_folder: bool,
}

struct Entry {
    /// What the parser sees: with `/` between folders, without `.gz` and `.zst`.
    name: String,
    bytes: Bytes,
}

enum Bytes {
    File(PathBuf),
    /// Can be read once; taken when it is. Decompressed already where it was sampled.
    Stream {
        reader: Option<Box<dyn Read>>,
        is_plain: bool,
    },
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
        Ok(Content {
            stem: stem(&name).to_owned(),
            bytes: Some(meta.len()),
            read: Arc::default(),
            bytes_max: u64::MAX,
            entries: vec![entry],
            is_folder: false,
        })
    }

    /// What a stream gives, which is read once; `name` stands for it in messages.
    pub fn stream(name: &str, stream: Box<dyn Read>) -> Content {
        let entry = Entry {
            name: plain_name(name).to_owned(),
            bytes: Bytes::Stream { reader: Some(stream), is_plain: false },
        };
        Content {
            stem: String::new(),
            bytes: None,
            read: Arc::default(),
            bytes_max: u64::MAX,
            entries: vec![entry],
            is_folder: false,
        }
    }

    /// How many files.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it can be read more than once.
    pub fn is_rereadable(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.bytes, Bytes::File(_)))
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The name and the first bytes of a file, decompressed. A stream keeps them for later.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn sample(&mut self, index: usize) -> io::Result<(String, Vec<u8>)> {
        let read = Arc::new(AtomicU64::new(0));
        let entry = &mut self.entries[index];
        let mut head = Vec::new();
        let sampled = match &mut entry.bytes {
            Bytes::File(path) => File::open(path)
                .and_then(|file| decompressed(Box::new(file), &read))
                .and_then(|reader| reader.take(SAMPLE_BYTES as u64).read_to_end(&mut head)),
            Bytes::Stream { reader, is_plain } => {
                let raw = reader.take().unwrap_or_else(|| Box::new(io::empty()));
                decompressed(raw, &self.read).and_then(|mut plain| {
                    let count = plain.by_ref().take(SAMPLE_BYTES as u64).read_to_end(&mut head)?;
                    *reader = Some(Box::new(Cursor::new(head.clone()).chain(plain)));
                    *is_plain = true;
                    Ok(count)
                })
            }
        };
        let name = self.shown(index);
        sampled.map_err(|error| explained(&name, &error))?;
        Ok((base_name(&self.entries[index].name).to_owned(), head))
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
        let mut sha = Sha256::new();
        for index in 0..self.entries.len() {
            let shown = self.shown(index);
            let input = |error: io::Error| Failure::Input(explained(&shown, &error));
            let entry = &mut self.entries[index];
            if self.is_folder {
                sha.update((entry.name.len() as u64).to_be_bytes());
                sha.update(entry.name.as_bytes());
            }
            let raw = match &mut entry.bytes {
                Bytes::File(path) => {
                    decompressed(Box::new(File::open(path).map_err(input)?), &self.read).map_err(input)?
                }
                Bytes::Stream { reader, is_plain } => {
                    let reader = reader.take().unwrap_or_else(|| Box::new(io::empty()));
                    if *is_plain { reader } else { decompressed(reader, &self.read).map_err(input)? }
                }
            };
            let digesting = Digesting { inner: raw, sha, bytes: 0, bytes_max: self.bytes_max, failed: None };
            let mut reader = BufReader::with_capacity(READ_BYTES, digesting);
            let result = read(&entry.name, &mut reader);
            if let Some(error) = reader.get_mut().failed.take() {
                return Err(input(error));
            }
            result.map_err(Failure::Other)?;
            // A parser may stop before the end, the digest may not.
            io::copy(&mut reader, &mut io::sink()).map_err(input)?;
            let digesting = reader.into_inner();
            sha = digesting.sha;
            if self.is_folder {
                sha.update(digesting.bytes.to_be_bytes());
            }
        }
        Ok(format!("{:x}", sha.finalize()))
    }

    /// How a message names a file.
    fn shown(&self, index: usize) -> String {
        match &self.entries[index].bytes {
            Bytes::File(path) => path.display().to_string(),
            Bytes::Stream { .. } if self.entries[index].name.is_empty() => "standard input".to_owned(),
            Bytes::Stream { .. } => self.entries[index].name.clone(),
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
    Ok(Content {
        stem: name,
        bytes: Some(bytes),
        read: Arc::default(),
        bytes_max: u64::MAX,
        entries,
        is_folder: true,
    })
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name without the ending of its compression.
fn plain_name(name: &str) -> &str {
    [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
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
            format!("{name} is truncated: its compressed content ends early. Fetch it again")
        }
        _ => format!("{name} cannot be read: {error}"),
    };
    io::Error::new(error.kind(), text)
}

/// Reads through gzip and zstd, found by their first bytes; counts what is read of `raw`.
pub(super) fn decompressed(raw: Box<dyn Read>, read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
    let mut raw = Counting { inner: raw, read: read.clone() };
    let mut magic = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = |raw| Cursor::new(magic.clone()).chain(raw);
    if magic.starts_with(&[0x1f, 0x8b]) {
        let reader = BufReader::with_capacity(READ_BYTES, whole(raw));
        return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
    }
    if magic == [0x28, 0xb5, 0x2f, 0xfd] {
        let reader = BufReader::with_capacity(READ_BYTES, whole(raw));
        return Ok(Box::new(zstd::stream::read::Decoder::with_buffer(reader)?));
    }
    Ok(Box::new(whole(raw)))
}

struct Counting {
    inner: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Digests what is read, and remembers an error that a parser might not pass on.
struct Digesting {
    inner: Box<dyn Read>,
    sha: Sha256,
    bytes: u64,
    bytes_max: u64,
    failed: Option<io::Error>,
}

impl Read for Digesting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(into).and_then(|count| self.bounded(count)) {
            Ok(count) => {
                self.sha.update(&into[..count]);
                self.bytes += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(copy)
            }
        }
    }
}

impl Digesting {
    fn bounded(&self, count: usize) -> io::Result<usize> {
        if self.bytes + count as u64 <= self.bytes_max {
            return Ok(count);
        }
        let most = self.bytes_max >> 20;
        Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is more than {most} MiB, decompressed")))
    }
}
