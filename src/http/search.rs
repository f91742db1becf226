//! `GET /api/v1/network/{cidr}`, `/api/v1/asn/{n}` and `/api/v1/search-all?q=`: what is in a network, and what fits a text.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::Service;
use super::api::parameter;
use super::own::{answer, required};
use crate::access::Caller;
use crate::indicator::{AddressRange, Asn};
use crate::lookup::{Context, LookupError};
use crate::network::{self, Overview, Subject};
use crate::request;
use crate::search::{self, LIMIT};

/// How the end of a path is read.
pub(super) type Parse = fn(&str) -> Result<Subject, String>;

/// `GET /api/v1/network/{cidr}?as_of=`: `192.0.2.0/24`, also with the slash escaped, or `192.0.2.0-192.0.2.9`.
pub(super) async fn network(service: State<Arc<Service>>, caller: Extension<Caller>, uri: Uri) -> Response {
    answered(service, caller, uri, "/api/v1/network/", cidr).await
}

/// `GET /api/v1/asn/{n}?as_of=`: `4837` or `AS4837`.
pub(super) async fn system(service: State<Arc<Service>>, caller: Extension<Caller>, uri: Uri) -> Response {
    answered(service, caller, uri, "/api/v1/asn/", asn).await
}

pub(super) fn cidr(text: &str) -> Result<Subject, String> {
    AddressRange::parse(text).map(Subject::Network).map_err(|error| error.to_string())
}

pub(super) fn asn(text: &str) -> Result<Subject, String> {
    Asn::parse(text).map(Subject::System).map_err(|error| error.to_string())
}

/// `GET /api/v1/search-all?q=&cursor=&limit=`
pub(super) async fn search(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answer(service, caller, uri, |context, query| {
        let typed = required(query, "q")?;
        let limit = parameter(query, "limit").map(|text| request::limit(&text)).transpose();
        let limit = limit.map_err(LookupError::BadRequest)?.unwrap_or(LIMIT);
        let cursor = parameter(query, "cursor");
        search::search(context, &typed, cursor.as_deref(), limit)
    })
    .await
}

async fn answered(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    begin: &'static str,
    parse: Parse,
) -> Response {
    let path = uri.path().to_owned();
    answer(service, caller, uri, move |context, query| overview(context, &path, begin, parse, query)).await
}

/// What is known of what the end of a path names, as of the moment that a query names.
pub(super) fn overview(
    context: &Context<'_>,
    path: &str,
    begin: &str,
    parse: Parse,
    query: &str,
) -> Result<Overview, LookupError> {
    let subject = parse(&rest(path, begin)).map_err(LookupError::BadRequest)?;
    let as_of = parameter(query, "as_of").map(|text| request::as_of(&text, context.now));
    let as_of = as_of.transpose().map_err(LookupError::BadRequest)?.flatten();
    network::overview(context, &subject, as_of)
}

/// What stands after the beginning of a path, its escapes taken off. What is not UTF-8 parses as nothing.
fn rest(path: &str, begin: &str) -> String {
    let rest = path.strip_prefix(begin).unwrap_or_default();
    percent_decode_str(rest).decode_utf8_lossy().into_owned()
}
