//! Request lines as clients send them, as raw bytes over a socket: what is understood, and what is refused with help.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Program, Serving};
use crate::schema::assert_valid;

/// Lines, statuses and what is expected.
const TABLE: &str = include_str!("../data/requests.tsv");

const FACTS: &str = r#"
{"fact":"listing","type":"MASK_TYPE_DOMAIN","mask":"*.a.example","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"xn--bcher-kva.example","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.196.7","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"2620:4f:8000::10","category":"CATEGORY_MALWARE"}
{"fact":"listing","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"category":"CATEGORY_MALWARE"}
{"fact":"publication","id":"r-1","type":"APT","title":"A report","published":"2024-05-01"}
{"fact":"mention","publication":"r-1","indicator":"domain:a.example"}
"#;

/// A text of the table: runs spelled out.
fn spelled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let count = rest[at + 1..].split_once('}').and_then(|(count, _)| count.parse::<usize>().ok());
        let Some(count) = count else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        let before = &rest[..at];
        let run =
            if before.ends_with("%E2%98%83") { 9 } else { before.chars().next_back().unwrap().len_utf8() };
        out.push_str(&before[..at - run]);
        out.push_str(&before[at - run..].repeat(count));
        rest = &rest[at + 1..][rest[at + 1..].find('}').unwrap() + 1..];
    }
    out + rest
}

/// The bytes of a text with `\xNN` in it.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend_from_slice(&part.as_bytes()[2..]);
    }
    out
}

/// Sends a request line; the status and the body.
fn ask(service: &Serving, line: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut request = bytes(line);
    request.extend_from_slice(b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(&request).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("location:"), "{line}: never redirected");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The object as an answer names it.
fn named(answer: &Value) -> String {
    let places = [
        "/UrlGeneralInfo/Url",
        "/DomainGeneralInfo/Domain",
        "/IpGeneralInfo/Ip",
        "/FileGeneralInfo/Md5",
        "/return_data/id",
        "/return_data/publications/0/id",
    ];
    let text = places.iter().find_map(|place| answer.pointer(place)?.as_str());
    let keys = || answer["return_data"].as_object().map(|data| data.keys().cloned().collect::<String>());
    text.map(str::to_owned).or_else(keys).unwrap_or_default()
}

/// Whether an answer is as the table says.
fn judged((answered, body): &(u16, String), status: &str, expected: &str) -> Result<(), String> {
    let head = body.chars().take(300).collect::<String>();
    if answered.to_string() != status {
        return Err(format!("{answered} is not {status}: {head}"));
    }
    let answer: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {head}"))?;
    if *answered == 200 {
        let named = named(&answer);
        return if named == expected { Ok(()) } else { Err(format!("{named:?} is not {expected:?}")) };
    }
    assert_valid("problem.json", &answer);
    let detail = answer["detail"].as_str().unwrap_or_default();
    // It ends with what to do.
    let helps = detail.contains(": ") || detail.contains("right would be");
    if helps && detail.contains(expected) { Ok(()) } else { Err(format!("{detail:?} lacks {expected:?}")) }
}

#[test]
fn each_line_is_answered_as_the_table_says() {
    let program = Program::new();
    program.file("facts.ndjson", FACTS.trim_start());
    program.ok(&["import", "--format", "native", "facts.ndjson"]);
    let service = program.serve(&[]);
    let (mut lines, mut wrong) = (0, Vec::new());
    for row in TABLE.lines().filter(|row| !row.starts_with('#')) {
        let [line, status, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (line, expected) = (spelled(line), spelled(expected));
        let start = Instant::now();
        let answered = ask(&service, &line);
        let shown = &line[..line.char_indices().nth(200).map_or(line.len(), |(at, _)| at)];
        if let Err(problem) = judged(&answered, status, &expected) {
            wrong.push(format!("{shown}: {problem}"));
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{shown}: {:?}", start.elapsed());
        lines += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines >= 150, "{lines}");
}

#[test]
fn what_is_no_http_is_refused_and_hurts_nobody() {
    let program = Program::new();
    let service = program.serve(&[]);
    for line in [
        "GET /api/url/http://a.example/a b",
        "GET /api/url/http://a.example/x?y=\"z\"",
        "GET /api/url/http://a.example/\\x00",
        "GET /api/url/http://a.example/\\xff\\xfe",
        "GET",
        "\\x16\\x03\\x01",
    ] {
        let (status, _) = ask(&service, line);
        assert_eq!(status, 400, "{line}");
    }
    assert_eq!(service.get("/healthz").status, 200);
}
