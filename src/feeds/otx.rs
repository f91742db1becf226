//! `otx`: pulses of the Open Threat Exchange, each a report with its indicators.
//!
//! <https://otx.alienvault.com/api>: the answers on pulses (`{"results":[{…}],…}`), one pulse, or pulses as an array or
//! lines. A pulse is a [`Publication`]; each indicator that is an object a [`Mention`] and a [`Listing`] until its
//! `expiration`.
//!
//! | type | listed as |
//! |---|---|
//! | `domain` | the name and all below |
//! | `hostname`, `IPv4`, `IPv6` | that host |
//! | `CIDR` | that network |
//! | `URL`, `URI` | that URL |
//! | `FileHash-MD5`, `-SHA1`, `-SHA256` | that file |
//!
//! Others (`CVE`, `email`, `Mutex`, `FileHash-IMPHASH`, …) are rejected as `type`. What is not `is_active` and has no
//! `expiration` is rejected as `inactive`. With an adversary the category is APT, else that of the indicator's `role`,
//! else the source's.

use std::io;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::entry::{Entry, Fault, Shape, listing, shown};
use super::json_values::{JsonValues, VALUE_BYTES_MAX, first_keys};
use super::lenient::Text;
use super::said::{category, reference};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing, Mention, Publication, ReportType};
use crate::indicator::{Host, Indicator, Mask};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "otx",
    title: "OTX pulses with their indicators (JSON)",
    state: State::Events,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// How many texts of a list of a pulse are kept.
const TEXTS_MAX: usize = 200;

/// The types that are read.
const TYPES: &[(&str, Shape)] = &[
    ("domain", Shape::Name),
    ("hostname", Shape::Name),
    ("IPv4", Shape::Address),
    ("IPv6", Shape::Address),
    ("CIDR", Shape::Network),
    ("URL", Shape::Url),
    ("URI", Shape::Url),
    ("FileHash-MD5", Shape::File),
    ("FileHash-SHA1", Shape::File),
    ("FileHash-SHA256", Shape::File),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pulse<'a> {
    id: Text,
    name: Text,
    description: Text,
    #[serde(rename = "TLP")]
    tlp: Text,
    created: Text,
    modified: Text,
    adversary: Text,
    tags: Value,
    references: Value,
    industries: Value,
    targeted_countries: Value,
    malware_families: Value,
    #[serde(borrow)]
    indicators: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PulseIndicator {
    indicator: Text,
    #[serde(rename = "type")]
    kind: Text,
    role: Text,
    created: Text,
    expiration: Text,
    is_active: Text,
}

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    let pulse = |has: &dyn Fn(&str) -> bool| has("indicators") && (has("author_name") || has("adversary"));
    pulse(&|key| keys.contains(&key))
        || (keys.contains(&"results") && pulse(&|key| sample.contains(&format!("\"{key}\""))))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::of_lists(input.reader, |key| key == "results", VALUE_BYTES_MAX);
    while let Some((line, bytes)) = values.next(out)? {
        match serde_json::from_slice::<Pulse<'_>>(bytes) {
            // A struct can be read from an array too; that is no pulse.
            Ok(_) if !bytes.starts_with(b"{") => out.reject(line, "json", "it is no object", bytes)?,
            Ok(pulse) => match pulse.id.get() {
                Some(id) => {
                    if let Some(tlp) = pulse.tlp.get().and_then(|tlp| tlp.parse().ok()) {
                        out.mark(tlp)?;
                    }
                    read_pulse(&pulse, id, line, out)?;
                }
                None => out.reject(line, "id", "a pulse without its id cannot be referred to", bytes)?,
            },
            Err(error) => out.reject(line, "json", error.to_string(), bytes)?,
        }
    }
    Ok(())
}

