//! `delegated`: which addresses the regional registries gave out, to which country and when.
//!
//! `delegated-<registry>-latest` and `-extended-latest` of AFRINIC, APNIC, ARIN, LACNIC and RIPE NCC; format
//! <https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/>:
//! `registry|country|type|start|value|date|status[|…]`, where value is how many IPv4 addresses, or the length of an IPv6
//! prefix. What was given out is a [`Network`]. Rows of autonomous systems are rejected as `asn` (their networks are not
//! said), what was not given out as `unassigned`. The number of rows must be that of the first line.

use std::io;
use std::net::IpAddr;

use super::entry::{Fault, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Network};
use crate::indicator::{AddressRange, Prefix, parse_address};
use crate::value::{CountryCode, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "delegated",
    title: "registries' statistics: address ranges with country and date (delegated-extended)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

const REGISTRIES: &[&str] = &["afrinic", "apnic", "arin", "iana", "lacnic", "ripencc"];

/// The first line is a version line or a row of one of the registries.
fn recognise(sample: &Sample<'_>) -> bool {
    let Some(line) = sample.data_lines().next() else { return false };
    let cells: Vec<&str> = line.split('|').collect();
    let is_registry = |at: usize| cells.get(at).is_some_and(|cell| REGISTRIES.contains(cell));
    cells.len() >= 6 && (is_registry(0) || (is_registry(1) && cells[0].starts_with('2')))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let (mut said, mut rows) = (None, 0_u64);
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') || text.ends_with("|summary") {
            continue;
        }
        let cells: Vec<&str> = text.split('|').map(str::trim).collect();
        if said.is_none() && cells.len() >= 6 && REGISTRIES.contains(&cells[1]) {
            said = cells[3].parse().ok();
            continue;
        }
        rows += 1;
        match network(&cells) {
            Ok(network) => out.fact(number, Fact::Network(network))?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    if let Some(said) = said.filter(|said: &u64| *said != rows) {
        let detail = format!("the first line says that there are {said} rows, and there are {rows}");
        out.reject(lines.number(), "count", detail, b"")?;
    }
    Ok(())
}

fn network(cells: &[&str]) -> Result<Network, Fault> {
    let &[_, country, kind, start, value, date, status, ..] = cells else {
        return Err(("columns", format!("{} cells, not 7 or more", cells.len())));
    };
    if kind == "asn" {
        return Err(("asn", "which networks an autonomous system announces is not said".to_owned()));
    }
    if !matches!(status, "allocated" | "assigned") {
        return Err(("unassigned", format!("the range is {}", shown(status))));
    }
    let created = match date {
        "" | "00000000" => None,
        date => Some(Timestamp::parse(date).map_err(|detail| ("date", detail))?),
    };
    let country = match country {
        "" | "ZZ" => None,
        code => {
            let known = CountryCode::parse(code);
            Some(known.ok_or_else(|| ("country", format!("{} is no country code", shown(code))))?)
        }
    };
    let range = range(kind, start, value)?;
    Ok(Network {
        range,
        asn: None,
        as_name: None,
        country,
        name: None,
        description: Vec::new(),
        created,
        changed: None,
        contacts: Vec::new(),
        observed: None,
    })
}

fn range(kind: &str, start: &str, value: &str) -> Result<AddressRange, Fault> {
    let first = parse_address(start).map_err(|error| ("address", error.to_string()))?;
    let wrong = || ("range", format!("{} from {start} is no {kind} range", shown(value)));
    match (kind, first) {
        ("ipv4", IpAddr::V4(address)) => {
            let count: u32 = value.parse().map_err(|_| wrong())?;
            let last = count.checked_sub(1).and_then(|more| u32::from(address).checked_add(more));
            AddressRange::new(first, IpAddr::V4(last.ok_or_else(wrong)?.into())).ok_or_else(wrong)
        }
        ("ipv6", IpAddr::V6(_)) => {
            let prefix = value.parse().ok().and_then(|length| Prefix::new(first, length));
            prefix.map(AddressRange::from).ok_or_else(wrong)
        }
        _ => Err(("kind", format!("{} is neither ipv4, ipv6 nor asn, or not of that address", shown(kind)))),
    }
}
