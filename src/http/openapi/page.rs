//! `GET /docs`: the document as a page. It loads nothing and runs nothing: HTML with one style of its own.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::DOCUMENT;
use crate::export::escaped;

const STYLE: &str = "
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin-top: 3rem }
h3 { margin: 2.5rem 0 .5rem; border-top: 1px solid; padding-top: 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
th { font-weight: normal; white-space: nowrap }
pre { overflow-x: auto; border: 1px solid; padding: .5rem }
code { overflow-wrap: anywhere }
";

/// The methods of a path in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static PAGE: LazyLock<String> = LazyLock::new(|| html(&DOCUMENT));

/// Nothing but this style.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    HeaderValue::from_str(&policy).expect("letters and base64")
});

/// `GET /docs`
pub(in crate::http) async fn page() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY.clone())], PAGE.as_str()).into_response()
}

fn html(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>zonelens: the interface</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>{STYLE}</style>\n<h1>zonelens {}</h1>\n\
         <p>{}. The same for programs: <a href=\"/openapi.json\">openapi.json</a>.</p>\n",
        words(&document["info"]["version"]),
        words(&document["info"]["summary"]),
    );
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    page += "<nav><ul>\n";
    for tag in &tags {
        page += &format!("<li><a href=\"#{}\">{}</a>\n", anchor(&tag["name"]), words(&tag["name"]));
    }
    page += "</ul></nav>\n";
    for tag in tags {
        let (anchor, name, about) = (anchor(&tag["name"]), words(&tag["name"]), words(&tag["description"]));
        page += &format!("<section>\n<h2 id=\"{anchor}\">{name}</h2>\n<p>{about}</p>\n");
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for method in METHODS.iter().filter(|method| item[**method]["tags"][0] == tag["name"]) {
                page += &operation(document, path, method, &item[*method]);
            }
        }
        page += "</section>\n";
    }
    page + "</html>\n"
}

fn operation(document: &Value, path: &str, method: &str, operation: &Value) -> String {
    let verb = method.to_ascii_uppercase();
    let mut html = format!(
        "<h3 id=\"{}\"><code>{verb} {}</code><br>{}</h3>\n",
        anchor(&operation["operationId"]),
        escaped(path),
        words(&operation["summary"])
    );
    for paragraph in text(&operation["description"]).split("\n\n").filter(|text| !text.is_empty()) {
        html += &format!("<p>{}</p>\n", coded(paragraph));
    }
    let rows = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        let is_needed = if parameter["required"] == true { ", needed" } else { "" };
        let head =
            format!("<code>{}</code> ({}{is_needed})", words(&parameter["name"]), words(&parameter["in"]));
        (head, format!("{} {}", words(&parameter["description"]), bounds(&parameter["schema"])))
    });
    html += &table("Parameters", rows);
    let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
    html += &table("Body", bodies.map(|(kind, content)| (coded(kind), shape(content))));
    let answers = operation["responses"].as_object().into_iter().flatten();
    html += &table("Answers", answers.map(|(status, answer)| (escaped(status), said(document, answer))));
    html + &format!("<pre><code>{}</code></pre>\n", escaped(&curl(path, &verb, operation)))
}

fn table(title: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: String =
        rows.map(|(head, cell)| format!("<tr><th scope=\"row\">{head}</th><td>{cell}</td></tr>\n")).collect();
    if rows.is_empty() { rows } else { format!("<h4>{title}</h4>\n<table>\n{rows}</table>\n") }
}

/// What a schema of a parameter allows.
fn bounds(schema: &Value) -> String {
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names.iter().map(|name| format!("<code>{}</code>", words(name))).collect();
        return format!("One of {}.", names.join(", "));
    }
    match (schema["minimum"].as_i64(), schema["maximum"].as_u64()) {
        (Some(i64::MIN), _) => "A whole number.".to_owned(),
        (Some(from), None | Some(u64::MAX)) => format!("A whole number from {from}."),
        (Some(from), Some(to)) => format!("A whole number, {from} to {to}."),
        _ => String::new(),
    }
}

/// What an answer says, and of which types its bodies are.
fn said(document: &Value, answer: &Value) -> String {
    let shared = text(&answer["$ref"]).strip_prefix('#').and_then(|place| document.pointer(place));
    let answer = shared.unwrap_or(answer);
    let bodies = answer["content"].as_object().into_iter().flatten();
    let bodies: Vec<String> =
        bodies.map(|(kind, content)| format!("<code>{}</code> {}", escaped(kind), shape(content))).collect();
    format!("{} {}", words(&answer["description"]), bodies.join(" or "))
}

/// The name of the schema of a body.
fn shape(content: &Value) -> String {
    let lines = &content["x-line-schema"];
    let (schema, before) = if lines.is_null() { (&content["schema"], "") } else { (lines, "lines of ") };
    let (schema, before) =
        if schema["type"] == "array" { (&schema["items"], "list of ") } else { (schema, before) };
    let name = text(&schema["$ref"]).rsplit('/').next().unwrap_or_default();
    if name.is_empty() { String::new() } else { format!("{before}<code>{}</code>", escaped(name)) }
}

/// A line that asks it.
fn curl(path: &str, verb: &str, operation: &Value) -> String {
    let encoded = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string().replace("%2E", ".").replace("%2D", "-")
    };
    let (mut target, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, example) = (text(&parameter["name"]), encoded(&parameter["example"]));
        if parameter["in"] == "path" {
            target = target.replace(&format!("{{{name}}}"), &example);
        } else if parameter["in"] == "query" && parameter["required"] == true {
            query.push(format!("{name}={example}"));
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut line = "curl".to_owned();
    if verb != "GET" {
        line += &format!(" -X {verb}");
    }
    if operation["security"].is_null() {
        line += " -H \"authorization: Bearer $TOKEN\"";
    }
    if let Some((kind, _)) =
        operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next())
    {
        line += &format!(" -H 'content-type: {kind}' --data-binary @body");
    }
    format!("{line} 'http://127.0.0.1:8080{target}{query}'")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A name as it may stand in an address.
fn anchor(value: &Value) -> String {
    text(value).to_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "-")
}

/// Text as HTML, what stands between backticks as code.
fn coded(text: &str) -> String {
    let parts = escaped(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { format!("<code>{part}</code>") })
        .collect()
}

fn words(value: &Value) -> String {
    coded(text(value))
}
