//! Signing in on the page: the form, the cookie, what proves that a request is the page's own, the end.

use serde_json::json;

use crate::access::LOOKUP;
use crate::program::{Answer, Program, Serving, until};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn sign_in(service: &Serving, user: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let body = format!("user={user}&password={}", password.replace(' ', "+"));
    service.send("POST", "/login", &[headers, &[FORM]].concat(), &body)
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_lasts_from_the_form_to_signing_out() {
    let program = Program::new();
    let password = program.user("ann", "analyst", &[]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    let form = service.get("/login");
    assert_eq!((form.status, form.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(form.body.contains("name=\"user\"") && form.body.contains("type=\"password\""), "{}", form.body);
    assert!(
        !form.body.contains("<script>")
            && form.header("content-security-policy").unwrap().contains("default-src 'none'")
    );
    let wrong = sign_in(&service, "ann", "<b>wrong</b>", &[]);
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("<b>"), "{}", wrong.body);
    assert_eq!(service.ask("GET", LOOKUP, &token, "").status, 200);
    assert_eq!(sign_in(&service, "ann", &token, &[]).status, 401, "a token is for programs");
    assert_eq!(sign_in(&service, "ann", &password, &[("Origin", "http://evil.example")]).status, 403);
    let answer = sign_in(&service, "ann", &password, &[("Origin", "http://test")]);
    let set = answer.header("set-cookie").unwrap();
    assert!(
        set.starts_with("zonelens=") && set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    assert!(set.contains("Path=/") && set.contains("Max-Age=43200") && !set.contains("Secure"), "{set}");
    let cookie = cookie(&answer);
    let with = [("Cookie", cookie.as_str())];
    let report = service.send("GET", LOOKUP, &with, "");
    assert_eq!((report.status, &report.json()["LicenseInfo"]["TokenExpirationDate"]), (200, &json!(null)));
    assert!(service.send("GET", "/login", &with, "").body.contains("You are ann"));
    // The database has no secret that opens anything.
    let secret = cookie.split_once('=').unwrap().1;
    let kept = std::fs::read(program.folder.join("zonelens-data/access.redb")).unwrap();
    assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()));
    // A restart keeps it.
    drop(service);
    let service = program.serve(&[]);
    let me = service.send("GET", "/api/v1/me", &with, "").json();
    let csrf = me["csrf"].as_str().unwrap();
    let out = |body: &str| service.send("POST", "/logout", &[with[0], FORM], body).status;
    assert_eq!((out(""), out("csrf=0")), (403, 403));
    assert_eq!(service.send("GET", LOOKUP, &with, "").status, 200);
    assert_eq!(out(&format!("csrf={csrf}")), 303);
    assert_eq!(service.send("GET", LOOKUP, &with, "").status, 401);
}

#[test]
fn what_a_session_changes_has_to_come_from_its_own_page() {
    let program = Program::new();
    let password = program.user("ann", "analyst", &[]);
    program.user("bob", "analyst", &[]);
    let service = program.serve(&[]);
    let ann = cookie(&sign_in(&service, "ann", &password, &[]));
    let bob = cookie(&sign_in(&service, "bob", "the password of bob", &[]));
    let csrf = |cookie: &str| {
        service.send("GET", "/api/v1/me", &[("Cookie", cookie)], "").json()["csrf"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (anns, bobs) = (csrf(&ann), csrf(&bob));
    let note = json!({"indicator": "a.example", "text": "t"}).to_string();
    let say = |headers: &[(&str, &str)]| {
        service
            .send("POST", "/api/v1/notes", &[headers, &[("Cookie", ann.as_str()), JSON]].concat(), &note)
            .status
    };
    assert_eq!(say(&[]), 403);
    assert_eq!(say(&[("x-csrf-token", "")]), 403);
    assert_eq!(say(&[("x-csrf-token", &bobs)]), 403, "another session's");
    assert_eq!(say(&[("x-csrf-token", &anns)]), 201);
    // A password that a browser sends by itself needs the page's origin.
    let basic = crate::access::basic("ann", &password);
    let by_password = |origin: &str| {
        let headers = [("Authorization", basic.as_str()), JSON, ("Origin", origin)];
        service.send("POST", "/api/v1/notes", &headers, &note).status
    };
    assert_eq!(
        (by_password("http://evil.example"), by_password("null"), by_password("http://test")),
        (403, 403, 201)
    );
}

#[test]
fn a_session_ends_by_time_by_silence_and_by_a_new_password() {
    let program = Program::new();
    let password = program.user("ann", "analyst", &[]);
    let service = program.serve(&[]);
    let cookie = cookie(&sign_in(&service, "ann", &password, &[]));
    drop(service);
    let status_at = |now: &str| {
        let service = program.serve(&["--now", now]);
        let status = service.send("GET", LOOKUP, &[("Cookie", &cookie)], "").status;
        assert_eq!(service.stop().0, Some(0));
        status
    };
    assert_eq!(status_at("2024-06-01T12:59:59Z"), 200);
    assert_eq!(status_at("2024-06-01T13:59:58Z"), 200, "its use was noted");
    assert_eq!(status_at("2024-06-01T14:59:58Z"), 401, "an hour of silence");
    let program = Program::new();
    program
        .file("config.toml", "[session]\nmax_hours = 1\nidle_minutes = 600\n[http]\nsecure_cookies = true\n");
    let password = program.user("ann", "analyst", &[]);
    let config = ["--config", "config.toml"];
    let service = program.serve(&config);
    let answer = sign_in(&service, "ann", &password, &[]);
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-zonelens=") && set.contains("; Secure"), "{set}");
    let cookie = self::cookie(&answer);
    let get = |service: &Serving| service.send("GET", LOOKUP, &[("Cookie", &cookie)], "").status;
    assert_eq!(get(&service), 200);
    drop(service);
    let service = program.serve(&["--config", "config.toml", "--now", "2024-06-01T13:00:00Z"]);
    assert_eq!(get(&service), 401, "an hour in all");
    drop(service);
    let service = program.serve(&config);
    let cookie = self::cookie(&sign_in(&service, "ann", &password, &[]));
    let get = |service: &Serving| service.send("GET", LOOKUP, &[("Cookie", &cookie)], "").status;
    assert_eq!(get(&service), 200);
    let file = program.file("password", "quite another password\n");
    program.ok(&["user", "password", "ann", "--password-file", file.to_str().unwrap()]);
    until(|| get(&service) == 401);
}

#[test]
fn without_users_there_is_nothing_to_sign_in_to() {
    let program = Program::new();
    let service = program.serve(&[]);
    assert_eq!(sign_in(&service, "ann", "the password", &[]).status, 404);
}
