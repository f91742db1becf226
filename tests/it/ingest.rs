//! `POST /api/v1/ingest`: all of a body or nothing, never twice, and never more than there is room for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Program, Serving, gzip, until};

/// A name that resolved, once.
fn line(name: &str) -> String {
    let fact = json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": "192.31.196.7"},
        "first": "2024-05-20T03:00:00Z", "last": "2024-05-20T03:00:00Z", "hits": 1});
    format!("{fact}\n")
}

/// How often a name resolved.
fn hits(service: &Serving, name: &str) -> u64 {
    let answer = service.get(&format!("/api/domain/{name}?sections=DomainDnsResolutions"));
    if answer.status == 404 {
        return 0;
    }
    answer.json()["DomainDnsResolutions"][0]["HitsCount"].as_u64().unwrap()
}

/// The head of a request, and the socket that it was sent on.
fn begun(service: &Serving, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST /api/v1/ingest?source=gate HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn sent_bytes(service: &Serving, headers: &str, body: &[u8]) -> (u16, Value, String) {
    let mut stream = begun(service, &format!("{headers}Content-Length: {}\r\n", body.len()));
    stream.write_all(body).unwrap();
    ended(stream)
}

fn ended(mut stream: TcpStream) -> (u16, Value, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null), head.to_ascii_lowercase())
}

#[test]
fn bodies_are_taken_in_once_plain_or_compressed() {
    let program = Program::new();
    let service = program.serve(&[]);
    let body = line("a.test") + &line("a.test") + "not JSON\n" + &line("b.test");
    let first = service.send("POST", "/api/v1/ingest?source=gate", &[], &body);
    assert_eq!(first.status, 201, "{}", first.body);
    let answer = first.json();
    assert_eq!((&answer["batch"], &answer["accepted"]), (&json!(1), &json!(3)));
    assert_eq!(answer["rejected"]["json"]["count"], 1, "{answer}");
    assert_eq!(answer["rejected"]["json"]["examples"][0]["line"], 3);
    assert_eq!(hits(&service, "a.test"), 2);
    // The same content, in three forms; and of a command.
    let packed = [
        ("Content-Encoding: gzip\r\n", gzip(body.as_bytes())),
        ("Content-Encoding: zstd\r\n", zstd::encode_all(body.as_bytes(), 1).unwrap()),
        ("", gzip(body.as_bytes())),
    ];
    for (headers, bytes) in packed {
        let (status, again, _) = sent_bytes(&service, headers, &bytes);
        assert_eq!((status, &again["unchanged"], &again["batch"]), (200, &json!(true), &json!(1)), "{again}");
    }
    program.file("body.ndjson", &body);
    assert!(
        program
            .ok(&["import", "--source", "gate", "body.ndjson"])
            .out
            .starts_with("already imported as batch 1")
    );
    assert_eq!((hits(&service, "a.test"), program.live()), (2, vec![1]));
    // Any format of lines, by name.
    let cof = r#"{"rrname":"c.test","rrtype":"A","rdata":"192.31.196.7","time_first":1716800000,"time_last":1716879789,"count":12}"#;
    let answer = service.send("POST", "/api/v1/ingest?source=gate&format=cof", &[], cof);
    assert_eq!((answer.status, hits(&service, "c.test")), (201, 12), "{}", answer.body);
}

#[test]
fn contacts_are_not_kept_unless_somebody_says_so() {
    let program = Program::new();
    let contact = json!({"fact": "contact", "client": "pc-7", "indicator": "domain:a.test",
        "first": "2024-05-20", "last": "2024-05-20"});
    let body = line("a.test") + &contact.to_string();
    let service = program.serve(&[]);
    let answer = service.send("POST", "/api/v1/ingest?source=gate", &[], &body).json();
    assert_eq!((&answer["accepted"], &answer["not_kept"]), (&json!(1), &json!({"contact": 1})), "{answer}");
    assert_eq!(answer["rejected"], json!({}));
    program.file("body.ndjson", &body);
    let summary = program.ok(&["import", "--source", "file", "body.ndjson"]).out;
    assert!(summary.contains("not kept  1 contact"), "{summary}");
    program.file("zonelens.toml", "[telemetry]\ncontacts = true\n");
    let summary = program.json(&["import", "--json", "--source", "kept", "body.ndjson"]);
    assert_eq!(summary["facts"], json!({"contact": 1, "resolution": 1}), "{summary}");
}

