//! The members of archives, each as a file of a folder is: tar and zip.
//!
//! Members are read in the order in which they stand, and nothing is ever written: a name as `../x` is only a name.
//! Hidden and empty ones are passed over, and what is no file (folders, links, devices). A compressed member is read
//! through once; an archive within an archive is an error, and so is what an archive says twice or in two ways: two
//! members of a zip that have one name or share bytes.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::rc::Rc;

use zip::CompressionMethod;

use super::compression::{Decompressed, Kind, Limits, decompressed};

/// What is done with each member: its name and its content, decompressed. It may stop the walk.
pub(super) type Visit<'v> = dyn FnMut(&str, &mut dyn Read) -> io::Result<ControlFlow<()>> + 'v;

/// The most bytes that tar may say of one member before its content: long names, attributes.
const TAR_HEADER_BYTES_MAX: u64 = 4 << 20;

/// The most bytes of the table of contents of a zip: a million members with names of 80 bytes.
const ZIP_TABLE_BYTES_MAX: u64 = 128 << 20;

/// A block of zeros ends a tar; without one it was cut.
const TAR_END_BYTES: u64 = 512;

/// Reads the members of a tar; of several one after the other.
///
/// # Errors
///
/// A broken or cut archive, more than the limits allow; what `visit` says.
pub(super) fn tar(plain: Box<dyn Read + '_>, limits: Limits, visit: &mut Visit<'_>) -> io::Result<()> {
    let watch = Rc::new(Watch::default());
    let mut archive = tar::Archive::new(Watched { inner: plain, watch: watch.clone() });
    archive.set_ignore_zeros(true);
    let mut members = Members::new(limits);
    let mut entries = archive.entries()?;
    loop {
        watch.left.set(Some(TAR_HEADER_BYTES_MAX));
        let Some(entry) = entries.next() else { break };
        let mut entry = entry?;
        watch.left.set(None);
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (kind, size) = (entry.header().entry_type(), entry.size());
        if kind.is_gnu_sparse() {
            return Err(io::Error::other(format!("{name} is sparse: pack it without --sparse")));
        }
        let mut content = Counted { inner: &mut entry, bytes: 0 };
        let is_file = (kind.is_file() || kind.is_contiguous()) && !name.ends_with('/');
        if is_file && members.visit(&name, size, &mut content, visit)?.is_break() {
            return Ok(());
        }
        io::copy(&mut content, &mut io::sink())?;
        if content.bytes < size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} ends early")));
        }
    }
    if watch.zeros.get() < TAR_END_BYTES {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the end of the archive is missing"));
    }
    members.finish()
}

/// Reads the members of a zip.
///
/// # Errors
///
/// A broken or cut archive, an encrypted member or one of another method than stored and deflate, more than the limits
/// allow; what `visit` says.
pub(super) fn zip(file: impl Read + Seek, limits: Limits, visit: &mut Visit<'_>) -> io::Result<()> {
    let watch = Rc::new(Watch::default());
    watch.left.set(Some(ZIP_TABLE_BYTES_MAX));
    let mut archive =
        zip::ZipArchive::new(Watched { inner: file, watch: watch.clone() }).map_err(|error| {
            io::Error::new(
                io::Error::from(error).kind(),
                "it is no whole zip: fetch it again, or pack it anew",
            )
        })?;
    watch.left.set(None);
    let mut members = Members::new(limits);
    members.check_count(archive.len())?;
    if archive.has_duplicate_names() {
        return Err(io::Error::other("two of its members have one name: pack it anew"));
    }
    if archive.has_overlapping_entries()? {
        return Err(io::Error::other("its members overlap, as those of a bomb do: pack it anew"));
    }
    for index in 0..archive.len() {
        let member = archive.by_index_data(index)?;
        let name = member.name()?.replace('\\', "/");
        if member.is_dir() || member.is_symlink() || name.ends_with('/') {
            continue;
        }
        let (size, compressed, method) = (member.size(), member.compressed_size(), member.compression());
        if member.encrypted() {
            return Err(io::Error::other(format!("{name} is encrypted: decrypt it before")));
        }
        if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
            let text = format!("{name} is packed by {method}, and stored and deflate are read: pack it anew");
            return Err(io::Error::other(text));
        }
        let inner: Box<dyn Read> = Box::new(archive.by_index(index)?);
        let compressed = Rc::new(Cell::new(compressed));
        let mut content = Decompressed { inner, compressed, bytes: 0, limits };
        if members.visit(&name, size, &mut content, visit)?.is_break() {
            return Ok(());
        }
    }
    members.finish()
}

/// Counts the members of an archive and their bytes.
struct Members {
    limits: Limits,
    count: usize,
    /// Those that were read.
    read: usize,
    bytes: u64,
}

impl Members {
    fn new(limits: Limits) -> Members {
        Members { limits, count: 0, read: 0, bytes: 0 }
    }

    fn check_count(&self, count: usize) -> io::Result<()> {
        let most = self.limits.members;
        match count > most {
            true => Err(io::Error::other(format!("it has more than {most} members: pack them in several"))),
            false => Ok(()),
        }
    }

    /// Hands a member on, unless it is one that is passed over.
    fn visit(
        &mut self,
        name: &str,
        size: u64,
        content: &mut dyn Read,
        visit: &mut Visit<'_>,
    ) -> io::Result<ControlFlow<()>> {
        self.count += 1;
        self.check_count(self.count)?;
        let name = name.trim_start_matches('/');
        let is_hidden = name.split('/').any(|part| part.starts_with('.') && part != "." && part != "..");
        if is_hidden || size == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
        let (kind, plain) = decompressed(Box::new(content), self.limits).map_err(named)?;
        if kind != Kind::Plain {
            return Err(named(io::Error::other("it is an archive within an archive: unpack it before")));
        }
        self.read += 1;
        let mut limited = Limited { inner: plain, bytes: &mut self.bytes, most: self.limits.bytes };
        let name = name.strip_prefix("./").unwrap_or(name);
        visit(name, &mut limited)
    }

    fn finish(&self) -> io::Result<()> {
        match self.read {
            0 => Err(io::Error::other("there is no file with content in this archive")),
            _ => Ok(()),
        }
    }
}

/// What is known of an archive while it is read.
#[derive(Default)]
struct Watch {
    /// How much may be read of what is held in memory; all where that is not being read.
    left: Cell<Option<u64>>,
    /// How many zeros were read last.
    zeros: Cell<u64>,
}

/// An archive that is watched: the libraries hold what it says of itself without a limit.
struct Watched<R> {
    inner: R,
    watch: Rc<Watch>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if let Some(left) = self.watch.left.get() {
            let left = left.checked_sub(count as u64);
            let text = "what the archive says of its members is too long: pack it anew, in several";
            self.watch.left.set(Some(left.ok_or_else(|| io::Error::other(text))?));
        }
        let zeros = into[..count].iter().rev().take_while(|byte| **byte == 0).count();
        let before = if zeros == count { self.watch.zeros.get() } else { 0 };
        self.watch.zeros.set(before + zeros as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// The content of a member, of which there is so much in all members.
struct Limited<'m> {
    inner: Box<dyn Read + 'm>,
    bytes: &'m mut u64,
    most: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        *self.bytes += count as u64;
        if *self.bytes > self.most {
            let text =
                format!("the archive has more than {} bytes decompressed: pack it in several", self.most);
            return Err(io::Error::other(text));
        }
        Ok(count)
    }
}
