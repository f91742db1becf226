//! `native`: our own format, one fact a line as a JSON object with its kind in `fact`.
//!
//! What `export` writes and what a script of yours writes most easily. `docs/native.md` describes every kind and its
//! fields; they are those of [`crate::fact`].

use std::borrow::Cow;
use std::io;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Emit, Format, Input, Lines, Proof, Sample, State};
use crate::fact::{FACT_KINDS, Fact, FileVerdict, Listed, Seen};
use crate::indicator::{FileHashes, Indicator, Mask};
use crate::value::Zone;

pub(super) const FORMAT: Format = Format {
    name: "native",
    title: "zonelens' own format, one fact a line as a JSON object (docs/native.md)",
    state: State::Events,
    proof: Proof::Real,
    recognise,
    open: || Box::new(read),
};

/// The part of a record that says what it is.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    fact: Cow<'a, str>,
}

fn recognise(sample: &Sample<'_>) -> bool {
    let is_fact = |line: &str| line.starts_with('{') && serde_json::from_str::<Kind<'_>>(line).is_ok();
    sample.data_lines().next().is_some_and(is_fact)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse(line) {
            Ok(fact) => out.fact(number, fact)?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

fn parse(line: &str) -> Result<Fact, (&'static str, String)> {
    match serde_json::from_str::<Fact>(line) {
        Ok(fact) => match fault(&fact) {
            Some((reason, detail)) => Err((reason, detail.to_owned())),
            None => Ok(fact),
        },
        Err(error) => Err(why(line, &error)),
    }
}

/// Whether a line that is no fact is no JSON, of no kind that we know, or has a field that is not right.
fn why(line: &str, error: &serde_json::Error) -> (&'static str, String) {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(line) {
        return ("json", error.to_string());
    }
    match serde_json::from_str::<Kind<'_>>(line) {
        Ok(kind) if matches!(&*kind.fact, "listing" | "benign") => ("fields", why_not_listed(line, error)),
        Ok(kind) if FACT_KINDS.contains(&&*kind.fact) => ("fields", error.to_string()),
        Ok(kind) => {
            ("kind", format!("{:?} is no kind of fact: use one of {}", kind.fact, FACT_KINDS.join(", ")))
        }
        Err(_) => ("kind", "the field `fact` is missing: it names the kind".to_owned()),
    }
}

/// What is wrong with the object of a listing, where it is that; serde only says that neither kind of object matched.
fn why_not_listed(line: &str, error: &serde_json::Error) -> String {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        file: Option<FileHashes>,
    }
    match (serde_json::from_str::<Mask>(line), serde_json::from_str::<File>(line)) {
        (_, Err(file)) => file.to_string(),
        (Err(mask), Ok(File { file: None })) => mask.to_string(),
        _ => error.to_string(),
    }
}

//------------ What the types do not say -------------------------------------

/// What is wrong with a fact whose every field is right.
fn fault(fact: &Fact) -> Option<(&'static str, &'static str)> {
    match fact {
        Fact::Resolution(fact) => seen(&fact.seen),
        Fact::WebRequest(fact) => seen(&fact.seen),
        Fact::Contact(fact) => seen(&fact.seen),
        Fact::Certificate(fact) if fact.digest.is_empty() => Some(("fields", "digest is empty")),
        Fact::Certificate(fact) => seen(&fact.seen),
        Fact::Download(fact) if fact.url.is_none() && fact.address.is_none() => {
            Some(("fields", "a download needs url or address"))
        }
        Fact::Download(fact) => file(&fact.file).or_else(|| seen(&fact.seen)),
        Fact::Access(fact) if matches!(fact.target, Indicator::File(_)) => {
            Some(("fields", "the target of an access is a domain, an address or a URL"))
        }
        Fact::Access(fact) => file(&fact.file).or_else(|| seen(&fact.seen)),
        Fact::FileVerdict(fact) => verdict(fact),
        Fact::Listing(fact) if fact.confidence.is_some_and(|confidence| confidence > 100) => {
            Some(("fields", "confidence is 0 to 100"))
        }
        Fact::Listing(fact) => listed(&fact.what).or_else(|| in_order(fact.first, fact.last)),
        Fact::Benign(fact) => listed(&fact.what),
        Fact::SpamReport(fact) if fact.ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) => {
            Some(("fields", "ratio is 0 to 1"))
        }
        Fact::SpamReport(fact) => host(&fact.indicator).or_else(|| seen(&fact.seen)),
        Fact::PhishingReport(fact) => host(&fact.indicator).or_else(|| seen(&fact.seen)),
        Fact::PortState(fact) => host(&fact.host),
        Fact::Pin(fact) if matches!((&fact.indicator, fact.zone), (Indicator::File(_), Zone::Orange)) => {
            Some(("fields", "a file is never Orange"))
        }
        _ => None,
    }
}

fn seen(seen: &Seen) -> Option<(&'static str, &'static str)> {
    match seen.hits {
        0 => Some(("count", "hits is at least 1")),
        _ => in_order(Some(seen.first), Some(seen.last)),
    }
}

fn in_order<T: PartialOrd>(first: Option<T>, last: Option<T>) -> Option<(&'static str, &'static str)> {
    let wrong = first.zip(last).is_some_and(|(first, last)| last < first);
    wrong.then_some(("date", "last is before first"))
}

fn file(hashes: &FileHashes) -> Option<(&'static str, &'static str)> {
    hashes.is_empty().then_some(("hash", "a file needs at least one of md5, sha1 and sha256"))
}

fn listed(what: &Listed) -> Option<(&'static str, &'static str)> {
    match what {
        Listed::File { file: hashes } => file(hashes),
        Listed::Mask(_) => None,
    }
}

fn verdict(fact: &FileVerdict) -> Option<(&'static str, &'static str)> {
    match fact.zone {
        Some(Zone::Orange) => Some(("fields", "a file is never Orange")),
        _ => file(&fact.file),
    }
}

fn host(indicator: &Indicator) -> Option<(&'static str, &'static str)> {
    let host = matches!(indicator, Indicator::Domain(_) | Indicator::Address(_));
    (!host).then_some(("fields", "this is said of a domain or an address only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_the_document_is_read_and_every_kind_has_one() {
        let document = include_str!("../../docs/native.md");
        let mut seen = [0; FACT_KINDS.len()];
        for line in document.lines().filter(|line| line.starts_with('{')) {
            let fact = parse(line).unwrap_or_else(|(reason, detail)| panic!("{reason}: {detail}\n{line}"));
            seen[fact.index()] += 1;
            let again = serde_json::to_string(&fact).unwrap();
            assert_eq!(parse(&again).unwrap(), fact, "what is written reads back");
        }
        for (kind, count) in FACT_KINDS.iter().zip(seen) {
            assert!(count > 0, "docs/native.md has no example of {kind}");
            assert!(document.contains(&format!("### `{kind}`")), "docs/native.md has no heading for {kind}");
        }
    }
}
