//! Commands as a user types them: what they print, what they end with, and bad input.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Program, gzip, ran, text};

const COF: &str = r#"{"rrname":"www.a.example","rrtype":"A","rdata":"192.31.196.7","time_first":1716800000,"time_last":1716879789,"count":12}
{"rrname":"bad.example","rrtype":"A","rdata":"192.31.196.7","time_first":1716800000,"time_last":1716879789,"count":3}
"#;

const LIST: &str = "# names\nbad.example\nworse.example\n";

#[test]
fn a_file_is_imported_once_however_it_is_compressed() {
    let program = Program::new();
    let plain = program.file("dns.cof", COF);
    let summary = program.json(&["import", "--json", text(&plain)]);
    assert_eq!((&summary["batch"], &summary["unchanged"]), (&json!(1), &json!(false)));
    assert_eq!((&summary["source"], &summary["format"]), (&json!("dns"), &json!("cof")));
    assert_eq!(summary["facts"], json!({"resolution": 2}));
    // The same content, in two gzip members and as zstd.
    let (first, rest) = COF.as_bytes().split_at(50);
    let members = [gzip(first), gzip(rest)].concat();
    let zipped = program.file("other/dns.cof.gz", members);
    let packed = program.file("other/dns.cof.zst", zstd::encode_all(COF.as_bytes(), 1).unwrap());
    for path in [&plain, &zipped, &packed] {
        let ran = program.ok(&["import", "--source", "dns", text(path)]);
        assert!(ran.out.starts_with("already imported as batch 1"), "{}", ran.out);
    }
    assert_eq!(program.live(), [1]);
    assert_eq!(program.ok(&["import", "--source", "other", text(&zipped)]).code, 0);
    assert_eq!(program.live(), [1, 2]);
}

#[test]
fn standard_input_and_folders() {
    let program = Program::new();
    let mut child = program.command(&["import", "--json", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&gzip(COF.as_bytes())).unwrap();
    let summary: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((&summary["source"], &summary["facts"]), (&json!("cof"), &json!({"resolution": 2})));
    for (name, content) in [
        ("feed/.hidden", "not read"),
        ("feed/empty", ""),
        ("feed/b/more.txt", "third.example\n"),
        ("feed/a.txt", LIST),
    ] {
        program.file(name, content);
    }
    let summary = program.json(&["import", "--json", "feed"]);
    assert_eq!((&summary["source"], &summary["files"]), (&json!("feed"), &json!(2)));
    assert_eq!(summary["facts"], json!({"listing": 3}));
    assert!(program.ok(&["import", "feed"]).out.starts_with("already imported as batch 2"));
    program.file("feed/a.txt", "third.example\n");
    assert_eq!(program.json(&["import", "--json", "feed"])["batch"], 3);
    fs::create_dir(program.folder.join("nothing")).unwrap();
    assert_eq!(program.run(&["import", "nothing"]).code, 1);
}

#[test]
fn a_truncated_file_imports_nothing() {
    let program = Program::new();
    let long: String = COF.repeat(200);
    let zipped = gzip(long.as_bytes());
    program.file("cut.cof.gz", &zipped[..zipped.len() - 20]);
    let packed = zstd::encode_all(long.as_bytes(), 1).unwrap();
    program.file("cut.cof.zst", &packed[..packed.len() - 5]);
    for name in ["cut.cof.gz", "cut.cof.zst"] {
        let ran = program.run(&["import", "--format", "cof", name]);
        assert_eq!(ran.code, 1, "{name}");
        assert!(ran.talk.contains(name) && ran.talk.contains("truncated"), "{}", ran.talk);
        assert!(ran.talk.contains("nothing was imported"), "{}", ran.talk);
    }
    assert!(program.live().is_empty());
}

#[test]
fn bad_records_are_counted_shown_and_kept_on_demand() {
    let program = Program::new();
    let record = |name: &str, first: &str, last: &str, count: u64| {
        format!(
            r#"{{"rrname":"{name}","rrtype":"A","rdata":"192.31.196.7","time_first":{first},"time_last":{last},"count":{count}}}"#
        )
    };
    let good = "1717243200";
    let lines = [
        record("a.example", good, good, 1),
        record("b ad.example", good, good, 1),
        record("old.example", "600000000", good, 1),
        // 48 hours ahead of the clock is allowed, a second more is not.
        record("ahead.example", good, "1717416000", 1),
        record("far.example", good, "1717416001", 1),
        format!("{{\"rrname\":\"{}\"", "x".repeat(2 << 20)),
        "{not json".to_owned(),
    ];
    program.file("dns.cof", lines.join("\n"));
    let summary =
        program.json(&["import", "--json", "--format", "cof", "--rejects", "bad.ndjson", "dns.cof"]);
    assert_eq!(summary["facts"], json!({"resolution": 2}), "{summary:#}");
    let count = |reason: &str| summary["rejected"][reason]["count"].as_u64().unwrap_or(0);
    assert_eq!((count("domain"), count("date"), count("too long")), (1, 2, 1), "{summary:#}");
    let total: u64 = summary["rejected"].as_object().unwrap().keys().map(|reason| count(reason)).sum();
    assert_eq!(total, 5);
    assert_eq!(summary["rejected"]["too long"]["examples"][0]["line"], 6);
    let kept = fs::read_to_string(program.folder.join("bad.ndjson")).unwrap();
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 5);
    assert!(kept.iter().all(|rejected| rejected["file"] == "dns.cof" && rejected["line"].is_u64()));
    let batches = program.json(&["batches", "--json"]);
    assert_eq!(batches[0]["rejected"], 5);
}

