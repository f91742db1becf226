//! Cells of one line of CSV or TSV.

use std::io::Cursor;

use csv::{Reader, ReaderBuilder, StringRecord, Terminator};

/// Splits lines into cells (RFC 4180). A record never goes over the end of its line, so an open quote
/// spoils one line and not the rest of the file.
pub struct Cells {
    reader: Reader<Cursor<Vec<u8>>>,
    record: StringRecord,
    delimiter: u8,
}

impl Cells {
    /// A splitter for this delimiter.
    pub fn new(delimiter: u8) -> Cells {
        Cells { reader: reader(delimiter), record: StringRecord::new(), delimiter }
    }

    /// The cells of a line in which white space may stand before a cell, also before a quoted one: `"a", "b, c"`.
    ///
    /// # Errors
    ///
    /// As [`Cells::split`].
    pub fn split_spaced(&mut self, line: &str) -> Result<&StringRecord, String> {
        if !line.starts_with(' ') && !line.as_bytes().windows(2).any(|two| two == [self.delimiter, b' ']) {
            return self.split(line);
        }
        let (mut text, mut quoted, mut before) = (String::with_capacity(line.len()), false, true);
        for letter in line.chars() {
            if before && letter == ' ' {
                continue;
            }
            quoted ^= letter == '"';
            before = !quoted && letter == char::from(self.delimiter);
            text.push(letter);
        }
        self.split(&text)
    }

    /// The cells of a line. A blank line has none.
    ///
    /// # Errors
    ///
    /// When a quote stays open; with what is wrong.
    pub fn split(&mut self, line: &str) -> Result<&StringRecord, String> {
        let source = self.reader.get_mut();
        source.get_mut().clear();
        source.get_mut().extend_from_slice(line.as_bytes());
        source.get_mut().push(b'\n');
        source.set_position(0);
        let read = self.reader.read_record(&mut self.record);
        // A line end within a cell is the one that was put there: a quote kept the record open. That, and a line
        // without a cell, brings the reader to its end for good.
        let open = self.record.iter().next_back().is_some_and(|cell| cell.ends_with('\n'));
        if open || self.reader.is_done() {
            self.reader = reader(self.delimiter);
        }
        match read {
            Ok(_) if open => Err("a quote is not closed".to_owned()),
            Ok(_) => Ok(&self.record),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn reader(delimiter: u8) -> Reader<Cursor<Vec<u8>>> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(Cursor::new(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_quote_spoils_its_own_line_only() {
        let mut cells = Cells::new(b',');
        let mut split =
            |line: &str| cells.split(line).map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(split("a,\"b, \"\"c\"\"\",").unwrap(), ["a", "b, \"c\"", ""]);
        assert!(split("a,\"b").is_err());
        assert_eq!(split("").unwrap(), [""; 0]);
        assert_eq!(split("a\rb,c").unwrap(), ["a\rb", "c"]);
        assert_eq!(split(&"x".repeat(100_000)).unwrap()[0].len(), 100_000);
        assert_eq!(split("d").unwrap(), ["d"]);
        let spaced = cells.split_spaced("\"a\", \"b, \"\"c\"\"\",  d e, \"\"").unwrap();
        assert_eq!(spaced, vec!["a", "b, \"c\"", "d e", ""]);
    }
}
