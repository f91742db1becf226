//! Intelligence reports for people: `GET /api/v1/reports` finds them, `GET /api/v1/reports/{id}` shows one with what it
//! names and how that is judged.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Service;
use super::api::parameter;
use super::error::Problem;
use super::own::{answer, json, worked};
use crate::access::Caller;
use crate::fact::Publication;
use crate::lookup::LookupError;
use crate::publications::{self, Named, Search};
use crate::value::Timestamp;

/// Reports of a page unless fewer are asked for.
const PAGE: usize = 100;

/// The most reports of a page.
const PAGE_MAX: usize = 1000;

/// A page of the reports that fit.
#[derive(Serialize)]
struct Page {
    /// How many fit.
    total: usize,
    /// How many stand before this page.
    offset: usize,
    reports: Vec<Publication>,
}

/// A report and what it names.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    report: Publication,
    /// How many it names; [`publications::INDICATORS_MAX`] of them are shown.
    indicator_count: usize,
    indicators: Vec<Named>,
}

/// `GET /api/v1/reports?search=&from=&to=&offset=&limit=`: the newest first.
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        let search = Search {
            words: parameter(query, "search").unwrap_or_default(),
            from: day(query, "from")?.map(|(at, _)| at),
            to: day(query, "to")?.map(|(at, is_day)| if is_day { at.end_of_day() } else { at }),
        };
        if let (Some(from), Some(to)) = (search.from, search.to)
            && from > to
        {
            let detail = format!("from is {from}, after to, {to}: swap the two");
            return Err(LookupError::BadRequest(detail));
        }
        let offset = number(query, "offset", 0, usize::MAX)?;
        let limit = number(query, "limit", PAGE, PAGE_MAX)?;
        let view = context.snapshot()?.view(None);
        let (total, reports) = publications::search(&view, &search, offset, limit)?;
        Ok(Page { total, offset, reports })
    })
    .await
}

/// A moment that a parameter gives, and whether it is a day: its start.
fn day(query: &str, name: &str) -> Result<Option<(Timestamp, bool)>, LookupError> {
    let Some(text) = parameter(query, name).filter(|text| !text.is_empty()) else { return Ok(None) };
    match Timestamp::parse(&text) {
        Ok(at) => Ok(Some((at, !text.contains('T')))),
        Err(_) => Err(LookupError::BadRequest(format!(
            "{name} is {text:?}: use a day as 2024-05-28 or a moment as 2024-05-28T07:03Z"
        ))),
    }
}

/// A number that a parameter gives; what is more than `most` is taken as that.
fn number(query: &str, name: &str, absent: usize, most: usize) -> Result<usize, LookupError> {
    let Some(text) = parameter(query, name) else { return Ok(absent) };
    match text.parse::<u32>() {
        Ok(number) if name != "limit" || number > 0 => Ok((number as usize).min(most)),
        _ => {
            let what = if name == "limit" { "a number from 1" } else { "a number from 0" };
            Err(LookupError::BadRequest(format!("{name} is {text:?}: use {what}")))
        }
    }
}

/// `GET /api/v1/reports/{id}`
pub(super) async fn one(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let Ok(Path(id)) = id else {
        let detail = "the report's identifier has escapes that are not UTF-8: escape it as UTF-8";
        return Problem::new(StatusCode::BAD_REQUEST, &uri, detail).into_response();
    };
    let wanted = id.clone();
    let found = worked(&service, caller, &uri, move |context, _| {
        let view = context.snapshot()?.view(None);
        let Some(report) = publications::find(&view, &wanted)? else { return Ok(None) };
        let judge = context.judge(&view);
        let (indicator_count, indicators) = publications::named(&judge, &report.id)?;
        Ok(Some(Whole { report, indicator_count, indicators }))
    });
    match found.await {
        Ok(Some(whole)) => json(&whole),
        Ok(None) => {
            let detail = format!("there is no report {id:?}: /api/v1/reports names those that there are");
            Problem::new(StatusCode::NOT_FOUND, &uri, detail).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}
