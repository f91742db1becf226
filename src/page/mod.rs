//! What people see: pages made of reports and of values that serialise, by templates that escape by default.
//!
//! ```text
//! Report, any value that serialises ─► Tree ─► cells, grids ─► templates/*.html ─► HTML
//! ```
//!
//! A page knows no HTTP and reads no store. Every state of it is an address; no string of others becomes markup or a
//! link: what is an indicator is shown defanged and leads to the report on it.

use askama::filters::HtmlSafe;

use crate::export::tree::shown;
use crate::export::{defanged, without_links};
use crate::history::Change;
use crate::indicator::Kind;
use crate::value::Zone;

pub mod assets;
pub mod bulk;
pub mod cell;
pub mod graph;
pub mod grid;
pub mod ours;
pub mod picture;
pub mod report;
pub mod rows;
pub mod unknown;
pub mod why;

/// What surrounds each page.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// What stands in the box of the search.
    pub query: String,
    /// Who is signed in; `None` where nobody has to, or nobody is.
    pub user: Option<SignedIn>,
    /// The pages that this reader may open, by path and word.
    pub places: Vec<Place>,
    /// What a form that changes something has to send; empty where nobody signed in.
    pub csrf: String,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The name.
    pub name: String,
    /// The role.
    pub role: &'static str,
}

/// A page that the frame leads to.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its path.
    pub path: &'static str,
    /// Its word.
    pub word: &'static str,
    /// Whether it is the one that is shown.
    pub is_here: bool,
}

/// A zone as a badge: its word, and a symbol for who does not see colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge(pub Zone);

impl Badge {
    /// A symbol of the zone, of a shape of its own.
    pub fn symbol(self) -> &'static str {
        match self.0 {
            Zone::Red => "✕",
            Zone::Orange => "!",
            Zone::Yellow => "△",
            Zone::Grey => "?",
            Zone::Green => "✓",
        }
    }
}

impl std::fmt::Display for Badge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (zone, symbol) = (self.0, self.symbol());
        write!(
            f,
            "<span class=\"badge zone-{zone}\"><span aria-hidden=\"true\">{symbol}</span> {zone}</span>"
        )
    }
}

// Made of names of our own alone.
impl HtmlSafe for Badge {}

/// The path of the report on an object of a kind.
pub fn path_of(kind: Kind, object: &str) -> String {
    format!("/{kind}/{}", escaped(object))
}

/// A text as it may stand in a segment or a query of an address.
pub fn escaped(text: &str) -> percent_encoding::PercentEncode<'_> {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');
    utf8_percent_encode(text, KEPT)
}

/// What changed of a verdict, in words: the indicator that it names is defanged, and no link is left.
fn told(change: &Change) -> String {
    let words = shown(&change.text);
    let indicator = shown(change.indicator.as_deref().unwrap_or_default());
    if indicator.is_empty() {
        return without_links(&words);
    }
    words.split(&indicator).map(without_links).collect::<Vec<_>>().join(&defanged(&indicator))
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    crate::value::grouped(number, '\u{202f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_paths() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(path_of(Kind::Domain, "a.example"), "/domain/a.example");
        assert_eq!(path_of(Kind::Url, "a.example/x?y=1&z=<"), "/url/a.example%2Fx%3Fy%3D1%26z%3D%3C");
    }
}
