//! The door: what every fact must hold before it is kept, and what is kept of records that do not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use utoipa::ToSchema;

use crate::fact::{Fact, Listed, Seen};
use crate::feeds::{REJECTED_TEXT_MAX, Rejected};
use crate::source::quarantine::SAMPLE;
use crate::value::{Category, DAY_S, Timestamp};

/// How far ahead of the clock an observation may be: clocks of sensors go wrong.
const AHEAD_S: i64 = 2 * DAY_S;

/// How many records of a reason are shown.
const EXAMPLES: usize = 3;

/// What every fact must hold, and what the source means where its feed does not say.
pub struct Door {
    /// The clock's now.
    pub now: Timestamp,
    /// The category of a listing without one.
    pub category: Category,
    /// The confidence of a listing without one.
    pub confidence: Option<u8>,
}

impl Door {
    /// Whether a moment can be one of observation.
    pub fn admits(&self, observed: Timestamp) -> bool {
        (Timestamp::OBSERVED_MIN.0..=self.now.0 + AHEAD_S).contains(&observed.0)
    }

    /// Why a fact is refused: the reason in a word, and the detail.
    pub fn refuses(&self, fact: &Fact) -> Option<(&'static str, String)> {
        if let Some(wrong) = fact.observed().into_iter().flatten().find(|at| !self.admits(*at)) {
            let detail = format!("observed at {wrong}: not between 1990 and 48 hours from now");
            return Some(("date", detail));
        }
        let allowed = Timestamp::RECORD_MIN..=Timestamp::RECORD_MAX;
        if let Some(wrong) = fact.record_dates().into_iter().flatten().find(|at| !allowed.contains(at)) {
            return Some(("date", format!("{wrong}: not between 1970 and 9999")));
        }
        if let Fact::Pin(pin) = fact {
            return pin.problem().map(|detail| ("pin", detail));
        }
        let seen = seen(fact)?;
        if seen.last < seen.first {
            return Some(("date", format!("last seen {} before first seen {}", seen.last, seen.first)));
        }
        (seen.hits == 0).then(|| ("count", "observed no time at all".to_owned()))
    }

    /// Fills in what the source means where its feed does not say.
    pub fn complete(&self, fact: &mut Fact) {
        if let Fact::Listing(listing) = fact {
            listing.category.get_or_insert(self.category);
            listing.confidence = listing.confidence.or(self.confidence);
            debug_assert!(!matches!(&listing.what, Listed::File { file } if file.is_empty()));
        }
    }
}

fn seen(fact: &Fact) -> Option<&Seen> {
    match fact {
        Fact::Resolution(fact) => Some(&fact.seen),
        Fact::WebRequest(fact) => Some(&fact.seen),
        Fact::Download(fact) => Some(&fact.seen),
        Fact::Access(fact) => Some(&fact.seen),
        Fact::SpamReport(fact) => Some(&fact.seen),
        Fact::PhishingReport(fact) => Some(&fact.seen),
        Fact::Certificate(fact) => Some(&fact.seen),
        Fact::Contact(fact) => Some(&fact.seen),
        _ => None,
    }
}

/// The refused fact as a rejected record: its text is its native form.
pub fn rejected(file: &str, line: u64, fact: &Fact, reason: &'static str, detail: String) -> Rejected {
    let text = serde_json::to_vec(fact).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..text.len().min(REJECTED_TEXT_MAX)]).into_owned();
    Rejected { file: file.to_owned(), line, reason, detail, text }
}

//------------ Rejects -------------------------------------------------------

/// Rejected records of one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RejectedReason)]
pub struct Reason {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Rejected>,
}

/// Counts rejected records, and writes all of them to a file on demand.
#[derive(Default)]
pub struct Rejects {
    /// By reason.
    pub by_reason: BTreeMap<&'static str, Reason>,
    /// How many in all.
    pub count: u64,
    /// The first [`SAMPLE`] of each reason.
    pub sample: Vec<Rejected>,
    file: Option<(PathBuf, BufWriter<File>)>,
}

impl Rejects {
    /// Writes to a file too, where one is named.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn to_file(path: Option<&Path>) -> io::Result<Rejects> {
        let open = |path: &Path| {
            File::create(path)
                .map(|file| (path.to_owned(), BufWriter::new(file)))
                .map_err(|error| named(path, &error))
        };
        Ok(Rejects { file: path.map(open).transpose()?, ..Rejects::default() })
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn push(&mut self, rejected: Rejected) -> io::Result<()> {
        self.count += 1;
        if let Some((path, file)) = &mut self.file {
            serde_json::to_writer(&mut *file, &rejected)
                .map_err(io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| named(path, &error))?;
        }
        let reason = self.by_reason.entry(rejected.reason).or_default();
        reason.count += 1;
        if reason.examples.len() < EXAMPLES {
            reason.examples.push(rejected.clone());
        }
        if reason.count <= SAMPLE as u64 {
            self.sample.push(rejected);
        }
        Ok(())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.flush().map_err(|error| named(path, &error))
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        let now = Timestamp::parse("2024-05-28T07:03Z").unwrap();
        Door { now, category: Category::MALWARE, confidence: Some(70) }
    }

    fn fact(json: &str) -> Fact {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn impossible_dates_and_counts_are_refused() {
        let resolution = |first: &str, last: &str, hits: u64| {
            fact(&format!(
                r#"{{"fact":"resolution","rrname":"a.example","rrtype":"A","rdata":{{"address":"192.0.2.1"}},
                "first":"{first}","last":"{last}","hits":{hits}}}"#
            ))
        };
        let reason = |fact: &Fact| door().refuses(fact).map(|(reason, _)| reason);
        assert_eq!(reason(&resolution("1990-01-01", "2024-05-30T07:03Z", 1)), None);
        assert_eq!(reason(&resolution("1989-12-31", "2024-05-30", 1)), Some("date"));
        assert_eq!(reason(&resolution("2024-05-28", "2024-05-30T07:04Z", 1)), Some("date"));
        assert_eq!(reason(&resolution("2024-05-28", "2024-05-27", 1)), Some("date"));
        assert_eq!(reason(&resolution("2024-05-28", "2024-05-28", 0)), Some("count"));
        let far = r#"{"fact":"registration","domain":"a.example","expires":"9999-12-31"}"#;
        assert_eq!(reason(&fact(far)), None);
    }

    #[test]
    fn reserved_addresses_and_orange_files_cannot_be_pinned() {
        let reason = |indicator: &str, zone: &str| {
            let json = format!(
                r#"{{"fact":"pin","indicator":"{indicator}","zone":"{zone}","reason":"r","by":"ann"}}"#
            );
            door().refuses(&fact(&json)).map(|(reason, _)| reason)
        };
        let file = "hash:44d88612fea8a8f36de82e1278abb02f";
        assert_eq!((reason("ip:10.0.0.1", "Red"), reason(file, "Orange")), (Some("pin"), Some("pin")));
        assert_eq!((reason("ip:192.31.196.1", "Red"), reason(file, "Yellow")), (None, None));
    }

    #[test]
    fn a_listing_gets_what_its_source_means() {
        let mut plain = fact(r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"a.example"}"#);
        door().complete(&mut plain);
        let Fact::Listing(listing) = plain else { unreachable!() };
        assert_eq!((listing.category, listing.confidence), (Some(Category::MALWARE), Some(70)));
    }
}
