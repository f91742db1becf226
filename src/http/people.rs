//! `/api/v1/pins`, `/notes`, `/sightings`, `/false-positives`: what people say of an object, read and written.
//!
//! `GET ?indicator=` lists (`{"indicator","total","records"}`), `POST` with a JSON body says,
//! `DELETE /api/v1/pins?indicator=&by=&reason=` takes a pin back. What is said is in the very next lookup.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::Service;
use super::api::parameter;
use super::error::Problem;
use crate::indicator::Indicator;
use crate::people::{self, KINDS, Kind, PIN, PeopleError, RECORDS_MAX, Record, Said};

/// The longest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The records on an object.
#[derive(Serialize)]
struct Listed {
    indicator: Indicator,
    /// How many there are, also where fewer are listed.
    total: usize,
    /// The newest first.
    records: Vec<Record>,
}

/// A route a kind.
pub(super) fn routes() -> Router<Arc<Service>> {
    let routes = KINDS.iter().fold(Router::new(), |router, kind| {
        let list = move |State(service), uri: Uri| answered(list(service, kind, uri));
        let say = move |State(service), request: Request| answered(say(service, kind, request));
        let remove = |State(service), request: Request| answered(remove(service, request));
        let methods = get(list).post(say);
        let methods = if kind.name == PIN.name { methods.delete(remove) } else { methods };
        router.route(&format!("/api/v1/{}", kind.path), methods)
    });
    routes.layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn answered(answer: impl Future<Output = Result<Response, Problem>>) -> Response {
    answer.await.unwrap_or_else(Problem::into_response)
}

/// Everything that was ever said of an object, the newest first.
async fn list(service: Arc<Service>, kind: &'static Kind, uri: Uri) -> Result<Response, Problem> {
    let indicator = indicator(&uri)?;
    let now = service.clock.now();
    let about = indicator.clone();
    let work = move |service: &Service| Ok(people::records(&service.store, kind, &about, now)?);
    let mut records = at_work(&service, &uri, work).await?;
    let total = records.len();
    records.truncate(RECORDS_MAX);
    Ok(json_response(StatusCode::OK, &Listed { indicator, total, records }))
}

/// Says what the body says; answers with what is kept.
async fn say(service: Arc<Service>, kind: &'static Kind, request: Request) -> Result<Response, Problem> {
    let uri = request.uri().clone();
    may_write(&service, &uri, request.headers())?;
    let body = body(&service, &uri, request).await?;
    let said: Said = serde_json::from_slice(&body).map_err(|error| {
        let fields: Vec<&str> = kind.fields.iter().map(|(name, _)| *name).collect();
        let (a, fields) = (kind.words(), fields.join(", "));
        wrong(&uri, format!("the body is no {a}: {error}; its fields are indicator, by, {fields}"))
    })?;
    let now = service.clock.now();
    let work = move |service: &Service| people::say(&service.store, kind, vec![said], now);
    let records = one_at_a_time(&service, &uri, work).await?;
    Ok(json_response(StatusCode::CREATED, &records.first()))
}

/// Takes the live pin on an object back; answers with what took it back.
async fn remove(service: Arc<Service>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri().clone();
    may_write(&service, &uri, request.headers())?;
    let indicator = indicator(&uri)?;
    let (by, reason) = (needed(&uri, "by")?, needed(&uri, "reason")?);
    let now = service.clock.now();
    let work = move |service: &Service| people::remove_pins(&service.store, &[indicator], &by, &reason, now);
    let records = one_at_a_time(&service, &uri, work).await?;
    Ok(json_response(StatusCode::OK, &records.first()))
}

/// Whether a request may change the store: on loopback, and not from a page of another site. There are no users
/// yet; this is what they replace.
pub(super) fn may_write(service: &Service, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, uri, detail));
    if !service.is_loopback {
        return refused(
            "this service listens beyond its own machine and knows no users yet, so it takes nothing in: \
             use the commands (zonelens pin, note, sighting, false-positive), or --listen 127.0.0.1:8080",
        );
    }
    // Browsers send it with all that writes, also where a name was made to lead here (DNS rebinding).
    if headers.get(ORIGIN).is_some_and(|origin| !is_own(origin)) {
        return refused("the request is from a page of another site: write from this machine's own pages");
    }
    Ok(())
}

/// Whether an origin is this machine.
fn is_own(origin: &HeaderValue) -> bool {
    let uri = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let host = uri.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']));
    host.is_some_and(|host| {
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// The body, which says that it is JSON: a form of another site's page cannot.
async fn body(service: &Service, uri: &Uri, request: Request) -> Result<Bytes, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = format!("the content-type is {kind:?}: use application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, uri, detail));
    }
    match tokio::time::timeout(service.timeout, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body is longer than {BODY_BYTES_MAX} bytes: say less at a time");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, uri, detail))
        }
        Ok(Err(rejection)) => Err(wrong(uri, format!("the body cannot be read: {}", rejection.body_text()))),
        Err(_) => {
            let detail =
                format!("the body took longer than {} s: send it at once", service.timeout.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, uri, detail))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_s_pages_are_its_own() {
        let is = |text: &'static str| is_own(&HeaderValue::from_static(text));
        for own in
            ["http://localhost", "http://localhost:8080", "https://127.0.0.1:8080", "http://[::1]:8080"]
        {
            assert!(is(own), "{own}");
        }
        for other in
            ["null", "", "http://evil.example", "http://localhost.evil.example", "http://192.168.1.7:8080"]
        {
            assert!(!is(other), "{other}");
        }
    }
}
