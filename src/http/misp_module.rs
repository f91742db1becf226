//! An enrichment module as MISP asks for one (`misp-modules`, <https://github.com/MISP/misp-modules>): `GET /modules` says
//! which there are, `POST /query` expands an attribute, or says what is shown where the mouse rests on it.
//!
//! MISP knows no header for a token. Its configuration of the module has one, `token`, and sends it with each question.
//! What is wrong with a question is said as modules say it, `{"error": …}`, because that is what MISP shows.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::header::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use super::body::read_body;
use super::gate::Object;
use super::own::{json, worked};
use crate::access::Caller;
use crate::export;
use crate::indicator::{Indicator, Kind};
use crate::lookup::{Context, LookupError, Request as Wanted};

/// The module's name.
const NAME: &str = "zonelens";

/// The most rows of each list: an analyst looks at all of them before they go into an event.
const ROWS_MAX: usize = 50;

/// The types of attributes that are expanded, and what each is.
const INPUT: [(&str, Kind); 8] = [
    ("ip-src", Kind::Ip),
    ("ip-dst", Kind::Ip),
    ("domain", Kind::Domain),
    ("hostname", Kind::Domain),
    ("url", Kind::Url),
    ("md5", Kind::Hash),
    ("sha1", Kind::Hash),
    ("sha256", Kind::Hash),
];

/// What comes of it.
const OUTPUT: [&str; 9] = ["domain", "ip-dst", "url", "md5", "sha1", "sha256", "filename", "link", "text"];

/// `GET /modules`
pub(super) async fn modules() -> Response {
    json(&json!([{
        "name": NAME,
        "type": "expansion",
        "mispattributes": {
            "input": INPUT.map(|(name, _)| name), "output": OUTPUT, "format": "misp_standard",
        },
        "meta": {
            "name": NAME,
            "version": env!("CARGO_PKG_VERSION"),
            "author": NAME,
            "description": "What this site knows of an attribute: zone, score, what it has to do with, reports on it",
            "module-type": ["expansion", "hover"],
            "config": ["token"],
        },
    }]))
}

/// A question: `attribute` in the newer form, else a member called as a type of attribute.
#[derive(Deserialize)]
struct Question {
    module: String,
    attribute: Option<Value>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// The token of a question's configuration, as the value of a header.
pub(super) fn token(body: &[u8]) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    struct Configured {
        config: Config,
    }
    #[derive(Deserialize)]
    struct Config {
        token: String,
    }
    let configured: Configured = serde_json::from_slice(body).ok()?;
    let mut token = HeaderValue::from_str(&configured.config.token).ok()?;
    token.set_sensitive(true);
    Some(token)
}

/// `POST /query`. Older versions of MISP send JSON and call it a form.
pub(super) async fn query(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    request: Request,
) -> Response {
    let body = match read_body(&service, &uri, request).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let asked = match asked(&body) {
        Ok(asked) => asked,
        Err(wrong) => return json(&json!({"error": wrong})),
    };
    let object = asked.indicator.to_string();
    service.wishes.looked_up.note(&asked.indicator);
    let answered = worked(&service, caller, &uri, move |context, _| match answer(context, &asked) {
        Err(error @ (LookupError::Unknown(_) | LookupError::BadRequest(_))) => {
            Ok(json!({"error": error.to_string()}))
        }
        other => other,
    });
    let mut response = match answered.await {
        Ok(answer) => json(&answer),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Object(object));
    response
}

/// A question, understood.
struct Asked {
    indicator: Indicator,
    /// The attribute, in the newer form.
    attribute: Option<Value>,
}

fn asked(body: &[u8]) -> Result<Asked, String> {
    let question: Question =
        serde_json::from_slice(body).map_err(|error| format!("the question is not as MISP asks: {error}"))?;
    if question.module != NAME {
        return Err(format!("there is no module {:?}: use {NAME}", question.module));
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (kind, value) = match &question.attribute {
        Some(attribute) => (text(&attribute["type"]), text(&attribute["value"])),
        None => {
            let given = INPUT.iter().find_map(|(name, _)| Some((name, question.rest.get(*name)?)));
            given.map_or((None, None), |(name, value)| (Some((*name).to_owned()), text(value)))
        }
    };
    let names = || INPUT.map(|(name, _)| name).join(", ");
    let (Some(kind), Some(value)) = (kind, value) else {
        return Err(format!("there is no attribute with a type and a value: send one of {}", names()));
    };
    let Some((_, kind)) = INPUT.iter().find(|(name, _)| *name == kind) else {
        return Err(format!("the attribute's type is {kind:?}: use {}", names()));
    };
    let indicator = Indicator::parse_as(*kind, &value).map_err(|error| error.to_string())?;
    Ok(Asked { indicator, attribute: question.attribute })
}

/// What a module answers: attributes and objects; in the older form types with their values.
fn answer(context: &Context<'_>, asked: &Asked) -> Result<Value, LookupError> {
    let request = Wanted { count: ROWS_MAX, ..Wanted::default() };
    let event = export::event(&context.exported()?, context, &asked.indicator, &request)?;
    let (mut attributes, mut objects) = event.into_parts();
    let Some(attribute) = &asked.attribute else { return Ok(older(&attributes, &objects)) };
    // The object is about the attribute, which MISP finds again by its identifier.
    if let (Some(id), Some(object)) = (attribute["uuid"].as_str(), objects.first_mut()) {
        let from = object["uuid"].clone();
        let reference = json!({
            "object_uuid": from, "referenced_uuid": id, "relationship_type": "related-to", "comment": "",
        });
        if let Some(references) = object["ObjectReference"].as_array_mut() {
            references.push(reference);
        }
        attributes.insert(0, attribute.clone());
    }
    Ok(json!({"results": {"Attribute": attributes, "Object": objects}}))
}

/// In the older form: the verdict first, then each value once.
fn older(attributes: &[Value], objects: &[Value]) -> Value {
    let of_objects = objects.iter().filter_map(|object| object["Attribute"].as_array()).flatten();
    let mut results: Vec<Value> = Vec::new();
    // What an object is called and what is said of it is one attribute each: a list of values to a type is shorter.
    for attribute in of_objects.chain(attributes) {
        let (kind, value) = (&attribute["type"], &attribute["value"]);
        let known = results.iter_mut().find(|one| one["types"][0] == *kind);
        match known.and_then(|one| one["values"].as_array_mut()) {
            Some(values) if values.contains(value) => {}
            Some(values) => values.push(value.clone()),
            None => results.push(json!({
                "types": [kind], "values": [value], "categories": [attribute["category"]],
            })),
        }
    }
    results.sort_by_key(|one| one["types"][0] != "text");
    json!({"results": results})
}
