//! Forgetting: from the moment on nobody knows it, the bytes go, and what else is known stays.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::indicator::Indicator;
use zonelens::lookup::{LookupError, Request};
use zonelens::store::merge::Retention;
use zonelens::store::{Keep, Subject};

use crate::program::{Program, until};
use crate::world::World;

const AT: &str = "2024-05-20T03:00:00Z";

fn seen(mut fact: Value) -> String {
    let object = fact.as_object_mut().unwrap();
    for (name, value) in [("first", json!(AT)), ("last", json!(AT)), ("hits", json!(1))] {
        object.insert(name.to_owned(), value);
    }
    format!("{fact}\n")
}

/// Facts of every kind that name `name`, `address`, a URL on the name and a file from it, beside others.
fn facts(name: &str, address: &str) -> String {
    let file = json!({"md5": "44d88612fea8a8f36de82e1278abb02f", "sha1": "3395856ce81f2b7382dee72602f798b642f14140"});
    let url = format!("http://{name}/a/b?c=d");
    let mut text = String::new();
    for fact in [
        json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": address}}),
        json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": "192.31.197.1"}}),
        json!({"fact": "resolution", "rrname": "other.test", "rrtype": "A", "rdata": {"address": address}}),
        json!({"fact": "resolution", "rrname": format!("below.{name}"), "rrtype": "A", "rdata": {"address": "192.31.197.1"}}),
        json!({"fact": "resolution", "rrname": "alias.test", "rrtype": "CNAME", "rdata": {"name": name}}),
        json!({"fact": "resolution", "rrname": "alias.test", "rrtype": "A", "rdata": {"address": "192.31.197.1"}, "via": [name]}),
        json!({"fact": "resolution", "rrname": "text.test", "rrtype": "TXT", "rdata": {"text": format!("include:{name}")}}),
        json!({"fact": "web_request", "url": url, "address": address, "referrer": "http://other.test/from"}),
        json!({"fact": "web_request", "url": "http://other.test/to", "address": "192.31.197.1", "referrer": url}),
        json!({"fact": "download", "file": file, "url": url, "address": address}),
        json!({"fact": "access", "file": file, "target": format!("domain:{name}")}),
        json!({"fact": "contact", "client": "pc-7", "indicator": format!("domain:{name}")}),
        json!({"fact": "certificate", "digest": "aa".repeat(32), "names": [name, "other.test"]}),
        json!({"fact": "spam_report", "indicator": format!("domain:{name}")}),
    ] {
        text += &seen(fact);
    }
    for fact in [
        json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": name, "category": "MALWARE"}),
        json!({"fact": "listing", "type": "MASK_TYPE_URL", "mask": format!("{name}/a/b?c=d"), "category": "MALWARE"}),
        json!({"fact": "listing", "type": "MASK_TYPE_WILDCARD", "mask": format!("*.{name}/x*"), "category": "MALWARE"}),
        json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": address, "category": "MALWARE"}),
        json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": "other.test", "category": "BOTNET_CNC", "reference": format!("see {name}")}),
        json!({"fact": "benign", "type": "MASK_TYPE_DOMAIN", "mask": format!("*.{name}"), "list": "popular", "rank": 5}),
        json!({"fact": "file_verdict", "file": file, "zone": "Red"}),
        json!({"fact": "registration", "domain": "other.test", "name_servers": [format!("ns1.{name}")]}),
        json!({"fact": "publication", "id": "p1", "type": "APT", "title": "Report"}),
        json!({"fact": "mention", "indicator": format!("domain:{name}"), "publication": "p1"}),
        json!({"fact": "note", "indicator": "domain:other.test", "text": format!("resolves like {}", name.replace('.', "[.]")), "by": "ann"}),
        json!({"fact": "note", "indicator": "domain:other.test", "text": "ours", "by": "ann"}),
    ] {
        writeln!(text, "{fact}").unwrap();
    }
    text
}

