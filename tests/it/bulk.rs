//! Many values at once: every form in, rows keyed by the value as typed, tables with columns added.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Answer, Program, Serving};

fn service(program: &Program) -> Serving {
    program.file("list.txt", "bad.example\n192.31.196.7\n");
    program.ok(&["import", "list.txt"]);
    program.serve(&[])
}

fn ask(service: &Serving, query: &str, media_type: &str, body: &str) -> Answer {
    service.send("POST", &format!("/api/v1/lookup{query}"), &[("content-type", media_type)], body)
}

fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn values_of_mixed_kinds_are_answered_in_order_as_typed() {
    let program = Program::new();
    let service = service(&program);
    let values =
        json!(["bad[.]example", "good.example", "192.31.196.7", "not an indicator", "hxxp://bad.example/x"]);
    let answer = ask(&service, "", "application/json", &values.to_string());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let found = rows(&answer);
    let typed: Vec<&Value> = found.iter().map(|row| &row["value"]).collect();
    assert_eq!(typed, values.as_array().unwrap().iter().collect::<Vec<_>>());
    assert_eq!(
        found[0],
        json!({"value": "bad[.]example", "kind": "domain", "indicator": "bad.example", "zone": "Red",
            "threat_score": found[0]["threat_score"], "confidence": "medium", "categories": ["CATEGORY_MALWARE"]})
    );
    let zones: Vec<&str> = found.iter().map(|row| row["zone"].as_str().unwrap_or("-")).collect();
    assert_eq!(zones, ["Red", "Grey", "Red", "-", "Red"]);
    assert!(found[3]["error"].as_str().unwrap().contains("not an indicator"), "{}", found[3]);
    // Each value counts as a lookup.
    assert_eq!(answer.header("ratelimit-remaining"), Some("2147483642"));
    let lines = values.as_array().unwrap().iter().map(|value| format!("{value}\n")).collect::<String>();
    assert_eq!(rows(&ask(&service, "", "application/x-ndjson", &lines)), found);
    let text = rows(&ask(&service, "", "text/plain", "was bad[.]com, or 192.31.196.7?"));
    let zones: Vec<&str> = text.iter().map(|row| row["zone"].as_str().unwrap()).collect();
    assert_eq!(zones, ["Grey", "Red"]);
}

#[test]
fn a_table_comes_back_with_columns_added() {
    let program = Program::new();
    let service = service(&program);
    let table = "when;host;what\n1;bad[.]example;\"a;b\"\n2;=cmd;=1+1\n3;192.31.196.7;\n";
    let answer = ask(&service, "?column=host", "text/csv", table);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    let lines: Vec<&str> = answer.body.lines().collect();
    assert_eq!(lines[0], "when;host;what;zone;threat_score;categories;indicator;problem");
    assert!(lines[1].starts_with("1;bad[.]example;\"a;b\";Red;"), "{}", lines[1]);
    assert!(lines[1].ends_with(";CATEGORY_MALWARE;bad.example;"), "{}", lines[1]);
    // What is added is no formula; what was there comes back as it was.
    assert_eq!(lines[2], "2;=cmd;=1+1;Grey;0;;'=cmd;");
    assert_eq!(lines.len(), 4);
}

#[test]
fn reports_come_where_sections_are_asked_for() {
    let program = Program::new();
    let service = service(&program);
    let found = rows(&ask(
        &service,
        "?sections=Zone,FeedMasks&count=1",
        "application/json",
        r#"["bad.example","unknown.example"]"#,
    ));
    assert_eq!((&found[0]["known"], &found[0]["report"]["Zone"]), (&json!(true), &json!("Red")));
    assert_eq!(found[0]["report"]["FeedMasks"].as_array().unwrap().len(), 1);
    assert_eq!((&found[1]["known"], &found[1]["report"]), (&json!(false), &Value::Null));
    let found = rows(&ask(&service, "?sections=all", "application/json", r#"["bad.example"]"#));
    assert!(found[0]["report"]["Verdict"].is_object());
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let program = Program::new();
    let service = service(&program);
    let many = json!(vec!["a.example"; 100_001]).to_string();
    for (status, query, media_type, body, said) in [
        (400, "", "application/json", "{", "JSON array of texts"),
        (400, "", "application/json", &*many, "at most 100000"),
        (400, "", "application/x-ndjson", "\"a\"\n7", "line 2"),
        (400, "", "text/csv", "a,b\n1,2\n", "column="),
        (400, "?column=9x", "text/csv", "a.example,b\n", "column"),
        (400, "?count=0", "text/plain", "a", "count"),
        (400, "?as_of=2124-01-01", "text/plain", "a", "as_of"),
        (415, "", "image/png", "a", "text/csv"),
    ] {
        let answer = ask(&service, query, media_type, body);
        assert_eq!(answer.status, status, "{query} {media_type}: {}", answer.body);
        assert!(answer.body.contains(said), "{query} {media_type}: {}", answer.body);
    }
    let answer = service.get("/api/v1/lookup");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[test]
fn the_command_reads_lists_and_tables_from_standard_input() {
    let program = Program::new();
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "list.txt"]);
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
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, shown) = run(&["lookup", "-"], "alert: hxxp://bad[.]example/x from 192.31.196.7");
    assert_eq!(code, Some(0));
    assert!(shown.lines().next().unwrap().starts_with("zone  score  indicator"), "{shown}");
    assert!(shown.contains("hxxp://bad[.]example/x") && shown.contains("192.31.196.7"), "{shown}");
    let (_, lines) = run(&["lookup", "-", "--format", "json"], "[\"bad.example\"]");
    assert_eq!(serde_json::from_str::<Value>(&lines).unwrap()["zone"], "Red");
    let (_, table) = run(&["lookup", "-", "--format", "csv"], "bad.example,1\n");
    assert!(table.starts_with("bad.example,1,Red,"), "{table}");
    assert_eq!(run(&["lookup", "-"], "nothing here").0, Some(3));
    assert_eq!(run(&["lookup", "bad.example", "--format", "csv"], "").0, Some(2));
}
