//! Explanations of verdicts: the same figures as the `Verdict` section has, and checks of policies.

use serde_json::Value;
use zonelens::explain::explain;
use zonelens::feeds::State;
use zonelens::indicator::Indicator;
use zonelens::lookup::{Context, Licence};
use zonelens::verdict::Policy;

use crate::program::{Program, text};
use crate::recompute;
use crate::world::World;

const POLICY: &str = include_str!("../data/policy.toml");

/// Every branch of the formula: all zones, evidence that counts with another, caps, a suppression, a pin, ages.
pub fn world() -> World {
    let mut world = World::new();
    world.policy = Policy::parse(POLICY).unwrap();
    let listing = |mask: &str, category: &str| {
        let kind = if mask.starts_with("*.") {
            "DOMAIN"
        } else if mask.contains("*") {
            "WILDCARD"
        } else if mask.contains('/') {
            "NETWORK"
        } else {
            "HOST"
        };
        format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_{kind}","mask":"{mask}","category":"CATEGORY_{category}"}}"#
        ) + "\n"
    };
    for (source, at, state) in [
        ("first", "2024-05-31", State::Whole),
        ("second", "2024-05-01", State::Events),
        ("third", "2024-04-01", State::Events),
    ] {
        let facts = listing("red.example", "MALWARE")
            + &listing("*.red.example", "PHISHING")
            + &listing("orange.example", "SUSPICIOUS")
            + &listing("yellow.example", "ADWARE")
            + &listing("popular.example", "MALWARE")
            + &listing("pinned.example", "SPAM")
            + &listing("resolver.example", "ADWARE")
            + &listing("192.31.196.0/24", "BOTNET_CNC")
            + &listing("192.31.196.7", "TOR_EXIT_NODE");
        world.feed_at(source, state, at, &facts);
    }
    world.feed_at("third", State::Events, "2024-04-02", &listing("grey.example", "SUSPICIOUS"));
    world.feed(
        "benign",
        r#"{"fact":"benign","type":"MASK_TYPE_HOST","mask":"popular.example","rank":5400}
        {"fact":"benign","type":"MASK_TYPE_HOST","mask":"resolver.example","category":"CATEGORY_PUBLIC_DNS"}
        {"fact":"benign","type":"MASK_TYPE_HOST","mask":"good.example","rank":5}
        {"fact":"benign","type":"MASK_TYPE_HOST","mask":"red.example","category":"CATEGORY_CLOUD_SERVICES"}"#,
    );
    let below = listing("below.parent.example", "MALWARE") + &listing("parent.example", "ADWARE");
    world.feed_at("third", State::Events, "2024-05-03", &below);
    world.feed(
        "people",
        r#"{"fact":"pin","indicator":"domain:pinned.example","zone":"Yellow","reason":"checked","by":"ann","expires":"2024-07-01"}"#,
    );
    world
}

const OBJECTS: [&str; 12] = [
    "parent.example",
    "grey.example",
    "red.example",
    "sub.red.example",
    "orange.example",
    "yellow.example",
    "popular.example",
    "pinned.example",
    "resolver.example",
    "good.example",
    "192.31.196.7",
    "192.31.196.8",
];

fn explained(world: &World, indicator: &str) -> Value {
    world.store.refresh();
    let licence = Licence::default();
    let context = Context {
        store: &world.store,
        policy: &world.policy,
        licence,
        now: world.now,
        round_counts: false,
        reader: zonelens::store::Reader::default(),
    };
    let explanation = explain(&context, &Indicator::parse(indicator).unwrap(), None).unwrap();
    serde_json::to_value(&explanation).unwrap()
}

/// The value of a step; the last of its name.
fn step(explanation: &Value, name: &str) -> String {
    let steps = explanation["steps"].as_array().unwrap();
    let found = steps.iter().rev().find(|step| step["step"] == name);
    found.unwrap_or_else(|| panic!("no step {name}: {explanation:#}"))["value"].as_str().unwrap().to_owned()
}

