//! The Traffic Light Protocol: what is restricted counts, is not named to those not entitled, and does not leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zonelens::feeds::State;
use zonelens::publications;
use zonelens::store::Reader;
use zonelens::value::Tlp;

use crate::report::check;
use crate::world::World;

const SECRET: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_BOTNET_CNC","reference":"operation nightfall"}
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.20"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"publication","id":"nightfall","type":"APT","title":"Operation Nightfall"}
{"fact":"mention","publication":"nightfall","indicator":"domain:bad.example"}
"#;

const OPEN: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_SUSPICIOUS"}
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.21"},"first":"2024-05-01","last":"2024-05-20","hits":2}
"#;

/// A source that says by itself that it is red, and one that the configuration calls amber.
fn world() -> World {
    let mut world = World::new();
    world.feed_marked("partner", State::Events, "2024-05-31", Tlp::Red, SECRET);
    world.feed("open", OPEN);
    world.feed_at("configured", State::Events, "2024-05-31", &SECRET.replace("nightfall", "daybreak"));
    world
}

fn reader(clearance: Tlp, is_export: bool) -> Reader {
    let marks = BTreeMap::from([("configured".to_owned(), Tlp::Amber)]);
    Reader { clearance, is_export, marks: Arc::new(marks), ..Reader::default() }
}

fn evidence(report: &Value, field: &str) -> Vec<String> {
    let evidence = report["Verdict"]["Evidence"].as_array().unwrap();
    let mut all: Vec<String> =
        evidence.iter().map(|one| one[field].as_str().unwrap_or("null").to_owned()).collect();
    all.sort();
    all
}

fn addresses(report: &Value) -> Vec<&str> {
    let rows = report["DomainDnsResolutions"].as_array().unwrap();
    rows.iter().map(|row| row["Ip"].as_str().unwrap()).collect()
}

#[test]
fn restricted_sources_count_and_are_not_named_to_those_not_entitled() {
    let mut world = world();
    let all = world.report("bad.example");
    assert_eq!(evidence(&all, "Source"), ["configured", "open", "partner"]);
    for (clearance, named) in [
        (Tlp::Red, ["configured", "open", "partner"]),
        (Tlp::AmberStrict, ["configured", "open", "restricted"]),
        (Tlp::Green, ["open", "restricted", "restricted"]),
    ] {
        world.reader = reader(clearance, false);
        let report = world.report("bad.example");
        // Two that are called the same cannot be told apart by who does the sum again.
        if clearance > Tlp::Green {
            check("domain", &report);
        }
        assert_eq!(evidence(&report, "Source"), named, "{clearance}");
        // The zone, the score and what was observed are the same for everybody.
        for same in ["Zone", "DomainDnsResolutions"] {
            assert_eq!(report[same], all[same], "{clearance}");
        }
        assert_eq!(report["Verdict"]["ThreatScore"], all["Verdict"]["ThreatScore"]);
        let text = report.to_string();
        assert_eq!(text.contains("operation nightfall"), clearance == Tlp::Red, "{clearance}");
        assert_eq!(text.contains("partner"), clearance == Tlp::Red, "{clearance}");
    }
    let apt = |world: &World| world.report("bad.example")["DomainGeneralInfo"]["RelatedAptReports"].clone();
    world.reader = reader(Tlp::Red, false);
    assert_eq!(apt(&world).as_array().unwrap().len(), 2);
    world.reader = reader(Tlp::Green, false);
    assert_eq!(apt(&world), Value::Array(Vec::new()), "a title would name who said it");
    assert_eq!(world.report("bad.example")["DomainGeneralInfo"]["HasApt"], false);
}

#[test]
fn intelligence_reports_of_restricted_sources_are_not_there() {
    let world = world();
    let ids = |clearance: Tlp| -> Vec<String> {
        let snapshot = world.store.snapshot().unwrap().for_reader(&reader(clearance, false));
        let reports = publications::list(&snapshot.view(None), None, None).unwrap();
        reports.into_iter().map(|report| report.id).collect()
    };
    assert_eq!(ids(Tlp::Red), ["daybreak", "nightfall"]);
    assert_eq!(ids(Tlp::Amber), ["daybreak"]);
    assert_eq!(ids(Tlp::Green), [""; 0]);
}

#[test]
fn what_is_restricted_does_not_leave() {
    let mut world = world();
    let all = world.report("bad.example");
    assert_eq!(addresses(&all), ["192.31.196.20", "192.31.196.21"]);
    world.reader = reader(Tlp::Green, true);
    let report = world.report("bad.example");
    assert_eq!(
        (evidence(&report, "Source"), addresses(&report)),
        (vec!["open".to_owned()], vec!["192.31.196.21"])
    );
    assert_eq!(
        (&report["Zone"], &report["Verdict"]["ThreatScore"]),
        (&all["Zone"], &all["Verdict"]["ThreatScore"])
    );
    for word in ["nightfall", "daybreak", "Nightfall", "partner", "configured", "restricted"] {
        assert!(!report.to_string().contains(word), "{word}");
    }
    // A bundle is passed on, up to what the configuration says and up to amber, whoever asks for it.
    for export in [Tlp::Green, Tlp::Amber, Tlp::Red] {
        world.reader = Reader { export, ..reader(Tlp::Red, false) };
        let bundle = world.bundle("bad.example");
        crate::schema::assert_valid("stix.json", &bundle);
        let bundle = bundle.to_string();
        let is_amber = export >= Tlp::Amber;
        for (word, leaves) in [("192.31.196.21", true), ("daybreak", is_amber), ("nightfall", false)] {
            assert_eq!(bundle.contains(word), leaves, "{word}: {bundle}");
        }
    }
    // To those who may have it, all of it leaves.
    world.reader = reader(Tlp::Red, true);
    assert_eq!(world.report("bad.example"), all);
}
