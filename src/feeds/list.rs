//! `list`: a plain list, one entry a line.
//!
//! Written by everybody. An entry is
//!
//! - a name: that host and nothing else; with `*.` or `.` before it, the domain with all below it
//! - an address, with or without a port; a network; a range of addresses, as the networks that make it up
//! - a URL, with a scheme or a path
//! - a file hash: MD5, SHA-1 or SHA-256
//!
//! defanged or not. Comments start with `#`, `;`, `!` or `//` at the start of a line, with `#` or `;` after white
//! space elsewhere (`1.10.16.0/20 ; SBL256894` of Spamhaus DROP). What being listed means, a list does not say:
//! that is configured for its source.

use std::io;

use super::entry::{Entry, listing};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State, most};
use crate::fact::Fact;

pub(super) const FORMAT: Format = Format {
    name: "list",
    title: "a plain list: names, addresses, networks, URLs or file hashes, one a line",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open,
};

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// Most lines are an entry.
fn recognise(sample: &Sample<'_>) -> bool {
    most(sample.data_lines().take(SAMPLE_LINES), |line| Entry::parse(entry(line)).is_ok())
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = entry(line);
        if text.is_empty() {
            continue;
        }
        match Entry::parse(text) {
            Ok(entry) => {
                for what in entry.listed() {
                    out.fact(number, Fact::Listing(listing(what)))?;
                }
            }
            Err(_) if text.contains(char::is_whitespace) => {
                out.reject(number, "columns", "one entry belongs on a line", line.as_bytes())?;
            }
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// A line without its comment; empty where nothing else is on it.
fn entry(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with(['#', ';', '!']) || line.starts_with("//") {
        return "";
    }
    let comment = line
        .match_indices(['#', ';'])
        .find(|(at, _)| line[..*at].ends_with(char::is_whitespace))
        .map_or(line.len(), |(at, _)| at);
    line[..comment].trim_end()
}
