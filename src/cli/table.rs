//! Plain tables: columns aligned, a heading, nothing drawn.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Color, Style};

/// How headings look.
pub(super) const HEADING: Style = Style::new().bold();
/// How what matters less looks.
pub(super) const FAINT: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::BrightBlack)));

/// A cell: its text, how it looks, and whether it stands at the right of its column.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    style: Style,
    is_right: bool,
}

impl Cell {
    /// Text.
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A number, grouped by thousands.
    pub(super) fn number(number: u64) -> Cell {
        Cell { text: grouped(number), is_right: true, ..Cell::default() }
    }

    /// Text that stands at the right.
    pub(super) fn right(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), is_right: true, ..Cell::default() }
    }

    /// The same cell in a style.
    pub(super) fn styled(self, style: Style) -> Cell {
        Cell { style, ..self }
    }
}

/// Writes a table; `indent` spaces stand before every line.
pub(super) fn write(
    out: &mut dyn Write,
    indent: usize,
    heads: &[&str],
    rows: &[Vec<Cell>],
) -> io::Result<()> {
    let wide = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = heads.iter().map(|head| wide(head)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(&cell.text));
        }
    }
    let is_right =
        |column: usize| rows.first().and_then(|row| row.get(column)).is_some_and(|cell| cell.is_right);
    let heads = heads.iter().enumerate().map(|(column, head)| Cell {
        text: (*head).to_owned(),
        style: HEADING,
        is_right: is_right(column),
    });
    for row in std::iter::once(&heads.collect()).chain(rows) {
        write!(out, "{:indent$}", "")?;
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = width - wide(&cell.text);
            let is_last = column + 1 == row.len();
            let (before, after) = if cell.is_right { (pad, 0) } else { (0, if is_last { 0 } else { pad }) };
            let gap = if is_last { "" } else { "  " };
            let Cell { text, style, .. } = cell;
            write!(out, "{:before$}{style}{text}{style:#}{:after$}{gap}", "", "")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `12 345`: digits in groups of three, with thin enough gaps for every terminal.
pub(super) fn grouped(number: u64) -> String {
    crate::value::grouped(number, ' ')
}

/// `12.3 MiB`.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_columns_aligned() {
        assert_eq!(grouped(1), "1");
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!(bytes(1536), "1.5 KiB");
        let rows = [vec![Cell::number(1000), Cell::text("a")], vec![Cell::number(7), Cell::text("bcd")]];
        let mut out = Vec::new();
        write(&mut out, 2, &["hits", "name"], &rows).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        assert_eq!(String::from_utf8(text).unwrap(), "   hits  name\n  1 000  a\n      7  bcd\n");
    }
}
