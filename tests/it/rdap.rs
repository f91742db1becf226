//! Registrations asked of a registry of the test's own: for whom, how fast, and how often.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Program, Ran, until};
use crate::web::{Asked, Reply, Web};

/// The answer of a registry on a domain.
fn registration(domain: &str) -> Reply {
    Reply::ok(
        json!({
            "objectClassName": "domain", "ldhName": domain.to_uppercase(), "handle": "1",
            "events": [{"eventAction": "registration", "eventDate": "2020-01-02T00:00:00Z"}],
            "entities": [{"objectClassName": "entity", "roles": ["registrar"], "vcardArray": ["vcard", [
                ["fn", {}, "text", "Registrar of Tests"]]]}],
        })
        .to_string(),
    )
    .with("content-type", "application/rdap+json")
}

/// A registry of `.example` and `.test`, and which registry to ask.
fn registry(answer: impl Fn(&Asked, &str) -> Reply + Send + Sync + 'static) -> Web {
    Web::start(move |asked| {
        let host = asked.header("host").unwrap();
        match asked.path.strip_prefix("/r/domain/") {
            Some(domain) => answer(asked, domain),
            None if asked.path == "/dns.json" => Reply::ok(
                json!({"version": "1.0", "services": [[["example", "test"], [format!("http://{host}/r")]]]})
                    .to_string(),
            ),
            None => Reply::status(500),
        }
    })
}

/// A program with the source `rdap` and lines more of its table.
fn program(web: &Web, more: &str) -> Program {
    let program = Program::new();
    program.file(
        "zonelens.toml",
        format!(
            "[[source]]\nname = \"rdap\"\nlocation = \"rdap:\"\nallow_private = true\n[source.rdap]\nbootstrap = {:?}\n{more}\n",
            web.url("/dns.json")
        ),
    );
    program
}

fn list(program: &Program, names: &str, now: &str) {
    program.file("list.txt", names);
    program.ok(&["import", "list.txt", "--format", "list", "--now", now]);
}

fn refresh(program: &Program, now: &str) -> Ran {
    program.run(&["source", "refresh", "rdap", "--now", now])
}