#[test]
fn wrong_formats_and_arguments_are_named() {
    let program = Program::new();
    program.file("list.txt", LIST);
    program.file("noise.bin", [0u8, 159, 146, 150, 7].repeat(100));
    program.file("empty.txt", "");
    for (code, said, arguments) in [
        (1, "no format recognises noise.bin: tried ", vec!["noise.bin"]),
        (1, "empty.txt is empty", vec!["empty.txt"]),
        (1, "missing.txt", vec!["missing.txt"]),
        (1, "no record was understood as cof", vec!["--format", "cof", "list.txt"]),
        (2, "unknown format \"nope\": use one of ", vec!["--format", "nope", "list.txt"]),
        (2, "is no name of a source", vec!["--source", "a b", "list.txt"]),
        (2, "the program's own", vec!["--source", "zonelens-x", "list.txt"]),
        (2, "--learnt-at 2024-06-01T12:01Z is not", vec!["--learnt-at", "2024-06-01T12:01Z", "list.txt"]),
        (2, "--observed-at 1989-12-31T00:00Z is not", vec!["--observed-at", "1989-12-31", "list.txt"]),
        (2, "no such category", vec!["--category", "EVIL", "list.txt"]),
        (2, "101", vec!["--confidence", "101", "list.txt"]),
        (2, "required", vec![]),
    ] {
        let ran = program.run(&[vec!["import"], arguments.clone()].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.talk);
        assert!(ran.talk.contains(said), "{arguments:?}: {}", ran.talk);
        assert!(ran.talk.contains("error: ") && ran.out.is_empty(), "{arguments:?}");
    }
    assert_eq!(program.run(&["import", "--format", "list", "empty.txt"]).code, 0, "an empty state is one");
}

