//! `/api/v1/pins`, `/notes`, `/sightings`, `/false-positives`: what people say of an object, read and written.
//!
//! `GET ?indicator=` lists (`{"indicator","total","records"}`), `POST` with a JSON body says,
//! `DELETE /api/v1/pins?indicator=&by=&reason=` takes a pin back. What is said is in the very next lookup. Where
//! users are known, `by` is who asks, and may be left out.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use super::api::parameter;
use super::body::json_body;
use super::error::Problem;
use super::gate::Object;
use crate::access::Caller;
use crate::indicator::Indicator;
use crate::people::{self, KINDS, Kind, PIN, PeopleError, RECORDS_MAX, Record, Said};

/// The records on an object.
#[derive(Serialize, ToSchema)]
#[schema(as = Records)]
pub(super) struct Listed {
    indicator: Indicator,
    /// How many there are, also where fewer are listed.
    total: usize,
    /// The newest first.
    records: Vec<Record>,
}

/// A route a kind.
pub(super) fn routes() -> Router<Arc<Service>> {
    KINDS.iter().fold(Router::new(), |router, kind| {
        let list = move |State(service), Extension(caller): Extension<Caller>, uri: Uri| {
            answered(list(service, kind, caller, uri))
        };
        let say = move |State(service), request: Request| answered(say(service, kind, request));
        let remove = |State(service), request: Request| answered(remove(service, request));
        let methods = get(list).post(say);
        let methods = if kind.name == PIN.name { methods.delete(remove) } else { methods };
        router.route(&format!("/api/v1/{}", kind.path), methods)
    })
}

pub(super) async fn answered(answer: impl Future<Output = Result<Response, Problem>>) -> Response {
    answer.await.unwrap_or_else(Problem::into_response)
}

/// Everything that was ever said of an object, the newest first.
async fn list(
    service: Arc<Service>,
    kind: &'static Kind,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let indicator = indicator(&uri)?;
    let now = service.clock.now();
    let about = indicator.clone();
    let work = move |service: &Service| {
        let snapshot = service.store.snapshot()?.for_reader(&service.known().reader(&caller));
        Ok(people::records_in(&snapshot.view(None), kind, &about, now)?)
    };
    let mut records = at_work(&service, &uri, work).await?;
    let total = records.len();
    records.truncate(RECORDS_MAX);
    Ok(json_response(StatusCode::OK, &Listed { indicator, total, records }))
}

/// Says what the body says; answers with what is kept.
async fn say(service: Arc<Service>, kind: &'static Kind, request: Request) -> Result<Response, Problem> {
    let uri = request.uri().clone();
    let user = user(&request);
    let body = json_body(&service, &uri, request).await?;
    let said = said(&body, user).map_err(|error| {
        let fields: Vec<&str> = kind.fields.iter().map(|(name, _)| *name).collect();
        let (a, fields) = (kind.words(), fields.join(", "));
        wrong(&uri, format!("the body is no {a}: {error}; its fields are indicator, by, {fields}"))
    })?;
    let about = Object(said.indicator.to_string());
    let record = kept(&service, &uri, kind, said).await?;
    Ok((Extension(about), json_response(StatusCode::CREATED, &record)).into_response())
}

/// Keeps what is said.
pub(super) async fn kept(
    service: &Arc<Service>,
    uri: &Uri,
    kind: &'static Kind,
    said: Said,
) -> Result<Option<Record>, Problem> {
    let now = service.clock.now();
    let work = move |service: &Service| people::say(&service.store, kind, vec![said], now);
    Ok(one_at_a_time(service, uri, work).await?.into_iter().next())
}

/// Takes the live pin on an object back; answers with what took it back.
async fn remove(service: Arc<Service>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri().clone();
    let indicator = indicator(&uri)?;
    let by = user(&request).map_or_else(|| needed(&uri, "by"), Ok)?;
    let reason = needed(&uri, "reason")?;
    Ok(json_response(StatusCode::OK, &taken_back(&service, &uri, indicator, by, reason).await?))
}

/// Takes the live pin on an object back: what did.
pub(super) async fn taken_back(
    service: &Arc<Service>,
    uri: &Uri,
    indicator: Indicator,
    by: String,
    reason: String,
) -> Result<Option<Record>, Problem> {
    let now = service.clock.now();
    let work = move |service: &Service| people::remove_pins(&service.store, &[indicator], &by, &reason, now);
    Ok(one_at_a_time(service, uri, work).await?.into_iter().next())
}

/// The user who asks, where that is known: whoever says something says it in their own name.
pub(super) fn user(request: &Request) -> Option<String> {
    let caller = request.extensions().get::<Caller>()?;
    caller.identity.as_ref().map(|identity| identity.user.name.clone())
}

/// What a body says, by a user where one is known, whatever it says of that.
fn said(body: &[u8], user: Option<String>) -> serde_json::Result<Said> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)?;
    if let Some(user) = user {
        fields.insert("by".to_owned(), user.into());
    }
    serde_json::from_value(fields.into())
}

fn indicator(uri: &Uri) -> Result<Indicator, Problem> {
    let text = needed(uri, "indicator")?;
    Indicator::parse_tagged(&text).map_err(|error| wrong(uri, format!("indicator: {error}")))
}

/// A parameter that must be there.
pub(super) fn needed(uri: &Uri, name: &str) -> Result<String, Problem> {
    parameter(uri.query().unwrap_or(""), name)
        .ok_or_else(|| wrong(uri, format!("the parameter {name} is missing: add {name}=… to the query")))
}

pub(super) fn wrong(uri: &Uri, detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, uri, detail)
}

/// Writes, while nobody else does: each finds what the one before left.
async fn one_at_a_time<T: Send + 'static>(
    service: &Arc<Service>,
    uri: &Uri,
    work: impl FnOnce(&Service) -> Result<T, PeopleError> + Send + 'static,
) -> Result<T, Problem> {
    let turn = service.writing.clone().lock_owned();
    let Ok(turn) = tokio::time::timeout(service.timeout, turn).await else {
        return Err(unavailable(uri, "others write for so long that nothing was taken in: try again"));
    };
    at_work(service, uri, move |service| {
        let _turn = turn;
        work(service)
    })
    .await
}

/// Work on the store, off the threads that answer.
async fn at_work<T: Send + 'static>(
    service: &Arc<Service>,
    uri: &Uri,
    work: impl FnOnce(&Service) -> Result<T, PeopleError> + Send + 'static,
) -> Result<T, Problem> {
    let blocking = service.clone();
    let done = tokio::task::spawn_blocking(move || work(&blocking));
    match tokio::time::timeout(service.timeout, done).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(PeopleError::Wrong(detail)))) => Err(wrong(uri, detail)),
        Ok(Ok(Err(PeopleError::Nothing(detail)))) => Err(Problem::new(StatusCode::NOT_FOUND, uri, detail)),
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, "the store cannot be read or written");
            Err(unavailable(uri, error.to_string()))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a request on what people say panicked");
            Err(unavailable(uri, "the request failed inside the service: its log says more"))
        }
        Err(_) => {
            let seconds = service.timeout.as_secs();
            Err(unavailable(uri, format!("it took longer than {seconds} s: list to see whether it was kept")))
        }
    }
}

pub(super) fn unavailable(uri: &Uri, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail)
}

pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(body).expect("only names as keys");
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
}
