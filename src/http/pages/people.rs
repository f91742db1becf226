//! `/pins` and `/notes`: what is said now of all objects. What forms say, here and on reports: `POST /pins`, `/pins/remove`,
//! `/notes`, `/sightings`, `/false-positives`. Each leads back to where it was said.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::{Map, Value};

use super::desk::{Fields, done, grid};
use super::{frame, looked_up, ours, page, see};
use crate::access::Caller;
use crate::http::Service;
use crate::http::error::Problem;
use crate::http::gate::Object;
use crate::http::people::{answered, kept, taken_back, user, wrong};
use crate::indicator::Indicator;
use crate::page::ours::{PEOPLE, listed, pin_forms};
use crate::page::path_of;
use crate::page::rows::RowsPage;
use crate::people::{self, KINDS, Kind, NOTE, PIN, Said};
use crate::value::Timestamp;

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
    let frame = frame(&service, &caller, uri.path());
    let (asked, may) = (uri.clone(), ours::may(&caller));
    let shown = looked_up(&service, &caller, &uri, true, move |context| {
        let found = people::live(&context.snapshot()?.view(None), kind, context.now)?;
        let is_pin = kind.name == PIN.name;
        let about = if is_pin {
            "Zones that people set, and that count now. One of the past is on the report of its object."
        } else {
            "What people remarked. A note is written on the report of its object."
        };
        let cut = " Not all are shown: there are more than 10,000 objects with one.";
        Ok(RowsPage {
            frame,
            title: if is_pin { "Pins" } else { "Notes" }.to_owned(),
            about: format!("{about}{}", if found.truncated { cut } else { "" }),
            done: done(&asked),
            forms: if is_pin { pin_forms(&found.records, may) } else { Vec::new() },
            tables: vec![(String::new(), grid(&listed(&found.records)?, &asked, "rows", &[]))],
            exports: vec![if is_pin { ("Notes", "/notes".to_owned()) } else { ("Pins", "/pins".to_owned()) }],
        })
    });
    Ok(page(StatusCode::OK, &shown.await?))
}

/// `POST` with a form: says what it says, and leads back.
async fn say(service: Arc<Service>, kind: &'static Kind, request: Request) -> Result<Response, Problem> {
    let (uri, user) = (request.uri().clone(), user(&request));
    let fields = Fields::read(&service, &uri, request).await?;
    let said = said(kind, &fields, user).map_err(|detail| wrong(&uri, detail))?;
    let about = said.indicator.clone();
    kept(&service, &uri, kind, said).await?;
    Ok(back(&about, &fields, kind.name))
}

/// `POST /pins/remove` with a form.
async fn remove(service: Arc<Service>, request: Request) -> Result<Response, Problem> {
    let (uri, user) = (request.uri().clone(), user(&request));
    let fields = Fields::read(&service, &uri, request).await?;
    let about = Indicator::parse_tagged(&fields.needed(&uri, "indicator")?);
    let about = about.map_err(|error| wrong(&uri, format!("indicator: {error}")))?;
    let by = user.map_or_else(|| fields.needed(&uri, "by"), Ok)?;
    taken_back(&service, &uri, about.clone(), by, fields.needed(&uri, "reason")?).await?;
    Ok(back(&about, &fields, "pin-removed"))
}

/// What a form says; by a user where one is known, whatever it says of that. What is left empty is not said.
fn said(kind: &Kind, form: &Fields, user: Option<String>) -> Result<Said, String> {
    let names = kind.fields.iter().map(|(name, _)| *name).chain(["indicator", "by"]);
    let filled = names.filter_map(|name| Some((name.to_owned(), Value::from(form.get(name)?))));
    let mut fields: Map<String, Value> = filled.collect();
    // A pin lasts to the end of the day that is chosen.
    if let Some(text) = form.get("expires").filter(|_| kind.rule("expires").is_some()) {
        let day = Timestamp::parse(&text).map_err(|error| format!("expires: {error}"))?;
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
    serde_json::from_value(fields.into()).map_err(|error| format!("the form is no {}: {error}", kind.words()))
}

/// Leads back to where something was said.
fn back(about: &Indicator, form: &Fields, done: &str) -> Response {
    let to = match form.get("back").as_deref() {
        Some("pins") => format!("/pins?done={done}"),
        _ => format!("{}?done={done}#{PEOPLE}", path_of(about.kind(), &about.to_string())),
    };
    (Extension(Object(about.to_string())), see(&to)).into_response()
}
