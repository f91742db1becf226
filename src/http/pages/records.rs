//! `/history`: one's own lookups. `/audit`, `/audit/csv`: who did what, for admins.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, HOST, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::desk::{field, grid, unreadable};
use super::{frame, page};
use crate::access::Caller;
use crate::access::audit::{self, Entry, Filter, Newest};
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::audit::{Form as Sent, filter, sent};
use crate::http::error::Problem;
use crate::http::gate::is_loopback;
use crate::http::people::answered;
use crate::http::sources::blocking;
use crate::indicator::{Indicator, Kind, refang};
use crate::page::grid::Grid;
use crate::page::rows::{Form, RowsPage, chosen, rows_of};
use crate::page::{escaped, thousands};
use crate::value::Timestamp;

type Shared = State<Arc<Service>>;

/// Entries of a page's table; older ones are found by naming a time.
const ENTRIES_MAX: usize = 1000;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/history", get(history))
        .route("/audit", get(entries))
        .route("/audit/csv", get(table))
}

/// The newest entries that are wanted.
async fn newest(service: &Arc<Service>, uri: &Uri, filter: Filter) -> Result<Newest, Problem> {
    let read = move |service: &Service| {
        if let Some(audit) = &service.audit {
            audit.flush();
        }
        let found = audit::newest(service.store.folder(), &filter, ENTRIES_MAX);
        found.map_err(|error| format!("the audit cannot be read: {error}"))
    };
    blocking(service, uri, read).await
}

/// What of an address filters entries, by field and word.
const FILTERS: [(&str, &str); 4] =
    [("since", "From (UTC)"), ("until", "Before (UTC)"), ("user", "User"), ("action", "Action")];

fn filter_form(uri: &Uri, action: &str, fields: &[(&'static str, &'static str)]) -> Form {
    let given = |name: &str| parameter(uri.query().unwrap_or_default(), name).unwrap_or_default();
    let fields = fields.iter().map(|(name, label)| field(name, label, "text", &given(name))).collect();
    Form { title: "Which", action: action.to_owned(), is_change: false, fields, button: "Show" }
}

