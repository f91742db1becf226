//! `dshield`: the networks that attack most, as the Internet Storm Center gives them out.
//!
//! <https://www.dshield.org/block.txt>, tab-separated: first address, last address, prefix length, number of targets,
//! name, country, contact; `# updated:` is when the list last had all its entries. CC BY-NC-SA. The list is whole. Such
//! a network scans, which is no more than suspicious. The plain list of addresses (`ipsascii`, `threatfeeds`) is a
//! `list`.

use std::io;

use super::entry::{Fault, listing};
use super::lines::Lines;
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{AddressRange, Mask, Prefix, parse_address};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "dshield",
    title: "DShield block list: networks that scan (block.txt)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The names of the columns, which stand above the rows.
const HEADER: &str = "Start\tEnd\tNetmask\tAttacks";

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 100;

/// How many cells a row has at least; name, country and contact may be missing.
const CELLS_MIN: usize = 4;

fn recognise(sample: &Sample<'_>) -> bool {
    let title = |line: &str| line.contains("DShield.org") && line.contains("Block List");
    sample.lines().take(SAMPLE_LINES).any(|line| line.starts_with(HEADER) || title(line))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut updated = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if let Some(comment) = line.trim_start().strip_prefix('#') {
            if let Some(text) = comment.trim_start().strip_prefix("updated:") {
                match date(text.trim()) {
                    Some(date) => updated = Some(date),
                    None => {
                        let detail = "it is neither 2024-05-28T07:03:09 nor Tue May 28 07:03:09 2024 UTC";
                        out.reject(number, "date", detail, line.as_bytes())?;
                    }
                }
            }
            continue;
        }
        if line.trim().is_empty() || line.starts_with(HEADER) {
            continue;
        }
        match networks(line) {
            Ok((networks, reference)) => {
                for network in networks {
                    let listing = Listing {
                        category: Some(Category::SUSPICIOUS),
                        last: updated,
                        reference: reference.clone(),
                        ..listing(Listed::Mask(Mask::network(network)))
                    };
                    out.fact(number, Fact::Listing(listing))?;
                }
            }
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// `2026-07-14T20:45:40`, or as it was written before, `Wed Jan 17 22:00:15 2018 UTC`.
fn date(text: &str) -> Option<Timestamp> {
    let before = || {
        let plain = text.strip_suffix(" UTC")?;
        let date = jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", plain).ok()?;
        Timestamp::parse(&date.to_string()).ok()
    };
    Timestamp::parse(text).ok().or_else(before)
}

/// What a row lists, and what else it says.
fn networks(line: &str) -> Result<(Vec<Prefix>, Option<String>), Fault> {
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [first, last, length, attacks, ..] = cells[..] else {
        return Err(("columns", format!("{} cells, not {CELLS_MIN} or more", cells.len())));
    };
    let address = |text| parse_address(text).map_err(|error| ("address", error.to_string()));
    let range = AddressRange::new(address(first)?, address(last)?);
    let range = range.ok_or_else(|| ("range", format!("{first} to {last} is no range")))?;
    let prefixes = range.prefixes();
    let says_one = prefixes.len() == 1 && prefixes[0].length().to_string() == length;
    if !says_one {
        return Err(("range", format!("{first} to {last} is no network of /{length}")));
    }
    let attacks = format!("{attacks} targets");
    Ok((prefixes, reference([Some(&*attacks), cells.get(4).copied()])))
}
