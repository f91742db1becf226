//! What happens to files on their way: every sample of every format, damaged in each way that files are. No reader panics,
//! and none passes over what it did not understand.

use std::collections::BTreeSet;

use zonelens::feeds::{self, Format};

use crate::feeds::{files, folder, read, sorted};

/// Formats that are not text.
const BINARY: &[&str] = &["dnstap", "mmdb"];

/// One file of a batch, and the name that the format sees.
type Files = Vec<(String, Vec<u8>)>;

/// Every sample of every format.
fn samples() -> Vec<(&'static Format, String, Files)> {
    let mut samples = Vec::new();
    for format in feeds::FORMATS {
        for input in sorted(&folder().join(format.name)) {
            let name = input.file_name().unwrap().to_str().unwrap().to_owned();
            if name.contains(".in") {
                samples.push((format, format!("{}/{name}", format.name), files(&input)));
            }
        }
    }
    samples
}

fn text_samples() -> impl Iterator<Item = (&'static Format, String, Files)> {
    samples().into_iter().filter(|(format, ..)| !BINARY.contains(&format.name))
}

/// The facts with their lines, and how many records were rejected.
fn said(format: &Format, files: &Files) -> (BTreeSet<String>, usize) {
    let text = read(format, files);
    let is_rejected = |line: &&str| line.split(' ').nth(1) == Some("rejected");
    let facts = text.lines().filter(|line| !is_rejected(line)).map(str::to_owned).collect();
    (facts, text.lines().filter(is_rejected).count())
}

/// The content of each file changed.
fn changed(files: &Files, change: impl Fn(&[u8]) -> Vec<u8>) -> Files {
    files.iter().map(|(name, content)| (name.clone(), change(content))).collect()
}

/// Puts something into the middle of content, at the end of a line: where a record may stand, or within a document.
fn put(content: &[u8], what: &[u8]) -> Vec<u8> {
    let half = content.len() / 2;
    let at = content[half..].iter().position(|byte| *byte == b'\n').map_or(half, |at| half + at);
    [&content[..at], what, &content[at..]].concat()
}

#[test]
fn line_ends_and_marks_of_order_change_nothing() {
    for (format, name, files) in text_samples() {
        let (facts, rejected) = said(format, &files);
        let crlf = changed(&files, |content| {
            let text = String::from_utf8_lossy(content).replace("\r\n", "\n").replace('\n', "\r\n");
            text.into_bytes()
        });
        let mark = changed(&files, |content| [b"\xef\xbb\xbf", content].concat());
        // What is no UTF-8 was changed with the line ends.
        if files.iter().all(|(_, content)| str::from_utf8(content).is_ok()) {
            assert_eq!(said(format, &crlf), (facts.clone(), rejected), "{name} with CRLF");
        }
        let (marked, marked_rejected) = said(format, &mark);
        let has_one = files.iter().any(|(_, content)| content.starts_with(b"\xef\xbb\xbf"));
        if !has_one {
            assert_eq!((marked, marked_rejected), (facts, rejected), "{name} with a byte order mark");
        }
    }
}

#[test]
fn what_is_no_utf8_is_rejected() {
    for (format, name, files) in text_samples() {
        let sixteen = changed(&files, |content| {
            let text = String::from_utf8_lossy(content).into_owned();
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        });
        let (facts, rejected) = said(format, &sixteen);
        assert!(rejected > 0, "{name} in UTF-16 is passed over: {facts:?}");
        // In one place.
        let (before, _) = said(format, &files);
        let latin = changed(&files, |content| put(content, b" \xe4\xfc"));
        let (facts, rejected) = said(format, &latin);
        let lost = before.difference(&facts).count();
        assert!(rejected > 0 || lost == 0, "{name} with Latin-1: {lost} facts are lost in silence");
    }
}

#[test]
fn a_file_that_was_cut_says_so_or_loses_nothing() {
    for (format, name, files) in samples() {
        let [(file, content)] = &files[..] else { continue };
        let text = read(format, &files);
        let first = text.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).min();
        let Some(first) = first else { continue };
        let is_document = content.trim_ascii_start().starts_with(b"{") || content.starts_with(b"<");
        for tenths in 1..10 {
            let cut = content[..content.len() * tenths / 10].to_vec();
            let lines: usize = cut.iter().filter(|byte| **byte == b'\n').count();
            let (facts, rejected) = said(format, &vec![(file.clone(), cut)]);
            // A binary file has no ends of lines at which it could be whole; before the first line that says something
            // there may be a header.
            if BINARY.contains(&format.name) {
                assert!(rejected > 0, "{name} cut at {tenths} tenths");
            } else if is_document || lines >= first {
                assert!(facts.len() + rejected > 0, "{name} cut at {tenths} tenths says nothing");
            }
        }
    }
}

#[test]
fn giant_fields_and_deep_nesting_cost_themselves_only() {
    let giant = vec![b'x'; (1 << 20) + 100_000];
    let deep = [b"{\"a\":[".repeat(50_000), b"<a>".repeat(50_000), b"(".repeat(50_000)].concat();
    let mut seen = BTreeSet::new();
    for (format, name, files) in samples().into_iter().filter(|(format, ..)| seen.insert(format.name)) {
        for (what, put_in) in [("a giant field", &giant), ("deep nesting", &deep)] {
            let bad = changed(&files, |content| put(content, put_in));
            let (facts, rejected) = said(format, &bad);
            assert!(facts.len() + rejected > 0, "{name} with {what} says nothing");
            assert!(rejected > 0 || !BINARY.contains(&format.name), "{name} with {what}");
        }
    }
}

#[test]
fn absurd_dates_are_refused_and_never_overflow() {
    let years: [&[u8]; 4] = [b"0000", b"9999", b"9223", b"-001"];
    for (format, name, files) in text_samples() {
        let (whole, rejected_whole) = said(format, &files);
        for year in years {
            // Years, and the first digits of seconds since 1970.
            let absurd = changed(&files, |content| {
                let mut content = content.to_vec();
                for at in 0..content.len().saturating_sub(4) {
                    let is_date = matches!(&content[at..at + 2], b"20" | b"19" | b"17" | b"16")
                        && content[at..at + 4].iter().all(u8::is_ascii_digit);
                    if is_date {
                        content[at..at + 4].copy_from_slice(year);
                    }
                }
                content
            });
            let (facts, rejected) = said(format, &absurd);
            let says = facts.len() + rejected;
            assert!(
                says > 0 || whole.len() + rejected_whole == 0,
                "{name} with the year {year:?} says nothing"
            );
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_or_changes_nothing() {
    let mut tried = 0;
    for (format, name, files) in text_samples() {
        let twice = changed(&files, |content| doubled(content).unwrap_or_else(|| content.to_vec()));
        if twice == files {
            continue;
        }
        tried += 1;
        let (before, _) = said(format, &files);
        let (facts, rejected) = said(format, &twice);
        assert!(rejected > 0 || facts == before, "{name} loses one of two values in silence");
    }
    assert!(tried > 20, "{tried} samples have keys");
}

/// JSON whose first object has its first key twice, with nothing at first.
fn doubled(content: &[u8]) -> Option<Vec<u8>> {
    let open = content.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let brace = open + content[open..].iter().take(3).position(|byte| *byte == b'{')?;
    let key = brace + 1 + content[brace + 1..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    if content.get(key) != Some(&b'"') {
        return None;
    }
    let end = key + 1 + content[key + 1..].iter().position(|byte| *byte == b'"')? + 1;
    Some([&content[..key], &content[key..end], b":null,", &content[key..]].concat())
}