/// Compares answers section by section: a whole answer is too long to read.
fn assert_same(found: &[(String, Value)], expected: &[(String, Value)], what: &str) {
    for ((object, found), (_, expected)) in found.iter().zip(expected) {
        assert_eq!(found.is_null(), expected.is_null(), "{what}: {object}");
        let Value::Object(sections) = found else { continue };
        for (name, section) in sections {
            assert_eq!(*section, expected[name], "{what}: {name} of {object}");
        }
    }
}

fn subject(text: &str) -> Subject {
    Subject::indicator(Indicator::parse(text).unwrap())
}

/// What is said of all objects; `null`: unknown.
fn answers(world: &World) -> Vec<(String, Value)> {
    let objects = [
        "evil.test",
        "www.evil.test",
        "below.evil.test",
        "other.test",
        "alias.test",
        "text.test",
        "good.test",
        "test",
        "192.31.196.7",
        "192.31.197.1",
        "192.31.197.2",
        "http://evil.test/a/b?c=d",
        "http://other.test/to",
        "44d88612fea8a8f36de82e1278abb02f",
        "3395856ce81f2b7382dee72602f798b642f14140",
    ];
    let answer = |object: &&str| match world.ask(object, &Request::default()) {
        Ok(answer) => ((*object).to_owned(), answer),
        Err(LookupError::Unknown(_)) => ((*object).to_owned(), Value::Null),
        // No report on this kind of object yet.
        Err(LookupError::BadRequest(_)) => ((*object).to_owned(), Value::Null),
        Err(error) => panic!("{object}: {error}"),
    };
    objects.iter().map(answer).collect()
}

/// Whether the stored bytes name something, read as every row by itself.
fn is_stored(world: &World, subject: &Subject) -> bool {
    world.store.find_named(std::slice::from_ref(subject)).unwrap().total() > 0
}

fn tidy(world: &World) -> zonelens::store::Tidied {
    let never = std::sync::atomic::AtomicBool::new(false);
    world.store.tidy(world.now, &Keep::default(), &never).unwrap()
}

fn world() -> World {
    let mut world = World::new();
    for (number, (name, address)) in
        [("good.test", "192.31.197.2"), ("evil.test", "192.31.196.7"), ("evil.test", "192.31.196.7")]
            .iter()
            .enumerate()
    {
        world.feed_at(&format!("source{number}"), State::Events, "2024-05-31", &facts(name, address));
    }
    world
}

#[test]
fn nobody_knows_it_at_once_and_what_else_is_known_stays() {
    for what in ["evil.test", "192.31.196.7", "44d88612fea8a8f36de82e1278abb02f"] {
        let world = world();
        let before = answers(&world);
        assert!(before.iter().any(|(_, answer)| answer.to_string().to_lowercase().contains(what)), "{what}");
        world.store.forget(&[subject(what)], false, world.now).unwrap();
        let after = answers(&world);
        for (object, answer) in &after {
            if object == what {
                let is_unknown = answer.is_null();
                assert!(is_unknown, "{what} is known: {answer}");
            }
            if *object != what {
                assert!(!answer.to_string().to_lowercase().contains(what), "{what} in {object}: {answer}");
            }
        }
        if what == "evil.test" {
            assert!(after.iter().all(|(object, answer)| !object.contains(what) || answer.is_null()));
            let of = |name: &str| after.iter().find(|(object, _)| object == name).unwrap().1.clone();
            assert_eq!(
                of("other.test")["DomainDnsResolutions"][0]["Ip"],
                "192.31.196.7",
                "{}",
                of("other.test")
            );
            assert!(!of("good.test").is_null() && !of("192.31.196.7").is_null());
        }
        // Also of a past moment.
        let past =
            Request { as_of: zonelens::value::Timestamp::parse("2024-05-31").ok(), ..Request::default() };
        assert!(world.ask(what, &past).is_err(), "{what}");
        // The bytes go, the answers stay.
        assert!(is_stored(&world, &subject(what)));
        let tidied = tidy(&world);
        assert_eq!(tidied.erased, [0], "{tidied:?}");
        assert!(!is_stored(&world, &subject(what)), "{what}");
        assert_same(&answers(&world), &after, what);
        let manifest = fs::read_to_string(world.store.folder().join("MANIFEST")).unwrap();
        assert!(!manifest.contains(what), "{manifest}");
        assert_eq!(tidy(&world), zonelens::store::Tidied::default(), "once is enough");
        assert!(world.store.verify().unwrap().damage.is_empty());
    }
}

