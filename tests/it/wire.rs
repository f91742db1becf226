//! Answers on the wire: what the client has already, compression, other sites' pages, slow clients, figures.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::program::{Program, Serving};

const PATH: &str = "/api/domain/bad.example";

fn service(program: &Program, config: &str) -> Serving {
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "list.txt"]);
    program.file("config.toml", config);
    program.serve(&["--config", "config.toml"])
}

/// A raw answer: head and body.
fn raw(service: &Serving, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase(), bytes[end + 4..].to_vec())
}

#[test]
fn what_the_client_has_is_not_sent_again_and_counts() {
    let program = Program::new();
    let service = service(&program, "");
    let first = service.get(PATH);
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    assert_eq!(service.get(PATH).header("etag"), Some(etag.as_str()), "the licence is not in it");
    assert_ne!(service.get(&format!("{PATH}?sections=Zone")).header("etag"), Some(etag.as_str()));
    for tags in [etag.clone(), format!("\"x\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
        let answer = service.send("GET", PATH, &[("If-None-Match", &tags)], "");
        assert_eq!(
            (answer.status, answer.body.as_str(), answer.header("etag")),
            (304, "", Some(etag.as_str())),
            "{tags}"
        );
    }
    let answer = service.send("GET", PATH, &[("If-None-Match", "\"x\"")], "");
    assert_eq!(
        (answer.status, answer.json()["LicenseInfo"]["DayRequests"].as_u64()),
        (200, Some(8)),
        "all counted"
    );
    // A restart changes nothing, news do.
    drop(service);
    let service = program.serve(&[]);
    assert_eq!(service.get(PATH).header("etag"), Some(etag.as_str()));
    program.file("more.txt", "bad.example\n");
    program.ok(&["import", "more.txt"]);
    crate::program::until(|| service.send("GET", PATH, &[("If-None-Match", &etag)], "").status == 200);
}

#[test]
fn long_answers_are_compressed_for_who_asks_for_it() {
    let program = Program::new();
    let service = service(&program, "");
    let ask = |path: &str, headers: &str| {
        raw(&service, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n"))
    };
    let (plain, body) = ask(PATH, "");
    assert!(!plain.contains("content-encoding") && plain.contains("vary: accept-encoding"), "{plain}");
    let (head, compressed) = ask(PATH, "Accept-Encoding: br, gzip\r\n");
    assert!(head.contains("content-encoding: gzip") && head.contains("etag: w/\""), "{head}");
    let chunks = if head.contains("chunked") { unchunked(&compressed) } else { compressed };
    let mut text = String::new();
    GzDecoder::new(&*chunks).read_to_string(&mut text).unwrap();
    let (mut expected, mut found): (Value, Value) =
        (serde_json::from_slice(&body).unwrap(), serde_json::from_str(&text).unwrap());
    for report in [&mut expected, &mut found] {
        report["LicenseInfo"]["DayRequests"] = Value::Null;
    }
    assert_eq!(found, expected);
    assert!(chunks.len() < body.len(), "{} of {}", chunks.len(), body.len());
    let (head, _) = ask(&format!("{PATH}?sections=Zone"), "Accept-Encoding: gzip\r\n");
    assert!(!head.contains("content-encoding"), "too short to be worth it: {head}");
    let (head, _) = ask(PATH, "Accept-Encoding: gzip;q=0\r\n");
    assert!(!head.contains("content-encoding"), "{head}");
}

/// A body whose transfer was chunked.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
}

#[test]
fn pages_of_other_sites_ask_where_they_are_named() {
    let program = Program::new();
    let service = service(&program, "[http]\ncors_origins = [\"https://soc.example\"]\n");
    let from = |service: &Serving, origin: &str| {
        let answer = service.send("GET", PATH, &[("Origin", origin)], "");
        assert_eq!(answer.status, 200);
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from(&service, "https://soc.example").as_deref(), Some("https://soc.example"));
    assert_eq!(from(&service, "https://evil.example"), None);
    // The question before the question needs no credentials.
    program.user("ann", "analyst", &[]);
    drop(service);
    let service = program.serve(&["--config", "config.toml"]);
    let headers = [
        ("Origin", "https://soc.example"),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    let answer = service.send("OPTIONS", PATH, &headers, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(answer.header("access-control-allow-credentials"), None, "no cookies");
    let answer = service.send("GET", PATH, &[("Origin", "https://soc.example")], "");
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (401, Some("https://soc.example"))
    );
    drop(service);
    let service = program.serve(&[]);
    let answer = service.send("OPTIONS", PATH, &headers, "");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, None), "off by default");
}

