//! `csv`: a table of indicators of anybody's making, one a line, with columns as a mapping says.
//!
//! The mapping is a small TOML file (`import --format csv --mapping FILE`); each column by its name in the header or its
//! number from 1. `indicator` is all that there must be:
//!
//! ```toml
//! delimiter = ";"            # one character; a comma where nothing is said
//! header = true              # whether the first line names the columns
//! indicator = "ioc"          # a name, an address, a network, a URL or a hash, as in `list`
//! port = "port"
//! category = "threat"        # a category's name, or a word of `categories`
//! confidence = 7             # 0 to 100
//! first = "first_seen"
//! last = "last_seen"
//! until = "expires"
//! reference = "link"
//! [categories]
//! botnet_cc = "BOTNET_CNC"
//! ```
//!
//! Without a mapping the columns have these names themselves, and such a table is recognised. A category that is in no
//! table becomes OTHER, with the feed's word in the reference. Lines that begin with `#` are comments.

use std::collections::BTreeMap;
use std::io;

use csv::StringRecord;
use serde::Deserialize;

use super::cells::Cells;
use super::entry::{Entry, Fault, listing, shown};
use super::{Emit, Format, Input, Lines, Parse, Proof, Sample, State};
use crate::fact::{Fact, Listing};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    title: "a table of indicators, CSV, its columns as --mapping says",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(Table::new(Mapping::default())),
};

/// What a column is for; the names of columns where there is no mapping.
const FIELDS: [&str; 8] =
    ["indicator", "port", "category", "confidence", "first", "last", "until", "reference"];

/// The header has the name of an indicator, and names of fields only.
fn recognise(sample: &Sample<'_>) -> bool {
    let Some(header) = sample.data_lines().next() else { return false };
    let names: Vec<&str> = header.split(',').map(|name| name.trim().trim_matches('"')).collect();
    names.len() > 1 && names.contains(&"indicator") && names.iter().all(|name| FIELDS.contains(name))
}

/// Which column is what.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    delimiter: char,
    header: bool,
    indicator: Column,
    port: Option<Column>,
    category: Option<Column>,
    confidence: Option<Column>,
    first: Option<Column>,
    last: Option<Column>,
    until: Option<Column>,
    reference: Option<Column>,
    categories: BTreeMap<String, String>,
}

/// A column by its name or its number from 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Column {
    Number(usize),
    Name(String),
}

impl Default for Mapping {
    /// Each column by the name of its field.
    fn default() -> Mapping {
        let named = |at: usize| Column::Name(FIELDS[at].to_owned());
        Mapping {
            delimiter: ',',
            header: true,
            indicator: named(0),
            port: Some(named(1)),
            category: Some(named(2)),
            confidence: Some(named(3)),
            first: Some(named(4)),
            last: Some(named(5)),
            until: Some(named(6)),
            reference: Some(named(7)),
            categories: BTreeMap::new(),
        }
    }
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    ///
    /// What is wrong and where: an unknown key, a column by name without a header, a category that there is not.
    pub fn parse(text: &str) -> Result<Mapping, String> {
        // Of a mapping that is written nothing is meant that it does not say.
        let keys: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut mapping: Mapping = toml::from_str(text).map_err(|error| error.to_string())?;
        if !keys.contains_key("indicator") {
            return Err("there is no indicator: name its column, as in indicator = \"ioc\"".to_owned());
        }
        for (name, column) in FIELDS.iter().skip(1).zip(mapping.columns_mut()) {
            *column = column.take().filter(|_| keys.contains_key(*name));
        }
        if !mapping.delimiter.is_ascii() {
            return Err(format!("the delimiter {:?} is no ASCII character", mapping.delimiter));
        }
        for (name, column) in FIELDS.iter().zip(mapping.columns()) {
            match column {
                Some(Column::Number(0)) => return Err(format!("{name} = 0: the first column is 1")),
                Some(Column::Name(column)) if !mapping.header => {
                    return Err(format!("{name} = {column:?}, but header = false: give its number"));
                }
                _ => {}
            }
        }
        match mapping.categories.values().find(|name| Category::find(name).is_none()) {
            Some(unknown) => Err(format!("categories: there is no category {unknown:?}")),
            None => Ok(mapping),
        }
    }

    /// In the order of [`FIELDS`].
    fn columns(&self) -> [Option<&Column>; 8] {
        [
            Some(&self.indicator),
            self.port.as_ref(),
            self.category.as_ref(),
            self.confidence.as_ref(),
            self.first.as_ref(),
            self.last.as_ref(),
            self.until.as_ref(),
            self.reference.as_ref(),
        ]
    }

    /// The same, without the indicator's, which there must be.
    fn columns_mut(&mut self) -> impl Iterator<Item = &mut Option<Column>> {
        [
            &mut self.port,
            &mut self.category,
            &mut self.confidence,
            &mut self.first,
            &mut self.last,
            &mut self.until,
            &mut self.reference,
        ]
        .into_iter()
    }
}

/// A parser of tables whose columns are as a mapping says.
pub fn mapped(mapping: Mapping) -> Box<dyn Parse> {
    Box::new(Table::new(mapping))
}

/// Where the fields of a file stand, in the order of [`FIELDS`].
type Places = [Option<usize>; 8];

struct Table {
    mapping: Mapping,
}

impl Table {
    fn new(mapping: Mapping) -> Table {
        Table { mapping }
    }

    /// Where the columns stand; by the header, where there is one.
    fn places(&self, header: Option<&StringRecord>) -> Result<Places, Fault> {
        let mut places = Places::default();
        for ((place, column), field) in places.iter_mut().zip(self.mapping.columns()).zip(FIELDS) {
            let Some(column) = column else { continue };
            *place = match column {
                Column::Number(number) => Some(number - 1),
                Column::Name(name) => {
                    header.and_then(|header| header.iter().position(|cell| cell.trim() == name))
                }
            };
            if place.is_none() && field == "indicator" {
                return Err(("columns", "the header does not name the column of the indicator".to_owned()));
            }
        }
        Ok(places)
    }

