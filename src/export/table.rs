//! A section as a table: CSV as RFC 4180 has it, a heading, no cell a formula.

use super::tree::{Tree, columns, shown};
use super::unreadable;
use crate::bulk::defused;
use crate::store::StoreError;

/// The column of a section that is no object and no list of objects.
const VALUE: &str = "Value";

/// The table of a section's JSON body: a row each of its rows, one row of an object, else one column.
pub(super) fn table(body: &str) -> Result<Vec<u8>, StoreError> {
    let rows = match serde_json::from_str(body).map_err(unreadable)? {
        Tree::List(rows) => rows,
        Tree::Null => Vec::new(),
        other => vec![other],
    };
    let mut names = columns(&rows, |_| true);
    if names.is_empty() {
        names.push(VALUE);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = |error: csv::Error| StoreError::Io(error.into());
    writer.write_record(&names).map_err(written)?;
    for row in &rows {
        let of = |name: &&str| match row {
            Tree::Record(_) => row.member(name),
            other => Some(other),
        };
        writer.write_record(names.iter().map(|name| cell(of(name)))).map_err(written)?;
    }
    writer.into_inner().map_err(|error| StoreError::Io(error.into_error()))
}

fn cell(value: Option<&Tree>) -> String {
    match value {
        None | Some(Tree::Null) => String::new(),
        // A number below zero is no formula.
        Some(Tree::Plain(text)) => text.clone(),
        Some(other) => defused(&other.line(shown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(body: &str) -> String {
        String::from_utf8(table(body).unwrap()).unwrap()
    }

    #[test]
    fn sections_of_every_shape_are_tables() {
        for (body, expected) in [
            (
                r#"[{"Zone":"Red","Url":"a,b"},{"Zone":"Grey","Hits":3}]"#,
                "Zone,Url,Hits\nRed,\"a,b\",\nGrey,,3\n",
            ),
            (
                r#"{"Domain":"=1+1","Names":["@a","b"],"Net":{"Name":null,"Size":-1},"N":-1}"#,
                "Domain,Names,Net,N\n'=1+1,\"'@a, b\",Size -1,-1\n",
            ),
            (r#""Red""#, "Value\nRed\n"),
            (r#"["=a","b\u001b"]"#, "Value\n'=a\nb\u{fffd}\n"),
            ("[]", "Value\n"),
            ("null", "Value\n"),
        ] {
            assert_eq!(made(body), expected, "{body}");
        }
    }
}
