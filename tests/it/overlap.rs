//! How much of each source stands in each other one: against sets counted by hand, merged or not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::overlap::{Overlap, SourceOverlap, overlap};
use zonelens::store::merge::Retention;
use zonelens::verdict::Policy;

use crate::program::Program;
use crate::world::World;

/// The listing of the n-th indicator: each kind of mask, of both families, and a file.
fn listing(number: usize, more: &str) -> String {
    let what = match number % 8 {
        0 => format!(r#""type":"MASK_TYPE_HOST","mask":"name-{number}.example""#),
        1 => format!(r#""type":"MASK_TYPE_DOMAIN","mask":"*.wide-{number}.example""#),
        2 => format!(r#""type":"MASK_TYPE_NETWORK","mask":"192.31.{number}.0/24""#),
        3 => format!(r#""type":"MASK_TYPE_NETWORK","mask":"2620:4f:{number:x}::/48""#),
        4 => format!(r#""type":"MASK_TYPE_URL","mask":"host.example/path/{number}""#),
        5 => format!(r#""type":"MASK_TYPE_WILDCARD","mask":"*-{number}.exam*""#),
        6 => format!(r#""type":"MASK_TYPE_HOST","mask":"192.31.196.{number}""#),
        _ => format!(r#""file":{{"md5":"{number:032x}"}}"#),
    };
    format!(r#"{{"fact":"listing",{what},"category":"CATEGORY_MALWARE"{more}}}"#) + "\n"
}

fn listings(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(|number| listing(number, "")).collect()
}

fn compared(world: &World) -> Overlap {
    world.store.refresh();
    overlap(&world.store, &world.policy, world.now).unwrap()
}

fn source<'o>(overlap: &'o Overlap, name: &str) -> &'o SourceOverlap {
    overlap.sources.iter().find(|one| one.source == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Three sources: an original, a copy that lags behind it, and one of its own with some of both.
fn world() -> World {
    let mut world = World::new();
    world.policy = Policy::parse(include_str!("../data/policy.toml")).unwrap();
    world.feed_at("original", State::Whole, "2024-05-20", &listings(0..40));
    world.feed_at("original", State::Whole, "2024-05-29", &listings(20..100));
    world.feed_at("copy", State::Whole, "2024-05-25", &listings(25..30));
    world.feed_at("copy", State::Whole, "2024-05-31", &listings(25..95));
    world.feed_at("other", State::Events, "2024-05-30", &listings((90..120).chain([20, 20])));
    // What has expired is listed no longer.
    let gone = listing(30, r#","until":"2024-05-01""#) + &listing(200, r#","until":"2024-05-01""#);
    world.feed_at("other", State::Events, "2024-04-30", &gone);
    world
}

#[test]
fn shares_are_those_of_sets_whether_runs_are_merged_or_not() {
    let world = world();
    let before = compared(&world);
    // What the newest states list, what was dropped and still ages, and what events list.
    let sets: [(&str, BTreeSet<usize>); 3] = [
        ("original", (0..100).collect()),
        ("copy", (25..95).collect()),
        ("other", (90..120).chain([20]).collect()),
    ];
    assert_eq!(before.sources.len(), 3);
    assert_eq!(before.listed, 120);
    for (name, set) in &sets {
        let one = source(&before, name);
        assert_eq!(one.listed, set.len() as u64, "{name}");
        let others: BTreeSet<usize> =
            sets.iter().filter(|(other, _)| other != name).flat_map(|(_, set)| set.clone()).collect();
        assert_eq!(one.unique, set.difference(&others).count() as u64, "{name}");
        assert_eq!(one.unique_share, one.unique as f64 / set.len() as f64);
        for (other, theirs) in sets.iter().filter(|(other, _)| other != name) {
            let shared = one.shared.iter().find(|shared| shared.with == *other);
            assert_eq!(
                shared.map_or(0, |one| one.shared),
                set.intersection(theirs).count() as u64,
                "{name} {other}"
            );
        }
    }
    let pair = |name: &str, other: &str| {
        source(&before, name).shared.iter().find(|one| one.with == other).unwrap().clone()
    };
    // The copy had 25..30 in its first import, so nobody knows since when; of the rest the original was first.
    let copied = pair("copy", "original");
    assert_eq!((copied.shared, copied.first, copied.later, copied.share), (70, 0, 65, 1.0));
    assert_eq!((pair("original", "copy").first, pair("original", "copy").later), (65, 0));
    assert_eq!(source(&before, "copy").perhaps_derived_from.as_deref(), Some("original"));
    assert_eq!(source(&before, "original").perhaps_derived_from, None);
    assert_eq!(source(&before, "other").perhaps_derived_from, None);
    world.store.merge(world.now, &Retention::default()).unwrap();
    assert_eq!(compared(&world), before);
}

#[test]
fn a_source_that_the_policy_derives_is_not_suggested_again() {
    let mut world = world();
    let text =
        include_str!("../data/policy.toml").to_owned() + "[sources.copy]\nderived_from = \"original\"\n";
    world.policy = Policy::parse(&text).unwrap();
    let overlap = compared(&world);
    let copy = source(&overlap, "copy");
    assert_eq!((copy.derived_from.as_deref(), &copy.perhaps_derived_from), (Some("original"), &None));
}

#[test]
fn the_program_and_the_service_compare_sources() {
    let program = Program::new();
    let names = |range: std::ops::Range<u32>| {
        range.map(|number| format!("name-{number}.example\n")).collect::<String>()
    };
    for (source, day, range) in
        [("first", "2024-05-01", 0..30), ("second", "2024-05-10", 0..1), ("second", "2024-05-20", 0..30)]
    {
        let file = format!("{source}-{day}.txt");
        program.file(&file, names(range));
        program.ok(&["import", "--source", source, "--observed-at", day, "--learnt-at", day, &file]);
    }
    let text = program.ok(&["sources", "overlap"]).out;
    assert!(text.contains("second may be derived from first"), "{text}");
    assert!(
        text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>()
            == ["second", "30", "0", "0.0", "%", "first", "30", "100.0", "%", "0", "29"]),
        "{text}"
    );
    let json = program.json(&["sources", "overlap", "--json"]);
    assert_eq!(json["listed"], 30);
    let service = program.serve(&[]);
    let answer = service.get("/api/v1/sources/overlap");
    assert_eq!((answer.status, &answer.json()), (200, &json));
    assert_eq!(service.get("/api/v1/sources/overlap").json(), json, "the kept one is the same");
    program.file("third.txt", names(0..5));
    program.ok(&["import", "third.txt"]);
    let waited = crate::program::until(|| {
        service.get("/api/v1/sources/overlap").json()["sources"].as_array().map(Vec::len) == Some(3)
    });
    assert!(waited < std::time::Duration::from_secs(5), "{waited:?}");
    let empty = Program::new();
    assert_eq!(empty.run(&["sources", "overlap"]).code, 1, "there is no store");
    assert_eq!(empty.serve(&[]).get("/api/v1/sources/overlap").json()["sources"], json!([]) as Value);
}
