//! `kaspersky`: Kaspersky Threat Data Feeds.
//!
//! <https://support.kaspersky.com/help/TIDFSE/1.4/en-US/172171.htm>: JSON, an array or lines. A record is known by its
//! field:
//!
//! | field | listed as |
//! |---|---|
//! | `ip` (IP reputation, APT IP) | that host, `threat_score` as confidence, `category` as category |
//! | `mask` (URL feeds) | `*.name` that domain; with another `*` that wildcard; a host; a URL |
//! | `url` (exact URL feeds) | that URL, or that host |
//! | `MD5`, `SHA1`, `SHA256` (hash feeds) | that file, with its `threat`, size, type and names |
//!
//! The numbers of mask types are not public: a mask is what it looks like. Times are `21.01.2015 00:00`. What the
//! records of a URL or hash feed are, its file's name says (`Phishing_URL_Data_Feed_….json`). A feed is whole.

use std::io;

use super::entry::{Entry, Fault, listing};
use super::json_values::JsonValues;
use super::records::{Object, Record};
use super::said::{category, reference, unknown};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, FileVerdict, Listed, Listing};
use crate::indicator::{FileHash, FileHashes, Mask};
use crate::value::{Category, Timestamp, Zone};

pub(super) const FORMAT: Format = Format {
    name: "kaspersky",
    title: "Kaspersky Threat Data Feeds: URL masks, IP reputation, hashes (JSON)",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// The largest record: popular masks name many files.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// Words in the name of a file that say what its records are.
const FEEDS: &[(&str, Category)] = &[
    ("apt_", Category::APT),
    ("phishing", Category::PHISHING),
    ("botnet", Category::BOTNET_CNC),
    ("ransomware", Category::RANSOMWARE),
    ("malicious", Category::MALWARE),
    ("crimeware", Category::MALWARE),
    ("iot_", Category::MALWARE),
    ("ics_", Category::MALWARE),
];

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = super::json_values::first_keys(sample.head);
    let has = |key: &str| keys.contains(&key);
    let object = ["mask", "ip", "url", "MD5", "SHA1", "SHA256"].into_iter().any(has);
    object && has("popularity") && (has("first_seen") || has("last_seen"))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let name = input.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let feed = FEEDS.iter().find(|(word, _)| name.contains(word)).map(|(_, category)| *category);
    let mut values = JsonValues::new(input.reader, None, RECORD_BYTES_MAX);
    while let Some((line, bytes)) = values.next(out)? {
        let object = match serde_json::from_slice::<Object>(bytes) {
            Ok(object) => object,
            Err(error) => {
                out.reject(line, "json", error.to_string(), bytes)?;
                continue;
            }
        };
        match facts(&Record::Object(&object), feed) {
            Ok(facts) => facts.into_iter().try_for_each(|fact| out.fact(line, fact))?,
            Err((reason, detail)) => out.reject(line, reason, detail, bytes)?,
        }
    }
    Ok(())
}

fn facts(record: &Record<'_>, feed: Option<Category>) -> Result<Vec<Fact>, Fault> {
    let (listed, file) = listed(record)?;
    let (word, threat) = (record.get(&["category"]), record.get(&["threat"]));
    let of_word = word.as_deref().map(category);
    // A file is no server.
    let feed = feed
        .map(|feed| if file.is_some() && feed == Category::BOTNET_CNC { Category::MALWARE } else { feed });
    let with = |what: Listed| -> Result<Fact, Fault> {
        Ok(Fact::Listing(Listing {
            category: of_word.or(feed),
            confidence: record.percent(&["threat_score"])?,
            first: time(record, "first_seen")?,
            last: time(record, "last_seen")?,
            reference: reference([threat.as_deref(), word.as_deref().and_then(unknown)]),
            ..listing(what)
        }))
    };
    let mut facts: Vec<Fact> = listed.into_iter().map(with).collect::<Result<_, Fault>>()?;
    facts.extend(file.map(|file| Fact::FileVerdict(verdict(record, file))));
    Ok(facts)
}

/// What a record lists; and the file, where it is one.
fn listed(record: &Record<'_>) -> Result<(Vec<Listed>, Option<FileHashes>), Fault> {
    if let Some(mask) = record.get(&["mask"]) {
        return Ok((vec![Listed::Mask(self::mask(&mask)?)], None));
    }
    if let Some(text) = record.get(&["ip", "url"]) {
        return Ok((Entry::parse(&text)?.listed(), None));
    }
    let mut file = FileHashes::default();
    for name in ["MD5", "SHA1", "SHA256"] {
        if let Some(text) = record.get(&[name]) {
            file.set(FileHash::parse(&text).map_err(|error| ("hash", error.to_string()))?);
        }
    }
    if file.is_empty() {
        return Err(("fields", "there is no mask, ip, url or hash".to_owned()));
    }
    Ok((vec![Listed::File { file }], Some(file)))
}

fn mask(text: &str) -> Result<Mask, Fault> {
    let domain = text.starts_with("*.") && !text[2..].contains(['*', '/']);
    if text.contains('*') && !domain {
        return Mask::wildcard(text).map_err(|error| ("mask", error.to_string()));
    }
    match Entry::parse(text)?.listed().pop() {
        Some(Listed::Mask(mask)) => Ok(mask),
        _ => Err(("mask", "a hash is no mask".to_owned())),
    }
}

fn verdict(record: &Record<'_>, file: FileHashes) -> FileVerdict {
    let owned = |names: &[&str]| record.get(names).map(std::borrow::Cow::into_owned);
    let names = owned(&["file_names"]).unwrap_or_default();
    let threat = owned(&["threat"]);
    FileVerdict {
        file,
        zone: threat.as_ref().map(|_| Zone::Red),
        detection_name: threat,
        size: record.get(&["file_size"]).and_then(|text| text.parse().ok()),
        file_type: owned(&["file_type"]),
        names: names.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        ..FileVerdict::default()
    }
}

/// `21.01.2015 00:00`.
fn time(record: &Record<'_>, name: &str) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = record.get(&[name]) else { return Ok(None) };
    if let Ok(time) = jiff::civil::DateTime::strptime("%d.%m.%Y %H:%M", &*text) {
        return Timestamp::parse(&time.to_string()).map(Some).map_err(|detail| ("date", detail));
    }
    record.time(&[name])
}