#[test]
fn what_comes_later_is_known_again_and_a_retirement_brings_nothing_back() {
    let mut world = world();
    assert_eq!(world.store.merge(world.now, &Retention::default()).unwrap(), (3, 1));
    world.store.forget(&[subject("evil.test")], false, world.now).unwrap();
    tidy(&world);
    // The originals are made anew too.
    assert!(!is_stored(&world, &subject("evil.test")));
    world.store.retire(&[1], world.now).unwrap();
    assert!(world.ask("evil.test", &Request::default()).is_err());
    assert!(world.ask("192.31.196.7", &Request::default()).is_ok());
    world.feed("later", &facts("evil.test", "192.31.196.7"));
    assert_eq!(world.report("evil.test")["DomainDnsResolutions"][0]["HitsCount"], 1);
    // An old order says nothing of what came after it, also where both are merged before it is obeyed.
    world.store.forget(&[subject("good.test")], false, world.now).unwrap();
    world.feed("latest", &facts("good.test", "192.31.197.2"));
    world.store.merge(world.now, &Retention::default()).unwrap();
    tidy(&world);
    assert_eq!(world.report("good.test")["DomainDnsResolutions"][0]["HitsCount"], 1);
}

/// What a sequence of steps does to a store.
#[derive(Clone, Debug)]
enum Act {
    Forget(&'static str),
    Merge,
    Join,
    Tidy,
    Retire(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        prop::sample::select(vec!["evil.test", "192.31.196.7", "good.test"]).prop_map(Act::Forget),
        Just(Act::Merge),
        Just(Act::Join),
        Just(Act::Tidy),
        (0..3usize).prop_map(Act::Retire),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Whenever it is merged, joined, tidied or retired: the answers are those of forgetting at the end.
    #[test]
    fn forgetting_and_merging_commute(acts in prop::collection::vec(act(), 1..7)) {
        let (world, plain) = (world(), world());
        let mut retired = Vec::new();
        for act in &acts {
            let never = std::sync::atomic::AtomicBool::new(false);
            match act {
                Act::Forget(what) => drop(world.store.forget(&[subject(what)], false, world.now).unwrap()),
                Act::Merge => drop(world.store.merge(world.now, &Retention::default()).unwrap()),
                Act::Join => drop(world.store.join(world.now, 1, &never).unwrap()),
                Act::Tidy => drop(tidy(&world)),
                Act::Retire(number) if !retired.contains(number) && retired.len() < 2 => {
                    retired.push(*number);
                    world.store.retire(&[*number as u64 + 1], world.now).unwrap();
                    plain.store.retire(&[*number as u64 + 1], world.now).unwrap();
                }
                Act::Retire(_) => {}
            }
        }
        for act in &acts {
            if let Act::Forget(what) = act {
                plain.store.forget(&[subject(what)], false, world.now).unwrap();
            }
        }
        assert_same(&answers(&world), &answers(&plain), "commutes");
        tidy(&world);
        assert_same(&answers(&world), &answers(&plain), "commutes");
        for act in &acts {
            if let Act::Forget(what) = act {
                prop_assert!(!is_stored(&world, &subject(what)));
            }
        }
    }
}

#[test]
fn of_a_large_object_the_name_is_gone_at_once() {
    let mut world = World::new();
    let mut text = String::new();
    for number in 0..5_200 {
        let name = format!("n{number}.test");
        text += &seen(
            json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": "192.31.196.7"}}),
        );
    }
    // The most hit, so that it is shown first.
    for _ in 0..5 {
        text += &seen(
            json!({"fact": "resolution", "rrname": "evil.test", "rrtype": "A", "rdata": {"address": "192.31.196.7"}}),
        );
    }
    world.feed("dns", &text);
    let first = |world: &World| world.report("192.31.196.7")["IpDnsResolutions"][0]["Domain"].clone();
    assert_eq!(first(&world), "evil.test");
    world.store.forget(&[subject("evil.test")], false, world.now).unwrap();
    assert!(!world.report("192.31.196.7").to_string().contains("evil.test"));
    tidy(&world);
    assert!(!world.report("192.31.196.7").to_string().contains("evil.test"));
}

/// Whether any file of a data folder has these bytes as they are.
fn has_bytes(folder: &Path, wanted: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return has_bytes(&path, wanted);
        }
        fs::read(&path).unwrap().windows(wanted.len()).any(|window| window == wanted.as_bytes())
    })
}

