//! Evidence of what an object has to do with: one step, never through what is shared, never more than 49.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use zonelens::feeds::State;
use zonelens::lookup::Request;
use zonelens::value::Timestamp;

use crate::report::check;
use crate::world::World;

const DNS: &str = r#"
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.20"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"resolution","rrname":"sub.parent.example","rrtype":"A","rdata":{"address":"192.31.196.21"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"resolution","rrname":"evil.web.app","rrtype":"A","rdata":{"address":"192.31.196.22"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"resolution","rrname":"guest.example","rrtype":"A","rdata":{"address":"192.31.196.23"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"url":"http://files.example/x.exe","first":"2024-05-01","last":"2024-05-02","hits":5}
"#;

const THREATS: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"sub.parent.example","category":"CATEGORY_PHISHING"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"evil.web.app","category":"CATEGORY_PHISHING"}
{"fact":"listing","type":"MASK_TYPE_NETWORK","mask":"192.31.196.23/32","category":"CATEGORY_BOTNET_CNC"}
{"fact":"file_verdict","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"zone":"Red","detection_name":"EICAR-Test-File"}
"#;

/// What the related evidence of an object is: indicator and contribution.
fn related(report: &Value) -> BTreeMap<String, f64> {
    let evidence = report["Verdict"]["Evidence"].as_array().unwrap();
    evidence
        .iter()
        .filter(|one| one["Kind"] == "related")
        .map(|one| {
            assert_eq!((&one["Source"], &one["Match"]), (&"zonelens:related".into(), &"related".into()));
            (one["Indicator"].as_str().unwrap().to_owned(), one["Contribution"].as_f64().unwrap())
        })
        .collect()
}

fn expect(world: &World) {
    for (object, kind, indicator) in [
        ("192.31.196.20", "ip", Some("bad.example")),
        ("parent.example", "domain", Some("sub.parent.example")),
        ("guest.example", "domain", Some("192.31.196.23")),
        ("files.example", "domain", Some("44D88612FEA8A8F36DE82E1278ABB02F")),
        // Whoever offers names below a suffix of his own is not his guests.
        ("web.app", "domain", None),
    ] {
        let report = world.report(object);
        check(kind, &report);
        assert_eq!(related(&report).keys().map(String::as_str).next(), indicator, "{object}");
        let score = report["Verdict"]["ThreatScore"].as_u64().unwrap();
        assert_eq!((score > 0, score <= 49), (indicator.is_some(), true), "{object}: {score}");
        assert_eq!(report["Zone"], "Grey", "{object}");
    }
}

#[test]
fn it_does_not_matter_what_is_learnt_first() {
    let orders: [&[(&str, &str)]; 3] = [
        &[("dns", DNS), ("threats", THREATS)],
        &[("threats", THREATS), ("dns", DNS)],
        &[("both", const_format(DNS, THREATS))],
    ];
    for batches in orders {
        let mut world = World::new();
        for (source, facts) in batches {
            world.feed(source, facts);
        }
        expect(&world);
        world.store.merge(world.now, &Default::default()).unwrap();
        world.store.refresh();
        expect(&world);
    }
}

/// Two texts as one that lives as long.
fn const_format(a: &str, b: &str) -> &'static str {
    Box::leak(format!("{a}{b}").into_boxed_str())
}

