//! `POST /api/v1/lookup`: up to 100,000 values of mixed kinds, answered while they are judged.
//!
//! The body is a JSON array, NDJSON, CSV or text, as its content-type says; a table comes back as the same table with
//! columns added, all else as a line of JSON a value; `format` or the header Accept asks for another form: `ndjson`, `csv`, or
//! one `stix` bundle or `misp` event of all. `sections`, `count` and `as_of` are those of a lookup: with `sections`
//! (or `sections=all`) each value has its report. Each value counts as a lookup.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::sync::mpsc::{Receiver, channel};

use super::Service;
use super::api::{made, media, parameter, wanted};
use super::error::Problem;
use super::gate::over;
use super::table::Dialect;
use crate::access::Caller;
use crate::bulk::{self, Batch, Form, Wanted};
use crate::export::{self, Format};
use crate::lookup::LookupError;
use crate::value::Timestamp;

/// The longest body.
pub(super) const BODY_BYTES_MAX: usize = 32 << 20;

/// Chunks of an answer that wait for their reader.
const AHEAD: usize = 8;

pub(super) async fn lookup(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    request: Request,
) -> Response {
    let now = service.clock.now();
    answer(&service, caller, &uri, request, now).await.unwrap_or_else(|refused| refused)
}

async fn answer(
    service: &Arc<Service>,
    mut caller: Caller,
    uri: &Uri,
    request: Request,
    now: Timestamp,
) -> Result<Response, Response> {
    let wrong = |detail: String| Problem::new(StatusCode::BAD_REQUEST, uri, detail).into_response();
    let query = uri.query().unwrap_or_default();
    let wanted = what(query, now).map_err(wrong)?;
    let format = format(query, request.headers()).map_err(wrong)?;
    let column = parameter(query, "column");
    let media_type =
        request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let body = body(service, uri, request).await.map_err(Problem::into_response)?;
    if body.is_empty() {
        return Err(wrong("the body is empty: send values, as a JSON array or a text a line".to_owned()));
    }
    let form = match &media_type {
        Some(kind) => Form::of_media_type(kind).ok_or_else(|| {
            let detail = format!(
                "the content-type is {kind:?}: use application/json, application/x-ndjson, text/csv or text/plain"
            );
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, uri, detail).into_response()
        })?,
        None => Form::of_content(&body),
    };
    let batch = Batch::read(&body, form, column.as_deref()).map_err(wrong)?;
    let batch = match format {
        Some(Format::Csv) => batch.into_table(),
        Some(Format::Ndjson) => batch.into_lines(),
        _ => batch,
    };
    if let Some(format) = format.filter(|format| format.is_graph())
        && batch.len() > export::VALUES_MAX
    {
        return Err(wrong(export::too_many(batch.len(), format)));
    }
    let kind = if batch.is_table() { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
    // One was counted with the request.
    let more = (batch.len() as u64).saturating_sub(1);
    let counted = service.access.count(&mut caller, more, now);
    counted.map_err(|refused| over(service, Dialect::Tip, uri, &refused, now))?;
    let licence = caller.licence.clone();
    if let Some(format) = format.filter(|format| format.is_graph()) {
        let set =
            set(service, caller, uri, batch, wanted, format, now).await.map_err(Problem::into_response)?;
        return Ok((Extension(licence), media(format.media_type(), set)).into_response());
    }
    let (sender, receiver) = channel(AHEAD);
    let at_work = service.clone();
    tokio::task::spawn_blocking(move || {
        let service = at_work;
        write_down(&service, &caller, &batch, now);
        let known = service.known();
        let context = known.context(&service, &caller, now);
        let mut out = |lines: Vec<u8>| {
            // Nobody is left to read it.
            let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            sender.blocking_send(lines).map_err(gone)
        };
        let snapshot = if format == Some(Format::Csv) { context.exported() } else { context.snapshot() };
        let result =
            snapshot.and_then(|snapshot| bulk::answer(&snapshot, &context, &batch, &wanted, &mut out));
        match result {
            Err(crate::store::StoreError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                tracing::error!(%error, "many lookups cannot be answered to the end");
                // The status is sent already: the last line says that it is not the end.
                let line = serde_json::json!({"error": error.to_string()});
                if out(format!("{line}\n").into_bytes()).is_err() {
                    tracing::debug!("nobody is left to tell");
                }
            }
            Ok(()) => {}
        }
    });
    let body = Body::new(Lines(receiver));
    Ok((Extension(licence), [(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response())
}

/// In which form the answer is wanted: by the query, else by the header; where neither says so, as the values came.
fn format(query: &str, headers: &HeaderMap) -> Result<Option<Format>, String> {
    if let Some(name) = parameter(query, "format") {
        return Format::parse(&name, &Format::OF_MANY).map(Some);
    }
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(accept.and_then(|accept| Format::accepted(accept, &Format::OF_MANY)))
}

/// Who looked up what: each value, before it is answered.
pub(super) fn write_down(service: &Service, caller: &Caller, batch: &Batch, now: Timestamp) {
    if let Some(audit) = &service.audit {
        for value in batch.values() {
            audit.record(Box::new(caller.entry("lookup", value, now)));
        }
    }
}

/// All values as one bundle or event.
async fn set(
    service: &Arc<Service>,
    caller: Caller,
    uri: &Uri,
    batch: Batch,
    wanted: Wanted,
    format: Format,
    now: Timestamp,
) -> Result<Vec<u8>, Problem> {
    let work = {
        let service = service.clone();
        move || {
            write_down(&service, &caller, &batch, now);
            let known = service.known();
            let context = known.context(&service, &caller, now);
            export::many(&context, batch.values(), &wanted.into_request(), format)
        }
    };
    match made(work, true, service.timeout).await {
        Ok(Ok(set)) => Ok(set.bytes),
        Ok(Err(error @ LookupError::BadRequest(_))) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, uri, error.to_string()))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "many lookups cannot be answered");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, error.to_string()))
        }
        Err(detail) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail)),
    }
}

/// What is wanted of each value.
fn what(query: &str, now: Timestamp) -> Result<Wanted, String> {
    let mut request = wanted(query, now)?;
    match parameter(query, "sections") {
        None => Ok(Wanted::Zone { as_of: request.as_of }),
        Some(all) => {
            if all == "all" {
                request.sections = None;
            }
            Ok(Wanted::Report(request))
        }
    }
}

async fn body(service: &Service, uri: &Uri, request: Request) -> Result<Bytes, Problem> {
    match tokio::time::timeout(service.timeout, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body is longer than {} MiB: ask in parts", BODY_BYTES_MAX >> 20);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, uri, detail))
        }
        Ok(Err(rejection)) => {
            let detail = format!("the body cannot be read: {}", rejection.body_text());
            Err(Problem::new(StatusCode::BAD_REQUEST, uri, detail))
        }
        Err(_) => {
            let detail =
                format!("the body took longer than {} s: send it at once", service.timeout.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, uri, detail))
        }
    }
}

/// A body of what comes through a channel.
struct Lines(Receiver<Vec<u8>>);

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(task).map(|lines| lines.map(|lines| Ok(Frame::data(Bytes::from(lines)))))
    }
}
