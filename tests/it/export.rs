//! What may be passed on: bundles, events, tables and pages of one value and of many, over HTTP and as a command.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::dialects::{MD5, URL, references_resolve, service};
use crate::program::{Answer, Program, Serving};
use crate::report::{golden, golden_text};
use crate::schema::assert_valid;

fn ask(service: &Serving, value: &str, rest: &str) -> Answer {
    let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    service.get(&format!("/api/v1/export?value={value}{rest}"))
}

fn ok(service: &Serving, value: &str, rest: &str) -> Answer {
    let answer = ask(service, value, rest);
    assert_eq!(answer.status, 200, "{value}{rest}: {}", answer.body);
    assert!(answer.header("ratelimit-remaining").is_some());
    answer
}

/// All identifiers of an event: each stands once, and references lead to one of them.
fn identifiers(event: &Value) -> BTreeSet<String> {
    let event = &event["Event"];
    let mut all = BTreeSet::new();
    let mut once = |value: &Value| {
        let id = value["uuid"].as_str().unwrap().to_owned();
        assert!(all.insert(id), "{value} stands twice");
    };
    once(event);
    let objects = event["Object"].as_array().unwrap();
    event["Attribute"].as_array().unwrap().iter().for_each(&mut once);
    for object in objects {
        once(object);
        object["Attribute"].as_array().unwrap().iter().for_each(&mut once);
        object["ObjectReference"].as_array().unwrap().iter().for_each(&mut once);
    }
    for reference in objects.iter().flat_map(|object| object["ObjectReference"].as_array().unwrap()) {
        assert!(all.contains(reference["referenced_uuid"].as_str().unwrap()), "{reference}");
    }
    all
}

#[test]
fn an_event_of_each_kind() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (kind, object) in [("domain", "shop.example"), ("ip", "192.31.196.10"), ("url", URL), ("hash", MD5)] {
        let answer = ok(&service, object, "&format=misp");
        assert_eq!(answer.header("content-type"), Some("application/vnd.misp+json"));
        let event = answer.json();
        golden(&format!("misp-{kind}.json"), &event);
        identifiers(&event);
        assert_eq!(event["Event"]["Tag"], json!([{"name": "tlp:amber"}]));
        assert!(!answer.body.contains("user=me"), "private data stays out of URLs");
        assert_eq!(
            ask(&service, object, "&format=misp").body,
            answer.body,
            "the same knowledge is the same event"
        );
    }
}

#[test]
fn tables_are_of_one_section_and_hold_no_formulas() {
    let program = Program::new();
    program.file("evil.ndjson", r#"{"fact":"publication","id":"=1+1","type":"APT","title":"=HYPERLINK(\"http://evil.example\")","published":"2024-05-10"}
{"fact":"mention","publication":"=1+1","indicator":"domain:shop.example"}
{"fact":"registration","domain":"shop.example","registrar":"@SUM(1)","contacts":[]}
"#);
    program.ok(&["import", "--format", "native", "evil.ndjson"]);
    let service = service(&program, &[]);
    let answer = ok(&service, "shop.example", "&format=csv&section=DomainDnsResolutions");
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"zonelens.csv\""));
    golden_text("export-resolutions.csv", &answer.body);
    let rows = |section: &str| ok(&service, "shop.example", &format!("&format=csv&sections={section}")).body;
    assert_eq!(rows("Zone"), "Value\nRed\n");
    assert!(rows("Industries").starts_with("Value\n"), "{}", rows("Industries"));
    for section in ["DomainGeneralInfo", "DomainWhoIsInfo", "Verdict", "FeedMasks"] {
        let table = rows(section);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        assert!(!reader.headers().unwrap().is_empty());
        for row in reader.records() {
            for cell in &row.unwrap() {
                assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{section}: {cell:?}");
            }
        }
    }
}

