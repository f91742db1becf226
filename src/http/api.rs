//! Reports, in both dialects: `GET /api/{domain|ip|url|hash}/{object}` and `GET /api/v1/search/{…}?request=`.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::Service;
use super::cache::{Age, Body};
use super::error::Problem;
use super::open_tip;
use super::question::{self, Form, Question, Wrong};
use crate::access::Caller;
use crate::export;
use crate::indicator::Kind;
use crate::lookup::{self, Context, LookupError};
use crate::value::Timestamp;

pub(super) use super::question::{URI_BYTES_MAX, parameter, wanted};

/// The routes of reports: of each kind in both dialects, and of scans.
pub(super) fn routes() -> Router<Arc<Service>> {
    type Asks = Extension<Caller>;
    let routes = Kind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let tip = move |State(service): State<Arc<Service>>, Extension(caller): Asks, uri: Uri| async move {
            answer(service, caller, uri, |uri, now| question::tip(kind, uri, now)).await
        };
        let search = move |State(service): State<Arc<Service>>, Extension(caller): Asks, uri: Uri| async move {
            answer(service, caller, uri, |uri, _| question::open_tip(kind, Form::OpenTip, uri)).await
        };
        // A wildcard takes the rest of the path as it stands, but not an empty one.
        router
            .route(&format!("/api/{kind}/"), get(tip))
            .route(&format!("/api/{kind}/{{*object}}"), get(tip))
            .route(&format!("/api/v1/search/{kind}"), get(search))
    });
    let result = |State(service): State<Arc<Service>>, Extension(caller): Asks, uri: Uri| async move {
        answer(service, caller, uri, |uri, _| question::open_tip(Kind::Hash, Form::OpenTipResult, uri)).await
    };
    routes.route("/api/v1/getresult/file", post(result)).route("/api/v1/scan/file", post(super::scan::file))
}

/// A report or a problem.
async fn answer(
    service: Arc<Service>,
    caller: Caller,
    uri: Uri,
    ask: impl FnOnce(&Uri, Timestamp) -> Result<Question, Wrong>,
) -> Response {
    let now = service.clock.now();
    match report(&service, &caller, &uri, now, ask).await {
        Ok(body) => body.response(&caller.licence),
        Err(problem) => problem.into_response(),
    }
}

/// An answer of a media type.
pub(super) fn media(media_type: &'static str, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

/// A report's body: one that was made already, else a new one.
async fn report(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    now: Timestamp,
    ask: impl FnOnce(&Uri, Timestamp) -> Result<Question, Wrong>,
) -> Result<Arc<Body>, Problem> {
    let snapshot = service.store.snapshot();
    let snapshot =
        snapshot.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, error.to_string()))?;
    let age = Age { generation: snapshot.manifest.generation, minute: now.0.div_euclid(60) };
    // Who may see less has answers of their own.
    let key = uri.path_and_query().map_or("", |key| key.as_str());
    let key = &format!("{} {key}", caller.clearance);
    if let Some(body) = service.cache.get(age, key) {
        service.metrics.cache_hits.inc();
        return Ok(body);
    }
    let question = ask(uri, now).map_err(|wrong| wrong.problem(uri))?;
    service.wishes.looked_up.note(&question.indicator);
    let body = Arc::new(body_of(service, caller, uri, question, now).await?);
    service.cache.put(age, key, body.clone());
    Ok(body)
}

/// Makes the body that answers a question.
pub(super) async fn body_of(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    question: Question,
    now: Timestamp,
) -> Result<Body, Problem> {
    // A bundle is a large piece of work too.
    let is_long = question.request.as_of.is_some() || question.form == Form::Stix;
    let make = {
        let service = service.clone();
        let caller = caller.clone();
        move || {
            let known = service.known();
            made_of(&known.context(&service, &caller, now), &question)
        }
    };
    match made(make, is_long, service.timeout).await {
        Ok(made) => made.map_err(|error| Problem::of_lookup(uri, &error)),
        Err(detail) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail)),
    }
}

fn made_of(context: &Context<'_>, question: &Question) -> Result<Body, LookupError> {
    let Question { indicator, request, form } = question;
    match form {
        Form::Tip => {
            let seed = context.store.snapshot()?.manifest.seed;
            lookup::report(context, indicator, request).map(|report| Body::new(&report, seed))
        }
        Form::Stix => {
            let format = export::Format::Stix;
            Ok(Body::plain(format.media_type(), export::one(context, indicator, request, format)?))
        }
        Form::OpenTip | Form::OpenTipResult => {
            let request = lookup::Request { sections: Some(open_tip::sections()), ..request.clone() };
            let report = lookup::report(context, indicator, &request)?;
            let is_result = *form == Form::OpenTipResult;
            Ok(Body::plain("application/json", open_tip::json(&report, is_result)?))
        }
    }
}

/// Makes an answer. A report as of now takes less time than handing it to another thread and back is worth; what
/// can be long, as one of a past day that reads all of a large object, gets a thread and the time that requests have.
pub(super) async fn made<T: Send + 'static>(
    make: impl FnOnce() -> T + Send + 'static,
    is_long: bool,
    timeout: Duration,
) -> Result<T, String> {
    const PANICKED: &str = "the lookup failed inside the service: its log says more";
    if !is_long {
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
