//! What differs between the sections of two reports: rows that came and went, fields that changed.
//!
//! Reports are compared as they are answered, so nothing differs here that a reader of both could not see.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::lookup::{Answer, COUNT_MAX, Report};
use crate::store::StoreError;

/// The most rows of a section that are shown as come, as gone and as changed each.
pub const SHOWN_MAX: usize = 100;

/// What a row of a section is known by.
const ROWS: &[(&str, &[&str])] = &[
    ("FilesAccessed", &["Md5"]),
    ("FilesDownloaded", &["Md5"]),
    ("Subdomains", &["Subdomain"]),
    ("UrlReferrals", &["Url"]),
    ("UrlReferredTo", &["Url"]),
    ("DomainDnsResolutions", &["Ip"]),
    ("FeedMasks", &["NormalizedMask", "MaskType", "Zone"]),
    ("hostSimilarDomains", &["domain"]),
    ("FilesDownloadedFromIp", &["Md5", "Url"]),
    ("HostedUrls", &["Url"]),
    ("IpDnsResolutions", &["Domain"]),
    ("DetectionsInfo", &["DetectionName", "DetectionMethod"]),
    ("FileNames", &["FileName"]),
    ("FileDownloadedFromUrls", &["Url"]),
    ("FileAccessedUrls", &["Url"]),
];

/// Sections that say nothing of the object, or what [`super::changes`] says.
const LEFT_OUT: &[&str] = &["LicenseInfo", "Zone", "Verdict"];

/// Fields of records that the two sides of a diff say themselves.
const FIELDS_LEFT_OUT: &[&str] = &["ThreatScore", "Categories", "CategoriesWithZone"];

/// What differs in a section.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SectionDiff {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Rows before; `None` where the section is no list.
    pub rows_from: Option<usize>,
    /// Rows after.
    pub rows_to: Option<usize>,
    /// Rows that are there now, newest first; at most [`SHOWN_MAX`].
    pub came: Vec<Value>,
    /// How many came in all.
    pub came_count: usize,
    /// Rows that are there no longer, newest first; at most [`SHOWN_MAX`].
    pub went: Vec<Value>,
    /// How many went in all.
    pub went_count: usize,
    /// Fields of records that changed, and zones of rows; at most [`SHOWN_MAX`].
    pub changed: Vec<FieldChange>,
    /// A report lists at most 1,000 rows, and one of the two did: a row may have come or gone by that.
    pub cut: bool,
}

/// A field that changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// The field; of a row, what the row is known by before it.
    pub field: String,
    /// Before.
    pub from: Value,
    /// After.
    pub to: Value,
}

/// The sections of two reports in which something differs. `None`: nothing was known.
///
/// # Errors
///
/// Where a section does not read back.
pub fn sections(old: Option<&Report>, new: Option<&Report>) -> Result<Vec<SectionDiff>, StoreError> {
    let find = |report: Option<&Report>, name: &str| -> Result<Value, StoreError> {
        let answer = report.and_then(|report| report.sections.iter().find(|answer| answer.name == name));
        let read = |answer: &Answer| serde_json::from_str(answer.body.get());
        answer.map_or(Ok(Value::Null), read).map_err(|error| StoreError::Io(std::io::Error::other(error)))
    };
    let mut sections = Vec::new();
    let mut done = BTreeSet::new();
    for answer in new.into_iter().chain(old).flat_map(|report| &report.sections) {
        if LEFT_OUT.contains(&answer.name) || !done.insert(answer.name) {
            continue;
        }
        let (old, new) = (find(old, answer.name)?, find(new, answer.name)?);
        if old != new {
            let diff = section(answer, &old, &new);
            sections.extend(Some(diff).filter(|diff| diff.says_something()));
        }
    }
    Ok(sections)
}

impl SectionDiff {
    fn says_something(&self) -> bool {
        self.came_count + self.went_count + self.changed.len() > 0
    }
}

fn section(answer: &Answer, old: &Value, new: &Value) -> SectionDiff {
    let is_list = old.is_array() || new.is_array();
    let size = |section: &Value| is_list.then(|| section.as_array().map_or(0, Vec::len));
    let mut diff = SectionDiff {
        name: answer.name,
        title: answer.title,
        rows_from: size(old),
        rows_to: size(new),
        came: Vec::new(),
        came_count: 0,
        went: Vec::new(),
        went_count: 0,
        changed: Vec::new(),
        cut: size(old).max(size(new)).is_some_and(|rows| rows >= COUNT_MAX),
    };
    if is_list {
        let (old, new) = (by_key(answer.name, old), by_key(answer.name, new));
        let only = |these: &BTreeMap<String, &Value>, those: &BTreeMap<String, &Value>| {
            let mut rows: Vec<&Value> =
                these.iter().filter(|(key, _)| !those.contains_key(*key)).map(|(_, row)| *row).collect();
            rows.sort_by(|a, b| seen(b).cmp(seen(a)));
            (rows.len(), rows.into_iter().take(SHOWN_MAX).cloned().collect::<Vec<Value>>())
        };
        (diff.came_count, diff.came) = only(&new, &old);
        (diff.went_count, diff.went) = only(&old, &new);
        for (key, row) in &new {
            let zone = |row: &Value| row.get("Zone").or(row.get("zone")).cloned().unwrap_or(Value::Null);
            if let Some(before) = old.get(key).filter(|before| zone(before) != zone(row)) {
                let (field, from, to) = (format!("{key} Zone"), zone(before), zone(row));
                diff.changed.push(FieldChange { field, from, to });
            }
        }
    } else {
        fields("", old, new, &mut diff.changed);
    }
    diff.changed.truncate(SHOWN_MAX);
    diff
}

fn by_key<'v>(section: &str, rows: &'v Value) -> BTreeMap<String, &'v Value> {
    let names = ROWS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, names)| *names);
    rows.as_array().into_iter().flatten().map(|row| (key(names, row), row)).collect()
}

/// What a row is known by, as text; a row of no known shape by all of it.
pub fn key(names: &[&str], row: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if names.is_empty() {
        return text(row);
    }
    names.iter().filter_map(|name| row.get(*name)).map(text).collect::<Vec<_>>().join(" ")
}

/// What a row of a section is known by, for a person.
pub fn row_key(section: &str, row: &Value) -> String {
    let names = ROWS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, names)| *names);
    key(names, row)
}

/// When a row was last seen, else first: the times of reports order as text.
pub fn seen(row: &Value) -> &str {
    row.get("LastSeen").or(row.get("FirstSeen")).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a field says nothing: of what was unknown nothing is said either.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(record) => record.is_empty(),
        Value::Bool(true) => false,
    }
}

/// The fields in which two records differ, inner ones with the outer's name before them.
fn fields(before: &str, old: &Value, new: &Value, into: &mut Vec<FieldChange>) {
    let empty = serde_json::Map::new();
    let (a, b) = (old.as_object(), new.as_object());
    if a.is_none() && b.is_none() {
        if old != new && !(is_nothing(old) && is_nothing(new)) {
            let field = before.to_owned();
            into.push(FieldChange { field, from: old.clone(), to: new.clone() });
        }
        return;
    }
    let (a, b) = (a.unwrap_or(&empty), b.unwrap_or(&empty));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names.into_iter().filter(|name| !FIELDS_LEFT_OUT.contains(&name.as_str())) {
        let inner = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let at =
            |record: &'_ serde_json::Map<String, Value>| record.get(name).cloned().unwrap_or(Value::Null);
        fields(&inner, &at(a), &at(b), into);
    }
}
