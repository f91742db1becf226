//! `threatfox`: indicators of malware of all kinds, as abuse.ch gives them out.
//!
//! <https://threatfox.abuse.ch/export/>: CSV, JSON (`{"<id>":[{…}],…}`) and the answers of the interface
//! (`{"data":[{…}]}`). CC0.
//!
//! | `ioc_type` | listed as |
//! |---|---|
//! | `ip:port` | that host with that port |
//! | `domain` | that host |
//! | `url` | that URL |
//! | `md5_hash`, `sha1_hash`, `sha256_hash` | that file: malware, whatever it is used for |
//!
//! Others (`sha3_384_hash`, mail addresses) are rejected as `type`. `reference` has the malware's name first; what is
//! `is_compromised` is said there too, and keeps the category of the threat.

use std::io;

use super::entry::{Entry, Fault, Shape, listing, shown};
use super::records::{Record, Records};
use super::said::{category, reference, unknown};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "threatfox",
    title: "ThreatFox of abuse.ch: indicators with malware and confidence (CSV, JSON)",
    state: State::Events,
    proof: Proof::Sample,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[&["ioc_type", "threat_type", "malware_printable"]],
    columns: &[
        &[
            "first_seen_utc",
            "ioc_id",
            "ioc_value",
            "ioc_type",
            "threat_type",
            "fk_malware",
            "malware_alias",
            "malware_printable",
            "last_seen_utc",
            "confidence_level",
            "is_compromised",
            "reference",
            "tags",
            "anonymous",
            "reporter",
        ],
        &[
            "first_seen_utc",
            "ioc_id",
            "ioc_value",
            "ioc_type",
            "threat_type",
            "fk_malware",
            "malware_alias",
            "malware_printable",
            "last_seen_utc",
            "confidence_level",
            "reference",
            "tags",
            "anonymous",
            "reporter",
        ],
    ],
    is_list: |key| key == "data" || key.bytes().all(|byte| byte.is_ascii_digit()),
    facts,
};

/// The types of indicators that are read.
const TYPES: &[(&str, Shape)] = &[
    ("ip:port", Shape::HostAndPort),
    ("domain", Shape::Name),
    ("url", Shape::Url),
    ("md5_hash", Shape::File),
    ("sha1_hash", Shape::File),
    ("sha256_hash", Shape::File),
];

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    let (value, kind) = (record.need(&["ioc_value", "ioc"])?, record.need(&["ioc_type"])?);
    let (_, shape) = TYPES
        .iter()
        .find(|(known, _)| *known == kind)
        .ok_or_else(|| ("type", format!("no fact is made of indicators of type {}", shown(&kind))))?;
    let entry = Entry::parse_as(*shape, &value)?;
    let threat = record.need(&["threat_type"])?;
    let is_file = matches!(entry, Entry::File(_));
    let first = record.time(&["first_seen_utc", "first_seen"])?;
    let listing = |what: Listed| -> Result<Fact, Fault> {
        let field = |name| record.get(&[name]);
        let (malware, tags, link) = (field("malware_printable"), field("tags"), field("reference"));
        let compromised = field("is_compromised").filter(|said| said.eq_ignore_ascii_case("true"));
        Ok(Fact::Listing(Listing {
            category: Some(if is_file { Category::MALWARE } else { category(&threat) }),
            confidence: record.percent(&["confidence_level"])?,
            first,
            last: record.time(&["last_seen_utc", "last_seen"])?.max(first),
            reference: reference([
                malware.as_deref(),
                unknown(&threat).filter(|_| !is_file),
                compromised.map(|_| "a compromised host"),
                tags.as_deref(),
                link.as_deref(),
            ]),
            ..listing(what)
        }))
    };
    entry.listed().into_iter().map(listing).collect()
}
