//! The pages over HTTP: the report and its states, the search, problems as pages, what a page may do.

use crate::program::{Answer, Program, Serving};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A service over names on one address, a list and a file with a hostile name.
fn service(program: &Program) -> Serving {
    let cof = |name: &str, address: &str, count: u32| {
        format!(
            r#"{{"rrname":"{name}","rrtype":"A","rdata":"{address}","time_first":1716800000,"time_last":1716879789,"count":{count}}}"#
        ) + "\n"
    };
    let many: String = (1..=60).map(|n| cof(&format!("host{n}.many.example"), "192.31.196.9", n)).collect();
    program.file("dns.cof", many + &cof("bad.example", "192.31.196.7", 3));
    program.file("list.txt", "bad.example\nhost7.many.example\n");
    program.file(
        "facts.ndjson",
        concat!(
            r#"{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"name":"\"><img src=x onerror=alert(1)>\u202e.exe","url":"http://bad.example/a?<script>alert(1)</script>","first":"2024-05-01T10:00:00Z","last":"2024-05-01T10:00:00Z","hits":1}"#,
            "\n",
            r#"{"fact":"registration","domain":"none.test","created":"2024-05-20"}"#,
            "\n"
        ),
    );
    program.ok(&["import", "dns.cof"]);
    program.ok(&["import", "--source", "threats", "--category", "MALWARE", "list.txt"]);
    program.ok(&["import", "--source", "sensor", "facts.ndjson"]);
    program.serve(&[])
}

/// The page that an answer is, of which everything is asked that holds for all.
pub fn page(answer: &Answer) -> &str {
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{}", answer.body);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(matches!(answer.header("cache-control"), Some("no-store" | "private, no-cache")));
    let lower = answer.body.to_lowercase();
    for forbidden in ["<script>", "javascript:alert", "style=", " onclick=", " onerror=", "\u{202e}", "<img"]
    {
        assert!(!lower.contains(forbidden), "{forbidden} stands in the page: {}", answer.body);
    }
    for link in answer.body.split("href=\"").skip(1) {
        assert!(link.starts_with('/') || link.starts_with('#'), "a link leads away: {}", &link[..40]);
    }
    &answer.body
}

#[test]
fn a_report_is_a_page_with_its_reasons() {
    let program = Program::new();
    let service = service(&program);
    let answer = service.get("/domain/bad.example");
    assert_eq!(answer.status, 200);
    let html = page(&answer);
    for part in [
        "bad[.]example",
        "<strong>Red</strong>: Dangerous",
        "threats says Malware",
        "DNS resolutions for domain",
        "href=\"/ip/192.31.196.7\"",
        "1</span> malicious / 1 all",
        "/api/v1/export?value=bad.example&#38;format=csv&#38;section=FeedMasks",
        "/api/domain/bad.example?sections=DomainDnsResolutions",
    ] {
        assert!(html.contains(part), "{part} is missing: {html}");
    }
    assert_eq!(answer.header("ratelimit-limit"), Some("2147483647"), "a page is a lookup");
    // One address for each object, however it is written.
    for (path, to) in [
        ("/domain/BAD[.]example?as_of=2024-05-30", "/domain/bad.example?as_of=2024-05-30"),
        ("/url/http://bad.example/a?x=1", "/url/bad.example%2Fa%3Fx%3D1"),
        ("/hash/44D88612FEA8A8F36DE82E1278ABB02F", ""),
    ] {
        let answer = service.get(path);
        assert_eq!(answer.header("location").unwrap_or_default(), to, "{path}: {}", answer.body);
    }
}

