//! JSON with its members in the order in which they stand, for showing it to a person.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::indicator::disturbs;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Nothing.
    Null,
    /// A number or truth value, as text.
    Plain(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// An object's members.
    Record(Vec<(String, Tree)>),
}

impl Tree {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        match self {
            Tree::Null => true,
            Tree::Plain(_) => false,
            Tree::Text(text) => text.is_empty(),
            Tree::List(list) => list.iter().all(Tree::is_empty),
            Tree::Record(members) => members.iter().all(|(_, value)| value.is_empty()),
        }
    }

    /// Whether all in it is empty, zero or no.
    pub fn says_nothing(&self) -> bool {
        match self {
            Tree::Plain(text) => text == "0" || text == "no",
            Tree::List(list) => list.iter().all(Tree::says_nothing),
            Tree::Record(members) => members.iter().all(|(_, value)| value.says_nothing()),
            other => other.is_empty(),
        }
    }

    /// Whether it is shown in one line.
    pub fn is_flat(&self) -> bool {
        match self {
            Tree::Null | Tree::Plain(_) | Tree::Text(_) => true,
            Tree::List(list) => list.iter().all(|item| !matches!(item, Tree::List(_) | Tree::Record(_))),
            Tree::Record(_) => false,
        }
    }

    /// It in one line, texts as `show` shows them.
    pub fn line(&self, show: fn(&str) -> String) -> String {
        match self {
            Tree::Null => "–".to_owned(),
            Tree::Plain(text) | Tree::Text(text) => show(text),
            Tree::List(list) => list.iter().map(|item| item.line(show)).collect::<Vec<_>>().join(", "),
            Tree::Record(members) => {
                let said = members.iter().filter(|(_, value)| !value.is_empty());
                said.map(|(name, value)| format!("{name} {}", value.line(show))).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// The members, where it is an object.
    pub fn members(&self) -> &[(String, Tree)] {
        match self {
            Tree::Record(members) => members,
            _ => &[],
        }
    }

    /// A member.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        self.members().iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// The names of all members of rows for which `keep` says yes, in the order in which they first stand.
pub fn columns(rows: &[Tree], keep: fn(&Tree) -> bool) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in rows.iter().flat_map(Tree::members) {
        if keep(value) && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// Text of others as it may be shown: without control characters, marks that turn text round, and what is not seen.
pub fn shown(text: &str) -> String {
    text.chars().map(|character| if disturbs(character) { '\u{fffd}' } else { character }).collect()
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Plain(if value { "yes" } else { "no" }.to_owned()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut record = Vec::new();
        while let Some(member) = members.next_entry()? {
            record.push(member);
        }
        Ok(Tree::Record(record))
    }
}
