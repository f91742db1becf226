//! `GET /api/v1/export?value=&format=`: what is known of an indicator and may be passed on, in the form that somebody wants.
//!
//! `sections` (or `section`), `count` and `as_of` are those of a lookup. A table is of one section.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::api::{media, parameter, wanted};
use super::own::{indicator, worked};
use crate::access::Caller;
use crate::export::{self, Format};
use crate::lookup::LookupError;
use crate::request;

/// All forms, by which the parameter names them.
const FORMATS: [Format; 6] = {
    let [(json, ..), (ndjson, ..), (stix, ..), (misp, ..), (csv, ..), (html, ..)] = Format::ALL;
    [json, ndjson, stix, misp, csv, html]
};

pub(super) async fn export(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let wishes = service.wishes.clone();
    let made = worked(&service, caller, &uri, move |context, query| {
        let indicator = indicator(query, "value")?;
        let bad = LookupError::BadRequest;
        let format =
            parameter(query, "format").map_or(Ok(Format::Json), |name| Format::parse(&name, &FORMATS));
        let format = format.map_err(bad)?;
        let mut request = wanted(query, context.now).map_err(bad)?;
        if let Some(section) = parameter(query, "section") {
            request.sections = Some(request::sections(&section).map_err(bad)?);
        }
        wishes.looked_up.note(&indicator);
        export::one(context, &indicator, &request, format).map(|body| (format, body))
    });
    match made.await {
        Ok((format, body)) => response(format, body),
        Err(problem) => problem.into_response(),
    }
}

/// A page is shown, with what it may do said once more where no markup can undo it; all else is a file.
fn response(format: Format, body: Vec<u8>) -> Response {
    let mut response = media(format.media_type(), body);
    let headers = response.headers_mut();
    match format {
        Format::Html => {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(export::POLICY));
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        Format::Csv => {
            let file = HeaderValue::from_static("attachment; filename=\"zonelens.csv\"");
            headers.insert(CONTENT_DISPOSITION, file);
        }
        Format::Json | Format::Ndjson | Format::Stix | Format::Misp => {}
    }
    response
}