#[test]
fn sections_are_sorted_filtered_and_paged_by_the_address() {
    let program = Program::new();
    let service = service(&program);
    let rows = |query: &str| {
        let answer = service.get(&format!("/ip/192.31.196.9{query}"));
        assert_eq!(answer.status, 200, "{query}");
        let html = page(&answer);
        let section =
            html.split("id=\"IpDnsResolutions\"").nth(1).unwrap().split("</section>").next().unwrap();
        let table = section.rsplit("<tbody>").next().unwrap();
        let names: Vec<String> = table
            .split("<bdi>")
            .skip(1)
            .map(|name| name.split('<').next().unwrap().replace("[.]", "."))
            .collect();
        (names, section.to_owned())
    };
    let (names, section) = rows("");
    assert_eq!((names.len(), names[0].as_str()), (25, "host7.many.example"), "what is Red is first");
    assert!(section.contains("1</span> malicious / 60 all") && section.contains("1–25 of 60"), "{section}");
    assert!(section.contains("section=IpDnsResolutions&#38;page=2#IpDnsResolutions"), "{section}");
    let (names, _) = rows("?section=IpDnsResolutions&sort=HitsCount");
    assert_eq!(names[0], "host1.many.example");
    let (names, section) = rows("?section=IpDnsResolutions&sort=-HitsCount&page=3");
    assert_eq!((names.len(), names[9].as_str()), (10, "host1.many.example"));
    assert!(section.contains("51–60 of 60"), "{section}");
    let (names, _) = rows("?section=IpDnsResolutions&filter=host5[.]many");
    assert_eq!(names, ["host5.many.example"]);
    // For the script: the section alone, in the same page.
    let part = service.get("/ip/192.31.196.9?section=IpDnsResolutions&part=1");
    assert!(part.body.contains("id=\"IpDnsResolutions\"") && !part.body.contains("id=\"IpWhoIs\""));
    // What makes no sense is as if it were not said, or is a problem in words.
    assert_eq!(rows("?section=IpDnsResolutions&sort=%00&page=99999999999999999999").0.len(), 25);
    let wrong = service.get("/ip/192.31.196.9?as_of=%3Cscript%3E");
    assert_eq!(wrong.status, 400);
    assert!(page(&wrong).contains("as_of is"), "{}", wrong.body);
}

#[test]
fn what_is_not_known_and_what_is_wrong_are_pages_too() {
    let program = Program::new();
    let service = service(&program);
    let unknown = service.get("/domain/nobody.test");
    assert_eq!(unknown.status, 404);
    assert!(page(&unknown).contains("no source says anything of it"), "{}", unknown.body);
    assert!(unknown.body.contains("dns</td>"), "the sources are named: {}", unknown.body);
    let below = service.get("/domain/x.none.test");
    assert_eq!(below.status, 404, "a registration alone makes no name below it known");
    assert!(page(&below).contains("Registered on <time datetime=\"2024-05-20\">"), "{}", below.body);
    let wrong = service.get("/domain/a..b");
    assert_eq!(wrong.status, 400);
    assert!(page(&wrong).contains("role=\"alert\"") && wrong.body.contains("a..b"), "{}", wrong.body);
    let html = [("Accept", "text/html,*/*")];
    assert!(page(&service.send("GET", "/nowhere", &html, "")).contains("Not Found"));
    assert_eq!(
        service.get("/nowhere").header("content-type"),
        Some("application/problem+json"),
        "programs are told as before"
    );
    assert_eq!(
        service.send("GET", "/api/domain/a..b", &html, "").header("content-type"),
        Some("application/problem+json")
    );
}

