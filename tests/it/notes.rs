//! Notes of a verdict: what is newly seen and newly registered, and when that is not said.

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::lookup::Request;
use zonelens::value::Timestamp;
use zonelens::verdict::Policy;

use crate::program::Program;
use crate::world::World;

fn resolution(name: &str, day: &str) -> String {
    format!(
        r#"{{"fact":"resolution","rrname":"{name}","rrtype":"A","rdata":{{"address":"192.31.196.9"}},"first":"{day}","last":"{day}","hits":1}}"#
    ) + "\n"
}

fn notes(world: &World, name: &str) -> Value {
    world.report(name)["Verdict"]["Notes"].clone()
}

/// Now is 2024-06-01T12:00Z: names of yesterday, of a week ago and of long ago.
fn world(telemetry_since: &str) -> World {
    let mut world = World::new();
    world.feed_at("dns", State::Events, telemetry_since, &resolution("old.example", telemetry_since));
    let recent = resolution("new.example", "2024-05-30T12:00:00Z")
        + &resolution("week.example", "2024-05-25T12:00:00Z")
        + &resolution("almost.example", "2024-05-25T12:00:01Z")
        + &resolution("listed.example", "2024-05-31T13:00:00Z");
    world.feed("dns", &recent);
    world.feed_at(
        "list",
        State::Events,
        "2024-04-01",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"listed.example","category":"CATEGORY_ADWARE"}"#,
    );
    let registration = |name: &str, created: &str| {
        format!(r#"{{"fact":"registration","domain":"{name}","created":"{created}"}}"#) + "\n"
    };
    let facts = registration("new.example", "2024-05-29")
        + &registration("old.example", "2020-01-01")
        + &registration("week.example", "2024-05-02T12:00:00Z");
    world.feed("whois", &facts);
    world
}

#[test]
fn what_is_new_is_noted_where_the_store_was_looking_before() {
    let world = world("2024-03-01");
    assert_eq!(
        notes(&world, "new.example"),
        json!(["registered 3 days ago, on 2024-05-29", "first seen 2 days ago, on 2024-05-30"])
    );
    assert_eq!(notes(&world, "old.example"), json!([]));
    assert_eq!(notes(&world, "week.example"), json!([]), "seven days and thirty are no longer new");
    assert_eq!(notes(&world, "almost.example"), json!(["first seen 6 days ago, on 2024-05-25"]));
    assert_eq!(notes(&world, "listed.example"), json!([]), "a feed named it long before it was seen");
    // A name below it is registered with it, and has its own first day.
    let mut world = world;
    world.feed("dns2", &resolution("www2.new.example", "2024-06-01T11:00:00Z"));
    assert_eq!(
        notes(&world, "www2.new.example"),
        json!(["registered 3 days ago, on 2024-05-29", "first seen less than a day ago, on 2024-06-01"])
    );
    // Of an address the same holds, without a registration.
    world.feed("dns3", r#"{"fact":"resolution","rrname":"old.example","rrtype":"A","rdata":{"address":"192.31.196.77"},"first":"2024-05-31T10:00:00Z","last":"2024-05-31T10:00:00Z","hits":1}"#);
    assert_eq!(notes(&world, "192.31.196.77"), json!(["first seen 1 day ago, on 2024-05-31"]));
    assert_eq!(notes(&world, "192.31.196.9"), json!([]));
}

#[test]
fn in_a_new_store_nothing_is_newly_seen() {
    let world = world("2024-05-03");
    assert_eq!(notes(&world, "new.example"), json!(["registered 3 days ago, on 2024-05-29"]));
    // What was learnt later was not looking yet.
    let mut world = self::world("2024-03-01");
    world.now = Timestamp::parse("2024-06-03").unwrap();
    let past = Request { as_of: Some(Timestamp::parse("2024-03-05").unwrap()), ..Request::default() };
    assert_eq!(world.ask("old.example", &past).unwrap()["Verdict"]["Notes"], json!([]));
}

#[test]
fn the_policy_says_what_is_new() {
    let mut world = world("2024-03-01");
    let text = include_str!("../data/policy.toml");
    let change = |seen: &str, registered: &str| {
        text.replace("newly_seen_days = 7", seen).replace("newly_registered_days = 30", registered)
    };
    world.policy = Policy::parse(&change("newly_seen_days = 0", "newly_registered_days = 31")).unwrap();
    assert_eq!(notes(&world, "new.example"), json!(["registered 3 days ago, on 2024-05-29"]));
    assert_eq!(notes(&world, "week.example"), json!(["registered 30 days ago, on 2024-05-02"]));
    world.policy = Policy::parse(&change("newly_seen_days = 8", "newly_registered_days = 3")).unwrap();
    assert_eq!(notes(&world, "week.example"), json!(["first seen 7 days ago, on 2024-05-25"]));
    let without = text[..text.find("# What the notes").unwrap()].to_owned();
    assert_eq!(
        Policy::parse(&without).unwrap().notes,
        Policy::built_in().notes,
        "an older policy has the defaults"
    );
    let wrong = Policy::parse(&change("newly_seen_weeks = 1", "")).unwrap_err();
    assert!(wrong.contains("notes.newly_seen_weeks: unknown field"), "{wrong}");
}

#[test]
fn the_program_and_the_service_show_notes() {
    let program = Program::new();
    let cof = |name: &str, at: u64| {
        format!(
            r#"{{"rrname":"{name}","rrtype":"A","rdata":"192.31.196.9","time_first":{at},"time_last":{at},"count":1}}"#
        ) + "\n"
    };
    program.file("old.cof", cof("old.example", 1_709_251_200));
    program.file("new.cof", cof("new.example", 1_717_070_400));
    let when = ["--observed-at", "2024-03-01", "--learnt-at", "2024-03-01"];
    program.ok(&[&["import", "--source", "dns"][..], &when, &["old.cof"]].concat());
    program.ok(&["import", "--source", "dns", "new.cof"]);
    let out = program.ok(&["lookup", "--sections", "Verdict", "new.example"]).out;
    assert!(out.contains("first seen 2 days ago, on 2024-05-30"), "{out}");
    let service = program.serve(&[]);
    let verdict = &service.get("/api/domain/new.example?sections=Verdict").json()["Verdict"];
    assert_eq!(verdict["Notes"], json!(["first seen 2 days ago, on 2024-05-30"]));
}
