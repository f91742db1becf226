//! Compressed content and archives through the program: what is in them counts, and how they are packed does not.

use std::io::{Cursor, Write};
use std::process::Stdio;

use serde_json::json;

use crate::program::{Program, gzip, text};

type Members<'m> = [(&'m str, &'m [u8])];

const FIRST: &[u8] = b"one.test\ntwo.test\n";
const SECOND: &[u8] = b"192.31.196.7\n";

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zst(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

/// A tar in which names are as they are given: the library's own writer refuses some.
fn tar(members: &Members<'_>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &Members<'_>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Imports a file as source `feed`.
fn import(program: &Program, name: &str) -> serde_json::Value {
    program.json(&["import", "--json", "--source", "feed", name])
}

fn fails(program: &Program, name: &str, content: &[u8], expected: &str) {
    program.file(name, content);
    let ran = program.run(&["import", "--format", "list", "--source", "bad", name]);
    assert_eq!(ran.code, 1, "{name}: {}{}", ran.out, ran.talk);
    assert!(ran.talk.contains(expected) && ran.talk.contains(name), "{name}: {}", ran.talk);
    assert!(ran.talk.contains("nothing was imported"), "{name}: {}", ran.talk);
}

#[test]
fn every_compression_is_the_same_content() {
    let program = Program::new();
    program.file("feed.txt", FIRST);
    assert_eq!(import(&program, "feed.txt")["facts"], json!({"listing": 2}));
    for (name, content) in [
        ("feed.txt.gz", gzip(FIRST)),
        ("feed.txt.bz2", bzip2(FIRST)),
        ("feed.txt.xz", xz(FIRST)),
        ("feed.txt.zst", zst(FIRST)),
        ("two.bz2", [bzip2(&FIRST[..9]), bzip2(&FIRST[9..])].concat()),
        ("two.xz", [xz(&FIRST[..9]), xz(&FIRST[9..])].concat()),
        ("name-says-nothing", xz(FIRST)),
    ] {
        program.file(name, content);
        assert_eq!(import(&program, name)["unchanged"], true, "{name}");
    }
}

#[test]
fn an_archive_is_the_same_content_however_it_is_packed() {
    let program = Program::new();
    program.file("feed/a.txt", FIRST);
    program.file("feed/deep/b.txt", SECOND);
    let summary = import(&program, "feed");
    assert_eq!((&summary["files"], &summary["facts"]), (&json!(2), &json!({"listing": 3})));
    let members: &Members<'_> = &[("a.txt", FIRST), ("deep/b.txt", SECOND)];
    let other_way = &[("deep/b.txt", SECOND), ("a.txt", FIRST)];
    let dressed: &Members<'_> = &[
        ("./", b""),
        ("./deep/", b""),
        ("./deep/b.txt.gz", &gzip(SECOND)),
        (".hidden", b"hidden.test\n"),
        ("__MACOSX/._a.txt", b"hidden.test\n"),
        ("empty.txt", b""),
        ("./a.txt.xz", &xz(FIRST)),
    ];
    for (name, content) in [
        ("x.tar", tar(members)),
        ("x.zip", zip(members)),
        ("turned.zip", zip(other_way)),
        ("x.tar.gz", gzip(&tar(members))),
        ("x.tar.bz2", bzip2(&tar(other_way))),
        ("x.txz", xz(&tar(members))),
        ("x.tar.zst", zst(&tar(members))),
        ("dressed.tar", tar(dressed)),
        ("dressed.zip", zip(dressed)),
        ("joined.tar", [tar(&members[..1]), tar(&members[1..])].concat()),
    ] {
        let path = program.file(name, &content);
        let summary = import(&program, name);
        assert_eq!((&summary["unchanged"], &summary["files"]), (&json!(true), &json!(2)), "{name}");
        // As a stream too.
        for arguments in [&["-"][..], &["--format", "list", "-"]] {
            let arguments = [&["import", "--json", "--source", "feed"], arguments].concat();
            let mut child = program.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            child.stdin.take().unwrap().write_all(&bytes).unwrap();
            let output = child.wait_with_output().unwrap();
            let talk = String::from_utf8_lossy(&output.stderr);
            let summary: serde_json::Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{name}: {error}: {talk}"));
            assert_eq!(summary["unchanged"], true, "{name} {arguments:?}");
        }
    }
}

#[test]
fn archives_within_a_folder_are_folders_of_it() {
    let program = Program::new();
    program.file("dumps/plain.txt", FIRST);
    program.file("dumps/monday.zip", zip(&[("a.txt", SECOND), ("b.txt", b"four.test\n")]));
    let summary = program.json(&["import", "--json", "dumps"]);
    assert_eq!((&summary["files"], &summary["facts"]), (&json!(3), &json!({"listing": 4})));
}

#[test]
fn a_name_is_only_a_name_and_each_member_is_named_where_it_is_bad() {
    let program = Program::new();
    let climbing =
        tar(&[("../../climbed.txt", FIRST), ("/tmp/zonelens-absolute.txt", SECOND), ("x.txt", b"no name\n")]);
    program.file("in/climb.tar", climbing);
    let summary = program.json(&["import", "--json", "--rejects", "rejects.ndjson", "in/climb.tar"]);
    assert_eq!((&summary["files"], &summary["facts"]), (&json!(3), &json!({"listing": 3})));
    let rejects = std::fs::read_to_string(program.folder.join("rejects.ndjson")).unwrap();
    assert!(rejects.contains(r#""file":"x.txt""#), "{rejects}");
    assert!(!program.folder.join("climbed.txt").exists());
    assert!(!program.folder.parent().unwrap().join("climbed.txt").exists());
    assert!(!std::path::Path::new("/tmp/zonelens-absolute.txt").exists());
    // The same name twice: both are read, as by whoever appends to a tar.
    program.file("twice.tar", tar(&[("a.txt", FIRST), ("a.txt", b"three.test\n")]));
    assert_eq!(program.json(&["import", "--json", "twice.tar"])["facts"], json!({"listing": 3}));
}

#[test]
fn what_cannot_be_read_whole_is_not_read_at_all() {
    let program = Program::new();
    let long: Vec<u8> = (0..5000).flat_map(|n| format!("host{n}.test\n").into_bytes()).collect();
    let cut = |content: Vec<u8>| content[..content.len() * 2 / 3].to_vec();
    let members: &Members<'_> = &[("a.txt", &long), ("b.txt", &long)];
    for (name, content) in [("cut.bz2", bzip2(&long)), ("cut.xz", xz(&long)), ("cut.zst", zst(&long))] {
        fails(&program, name, &cut(content), "is truncated");
    }
    fails(&program, "cut.tar", &cut(tar(members)), "is truncated");
    fails(&program, "headless.tar", &tar(members)[..tar(members).len() - 1024], "is truncated");
    fails(&program, "cut.tar.gz", &cut(gzip(&tar(members))), "is truncated");
    fails(&program, "cut.zip", &cut(zip(members)), "no whole zip");
    fails(&program, "member.tar", &tar(&[("b.txt.gz", &cut(gzip(&long)))]), "in it b.txt is truncated");
    let mut broken = zip(&[("a.txt", FIRST)]);
    let at = broken.windows(5).position(|window| window == b"a.txt").unwrap() + 8;
    broken[at] ^= 0xff;
    fails(&program, "broken.zip", &broken, "a.txt: Invalid checksum");
    fails(&program, "nothing.tar", &tar(&[(".hidden", FIRST)]), "no file with content");
    fails(
        &program,
        "nested.zip",
        &zip(&[("in.tar", &tar(members))]),
        "in.tar: it is an archive within an archive",
    );
    fails(&program, "nested.tar", &tar(&[("in.tgz", &gzip(&tar(members)))]), "an archive within an archive");
    fails(&program, "twice.gz", &gzip(&gzip(FIRST)), "compressed more than once");
    fails(&program, "zip.gz", &gzip(&zip(members)), "a zip within a compressed file");
    assert!(program.live().is_empty());
}

#[test]
fn what_a_zip_hides_is_an_error() {
    let program = Program::new();
    let of_one = zip(&[("a.txt", FIRST), ("b.txt", SECOND)]);
    let record = |mark: &[u8], content: &[u8]| content.windows(4).position(|window| window == mark).unwrap();
    // The flag of encryption, and the method, stand in both headers of a member.
    let (local, central) = (record(b"PK\x03\x04", &of_one), record(b"PK\x01\x02", &of_one));
    let mut encrypted = of_one.clone();
    encrypted[local + 6] |= 1;
    encrypted[central + 8] |= 1;
    fails(&program, "encrypted.zip", &encrypted, "a.txt is encrypted: decrypt it before");
    let mut method = of_one.clone();
    method[local + 8] = 14;
    method[central + 10] = 14;
    fails(&program, "lzma.zip", &method, "stored and deflate are read");
    // Both names the same; both members the same bytes.
    let mut same = of_one.clone();
    for at in 0..same.len() - 5 {
        if &same[at..at + 5] == b"b.txt" {
            same[at] = b'a';
        }
    }
    fails(&program, "same.zip", &same, "have one name");
    let second = central + 4 + record(b"PK\x01\x02", &of_one[central + 4..]);
    let mut overlap = of_one;
    overlap.copy_within(central + 42..central + 46, second + 42);
    fails(&program, "overlap.zip", &overlap, "overlap");
    let path = program.file("fine.zip", zip(&[("a.txt", FIRST)]));
    program.ok(&["import", text(&path)]);
}
