//! Sources over HTTP: what a server can answer and do wrong, what is asked how, and what commands show of it.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use zonelens::value::Timestamp;

use crate::program::{Program, Ran, gzip, text, until};
use crate::tls::Authority;
use crate::web::{Asked, How, Proxy, Reply, Web, request, send};

/// A list of this many hosts.
fn hosts(count: usize) -> String {
    (0..count).map(|number| format!("host{number}.example\n")).collect()
}

/// Adds a source `feed` of plain lists.
fn add(program: &Program, url: &str, more: &[&str]) {
    let known = ["source", "add", "feed", url, "--format", "list", "--state", "whole", "--allow-private"];
    program.ok(&[&known, more].concat());
}

/// A source `feed` in a configuration file, with these lines more.
fn configured(program: &Program, url: &str, more: &str) {
    let config = format!(
        "[[source]]\nname = \"feed\"\nlocation = {url:?}\nformat = \"list\"\nstate = \"whole\"\nallow_private = true\n{more}\n"
    );
    program.file("zonelens.toml", config);
}

fn refresh(program: &Program) -> Ran {
    program.run(&["source", "refresh", "feed"])
}

/// What `source list` says of `feed`.
fn feed(program: &Program) -> Value {
    let all = program.json(&["source", "list", "--json"]);
    all.as_array().unwrap().iter().find(|source| source["name"] == "feed").unwrap().clone()
}

/// Whether a host counts.
fn is_listed(program: &Program, host: &str) -> bool {
    let ran = program.run(&["lookup", host, "--sections", "Zone"]);
    ran.out.contains(" Red: ")
}

/// Answers with each reply in turn, and then with the last for ever.
fn turns(replies: Vec<Reply>) -> Web {
    let turn = AtomicUsize::new(0);
    Web::start(move |_| replies[turn.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1)].clone())
}

//------------ What is good --------------------------------------------------

#[test]
fn what_did_not_change_is_not_sent_again_and_is_seen_again() {
    let web = Web::start(|asked| match asked.header("if-none-match") {
        Some("\"1\"") => Reply::status(304),
        _ => {
            let dated = Reply::ok(hosts(3)).with("etag", "\"1\"");
            dated.with("last-modified", "Tue, 28 May 2024 07:03:00 GMT")
        }
    });
    let program = Program::new();
    add(&program, &web.url("/list.txt"), &[]);
    let ran = refresh(&program);
    assert_eq!((ran.code, ran.out.contains("3 listing")), (0, true), "{}{}", ran.out, ran.talk);
    assert!(is_listed(&program, "host1.example"));
    let later = "2024-06-02T12:00:00Z";
    let ran = program.ok(&["source", "refresh", "feed", "--now", later]);
    assert_eq!(ran.out, "feed: not modified\n");
    let asked = web.asked();
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(asked[1].header("if-modified-since"), Some("Tue, 28 May 2024 07:03:00 GMT"));
    assert_eq!((asked.len(), asked[1].header("accept-encoding")), (2, Some("identity")));
    let batches = program.json(&["batches", "--json"]);
    assert_eq!((batches[0]["refreshed"].as_str(), batches[1].is_null()), (Some(later), true));
    assert_eq!(feed(&program)["status"]["good"], later);
    // Forced it is sent, and found to be the same.
    program.ok(&["source", "refresh", "feed", "--force", "--now", later]);
    assert_eq!((web.asked()[2].header("if-none-match"), program.live().len()), (None, 1));
    // Without what the first import made, what did not change is needed all the same.
    program.ok(&["retire", "--source", "feed"]);
    program.ok(&["source", "refresh", "feed"]);
    assert!(is_listed(&program, "host1.example"));
}

#[test]
fn compressed_content_is_read_whether_the_server_says_so_or_not() {
    let web = Web::start(|asked| match asked.path.as_str() {
        "/said" => Reply::ok(gzip(hosts(2).as_bytes())).with("content-encoding", "gzip"),
        _ => Reply::ok(gzip(hosts(2).as_bytes())),
    });
    for path in ["/said", "/list.txt.gz"] {
        let program = Program::new();
        add(&program, &web.url(path), &[]);
        let ran = refresh(&program);
        assert!(ran.code == 0 && is_listed(&program, "host1.example"), "{path}: {}{}", ran.out, ran.talk);
    }
}

