//! JSON values one after another from a stream: a single document, an array of them, or a value a line.
//!
//! Only where a value begins and ends is found here; what is in it is `serde_json`'s to say. So a value that is broken
//! costs no other, and no more than one is held.

use std::io::{self, BufRead};

use super::Emit;

/// The largest value that is read, in bytes, unless a format sets its own limit. A larger one is rejected without
/// being held.
pub(super) const VALUE_BYTES_MAX: usize = 64 << 20;

/// How much of a value that is too large is shown.
const SHOWN_BYTES: usize = 200;

/// Reads the values of a stream, counts them, and rejects those that are too large.
pub(super) struct JsonValues<'a> {
    reader: &'a mut dyn BufRead,
    /// A key of an object around an array: the elements are the values then.
    envelope: Option<&'static str>,
    bytes_max: usize,
    buffer: Vec<u8>,
    within: Within,
    number: u64,
    line: u64,
    /// The next byte is the first of the stream.
    start: bool,
}

/// Where in the stream the reader stands between two values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Stream,
    Array,
    Envelope,
}

impl<'a> JsonValues<'a> {
    /// The values of `reader`; of `{"<envelope>":[…], …}` and of an array its elements.
    pub(super) fn new(
        reader: &'a mut dyn BufRead,
        envelope: Option<&'static str>,
        bytes_max: usize,
    ) -> JsonValues<'a> {
        let (buffer, within) = (Vec::new(), Within::Stream);
        JsonValues { reader, envelope, bytes_max, buffer, within, number: 0, line: 1, start: true }
    }

    /// The next value's bytes, with its line, or its number where it stands in the first line; `None` at the end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on, or the sink takes no more.
    pub(super) fn next(&mut self, out: &mut Emit<'_>) -> io::Result<Option<(u64, &[u8])>> {
        while self.skip_between()? {
            let line = self.line;
            self.buffer.clear();
            let Fill::Value { too_long } = self.fill()? else { continue };
            self.number += 1;
            let at = if line == 1 { self.number } else { line };
            if !too_long {
                return Ok(Some((at, &self.buffer)));
            }
            let detail = format!("the value is larger than {} bytes", self.bytes_max);
            out.reject(at, "too long", detail, &self.buffer)?;
        }
        Ok(None)
    }

    /// Passes over what may stand between values; whether there is another.
    fn skip_between(&mut self) -> io::Result<bool> {
        while let Some(byte) = self.reader.fill_buf()?.first().copied() {
            let mark = std::mem::take(&mut self.start) && byte == 0xef;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => self.consume(byte),
                _ if mark => (0..3).try_for_each(|_| self.pass())?,
                b'[' if self.within == Within::Stream => {
                    self.consume(byte);
                    self.within = Within::Array;
                }
                b']' if self.within != Within::Stream => {
                    self.consume(byte);
                    if self.within == Within::Envelope {
                        self.leave_envelope()?;
                    }
                    self.within = Within::Stream;
                }
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Reads a value into the buffer.
    fn fill(&mut self) -> io::Result<Fill> {
        let (mut scan, mut too_long) = (Scan::default(), false);
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                return Ok(Fill::Value { too_long });
            }
            let (length, stop) = scan.run(available);
            let taken = &available[..length];
            self.line += taken.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            if !too_long {
                self.buffer.extend_from_slice(taken);
                too_long = self.buffer.len() > self.bytes_max;
                self.buffer.truncate(if too_long { SHOWN_BYTES } else { usize::MAX });
            }
            self.reader.consume(length);
            match stop {
                Stop::End => return Ok(Fill::Value { too_long }),
                Stop::Array if self.within == Within::Stream && self.is_envelope() => {
                    self.within = Within::Envelope;
                    return Ok(Fill::Entered);
                }
                Stop::Array | Stop::Input => {}
            }
        }
    }

    /// Whether what was read ends with `"<envelope>":[`.
    fn is_envelope(&self) -> bool {
        let Some(envelope) = self.envelope else { return false };
        let key = self.buffer.strip_suffix(b"[").map(|read| read.trim_ascii_end());
        let key = key.and_then(|read| read.strip_suffix(b":")).map(|read| read.trim_ascii_end());
        let before = key.and_then(|read| read.strip_suffix(format!("\"{envelope}\"").as_bytes()));
        before.is_some_and(|before| matches!(before.trim_ascii_end().last(), Some(b'{' | b',')))
    }

    /// The last line, where the input ended within an array or an envelope.
    pub(super) fn cut_at(&self) -> Option<u64> {
        (self.within != Within::Stream).then_some(self.line)
    }

    /// Passes over the rest of the object whose array has ended.
    fn leave_envelope(&mut self) -> io::Result<()> {
        let mut scan = Scan::default();
        scan.more(b'{');
        while let Some(byte) = self.reader.fill_buf()?.first().copied() {
            self.consume(byte);
            if !scan.more(byte) {
                break;
            }
        }
        Ok(())
    }

    fn pass(&mut self) -> io::Result<()> {
        if let Some(byte) = self.reader.fill_buf()?.first().copied() {
            self.consume(byte);
        }
        Ok(())
    }

    /// Takes the byte that stands next.
    fn consume(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.reader.consume(1);
    }
}

