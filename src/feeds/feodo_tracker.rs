//! `feodo-tracker`: servers that control botnets, as abuse.ch gives them out.
//!
//! <https://feodotracker.abuse.ch/blocklist/>: `ipblocklist.csv` and `.json`, the aggressive list too, and the columns
//! of before 2021 (`Firstseen,DstIP,DstPort,LastOnline,Malware`). CC0. Its plain list of addresses is a `list`. A list
//! is whole: what is not in it any more is not listed. A server is that address with that port.

use std::io;

use super::entry::{Fault, listing};
use super::records::{Record, Records};
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{Host, Mask, parse_address};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "feodo-tracker",
    title: "Feodo Tracker of abuse.ch: addresses and ports of botnet control (CSV, JSON)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[
        &["first_seen_utc", "dst_ip", "dst_port", "malware"],
        &["firstseen", "dstip", "dstport", "malware"],
        &["ip_address", "port", "malware", "last_online"],
    ],
    columns: &[
        &["first_seen_utc", "dst_ip", "dst_port", "c2_status", "last_online", "malware"],
        &["firstseen", "dstip", "dstport", "lastonline", "malware"],
    ],
    is_list: |_| false,
    facts,
};

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    let what = server(record)?;
    let first = record.time(&["first_seen_utc", "first_seen", "firstseen"])?;
    let (malware, status) = (record.get(&["malware"]), record.get(&["c2_status", "status"]));
    Ok(vec![Fact::Listing(Listing {
        category: Some(Category::BOTNET_CNC),
        first,
        last: record.time(&["last_online", "lastonline"])?.max(first),
        reference: reference([malware.as_deref(), status.as_deref()]),
        ..listing(what)
    })])
}

/// The address and the port of a server.
pub(super) fn server(record: &Record<'_>) -> Result<Listed, Fault> {
    let address = record.need(&["dst_ip", "dstip", "ip_address"])?;
    let address = parse_address(&address).map_err(|error| ("address", error.to_string()))?;
    let text = record.need(&["dst_port", "dstport", "port"])?;
    match text.parse() {
        Ok(port) if port > 0 => Ok(Listed::Mask(Mask::host(&Host::Address(address), Some(port)))),
        _ => Err(("port", format!("{text:?} is no port"))),
    }
}