#[test]
fn slow_clients_are_let_go_and_hold_up_nobody() {
    let program = Program::new();
    let service = service(&program, "[http]\nheader_timeout_s = 1\nrequest_timeout_s = 1\n");
    // A head that never ends, a byte at a time: silence alone would not find it.
    let start = Instant::now();
    let mut drip = TcpStream::connect(&service.address).unwrap();
    drip.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
    drip.set_nonblocking(true).unwrap();
    let mut ended = false;
    while !ended && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
        let mut byte = [0; 512];
        ended = drip.write_all(b"y").is_err() || matches!(drip.read(&mut byte), Ok(0));
    }
    assert!(ended && start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    // A body that never comes.
    let request = "POST /api/v1/notes HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let (head, body) = raw(&service, request);
    assert!(head.starts_with("http/1.1 408"), "{head}");
    assert!(String::from_utf8(body).unwrap().contains("longer than 1 s"));
    // A head beyond all bounds.
    let long = format!("GET / HTTP/1.1\r\nHost: test\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let mut stream = TcpStream::connect(&service.address).unwrap();
    // It may be refused before all of it was sent.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    assert_eq!(service.get(PATH).status, 200);
}

#[test]
fn figures_are_for_prometheus_and_say_nothing_of_what_was_asked() {
    let program = Program::new();
    let opened = service(&program, "[http]\nmetrics = \"open\"\n");
    for path in [PATH, PATH, "/api/domain/secret.example", "/api/domain/a..b", "/nowhere/secret"] {
        opened.get(path);
    }
    let answer = opened.get("/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.body;
    for line in [
        "zonelens_http_requests_total{path=\"/api/domain/\",status=\"200\"} 2",
        "zonelens_http_requests_total{path=\"/api/domain/\",status=\"404\"} 1",
        "zonelens_http_requests_total{path=\"/api/domain/\",status=\"400\"} 1",
        "zonelens_http_requests_total{path=\"-\",status=\"404\"} 1",
        "zonelens_http_request_duration_seconds_count{path=\"/api/domain/\"} 4",
        "zonelens_lookups_total 3",
        "zonelens_cache_hits_total 1",
        "zonelens_connections 1",
        "zonelens_store_runs 1",
        "zonelens_store_batches 1",
        "zonelens_source_age_seconds{source=\"list\"} 0.0",
        "zonelens_source_rejected{source=\"list\"} 0",
        "zonelens_source_facts{source=\"list\"} 1",
        "zonelens_quota_refusals_total 0",
        "zonelens_auth_failures_total 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
    }
    assert!(
        text.contains("zonelens_store_size_bytes ") && text.contains("zonelens_store_objects "),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
    drop(opened);
    // With users: theirs who manage sources, unless they are open.
    program.user("root", "admin", &["--day-quota", "0"]);
    program.user("ann", "analyst", &[]);
    let (root, ann) = (program.token("root", &[]), program.token("ann", &[]));
    let service = program.serve(&["--config", "config.toml"]);
    assert_eq!(service.get("/metrics").status, 200);
    drop(service);
    let service = program.serve(&[]);
    assert_eq!((service.get("/metrics").status, service.ask("GET", "/metrics", &ann, "").status), (401, 403));
    assert_eq!(service.ask("GET", PATH, &root, "").status, 429);
    assert_eq!(service.ask("GET", PATH, "zl_wrong", "").status, 401);
    let text = service.ask("GET", "/metrics", &root, "").body;
    assert!(text.contains("zonelens_quota_refusals_total 1\n"), "{text}");
    assert!(text.contains("zonelens_auth_failures_total 1\n"), "{text}");
}
