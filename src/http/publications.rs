//! `/api/publications/{get_one|get_list|get_master_ioc|get_master_yara}`, by GET and by POST; the parameters stand in the
//! query of both.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::Service;
use super::api::{URI_BYTES_MAX, made, media, parameter};
use super::error::Problem;
use crate::access::Caller;
use crate::fact::{Publication, ReportType};
use crate::publications::{self, Group};
use crate::store::{StoreError, View};
use crate::value::Timestamp;

/// Why there is no answer.
enum Failed {
    /// A parameter is missing or malformed.
    Wrong(String),
    /// There is no such report.
    Unknown(String),
    /// The store cannot answer.
    Store(StoreError),
}

impl From<String> for Failed {
    fn from(detail: String) -> Failed {
        Failed::Wrong(detail)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Store(error)
    }
}

/// What a route answers from a view and the query.
type Work = fn(&View, &str) -> Result<Value, Failed>;

pub(super) fn routes() -> Router<Arc<Service>> {
    let all: [(&str, Work); 4] = [
        ("get_one", one),
        ("get_list", list),
        ("get_master_ioc", master_ioc),
        ("get_master_yara", master_yara),
    ];
    all.into_iter().fold(Router::new(), |router, (name, work)| {
        let handler = move |State(service): State<Arc<Service>>,
                            Extension(caller): Extension<Caller>,
                            uri: Uri| { answer(service, caller, uri, work) };
        router.route(&format!("/api/publications/{name}"), get(handler).post(handler))
    })
}

async fn answer(service: Arc<Service>, caller: Caller, uri: Uri, work: Work) -> Response {
    let query = uri.query().unwrap_or_default().to_owned();
    let problem = |status: StatusCode, detail: String| Problem::new(status, &uri, detail).into_response();
    if query.len() > URI_BYTES_MAX {
        let detail = format!("the query is longer than {URI_BYTES_MAX} bytes: ask for one thing");
        return problem(StatusCode::URI_TOO_LONG, detail);
    }
    let reading = {
        let service = service.clone();
        move || {
            let snapshot = service.store.snapshot()?.for_reader(&service.known().reader(&caller));
            work(&snapshot.view(None), &query)
        }
    };
    match made(reading, true, service.timeout).await {
        Ok(Ok(data)) => {
            let envelope = json!({"status": "ok", "status_msg": "", "return_data": data});
            media("application/json", envelope.to_string().into_bytes())
        }
        Ok(Err(Failed::Wrong(detail))) => problem(StatusCode::BAD_REQUEST, detail),
        Ok(Err(Failed::Unknown(detail))) => problem(StatusCode::NOT_FOUND, detail),
        Ok(Err(Failed::Store(error))) => {
            tracing::error!(%error, "publications cannot be read");
            problem(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
        Err(detail) => problem(StatusCode::SERVICE_UNAVAILABLE, detail),
    }
}

/// A report as clients read it.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    /// Unix seconds.
    updated: i64,
    /// Unix seconds.
    published: i64,
    name: &'a str,
    desc: &'a str,
    report_group: &'static str,
    tags: &'a [String],
    tags_industry: &'a [String],
    tags_geo: &'a [String],
    tags_actors: &'a [String],
    /// OpenIOC in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    report_iocs: Option<String>,
}

fn entry(report: &Publication) -> Entry<'_> {
    let published = report.published.unwrap_or_default();
    Entry {
        id: &report.id,
        updated: report.updated.unwrap_or(published).max(published).0,
        published: published.0,
        name: &report.title,
        desc: report.description.as_deref().unwrap_or_default(),
        report_group: match report.report_type {
            ReportType::Apt => "apt",
            ReportType::Crimeware => "fin",
            ReportType::Industrial => "ics",
        },
        tags: &report.tags,
        tags_industry: &report.industries,
        tags_geo: &report.geography,
        tags_actors: &report.actors,
        report_iocs: None,
    }
}

/// What can be asked for besides; of these only indicators are facts, so the others are never there.
const INFO: [&str; 5] = ["all", "iocs", "yara", "pdf", "execsum"];

fn one(view: &View, query: &str) -> Result<Value, Failed> {
    let id = needed(query, "publication_id", "the id of a report, as get_list names it")?;
    let info = parameter(query, "include_info").unwrap_or_default();
    let info: Vec<&str> = info.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(name) = info.iter().find(|name| !INFO.contains(name)) {
        return Err(format!("include_info is {name:?}: use {}", INFO.join(", ")).into());
    }
    let Some(report) = publications::find(view, &id)? else {
        return Err(Failed::Unknown(format!(
            "there is no report {id:?}: get_list names those that there are"
        )));
    };
    let mut entry = entry(&report);
    if info.iter().any(|name| ["all", "iocs"].contains(name)) {
        entry.report_iocs = publications::openioc(view, &report)?.map(|iocs| STANDARD.encode(iocs));
    }
    Ok(json!(entry))
}

fn list(view: &View, query: &str) -> Result<Value, Failed> {
    let (from, to) = (day(query, "date_start")?, day(query, "date_end")?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(format!("date_start is {}, after date_end, {}: swap the two", from.0, to.0).into());
    }
    let reports = publications::list(view, from, to)?;
    let entries: Vec<Entry<'_>> = reports.iter().map(entry).collect();
    Ok(json!({"count": entries.len(), "publications": entries}))
}

fn master_ioc(view: &View, query: &str) -> Result<Value, Failed> {
    let iocs = publications::master_iocs(view, group(query)?)?;
    Ok(json!({"master_ioc": STANDARD.encode(iocs)}))
}

/// No fact has rules, so the text of all is empty.
fn master_yara(_view: &View, query: &str) -> Result<Value, Failed> {
    group(query)?;
    let rules = publications::compressed("").map_err(StoreError::from)?;
    Ok(json!({"master_yara": STANDARD.encode(rules)}))
}

fn group(query: &str) -> Result<Group, Failed> {
    Ok(parameter(query, "report_group").map_or(Ok(Group::All), |text| Group::parse(&text))?)
}

/// A moment in Unix seconds, where there is one.
fn day(query: &str, name: &str) -> Result<Option<Timestamp>, Failed> {
    let Some(text) = parameter(query, name) else { return Ok(None) };
    let is_number = !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if is_number => Ok(Some(Timestamp(seconds))),
        _ => Err(format!("{name} is {text:?}: use seconds since 1970, as 1716879780").into()),
    }
}

fn needed(query: &str, name: &str, what: &str) -> Result<String, Failed> {
    let value = parameter(query, name).filter(|value| !value.is_empty());
    value.ok_or_else(|| format!("{name} is missing: add {name}= and {what} to the query").into())
}
