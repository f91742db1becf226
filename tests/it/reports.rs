//! Intelligence reports for people: found by words and days, shown with what they name and how that is judged.

use serde_json::{Value, json};

use crate::dialects::service;
use crate::program::{Program, Serving};
use crate::report::golden;
use crate::schema::assert_valid;

fn ids(service: &Serving, query: &str) -> (u64, Vec<String>) {
    let answer = service.get(&format!("/api/v1/reports{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let page = answer.json();
    let ids = page["reports"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
    (page["total"].as_u64().unwrap(), ids.collect())
}

#[test]
fn reports_are_found_by_words_and_days() {
    let program = Program::new();
    let service = service(&program, &[]);
    let found = |query: &str, expected: &[&str]| {
        let (total, ids) = ids(&service, query);
        assert_eq!(ids, expected, "{query}");
        total
    };
    assert_eq!(found("", &["r-3", "r-2", "r-1"]), 3);
    for words in ["shops", "SHOPS+tills", "heron", "retail+nl", "r-1", "in%20short"] {
        assert_eq!(found(&format!("?search={words}"), &["r-1"]), 1);
    }
    assert_eq!(found("?search=shops+pumps", &[]), 0);
    assert_eq!(found("?search=", &["r-3", "r-2", "r-1"]), 3);
    assert_eq!(found("?from=2024-05-20", &["r-3", "r-2"]), 2);
    assert_eq!(found("?to=2024-05-20", &["r-3", "r-2", "r-1"]), 3, "a day is whole");
    assert_eq!(found("?to=2024-05-20T00:00Z", &["r-2", "r-1"]), 2);
    assert_eq!(found("?from=2024-05-11&to=2024-05-19", &[]), 0);
    assert_eq!(found("?limit=1", &["r-3"]), 3);
    assert_eq!(found("?limit=1&offset=1", &["r-2"]), 3);
    assert_eq!(found("?limit=9999&offset=3", &[]), 3);
    golden("reports.json", &service.get("/api/v1/reports").json());
}

#[test]
fn a_report_shows_what_it_names_and_how_that_is_judged() {
    let program = Program::new();
    program.file(
        "odd.ndjson",
        "{\"fact\":\"publication\",\"id\":\"a/b c\\u00e9\",\"type\":\"APT\",\"title\":\"Odd\"}\n",
    );
    program.ok(&["import", "--format", "native", "odd.ndjson"]);
    let service = service(&program, &[]);
    let answer = service.get("/api/v1/reports/r-1");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("ratelimit-remaining").is_some(), "it is a lookup");
    let report = answer.json();
    golden("report-of-intelligence.json", &report);
    let domain = &report["indicators"][0];
    assert_eq!(
        (&domain["indicator"], &domain["zone"], &domain["threat_score"]),
        (
            &json!("shop.example"),
            &json!("Red"),
            &service.get("/api/domain/shop.example").json()["Verdict"]["ThreatScore"]
        )
    );
    assert_eq!(service.get("/api/v1/reports/a%2Fb%20c%C3%A9").json()["title"], "Odd");
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (status, path, said) in [
        (400, "?from=yesterday", "from is \"yesterday\""),
        (400, "?to=2024-13-01", "to is \"2024-13-01\""),
        (400, "?from=2024-05-20&to=2024-05-19", "swap the two"),
        (400, "?limit=0", "limit is \"0\": use a number from 1"),
        (400, "?limit=x", "limit"),
        (400, "?offset=-1", "offset is \"-1\": use a number from 0"),
        (404, "/r-9", "there is no report \"r-9\""),
        (400, "/%ff", "UTF-8"),
    ] {
        let answer = service.get(&format!("/api/v1/reports{path}"));
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_valid("problem.json", &answer.json());
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{path}: {}", answer.body);
    }
    assert_eq!(service.request("DELETE", "/api/v1/reports/r-1").status, 405);
}

#[test]
fn clearance_is_obeyed() {
    let program = Program::new();
    program.user("ann", "analyst", &["--clearance", "red"]);
    program.user("bob", "analyst", &["--clearance", "green"]);
    let (cleared, open) = (program.token("ann", &[]), program.token("bob", &[]));
    program.file("zonelens.toml", "[[source]]\nname = \"partner\"\ntlp = \"red\"\n");
    let secret = r#"{"fact":"publication","id":"nightfall","type":"APT","title":"Nightfall","published":"2024-05-30"}
{"fact":"mention","publication":"nightfall","indicator":"domain:shop.example"}
{"fact":"mention","publication":"r-2","indicator":"domain:secret.example"}
"#;
    program.file("secret.ndjson", secret);
    program.ok(&["import", "--source", "partner", "--format", "native", "secret.ndjson"]);
    let service = service(&program, &[]);
    assert_eq!(service.get("/api/v1/reports").status, 401);
    let named = |token: &str, path: &str| {
        let answer = service.ask("GET", &format!("/api/v1/reports{path}"), token, "");
        (answer.status, answer.body.contains("nightfall"), answer.body.contains("secret.example"))
    };
    assert_eq!(named(&cleared, ""), (200, true, false));
    assert_eq!(named(&cleared, "/nightfall"), (200, true, false));
    assert_eq!(named(&cleared, "/r-2"), (200, false, true));
    assert_eq!(named(&open, ""), (200, false, false));
    assert_eq!(named(&open, "?search=nightfall").0, 200);
    assert_eq!(named(&open, "/nightfall").0, 404);
    assert_eq!(
        named(&open, "/r-2"),
        (200, false, false),
        "what a restricted source says it names is not there"
    );
    let total = service.ask("GET", "/api/v1/reports?search=nightfall", &open, "").json();
    assert_eq!(total, json!({"total": 0, "offset": 0, "reports": Value::Array(Vec::new())}));
}
