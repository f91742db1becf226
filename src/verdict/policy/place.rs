//! Where in the text of a policy something stands, so that a problem can name its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a policy, and at which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead there, the outermost first; a row of a list is its position from 0.
    pub path: Vec<String>,
    /// What is wrong and what would be right.
    pub text: String,
}

impl Problem {
    /// A problem at a key.
    pub fn new(path: &[&str], text: impl Into<String>) -> Problem {
        Problem { path: path.iter().map(|key| (*key).to_owned()).collect(), text: text.into() }
    }

    /// `line 12, categories.MALWARE.weight: …`, of the text that it was found in.
    pub fn located(&self, text: &str) -> String {
        let line = line_of(text, &self.path).map_or(String::new(), |line| format!("line {line}, "));
        format!("{line}{}: {}", self.path.join("."), self.text)
    }
}

/// What the TOML reader says, with line and key.
pub fn located(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim_end().replace('\n', ", ");
    let Some(span) = error.span() else { return message };
    let line = line_at(text, span.start);
    // A text that is no TOML at all has no keys to name.
    let path = DeTable::parse(text).map_or(Vec::new(), |table| path_to(table.get_ref(), &span));
    let key = if path.is_empty() { String::new() } else { format!(", {}", path.join(".")) };
    format!("line {line}{key}: {message}")
}

/// The line, from 1, of the deepest key of a path that stands in the text.
pub fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let (key, mut value) = table.get_ref().iter().find(|(key, _)| key.get_ref() == first)?;
    let mut at = key.span().start;
    for wanted in rest {
        let next = match value.get_ref() {
            DeValue::Table(table) => {
                let entry = table.iter().find(|(key, _)| key.get_ref() == wanted);
                entry.map(|(key, value)| (key.span().start, value))
            }
            DeValue::Array(rows) => {
                wanted.parse().ok().and_then(|row: usize| Some((rows.get(row)?.span().start, rows.get(row)?)))
            }
            _ => None,
        };
        let Some((start, inner)) = next else { break };
        (at, value) = (start, inner);
    }
    Some(line_at(text, at))
}

/// The keys that lead to the innermost value, or to the key, that holds a span.
fn path_to(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    let holds = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table {
        let inner = below(value, span);
        if holds(&key.span()) || holds(&value.span()) || !inner.is_empty() {
            let mut path = vec![key.get_ref().to_string()];
            path.extend(inner);
            return path;
        }
    }
    Vec::new()
}

fn below(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Vec<String> {
    match value.get_ref() {
        DeValue::Table(table) => path_to(table, span),
        DeValue::Array(rows) => {
            rows.iter().map(|row| below(row, span)).find(|path| !path.is_empty()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
