//! The interface described by itself: `GET /openapi.json` (OpenAPI 3.1), and the same as a page at `/docs`.
//!
//! A path is described by one row of a table of this folder; who may ask and what counts is read from
//! `http/table.rs`; bodies are those of types (`utoipa`) or the schemas that answers are tested with
//! (`tests/schemas/`). A test fails where a route has no row.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

mod exports;
mod operation;
mod page;
mod people;
mod questions;
mod reports;
mod scalars;
mod schemas;

pub(super) use page::page;
pub(super) use scalars::Report;

use super::table::{self, Dialect, Need};
use crate::import::SOURCE_NAME_MAX;
use operation::{Answer, Group, Is, Operation, Parameter, Place, Shape};

/// Everything that can be asked, by who asks.
const GROUPS: [&Group; 9] = [
    &reports::GROUP,
    &reports::PUBLICATIONS,
    &questions::GROUP,
    &exports::GROUP,
    &questions::PASSIVE_DNS,
    &questions::SOURCES,
    &people::SAID,
    &people::USERS,
    &people::PROCESS,
];

/// The parts of paths: name, the most characters, an example, what it is.
const PARTS: [(&str, Option<usize>, &str, &str); 14] = [
    ("domain", None, "example.com", reports::DOMAIN),
    ("ip", None, "192.0.2.1", reports::IP),
    ("url", Some(2000), "http://example.com/a", reports::URL),
    ("hash", None, "44D88612FEA8A8F36DE82E1278ABB02F", reports::HASH),
    ("q", None, "example.com", "A name, `*.example.com`, an address or a network."),
    ("name", None, "example.com", "A name, `*.example.com` or `example.*`."),
    ("rrtype", None, "A", "The type of records; `ANY`: all."),
    ("cidr", None, "192.0.2.0/24", "A network, `192.0.2.0/24` or `192.0.2.0-192.0.2.9`."),
    ("asn", None, "AS112", "An autonomous system, with `AS` or without."),
    ("report", None, "report-1", "The id of an intelligence report."),
    ("source", Some(SOURCE_NAME_MAX), "sensor-1", "The name of a source."),
    ("user", None, "soar", "The name of a user."),
    ("group", None, "soc", "The name of a group."),
    ("token", None, "0a1b2c3d", "What a token is called by."),
];

/// What a problem's status says, wherever it is answered.
const PROBLEMS: [(u16, &str); 13] = [
    (400, "The object, a parameter or the body is malformed; `detail` says what would be right."),
    (401, "No or wrong credentials, or an expired token."),
    (
        403,
        "Valid credentials that do not allow this; in the smaller dialect also: a quota or rate is used up.",
    ),
    (404, "Nothing is known of it."),
    (408, "The body came too slowly."),
    (409, "It cannot be done as things are."),
    (413, "The body is too long."),
    (414, "The URL or the query is too long."),
    (415, "The body is of another media type or encoding than can be read."),
    (422, "The key came with another body before."),
    (429, "A quota or a rate is used up, or it was tried too often: `Retry-After` says when to come again."),
    (405, "The method is not for this path."),
    (503, "The store, the audit or the users cannot be read or written in time; never an empty answer."),
];

/// The document.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The interface as an OpenAPI 3.1 document.
pub fn description() -> &'static Value {
    &DOCUMENT
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> Response {
    let body = serde_json::to_vec(&*DOCUMENT).expect("texts, numbers and lists; only texts as keys");
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for group in GROUPS {
        for operation in group.operations {
            let path = paths.entry(operation.path).or_insert_with(|| json!({}));
            path[operation.method] = described(operation, group);
        }
    }
    let tags: Vec<Value> =
        GROUPS.iter().map(|group| json!({"name": group.name, "description": group.about})).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "zonelens",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "security": [{"token": []}, {"password": []}, {"key": []}, {"session": []}],
        "paths": paths,
        "components": {"securitySchemes": security(), "headers": headers(), "responses": problems()},
    });
    document["components"]["schemas"] =
        schemas::used(GROUPS.into_iter().flat_map(|group| group.operations), &document);
    document
}

fn security() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer", "description": "A token."},
        "password": {"type": "http", "scheme": "basic", "description": "A name with its password or its token."},
        "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "A token."},
        "session": {
            "type": "apiKey", "in": "cookie", "name": "zonelens",
            "description": "The session of a page (`__Host-zonelens` over HTTPS). What changes something needs the header \
                            `x-csrf-token` besides: `csrf` of `/api/v1/me`.",
        },
    })
}

fn headers() -> Value {
    let header = |about: &str| json!({"description": about, "schema": {"type": "integer", "minimum": 0}});
    json!({
        "RateLimit-Limit": header("Lookups a day."),
        "RateLimit-Remaining": header("Lookups that are left today."),
        "RateLimit-Reset": header("Seconds to 00:00 UTC."),
        "Retry-After": header("Seconds after which to come again."),
        "ETag": {"description": "A digest of the answer without `LicenseInfo`.", "schema": {"type": "string"}},
    })
}

/// The name of the component for a status: `NotFound`.
fn problem_name(status: u16) -> String {
    let status = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    status.unwrap_or("Error").replace(' ', "")
}

fn problems() -> Value {
    let response = |(status, about): (u16, &str)| {
        let mut response = json!({
            "description": about,
            "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
        });
        if matches!(status, 403 | 429) {
            response["headers"] = headers_of(&["Retry-After"]);
        }
        (problem_name(status), response)
    };
    PROBLEMS.into_iter().map(response).collect()
}

fn headers_of(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), reference("headers", name))).collect()
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

//------------ An operation --------------------------------------------------

