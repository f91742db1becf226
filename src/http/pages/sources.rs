//! `/sources`, `/sources/{name}`, `/batches`: where what is known comes from, how fresh it is, what
//! was not understood.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Serialize;

use super::desk::{Fields, back, change, choice, done, field, grid, unreadable};
use super::{frame, page};
use crate::access::Caller;
use crate::access::role::Capability;
use crate::feeds::State as Content;
use crate::http::Service;
use crate::http::error::Problem;
use crate::http::part::Part;
use crate::http::people::answered;
use crate::http::sources::{Seen, blocking, registry, wish};
use crate::page::escaped;
use crate::page::rows::{DetailPage, Form, RowsPage, chosen, record_of, rows_of};
use crate::source::known::{self, Known};
use crate::source::quarantine::Quarantine;
use crate::upkeep::{self, SourceStats};
use crate::value::{Timestamp, Tlp};

type Shared = State<Arc<Service>>;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/sources", get(list).post(refresh))
        .route("/sources/overlap", get(super::overlap::overlap))
        .route("/sources/{name}", get(one))
        .route("/batches", get(batches))
}

//------------ What came of each ---------------------------------------------

/// A source as the page shows it.
#[derive(Serialize)]
struct Row {
    source: String,
    state: &'static str,
    /// When its newest batch was observed, or found unchanged.
    observed: Option<Timestamp>,
    age_hours: Option<i64>,
    next: Option<Timestamp>,
    problem: Option<String>,
    facts: u64,
    rejected: u64,
    batches: usize,
    weight: f64,
    /// 0 to 100, where the source or the policy says one.
    confidence: Option<f64>,
    tlp: Tlp,
    licence: Option<String>,
    asked: Option<Timestamp>,
    good: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    /// Whether it can be asked for.
    #[serde(skip)]
    has_location: bool,
}

/// The columns of the list; the page of each shows the rest.
const COLUMNS: &[(&str, &str)] = &[
    ("source", "source"),
    ("state", "state"),
    ("observed", "newest"),
    ("age_hours", "age_hours"),
    ("next", "next"),
    ("problem", "problem"),
    ("facts", "facts"),
    ("rejected", "rejected"),
    ("weight", "weight"),
    ("confidence", "confidence"),
    ("tlp", "tlp"),
    ("licence", "licence"),
];

/// In a word, how it stands with a source; the worst counts.
fn state(known: Option<&Known>) -> &'static str {
    let Some(known) = known.filter(|known| known.source.location.is_some()) else { return "by hand" };
    match &known.status {
        _ if known.source.disabled => "disabled",
        status if status.held.is_some() => "held back",
        status if status.failed.is_some() => "failed",
        status if status.good.is_some() => "good",
        _ => "not asked yet",
    }
}

/// Why a source is not as its server has it.
fn problem(known: &Known) -> Option<String> {
    let held = known.status.held.as_ref().map(|held| {
        let name = &known.source.name;
        format!(
            "it shrank from {} to {} facts: `zonelens source refresh {name} --accept`",
            held.before, held.now
        )
    });
    held.or_else(|| {
        let failed = known.status.failed.as_ref()?;
        Some(format!("{} times: {}", failed.times, failed.reason))
    })
}

fn row(
    name: &str,
    known: Option<&Known>,
    stats: Option<&SourceStats>,
    service: &Service,
    marked: Tlp,
) -> Row {
    let policy = &service.known().policy;
    let of_policy = policy.sources.get(name);
    let source = known.map(|known| &known.source);
    let status = known.map(|known| &known.status);
    let confidence = source.and_then(|source| source.confidence).map(f64::from);
    let by_policy = || Some((of_policy?.confidence? * 100.0).round());
    Row {
        source: name.to_owned(),
        state: state(known),
        observed: stats.map(|stats| stats.observed),
        age_hours: stats.map(|stats| stats.age_hours),
        next: status.and_then(|status| status.next),
        problem: known.and_then(problem),
        facts: stats.map_or(0, |stats| stats.facts),
        rejected: known.map(|known| known.rejected).or(stats.map(|stats| stats.rejected)).unwrap_or(0),
        batches: stats.map_or(0, |stats| stats.batches),
        weight: of_policy.and_then(|own| own.weight).unwrap_or(1.0),
        confidence: confidence.or_else(by_policy),
        tlp: source.and_then(|source| source.tlp).unwrap_or_default().max(marked),
        licence: source.and_then(|source| source.licence.clone()),
        asked: status.and_then(|status| status.asked),
        good: status.and_then(|status| status.good),
        failing_since: status.and_then(|status| Some(status.failed.as_ref()?.since)),
        has_location: source.is_some_and(|source| source.location.is_some()),
    }
}

