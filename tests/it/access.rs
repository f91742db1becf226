//! Who may do what: each way of saying who one is, each role, tokens and their end, guessing, the first admin.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use zonelens::access::role::{CAPABILITIES, Capability, Role};

use crate::program::{Answer, Program, Serving, ran, text, until};
use crate::schema::assert_valid;

pub const LOOKUP: &str = "/api/domain/example.com?sections=Zone,LicenseInfo";

pub fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}")))
}

fn with(service: &Serving, name: &str, value: &str) -> Answer {
    service.send("GET", LOOKUP, &[(name, value)], "")
}

fn note() -> String {
    json!({"indicator": "a.example", "text": "t"}).to_string()
}

fn pin() -> String {
    json!({"indicator": "a.example", "zone": "Red", "reason": "r"}).to_string()
}

/// A refusal for want of credentials, whole.
fn assert_401(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(answer.header("www-authenticate"), Some("Basic, Bearer"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_valid("problem.json", &answer.json());
}

#[test]
fn each_way_of_saying_who_one_is_opens_lookups_and_writes() {
    let program = Program::new();
    let password = program.user("ann", "analyst", &[]);
    program.user("bob", "analyst", &[]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    let ways = [
        ("Authorization", format!("Bearer {token}")),
        ("authorization", format!("bearer {token}")),
        ("Authorization", basic("ann", &password)),
        ("Authorization", basic("ann", &token)),
        ("x-api-key", token.clone()),
    ];
    for (name, value) in &ways {
        let answer = with(&service, name, value);
        assert_eq!(answer.status, 200, "{name}: {value}: {}", answer.body);
        let headers = [(*name, value.as_str()), ("Content-Type", "application/json")];
        let said = service.send("POST", "/api/v1/notes", &headers, &note());
        assert_eq!((said.status, &said.json()["by"]), (201, &json!("ann")), "{}", said.body);
        let me = service.send("GET", "/api/v1/me", &headers, "").json();
        assert_eq!(
            (&me["user"], &me["role"], &me["clearance"]),
            (&json!("ann"), &json!("analyst"), &json!("amber+strict"))
        );
    }
    let wrong = [
        ("Authorization", "Bearer zl_0".to_owned()),
        ("Authorization", "Bearer".to_owned()),
        ("Authorization", basic("ann", "not the password")),
        ("Authorization", basic("nobody", &password)),
        ("Authorization", basic("bob", &token)),
        ("Authorization", "Basic !".to_owned()),
        ("Authorization", "Digest x".to_owned()),
        ("x-api-key", format!("{token}0")),
        ("x-api-key", String::new()),
        ("Cookie", "zonelens=0".to_owned()),
    ];
    for (name, value) in &wrong {
        assert_401(&with(&service, name, value));
    }
    for path in [
        LOOKUP,
        "/api/ip/192.0.2.1",
        "/api/v1/indicator?value=a.example",
        "/api/v1/pins?indicator=a.example",
        "/api/v1/me",
        "/api/v1/users",
        "/metrics",
        "/nowhere",
    ] {
        assert_401(&service.get(path));
    }
    assert_401(&service.send("POST", "/api/v1/notes", &[("Content-Type", "application/json")], &note()));
    assert_eq!((service.get("/healthz").status, service.get("/readyz").status), (200, 200));
    // What is said is said in one's own name, whatever the body says.
    let forged = json!({"indicator": "a.example", "text": "t", "by": "bob"}).to_string();
    assert_eq!(service.ask("POST", "/api/v1/notes", &token, &forged).json()["by"], "ann");
}

#[test]
fn each_role_may_what_the_table_says_and_nothing_else() {
    let program = Program::new();
    let tokens: Vec<(Role, String)> = Role::ALL
        .into_iter()
        .map(|role| {
            program.user(&format!("a.{role}"), role.name(), &[]);
            (role, program.token(&format!("a.{role}"), &[]))
        })
        .collect();
    let service = program.serve(&[]);
    // The request for each capability that has a path, and how it is answered to who may.
    let request = |capability| match capability {
        Capability::Lookup => Some(("GET", LOOKUP, String::new(), 200)),
        Capability::Contacts => Some(("GET", "/api/v1/contacts?indicator=a.example", String::new(), 200)),
        Capability::Write => Some(("POST", "/api/v1/notes", note(), 201)),
        Capability::Pin => Some(("POST", "/api/v1/pins", pin(), 201)),
        Capability::Audit => Some(("GET", "/api/v1/audit", String::new(), 200)),
        Capability::Users => Some(("GET", "/api/v1/users", String::new(), 200)),
        Capability::Sources => Some(("POST", "/api/v1/nowhere", String::new(), 404)),
        Capability::Bulk => Some(("POST", "/api/v1/lookup", r#"["a.example"]"#.to_owned(), 200)),
        Capability::Ingest => None,
    };
    for (role, token) in &tokens {
        let mut may = Vec::new();
        for row in CAPABILITIES {
            let is_granted = row.roles.contains(role);
            may.extend(is_granted.then_some(json!(row.capability)));
            if let Some((method, path, body, status)) = request(row.capability) {
                let answer = service.ask(method, path, token, &body);
                let expected = if is_granted { status } else { 403 };
                assert_eq!(answer.status, expected, "{role} {method} {path}: {}", answer.body);
                if !is_granted {
                    assert_valid("problem.json", &answer.json());
                    assert!(answer.body.contains(role.name()), "{}", answer.body);
                }
            }
        }
        assert_eq!(service.ask("GET", "/api/v1/me", token, "").json()["may"], json!(may), "{role}");
    }
    let clearance = |token: &str| service.ask("GET", "/api/v1/me", token, "").json()["clearance"].clone();
    assert_eq!((clearance(&tokens[0].1), clearance(&tokens[3].1)), (json!("amber+strict"), json!("green")));
}

#[test]
fn who_said_something_is_named_to_those_who_are_cleared_for_it() {
    let program = Program::new();
    let event = r#"{"Event":{"uuid":"5f7b1c1e-0000-4000-8000-000000000001","info":"t","date":"2024-05-31","timestamp":"1717113600",
        "Tag":[{"name":"tlp:amber"}],"Attribute":[{"uuid":"5f7b1c1e-0000-4000-8000-000000000002","type":"domain","category":"Network activity",
        "value":"bad.example","to_ids":true,"timestamp":"1717113600"}]}}"#;
    program.file("partner.json", event);
    program.ok(&["import", "--source", "partner", "partner.json"]);
    program.user("ann", "analyst", &[]);
    program.user("eve", "read-only", &[]);
    let (ann, eve) = (program.token("ann", &[]), program.token("eve", &[]));
    let service = program.serve(&[]);
    let source = |token: &str| {
        let answer = service.ask("GET", "/api/domain/bad.example?sections=Verdict", token, "");
        answer.json()["Verdict"]["Evidence"][0]["Source"].as_str().unwrap().to_owned()
    };
    // Each has their own, also once it was made for the other.
    assert_eq!(
        [source(&ann), source(&eve), source(&ann), source(&eve)],
        ["partner", "restricted", "partner", "restricted"]
    );
}

#[test]
fn the_page_for_operators_shows_the_table() {
    let page = include_str!("../../docs/access.md");
    for row in CAPABILITIES {
        let cells = Role::ALL.map(|role| if row.roles.contains(&role) { " yes |" } else { " |" });
        let line = format!("| {} | {} |{}", row.capability.words(), row.scope, cells.concat());
        assert!(page.contains(&line), "docs/access.md lacks {line}");
    }
}

#[test]
fn a_path_that_is_spelled_otherwise_opens_nothing_more() {
    let program = Program::new();
    program.user("ann", "analyst", &[]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    for path in [
        "/api/v1/users",
        "/api/v1/users/",
        "/api/v1/users/x",
        "/api/v1/%75sers",
        "//api/v1/users",
        "/api/v1//users",
        "/api/v1/users?x=/healthz",
        "/healthz/../api/v1/users",
        "/API/v1/users",
        "/api/v1/users;x",
    ] {
        let answer = service.ask("GET", path, &token, "");
        assert!(matches!(answer.status, 403 | 404), "{path}: {} {}", answer.status, answer.body);
    }
    assert_eq!(service.ask("POST", "/api/v1/me", &token, "{}").status, 405);
}

#[test]
fn a_token_opens_what_its_scopes_say_until_it_ends() {
    let program = Program::new();
    program.user("root", "admin", &[]);
    let (lookup, write) =
        (program.token("root", &["--scopes", "lookup"]), program.token("root", &["--scopes", "write"]));
    let short = program.token("root", &["--days", "2"]);
    let service = program.serve(&[]);
    assert_eq!(service.ask("GET", LOOKUP, &lookup, "").status, 200);
    let answer = service.ask("POST", "/api/v1/pins", &lookup, &pin());
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("scopes"), "{}", answer.body);
    assert_eq!(service.ask("GET", "/api/v1/users", &lookup, "").status, 403);
    assert_eq!(service.ask("POST", "/api/v1/pins", &write, &pin()).status, 201);
    assert_eq!(service.ask("GET", LOOKUP, &write, "").status, 403);
    let licence = service.ask("GET", LOOKUP, &short, "").json()["LicenseInfo"].clone();
    assert_eq!(licence["TokenExpirationDate"], "2024-06-03T12:00Z");
    // A command beside the service ends it within a second, and a new one opens within a second.
    let listed = program.json(&["token", "list", "--json"]);
    let id =
        listed.as_array().unwrap().iter().find(|token| token["scopes"] == json!(["lookup"])).unwrap()["id"]
            .clone();
    program.ok(&["token", "revoke", id.as_str().unwrap()]);
    let took = until(|| service.ask("GET", LOOKUP, &lookup, "").status == 401);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(service.ask("GET", LOOKUP, &lookup, "").body.contains("revoked"));
    let new = program.token("root", &[]);
    let took = until(|| service.ask("GET", LOOKUP, &new, "").status == 200);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let used = || {
        program
            .json(&["token", "list", "--json"])
            .as_array()
            .unwrap()
            .iter()
            .filter(|token| token["last_used"] == "2024-06-01T12:00:00Z")
            .count()
    };
    until(|| used() == 4);
    drop(service);
    let service = program.serve(&["--now", "2024-06-03T11:59:59Z"]);
    assert_eq!(service.ask("GET", LOOKUP, &short, "").status, 200);
    drop(service);
    let service = program.serve(&["--now", "2024-06-03T12:00:00Z"]);
    let answer = service.ask("GET", LOOKUP, &short, "");
    assert_401(&answer);
    assert!(answer.body.contains("expired"), "{}", answer.body);
}

#[test]
fn a_changed_password_or_a_locked_user_ends_all_at_once() {
    let program = Program::new();
    program.user("root", "admin", &[]);
    let password = program.user("ann", "analyst", &[]);
    let (root, token) = (program.token("root", &[]), program.token("ann", &[]));
    let service = program.serve(&[]);
    let by_password = |password: &str| with(&service, "Authorization", &basic("ann", password)).status;
    assert_eq!((by_password(&password), by_password(&password)), (200, 200));
    let change = |body: Value| {
        let answer = service.ask("PATCH", "/api/v1/users/ann", &root, &body.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    change(json!({"disabled": true}));
    assert_eq!((by_password(&password), service.ask("GET", LOOKUP, &token, "").status), (401, 401));
    change(json!({"disabled": false}));
    assert_eq!((by_password(&password), service.ask("GET", LOOKUP, &token, "").status), (200, 200));
    change(json!({"password": "another password"}));
    assert_eq!((by_password(&password), by_password("another password")), (401, 200));
    assert_eq!(service.ask("GET", LOOKUP, &token, "").status, 200, "tokens stay");
    // Somebody changes their own, who knows the old one; a token does not.
    let own = |headers: &[(&str, &str)], old: &str| {
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        service
            .send("PATCH", "/api/v1/me", &headers, &json!({"old": old, "new": "yet another one"}).to_string())
            .status
    };
    let signed_in = basic("ann", "another password");
    assert_eq!(own(&[("Authorization", &signed_in)], &password), 400);
    assert_eq!(own(&[("x-api-key", &token)], "another password"), 403);
    assert_eq!(own(&[("Authorization", &signed_in)], "another password"), 204);
    assert_eq!((by_password("another password"), by_password("yet another one")), (401, 200));
    // A name that is given again is another user.
    assert_eq!(service.ask("DELETE", "/api/v1/users/ann", &root, "").status, 204);
    assert_eq!((by_password("yet another one"), service.ask("GET", LOOKUP, &token, "").status), (401, 401));
    program.user("ann", "read-only", &[]);
    until(|| by_password(&password) == 200);
    assert_eq!(service.ask("GET", LOOKUP, &token, "").status, 401);
}

#[test]
fn who_guesses_waits_and_nobody_else() {
    let program = Program::new();
    let (password, bobs) = (program.user("ann", "analyst", &[]), program.user("bob", "analyst", &[]));
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    let try_with = |path: &str, user: &str, secret: &str| {
        service.send("GET", path, &[("Authorization", &basic(user, secret))], "")
    };
    assert_eq!(try_with(LOOKUP, "bob", &bobs).status, 200);
    let guessed = |name: &str| {
        let statuses = (0..7).map(|number| try_with(LOOKUP, name, &format!("guess {number}")).status);
        // Five cost nothing, the sixth begins the wait; so it is for names that nobody has.
        assert_eq!(statuses.collect::<Vec<_>>(), [401, 401, 401, 401, 401, 401, 429], "{name}");
    };
    guessed("nobody");
    // The wait is of a second, which a busy machine may let go by; the right one ends what was guessed.
    let mut answers = (0..10).map(|_| {
        guessed("ann");
        try_with(LOOKUP, "ann", &password)
    });
    let answer = answers.find(|answer| answer.status == 429).expect("also the right one waits");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_valid("problem.json", &answer.json());
    let answer = try_with("/api/v1/search/domain?request=a.example", "ann", &password);
    assert_eq!((answer.status, answer.header("retry-after")), (403, Some("1")), "the other dialect");
    assert_eq!(service.ask("GET", LOOKUP, &token, "").status, 200, "a valid token never waits");
    assert_eq!(try_with(LOOKUP, "bob", &bobs).status, 200);
    until(|| try_with(LOOKUP, "ann", &password).status == 200);
    // An address that guesses at many names waits too, unless what it sends was verified before.
    let mut last = 401;
    for number in 0..30 {
        last = try_with(LOOKUP, &format!("name{number}"), "guess").status;
    }
    assert_eq!(last, 429);
    assert_eq!(service.send("GET", LOOKUP, &[("x-api-key", "zl_guess")], "").status, 429);
    assert_eq!(
        (try_with(LOOKUP, "bob", &bobs).status, service.ask("GET", LOOKUP, &token, "").status),
        (200, 200)
    );
}

/// A service that nobody can sign in to yet, and the token that it printed.
pub fn first_start(program: &Program) -> (Serving, String) {
    let mut child = program.command(&["serve", "--listen", "0.0.0.0:0"]).spawn().unwrap();
    let mut talk = std::io::BufReader::new(child.stderr.take().unwrap());
    let (mut address, mut token) = (String::new(), String::new());
    while token.is_empty() {
        let mut line = String::new();
        assert!(std::io::BufRead::read_line(&mut talk, &mut line).unwrap() > 0);
        if let Some((_, rest)) = line.split_once("listening on http://") {
            address = rest.split_whitespace().next().unwrap().replace("0.0.0.0", "127.0.0.1");
        }
        if let Some((_, rest)) = line.split_once("\"token\":\"") {
            token = rest.split('"').next().unwrap().to_owned();
        }
    }
    // Read on: a log that nobody takes holds a service up.
    std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::sink()));
    (Serving::of(child, address), token)
}

#[test]
fn the_first_admin_is_made_once_by_the_token_that_was_printed() {
    let program = Program::new();
    let (service, token) = first_start(&program);
    let set_up = |token: &str, password: &str| {
        let body = json!({"token": token, "user": "root", "password": password}).to_string();
        service.send("POST", "/api/v1/setup", &[("Content-Type", "application/json")], &body)
    };
    assert_401(&set_up("zlsetup_0", "a long password"));
    assert_eq!(set_up(&token, "short").status, 400, "the token is still good");
    let made = set_up(&token, "a long password");
    assert_eq!((made.status, made.json()), (201, json!({"user": "root", "role": "admin"})));
    assert_401(&set_up(&token, "a long password"));
    assert_eq!(
        service
            .send("GET", "/api/v1/users", &[("Authorization", &basic("root", "a long password"))], "")
            .status,
        200
    );
    assert_eq!(program.json(&["user", "list", "--json"])[0]["role"], "admin");
}

#[test]
fn settings_that_let_everybody_in_are_refused() {
    let program = Program::new();
    program.file("off.toml", "[http]\nauth = \"off\"\n");
    let ran = program.run(&["--config", "off.toml", "serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.talk.contains("auth") && ran.talk.contains("127.0.0.1"), "{}", ran.talk);
    program.user("root", "admin", &[]);
    program.file("audit.toml", "[audit]\ndays = 0\n");
    let ran = program.run(&["--config", "audit.toml", "serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.talk.contains("audit.days"), "{}", ran.talk);
    // Off on loopback is off, users or not.
    let service = program.serve(&["--config", "off.toml"]);
    assert_eq!(service.get(LOOKUP).status, 200);
    let me = service.get("/api/v1/me").json();
    assert_eq!((&me["user"], &me["clearance"]), (&json!("anonymous"), &json!("red")));
    for (method, path) in [("GET", "/api/v1/users"), ("GET", "/api/v1/audit"), ("POST", "/api/v1/tokens")] {
        let answer = service.send(
            method,
            path,
            &[("Content-Type", "application/json")],
            r#"{"name":"t","user":"root"}"#,
        );
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
}

#[test]
fn users_and_tokens_are_managed_over_http() {
    let program = Program::new();
    program.user("root", "admin", &[]);
    let root = program.token("root", &[]);
    let service = program.serve(&[]);
    let ask = |method: &str, path: &str, body: Value| {
        service.ask(method, path, &root, &if body.is_null() { String::new() } else { body.to_string() })
    };
    let added = ask(
        "POST",
        "/api/v1/users",
        json!({"name": "soar", "role": "integrator", "day_quota": 10, "password": "integrator's own"}),
    );
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!((&added.json()["day_quota"], &added.json()["has_password"]), (&json!(10), &json!(true)));
    assert!(!added.body.contains("argon2"), "{}", added.body);
    for (method, path, body, status, said) in [
        ("POST", "/api/v1/users", json!({"name": "soar", "role": "admin"}), 400, "already"),
        ("POST", "/api/v1/users", json!({"name": "x", "role": "king"}), 400, "king"),
        ("POST", "/api/v1/users", json!({"name": "x", "role": "admin", "colour": 1}), 400, "colour"),
        ("PATCH", "/api/v1/users/soar", json!({"group": "none"}), 400, "no group"),
        ("PATCH", "/api/v1/users/nobody", json!({"role": "admin"}), 404, "nobody"),
        ("PATCH", "/api/v1/users/root", json!({"role": "analyst"}), 400, "no admin"),
        ("DELETE", "/api/v1/users/root", Value::Null, 400, "no admin"),
        ("DELETE", "/api/v1/groups/none", Value::Null, 404, "no group"),
        ("POST", "/api/v1/tokens", json!({"name": "t", "days": 366}), 400, "365"),
        ("POST", "/api/v1/tokens", json!({"name": "t", "user": "soar", "scopes": ["admin"]}), 400, "admin"),
        ("DELETE", "/api/v1/tokens/none", Value::Null, 404, "none"),
    ] {
        let answer = ask(method, path, body.clone());
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{said}: {}", answer.body);
    }
    assert_eq!(ask("PUT", "/api/v1/groups/soc", json!({"day_quota": 5})).status, 200);
    assert_eq!(ask("PATCH", "/api/v1/users/soar", json!({"group": "soc", "day_quota": null})).status, 200);
    assert_eq!(ask("GET", "/api/v1/groups", Value::Null).json(), json!([{"name": "soc", "day_quota": 5}]));
    assert_eq!(ask("DELETE", "/api/v1/groups/soc", Value::Null).status, 400, "somebody is in it");
    // One's own tokens: with the password, not with a token.
    let made = ask("POST", "/api/v1/tokens", json!({"name": "laptop", "user": "soar"}));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["scopes"], json!(["lookup", "write", "ingest"]));
    assert_eq!(service.ask("POST", "/api/v1/tokens", &token, r#"{"name":"more"}"#).status, 403);
    let own = |method: &str, path: &str, body: &str| {
        let headers = [
            ("Authorization", basic("soar", "integrator's own")),
            ("Content-Type", "application/json".to_owned()),
        ];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        service.send(method, path, &headers, body)
    };
    let second = own("POST", "/api/v1/tokens", r#"{"name":"second","scopes":["lookup"],"days":1}"#);
    assert_eq!(second.status, 201, "{}", second.body);
    assert_eq!(own("POST", "/api/v1/tokens", r#"{"name":"t","user":"root"}"#).status, 403);
    let listed = own("GET", "/api/v1/tokens", "").json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "not those of others: {listed}");
    assert!(!listed.to_string().contains("zl_"), "{listed}");
    let all = ask("GET", "/api/v1/tokens", Value::Null).json();
    let roots = all.as_array().unwrap().iter().find(|token| token["user"] == "root").unwrap();
    assert_eq!(roots["last_used"], "2024-06-01T12:00:00Z");
    assert_eq!(own("DELETE", &format!("/api/v1/tokens/{}", roots["id"].as_str().unwrap()), "").status, 404);
    let revoked = own("DELETE", &format!("/api/v1/tokens/{}", made.json()["id"].as_str().unwrap()), "");
    assert_eq!((revoked.status, &revoked.json()["status"]), (200, &json!("revoked")));
    assert_401(&service.ask("GET", LOOKUP, &token, ""));
    assert_eq!(service.ask("GET", LOOKUP, second.json()["token"].as_str().unwrap(), "").status, 200);
}

#[test]
fn commands_manage_users_and_say_what_is_wrong() {
    let program = Program::new();
    // From standard input; nothing of a password in arguments.
    let mut command = program.command(&["user", "add", "ann", "--role", "admin", "--password-file", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a password from a pipe\n").unwrap();
    assert!(child.wait().unwrap().success());
    for (arguments, said) in [
        (&["user", "add", "bob", "--role", "admin"][..], "--password-file"),
        (&["user", "add", "Bob", "--role", "admin", "--no-password"], "lower-case"),
        (&["user", "add", "bob", "--role", "king", "--no-password"], "read-only"),
        (&["user", "add", "ann", "--role", "admin", "--no-password"], "already"),
        (&["user", "set", "ann", "--day-quota", "many"], "none"),
        (&["user", "disable", "ann"], "no admin would be left"),
        (&["user", "remove", "nobody"], "user list"),
        (&["token", "create", "nobody", "t"], "nobody"),
        (&["token", "create", "ann", "t", "--days", "400"], "365"),
        (&["token", "revoke", "0"], "token list"),
        (&["group", "set", "soc", "--burst", "5"], "per_second"),
    ] {
        let ran = program.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.talk);
        assert!(ran.talk.contains(said), "{arguments:?}: {}", ran.talk);
    }
    let short = program.file("short", "too short\n");
    assert_eq!(program.run(&["user", "password", "ann", "--password-file", text(&short)]).code, 2);
    program.ok(&["group", "set", "soc", "--day-quota", "7", "--per-second", "2.5"]);
    program.ok(&[
        "user",
        "add",
        "soar",
        "--role",
        "integrator",
        "--no-password",
        "--group",
        "soc",
        "--clearance",
        "TLP:AMBER",
    ]);
    program.ok(&["user", "role", "soar", "read-only"]);
    program.ok(&["user", "set", "soar", "--group", "none", "--day-quota", "3"]);
    let users = program.json(&["user", "list", "--json"]);
    let soar = json!({"name": "soar", "role": "read-only", "group": null, "clearance": "amber", "day_quota": 3,
        "disabled": false, "has_password": false, "created": "2024-06-01T12:00:00Z"});
    assert_eq!(users[1], soar);
    let table = program.ok(&["user", "list"]).out;
    assert!(table.contains("ann   admin") && table.contains("password, tokens"), "{table}");
    assert!(program.ok(&["group", "list"]).out.contains("2.5"));
    program.ok(&["group", "remove", "soc"]);
    assert_eq!(program.json(&["group", "list", "--json"]), json!([]));
    let made =
        program.json(&["token", "create", "soar", "a test", "--scopes", "lookup", "--days", "90", "--json"]);
    assert!(made["token"].as_str().unwrap().starts_with("zl_"));
    assert!(program.ok(&["token", "list"]).out.contains("a test"));
    program.ok(&["user", "remove", "soar"]);
    assert_eq!(program.json(&["token", "list", "--json"]), json!([]));
    // All that keeps secrets is its owner's.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &str| {
        std::fs::metadata(program.folder.join("zonelens-data").join(path)).unwrap().permissions().mode()
    };
    assert_eq!(
        (mode("access.redb") & 0o777, mode("audit") & 0o777, mode("audit/2024-06-01.ndjson") & 0o777),
        (0o600, 0o700, 0o600)
    );
}

#[test]
fn commands_and_a_service_change_users_side_by_side() {
    let program = Program::new();
    program.user("root", "admin", &[]);
    let root = program.token("root", &[]);
    let service = program.serve(&[]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..10 {
                program.ok(&[
                    "user",
                    "add",
                    &format!("by-command-{number}"),
                    "--role",
                    "analyst",
                    "--no-password",
                ]);
            }
        });
        for number in 0..20 {
            let body = json!({"name": format!("over-http-{number}"), "role": "analyst"}).to_string();
            assert_eq!(service.ask("POST", "/api/v1/users", &root, &body).status, 201);
        }
    });
    // The service dies without notice: a command finds what it acknowledged.
    drop(service);
    let ran = ran(&mut program.command(&["user", "list", "--json"]));
    let users: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(users.as_array().unwrap().len(), 31, "{users}");
    let service = program.serve(&[]);
    assert_eq!(service.ask("GET", "/api/v1/users", &root, "").json().as_array().unwrap().len(), 31);
}
