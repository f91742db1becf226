//! The axis of time: from one moment to another across a drawing, with ticks at days, months or years.

use jiff::civil::{Date, date};

use super::drawing::{Anchor, Drawing, GAP, TEXT, Unit, WIDTH, width_of};
use crate::value::{DAY_S, Timestamp};

/// How high the axis is, in units.
pub const HEIGHT: f64 = 18.0;

/// More ticks than have room, whatever their labels: of no step more are made.
const TICKS_MAX: usize = 12;

/// A time that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    from: i64,
    to: i64,
}

/// What stands between ticks.
#[derive(Clone, Copy, Debug)]
enum Step {
    Days(i64),
    Months(i64),
}

/// All steps, the finest first. The last has few enough ticks for all of the calendar.
const STEPS: &[Step] = &[
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
    Step::Months(120),
    Step::Months(600),
    Step::Months(2400),
    Step::Months(24_000),
];

impl Axis {
    /// An axis from one moment to another, at least a day long.
    pub fn new(from: Timestamp, to: Timestamp) -> Axis {
        let within = |at: Timestamp| at.0.clamp(Timestamp::RECORD_MIN.0, Timestamp::RECORD_MAX.0 - DAY_S);
        let from = within(from);
        Axis { from, to: within(to).max(from + DAY_S) }
    }

    /// Where a moment stands, in units from 0 to [`WIDTH`].
    pub fn x(&self, at: Timestamp) -> f64 {
        let at = at.0.clamp(self.from, self.to);
        (at - self.from) as f64 / (self.to - self.from) as f64 * WIDTH
    }

    /// Its ticks: each a moment and its label.
    pub fn ticks(&self) -> Vec<(Timestamp, String)> {
        let room = |ticks: &Vec<(Timestamp, String)>| {
            ticks.iter().map(|(_, label)| width_of(label) + GAP).sum::<f64>() <= WIDTH
        };
        STEPS.iter().map(|step| self.ticks_of(*step)).find(room).unwrap_or_default()
    }

    fn ticks_of(&self, step: Step) -> Vec<(Timestamp, String)> {
        let mut day = first_of(step, Timestamp(self.from).day());
        let mut ticks = Vec::new();
        while Timestamp::start_of_day(day).0 <= self.to && ticks.len() < TICKS_MAX {
            let at = Timestamp::start_of_day(day);
            if at.0 >= self.from {
                ticks.push((at, label(step, day)));
            }
            day = next(step, day);
        }
        ticks
    }

    /// Draws it: lines from `top` to `bottom` behind what comes after, labels below.
    pub fn draw(&self, drawing: &mut Drawing, top: f64, bottom: f64) {
        drawing.line((0.0, bottom), (WIDTH, bottom));
        let mut free = 0.0;
        for (at, label) in self.ticks() {
            let (x, width) = (self.x(at), width_of(&label));
            drawing.line((x, top), (x, bottom + 3.0));
            // Labels stay in the box and do not touch each other.
            let middle = x.clamp(width / 2.0, WIDTH - width / 2.0);
            if middle - width / 2.0 >= free {
                drawing.text((middle, bottom + 4.0 + TEXT), Anchor::Middle, true, &label, width);
                free = middle + width / 2.0 + GAP / 2.0;
            }
        }
        drawing.height = Unit(bottom + HEIGHT + 2.0);
    }
}

/// A day of the calendar; of days that it has not, the first or last.
pub fn calendar(day: i64) -> Date {
    let epoch = date(1970, 1, 1);
    let day = day.clamp(0, Timestamp::RECORD_MAX.day());
    epoch.checked_add(jiff::Span::new().days(day)).unwrap_or(epoch)
}

/// The day of a date.
pub fn day_of(date: Date) -> i64 {
    i64::from((date - calendar(0)).get_days())
}

/// The first of the month that is so many months after year 0.
pub fn month_start(months: i64) -> i64 {
    let (year, month) = (months.div_euclid(12).clamp(1970, 9999), months.rem_euclid(12) + 1);
    day_of(date(year as i16, month as i8, 1))
}

/// How many months after year 0 a day is.
pub fn months(day: i64) -> i64 {
    let date = calendar(day);
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The last tick at or before a day.
fn first_of(step: Step, day: i64) -> i64 {
    match step {
        // Weeks begin on Mondays: 1970-01-05 was one.
        Step::Days(days) => (day - 4).div_euclid(days) * days + 4,
        Step::Months(count) => month_start(months(day).div_euclid(count) * count),
    }
}

fn next(step: Step, day: i64) -> i64 {
    match step {
        Step::Days(days) => day + days,
        Step::Months(count) => {
            let next = months(day) + count;
            // The calendar of records ends.
            if next >= 120_000 { i64::MAX / DAY_S } else { month_start(next) }
        }
    }
}

fn label(step: Step, day: i64) -> String {
    let date = calendar(day);
    match step {
        Step::Days(_) => format!("{} {}", date.day(), MONTHS[usize::from(date.month().unsigned_abs()) - 1]),
        Step::Months(count) if count < 12 => {
            format!("{} {}", MONTHS[usize::from(date.month().unsigned_abs()) - 1], date.year())
        }
        Step::Months(_) => date.year().to_string(),
    }
}

/// The months, as ticks name them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str) -> Vec<String> {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        Axis::new(at(from), at(to)).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_days_months_or_years() {
        assert_eq!(labels("2026-05-27", "2026-05-30"), ["27 May", "28 May", "29 May", "30 May"]);
        assert_eq!(labels("2026-02-20", "2026-03-20"), ["23 Feb", "2 Mar", "9 Mar", "16 Mar"]);
        assert_eq!(labels("2025-11-10", "2026-03-02"), ["Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026"]);
        assert_eq!(labels("2019-02-01", "2024-02-01"), ["2020", "2021", "2022", "2023", "2024"]);
        assert!(!labels("1970-01-01", "9999-12-31").is_empty());
        assert_eq!(labels("9999-12-31", "9999-12-31").len(), 1);
    }
}
