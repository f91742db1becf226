//! `dnsmasq`: block lists as configuration of the dnsmasq resolver.
//!
//! Options of <https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html>, each on a name with all below it; several names
//! stand between slashes:
//!
//! | line | says |
//! |---|---|
//! | `address=/bad.example/`, `…/0.0.0.0`, `…/::`, `…/127.0.0.1`, `…/#` | blocked: a listing |
//! | `server=/bad.example/`, `local=/bad.example/` | never asked elsewhere: a listing |
//! | `server=/good.example/#` | asked as usual although a name above it is blocked: benign |
//! | `address=/name/192.0.2.1`, `server=/name/192.0.2.1` | the network's own names: rejected |
//!
//! Any other option is rejected as `option`. A `#` after white space begins a comment.

use std::io;

use super::entry::{Fault, below, exception, listing, name, shown};
use super::hosts::leads_nowhere;
use super::{Emit, Format, Input, Lines, Proof, Sample, State, most};
use crate::fact::{Fact, Listed};

pub(super) const FORMAT: Format = Format {
    name: "dnsmasq",
    title: "a block list for dnsmasq: address=/name/, server=/name/, local=/name/",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// Most lines are one of the options.
fn recognise(sample: &Sample<'_>) -> bool {
    most(sample.data_lines().take(SAMPLE_LINES), |line| option(line).is_some())
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = without_comment(line);
        if text.is_empty() {
            continue;
        }
        let says = match says(text) {
            Ok(says) => says,
            Err((reason, detail)) => {
                out.reject(number, reason, detail, line.as_bytes())?;
                continue;
            }
        };
        // A line is rejected once, however many of its names are none.
        let mut fault = None;
        for text in says.names.split('/') {
            match name(text.strip_prefix("*.").unwrap_or(text.trim_start_matches('.'))) {
                Ok(name) => {
                    let what = Listed::Mask(below(&name));
                    let fact = match says.benign {
                        true => Fact::Benign(exception(what)),
                        false => Fact::Listing(listing(what)),
                    };
                    out.fact(number, fact)?;
                }
                Err(found) => fault = fault.or(Some(found)),
            }
        }
        if let Some((reason, detail)) = fault {
            out.reject(number, reason, detail, line.as_bytes())?;
        }
    }
    Ok(())
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    let start = line.match_indices('#').find(|(at, _)| line[..*at].trim_end().len() < *at || *at == 0);
    start.map_or(line, |(at, _)| &line[..at]).trim_end()
}

/// What a line says of names; `/` between them.
struct Says<'l> {
    names: &'l str,
    benign: bool,
}

/// The option, the names and what is after them.
fn option(line: &str) -> Option<(&str, &str, &str)> {
    let (option, value) = line.split_once('=')?;
    let option = option.trim().trim_start_matches("--");
    let (names, value) = value.trim().strip_prefix('/')?.rsplit_once('/')?;
    ["address", "server", "local"].contains(&option).then_some((option, names, value))
}

fn says(line: &str) -> Result<Says<'_>, Fault> {
    let Some((option, names, value)) = option(line) else {
        return Err(("option", format!("{} is none of address=/, server=/ and local=/", shown(line))));
    };
    match (option, value) {
        (_, "") => Ok(Says { names, benign: false }),
        ("address", "#") => Ok(Says { names, benign: false }),
        ("address", address) if leads_nowhere(address) => Ok(Says { names, benign: false }),
        ("address", address) => {
            let detail =
                format!("{} is not #, 0.0.0.0, a loopback address or ::: no name is blocked", shown(address));
            Err(("address", detail))
        }
        (_, "#") => Ok(Says { names, benign: true }),
        (_, server) => {
            Err(("server", format!("{} is asked for these names: none is blocked", shown(server))))
        }
    }
}