#[test]
fn an_explanation_is_the_verdict_section_redone() {
    let world = world();
    let mut zones = std::collections::BTreeSet::new();
    for object in OBJECTS {
        let report = world.report(object);
        let verdict = &report["Verdict"];
        // The section follows from its own evidence, by arithmetic that shares no code with the program.
        recompute::recompute(verdict).unwrap_or_else(|problem| panic!("{object}: {problem}"));
        let explanation = explained(&world, object);
        zones.insert(verdict["Zone"].as_str().unwrap().to_owned());
        assert_eq!(explanation["zone"], verdict["Zone"], "{object}");
        assert_eq!(explanation["score"], verdict["ThreatScore"], "{object}");
        assert_eq!(explanation["confidence"], verdict["Confidence"], "{object}");
        assert_eq!(step(&explanation, "zone"), verdict["Zone"], "{object}");
        assert_eq!(step(&explanation, "score"), verdict["ThreatScore"].to_string(), "{object}");
        let (rows, section) =
            (explanation["evidence"].as_array().unwrap(), verdict["Evidence"].as_array().unwrap());
        assert_eq!(rows.len(), section.len(), "{object}");
        for (row, expected) in rows.iter().zip(section) {
            for (name, section_name) in [
                ("source", "Source"),
                ("category", "Category"),
                ("zone", "Zone"),
                ("indicator", "Indicator"),
                ("match", "Match"),
                ("age", "Age"),
                ("weight", "Weight"),
                ("source_confidence", "SourceConfidence"),
                ("decay", "Decay"),
                ("factor", "Factor"),
                ("contribution", "Contribution"),
                ("counted_with", "CountedWith"),
            ] {
                assert_eq!(row[name], expected[section_name], "{object}: {name}");
            }
        }
        // S(Red) by hand from the section's rows.
        let counted = section.iter().filter(|row| row["CountedWith"].is_null() && row["Zone"] == "Red");
        let miss: f64 = counted.map(|row| 1.0 - row["Contribution"].as_f64().unwrap()).product();
        assert_eq!(step(&explanation, "S(Red)"), format!("{:.4}", 100.0 * (1.0 - miss)), "{object}");
    }
    assert_eq!(zones.len(), 5, "the world has every zone: {zones:?}");
    let capped = explained(&world, "popular.example");
    assert_eq!((step(&capped, "cap"), step(&capped, "after caps")), ("60".into(), "60.0000".into()));
    let related = explained(&world, "parent.example");
    assert_eq!(
        (step(&related, "related"), step(&related, "before caps")),
        ("49.0000".into(), "49.0000".into())
    );
    assert!(
        related["evidence"].as_array().unwrap().iter().any(|row| row["match"] == "related"),
        "{related:#}"
    );
    let pinned = explained(&world, "pinned.example");
    assert_eq!((step(&pinned, "pin"), step(&pinned, "score")), ("Yellow".into(), "49".into()));
    assert!(step(&pinned, "rounded").parse::<u8>().unwrap() > 49);
    assert_eq!(step(&explained(&world, "resolver.example"), "suppress"), "0");
}

#[test]
fn the_program_explains_as_a_table_and_as_json() {
    let program = Program::new();
    program.file("list.txt", "bad.example\n");
    program.file("policy.toml", POLICY);
    program.file("zonelens.toml", "policy = \"policy.toml\"\n");
    program.ok(&["import", "--category", "PHISHING", "list.txt"]);
    let told = program.ok(&["policy", "explain", "BAD[.]example"]).out;
    for line in [
        "bad.example  Red: Dangerous  score 86 of 100",
        "  S(Red)                  85.5000  100 × (1 − (1 − 0.855000))",
        "  rounded                      86  once, half up",
        "  zone                        Red  75 to 100",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let json = program.json(&["policy", "explain", "--json", "http://bad.example/path"]);
    assert_eq!((&json["zone"], &json["kind"]), (&Value::from("Red"), &Value::from("url")));
    assert_eq!(json["evidence"][0]["match"], "parent");
    let nothing = program.ok(&["policy", "explain", "--as-of", "2024-05-01", "bad.example"]).out;
    assert!(nothing.contains("Grey: Not categorized  score 0") && nothing.contains("  none\n"), "{nothing}");
    for (code, arguments) in
        [(2, vec!["a..b"]), (2, vec!["--as-of", "2025-01-01", "bad.example"]), (2, vec![])]
    {
        assert_eq!(program.run(&[vec!["policy", "explain"], arguments].concat()).code, code);
    }
}

#[test]
fn policies_are_checked_against_what_is_stored() {
    let program = Program::new();
    let built_in = program.ok(&["policy", "check"]).out;
    assert!(built_in.contains("the built-in policy is sound: default version "), "{built_in}");
    assert!(built_in.contains("there is no store in"), "{built_in}");
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "list.txt"]);
    let own = format!("{POLICY}\n[sources.lst]\nweight = 0.5\n[sources.list]\nderived_from = \"other\"\n");
    let lines = own.lines().count();
    program.file("own.toml", &own);
    let told = program.ok(&["policy", "check", "own.toml"]).out;
    for said in [
        format!("line {}, sources.lst: no stored source is named \"lst\": stored are list", lines - 3),
        format!("line {lines}, sources.list.derived_from: no stored source is named \"other\""),
        "categories: no stored source has ADWARE, APT,".to_owned(),
    ] {
        assert!(told.contains(&said), "{said}\n{told}");
    }
    let unused = told.lines().find(|line| line.starts_with("warning: categories")).unwrap();
    assert!(!unused.contains("MALWARE"), "the list is of malware: {unused}");
    let broken = program.file("broken.toml", POLICY.replace("mask = 0.9", "mask = 9"));
    let ran = program.run(&["policy", "check", text(&broken)]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.talk.contains("factors.mask: mask is 9: use 0 to 1") && ran.talk.contains("line "),
        "{}",
        ran.talk
    );
    assert_eq!(program.run(&["policy", "check", "none.toml"]).code, 2);
}
