//! Pages besides the report, and what people say on it: who may, what is refused, that no text of others is markup.

use zonelens::access::role::Role;

use crate::program::{Answer, Program, Serving, until};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const PAGE: (&str, &str) = ("Accept", "text/html");

/// Somebody at a browser.
struct Reader<'a> {
    service: &'a Serving,
    cookie: String,
}

impl<'a> Reader<'a> {
    /// Who signs in with a password.
    fn new(service: &'a Serving, user: &str, password: &str) -> Reader<'a> {
        let body = format!("user={user}&password={}", password.replace(' ', "+"));
        let answer = service.send("POST", "/login", &[FORM], &body);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        Reader { service, cookie }
    }

    /// Where nobody has to.
    fn nobody(service: &'a Serving) -> Reader<'a> {
        Reader { service, cookie: "none=1".to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.service.send("GET", path, &[PAGE, ("Cookie", &self.cookie)], "")
    }

    /// A page that is there.
    fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(
            answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"),
            "{path}"
        );
        answer.body
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.service.send("POST", path, &[FORM, PAGE, ("Cookie", &self.cookie)], body)
    }

    /// A form with the session's own token.
    fn fill(&self, path: &str, body: &str) -> Answer {
        let me = self.service.send("GET", "/api/v1/me", &[("Cookie", &self.cookie)], "");
        let csrf = me.json()["csrf"].as_str().unwrap_or_default().to_owned();
        self.post(path, &format!("{body}&csrf={}", csrf.replace('+', "%2B")))
    }
}

/// Where an answer leads.
fn leads(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").unwrap()
}

/// What stands in a section of a page.
fn section<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\""))?;
    Some(rest.split_once("</section>").unwrap().0)
}

const LISTED: &str =
    r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"evil.example","category":"CATEGORY_MALWARE"}"#;

