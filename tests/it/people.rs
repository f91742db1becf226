//! What people say: pins, notes, sightings, reports of false positives, by command and over HTTP.

use serde_json::{Value, json};
use zonelens::lookup::Request;
use zonelens::people::{self, Status};
use zonelens::value::Timestamp;

use crate::program::{Answer, Program, Serving, text};
use crate::schema::assert_valid;
use crate::world::World;

fn as_of(text: &str) -> Request {
    Request { as_of: Some(Timestamp::parse(text).unwrap()), ..Request::default() }
}

fn zone(report: &Value) -> (&str, u64) {
    (report["Zone"].as_str().unwrap(), report["Verdict"]["ThreatScore"].as_u64().unwrap())
}

//------------ What the verdict makes of it ---------------------------------

#[test]
fn a_pin_that_is_over_brings_no_older_one_back() {
    let mut world = World::new();
    let pin = |zone: &str, observed: &str, expires: &str| {
        format!(
            r#"{{"fact":"pin","indicator":"domain:a.example","zone":"{zone}","reason":"r","by":"ann","observed":"{observed}","expires":"{expires}"}}"#
        )
    };
    world.feed("people", &pin("Green", "2024-05-01", "2024-12-31"));
    assert_eq!(zone(&world.report("a.example")), ("Green", 0));
    world.feed("people", &pin("Red", "2024-05-02", "2024-05-20"));
    assert_eq!(zone(&world.report("a.example")), ("Grey", 0));
    assert_eq!(world.report("a.example")["Verdict"]["Pin"], Value::Null);
    // Of one moment the worse zone counts, whichever came first.
    world.feed("people", &pin("Red", "2024-05-31", "2024-12-31"));
    world.feed("people", &pin("Green", "2024-05-31", "2024-12-31"));
    assert_eq!(zone(&world.report("a.example")), ("Red", 75));
    assert_eq!(world.report("a.example")["Verdict"]["Pin"]["Zone"], "Red");
}

#[test]
fn a_pin_that_its_whole_source_no_longer_says_is_none() {
    let mut world = World::new();
    let pin = |name: &str| {
        format!(r#"{{"fact":"pin","indicator":"domain:{name}","zone":"Red","reason":"r","by":"ann"}}"#)
    };
    let whole = zonelens::feeds::State::Whole;
    world.feed_at("team", whole, "2024-05-01", &format!("{}\n{}", pin("a.example"), pin("b.example")));
    assert_eq!(zone(&world.report("a.example")), ("Red", 75));
    world.feed_at("team", whole, "2024-05-02", &pin("b.example"));
    assert_eq!(zone(&world.report("a.example")), ("Grey", 0));
    assert_eq!(zone(&world.report("b.example")), ("Red", 75));
    assert_eq!(zone(&world.ask("a.example", &as_of("2024-05-01T12:00Z")).unwrap()), ("Red", 75));
}

#[test]
fn reports_of_a_false_positive_stand_in_the_notes_and_change_no_score() {
    let mut world = World::new();
    world.feed(
        "list",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"a.example","category":"MALWARE"}"#,
    );
    let before = world.report("a.example");
    let report = |by: &str, day: u32| {
        format!(
            r#"{{"fact":"false_positive","indicator":"domain:a.example","by":"{by}","reason":"our shop","observed":"2024-05-{day:02}"}}"#
        )
    };
    let all: Vec<String> = (1..=12).map(|day| report("ann", day)).collect();
    world.feed("people", &all.join("\n"));
    let after = world.report("a.example");
    assert_valid("domain.json#/$defs/Whole", &after);
    assert_eq!(zone(&after), zone(&before));
    let notes = after["Verdict"]["Notes"].as_array().unwrap();
    let reports: Vec<&Value> =
        notes.iter().filter(|note| note.as_str().unwrap().contains("false positive")).collect();
    assert_eq!(reports.len(), 11);
    assert_eq!(reports[0], &json!("Reported as false positive by ann on 2024-05-12: our shop"));
    assert_eq!(reports[10], &json!("Reported as false positive 2 times more"));
}

