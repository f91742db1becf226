//! `/pins` and `/notes`: what is said now of all objects. What forms say, here and on reports: `POST /pins`, `/pins/remove`,
//! `/notes`, `/sightings`, `/false-positives`. Each leads back to where it was said.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::{Map, Value};

use super::{frame, looked_up, ours, page, see};
use crate::access::Caller;
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::body::{form_field, read_body};
use crate::http::error::Problem;
use crate::http::gate::Object;
use crate::http::people::{answered, kept, taken_back, user, wrong};
use crate::indicator::Indicator;
use crate::page::grid::Wanted;
use crate::page::ours::{PEOPLE, listed, pin_forms};
use crate::page::path_of;
use crate::page::rows::RowsPage;
use crate::people::{self, KINDS, Kind, NOTE, PIN, Said};
use crate::value::Timestamp;

/// What was done, by the word that stands for it in an address.
const DONE: &[(&str, &str)] = &[
    ("pin", "The pin is set: it counts from now on."),
    ("removed", "The pin was taken back."),
    ("note", "The note is kept."),
    ("sighting", "The sighting is kept."),
    ("false_positive", "The report of a false positive is kept."),
];

/// What was just done, as an address says it.
pub(super) fn done(query: &str) -> &'static str {
    let word = parameter(query, "done").unwrap_or_default();
    DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text)
}

pub(super) fn routes() -> Router<Arc<Service>> {
    let router = KINDS.iter().fold(Router::new(), |router, kind| {
        let say = move |State(service), request: Request| answered(say(service, kind, request));
        router.route(&format!("/{}", kind.path), post(say))
    });
    let all = |kind: &'static Kind| {
        get(move |State(service): State<Arc<Service>>, Extension(caller): Extension<Caller>, uri: Uri| {
            answered(all(service, kind, caller, uri))
        })
    };
    let remove = |State(service), request: Request| answered(remove(service, request));
    router.route("/pins", all(PIN)).route("/notes", all(NOTE)).route("/pins/remove", post(remove))
}

/// `GET /pins`, `GET /notes`
async fn all(
    service: Arc<Service>,
    kind: &'static Kind,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let path = uri.path().to_owned();
    let frame = frame(&service, &caller, &path);
    let query = uri.query().unwrap_or_default().to_owned();
    let may = ours::may(&caller);
    let shown = looked_up(&service, &caller, &uri, true, move |context| {
        let found = people::live(&context.snapshot()?.view(None), kind, context.now)?;
        let is_pin = kind.name == PIN.name;
        let about = if is_pin {
            "Zones that people set, and that count now. One of the past is on the report of its object."
        } else {
            "What people remarked. A note is written on the report of its object."
        };
        let cut = if found.truncated {
            " Not all are shown: there are more than 10,000 objects with one."
        } else {
            ""
        };
        Ok(RowsPage {
            frame,
            title: if is_pin { "Pins" } else { "Notes" }.to_owned(),
            about: format!("{about}{cut}"),
            done: done(&query),
            forms: if is_pin { pin_forms(&found.records, may) } else { Vec::new() },
            tables: vec![(String::new(), listed(&found.records, &wanted(&query), &path)?)],
            ..RowsPage::default()
        })
    });
    Ok(page(StatusCode::OK, &shown.await?))
}

/// How an address wants the rows of its page.
pub(super) fn wanted(query: &str) -> Wanted {
    let given = |name: &str| parameter(query, name);
    Wanted::of(given("sort").as_deref(), given("filter").as_deref(), given("page").as_deref())
}

/// `POST` with a form: says what it says, and leads back.
async fn say(service: Arc<Service>, kind: &'static Kind, request: Request) -> Result<Response, Problem> {
    let (uri, user) = (request.uri().clone(), user(&request));
    let body = read_body(&service, &uri, request).await?;
    let said = said(kind, &body, user).map_err(|detail| wrong(&uri, detail))?;
    let about = said.indicator.clone();
    kept(&service, &uri, kind, said).await?;
    Ok(back(&about, &body, kind.name))
}

/// `POST /pins/remove` with a form.
async fn remove(service: Arc<Service>, request: Request) -> Result<Response, Problem> {
    let (uri, user) = (request.uri().clone(), user(&request));
    let body = read_body(&service, &uri, request).await?;
    let filled = |name: &str| {
        form_field(&body, name).ok_or_else(|| wrong(&uri, format!("the form lacks {name}: fill it in")))
    };
    let about = indicator(&filled("indicator")?).map_err(|detail| wrong(&uri, detail))?;
    let by = user.map_or_else(|| filled("by"), Ok)?;
    taken_back(&service, &uri, about.clone(), by, filled("reason")?).await?;
    Ok(back(&about, &body, "removed"))
}

fn indicator(text: &str) -> Result<Indicator, String> {
    Indicator::parse_tagged(text.trim()).map_err(|error| format!("indicator: {error}"))
}

/// What a form says; by a user where one is known, whatever it says of that. What is left empty is not said.
fn said(kind: &Kind, body: &[u8], user: Option<String>) -> Result<Said, String> {
    let mut fields = Map::new();
    let names = kind.fields.iter().map(|(name, _)| *name).chain(["indicator", "by"]);
    for name in names {
        if let Some(text) = form_field(body, name).filter(|text| !text.trim().is_empty()) {
            fields.insert(name.to_owned(), Value::from(text));
        }
    }
    if let Some(Value::String(text)) = fields.get("expires") {
        let day = Timestamp::parse(text).map_err(|error| format!("expires: {error}"))?;
        let end = if text.contains('T') { day } else { day.end_of_day() };
        fields.insert("expires".to_owned(), Value::from(end.rfc3339()));
    }
    // Whose line ends a browser sends is nothing that anybody said.
    if let Some(Value::String(text)) = fields.get_mut("text") {
        *text = text.replace("\r\n", "\n");
    }
    if let Some(user) = user {
        fields.insert("by".to_owned(), user.into());
    }
    let fields = Value::from(fields);
    serde_json::from_value(fields).map_err(|error| format!("the form is no {}: {error}", kind.words()))
}

/// Leads back to where something was said.
fn back(about: &Indicator, body: &[u8], done: &str) -> Response {
    let to = match form_field(body, "back").as_deref() {
        Some("pins") => format!("/pins?done={done}"),
        _ => format!("{}?done={done}#{PEOPLE}", path_of(about.kind(), &about.to_string())),
    };
    (Extension(Object(about.to_string())), see(&to)).into_response()
}
