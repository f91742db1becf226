//! Bars: how many of each, the longest bar that of the most, each with its words above it.

use super::drawing::{Anchor, Drawing, Fill, Mark, TEXT, WIDTH, width_of};
use crate::value::Zone;

/// The most bars of a picture.
pub const BARS_MAX: usize = 10;

/// How high a bar is with its words, in units.
const PITCH: f64 = 27.0;
const BAR: f64 = 7.0;

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// How many.
    pub count: u64,
    /// That in words.
    pub told: String,
    /// Its zone; `None`: it is of none.
    pub zone: Option<Zone>,
}

/// Draws bars.
pub fn draw(drawing: &mut Drawing, bars: &[Bar]) {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or_default().max(1);
    for (at, bar) in bars.iter().enumerate() {
        let top = at as f64 * PITCH;
        let told = width_of(&bar.told);
        drawing.text((0.0, top + TEXT), Anchor::Start, false, &bar.label, WIDTH - told - TEXT);
        drawing.text((WIDTH, top + TEXT), Anchor::End, true, &bar.told, WIDTH);
        let mark = Mark { zone: bar.zone, fill: Fill::Solid, title: String::new() };
        drawing.bar((0.0, bar.count as f64 / most as f64 * WIDTH), (top + TEXT + 4.0, BAR), mark);
    }
    drawing.height.0 = bars.len() as f64 * PITCH;
}

/// A share in percent, one that is not nothing never shown as nothing.
pub fn percent(part: u64, whole: u64) -> String {
    match part as f64 / whole.max(1) as f64 * 100.0 {
        percent if percent >= 1.0 || part == 0 => format!("{percent:.0} %"),
        _ => "under 1 %".to_owned(),
    }
}
