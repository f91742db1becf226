//! Formats through the program: from a file to what a report says.

use std::path::Path;

use serde_json::Value;

use crate::program::{Program, text};

/// Imports a sample under its own name and returns the report on something.
fn report(sample: &str, arguments: &[&str], about: &str) -> Value {
    let program = Program::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feeds").join(sample);
    program.ok(&[&["import", "--source", "sample"], arguments, &[text(&path)]].concat());
    program.json(&["lookup", "--json", about])
}

#[test]
fn dnstap_gives_resolutions() {
    let report = report("dnstap/kinds.in.dnstap", &[], "shop.example.net");
    let addresses = report["DomainDnsResolutions"].to_string();
    assert!(addresses.contains("2001:db8::7"), "{report:#}");
}

#[test]
fn a_database_of_networks_gives_country_and_system() {
    // In production these networks are reserved; one that is not stands in for all.
    let report = report("mmdb/ipinfo.in.ipinfo.mmdb", &[], "192.0.2.7");
    let about = report["IpWhoIs"].to_string();
    assert!(about.contains("64496") && about.contains("Example, Inc."), "{report:#}");
}

#[test]
fn openioc_lists_what_is_bad_alone() {
    let listed = report("openioc/one.in.ioc", &[], "x.evil.example.com");
    assert!(listed["FeedMasks"].to_string().contains("*.evil.example.com"), "{listed:#}");
    let program = Program::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feeds/openioc/bad.in.ioc");
    program.ok(&["import", text(&path)]);
    let ran = program.run(&["lookup", "--json", "web.example.com"]);
    assert!(!ran.out.contains("FeedMasks"), "one of a combination is listed: {}", ran.out);
}
