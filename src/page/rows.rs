//! A page that is a table, with what can be done above it.

use askama::Template;
use serde::Serialize;

use super::Frame;
use super::cell::{Cell, heading};
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

/// Values with their names, and lists of records with theirs.
pub type Parts = (Vec<(String, Cell)>, Vec<(String, Vec<Tree>)>);

/// What a record says: its values, and those of records in it, with their names; and its lists of records.
pub fn parts_of(record: Tree) -> Parts {
    let (mut values, mut lists) = (Vec::new(), Vec::new());
    let Tree::Record(members) = record else { return (values, lists) };
    for (name, value) in members {
        match value {
            value if value.is_empty() => {}
            Tree::Record(_) => {
                let (inner, more) = parts_of(value);
                values.extend(inner);
                lists.extend(more);
            }
            Tree::List(rows) if rows.iter().all(|row| matches!(row, Tree::Record(_))) => {
                lists.push((name, rows));
            }
            value => values.push((heading(&name), Cell::of(&name, &value))),
        }
    }
    (values, lists)
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

/// Rows of some of their members, by the name that each has and the one that its column gets. Columns in which no row
/// says anything are left out.
pub fn chosen(rows: &[Tree], columns: &[(&str, &str)]) -> Vec<Tree> {
    let says = |name: &str| rows.iter().any(|row| row.member(name).is_some_and(|value| !value.is_empty()));
    let columns: Vec<_> = columns.iter().filter(|(name, _)| says(name)).collect();
    let value = |row: &Tree, name: &str| row.member(name).cloned().unwrap_or(Tree::Null);
    let members =
        |row: &Tree| columns.iter().map(|(from, to)| ((*to).to_owned(), value(row, from))).collect();
    rows.iter().map(|row| Tree::Record(members(row))).collect()
}

/// The page of one thing: what it is, what can be done to it, what belongs to it.
#[derive(Default, Template)]
#[template(path = "detail.html")]
pub struct DetailPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Its heading.
    pub title: String,
    /// What it shows, in a sentence or two; empty: the heading says it.
    pub about: String,
    /// What was just done; empty: nothing.
    pub done: &'static str,
    /// What it is, by name.
    pub record: Vec<(String, Cell)>,
    /// What can be done.
    pub forms: Vec<Form>,
    /// Tables with their headings.
    pub tables: Vec<(String, Grid)>,
    /// Where there is more, by name and path.
    pub links: Vec<(&'static str, String)>,
}

/// What there is to say of a value that serialises, by name, without the members that are left out.
///
/// # Errors
///
/// As [`rows_of`].
pub fn record_of(value: &impl Serialize, left_out: &[&str]) -> Result<Vec<(String, Cell)>, StoreError> {
    let rows = rows_of(value)?;
    let members = rows.iter().flat_map(Tree::members);
    let said = members.filter(|(name, value)| !value.is_empty() && !left_out.contains(&name.as_str()));
    Ok(said.map(|(name, value)| (heading(name), Cell::of(name, value))).collect())
}