#[test]
fn what_people_say_survives_a_merge() {
    let mut world = World::new();
    let pin = |zone: &str, observed: &str| {
        format!(
            r#"{{"fact":"pin","indicator":"domain:a.example","zone":"{zone}","reason":"r","by":"ann","observed":"{observed}"}}"#
        )
    };
    world.feed("people", &pin("Green", "2024-05-29"));
    world.feed("people", &pin("Red", "2024-05-30"));
    let before = world.report("a.example");
    assert_eq!(zone(&before), ("Red", 75));
    let retention = zonelens::store::merge::Retention::default();
    assert_eq!(world.store.merge(world.now, &retention).unwrap(), (2, 1));
    assert_eq!(world.report("a.example"), before);
    let name = zonelens::indicator::Indicator::parse("a.example").unwrap();
    let records = people::records(&world.store, people::PIN, &name, world.now).unwrap();
    let status: Vec<Status> = records.iter().map(|record| record.status).collect();
    assert_eq!(status, [Status::Live, Status::Replaced]);
}

//------------ By command ----------------------------------------------------

const LIST: &str = "bad.example\nworse.example\n";

/// Zone and score of a domain as `lookup` shows them.
fn looked_up(program: &Program, arguments: &[&str]) -> (String, u64) {
    let report = program.json(&[&["lookup", "--format", "json"], arguments].concat());
    let (zone, score) = zone(&report);
    (zone.to_owned(), score)
}

fn is(zone: &str, score: u64) -> (String, u64) {
    (zone.to_owned(), score)
}

/// The records that a command prints as JSON.
fn lines(program: &Program, arguments: &[&str]) -> Vec<Value> {
    let ran = program.ok(&[arguments, &["--format", "json"]].concat());
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_pin_is_in_the_next_lookup_and_a_past_one_lacks_it() {
    let program = Program::new();
    program.file("list.txt", LIST);
    program.ok(&["import", "--learnt-at", "2024-05-31", "list.txt"]);
    assert_eq!(looked_up(&program, &["bad.example"]).0, "Red");
    let pin = ["pin", "set", "--zone", "Green", "--by", "ann", "--reason", "ours", "bad.example"];
    let ran = program.ok(&pin);
    assert!(ran.out.contains("Green") && ran.out.contains("ann") && ran.out.contains("live"), "{}", ran.out);
    assert_eq!(looked_up(&program, &["bad.example"]), is("Green", 0));
    assert_eq!(looked_up(&program, &["bad.example", "--as-of", "2024-05-31"]).0, "Red");
    // Nobody knew this one; now somebody does.
    assert_eq!(program.run(&["lookup", "new.example"]).code, 3);
    program.ok(&[
        "pin",
        "set",
        "--zone",
        "red",
        "--by",
        "ann",
        "--reason",
        "case 17",
        "hxxp://new[.]example/a",
    ]);
    program.ok(&[
        "pin",
        "set",
        "--zone",
        "red",
        "--by",
        "ann",
        "--reason",
        "case 17",
        "new[.]example",
        "192.31.196.9",
    ]);
    assert_eq!(looked_up(&program, &["new.example"]), is("Red", 75));
    assert_eq!(looked_up(&program, &["192.31.196.9"]), is("Red", 75));
    assert_eq!(program.run(&["lookup", "new.example", "--as-of", "2024-05-31"]).code, 3);
    assert_eq!(program.live(), [1, 2, 3, 4], "what one command says is one batch");
}

#[test]
fn a_pin_is_taken_back_and_everything_stays_listed() {
    let program = Program::new();
    program.file("list.txt", LIST);
    program.ok(&["import", "--learnt-at", "2024-05-31", "list.txt"]);
    let listed = looked_up(&program, &["bad.example"]);
    let at = |moment: &'static str| ["--now", moment, "--by", "ann"];
    let set = |zone: &str, moment: &'static str, expires: &[&str]| {
        let arguments = ["pin", "set", "bad.example", "--zone", zone, "--reason", "why"];
        program.ok(&[&arguments[..], &at(moment), expires].concat());
    };
    set("Green", "2024-06-01T12:00:00Z", &[]);
    // In the same second: the later one counts, and its end brings no older one back.
    set("Yellow", "2024-06-01T12:00:00Z", &["--expires", "2024-06-01T12:10:59Z"]);
    let zone_at = |moment: &'static str| looked_up(&program, &["bad.example", "--now", moment]).0;
    assert_eq!(zone_at("2024-06-01T12:00:00Z"), "Yellow");
    assert_eq!(zone_at("2024-06-01T12:09:59Z"), "Yellow");
    assert_eq!(zone_at("2024-06-01T12:10:00Z"), listed.0, "an expiry is cut to its minute");
    set("Green", "2024-06-02T12:00:00Z", &[]);
    let remove = ["pin", "remove", "bad.example", "--reason", "no more ours"];
    let removed = lines(&program, &[&remove[..], &at("2024-06-03T12:00:00Z")].concat());
    assert_eq!((&removed[0]["status"], &removed[0]["zone"]), (&json!("removal"), &json!("Green")));
    assert_eq!(zone_at("2024-06-03T12:00:00Z"), listed.0);
    let then = looked_up(&program, &["bad.example", "--now", "2024-06-04", "--as-of", "2024-06-02"]);
    assert_eq!(then, is("Green", 0));
    // There is nothing left to take back.
    let again = program.run(&[&remove[..], &at("2024-06-03T12:00:01Z")].concat());
    assert_eq!(again.code, 3);
    assert!(again.talk.contains("no live pin on bad.example"), "{}", again.talk);
    let all = lines(&program, &["pin", "list", "bad.example", "--now", "2024-06-03T12:00:00Z"]);
    let told: Vec<_> = all
        .iter()
        .map(|record| (record["status"].as_str().unwrap(), record["zone"].as_str().unwrap()))
        .collect();
    let expected = [("removal", "Green"), ("removed", "Green"), ("expired", "Yellow"), ("replaced", "Green")];
    assert_eq!(told, expected);
    assert_eq!(all[0]["reason"], "no more ours");
    assert_eq!(
        all[1],
        json!({"fact": "pin", "indicator": "domain:bad.example", "zone": "Green", "reason": "why", "by": "ann",
        "observed": "2024-06-02T12:00:00Z", "status": "removed", "source": "people"})
    );
    // The catalogue keeps every batch, and a retired one never was.
    assert_eq!(program.live(), [1, 2, 3, 4, 5]);
    program.ok(&["retire", "5"]);
    assert_eq!(zone_at("2024-06-03T12:00:00Z"), "Green");
}

