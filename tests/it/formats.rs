//! Formats through the program: from a file to what a report says.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Program, text};

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feeds").join(name)).unwrap()
}

/// Imports content and returns the report on something.
fn report(program: &Program, name: &str, content: &[u8], about: &str) -> Value {
    let path = program.file(name, content);
    program.ok(&["import", "--source", "sample", text(&path)]);
    program.json(&["lookup", "--format", "json", about])
}

#[test]
fn dnstap_gives_resolutions() {
    let program = Program::new();
    let report = report(&program, "log.dnstap", &sample("dnstap/kinds.in.dnstap"), "shop.example.net");
    assert!(report["DomainDnsResolutions"].to_string().contains("2001:db8::7"), "{report:#}");
}

#[test]
fn a_database_of_networks_gives_country_and_system() {
    let program = Program::new();
    let content = sample("mmdb/ipinfo.in.ipinfo.mmdb");
    let report = report(&program, "country_asn.mmdb", &content, "192.31.196.7");
    assert_eq!(report["IpGeneralInfo"]["CountryCode"], "CH", "{report:#}");
    assert!(report["IpWhoIs"].to_string().contains("Example GmbH"), "{report:#}");
}

#[test]
fn openioc_lists_what_is_bad_alone() {
    let program = Program::new();
    // Of this year: listings age.
    let content =
        String::from_utf8(sample("openioc/one.in.ioc")).unwrap().replace("2014-06-16", "2024-05-28");
    let listed = report(&program, "one.ioc", content.as_bytes(), "x.evil.example.com");
    assert!(listed["FeedMasks"].to_string().contains("evil.example.com"), "{listed:#}");
    let path = program.file("bad.ioc", sample("openioc/bad.in.ioc"));
    program.ok(&["import", text(&path)]);
    let ran = program.run(&["lookup", "web.example.com"]);
    assert_eq!(ran.code, 3, "one of a combination is listed: {}", ran.out);
}