enum Fill {
    /// An array of values was entered; there is no value yet.
    Entered,
    Value {
        too_long: bool,
    },
}

/// How deep in brackets and whether in a string.
#[derive(Default)]
struct Scan {
    depth: u32,
    /// Which of the outer brackets are square, a bit each.
    square: u128,
    string: bool,
    escaped: bool,
    /// A number or a word has begun.
    plain: bool,
}

/// Why a scan stopped.
enum Stop {
    /// The value has ended.
    End,
    /// An array has begun that is the value of a key of the outermost object.
    Array,
    /// There are no more bytes.
    Input,
}

impl Scan {
    /// Takes bytes up to the end of the value, and how many these are.
    fn run(&mut self, bytes: &[u8]) -> (usize, Stop) {
        for (at, byte) in bytes.iter().copied().enumerate() {
            if self.plain && (byte.is_ascii_whitespace() || b",[]{}\"".contains(&byte)) {
                return (at, Stop::End);
            }
            if !self.more(byte) {
                return (at + 1, Stop::End);
            }
            self.plain = self.depth == 0 && !self.string;
            if byte == b'[' && self.depth == 2 && !self.string {
                return (at + 1, Stop::Array);
            }
        }
        (bytes.len(), Stop::Input)
    }

    /// Takes one more byte; whether the value goes on after it. Of a number or a word nobody can say.
    fn more(&mut self, byte: u8) -> bool {
        if self.string {
            if std::mem::take(&mut self.escaped) {
                return true;
            }
            self.escaped = byte == b'\\';
            self.string = byte != b'"';
            return self.string || self.depth > 0;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => {
                // Deeper brackets are only counted: what is so deep is rejected in any case.
                let bit = 1_u128.checked_shl(self.depth).unwrap_or(0);
                self.square = if byte == b'[' { self.square | bit } else { self.square & !bit };
                self.depth = self.depth.saturating_add(1);
            }
            b'}' | b']' => return self.close(byte),
            _ => {}
        }
        true
    }

    /// A bracket that does not close the innermost one is passed over, so that a broken value ends where it should.
    fn close(&mut self, byte: u8) -> bool {
        let Some(inner) = self.depth.checked_sub(1) else { return false };
        let is_square = 1_u128.checked_shl(inner).is_some_and(|bit| self.square & bit != 0);
        if inner >= u128::BITS || is_square == (byte == b']') {
            self.depth = inner;
        }
        self.depth > 0
    }
}