#[test]
fn credentials_of_each_form_are_sent_and_shown_nowhere() {
    let web = Web::start(|_| Reply::ok(hosts(2)));
    for (path, more, header, value) in [
        ("/l", &["--user", "ann"][..], "authorization", "Basic YW5uOnRPUHNFY1JlVA=="),
        ("/l", &[], "authorization", "Bearer tOPsEcReT"),
        ("/l", &["--header", "x-api-key"], "x-api-key", "tOPsEcReT"),
        ("/{key}/l?k={key}", &[], "authorization", ""),
    ] {
        let program = Program::new();
        let file = program.file("key", "tOPsEcReT\n");
        add(&program, &web.url(path), &[more, &["--key-file", text(&file)]].concat());
        web.forget();
        let ran = refresh(&program);
        let asked = &web.asked()[0];
        assert_eq!((ran.code, asked.header(header).unwrap_or_default()), (0, value), "{}", ran.talk);
        assert_eq!(asked.path, path.replace("{key}", "tOPsEcReT"));
        let shown = program.ok(&["source", "list", "--json"]).out + &program.ok(&["source", "list"]).out;
        assert!(!shown.contains("tOPsEcReT") && !(ran.out + &ran.talk).contains("tOPsEcReT"), "{shown}");
        let kept = std::fs::read_to_string(program.folder.join("zonelens-data/sources/feed.json")).unwrap();
        assert!(!kept.contains("tOPsEcReT"), "{kept}");
    }
    // By the environment, and without it.
    let program = Program::new();
    add(&program, &web.url("/{key}"), &["--key-env", "ZONELENS_TEST_KEY"]);
    let mut command = program.command(&["source", "refresh"]);
    assert_eq!(crate::program::ran(command.env("ZONELENS_TEST_KEY", "k3y")).code, 0);
    assert_eq!(web.paths().last().unwrap(), "/k3y");
    let ran = refresh(&program);
    assert!(ran.code == 1 && ran.talk.contains("ZONELENS_TEST_KEY"), "{}", ran.talk);
}

#[test]
fn a_proxy_is_asked_for_every_host() {
    let web = Web::start(|_| Reply::ok(hosts(2)));
    let proxy = Proxy::to(web.host());
    let program = Program::new();
    // No such name is resolved here: the proxy does that. The proxy may be a machine of one's own.
    program.ok(&[
        "source",
        "add",
        "feed",
        "http://feed.example/list",
        "--format",
        "list",
        "--proxy",
        &proxy.url(),
    ]);
    let ran = refresh(&program);
    assert_eq!((ran.code, proxy.asked()), (0, vec!["feed.example:80".to_owned()]), "{}", ran.talk);
    assert_eq!(web.asked()[0].header("host"), Some("feed.example"));
}

//------------ What fails ----------------------------------------------------

#[test]
fn a_server_that_fails_for_now_is_asked_again() {
    let web = turns(vec![Reply::status(500), Reply::ok(hosts(2))]);
    let program = Program::new();
    add(&program, &web.url("/l"), &[]);
    let ran = refresh(&program);
    assert_eq!((ran.code, web.asked().len()), (0, 2), "{}", ran.talk);
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let web = turns(vec![Reply::status(429).with("retry-after", "2"), Reply::ok(hosts(2))]);
    let program = Program::new();
    add(&program, &web.url("/l"), &["--interval", "1h"]);
    let start = Instant::now();
    assert_eq!(refresh(&program).code, 0);
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    // One that asks for more than a fetch may take is asked at its time.
    let web = turns(vec![Reply::status(429).with("retry-after", "40000")]);
    let program = Program::new();
    add(&program, &web.url("/l"), &["--interval", "1h"]);
    let ran = refresh(&program);
    assert!(ran.code == 1 && ran.talk.contains("429"), "{}", ran.talk);
    let next = Timestamp::parse(feed(&program)["status"]["next"].as_str().unwrap()).unwrap();
    let now = Timestamp::parse(crate::program::NOW).unwrap();
    assert_eq!((next.0 - now.0, web.asked().len()), (40_000, 1));
}

