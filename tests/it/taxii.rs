//! TAXII 2.1 collections, from a server of the test's own: paging, where it goes on, and what servers do wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::program::{Program, Ran};
use crate::web::{Asked, Reply, Web};

const COLLECTION: &str = "/api1/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/";

/// An indicator of a host.
fn indicator(number: usize, host: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "pattern_type": "stix",
        "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2024-05-01T00:00:00.000Z", "modified": "2024-05-01T00:00:00.000Z",
        "valid_from": "2024-05-01T00:00:00Z", "pattern": format!("[domain-name:value = '{host}']"),
        "indicator_types": ["malicious-activity"],
    })
}

/// The parameters of a request.
fn query(asked: &Asked) -> BTreeMap<String, String> {
    let query = asked.path.split_once('?').map_or("", |(_, query)| query);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
        (name.to_owned(), value.into_owned())
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// A collection: objects with when they were added, three to a page.
fn server(objects: Arc<Mutex<Vec<(String, Value)>>>) -> Web {
    Web::start(move |asked| {
        if asked.header("accept") != Some("application/taxii+json;version=2.1") {
            return Reply::status(406);
        }
        if asked.header("authorization") != Some("Basic YW5uOnB3") {
            return Reply::status(401);
        }
        match asked.path.split('?').next().unwrap() {
            "/taxii2/" => Reply::ok(r#"{"title":"t","api_roots":["/api1/","https://elsewhere.example/api/"]}"#),
            "/api1/collections/" => Reply::ok(
                json!({"collections": [
                    {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "High\u{1b}[31m value", "can_read": true},
                    {"id": "secret", "title": "Not for reading", "can_read": false},
                ]})
                .to_string(),
            ),
            path if path.strip_suffix("objects/") == Some(COLLECTION) => {
                page(&objects.lock().unwrap(), &query(asked))
            }
            _ => Reply::status(404),
        }
    })
}

fn page(objects: &[(String, Value)], query: &BTreeMap<String, String>) -> Reply {
    assert_eq!(query["limit"], "1000");
    let after = query.get("added_after").map_or("", String::as_str);
    let at: usize = query.get("next").map_or(0, |next| next.parse().unwrap());
    let left: Vec<&(String, Value)> =
        objects.iter().filter(|(added, _)| added.as_str() > after).skip(at).collect();
    let here: Vec<&Value> = left.iter().take(3).map(|(_, object)| object).collect();
    let mut envelope = serde_json::Map::new();
    if !here.is_empty() {
        envelope.insert("objects".to_owned(), json!(here));
    }
    if left.len() > 3 {
        envelope.extend([("more".to_owned(), json!(true)), ("next".to_owned(), json!((at + 3).to_string()))]);
    }
    let reply = Reply::ok(Value::Object(envelope).to_string());
    match left.iter().take(3).next_back() {
        Some((added, _)) => reply.with("x-taxii-date-added-last", added),
        None => reply,
    }
}

/// A program with the source `partner` at this address.
fn program(url: &str) -> Program {
    let program = Program::new();
    let key = program.file("key", "pw\n");
    let url = format!("taxii+{url}");
    program.ok(&[
        "source",
        "add",
        "partner",
        &url,
        "--allow-private",
        "--user",
        "ann",
        "--key-file",
        key.to_str().unwrap(),
    ]);
    program
}

fn refresh(program: &Program) -> Ran {
    program.run(&["source", "refresh", "partner"])
}

fn status(program: &Program) -> Value {
    program.json(&["source", "list", "--json"])[0]["status"].clone()
}

#[test]
fn what_was_added_since_the_last_time_is_one_batch() {
    let added = |number: usize| format!("2024-05-0{}T00:00:00.00000{number}Z", 1 + number / 4);
    let first = (0..7).map(|number| (added(number), indicator(number, &format!("host{number}.example"))));
    let objects = Arc::new(Mutex::new(first.collect::<Vec<_>>()));
    let web = server(objects.clone());
    // Also without the last slash.
    let program = program(web.url(COLLECTION).trim_end_matches('/'));
    let ran = refresh(&program);
    assert!(ran.code == 0 && ran.out.contains("7 listing"), "{}{}", ran.out, ran.talk);
    assert!(ran.out.contains("format stix, events"), "{}", ran.out);
    assert_eq!((web.asked().len(), status(&program)["cursor"].as_str()), (3, Some(added(6).as_str())));
    assert!(web.asked().iter().all(|asked| !query(asked).contains_key("added_after")), "as the first page");
    assert_eq!(program.run(&["lookup", "host6.example"]).code, 0);
    // Nothing new: nothing is imported.
    web.forget();
    let ran = refresh(&program);
    assert_eq!((ran.code, ran.out.as_str()), (0, "partner: not modified\n"), "{}", ran.talk);
    assert_eq!(query(&web.asked()[0])["added_after"], added(6));
    assert_eq!((program.live().len(), status(&program)["cursor"].as_str()), (1, Some(added(6).as_str())));
    // Five more, two pages, both after what was read before.
    let more = (0..5)
        .map(|number| (format!("2024-05-20T00:00:00.00000{number}Z"), indicator(20 + number, "b.example")));
    objects.lock().unwrap().extend(more);
    web.forget();
    let ran = refresh(&program);
    assert!(ran.code == 0 && ran.out.contains("5 listing"), "{}{}", ran.out, ran.talk);
    assert_eq!(
        web.asked().iter().map(|asked| query(asked)["added_after"].clone()).collect::<Vec<_>>(),
        [added(6), added(6)]
    );
    assert_eq!(program.live().len(), 2);
}

#[test]
fn pages_without_next_go_on_after_what_was_added_last() {
    // Where there is no header either it goes on by the objects themselves.
    for has_header in [true, false] {
        let web = Web::start(move |asked| {
            let page = |number: usize, day: &str, more: bool| {
                let mut object = indicator(number, &format!("host{number}.example"));
                object["modified"] = json!(format!("2024-05-{day}T00:00:00.000Z"));
                let reply = Reply::ok(json!({"more": more, "objects": [object]}).to_string());
                let added = format!("2024-05-{day}T00:00:00.000Z");
                if has_header { reply.with("x-taxii-date-added-last", &added) } else { reply }
            };
            match query(asked).get("added_after").map(String::as_str) {
                None => page(1, "02", true),
                Some("2024-05-02T00:00:00.000Z") => page(2, "03", true),
                Some("2024-05-03T00:00:00.000Z") => page(3, "04", false),
                Some(other) => panic!("{other}"),
            }
        });
        let program = program(&web.url(COLLECTION));
        let ran = refresh(&program);
        assert!(ran.code == 0 && ran.out.contains("3 listing"), "{}{}", ran.out, ran.talk);
        assert_eq!(status(&program)["cursor"], "2024-05-04T00:00:00.000Z");
    }
}

#[test]
fn servers_without_an_end_are_found_out() {
    for (next, objects) in [
        (Some("1"), vec![indicator(0, "a.example")]),
        (None, vec![indicator(0, "a.example")]),
        (Some("1"), Vec::new()),
    ] {
        let turn = AtomicUsize::new(0);
        let web = Web::start(move |_| {
            let turn = turn.fetch_add(1, Ordering::Relaxed).to_string();
            let next = next.unwrap_or(&turn);
            Reply::ok(json!({"more": true, "next": next, "objects": objects}).to_string())
        });
        let program = program(&web.url(COLLECTION));
        let ran = refresh(&program);
        assert!(ran.code == 1 && ran.talk.contains("the same page again"), "{}", ran.talk);
        assert_eq!(
            (web.asked().len(), program.live().len(), &status(&program)["cursor"]),
            (2, 0, &Value::Null)
        );
    }
    // As medallion does: one `next` for the whole walk, which leads on.
    let turn = AtomicUsize::new(0);
    let web = Web::start(move |_| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let objects = [indicator(turn, &format!("host{turn}.example"))];
        Reply::ok(json!({"more": turn < 4, "next": "walk", "objects": objects}).to_string())
    });
    assert!(refresh(&program(&web.url(COLLECTION))).out.contains("5 listing"));
    // It says that there is more and nothing else.
    let web = Web::start(|_| Reply::ok(r#"{"more":true}"#));
    let program = program(&web.url(COLLECTION));
    assert!(refresh(&program).talk.contains("more without saying where it goes on"));
}

#[test]
fn an_address_that_is_no_collection_is_told_which_there_are() {
    let web = server(Arc::default());
    let offer = format!("taxii+{} High[31m value", web.url(COLLECTION));
    for path in ["/taxii2/", "/api1/", "/api1/collections/", "/taxii2"] {
        let program = program(&web.url(path));
        let ran = refresh(&program);
        assert!(ran.code == 1 && ran.talk.contains(&offer), "{path}: {}", ran.talk);
        assert!(!ran.talk.contains("Not for reading") && !ran.talk.contains('\u{1b}'), "{}", ran.talk);
    }
    let program = program(&web.url("/nowhere/"));
    let ran = refresh(&program);
    assert!(ran.talk.contains("use taxii+https://host/api-root/collections/<id>/"), "{}", ran.talk);
}

#[test]
fn what_servers_refuse_comes_with_advice() {
    for (status, said) in [
        (401, "check the credentials"),
        (403, "check the credentials"),
        (406, "it speaks no TAXII 2.1"),
        (200, "the answer is no TAXII 2.1 envelope"),
    ] {
        let web = Web::start(move |_| Reply { body: b"<html>".to_vec(), ..Reply::status(status) });
        let program = program(&web.url(COLLECTION));
        let ran = refresh(&program);
        assert!(ran.code == 1 && ran.talk.contains(said), "{status}: {}", ran.talk);
    }
}
