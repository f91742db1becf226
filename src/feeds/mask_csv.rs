//! `mask-csv`: what several dated snapshots of a block list held.
//!
//! CSV with the header `host,kind,path_mask,first_snapshot,last_snapshot,n_snapshots`: a host (`kind` `domain` or
//! `ip`), a path on it (before it a port) or none, the first and the last snapshot (`20250307`) that had the entry, and how many
//! had it. Made from a block list's history, so that it can be asked what was listed when.
//!
//! - Without a path the host is listed, not what is below it: the table does not say more. A path is that URL; one
//!   with `*`, of which the table says that it is a mask, is a wildcard or a folder.
//! - `first` and `last` are the two snapshots. `until` is the first snapshot that did not have it any more, so the
//!   newest snapshot's entries have none.
//! - An entry that was missing in between was not listed from first to last: rejected as `gap`.
//!
//! The dates of all snapshots are not known before the end, and the input cannot be read twice. They are learnt
//! from the rows as these come: the first [`HELD_ROWS_MAX`] are held back until their dates are known, which in
//! a list of any length are all that there are. A date that first stands further down is missed by the rows
//! before it: they may then lack an end or hide a gap, never the other way round.

use std::io;

use csv::StringRecord;

use super::cells::Cells;
use super::entry::{Fault, listing, name, shown, url};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, REJECTED_TEXT_MAX, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{Host, Mask, parse_address};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "mask-csv",
    title: "snapshots of a block list: host, path, first and last snapshot",
    state: State::Events,
    proof: Proof::Real,
    recognise,
    open,
};

const HEADER: &str = "host,kind,path_mask,first_snapshot,last_snapshot,n_snapshots";

/// How many rows are held back until the dates are known.
pub const HELD_ROWS_MAX: usize = 2000;

/// How many snapshots a table can have.
const SNAPSHOTS_MAX: usize = 5000;

/// Words in the name of a file that say what its entries are.
const CATEGORIES: &[(&str, Category)] = &[
    ("phishing", Category::PHISHING),
    ("scam", Category::SCAM),
    ("malware", Category::MALWARE),
    ("malicious", Category::MALWARE),
    ("urlhaus", Category::MALWARE),
    ("badware", Category::MALWARE),
];

/// The first line is the header.
fn recognise(sample: &Sample<'_>) -> bool {
    sample.data_lines().next() == Some(HEADER)
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

/// A row that was understood.
struct Row {
    number: u64,
    listing: Listing,
    first: Timestamp,
    last: Timestamp,
    snapshots: usize,
    /// The line, as much as a rejection shows.
    text: Vec<u8>,
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let name = input.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let category = CATEGORIES.iter().find(|(word, _)| name.contains(word)).map(|(_, category)| *category);
    let mut cells = Cells::new(b',');
    let mut snapshots = Snapshots::default();
    let mut held = Vec::new();
    let mut holding = true;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if line.trim().is_empty() || line.starts_with('#') || line.trim() == HEADER {
            continue;
        }
        let row =
            cells.split(line).map_err(|detail| ("columns", detail)).and_then(|record| row(record, number));
        let row = row.and_then(|row| {
            snapshots.add(row.first)?;
            snapshots.add(row.last)?;
            Ok(row)
        });
        match row {
            Ok(mut row) => {
                row.listing.category = category;
                row.text = line.as_bytes()[..line.len().min(REJECTED_TEXT_MAX)].to_vec();
                held.push(row);
            }
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
        holding = holding && held.len() < HELD_ROWS_MAX;
        if !holding {
            snapshots.judge(&mut held, out)?;
        }
    }
    snapshots.judge(&mut held, out)
}

/// The dates of the snapshots that are known, in order.
#[derive(Default)]
struct Snapshots {
    dates: Vec<Timestamp>,
}

impl Snapshots {
    fn add(&mut self, date: Timestamp) -> Result<(), Fault> {
        if let Err(at) = self.dates.binary_search(&date) {
            if self.dates.len() == SNAPSHOTS_MAX {
                return Err(("date", format!("there are more than {SNAPSHOTS_MAX} snapshots")));
            }
            self.dates.insert(at, date);
        }
        Ok(())
    }

    /// Gives an end to the rows whose listing has ended, and yields those without a gap.
    fn judge(&self, rows: &mut Vec<Row>, out: &mut Emit<'_>) -> io::Result<()> {
        for mut row in rows.drain(..) {
            let first = self.dates.partition_point(|date| *date < row.first);
            let after = self.dates.partition_point(|date| *date <= row.last);
            if row.snapshots < after - first {
                let detail =
                    format!("{} snapshots of the {} from first to last had it", row.snapshots, after - first);
                out.reject(row.number, "gap", detail, &row.text)?;
                continue;
            }
            row.listing.until = self.dates.get(after).copied();
            out.fact(row.number, Fact::Listing(row.listing))?;
        }
        Ok(())
    }
}

fn row(record: &StringRecord, number: u64) -> Result<Row, Fault> {
    if record.len() != 6 {
        return Err(("columns", format!("{} cells, not 6", record.len())));
    }
    let date = |at: usize| Timestamp::parse(&record[at]).map_err(|detail| ("date", detail));
    let (first, last) = (date(3)?, date(4)?);
    if first > last {
        return Err(("date", "the first snapshot is after the last".to_owned()));
    }
    let snapshots: usize = match record[5].trim().parse() {
        Ok(number) if number > 0 => number,
        _ => return Err(("number", format!("{} is no number of snapshots", shown(&record[5])))),
    };
    let mut listing = listing(Listed::Mask(mask(record[0].trim(), record[1].trim(), record[2].trim())?));
    listing.first = Some(first);
    listing.last = Some(last);
    Ok(Row { number, listing, first, last, snapshots, text: Vec::new() })
}

fn mask(host: &str, kind: &str, path: &str) -> Result<Mask, Fault> {
    let host = match kind {
        "domain" => Host::Domain(name(host)?),
        "ip" => Host::Address(parse_address(host).map_err(|error| ("address", error.to_string()))?),
        _ => return Err(("kind", format!("{} is neither domain nor ip", shown(kind)))),
    };
    if path.is_empty() {
        return Ok(Mask::host(&host, None));
    }
    if !path.starts_with(['/', '?', ':']) {
        return Err(("url", format!("{} is no path", shown(path))));
    }
    let text = format!("{}{path}", host.to_key());
    if path.contains('*') {
        return Mask::wildcard(&text).map_err(|error| ("url", error.to_string()));
    }
    url(&text).map(|url| Mask::url(&url))
}
