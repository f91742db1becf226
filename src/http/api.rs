//! Reports, in both dialects: `GET /api/{domain|ip|url|hash}/{object}` and `GET /api/v1/search/{…}?request=`.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::Service;
use super::cache::{Age, Body};
use super::error::Problem;
use super::open_tip;
use super::question::{self, Form, Question, Wrong};
use crate::export::stix;
use crate::indicator::Kind;
use crate::lookup::{self, Context, Licence, LookupError};
use crate::store::Reader;
use crate::value::{DAY_S, Timestamp};

pub(super) use super::question::{URI_BYTES_MAX, parameter, wanted};

/// The routes of reports: of each kind in both dialects, and of scans.
pub(super) fn routes() -> Router<Arc<Service>> {
    let routes = Kind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let tip = move |State(service): State<Arc<Service>>, uri: Uri| async move {
            answer(service, uri, |uri, now| question::tip(kind, uri, now)).await
        };
        let search = move |State(service): State<Arc<Service>>, uri: Uri| async move {
            answer(service, uri, |uri, _| question::open_tip(kind, Form::OpenTip, uri)).await
        };
        // A wildcard takes the rest of the path as it stands, but not an empty one.
        router
            .route(&format!("/api/{kind}/"), get(tip))
            .route(&format!("/api/{kind}/{{*object}}"), get(tip))
            .route(&format!("/api/v1/search/{kind}"), get(search))
    });
    let result = |State(service): State<Arc<Service>>, uri: Uri| async move {
        answer(service, uri, |uri, _| question::open_tip(Kind::Hash, Form::OpenTipResult, uri)).await
    };
    routes.route("/api/v1/getresult/file", post(result)).route("/api/v1/scan/file", post(super::scan::file))
}

/// A report or a problem, and what is left of the day's quota.
async fn answer(
    service: Arc<Service>,
    uri: Uri,
    ask: impl FnOnce(&Uri, Timestamp) -> Result<Question, Wrong>,
) -> Response {
    let now = service.clock.now();
    let response = match report(&service, &uri, now, ask).await {
        Ok((media_type, body)) => media(media_type, body),
        Err(problem) => problem.into_response(),
    };
    with_quota(response, &service, now)
}

/// An answer of a media type.
pub(super) fn media(media_type: &'static str, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

/// An answer that says what is left of the day's quota.
pub(super) fn with_quota(mut response: Response, service: &Service, now: Timestamp) -> Response {
    let quota = Licence::default().day_quota;
    let headers = response.headers_mut();
    let left = quota.saturating_sub(service.requests.today(now));
    headers.insert(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(quota));
    headers.insert(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(left));
    headers.insert(
        HeaderName::from_static("ratelimit-reset"),
        HeaderValue::from(DAY_S - now.0.rem_euclid(DAY_S)),
    );
    response
}

/// The media type and the bytes of a report: those that were made already, else new ones.
async fn report(
    service: &Arc<Service>,
    uri: &Uri,
    now: Timestamp,
    ask: impl FnOnce(&Uri, Timestamp) -> Result<Question, Wrong>,
) -> Result<(&'static str, Vec<u8>), Problem> {
    let key = uri.path_and_query().map_or("", |key| key.as_str());
    let snapshot = service.store.snapshot();
    let snapshot =
        snapshot.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, error.to_string()))?;
    let age = Age { generation: snapshot.manifest.generation, minute: now.0.div_euclid(60) };
    if let Some(body) = service.cache.get(age, key) {
        return Ok((body.media_type(), body.with(service.requests.count(now))));
    }
    let question = ask(uri, now).map_err(|wrong| wrong.problem(uri))?;
    let requests = service.requests.count(now);
    let body = Arc::new(body_of(service, uri, question, requests, now).await?);
    service.cache.put(age, key, body.clone());
    Ok((body.media_type(), body.with(requests)))
}

/// Makes the body that answers a question, which was counted; what is not answered is counted no longer.
pub(super) async fn body_of(
    service: &Arc<Service>,
    uri: &Uri,
    question: Question,
    requests: u64,
    now: Timestamp,
) -> Result<Body, Problem> {
    // A bundle is a large piece of work too.
    let is_long = question.request.as_of.is_some() || question.form == Form::Stix;
    let make = {
        let service = service.clone();
        move || {
            let licence = Licence { day_requests: requests, ..Licence::default() };
            let context = Context {
                store: &service.store,
                policy: &service.policy,
                licence,
                now,
                round_counts: service.round_counts,
                reader: Reader::default(),
            };
            made_of(&context, &question)
        }
    };
    let unavailable = |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail);
    let problem = match made(make, is_long, service.timeout).await {
        Ok(Ok(body)) => return Ok(body),
        // Answered: it stays counted.
        Ok(Err(LookupError::Unknown(asked))) => {
            return Err(Problem::new(StatusCode::NOT_FOUND, uri, asked.to_string()));
        }
        Ok(Err(LookupError::BadRequest(detail))) => Problem::new(StatusCode::BAD_REQUEST, uri, detail),
        Ok(Err(LookupError::Store(error))) => {
            tracing::error!(%error, "the store cannot answer");
            unavailable(error.to_string())
        }
        Err(detail) => unavailable(detail),
    };
    service.requests.forget(now);
    Err(problem)
}

fn made_of(context: &Context<'_>, question: &Question) -> Result<Body, LookupError> {
    let Question { indicator, request, form } = question;
    match form {
        Form::Tip => lookup::report(context, indicator, request).map(|report| Body::new(&report)),
        Form::Stix => {
            let bundle = lookup::bundle(context, indicator, request)?;
            Ok(Body::plain(stix::MEDIA_TYPE, bundle))
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
