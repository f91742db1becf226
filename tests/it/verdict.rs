//! What the policy makes of benign lists, of URLs and of moments; and the worked example of docs/verdict.md.

use proptest::prelude::*;
use serde_json::Value;
use zonelens::fact::Action;
use zonelens::feeds::State;
use zonelens::indicator::{DomainName, Url};
use zonelens::lookup::Request;
use zonelens::value::{Timestamp, Zone};
use zonelens::verdict::policy::DEFAULT;
use zonelens::verdict::{Judge, Policy, Verdict};

use crate::world::World;

/// The default policy with rows of its own in `[lists]`.
fn policy(lists: &str) -> Policy {
    Policy::parse(&DEFAULT.replace("[lists]\n", &format!("[lists]\n{lists}\n"))).unwrap()
}

fn listing(kind: &str, mask: &str, category: &str) -> String {
    format!(r#"{{"fact":"listing","type":"MASK_TYPE_{kind}","mask":"{mask}","category":"{category}"}}"#)
}

fn benign(kind: &str, mask: &str, rest: &str) -> String {
    format!(r#"{{"fact":"benign","type":"MASK_TYPE_{kind}","mask":"{mask}"{rest}}}"#)
}

/// A world in which each source says a line now, as all that it says.
fn world(policy: Policy, lines: &[(&str, String)]) -> World {
    let mut world = World::new();
    world.policy = policy;
    for (source, facts) in lines {
        world.feed_at(source, State::Whole, "2024-06-01T11:00:00Z", facts);
    }
    world
}

fn answer(world: &World, indicator: &str) -> (String, u64) {
    let report = world.report(indicator);
    (report["Zone"].as_str().unwrap().to_owned(), report["Verdict"]["ThreatScore"].as_u64().unwrap())
}

fn url(world: &World, text: &str) -> Verdict {
    world.store.refresh();
    let snapshot = world.store.snapshot().unwrap();
    let view = snapshot.view(None);
    Judge::new(&view, &world.policy, world.now).url(&Url::parse(text).unwrap()).unwrap()
}

#[test]
fn the_policy_speaks_of_a_list_by_its_name_or_its_source() {
    let named = r#","list":"Our customers""#;
    for (lists, entry, expected) in [
        // By the name of the list, by that of the source, and the list before the source.
        (r#""Our customers" = { action = "suppress" }"#, named, ("Green", 0)),
        (r#""ours" = { action = "cap", cap = 30 }"#, named, ("Grey", 30)),
        (
            "\"ours\" = { action = \"suppress\" }\n\"Our customers\" = { action = \"annotate\" }",
            named,
            ("Red", 86),
        ),
        // A list that is not named does as the entry says of itself, else as its topic, else nothing.
        ("", r#","list":"Our customers","action":"suppress""#, ("Green", 0)),
        ("", r#","list":"Our customers","category":"BANKS""#, ("Grey", 25)),
        ("", named, ("Red", 86)),
        // The policy goes before what the entry says of itself.
        (
            r#""Our customers" = { action = "annotate" }"#,
            r#","list":"Our customers","action":"suppress""#,
            ("Red", 86),
        ),
    ] {
        let lines = [
            ("threats", listing("HOST", "shop.example", "MALWARE")),
            ("ours", benign("HOST", "shop.example", entry)),
        ];
        let world = world(policy(lists), &lines);
        assert_eq!(answer(&world, "shop.example"), (expected.0.to_owned(), expected.1), "{lists} {entry}");
    }
}

#[test]
fn popularity_holds_down_by_rank_and_a_suspicion_further() {
    for (rank, category, expected) in [
        (1_000, "MALWARE", ("Grey", 49)),
        (1_001, "MALWARE", ("Orange", 60)),
        (1_001, "SUSPICIOUS", ("Grey", 49)),
        (10_001, "MALWARE", ("Orange", 74)),
        (10_001, "SUSPICIOUS", ("Grey", 49)),
        (100_001, "MALWARE", ("Orange", 74)),
        (100_001, "SUSPICIOUS", ("Orange", 59)),
        (500, "ADWARE", ("Yellow", 41)),
    ] {
        let lines = [
            ("threats", listing("HOST", "shop.example", category)),
            ("ranks", benign("HOST", "shop.example", &format!(r#","rank":{rank}"#))),
        ];
        let found = answer(&world(Policy::built_in(), &lines), "shop.example");
        assert_eq!(found, (expected.0.to_owned(), expected.1), "{rank} {category}");
    }
}

#[test]
fn names_match_by_whole_labels_and_only_some_lists_speak_for_what_is_below() {
    let lists = "\"all\" = { action = \"suppress\" }\n\"itself\" = { action = \"suppress\", below = false }";
    for (name, entry, kind, list, zone) in [
        ("deep.shop.example", "*.shop.example", "DOMAIN", "all", "Green"),
        ("shop.example", "*.shop.example", "DOMAIN", "itself", "Green"),
        ("deep.shop.example", "*.shop.example", "DOMAIN", "itself", "Red"),
        ("deep.shop.example", "shop.example", "HOST", "all", "Red"),
        // The end of a name is not a label; what is written otherwise is the same name.
        ("workshop.example", "*.shop.example", "DOMAIN", "all", "Red"),
        ("WWW.Shop.Example.", "shop.example", "HOST", "all", "Green"),
        ("bücher.example", "*.xn--bcher-kva.example", "DOMAIN", "all", "Green"),
    ] {
        let listed = name.parse::<DomainName>().unwrap();
        let lines = [
            ("threats", listing("HOST", listed.without_www(), "MALWARE")),
            ("benign", benign(kind, entry, &format!(r#","list":"{list}""#))),
        ];
        assert_eq!(answer(&world(policy(lists), &lines), name).0, zone, "{name} {entry} {list}");
    }
}

#[test]
fn of_a_list_the_longest_match_speaks() {
    let entry = |kind: &str, mask: &str, action: &str| {
        benign(kind, mask, &format!(r#","list":"ours","action":"{action}""#))
    };
    let names = [
        entry("DOMAIN", "*.shop.example", "suppress"),
        entry("DOMAIN", "*.pages.shop.example", "annotate"),
        entry("HOST", "own.pages.shop.example", "suppress"),
        entry("NETWORK", "192.0.32.0/20", "suppress"),
        entry("NETWORK", "192.0.43.0/24", "annotate"),
        entry("HOST", "192.0.43.10", "suppress"),
    ];
    let listed = [
        "shop.example",
        "a.shop.example",
        "pages.shop.example",
        "a.pages.shop.example",
        "own.pages.shop.example",
        "192.0.33.8",
        "192.0.43.8",
        "192.0.43.10",
    ];
    let threats: Vec<String> = listed.iter().map(|name| listing("HOST", name, "MALWARE")).collect();
    let lines = [("threats", threats.join("\n")), ("benign", names.join("\n"))];
    let world = world(Policy::built_in(), &lines);
    let zones: Vec<String> = listed.iter().map(|name| answer(&world, name).0).collect();
    assert_eq!(zones, ["Green", "Green", "Red", "Red", "Green", "Green", "Red", "Green"]);
    let benign = world.report("a.pages.shop.example")["Verdict"]["Benign"].clone();
    assert_eq!(benign.as_array().unwrap().len(), 1, "the shorter entry does not speak: {benign}");
}

#[test]
fn the_longest_prefix_of_a_url_speaks() {
    let entry =
        |mask: &str, action: &str| benign("FOLDER", mask, &format!(r#","list":"ours","action":"{action}""#));
    let benign =
        [entry("shop.example/files/*", "suppress"), entry("shop.example/files/theirs/*", "annotate")];
    let lines =
        [("threats", listing("FOLDER", "shop.example/files/*", "MALWARE")), ("benign", benign.join("\n"))];
    let world = world(Policy::built_in(), &lines);
    assert_eq!(url(&world, "http://shop.example/files/a.exe").zone, Zone::Green);
    assert_eq!(url(&world, "HTTPS://WWW.Shop.Example:443/x/../Files//Theirs/a.exe").zone, Zone::Red);
    assert_eq!(url(&world, "http://shop.example/files/theirsandmore").zone, Zone::Green, "a folder is whole");
}

#[test]
fn malware_on_a_path_of_a_popular_host_is_seen_and_the_host_stays_clean() {
    let popular = ("ranks", benign("HOST", "shop.example", r#","rank":12"#));
    let world = world(
        Policy::built_in(),
        &[("threats", listing("URL", "shop.example/share/a.exe", "MALWARE")), popular],
    );
    assert_eq!(answer(&world, "shop.example"), ("Green".to_owned(), 0));
    let bad = url(&world, "http://shop.example/share/a.exe");
    assert_eq!((bad.zone, bad.score.0), (Zone::Red, 86));
    assert!(bad.benign.iter().all(|one| one.effect.action == Action::Annotate), "shown, and without effect");
    // An unknown path of a popular host is neither bad nor washed clean.
    let unknown = url(&world, "http://shop.example/share/b.exe");
    assert_eq!((unknown.zone, unknown.score.0), (Zone::Grey, 0));
}

#[test]
fn a_popular_host_that_is_listed_is_held_down_in_the_verdict_on_its_urls_too() {
    let lines = [
        ("threats", listing("HOST", "shop.example", "MALWARE")),
        ("ranks", benign("HOST", "shop.example", r#","rank":12"#)),
    ];
    let world = world(Policy::built_in(), &lines);
    assert_eq!(answer(&world, "shop.example"), ("Grey".to_owned(), 49));
    assert_eq!(url(&world, "http://shop.example/").score.0, 49);
}

#[test]
fn rows_of_the_policy_that_cannot_be_are_named() {
    let wrong = |lists: &str| Policy::parse(&DEFAULT.replace("[lists]\n", &format!("[lists]\n{lists}\n")));
    for (lists, part) in [
        (r#""a" = { action = "cap" }"#, "a cap stands with"),
        (r#""a" = { action = "annotate", cap = 3 }"#, "a cap stands with"),
        (r#""a" = { action = "cap", cap = 101 }"#, "0 to 100"),
        (r#""a" = { action = "cap", cap = 3, cap_suspicion = 4 }"#, "no greater than cap"),
        (r#""a" = { action = "suppress", cap_suspicion = 4 }"#, "no greater than cap"),
        (r#""a" = { action = "capp", cap = 3 }"#, "unknown variant"),
    ] {
        let problem = wrong(lists).unwrap_err();
        assert!(problem.contains(part), "{lists}: {problem}");
    }
    assert!(wrong(r#""a" = { action = "cap", cap = 101 }"#).unwrap_err().contains("lists.a"));
}

/// A fact on `shop.example`, its source, and the hour at which it is imported.
fn fact() -> impl Strategy<Value = (usize, String, bool)> {
    let category = prop::sample::select(vec!["MALWARE", "PHISHING", "SUSPICIOUS", "PROXY", "ADWARE"]);
    let mask = prop::sample::select(vec![("HOST", "shop.example"), ("DOMAIN", "*.shop.example")]);
    let days = 1..60_u32;
    let listed = (0..3_usize, category, mask, days).prop_map(|(source, category, (kind, mask), days)| {
        let first = Timestamp(Timestamp::parse("2024-05-31").unwrap().0 - i64::from(days) * 86_400);
        let line = listing(kind, mask, category)
            .replace("}", &format!(r#","first":"{first}","last":"{first}","reference":"{source}-{days}"}}"#));
        (source, line, true)
    });
    let rest = prop::sample::select(vec![
        r#","rank":500"#,
        r#","rank":5000"#,
        r#","rank":50000"#,
        r#","list":"a","category":"BANKS""#,
        r#","list":"b","category":"SINKHOLE""#,
    ]);
    let spoken = rest.prop_map(|rest| (3, benign("HOST", "shop.example", rest), false));
    prop_oneof![3 => listed, 1 => spoken]
}

/// The verdict on `shop.example` when these facts come one batch after the other.
fn verdict(facts: &[(usize, String, bool)], as_of: Option<&str>) -> Value {
    let mut world = World::new();
    for (source, line, _) in facts {
        let name = ["one", "two", "three", "benign"][*source];
        world.feed_at(name, State::Events, "2024-05-31", line);
    }
    let request = Request { as_of: as_of.map(|at| Timestamp::parse(at).unwrap()), ..Request::default() };
    let mut report = world.ask("shop.example", &request).unwrap();
    // An answer for a past moment says up to when telemetry was used: the end of its day.
    report["Verdict"]["AsOf"].take();
    report["Verdict"].take()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_verdict_follows_from_the_facts_and_the_moment_alone(
        (facts, shuffled) in prop::collection::vec(fact(), 1..6)
            .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        more in fact(),
    ) {
        let plain = verdict(&facts, None);
        prop_assert_eq!(&plain, &verdict(&shuffled, None), "the order of imports");
        prop_assert_eq!(&plain, &verdict(&facts, Some(crate::world::NOW)), "as_of now");
        let with = verdict(&[facts, vec![more.clone()]].concat(), None);
        let (before, after) = (plain["ThreatScore"].as_u64(), with["ThreatScore"].as_u64());
        prop_assert!(if more.2 { after >= before } else { after <= before }, "{} and {}", plain, with);
    }
}

const PAGE: &str = include_str!("../../docs/verdict.md");

#[test]
fn the_example_of_the_documents_comes_out() {
    let json = PAGE.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let example: Value = serde_json::from_str(json).unwrap();
    let (text, number) =
        (|value: &Value| value.as_str().unwrap().to_owned(), |value: &Value| value.as_f64().unwrap());
    let rows = example["evidence"].as_array().unwrap();

    // As the program has it.
    let mut world = World::new();
    world.now = Timestamp::parse(&text(&example["now"])).unwrap();
    for import in example["imports"].as_array().unwrap() {
        let state = if import["state"] == "whole" { State::Whole } else { State::Events };
        world.feed_at(&text(&import["source"]), state, &text(&import["at"]), &import["fact"].to_string());
    }
    let verdict = world.report(&text(&example["object"]))["Verdict"].take();
    let found = verdict["Evidence"].as_array().unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(rows) {
        for (key, expected) in row.as_object().unwrap() {
            match expected.as_f64() {
                Some(expected) => {
                    let found = number(&found[key]);
                    assert!((found - expected).abs() < 1e-9, "{key} is {found}, the page has {expected}");
                }
                None => assert_eq!(&found[key], expected, "{key}"),
            }
        }
    }
    assert_eq!(verdict["Benign"][0]["Cap"], example["cap"]);
    assert_eq!((&verdict["ThreatScore"], &verdict["Zone"]), (&example["score"], &example["zone"]));

    // By hand.
    let mut left = 1.0;
    for row in rows {
        let decay = 1.0 - (number(&row["Age"]) / number(&row["Lifetime"])).powf(1.0 / number(&row["Speed"]));
        assert!((decay - number(&row["Decay"])).abs() < 5e-5, "{decay}");
        let factors = ["Weight", "SourceConfidence", "Decay", "Factor"];
        let product: f64 = factors.iter().map(|key| number(&row[*key])).product();
        assert!((number(&row["Contribution"]) - product).abs() < 1e-9, "{product}");
        left *= if row["Zone"] == "Red" { 1.0 - product } else { 1.0 };
    }
    let red = 100.0 * (1.0 - left);
    assert!((red - number(&example["red"])).abs() < 5e-4, "{red}");
    assert_eq!(red.min(number(&example["cap"])).round(), number(&example["score"]));
}

#[test]
fn the_table_of_the_documents_is_the_policy() {
    let policy = Policy::built_in();
    let rows = PAGE.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let ageing = policy.categories.get(*cells.first()?)?;
        Some((cells, *ageing))
    });
    let mut seen = 0;
    for (cells, ageing) in rows {
        let lifetime = ageing.lifetime_days.unwrap().to_string();
        let score = (100.0 * ageing.weight * policy.confidence + 0.5 + 1e-9).floor();
        let zone = if score >= 75.0 {
            "Red"
        } else if score >= 50.0 {
            "Orange"
        } else {
            "Yellow"
        };
        let expected =
            [ageing.weight.to_string(), lifetime, ageing.speed.to_string(), format!("{score} {zone}")];
        assert_eq!(cells[1..5], expected, "{}", cells[0]);
        seen += 1;
    }
    assert_eq!(seen, policy.categories.len());
}
