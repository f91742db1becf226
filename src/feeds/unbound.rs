//! `unbound`: block lists as configuration of the Unbound resolver.
//!
//! `local-zone: "bad.example" always_nxdomain`, described in
//! <https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html>. A zone is a name with all below it. By its type
//! it is a listing ([`BLOCKED`]), benign (`always_transparent`), or no statement, and then rejected as `type`.
//! `local-data:` of a zone above it only says what is answered in its place; alone it lists that host, where its address
//! leads nowhere. Any other option is rejected as `option`.

use std::io;

use super::entry::{Fault, below, exception, listing, name, shown};
use super::hosts::leads_nowhere;
use super::{Emit, Format, Input, Lines, Proof, Sample, State, most};
use crate::fact::{Fact, Listed};
use crate::indicator::{DomainName, Host, Mask};

pub(super) const FORMAT: Format = Format {
    name: "unbound",
    title: "a block list for Unbound: local-zone and local-data",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// Types of zones in which no name leads to where it leads in the world.
const BLOCKED: &[&str] = &[
    "always_nxdomain",
    "always_nodata",
    "always_null",
    "always_refuse",
    "always_deny",
    "static",
    "deny",
    "refuse",
    "redirect",
    "inform_deny",
    "inform_redirect",
];

/// The type of a zone that is exempt from those above it.
const EXEMPT: &str = "always_transparent";

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// Most lines are one of the options.
fn recognise(sample: &Sample<'_>) -> bool {
    let lines = sample.data_lines().filter(|line| *line != CLAUSE).take(SAMPLE_LINES);
    most(lines, |line| line.starts_with("local-zone:") || line.starts_with("local-data:"))
}

/// What stands above the options in a file of their own.
const CLAUSE: &str = "server:";

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    let mut zone = None;
    while let Some((number, line)) = lines.next(out)? {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') || text == CLAUSE {
            continue;
        }
        match fact(text, &mut zone) {
            Ok(Some(fact)) => out.fact(number, fact)?,
            Ok(None) => {}
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// What a line says; none where it belongs to the zone before it.
fn fact(line: &str, zone: &mut Option<DomainName>) -> Result<Option<Fact>, Fault> {
    let (option, value) = line.split_once(':').unwrap_or((line, ""));
    match option.trim_end() {
        "local-zone" => local_zone(value, zone).map(Some),
        "local-data" => local_data(value, zone.as_ref()),
        other => Err(("option", format!("{} is neither local-zone nor local-data", shown(other)))),
    }
}

fn local_zone(value: &str, zone: &mut Option<DomainName>) -> Result<Fact, Fault> {
    let value = value.replace(['"', '\''], " ");
    let mut words = value.split('#').next().unwrap_or_default().split_ascii_whitespace();
    let (Some(text), Some(zone_type), None) = (words.next(), words.next(), words.next()) else {
        return Err(("columns", "a name and the type of the zone belong on a line".to_owned()));
    };
    let name = forward_name(text)?;
    let what = Listed::Mask(below(&name));
    *zone = Some(name);
    if BLOCKED.contains(&zone_type) {
        return Ok(Fact::Listing(listing(what)));
    }
    if zone_type == EXEMPT {
        return Ok(Fact::Benign(exception(what)));
    }
    Err(("type", format!("a zone of the type {} is not blocked", shown(zone_type))))
}

fn local_data(value: &str, zone: Option<&DomainName>) -> Result<Option<Fact>, Fault> {
    let value = value.replace(['"', '\''], " ");
    let mut words = value.split_ascii_whitespace();
    let name = forward_name(words.next().unwrap_or_default())?;
    if zone.is_some_and(|zone| name.is_within(zone)) {
        return Ok(None);
    }
    let is_address = |word: &&str| word.eq_ignore_ascii_case("A") || word.eq_ignore_ascii_case("AAAA");
    let address = words.find(is_address).and_then(|_| words.next()).unwrap_or_default();
    if !leads_nowhere(address) {
        let detail =
            format!("{} is not 0.0.0.0, a loopback address or ::: no name is blocked", shown(address));
        return Err(("address", detail));
    }
    Ok(Some(Fact::Listing(listing(Listed::Mask(Mask::host(&Host::Domain(name), None))))))
}

/// A name of the forward tree: resolvers have zones for the reverse one that say nothing of an address.
fn forward_name(text: &str) -> Result<DomainName, Fault> {
    let name = name(text.strip_suffix('.').unwrap_or(text))?;
    match name.as_str().ends_with(".arpa") {
        true => Err(("domain", format!("{} is a reverse name", shown(text)))),
        false => Ok(name),
    }
}
