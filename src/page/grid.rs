//! Tables: any list of rows, sorted, filtered and paged by what the address says.

use super::cell::{Cell, heading, is_twice};
use super::{escaped, thousands};
use crate::dossier::rows::Counts;
use crate::export::tree::{Tree, columns, shown};
use crate::indicator::refang;
use crate::value::Zone;

/// Rows of a page.
pub const PAGE_ROWS: usize = 25;

/// A table of fewer rows is read faster than it is filtered.
const FILTER_ROWS_MIN: u64 = 10;

/// The longest filter, in characters.
const FILTER_CHARS_MAX: usize = 200;

/// How the rows of one table are wanted: part of the address of its page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The column to sort by; `None`: as they come.
    pub sort: Option<String>,
    /// Whether the greatest come first.
    pub is_descending: bool,
    /// What each row has somewhere; empty: anything.
    pub filter: String,
    /// The page, from 0.
    pub page: usize,
}

impl Wanted {
    /// From the parameters `sort` (a column, `-` before it: descending), `filter` and `page` (from 1).
    pub fn of(sort: Option<&str>, filter: Option<&str>, page: Option<&str>) -> Wanted {
        let sort = sort.filter(|sort| !sort.is_empty());
        let is_descending = sort.is_some_and(|sort| sort.starts_with('-'));
        Wanted {
            sort: sort.map(|sort| sort.trim_start_matches('-').to_owned()),
            is_descending,
            filter: filter.unwrap_or_default().trim().chars().take(FILTER_CHARS_MAX).collect(),
            page: page.and_then(|page| page.parse::<usize>().ok()).unwrap_or(1).clamp(1, 1 << 20) - 1,
        }
    }
}

