//! The demo: what a new user looks up first says something in every section.

use serde_json::Value;
use zonelens::demo;
use zonelens::indicator::Indicator;
use zonelens::lookup::{self, Context, Licence, Request};
use zonelens::store::Store;
use zonelens::value::Timestamp;
use zonelens::verdict::Policy;

use crate::report::check;
use crate::world::Folder;

fn reports() -> Vec<(&'static str, &'static str, Value)> {
    let folder = Folder::new();
    let store = Store::open_or_create(&folder.0, demo::SEED).unwrap();
    let now = Timestamp::parse("2026-03-01T10:20:30Z").unwrap();
    demo::import_synthetic(&store, now).unwrap();
    let policy = Policy::built_in();
    let context = Context {
        store: &store,
        policy: &policy,
        licence: Licence::default(),
        now,
        round_counts: false,
        reader: zonelens::store::Reader::default(),
    };
    let report = |shown: &demo::Shown| {
        let indicator = Indicator::parse_as(shown.kind, shown.value).unwrap();
        let report = lookup::report(&context, &indicator, &Request::default()).unwrap();
        (shown.kind.as_str(), shown.value, serde_json::from_slice(&report.json()).unwrap())
    };
    demo::indicators().iter().map(report).collect()
}

/// Whether a section says nothing: no row, or no field but nulls, zeros and empty lists.
fn is_empty(section: &Value) -> bool {
    match section {
        Value::Null => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(rows) => rows.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::String(_) => false,
    }
}

#[test]
fn the_objects_of_the_demo_are_as_announced() {
    let reports = reports();
    for (kind, value, report) in &reports {
        check(kind, report);
        if [demo::FULL_DOMAIN, demo::FULL_ADDRESS, demo::FULL_URL, demo::FULL_FILE].contains(value) {
            for (name, section) in report.as_object().unwrap() {
                assert!(!is_empty(section), "{value}: {name} says nothing");
            }
            assert!(report["DataFeeds"].is_array());
            assert_eq!(report["RelatedObjects"]["HasRedZone"], true);
        }
    }
    let zones: Vec<(&str, &str)> =
        reports.iter().map(|(_, value, report)| (*value, report["Zone"].as_str().unwrap())).collect();
    for expected in [
        (demo::FULL_DOMAIN, "Red"),
        (demo::FULL_ADDRESS, "Red"),
        (demo::FULL_URL, "Red"),
        (demo::FULL_FILE, "Red"),
        (demo::BENIGN, "Green"),
        (demo::CONFLICT, "Orange"),
        (demo::SHARED_ADDRESS, "Grey"),
        (demo::LOOKALIKE, "Grey"),
        (demo::DEAD, "Grey"),
        (demo::PINNED, "Green"),
    ] {
        assert!(zones.contains(&expected), "{expected:?} is not in {zones:?}");
    }
    let of = |value: &str| &reports.iter().find(|report| report.1 == value).unwrap().2;
    assert_eq!(of(demo::PINNED)["Verdict"]["Pin"]["Zone"], "Green");
    let similar = of(demo::FULL_DOMAIN)["hostSimilarDomains"].as_array().unwrap();
    let has = |technique: &str| similar.iter().any(|row| row["technique"] == technique);
    for technique in ["skeleton", "homoglyph", "repetition", "omission", "other-suffix"] {
        assert!(has(technique), "{technique} is not among {similar:?}");
    }
    assert_eq!(of(demo::LOOKALIKE)["hostSimilarDomains"][0]["domain"], demo::BENIGN);
    assert_eq!(of(demo::SHARED_ADDRESS)["IpGeneralInfo"]["SharedHosting"]["RegistrableDomains"], 300);
}