#[test]
fn a_page_stands_by_itself() {
    let program = Program::new();
    program.file("evil.ndjson", r#"{"fact":"publication","id":"x","type":"APT","title":"<script>alert(1)</script> http://evil.com/\"onload='x","published":"2024-05-10"}
{"fact":"mention","publication":"x","indicator":"domain:shop.example"}
"#);
    program.ok(&["import", "--format", "native", "evil.ndjson"]);
    let service = service(&program, &[]);
    let answer = ok(&service, "shop.example", "&format=html");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    golden_text("export-page.html", &answer.body);
    for loaded in [
        "<script",
        "<a ",
        "href",
        "src=",
        "<img",
        "<link",
        "<iframe",
        "url(",
        "@import",
        "http:",
        "https:",
        " onload='",
    ] {
        assert!(!answer.body.contains(loaded), "{loaded}: {}", answer.body);
    }
    assert!(
        answer.body.contains("&lt;script&gt;alert(1)&lt;/script&gt; hxxp://evil[.]com/&quot;onload=&#39;x")
    );
    assert!(!answer.body.contains("DayQuota"), "licence and quota are nobody else's");
}

#[test]
fn reports_are_exported_without_licence_and_quota() {
    let program = Program::new();
    let service = service(&program, &[]);
    let report = ok(&service, "hxxp://shop[.]example/get/a.exe?user=me", "").json();
    assert_eq!((&report["Zone"], report.get("LicenseInfo")), (&json!("Red"), None));
    let line = ok(&service, "shop.example", "&format=ndjson&sections=Zone");
    assert_eq!(line.body, "{\"Zone\":\"Red\"}\n");
    let cut = ok(&service, "shop.example", "&sections=DomainDnsResolutions&count=1").json();
    assert_eq!(cut["DomainDnsResolutions"].as_array().unwrap().len(), 1);
    let bundle = ok(&service, "shop.example", "&format=stix");
    assert_eq!(bundle.body, service.get("/api/domain/shop.example?format=stix").body);
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (status, query, said) in [
        (400, "", "value is missing"),
        (400, "?value=", "value is missing"),
        (400, "?value=a%20b", "a b"),
        (400, "?value=shop.example&format=pdf", "json, ndjson, stix, misp, csv, html"),
        (400, "?value=shop.example&format=csv", "name it by section, as one of"),
        (400, "?value=shop.example&format=csv&sections=Zone,Verdict", "a table is of one section"),
        (400, "?value=shop.example&format=csv&section=IpWhoIs", "names no section"),
        (400, "?value=shop.example&section=", "sections"),
        (400, "?value=shop.example&count=0", "count"),
        (400, "?value=shop.example&format=misp&as_of=2124-01-01", "future"),
        (404, "?value=unknown.test&format=misp", "nothing is known"),
        (404, "?value=unknown.test&format=html", "nothing is known"),
    ] {
        let answer = service.get(&format!("/api/v1/export{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert_valid("problem.json", &answer.json());
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", answer.body);
    }
    assert_eq!(service.request("POST", "/api/v1/export?value=shop.example").status, 405);
    // What the contract has is as it was.
    assert_eq!(service.get("/api/domain/shop.example?format=csv").status, 400);
}

/// Marked amber, so that it stays unless the configuration lets it leave.
const AMBER: &str = r#"{"fact":"resolution","rrname":"shop.example","rrtype":"A","rdata":{"address":"192.31.196.77"},"first":"2024-05-01","last":"2024-05-20","hits":37}
{"fact":"publication","id":"nightfall","type":"APT","title":"Nightfall","published":"2024-05-10"}
{"fact":"mention","publication":"nightfall","indicator":"domain:shop.example"}
"#;

#[test]
fn what_is_restricted_does_not_leave_in_any_form() {
    for (export, leaves) in [("green", false), ("amber", true), ("red", true)] {
        let program = Program::new();
        program.file(
            "zonelens.toml",
            format!("[tlp]\nexport = \"{export}\"\n[[source]]\nname = \"partner\"\ntlp = \"amber\"\n"),
        );
        program.file("amber.ndjson", AMBER);
        program.ok(&["import", "--source", "partner", "--format", "native", "amber.ndjson"]);
        let service = service(&program, &[]);
        assert!(service.get("/api/domain/shop.example").body.contains("192.31.196.77"));
        for format in ["json", "ndjson", "stix", "misp", "html", "csv&section=DomainDnsResolutions"] {
            let body = ok(&service, "shop.example", &format!("&format={format}")).body;
            let body = body.replace("[.]", ".");
            assert_eq!(body.contains("192.31.196.77"), leaves, "{export} {format}: {body}");
            let is_named = leaves && !format.starts_with("csv");
            assert_eq!(body.contains("nightfall"), is_named, "{export} {format}: {body}");
            let (name, sections) = format.split_once("&section=").unwrap_or((format, ""));
            if name != "ndjson" && name != "json" {
                let sections: &[&str] = if sections.is_empty() { &[] } else { &["--sections", sections] };
                let ran = program.ok(&[&["lookup", "shop.example", "--format", name], sections].concat());
                assert_eq!(ran.out.replace("[.]", ".").contains("192.31.196.77"), leaves, "{export} {name}");
            }
        }
        for format in ["stix", "misp"] {
            let path = format!("/api/v1/lookup?format={format}");
            let body = service.send("POST", &path, &[], "[\"shop.example\"]").body;
            assert_eq!(body.contains("nightfall"), leaves, "{export} {format}: {body}");
        }
    }
}

const MANY: &str = r#"["192.31.196.10", "shop[.]example", "shop.example", "unknown.test", "a b", "44d88612fea8a8f36de82e1278abb02f"]"#;

#[test]
fn many_values_are_one_bundle_or_event() {
    let program = Program::new();
    let service = service(&program, &[]);
    let many = |query: &str, headers: &[(&str, &str)], body: &str| {
        let answer = service.send("POST", &format!("/api/v1/lookup{query}"), headers, body);
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer
    };
    let bundle = many("?format=stix", &[("content-type", "application/json")], MANY);
    assert_eq!(bundle.header("content-type"), Some("application/stix+json;version=2.1"));
    // Each value counts as a lookup.
    assert_eq!(bundle.header("ratelimit-remaining"), Some("2147483641"));
    assert_valid("stix.json", &bundle.json());
    references_resolve(&bundle.json());
    golden("stix-set.json", &bundle.json());
    let event = many("?format=misp", &[], MANY);
    identifiers(&event.json());
    golden("misp-set.json", &event.json());
    // The order in which values come is nothing that is known.
    let turned = r#"["44D88612FEA8A8F36DE82E1278ABB02F", "shop.example", "192.31.196.10"]"#;
    assert_eq!(many("", &[("accept", "application/stix+json;version=2.1")], turned).body, bundle.body);
    assert_eq!(many("?format=stix", &[("accept", "text/csv")], turned).body, bundle.body, "the query counts");
    let none = many("?format=misp", &[], "[\"unknown.test\"]").json();
    assert_eq!(none["Event"]["Object"], json!([]));
}

#[test]
fn many_values_are_a_table() {
    let program = Program::new();
    let service = service(&program, &[]);
    let table = |headers: &[(&str, &str)], query: &str, body: &str| {
        let answer = service.send("POST", &format!("/api/v1/lookup{query}"), headers, body);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"), "{}", answer.body);
        answer.body
    };
    let expected = "value,zone,threat_score,categories,indicator,problem\n";
    let made = table(&[], "?format=csv", "[\"shop[.]example\", \"=1+1\", \"unknown.test\"]");
    assert!(made.starts_with(&format!("{expected}shop[.]example,Red,")), "{made}");
    assert!(made.contains("\n'=1+1,") && made.ends_with("unknown.test,Grey,0,,unknown.test,\n"), "{made}");
    let of_text =
        table(&[("content-type", "text/plain"), ("accept", "text/csv")], "", "see shop.example. 10.0.0.1");
    assert!(of_text.contains("\n10.0.0.1,Grey,"), "{of_text}");
    let lines = service.send(
        "POST",
        "/api/v1/lookup?format=ndjson",
        &[("content-type", "text/csv")],
        "a.example,b\n",
    );
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let problem = service.send("POST", "/api/v1/lookup?format=html", &[], "[]");
    assert!(
        problem.status == 400 && problem.body.contains("use ndjson, csv, stix, misp"),
        "{}",
        problem.body
    );
    let many = json!(vec!["a.example"; 10_001]).to_string();
    let problem = service.send("POST", "/api/v1/lookup?format=misp", &[], &many);
    assert!(problem.status == 400 && problem.body.contains("at most 10000"), "{}", problem.body);
}

#[test]
fn the_command_writes_the_same() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (format, rest) in [("stix", ""), ("misp", ""), ("html", ""), ("csv", "FeedMasks")] {
        let sections = if rest.is_empty() { String::new() } else { format!("&section={rest}") };
        let told = ok(&service, "shop.example", &format!("&format={format}{sections}")).body;
        let sections: &[&str] = if rest.is_empty() { &[] } else { &["--sections", rest] };
        let ran = program.ok(&[&["lookup", "shop.example", "--format", format], sections].concat());
        assert_eq!(ran.out.trim_end(), told.trim_end(), "{format}");
    }
    let run = |arguments: &[&str], input: &str| {
        let mut child = program
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for format in ["stix", "misp"] {
        let told = service.send("POST", &format!("/api/v1/lookup?format={format}"), &[], MANY).body;
        let (code, out, talk) = run(&["lookup", "-", "--format", format], MANY);
        assert_eq!((code, out.trim_end()), (Some(0), told.as_str()), "{format}");
        assert!(talk.contains("2 values are left out"), "{talk}");
    }
    assert_eq!(run(&["lookup", "-", "--format", "misp"], "[\"unknown.test\"]").0, Some(3));
    let (_, table, _) = run(&["lookup", "-", "--format", "csv"], "[\"shop.example\"]");
    assert!(table.starts_with("value,zone,"), "{table}");
    assert_eq!(run(&["lookup", "-", "--format", "html"], "[\"shop.example\"]").0, Some(2));
    assert_eq!(program.run(&["lookup", "a.example", "b.example", "--format", "html"]).code, 2);
    assert_eq!(program.run(&["lookup", "unknown.test", "--format", "misp"]).code, 3);
}
