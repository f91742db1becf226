//! Bodies of requests: bounded in length and time.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Service;
use super::api::parameter;
use super::error::Problem;

/// The longest body of a request that has no limit of its own.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// All of a body.
pub(super) async fn read_body(service: &Service, uri: &Uri, mut request: Request) -> Result<Bytes, Problem> {
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    match tokio::time::timeout(service.timeout, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body is longer than {BODY_BYTES_MAX} bytes: say less at a time");
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

/// A body that says that it is JSON: a form of another site's page cannot.
pub(super) async fn json_body(service: &Service, uri: &Uri, request: Request) -> Result<Bytes, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = format!("the content-type is {kind:?}: use application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, uri, detail));
    }
    read_body(service, uri, request).await
}

/// What a JSON body says.
pub(super) async fn json<T: DeserializeOwned>(
    service: &Service,
    uri: &Uri,
    request: Request,
) -> Result<T, Problem> {
    let body = json_body(service, uri, request).await?;
    // A record is read from a list too, its fields by their order: that is nobody's meaning.
    let fields = serde_json::from_slice::<Map<String, Value>>(&body);
    let read = fields.and_then(|fields| serde_json::from_value(fields.into()));
    read.map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, uri, format!("the body is not as it should be: {error}"))
    })
}

/// A field of a form, its escapes taken off.
pub(super) fn form_field(body: &[u8], name: &str) -> Option<String> {
    parameter(std::str::from_utf8(body).ok()?, name)
}
