//! A report for a person: a headline, then each section that says something.

use std::io::{self, Write};

use clap::builder::styling::{Ansi256Color, AnsiColor, Color, Style};

use super::table::{self, Cell, FAINT, HEADING};
use crate::export::tree::{Tree, columns};
use crate::lookup::{Answer, Report};
use crate::value::Zone;

/// The widest cell; what is longer is cut.
const CELL_CHARS_MAX: usize = 60;

/// Sections whose content the headline shows, or that only programs want.
const LEFT_OUT: &[&str] = &["LicenseInfo", "Zone"];

/// Writes a report; of each table at most `rows_max` rows.
pub(super) fn write(report: &Report, rows_max: usize, out: &mut dyn Write) -> io::Result<()> {
    let style = zone_style(report.zone).bold();
    let (zone, word) = (report.zone, report.zone.word_of(report.kind));
    let subject = super::shown(&report.subject);
    writeln!(
        out,
        "{HEADING}{subject}{HEADING:#}  {style}{zone}: {word}{style:#}  score {} of 100",
        report.score.0
    )?;
    let mut empty = Vec::new();
    for answer in report.sections.iter().filter(|answer| !LEFT_OUT.contains(&answer.name)) {
        let body: Tree = serde_json::from_str(answer.body.get())?;
        if body.says_nothing() {
            empty.push(answer.title);
        } else {
            write_section(answer, &body, rows_max, out)?;
        }
    }
    if !empty.is_empty() {
        writeln!(out, "\n{FAINT}Nothing in: {}{FAINT:#}", empty.join("; "))?;
    }
    Ok(())
}

fn write_section(answer: &Answer, body: &Tree, rows_max: usize, out: &mut dyn Write) -> io::Result<()> {
    let title = if answer.title.is_empty() { answer.name } else { answer.title };
    writeln!(out, "\n{HEADING}{title}{HEADING:#}")?;
    match body {
        Tree::Record(members) => write_record(members, 2, rows_max, out),
        Tree::List(rows) if !body.is_flat() => write_rows(rows, 2, rows_max, out),
        other => writeln!(out, "  {}", other.line(super::shown)),
    }
}

/// Members that fit into a line first, aligned; then the others, each under its name.
fn write_record(
    members: &[(String, Tree)],
    indent: usize,
    rows_max: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let said = || members.iter().filter(|(_, value)| !value.is_empty());
    let width = said().filter(|(_, value)| value.is_flat()).map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in said().filter(|(_, value)| value.is_flat()) {
        let style = style_of(name, value);
        writeln!(
            out,
            "{:indent$}{FAINT}{name:width$}{FAINT:#}  {style}{}{style:#}",
            "",
            value.line(super::shown)
        )?;
    }
    for (name, value) in said().filter(|(_, value)| !value.is_flat()) {
        writeln!(out, "{:indent$}{FAINT}{name}{FAINT:#}", "")?;
        match value {
            Tree::Record(members) => write_record(members, indent + 2, rows_max, out)?,
            Tree::List(rows) => write_rows(rows, indent + 2, rows_max, out)?,
            _ => {}
        }
    }
    Ok(())
}

