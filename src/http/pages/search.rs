//! `/search`: whatever was typed or pasted. One indicator leads to its report; of many there is a table.
//!
//! `GET /search?q=` for what fits into an address, `POST` with a form for all else. Of a table each indicator counts as a lookup.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::{frame, looked_up, page, see};
use crate::access::Caller;
use crate::bulk::{self, Batch, Form, Wanted as Ask};
use crate::export::tree::Tree;
use crate::export::{self, Format};
use crate::http::Service;
use crate::http::api::{media, parameter};
use crate::http::bulk::write_down;
use crate::http::error::Problem;
use crate::http::gate::over;
use crate::http::table::Dialect;
use crate::indicator::Indicator;
use crate::lookup::{LookupError, Request};
use crate::page::bulk::BulkPage;
use crate::page::grid::{At, Grid, Wanted};
use crate::page::{Badge, path_of, thousands};
use crate::store::StoreError;
use crate::value::Zone;

/// The longest text that is pasted.
const PASTED_BYTES_MAX: usize = 8 << 20;

/// The largest indicators that are shown as a table.
const TABLE_VALUES_MAX: usize = 20_000;

pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(PASTED_BYTES_MAX * 3)
}

/// `GET /search?q=`
pub(super) async fn asked(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let query = uri.query().unwrap_or_default().to_owned();
    answer(service, caller, uri, &query).await
}

/// `POST /search`, a form.
pub(super) async fn pasted(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let form = String::from_utf8_lossy(&body).into_owned();
    answer(service, caller, uri, &form).await
}

async fn answer(service: Arc<Service>, caller: Caller, uri: Uri, form: &str) -> Response {
    let text = parameter(form, "q").unwrap_or_default();
    if text.trim().is_empty() {
        return see("/");
    }
    let found = match found(&text) {
        Found::One(indicator) => {
            return see(&path_of(indicator.kind(), &indicator.to_string()));
        }
        Found::Many(batch) => batch,
        Found::Nothing(problem) => return nothing(&service, &caller, text, problem),
    };
    if found.len() > TABLE_VALUES_MAX {
        let problem = format!(
            "There are {} indicators in it: paste {} at most, or use POST /api/v1/lookup or `zonelens lookup -` for up to {}.",
            thousands(found.len() as u64),
            thousands(TABLE_VALUES_MAX as u64),
            thousands(bulk::VALUES_MAX as u64),
        );
        return nothing(&service, &caller, String::new(), problem);
    }
    let made = many(&service, caller, &uri, text, found, form).await;
    made.unwrap_or_else(|refused| refused)
}

/// What a text holds.
enum Found {
    One(Indicator),
    Many(Batch),
    Nothing(String),
}

fn found(text: &str) -> Found {
    if text.trim().contains(char::is_whitespace) {
        return found_in(text, None);
    }
    match Indicator::parse(text) {
        Ok(indicator) => Found::One(indicator),
        Err(error) => found_in(text, Some(error.to_string())),
    }
}

fn found_in(text: &str, problem: Option<String>) -> Found {
    let batch = match Batch::read(text.as_bytes(), Form::Text, None) {
        Ok(batch) => batch,
        Err(problem) => return Found::Nothing(problem),
    };
    match batch.values() {
        [] => Found::Nothing(problem.unwrap_or_else(|| {
            "No domain, IP address, URL or file hash was found in it. A name needs a dot, a hash 32, 40 or 64 hexadecimal digits."
                .to_owned()
        })),
        [one] => match Indicator::parse(one) {
            Ok(indicator) => Found::One(indicator),
            Err(error) => Found::Nothing(error.to_string()),
        },
        _ => Found::Many(batch),
    }
}

fn nothing(service: &Service, caller: &Caller, text: String, problem: String) -> Response {
    let shown = BulkPage {
        frame: frame(service, caller, ""),
        text,
        count: "0".to_owned(),
        zones: Vec::new(),
        grid: Grid::default(),
        sort: String::new(),
        problem,
    };
    page(StatusCode::OK, &shown)
}

async fn many(
    service: &Arc<Service>,
    mut caller: Caller,
    uri: &Uri,
    text: String,
    batch: Batch,
    form: &str,
) -> Result<Response, Response> {
    let now = service.clock.now();
    let format = parameter(form, "format").map(|name| Format::parse(&name, &Format::OF_MANY)).transpose();
    let format =
        format.map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, uri, detail).into_response())?;
    // One was counted with the request.
    let counted = service.access.count(&mut caller, batch.len() as u64 - 1, now);
    counted.map_err(|refused| over(service, Dialect::Tip, uri, &refused, now))?;
    let licence = caller.licence.clone();
    // Where many wait for the audit this waits too: not on a thread that answers.
    let at_work = (service.clone(), caller.clone());
    let written = tokio::task::spawn_blocking(move || {
        write_down(&at_work.0, &at_work.1, &batch, now);
        batch
    });
    let batch = written.await.map_err(|error| {
        tracing::error!(%error, "the audit of many lookups panicked");
        let detail = "the lookup failed inside the service: its log says more";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail).into_response()
    })?;
    let made = match format {
        Some(format) => file(service, &caller, uri, batch, format).await,
        None => table(service, &caller, uri, text, batch, form).await,
    };
    let made = made.unwrap_or_else(Problem::into_response);
    Ok((Extension(licence), made).into_response())
}

