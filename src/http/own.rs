//! The service's own questions, under `/api/v1/`: what changed of an object, and when it was in which zone.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Service;
use super::api::{parameter, wanted};
use super::error::Problem;
use crate::access::Caller;
use crate::history::{diff, timeline};
use crate::indicator::Indicator;
use crate::lookalikes::{self, Wanted};
use crate::lookup::{self, Context, LookupError};
use crate::request;
use crate::store::StoreError;
use crate::unknown::Asked;

/// What is known of an indicator: a report, or what was asked for one.
#[derive(Serialize, ToSchema)]
#[schema(as = Known)]
pub(super) struct Answer {
    known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::openapi::Report>)]
    report: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

/// `GET /api/v1/indicator?value=`: any kind as typed; that nothing is known is an answer too. It takes
/// `sections`, `count` and `as_of` as the other reports do.
pub(super) async fn indicator_report(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let wishes = service.wishes.clone();
    answer(service, caller, uri, move |context, query| {
        let indicator = indicator(query, "value")?;
        wishes.looked_up.note(&indicator);
        if parameter(query, "format").is_some_and(|format| format != "json") {
            let detail =
                "format: this answers JSON alone; ask the path of the object's kind for stix".to_owned();
            return Err(LookupError::BadRequest(detail));
        }
        let request = wanted(query, context.now).map_err(LookupError::BadRequest)?;
        match lookup::report(context, &indicator, &request) {
            Ok(report) => {
                let json = String::from_utf8(report.json()).map_err(|error| unreadable(error.into()))?;
                let report = RawValue::from_string(json).map_err(|error| unreadable(error.into()))?;
                Ok(Answer { known: true, report: Some(report), asked: None })
            }
            Err(LookupError::Unknown(asked)) => Ok(Answer { known: false, report: None, asked: Some(asked) }),
            Err(error) => Err(error),
        }
    })
    .await
}

/// A report that is no JSON, which its making excludes.
fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> LookupError {
    LookupError::Store(StoreError::Io(std::io::Error::other(error)))
}

/// `GET /api/v1/diff?indicator=&from=&to=`
pub(super) async fn diff(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        let indicator = indicator(query, "indicator")?;
        let from = required(query, "from")?;
        let from = request::moment("from", &from, context.now).map_err(LookupError::BadRequest)?;
        let to = parameter(query, "to").map(|to| request::moment("to", &to, context.now));
        let to = to.transpose().map_err(LookupError::BadRequest)?.flatten();
        diff::diff(context, &indicator, from, to)
    })
    .await
}

/// `GET /api/v1/timeline?indicator=`
pub(super) async fn timeline(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        timeline::timeline(context, &indicator(query, "indicator")?)
    })
    .await
}

/// `GET /api/v1/contacts?indicator=`: for who may see whom of ours it concerns.
pub(super) async fn contacts(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        let indicator = indicator(query, "indicator")?;
        Ok(crate::contacts::contacts(&context.snapshot()?.view(None), &indicator)?)
    })
    .await
}

/// `GET /api/v1/similar?domain=&technique=&limit=`
pub(super) async fn similar(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        let name = lookalikes::domain(&required(query, "domain")?)?;
        let (techniques, limit) = (parameter(query, "technique"), parameter(query, "limit"));
        let wanted =
            Wanted::parse(techniques.as_deref(), limit.as_deref()).map_err(LookupError::BadRequest)?;
        lookalikes::lookalikes(context, &name, wanted)
    })
    .await
}

/// An indicator of any kind, as typed.
pub(super) fn indicator(query: &str, name: &str) -> Result<Indicator, LookupError> {
    let text = required(query, name)?;
    Indicator::parse(&text).map_err(|error| LookupError::BadRequest(format!("{name}: {error}")))
}

pub(super) fn required(query: &str, name: &str) -> Result<String, LookupError> {
    parameter(query, name).filter(|value| !value.is_empty()).ok_or_else(|| {
        LookupError::BadRequest(format!("{name} is missing: name it as ?{name}=… in the query"))
    })
}

/// A value that serialises as JSON whatever it holds.
pub(super) fn json<T: Serialize>(body: &T) -> Response {
    let body = serde_json::to_vec(body).expect("texts, numbers and lists; only texts as keys");
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// What a blocking piece of work answers, as JSON or as a problem.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    service: Arc<Service>,
    caller: Caller,
    uri: Uri,
    work: impl FnOnce(&Context<'_>, &str) -> Result<T, LookupError> + Send + 'static,
) -> Response {
    match worked(&service, caller, &uri, work).await {
        Ok(body) => json(&body),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn worked<T: Send + 'static>(
    service: &Arc<Service>,
    caller: Caller,
    uri: &Uri,
    work: impl FnOnce(&Context<'_>, &str) -> Result<T, LookupError> + Send + 'static,
) -> Result<T, Problem> {
    let query = uri.query().unwrap_or_default().to_owned();
    if query.len() > super::api::URI_BYTES_MAX {
        let detail =
            format!("the query is longer than {} bytes: ask for one thing", super::api::URI_BYTES_MAX);
        return Err(Problem::new(StatusCode::URI_TOO_LONG, uri, detail));
    }
    let now = service.clock.now();
    let at_work = {
        let service = service.clone();
        tokio::task::spawn_blocking(move || {
            let known = service.known();
            let context = known.context(&service, &caller, now);
            work(&context, &query)
        })
    };
    let detail = match tokio::time::timeout(service.timeout, at_work).await {
        Ok(Ok(made)) => return made.map_err(|error| Problem::of_lookup(uri, &error)),
        Ok(Err(error)) => {
            tracing::error!(%error, "a question panicked");
            "the question failed inside the service: its log says more".to_owned()
        }
        Err(_) => format!("the answer took longer than {} s: ask later", service.timeout.as_secs()),
    };
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail))
}
