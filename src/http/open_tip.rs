//! The dialect for clients of the free service: a smaller report, made of the full one.

use serde_json::{Map, Value};

use crate::lookup::{LookupError, Report};
use crate::store::StoreError;

/// The sections that the dialect has, and which of their fields; `None`: all.
const SECTIONS: [(&str, Option<&[&str]>); 8] = [
    (
        "DomainGeneralInfo",
        Some(&[
            "FilesCount",
            "UrlsCount",
            "HitsCount",
            "Domain",
            "Ipv4Count",
            "Categories",
            "CategoriesWithZone",
        ]),
    ),
    ("DomainWhoIsInfo", None),
    (
        "IpGeneralInfo",
        Some(&["Status", "CountryCode", "HitsCount", "FirstSeen", "Ip", "Categories", "CategoriesWithZone"]),
    ),
    ("IpWhoIs", None),
    ("UrlGeneralInfo", None),
    ("UrlDomainWhoIs", None),
    ("FileGeneralInfo", None),
    ("DetectionsInfo", None),
];

/// Fields that show another one of the full report: here only what is malicious counts.
const RENAMED: [(&str, &str); 2] =
    [("MaliciousFilesCount", "FilesCount"), ("MaliciousUrlsCount", "UrlsCount")];

/// Fields that are there also where they say nothing.
const ALWAYS: [&str; 2] = ["Categories", "CategoriesWithZone"];

/// Fields that are times: here with seconds.
const TIMES: [&str; 7] =
    ["FirstSeen", "LastSeen", "Created", "Updated", "Expires", "Changed", "LastDetectDate"];

/// The sections of the full report that the dialect is made of, `Zone` among them.
pub(super) fn sections() -> Vec<String> {
    ["Zone"].into_iter().chain(SECTIONS.iter().map(|(name, _)| *name)).map(str::to_owned).collect()
}

/// The report in this dialect; of a scan with its status.
pub(super) fn json(report: &Report, is_result: bool) -> Result<Vec<u8>, LookupError> {
    let unreadable = |error: serde_json::Error| StoreError::Io(std::io::Error::other(error));
    let mut members = vec![("Zone", Value::from(report.zone.name()))];
    if is_result {
        members.push(("Status", Value::from("complete")));
    }
    for (name, fields) in SECTIONS {
        let Some(answer) = report.sections.iter().find(|answer| answer.name == name) else { continue };
        let mut body: Value = serde_json::from_str(answer.body.get()).map_err(unreadable)?;
        if let (Some(body), Some(fields)) = (body.as_object_mut(), fields) {
            for (from, to) in RENAMED {
                body.remove(from).and_then(|count| body.insert(to.to_owned(), count));
            }
            body.retain(|name, _| fields.contains(&name.as_str()));
        }
        shorten(&mut body);
        if !says_nothing(&body) {
            members.push((name, body));
        }
    }
    Ok(object(&members))
}

/// An object with its members in this order.
pub(super) fn object(members: &[(&str, Value)]) -> Vec<u8> {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

/// Leaves out what says nothing, at any depth, and gives times their seconds.
fn shorten(value: &mut Value) {
    match value {
        Value::Object(record) => {
            shorten_record(record);
            record.retain(|name, value| ALWAYS.contains(&name.as_str()) || !says_nothing(value));
        }
        Value::Array(list) => list.iter_mut().for_each(shorten),
        _ => {}
    }
}

fn shorten_record(record: &mut Map<String, Value>) {
    for (name, value) in record {
        match value {
            Value::String(time) if TIMES.contains(&name.as_str()) && time.ends_with('Z') => {
                time.insert_str(time.len() - 1, ":00");
            }
            Value::String(status) if name == "Status" && status != "NoInfo" => status.make_ascii_lowercase(),
            other => shorten(other),
        }
    }
}

/// Unknown, zero or an empty list. An unknown MD5 is empty in the full report.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Object(_) => false,
    }
}