#[test]
fn what_fails_costs_nothing_that_counts() {
    let bad = Arc::new(std::sync::Mutex::new(Reply::ok(hosts(20))));
    let answer = bad.clone();
    let web = Web::start(move |_| answer.lock().unwrap().clone());
    let program = Program::new();
    configured(&program, &web.url("/list"), "timeout_s = 2\nsize_mb = 1");
    assert_eq!(refresh(&program).code, 0);
    let html = "<!doctype html><html><body>please <b>log in</b>\n</body></html>\n";
    for (times, (reply, said)) in [
        (Reply::ok(hosts(20)).how(How::Silent), "cannot be asked: timeout"),
        (Reply::ok(hosts(20)).how(How::Stalled), "timeout"),
        (Reply::ok(hosts(20)).how(How::Cut), "stopped sending"),
        (Reply::ok(hosts(20)).how(How::Endless), "more than 1 MiB: raise size_mb"),
        (Reply::ok(vec![b'\n'; 2 << 20]), "more than 1 MiB: raise size_mb"),
        (Reply::ok(html), "no record was understood as list"),
        (Reply::status(403), "403 Forbidden: check the credentials"),
        (Reply::status(404), "404 Not Found: check its location"),
        (Reply::status(418), "418"),
        (Reply::status(204), "204"),
    ]
    .into_iter()
    .enumerate()
    {
        *bad.lock().unwrap() = reply.clone();
        let start = Instant::now();
        let ran = refresh(&program);
        assert_eq!(ran.code, 1, "{reply:?}");
        assert!(ran.talk.contains(said) && ran.talk.contains("error: feed: "), "{said}: {}", ran.talk);
        assert!(start.elapsed() < Duration::from_secs(10), "{said}");
        assert!(is_listed(&program, "host19.example"), "{said}");
        let failed = &feed(&program)["status"]["failed"];
        assert_eq!(failed["times"], json!(times + 1), "{said}");
        assert!(failed["reason"].as_str().unwrap().contains(said), "{failed}");
    }
    let shown = program.ok(&["source", "list"]).out;
    assert!(shown.contains("failed 10 times since 2024-06-01T12:00Z"), "{shown}");
    assert!(program.ok(&["stats"]).out.contains("failed 10 times"));
    *bad.lock().unwrap() = Reply::ok(hosts(21));
    assert_eq!((refresh(&program).code, &feed(&program)["status"]["failed"]), (0, &Value::Null));
}

#[test]
fn redirects_are_followed_so_far_and_credentials_stay_at_home() {
    let other = Web::start(|_| Reply::ok(hosts(2)));
    let there = other.url("/moved");
    let web = Web::start(move |asked| match asked.path.as_str() {
        "/a/near" => Reply::redirect("beside?x=1"),
        "/a/beside?x=1" => Reply::redirect("/list"),
        "/list" => Reply::ok(hosts(2)),
        "/away" => Reply::redirect(&there),
        "/loop" => Reply::redirect("/loop"),
        "/k3y/echo" => Reply::redirect("ftp://feed.example/k3y"),
        _ => Reply::redirect("ftp://feed.example/"),
    });
    let program = Program::new();
    let file = program.file("key", "k3y\n");
    let at = |path: &str| {
        program.run(&["source", "remove", "feed"]);
        add(&program, &web.url(path), &["--key-file", text(&file)]);
        web.forget();
        refresh(&program)
    };
    assert_eq!((at("/a/near").code, web.paths().len()), (0, 3));
    assert!(web.asked().iter().all(|asked| asked.header("authorization") == Some("Bearer k3y")));
    assert_eq!(at("/away").code, 0);
    assert_eq!(other.asked()[0].header("authorization"), None, "of another port is of another host");
    let ran = at("/loop");
    assert!(ran.code == 1 && ran.talk.contains("redirects more than 5 times"), "{}", ran.talk);
    assert!(web.paths().len() <= 6);
    let ran = at("/gone");
    assert!(ran.code == 1 && ran.talk.contains("which is no web address"), "{}", ran.talk);
    let ran = at("/{key}/echo");
    assert!(ran.code == 1 && ran.talk.contains("ftp://feed.example/{key}"), "{}", ran.talk);
}

#[test]
fn nothing_leads_into_the_own_network_unasked() {
    let web = Web::start(|_| Reply::ok(hosts(2)));
    let port = web.host().rsplit(':').next().unwrap().to_owned();
    let inside = web.url("/");
    let outside = Web::start(move |_| Reply::redirect(&inside));
    let proxy = Proxy::to(outside.host());
    for (location, more) in [
        (format!("http://127.0.0.1:{port}/"), &[][..]),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), &[]),
        (format!("http://localhost:{port}/"), &[]),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), &[]),
        ("http://feed.example/".to_owned(), &["--proxy", &proxy.url()]),
    ] {
        let program = Program::new();
        program.ok(&[&["source", "add", "feed", &location, "--format", "list"], more].concat());
        let ran = refresh(&program);
        assert!(ran.code == 1 && ran.talk.contains("set allow_private"), "{location}: {}", ran.talk);
        assert!(!ran.talk.contains("tried"), "{}", ran.talk);
    }
    assert_eq!((web.asked().len(), outside.asked().len()), (0, 1));
}