fn read_pulse(pulse: &Pulse<'_>, id: &str, line: u64, out: &mut Emit<'_>) -> io::Result<()> {
    match publication(pulse, id) {
        Ok(publication) => out.fact(line, Fact::Publication(publication))?,
        Err((reason, detail)) => out.reject(line, reason, detail, id.as_bytes())?,
    }
    let Some(list) = pulse.indicators else { return Ok(()) };
    let all = match serde_json::from_str::<Vec<&RawValue>>(list.get()) {
        Ok(all) => all,
        Err(error) => return out.reject(line, "json", error.to_string(), list.get().as_bytes()),
    };
    for one in all {
        match read_indicator(pulse, id, one.get()) {
            Ok((listings, named)) => {
                for listing in listings {
                    out.fact(line, Fact::Listing(listing))?;
                }
                if let Some(indicator) = named {
                    let publication = id.to_owned();
                    out.fact(line, Fact::Mention(Mention { publication, indicator }))?;
                }
            }
            Err((reason, detail)) => out.reject(line, reason, detail, one.get().as_bytes())?,
        }
    }
    Ok(())
}

/// What an indicator lists, and the object that it names.
type Read = (Vec<Listing>, Option<Indicator>);

fn read_indicator(pulse: &Pulse<'_>, id: &str, json: &str) -> Result<Read, Fault> {
    if !json.starts_with('{') {
        return Err(("json", "an indicator is an object".to_owned()));
    }
    let one = serde_json::from_str(json).map_err(|error| ("json", error.to_string()))?;
    indicator(pulse, id, &one)
}

fn publication(pulse: &Pulse<'_>, id: &str) -> Result<Publication, Fault> {
    let adversary = pulse.adversary.get();
    let mut tags = texts(&pulse.tags);
    tags.extend(texts(&pulse.malware_families));
    Ok(Publication {
        id: id.to_owned(),
        report_type: if adversary.is_some() { ReportType::Apt } else { ReportType::Crimeware },
        title: pulse.name.get().unwrap_or(id).to_owned(),
        published: time(&pulse.created)?,
        updated: time(&pulse.modified)?,
        description: pulse.description.get().map(str::to_owned),
        url: texts(&pulse.references).into_iter().next(),
        tags,
        industries: texts(&pulse.industries),
        geography: texts(&pulse.targeted_countries),
        actors: adversary.map(str::to_owned).into_iter().collect(),
    })
}

/// The texts of a list, or the names of its objects.
fn texts(list: &Value) -> Vec<String> {
    let name = |value: &Value| value.as_str().or(value["display_name"].as_str()).map(str::to_owned);
    let all = list.as_array().into_iter().flatten().filter_map(name);
    all.filter(|text| !text.trim().is_empty()).take(TEXTS_MAX).collect()
}

fn time(text: &Text) -> Result<Option<Timestamp>, Fault> {
    text.get().map(Timestamp::parse).transpose().map_err(|detail| ("date", detail))
}

fn indicator(pulse: &Pulse<'_>, id: &str, one: &PulseIndicator) -> Result<Read, Fault> {
    let (kind, text) = (one.kind.get().unwrap_or_default(), one.indicator.get().unwrap_or_default());
    let (_, shape) = TYPES
        .iter()
        .find(|(known, _)| *known == kind)
        .ok_or_else(|| ("type", format!("no fact is made of indicators of type {}", shown(kind))))?;
    let entry = Entry::parse_as(*shape, text)?;
    let until = time(&one.expiration)?;
    if until.is_none() && matches!(one.is_active.get(), Some("0" | "false")) {
        return Err(("inactive", "the pulse does not hold it for true any more".to_owned()));
    }
    let category = match (pulse.adversary.get(), one.role.get()) {
        (Some(_), _) => Some(Category::APT),
        (None, Some(role)) => Some(category(role)).filter(|category| *category != Category::OTHER),
        (None, None) => None,
    };
    let first = time(&one.created)?;
    let with = |what: Listed| Listing {
        category,
        first,
        last: first,
        until,
        reference: reference([Some(id), pulse.name.get(), one.role.get()]),
        ..listing(what)
    };
    let named = match &entry {
        Entry::Host(host, _) => Some(host.clone().into()),
        Entry::Url(url) => Some(Indicator::Url(url.clone())),
        Entry::File(hash) => Some(Indicator::File(*hash)),
        Entry::Domain(_) | Entry::Network(_) | Entry::Range(_) => None,
    };
    let listed = match &entry {
        // Masks drop `www.`: then the names beside it would be listed too.
        Entry::Host(Host::Domain(name), None) if kind == "domain" && name.without_www() == name.as_str() => {
            vec![Listed::Mask(Mask::domain(name))]
        }
        _ => entry.listed(),
    };
    Ok((listed.into_iter().map(with).collect(), named))
}
