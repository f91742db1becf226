//! The page that answers "nothing is known": what was asked, how fresh that is, and what is known nearby.

use askama::Template;

use super::cell::Cell;
use super::ours::Ours;
use super::{Badge, Frame, path_of, thousands};
use crate::export::defanged;
use crate::export::tree::shown;
use crate::indicator::{Indicator, Kind};
use crate::unknown::Asked;

/// The most sources that are named.
const SOURCES_SHOWN: usize = 20;

/// The page.
#[derive(Template)]
#[template(path = "unknown.html")]
pub struct UnknownPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The object, defanged.
    pub subject: String,
    /// The object as it is copied.
    pub value: String,
    /// Its kind.
    pub kind: Kind,
    /// The past moment; empty: now.
    pub as_of: String,
    /// The path of the report.
    pub path: String,
    /// How many sources were asked.
    pub sources_count: String,
    /// The newest, and how old each is.
    pub sources: Vec<(String, Cell, String)>,
    /// The registrable domain, whether it is known, and when it was registered.
    pub registrable: Option<(Cell, bool, Option<Cell>)>,
    /// Known names that look like it.
    pub lookalikes: Vec<(Badge, Cell)>,
    /// The sections that are ours alone.
    pub ours: Vec<Ours>,
    /// The line that asks the same.
    pub request: String,
}

impl UnknownPage {
    /// From what was asked.
    pub fn new(frame: Frame, asked: &Asked, as_of: &str, base: &str) -> UnknownPage {
        let path = path_of(asked.kind, &asked.indicator);
        let name = |name: &str| Cell::indicator(Indicator::parse_as(Kind::Domain, name).ok(), name);
        let sources = asked.sources.iter().take(SOURCES_SHOWN);
        UnknownPage {
            frame,
            subject: defanged(&shown(&asked.indicator)),
            value: shown(&asked.indicator),
            kind: asked.kind,
            as_of: as_of.to_owned(),
            sources_count: thousands(asked.sources_count as u64),
            sources: sources
                .map(|source| {
                    (shown(&source.name), Cell::time(&source.newest.to_string()), ago(source.age_hours))
                })
                .collect(),
            registrable: asked.registrable.as_ref().map(|nearby| {
                let registered = nearby.registered.map(|at| Cell::time(&at.date()));
                (name(&nearby.name), nearby.known, registered)
            }),
            lookalikes: asked.lookalikes.iter().map(|one| (Badge(one.zone), name(&one.name))).collect(),
            ours: Vec::new(),
            request: format!("curl -H \"authorization: Bearer $TOKEN\" '{base}/api{path}'"),
            path,
        }
    }
}

/// So many hours ago, as people say it.
fn ago(hours: i64) -> String {
    match hours {
        0 => "within the hour".to_owned(),
        1 => "1 hour ago".to_owned(),
        2..48 => format!("{hours} hours ago"),
        _ => format!("{} days ago", hours / 24),
    }
}
