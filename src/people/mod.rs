//! What people say of an object: pins, notes, sightings, reports of false positives.
//!
//! Each is a fact like any other: a small batch of the source [`SOURCE`], never changed and never deleted, with
//! who, why and when. [`Said`] is its form in and out; the table [`KINDS`] says which fields a kind has.
//!
//! Of the pins on an object the newest counts, as long as it lasts. One is taken back by a newer one whose time
//! is over when it begins: what was before is still listed, and a past moment still has it.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use crate::fact::Fact;
use crate::import::{self, ImportError};
use crate::indicator::Indicator;
use crate::store::walk::{Head, Range, Walk};
use crate::store::{ObjectKey, Statement, Store, StoreError, Table, View};
use crate::value::Timestamp;

mod said;

pub use said::{BY_CHARS_MAX, REASON_CHARS_MAX, Rule, Said, TEXT_CHARS_MAX};

/// The source of what is said here.
pub const SOURCE: &str = "people";

/// The most records of a list: the newest.
pub const RECORDS_MAX: usize = 1000;

/// The most objects of which all that is said is listed.
pub const OBJECTS_MAX: usize = 10_000;

/// A kind of what people say.
#[derive(Debug)]
pub struct Kind {
    /// Its name, as the native format spells it.
    pub name: &'static str,
    /// The name of several, as the last part of its path.
    pub path: &'static str,
    /// The fields that it has besides `indicator` and `by`.
    pub fields: &'static [(&'static str, Rule)],
    table: Table,
}

/// All kinds.
pub static KINDS: [Kind; 4] = [
    Kind {
        name: "pin",
        path: "pins",
        fields: &[("zone", Rule::Needed), ("reason", Rule::Needed), ("expires", Rule::Optional)],
        table: Table::Pin,
    },
    Kind { name: "note", path: "notes", fields: &[("text", Rule::Needed)], table: Table::Note },
    Kind {
        name: "sighting",
        path: "sightings",
        fields: &[("observed", Rule::Optional)],
        table: Table::Sighting,
    },
    Kind {
        name: "false_positive",
        path: "false-positives",
        fields: &[("reason", Rule::Needed)],
        table: Table::FalsePositive,
    },
];

/// Zones set by people.
pub static PIN: &Kind = &KINDS[0];
/// Remarks.
pub static NOTE: &Kind = &KINDS[1];
/// Seen in the wild.
pub static SIGHTING: &Kind = &KINDS[2];
/// Wrongly listed.
pub static FALSE_POSITIVE: &Kind = &KINDS[3];

impl Kind {
    /// The rule of a field; `None`: it is not one of this kind.
    pub fn rule(&self, field: &str) -> Option<Rule> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, rule)| *rule)
    }

    /// Its name in a sentence.
    pub fn words(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RecordStatus)]
pub enum Status {
    /// It counts.
    Live,
    /// A pin whose time is over.
    Expired,
    /// A pin that a newer one took the place of.
    Replaced,
    /// A pin that was taken back.
    Removed,
    /// What took the pin before it back.
    Removal,
    /// Its source no longer says so.
    Withdrawn,
}

impl Status {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Live => "live",
            Status::Expired => "expired",
            Status::Replaced => "replaced",
            Status::Removed => "removed",
            Status::Removal => "removal",
            Status::Withdrawn => "withdrawn",
        }
    }
}

/// What was said, and what became of it. As JSON it is the native form of the fact, with two fields more.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Record {
    /// The kind.
    pub fact: &'static str,
    /// What was said; `observed` is always there.
    #[serde(flatten)]
    pub said: Said,
    /// What became of it.
    pub status: Status,
    /// The source that it came by: `people`, or whose facts were imported.
    pub source: String,
}

/// Why nothing was said or listed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// It was asked for wrongly; the text says what would be right.
    #[error("{0}")]
    Wrong(String),
    /// There is nothing to take back.
    #[error("{0}")]
    Nothing(String),
    /// What the import says.
    #[error(transparent)]
    Import(ImportError),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ImportError> for PeopleError {
    fn from(error: ImportError) -> PeopleError {
        match error {
            ImportError::Usage(text) => PeopleError::Wrong(text),
            ImportError::Store(error) => PeopleError::Store(error),
            other => PeopleError::Import(other),
        }
    }
}

/// Says things of one kind: all of them in one batch, or none.
///
/// # Errors
///
/// [`PeopleError`]; nothing is then changed.
pub fn say(store: &Store, kind: &Kind, all: Vec<Said>, now: Timestamp) -> Result<Vec<Record>, PeopleError> {
    let mut checked = Vec::with_capacity(all.len());
    for said in all {
        let mut said = said.checked(kind, now).map_err(PeopleError::Wrong)?;
        if kind.table == Table::Pin {
            said.observed = Some(after(newest(store, &said.indicator, now)?.as_ref(), now));
        }
        checked.push(said);
    }
    publish(store, kind, checked, Status::Live, now)
}

