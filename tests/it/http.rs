//! The running service: routes, parameters, headers, problems, and imports while it runs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::program::{Program, Serving, until};
use crate::schema::assert_valid;

/// A service over one DNS file and one list.
fn service(program: &Program) -> Serving {
    let cof = |name: &str, address: &str| {
        format!(
            r#"{{"rrname":"{name}","rrtype":"A","rdata":"{address}","time_first":1716800000,"time_last":1716879789,"count":3}}"#
        ) + "\n"
    };
    let dns = cof("bad.example", "192.31.196.7") + &cof("www.bad.example", "192.31.196.7");
    program.file("dns.cof", dns + &cof("xn--bcher-kva.example", "192.31.196.8"));
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "dns.cof"]);
    program.ok(&["import", "list.txt"]);
    program.serve(&[])
}

#[test]
fn reports_are_as_the_contract_says() {
    let program = Program::new();
    let service = service(&program);
    let answer = service.get("/api/domain/bad.example");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("ratelimit-limit"), Some("2147483647"));
    assert_eq!(answer.header("ratelimit-remaining"), Some("2147483646"));
    assert_eq!(answer.header("ratelimit-reset"), Some("43200"));
    assert_valid("domain.json#/$defs/Whole", &answer.json());
    let report = answer.json();
    assert_eq!((&report["Zone"], &report["LicenseInfo"]["DayRequests"]), (&json!("Red"), &json!(1)));
    let answer = service.get("/api/ip/192.31.196.7");
    assert_valid("ip.json#/$defs/Whole", &answer.json());
    assert_eq!(answer.json()["IpDnsResolutions"][0]["Domain"], "bad.example");
    // The same again is the same but for the count of lookups.
    let mut again = service.get("/api/domain/bad.example").json();
    assert_eq!(again["LicenseInfo"]["DayRequests"], 3);
    again["LicenseInfo"]["DayRequests"] = json!(1);
    assert_eq!(again, report);
    assert_eq!(service.get("/api/domain/example.com").status, 200);
    assert_eq!(service.get("/api/ip/127.0.0.1").json()["IpGeneralInfo"]["Status"], "Reserved");
}

#[test]
fn parameters_follow_their_rules() {
    let program = Program::new();
    let service = service(&program);
    let keys = |path: &str| {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys("/api/domain/bad.example?sections=Zone"), ["Zone"]);
    assert_eq!(keys("/api/domain/bad.example?sections=Zone,DataFeeds"), ["DataFeeds", "Zone"]);
    assert_eq!(keys("/api/domain/bad.example?sections=Zone%2CDataFeeds"), ["DataFeeds", "Zone"]);
    assert_eq!(keys("/api/domain/bad.example?sections=IpWhoIs,Zone"), ["Zone"], "another kind's is ignored");
    assert_eq!(keys("/api/domain/bad.example?sections=DataFeeds&sections=Zone"), ["Zone"], "the last counts");
    assert_eq!(keys("/api/domain/bad.example?sections=Zone&color=blue"), ["Zone"]);
    assert_eq!(keys("/api/domain/BAD%5B.%5Dexample.?sections=Zone"), ["Zone"], "refanged");
    assert_eq!(keys("/api/domain/b%C3%BCcher.example?sections=Zone"), ["Zone"], "IDN");
    assert_eq!(keys("/api/ip/%3A%3Affff%3A192.31.196.7?sections=Zone"), ["Zone"], "mapped");
    let rows = |count: &str| {
        let path = format!("/api/ip/192.31.196.7?sections=IpDnsResolutions&count={count}");
        service.get(&path).json()["IpDnsResolutions"].as_array().unwrap().len()
    };
    assert_eq!((rows("1"), rows("2"), rows("1000"), rows("99999999999999999999")), (1, 2, 2, 2));
    assert_eq!(service.get("/api/domain/bad.example?format=json").status, 200);
    assert_eq!(service.get("/api/domain/bad.example?as_of=2024-06-01").status, 200, "today is now");
    assert_eq!(service.get("/api/domain/bad.example?as_of=2024-05-31").status, 404, "not learnt yet");
}