#[test]
fn a_sighting_makes_an_old_listing_young() {
    let program = Program::new();
    let listing = r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"BOTNET_CNC","last":"2024-05-01"}"#;
    program.file("events.ndjson", listing);
    program.ok(&["import", "--format", "native", "--learnt-at", "2024-05-01", "events.ndjson"]);
    let old = looked_up(&program, &["bad.example"]).1;
    program.ok(&["sighting", "add", "bad.example", "--by", "proxy-7", "--observed", "2024-06-01T11:00Z"]);
    let young = looked_up(&program, &["bad.example"]).1;
    assert!(young > old, "{old} to {young}");
    let past = looked_up(&program, &["bad.example", "--as-of", "2024-05-31"]).1;
    assert!(past < young, "the past did not know of it: {past}");
    let all = lines(&program, &["sighting", "list", "bad.example"]);
    assert_eq!(
        all,
        [json!({"fact": "sighting", "indicator": "domain:bad.example", "by": "proxy-7",
        "observed": "2024-06-01T11:00:00Z", "status": "live", "source": "people"})]
    );
}

#[test]
fn notes_and_false_positives_are_kept_and_listed_newest_first() {
    let program = Program::new();
    let note = |moment: &'static str, text: &'static str| {
        program.ok(&["note", "add", "a.example", text, "--by", "ann", "--now", moment]);
    };
    note("2024-06-01", "first");
    note("2024-06-02", "second\nline");
    note("2024-06-02", "second\nline");
    let texts: Vec<Value> =
        lines(&program, &["note", "list", "a.example"]).iter().map(|note| note["text"].clone()).collect();
    assert_eq!(texts, [json!("second\nline"), json!("first")], "the same again is the same");
    let table = program.ok(&["note", "list", "a.example"]).out;
    assert!(table.contains("second\u{fffd}line"), "{table}");
    program.ok(&["false-positive", "add", "a.example", "--reason", "our shop", "--by", "ann"]);
    let report = program.json(&["lookup", "--format", "json", "a.example"]);
    let notes = report["Verdict"]["Notes"].as_array().unwrap();
    assert!(notes.contains(&json!("Reported as false positive by ann on 2024-06-01: our shop")), "{notes:?}");
    assert_eq!(program.run(&["note", "list", "b.example"]).code, 3);
    // What is listed here can be imported there: the records are of the native form.
    let other = Program::new();
    let exported = program.ok(&["false-positive", "list", "a.example", "--format", "json"]).out;
    let path = other.file("people.ndjson", exported);
    other.ok(&["import", text(&path)]);
    assert_eq!(lines(&other, &["false-positive", "list", "a.example"])[0]["by"], "ann");
}

