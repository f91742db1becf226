//! `dshield`: the networks that attack most, as the Internet Storm Center gives them out.
//!
//! Tab-separated, by <https://www.dshield.org/feeds_doc.html>. The lists are whole, CC BY-NC-SA. What is in them scans,
//! which is no more than suspicious.
//!
//! | list | a row | listed |
//! |---|---|---|
//! | `block.txt` | first address, last address, prefix length, number of targets, name, country, contact | network |
//! | `ipsascii.html`, `asdetailsascii.html` | address, each byte of three digits; reports, targets, first and last seen, updated | host |
//! | `top10-2.txt` | address, its name | host |
//!
//! `# updated:` is when the block list last had all its entries. The top ten have no header: name the format.

use std::io;
use std::net::IpAddr;

use super::entry::{Fault, listing};
use super::lines::Lines;
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{AddressRange, Host, Mask, parse_address};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "dshield",
    title: "DShield: networks and addresses that scan (block.txt, ipsascii, top10-2.txt)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The names of the columns, which stand above the rows.
const HEADER: &str = "Start\tEnd\tNetmask\tAttacks";

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 100;

/// What stands above the rows of single addresses.
const ADDRESSES_HEADER: &str = "# source IP <tab> Reports <tab> Targets";

fn recognise(sample: &Sample<'_>) -> bool {
    let title = |line: &str| line.contains("DShield.org") && line.contains("Block List");
    sample
        .lines()
        .take(SAMPLE_LINES)
        .any(|line| line.starts_with(HEADER) || line.starts_with(ADDRESSES_HEADER) || title(line))
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
        match row(line) {
            Ok(Row { masks, first, last, reference }) => {
                for mask in masks {
                    let listing = Listing {
                        category: Some(Category::SUSPICIOUS),
                        first,
                        last: last.or(updated),
                        reference: reference.clone(),
                        ..listing(Listed::Mask(mask))
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

/// What a row says.
struct Row {
    masks: Vec<Mask>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    reference: Option<String>,
}

fn row(line: &str) -> Result<Row, Fault> {
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    let is_count = |cell: &&str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    match cells[..] {
        // Two addresses are a network that was cut.
        [first, name] if name == first || parse_address(name).is_err() => {
            address_row(first, [None, None], &[Some(name)])
        }
        [first, reports, targets, seen, last, ..] if is_count(&reports) => {
            let said = [format!("{reports} reports"), format!("{targets} targets")];
            let day = |text: &str| match text {
                "" => Ok(None),
                text => Timestamp::parse(text).map(Some).map_err(|detail| ("date", detail)),
            };
            address_row(first, [day(seen)?, day(last)?], &said.each_ref().map(|text| Some(&**text)))
        }
        [first, last, length, attacks, ..] => network_row([first, last, length, attacks], cells.get(4)),
        _ => {
            let detail =
                format!("{} cells: a network has 4 or more, an address 2 or 5 and more", cells.len());
            Err(("columns", detail))
        }
    }
}

/// An address, its bytes perhaps of three digits.
fn address_row(
    text: &str,
    [first, last]: [Option<Timestamp>; 2],
    said: &[Option<&str>],
) -> Result<Row, Fault> {
    let bytes: Option<Vec<u8>> = text.split('.').map(|byte| byte.parse().ok()).collect();
    let padded = bytes.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(IpAddr::from);
    let address = match padded {
        Some(address) => address,
        None => parse_address(text).map_err(|error| ("address", error.to_string()))?,
    };
    let masks = vec![Mask::host(&Host::Address(address), None)];
    Ok(Row { masks, first, last, reference: reference(said.iter().copied()) })
}

/// A network by its ends and its length.
fn network_row([first, last, length, attacks]: [&str; 4], name: Option<&&str>) -> Result<Row, Fault> {
    let address = |text| parse_address(text).map_err(|error| ("address", error.to_string()));
    let range = AddressRange::new(address(first)?, address(last)?);
    let range = range.ok_or_else(|| ("range", format!("{first} to {last} is no range")))?;
    let prefixes = range.prefixes();
    let says_one = prefixes.len() == 1 && prefixes[0].length().to_string() == length;
    if !says_one {
        return Err(("range", format!("{first} to {last} is no network of /{length}")));
    }
    let attacks = format!("{attacks} targets");
    let masks = prefixes.into_iter().map(Mask::network).collect();
    Ok(Row { masks, first: None, last: None, reference: reference([Some(&*attacks), name.copied()]) })
}
