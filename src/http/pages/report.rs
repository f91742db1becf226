//! `GET /{domain|ip|url|hash}/{object}`: the report as a page. `as_of` is a past day; `section`, `sort`, `filter` and `page` are of
//! one section; with `part` that section comes alone, for the script. The section `timeline` is of the page alone: what it
//! costs is only spent where it is asked for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::desk::done;
use super::ours::{self, Asking};
use super::{base, frame, looked_up, page, see};
use crate::access::Caller;
use crate::history::diff::diff;
use crate::history::timeline::timeline;
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::question;
use crate::indicator::{Indicator, Kind};
use crate::lookup::{COUNT_MAX, LookupError, Request, report_and};
use crate::page::grid::{PAGE_ROWS, Wanted};
use crate::page::ours::PLACES;
use crate::page::path_of;
use crate::page::picture;
use crate::page::report::{self, Drawn, ReportPage, TIMELINE, View};
use crate::page::unknown::UnknownPage;
use crate::request;
use crate::sections::About;

pub(super) fn routes() -> Router<Arc<Service>> {
    Kind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let handler =
            move |State(service): State<Arc<Service>>,
                  Extension(caller): Extension<Caller>,
                  headers: HeaderMap,
                  uri: Uri| async move { report(service, caller, kind, headers, uri).await };
        router.route(&format!("/{kind}/{{*object}}"), get(handler))
    })
}

/// What a lookup comes to on a page.
enum Made {
    Known(Box<ReportPage>),
    Unknown(Box<UnknownPage>),
}

async fn report(service: Arc<Service>, caller: Caller, kind: Kind, headers: HeaderMap, uri: Uri) -> Response {
    let (indicator, query) = match question::page(kind, &uri) {
        Ok(question) => question,
        Err(wrong) => return wrong.problem(&uri).into_response(),
    };
    // One address for each object, however it was written.
    let path = path_of(kind, &indicator.to_string());
    if path != uri.path() {
        return see(&if query.is_empty() { path } else { format!("{path}?{query}") });
    }
    match made(&service, &caller, &uri, headers, indicator, query).await {
        Ok(Made::Known(known)) => page(StatusCode::OK, &*known),
        Ok(Made::Unknown(unknown)) => page(StatusCode::NOT_FOUND, &*unknown),
        Err(problem) => problem.into_response(),
    }
}

async fn made(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    headers: HeaderMap,
    indicator: Indicator,
    query: String,
) -> Result<Made, crate::http::error::Problem> {
    let given = |name: &str| parameter(&query, name).unwrap_or_default();
    let (sort, filter, at_page) = (given("sort"), given("filter"), given("page"));
    let view = View {
        as_of: given("as_of"),
        section: given("section"),
        rows: Wanted::of(Some(&sort), Some(&filter), Some(&at_page)),
        base: base(service, &headers),
    };
    let is_part = parameter(&query, "part").is_some() && !view.section.is_empty();
    let is_ours = PLACES.contains(&view.section.as_str());
    let is_timeline = view.section == TIMELINE;
    let is_long = !view.as_of.is_empty() || is_timeline;
    let frame = frame(service, caller, "");
    let asking = Asking::new(caller, &frame.csrf, done(uri));
    let wishes = service.wishes.clone();
    looked_up(service, caller, uri, is_long, move |context| {
        wishes.looked_up.note(&indicator);
        let as_of = match view.as_of.as_str() {
            "" => None,
            text => request::as_of(text, context.now).map_err(LookupError::BadRequest)?,
        };
        let wanted = Request {
            // What is no section of reports has one that is always there in its stead.
            sections: is_part
                .then(|| vec![if is_ours || is_timeline { "Verdict" } else { &view.section }.to_owned()]),
            count: if view.section.is_empty() || is_ours || is_timeline { PAGE_ROWS } else { COUNT_MAX },
            as_of,
            ..Request::default()
        };
        let view = if as_of.is_none() { View { as_of: String::new(), ..view } } else { view };
        let ours = match is_part && !is_ours {
            true => Vec::new(),
            false => ours::sections(context, &asking, &indicator, &view, as_of)?,
        };
        // Nothing is known of it where nothing is known of its past.
        let past = is_timeline.then(|| timeline(context, &indicator)).transpose();
        let past = match past {
            Err(LookupError::Unknown(_)) => None,
            past => past?,
        };
        let draw = |about: &About<'_>| {
            Ok(Drawn {
                pictures: picture::of(about, wanted.sections.as_deref())?,
                timeline: past.map(|past| picture::timeline::shown_of(about, &past)).transpose()?,
            })
        };
        match report_and(&context.snapshot()?, context, &indicator, &wanted, draw) {
            Ok((found, drawn)) => {
                let since = as_of.filter(|_| !is_part).map(|at| diff(context, &indicator, Some(at), None));
                let since = since.transpose()?;
                let made = report::page(frame, &found, drawn, &view, context.now, since.as_ref())?;
                Ok(Made::Known(Box::new(ReportPage { ours, ..made })))
            }
            Err(LookupError::Unknown(asked)) => {
                let made = UnknownPage::new(frame, &asked, &view.as_of, &view.base);
                Ok(Made::Unknown(Box::new(UnknownPage { ours, ..made })))
            }
            Err(error) => Err(error),
        }
    })
    .await
}
