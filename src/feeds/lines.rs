//! Lines of bounded length from a stream.

use std::io::{self, BufRead, Read};

use super::Emit;

/// The longest line that is read, in bytes. A longer one is rejected without being held.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// How much of a line that is too long is shown.
const SHOWN_BYTES: usize = 200;

/// Reads lines, counts them, and rejects those that are too long or no UTF-8.
pub struct Lines<'a> {
    reader: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    /// Lines of `reader`, numbered from 1.
    pub fn new(reader: &'a mut dyn BufRead) -> Lines<'a> {
        Lines { reader, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line that was returned last.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end and without a byte order mark; `None` at the end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on, or the sink takes no more.
    pub fn next(&mut self, out: &mut Emit<'_>) -> io::Result<Option<(u64, &str)>> {
        loop {
            self.buffer.clear();
            match self.fill()? {
                Fill::End => return Ok(None),
                Fill::TooLong => {
                    self.number += 1;
                    let detail = format!("the line is longer than {LINE_BYTES_MAX} bytes");
                    out.reject(self.number, "too long", detail, &self.buffer[..SHOWN_BYTES])?;
                }
                Fill::Line => {
                    self.number += 1;
                    if self.buffer.is_ascii() || std::str::from_utf8(&self.buffer).is_ok() {
                        break;
                    }
                    out.reject(self.number, "encoding", "the line is not UTF-8", &self.buffer)?;
                }
            }
        }
        let line = std::str::from_utf8(&self.buffer).expect("checked above");
        let line = line.trim_end_matches(['\n', '\r']);
        Ok(Some((self.number, if self.number == 1 { line.trim_start_matches('\u{feff}') } else { line })))
    }

    /// Reads to the end of the line; what is over the limit is passed over.
    fn fill(&mut self) -> io::Result<Fill> {
        let limit = LINE_BYTES_MAX as u64 + 1;
        (&mut *self.reader).take(limit).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.len() <= LINE_BYTES_MAX {
            return Ok(if self.buffer.is_empty() { Fill::End } else { Fill::Line });
        }
        if !self.buffer.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
        }
        self.buffer.truncate(SHOWN_BYTES);
        Ok(Fill::TooLong)
    }
}

enum Fill {
    Line,
    TooLong,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    #[test]
    fn a_line_too_long_is_rejected_and_the_rest_is_read() {
        let mut input = b"first\r\n".to_vec();
        input.resize(input.len() + LINE_BYTES_MAX + 1, b'x');
        input.extend_from_slice(b"\n\xff\xfe\nlast");
        let mut reasons = Vec::new();
        let mut sink = |item| {
            if let Item::Rejected(rejected) = item {
                reasons.push((rejected.line, rejected.reason));
            }
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        let mut reader = io::BufReader::new(&input[..]);
        let mut lines = Lines::new(&mut reader);
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next(&mut out).unwrap() {
            read.push((number, line.to_owned()));
        }
        assert_eq!(read, [(1, "first".to_owned()), (4, "last".to_owned())]);
        assert_eq!(reasons, [(2, "too long"), (3, "encoding")]);
    }
}
