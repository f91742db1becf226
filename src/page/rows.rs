//! A page that is a table, with what can be done above it.

use askama::Template;
use serde::Serialize;

use super::Frame;
use super::cell::{Cell, heading};
use super::grid::{At, Grid, Wanted};
use crate::export::tree::Tree;
use crate::store::StoreError;

/// The page.
#[derive(Default, Template)]
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
    /// Values with names, before the tables.
    pub facts: Vec<(String, Cell)>,
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

/// What a value that serialises says: its values with their names, and a table of each list of records. Which of
/// these the address wants how, `view` says: the name of the list, and how.
pub fn parts_of(
    record: &Tree,
    view: (&str, &Wanted),
    path: &str,
    keep: &[(&'static str, String)],
) -> (Vec<(String, Cell)>, Vec<(String, Grid)>) {
    let (mut facts, mut tables) = (Vec::new(), Vec::new());
    for (name, value) in record.members() {
        match value {
            _ if value.is_empty() => {}
            Tree::Record(_) => {
                let (inner, more) = parts_of(value, view, path, keep);
                facts.extend(inner);
                tables.extend(more);
            }
            Tree::List(rows) if rows.iter().all(|row| matches!(row, Tree::Record(_))) => {
                let wanted = if view.0 == name { view.1.clone() } else { Wanted::default() };
                let keep = keep.iter().cloned().chain([("section", name.clone())]).collect();
                let at = At { path: path.to_owned(), keep, id: name.clone() };
                tables.push((heading(name), Grid::new(rows, &wanted, &at, None)));
            }
            value => facts.push((heading(name), Cell::of(name, value))),
        }
    }
    (facts, tables)
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