#[test]
fn a_key_is_a_body_for_ever() {
    let program = Program::new();
    let service = program.serve(&[]);
    let path = "/api/v1/ingest?source=gate";
    let send = |service: &Serving, key: &str, body: &str| {
        service.send("POST", path, &[("Idempotency-Key", key)], body)
    };
    let body = line("a.test") + "not JSON\n";
    let first = send(&service, "k1", &body);
    assert_eq!((first.status, first.json()["replayed"].clone()), (201, json!(false)), "{}", first.body);
    // Another body with the same content is counted: it has another key.
    assert_eq!(send(&service, "k2", &body).status, 201);
    assert_eq!(hits(&service, "a.test"), 2);
    let replayed = |service: &Serving| {
        let again = send(service, "k1", &body);
        assert_eq!(
            (again.status, again.header("idempotency-replayed")),
            (200, Some("true")),
            "{}",
            again.body
        );
        let (again, first) = (again.json(), first.json());
        for same in ["batch", "source", "format", "accepted", "facts"] {
            assert_eq!(again[same], first[same], "{same}");
        }
        assert_eq!(again["rejected"]["json"]["count"], first["rejected"]["json"]["count"]);
        assert_eq!(hits(service, "a.test"), 2);
    };
    replayed(&service);
    let other = send(&service, "k1", &line("b.test"));
    assert_eq!(other.status, 422, "{}", other.body);
    // Without a key the content is what counts.
    assert_eq!(service.send("POST", path, &[], &body).json()["unchanged"], true);
    program.ok(&["merge"]);
    replayed(&service);
    assert_eq!(service.stop().0, Some(0));
    let service = program.serve(&[]);
    replayed(&service);
    // Of another source a key is another one.
    assert_eq!(
        service.send("POST", "/api/v1/ingest?source=other", &[("Idempotency-Key", "k1")], &body).status,
        201
    );
    // A batch that never was frees its key.
    program.ok(&["retire", "1", "2"]);
    until(|| hits(&service, "a.test") == 1);
    assert_eq!(send(&service, "k1", &body).status, 201);
    for wrong in ["", &"k".repeat(256)] {
        assert_eq!(send(&service, wrong, &body).status, 400);
    }
}

