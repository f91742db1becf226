//! `GET /api/domain/{domain}` and `GET /api/ip/{ip}`.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::cache::{Age, Body};
use super::error::Problem;
use super::{Service, reader};
use crate::access::Caller;
use crate::indicator::{Indicator, Kind};
use crate::lookup::{self, Context, LookupError, Request};
use crate::request;
use crate::value::Timestamp;

/// The longest path and query, in bytes.
pub(super) const URI_BYTES_MAX: usize = 8192;

pub(super) async fn domain(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, Kind::Domain, caller, uri).await
}

pub(super) async fn ip(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, Kind::Ip, caller, uri).await
}

/// A report or a problem.
async fn answer(service: Arc<Service>, kind: Kind, caller: Caller, uri: Uri) -> Response {
    let now = service.clock.now();
    match report(&service, kind, &caller, &uri, now).await {
        Ok(body) => body.response(&caller.licence),
        Err(problem) => problem.into_response(),
    }
}

/// The bytes of a report: those that were made already, else new ones.
async fn report(
    service: &Arc<Service>,
    kind: Kind,
    caller: &Caller,
    uri: &Uri,
    now: Timestamp,
) -> Result<Arc<Body>, Problem> {
    let key = uri.path_and_query().map_or("", |key| key.as_str());
    if key.len() > URI_BYTES_MAX {
        let detail = format!("the path is longer than {URI_BYTES_MAX} bytes: look up one indicator");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, uri, detail));
    }
    let unavailable = |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail);
    let snapshot = service.store.snapshot().map_err(|error| unavailable(error.to_string()))?;
    let age = Age { generation: snapshot.manifest.generation, minute: now.0.div_euclid(60) };
    // Who may see less has answers of their own.
    let key = &format!("{} {key}", caller.clearance);
    if let Some(body) = service.cache.get(age, key) {
        service.metrics.cache_hits.inc();
        return Ok(body);
    }
    let (indicator, request) =
        asked(kind, uri, now).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, uri, detail))?;
    service.wishes.looked_up.note(&indicator);
    let is_past = request.as_of.is_some();
    let make = {
        let (service, seed) = (service.clone(), snapshot.manifest.seed);
        let (licence, reader) = (caller.licence.clone(), reader(caller));
        move || {
            let context = Context { store: &service.store, policy: &service.policy, licence, now, reader };
            lookup::report(&context, &indicator, &request).map(|report| Body::new(&report, seed))
        }
    };
    match made(make, is_past, service.timeout).await {
        Ok(Ok(body)) => {
            let body = Arc::new(body);
            service.cache.put(age, key, body.clone());
            Ok(body)
        }
        Ok(Err(LookupError::Unknown(asked))) => {
            Err(Problem::new(StatusCode::NOT_FOUND, uri, asked.to_string()))
        }
        Ok(Err(LookupError::BadRequest(detail))) => Err(Problem::new(StatusCode::BAD_REQUEST, uri, detail)),
        Ok(Err(LookupError::Store(error))) => {
            tracing::error!(%error, "the store cannot answer");
            Err(unavailable(error.to_string()))
        }
        Err(detail) => Err(unavailable(detail)),
    }
}

/// Makes an answer. A report as of now takes less time than handing it to another thread and back is worth; one
/// of a past day can read all of a large object, so it gets a thread and the time that requests have.
async fn made<T: Send + 'static>(
    make: impl FnOnce() -> T + Send + 'static,
    is_past: bool,
    timeout: Duration,
) -> Result<T, String> {
    const PANICKED: &str = "the lookup failed inside the service: its log says more";
    if !is_past {
        return panic::catch_unwind(AssertUnwindSafe(make)).map_err(|_| PANICKED.to_owned());
    }
    match tokio::time::timeout(timeout, tokio::task::spawn_blocking(make)).await {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(_)) => Err(PANICKED.to_owned()),
        Err(_) => Err(format!(
            "the lookup took longer than {} s: ask for fewer sections, or later",
            timeout.as_secs()
        )),
    }
}

/// What is asked about, and what is wanted of it.
fn asked(kind: Kind, uri: &Uri, now: Timestamp) -> Result<(Indicator, Request), String> {
    let object = uri.path().strip_prefix("/api/").and_then(|rest| rest.split_once('/'));
    let object = object.map_or("", |(_, object)| object);
    let object = percent_decode_str(object)
        .decode_utf8()
        .map_err(|_| format!("{object:?} has escapes that are not UTF-8: escape {kind} as UTF-8"))?;
    let indicator = Indicator::parse_as(kind, &object).map_err(|error| error.to_string())?;
    Ok((indicator, wanted(uri.query().unwrap_or(""), now)?))
}

/// What a query wants of a report.
pub(super) fn wanted(query: &str, now: Timestamp) -> Result<Request, String> {
    if let Some(format) = parameter(query, "format")
        && format != "json"
    {
        return Err(match format.as_str() {
            "stix" => "format is \"stix\", which is not available yet: use json".to_owned(),
            _ => format!("format is {format:?}: use json"),
        });
    }
    let mut request = Request::default();
    request.sections = parameter(query, "sections").map(|text| request::sections(&text)).transpose()?;
    if let Some(count) = parameter(query, "count") {
        request.count = request::count(&count)?;
    }
    if let Some(text) = parameter(query, "as_of") {
        request.as_of = request::as_of(&text, now)?;
    }
    Ok(request)
}

/// A parameter of a query, its escapes taken off; the last where it stands several times.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.rfind(|(key, _)| decoded(key) == name)?.1;
    Some(decoded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_parameter_counts_and_escapes_come_off_once() {
        assert_eq!(parameter("count=1&x=2&count=3", "count").as_deref(), Some("3"));
        assert_eq!(parameter("sections=A%2CB", "sections").as_deref(), Some("A,B"));
        assert_eq!(parameter("sections=A%252CB", "sections").as_deref(), Some("A%2CB"));
        assert_eq!(parameter("sections", "sections").as_deref(), Some(""));
        assert_eq!(parameter("", "count"), None);
    }

    #[test]
    fn a_wrong_question_says_what_would_be_right() {
        let now = Timestamp::parse("2024-05-28T07:03Z").unwrap();
        let wrong = |uri: &str| asked(Kind::Domain, &uri.parse().unwrap(), now).unwrap_err();
        assert!(wrong("/api/domain/").contains("domain name"));
        assert!(wrong("/api/domain/a%20b").contains("a b"));
        assert!(wrong("/api/domain/%ff").contains("UTF-8"));
        assert!(wrong("/api/domain/http://a.example/").contains("not a domain name"));
        assert!(wrong("/api/domain/a.example?count=0").contains("count"));
        assert!(wrong("/api/domain/a.example?sections=").contains("sections"));
        assert!(wrong("/api/domain/a.example?format=stix").contains("not available yet"));
        assert!(wrong("/api/domain/a.example?as_of=2024-05-29").contains("future"));
        assert!(asked(Kind::Domain, &"/api/domain/A%2eexample?x=%00".parse().unwrap(), now).is_ok());
    }
}
