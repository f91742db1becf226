//! A mapped file whose bytes are checked before they are believed: one CRC-32 a page of 16 KiB.
//!
//! Layout of every such file: `body ‖ checksum of each page of the body (u32) ‖ trailer`. The trailer is
//! the length of the body (u64), the CRC-32 of checksums and length (u32), and [`MAGIC`]; all little-endian.
//! A page is checked the first time that it is read; damage is an error that names file and page.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tantivy_common::file_slice::FileHandle;
use tantivy_common::{HasLen, OwnedBytes};

/// Bytes under one checksum.
pub const PAGE_BYTES: usize = 16 * 1024;

/// Ends every file of pages; the last byte is the version of the layout.
pub const MAGIC: [u8; 8] = *b"zonelen\x03";

const TRAILER_BYTES: usize = 8 + 4 + 8;

/// Bytes that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged at {place}", .file.display())]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where in it: `page 3 (bytes 49152 to 65535)`, `the trailer`, …
    pub place: String,
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, damage)
    }
}

/// Finds the damage that an I/O error stands for.
pub fn damage_in(error: &io::Error) -> Option<&Damage> {
    error.get_ref()?.downcast_ref::<Damage>()
}

/// A mapped and checked file.
pub struct Pages {
    file: PathBuf,
    bytes: OwnedBytes,
    body_len: usize,
    /// A bit a page: already found right.
    checked: Box<[AtomicU64]>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pages({})", self.file.display())
    }
}

impl Pages {
    /// Maps a file and checks its trailer.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the trailer is wrong; else what the file system says.
    pub fn open(path: &Path) -> io::Result<Arc<Pages>> {
        let file = File::open(path)?;
        let bytes = OwnedBytes::new(map(&file)?);
        let body_len = trailer(&bytes)
            .ok_or_else(|| Damage { file: path.to_owned(), place: trailer_place(&bytes).to_owned() })?;
        let pages = body_len.div_ceil(PAGE_BYTES);
        let checked = (0..pages.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Ok(Arc::new(Pages { file: path.to_owned(), bytes, body_len, checked }))
    }

    /// Length of the body.
    pub fn len(&self) -> usize {
        self.body_len
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Bytes of the body, checked.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page of the range is wrong or the range is past the end.
    pub fn bytes(&self, range: Range<usize>) -> Result<&[u8], Damage> {
        if range.start >= range.end {
            return Ok(&[]);
        }
        self.check(range.clone())?;
        Ok(&self.bytes[range])
    }

    /// A description of a place in the body, for an error.
    pub fn damage(&self, place: impl Into<String>) -> Damage {
        Damage { file: self.file.clone(), place: place.into() }
    }

    /// Checks every page; returns all that are wrong.
    pub fn verify(&self) -> Vec<Damage> {
        (0..self.body_len.div_ceil(PAGE_BYTES)).filter_map(|page| self.check_page(page).err()).collect()
    }

    #[inline]
    fn check(&self, range: Range<usize>) -> Result<(), Damage> {
        if range.end > self.body_len {
            return Err(self.damage(format!("byte {} (past the end)", range.end)));
        }
        for page in range.start / PAGE_BYTES..=(range.end - 1) / PAGE_BYTES {
            if self.checked[page / 64].load(Ordering::Relaxed) & (1 << (page % 64)) == 0 {
                self.check_page(page)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn check_page(&self, page: usize) -> Result<(), Damage> {
        let range = page * PAGE_BYTES..((page + 1) * PAGE_BYTES).min(self.body_len);
        let at = self.body_len + page * 4;
        let expected = u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"));
        if crc32fast::hash(&self.bytes[range.clone()]) != expected {
            return Err(self.damage(format!("page {page} (bytes {} to {})", range.start, range.end - 1)));
        }
        self.checked[page / 64].fetch_or(1 << (page % 64), Ordering::Relaxed);
        Ok(())
    }
}

/// What is wrong with a trailer.
fn trailer_place(bytes: &[u8]) -> &'static str {
    let magic = bytes.last_chunk::<8>().copied().unwrap_or_default();
    if magic != MAGIC && magic[..7] == MAGIC[..7] {
        return "the trailer, which another version of zonelens wrote (import into a new folder)";
    }
    "the trailer"
}

/// The length of the body, where the trailer is right.
fn trailer(bytes: &[u8]) -> Option<usize> {
    let at = bytes.len().checked_sub(TRAILER_BYTES)?;
    let (length, rest) = bytes[at..].split_first_chunk::<8>()?;
    let (crc, magic) = rest.split_first_chunk::<4>()?;
    let body_len = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let checksums = body_len.div_ceil(PAGE_BYTES).checked_mul(4)?;
    let right = magic == MAGIC
        && body_len.checked_add(checksums) == Some(at)
        && crc32fast::hash(&bytes[body_len..at + 8]) == u32::from_le_bytes(*crc);
    right.then_some(body_len)
}

#[expect(unsafe_code, reason = "mapping a file; runs are never written again once they have their name")]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: a published file is immutable and only ever unlinked, which keeps the mapping whole.
    unsafe { memmap2::Mmap::map(file) }
}

/// A range of a file of pages, as the run's table reads it.
#[derive(Debug)]
pub struct Section {
    /// The file.
    pub pages: Arc<Pages>,
    /// The part of its body.
    pub range: Range<usize>,
}

impl HasLen for Section {
    fn len(&self) -> usize {
        self.range.len()
    }
}

impl FileHandle for Section {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let range = self.range.start + range.start..self.range.start + range.end;
        if range.end > self.range.end {
            return Err(self.pages.damage(format!("byte {} (past the section)", range.end)).into());
        }
        if !range.is_empty() {
            self.pages.check(range.clone())?;
        }
        Ok(self.pages.bytes.slice(range))
    }
}

/// Writes a file of pages.
pub struct PageWriter<W: Write> {
    out: W,
    page: crc32fast::Hasher,
    in_page: usize,
    len: usize,
    checksums: Vec<u8>,
}

impl<W: Write> PageWriter<W> {
    /// A writer into `out`, which should be buffered.
    pub fn new(out: W) -> PageWriter<W> {
        PageWriter { out, page: crc32fast::Hasher::new(), in_page: 0, len: 0, checksums: Vec::new() }
    }

    /// Bytes of the body so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Writes checksums and trailer; returns what was written into.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn finish(mut self) -> io::Result<W> {
        self.end_page();
        let length = (self.len as u64).to_le_bytes();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.checksums);
        crc.update(&length);
        self.out.write_all(&self.checksums)?;
        self.out.write_all(&length)?;
        self.out.write_all(&crc.finalize().to_le_bytes())?;
        self.out.write_all(&MAGIC)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn end_page(&mut self) {
        if self.in_page > 0 {
            let crc = std::mem::take(&mut self.page).finalize();
            self.checksums.extend_from_slice(&crc.to_le_bytes());
            self.in_page = 0;
        }
    }
}

impl<W: Write> Write for PageWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PAGE_BYTES - self.in_page);
        self.out.write_all(&bytes[..taken])?;
        self.page.update(&bytes[..taken]);
        self.in_page += taken;
        self.len += taken;
        if self.in_page == PAGE_BYTES {
            self.end_page();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
