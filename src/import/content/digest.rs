//! What identifies content: the digest of what was read of it.

use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest, Sha256};

use super::compression::READ_BYTES;
use super::{Failure, explained};

/// A file that was read: its name, the digest of its content, and how many bytes that is.
pub(super) type Digested = (String, [u8; 32], u64);

/// Reads one file by `read`, and what that left of it.
pub(super) fn digested<E>(
    name: &str,
    content: &mut dyn Read,
    shown: &str,
    read: &mut impl FnMut(&str, &mut dyn BufRead) -> Result<(), E>,
) -> Result<Digested, Failure<E>> {
    let input = |error: io::Error| Failure::Input(explained(shown, &error));
    let digesting = Digesting { inner: content, sha: Sha256::new(), bytes: 0, failed: None };
    let mut reader = BufReader::with_capacity(READ_BYTES, digesting);
    let result = read(name, &mut reader);
    if let Some(error) = reader.get_mut().failed.take() {
        return Err(input(error));
    }
    result.map_err(Failure::Other)?;
    // A parser may stop before the end, the digest may not.
    io::copy(&mut reader, &mut io::sink()).map_err(input)?;
    let digesting = reader.into_inner();
    Ok((name.to_owned(), digesting.sha.finalize().into(), digesting.bytes))
}

/// The digest of one file, or of many.
pub(super) fn digest_of(mut files: Vec<Digested>, is_many: bool) -> String {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if let ([(_, digest, _)], false) = (&files[..], is_many) {
        return hex(digest);
    }
    files.sort();
    let mut sha = Sha256::new();
    for (name, digest, bytes) in &files {
        sha.update((name.len() as u64).to_be_bytes());
        sha.update(name.as_bytes());
        sha.update(digest);
        sha.update(bytes.to_be_bytes());
    }
    hex(&sha.finalize())
}

/// Digests what is read, and remembers an error that a parser might not pass on.
struct Digesting<'c> {
    inner: &'c mut dyn Read,
    sha: Sha256,
    bytes: u64,
    failed: Option<io::Error>,
}

impl Read for Digesting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(into) {
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
