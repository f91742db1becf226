//! Hits a day, week, month or year, as columns, the peak marked. What is known only as a sum over some days is spread
//! evenly over them and striped: an estimate.

use std::collections::BTreeMap;

use super::axis::{Axis, calendar, day_of, month_start, months};
use super::drawing::{Anchor, Drawing, Fill, Mark, TEXT, WIDTH, width_of};
use super::{Picture, day};
use crate::page::cell::Cell;
use crate::page::thousands;
use crate::store::observed::Observed;
use crate::value::{DAY_S, Timestamp};

/// The most columns: of a longer time a column is a week, a month or a year.
const COLUMNS_MAX: usize = 140;

/// Where columns begin and end, in units.
const TOP: f64 = TEXT + 6.0;
const BOTTOM: f64 = 118.0;

/// When and how often something was seen. Days are counted since 1970.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Hits by day.
    pub days: BTreeMap<u32, u64>,
    /// Hits that are known for some days together, from the first to the last of them.
    pub spans: BTreeMap<(u32, u32), u64>,
    /// All of them, as the report says it.
    pub total: u64,
}

impl Hits {
    /// Adds what was observed of one thing.
    pub fn add(&mut self, observed: &Observed) {
        let day = |seconds: u32| seconds / DAY_S as u32;
        for (day, hits) in &observed.days {
            let known = self.days.entry(*day).or_default();
            *known = known.saturating_add(*hits);
        }
        let span = observed.span.map(|span| (day(span.first), span.hits));
        let total = observed.total.map(|total| (day(observed.first), total.hits));
        for (from, hits) in span.into_iter().chain(total) {
            let known = self.spans.entry((from, day(observed.last).max(from))).or_default();
            *known = known.saturating_add(hits);
        }
        self.total = self.total.saturating_add(observed.hits());
    }

    /// All counts as a site shows them.
    pub fn rounded(mut self, round: impl Fn(u64) -> u64) -> Hits {
        let counts = self.days.values_mut().chain(self.spans.values_mut()).chain([&mut self.total]);
        counts.for_each(|count| *count = round(*count));
        self
    }

    /// The picture; `None` where nothing was seen. `what` is what its hits are of.
    pub fn picture(&self, what: &str) -> Option<Picture> {
        let firsts = self.days.keys().copied().chain(self.spans.keys().map(|(from, _)| *from));
        let lasts = self.days.keys().copied().chain(self.spans.keys().map(|(_, to)| *to));
        let (first, last) = (i64::from(firsts.min()?), i64::from(lasts.max()?));
        let (step, starts) = Step::ALL
            .into_iter()
            .map(|step| (step, step.starts(first, last)))
            .find(|(_, starts)| starts.len() <= COLUMNS_MAX + 1)?;
        let columns = self.columns(&starts);
        let peak =
            columns.iter().enumerate().max_by(|a, b| a.1.all().total_cmp(&b.1.all()).then(b.0.cmp(&a.0)))?.0;
        if columns[peak].all() <= 0.0 {
            return None;
        }
        let drawing = draw(step, &columns, peak);
        Some(Picture::new(
            drawing,
            &self.caption(what, step, &columns, peak),
            &["From", "Hits", "Of these estimated"],
            columns.iter().filter(|column| column.all() > 0.0).map(Column::row).collect(),
        ))
    }

    /// What is in each column; `starts` has the day after the last besides.
    fn columns(&self, starts: &[i64]) -> Vec<Column> {
        let mut columns: Vec<Column> = starts
            .windows(2)
            .map(|pair| Column { from: pair[0], to: pair[1], exact: 0, estimated: 0.0 })
            .collect();
        let at = |day: i64| starts.partition_point(|start| *start <= day).saturating_sub(1);
        for (day, hits) in &self.days {
            if let Some(column) = columns.get_mut(at(i64::from(*day))) {
                column.exact = column.exact.saturating_add(*hits);
            }
        }
        for ((from, to), hits) in &self.spans {
            let (from, end) = (i64::from(*from), i64::from(*to) + 1);
            let a_day = *hits as f64 / (end - from) as f64;
            for column in columns.iter_mut().skip(at(from)).take_while(|column| column.from < end) {
                column.estimated += a_day * (column.to.min(end) - column.from.max(from)) as f64;
            }
        }
        columns
    }