#[test]
fn what_does_not_come_whole_is_nothing() {
    let program = Program::new();
    program.file("zonelens.toml", "[http]\nrequest_timeout_s = 1\ningest_timeout_s = 3\ningest_mb = 1\n");
    let service = program.serve(&[]);
    let body: String = (0..2000).map(|number| line(&format!("n{number}.test"))).collect();
    let half = &body.as_bytes()[..body.len() / 2];
    // The sender goes away, by length and in chunks.
    for headers in
        [format!("Content-Length: {}\r\n", body.len()), "Transfer-Encoding: chunked\r\n".to_owned()]
    {
        let mut stream = begun(&service, &headers);
        if headers.starts_with('T') {
            write!(stream, "{:x}\r\n", half.len()).unwrap();
        }
        stream.write_all(half).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        // The service may close without an answer: nobody is there to read one.
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains(" 201 ") && !answer.contains(" 200 "), "{answer}");
    }
    // It says nothing for longer than a request may take, or drips.
    let mut stream = begun(&service, &format!("Content-Length: {}\r\n", body.len()));
    stream.write_all(half).unwrap();
    let (status, problem, _) = ended(stream);
    assert_eq!(status, 408, "{problem}");
    let mut stream = begun(&service, "Content-Length: 100000\r\n");
    let mut dripping = stream.try_clone().unwrap();
    let drips = std::thread::spawn(move || {
        while dripping.write_all(b"\n").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut text = String::new();
    // The service closes while the other end still writes.
    let _ = stream.read_to_string(&mut text);
    drop(stream);
    assert!(text.contains(" 408 ") && text.contains("3 s"), "{text}");
    drips.join().unwrap();
    // Cut in the middle of what is compressed.
    let zipped = gzip(body.as_bytes());
    let (status, problem, _) =
        sent_bytes(&service, "Content-Encoding: gzip\r\n", &zipped[..zipped.len() - 9]);
    assert_eq!(status, 400, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("truncated"), "{problem}");
    let (status, problem, _) = sent_bytes(&service, "Content-Encoding: gzip\r\n", body.as_bytes());
    assert_eq!(status, 400, "{problem}");
    // Too long: as sent, as it comes, and decompressed.
    let long = vec![b'\n'; (1 << 20) + 1];
    let mut stream = begun(&service, &format!("Content-Length: {}\r\n", long.len()));
    stream.write_all(b"x").unwrap();
    assert_eq!(ended(stream).0, 413);
    let (status, problem, _) = sent_bytes(&service, "Content-Encoding: gzip\r\n", &gzip(&long));
    assert_eq!(status, 413, "{problem}");
    assert!(program.live().is_empty());
    assert_eq!(hits(&service, "n1.test"), 0);
    let tmp = program.folder.join("zonelens-data/tmp");
    until(|| std::fs::read_dir(&tmp).unwrap().count() == 0);
    assert_eq!(sent_bytes(&service, "Content-Encoding: gzip\r\n", &zipped).0, 201);
    assert_eq!(hits(&service, "n1.test"), 1);
}

#[test]
fn what_is_too_much_is_told_to_come_again() {
    let program = Program::new();
    program.file("zonelens.toml", "[http]\ningests_max = 1\n");
    let service = program.serve(&[]);
    let body = line("a.test");
    let mut first = begun(&service, &format!("Content-Length: {}\r\n", body.len()));
    first.write_all(&body.as_bytes()[..10]).unwrap();
    // Without a body it takes no place itself, and is told so where there is one.
    let mut full = (0, Value::Null, String::new());
    until(|| {
        full = ended(begun(&service, "Content-Length: 0\r\n"));
        full.0 == 429
    });
    assert!(full.2.contains("retry-after: 5"), "{}", full.2);
    assert_eq!((&full.1["status"], &full.1["title"]), (&json!(429), &json!("Too Many Requests")));
    first.write_all(&body.as_bytes()[10..]).unwrap();
    assert_eq!(ended(first).0, 201);
    let more = line("b.test");
    until(|| service.send("POST", "/api/v1/ingest?source=gate", &[], &more).status == 201);
    // No disk has so much free.
    let program = Program::new();
    program.file("zonelens.toml", "[http]\ningest_free_mb = 1000000000000\n");
    let service = program.serve(&[]);
    let answer = service.send("POST", "/api/v1/ingest?source=gate", &[], &body);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")), "{}", answer.body);
}

#[test]
fn what_is_asked_wrongly_is_named() {
    let program = Program::new();
    let service = program.serve(&[]);
    let body = line("a.test");
    for (status, path, headers, said) in [
        (400, "/api/v1/ingest", &[][..], "source"),
        (400, "/api/v1/ingest?source=zonelens", &[], "program's own"),
        (400, "/api/v1/ingest?source=a&format=nope", &[], "unknown format"),
        (415, "/api/v1/ingest?source=a", &[("Content-Encoding", "br")], "br"),
        (403, "/api/v1/ingest?source=a", &[("Origin", "http://evil.example")], "another site"),
        (400, "/api/v1/ingest?source=a&format=cof", &[], "no record was understood"),
    ] {
        let answer = service.send("POST", path, headers, &body);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(answer.body.contains(said), "{path}: {}", answer.body);
    }
    assert_eq!(service.request("GET", "/api/v1/ingest").status, 405);
    assert_eq!(service.send("POST", "/api/v1/ingest?source=a", &[("Content-Length", "0")], "").status, 400);
    assert!(program.live().is_empty());
}

#[test]
fn many_at_once_with_few_keys_count_each_key_once() {
    let program = Program::new();
    program.file("zonelens.toml", "[http]\ningests_max = 4\n");
    let service = program.serve(&[]);
    std::thread::scope(|scope| {
        for number in 0..12 {
            let service = &service;
            scope.spawn(move || {
                let key = format!("key-{}", number % 3);
                let send = || {
                    service.send(
                        "POST",
                        "/api/v1/ingest?source=gate",
                        &[("Idempotency-Key", &key)],
                        &line("a.test"),
                    )
                };
                until(|| [200, 201].contains(&send().status));
            });
        }
    });
    assert_eq!((hits(&service, "a.test"), program.live().len()), (3, 3));
}
