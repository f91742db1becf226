//! Hashes of any amount, for filters: so many that memory is for other things go to a file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::filter;

/// Hashes that are kept in memory: 8 MiB.
const FEW: usize = 1 << 20;

/// Collects hashes and makes their filter.
pub struct Hashes {
    few: Vec<u64>,
    /// Those that memory was not for.
    file: Option<BufWriter<File>>,
    path: PathBuf,
    count: u64,
}

impl Hashes {
    /// No hashes; `path` is for a file that is needed only for many, and then has that name for a moment.
    pub fn new(path: &Path) -> Hashes {
        Hashes { few: Vec::new(), file: None, path: path.to_owned(), count: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn push(&mut self, hash: u64) -> io::Result<()> {
        self.count += 1;
        self.few.push(hash);
        if self.few.len() < FEW {
            return Ok(());
        }
        if self.file.is_none() {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(&self.path)?;
            // Nameless from now on: it is gone with the process.
            std::fs::remove_file(&self.path)?;
            self.file = Some(BufWriter::with_capacity(1 << 18, file));
        }
        if let Some(file) = &mut self.file {
            for hash in self.few.drain(..) {
                file.write_all(&hash.to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// The filter of these hashes and of `others`, which are forgotten.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn filter(self, others: Option<Hashes>, key_bits: usize) -> io::Result<Vec<u8>> {
        let count = self.count + others.as_ref().map_or(0, Hashes::len);
        let count = usize::try_from(count).map_err(io::Error::other)?;
        let mut filter = filter::Builder::new(count, key_bits);
        for hashes in std::iter::once(self).chain(others) {
            hashes.few.iter().for_each(|hash| filter.add(*hash));
            let Some(file) = hashes.file else { continue };
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            let mut chunk = vec![0; 1 << 18];
            loop {
                let read = read_full(&mut file, &mut chunk)?;
                for bytes in chunk[..read].chunks_exact(8) {
                    filter.add(u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
                }
                if read < chunk.len() {
                    break;
                }
            }
        }
        Ok(filter.finish())
    }
}

/// Fills the buffer as far as there are bytes.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_make_the_same_filter_as_few() {
        let path = std::env::temp_dir().join(format!("zonelens-hashes-{}", std::process::id()));
        let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (mut first, mut second) = (Hashes::new(&path), Hashes::new(&path));
        let count = FEW as u64 * 2 + 77;
        for number in 0..count {
            if number % 3 == 0 { first.push(hash(number)) } else { second.push(hash(number)) }.unwrap();
        }
        assert_eq!(first.len() + second.len(), count);
        let all: Vec<u64> = (0..count).map(hash).collect();
        assert_eq!(first.filter(Some(second), 10).unwrap(), filter::build(&all, 10));
        assert!(!path.exists());
    }
}