#[test]
fn certificates_are_checked_and_nothing_falls_back_to_plain_http() {
    let plain = Web::start(|_| Reply::ok(hosts(2)));
    let there = plain.url("/list");
    let (server, ca) = tls_server(move |asked| match asked.path.as_str() {
        "/down" => Reply::redirect(&there),
        _ => Reply::ok(hosts(2)),
    });
    let program = Program::new();
    let ca = program.file("ca.pem", ca);
    let ca = text(&ca);
    add(&program, &format!("https://{server}/list"), &[]);
    let ran = refresh(&program);
    assert!(ran.code == 1 && ran.talk.contains("certificate"), "{}", ran.talk);
    program.ok(&["source", "remove", "feed"]);
    add(&program, &format!("https://{server}/list"), &["--ca-file", ca]);
    let ran = refresh(&program);
    assert_eq!(ran.code, 0, "{}", ran.talk);
    program.ok(&["source", "remove", "feed"]);
    add(&program, &format!("https://{server}/down"), &["--ca-file", ca]);
    let ran = refresh(&program);
    assert!(ran.code == 1 && ran.talk.contains("redirects to"), "{}", ran.talk);
    assert_eq!(plain.asked().len(), 0);
}

/// A server with a certificate of an authority of its own, for one test: its address, and the authority's certificate.
fn tls_server(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (String, String) {
    let authority = Authority::new();
    let certificate = authority.sign("127.0.0.1");
    let chain = CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![chain], key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that refuses the certificate asks nothing.
            let Some(asked) = request(&mut BufReader::new(&mut stream)) else { continue };
            let sent = send(&mut stream, &answer(&asked), &AtomicBool::new(false));
            stream.conn.send_close_notify();
            sent.and_then(|()| std::io::Write::flush(&mut stream)).unwrap();
        }
    });
    (address, authority.pem)
}

//------------ What is done with it ------------------------------------------

#[test]
fn a_list_that_shrinks_is_held_until_somebody_accepts_it() {
    let web = turns(vec![Reply::ok(hosts(100)), Reply::ok(hosts(20)), Reply::ok(hosts(20))]);
    let program = Program::new();
    add(&program, &web.url("/l"), &[]);
    assert_eq!(refresh(&program).code, 0);
    let ran = refresh(&program);
    assert!(ran.code == 1 && ran.talk.contains("had 100 facts and has 20 now"), "{}", ran.talk);
    assert!(is_listed(&program, "host99.example"));
    let held = json!({"since": "2024-06-01T12:00:00Z", "before": 100, "now": 20});
    assert_eq!(feed(&program)["status"]["held"], held);
    assert!(program.ok(&["source", "list"]).out.contains("held: 100 facts before, 20 now"));
    assert_eq!(program.json(&["stats", "--json"])["sources"][0]["held"], held);
    program.ok(&["source", "refresh", "feed", "--accept", "--now", "2024-06-02"]);
    assert_eq!(feed(&program)["status"]["held"], Value::Null);
    assert_eq!((&feed(&program)["status"]["batch"], program.live()), (&json!(2), vec![1, 2]));
}

#[test]
fn rejected_records_are_kept_and_shown() {
    let web = Web::start(|_| Reply::ok("good.example\nbad..example\n"));
    let program = Program::new();
    add(&program, &web.url("/l"), &[]);
    assert_eq!(refresh(&program).code, 0);
    assert_eq!(feed(&program)["rejected"], 1);
    let shown = program.ok(&["source", "rejected", "feed"]).out;
    assert!(shown.contains("1 rejected") && shown.contains("bad..example"), "{shown}");
    let record: Value =
        serde_json::from_str(&program.ok(&["source", "rejected", "feed", "--json"]).out).unwrap();
    assert_eq!((&record["line"], &record["text"]), (&json!(2), &json!("bad..example")));
}

#[test]
fn sources_are_disabled_enabled_and_removed() {
    let web = Web::start(|_| Reply::ok(hosts(2)));
    let program = Program::new();
    add(&program, &web.url("/l"), &["--interval", "1h"]);
    program.ok(&["source", "disable", "feed"]);
    let ran = program.run(&["source", "refresh"]);
    assert_eq!((ran.code, web.asked().len()), (2, 0), "{}", ran.talk);
    assert!(program.ok(&["source", "list"]).out.contains("disabled"));
    program.ok(&["source", "enable", "feed"]);
    program.ok(&["source", "refresh"]);
    assert_eq!(web.asked().len(), 1);
    program.ok(&["source", "remove", "feed"]);
    assert_eq!(program.json(&["source", "list", "--json"]), json!([]));
    assert!(is_listed(&program, "host1.example"), "what it said still counts");
    assert_eq!(program.run(&["source", "refresh", "feed"]).code, 2);
}

