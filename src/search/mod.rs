//! Search over everything known: names, addresses, networks, registrants, files, reports, certificates, and what a source
//! lists.
//!
//! A question comes down to legs: parts of the key space that are walked one after the other, in the order of keys. A
//! page ends where it is full, or where so much was read that the next request should go on; its cursor is the last key.

use serde::Serialize;

use crate::lookup::{Context, LookupError};
use crate::store::View;
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::Judge;

mod cursor;
mod found;
mod legs;
mod query;

use cursor::Position;
use found::Finder;
pub use query::{PREFIXES, Query, Text};

/// The most results of a page.
pub const LIMIT_MAX: usize = 1_000;

/// How many there are where the question does not say.
pub const LIMIT: usize = 100;

/// About the most rows that are read for a page in each part of the store.
const ROWS_MAX: usize = 500_000;

/// The most candidates that are looked at for a page.
const LOOKED_AT_MAX: usize = 20_000;

/// A page of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    /// What was asked.
    pub query: String,
    /// The moment.
    pub at: Timestamp,
    /// In the order of keys: names by their labels from the right, addresses and networks by number, reports by id.
    pub results: Vec<Found>,
    /// For the next page; `None`: this is the last one. A page that is not full can have one: then more was read than
    /// one request should.
    pub cursor: Option<String>,
    /// Something was not looked at, because there is too much of it.
    pub truncated: bool,
    /// What, and the bound.
    pub left_out: Vec<String>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// `domain`, `ip`, `url`, `hash`, `network`, `mask` or `report`.
    pub kind: &'static str,
    /// What it is; of a report its id. Private data is taken out of web addresses.
    pub indicator: String,
    /// The title of a report.
    pub title: Option<String>,
    /// Its zone; a report has none, nor has a network that no source lists now.
    pub zone: Option<Zone>,
    /// Its score; networks, masks and reports have none.
    pub score: Option<ThreatScore>,
    /// Why it was found.
    pub why: String,
    /// When what is found was first seen; of what was found by a registration or a file's name, when that was first said.
    pub first_seen: Option<Timestamp>,
    /// When last.
    pub last_seen: Option<Timestamp>,
}

/// One page of what fits a question.
///
/// # Errors
///
/// [`LookupError::BadRequest`] where nothing can be searched for by the text, or the cursor is none of it;
/// [`LookupError::Store`] where the store cannot answer.
pub fn search(
    context: &Context<'_>,
    typed: &str,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page, LookupError> {
    let query = Query::parse(typed).map_err(LookupError::BadRequest)?;
    let view = context.snapshot()?.view(None);
    let (typed, seed) = (typed.trim(), view.snapshot().manifest.seed);
    let position = cursor.map(|cursor| {
        Position::read(cursor, typed, seed).ok_or_else(|| {
            LookupError::BadRequest(
                "cursor is none of this question: use that of the page before, or leave it out for the first"
                    .to_owned(),
            )
        })
    });
    let judge = Judge::new(&view, context.policy, context.now);
    let (legs, left_out) = legs::of(&view, &query)?;
    let mut walk = Paging {
        view: &view,
        finder: Finder::new(&judge),
        position: position.transpose()?,
        results: Vec::new(),
        wanted: limit.clamp(1, LIMIT_MAX),
        rows: ROWS_MAX,
        looked_at: 0,
        next: None,
    };
    for leg in &legs {
        leg.walk(&mut walk)?;
        if walk.next.is_some() {
            break;
        }
    }
    Ok(Page {
        query: typed.to_owned(),
        at: context.now,
        cursor: walk.next.map(|next| next.cursor(typed, seed)),
        results: walk.results.into_iter().map(|(_, found)| found).collect(),
        truncated: !left_out.is_empty(),
        left_out,
    })
}

/// A page being filled.
struct Paging<'a> {
    view: &'a View,
    finder: Finder<'a>,
    /// Where the page begins.
    position: Option<Position>,
    /// With their keys.
    results: Vec<(Vec<u8>, Found)>,
    wanted: usize,
    /// Rows that may still be read.
    rows: usize,
    /// Candidates that were looked at.
    looked_at: usize,
    /// Where the next page begins, once this one is full.
    next: Option<Position>,
}

impl Paging<'_> {
    /// Whether a key belongs to this page or a later one.
    fn is_to_come(&self, key: &[u8]) -> bool {
        self.position.as_ref().is_none_or(|position| position.is_before(key))
    }

    /// Takes what a candidate is, where it is something; says whether more are wanted.
    fn take(&mut self, key: &[u8], found: Option<Found>) -> bool {
        self.looked_at += 1;
        if let Some(found) = found {
            if self.results.len() == self.wanted {
                let last = self.results.last().map(|(key, _)| key.clone()).unwrap_or_default();
                self.next = Some(Position::After(last));
                return false;
            }
            self.results.push((key.to_vec(), found));
        }
        if self.looked_at >= LOOKED_AT_MAX {
            self.next = Some(Position::After(key.to_vec()));
        }
        self.next.is_none()
    }
}