#[test]
fn the_command_shows_asks_and_proves() {
    let program = Program::new();
    program.file(
        "facts.ndjson",
        facts("evil.test", "192.31.196.7") + "{\"fact\":\"pin\",\"indicator\":\"evil.test\"}\n",
    );
    program.file("zonelens.toml", "[telemetry]\ncontacts = true\n");
    program.ok(&["import", "facts.ndjson"]);
    assert!(has_bytes(&program.folder.join("zonelens-data/quarantine"), "evil.test"));
    let refused = program.run(&["forget", "evil.test"]);
    assert_eq!(refused.code, 2, "{}", refused.talk);
    assert!(
        refused.out.contains("rows in 1 of 1 runs name it") && refused.talk.contains("--yes"),
        "{}",
        refused.out
    );
    program.ok(&["lookup", "evil.test"]);
    assert_eq!(program.run(&["forget"]).code, 2);
    assert_eq!(program.run(&["forget", "a..b", "--yes"]).code, 2);
    let done = program.ok(&["forget", "www.evil.test", "--yes", "--also-in-future"]);
    assert!(done.out.contains("1 samples of rejected records"), "{}", done.out);
    assert_eq!(program.run(&["lookup", "evil.test"]).code, 3);
    assert_eq!(program.run(&["verify", "--forgotten", "evil.test"]).code, 1);
    assert_eq!(
        program.ok(&["merge", "--forget"]).out,
        "1 runs made anew without what must not be there\nforgotten number 0: nothing of it is left\n"
    );
    let proof = program.ok(&["verify", "--forgotten", "evil.test"]);
    assert!(proof.out.starts_with("0 rows in 0 of 1 runs"), "{}", proof.out);
    assert!(!has_bytes(&program.folder.join("zonelens-data"), "evil.test"));
    // It is kept out, and said so.
    let more = seen(
        json!({"fact": "resolution", "rrname": "a.evil.test", "rrtype": "A", "rdata": {"address": "192.31.196.9"}}),
    );
    program.file("more.ndjson", more + &facts("good.test", "192.31.197.2") + "not JSON evil.test\n");
    let summary = program.json(&["import", "--json", "more.ndjson"]);
    assert_eq!(summary["not_kept"], json!({"forgotten": 1}), "{summary}");
    assert!(!summary.to_string().contains("evil.test"), "{summary}");
    assert!(!has_bytes(&program.folder.join("zonelens-data"), "evil.test"));
    assert_eq!(program.run(&["note", "add", "--by", "ann", "evil.test", "back"]).code, 2);
    // A client.
    assert_eq!(program.run(&["verify", "--forgotten-client", "pc-7"]).code, 1);
    program.ok(&["forget", "--client", "pc-7", "--yes"]);
    program.ok(&["merge"]);
    program.ok(&["verify", "--forgotten-client", "pc-7"]);
    assert_eq!(program.ok(&["verify"]).code, 0);
}

#[test]
fn a_service_forgets_within_a_second_and_takes_the_bytes_out_by_itself() {
    let program = Program::new();
    program.file("facts.ndjson", facts("evil.test", "192.31.196.7"));
    program.ok(&["import", "facts.ndjson"]);
    let service = program.serve(&[]);
    assert_eq!(service.get("/api/domain/evil.test").status, 200);
    program.ok(&["forget", "evil.test", "--yes"]);
    until(|| service.get("/api/domain/evil.test").status == 404);
    assert!(!service.get("/api/ip/192.31.196.7").body.contains("evil.test"));
    until(|| program.run(&["verify", "--forgotten", "evil.test"]).code == 0);
    assert!(service.stop().1.contains("took out what must not be there"));
}
