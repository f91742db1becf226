//! Watched folders: each file once, what grew from where it was read to.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::program::{Program, gzip, until};

fn line(name: &str, number: u32) -> String {
    let at = format!("2024-05-20T03:00:{number:02}Z");
    let fact = json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": "192.31.196.7"},
        "first": at, "last": at, "hits": 1});
    format!("{fact}\n")
}

/// Makes a file look as if nobody wrote to it lately.
fn rest(path: &Path) {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_717_243_200);
    File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
}

fn hits(program: &Program, name: &str) -> u64 {
    let ran = program.run(&["lookup", "--format", "json", name]);
    if ran.code == 3 {
        return 0;
    }
    let report: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.talk));
    report["DomainDnsResolutions"][0]["HitsCount"].as_u64().unwrap()
}

fn configure(program: &Program, location: &str, interval: &str) {
    let text = format!(
        "[[source]]\nname = \"drop\"\nlocation = \"{location}\"\nstate = \"events\"\n{interval}\n[http]\nlisten = \"127.0.0.1:0\"\n"
    );
    program.file("zonelens.toml", text);
}

#[test]
fn each_file_is_taken_in_once_and_what_grew_from_there() {
    let program = Program::new();
    configure(&program, "drop", "");
    let refresh = || program.run(&["source", "refresh", "drop"]);
    let one = program.file("drop/one.ndjson", line("a.test", 1) + &line("a.test", 2));
    rest(&one);
    program.file("drop/.hidden", line("a.test", 3));
    program.file("drop/below/two.ndjson", line("a.test", 4));
    assert_eq!(refresh().code, 0);
    assert_eq!((hits(&program, "a.test"), program.live().len()), (3, 2));
    let again = refresh();
    assert!(again.out.contains("not modified"), "{}{}", again.out, again.talk);
    // It grew, by a line and a half.
    std::fs::OpenOptions::new()
        .append(true)
        .open(&one)
        .map(|mut file| {
            use std::io::Write as _;
            write!(file, "{}{{\"half", line("a.test", 5)).unwrap();
        })
        .unwrap();
    refresh();
    assert_eq!(hits(&program, "a.test"), 4);
    // Renamed it is the same; without its memory too.
    std::fs::rename(&one, program.folder.join("drop/renamed.ndjson")).unwrap();
    refresh();
    std::fs::remove_file(program.folder.join("zonelens-data/sources/drop.files.json")).unwrap();
    refresh();
    assert_eq!(hits(&program, "a.test"), 4);
    // What is not of lines, or compressed, waits until nobody writes to it; a bad file holds up no other.
    let packed = program.file("drop/three.ndjson.gz", gzip(line("b.test", 1).as_bytes()));
    refresh();
    assert_eq!(hits(&program, "b.test"), 0);
    rest(&packed);
    let bad = program.file("drop/aaa.bin", [0, 159, 146, 150].repeat(100));
    rest(&bad);
    let failed = refresh();
    assert!(failed.code != 0 && failed.talk.contains("aaa.bin"), "{}", failed.talk);
    assert_eq!(hits(&program, "b.test"), 1);
    // The memory is as long as the folder.
    std::fs::remove_dir_all(program.folder.join("drop")).unwrap();
    std::fs::create_dir(program.folder.join("drop")).unwrap();
    assert_eq!(refresh().code, 0);
    let memory =
        std::fs::read_to_string(program.folder.join("zonelens-data/sources/drop.files.json")).unwrap();
    assert_eq!(memory, "{}");
}

#[test]
fn a_pattern_is_watched_too_and_a_service_does_it_by_itself() {
    let program = Program::new();
    configure(&program, "drop/*.ndjson", "interval = \"1s\"");
    program.file("drop/one.ndjson", line("a.test", 1));
    program.file("drop/other.txt", line("a.test", 2));
    // The clock goes on: sources are due by it.
    let mut serve = program.command(&["serve"]);
    let mut child = serve.env_remove("ZONELENS_NOW").spawn().unwrap();
    until(|| program.folder.join("zonelens-data/MANIFEST").exists() && hits(&program, "a.test") == 1);
    program.file("drop/two.ndjson", line("a.test", 3));
    until(|| hits(&program, "a.test") == 2);
    std::fs::OpenOptions::new()
        .append(true)
        .open(program.folder.join("drop/two.ndjson"))
        .map(|mut file| {
            use std::io::Write as _;
            file.write_all(line("a.test", 4).as_bytes()).unwrap();
        })
        .unwrap();
    until(|| hits(&program, "a.test") == 3);
    child.kill().unwrap();
    child.wait().unwrap();
}
