//! `/reports`: the library of intelligence reports; `/reports/{id}`: one of them, with what it names.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::desk::grid;
use super::{frame, looked_up, page};
use crate::access::Caller;
use crate::fact::{Publication, ReportType};
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::error::Problem;
use crate::http::people::answered;
use crate::http::reports;
use crate::lookup::LookupError;
use crate::page::cell::Cell;
use crate::page::rows::{DetailPage, Field, Form, RowsPage, record_of, rows_of};
use crate::page::{escaped, thousands};
use crate::publications;
use crate::value::Timestamp;

pub(super) fn routes() -> Router<Arc<Service>> {
    type Asks = Extension<Caller>;
    let list = |State(service): State<Arc<Service>>, Extension(caller): Asks, uri: Uri| {
        answered(list(service, caller, uri))
    };
    let one = |State(service): State<Arc<Service>>, Extension(caller): Asks, uri: Uri| {
        answered(one(service, caller, uri))
    };
    Router::new().route("/reports", get(list)).route("/reports/{*id}", get(one))
}

/// A report as a row of the library.
#[derive(Serialize)]
struct Row {
    published: Option<String>,
    title: String,
    r#type: ReportType,
    tags: Vec<String>,
    actors: Vec<String>,
    industries: Vec<String>,
    geography: Vec<String>,
    id: String,
}

impl From<Publication> for Row {
    fn from(report: Publication) -> Row {
        let Publication { id, title, tags, actors, industries, geography, .. } = report;
        let published = report.published.map(Timestamp::date);
        Row { published, title, r#type: report.report_type, tags, actors, industries, geography, id }
    }
}

/// What the library is searched by.
const SEARCHED: [(&str, &str, &str); 4] = [
    ("search", "Words in it", "search"),
    ("type", "Type", "select"),
    ("from", "Published from", "date"),
    ("to", "Published up to", "date"),
];

/// `GET /reports?search=&type=&from=&to=`
async fn list(service: Arc<Service>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let frame = frame(&service, &caller, "/reports");
    let asked = uri.clone();
    let shown = looked_up(&service, &caller, &uri, true, move |context| {
        let query = asked.query().unwrap_or_default();
        let found = reports::found(context, &format!("{query}&offset=0&limit={}", reports::PAGE_MAX))?;
        let given: Vec<(&'static str, String)> = (SEARCHED.iter())
            .filter_map(|(name, ..)| Some((*name, parameter(query, name).filter(|text| !text.is_empty())?)))
            .collect();
        let count = found.reports.len();
        let rows = rows_of(&found.reports.into_iter().map(Row::from).collect::<Vec<_>>())?;
        let (total, keep) = (found.total, SEARCHED.map(|(name, ..)| name));
        let cut = format!(" The newest {} of {} that fit.", thousands(count as u64), thousands(total as u64));
        Ok(RowsPage {
            frame,
            title: "Intelligence reports".to_owned(),
            about: format!(
                "What sources published, with the indicators that it names.{}",
                if count < total { &cut } else { "" }
            ),
            forms: vec![search(&given)],
            tables: vec![(String::new(), grid(&rows, &asked, "rows", &keep))],
            done: "",
            exports: Vec::new(),
        })
    });
    Ok(page(StatusCode::OK, &shown.await?))
}

/// The form that searches the library, filled in as it was.
fn search(given: &[(&'static str, String)]) -> Form {
    let field = |(name, label, kind): &(&'static str, &'static str, &'static str)| {
        let value = given.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        let choices = reports::TYPES.iter().map(|(word, _)| ((*word).to_owned(), (*word).to_owned()));
        let choices = [(String::new(), "any".to_owned())].into_iter().chain(choices);
        Field {
            name,
            label,
            kind,
            value: value.unwrap_or_default(),
            choices: choices.filter(|_| *kind == "select").collect(),
            is_needed: false,
        }
    };
    Form {
        title: "Search",
        action: "/reports".to_owned(),
        is_change: false,
        fields: SEARCHED.iter().map(field).collect(),
        button: "Search",
    }
}

/// `GET /reports/{id}`
async fn one(service: Arc<Service>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let id = uri.path().strip_prefix("/reports/").unwrap_or_default();
    let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
    let frame = frame(&service, &caller, "/reports");
    let (asked, wanted_id) = (uri.clone(), id.clone());
    let shown = looked_up(&service, &caller, &uri, true, move |context| {
        let view = context.snapshot()?.view(None);
        let Some((_, source)) = publications::find_stated(&view, &wanted_id)? else { return Ok(None) };
        let Some(whole) = reports::whole(context, &wanted_id)? else { return Ok(None) };
        let mark = context.reader.marks.get(&source).map_or("not marked", |mark| mark.name());
        let rows = rows_of(&whole.indicators)?;
        let left = whole.indicator_count - whole.indicators.len();
        let about = if left > 0 {
            format!("{} more indicators are in the files.", thousands(left as u64))
        } else {
            String::new()
        };
        let export = |format: &str| format!("/api/v1/reports/{}?format={format}", escaped(&wanted_id));
        Ok(Some(DetailPage {
            frame,
            title: crate::export::without_links(&crate::export::tree::shown(&whole.report.title)),
            about,
            record: facts(&whole.report, &source, mark)?,
            tables: vec![("Indicators".to_owned(), grid(&rows, &asked, "rows", &[]))],
            links: reports::EXPORTS.iter().map(|(name, word)| (*word, export(name))).collect(),
            ..DetailPage::default()
        }))
    });
    match shown.await? {
        Some(shown) => Ok(page(StatusCode::OK, &shown)),
        None => {
            let detail = format!("there is no report {id:?}: /reports lists those that there are");
            Ok(Problem::new(StatusCode::NOT_FOUND, &uri, detail).into_response())
        }
    }
}

/// What a report says of itself, and who says it under which mark.
fn facts(report: &Publication, source: &str, mark: &str) -> Result<Vec<(String, Cell)>, LookupError> {
    let mut facts = record_of(report, &["title"])?;
    facts.push(("Source".to_owned(), Cell::Text(crate::export::tree::shown(source))));
    facts.push(("TLP of the source".to_owned(), Cell::Text(mark.to_owned())));
    Ok(facts)
}
