//! The page of many indicators: a pasted list, an e-mail, a log; a row each.

use askama::Template;

use super::Frame;
use super::grid::Grid;

/// The page.
#[derive(Template)]
#[template(path = "bulk.html")]
pub struct BulkPage {
    /// What surrounds it.
    pub frame: Frame,
    /// What was pasted, as it is sent again for another order or page.
    pub text: String,
    /// How many indicators were found in it.
    pub count: String,
    /// How many are of each zone, the worst first.
    pub zones: Vec<(super::Badge, String)>,
    /// The rows.
    pub grid: Grid,
    /// The column that they are sorted by, as asked for.
    pub sort: String,
    /// What is wrong with what was pasted; empty: nothing.
    pub problem: String,
}