#[test]
fn what_people_say_stands_on_the_report_and_is_taken_back() {
    let program = Program::new();
    program.file("list.ndjson", LISTED);
    program.ok(&["import", "--source", "list", "--format", "native", "list.ndjson"]);
    let password = program.user("ann", "analyst", &[]);
    let service = program.serve(&[]);
    let ann = Reader::new(&service, "ann", &password);
    let people = |path: &str| section(&ann.page(path), "People").unwrap().to_owned();
    assert!(people("/domain/evil.example").contains("Nobody said anything"));
    for action in ["/pins", "/notes", "/sightings", "/false-positives"] {
        assert!(people("/domain/evil.example").contains(&format!("action=\"{action}\"")), "{action}");
    }
    assert!(!people("/domain/evil.example").contains("name=\"by\""), "ann is known");

    let about = "indicator=domain%3Aevil.example";
    let set = ann.fill("/pins", &format!("{about}&zone=Green&reason=was+ours&expires=2024-06-02&by=eve"));
    assert_eq!(leads(&set), "/domain/evil.example?done=pin#People");
    let said = people("/domain/evil.example?done=pin");
    for text in ["The pin is set", "was ours", ">ann<", "zone-Green", "2024-06-02 23:59", "live"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(!said.contains("eve<"), "in one's own name");
    let pins = ann.page("/pins");
    assert!(pins.contains("href=\"/domain/evil.example\"") && pins.contains("was ours"), "{pins}");
    assert!(pins.contains("<option value=\"domain:evil.example\">evil[.]example</option>"), "{pins}");

    let removed = ann.fill("/pins/remove", &format!("{about}&reason=listed+again&back=pins"));
    assert_eq!(leads(&removed), "/pins?done=pin-removed");
    assert!(!ann.page("/pins").contains("was ours"));
    assert!(people("/domain/evil.example").contains("removed"));
    assert_eq!(ann.fill("/pins/remove", &format!("{about}&reason=again")).status, 404);

    for (path, fields, done) in [
        ("/notes", "text=seen%0D%0Abefore", "note"),
        ("/sightings", "observed=2024-05-30", "sighting"),
        ("/false-positives", "reason=a+sinkhole", "false_positive"),
    ] {
        let kept = ann.fill(path, &format!("{about}&{fields}"));
        assert_eq!(leads(&kept), format!("/domain/evil.example?done={done}#People"));
    }
    let said = people("/domain/evil.example");
    assert!(said.contains("a sinkhole") && said.contains("2024-05-30"), "{said}");
    assert!(ann.page("/notes").contains("evil[.]example"));
    // What was said then: nothing, and nothing can be said there.
    let past = ann.get("/domain/evil.example?as_of=2024-05-31").body;
    assert!(past.contains("as of 2024-05-31") && section(&past, "People").is_none(), "{past}");

    // What is wrong says what would be right.
    let wrong = ann.fill("/pins", &format!("{about}&zone=Green&reason=+"));
    assert_eq!((wrong.status, wrong.body.contains("must have reason")), (400, true), "{}", wrong.body);
    // What nothing is known of can be spoken of, and is then known.
    let unknown = ann.get("/domain/nobody.example");
    assert_eq!((unknown.status, section(&unknown.body, "People").is_some()), (404, true));
    assert_eq!(ann.fill("/notes", "indicator=domain%3Anobody.example&text=n").status, 303);

    for action in ["pin add", "pin remove", "note add", "sighting add", "false-positive add"] {
        until(|| program.ok(&["audit"]).out.contains(action));
    }
    // What joins runs loses nothing of the list.
    assert_eq!(ann.fill("/pins", &format!("{about}&zone=Red&reason=for+good")).status, 303);
    program.ok(&["merge"]);
    assert!(ann.page("/pins").contains("for good"));
    program.ok(&["forget", "evil.example", "--yes"]);
    until(|| !ann.page("/pins").contains("evil[.]example"));
    assert!(ann.page("/notes").contains("nobody[.]example"));
}

#[test]
fn each_role_sees_and_says_what_it_may() {
    let program = Program::new();
    program.file("list.ndjson", LISTED);
    program.ok(&["import", "--source", "list", "--format", "native", "list.ndjson"]);
    let users: Vec<(Role, String)> =
        Role::ALL.into_iter().map(|role| (role, program.user(role.name(), role.name(), &[]))).collect();
    let service = program.serve(&[]);
    for (role, password) in users {
        let (pins, writes) = (
            matches!(role, Role::Admin | Role::Analyst),
            matches!(role, Role::Admin | Role::Analyst | Role::Integrator),
        );
        let reader = Reader::new(&service, role.name(), &password);
        let page = reader.page("/domain/evil.example");
        assert_eq!(page.contains("action=\"/pins\""), pins, "{role}");
        assert_eq!(page.contains("action=\"/notes\""), writes, "{role}");
        assert_eq!(reader.page("/pins").contains("action=\"/pins\""), pins, "{role}");
        let about = "indicator=domain%3Aother.example";
        for (path, fields, may) in [
            ("/pins", "zone=Red&reason=r", pins),
            ("/pins/remove", "reason=r", pins),
            ("/notes", "text=t", writes),
            ("/sightings", "observed=", writes),
            ("/false-positives", "reason=r", writes),
        ] {
            // Without the session's token nothing is said, whoever asks.
            assert_eq!(reader.post(path, &format!("{about}&{fields}")).status, 403, "{role} {path}");
            let said = reader.fill(path, &format!("{about}&{fields}"));
            assert_eq!(said.status, if may { 303 } else { 403 }, "{role} {path}: {}", said.body);
        }
    }
    let stranger = Reader::nobody(&service);
    for path in ["/pins", "/notes"] {
        assert!(leads(&stranger.get(path)).starts_with("/login"), "{path}");
    }
}

#[test]
fn texts_of_others_are_text_and_who_is_not_known_is_asked_for_a_name() {
    let program = Program::new();
    program.file("list.ndjson", LISTED);
    program.ok(&["import", "--source", "list", "--format", "native", "list.ndjson"]);
    let service = program.serve(&[]);
    let reader = Reader::nobody(&service);
    assert!(reader.page("/domain/evil.example").contains("name=\"by\""));
    let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AEhttp%3A%2F%2Fevil.example%2F";
    for (path, fields) in [
        ("/pins", format!("zone=Red&reason={hostile}&by={hostile}")),
        ("/notes", format!("text={hostile}&by={hostile}")),
    ] {
        let said = reader.post(path, &format!("indicator=url%3Aevil.example%2F%22%3E%3Cb%3E&{fields}"));
        assert!(leads(&said).starts_with("/url/evil.example%2F"), "{path}");
        let page = reader.page(path);
        for raw in ["<script>", "\u{202e}", "http://evil", "<b>"] {
            assert!(!page.contains(raw), "{path} holds {raw:?}: {page}");
        }
        assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
    }
    let other = [FORM, ("Origin", "http://evil.example")];
    let body = "indicator=evil.example&text=t&by=eve";
    assert_eq!(service.send("POST", "/notes", &other, body).status, 403, "of another site's page");
    assert_eq!(reader.post("/notes", "indicator=evil.example&text=t").status, 400, "nobody says it");
}

#[test]
fn who_of_ours_talked_to_it_is_for_those_entitled_alone() {
    let program = Program::new();
    program.file("zonelens.toml", "[telemetry]\ncontacts = true\n");
    let contact = |client: &str, name: &str, hits: u32| {
        format!(
            r#"{{"fact":"contact","client":"{client}","indicator":"{name}","sensor":"gw","first":"2024-05-30T07:00Z","last":"2024-05-31T09:00Z","hits":{hits}}}"#
        )
    };
    let facts =
        [LISTED.to_owned(), contact("pc-ann", "evil.example", 3), contact("pc-bob", "c2.evil.example", 5)];
    program.file("facts.ndjson", facts.join("\n"));
    program.ok(&["import", "--source", "gateway", "--format", "native", "facts.ndjson"]);
    let users: Vec<(Role, String)> =
        Role::ALL.into_iter().map(|role| (role, program.user(role.name(), role.name(), &[]))).collect();
    let tokens: Vec<String> = Role::ALL.into_iter().map(|role| program.token(role.name(), &[])).collect();
    let service = program.serve(&[]);
    for ((role, password), token) in users.iter().zip(&tokens) {
        let reader = Reader::new(&service, role.name(), password);
        let is_entitled = matches!(role, Role::Admin | Role::Analyst);
        let page = reader.page("/domain/evil.example");
        assert_eq!(page.contains("pc-ann"), is_entitled, "{role}");
        assert_eq!(section(&page, "Contacts").is_some(), is_entitled, "{role}");
        let part = reader.page("/domain/evil.example?section=Contacts&sort=client&part=1");
        assert_eq!(part.contains("pc-bob"), is_entitled, "{role}");
        assert_eq!(
            service.ask("GET", "/api/v1/me", token, "").json()["may"].to_string().contains("contacts"),
            is_entitled
        );
        let before = service.ask("GET", "/api/domain/evil.example?sections=LicenseInfo", token, "").json();
        let answer = service.ask("GET", "/api/v1/contacts?indicator=evil.example", token, "");
        assert_eq!(answer.status, if is_entitled { 200 } else { 403 }, "{role}: {}", answer.body);
        let after = service.ask("GET", "/api/domain/evil.example?sections=LicenseInfo", token, "").json();
        let used = |json: &serde_json::Value| json["LicenseInfo"]["DayRequests"].as_u64().unwrap();
        assert_eq!(used(&before) + 1, used(&after), "it is no lookup");
        if is_entitled {
            let json = answer.json();
            assert_eq!(
                (json["total"].as_u64(), json["contacts"][0]["sensor"].as_str()),
                (Some(2), Some("gw"))
            );
            assert_eq!(json["contacts"][0]["last_seen"], "2024-05-31T09:00:00Z");
            let below: Vec<&str> = (json["contacts"].as_array().unwrap().iter())
                .map(|row| row["indicator"].as_str().unwrap())
                .collect();
            assert_eq!(below, ["evil.example", "c2.evil.example"], "{json}");
        }
    }
}

/// A report that names two indicators, a registration, and names that imitate each other.
const KNOWN: &str = concat!(
    r#"{"fact":"publication","id":"a/1","type":"APT","title":"<b>Heron</b> at http://evil.example/","published":"2024-05-01","tags":["heron"],"actors":["Heron"],"url":"https://evil.example/report"}"#,
    "\n",
    r#"{"fact":"mention","publication":"a/1","indicator":"evil.example"}"#,
    "\n",
    r#"{"fact":"mention","publication":"a/1","indicator":"192.0.2.9"}"#,
    "\n",
    r#"{"fact":"publication","id":"b","type":"Crimeware","title":"A loader","published":"2024-04-01"}"#,
    "\n",
    r#"{"fact":"registration","domain":"evil.example","name_servers":["ns1.evil.example"],"contacts":[{"contact_type":"registrant","organization":"Evil & Sons"}]}"#,
    "\n",
    r#"{"fact":"network","range":"198.51.0.0/16","name":"NET","asn":64500,"as_name":"Some <i>AS</i>"}"#,
    "\n",
    r#"{"fact":"resolution","rrname":"evil.example","rrtype":"A","rdata":{"address":"193.0.6.139"},"first":"2024-05-30","last":"2024-05-31","hits":3}"#,
    "\n",
    r#"{"fact":"network","range":"193.0.6.0/24","name":"NET","asn":3333,"as_name":"Some <i>AS</i>"}"#,
    "\n",
    r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"ev1l.example","category":"CATEGORY_PHISHING"}"#,
    "\n",
    r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"evil.example","category":"CATEGORY_MALWARE"}"#,
    "\n",
);