#[test]
fn wrong_commands_say_what_would_be_right_and_change_nothing() {
    let program = Program::new();
    let long = "x".repeat(1001);
    let pin = |zone: &'static str, name: &'static str, rest: &[&str]| {
        let arguments = ["pin", "set", name, "--zone", zone, "--by", "ann"];
        program.run(&[&arguments[..], rest].concat())
    };
    for (ran, said) in [
        (pin("Red", "10.0.0.1", &["--reason", "r"]), "reserved"),
        (pin("Red", "ff02::1", &["--reason", "r"]), "Multicast"),
        (pin("Orange", "44d88612fea8a8f36de82e1278abb02f", &["--reason", "r"]), "never Orange"),
        (pin("Blue", "a.example", &["--reason", "r"]), "Yellow"),
        (pin("Red", "a..b", &["--reason", "r"]), "empty label"),
        (pin("Red", "a.example", &[]), "--reason"),
        (pin("Red", "a.example", &["--reason", " "]), "reason is empty"),
        (pin("Red", "a.example", &["--reason", &long]), "at most 1000"),
        (pin("Red", "a.example", &["--reason", "r", "--expires", "2024-06-01T12:00:30Z"]), "in the future"),
        (pin("Red", "a.example", &["--reason", "a\u{7}b"]), "control character"),
        (pin("Red", "a.example", &["10.0.0.1", "--reason", "r"]), "reserved"),
        (program.run(&["note", "add", "a.example", "t", "--by", ""]), "by is empty"),
        (
            program.run(&["sighting", "add", "a.example", "--by", "x", "--observed", "2024-06-02"]),
            "up to now",
        ),
        (program.run(&["sighting", "add", "a.example", "--by", "x", "--observed", "1989-01-01"]), "1990"),
    ] {
        assert_eq!(ran.code, 2, "{said}: {}", ran.out);
        assert!(ran.talk.contains(said), "{said}: {}", ran.talk);
    }
    assert!(!program.folder.join("zonelens-data/MANIFEST").exists() || program.live().is_empty());
    let nobody = program.command(&["note", "add", "a.example", "t"]).env_remove("USER").output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    program.command(&["note", "add", "a.example", "t"]).env("USER", "eve").status().unwrap();
    assert_eq!(lines(&program, &["note", "list", "a.example"])[0]["by"], "eve");
}

//------------ Over HTTP -----------------------------------------------------

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn post(service: &Serving, path: &str, body: &Value) -> Answer {
    service.send("POST", path, &[JSON], &body.to_string())
}