/// The domains that were asked for, sorted.
fn asked(web: &Web) -> Vec<String> {
    let paths = web.paths().into_iter();
    let mut names: Vec<String> =
        paths.filter_map(|path| path.strip_prefix("/r/domain/").map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn listed_and_watched_domains_are_asked_for_once_in_a_while() {
    let web = registry(|asked, domain| {
        assert!(asked.header("accept").unwrap().starts_with("application/rdap+json"));
        if domain == "gone.example" { Reply::status(404) } else { registration(domain) }
    });
    let program = program(&web, "pace_per_second = 50.0\nwatch = [\"www.own.example\"]");
    list(
        &program,
        "www.bad.example\nbad.example\nhttp://a.evil.example:8080/x\ngone.example\n192.0.2.1\n192.0.2.0/24\nno.registry.invalid\nme.github.io\n",
        "2024-06-01",
    );
    let ran = refresh(&program, "2024-06-01T01:00Z");
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert!(ran.out.contains("3 registration") && ran.out.contains("format rdap"), "{}", ran.out);
    assert_eq!(asked(&web), ["bad.example", "evil.example", "gone.example", "own.example"]);
    let report = program.ok(&["lookup", "bad.example", "--sections", "DomainWhoIsInfo"]).out;
    assert!(report.contains("Registrar of Tests"), "{report}");
    // What is known, or was asked for in vain, is not asked for again; nor for which registry to ask.
    web.forget();
    let ran = refresh(&program, "2024-06-01T02:00Z");
    assert_eq!((ran.out.as_str(), web.asked().len()), ("rdap: not modified\n", 0), "{}", ran.talk);
    list(&program, "bad.example\nnew.test\ngone.example\n", "2024-06-02");
    refresh(&program, "2024-06-02T02:00Z");
    assert_eq!(
        (asked(&web), web.asked().len()),
        (vec!["new.test".to_owned()], 2),
        "with the list of registries"
    );
    // A week later what was asked for in vain, a month later all that is listed anew or watched.
    web.forget();
    list(&program, "bad.example\ngone.example\n", "2024-06-09");
    refresh(&program, "2024-06-09T02:00Z");
    assert_eq!(asked(&web), ["gone.example"]);
    web.forget();
    let ran = refresh(&program, "2024-07-05");
    assert_eq!((asked(&web), ran.code), (vec!["own.example".to_owned()], 0), "listings of June are old");
    // Each refresh is a batch of its own: the history stays.
    let batches = program.json(&["batches", "--json"]);
    let rdap = batches.as_array().unwrap().iter().filter(|batch| batch["source"] == "rdap");
    assert_eq!(
        rdap.map(|batch| batch["facts"]["registration"].as_u64().unwrap()).collect::<Vec<_>>(),
        [3, 1, 1]
    );
}

#[test]
fn what_may_not_be_passed_on_is_not_asked_for() {
    let web = registry(|_, domain| registration(domain));
    let program = program(&web, "pace_per_second = 50.0");
    program.file("secret.txt", "secret.example\n");
    program.file("open.txt", "open.example\n");
    for (name, tlp) in [("secret", "amber"), ("open", "green")] {
        program.ok(&["source", "add", name, &format!("{name}.txt"), "--format", "list", "--tlp", tlp]);
        program.ok(&["source", "refresh", name, "--now", "2024-06-01"]);
    }
    refresh(&program, "2024-06-01");
    assert_eq!(asked(&web), ["open.example"]);
}

#[test]
fn so_many_a_refresh_at_the_registry_s_pace() {
    let web = registry(|_, domain| registration(domain));
    let program = program(&web, "pace_per_second = 5.0\ndomains_max = 4");
    let names: String = (0..7).map(|number| format!("host{number}.example\n")).collect();
    list(&program, &names, "2024-06-01");
    let start = Instant::now();
    assert!(refresh(&program, "2024-06-01").out.contains("4 registration"));
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    // The rest the next time, and then nothing more.
    assert!(refresh(&program, "2024-06-02").out.contains("3 registration"));
    assert_eq!(asked(&web).len(), 7);
    assert_eq!(refresh(&program, "2024-06-03").out, "rdap: not modified\n");
}

#[test]
fn a_registry_that_asks_for_patience_gets_it() {
    let replies = Arc::new(Mutex::new(vec![Reply::status(429).with("retry-after", "2"), Reply::status(500)]));
    let turns = replies.clone();
    let web = registry(move |_, domain| turns.lock().unwrap().pop().unwrap_or_else(|| registration(domain)));
    let program = program(&web, "pace_per_second = 50.0");
    list(&program, "a.example\n", "2024-06-01");
    // 500: a pause of two seconds; then 429: the two that it asks for; then the answer.
    let start = Instant::now();
    let ran = refresh(&program, "2024-06-01");
    assert!(ran.out.contains("1 registration"), "{}{}", ran.out, ran.talk);
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    // Who asks for an hour is asked in a later refresh.
    list(&program, "b.example\nc.example\n", "2024-06-02");
    *replies.lock().unwrap() = vec![Reply::status(429).with("retry-after", "3600")];
    web.forget();
    let ran = refresh(&program, "2024-06-02T00:00Z");
    assert!(ran.code == 1 && ran.talk.contains("no registry answers"), "{}", ran.talk);
    assert_eq!(refresh(&program, "2024-06-02T00:30Z").code, 0);
    assert_eq!(asked(&web).len(), 1, "left alone");
    assert!(refresh(&program, "2024-06-02T01:30Z").out.contains("2 registration"));
}

#[test]
fn what_registries_answer_wrongly_is_not_believed() {
    let web = registry(|_, domain| match domain {
        "other.example" => registration("popular.example"),
        "html.example" => Reply::ok("<html>"),
        "large.example" => Reply::ok(vec![b' '; 2 << 20]),
        _ => registration(domain),
    });
    let program = program(&web, "pace_per_second = 50.0");
    list(&program, "other.example\nhtml.example\nlarge.example\ngood.example\n", "2024-06-01");
    let ran = refresh(&program, "2024-06-01");
    assert!(ran.code == 0 && ran.out.contains("1 registration"), "{}{}", ran.out, ran.talk);
    assert_eq!(program.run(&["lookup", "popular.example"]).code, 3);
}

#[test]
fn what_is_looked_up_is_asked_for_only_where_that_is_wanted() {
    for (wanted, expected) in
        [("false", &[][..]), ("true", &["known.example", "other.test", "unknown.example"])]
    {
        let web = registry(|_, domain| registration(domain));
        let program = program(&web, &format!("pace_per_second = 50.0\nlooked_up = {wanted}"));
        program.file("dns.cof", r#"{"rrname":"www.known.example","rrtype":"A","rdata":"192.0.2.1","time_first":1716800000,"time_last":1716879789,"count":3}"#);
        program.ok(&["import", "dns.cof"]);
        let service = program.serve(&[]);
        assert_eq!(service.get("/api/domain/www.known.example?sections=Zone").status, 200);
        assert_eq!(service.get("/api/domain/a.b.unknown.example").status, 404);
        assert_eq!(service.get("/api/v1/indicator?value=other.test").status, 200);
        assert_eq!(web.asked().len(), 0, "no lookup leaves the machine");
        assert_eq!(service.request("POST", "/api/v1/sources/rdap/refresh").status, 202);
        until(|| status(&program)["good"].is_string());
        assert_eq!(asked(&web), expected);
        assert_eq!(service.stop().0, Some(0));
    }
}

fn status(program: &Program) -> Value {
    program.json(&["source", "list", "--json"])[0]["status"].clone()
}