#[test]
fn the_library_shows_reports_what_they_name_and_files_of_that() {
    let program = Program::new();
    program.file("known.ndjson", KNOWN);
    program.ok(&["import", "--source", "known", "--format", "native", "known.ndjson"]);
    let password = program.user("eve", "read-only", &[]);
    let service = program.serve(&[]);
    let eve = Reader::new(&service, "eve", &password);
    let all = eve.page("/reports");
    assert!(all.contains("href=\"/reports/a%2F1\"") && all.contains("A loader"), "{all}");
    assert!(!all.contains("<b>Heron") && !all.contains("http://evil"), "{all}");
    let apt = eve.page("/reports?search=heron&type=apt&from=2024-05-01&to=2024-05-01&sort=title");
    assert!(apt.contains("/reports/a%2F1") && !apt.contains("A loader"), "{apt}");
    assert!(
        apt.contains("<option value=\"apt\" selected>") && apt.contains("type=apt"),
        "it stays as it was"
    );
    assert_eq!(eve.get("/reports?type=other").status, 400);

    let one = eve.page("/reports/a%2F1");
    for text in [
        "href=\"/domain/evil.example\"",
        "href=\"/ip/192.0.2.9\"",
        "zone-Red",
        "hxxps://evil[.]example/report",
    ] {
        assert!(one.contains(text), "{text}: {one}");
    }
    assert!(!one.contains("<b>") && !one.contains("href=\"http"), "{one}");
    let missing = eve.get("/reports/none");
    assert_eq!((missing.status, missing.body.contains("/reports lists")), (404, true));
    for (format, media_type, holds) in [
        ("csv", "text/csv; charset=utf-8", "evil.example"),
        ("openioc", "application/xml", "<Content type=\"string\">evil.example</Content>"),
        ("stix", "application/stix+json;version=2.1", "[domain-name:value = 'evil.example']"),
        ("misp", "application/vnd.misp+json", "\"value\":\"evil.example\""),
    ] {
        let path = format!("/api/v1/reports/a%2F1?format={format}");
        assert!(one.contains(&format!("href=\"{path}\"")), "{format}");
        let file = eve.get(&path);
        assert_eq!((file.status, file.header("content-type")), (200, Some(media_type)), "{}", file.body);
        assert!(file.header("content-disposition").unwrap().starts_with("attachment"), "{format}");
        assert!(file.body.contains(holds), "{format}: {}", file.body);
    }
    assert_eq!(eve.get("/api/v1/reports/a%2F1?format=pdf").status, 400);
    assert_eq!(eve.get("/api/v1/reports/a%2F1").json()["indicator_count"], 2);
}

