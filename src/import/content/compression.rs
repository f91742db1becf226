//! Compressed content: found by its first bytes, read through, and kept from being a bomb.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

/// Bytes read at a time.
pub(super) const READ_BYTES: usize = 256 << 10;

/// The memory that decoding xz takes at most: `xz -9` needs 65 MiB.
const XZ_MEMORY_MAX: u64 = 256 << 20;

/// The window of zstd at most, as a power of two: 128 MiB, as the program `zstd` has it without `--long=31`.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How far content may go beyond its compressed size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The members of an archive.
    pub(super) members: usize,
    /// The bytes of all members of an archive, decompressed.
    pub(super) bytes: u64,
    /// How many times its compressed size anything may decompress to; gzip reaches 1,030 with nothing but zeros.
    pub(super) ratio: u64,
    /// From how many decompressed bytes on that is looked at.
    pub(super) ratio_from: u64,
}

/// The limits of an import.
pub(super) const LIMITS: Limits =
    Limits { members: 1_000_000, bytes: 256 << 30, ratio: 1000, ratio_from: 64 << 20 };

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// How much of content tells whether it is compressed, or an archive.
const HEAD_BYTES: usize = 512;

impl Method {
    fn of(head: &[u8]) -> Option<Method> {
        // A block of data, or the end where there is none.
        let block = |head: &[u8]| head.starts_with(b"1AY&SY") || head.starts_with(b"\x17rE8P\x90");
        match head {
            [0x1f, 0x8b, ..] => Some(Method::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if block(rest) => Some(Method::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Method::Xz),
            // A frame of data, or one that is to be passed over: pzstd begins so.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Method::Zstd),
            _ => None,
        }
    }

    fn decoder<'r>(self, raw: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
        let raw = BufReader::with_capacity(READ_BYTES, raw);
        Ok(match self {
            Method::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(raw)),
            Method::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(raw)),
            Method::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(raw, stream))
            }
            Method::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        })
    }
}

/// Whether content is compressed, by its beginning.
pub(super) fn is_compressed(head: &[u8]) -> bool {
    Method::of(head).is_some()
}

/// What content is once it is decompressed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Records.
    Plain,
    /// An archive that is read from its beginning to its end.
    Tar,
    /// An archive whose table of contents stands at its end.
    Zip,
}

/// Reads through a compression and says what is in it.
///
/// # Errors
///
/// Content that is compressed more than once; what the reader says.
pub(super) fn decompressed<'r>(
    raw: Box<dyn Read + 'r>,
    limits: Limits,
) -> io::Result<(Kind, Box<dyn Read + 'r>)> {
    let taken = Rc::new(Cell::new(0));
    let (head, raw) = peeked(Box::new(Taken { inner: raw, bytes: taken.clone() }))?;
    let Some(method) = Method::of(&head) else { return Ok((kind(&head), raw)) };
    let inner = method.decoder(raw)?;
    let (head, plain) = peeked(Box::new(Decompressed { inner, compressed: taken, bytes: 0, limits }))?;
    if Method::of(&head).is_some() {
        return Err(io::Error::other("it is compressed more than once: decompress it once before"));
    }
    Ok((kind(&head), plain))
}

/// The first bytes of content, and all of it.
pub(super) fn peeked<'r>(mut raw: Box<dyn Read + 'r>) -> io::Result<(Vec<u8>, Box<dyn Read + 'r>)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    raw.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(raw))))
}

/// Whether content is an archive, by its beginning.
pub(super) fn kind(head: &[u8]) -> Kind {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    // Older ones have no mark, but each block at the head of a member has a sum over itself.
    let is_tar = <&[u8; HEAD_BYTES]>::try_from(head).is_ok_and(|block| {
        let sum = |part: &[u8]| part.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let spaces = 8 * u32::from(b' ');
        let said = tar::Header::from_byte_slice(block).cksum();
        block[0] != 0 && said.is_ok_and(|said| said == sum(&block[..148]) + spaces + sum(&block[156..]))
    });
    if is_tar { Kind::Tar } else { Kind::Plain }
}

/// Counts what is read.
struct Taken<'r> {
    inner: Box<dyn Read + 'r>,
    bytes: Rc<Cell<u64>>,
}

impl Read for Taken<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.bytes.set(self.bytes.get() + count as u64);
        Ok(count)
    }
}

/// Decompressed content, of which there may be so much for so many compressed bytes.
pub(super) struct Decompressed<'r> {
    pub(super) inner: Box<dyn Read + 'r>,
    pub(super) compressed: Rc<Cell<u64>>,
    pub(super) bytes: u64,
    pub(super) limits: Limits,
}

impl Read for Decompressed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into).map_err(|error| match error.kind() {
            // Of xz and zstd alike.
            _ if error.to_string().contains("memory") => io::Error::other(format!(
                "decompressing it takes more memory than the {} MiB of xz and {} MiB of zstd that there is for \
                 it: compress it anew with a smaller window",
                XZ_MEMORY_MAX >> 20,
                (1_u64 << ZSTD_WINDOW_LOG_MAX) >> 20
            )),
            _ => error,
        })?;
        self.bytes += count as u64;
        let Limits { ratio, ratio_from, .. } = self.limits;
        if self.bytes > ratio_from && self.bytes / ratio > self.compressed.get() {
            return Err(io::Error::other(format!(
                "it decompresses to more than {ratio} times its size, as no feed does and a bomb does: \
                 if it is right, decompress it before"
            )));
        }
        Ok(count)
    }
}