/// The keys of the first object of a sample, also where an array comes before it; up to where the sample is cut.
pub(super) fn first_keys(head: &[u8]) -> Vec<&str> {
    let separators = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'[';
    let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
    let start = head.iter().position(|byte| !separators(byte)).unwrap_or(head.len());
    let (mut scan, mut keys, mut string_start, mut last) = (Scan::default(), Vec::new(), 0, None);
    let object = &head[start..];
    if object.first() != Some(&b'{') {
        return keys;
    }
    for (at, byte) in object.iter().enumerate() {
        let was_string = scan.string;
        if !scan.more(*byte) {
            break;
        }
        match (was_string, scan.string) {
            (false, true) => string_start = at + 1,
            (true, false) => last = object.get(string_start..at),
            _ => {}
        }
        if *byte == b':' && !scan.string && scan.depth == 1 {
            keys.extend(last.take().and_then(|key| std::str::from_utf8(key).ok()));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    type Values = Vec<(u64, String)>;

    fn values(input: &str, bytes_max: usize) -> (Values, Vec<(u64, &'static str)>) {
        let mut rejected = Vec::new();
        let mut sink = |item| {
            if let Item::Rejected(record) = item {
                rejected.push((record.line, record.reason));
            }
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        // A buffer of three bytes: no value may depend on where one ends.
        let mut reader = io::BufReader::with_capacity(3, input.as_bytes());
        let mut read = Vec::new();
        let mut values = JsonValues::new(&mut reader, Some("response"), bytes_max);
        while let Some((line, value)) = values.next(&mut out).unwrap() {
            read.push((line, String::from_utf8(value.to_vec()).unwrap()));
        }
        (read, rejected)
    }

    #[test]
    fn a_document_an_array_lines_and_an_envelope_are_values() {
        let two = [(1, r#"{"a":"}]\""}"#.to_owned()), (2, r#"{"b":[1,{}]}"#.to_owned())];
        for input in [
            "\u{feff}[{\"a\":\"}]\\\"\"},{\"b\":[1,{}]}]",
            "{\"a\":\"}]\\\"\"}\n{\"b\":[1,{}]}\n",
            "{\"a\":\"}]\\\"\"}{\"b\":[1,{}]}",
            "{\"response\": [{\"a\":\"}]\\\"\"} , {\"b\":[1,{}]}], \"more\":{\"x\":[]}}",
            "{\"type\":\"x\", \"more\":[2], \"response\" : [{\"a\":\"}]\\\"\"},{\"b\":[1,{}]}]}",
        ] {
            assert_eq!(values(input, 100).0, two, "{input}");
        }
        let (read, _) = values("{\n}\n\n {\"x\":1}\nnull 12,\"s\" ]", 100);
        assert_eq!(read.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 4, 5, 5, 5, 5]);
        assert_eq!(
            read[2..].iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
            ["null", "12", "\"s\"", "]"]
        );
    }

    #[test]
    fn a_value_too_large_is_rejected_and_the_rest_is_read() {
        let input = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(50));
        assert_eq!(values(&input, 20), (vec![(2, "{\"b\":1}".to_owned())], vec![(1, "too long")]));
        let broken = "{\"a\":[1,}],}\n{\"b\":1}";
        assert_eq!(values(broken, 20).0.len(), 2, "a wrong bracket ends no value");
        let deep = format!("{}{}1", "[{\"a\":".repeat(100), "}]".repeat(100));
        assert_eq!(values(&format!("x{deep}"), 2000).0.len(), 3, "x, the deep value, 1");
        assert_eq!(values("{\"a\":[1", 20).0, [(1, "{\"a\":[1".to_owned())], "a cut value is given as it is");
    }

    #[test]
    fn keys_of_the_first_object_even_when_cut() {
        assert_eq!(
            first_keys(b" [ {\"a\": {\"x\": 1}, \"b\" : [\"c\", {\"d\":1}], \"e\":\"f:\", \"g"),
            ["a", "b", "e"]
        );
        assert_eq!(first_keys(b"\"a\": 1"), [""; 0]);
        assert_eq!(first_keys(b"{\"a\":1}{\"b\":2}"), ["a"]);
        assert_eq!(first_keys(b""), [""; 0]);
    }
}
