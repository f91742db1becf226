//! `ip-ranges`: tables of address ranges with their country, or their autonomous system and its name.
//!
//! Written by DB-IP Lite, the ip-location-db project and iptoasn.com: CSV or TSV without a header. A range is
//! two cells, first and last address, or one, a CIDR block; the cells behind it are
//!
//! - `country`: `1.0.0.0,1.0.0.255,AU`
//! - `asn,organisation`: `1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."`
//! - `asn,country,organisation`: iptoasn.com, where AS 0 is a range that nobody announces
//!
//! See <https://github.com/sapics/ip-location-db> and <https://iptoasn.com/>.

use std::io;

use csv::StringRecord;

use super::cells::Cells;
use super::entry::{Fault, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State, most};
use crate::fact::{Fact, Network};
use crate::indicator::{AddressRange, Asn, Prefix, parse_address};
use crate::value::CountryCode;

pub(super) const FORMAT: Format = Format {
    name: "ip-ranges",
    title: "address ranges with country or ASN: DB-IP Lite, ip-location-db, iptoasn.com",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open,
};

/// Why a row is rejected that is right but says nothing, as those of AS 0 and of country `ZZ`.
const UNKNOWN: &str = "unknown";

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 50;

/// Most lines are a range with what it is.
fn recognise(sample: &Sample<'_>) -> bool {
    let mut cells: Option<Cells> = None;
    most(sample.data_lines().take(SAMPLE_LINES), |line| {
        let cells = cells.get_or_insert_with(|| Cells::new(delimiter(line)));
        let row = cells.split(line).map(network);
        matches!(row, Ok(Ok(_) | Err((UNKNOWN, _))))
    })
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut cells: Option<Cells> = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let cells = cells.get_or_insert_with(|| Cells::new(delimiter(line)));
        let record = match cells.split(line) {
            Ok(record) => record,
            Err(detail) => {
                out.reject(number, "columns", detail, line.as_bytes())?;
                continue;
            }
        };
        match network(record) {
            Ok(network) => out.fact(number, Fact::Network(network))?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// A table is tab-separated where its first line holds a tab.
fn delimiter(line: &str) -> u8 {
    if line.contains('\t') { b'\t' } else { b',' }
}

fn network(record: &StringRecord) -> Result<Network, Fault> {
    let (range, width) = range(record)?;
    let cell = |at: usize| record.get(width + at).map_or("", str::trim);
    let mut network = Network {
        range,
        asn: None,
        as_name: None,
        country: None,
        name: None,
        description: Vec::new(),
        created: None,
        changed: None,
        contacts: Vec::new(),
        observed: None,
    };
    match record.len() - width {
        1 if cell(0).contains(|letter: char| letter.is_ascii_digit()) => network.asn = asn(cell(0))?,
        1 => network.country = country(cell(0))?,
        2 => {
            network.asn = asn(cell(0))?;
            network.as_name = text(cell(1));
        }
        3 => {
            network.asn = asn(cell(0))?;
            network.country = country(cell(1))?;
            network.as_name = text(cell(2));
        }
        _ => {
            let detail = "a range, then country, or asn and organisation, or asn, country and organisation";
            return Err(("columns", detail.to_owned()));
        }
    }
    if network.asn.is_none() {
        network.as_name = None;
    }
    if network.asn.is_none() && network.country.is_none() {
        return Err((UNKNOWN, "the row knows nothing of the range".to_owned()));
    }
    Ok(network)
}

/// The range and how many cells it takes.
fn range(record: &StringRecord) -> Result<(AddressRange, usize), Fault> {
    let address = |at: usize| {
        let text = record.get(at).map_or("", str::trim);
        parse_address(text).map_err(|error| ("address", error.to_string()))
    };
    let first = record.get(0).map_or("", str::trim);
    if first.contains('/') {
        let prefix = Prefix::parse(first).map_err(|error| ("address", error.to_string()))?;
        return Ok((AddressRange::from(prefix), 1));
    }
    let (first, last) = (address(0)?, address(1)?);
    let range =
        AddressRange::new(first, last).ok_or_else(|| ("range", format!("{first} to {last} is no range")))?;
    Ok((range, 2))
}

/// `13335`, `AS13335`; `None` for AS 0, which RFC 7607 keeps for what is not routed.
pub(super) fn asn(text: &str) -> Result<Option<Asn>, Fault> {
    match Asn::parse(text) {
        Ok(Asn(0)) => Ok(None),
        Ok(asn) => Ok(Some(asn)),
        Err(error) => Err(("asn", error.to_string())),
    }
}

/// Two letters; `None` where the table says that it does not know (`ZZ`, `None`, empty).
pub(super) fn country(text: &str) -> Result<Option<CountryCode>, Fault> {
    if text.is_empty() || ["ZZ", "XX", "None"].iter().any(|unknown| unknown.eq_ignore_ascii_case(text)) {
        return Ok(None);
    }
    CountryCode::parse(text)
        .map(Some)
        .ok_or_else(|| ("country", format!("{} is no country code", shown(text))))
}

fn text(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| cell.to_owned())
}