/// Takes the live pins on objects back, all of them or none. The records are what took them back.
///
/// # Errors
///
/// [`PeopleError::Nothing`] where an object has no live pin; else as [`say`].
pub fn remove_pins(
    store: &Store,
    indicators: &[Indicator],
    by: &str,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Record>, PeopleError> {
    let mut removals = Vec::with_capacity(indicators.len());
    for indicator in indicators {
        let newest = newest(store, indicator, now)?;
        let pin = newest.filter(|record| record.status == Status::Live).ok_or_else(|| {
            PeopleError::Nothing(format!(
                "there is no live pin on {indicator}: list its pins to see what became of them"
            ))
        })?;
        let removal =
            Said { zone: pin.said.zone, reason: Some(reason.to_owned()), ..Said::new(indicator.clone(), by) };
        let removal = removal.checked(PIN, now).map_err(PeopleError::Wrong)?;
        removals.push(Said { expires: Some(now), observed: Some(after(Some(&pin), now)), ..removal });
    }
    publish(store, PIN, removals, Status::Removal, now)
}

/// Now; or, where what is there is not older, just after it: moments are whole seconds, and the newest counts.
fn after(newest: Option<&Record>, now: Timestamp) -> Timestamp {
    let last = newest.and_then(|record| record.said.observed);
    last.map_or(now, |last| now.max(Timestamp(last.0 + 1)))
}

fn publish(
    store: &Store,
    kind: &Kind,
    all: Vec<Said>,
    status: Status,
    now: Timestamp,
) -> Result<Vec<Record>, PeopleError> {
    let facts: Result<Vec<Fact>, String> = all.iter().map(|said| said.fact(kind)).collect();
    import::publish(store, SOURCE, facts.map_err(PeopleError::Wrong)?, now)?;
    Ok(all
        .into_iter()
        .map(|said| Record { fact: kind.name, said, status, source: SOURCE.to_owned() })
        .collect())
}

/// The newest pin on an object, another process's of a moment ago included.
fn newest(store: &Store, indicator: &Indicator, now: Timestamp) -> Result<Option<Record>, StoreError> {
    store.refresh();
    Ok(records(store, PIN, indicator, now)?.into_iter().next())
}

/// Everything of a kind that was ever said of an object, the newest first, pins that were taken back included.
///
/// # Errors
///
/// Damage in the store.
pub fn records(
    store: &Store,
    kind: &Kind,
    indicator: &Indicator,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    records_in(&store.snapshot()?.view(None), kind, indicator, now)
}

/// The same as a reader sees it, then or now: what a source says that is marked above their clearance is not in it.
///
/// # Errors
///
/// Damage in the store.
pub fn records_in(
    view: &View,
    kind: &Kind,
    indicator: &Indicator,
    at: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    records_of(view, kind, &ObjectKey::indicator(indicator), at)
}

fn records_of(view: &View, kind: &Kind, key: &ObjectKey, at: Timestamp) -> Result<Vec<Record>, StoreError> {
    let (object, snapshot) = (view.table(key, kind.table)?, view.snapshot());
    let mut records = Vec::new();
    for statement in object.statements(kind.table).filter(|one| !snapshot.is_restricted(one.source)) {
        let source = snapshot.source_name(statement.source).to_owned();
        records.push(Record { fact: kind.name, said: read(statement)?, status: stands(statement), source });
    }
    records.sort_by_key(|record| Reverse(record.said.order()));
    if kind.table == Table::Pin {
        judge_pins(&mut records, at);
    }
    Ok(records)
}

/// What is said now of all objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Everything {
    /// The live records, the newest first.
    pub records: Vec<Record>,
    /// Whether more was said than of [`OBJECTS_MAX`] objects: then these are the first of them in order of keys.
    pub truncated: bool,
}

/// All live records of a kind, pins or notes: of the others there is no list. What was imported before there was one is in
/// it once it is imported again.
///
/// # Errors
///
/// Damage in the store.
pub fn live(view: &View, kind: &Kind, at: Timestamp) -> Result<Everything, StoreError> {
    let object = ObjectKey::term(kind.name);
    let range = Range::object(&object);
    let (tables, max) = (&[Table::SaidOf][..], OBJECTS_MAX + 1);
    let walk = Walk { range: &range, tables, head: Head::Row, max, rows_max: 4 * OBJECTS_MAX, source: None };
    let walked = view.walk(&walk)?;
    let mut everything = Everything {
        truncated: walked.heads.len() > OBJECTS_MAX || walked.stopped.is_some(),
        ..Everything::default()
    };
    for head in walked.heads.iter().take(OBJECTS_MAX) {
        let Some(said_of) = head.get(object.0.len() + 1..) else { continue };
        let records = records_of(view, kind, &ObjectKey(said_of.to_vec()), at)?;
        everything.records.extend(records.into_iter().filter(|record| record.status == Status::Live));
    }
    everything.records.sort_by_key(|record| Reverse(record.said.order()));
    Ok(everything)
}

fn read(statement: &Statement) -> Result<Said, StoreError> {
    let mut said: Said = statement.fact()?;
    said.observed.get_or_insert(statement.last);
    Ok(said)
}

fn stands(statement: &Statement) -> Status {
    if statement.is_current() { Status::Live } else { Status::Withdrawn }
}

/// What became of the pins on an object, the newest first.
fn judge_pins(records: &mut [Record], now: Timestamp) {
    let mut newer: Option<(Timestamp, Status)> = None;
    for record in records.iter_mut().filter(|record| record.status == Status::Live) {
        let since = record.said.observed.unwrap_or_default();
        let over_by = |at: Timestamp| record.said.expires.is_some_and(|expires| expires <= at);
        record.status = match newer {
            _ if over_by(since) => Status::Removal,
            None if over_by(now) => Status::Expired,
            None => Status::Live,
            Some((at, _)) if over_by(at) => Status::Expired,
            Some((_, Status::Removal)) => Status::Removed,
            Some(_) => Status::Replaced,
        };
        newer = Some((since, record.status));
    }
}