/// All sources that a caller may know of: those that are configured, and those that something was imported of.
fn rows(service: &Service, caller: &Caller, now: Timestamp) -> Result<Vec<Row>, String> {
    let registry = registry(service)?;
    let stats = upkeep::stats(&service.store, now).map_err(|error| error.to_string())?;
    // After the figures, so that it knows all that they tell of.
    let seen = Seen::by(service, &registry, caller)?;
    let known = known::all(&registry, service.store.folder()).map_err(|error| error.to_string())?;
    let known: BTreeMap<&str, &Known> =
        known.iter().map(|known| (known.source.name.as_str(), known)).collect();
    let stats: BTreeMap<&str, &SourceStats> =
        stats.sources.iter().map(|stats| (stats.source.as_str(), stats)).collect();
    let mut marked: BTreeMap<&str, Tlp> = BTreeMap::new();
    let batches = seen.snapshot.batches();
    for batch in &batches {
        let mark = marked.entry(&batch.source).or_default();
        *mark = batch.tlp.max(*mark);
    }
    let names: BTreeSet<&str> = known.keys().chain(stats.keys()).copied().collect();
    let names = names.into_iter().filter(|name| !seen.is_hidden(name));
    let made = names.map(|name| {
        let marked = marked.get(name).copied().unwrap_or_default();
        row(name, known.get(name).copied(), stats.get(name).copied(), service, marked)
    });
    Ok(made.collect())
}

async fn list(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let (now, asks) = (service.clock.now(), caller.clone());
        let rows = blocking(&service, &uri, move |service| rows(service, &asks, now)).await?;
        let locations = rows.iter().filter(|row| row.has_location).map(|row| row.source.as_str());
        let which = choice("source", "Source", "", locations);
        let can = caller.may(Capability::Sources) && !which.choices.is_empty();
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let shown = RowsPage {
            frame: frame(&service, &caller, "/sources"),
            title: "Sources".to_owned(),
            about: "Where what is known comes from. A weight is what its listings count beside others', a confidence \
                    how far it is believed where the feed itself does not say."
                .to_owned(),
            done: done(&uri),
            forms: if can { vec![refresh_form(which)] } else { Vec::new() },
            tables: vec![(String::new(), grid(&chosen(&rows, COLUMNS), &uri, "rows", &[]))],
            exports: vec![
                ("Batches", "/batches".to_owned()),
                ("Overlap", "/sources/overlap".to_owned()),
                ("JSON", "/api/v1/sources".to_owned()),
            ],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

fn refresh_form(which: crate::page::rows::Field) -> Form {
    change("Refresh a source now", "/sources".to_owned(), "Refresh now", vec![which])
}

/// `POST /sources`, a form: `source`. Asks for it now, in the background.
async fn refresh(State(service): Shared, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let name = Fields::read(&service, &uri, request).await?.needed(&uri, "source")?;
        wish(&service, &uri, &name).await?;
        Ok(back(&format!("/sources/{}", escaped(&name)), "asked", &name))
    })
    .await
}

//------------ One -----------------------------------------------------------

/// What is known of one source.
struct One {
    row: Row,
    known: Option<Known>,
    quarantine: Quarantine,
    batches: Vec<Batch>,
}

async fn one(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Part(name): Part,
    uri: Uri,
) -> Response {
    answered(async move {
        let (now, asks, wanted) = (service.clock.now(), caller.clone(), name.clone());
        let found = blocking(&service, &uri, move |service| {
            let rows = rows(service, &asks, now)?;
            let Some(row) = rows.into_iter().find(|row| row.source == wanted) else { return Ok(None) };
            let folder = service.store.folder();
            let known = known::all(&registry(service)?, folder).map_err(|error| error.to_string())?;
            let known = known.into_iter().find(|known| known.source.name == wanted);
            let quarantine = Quarantine::read(folder, &wanted).map_err(|error| error.to_string())?;
            let mut batches = batch_rows(service, &asks)?;
            batches.retain(|batch| batch.source == wanted);
            Ok(Some(One { row, known, quarantine, batches }))
        });
        let Some(found) = found.await? else {
            let detail = format!("there is no source {name:?}: /sources lists all");
            return Err(Problem::new(StatusCode::NOT_FOUND, &uri, detail));
        };
        shown(&service, &caller, &uri, found)
    })
    .await
}