#[test]
fn what_is_posted_is_in_the_very_next_report() {
    let program = Program::new();
    program.file("list.txt", LIST);
    program.ok(&["import", "list.txt"]);
    let service = program.serve(&[]);
    let report = |name: &str| service.get(&format!("/api/domain/{name}"));
    assert_eq!(zone(&report("bad.example").json()).0, "Red");
    let body = json!({"indicator": "bad.example", "zone": "Green", "reason": "ours", "by": "ann",
        "expires": "2030-01-01T00:00:59Z"});
    let answer = post(&service, "/api/v1/pins", &body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let kept = json!({"fact": "pin", "indicator": "domain:bad.example", "zone": "Green", "reason": "ours", "by": "ann",
        "expires": "2030-01-01T00:00:00Z", "observed": "2024-06-01T12:00:00Z", "status": "live", "source": "people"});
    assert_eq!(answer.json(), kept);
    let pinned = report("bad.example").json();
    assert_valid("domain.json#/$defs/Whole", &pinned);
    assert_eq!(zone(&pinned), ("Green", 0));
    let pin = json!({"Zone": "Green", "Reason": "ours", "By": "ann", "Expires": "2030-01-01T00:00Z"});
    assert_eq!(pinned["Verdict"]["Pin"], pin);
    // Listed, taken back, and listed still.
    let list = service.get("/api/v1/pins?indicator=bad%5B.%5Dexample");
    assert_eq!(list.json(), json!({"indicator": "domain:bad.example", "total": 1, "records": [kept]}));
    let removal =
        service.request("DELETE", "/api/v1/pins?indicator=bad.example&by=bob&reason=not%20ours+at%20all");
    assert_eq!(removal.status, 200, "{}", removal.body);
    assert_eq!(
        (&removal.json()["by"], &removal.json()["reason"]),
        (&json!("bob"), &json!("not ours at all"))
    );
    assert_eq!(zone(&report("bad.example").json()).0, "Red");
    let list = service.get("/api/v1/pins?indicator=bad.example").json();
    assert_eq!(
        (&list["records"][0]["status"], &list["records"][1]["status"]),
        (&json!("removal"), &json!("removed"))
    );
    // A name that nobody knew.
    assert_eq!(report("new.example").status, 404);
    post(
        &service,
        "/api/v1/pins",
        &json!({"indicator": "new.example", "zone": "Red", "reason": "r", "by": "ann"}),
    );
    assert_eq!(zone(&report("new.example").json()), ("Red", 75));
    // The other kinds.
    for (path, body) in [
        ("notes", json!({"indicator": "bad.example", "text": "remark", "by": "ann"})),
        ("sightings", json!({"indicator": "bad.example", "by": "ann", "observed": "2024-05-31"})),
        ("false-positives", json!({"indicator": "bad.example", "reason": "ours", "by": "ann"})),
    ] {
        let path = format!("/api/v1/{path}");
        let answer = post(&service, &path, &body);
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        let list = service.get(&format!("{path}?indicator=domain:bad.example")).json();
        assert_eq!(list["records"], json!([answer.json()]), "{path}");
        assert_eq!(service.get(&format!("{path}?indicator=other.example")).json()["total"], 0);
    }
    let notes = report("bad.example").json()["Verdict"]["Notes"].to_string();
    assert!(notes.contains("Reported as false positive by ann on 2024-06-01: ours"), "{notes}");
    // What was said of whom is not in the log.
    let log = service.stop().1;
    assert!(log.contains("/api/v1/pins") && !log.contains("bad.example"), "{log}");
}

#[test]
fn pins_of_one_second_have_an_order_whoever_sets_them() {
    let program = Program::new();
    let service = program.serve(&[]);
    let set = |zone: &str| {
        let body = json!({"indicator": "a.example", "zone": zone, "reason": "r", "by": zone});
        assert_eq!(post(&service, "/api/v1/pins", &body).status, 201);
    };
    std::thread::scope(|scope| {
        for zone in ["Red", "Orange", "Yellow", "Green"] {
            scope.spawn(move || set(zone));
        }
    });
    // Another process, and then the service at once.
    program.ok(&["pin", "set", "a.example", "--zone", "Red", "--reason", "r", "--by", "command"]);
    set("Orange");
    let list = service.get("/api/v1/pins?indicator=a.example").json();
    let pins = list["records"].as_array().unwrap();
    let mut moments: Vec<&str> = pins.iter().map(|pin| pin["observed"].as_str().unwrap()).collect();
    assert_eq!((moments[0], &pins[0]["zone"]), ("2024-06-01T12:00:05Z", &json!("Orange")));
    assert_eq!(pins[1]["by"], "command");
    moments.dedup();
    assert_eq!(moments.len(), 6, "each has a moment of its own: {moments:?}");
    assert_eq!(service.get("/api/domain/a.example").json()["Zone"], "Orange");
}

#[test]
fn every_wrong_request_is_a_problem_and_changes_nothing() {
    let program = Program::new();
    let service = program.serve(&[]);
    let pin = |with: Value| {
        let mut body = json!({"indicator": "a.example", "zone": "Red", "reason": "r", "by": "ann"});
        for (field, value) in with.as_object().unwrap() {
            body[field] = value.clone();
        }
        body.to_string()
    };
    let good = pin(json!({}));
    let long = pin(json!({"reason": "x".repeat(70_000)}));
    for (status, method, path, headers, body, said) in [
        (400, "POST", "/api/v1/pins", &[JSON][..], "", "the body is no pin"),
        (400, "POST", "/api/v1/pins", &[JSON], "{\"indicator\":", "the body is no pin"),
        (400, "POST", "/api/v1/pins", &[JSON], "[]", "the body is no pin"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"colour": 1})), "unknown field `colour`"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"text": "t"})), "does not have text"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"observed": 1})), "does not have observed"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"zone": "Blue"})), "unknown variant `Blue`"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"zone": null})), "must have zone"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"reason": null})), "must have reason"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"by": " "})), "by is empty"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"by": "x".repeat(101)})), "at most 100"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"expires": "2024-06-01"})), "in the future"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"expires": "soon"})), "soon"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"indicator": "a..b"})), "empty label"),
        (400, "POST", "/api/v1/pins", &[JSON], &pin(json!({"indicator": "127.0.0.1"})), "reserved"),
        (400, "POST", "/api/v1/notes", &[JSON], &good, "does not have zone"),
        (400, "POST", "/api/v1/sightings", &[JSON], &good, "does not have zone"),
        (413, "POST", "/api/v1/pins", &[JSON], &long, "65536"),
        (415, "POST", "/api/v1/pins", &[], &good, "application/json"),
        (415, "POST", "/api/v1/pins", &[("Content-Type", "text/plain")], &good, "text/plain"),
        (403, "POST", "/api/v1/pins", &[JSON, ("Origin", "http://evil.example:8080")], &good, "another site"),
        (403, "POST", "/api/v1/pins", &[JSON, ("Origin", "null")], &good, "another site"),
        (403, "DELETE", "/api/v1/pins?indicator=a.example", &[("Origin", "http://evil.example")], "", "site"),
        (400, "GET", "/api/v1/pins", &[], "", "indicator is missing"),
        (400, "GET", "/api/v1/pins?indicator=a..b", &[], "", "empty label"),
        (400, "DELETE", "/api/v1/pins?indicator=a.example&reason=r", &[], "", "by is missing"),
        (404, "DELETE", "/api/v1/pins?indicator=a.example&by=ann&reason=r", &[], "", "no live pin"),
        (405, "DELETE", "/api/v1/notes?indicator=a.example&by=ann&reason=r", &[], "", "GET"),
        (405, "PUT", "/api/v1/pins", &[JSON], &good, "GET"),
    ] {
        let answer = service.send(method, path, headers, body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert_valid("problem.json", &answer.json());
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{said}: {}", answer.body);
    }
    assert!(program.live().is_empty());
    let own = [("Origin", "http://127.0.0.1:8080"), ("Content-Type", "application/json; charset=utf-8")];
    assert_eq!(service.send("POST", "/api/v1/pins", &own, &good).status, 201);
}

