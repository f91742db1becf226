//! `rpz`: response policy zones, the block lists of BIND, Unbound, PowerDNS and Knot, as a zone file.
//!
//! Draft: <https://datatracker.ietf.org/doc/html/draft-vixie-dnsop-dns-rpz-00>. The owner of a record is the trigger, the
//! rest the action:
//!
//! | record | says |
//! |---|---|
//! | `bad.example CNAME .` (no such name), `CNAME *.` (no data), `CNAME rpz-drop.` (no answer) | a listing of that host |
//! | `*.bad.example CNAME .` | a listing of all below it; as a mask it covers the name too |
//! | any other `CNAME`, `A`, `AAAA` | led elsewhere: a listing |
//! | `CNAME rpz-passthru.`, a `CNAME` to itself | exempt: benign |
//! | `CNAME rpz-tcp-only.`, other types | no statement: rejected as `action` |
//! | `….rpz-ip`, `….rpz-nsip`, `….rpz-nsdname`, `….rpz-client-ip` | not on names: rejected as `trigger` |
//!
//! A comment after a record is the listing's reference. The zone's own SOA and NS records are passed over.

use std::io;

use super::entry::{Fault, below, exception, listing, name, shown};
use super::{Emit, Format, Input, Lines, Proof, Sample, State, most};
use crate::fact::{Fact, Listed};
use crate::indicator::{Host, Mask};

pub(super) const FORMAT: Format = Format {
    name: "rpz",
    title: "a response policy zone (RPZ) as a zone file: names that a resolver blocks",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// There is a CNAME that only policies have, and from the first on most lines have one or an address.
fn recognise(sample: &Sample<'_>) -> bool {
    let is_policy = |line: &&str| {
        let mut words = line.split_ascii_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("CNAME"));
        let target = words.nth(1).unwrap_or_default();
        matches!(target, "." | "*.") || target.starts_with("rpz-")
    };
    let lines = sample.data_lines().take(SAMPLE_LINES).skip_while(|line| !is_policy(line));
    most(lines, |line| is_policy(&line))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    let mut zone = Zone::default();
    while let Some((number, line)) = lines.next(out)? {
        match zone.line(line) {
            Ok(Some(fact)) => out.fact(number, fact)?,
            Ok(None) => {}
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// Labels that end the owner of a trigger that is not the name that was asked.
const OTHER_TRIGGERS: &[&str] = &["rpz-ip", "rpz-nsip", "rpz-nsdname", "rpz-client-ip"];

/// How much of a comment is kept.
const COMMENT_CHARS: usize = 200;

/// Where in a zone file the reader stands (RFC 1035, section 5).
#[derive(Default)]
struct Zone {
    /// What is added to names without a dot at their end; empty for the root, absent until the file says it.
    origin: Option<String>,
    /// The zone's own name, without a dot at its end; absent where the file leaves it to the server.
    apex: Option<String>,
    owner: String,
    /// The owner that was listed last: records of several types are one statement.
    listed: String,
    /// Within the parentheses of a record of several lines.
    is_open: bool,
}

impl Zone {
    /// What a line says; none of what is not a policy.
    fn line(&mut self, line: &str) -> Result<Option<Fact>, Fault> {
        let (record, comment) = line.split_once(';').unwrap_or((line, ""));
        let was_open = self.is_open;
        if let Some(last) = record.rfind(['(', ')']) {
            self.is_open = record[last..].starts_with('(');
        }
        if was_open || record.trim().is_empty() {
            return Ok(None);
        }
        let mut words = record.split_ascii_whitespace().peekable();
        if record.starts_with('$') {
            let (Some(directive), value) = (words.next(), words.next()) else { return Ok(None) };
            return match (directive, value) {
                ("$ORIGIN", Some(origin)) => {
                    self.origin = Some(origin.trim_end_matches('.').to_owned());
                    Ok(None)
                }
                ("$TTL", Some(_)) => Ok(None),
                _ => Err(("directive", format!("{} is not read", shown(record)))),
            };
        }
        if !record.starts_with([' ', '\t']) {
            let owner = words.next().unwrap_or_default();
            self.owner = self.absolute(owner);
        }
        while words.peek().is_some_and(|word| is_ttl_or_class(word)) {
            words.next();
        }
        let Some(record_type) = words.next() else {
            return Err(("columns", "a record has an owner, a type and data".to_owned()));
        };
        self.record(&record_type.to_ascii_uppercase(), words.next().unwrap_or_default(), comment)
    }

    /// A name with the origin, as far as one is known; the apex itself where there is none is `@`.
    fn absolute(&self, text: &str) -> String {
        match (text.strip_suffix('.'), self.origin.as_deref()) {
            (Some(absolute), _) => absolute.to_owned(),
            (None, Some(origin)) if text == "@" => origin.to_owned(),
            (None, None | Some("")) => text.to_owned(),
            (None, Some(origin)) => format!("{text}.{origin}"),
        }
    }

    fn record(&mut self, record_type: &str, data: &str, comment: &str) -> Result<Option<Fact>, Fault> {
        if record_type == "SOA" {
            self.apex = Some(self.owner.clone()).filter(|owner| owner != "@");
            return Ok(None);
        }
        if record_type == "NS" {
            return Ok(None);
        }
        let trigger = self.trigger()?;
        let (below_it, text) = trigger.strip_prefix("*.").map_or((false, &*trigger), |rest| (true, rest));
        if let Some(label) = OTHER_TRIGGERS.iter().find(|label| text.rsplit('.').next() == Some(**label)) {
            return Err(("trigger", format!("{label} is no policy on a name")));
        }
        let name = name(text)?;
        let what = Listed::Mask(match below_it {
            true => below(&name),
            false => Mask::host(&Host::Domain(name), None),
        });
        let is_exempt = data == "rpz-passthru." || data.trim_end_matches('.') == trigger;
        match (record_type, data) {
            ("CNAME", "") => Err(("columns", "a CNAME has a target".to_owned())),
            ("CNAME", _) if is_exempt => Ok(Some(Fact::Benign(exception(what)))),
            ("CNAME", "rpz-tcp-only.") => Err(("action", "rpz-tcp-only blocks nothing".to_owned())),
            ("CNAME" | "A" | "AAAA", _) => {
                if self.listed == trigger {
                    return Ok(None);
                }
                self.listed = trigger;
                let mut listing = listing(what);
                let comment: String = comment.trim().chars().take(COMMENT_CHARS).collect();
                listing.reference = Some(comment).filter(|comment| !comment.is_empty());
                Ok(Some(Fact::Listing(listing)))
            }
            _ => Err(("action", format!("a {} record blocks nothing", shown(record_type)))),
        }
    }

    /// The owner without the zone's own name.
    fn trigger(&self) -> Result<String, Fault> {
        let owner = self.owner.to_ascii_lowercase();
        let Some(apex) = self.apex.as_ref().map(|apex| apex.to_ascii_lowercase()) else { return Ok(owner) };
        match owner.strip_suffix(&apex).and_then(|rest| rest.strip_suffix('.')) {
            Some(trigger) => Ok(trigger.to_owned()),
            // The file has no origin: what has no dot at its end is relative.
            None if self.origin.is_none() => Ok(owner),
            None => Err(("owner", format!("{} is not in the zone {apex}", shown(&owner)))),
        }
    }
}

fn is_ttl_or_class(word: &str) -> bool {
    let is_class = ["IN", "CH", "HS"].iter().any(|class| word.eq_ignore_ascii_case(class));
    is_class || word.starts_with(|first: char| first.is_ascii_digit())
}