#[test]
fn lookups_end_with_what_is_known() {
    let program = Program::new();
    program.file("dns.cof", COF);
    program.file("list.txt", LIST);
    assert_eq!(program.run(&["lookup", "bad.example"]).code, 1, "there is no store yet");
    program.ok(&["import", "dns.cof"]);
    program.ok(&["import", "--category", "BOTNET_CNC", "list.txt"]);
    let ran = program.ok(&["lookup", "BAD[.]example", "192.31.196.7"]);
    for said in ["bad.example  Red: Dangerous", "CATEGORY_BOTNET_CNC", "192.31.196.7", "www.a.example"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colours where nobody sees them");
    let report = program.json(&["lookup", "--format", "json", "--sections", "Zone,FeedMasks", "bad.example"]);
    assert_eq!(report["Zone"], "Red");
    assert_eq!(report["FeedMasks"][0]["FeedNames"], json!(["list"]));
    for (code, arguments) in [
        (0, vec!["--as-of", "2024-06-01", "bad.example"]),
        (3, vec!["--as-of", "2024-05-01", "bad.example"]),
        (3, vec!["unknown.test", "bad.example"]),
        (2, vec!["a..b", "bad.example"]),
        (3, vec!["a..b", "unknown.test"]),
        (0, vec!["hxxp://bad[.]example/x"]),
        (3, vec!["http://unknown.test/x"]),
        (3, vec!["d41d8cd98f00b204e9800998ecf8427e"]),
        (2, vec!["http://bad.example:port/x"]),
        (2, vec!["--count", "0", "bad.example"]),
        (2, vec!["--as-of", "2024-06-02", "bad.example"]),
        (2, vec!["--sections", "Nothing", "bad.example"]),
        (2, vec!["--sections", "", "bad.example"]),
    ] {
        let ran = program.run(&[vec!["lookup"], arguments.clone()].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.talk);
    }
    let url = program.ok(&["lookup", "http://bad.example/x"]).out;
    assert!(url.starts_with("bad.example/x  Red: Dangerous") && url.contains("Referrals to domain"), "{url}");
}

#[test]
fn indicators_are_parsed_as_json_lines() {
    let program = Program::new();
    let ran =
        program.run(&["parse", "BÜCHER.example.com", "hxxp://A[.]example/x/../y", "::ffff:192.0.2.1", "a b"]);
    assert_eq!(ran.code, 2);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        json!({"kind": "domain", "value": "xn--bcher-kva.example.com", "unicode": "bücher.example.com",
            "registrable": "example.com"})
    );
    assert_eq!((&lines[1]["normalised"], &lines[1]["host"]), (&json!("a.example/y"), &json!("a.example")));
    assert_eq!(lines[2], json!({"kind": "ip", "value": "192.0.2.1"}));
    assert!(lines[3]["error"].as_str().unwrap().contains("white space"));
    assert_eq!(program.ok(&["parse", "a.example"]).code, 0);
}

#[test]
fn formats_stand_one_a_line() {
    let out = Program::new().ok(&["formats"]).out;
    let names: Vec<&str> = out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let known: Vec<&str> = zonelens::feeds::FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(names, known);
}

#[test]
fn batches_are_listed_retired_merged_and_verified() {
    let program = Program::new();
    for (name, content) in [("dns.cof", COF), ("list.txt", LIST)] {
        program.file(name, content);
        program.ok(&["import", name]);
    }
    assert!(program.ok(&["merge"]).out.starts_with("2 runs, 1 after"));
    assert_eq!(program.live(), [1, 2]);
    assert_eq!(program.ok(&["lookup", "worse.example"]).code, 0);
    program.ok(&["retire", "--source", "list"]);
    assert_eq!(program.live(), [1]);
    assert_eq!(program.run(&["lookup", "worse.example"]).code, 3);
    let table = program.ok(&["batches"]).out;
    assert!(table.contains("retired 2024-06-01T12:00Z") && table.contains("live"), "{table}");
    for wrong in [vec!["retire", "2"], vec!["retire", "--source", "list"]] {
        let ran = program.run(&wrong);
        assert_eq!(ran.code, 1, "{}", ran.talk);
        assert!(ran.talk.contains("zonelens batches"), "{}", ran.talk);
    }
    program.ok(&["import", "list.txt"]);
    assert_eq!(program.live(), [1, 3]);
    let stats = program.json(&["stats", "--json"]);
    assert_eq!(stats["facts"], json!({"listing": 2, "resolution": 2}));
    assert_eq!(stats["sources"].as_array().unwrap().len(), 2);
    assert!(program.ok(&["stats"]).out.contains("dns"));
    assert!(program.ok(&["verify"]).out.contains("as they were written"));
}

