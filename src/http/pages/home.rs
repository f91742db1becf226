//! `GET /`: the search, and what there is to ask.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::{frame, looked_up, page};
use crate::access::Caller;
use crate::http::Service;
use crate::page::cell::Cell;
use crate::page::{Frame, thousands};
use crate::value::Timestamp;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    /// How many sources there are, or that there is none.
    sources: String,
    /// When the newest of them was asked.
    newest: Option<Cell>,
}

pub(super) async fn home(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let asked = looked_up(&service, &caller, &uri, false, |context| {
        let snapshot = context.snapshot()?;
        let names: std::collections::BTreeSet<&str> =
            snapshot.batches().iter().map(|batch| batch.source.as_str()).collect();
        let newest: Option<Timestamp> = snapshot.batches().iter().map(|batch| batch.observed).max();
        Ok(match (names.len(), newest) {
            (0, _) | (_, None) => {
                ("Nothing was imported yet: zonelens import --help says how.".to_owned(), None)
            }
            (1, Some(newest)) => ("1 source".to_owned(), Some(Cell::time(&newest.to_string()))),
            (count, Some(newest)) => {
                (format!("{} sources", thousands(count as u64)), Some(Cell::time(&newest.to_string())))
            }
        })
    });
    match asked.await {
        Ok((sources, newest)) => {
            page(StatusCode::OK, &HomePage { frame: frame(&service, &caller, "/"), sources, newest })
        }
        Err(problem) => problem.into_response(),
    }
}
