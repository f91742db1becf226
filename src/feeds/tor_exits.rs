//! `tor-exits`: where the Tor network leaves to the Internet, with when each address was last tried.
//!
//! <https://check.torproject.org/exit-addresses>, format <https://metrics.torproject.org/collector.html#type-tordnsel>:
//! blocks of `ExitNode <fingerprint>`, `Published`, `LastStatus` and one or more `ExitAddress <address> <time>`. The
//! list is whole. The plain list (`torbulkexitlist`) is a `list`, of a source with the category `TOR_EXIT_NODE`.

use std::io;

use super::entry::{Fault, listing, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listed, Listing};
use crate::indicator::{Host, Mask, parse_address};
use crate::value::{Category, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "tor-exits",
    title: "Tor exit addresses with when they were last tried (exit-addresses)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// Lines that only describe the node of the addresses after them.
const CONTEXT: &[&str] = &["@type", "Downloaded", "Published", "LastStatus"];

fn recognise(sample: &Sample<'_>) -> bool {
    let mut lines = sample.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.by_ref().take(5).any(|line| line.starts_with("ExitNode ")) && sample.contains("\nExitAddress ")
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut node: Option<String> = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        match word {
            "ExitNode" if rest.len() == 40 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                node = Some(rest.to_owned());
            }
            "ExitNode" => {
                node = None;
                out.reject(number, "node", "a fingerprint has 40 hexadecimal digits", line.as_bytes())?;
            }
            "ExitAddress" => match address(rest) {
                Ok(found) => {
                    let reference = node.as_ref().map(|node| format!("Tor exit node {node}"));
                    out.fact(number, Fact::Listing(Listing { reference, ..found }))?;
                }
                Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
            },
            "" => {}
            word if CONTEXT.contains(&word) => {}
            other => out.reject(number, "line", format!("unknown: {}", shown(other)), line.as_bytes())?,
        }
    }
    Ok(())
}

fn address(text: &str) -> Result<Listing, Fault> {
    let (address, time) = text.split_once(' ').unwrap_or((text, ""));
    let address = parse_address(address).map_err(|error| ("address", error.to_string()))?;
    let last = Timestamp::parse(time).map_err(|detail| ("date", detail))?;
    let what = Listed::Mask(Mask::host(&Host::Address(address), None));
    Ok(Listing { category: Some(Category::TOR_EXIT_NODE), last: Some(last), ..listing(what) })
}
