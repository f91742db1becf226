//! The interface's own description: it is whole, true to the routes, and readable as a page.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use zonelens::clock::Clock;
use zonelens::config::Config;
use zonelens::http::{Service, is_page, routes};

use crate::program::Program;
use crate::report::golden;
use crate::schema::assert_valid;
use crate::world::World;

fn document() -> Value {
    let program = Program::new();
    let answer = program.serve(&[]).get("/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

/// Path and method of all that is described.
fn described(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase()))
    });
    methods.collect()
}

/// Path and method of all routes, as the router's `Debug` tells: nothing else does.
fn routed() -> Vec<(String, String)> {
    let world = World::new();
    let service = Service::new(world.store, world.policy, Clock::new(None), &Config::default()).unwrap();
    let text = format!("{:?}", routes(Arc::new(service)));
    let mut routes = Vec::new();
    // `RouteId(3): "/api/v1/diff"` names a path, `RouteId(3): MethodRouter(MethodRouter { … allow_header: Bytes(b"GET,HEAD")`
    // says its methods.
    for part in text.split("RouteId(").skip(1) {
        let Some((id, path)) = part.split_once("): \"") else { continue };
        let path = path.split('"').next().unwrap();
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let router = text.split(&format!("RouteId({id}): MethodRouter")).nth(1).unwrap();
        let methods = router.split("allow_header: Bytes(b\"").nth(1).unwrap().split('"').next().unwrap();
        for method in methods.split(',').filter(|method| *method != "HEAD") {
            routes.push((path.to_owned(), method.to_owned()));
        }
    }
    routes
}

/// Whether a path of the document is one that a route takes.
fn fits(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(wild), Some(_)) if wild.starts_with("{*") => return true,
            (Some(one), Some(other)) if one == other || (one.starts_with('{') && other.starts_with('{')) => {}
            _ => return false,
        }
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = routed();
    assert!(routes.len() > 40, "{routes:?}");
    let described = described(&document());
    for (route, method) in &routes {
        // An empty object is taken by a route of its own, to be refused.
        let is_there = described.iter().any(|(path, known)| fits(route, path) && known == method);
        assert!(
            is_there || route.ends_with('/') || is_page(route),
            "{method} {route} has no row in src/http/openapi/"
        );
    }
    for (path, method) in &described {
        let is_there = routes.iter().any(|(route, known)| fits(route, path) && known == method);
        assert!(is_there, "{method} {path} is described and there is no such route");
    }
}

#[test]
fn it_is_whole() {
    let document = document();
    golden("openapi.json", &document);
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let parts = path.matches('{').count();
            let parameters = operation["parameters"].as_array().unwrap();
            let described = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(parts, described, "{method} {path}: a part has no row in PARTS");
            assert!(
                parameters.iter().all(|one| one["required"] == false || !one["example"].is_null()),
                "{method} {path}"
            );
        }
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_page_shows_each_and_loads_nothing() {
    let program = Program::new();
    let service = program.serve(&[]);
    let answer = service.get("/docs");
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for (path, method) in described(&service.get("/openapi.json").json()) {
        assert!(answer.body.contains(&format!("<code>{method} {path}</code>")), "{method} {path}");
    }
    for word in ["<script", "src=", "http-equiv", "<link", "@import", "url("] {
        assert!(!answer.body.contains(word), "{word}");
    }
}

#[test]
fn a_body_is_a_record_and_no_list_of_its_fields() {
    let program = Program::new();
    program.user("ann", "admin", &[]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    for (method, path, body) in [
        ("PUT", "/api/v1/groups/soc", "[null,null]"),
        ("POST", "/api/v1/tokens", r#"["a","ann",null,1]"#),
        ("POST", "/api/v1/notes", r#"["domain:a.example",null,null,"text","ann"]"#),
    ] {
        let answer = service.ask(method, path, &token, body);
        assert_eq!(answer.status, 400, "{method} {path}: {}", answer.body);
    }
}

#[test]
fn problems_with_paths_are_problems() {
    let program = Program::new();
    let service = program.serve(&[]);
    let answer = service.get("/api/v1/sources/%ff/rejected");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/problem+json")));
    // What is cut is cut between escapes.
    for letters in 0..4 {
        let path = format!("/api/domain/{}{}", "a".repeat(letters), "%C3%A9".repeat(400));
        let problem = service.get(&path).json();
        assert_valid("problem.json", &problem);
        let instance = problem["instance"].as_str().unwrap();
        let last = instance.rfind('%').unwrap();
        assert!(instance.len() - last == 3 && instance.len() > 990, "{instance}");
    }
    assert_eq!(service.get("/api/domain/a..b").json()["instance"], json!("/api/domain/a..b"));
}
