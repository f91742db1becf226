//! The part of a path that is a parameter.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::error::Problem;

/// The one parameter of a path, its escapes taken off.
pub(super) struct Part(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Part, Problem> {
        let Path(text) = Path::from_request_parts(parts, state).await.map_err(|_| {
            let detail = "the path has escapes that are not UTF-8: escape names as UTF-8";
            Problem::new(StatusCode::BAD_REQUEST, &parts.uri, detail)
        })?;
        Ok(Part(text))
    }
}