#[test]
fn whatever_is_pasted_is_understood() {
    let program = Program::new();
    let service = service(&program);
    let to = |query: &str| service.get(&format!("/search?q={query}")).header("location").map(str::to_owned);
    assert_eq!(to("bad%5B.%5Dexample").as_deref(), Some("/domain/bad.example"));
    assert_eq!(to("192.31.196.7").as_deref(), Some("/ip/192.31.196.7"));
    assert_eq!(to("http%3A%2F%2F192.31.196.7").as_deref(), Some("/url/192.31.196.7"));
    assert_eq!(to("hxxp%3A%2F%2Fbad.com%2Fa%3Fb%3Dc").as_deref(), Some("/url/bad.com%2Fa%3Fb%3Dc"));
    assert_eq!(to("").as_deref(), Some("/"));
    let pasted = "q=From%3A+%3Cx%40bad.example.com%3E%0D%0A192.31.196.7+and+host7.many.com+44d88612fea8a8f36de82e1278abb02f";
    let answer = service.send("POST", "/search", &[FORM], pasted);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let html = page(&answer);
    assert!(html.contains("192[.]31[.]196[.]7") && html.contains("href=\"/hash/"), "{html}");
    assert_eq!(answer.header("ratelimit-remaining").unwrap(), "2147483643", "each counts");
    let sorted = service.send("POST", "/search", &[FORM], &format!("{pasted}&order=indicator"));
    assert!(page(&sorted).contains("aria-sort=\"ascending\""), "{}", sorted.body);
    let csv = service.send("POST", "/search", &[FORM], &format!("{pasted}&format=csv"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"zonelens.csv\""));
    assert!(csv.body.starts_with("value,zone,threat_score,categories,indicator,problem\n"), "{}", csv.body);
    let nothing = service.send("POST", "/search", &[FORM], "q=nothing+to+see+%3Cscript%3E");
    assert!(page(&nothing).contains("was found in it"), "{}", nothing.body);
    let foreign = service.send("POST", "/search", &[FORM, ("Origin", "http://evil.example")], pasted);
    assert_eq!(foreign.status, 200, "with auth off a lookup is no secret");
}

#[test]
fn who_is_not_known_signs_in_and_comes_back() {
    let program = Program::new();
    let password = program.user("ann", "analyst", &[]);
    let service = program.serve(&[]);
    let asked = service.get("/domain/example.com?as_of=2024-05-30");
    assert_eq!(asked.status, 303);
    let login = asked.header("location").unwrap().to_owned();
    assert_eq!(login, "/login?next=%2Fdomain%2Fexample.com%3Fas_of%3D2024-05-30");
    let form = service.get(&login);
    assert!(page(&form).contains("value=\"/domain/example.com?as_of=2024-05-30\""), "{}", form.body);
    let sign_in = |next: &str| {
        let body = format!("user=ann&password={}&next={next}", password.replace(' ', "+"));
        service.send("POST", "/login", &[FORM], &body)
    };
    let answer = sign_in("%2Fdomain%2Fexample.com%3Fas_of%3D2024-05-30");
    assert_eq!(answer.header("location"), Some("/domain/example.com?as_of=2024-05-30"));
    for foreign in
        ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Fa%0D%0Ab", ""]
    {
        assert_eq!(sign_in(foreign).header("location"), Some("/"), "{foreign}");
    }
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with = [("Cookie", cookie.as_str())];
    let report = service.send("GET", "/domain/example.com", &with, "");
    assert_eq!(report.status, 200);
    let html = page(&report);
    assert!(html.contains("ann <span class=\"soft\">(analyst)</span>"), "{html}");
    // The proof is another in each page, and each is one.
    let proof = |html: &str| {
        html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (one, two) = (proof(html), proof(&service.send("GET", "/", &with, "").body));
    assert_ne!(one, two);
    // Many are asked for with it or without: what changes nothing has to come from a page of this site alone.
    let many = |headers: &[(&str, &str)]| {
        service.send("POST", "/search", &[&with[..], &[FORM], headers].concat(), "q=a.com+b.com").status
    };
    assert_eq!(
        (many(&[]), many(&[("Origin", "http://test")]), many(&[("Origin", "http://evil.example")])),
        (200, 200, 403)
    );
    let out = |csrf: &str| service.send("POST", "/logout", &[with[0], FORM], &format!("csrf={csrf}")).status;
    assert_eq!((out(&one[..64]), out(&one.replace(&one[..4], "ffff")), out(&two)), (403, 403, 303));
}

#[test]
fn what_pages_load_is_kept_by_its_version() {
    let program = Program::new();
    let service = program.serve(&[]);
    let home = service.get("/");
    let html = page(&home);
    let style = html.split("stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = service.get(style);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert!(answer.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(service.get("/static/zonelens.js").header("cache-control"), Some("no-cache"));
    assert_eq!(service.get("/static/nothing.js").status, 404);
    assert_eq!(service.get("/static/..%2Fzonelens.css").status, 404);
}