    fn row(&self, places: &Places, row: &StringRecord) -> Result<Vec<Listing>, Fault> {
        let cell = |field: usize| {
            let text = row.get(places[field]?)?.trim();
            Some(text).filter(|text| !text.is_empty())
        };
        let text = cell(0).ok_or_else(|| ("columns", "there is no indicator in the row".to_owned()))?;
        let mut entry = Entry::parse(text)?;
        if let (Entry::Host(_, port @ None), Some(text)) = (&mut entry, cell(1)) {
            let number = text.parse::<u16>().ok().filter(|number| *number > 0);
            *port = Some(number.ok_or_else(|| ("port", format!("{} is no port", shown(text))))?);
        }
        let time = |field: usize| {
            let plain = cell(field).map(|text| text.trim_end_matches(" UTC"));
            plain.map(Timestamp::parse).transpose().map_err(|detail| ("date", detail))
        };
        let confidence = cell(3).map(|text| match text.parse::<u8>() {
            Ok(value) if value <= 100 => Ok(value),
            _ => Err(("confidence", format!("{} is not 0 to 100", shown(text)))),
        });
        let (category, own_word) = self.category(cell(2));
        let reference: Vec<&str> = own_word.into_iter().chain(cell(7)).collect();
        let mut all: Vec<Listing> = entry.listed().into_iter().map(listing).collect();
        for listing in &mut all {
            listing.category = category;
            listing.confidence = confidence.clone().transpose()?;
            (listing.first, listing.last, listing.until) = (time(4)?, time(5)?, time(6)?);
            listing.reference = Some(reference.join(" ")).filter(|text| !text.is_empty());
        }
        Ok(all)
    }

    /// The category of a word, and the word where it is in no table.
    fn category<'w>(&self, word: Option<&'w str>) -> (Option<Category>, Option<&'w str>) {
        let Some(word) = word else { return (None, None) };
        let name = self.mapping.categories.get(word).map_or(word, String::as_str);
        match Category::find(name) {
            Some(category) => (Some(category), None),
            None => (Some(Category::OTHER), Some(word)),
        }
    }
}

impl Parse for Table {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut lines = Lines::new(input.reader);
        let mut cells = Cells::new(u8::try_from(self.mapping.delimiter).unwrap_or(b','));
        let mut places = None;
        while let Some((number, line)) = lines.next(out)? {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let read = match (cells.split(line), &places) {
                (Err(detail), _) => Err(("columns", detail)),
                (Ok(row), Some(places)) => self.row(places, row),
                (Ok(row), None) => {
                    let header = self.mapping.header.then_some(row);
                    match self.places(header) {
                        Ok(found) => {
                            let first = if header.is_some() { Ok(Vec::new()) } else { self.row(&found, row) };
                            places = Some(found);
                            first
                        }
                        Err(fault) => Err(fault),
                    }
                }
            };
            match read {
                Ok(listings) => {
                    listings.into_iter().try_for_each(|listing| out.fact(number, Fact::Listing(listing)))?;
                }
                Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    fn read(mapping: &str, content: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let mut sink = |item| {
            seen.push(match item {
                Item::Fact(fact, line) => format!("{line} {}", serde_json::to_string(&fact).unwrap()),
                Item::Rejected(rejected) => format!("{} {}", rejected.line, rejected.reason),
                Item::Mark(tlp) => tlp.to_string(),
            });
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        let mut reader = content.as_bytes();
        let mut table = mapped(Mapping::parse(mapping).unwrap());
        table.read(&mut Input { name: "x.csv", reader: &mut reader }, &mut out).unwrap();
        seen
    }

    #[test]
    fn columns_by_name_and_by_number() {
        let by_name = "delimiter = \";\"\nindicator = \"ioc\"\ncategory = \"threat\"\nlast = \"seen\"\n[categories]\ncc = \"BOTNET_CNC\"";
        let expected = r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_BOTNET_CNC","last":"2024-05-28T07:03:09Z"}"#;
        let content = "id;seen;threat;ioc\n1;2024-05-28 07:03:09 UTC;cc;bad.example\n";
        assert_eq!(read(by_name, content), [format!("2 {expected}")]);
        let by_number = "header = false\nindicator = 2\nreference = 3\nconfidence = 1";
        let expected = r#"{"fact":"listing","type":"MASK_TYPE_URL","mask":"bad.example/a","confidence":70,"reference":"why, so"}"#;
        let content = "# a comment\n70,http://bad.example/a,\"why, so\"\n101,bad.example,\n7\n7,\"open\n";
        let expected =
            [format!("2 {expected}"), "3 confidence".into(), "4 columns".into(), "5 columns".into()];
        assert_eq!(read(by_number, content), expected);
        assert_eq!(read("indicator = \"ioc\"", "a,b\n1,2\n"), ["1 columns", "2 columns"], "no such column");
    }

    #[test]
    fn wrong_mappings_are_named() {
        for (text, problem) in [
            ("", "there is no indicator"),
            ("indicator = 0", "the first column is 1"),
            ("indicator = \"a\"\nheader = false", "give its number"),
            ("indicator = 1\ncolour = 2", "unknown field `colour`"),
            ("indicator = 1\ndelimiter = \"§\"", "no ASCII character"),
            ("indicator = 1\n[categories]\na = \"NO_SUCH\"", "there is no category \"NO_SUCH\""),
            ("indicator = ", "TOML parse error"),
        ] {
            let error = Mapping::parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
