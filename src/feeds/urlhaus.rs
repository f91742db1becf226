//! `urlhaus`: URLs that serve malware, as abuse.ch gives them out.
//!
//! <https://urlhaus.abuse.ch/api/>: the CSV dumps (`csv`, `csv_recent`, `csv_online`), the JSON dumps of the same
//! (`{"<id>":[{…}],…}`) and the answers of the interface (`{"urls":[{…}]}`). CC0.
//!
//! A record is that URL, last seen when it was last online, else when it was added. It is no word on the host. A dump
//! also has what is offline, so a batch is events: it ages. For `csv_online` alone `state = "whole"` is right.

use std::io;

use super::entry::{Fault, listing, url};
use super::records::{Record, Records};
use super::said::{category, reference, unknown};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::Mask;

pub(super) const FORMAT: Format = Format {
    name: "urlhaus",
    title: "URLhaus of abuse.ch: URLs that serve malware (CSV, JSON)",
    state: State::Events,
    proof: Proof::Sample,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[&["url", "threat", "urlhaus_link"], &["url", "threat", "urlhaus_reference"]],
    columns: &[
        &[
            "id",
            "dateadded",
            "url",
            "url_status",
            "last_online",
            "threat",
            "tags",
            "urlhaus_link",
            "reporter",
        ],
        &["id", "dateadded", "url", "url_status", "threat", "tags", "urlhaus_link", "reporter"],
    ],
    is_list: |key| key == "urls" || key.bytes().all(|byte| byte.is_ascii_digit()),
    facts,
};

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    let what = Listed::Mask(Mask::url(&url(&record.need(&["url"])?)?));
    let threat = record.need(&["threat"])?;
    let first = record.time(&["dateadded", "date_added"])?;
    let (tags, link) = (record.get(&["tags"]), record.get(&["urlhaus_link", "urlhaus_reference"]));
    Ok(vec![Fact::Listing(Listing {
        category: Some(category(&threat)),
        first,
        last: record.time(&["last_online"])?.max(first),
        reference: reference([unknown(&threat), tags.as_deref(), link.as_deref()]),
        ..listing(what)
    })])
}
