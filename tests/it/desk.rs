//! The pages of sources, batches, users, groups, tokens, lookups and the audit: who may see and change what.

use std::io::{Read as _, Write as _};

use serde_json::json;

use crate::program::{Answer, Program, Serving, until};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Each page, and the roles that may open it: of admin, analyst, integrator and read-only.
const PAGES: &[(&str, [bool; 4])] = &[
    ("/sources", [true; 4]),
    ("/sources/threats", [true; 4]),
    ("/sources/overlap", [true; 4]),
    ("/batches", [true; 4]),
    ("/history", [true; 4]),
    ("/account", [true; 4]),
    ("/tokens", [true; 4]),
    ("/users", [true, false, false, false]),
    ("/users/analyst", [true, false, false, false]),
    ("/groups", [true, false, false, false]),
    ("/audit", [true, false, false, false]),
    ("/audit/csv", [true, false, false, false]),
];

/// Each form, with what it says, and the roles that may send it.
const FORMS: &[(&str, &str, [bool; 4])] = &[
    ("/users", "name=new&role=analyst", [true, false, false, false]),
    ("/users/analyst/change", "clearance=green", [true, false, false, false]),
    ("/groups/set", "name=soc&day_quota=5", [true, false, false, false]),
    ("/groups/remove", "name=soc", [true, false, false, false]),
    ("/users/new/remove", "sure=new", [true, false, false, false]),
    ("/sources", "source=remote", [true, false, false, false]),
    ("/tokens", "name=test&days=3", [true; 4]),
];

const ROLES: [&str; 4] = ["admin", "analyst", "integrator", "read-only"];

/// Somebody who signed in.
struct Session<'a> {
    service: &'a Serving,
    cookie: String,
    csrf: String,
}