#[test]
fn nothing_is_taken_in_of_whom_nobody_knows() {
    let program = Program::new();
    // Beyond loopback everybody has to say who they are.
    let service = program.serve_on("0.0.0.0:0", &[]);
    let body = json!({"indicator": "a.example", "zone": "Red", "reason": "r", "by": "ann"});
    let answer = post(&service, "/api/v1/pins", &body);
    assert_eq!(answer.status, 401);
    assert!(answer.json()["detail"].as_str().unwrap().contains("token"), "{}", answer.body);
    let delete = "/api/v1/pins?indicator=a.example&by=ann&reason=r";
    assert_eq!(service.request("DELETE", delete).status, 401);
    assert_eq!(service.get("/api/v1/pins?indicator=a.example").status, 401);
    drop(service);
    // Behind a proxy on loopback everybody has the proxy's address.
    let service = program.serve(&[]);
    for header in ["X-Forwarded-For", "Forwarded"] {
        let headers = [JSON, (header, "192.0.2.1")];
        let answer = service.send("POST", "/api/v1/pins", &headers, &body.to_string());
        assert_eq!(answer.status, 403);
        assert!(answer.json()["detail"].as_str().unwrap().contains("proxy"), "{}", answer.body);
    }
    assert!(program.live().is_empty());
}