//------------ The service ---------------------------------------------------

#[test]
fn a_service_asks_by_itself_and_when_it_is_told() {
    let web = Web::start(|asked| match asked.path.as_str() {
        "/{key}" => panic!("the key is filled in"),
        "/quick" => Reply::ok(hosts(2)),
        _ => Reply::ok("slow.example\nbad..example\n"),
    });
    let program = Program::new();
    let file = program.file("key", "k3y\n");
    add(&program, &web.url("/quick"), &["--interval", "1s"]);
    let more = ["--format", "list", "--allow-private", "--key-file", text(&file)];
    program.ok(&[&["source", "add", "keyed", &web.url("/{key}")][..], &more].concat());
    program.ok(&["source", "add", "hand", "here.txt"]);
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    let service = program.serving(command.env_remove("ZONELENS_NOW"));
    until(|| web.paths().iter().filter(|path| *path == "/quick").count() >= 2);
    until(|| service.get("/api/domain/host1.example").status == 200);
    assert!(!web.paths().contains(&"/k3y".to_owned()), "it has no interval");

    let answer = service.request("POST", "/api/v1/sources/keyed/refresh");
    assert_eq!((answer.status, answer.json()["source"].as_str()), (202, Some("keyed")), "{}", answer.body);
    // The status is written last.
    let is_good = |source: &Value| source["name"] == "keyed" && source["status"]["good"].is_string();
    until(|| service.get("/api/v1/sources").json().as_array().unwrap().iter().any(is_good));
    assert_eq!(service.get("/api/domain/slow.example").status, 200);
    let all = service.get("/api/v1/sources");
    assert!(!all.body.contains("k3y") && !all.body.contains("credentials"), "{}", all.body);
    let all = all.json();
    let keyed = all.as_array().unwrap().iter().find(|source| source["name"] == "keyed").unwrap();
    assert_eq!((&keyed["location"], &keyed["rejected"]), (&json!(web.url("/{key}")), &json!(1)));
    let answer = service.get("/api/v1/sources/keyed/rejected");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"keyed-rejected.ndjson\""));
    assert_eq!(answer.json()["text"], "bad..example");
    assert_eq!((service.get("/api/v1/sources/other/rejected").body.as_str()), "");
    for (status, method, path) in [
        (404, "POST", "/api/v1/sources/other/refresh"),
        (405, "GET", "/api/v1/sources/keyed/refresh"),
        (405, "POST", "/api/v1/sources"),
        (400, "GET", "/api/v1/sources/..%2Fkeyed/rejected"),
    ] {
        let answer = service.request(method, path);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        crate::schema::assert_valid("problem.json", &answer.json());
    }
    assert_eq!(service.stop().0, Some(0));
}

#[test]
fn sources_are_hidden_from_those_who_may_not_know_of_them() {
    let program = Program::new();
    program.file("list.txt", "a.example\nbad..example\n");
    for (name, tlp) in [("open", "green"), ("secret", "red")] {
        program.ok(&["source", "add", name, "list.txt", "--format", "list", "--tlp", tlp]);
        program.ok(&["source", "refresh", name]);
    }
    let service = |user: &str, role: &str, clearance: &str| {
        program.user(user, role, &["--clearance", clearance]);
        format!("Bearer {}", program.token(user, &[]))
    };
    let (guest, admin) = (service("guest", "read-only", "green"), service("ann", "admin", "red"));
    let service = program.serve(&[]);
    let ask = |method: &str, who: &str, path: &str| service.send(method, path, &[("authorization", who)], "");
    let names = |who: &str| {
        let all = ask("GET", who, "/api/v1/sources").json();
        let names = all.as_array().unwrap().iter().map(|source| source["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&guest), names(&admin)),
        (vec!["open".to_owned()], vec!["open".to_owned(), "secret".to_owned()])
    );
    let rejected = |who: &str| ask("GET", who, "/api/v1/sources/secret/rejected").body.len();
    assert!(rejected(&guest) == 0 && rejected(&admin) > 0);
    let masks = |who: &str| ask("GET", who, "/api/domain/a.example?sections=FeedMasks").body;
    assert!(!masks(&guest).contains("secret") && masks(&guest).contains("restricted"), "{}", masks(&guest));
    assert!(masks(&admin).contains("secret"), "{}", masks(&admin));
    // Who may not manage sources asks for none.
    assert_eq!(ask("POST", &guest, "/api/v1/sources/open/refresh").status, 403);
    assert_eq!(ask("POST", &admin, "/api/v1/sources/open/refresh").status, 202);
}