/// What of a source's configuration its row says already, or says nothing to people.
const SAID: &[&str] =
    &["name", "state", "status", "rejected", "weight", "confidence", "tlp", "licence", "disabled"];

fn shown(service: &Service, caller: &Caller, uri: &Uri, found: One) -> Result<Response, Problem> {
    let wrong = |error| unreadable(uri, &error);
    let name = found.row.source.clone();
    let mut record = record_of(&found.row, &["source"]).map_err(wrong)?;
    if let Some(known) = found.known {
        record.extend(record_of(&known.published(), SAID).map_err(wrong)?);
    }
    let reasons: Vec<_> = found.quarantine.reasons.iter().collect();
    if !reasons.is_empty() {
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
        record.push(("Rejected because".to_owned(), crate::page::cell::Cell::Words(reasons)));
    }
    let batches = rows_of(&found.batches).map_err(wrong)?;
    let rejected = rows_of(&found.quarantine.sample).map_err(wrong)?;
    let rejected = chosen(&rejected, &["reason", "detail", "text", "line", "file"].map(|name| (name, name)));
    let is_asked = found.row.has_location && caller.may(Capability::Sources);
    let refresh = refresh_form(field("source", "", "hidden", &name));
    let json = format!("/api/v1/sources/{}/rejected", escaped(&name));
    let shown = DetailPage {
        frame: frame(service, caller, ""),
        title: format!("Source {name}"),
        about: String::new(),
        done: done(uri),
        record,
        forms: if is_asked { vec![refresh] } else { Vec::new() },
        tables: vec![
            ("Rejected records, a sample".to_owned(), grid(&rejected, uri, "rejected", &[])),
            ("Batches".to_owned(), grid(&chosen(&batches, &BATCH[1..]), uri, "batches", &[])),
        ],
        links: vec![("All sources", "/sources".to_owned()), ("Rejected records as NDJSON", json)],
    };
    Ok(page(StatusCode::OK, &shown))
}

//------------ Batches -------------------------------------------------------

/// A batch as the page shows it.
#[derive(Serialize)]
struct Batch {
    source: String,
    batch: u64,
    learnt: Timestamp,
    observed: Timestamp,
    refreshed: Option<Timestamp>,
    format: String,
    content: &'static str,
    facts: u64,
    by_kind: Vec<String>,
    rejected: u64,
    became: &'static str,
    retired: Option<Timestamp>,
}

/// The columns of batches.
const BATCH: &[(&str, &str)] = &[
    ("source", "source"),
    ("batch", "batch"),
    ("learnt", "learnt"),
    ("observed", "observed"),
    ("refreshed", "refreshed"),
    ("format", "format"),
    ("content", "content"),
    ("facts", "facts"),
    ("by_kind", "by_kind"),
    ("rejected", "rejected"),
    ("became", "state"),
    ("retired", "retired"),
];

/// All batches of sources that a caller may know of, the newest first.
fn batch_rows(service: &Service, caller: &Caller) -> Result<Vec<Batch>, String> {
    let batches = upkeep::batches(&service.store).map_err(|error| error.to_string())?;
    let seen = Seen::by(service, &registry(service)?, caller)?;
    let seen = batches.into_iter().rev().filter(|state| !seen.is_hidden(&state.batch.source));
    let row = |state: upkeep::BatchState| Batch {
        batch: state.batch.seq,
        learnt: state.batch.learnt,
        observed: state.batch.observed,
        refreshed: state.refreshed,
        content: if state.batch.state == Content::Whole { "whole" } else { "events" },
        facts: state.facts(),
        by_kind: state.batch.facts.iter().map(|(kind, count)| format!("{kind} {count}")).collect(),
        rejected: state.batch.rejected,
        became: if state.live { "live" } else { "retired" },
        retired: state.retired,
        source: state.batch.source,
        format: state.batch.format,
    };
    Ok(seen.map(row).collect())
}

async fn batches(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let asks = caller.clone();
        let rows = blocking(&service, &uri, move |service| batch_rows(service, &asks)).await?;
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let shown = RowsPage {
            frame: frame(&service, &caller, "/batches"),
            title: "Batches".to_owned(),
            about: "Every import that ever was, the newest first. A batch of whole content takes the place of the one \
                    before it; events add up. A batch is taken back by `zonelens retire`."
                .to_owned(),
            done: "",
            forms: Vec::new(),
            tables: vec![(String::new(), grid(&chosen(&rows, BATCH), &uri, "rows", &[]))],
            exports: vec![("Sources", "/sources".to_owned())],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}
