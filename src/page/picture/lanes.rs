//! Lanes: what lasted from when to when, one below the other over an axis of time, each with its words above its bar.

use super::axis::Axis;
use super::drawing::{Anchor, Drawing, Fill, GAP, Mark, TEXT, WIDTH, width_of};
use crate::page::Badge;
use crate::value::{Timestamp, Zone};

/// The most lanes of a picture: of more the others are counted.
pub const LANES_MAX: usize = 12;

/// How high a lane is, in units: its words and its bar.
const LANE: f64 = 27.0;
/// How high its bar is.
const BAR: f64 = 7.0;

/// A lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// What it is of.
    pub label: String,
    /// What is worth knowing of that.
    pub note: String,
    /// Its zone, whose symbol and word stand at its end; `None`: it is of none.
    pub zone: Option<Zone>,
    /// Its bars.
    pub bars: Vec<Bar>,
}

/// A part of a lane.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How it is filled.
    pub fill: Fill,
    /// What it is, for who points at it.
    pub title: String,
}

/// Draws lanes from `top` on, and the axis below them; the drawing is as high as that takes.
pub fn draw(drawing: &mut Drawing, axis: &Axis, top: f64, lanes: &[Lane]) {
    axis.draw(drawing, top, top + lanes.len() as f64 * LANE);
    for (at, lane) in lanes.iter().enumerate() {
        let top = top + at as f64 * LANE;
        words(drawing, (top + TEXT, WIDTH), lane);
        for bar in &lane.bars {
            let mark = Mark { zone: lane.zone, fill: bar.fill, title: bar.title.clone() };
            drawing.bar((axis.x(bar.from), axis.x(bar.to)), (top + TEXT + 4.0, BAR), mark);
        }
    }
}

/// The words above a bar: label and note from the left, the zone at the right end.
fn words(drawing: &mut Drawing, (y, mut right): (f64, f64), lane: &Lane) {
    if let Some(zone) = lane.zone {
        let text = format!("{} {zone}", Badge(zone).symbol());
        drawing.text((right, y), Anchor::End, false, &text, WIDTH);
        right -= width_of(&text) + GAP;
    }
    drawing.words(y, &lane.label, &lane.note, right);
}
