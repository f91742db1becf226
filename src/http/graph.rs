//! `GET /api/v1/graph?of=&open=&relation=&limit=&as_of=`: what is around indicators. Each that is opened counts as a lookup.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::api::{URI_BYTES_MAX, parameter};
use super::error::Problem;
use super::gate::over;
use super::own::answer;
use super::question::parameters;
use super::table::Dialect;
use crate::access::Caller;
use crate::graph::{Thing, Wanted, graph};
use crate::value::Timestamp;

/// `GET /api/v1/graph`
pub(super) async fn around(
    State(service): State<Arc<Service>>,
    Extension(mut caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let wanted = match counted(&service, &mut caller, &uri) {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    let opened = wanted.opened.len();
    let (at_work, who) = (service.clone(), caller.clone());
    let made = answer(service.clone(), caller.clone(), uri, move |context, _| {
        write_down(&at_work, &who, &wanted, context.now);
        graph(context, &wanted)
    });
    settled(&service, caller, opened, made.await)
}

/// Reads which graph is wanted, and counts what is opened; who is refused has counted nothing here.
#[expect(clippy::result_large_err, reason = "who is refused is answered once a request")]
pub(super) fn counted(service: &Service, caller: &mut Caller, uri: &Uri) -> Result<Wanted, Response> {
    let now = service.clock.now();
    let query = uri.query().unwrap_or_default();
    if query.len() > URI_BYTES_MAX {
        let detail = format!("the query is longer than {URI_BYTES_MAX} bytes: open fewer");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, uri, detail).into_response());
    }
    let wanted = wanted(query, now);
    let wanted =
        wanted.map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, uri, detail).into_response())?;
    let counted = service.access.count(caller, more(wanted.opened.len()), now);
    counted.map_err(|refused| over(service, Dialect::Tip, uri, &refused, now))?;
    Ok(wanted)
}

/// Besides the one that is counted with every lookup.
fn more(opened: usize) -> u64 {
    (opened as u64).saturating_sub(1)
}

/// Who looked up what, before it is answered. It may wait.
pub(super) fn write_down(service: &Service, caller: &Caller, wanted: &Wanted, now: Timestamp) {
    for thing in &wanted.opened {
        if let Some(audit) = &service.audit {
            audit.record(Box::new(caller.entry("lookup", &thing.id(), now)));
        }
        if let Thing::Object(indicator) = thing {
            service.wishes.looked_up.note(indicator);
        }
    }
}

/// An answer that says how many lookups are left; what was not answered is taken back.
pub(super) fn settled(service: &Service, mut caller: Caller, opened: usize, answer: Response) -> Response {
    if !matches!(answer.status(), StatusCode::OK | StatusCode::NOT_FOUND) {
        service.access.forget(&mut caller, more(opened), service.clock.now());
    }
    (Extension(caller.licence), answer).into_response()
}

fn wanted(query: &str, now: Timestamp) -> Result<Wanted, String> {
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    let of = given("of").ok_or("of is missing: name an indicator as ?of=… in the query")?;
    let (open, only) = (parameters(query, "open"), parameters(query, "relation"));
    Wanted::parse(&of, &open, &only, given("limit").as_deref(), given("as_of").as_deref(), now)
}
