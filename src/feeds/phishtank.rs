//! `phishtank`: phishing that people have verified.
//!
//! <https://phishtank.org/developer_info.php>: `online-valid.csv` and `.json`. The list is whole: what is not in it any
//! more is no longer online. A record is that URL, no word on its host. One that says of itself that it is not
//! `verified` is rejected as `unverified`, one that is not `online` as `offline`.

use std::io;

use super::entry::{Fault, listing, url};
use super::records::{Record, Records};
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::Mask;
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "phishtank",
    title: "PhishTank: verified phishing URLs with their target (CSV, JSON)",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[&["phish_id", "url", "phish_detail_url"]],
    columns: &[&[
        "phish_id",
        "url",
        "phish_detail_url",
        "submission_time",
        "verified",
        "verification_time",
        "online",
        "target",
    ]],
    is_list: |_| false,
    facts,
};

/// Fields that must not say no, and the reason where one does.
const CONDITIONS: &[(&str, &str)] = &[("verified", "unverified"), ("online", "offline")];

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    let what = Listed::Mask(Mask::url(&url(&record.need(&["url"])?)?));
    for (field, reason) in CONDITIONS {
        if record.get(&[field]).is_some_and(|said| matches!(&*said, "no" | "false")) {
            return Err((reason, format!("the feed says {field}: no")));
        }
    }
    let target = record.get(&["target"]).filter(|target| target != "Other");
    let link = record.get(&["phish_detail_url"]);
    Ok(vec![Fact::Listing(Listing {
        category: Some(Category::PHISHING),
        first: record.time(&["submission_time"])?,
        last: record.time(&["verification_time"])?,
        reference: reference([target.as_deref(), link.as_deref()]),
        ..listing(what)
    })])
}
