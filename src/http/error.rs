//! Errors as clients see them: problem documents (RFC 9457).

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::lookup::LookupError;

/// The longest path that a problem repeats, in bytes.
const INSTANCE_BYTES_MAX: usize = 1000;

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// `about:blank`: the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    instance: String,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What its status is called.
    pub(super) fn title(&self) -> &'static str {
        self.title
    }

    /// What was wrong, and what would be right.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem that a lookup's error is.
    pub(super) fn of_lookup(uri: &Uri, error: &LookupError) -> Problem {
        let status = match error {
            LookupError::BadRequest(_) => StatusCode::BAD_REQUEST,
            LookupError::Unknown(_) => StatusCode::NOT_FOUND,
            LookupError::Store(error) => {
                tracing::error!(%error, "the store cannot answer");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Problem::new(status, uri, error.to_string())
    }

    /// A problem with a request. `detail` says what was wrong with which input, and what would be right.
    pub(super) fn new(status: StatusCode, uri: &Uri, detail: impl Into<String>) -> Problem {
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            instance: reference(uri.path()),
        }
    }
}

/// A path as a URI reference: what RFC 3986 does not allow is escaped, what is too long cut.
fn reference(path: &str) -> String {
    let mut reference = String::with_capacity(path.len());
    for byte in path.bytes() {
        if reference.len() >= INSTANCE_BYTES_MAX {
            break;
        }
        // Whole escapes only.
        if byte == b'%' && reference.len() + 3 > INSTANCE_BYTES_MAX {
            break;
        }
        if byte.is_ascii_alphanumeric() || b"/-._~:@!$&'()*+,;=%".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            reference.push_str(&format!("%{byte:02X}"));
        }
    }
    reference
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("texts and a number");
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(CONTENT_TYPE, kind)], body).into_response();
        // For the page that people see instead.
        response.extensions_mut().insert(self);
        response
    }
}
