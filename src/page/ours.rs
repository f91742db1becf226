//! Sections of a report's page that are ours alone: what people say of the object, and who of ours talked to it.

use askama::Template;
use serde::Serialize;

use super::grid::{At, Grid, Wanted};
use super::rows::{Field, Form, rows_of};
use crate::contacts::Contacts;
use crate::export::tree::{Tree, shown};
use crate::people::{Record, Status};
use crate::store::StoreError;
use crate::value::{Timestamp, Zone};

/// What people say: the place on the page.
pub const PEOPLE: &str = "People";

/// Who of ours talked to it: the place on the page.
pub const CONTACTS: &str = "Contacts";

/// The places of all of them.
pub const PLACES: [&str; 2] = [PEOPLE, CONTACTS];

/// A section.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "ours.html")]
pub struct Ours {
    /// Its place on the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What is worth knowing of it; empty: nothing.
    pub about: String,
    /// What was just done; empty: nothing.
    pub done: &'static str,
    /// What there is; `None`: nothing.
    pub grid: Option<Grid>,
    /// What can be done.
    pub forms: Vec<Form>,
    /// The session's own token.
    pub csrf: String,
}

// A template escapes what it is made of.
impl askama::filters::HtmlSafe for Ours {}

/// What somebody who asks may say.
#[derive(Clone, Copy, Debug, Default)]
pub struct May {
    /// Set and take back pins.
    pub pin: bool,
    /// Write notes, sightings and reports of false positives.
    pub write: bool,
    /// Whether it is known who they are: else they are asked for a name.
    pub is_named: bool,
}

/// Something that was said, as a row.
#[derive(Serialize)]
struct Row<'a> {
    what: String,
    zone: Option<Zone>,
    said: Option<&'a str>,
    by: &'a str,
    at: Option<Timestamp>,
    until: Option<Timestamp>,
    status: Option<&'static str>,
}

fn row(record: &Record) -> Row<'_> {
    let said = &record.said;
    // Only a pin has more than one fate.
    let tells = record.fact == "pin" || record.status != Status::Live;
    Row {
        what: record.fact.replace('_', " "),
        zone: said.zone,
        said: said.reason.as_deref().or(said.text.as_deref()),
        by: &said.by,
        at: said.observed,
        until: said.expires.filter(|_| record.status != Status::Removal),
        status: tells.then(|| record.status.as_str()),
    }
}

/// What people say of an object, the newest first; with what can be said, unless the page is of the past.
///
/// # Errors
///
/// None: what is said is text.
pub fn people(
    mut records: Vec<Record>,
    indicator: &str,
    may: May,
    at: &At,
    wanted: &Wanted,
) -> Result<Ours, StoreError> {
    records.sort_by_key(|record| std::cmp::Reverse(record.said.observed));
    records.truncate(crate::people::RECORDS_MAX);
    let has_pin = records.iter().any(|record| record.fact == "pin" && record.status == Status::Live);
    let rows = rows_of(&records.iter().map(row).collect::<Vec<_>>())?;
    Ok(Ours {
        id: PEOPLE,
        title: "People",
        grid: (!rows.is_empty()).then(|| Grid::new(&rows, wanted, at, None)),
        forms: forms(indicator, may, has_pin),
        ..Ours::default()
    })
}

/// Who of ours talked to an object.
///
/// # Errors
///
/// None: what is known of contacts is text and numbers.
pub fn contacts(found: &Contacts, at: &At, wanted: &Wanted) -> Result<Ours, StoreError> {
    let rows = rows_of(&found.contacts)?;
    let left = if found.total > rows.len() {
        format!(
            " The last {} of {}.",
            super::thousands(rows.len() as u64),
            super::thousands(found.total as u64)
        )
    } else {
        String::new()
    };
    Ok(Ours {
        id: CONTACTS,
        title: "Who of ours talked to it",
        about: format!("From our own telemetry; not for everybody.{left}"),
        grid: Some(Grid::new(&rows, wanted, at, None)),
        ..Ours::default()
    })
}

/// A form that says something of an object.
fn said(title: &'static str, action: &str, button: &'static str, indicator: &str) -> Form {
    let about = Field { name: "indicator", kind: "hidden", value: indicator.to_owned(), ..Field::default() };
    Form { title, action: action.to_owned(), is_change: true, fields: vec![about], button }
}