/// What an address says of entries, with another end of the time.
fn query(uri: &Uri, until: Option<Timestamp>) -> String {
    let given =
        |name: &str| parameter(uri.query().unwrap_or_default(), name).filter(|value| !value.is_empty());
    let until = until.map(Timestamp::rfc3339);
    let value =
        |name: &str| if name == "until" { until.clone().or_else(|| given(name)) } else { given(name) };
    let pairs = FILTERS.iter().filter_map(|(name, _)| Some(format!("{name}={}", escaped(&value(name)?))));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Where older entries than these are; `None`: nowhere.
fn older(newest: &Newest) -> Option<Timestamp> {
    if let Some(day) = newest.not_before {
        return Some(day);
    }
    let (first, last) = (newest.entries.first()?, newest.entries.last()?);
    // The second of the last one is shown again: the rest of it may be of the next page, unless a page has no other.
    let is_one_second = first.at == last.at;
    (newest.entries.len() >= ENTRIES_MAX).then(|| Timestamp(last.at.0 + i64::from(!is_one_second)))
}

fn about(newest: &Newest, what: &str) -> String {
    match newest.not_before {
        Some(day) => {
            format!("{what}, the newest first. Before {} nothing was looked at: name a time.", day.date())
        }
        None if newest.entries.len() >= ENTRIES_MAX => {
            format!("{what}, the newest {} first: name a time for older ones.", thousands(ENTRIES_MAX as u64))
        }
        None => format!("{what}, the newest first."),
    }
}

//------------ One's own -----------------------------------------------------

/// A lookup.
#[derive(Serialize)]
struct Lookup {
    at: Timestamp,
    /// What was looked up, where it was one indicator.
    indicator: Option<String>,
    /// The question as it was sent, where it was not.
    request: Option<String>,
    /// How often in a row.
    times: usize,
    token: Option<String>,
}

/// The columns of lookups.
const LOOKUP: &[(&str, &str)] = &[
    ("at", "at"),
    ("indicator", "indicator"),
    ("request", "request"),
    ("times", "times"),
    ("token", "token"),
];

/// What an entry was about, where that was one indicator.
fn asked(entry: &Entry) -> Option<Indicator> {
    if let Some(object) = &entry.object {
        return Indicator::parse_tagged(object).ok();
    }
    let (_, target) = entry.request.as_deref()?.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix("/api").unwrap_or(path);
    let of_path = Kind::ALL.into_iter().find_map(|kind| {
        let text = path.strip_prefix(&format!("/{kind}/"))?;
        Indicator::parse_as(kind, &percent_decode_str(text).decode_utf8().ok()?).ok()
    });
    of_path.or_else(|| {
        let named = ["value", "indicator", "request", "domain"].into_iter();
        let text = named.filter_map(|name| parameter(query, name)).next()?;
        Indicator::parse_tagged(&text).ok()
    })
}

/// Lookups that were answered; the same again is told once: each sorted table of a report is another.
fn lookups(entries: &[Entry]) -> Vec<Lookup> {
    let is_answered = |entry: &&Entry| matches!(entry.status, None | Some(200 | 304 | 404));
    let told = |entry: &Entry| match asked(entry) {
        // Without its kind and not defanged, as it is pasted.
        Some(indicator) => {
            (indicator.tagged().split_once(':').map(|(_, text)| refang(text).into_owned()), None)
        }
        None => (None, entry.request.clone()),
    };
    let mut all: Vec<Lookup> = Vec::new();
    for entry in entries.iter().filter(is_answered) {
        let (indicator, request) = told(entry);
        match all.last_mut() {
            Some(last) if (&last.indicator, &last.request) == (&indicator, &request) => last.times += 1,
            _ => all.push(Lookup { at: entry.at, indicator, request, times: 1, token: entry.token.clone() }),
        }
    }
    all
}

/// `GET /history?since=&until=`
async fn history(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answered(async move {
        of_this_machine(&service, &headers, &uri)?;
        let own = Filter {
            user: Some(caller.name().to_owned()),
            action: Some("lookup".to_owned()),
            ..filter(&uri)?
        };
        let found = newest(&service, &uri, own).await?;
        let rows = rows_of(&lookups(&found.entries)).map_err(|error| unreadable(&uri, &error))?;
        let mut links = vec![("Account", "/account".to_owned())];
        links.extend(older(&found).map(|until| ("Older", format!("/history{}", query(&uri, Some(until))))));
        let shown = RowsPage {
            frame: frame(&service, &caller, "/history"),
            title: "Your lookups".to_owned(),
            about: about(&found, "What you looked up"),
            done: "",
            forms: vec![filter_form(&uri, "/history", &FILTERS[..2])],
            tables: vec![(String::new(), entries_grid(&chosen(&rows, LOOKUP), &uri))],
            exports: links,
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

/// Where nobody has to say who they are, pages of other sites must not read what was looked up here, also under a name
/// that was made to lead here (DNS rebinding): reports they would have to guess, a list they would not.
fn of_this_machine(service: &Service, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if service.access.is_on || is_loopback(&format!("http://{host}")) {
        return Ok(());
    }
    let detail = "with auth off the history is for this machine alone: open it at http://127.0.0.1 or http://localhost, \
                  or add users";
    Err(Problem::new(StatusCode::FORBIDDEN, uri, detail))
}

fn entries_grid(rows: &[crate::export::tree::Tree], uri: &Uri) -> Grid {
    grid(rows, uri, "rows", &FILTERS.map(|(name, _)| name))
}

//------------ Everybody's ---------------------------------------------------

/// The columns of the audit.
const ENTRY: &[(&str, &str)] = &[
    ("at", "at"),
    ("user", "who"),
    ("action", "action"),
    ("object", "object"),
    ("request", "request"),
    ("status", "status"),
    ("address", "address"),
    ("token", "token"),
];

/// `GET /audit?since=&until=&user=&action=`
async fn entries(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let found = newest(&service, &uri, filter(&uri)?).await?;
        let rows = rows_of(&found.entries).map_err(|error| unreadable(&uri, &error))?;
        let mut links = vec![
            ("CSV", format!("/audit/csv{}", query(&uri, None))),
            ("NDJSON", format!("/api/v1/audit{}", query(&uri, None))),
        ];
        links.extend(older(&found).map(|until| ("Older", format!("/audit{}", query(&uri, Some(until))))));
        let shown = RowsPage {
            frame: frame(&service, &caller, "/audit"),
            title: "Audit".to_owned(),
            about: about(&found, "Who asked and changed what"),
            done: "",
            forms: vec![filter_form(&uri, "/audit", &FILTERS)],
            tables: vec![(String::new(), entries_grid(&chosen(&rows, ENTRY), &uri))],
            exports: links,
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

/// `GET /audit/csv?since=&until=&user=&action=`: all that is wanted, the oldest first.
async fn table(State(service): Shared, uri: Uri) -> Response {
    answered(async move {
        let mut response = sent(service, filter(&uri)?, Sent::Csv)?;
        let name = HeaderValue::from_static("attachment; filename=\"zonelens-audit.csv\"");
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
        Ok(response)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(request: &str, object: Option<&str>, status: u16) -> Entry {
        let (request, object) = (Some(request.to_owned()), object.map(str::to_owned));
        Entry { request, object, status: Some(status), ..Entry::default() }
    }

    #[test]
    fn lookups_say_what_was_looked_up() {
        let entries = [
            entry("GET /domain/evil.example?sort=-Hits&part=1", None, 200),
            entry("GET /domain/evil.example", None, 200),
            entry("GET /search?q=evil.example", None, 303),
            entry("GET /api/ip/192.0.2.1?sections=Zone", None, 200),
            entry("GET /url/evil.example%2Fa%3Fb%3D1", None, 404),
            entry("GET /api/v1/indicator?value=hxxp%3A%2F%2Fevil%5B.%5Dexample%2F", None, 200),
            entry("POST /api/v1/lookup", Some("b.example"), 200),
            entry("GET /api/v1/network/192.0.2.0/24", None, 200),
            entry("GET /domain/..", None, 400),
        ];
        let told: Vec<String> = lookups(&entries)
            .into_iter()
            .map(|lookup| format!("{} {}", lookup.indicator.or(lookup.request).unwrap(), lookup.times))
            .collect();
        assert_eq!(
            told,
            [
                "evil.example 2",
                "192.0.2.1 1",
                "evil.example/a?b=1 1",
                "http://evil.example/ 1",
                "b.example 1",
                "GET /api/v1/network/192.0.2.0/24 1",
            ]
        );
    }

    #[test]
    fn older_ones_leave_nothing_out() {
        let page = |from: i64, to: i64| Newest {
            entries: (0..1000)
                .map(|at| Entry { at: Timestamp(from + (to - from) * at / 999), ..Entry::default() })
                .collect(),
            not_before: None,
        };
        assert_eq!(older(&page(5000, 4000)), Some(Timestamp(4001)), "the second of the last one again");
        assert_eq!(older(&page(4000, 4000)), Some(Timestamp(4000)), "a page of one second is left behind");
        assert_eq!(older(&Newest::default()), None);
        let cut = Newest { not_before: Some(Timestamp(86_400)), ..Newest::default() };
        assert_eq!(older(&cut), Some(Timestamp(86_400)));
    }
}
