//! Intelligence reports for people: `GET /api/v1/reports` finds them, `GET /api/v1/reports/{id}` shows one with what it
//! names and how that is judged.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use super::api::{media, parameter};
use super::error::Problem;
use super::own::{answer, json, worked};
use crate::access::Caller;
use crate::export::{self, Format, iocs};
use crate::fact::{Publication, ReportType};
use crate::lookup::{Context, LookupError, Request};
use crate::publications::{self, Named, Search};
use crate::store::StoreError;
use crate::value::Timestamp;

/// Reports of a page unless fewer are asked for.
const PAGE: usize = 100;

/// The most reports of a page.
pub(super) const PAGE_MAX: usize = 1000;

/// A page of the reports that fit.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportPage)]
pub(super) struct Page {
    /// How many fit.
    pub(super) total: usize,
    /// How many stand before this page.
    offset: usize,
    pub(super) reports: Vec<Publication>,
}

/// A report and what it names.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeReport)]
pub(super) struct Whole {
    #[serde(flatten)]
    pub(super) report: Publication,
    /// How many it names; [`publications::INDICATORS_MAX`] of them are shown.
    pub(super) indicator_count: usize,
    pub(super) indicators: Vec<Named>,
}

/// `GET /api/v1/reports?search=&type=&from=&to=&offset=&limit=`: the newest first.
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, found).await
}

/// The types of reports by the words that ask for them.
pub(super) const TYPES: [(&str, ReportType); 3] =
    [("apt", ReportType::Apt), ("crimeware", ReportType::Crimeware), ("industrial", ReportType::Industrial)];

/// The reports that a query wants.
pub(super) fn found(context: &Context<'_>, query: &str) -> Result<Page, LookupError> {
    let search = Search {
        words: parameter(query, "search").unwrap_or_default(),
        report_type: report_type(query)?,
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
}

fn report_type(query: &str) -> Result<Option<ReportType>, LookupError> {
    let Some(text) = parameter(query, "type").filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = TYPES.iter().find(|(word, _)| *word == text);
    found.map(|(_, found)| Some(*found)).ok_or_else(|| {
        LookupError::BadRequest(format!("type is {text:?}: use {}", TYPES.map(|(word, _)| word).join(", ")))
    })
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

/// `GET /api/v1/reports/{id}?format=`: with what it names, or that as a file.
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
    let found = worked(&service, caller, &uri, move |context, query| {
        match parameter(query, "format").filter(|format| format != "json") {
            None => Ok(whole(context, &wanted)?.map(|whole| Answer::Whole(Box::new(whole)))),
            Some(format) => file(context, &wanted, &format),
        }
    });
    match found.await {
        Ok(Some(Answer::Whole(whole))) => json(&*whole),
        Ok(Some(Answer::File(media_type, extension, body))) => attached(media_type, extension, body),
        Ok(None) => {
            let detail = format!("there is no report {id:?}: /api/v1/reports names those that there are");
            Problem::new(StatusCode::NOT_FOUND, &uri, detail).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// A report, or a file of what it names.
enum Answer {
    Whole(Box<Whole>),
    /// Its media type, how its name ends, and its bytes.
    File(&'static str, &'static str, Vec<u8>),
}

/// A report, and how what it names is judged; `None`: there is none.
pub(super) fn whole(context: &Context<'_>, id: &str) -> Result<Option<Whole>, LookupError> {
    let view = context.snapshot()?.view(None);
    let Some(report) = publications::find(&view, id)? else { return Ok(None) };
    let judge = context.judge(&view);
    let (indicator_count, indicators) = publications::named(&judge, &report.id)?;
    Ok(Some(Whole { report, indicator_count, indicators }))
}

/// What a report's indicators leave as, and the words for people.
pub(super) const EXPORTS: [(&str, &str); 5] =
    [("json", "JSON"), ("csv", "CSV"), ("openioc", "OpenIOC"), ("stix", "STIX 2.1"), ("misp", "MISP event")];

/// What a report names and may be passed on, as a file; `None`: there is no such report that may be.
fn file(context: &Context<'_>, id: &str, format: &str) -> Result<Option<Answer>, LookupError> {
    let view = context.exported()?.view(None);
    let Some(report) = publications::find(&view, id)? else { return Ok(None) };
    match format {
        "csv" => Ok(Some(Answer::File("text/csv; charset=utf-8", "csv", publications::csv(&view, &report)?))),
        "openioc" => {
            let body = iocs::openioc(&report, &publications::indicators(&view, id)?);
            Ok(Some(Answer::File("application/xml", "ioc", body.map_err(StoreError::from)?)))
        }
        _ => {
            let graphs = [Format::Stix, Format::Misp];
            let format = Format::parse(format, &graphs).map_err(|_| {
                let names = EXPORTS.map(|(name, _)| name).join(", ");
                LookupError::BadRequest(format!("format is {format:?}: use {names}"))
            })?;
            let named = publications::indicators(&view, id)?;
            let set = export::of_indicators(context, named, &Request::default(), format)?;
            Ok(Some(Answer::File(format.media_type(), format.extension(), set.bytes)))
        }
    }
}

fn attached(media_type: &'static str, extension: &str, body: Vec<u8>) -> Response {
    let mut response = media(media_type, body);
    let name = format!("attachment; filename=\"report.{extension}\"");
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    response
}