/// Where a table stands: what its links lead to.
#[derive(Clone, Debug, Default)]
pub struct At {
    /// The path of the page.
    pub path: String,
    /// What else its address says.
    pub keep: Vec<(&'static str, String)>,
    /// The place on the page.
    pub id: String,
}

impl At {
    /// The address with parameters added.
    pub fn href(&self, wanted: &Wanted) -> String {
        let mut pairs: Vec<(&str, String)> = self.keep.clone();
        if let Some(sort) = &wanted.sort {
            pairs.push(("sort", format!("{}{sort}", if wanted.is_descending { "-" } else { "" })));
        }
        if !wanted.filter.is_empty() {
            pairs.push(("filter", wanted.filter.clone()));
        }
        if wanted.page > 0 {
            pairs.push(("page", (wanted.page + 1).to_string()));
        }
        let query: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("{}{query}#{}", self.path, self.id)
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    /// Whether it holds numbers.
    pub is_number: bool,
    /// The address of the table sorted by it; empty: it cannot be.
    pub href: String,
    /// For the attribute `aria-sort`; empty: not by this one.
    pub sorted: &'static str,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// The place on the page.
    pub id: String,
    /// The path of its page.
    pub path: String,
    /// What else the address says: of the form that filters.
    pub keep: Vec<(&'static str, String)>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<Vec<Cell>>,
    /// What rows are filtered by.
    pub filter: String,
    /// Which rows these are: `1–25 of 300`.
    pub range: String,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// Whether there is something to filter.
    pub is_long: bool,
}

impl Grid {
    /// A table of the rows that are wanted. `counts` tells of rows that are not here.
    pub fn new(rows: &[Tree], wanted: &Wanted, at: &At, counts: Option<Counts>) -> Grid {
        let names: Vec<&str> = columns(rows, |_| true).into_iter().filter(|name| !is_twice(name)).collect();
        let all = counts.map_or(rows.len() as u64, |counts| counts.all.max(rows.len() as u64));
        let mut chosen: Vec<&Tree> = rows.iter().filter(|row| has(row, &wanted.filter)).collect();
        if let Some(by) = &wanted.sort {
            sort(&mut chosen, by, wanted.is_descending);
        }
        let found = chosen.len();
        let here = if wanted.filter.is_empty() { all } else { found as u64 };
        let last_page = (here as usize).saturating_sub(1) / PAGE_ROWS;
        let page = wanted.page.min(found.saturating_sub(1) / PAGE_ROWS);
        let start = page * PAGE_ROWS;
        let shown_rows: Vec<&Tree> = chosen.into_iter().skip(start).take(PAGE_ROWS).collect();
        let cells = |row: &&Tree| {
            let cell = |name: &&str| Cell::of_row(row, name, row.member(name).unwrap_or(&Tree::Null));
            names.iter().map(cell).collect()
        };
        let cells: Vec<Vec<Cell>> = shown_rows.iter().map(cells).collect();
        let to = |page: usize| Some(at.href(&Wanted { page, ..wanted.clone() }));
        let column = |(index, name): (usize, &&str)| {
            let is_own = wanted.sort.as_deref() == Some(name);
            let is_number = cells.iter().any(|row: &Vec<Cell>| row.get(index).is_some_and(Cell::is_number));
            // Of numbers the greatest are looked for first.
            let is_descending = if is_own { !wanted.is_descending } else { is_number };
            let sort = Wanted { sort: Some((*name).to_owned()), is_descending, page: 0, ..wanted.clone() };
            let sorted = match (is_own, wanted.is_descending) {
                (false, _) => "",
                (true, false) => "ascending",
                (true, true) => "descending",
            };
            Column { heading: heading(name), is_number, href: at.href(&sort), sorted }
        };
        Grid {
            id: at.id.clone(),
            path: at.path.clone(),
            keep: at.keep.clone(),
            columns: names.iter().enumerate().map(column).collect(),
            filter: wanted.filter.clone(),
            range: range(start, cells.len(), here, all),
            previous: (page > 0).then(|| to(page - 1)).flatten(),
            next: (page < last_page && start + cells.len() < ROWS_MAX).then(|| to(page + 1)).flatten(),
            is_long: all > FILTER_ROWS_MIN || !wanted.filter.is_empty(),
            rows: cells,
        }
    }
}

/// The most rows that can be paged through: as many as a section of a report has.
const ROWS_MAX: usize = crate::lookup::COUNT_MAX;

/// Which rows are shown, of how many.
fn range(start: usize, count: usize, here: u64, all: u64) -> String {
    let of = if here == all {
        thousands(all)
    } else {
        format!("{} that fit, of {}", thousands(here), thousands(all))
    };
    match count as u64 {
        0 => format!("none of {of}"),
        count if count == here => format!("all {of}"),
        count => format!("{}–{} of {of}", start + 1, start as u64 + count),
    }
}

/// Whether some member of a row has a text.
fn has(row: &Tree, filter: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    let wanted = refang(filter).to_lowercase();
    row.members().iter().any(|(_, value)| value.line(shown).to_lowercase().contains(&wanted))
}

fn sort(rows: &mut [&Tree], by: &str, is_descending: bool) {
    let key = |row: &Tree| {
        let text = row.member(by).filter(|value| !value.is_empty()).map(|value| value.line(shown));
        let text = text.unwrap_or_default();
        let number = match text.parse::<Zone>() {
            Ok(zone) if by.eq_ignore_ascii_case("zone") => Some(zone as u8 as f64),
            _ => text.parse::<f64>().ok().filter(|number| number.is_finite()),
        };
        // What is not known is last, whichever way.
        (text.is_empty(), number, text)
    };
    rows.sort_by_cached_key(|row| {
        let (is_unknown, number, text) = key(row);
        Key { is_unknown, number, text, is_descending }
    });
}

/// What rows are sorted by: unknown last, numbers by value, all else as text.
struct Key {
    is_unknown: bool,
    number: Option<f64>,
    text: String,
    is_descending: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> std::cmp::Ordering {
        let values = match (self.number, other.number) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => self.text.cmp(&other.text),
        };
        let values = if self.is_descending { values.reverse() } else { values };
        self.is_unknown.cmp(&other.is_unknown).then(values)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Tree> {
        match serde_json::from_str(json).unwrap() {
            Tree::List(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    fn column(grid: &Grid, at: usize) -> Vec<String> {
        let plain = |html: String| html.replace("<span class=\"none\">–</span>", "–");
        grid.rows.iter().map(|row| plain(row[at].to_string())).collect()
    }

    #[test]
    fn rows_are_sorted_by_value_and_unknown_ones_are_last() {
        let rows = rows(r#"[{"Hits":9,"A":"b"},{"Hits":null,"A":"a"},{"Hits":10,"A":"c"}]"#);
        let grid = |sort: &str| Grid::new(&rows, &Wanted::of(Some(sort), None, None), &At::default(), None);
        assert_eq!(column(&grid("Hits"), 0), ["9", "10", "–"]);
        assert_eq!(column(&grid("-Hits"), 0), ["10", "9", "–"]);
        assert_eq!(column(&grid("-A"), 1), ["c", "b", "a"]);
        assert_eq!(grid("-Hits").columns[0].sorted, "descending");
        assert_eq!(grid("-Hits").columns[0].href, "?sort=Hits#");
        assert_eq!(grid("A").columns[0].href, "?sort=-Hits#", "numbers begin with the greatest");
    }

    #[test]
    fn rows_are_filtered_and_paged() {
        let many: Vec<String> = (0..60).map(|n| format!("{{\"Domain\":\"host{n}.evil.example\"}}")).collect();
        let rows = rows(&format!("[{}]", many.join(",")));
        let at = At { path: "/domain/x".into(), keep: vec![("section", "S".into())], id: "S".into() };
        let counts = Some(Counts { all: 2000, red: 1 });
        let first = Grid::new(&rows, &Wanted::default(), &at, counts);
        assert_eq!(first.range, "1–25 of 2\u{202f}000");
        assert_eq!(first.next.as_deref(), Some("/domain/x?section=S&page=2#S"));
        assert_eq!(first.previous, None);
        let found = Grid::new(&rows, &Wanted::of(None, Some("HOST5[.]evil"), None), &at, None);
        assert_eq!((found.rows.len(), found.range.as_str()), (1, "all 1 that fit, of 60"));
        let last = Grid::new(&rows, &Wanted::of(None, None, Some("9")), &at, None);
        assert_eq!((last.rows.len(), last.range.as_str()), (10, "51–60 of 60"));
        assert_eq!(last.next, None);
        let none = Grid::new(&rows, &Wanted::of(None, Some("no such"), None), &at, None);
        assert_eq!((none.rows.len(), none.range.as_str()), (0, "none of 0 that fit, of 60"));
    }
}
