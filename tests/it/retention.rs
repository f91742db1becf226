//! How many runs a store has, and what is folded when it is old.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::store::merge::Retention;
use zonelens::store::{Edge, ObjectKey, Part, Table, read_part};
use zonelens::value::Timestamp;

use crate::program::{Program, until};
use crate::schema::assert_valid;
use crate::world::World;

/// Long after everything here was learnt: more than `detail_days`, less than twice that.
const LATER: &str = "2025-10-01T12:00:00Z";

fn runs(program: &Program) -> u64 {
    program.json(&["stats", "--json"])["runs"].as_u64().unwrap()
}

fn note(number: usize) -> String {
    json!({"indicator": "domain:one.example", "text": format!("note {number}"), "by": "ann"}).to_string()
}

/// The texts of the notes on the name.
fn notes(program: &Program) -> BTreeSet<String> {
    let list = program.ok(&["note", "list", "one.example", "--format", "json"]);
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    list.out.lines().map(text).collect()
}

//------------ Joining -------------------------------------------------------

#[test]
fn a_service_joins_small_runs_and_a_single_batch_can_still_be_retired() {
    let program = Program::new();
    let service = program.serve(&[]);
    for number in 0..40 {
        let headers = [("Content-Type", "application/json")];
        assert_eq!(service.send("POST", "/api/v1/notes", &headers, &note(number)).status, 201);
    }
    until(|| runs(&program) <= 16);
    let all: BTreeSet<String> = (0..40).map(|number| format!("note {number}")).collect();
    assert_eq!(notes(&program), all);
    let live = program.live();
    assert_eq!(live.len(), 40);
    program.ok(&["retire", &live[5].to_string()]);
    let mut left = all;
    left.remove("note 5");
    assert_eq!(notes(&program), left);
    assert_eq!(program.ok(&["verify"]).code, 0);
    let (code, log) = service.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("joined small runs"), "{log}");
}

#[test]
fn a_service_that_is_told_not_to_join_does_not() {
    let program = Program::new();
    program.file("zonelens.toml", "[store]\nmerge = false\n");
    let service = program.serve(&[]);
    let headers = [("Content-Type", "application/json")];
    // One more than fit without somebody joining them: the last one pays.
    for number in 0..33 {
        assert_eq!(runs(&program), number.min(32) as u64);
        assert_eq!(service.send("POST", "/api/v1/notes", &headers, &note(number)).status, 201);
    }
    assert_eq!((runs(&program), notes(&program).len()), (1, 33));
    assert!(service.stop().1.contains("of which there were too many"));
}

//------------ Detail --------------------------------------------------------

fn resolution(name: &str, address: &str, first: &str, last: &str, hits: u64) -> String {
    let line = json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": address},
        "first": first, "last": last, "hits": hits});
    format!("{line}\n")
}

/// The only row of an address.
fn row(program: &Program, arguments: &[&str]) -> Value {
    let report = program.json(&[&["lookup", "--format", "json", "192.31.196.1"], arguments].concat());
    let [row] = &report["IpDnsResolutions"].as_array().unwrap()[..] else { panic!("{report}") };
    row.clone()
}

#[test]
fn folding_days_keeps_hits_times_and_the_peak() {
    let program = Program::new();
    let day = |day: u32, hits: u64| {
        let at = |hour: u32| format!("2024-05-{day:02}T{hour:02}:00:00Z");
        resolution("one.example", "192.31.196.1", &at(3), &at(9), hits)
    };
    program.file("dns.ndjson", day(10, 4) + &day(11, 9) + &day(12, 9) + &day(20, 2));
    program.ok(&["import", "--learnt-at", "2024-05-21", "dns.ndjson"]);
    let before = row(&program, &[]);
    assert_eq!(before["HitsCount"], 24);
    assert_eq!((&before["DailyPeak"], &before["PeakDate"]), (&json!(9), &json!("2024-05-12T00:00Z")));
    let as_of = |moment: &str| row(&program, &["--now", LATER, "--as-of", moment])["HitsCount"].clone();
    assert_eq!(as_of("2024-05-21"), 24);
    // Alone in its period, and yet it is folded; once.
    assert_eq!(program.ok(&["--now", LATER, "merge"]).out, "1 runs, 1 after the merge\n");
    let folded = program.json(&["stats", "--json"])["generation"].clone();
    program.ok(&["--now", LATER, "merge"]);
    assert_eq!(program.json(&["stats", "--json"])["generation"], folded);
    assert_eq!(row(&program, &["--now", LATER]), before);
    // Late data of the best day is one more candidate for the peak, and no part of the one that was folded.
    program.file("late.ndjson", day(12, 7));
    program.ok(&["import", "--now", LATER, "--learnt-at", "2024-05-22", "late.ndjson"]);
    let late = |program: &Program| {
        let late = row(program, &["--now", LATER]);
        assert_eq!((&late["HitsCount"], &late["DailyPeak"]), (&json!(31), &json!(9)));
        assert_eq!(
            (&late["PeakDate"], &late["PeakIsEstimate"]),
            (&json!("2024-05-12T00:00Z"), &json!(false))
        );
        assert_eq!(late["LastSeen"], before["LastSeen"]);
    };
    late(&program);
    assert_eq!(program.ok(&["--now", LATER, "merge"]).out, "2 runs, 1 after the merge\n");
    late(&program);
}