impl<'a> Session<'a> {
    fn begin(service: &'a Serving, user: &str) -> Session<'a> {
        Session::with(service, user, &format!("the password of {user}"))
    }

    fn with(service: &'a Serving, user: &str, password: &str) -> Session<'a> {
        let body = format!("user={user}&password={}", password.replace(' ', "+"));
        let answer = service.send("POST", "/login", &[FORM], &body);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let page = service.send("GET", "/account", &[("Cookie", &cookie)], "").body;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Session { service, cookie, csrf }
    }

    fn get(&self, path: &str) -> Answer {
        self.service.send("GET", path, &[("Cookie", &self.cookie), ("Accept", "text/html")], "")
    }

    /// Sends a form without the proof that it is the page's own.
    fn forge(&self, path: &str, form: &str) -> Answer {
        self.service.send("POST", path, &[("Cookie", &self.cookie), FORM], form)
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        self.forge(path, &format!("{form}&csrf={}", self.csrf))
    }
}

/// What a page shows, once it is certain that nothing of it is markup of others.
fn html(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let lower = answer.body.to_lowercase();
    for forbidden in ["<script>", "<img", "style=", "\u{202e}", "href=\"http", "href=\"//"] {
        assert!(!lower.contains(forbidden), "{forbidden} stands in the page: {}", answer.body);
    }
    &answer.body
}

fn assert_has(answer: &Answer, parts: &[&str]) {
    let page = html(answer);
    for part in parts {
        assert!(page.contains(part), "{part} is not on the page: {page}");
    }
}

/// A store with two sources, one of them with a record that is not understood and would like to be markup.
fn program() -> Program {
    let program = Program::new();
    program.file("list.txt", "bad.example\n\"><img src=x onerror=alert(1)>\u{202e}\nworse.example\n");
    program.ok(&["import", "--source", "threats", "list.txt"]);
    program.file("other.txt", "bad.example\nelsewhere.example\n");
    program.ok(&["import", "--source", "partner", "other.txt"]);
    program.ok(&["source", "add", "remote", "/nowhere/list.txt"]);
    for role in ROLES {
        program.user(role, role, &[]);
    }
    program
}

#[test]
fn each_role_sees_and_sends_what_it_may() {
    let program = program();
    let service = program.serve(&[]);
    for (at, role) in ROLES.into_iter().enumerate() {
        let session = Session::begin(&service, role);
        for (path, may) in PAGES {
            let expected = if may[at] { 200 } else { 403 };
            assert_eq!(session.get(path).status, expected, "{role} {path}");
        }
        let places = session.get("/sources").body;
        assert_eq!(places.contains("href=\"/audit\""), role == "admin", "{role}");
        for (path, form, may) in FORMS {
            assert_eq!(session.forge(path, form).status, 403, "{role} {path} without the page's own token");
            let answer = session.post(path, form);
            let expected: &[u16] = if may[at] { &[303, 201] } else { &[403] };
            assert!(expected.contains(&answer.status), "{role} {path}: {} {}", answer.status, answer.body);
        }
    }
    for (path, _) in PAGES {
        let answer = service.get(path);
        let next = format!("/login?next={}", path.replace('/', "%2F"));
        assert_eq!((answer.status, answer.header("location")), (303, Some(next.as_str())));
    }
    for (path, form, _) in FORMS {
        let answer = service.send("POST", path, &[FORM], form);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/login")), "{path}");
        let basic = crate::access::basic("admin", "the password of admin");
        let foreign = [FORM, ("Authorization", basic.as_str()), ("Origin", "http://evil.example")];
        assert_eq!(service.send("POST", path, &foreign, form).status, 403, "{path}");
    }
}

#[test]
fn sources_say_how_they_stand_and_what_they_rejected() {
    let program = program();
    let service = program.serve(&[]);
    let admin = Session::begin(&service, "admin");
    let list = admin.get("/sources");
    assert_has(&list, &["href=\"/sources/threats\"", "by hand", "not asked yet", "Refresh now"]);
    let one = admin.get("/sources/threats");
    assert_has(
        &one,
        &["&#34;&#62;&#60;img", "Rejected because", "href=\"/api/v1/sources/threats/rejected\""],
    );
    assert!(!one.body.contains("Refresh now"), "there is nothing to ask");
    let asked = admin.post("/sources", "source=remote");
    assert_eq!(asked.header("location"), Some("/sources/remote?done=asked"));
    until(|| admin.get("/sources/remote").body.contains("failed"));
    assert_has(&admin.get("/sources/remote?done=asked"), &["role=\"status\"", "Refresh now", "1 times: "]);
    assert!(!admin.get("/sources?done=<b>").body.contains("role=\"status\""), "no words but ours");
    assert_eq!(admin.post("/sources", "source=threats").status, 404, "it is imported by hand");
    assert_eq!((admin.post("/sources", "source=x").status, admin.post("/sources", "").status), (404, 400));
    assert_eq!(
        (admin.get("/sources/nowhere").status, admin.get("/sources/%22%3E%3Cb%3E").status),
        (404, 404)
    );
    assert!(!admin.get("/sources/%22%3E%3Cb%3E").body.contains("<b>"));
    let overlap = admin.get("/sources/overlap");
    assert_has(&overlap, &["50.0", "href=\"/sources/partner\"", "Shared with each other"]);
    let batches = admin.get("/batches?sort=source&filter=partner");
    assert_has(&batches, &["listing 2", "live", "all 1 that fit, of 2"]);
    assert!(!html(&batches).contains("/sources/threats"));
    program.ok(&["retire", "--source", "partner"]);
    until(|| admin.get("/batches").body.contains("retired"));
}

#[test]
fn a_source_above_the_clearance_is_none() {
    let program = program();
    program.file("secret.json", r#"{"Event":{"uuid":"5f7b1c1e-0000-4000-8000-000000000001","info":"t","date":"2024-05-31",
        "timestamp":"1717113600","Tag":[{"name":"tlp:amber"}],"Attribute":[{"uuid":"5f7b1c1e-0000-4000-8000-000000000002",
        "type":"domain","category":"Network activity","value":"bad.example","to_ids":true,"timestamp":"1717113600"}]}}"#);
    program.ok(&["import", "--source", "hushed", "secret.json"]);
    let service = program.serve(&[]);
    let (analyst, reader) = (Session::begin(&service, "analyst"), Session::begin(&service, "read-only"));
    for path in ["/sources", "/sources/overlap", "/batches"] {
        assert!(html(&analyst.get(path)).contains("/sources/hushed"), "{path}");
        assert!(!html(&reader.get(path)).contains("hushed"), "{path}");
    }
    assert_eq!((analyst.get("/sources/hushed").status, reader.get("/sources/hushed").status), (200, 404));
}

#[test]
fn users_and_groups_are_managed_by_forms() {
    let program = program();
    let service = program.serve(&[]);
    let admin = Session::begin(&service, "admin");
    let to = |answer: &Answer| answer.header("location").map(str::to_owned);
    assert_eq!(
        to(&admin.post("/groups/set", "name=soc&day_quota=10&per_second=&burst=")).as_deref(),
        Some("/groups?done=group-set")
    );
    let new = "name=eve&role=analyst&group=soc&clearance=&day_quota=7&per_second=&burst=&password=a+long+enough+password";
    assert_eq!(to(&admin.post("/users", new)).as_deref(), Some("/users/eve?done=user-added"));
    assert_has(&admin.get("/users/eve?done=user-added"), &["The user was added.", "amber+strict", "soc"]);
    assert_has(&admin.get("/groups"), &["soc", "10"]);
    for (path, form, said) in [
        ("/users", "name=eve&role=analyst", "already"),
        ("/users", "name=A+B&role=analyst", "no name of a user"),
        ("/users", "name=bob&role=root", "unknown variant"),
        ("/users", "name=bob&role=analyst&day_quota=many", "day_quota"),
        ("/users", "role=analyst", "name is missing"),
        ("/users", "name=bob&role=analyst&password=short", "password"),
        ("/users/eve/change", "group=nowhere", "there is no group"),
        ("/users/eve/remove", "sure=", "type this name"),
        ("/users/admin/remove", "sure=admin", "no admin would be left"),
        ("/users/admin/change", "role=analyst", "no admin would be left"),
        ("/groups/remove", "name=soc", "take it out first"),
        ("/groups/set", "name=%3Cb%3E", "no name of a group"),
    ] {
        let answer = admin.post(path, form);
        assert_eq!(answer.status, 400, "{path} {form}: {}", answer.body);
        assert!(answer.body.contains(said) && !answer.body.contains("<b>"), "{path} {form}: {}", answer.body);
    }
    assert_eq!(admin.post("/users/nobody/change", "clearance=red").status, 404);
    // What is said again as it is ends no session.
    let eve = Session::with(&service, "eve", "a long enough password");
    let same = "role=analyst&group=soc&clearance=amber%2Bstrict&day_quota=7&per_second=&burst=&disabled=no";
    assert_eq!(to(&admin.post("/users/eve/change", same)).as_deref(), Some("/users/eve?done=nothing"));
    let changed = same.replace("day_quota=7", "day_quota=").replace("group=soc", "group=");
    assert_eq!(
        to(&admin.post("/users/eve/change", &changed)).as_deref(),
        Some("/users/eve?done=user-changed")
    );
    assert_eq!(eve.get("/account").status, 200);
    let token = program.token("admin", &[]);
    let ask = || service.ask("GET", "/api/v1/users", &token, "");
    until(|| ask().status == 200);
    let users = ask().json();
    let row = users.as_array().unwrap().iter().find(|user| user["name"] == "eve").unwrap().clone();
    assert_eq!(
        (&row["group"], &row["day_quota"], &row["clearance"]),
        (&json!(null), &json!(null), &json!("amber+strict"))
    );
    admin.post("/users/eve/change", &changed.replace("disabled=no", "disabled=yes"));
    until(|| eve.get("/account").status == 303);
    assert_eq!(to(&admin.post("/users/eve/remove", "sure=eve")).as_deref(), Some("/users?done=user-removed"));
    assert_eq!(admin.get("/users/eve").status, 404);
    // It is in the audit as if it had been sent to the interface.
    let page = admin.get("/audit?user=admin&action=user+change");
    assert_has(&page, &["eve: day_quota, group", "eve: disabled", "POST /users/eve/change"]);
    assert!(!page.body.contains("a long enough password"));
    assert_has(&admin.get("/audit?action=user+add"), &["eve as analyst", "400"]);
    assert_has(&admin.get("/audit?action=group"), &["group set", "group remove"]);
}

#[test]
fn tokens_are_shown_once_and_revoked() {
    let program = program();
    let service = program.serve(&[]);
    let (admin, ann) = (Session::begin(&service, "admin"), Session::begin(&service, "analyst"));
    let made = ann.post("/tokens", "name=%3Cb%3Ecase%3C%2Fb%3E&lookup=yes&days=30");
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    assert!(made.body.contains("&#60;b&#62;case") && made.body.contains("lookup, until"), "{}", made.body);
    let secret = made.body.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let look = |secret: &str| service.ask("GET", "/api/domain/bad.example?sections=Zone", secret, "").status;
    assert_eq!(look(&secret), 200);
    assert_eq!(
        service.ask("POST", "/api/v1/notes", &secret, r#"{"indicator":"a.example","text":"t"}"#).status,
        403
    );
    let list = ann.get("/tokens");
    assert_has(&list, &["&#60;b&#62;case", "live", "Revoke"]);
    assert!(!list.body.contains(&secret));
    let id = |page: &str| {
        page.split("<option value=\"").find(|part| part.contains("case")).unwrap()[..8].to_owned()
    };
    let id = id(&list.body);
    // Nobody but an admin and its user knows of it.
    let other = Session::begin(&service, "integrator");
    assert!(!other.get("/tokens").body.contains(&id));
    assert_eq!(other.post("/tokens/remove", &format!("token={id}")).status, 404);
    assert_eq!(other.post("/tokens", "name=x&user=analyst").status, 403);
    assert_eq!(ann.forge("/tokens/remove", &format!("token={id}")).status, 403);
    assert_has(&admin.get("/tokens"), &[&id, "href=\"/users/analyst\""]);
    assert_has(&admin.get("/users/analyst"), &[&id]);
    assert_eq!(
        ann.post("/tokens/remove", &format!("token={id}")).header("location"),
        Some("/tokens?done=token-revoked")
    );
    until(|| look(&secret) == 401);
    assert_has(&ann.get("/tokens?done=token-revoked"), &["revoked"]);
    for (form, said) in
        [("name=&days=3", "says not"), ("name=x&days=400", "1 to 365"), ("name=x&days=x", "days")]
    {
        let answer = ann.post("/tokens", form);
        assert!(answer.status == 400 && answer.body.contains(said), "{form}: {}", answer.body);
    }
    // A token makes none, and sees no forms.
    let token = program.token("analyst", &[]);
    until(|| look(&token) == 200);
    assert!(!service.ask("GET", "/tokens", &token, "").body.contains("<details"));
    let headers = [("Authorization", format!("Bearer {token}")), (FORM.0, FORM.1.to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(service.send("POST", "/tokens", &headers, "name=x").status, 403);
}

#[test]
fn one_s_own_password_needs_the_old_one() {
    let program = program();
    let service = program.serve(&[]);
    let ann = Session::begin(&service, "analyst");
    assert_has(&ann.get("/account"), &["You are analyst", "look", "Change the password"]);
    let change = |old: &str| format!("old={old}&new=quite+another+password");
    assert_eq!(ann.forge("/account/change", &change("the+password+of+analyst")).status, 403);
    let wrong = ann.post("/account/change", &change("wrong"));
    assert!(wrong.status == 400 && wrong.body.contains("old is not the password"), "{}", wrong.body);
    let done = ann.post("/account/change", &change("the+password+of+analyst"));
    assert_eq!(done.header("location"), Some("/account?done=password"));
    until(|| ann.get("/account").status == 303);
    let ann = Session::with(&service, "analyst", "quite another password");
    assert_has(&ann.get("/account?done=password"), &["all sessions ended"]);
    let admin = Session::begin(&service, "admin");
    assert_has(&admin.get("/audit?action=password+change"), &["password change", "POST /account/change"]);
}

#[test]
fn everybody_sees_their_own_lookups() {
    let program = program();
    let service = program.serve(&[]);
    let (admin, ann) = (Session::begin(&service, "admin"), Session::begin(&service, "analyst"));
    ann.get("/domain/bad.example");
    ann.get("/domain/bad.example?section=DataFeeds&sort=Source&part=1");
    ann.get("/domain/%3Cscript%3E");
    assert_has(&ann.get("/account"), &["2, without a limit"]);
    ann.get("/ip/192.0.2.1");
    admin.get("/domain/of-the-admin.example");
    let own = ann.get("/history");
    let page = html(&own);
    assert!(
        page.find("href=\"/ip/192.0.2.1\"").unwrap() < page.find("href=\"/domain/bad.example\"").unwrap()
    );
    assert!(
        page.contains("all 2") && !page.contains("of-the-admin") && !page.contains("script%3E"),
        "{page}"
    );
    assert!(html(&ann.get("/history?until=2024-06-01")).contains("none of 0"));
    assert!(html(&ann.get("/history?user=admin")).contains("all 2"), "whatever the address says");
    assert_eq!(ann.get("/history?since=yesterday").status, 400);
    let all = admin.get("/audit?user=analyst&action=lookup");
    assert_has(
        &all,
        &["GET /domain/bad[.]example", "all 4", "href=\"/audit/csv?user=analyst&#38;action=lookup\""],
    );
    assert!(!html(&all).contains("of-the-admin"));
    let csv = admin.get("/audit/csv?user=analyst&action=lookup");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.header("content-disposition").unwrap().contains("zonelens-audit.csv"));
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "at,user,token,address,action,request,object,status"));
    assert!(lines[1].contains("GET /domain/bad.example"), "{}", lines[1]);
}

#[test]
fn without_users_the_history_is_for_this_machine() {
    let program = Program::new();
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "list.txt"]);
    let service = program.serve(&[]);
    service.get("/domain/bad.example");
    // Every request of these tests says `Host: test`, as one does that a foreign name led here.
    let answer = service.get("/history");
    assert!(answer.status == 403 && answer.body.contains("this machine alone"), "{}", answer.body);
    let mut stream = std::net::TcpStream::connect(&service.address).unwrap();
    write!(stream, "GET /history HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("href=\"/domain/bad.example\""), "{text}");
    assert_eq!([service.get("/users").status, service.get("/audit").status], [403, 403]);
    assert_has(&service.get("/account"), &["You are anonymous"]);
    assert_eq!(service.send("POST", "/tokens", &[FORM], "name=x").status, 403);
    assert_eq!(service.get("/setup").header("location"), Some("/login"));
}

