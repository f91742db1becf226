//! Pictures of a report: what its tables say, as drawings made on the server.
//!
//! ```text
//! dossier ─► gather ─► a small value of dates, counts and names ─► Picture: a drawing, a sentence, a table
//! ```
//!
//! A picture is a pure function of such a value. It says its finding in words, and has its data as a table besides:
//! nobody needs to see it. Where there is nothing to draw there is no picture.

use askama::Template;
use askama::filters::HtmlSafe;

use super::cell::Cell;
use super::thousands;
use crate::export::tree::shown;
use crate::sections::About;
use crate::store::StoreError;
use crate::value::Timestamp;
use drawing::Drawing;

mod axis;
mod bars;
mod countries;
mod drawing;
mod gather;
mod history;
mod hits;
mod hosting;
mod lanes;
mod listings;
pub mod timeline;

#[cfg(test)]
mod tests;

/// A picture.
#[derive(Clone, Debug, Template)]
#[template(path = "picture/picture.html")]
pub struct Picture {
    /// The drawing, with its title.
    drawing: Drawing,
    /// What it finds, in a sentence or two.
    caption: String,
    /// The headings of its data.
    columns: &'static [&'static str],
    /// Its data.
    rows: Vec<Vec<Cell>>,
}

// A template escapes what it is made of.
impl HtmlSafe for Picture {}

/// What gathers the pictures of a section.
type Gather = fn(&About<'_>) -> Result<Vec<Picture>, StoreError>;

/// The sections that have pictures.
const PICTURES: &[(&str, Gather)] = &[
    ("Verdict", gather::listings),
    ("DomainDnsResolutions", gather::addresses),
    ("IpDnsResolutions", gather::names),
    ("hostPhishingInfo", gather::countries),
    ("IPPhishingInfo", gather::countries),
    ("UrlGeneralInfo", gather::requests),
    ("FileGeneralInfo", gather::file_hits),
];

/// The pictures of the sections of a report, by the section's name. `sections` are those wanted; `None`: all.
///
/// # Errors
///
/// Damage in the store.
pub fn of(
    about: &About<'_>,
    sections: Option<&[String]>,
) -> Result<Vec<(&'static str, Vec<Picture>)>, StoreError> {
    if matches!(about, About::Address(dossier) if dossier.is_reserved()) {
        return Ok(Vec::new());
    }
    let is_wanted = |name: &str| sections.is_none_or(|sections| sections.iter().any(|one| one == name));
    let wanted = PICTURES.iter().filter(|(name, _)| is_wanted(name));
    wanted.map(|(name, gather)| Ok((*name, gather(about)?))).collect()
}

impl Picture {
    /// A picture; the caption may hold strings of others.
    fn new(
        drawing: Drawing,
        caption: &str,
        columns: &'static [&'static str],
        rows: Vec<Vec<Cell>>,
    ) -> Picture {
        Picture { drawing, caption: shown(caption), columns, rows }
    }
}

/// A text of others as a table has it.
fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Nothing } else { Cell::Text(shown(text)) }
}

/// A day as a table has it.
fn day(at: Timestamp) -> Cell {
    Cell::time(&at.date())
}

/// `1 address`, `2 addresses`.
fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { more })
}
