//! `spamhaus-drop`: networks that nobody should route or peer with, as JSON lines.
//!
//! <https://www.spamhaus.org/blocklists/do-not-route-or-peer/>: `drop_v4.json`, `drop_v6.json`
//! (`{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"ripencc"}`), and as the last line `{"type":"metadata",…}` with the
//! number of records, which must be right. The older text form (`192.0.2.0/24 ; SBL1`) is a `list`. A list is whole.
//! What a listed network is, DROP does not say: that is configured for its source.
//!
//! `asndrop.json` lists autonomous systems. They are nothing that can be listed here (which networks an AS announces
//! changes by the hour): each is rejected as `asn`.

use std::io;

use serde_json::Value;

use super::entry::{Fault, listing};
use super::json_values::JsonValues;
use super::records::{Object, Record};
use super::said::reference;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{Mask, Prefix};

pub(super) const FORMAT: Format = Format {
    name: "spamhaus-drop",
    title: "Spamhaus DROP: networks not to be routed (JSON lines)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The largest line.
const RECORD_BYTES_MAX: usize = 1 << 20;

fn recognise(sample: &Sample<'_>) -> bool {
    let first = sample.lines().find(|line| !line.trim().is_empty());
    let Some(Ok(Value::Object(object))) = first.map(serde_json::from_str) else { return false };
    let has = |key| object.contains_key(key);
    (has("cidr") && has("sblid")) || (has("asn") && has("asname") && has("rir"))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::new(input.reader, None, RECORD_BYTES_MAX);
    let mut records = 0;
    while let Some((line, bytes)) = values.next(out)? {
        let object = match serde_json::from_slice::<Object>(bytes) {
            Ok(object) => object,
            Err(error) => {
                records += 1;
                out.reject(line, "json", error.to_string(), bytes)?;
                continue;
            }
        };
        let record = Record::Object(&object);
        if record.get(&["type"]).as_deref() == Some("metadata") {
            let said = record.get(&["records"]).and_then(|said| said.parse().ok());
            if said.is_some_and(|said: u64| said != records) {
                let detail = format!("it says that the list has other than the {records} records before it");
                out.reject(line, "count", detail, bytes)?;
            }
            continue;
        }
        records += 1;
        match network(&record) {
            Ok(listing) => out.fact(line, Fact::Listing(listing))?,
            Err((reason, detail)) => out.reject(line, reason, detail, bytes)?,
        }
    }
    Ok(())
}

fn network(record: &Record<'_>) -> Result<Listing, Fault> {
    if record.get(&["cidr"]).is_none() && record.get(&["asn"]).is_some() {
        return Err((
            "asn",
            "an autonomous system cannot be listed: import drop_v4.json, networks".to_owned(),
        ));
    }
    let prefix = Prefix::parse(&record.need(&["cidr"])?).map_err(|error| ("network", error.to_string()))?;
    let what = Listed::Mask(Mask::network(prefix));
    Ok(Listing { reference: reference([record.get(&["sblid"]).as_deref()]), ..listing(what) })
}
