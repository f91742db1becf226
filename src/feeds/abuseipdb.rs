//! `abuseipdb`: addresses that many people reported, each with a score.
//!
//! <https://docs.abuseipdb.com/#blacklist-endpoint>: the JSON answer
//! (`{"meta":{…},"data":[{"ipAddress":"192.0.2.1","abuseConfidenceScore":100,"lastReportedAt":"…"}]}`), and its rows as
//! CSV. The plain answer is a `list`. The list is whole. An address that attacks is suspicious, with their score as
//! confidence: whose it is and what it serves, nobody has looked at.

use std::io;

use super::entry::{Fault, listing};
use super::records::{Record, Records};
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{Host, Mask, parse_address};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "abuseipdb",
    title: "AbuseIPDB blacklist: reported addresses with their score (JSON, CSV)",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[&["ipAddress", "abuseConfidenceScore"]],
    columns: &[],
    is_list: |key| key == "data",
    facts,
};

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    let address = parse_address(&record.need(&["ipAddress"])?);
    let address = address.map_err(|error| ("address", error.to_string()))?;
    let reports = record.get(&["totalReports"]).map(|count| format!("{count} reports"));
    Ok(vec![Fact::Listing(Listing {
        category: Some(Category::SUSPICIOUS),
        confidence: record.percent(&["abuseConfidenceScore"])?,
        last: record.time(&["lastReportedAt"])?,
        reference: reference([reports.as_deref()]),
        ..listing(Listed::Mask(Mask::host(&Host::Address(address), None)))
    })])
}