#[test]
fn every_error_is_a_problem() {
    let program = Program::new();
    let service = service(&program);
    let long = format!("/api/domain/{}", "a".repeat(9000));
    for (status, method, path, said) in [
        (400, "GET", "/api/domain/a..b", "empty label"),
        (400, "GET", "/api/domain/", "domain name"),
        (400, "GET", "/api/domain/192.0.2.1", "192.0.2.1"),
        (400, "GET", "/api/domain/http://bad.example/", "scheme"),
        (400, "GET", "/api/domain/bad.example%2Fpath", "bad.example/path"),
        (400, "GET", "/api/domain/%ff", "UTF-8"),
        (400, "GET", "/api/ip/192.0.2.0/24", "192.0.2.0/24"),
        (400, "GET", "/api/ip/192.0.2.01", "192.0.2.01"),
        (400, "GET", "/api/ip/bad.example", "bad.example"),
        (400, "GET", "/api/domain/bad.example?sections=", "sections"),
        (400, "GET", "/api/domain/bad.example?sections=zone", "sections"),
        (400, "GET", "/api/domain/bad.example?count=0", "count"),
        (400, "GET", "/api/domain/bad.example?count=-1", "count"),
        (400, "GET", "/api/domain/bad.example?count=ten", "count"),
        (400, "GET", "/api/domain/bad.example?format=xml", "xml"),
        (400, "GET", "/api/domain/bad.example?as_of=2024-06-02", "future"),
        (400, "GET", "/api/domain/bad.example?as_of=yesterday", "yesterday"),
        (404, "GET", "/api/domain/unknown.test", "nothing is known of domain unknown.test"),
        (404, "GET", "/api/ip/198.18.0.0.", "198.18.0.0."),
        (404, "GET", "/nowhere/%22%7B", "/api/domain/"),
        (405, "POST", "/api/domain/bad.example", "GET"),
        (405, "DELETE", "/readyz", "GET"),
        (414, "GET", &long, "longer than"),
    ] {
        let answer = service.request(method, path);
        let expected = if path == "/api/ip/198.18.0.0." { 400 } else { status };
        assert_eq!(answer.status, expected, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let problem = answer.json();
        assert_valid("problem.json", &problem);
        assert_eq!(problem["status"], expected, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{path}: {problem}");
    }
    assert_eq!(service.request("POST", "/healthz").header("allow"), Some("GET,HEAD"));
    // Only what was answered counts: 404 does, 400 does not.
    let remaining = service.get("/api/domain/a..b").header("ratelimit-remaining").unwrap().to_owned();
    assert_eq!(remaining, "2147483646");
}

#[test]
fn a_running_service_sees_an_import_within_a_second() {
    let program = Program::new();
    let service = service(&program);
    assert_eq!(service.get("/api/domain/new.example").status, 404);
    program.file("new.txt", "new.example\n");
    program.ok(&["import", "new.txt"]);
    let waited = until(|| service.get("/api/domain/new.example").status == 200);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    program.ok(&["retire", "--source", "new"]);
    let waited = until(|| service.get("/api/domain/new.example").status == 404);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

#[test]
fn it_is_ready_with_a_store_and_says_so_when_that_is_gone() {
    let program = Program::new();
    let service = program.serve(&[]);
    assert_eq!((service.get("/healthz").status, service.get("/readyz").status), (200, 200));
    let answer = service.get("/api/domain/a.example");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("nothing was imported yet"), "{}", answer.body);
    std::fs::write(program.folder.join("zonelens-data/MANIFEST"), "no manifest\n").unwrap();
    until(|| service.get("/readyz").status == 503);
    for path in ["/readyz", "/api/domain/a.example"] {
        let answer = service.get(path);
        assert_eq!(answer.status, 503, "{path}");
        assert_valid("problem.json", &answer.json());
        assert!(answer.body.contains("MANIFEST"), "{}", answer.body);
    }
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn it_finishes_on_a_signal_and_keeps_lookups_out_of_its_log() {
    let program = Program::new();
    let service = service(&program);
    service.get("/api/domain/secret.example?sections=Zone");
    // A silent connection does not hold it up.
    let mut silent = TcpStream::connect(&service.address).unwrap();
    silent.write_all(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let mut first = [0; 12];
    silent.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let (code, log) = service.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("status=404") && log.contains("duration_us="), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn an_address_in_use_is_named() {
    let program = Program::new();
    let service = program.serve(&[]);
    let ran = program.run(&["serve", "--listen", &service.address]);
    assert_eq!(ran.code, 1);
    assert!(ran.talk.contains(&service.address) && ran.talk.contains("--listen"), "{}", ran.talk);
}
