//! What changed of an object between two moments, and over all time.

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::history::diff;
use zonelens::history::timeline::{MOMENTS_MAX, Timeline, timeline};
use zonelens::indicator::Indicator;
use zonelens::lookup::{Context, Licence, LookupError, Request};
use zonelens::store::Again;
use zonelens::value::{Timestamp, Zone};
use zonelens::verdict::Policy;

use crate::program::Program;
use crate::world::World;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn context(world: &World) -> Context<'_> {
    world.store.refresh();
    Context {
        store: &world.store,
        policy: &world.policy,
        licence: Licence::default(),
        now: world.now,
        round_counts: false,
        reader: zonelens::store::Reader::default(),
    }
}

fn listing(name: &str, category: &str, more: &str) -> String {
    format!(
        r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{name}","category":"CATEGORY_{category}"{more}}}"#
    ) + "\n"
}

/// A domain that is listed, dropped, listed elsewhere with an expiry, capped for a while, and pinned.
fn world() -> World {
    let mut world = World::new();
    world.policy = Policy::parse(include_str!("../data/policy.toml")).unwrap();
    let (red, more) = (listing("a.example", "MALWARE", ""), listing("b.example", "MALWARE", ""));
    world.feed_at("whole", State::Whole, "2024-03-01", &(red.clone() + &more));
    world.feed_at("whole", State::Whole, "2024-03-11", &more);
    let expiring = listing("a.example", "PHISHING", r#","until":"2024-04-20T06:30:00Z""#);
    world.feed_at("events", State::Events, "2024-04-10", &expiring);
    let popular = r#"{"fact":"benign","type":"MASK_TYPE_HOST","mask":"a.example","rank":500}"#;
    world.feed_at("popular", State::Whole, "2024-04-12", popular);
    world.feed_at(
        "popular",
        State::Whole,
        "2024-04-15",
        r#"{"fact":"benign","type":"MASK_TYPE_HOST","mask":"c.example","rank":5}"#,
    );
    world.feed_at(
        "people",
        State::Events,
        "2024-05-10",
        r#"{"fact":"pin","indicator":"domain:a.example","zone":"Green","reason":"ours now","by":"ann","expires":"2024-05-20"}"#,
    );
    for (day, address) in
        [("2024-03-05", "192.31.196.1"), ("2024-04-05", "192.31.196.2"), ("2024-05-05", "192.31.196.3")]
    {
        let fact = format!(
            r#"{{"fact":"resolution","rrname":"a.example","rrtype":"A","rdata":{{"address":"{address}"}},"first":"{day}","last":"{day}","hits":2}}"#
        );
        world.feed_at("dns", State::Events, day, &fact);
    }
    world
}

fn diffed(world: &World, from: &str, to: Option<&str>) -> Value {
    let indicator = Indicator::parse("a.example").unwrap();
    let diff = diff::diff(&context(world), &indicator, Some(at(from)), to.map(at)).unwrap();
    serde_json::to_value(&diff).unwrap()
}

/// The changes as `what how source`.
fn told(changes: &Value) -> Vec<String> {
    let word = |change: &Value, name: &str| change[name].as_str().unwrap_or("–").to_owned();
    let tell = |change: &Value| ["what", "change", "source"].map(|name| word(change, name)).join(" ");
    changes.as_array().unwrap().iter().map(tell).collect()
}

#[test]
fn a_diff_names_what_the_zone_rests_on_and_the_rows_that_came_and_went() {
    let world = world();
    let diff = diffed(&world, "2024-03-05T12:00Z", Some("2024-04-13"));
    assert_eq!((&diff["from"]["zone"], &diff["to"]["zone"]), (&json!("Red"), &json!("Grey")));
    assert_eq!(
        told(&diff["changes"]),
        ["evidence came events", "evidence changed whole", "benign came popular", "age changed whole"],
        "{diff:#}"
    );
    let text = |index: usize| diff["changes"][index]["text"].as_str().unwrap().to_owned();
    assert!(text(1).contains("no longer so, it ages from 2024-03-01T00:00Z"), "{}", text(1));
    assert!(text(3).starts_with("age: whole lists a.example as MALWARE contributes 0.6"), "{}", text(3));
    let dns = diff["sections"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "DomainDnsResolutions")
        .unwrap();
    assert_eq!((&dns["rows_from"], &dns["rows_to"]), (&json!(1), &json!(2)));
    assert_eq!(dns["came"][0]["Ip"], "192.31.196.2");
    assert_eq!((&dns["came_count"], &dns["went"]), (&json!(1), &json!([])));
    let general =
        diff["sections"].as_array().unwrap().iter().find(|one| one["name"] == "DomainGeneralInfo").unwrap();
    assert_eq!((&general["rows_from"], &general["changed"][0]["field"]), (&json!(null), &json!("HitsCount")));
    let masks = diff["sections"].as_array().unwrap().iter().find(|one| one["name"] == "FeedMasks");
    assert!(masks.is_none(), "the same mask of the same zone: {masks:?}");
}

#[test]
fn expiry_a_pin_and_age_are_told_apart() {
    let world = world();
    let diff = diffed(&world, "2024-04-20T06:29Z", Some("2024-04-20T06:31Z"));
    assert_eq!(told(&diff["changes"])[..1], ["evidence went events"], "{diff:#}");
    assert!(diff["changes"][0]["text"].as_str().unwrap().ends_with("expired on 2024-04-20T06:30Z"));
    let diff = diffed(&world, "2024-05-09", Some("2024-05-11"));
    assert_eq!((&diff["to"]["zone"], &diff["changes"][0]["what"]), (&json!("Green"), &json!("pin")));
    assert_eq!(diff["changes"][0]["text"], "the zone was set to Green on 2024-05-10T00:00Z by ann: ours now");
    let diff = diffed(&world, "2024-05-11", None);
    assert_eq!(diff["changes"][0]["text"], "the pin to Green expired on 2024-05-20T00:00Z");
    // Age alone: no change, but for the one line on the score.
    let diff = diffed(&world, "2024-04-21", Some("2024-04-25"));
    assert_eq!(told(&diff["changes"]), ["age changed whole"], "{diff:#}");
    assert_eq!(diff["sections"], json!([]));
    let diff = diffed(&world, "2024-04-21T00:01Z", Some("2024-04-21T00:02Z"));
    assert_eq!((&diff["changes"], &diff["sections"]), (&json!([]), &json!([])));
}

#[test]
fn the_sides_of_a_diff_are_the_reports_of_their_moments() {
    let world = world();
    let moments =
        ["2024-03-01", "2024-03-20", "2024-04-11", "2024-04-13", "2024-04-18", "2024-05-12", "2024-05-30"];
    for pair in moments.windows(2) {
        let (from, to) = (at(pair[0]).end_of_day(), at(pair[1]).end_of_day());
        let indicator = Indicator::parse("a.example").unwrap();
        let diff = diff::diff(&context(&world), &indicator, Some(from), Some(to)).unwrap();
        for side in [&diff.from, &diff.to] {
            let report =
                world.ask("a.example", &Request { as_of: Some(side.at), ..Request::default() }).unwrap();
            assert_eq!(report["Zone"], side.zone.name());
            assert_eq!(report["Verdict"]["ThreatScore"], side.score.0);
        }
    }
    let ask = |name: &str, from: &str, to: &str| {
        diff::diff(&context(&world), &Indicator::parse(name).unwrap(), Some(at(from)), Some(at(to)))
    };
    assert!(matches!(ask("none.test", "2024-03-01", "2024-05-01"), Err(LookupError::Unknown(_))));
    assert!(matches!(ask("a.example", "2024-05-01", "2024-03-01"), Err(LookupError::BadRequest(_))));
    let url = ask("http://a.example/x", "2024-03-01", "2024-05-01").unwrap();
    let host = ask("a.example", "2024-03-01", "2024-05-01").unwrap();
    assert_eq!(
        (url.from.zone, url.to.zone),
        (host.from.zone, host.to.zone),
        "it has the evidence of its host"
    );
    let first = ask("a.example", "2024-02-01", "2024-03-02").unwrap();
    assert!(!first.from.known && first.to.known);
    // Of what was unknown nothing was said: that a count is 0 now is no change.
    let fields = first.sections.iter().flat_map(|section| &section.changed);
    let nothing = [json!(0), json!(false), json!(null), json!([]), json!("")];
    assert!(
        fields.clone().count() > 0 && fields.clone().all(|field| !nothing.contains(&field.to)),
        "{first:#?}"
    );
}

#[test]
fn the_program_and_the_service_tell_the_same_diff() {
    let program = Program::new();
    program.file("list.txt", "bad.example\nworse.example\n");
    program.file("less.txt", "worse.example\n");
    let import = ["import", "--source", "list", "--category", "MALWARE"];
    program
        .ok(&[&import[..], &["--learnt-at", "2024-05-01", "--observed-at", "2024-05-01", "list.txt"]]
            .concat());
    program
        .ok(&[&import[..], &["--learnt-at", "2024-05-20", "--observed-at", "2024-05-20", "less.txt"]]
            .concat());
    let text = program.ok(&["diff", "bad[.]example", "--from", "2024-05-10"]).out;
    for said in ["bad.example\n", "MALWARE", "~ list lists bad.example as MALWARE: no longer so", "~ age: "] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let json = program.json(&["diff", "bad.example", "--from", "2024-05-10", "--json"]);
    let service = program.serve(&[]);
    let answer = service.get("/api/v1/diff?indicator=bad%5B.%5Dexample&from=2024-05-10");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json(), json);
    assert!(answer.header("ratelimit-remaining").is_some());
    for (status, query, said) in [
        (400, "", "indicator is missing"),
        (400, "?indicator=bad.example", "from is missing"),
        (400, "?indicator=bad.example&from=x", "from is \"x\""),
        (400, "?indicator=bad.example&from=2024-05-10&to=2030-01-01", "to is \"2030-01-01\""),
        (400, "?indicator=bad.example&from=2024-05-10&to=2024-05-01", "which is after to"),
        (400, "?indicator=a..b&from=2024-05-10", "a..b"),
        (404, "?indicator=none.test&from=2024-05-10", "nothing is known of domain none.test"),
    ] {
        let answer = service.get(&format!("/api/v1/diff{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", answer.body);
    }
    for (code, arguments) in [
        (3, vec!["none.test", "--from", "2024-05-10"]),
        (2, vec!["bad.example", "--from", "2025-01-01"]),
        (2, vec!["bad.example"]),
        (2, vec!["a..b", "--from", "2024-05-10"]),
    ] {
        assert_eq!(program.run(&[vec!["diff"], arguments].concat()).code, code);
    }
}

//------------ Timelines -----------------------------------------------------

fn timed(world: &World, indicator: &str) -> Timeline {
    timeline(&context(world), &Indicator::parse(indicator).unwrap()).unwrap()
}

/// What a timeline says of a moment.
fn zone_at(timeline: &Timeline, at: Timestamp) -> String {
    let span = timeline.spans.iter().rfind(|span| span.from <= at);
    let categories = |span: &zonelens::history::timeline::Span| {
        span.categories.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    span.map_or("Grey ".to_owned(), |span| format!("{} {}", span.zone, categories(span)))
}

/// What a lookup as of a moment says, from a report that shares no code with the timeline.
fn looked_up(world: &World, indicator: &str, at: Timestamp) -> String {
    let request = Request { as_of: Some(at), ..Request::default() };
    match world.ask(indicator, &request) {
        Ok(report) => {
            let general =
                if report["DomainGeneralInfo"].is_null() { "IpGeneralInfo" } else { "DomainGeneralInfo" };
            let categories: Vec<&str> = report[general]["Categories"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap())
                .collect();
            format!("{} {}", report["Zone"].as_str().unwrap(), categories.join(" "))
        }
        Err(LookupError::Unknown(_)) => "Grey ".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_timeline_tells_each_zone_and_why_it_changed() {
    let timeline = timed(&world(), "a.example");
    let told: Vec<String> = timeline
        .spans
        .iter()
        .map(|span| {
            let causes = told(&serde_json::to_value(&span.causes).unwrap());
            format!("{} {} {}", span.from.date(), span.zone, causes.join("; "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "2024-03-01 Red evidence came whole",
            "2024-03-24 Orange age changed whole",
            "2024-04-10 Red evidence came events",
            "2024-04-12 Grey benign came popular",
            "2024-04-15 Red benign went popular",
            "2024-04-20 Orange evidence went events",
            "2024-05-10 Green pin came –",
            "2024-05-20 Grey pin went –",
        ],
        "{timeline:#?}"
    );
    assert!(timeline.is_exact && timeline.cut_before.is_none());
    for pair in timeline.spans.windows(2) {
        assert_eq!(pair[0].to, Some(pair[1].from));
    }
    assert_eq!(timeline.spans.last().unwrap().to, None);
}

/// Whatever was imported when, a timeline says of each moment what a lookup as of it says.
#[test]
fn a_timeline_agrees_with_lookups_of_every_moment() {
    let mut world = world();
    // What is learnt late, comes again, returns, overlaps, expires before it was learnt, is seen by a person.
    let masks = [
        r#"{"fact":"listing","type":"MASK_TYPE_DOMAIN","mask":"*.example","category":"CATEGORY_ADWARE","first":"2024-04-18","last":"2024-04-19"}"#,
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"a.example","category":"CATEGORY_SPAM","until":"2024-05-25T10:20:30Z"}"#,
        r#"{"fact":"listing","type":"MASK_TYPE_WILDCARD","mask":"a.ex*","category":"CATEGORY_TOR_EXIT_NODE"}"#,
    ];
    world.feed_at("late", State::Events, "2024-05-22T03:04:05Z", &masks.join("\n"));
    let again =
        world.feed_at("again", State::Whole, "2024-02-01", &listing("a.example", "TOR_EXIT_NODE", ""));
    for (observed, learnt) in
        [("2024-02-05", "2024-02-05"), ("2024-02-20", "2024-02-20"), ("2024-05-01", "2024-05-06")]
    {
        world
            .store
            .seen_again(again, zonelens::store::Again { observed: at(observed), learnt: at(learnt) })
            .unwrap();
    }
    world.feed_at(
        "people",
        State::Events,
        "2024-05-28",
        r#"{"fact":"sighting","indicator":"domain:a.example","by":"ann","observed":"2024-05-27T05:00:00Z"}"#,
    );
    world.feed_at("whole", State::Whole, "2024-05-30", &listing("b.example", "MALWARE", ""));
    // What an object has to do with is evidence for a while.
    let below = listing("x.rel.example", "ADWARE", r#","until":"2024-05-25T10:20:30Z""#);
    world.feed_at("related", State::Events, "2024-05-02T08:00:00Z", &below);
    let seen = r#"{"fact":"resolution","rrname":"x.rel.example","rrtype":"A","rdata":{"address":"192.31.196.9"},"first":"2024-05-07","last":"2024-05-07","hits":2}"#;
    world.feed_at("dns", State::Events, "2024-05-09T09:00:00Z", seen);
    // A state that holds again after another one.
    let popular = r#"{"fact":"benign","type":"MASK_TYPE_HOST","mask":"b.example","rank":50}"#;
    let returns = world.feed_at("returns", State::Whole, "2024-05-11", popular);
    world.feed_at("returns", State::Whole, "2024-05-13", &popular.replace("b.example", "d.example"));
    let moment = at("2024-05-15T00:20:30Z");
    let again = Again { observed: moment, learnt: moment };
    world.store.seen_again(returns, again).unwrap();
    for indicator in
        ["a.example", "sub.a.example", "b.example", "rel.example", "192.31.196.1", "192.31.196.9"]
    {
        let timeline = timed(&world, indicator);
        assert!(timeline.is_exact);
        if indicator == "rel.example" {
            assert!(timeline.spans.iter().any(|span| span.zone == Zone::Yellow), "{timeline:#?}");
        }
        let mut moments: Vec<i64> = (at("2024-01-25").0..world.now.0).step_by(7 * 3600 + 1).collect();
        for span in &timeline.spans {
            moments.extend([span.from.0 - 3600, span.from.0 - 1, span.from.0, span.from.0 + 1]);
        }
        moments.push(world.now.0);
        for moment in moments.into_iter().map(Timestamp).filter(|moment| *moment <= world.now) {
            let (told, known) = (zone_at(&timeline, moment), looked_up(&world, indicator, moment));
            assert_eq!(told, known, "{indicator} at {}: {timeline:#?}", moment.rfc3339());
        }
        let now = world.ask(indicator, &Request::default());
        let zone = now.map_or("Grey".to_owned(), |report| report["Zone"].as_str().unwrap().to_owned());
        assert_eq!(timeline.spans.last().map_or("Grey", |span| span.zone.name()), zone);
    }
}

#[test]
fn a_long_timeline_is_cut_and_says_so() {
    let mut world = World::new();
    let facts: Vec<String> = (0..(MOMENTS_MAX as i64 + 20) / 2)
        .map(|index| {
            let first = Timestamp(at("2023-01-01").0 + index * 2 * 86_400);
            let until = Timestamp(first.0 + 86_400);
            let more = format!(r#","first":"{}","until":"{}""#, first.rfc3339(), until.rfc3339());
            listing("a.example", "MALWARE", &more)
        })
        .collect();
    world.feed_at("events", State::Events, "2022-12-01", &facts.concat());
    let timeline = timed(&world, "a.example");
    assert_eq!(timeline.moments, MOMENTS_MAX);
    assert!(timeline.cut_before.is_some_and(|cut| cut == timeline.spans[0].from));
    let unknown = timeline_of_unknown(&world);
    assert!(matches!(unknown, Err(LookupError::Unknown(_))));
}

fn timeline_of_unknown(world: &World) -> Result<Timeline, LookupError> {
    timeline(&context(world), &Indicator::parse("none.test").unwrap())
}

#[test]
fn the_program_and_the_service_tell_the_same_timeline() {
    let program = Program::new();
    program.file("list.txt", "bad.example\n");
    let when = ["--learnt-at", "2024-03-01", "--observed-at", "2024-03-01"];
    program.ok(&[&["import", "--category", "MALWARE", "list.txt"][..], &when].concat());
    let text = program.ok(&["timeline", "bad.example"]).out;
    for said in [
        "2024-03-01T00:00Z to ",
        "Red",
        "    + list lists bad.example as MALWARE: since 2024-03-01",
        "    ~ age: list lists",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let json = program.json(&["timeline", "--json", "bad.example"]);
    let service = program.serve(&[]);
    let answer = service.get("/api/v1/timeline?indicator=bad.example");
    assert_eq!((answer.status, answer.json()), (200, json));
    assert_eq!(service.get("/api/v1/timeline?indicator=none.test").status, 404);
    assert_eq!(service.get("/api/v1/timeline").status, 400);
    assert_eq!(program.run(&["timeline", "none.test"]).code, 3);
    assert_eq!(program.run(&["timeline", "a..b"]).code, 2);
    assert_eq!(program.run(&["timeline", "d41d8cd98f00b204e9800998ecf8427e"]).code, 3);
    assert!(program.ok(&["timeline", "http://bad.example/x"]).out.contains("Red"));
}

/// What a timeline of the most moments costs; run by hand: `cargo test --test it timeline_cost -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn timeline_cost() {
    let mut world = World::new();
    for day in 0..600 {
        let when = Timestamp(at("2022-09-01").0 + day * 86_400).rfc3339();
        let name = format!("name-{day}.example");
        let facts = listing("a.example", if day % 2 == 0 { "MALWARE" } else { "SPAM" }, "")
            + &listing(&name, "SPAM", "");
        world.feed_at(&format!("source-{}", day % 20), State::Whole, &when, &facts);
        if day % 40 == 39 {
            let retention = zonelens::store::merge::Retention::default();
            world.store.merge(Timestamp::parse(&when).unwrap(), &retention).unwrap();
        }
    }
    let start = std::time::Instant::now();
    let timeline = timed(&world, "a.example");
    println!("{} moments, {} spans: {:?}", timeline.moments, timeline.spans.len(), start.elapsed());
}
