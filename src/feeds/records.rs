//! Records of named fields, as most feeds give them: rows of CSV with a header, or JSON objects.
//!
//! A format says by which names it is known and what a record of it says; all else is done here. Of CSV the header may
//! be a comment, as abuse.ch writes it; where there is none, the number of cells says which columns they are. Of JSON
//! the records may be lines, an array, or lists in an object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use csv::StringRecord;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::cells::Cells;
use super::entry::{Fault, shown};
use super::json_values::JsonValues;
use super::lines::Lines;
use super::{Emit, Input, Sample};
use crate::fact::Fact;
use crate::value::Timestamp;

/// What a format of records is.
pub(super) struct Records {
    /// The names that tell the format: a header or an object has all of one of these.
    pub(super) known_by: &'static [&'static [&'static str]],
    /// The columns of rows that no header stands above, found by their number.
    pub(super) columns: &'static [&'static [&'static str]],
    /// Whether a key of a JSON object is that of a list of records.
    pub(super) is_list: fn(&str) -> bool,
    /// What a record says.
    pub(super) facts: fn(&Record<'_>) -> Result<Vec<Fact>, Fault>,
}

/// The largest JSON record.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// How many lines of a sample are looked at for a header.
const SAMPLE_LINES: usize = 100;

/// Texts that stand for nothing.
const ABSENT: &[&str] = &["", "None", "null", "n/a", "N/A", "-"];

impl Records {
    /// Whether a sample has the names of this format.
    pub(super) fn recognise(&self, sample: &Sample<'_>) -> bool {
        if sample.starts_with(b'{') || sample.starts_with(b'[') {
            let has = |name: &&str| sample.contains(&format!("\"{name}\""));
            return self.known_by.iter().any(|names| names.iter().all(has));
        }
        let mut cells = Cells::new(b',');
        sample.lines().take(SAMPLE_LINES).any(|line| self.header(line, &mut cells).is_some())
    }

    /// Reads a file to its end.
    pub(super) fn read(&self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let start = input.reader.fill_buf()?;
        let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).trim_ascii_start();
        match start.first() {
            Some(b'{' | b'[') => self.read_objects(input, out),
            _ => self.read_rows(input, out),
        }
    }

    fn read_objects(&self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut values = JsonValues::of_lists(input.reader, self.is_list, RECORD_BYTES_MAX);
        while let Some((line, bytes)) = values.next(out)? {
            match serde_json::from_slice::<Object>(bytes) {
                Ok(object) => self.record(&Record::Object(&object), line, bytes, out)?,
                Err(error) => out.reject(line, "json", error.to_string(), bytes)?,
            }
        }
        Ok(())
    }

    fn read_rows(&self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut cells = Cells::new(b',');
        let mut header: Option<Vec<String>> = None;
        let (mut lines, mut rows) = (Lines::new(input.reader), 0);
        while let Some((number, line)) = lines.next(out)? {
            if let Some(found) = self.header(line, &mut cells) {
                header = Some(found);
                continue;
            }
            let comment = line.trim_start().strip_prefix('#');
            if let Some(said) = comment.and_then(entries).filter(|said| *said != rows) {
                let detail = format!("it says that it has {said} entries, and {rows} lines stand before it");
                out.reject(number, "count", detail, line.as_bytes())?;
            }
            if comment.is_some() || line.trim().is_empty() {
                continue;
            }
            rows += 1;
            let row = cells.split_spaced(line).map_err(|detail| ("columns", detail));
            match row.and_then(|row| self.row(row, header.as_deref())) {
                Ok(row) => self.record(&row, number, line.as_bytes(), out)?,
                Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
            }
        }
        Ok(())
    }

    /// A row with the names of its cells.
    fn row<'r>(&self, row: &'r StringRecord, header: Option<&'r [String]>) -> Result<Record<'r>, Fault> {
        if let Some(header) = header {
            if row.len() == header.len() {
                return Ok(Record::Row(Cow::Borrowed(header), row));
            }
            return Err(("columns", format!("{} cells under {} names", row.len(), header.len())));
        }
        let known = self.columns.iter().find(|names| names.len() == row.len());
        let names = known.ok_or_else(|| {
            ("columns", format!("{} cells without a header, which are none of this feed's", row.len()))
        })?;
        Ok(Record::Row(names.iter().map(|name| (*name).to_owned()).collect(), row))
    }

    /// What a record says goes out, or why it says nothing.
    fn record(&self, record: &Record<'_>, line: u64, text: &[u8], out: &mut Emit<'_>) -> io::Result<()> {
        match (self.facts)(record) {
            Ok(facts) => facts.into_iter().try_for_each(|fact| out.fact(line, fact)),
            Err((reason, detail)) => out.reject(line, reason, detail, text),
        }
    }

    /// The names of columns, lower case, where a line has those of this format, commented out or not.
    fn header(&self, line: &str, cells: &mut Cells) -> Option<Vec<String>> {
        let text = line.trim().trim_start_matches('#').trim_start();
        let first =
            |names: &&[&str]| names.iter().any(|name| starts_with(text.trim_start_matches('"'), name));
        // Most lines are no header, and that must cost little.
        if !self.known_by.iter().chain(self.columns).any(first) {
            return None;
        }
        let row = cells.split_spaced(text).ok()?;
        let names: Vec<String> = row.iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
        let has = |name: &&str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.known_by.iter().any(|known| known.iter().all(has)).then_some(names)
    }
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// How many entries a comment says that the feed has.
fn entries(comment: &str) -> Option<u64> {
    comment.trim().strip_prefix("Number of entries:")?.trim().parse().ok()
}

/// A JSON object of which no key stands twice: one of the two values would be lost in silence.
#[derive(Default)]
pub(super) struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.0.contains_key(&key) {
                        return Err(A::Error::custom(format!("the key {} stands twice", shown(&key))));
                    }
                    object.0.insert(key, value);
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// A record: a row with the names of its cells, or an object.
pub(super) enum Record<'r> {
    Row(Cow<'r, [String]>, &'r StringRecord),
    Object(&'r Object),
}

impl Record<'_> {
    /// The first field of these names that says something; of a list its texts, with `, ` between.
    pub(super) fn get(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.field(name))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let text: Cow<'_, str> = match self {
            Record::Row(header, row) => {
                let at = header.iter().position(|known| known.eq_ignore_ascii_case(name))?;
                row.get(at)?.into()
            }
            Record::Object(object) => match object.0.get(name)? {
                Value::String(text) => text.as_str().into(),
                Value::Number(number) => number.to_string().into(),
                Value::Bool(value) => if *value { "true" } else { "false" }.into(),
                Value::Array(all) => {
                    all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ").into()
                }
                Value::Null | Value::Object(_) => return None,
            },
        };
        let trimmed = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!ABSENT.contains(&&*trimmed)).then_some(trimmed)
    }

    /// The field, of which the record is nothing without.
    pub(super) fn need(&self, names: &[&str]) -> Result<Cow<'_, str>, Fault> {
        self.get(names).ok_or_else(|| ("fields", format!("{} is missing or empty", names.join(" or "))))
    }

    /// A time, as `2024-05-28 07:03:09`, perhaps with ` UTC`, or in one of the spellings of [`Timestamp::parse`].
    pub(super) fn time(&self, names: &[&str]) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = self.get(names) else { return Ok(None) };
        let plain = text.strip_suffix("UTC").unwrap_or(&text).trim_end();
        Timestamp::parse(plain).map(Some).map_err(|detail| ("date", detail))
    }

    /// A confidence in percent.
    pub(super) fn percent(&self, names: &[&str]) -> Result<Option<u8>, Fault> {
        let Some(text) = self.get(names) else { return Ok(None) };
        match text.parse() {
            Ok(percent @ 0..=100) => Ok(Some(percent)),
            _ => Err(("confidence", format!("{} is no confidence from 0 to 100", shown(&text)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    const RECORDS: Records = Records {
        known_by: &[&["id", "name"]],
        columns: &[&["id", "name", "when"], &["id", "name"]],
        is_list: |key| key == "data",
        facts: |record| Err(("read", format!("{:?} {:?}", record.get(&["id"]), record.time(&["when"])?))),
    };

    /// The line and the reason of each record.
    fn read(content: &[u8]) -> Vec<(u64, &'static str)> {
        let mut said = Vec::new();
        let mut sink = |item| {
            if let Item::Rejected(record) = item {
                said.push((record.line, record.reason));
            }
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        RECORDS.read(&mut Input { name: "feed", reader: &mut &*content }, &mut out).unwrap();
        said
    }

    #[test]
    fn rows_with_a_header_commented_or_not_or_without_any() {
        for (content, expected) in [
            ("\u{feff}# \"ID\", \"name\"\r\n1, a\r\n", vec![(2, "read")]),
            ("id,name\n1,a\n\n# said\n2,b", vec![(2, "read"), (5, "read")]),
            ("1,a\n2,b,2024-05-28\n3\n", vec![(1, "read"), (2, "read"), (3, "columns")]),
            ("name,id\na,1\na,1,2\n", vec![(2, "read"), (3, "columns")]),
            ("id,name,when\n1,a,soon\n", vec![(2, "date")]),
            ("id,name\n1,a\n# Number of entries: 1\n", vec![(2, "read")]),
            ("id,name\n1,a\n# Number of entries: 2\n", vec![(2, "read"), (3, "count")]),
        ] {
            assert_eq!(read(content.as_bytes()), expected, "{content:?}");
        }
    }

    #[test]
    fn hostile_records_cost_themselves_only() {
        let good = "{\"id\":1}";
        let giant = format!("{{\"id\":\"{}\"}}", "x".repeat(RECORD_BYTES_MAX));
        let deep = format!("{{\"id\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        for (bad, reason) in [
            (&*giant, "too long"),
            (&*deep, "json"),
            ("{\"id\":1,\"id\":2}", "json"),
            ("{\"id\":\"\\ud800\"}", "json"),
            ("[1]", "json"),
        ] {
            let said = read(format!("[{good},{bad},{good}]").as_bytes());
            assert_eq!(said, [(1, "read"), (2, reason), (3, "read")], "{}", shown(bad));
        }
        assert_eq!(read(b"{\"data\":[{\"id\":\"\xff\"},{\"id\":2}"), [(1, "json"), (2, "read"), (1, "cut")]);
        let giant = format!("id,name\n1,{}\n2,b\n", "x".repeat(super::super::LINE_BYTES_MAX));
        assert_eq!(read(giant.as_bytes()), [(2, "too long"), (3, "read")]);
    }
}
