//! A page that is a table, with what can be done above it.

use askama::Template;
use serde::Serialize;

use super::Frame;
use super::grid::{At, Grid, Wanted};
use crate::export::tree::Tree;
use crate::store::StoreError;

/// The page.
#[derive(Template)]
#[template(path = "rows.html")]
pub struct RowsPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Its heading.
    pub title: String,
    /// What it shows, in a sentence or two; empty: the heading says it.
    pub about: String,
    /// What was just done; empty: nothing.
    pub done: &'static str,
    /// What can be done.
    pub forms: Vec<Form>,
    /// The tables, each with its heading; empty for one that needs none besides the page's.
    pub tables: Vec<(String, Grid)>,
    /// The same for programs, by name and path.
    pub exports: Vec<(&'static str, String)>,
}

/// A form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its heading.
    pub title: &'static str,
    /// Where it is sent; with GET where it changes nothing.
    pub action: String,
    /// Whether it changes something: sent with POST and the session's own token.
    pub is_change: bool,
    /// What is filled in.
    pub fields: Vec<Field>,
    /// The word on its button.
    pub button: &'static str,
}

/// Something that is filled in.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is, for people.
    pub label: &'static str,
    /// `text`, `password`, `date`, `number`, `hidden`, `select`, `area` or `checkbox`.
    pub kind: &'static str,
    /// What stands in it.
    pub value: String,
    /// What there is to choose from, value and word.
    pub choices: Vec<(String, String)>,
    /// Whether it has to be filled in.
    pub is_needed: bool,
}

/// The rows of a list that serialises.
///
/// # Errors
///
/// A value that is no list of objects, which is a fault of whoever calls this.
pub fn rows_of(list: &impl Serialize) -> Result<Vec<Tree>, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Io(error.into());
    let json = serde_json::to_string(list).map_err(unreadable)?;
    match serde_json::from_str(&json).map_err(unreadable)? {
        Tree::List(rows) => Ok(rows),
        other => Ok(vec![other]),
    }
}

/// A table of a list that serialises, as the address of its page wants it.
///
/// # Errors
///
/// As [`rows_of`].
pub fn grid_of(list: &impl Serialize, wanted: &Wanted, path: &str) -> Result<Grid, StoreError> {
    let at = At { path: path.to_owned(), keep: Vec::new(), id: "rows".to_owned() };
    Ok(Grid::new(&rows_of(list)?, wanted, &at, None))
}
