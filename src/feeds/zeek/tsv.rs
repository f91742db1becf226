//! The TSV that Zeek's ASCII writer makes: what its header says, cells and their escapes.

use std::borrow::Cow;

use super::Stop;
use super::row::{FIELDS, Field};

/// What the lines with `#` say, and where the cells of the present line are.
pub(super) struct Header {
    separator: u8,
    set_separator: char,
    empty_field: String,
    unset_field: String,
    /// `#path`.
    pub(super) path: Option<String>,
    columns: Vec<Option<Field>>,
    cells: [(u32, u32); FIELDS.len()],
}

impl Default for Header {
    fn default() -> Header {
        Header {
            separator: b'\t',
            set_separator: ',',
            empty_field: "(empty)".to_owned(),
            unset_field: "-".to_owned(),
            path: None,
            columns: Vec::new(),
            cells: [(0, 0); FIELDS.len()],
        }
    }
}

impl Header {
    /// Whether `#fields` was there.
    pub(super) fn has_columns(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Whether there is a column of this field.
    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.contains(&Some(field))
    }

    /// The elements of a set or vector.
    pub(super) fn split_set<'a>(&self, cell: &'a str) -> std::str::Split<'a, char> {
        cell.split(self.set_separator)
    }

    /// Reads a line with `#`.
    ///
    /// # Errors
    ///
    /// A separator of more than one character.
    pub(super) fn read(&mut self, line: &str) -> Result<(), Stop> {
        let one = |text: &str| -> Result<char, Stop> {
            let text = unescape(text);
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) if character.is_ascii() => Ok(character),
                _ => Err(Stop::Bad("header", "a separator is one ASCII character".to_owned())),
            }
        };
        if let Some(separator) = line.strip_prefix("#separator ") {
            // A log begins, maybe after another in the same file.
            *self = Header { separator: one(separator)? as u8, ..Header::default() };
            return Ok(());
        }
        let Some((name, value)) = line.split_once(char::from(self.separator)) else { return Ok(()) };
        match name {
            "#set_separator" => self.set_separator = one(value)?,
            "#empty_field" => value.clone_into(&mut self.empty_field),
            "#unset_field" => value.clone_into(&mut self.unset_field),
            "#path" => self.path = Some(value.to_owned()),
            "#fields" => self.columns = value.split(char::from(self.separator)).map(Field::find).collect(),
            _ => {}
        }
        Ok(())
    }

    /// Finds the cells of a line.
    ///
    /// # Errors
    ///
    /// When there are more or fewer than columns.
    pub(super) fn split(&mut self, line: &str) -> Result<(), Stop> {
        let mut found = 0;
        let mut start = 0;
        let mut cell = |end: usize| {
            if let Some(Some(field)) = self.columns.get(found) {
                self.cells[*field as usize] = (start, end as u32);
            }
            found += 1;
            start = end as u32 + 1;
        };
        // Eight bytes at a time: half the cost of a byte at a time.
        let (words, rest) = line.as_bytes().as_chunks::<8>();
        for (at, word) in words.iter().enumerate() {
            let mut places = places_of(self.separator, *word);
            while places != 0 {
                cell(8 * at + places.trailing_zeros() as usize / 8);
                places &= places - 1;
            }
        }
        for (at, byte) in rest.iter().enumerate() {
            if *byte == self.separator {
                cell(8 * words.len() + at);
            }
        }
        cell(line.len());
        if found == self.columns.len() {
            return Ok(());
        }
        Err(Stop::Bad("columns", format!("{found} columns where #fields names {}", self.columns.len())))
    }

    /// A cell of the line that was split last; None where it is unset or empty.
    pub(super) fn cell<'a>(&self, field: Field, line: &'a str) -> Option<&'a str> {
        let (start, end) = self.cells[field as usize];
        let cell = line.get(start as usize..end as usize)?;
        (!cell.is_empty() && cell != self.unset_field && cell != self.empty_field).then_some(cell)
    }
}

/// The places of a byte among eight, as the top bits of the bytes of a number, the first byte lowest.
fn places_of(byte: u8, word: [u8; 8]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zero_where_equal = u64::from_le_bytes(word) ^ u64::from_le_bytes([byte; 8]);
    !(((zero_where_equal & LOW) + LOW) | zero_where_equal | LOW)
}

/// Takes off the ASCII writer's escapes: `\xHH` is a byte, `\\` a backslash. As it was where the bytes are no UTF-8.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = match after {
            [b'x', high, low, ..] if byte == b'\\' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = hex {
            bytes.push(high << 4 | low);
            rest = &after[3..];
        } else {
            bytes.push(byte);
            rest = if byte == b'\\' && after.starts_with(b"\\") { &after[1..] } else { after };
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_the_ascii_writer() {
        for (text, plain) in [
            ("plain", "plain"),
            (r"a\x2cb", "a,b"),
            (r"Amazon.com\, Inc.", r"Amazon.com\, Inc."),
            (r"Entrust\\, Inc.", r"Entrust\, Inc."),
            (r"\x5cx41", r"\x41"),
            (r"gr\xc3\xbc\xc3\x9fe", "grüße"),
            (r"\xff", r"\xff"),
            (r"\x4", r"\x4"),
            (r"\", r"\"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }

    #[test]
    fn places_of_a_byte() {
        assert_eq!(places_of(b'\t', *b"ab\tc\t\x08\x89\n"), 0x0000_0080_0080_0000);
        for at in 0..8 {
            let mut word = [0xff; 8];
            word[at] = b'\t';
            assert_eq!(places_of(b'\t', word), 0x80 << (8 * at));
        }
    }
}
