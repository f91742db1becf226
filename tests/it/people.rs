//! What people say: pins, notes, sightings, reports of false positives, by command and over HTTP.

use serde_json::{Value, json};
use zonelens::lookup::Request;
use zonelens::value::Timestamp;

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