/// A table of records; columns in which no row says anything are left out.
fn write_rows(rows: &[Tree], indent: usize, rows_max: usize, out: &mut dyn Write) -> io::Result<()> {
    let shown = &rows[..rows.len().min(rows_max)];
    let heads = columns(shown, |value| !value.is_empty());
    let cell = |row: &Tree, head: &str| {
        let Some(value) = row.member(head) else { return Cell::default() };
        let cell = match value {
            Tree::Plain(text) if text.parse::<f64>().is_ok() => Cell::right(text),
            other => Cell::text(cut(&other.line(super::shown))),
        };
        cell.styled(style_of(head, value))
    };
    let cells: Vec<Vec<Cell>> =
        shown.iter().map(|row| heads.iter().map(|head| cell(row, head)).collect()).collect();
    table::write(out, indent, &heads, &cells)?;
    if rows.len() > shown.len() {
        let more = rows.len() - shown.len();
        writeln!(out, "{:indent$}{FAINT}… and {more} more: --count shows them{FAINT:#}", "")?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some(_) => text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// Zones have their colour wherever they stand.
fn style_of(name: &str, value: &Tree) -> Style {
    match value {
        Tree::Text(text) if name.eq_ignore_ascii_case("zone") => {
            text.parse().map_or_else(|_| Style::new(), zone_style)
        }
        Tree::Null => FAINT,
        _ => Style::new(),
    }
}

/// The colour of a zone.
pub(super) fn zone_style(zone: Zone) -> Style {
    let colour = match zone {
        Zone::Red => Color::Ansi(AnsiColor::Red),
        Zone::Orange => Color::Ansi256(Ansi256Color(208)),
        Zone::Yellow => Color::Ansi(AnsiColor::Yellow),
        Zone::Grey => Color::Ansi(AnsiColor::BrightBlack),
        Zone::Green => Color::Ansi(AnsiColor::Green),
    };
    Style::new().fg_color(Some(colour))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::indicator::Kind;
    use crate::value::ThreatScore;

    #[test]
    fn a_report_reads_well_without_colour() {
        let answer = |name, title, body: &str| Answer {
            name,
            title,
            body: RawValue::from_string(body.to_owned()).unwrap(),
            counts: None,
        };
        let report = Report {
            kind: Kind::Domain,
            subject: "a.example".to_owned(),
            zone: Zone::Red,
            score: ThreatScore(83),
            sections: vec![
                answer("Zone", "Zone", "\"Red\""),
                answer(
                    "DomainGeneralInfo",
                    "Overview",
                    r#"{"HitsCount":3,"Popularity":null,"HasApt":false}"#,
                ),
                answer(
                    "Rows",
                    "Rows",
                    "[{\"Zone\":\"Red\",\"Url\":\"a\\u001b[31m\",\"Hits\":12},\
                      {\"Zone\":\"Grey\",\"Url\":\"bcd\",\"Hits\":1},{\"Zone\":\"Grey\",\"Url\":\"e\",\"Hits\":1}]",
                ),
                answer("FeedMasks", "URL masks", "[]"),
            ],
        };
        let mut out = Vec::new();
        write(&report, 2, &mut out).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert_eq!(
            text,
            "a.example  Red: Dangerous  score 83 of 100\n\nOverview\n  HitsCount  3\n  HasApt     no\n\n\
             Rows\n  Zone  Url     Hits\n  Red   a\u{fffd}[31m    12\n  Grey  bcd        1\n  … and 1 more: --count shows them\n\n\
             Nothing in: URL masks\n"
        );
    }
}

/// A line of the answers to many values.
#[derive(serde::Deserialize)]
struct Row {
    value: String,
    error: Option<String>,
    #[serde(default)]
    zone: Zone,
    #[serde(default)]
    threat_score: u64,
    #[serde(default)]
    categories: Vec<String>,
}

/// Writes the answers to many values as a table, from their lines of JSON.
pub(super) fn many(lines: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row: Row = serde_json::from_slice(line)?;
        let value = Cell::text(super::shown(&row.value));
        rows.push(match row.error {
            Some(error) => vec![
                Cell::text("–").styled(FAINT),
                Cell::right(""),
                value,
                Cell::text(super::shown(&error)).styled(FAINT),
            ],
            None => vec![
                Cell::text(row.zone.name()).styled(zone_style(row.zone)),
                Cell::number(row.threat_score),
                value,
                Cell::text(row.categories.join(", ")),
            ],
        });
    }
    if rows.is_empty() {
        return writeln!(out, "no indicator was found");
    }
    table::write(out, 0, &["zone", "score", "indicator", "categories"], &rows)
}