/// The answers as a file.
async fn file(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    batch: Batch,
    format: Format,
) -> Result<Response, Problem> {
    let body = looked_up(service, caller, uri, true, move |context| {
        if format.is_graph() {
            let made = export::many(context, batch.values(), &Request::default(), format)?;
            return Ok(made.bytes);
        }
        let batch = if format == Format::Csv { batch.into_table() } else { batch.into_lines() };
        Ok(answers(context.exported()?, context, &batch)?)
    });
    let mut response = media(format.media_type(), body.await?);
    let name = format!("attachment; filename=\"zonelens.{}\"", format.extension());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn answers(
    snapshot: Arc<crate::store::Snapshot>,
    context: &crate::lookup::Context<'_>,
    batch: &Batch,
) -> Result<Vec<u8>, StoreError> {
    let mut all = Vec::new();
    let mut out = |lines: Vec<u8>| {
        all.extend(lines);
        Ok(())
    };
    bulk::answer(&snapshot, context, batch, &Ask::Zone { as_of: None }, &mut out)?;
    Ok(all)
}

/// The answers as a page.
async fn table(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    text: String,
    batch: Batch,
    form: &str,
) -> Result<Response, Problem> {
    let frame = frame(service, caller, "");
    // The head of a column was pressed, or a page was turned in the order that there was.
    let order = parameter(form, "order").or_else(|| parameter(form, "sort")).unwrap_or_default();
    let at_page = parameter(form, "page").unwrap_or_default();
    let shown = looked_up(service, caller, uri, true, move |context| {
        let lines = answers(context.snapshot()?, context, &batch)?;
        let unreadable = |error: serde_json::Error| LookupError::Store(StoreError::Io(error.into()));
        let rows: Vec<Tree> = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let zones = Zone::ALL.into_iter().filter_map(|zone| {
            let is =
                |row: &&Tree| row.member("zone").is_some_and(|own| *own == Tree::Text(zone.name().into()));
            let count = rows.iter().filter(is).count() as u64;
            (count > 0).then(|| (Badge(zone), thousands(count)))
        });
        let zones = zones.collect();
        let wanted = Wanted::of(Some(&order), None, Some(&at_page));
        let mut grid = Grid::new(&rows, &wanted, &At::default(), None);
        // A form leads to the other states: what was pasted is in none of their addresses.
        let value = |href: &str, name: &str| {
            let query = href.trim_start_matches('?').trim_end_matches('#').to_owned();
            parameter(&query, name).unwrap_or_default()
        };
        for column in &mut grid.columns {
            column.href = value(&column.href, "sort");
        }
        grid.previous = grid.previous.map(|href| value(&href, "page"));
        grid.next = grid.next.map(|href| value(&href, "page"));
        Ok(BulkPage {
            frame,
            text,
            count: thousands(rows.len() as u64),
            zones,
            grid,
            sort: order,
            problem: String::new(),
        })
    });
    Ok(page(StatusCode::OK, &shown.await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_understood() {
        let one = |text: &str| match found(text) {
            Found::One(indicator) => format!("{}:{indicator}", indicator.kind()),
            Found::Many(batch) => format!("{} values", batch.len()),
            Found::Nothing(problem) => problem,
        };
        assert_eq!(one(" evil[.]example \n"), "domain:evil.example");
        assert_eq!(one("192.0.2.1"), "ip:192.0.2.1");
        assert_eq!(one("http://192.0.2.1"), "url:192.0.2.1");
        assert_eq!(one("hxxps://evil[.]com/a?b=c"), "url:evil.com/a?b=c");
        assert_eq!(one("see evil[.]com"), "domain:evil.com");
        assert_eq!(one("see evil[.]com and 192.0.2.1"), "2 values");
        assert_eq!(one("host.corp\nevil[.]example, 192.0.2.1"), "3 values", "a list of names of one's own");
        assert_eq!(one("host.corp is not found in a sentence, 192.0.2.1 is"), "ip:192.0.2.1");
        assert!(one("nothing to see here").contains("was found"));
    }
}
