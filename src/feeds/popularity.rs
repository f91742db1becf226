//! `popularity`: lists of popular names.
//!
//! - `rank,name`, comma or tab, without a header: Tranco <https://tranco-list.eu/>, Cisco Umbrella
//!   <https://umbrella-static.s3-us-west-1.amazonaws.com/index.html>
//! - columns with a header that names a rank and a name: Majestic Million (`GlobalRank`, `Domain`)
//!   <https://majestic.com/reports/majestic-million>, Cloudflare Radar (`rank`, `domain`)
//! - a name a line. Such a list looks like any other, so its format must be given; its names have no rank, since
//!   its order may be that of the alphabet.
//!
//! A popular name speaks for that host (and the same with `www.`), not for all below it: a page that anybody can make on
//! `someone.blogspot.com` must not be washed clean by the rank of `blogspot.com`. What a rank is worth is the
//! policy's business: nothing is said here but that it is listed.

use std::io;

use csv::StringRecord;

use super::cells::Cells;
use super::entry::{Fault, name, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{Benign, Fact, Listed};
use crate::indicator::{Host, Mask};

pub(super) const FORMAT: Format = Format {
    name: "popularity",
    title: "popular names, ranked or not: Tranco, Cisco Umbrella, Majestic Million",
    state: State::Whole,
    proof: Proof::Real,
    recognise,
    open,
};

/// Headers of a column of ranks, lower case.
const RANK_HEADERS: &[&str] = &["rank", "globalrank", "global_rank"];

/// Headers of a column of names, lower case.
const NAME_HEADERS: &[&str] = &["domain", "name", "host", "hostname"];

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 100;

/// Where rank and name stand.
#[derive(Clone, Copy)]
struct Columns {
    rank: usize,
    name: usize,
    /// How many cells a row has; without a header no more than the two.
    width: usize,
}

impl Columns {
    const BARE: Columns = Columns { rank: 0, name: 1, width: 2 };

    /// The columns that a header names.
    fn find(header: &StringRecord) -> Option<Columns> {
        let find = |names: &[&str]| {
            header.iter().position(|cell| names.contains(&&*cell.trim().to_ascii_lowercase()))
        };
        Some(Columns { rank: find(RANK_HEADERS)?, name: find(NAME_HEADERS)?, width: header.len() })
    }
}

/// A header with a rank and a name, or ranks that rise.
fn recognise(sample: &Sample<'_>) -> bool {
    let mut lines = sample.data_lines().take(SAMPLE_LINES).peekable();
    let Some(first) = lines.peek() else { return false };
    let mut cells = Cells::new(delimiter(first));
    if cells.split(first).is_ok_and(|header| Columns::find(header).is_some()) {
        return true;
    }
    let (mut seen, mut understood, mut last) = (0, 0, 0);
    for line in lines {
        seen += 1;
        let row =
            cells.split(line).map_err(|_| ()).and_then(|record| row(record, Columns::BARE).map_err(|_| ()));
        if let Ok((_, Some(rank))) = row {
            understood += usize::from(rank >= last);
            last = rank;
        }
    }
    understood * 2 > seen
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut table: Option<(Cells, Columns)> = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if line.trim().is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let (cells, columns) = match &mut table {
            Some((cells, columns)) => (cells, *columns),
            None => {
                let mut cells = Cells::new(delimiter(line));
                let header = cells.split(line).ok().and_then(Columns::find);
                let (cells, columns) = table.insert((cells, header.unwrap_or(Columns::BARE)));
                if header.is_some() {
                    continue;
                }
                (cells, *columns)
            }
        };
        let row =
            cells.split(line).map_err(|detail| ("columns", detail)).and_then(|record| row(record, columns));
        match row {
            Ok((mask, rank)) => {
                let what = Listed::Mask(mask);
                let benign =
                    Benign { what, list: None, action: None, category: None, rank, reason: None, last: None };
                out.fact(number, Fact::Benign(benign))?;
            }
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// A table is tab-separated where its first line holds a tab.
fn delimiter(line: &str) -> u8 {
    if line.contains('\t') { b'\t' } else { b',' }
}

/// The name of a row and its rank.
fn row(record: &StringRecord, columns: Columns) -> Result<(Mask, Option<u32>), Fault> {
    let host = |text: &str| name(text).map(|name| Mask::host(&Host::Domain(name), None));
    if record.len() == 1 && columns.width == Columns::BARE.width {
        return host(&record[0]).map(|host| (host, None));
    }
    if record.len() != columns.width {
        return Err(("columns", format!("{} cells, not {}", record.len(), columns.width)));
    }
    let rank = record[columns.rank].trim();
    match rank.parse::<u32>() {
        Ok(number) if number > 0 => Ok((host(&record[columns.name])?, Some(number))),
        _ => Err(("rank", format!("{} is no rank", shown(rank)))),
    }
}