fn described(operation: &Operation, group: &Group) -> Value {
    let parts = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parts = parts.filter_map(|part| PARTS.iter().find(|(name, ..)| *name == part)).map(part);
    let others = operation.parameters.iter().map(parameter);
    let description = [operation.about, &who(operation)].join("\n\n");
    let mut described = json!({
        "tags": [group.name],
        "operationId": operation.id,
        "summary": operation.summary,
        "description": description.trim(),
        "parameters": parts.chain(others).collect::<Vec<_>>(),
        "responses": responses(operation),
    });
    if !operation.body.is_empty() {
        let content: Map<String, Value> =
            operation.body.iter().map(|(kind, shape)| ((*kind).to_owned(), content(*shape))).collect();
        described["requestBody"] = json!({"required": true, "content": content});
    }
    if need(operation) == Need::Open && operation.path != "/metrics" {
        described["security"] = json!([]);
    }
    if operation.is_raw {
        described["x-raw-url"] = true.into();
    }
    described
}

fn need(operation: &Operation) -> Need {
    let method = operation.method.to_ascii_uppercase().parse().unwrap_or_default();
    table::row(operation.path).need(&method)
}

/// Who may ask, as people read it.
fn who(operation: &Operation) -> String {
    let row = table::row(operation.path);
    let who = match need(operation) {
        Need::Open => return String::new(),
        Need::Known => "For everybody who is known".to_owned(),
        Need::May(capability) => format!("For who may {}", capability.words()),
    };
    if row.is_lookup { format!("{who}. It counts as a lookup.") } else { format!("{who}.") }
}

fn part((name, most, example, about): &(&str, Option<usize>, &str, &str)) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": about, "example": example,
        "schema": text(*most, true),
    })
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    let mut schema = match parameter.is {
        Is::Text(most) => text(most, parameter.is_required),
        Is::Texts => json!({"type": "array", "items": text(None, true)}),
        Is::OneOf(names) => json!({"type": "string", "enum": names}),
        Is::Moment => json!({"type": "string", "pattern": MOMENT}),
        Is::Whole(from, _) => json!({"type": "integer", "minimum": from}),
    };
    let mut example = json!(parameter.example);
    if let Is::Texts = parameter.is {
        example = json!([parameter.example]);
    }
    if let Is::Whole(_, to) = parameter.is {
        if let Some(to) = to {
            schema["maximum"] = to.into();
        }
        example = parameter.example.parse::<i64>().map_or(example, Value::from);
    }
    let mut described = json!({
        "name": parameter.name, "in": place, "required": parameter.is_required,
        "description": parameter.about, "schema": schema,
    });
    // What another answer gives has none.
    if example != "" {
        described["example"] = example;
    }
    described
}

fn text(most: Option<usize>, is_needed: bool) -> Value {
    let mut schema = json!({"type": "string"});
    if let Some(most) = most {
        schema["maxLength"] = most.into();
    }
    if is_needed {
        schema["minLength"] = 1.into();
    }
    schema
}

/// A day or a minute of one, as `crate::request` reads them.
const MOMENT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]Z)?$";

fn responses(operation: &Operation) -> Value {
    let row = table::row(operation.path);
    let mut responses: Map<String, Value> = Map::new();
    for answer in operation.answers {
        let response = responses.entry(answer.status.to_string()).or_insert_with(|| {
            let mut response = json!({"description": answer.about});
            let mut headers = if row.is_lookup { LOOKUP_HEADERS.to_vec() } else { Vec::new() };
            if operation.answers.iter().any(|answer| answer.status == 304) {
                headers.push("ETag");
            }
            if !headers.is_empty() {
                response["headers"] = headers_of(&headers);
            }
            response
        });
        if !answer.media_type.is_empty() {
            response["content"][answer.media_type] = content(answer.shape);
        }
    }
    let is_known = need(operation) != Need::Open || operation.path == "/metrics";
    let everywhere = [(is_known, 401), (is_known, 403), (row.dialect == Dialect::Tip, 429), (true, 503)];
    let everywhere = everywhere.into_iter().filter(|(is_so, _)| *is_so).map(|(_, status)| status);
    for status in operation.problems.iter().copied().chain(everywhere) {
        let problem = reference("responses", &problem_name(status));
        responses.entry(status.to_string()).or_insert(problem);
    }
    responses.into()
}

const LOOKUP_HEADERS: [&str; 3] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

/// What a body of a shape is, as a media type's value.
fn content(shape: Shape) -> Value {
    match shape {
        // OpenAPI 3.1 needs no schema for bytes; generators of clients do.
        Shape::Bytes => json!({"schema": {"type": "string", "format": "binary"}}),
        Shape::Text => json!({"schema": {"type": "string"}}),
        Shape::Written(name) => json!({"schema": reference("schemas", name)}),
        Shape::Of(of) => json!({"schema": reference("schemas", &(of.name)())}),
        Shape::List(of) => json!({"schema": {"type": "array", "items": reference("schemas", &(of.name)())}}),
        Shape::Lines(of) => {
            json!({"schema": {"type": "string"}, "x-line-schema": reference("schemas", &(of.name)())})
        }
    }
}

impl Operation {
    /// The types that its bodies are of.
    fn types(&self) -> impl Iterator<Item = operation::Type> {
        let bodies = self.body.iter().map(|(_, shape)| *shape);
        let shapes = bodies.chain(self.answers.iter().map(|answer: &Answer| answer.shape));
        shapes.filter_map(|shape| match shape {
            Shape::Of(of) | Shape::List(of) | Shape::Lines(of) => Some(of),
            Shape::Bytes | Shape::Text | Shape::Written(_) => None,
        })
    }
}