#[test]
fn the_first_admin_is_made_on_a_page() {
    let program = Program::new();
    let (service, token) = crate::access::first_start(&program);
    assert_eq!(service.get("/login").header("location"), Some("/setup"));
    assert_has(&service.get("/setup"), &["name=\"token\"", "type=\"password\""]);
    let send = |headers: &[(&str, &str)], token: &str, password: &str| {
        let form = format!("token={token}&user=root&password={password}");
        service.send("POST", "/setup", &[headers, &[FORM]].concat(), &form)
    };
    let wrong = send(&[], "%3Cb%3E", "a+long+enough+password");
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("role=\"alert\"") && wrong.body.contains("this token makes no admin"));
    assert!(wrong.body.contains("value=\"root\"") && !wrong.body.contains("<b>"), "{}", wrong.body);
    let short = send(&[], &token, "short");
    assert!(short.status == 400 && short.body.contains("role=\"alert\""), "{}", short.body);
    assert_eq!(send(&[("Origin", "http://evil.example")], &token, "a+long+enough+password").status, 403);
    let made = send(&[], &token, "a+long+enough+password");
    assert_eq!((made.status, made.header("location")), (303, Some("/login")));
    assert_eq!(service.get("/setup").header("location"), Some("/login"));
    assert_eq!(send(&[], &token, "a+long+enough+password").status, 401, "once");
    let root = Session::with(&service, "root", "a long enough password");
    assert_has(&root.get("/audit?action=setup"), &["root", "401"]);
}