#[test]
fn a_folded_time_counts_whole_once_it_has_begun() {
    let program = Program::new();
    let at = |day: u32| format!("2024-05-{day:02}T03:00:00Z");
    let day = |day: u32, hits| resolution("one.example", "192.31.196.1", &at(day), &at(day), hits);
    program.file("early.ndjson", day(2, 1));
    program.file("dns.ndjson", day(10, 4) + &day(12, 9) + &day(20, 2));
    program.ok(&["import", "--learnt-at", "2024-05-03", "early.ndjson"]);
    program.ok(&["import", "--learnt-at", "2024-05-09", "dns.ndjson", "--source", "two"]);
    let hits = |moment: &str| row(&program, &["--now", LATER, "--as-of", moment])["HitsCount"].clone();
    // Learnt on the 9th; days after the moment are cut off.
    assert_eq!([hits("2024-05-09"), hits("2024-05-11"), hits("2024-05-21")], [1, 5, 16].map(Value::from));
    program.ok(&["--now", LATER, "merge"]);
    // What is folded of the second file begins on the 10th: before that nothing of it counts, then all of it.
    assert_eq!([hits("2024-05-09"), hits("2024-05-11"), hits("2024-05-21")], [1, 16, 16].map(Value::from));
}

#[test]
fn days_become_months_and_months_years() {
    let program = Program::new();
    for (number, learnt) in
        ["2023-01-05", "2023-02-05", "2024-03-05", "2024-03-06", "2024-04-06", "2024-05-30"]
            .iter()
            .enumerate()
    {
        program
            .file("dns.ndjson", resolution(&format!("n{number}.example"), "192.31.196.1", learnt, learnt, 1));
        program.ok(&["import", "--learnt-at", learnt, "dns.ndjson"]);
        program.ok(&["import", "--learnt-at", learnt, "--source", "other", "dns.ndjson"]);
    }
    let merged = |now: &str| program.ok(&["--now", now, "merge"]).out;
    // All of 2023 is older than 400 days, January not twice that: a month each; of the others a day each.
    assert_eq!(merged("2024-06-01"), "12 runs, 6 after the merge\n");
    // More than 800 days: the year; more than 400: months.
    assert_eq!(merged("2025-06-20"), "6 runs, 4 after the merge\n");
    let names = program.json(&["--now", "2025-06-20", "lookup", "--format", "json", "192.31.196.1"]);
    assert_eq!(names["IpDnsResolutions"].as_array().unwrap().len(), 6);
}

//------------ Names ---------------------------------------------------------

/// Names below `parent` that are seen once, at one of two addresses.
fn tunnel(parent: &str, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let address = format!("192.31.196.{}", 1 + number % 2);
        let at = format!("2024-05-{:02}T03:00:00Z", 1 + number % 20);
        text += &resolution(&format!("x{number}.{parent}"), &address, &at, &at, 1);
    }
    text
}