#[test]
fn networks_searches_and_names_alike_are_pages_that_the_report_leads_to() {
    let program = Program::new();
    program.file("known.ndjson", KNOWN);
    program.ok(&["import", "--source", "known", "--format", "native", "known.ndjson"]);
    let service = program.serve(&[]);
    let reader = Reader::nobody(&service);
    let report = reader.page("/domain/evil.example");
    for path in [
        "/similar?domain=evil.example",
        "/find?q=registrant:Evil%20%26%20Sons",
        "/find?q=ns:ns1.evil.example",
    ] {
        assert!(report.contains(&format!("href=\"{path}\"")), "{path}: {report}");
        let page = reader.page(path);
        assert!(page.contains("<table>") && page.contains("href=\"/domain/"), "{path}: {page}");
    }
    let address = reader.page("/ip/193.0.6.139");
    for path in ["/network/193.0.6.0-193.0.6.255", "/asn/3333"] {
        assert!(address.contains(&format!("href=\"{path}\"")), "{path}: {address}");
        let page = reader.page(path);
        assert!(page.contains("href=\"/domain/evil.example\"") && !page.contains("<i>AS"), "{path}: {page}");
    }
    let sorted = reader.page("/network/193.0.6.0%2F24?table=names&sort=-hits");
    assert!(sorted.contains("aria-sort=\"descending\""), "{sorted}");
    assert_eq!(reader.get("/network/none").status, 400);
    assert_eq!(reader.get("/asn/64999").status, 404);
    assert_eq!(reader.get("/similar").status, 400);
    let alike = reader.page("/similar?domain=evil.example&technique=homoglyph");
    assert!(
        alike.contains("ev1l[.]example") && alike.contains("<option value=\"homoglyph\" selected>"),
        "{alike}"
    );

    // A page at a time, by the cursor that the page before names.
    let many: Vec<String> = (0..30)
        .map(|n| format!("{{\"fact\":\"listing\",\"type\":\"MASK_TYPE_HOST\",\"mask\":\"h{n:02}.many.example\",\"category\":\"CATEGORY_ADWARE\"}}"))
        .collect();
    program.file("many.ndjson", many.join("\n"));
    program.ok(&["import", "--source", "many", "--format", "native", "many.ndjson"]);
    until(|| reader.page("/find?q=*.many.example").contains("25 here, and more"));
    let first = reader.page("/find?q=*.many.example");
    let next = first.split("class=\"turn\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = reader.page(&next.replace("&#38;", "&").replace("&amp;", "&"));
    assert!(second.contains("5 here, the last") && second.contains("h29[.]many[.]example"), "{second}");
    assert!(!first.contains("h29[.]many"), "each once");
    let hostile = reader.page("/find?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert!(hostile.contains("nothing fits") && !hostile.contains("<script>alert"), "{hostile}");
    assert!(reader.page("/find").contains("registrant:Example Ltd"));
}