/// A field of a kind that has to be filled in or need not be.
fn field(name: &'static str, label: &'static str, kind: &'static str, is_needed: bool) -> Field {
    Field { name, label, kind, is_needed, ..Field::default() }
}

/// The fields of a pin besides what it is on.
fn of_pin() -> [Field; 3] {
    let zones = Zone::ALL.iter().map(|zone| (zone.name().to_owned(), zone.name().to_owned())).collect();
    [
        Field { name: "zone", label: "Zone", kind: "select", choices: zones, ..Field::default() },
        field("reason", "Reason", "text", true),
        field("expires", "Until the end of (UTC; empty: for good)", "date", false),
    ]
}

/// What can be said of an object.
fn forms(indicator: &str, may: May, has_pin: bool) -> Vec<Form> {
    let pin = [
        (
            has_pin,
            said("Take the pin back", "/pins/remove", "Take back", indicator),
            vec![field("reason", "Reason", "text", true)],
        ),
        (true, said("Set a pin", "/pins", "Set", indicator), of_pin().to_vec()),
    ];
    let written = [
        (true, said("Write a note", "/notes", "Keep", indicator), vec![field("text", "Note", "area", true)]),
        (
            true,
            said("Report a sighting", "/sightings", "Report", indicator),
            vec![field("observed", "Seen on (UTC; empty: now)", "date", false)],
        ),
        (
            true,
            said("Report a false positive", "/false-positives", "Report", indicator),
            vec![field("reason", "Why it is none", "text", true)],
        ),
    ];
    let (pin, written) = (pin.into_iter().filter(|_| may.pin), written.into_iter().filter(|_| may.write));
    let all = pin.chain(written).filter(|(is_wanted, ..)| *is_wanted);
    all.map(|(_, form, fields)| with(form, fields, may)).collect()
}

/// A form with fields, and with one for who says it where that is not known.
fn with(mut form: Form, fields: Vec<Field>, may: May) -> Form {
    form.fields.extend(fields);
    if !may.is_named {
        form.fields.push(field("by", "Your name", "text", true));
    }
    form
}

/// Pins can be taken back from a list that is no longer than this; in a longer one their names are typed.
const CHOICES_MAX: usize = 200;

/// What can be done on the page of all pins.
pub fn pin_forms(pinned: &[Record], may: May) -> Vec<Form> {
    if !may.pin {
        return Vec::new();
    }
    let typed = |kind: &'static str| {
        vec![Field {
            name: "indicator",
            label: "Domain, IP address, URL or hash",
            kind,
            is_needed: true,
            ..Field::default()
        }]
    };
    let form = |title, action: &str, button, fields| Form {
        title,
        action: action.to_owned(),
        is_change: true,
        fields,
        button,
    };
    let back = Field { name: "back", kind: "hidden", value: "pins".to_owned(), ..Field::default() };
    let mut chosen = typed("text");
    if pinned.len() <= CHOICES_MAX {
        let choice = |record: &Record| {
            let indicator = &record.said.indicator;
            (indicator.tagged(), crate::export::defanged(&shown(&indicator.to_string())))
        };
        chosen = typed("select");
        chosen[0].choices = pinned.iter().map(choice).collect();
    }
    let reason = vec![field("reason", "Reason", "text", true), back.clone()];
    let set = form("Set a pin", "/pins", "Set", typed("text"));
    let mut forms = vec![with(set, [of_pin().to_vec(), vec![back]].concat(), may)];
    if !pinned.is_empty() {
        forms.push(with(form("Take a pin back", "/pins/remove", "Take back", chosen), reason, may));
    }
    forms
}

/// A live record on the page of all of its kind.
#[derive(Serialize)]
struct Listed<'a> {
    zone: Option<Zone>,
    kind: crate::indicator::Kind,
    indicator: String,
    said: Option<&'a str>,
    by: &'a str,
    at: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Live records of all objects, as rows.
///
/// # Errors
///
/// None: what is said is text.
pub fn listed(records: &[Record]) -> Result<Vec<Tree>, StoreError> {
    let row = |record| {
        let (Row { zone, said, by, at, until, .. }, about) = (row(record), &record.said.indicator);
        Listed { zone, kind: about.kind(), indicator: about.to_string(), said, by, at, until }
    };
    rows_of(&records.iter().map(row).collect::<Vec<_>>())
}
