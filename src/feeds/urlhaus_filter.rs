//! `urlhaus-filter`: block lists in the syntax of ad blockers.
//!
//! Written by the malware-filter project (urlhaus-filter, phishing-filter, …) for uBlock Origin and AdGuard:
//! <https://gitlab.com/malware-filter/urlhaus-filter>; syntax
//! <https://github.com/gorhill/uBlock/wiki/Static-filter-syntax>. What a rule says becomes the mask that says
//! the same, as far as there is one:
//!
//! | rule | means | mask |
//! |---|---|---|
//! | `host`, `192.0.2.1` | the list's word for a host that serves what is listed | host |
//! | `host/path` | that URL | URL |
//! | `\|\|host^` | the host and all below it, any path | domain; of an address, host |
//! | `\|\|host/path^` | the path to its end or a separator: that URL | URL |
//! | `\|\|host/folder/` | what begins so | folder |
//! | `\|\|host/pa*th^`, `\|\|host/path` | `*` anything; what begins so | wildcard |
//!
//! A browser widens a bare host to the names below it; the list, made from the hosts of URLs, does not say so.
//! Options that only name what is blocked (`$all`, `$document`, `$popup`) change nothing; a rule with any other option is
//! rejected as `option`. An exception (`@@`) says that what it names is harmless. Rules on elements of a page are rejected
//! as `cosmetic`, expressions and patterns without a host as `rule`: no statement on a host or URL. `! Updated:` is when the list last had all its entries.

use std::io;

use super::entry::{Entry, Fault, below, exception, listing, name, shown, url};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{Fact, Listed};
use crate::indicator::{Host, Mask};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "urlhaus-filter",
    title: "a block list in the syntax of ad blockers: urlhaus-filter, phishing-filter",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open,
};

/// Options that restrict a rule to no page and no kind of content but whole pages, or to none at all.
const PLAIN_OPTIONS: &[&str] = &["all", "doc", "document", "popup", "important"];

/// A header of such a list, or most of its lines start with `||`.
fn recognise(sample: &Sample<'_>) -> bool {
    let header = sample.lines().any(|line| line.starts_with("! Title:") || line.starts_with("[Adblock"));
    let (mut seen, mut anchored, mut understood) = (0, 0, 0);
    for line in sample.data_lines().take(200) {
        seen += 1;
        anchored += usize::from(line.starts_with("||"));
        understood += usize::from(mask(line).is_ok());
    }
    (header && understood * 2 > seen) || anchored * 2 > seen
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut updated = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let rule = line.trim();
        if let Some(date) = rule.strip_prefix("! Updated:") {
            match Timestamp::parse(date) {
                Ok(date) => updated = Some(date),
                Err(detail) => out.reject(number, "date", detail, line.as_bytes())?,
            }
            continue;
        }
        let comment =
            rule.starts_with('!') || rule == "#" || rule.starts_with("# ") || rule.starts_with("[Adblock");
        if rule.is_empty() || comment {
            continue;
        }
        let (is_exception, rule) = rule.strip_prefix("@@").map_or((false, rule), |rest| (true, rest));
        match mask(rule) {
            Ok(mask) if is_exception => {
                let mut benign = exception(Listed::Mask(mask));
                benign.last = updated;
                out.fact(number, Fact::Benign(benign))?;
            }
            Ok(mask) => {
                let mut listing = listing(Listed::Mask(mask));
                listing.last = updated;
                out.fact(number, Fact::Listing(listing))?;
            }
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// How the pattern of a rule ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Anything may follow.
    Open,
    /// `^`: a separator or the end of the address; or `|`: the end.
    Closed,
}

/// The mask that says what a rule says.
fn mask(rule: &str) -> Result<Mask, Fault> {
    let fault = |detail: &str| Err(("rule", detail.to_owned()));
    if ["##", "#@#", "#?#", "#$#", "#%#", "$$"].iter().any(|mark| rule.contains(mark)) {
        return Err(("cosmetic", "a rule on elements of a page says nothing of its host".to_owned()));
    }
    let pattern = without_options(rule)?;
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return fault("a regular expression");
    }
    let (anchored, pattern) = pattern.strip_prefix("||").map_or((false, pattern), |rest| (true, rest));
    let (pattern, end) = match pattern.strip_suffix(['^', '|']) {
        Some(rest) => (rest, End::Closed),
        None => (pattern, End::Open),
    };
    if anchored {
        if pattern.contains(['^', '|']) {
            return fault("a separator within the pattern");
        }
        return anchored_mask(pattern, end);
    }
    if end == End::Closed || pattern.contains(['*', '^', '|']) || pattern.starts_with('/') {
        return fault("a pattern that is bound to no host");
    }
    match Entry::parse(pattern)? {
        Entry::Host(host, port) => Ok(Mask::host(&host, port)),
        Entry::Network(prefix) => Ok(Mask::network(prefix)),
        Entry::Url(url) => Ok(Mask::url(&url)),
        Entry::Domain(_) | Entry::Range(_) | Entry::File(_) => fault("a pattern that is bound to no host"),
    }
}

/// What `||pattern` says.
fn anchored_mask(pattern: &str, end: End) -> Result<Mask, Fault> {
    if pattern.contains('*') {
        let open = if end == End::Open { "*" } else { "" };
        return Mask::wildcard(&format!("{pattern}{open}")).map_err(|error| ("rule", error.to_string()));
    }
    if pattern.contains('/') {
        let url = url(pattern)?;
        return match end {
            End::Closed => Ok(Mask::url(&url)),
            End::Open if pattern.ends_with('/') && !pattern.contains('?') => {
                Mask::folder(&url).map_err(|error| ("rule", error.to_string()))
            }
            End::Open => Mask::wildcard(&format!("{pattern}*")).map_err(|error| ("rule", error.to_string())),
        };
    }
    if end == End::Open {
        return Err(("rule", "a name that may go on: without ^ it matches other domains too".to_owned()));
    }
    match Entry::parse(pattern) {
        Ok(Entry::Host(Host::Domain(name), None)) => Ok(below(&name)),
        Ok(Entry::Host(host, port)) => Ok(Mask::host(&host, port)),
        _ => name(pattern).map(|name| below(&name)),
    }
}

/// The pattern of a rule. A `$` that no options follow is part of it.
fn without_options(rule: &str) -> Result<&str, Fault> {
    let Some((pattern, options)) = rule.rsplit_once('$') else { return Ok(rule) };
    let is_option = |byte: u8| byte.is_ascii_alphanumeric() || b"~,=|.-_*:".contains(&byte);
    // Behind a separator there is nothing else.
    let are_options = pattern.ends_with('^') || options.bytes().all(is_option);
    if pattern.is_empty() || options.is_empty() || !are_options {
        return Ok(rule);
    }
    match options.split(',').find(|option| !PLAIN_OPTIONS.contains(option)) {
        None => Ok(pattern),
        Some(option) => {
            Err(("option", format!("the option {} makes it a statement on some pages only", shown(option))))
        }
    }
}