    fn caption(&self, what: &str, step: Step, columns: &[Column], peak: usize) -> String {
        let seen = columns.iter().filter(|column| column.all() > 0.0).count();
        let column = &columns[peak];
        let (about, most) = (if column.estimated > 0.0 { "about " } else { "" }, column.all().round() as u64);
        let mut caption = format!(
            "{} {what} in {seen} of {} {}, the most {} {}: {about}{}.",
            thousands(self.total),
            columns.len(),
            if columns.len() == 1 { step.one() } else { step.more() },
            if step == Step::Day { "on" } else { "in" },
            step.name(column.from),
            thousands(most),
        );
        let estimated = self.spans.values().fold(0_u64, |sum, hits| sum.saturating_add(*hits));
        if estimated > 0 {
            caption.push_str(&format!(
                " Striped: {} whose day is not known, spread evenly over the time they are from.",
                thousands(estimated)
            ));
        }
        caption
    }
}

/// A column: days from `from` to before `to`.
#[derive(Clone, Debug)]
struct Column {
    from: i64,
    to: i64,
    exact: u64,
    estimated: f64,
}

impl Column {
    fn all(&self) -> f64 {
        self.exact as f64 + self.estimated
    }

    fn row(&self) -> Vec<Cell> {
        let estimated = self.estimated.round() as u64;
        vec![
            day(Timestamp::start_of_day(self.from)),
            Cell::Number(thousands(self.all().round() as u64)),
            if estimated == 0 { Cell::Nothing } else { Cell::Number(thousands(estimated)) },
        ]
    }
}

fn draw(step: Step, columns: &[Column], peak: usize) -> Drawing {
    let title = match step {
        Step::Day => "Hits a day",
        Step::Week => "Hits a week",
        Step::Month => "Hits a month",
        Step::Year => "Hits a year",
    };
    let reading = "Columns over time, the highest marked; what is striped is estimated.";
    let mut drawing = Drawing::new("hits", title, reading, 0.0);
    let start = |day: i64| Timestamp::start_of_day(day);
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return drawing };
    let axis = Axis::new(start(first.from), start(last.to));
    axis.draw(&mut drawing, TOP, BOTTOM);
    let unit = (BOTTOM - TOP) / columns[peak].all();
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| column.all() > 0.0) {
        let (left, right) = (axis.x(start(column.from)), axis.x(start(column.to)));
        // Columns that are wide enough stand apart.
        let right = if right - left > 3.0 { right - 1.0 } else { right };
        let title = format!("{}: {}", step.name(column.from), thousands(column.all().round() as u64));
        let exact = column.exact as f64 * unit;
        let estimated = column.estimated * unit;
        let solid = if at == peak { Fill::Marked } else { Fill::Solid };
        for (bottom, height, fill) in [(BOTTOM, exact, solid), (BOTTOM - exact, estimated, Fill::Striped)] {
            if height > 0.0 {
                // What is there is seen.
                let height = height.max(1.0).min(bottom);
                let mark = Mark { zone: None, fill, title: title.clone() };
                drawing.bar((left, right), (bottom - height, height), mark);
            }
        }
    }
    let top = &columns[peak];
    let said = format!("{}: {}", step.name(top.from), thousands(top.all().round() as u64));
    let half = width_of(&said) / 2.0;
    let middle = (axis.x(start(top.from)) + axis.x(start(top.to))) / 2.0;
    let x = middle.clamp(half, (WIDTH - half).max(half));
    drawing.text((x, TEXT), Anchor::Middle, false, &said, WIDTH);
    drawing
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Day,
    Week,
    Month,
    Year,
}

impl Step {
    const ALL: [Step; 4] = [Step::Day, Step::Week, Step::Month, Step::Year];

    fn one(self) -> &'static str {
        match self {
            Step::Day => "day",
            Step::Week => "week",
            Step::Month => "month",
            Step::Year => "year",
        }
    }

    fn more(self) -> &'static str {
        match self {
            Step::Day => "days",
            Step::Week => "weeks",
            Step::Month => "months",
            Step::Year => "years",
        }
    }

    /// How a column is called that begins on a day.
    fn name(self, from: i64) -> String {
        let date = Timestamp::start_of_day(from).date();
        match self {
            Step::Day => date,
            Step::Week => format!("week of {date}"),
            Step::Month => date[..7].to_owned(),
            Step::Year => date[..4].to_owned(),
        }
    }

    /// The days on which columns begin that hold two days and all between, and the day after the last; at most one
    /// more than there may be.
    fn starts(self, first: i64, last: i64) -> Vec<i64> {
        let mut start = match self {
            Step::Day => first,
            // Weeks begin on Mondays: 1970-01-05 was one.
            Step::Week => (first - 4).div_euclid(7) * 7 + 4,
            Step::Month => month_start(months(first)),
            Step::Year => day_of(calendar(first).first_of_year()),
        };
        let mut starts = vec![start];
        while start <= last && starts.len() <= COLUMNS_MAX + 1 {
            start = match self {
                Step::Day => start + 1,
                Step::Week => start + 7,
                Step::Month => month_start(months(start) + 1),
                Step::Year => month_start(months(start) + 12),
            };
            starts.push(start);
        }
        starts
    }
}