#[test]
fn damage_is_found_and_the_batches_to_import_again_named() {
    let program = Program::new();
    program.file("dns.cof", COF);
    program.ok(&["import", "dns.cof"]);
    let run =
        fs::read_dir(program.folder.join("zonelens-data/runs")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&run).unwrap();
    bytes[10] ^= 1;
    fs::write(&run, bytes).unwrap();
    let ran = program.run(&["verify"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("is damaged at") && ran.out.contains("batch 1: source dns"), "{}", ran.out);
    // A store that does not open says as much.
    program.file("zonelens-data/MANIFEST", "nothing");
    let ran = program.run(&["verify"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("MANIFEST is damaged at line 1") && ran.out.contains("cannot be opened"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("batch 1: source dns"), "{}", ran.out);
}

#[test]
fn a_full_disk_stops_the_import_and_the_store_still_opens() {
    let program = Program::new();
    program.file("list.txt", LIST);
    program.ok(&["import", "list.txt"]);
    let names: String = (0..40_000).map(|number| format!("name-{number:x}.example\n")).collect();
    program.file("long.txt", names);
    // Files of at most a few KiB stand for a full disk: the write fails in the same way.
    let mut full = program.shell("trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", &["import", "long.txt"]);
    let ran = ran(&mut full);
    assert_eq!(ran.code, 1, "{}", ran.talk);
    assert!(ran.talk.contains("cannot write to the store in zonelens-data"), "{}", ran.talk);
    assert!(ran.talk.contains("nothing was imported"), "{}", ran.talk);
    assert_eq!(program.live(), [1]);
    assert_eq!(program.ok(&["lookup", "bad.example"]).code, 0);
    program.ok(&["import", "long.txt"]);
    assert_eq!(program.live(), [1, 2]);
}

#[test]
fn two_importers_at_once_both_finish() {
    let program = Program::new();
    let names = ["a", "b", "c"];
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let file = format!("{name}.txt");
            program.file(&file, format!("{name}.example\n").repeat(5000));
            program.command(&["import", "--format", "list", &file]).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(program.live(), [1, 2, 3]);
    for name in names {
        assert_eq!(program.ok(&["lookup", &format!("{name}.example")]).code, 0);
    }
}

#[test]
fn the_configuration_is_read_and_printed() {
    let program = Program::new();
    program.file("list.txt", LIST);
    let config =
        "data = \"elsewhere\"\n[[source]]\nname = \"list\"\ncategory = \"ADWARE\"\nconfidence = 60\n";
    program.file("zonelens.toml", config);
    let printed = program.ok(&["config"]).out;
    program.file("again.toml", &printed);
    assert_eq!(program.ok(&["--config", "again.toml", "config"]).out, printed);
    assert!(printed.contains("data = \"elsewhere\"") && printed.contains("CATEGORY_ADWARE"), "{printed}");
    program.ok(&["import", "list.txt"]);
    assert!(program.folder.join("elsewhere/MANIFEST").is_file());
    let report = program.json(&["lookup", "--format", "json", "bad.example"]);
    assert_eq!(report["Verdict"]["Evidence"][0]["SourceConfidence"], 0.6);
    assert_eq!(report["Zone"], "Yellow");
    program.file("wrong.toml", "lisen = 1\n");
    let ran = program.run(&["config", "--config", "wrong.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.talk.contains("wrong.toml") && ran.talk.contains("lisen"), "{}", ran.talk);
    assert_eq!(program.run(&["--config", "none.toml", "config"]).code, 2);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let program = Program::new();
    let script = "{ \"$0\" completions bash; echo $? >code; } | head -c 1";
    assert_eq!(ran(&mut program.shell(script, &[])).out.len(), 1);
    assert_eq!(fs::read_to_string(program.folder.join("code")).unwrap(), "0\n");
}

#[test]
fn the_fixed_clock_is_named() {
    let program = Program::new();
    program.file("list.txt", LIST);
    let ran = program.ok(&["import", "list.txt", "--now", "2024-01-02T03:04:05Z"]);
    assert!(ran.talk.contains("2024-01-02T03:04:05Z"), "{}", ran.talk);
    assert_eq!(program.json(&["batches", "--json"])[0]["learnt"], "2024-01-02T03:04:05Z");
}
