//! The audit: what everybody did stands in it, can be read out, and is lost by no crash.

use serde_json::{Value, json};

use crate::access::{LOOKUP, basic};
use crate::program::{Program, until};

fn entries(program: &Program, filter: &[&str]) -> Vec<Value> {
    let out = program.ok(&[&["audit", "--format", "ndjson"], filter].concat()).out;
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Action, user, object and status of entries.
fn brief(entries: &[Value]) -> Vec<(String, String, String, u64)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let brief = |entry: &Value| {
        let status = entry["status"].as_u64().unwrap_or_default();
        (text(entry, "action"), text(entry, "user"), text(entry, "object"), status)
    };
    entries.iter().map(brief).collect()
}

#[test]
fn whatever_somebody_does_stands_in_the_audit() {
    let program = Program::new();
    let password = program.user("root", "admin", &[]);
    program.user("eve", "read-only", &[]);
    let (root, eve) = (program.token("root", &[]), program.token("eve", &[]));
    let id = program.json(&["token", "list", "--user", "root", "--json"])[0]["id"].clone();
    program.file("config.toml", "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]\n");
    let service = program.serve(&["--config", "config.toml"]);
    let json = ("Content-Type", "application/json");
    let bearer = format!("Bearer {root}");
    let send = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers =
            [("Authorization", bearer.as_str()), json, ("X-Forwarded-For", "198.51.100.7, 192.0.2.9")];
        service.send(method, path, &headers, &body).status
    };
    assert_eq!(send("GET", LOOKUP, Value::Null), 200);
    assert_eq!(send("GET", "/api/domain/unknown.test", Value::Null), 404);
    assert_eq!(
        send("POST", "/api/v1/pins", json!({"indicator": "a.example", "zone": "Red", "reason": "r"})),
        201
    );
    assert_eq!(send("POST", "/api/v1/notes", json!({"indicator": "a.example", "text": "t"})), 201);
    assert_eq!(send("POST", "/api/v1/sightings", json!({"indicator": "a.example"})), 201);
    assert_eq!(
        send("POST", "/api/v1/false-positives", json!({"indicator": "a.example", "reason": "r"})),
        201
    );
    assert_eq!(send("DELETE", "/api/v1/pins?indicator=a.example&reason=r", Value::Null), 200);
    assert_eq!(send("POST", "/api/v1/users", json!({"name": "new", "role": "analyst"})), 201);
    assert_eq!(send("PATCH", "/api/v1/users/new", json!({"password": "a new password"})), 200);
    assert_eq!(send("DELETE", "/api/v1/users/new", Value::Null), 204);
    assert_eq!(send("PUT", "/api/v1/groups/soc", json!({"day_quota": 5})), 200);
    assert_eq!(
        service.ask("POST", "/api/v1/notes", &eve, r#"{"indicator":"a.example","text":"t"}"#).status,
        403
    );
    service.send("GET", LOOKUP, &[("Authorization", &basic("mallory", "a guess"))], "");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let signed_in = format!("user=root&password={}", password.replace(' ', "+"));
    assert_eq!(service.send("POST", "/login", &[form], &signed_in).status, 303);
    assert_eq!(service.send("POST", "/login", &[form], "user=root&password=wrong").status, 401);
    assert_eq!(send("GET", "/api/v1/audit?action=pin", Value::Null), 200);
    service.get("/healthz");
    // Over HTTP the audit is there at once, for commands within a second.
    let over_http = service.ask("GET", "/api/v1/audit?since=2024-06-01", &root, "");
    assert_eq!(over_http.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = over_http
        .body
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected: Vec<(String, String, String, u64)> = [
        ("lookup", "root", "", 200),
        ("lookup", "root", "", 404),
        ("pin add", "root", "a.example", 201),
        ("note add", "root", "a.example", 201),
        ("sighting add", "root", "a.example", 201),
        ("false-positive add", "root", "a.example", 201),
        ("pin remove", "root", "", 200),
        ("user add", "root", "new as analyst", 201),
        ("user change", "root", "new: password", 200),
        ("user remove", "root", "", 204),
        ("group set", "root", "", 200),
        ("note add", "eve", "", 403),
        ("denied", "mallory", "", 401),
        ("login", "root", "", 303),
        ("login", "root", "", 401),
        ("audit list", "root", "", 200),
    ]
    .iter()
    .map(|(action, user, object, status)| ((*action).into(), (*user).into(), (*object).into(), *status))
    .collect();
    let of_service: Vec<Value> = lines.into_iter().filter(|entry| entry["address"].is_string()).collect();
    // That the audit is being read may stand in it already.
    assert_eq!(brief(&of_service)[..expected.len()], expected);
    let first = json!({"at": "2024-06-01T12:00:00Z", "user": "root", "token": id, "address": "192.0.2.9",
        "action": "lookup", "request": format!("GET {LOOKUP}"), "status": 200});
    assert_eq!(of_service[0], first, "from the last address that no proxy of ours has");
    until(|| entries(&program, &["--action", "audit"]).len() == 2);
    let all = entries(&program, &[]);
    assert!(!all.iter().any(|entry| entry.to_string().contains("password of")), "no secrets");
    assert!(!format!("{all:?}").contains("zl_"));
    // Only who may reads it.
    assert_eq!(service.ask("GET", "/api/v1/audit", &eve, "").status, 403);
    let (_, log) = service.stop();
    assert!(!log.contains("unknown.test"), "{log}");
}

#[test]
fn commands_stand_in_it_too_and_it_can_be_read_out() {
    let program = Program::new();
    program.file("list.txt", "bad.example\n");
    program.user("ann", "admin", &[]);
    program.token("ann", &[]);
    program.ok(&["import", "list.txt"]);
    program.ok(&["pin", "set", "a.example", "--zone", "Red", "--reason", "r", "--by", "ann"]);
    program.ok(&["pin", "remove", "a.example", "--reason", "r", "--by", "ann"]);
    program.ok(&["user", "set", "ann", "--day-quota", "5"]);
    program.ok(&["retire", "--source", "list"]);
    let actions: Vec<String> = brief(&entries(&program, &[])).into_iter().map(|entry| entry.0).collect();
    assert_eq!(
        actions,
        ["user add", "token add", "import", "pin add", "pin remove", "user change", "retire"]
    );
    assert_eq!(entries(&program, &["--action", "import"])[0]["object"], "batch 1 of list");
    assert_eq!(entries(&program, &["--action", "pin"]).len(), 2);
    assert_eq!(entries(&program, &["--until", "2024-06-01T12:00:00Z"]).len(), 0);
    assert_eq!(entries(&program, &["--since", "2024-06-02"]).len(), 0);
    assert_eq!(entries(&program, &["--user", "nobody"]).len(), 0);
    let csv = program.ok(&["audit", "--format", "csv", "--action", "import"]).out;
    let imports = entries(&program, &["--action", "import"]).len();
    assert!(
        csv.starts_with("at,user,token,address,action,request,object,status\n2024-06-01T12:00:00Z,"),
        "{csv}"
    );
    assert!(program.ok(&["audit"]).out.contains("import  zonelens  batch 1 of list"));
    // Off, with nobody to answer for.
    program.file("off.toml", "[audit]\ndays = 0\n");
    program.ok(&["--config", "off.toml", "import", "--source", "other", "list.txt"]);
    assert_eq!(entries(&program, &["--action", "import"]).len(), imports);
}

#[test]
fn what_was_answered_a_second_ago_survives_a_crash() {
    let program = Program::new();
    let service = program.serve(&[]);
    for number in 0..50 {
        service.get(&format!("/api/domain/name{number}.example"));
    }
    until(|| entries(&program, &["--action", "lookup"]).len() == 50);
    drop(service);
    let service = program.serve(&[]);
    service.get("/api/domain/last.example");
    assert_eq!(service.stop().0, Some(0));
    assert_eq!(entries(&program, &["--action", "lookup"]).len(), 51, "a stop writes all at once");
    assert_eq!(entries(&program, &[])[50]["user"], "anonymous");
}