#[test]
fn names_seen_once_fold_where_they_are_too_many() {
    let program = Program::new();
    let twice = resolution("often.t.one.example", "192.31.196.1", "2024-05-01", "2024-05-02", 2);
    let mut facts = tunnel("t.one.example", 10_004) + &tunnel("two.example", 10_000) + &twice;
    // The suffix is private: its names are other people's.
    facts += &tunnel("web.app", 10_002);
    program.file("dns.ndjson", facts);
    program.ok(&["import", "--learnt-at", "2024-05-21", "dns.ndjson"]);
    // Learnt long after, so never in one run with the names.
    program.file("list.txt", "x7.t.one.example\n");
    program.ok(&["import", "--now", LATER, "list.txt"]);
    program.ok(&["note", "add", "--by", "ann", "x8.t.one.example", "ours"]);
    let report = |what: &str, schema: &str| {
        let sections = ["--now", LATER, "lookup", "--format", "json", "--count", "1000", what];
        let report = program.json(&sections);
        assert_valid(schema, &report);
        report
    };
    let subdomains = |name: &str| -> Vec<String> {
        let report = report(name, "domain.json#/$defs/Whole");
        let rows = report["Subdomains"].as_array().unwrap().iter();
        rows.map(|row| row["Subdomain"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(subdomains("t.one.example").len(), 1000);
    let objects = || program.json(&["stats", "--json"])["objects"].as_u64().unwrap();
    let before = objects();
    program.ok(&["--now", LATER, "merge"]);
    // 10,002 names and not more became one.
    assert_eq!(before - objects(), 10_001);
    let kept = ["*.t.one.example", "often.t.one.example", "x7.t.one.example", "x8.t.one.example"];
    let mut found = subdomains("t.one.example");
    found.sort();
    assert_eq!(found, kept);
    let mut found = subdomains("one.example");
    found.sort();
    assert_eq!(found, kept);
    assert_eq!(subdomains("two.example").len(), 1000);
    let folded = |address: &str| -> Value {
        let report = report(address, "ip.json#/$defs/Whole");
        let rows = report["IpDnsResolutions"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["Domain"] == "*.t.one.example").unwrap()
    };
    // Of the even ones x8 is kept, of the odd ones x7.
    assert_eq!(
        [folded("192.31.196.1")["HitsCount"].clone(), folded("192.31.196.2")["HitsCount"].clone()],
        [json!(5001), json!(5001)]
    );
    // What was said by name stays, as does what resolves elsewhere.
    assert_eq!(report("x7.t.one.example", "domain.json#/$defs/Whole")["Zone"], "Red");
    let gone = program.run(&["--now", LATER, "lookup", "x9.t.one.example"]);
    assert_eq!(gone.code, 3, "{}{}", gone.out, gone.talk);
    // A listing of what is above it still says what there is to say.
    program.file(
        "parents.ndjson",
        json!({"fact": "listing", "type": "MASK_TYPE_DOMAIN", "mask": "*.t.one.example",
        "category": "BOTNET_CNC"})
        .to_string(),
    );
    program.ok(&["import", "--now", LATER, "parents.ndjson"]);
    let left = report("x9.t.one.example", "domain.json#/$defs/Whole");
    assert_eq!(left["Zone"], "Red", "{left}");
    let row = folded("192.31.196.1");
    assert_eq!((&row["Zone"], &row["Categories"]), (&json!("Red"), &json!(["CATEGORY_BOTNET_CNC"])));
    // Again: what was folded adds up.
    program.file(
        "more.ndjson",
        tunnel("t.one.example", 20_010).lines().skip(10_004).fold(String::new(), |mut text, line| {
            writeln!(text, "{line}").unwrap();
            text
        }),
    );
    program.ok(&["import", "--now", LATER, "--learnt-at", "2024-05-22", "more.ndjson"]);
    program.ok(&["--now", LATER, "merge"]);
    assert_eq!(folded("192.31.196.1")["HitsCount"], 5001 + 5003);
    assert_eq!(program.ok(&["verify"]).code, 0);
}

fn edges(world: &World, name: &str, table: Table) -> Vec<Edge> {
    world.store.refresh();
    let view = world.store.snapshot().unwrap().view(None);
    view.table(&ObjectKey::domain(name), table).unwrap().edges
}

/// The names below a name, each with the hits of its row.
fn below(world: &World, name: &str) -> Vec<(String, u64)> {
    let row = |edge: &Edge| match read_part(&edge.counterpart) {
        Some((Part::Domain(name), _)) => (name, edge.observed.hits()),
        other => panic!("{other:?}"),
    };
    edges(world, name, Table::Subdomain).iter().map(row).collect()
}

#[test]
fn what_else_is_known_of_a_name_keeps_it() {
    let mut world = World::new();
    let at = "2024-05-01T03:00:00Z";
    let mut facts = String::new();
    for number in 1..=5 {
        facts += &resolution(&format!("x{number}.b.one.example"), "192.31.196.1", at, at, 1);
        for (name, rrtype, rdata) in [
            (format!("t{number}.two.example"), "TXT", json!({"text": format!("text {number}")})),
            (format!("c{number}.three.example"), "CNAME", json!({"name": "one.example"})),
        ] {
            let line = json!({"fact": "resolution", "rrname": name, "rrtype": rrtype, "rdata": rdata,
                "first": at, "last": at, "hits": 1});
            writeln!(facts, "{line}").unwrap();
        }
    }
    // A name below it says more than that it was seen once; and what lists a name lists its `www.` too.
    facts += &resolution("deep.x1.b.one.example", "192.31.196.1", at, at, 1);
    facts += &resolution("www.b.one.example", "192.31.196.1", at, at, 1);
    world.feed_at("dns", State::Events, "2024-05-21", &facts);
    let retention = Retention { fold_names: 3, ..Retention::default() };
    let later = Timestamp::parse(LATER).unwrap();
    // Nothing is old enough yet.
    world.feed_at(
        "dns",
        State::Events,
        "2024-05-21",
        &resolution("y.four.example", "192.31.196.1", at, at, 1),
    );
    assert_eq!(world.store.merge(world.now, &retention).unwrap(), (2, 1));
    assert_eq!(below(&world, "b.one.example").len(), 7);
    assert_eq!(world.store.merge(later, &retention).unwrap(), (1, 1));
    let folded = ["*.b.one.example", "www.b.one.example", "x1.b.one.example", "deep.x1.b.one.example"];
    let known: Vec<(String, u64)> =
        folded.map(|name| (name.to_owned(), 4 * u64::from(name.starts_with('*')))).into();
    assert_eq!(below(&world, "b.one.example"), known);
    assert_eq!(below(&world, "one.example"), known);
    assert_eq!(below(&world, "two.example"), [("*.two.example".to_owned(), 5)]);
    let [record] = &edges(&world, "*.two.example", Table::Record)[..] else { panic!("one record") };
    assert_eq!((&record.counterpart[..], record.observed.hits()), (&[0, 16][..], 5));
    // What a name leads to is worth more than how often it was seen.
    assert_eq!(below(&world, "three.example").len(), 5);
    assert_eq!(edges(&world, "one.example", Table::RecordOf).len(), 5);
    // Never is never.
    let mut world = World::new();
    world.feed_at("dns", State::Events, "2024-05-21", &facts);
    world.store.merge(later, &Retention { fold_names: 0, ..retention }).unwrap();
    assert_eq!(below(&world, "two.example").len(), 5);
}

#[test]
fn joining_some_states_of_a_source_says_nothing_of_those_between() {
    let mut world = World::new();
    let listing = |host: &str| {
        let line = json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": host, "category": "MALWARE"});
        format!("{line}\n")
    };
    let others: String = (0..100).map(|number| listing(&format!("n{number}.example"))).collect();
    let at = |hour: u32| format!("2024-05-30T{hour:02}:00:00Z");
    // The second state is the newest, and the only one that does not list the name.
    world.feed_at("list", State::Whole, &at(1), &listing("one.example"));
    world.feed_at("list", State::Whole, &at(9), &others);
    world.feed_at("list", State::Whole, &at(5), &listing("one.example"));
    let before = world.report("one.example");
    let never = std::sync::atomic::AtomicBool::new(false);
    assert_eq!(world.store.join(world.now, 1, &never).unwrap(), (2, 1));
    assert_eq!(world.report("one.example"), before);
    assert_eq!(world.store.merge(world.now, &Retention::default()).unwrap(), (2, 1));
    assert_eq!(world.report("one.example"), before);
}

#[test]
fn what_is_only_said_can_be_retired_for_ever_and_what_was_counted_for_a_while() {
    let mut world = World::new();
    let at = "2024-05-31T03:00:00Z";
    let note = |text: &str| {
        json!({"fact": "note", "indicator": "domain:one.example", "text": text, "by": "ann"}).to_string()
    };
    let resolved = |hits| resolution("one.example", "192.31.196.1", at, at, hits);
    let said = world.feed("people", &note("first"));
    let counted = world.feed("dns", &resolved(4));
    let both = world.feed("both", &(resolved(8) + &note("third")));
    let last = world.feed("people", &note("fourth"));
    let retention = Retention::default();
    assert_eq!(world.store.merge(world.now, &retention).unwrap(), (4, 1));
    let answer = |world: &World| {
        let hits: u64 =
            edges(world, "one.example", Table::Resolves).iter().map(|edge| edge.observed.hits()).sum();
        world.store.refresh();
        let view = world.store.snapshot().unwrap().view(None);
        let object = view.table(&ObjectKey::domain("one.example"), Table::Note).unwrap();
        (hits, object.statements.len())
    };
    assert_eq!(answer(&world), (12, 3));
    assert_eq!(world.store.retire(&[said], world.now).unwrap().rebuilt, 1);
    assert_eq!(answer(&world), (12, 2));
    world.store.retire(&[counted], world.now).unwrap();
    assert_eq!(answer(&world), (8, 2));
    // The originals are gone: what is counted stays, what is said can go.
    let later = Timestamp(world.now.0 + 40 * 86_400);
    world.store.expire_originals(later, &retention).unwrap();
    world.feed("dns", &resolved(1));
    world.store.merge(later, &Retention { retire_days: 0, ..retention }).unwrap();
    let refused = world.store.retire(&[both], later).unwrap_err().to_string();
    assert!(refused.contains("its original is no longer kept"), "{refused}");
    world.store.retire(&[last], later).unwrap();
    assert_eq!(answer(&world), (9, 1));
    assert!(world.store.verify().unwrap().damage.is_empty());
}
