//! Reports on small worlds: facts go in, whole sections come out.

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::lookup::{LookupError, Request};
use zonelens::value::Timestamp;

use crate::world::World;
use crate::{order, recompute, schema};

/// What every report satisfies.
pub fn check(kind: &str, report: &Value) {
    schema::assert_valid(&format!("{kind}.json#/$defs/Whole"), report);
    order::check_order(report).unwrap();
    order::check_consistency(report).unwrap();
    // The arithmetic of files has other zones.
    if kind != "hash" {
        recompute::recompute(&report["Verdict"]).unwrap();
    }
}

/// Compares a report with the one kept in `tests/golden`; `BLESS=1` keeps it anew.
pub fn golden(name: &str, report: &Value) {
    golden_text(name, &format!("{report:#}\n"));
}

/// Compares a text with the one that is kept.
pub fn golden_text(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == kept, "{name} differs: if that is meant, run with BLESS=1 and read the diff\n{text}");
}

const DNS: &str = r#"
{"fact":"resolution","rrname":"www.full.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-01T10:00:30Z","last":"2024-05-01T11:00:00Z","hits":3}
{"fact":"resolution","rrname":"full.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-01T10:00:30Z","last":"2024-05-01T11:00:00Z","hits":3}
{"fact":"resolution","rrname":"full.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-20T10:00:00Z","last":"2024-05-20T11:00:00Z","hits":7}
{"fact":"resolution","rrname":"full.example","rrtype":"A","rdata":{"address":"10.0.0.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
{"fact":"resolution","rrname":"alias.example","rrtype":"CNAME","rdata":{"name":"full.example"},"first":"2024-05-01","last":"2024-05-30","hits":4}
{"fact":"web_request","url":"http://www.full.example/login?user=me&a=1","address":"192.31.196.10","referrer":"http://other.example/start","first":"2024-05-01T10:30:00Z","last":"2024-05-01T10:30:00Z","hits":2}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"url":"http://full.example/x.exe","address":"192.31.196.10","first":"2024-05-01T10:40:00Z","last":"2024-05-01T10:40:00Z","hits":5}
{"fact":"access","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"target":"domain:full.example","first":"2024-05-03","last":"2024-05-03","hits":1}
"#;

const THREATS: &str = r#"
{"fact":"listing","type":"MASK_TYPE_DOMAIN","mask":"*.full.example","category":"CATEGORY_MALWARE","reference":"https://report.example/1"}
{"fact":"listing","type":"MASK_TYPE_URL","mask":"full.example/x.exe","category":"CATEGORY_MALWARE"}
{"fact":"file_verdict","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"zone":"Red","detection_name":"EICAR-Test-File"}
"#;

fn world() -> World {
    let mut world = World::new();
    world.feed("dns", DNS);
    world.feed_at("threats", State::Whole, "2024-05-31T08:00:00Z", THREATS);
    world.feed(
        "ranges",
        r#"{"fact":"network","range":"192.31.196.0/24","asn":112,"as_name":"DNS-OARC","country":"US"}"#,
    );
    world
}

#[test]
fn a_listed_domain_and_its_address() {
    let world = world();
    let report = world.report("full.example");
    check("domain", &report);
    golden("domain.json", &report);
    assert_eq!(report["Zone"], "Red");
    assert_eq!(report["DomainGeneralInfo"]["UrlsCount"], 2);
    assert_eq!(report["FilesDownloaded"][0]["DetectionName"], "EICAR-Test-File");
    assert_eq!(report["UrlReferrals"][0]["Url"], "other.example/start");
    assert_eq!(report["Subdomains"][0]["Subdomain"], "www.full.example");
    assert_eq!(
        report["DomainDnsResolutions"][0],
        json!({"Zone": "Grey", "Ip": "192.31.196.10", "CountryCode": "US", "Status": "Known", "HitsCount": 10,
            "FirstSeen": "2024-05-01T10:00Z", "LastSeen": "2024-05-20T11:00Z", "DailyPeak": 7,
            "PeakDate": "2024-05-20T00:00Z", "ThreatScore": 43, "Via": [], "PeakIsEstimate": false})
    );
    assert_eq!(report["DomainDnsResolutions"][1]["Status"], "Reserved");
    assert_eq!(report["Verdict"]["Evidence"][0]["Reference"], "https://report.example/1");

    let report = world.report("192.31.196.10");
    check("ip", &report);
    golden("ip.json", &report);
    assert_eq!(report["IpWhoIs"]["Asn"][0]["Origin"], "AS112");
    let names: Vec<&str> = report["IpDnsResolutions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Domain"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["full.example", "www.full.example", "alias.example"]);
    assert_eq!(report["HostedUrls"].as_array().unwrap().len(), 2);
    assert_eq!(report["FilesDownloadedFromIp"][0]["Url"], "full.example/x.exe");

    let alias = world.report("alias.example");
    check("domain", &alias);
    assert_eq!(alias["DomainDnsResolutions"][0]["Ip"], "192.31.196.10");
    assert_eq!(alias["DomainDnsResolutions"][0]["Via"], json!(["full.example"]));
}

#[test]
fn www_and_the_bare_name_share_urls_files_and_masks() {
    let world = world();
    let (bare, www) = (world.report("full.example"), world.report("www.full.example"));
    check("domain", &www);
    for section in ["FilesDownloaded", "FilesAccessed", "UrlReferrals", "FeedMasks"] {
        assert_eq!(bare[section], www[section], "{section}");
    }
    assert_eq!(www["DomainGeneralInfo"]["Domain"], "www.full.example");
}

#[test]
fn a_reserved_address_says_only_that() {
    let mut world = world();
    world.feed(
        "threats2",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"10.0.0.1","category":"CATEGORY_MALWARE"}"#,
    );
    let report = world.report("10.0.0.1");
    schema::assert_valid("ip.json#/$defs/WholeReserved", &report);
    golden("reserved.json", &report);
    assert_eq!(report["Zone"], "Grey");
    let request = Request { sections: Some(vec!["HostedUrls".to_owned()]), ..Request::default() };
    assert_eq!(world.ask("10.0.0.1", &request).unwrap(), json!({}));
}

#[test]
fn what_nobody_knows_is_unknown_and_what_a_mask_covers_is_not() {
    let world = world();
    assert!(matches!(world.ask("nobody.test", &Request::default()), Err(LookupError::Unknown(_))));
    check("domain", &world.report("deep.below.full.example"));
    assert_eq!(world.report("deep.below.full.example")["Zone"], "Red");
    check("ip", &world.report("192.31.196.200"));
    check("domain", &world.report("example.com"));
    assert!(matches!(world.ask("198.41.0.4", &Request::default()), Err(LookupError::Unknown(_))));
}

#[test]
fn a_dropped_listing_ages_and_the_past_still_has_it() {
    let mut world = world();
    world.feed_at(
        "threats",
        State::Whole,
        "2024-05-31T20:00:00Z",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"else.example","category":"CATEGORY_MALWARE"}"#,
    );
    let now = world.report("full.example");
    check("domain", &now);
    let evidence = &now["Verdict"]["Evidence"][0];
    assert!(evidence["Age"].as_f64().unwrap() > 0.0, "{evidence}");
    let as_of = |text: &str| Request { as_of: Some(Timestamp::parse(text).unwrap()), ..Request::default() };
    let then = world.ask("full.example", &as_of("2024-05-31T10:00:00Z")).unwrap();
    check("domain", &then);
    assert_eq!(then["Verdict"]["Evidence"][0]["Age"], 0.0);
    assert!(matches!(world.ask("full.example", &as_of("2024-05-01")), Err(LookupError::Unknown(_))));
}

#[test]
fn merging_and_retiring_change_nothing_else() {
    let mut world = world();
    let before = (world.report("full.example"), world.report("192.31.196.10"));
    let seq = world.feed("more", r#"{"fact":"resolution","rrname":"full.example","rrtype":"A","rdata":{"address":"192.31.196.77"},"first":"2024-05-02","last":"2024-05-02","hits":1}"#);
    let with = world.report("full.example");
    assert_ne!(with, before.0);
    let retention = zonelens::store::merge::Retention::default();
    let (runs, left) = world.store.merge(world.now, &retention).unwrap();
    assert_eq!((runs, left), (4, 1));
    assert_eq!(world.report("full.example"), with);
    world.store.retire(&[seq], world.now).unwrap();
    assert_eq!((world.report("full.example"), world.report("192.31.196.10")), before);
    assert!(world.store.verify().unwrap().damage.is_empty());
}

#[test]
fn a_pin_sets_the_zone_of_exactly_that_object() {
    let mut world = world();
    world.feed(
        "people",
        r#"{"fact":"pin","indicator":"domain:full.example","zone":"Green","reason":"ours","by":"ann"}"#,
    );
    let report = world.report("full.example");
    check("domain", &report);
    assert_eq!((&report["Zone"], &report["DomainGeneralInfo"]["ThreatScore"]), (&json!("Green"), &json!(0)));
    assert_eq!(report["Verdict"]["Pin"]["By"], "ann");
    assert_eq!(world.report("www.full.example")["Zone"], "Red");
}

#[test]
fn similar_names_are_those_that_are_known() {
    let mut world = World::new();
    world.feed("dns", r#"
        {"fact":"resolution","rrname":"paypal.example","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
        {"fact":"resolution","rrname":"www.paypa1.example","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
        {"fact":"resolution","rrname":"paypal.net","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
        {"fact":"resolution","rrname":"xn--pypal-4ve.example","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
        {"fact":"resolution","rrname":"unlike.example","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-02","last":"2024-05-02","hits":1}
        {"fact":"port_state","host":"domain:paypal.net","port":443,"open":true}
        {"fact":"registration","domain":"paypa1.example","created":"2024-05-20"}
    "#);
    let report = world.report("paypal.example");
    check("domain", &report);
    let rows = report["hostSimilarDomains"].as_array().unwrap();
    let found: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["domain"].as_str().unwrap(), row["technique"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("paypal.net", "other-suffix"),
            ("paypa1.example", "homoglyph"),
            ("xn--pypal-4ve.example", "skeleton")
        ]
    );
    assert_eq!((&rows[0]["https_open"], &rows[0]["http_open"]), (&json!(true), &Value::Null));
    assert_eq!(rows[1]["registration"], "2024-05-20");
}