#[test]
fn it_goes_with_the_edge_and_with_the_listing() {
    for retired in ["dns", "threats"] {
        let mut world = World::new();
        let dns = world.feed("dns", DNS);
        let threats = world.feed("threats", THREATS);
        world.feed("other", r#"{"fact":"resolution","rrname":"x.example","rrtype":"A","rdata":{"address":"192.31.196.20"},"first":"2024-05-01","last":"2024-05-20","hits":3}"#);
        assert_eq!(related(&world.report("192.31.196.20")).len(), 1);
        world.store.retire(&[if retired == "dns" { dns } else { threats }], world.now).unwrap();
        assert_eq!(related(&world.report("192.31.196.20")).len(), 0, "{retired}");
    }
}

#[test]
fn a_past_day_knows_only_its_own() {
    let mut world = World::new();
    world.feed_at("dns", State::Events, "2024-05-21", DNS);
    world.feed_at("threats", State::Whole, "2024-05-28", THREATS);
    let ask = |at: &str| {
        let request = Request { as_of: Some(Timestamp::parse(at).unwrap()), ..Request::default() };
        related(&world.ask("192.31.196.20", &request).unwrap()).len()
    };
    assert_eq!((ask("2024-05-25"), ask("2024-05-29")), (0, 1));
}

#[test]
fn nothing_is_related_through_a_shared_address() {
    let mut world = World::new();
    world.feed("dns", DNS);
    world.feed("threats", THREATS);
    let guests: String = (0..10)
        .map(|number| {
            format!(
                r#"{{"fact":"resolution","rrname":"guest{number}.example","rrtype":"A","rdata":{{"address":"192.31.196.20"}},"first":"2024-05-01","last":"2024-05-20","hits":3}}"#
            ) + "\n"
        })
        .collect();
    world.feed("more", &guests);
    assert_eq!(related(&world.report("192.31.196.20")).len(), 0);
    world.feed("clouds", r#"{"fact":"benign","type":"MASK_TYPE_NETWORK","mask":"192.31.196.23/32","category":"CATEGORY_CLOUD_SERVICES"}"#);
    assert_eq!(related(&world.report("guest.example")).len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The row of an object and its own report show the same zone, whatever is related to what.
    #[test]
    fn a_row_shows_what_the_report_of_its_object_shows(
        edges in prop::collection::vec((0usize..6, 0usize..4), 1..14),
        listed in prop::collection::vec((0usize..6, prop::sample::select(vec!["MALWARE", "ADWARE", "TOR_EXIT_NODE"])), 0..4),
        bad in prop::collection::vec(0usize..4, 0..3),
        listed_first: bool,
    ) {
        let names = ["a.example", "b.example", "x.a.example", "c.example", "www.a.example", "d.test"];
        let address = |number: usize| format!("192.31.196.{}", 30 + number);
        let dns: String = edges.iter().map(|(name, number)| format!(
            r#"{{"fact":"resolution","rrname":"{}","rrtype":"A","rdata":{{"address":"{}"}},"first":"2024-05-01","last":"2024-05-20","hits":1}}"#,
            names[*name], address(*number)) + "\n").collect();
        let mut threats: String = listed.iter().map(|(name, category)| format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{}","category":"CATEGORY_{category}"}}"#,
            names[*name].trim_start_matches("www.")) + "\n").collect();
        threats.extend(bad.iter().map(|number| format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{}","category":"CATEGORY_ADWARE"}}"#, address(*number)) + "\n"));
        let mut world = World::new();
        for first in [listed_first, !listed_first] {
            if first { world.feed("threats", &threats) } else { world.feed("dns", &dns) };
        }
        let judged = |object: &str| {
            let report = world.ask(object, &Request::default()).unwrap();
            (report["Zone"].clone(), report["Verdict"]["ThreatScore"].clone())
        };
        for (name, number) in &edges {
            let report = world.report(names[*name]);
            check("domain", &report);
            for row in report["DomainDnsResolutions"].as_array().unwrap() {
                prop_assert_eq!((row["Zone"].clone(), row["ThreatScore"].clone()), judged(row["Ip"].as_str().unwrap()));
            }
            for row in report["Subdomains"].as_array().unwrap() {
                prop_assert_eq!(row["Zone"].clone(), judged(row["Subdomain"].as_str().unwrap()).0);
            }
            let report = world.report(&address(*number));
            check("ip", &report);
            for row in report["IpDnsResolutions"].as_array().unwrap() {
                prop_assert_eq!(row["Zone"].clone(), judged(row["Domain"].as_str().unwrap()).0);
            }
        }
    }
}

#[test]
fn what_is_known_to_be_popular_stays_so_when_only_something_below_is_listed() {
    let mut world = World::new();
    world.feed("dns", DNS);
    world.feed("threats", THREATS);
    assert_eq!(world.report("parent.example")["Verdict"]["ThreatScore"], 41);
    world.feed("popular", r#"{"fact":"benign","type":"MASK_TYPE_HOST","mask":"parent.example","rank":500}"#);
    let report = world.report("parent.example");
    check("domain", &report);
    assert_eq!((&report["Zone"], &report["Verdict"]["ThreatScore"]), (&"Green".into(), &0.into()));
    assert_eq!(related(&report).len(), 1, "it is still shown");
    world.feed(
        "other",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"parent.example","category":"CATEGORY_MALWARE"}"#,
    );
    assert_eq!(world.report("parent.example")["Verdict"]["ThreatScore"], 49, "what is said of itself counts");
}
