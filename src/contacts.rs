//! Who of ours talked to something: what telemetry says of our own clients, where it is taken in (`docs/telemetry.md`).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::dossier::rows::moments;
use crate::indicator::Indicator;
use crate::store::walk::{Head, Range, Walk};
use crate::store::{ObjectKey, Part, StoreError, Table, View, read_part};
use crate::value::Timestamp;

/// The most contacts that are listed: the last.
pub const CONTACTS_MAX: usize = 1000;

/// The most names below a domain whose contacts are read.
const NAMES_MAX: usize = 1000;

/// About the most rows that are read to find these names.
const ROWS_MAX: usize = 500_000;

/// Who talked to an indicator.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Contacts {
    /// What was asked about.
    pub indicator: Indicator,
    /// How many there are, also where fewer are listed.
    pub total: usize,
    /// There are more names below it than those whose contacts were read.
    pub truncated: bool,
    /// They, the last first; at most [`CONTACTS_MAX`].
    pub contacts: Vec<Contact>,
}

/// A client of ours that talked to something.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Contact {
    /// The client, as the sensor names it: an address or a host name.
    pub client: String,
    /// What it talked to: what was asked about, or a name below it.
    pub indicator: String,
    /// Which sensor saw it.
    pub sensor: Option<String>,
    /// When first.
    pub first_seen: Timestamp,
    /// When last.
    pub last_seen: Timestamp,
    /// How often.
    pub hits: u64,
}

/// Who talked to an indicator; of a domain, with `www.` or without, to names below it too.
///
/// # Errors
///
/// Damage in the store.
pub fn contacts(view: &View, indicator: &Indicator) -> Result<Contacts, StoreError> {
    let (keys, truncated) = objects(view, indicator)?;
    let mut contacts = Vec::new();
    for key in keys {
        let Some(name) = name(&key, indicator) else { continue };
        for edge in view.table(&key, Table::Contact)?.edges(Table::Contact) {
            let text = String::from_utf8_lossy(&edge.counterpart);
            let (client, sensor) = text.split_once('\0').unwrap_or((&text, ""));
            let (first_seen, last_seen) = moments(&edge.observed);
            contacts.push(Contact {
                client: client.to_owned(),
                indicator: name.clone(),
                sensor: (!sensor.is_empty()).then(|| sensor.to_owned()),
                first_seen,
                last_seen,
                hits: edge.observed.hits(),
            });
        }
    }
    contacts.sort_by(|a, b| {
        (Reverse(a.last_seen), &a.client, &a.indicator).cmp(&(Reverse(b.last_seen), &b.client, &b.indicator))
    });
    let total = contacts.len();
    contacts.truncate(CONTACTS_MAX);
    Ok(Contacts { indicator: indicator.clone(), total, truncated, contacts })
}

/// What stands for an indicator in the store, of a domain all names too; and whether there are more.
fn objects(view: &View, indicator: &Indicator) -> Result<(BTreeSet<ObjectKey>, bool), StoreError> {
    let Indicator::Domain(name) = indicator else {
        return Ok((BTreeSet::from([ObjectKey::indicator(indicator)]), false));
    };
    let range = Range::below(name.without_www());
    let (tables, max) = (&[Table::Contact][..], NAMES_MAX + 1);
    let walked = view.walk(&Walk {
        range: &range,
        tables,
        head: Head::Object,
        max,
        rows_max: ROWS_MAX,
        source: None,
    })?;
    let truncated = walked.heads.len() > NAMES_MAX || walked.stopped.is_some();
    let mut keys: BTreeSet<ObjectKey> = walked.heads.into_iter().take(NAMES_MAX).map(ObjectKey).collect();
    keys.insert(ObjectKey::domain(name.without_www()));
    Ok((keys, truncated))
}

/// How an object is called in an answer.
fn name(key: &ObjectKey, indicator: &Indicator) -> Option<String> {
    match read_part(&key.0)? {
        (Part::Domain(name), _) => Some(name),
        _ => Some(indicator.to_string()),
    }
}
