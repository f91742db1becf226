//! What drawings are made of: rectangles, lines and text, in a box that is [`WIDTH`] units wide.
//!
//! The page shows the box between about 334 and 448 px wide, so text of [`TEXT`] units is never smaller than 11 px.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::export::tree::shown;
use crate::value::Zone;

/// The width of all drawings, in units.
pub const WIDTH: f64 = 360.0;

/// The size of text, in units.
pub const TEXT: f64 = 12.0;

/// The room between two texts, in units.
pub const GAP: f64 = 6.0;

/// A length or place, in units. What is no number is nothing: hostile dates and counts move no mark out of the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Unit(pub f64);

impl fmt::Display for Unit {
    /// To the tenth.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = if self.0.is_finite() { (self.0 * 10.0).round() } else { 0.0 };
        if tenths % 10.0 == 0.0 {
            write!(out, "{:.0}", tenths / 10.0)
        } else {
            write!(out, "{:.1}", tenths / 10.0)
        }
    }
}

/// How a rectangle is filled. Besides the colour each looks otherwise, for print and for who does not see colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Full.
    Solid,
    /// Striped: estimated, or no longer said and not yet forgotten.
    Striped,
    /// Only its edge: over.
    Hollow,
    /// Full, and what the picture is about: the peak.
    Marked,
}

impl Fill {
    /// Its class.
    fn class(self) -> &'static str {
        match self {
            Fill::Solid => "solid",
            Fill::Striped => "striped",
            Fill::Hollow => "hollow",
            Fill::Marked => "marked",
        }
    }
}

/// Where a text stands in respect of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Right of it.
    Start,
    /// Around it.
    Middle,
    /// Left of it.
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A piece of a drawing.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A rectangle.
    Bar {
        /// Its left edge.
        x: Unit,
        /// Its upper edge.
        y: Unit,
        /// Its width.
        width: Unit,
        /// Its height.
        height: Unit,
        /// Its zone; `None`: it is of none.
        zone: Option<Zone>,
        /// How it is filled.
        fill: Fill,
        /// What it is, for who points at it.
        title: String,
    },
    /// A line.
    Line {
        /// From here.
        x1: Unit,
        /// From here.
        y1: Unit,
        /// To here.
        x2: Unit,
        /// To here.
        y2: Unit,
    },
    /// Text.
    Text {
        /// Its place.
        x: Unit,
        /// Its base line.
        y: Unit,
        /// Where it stands in respect of that.
        anchor: Anchor,
        /// Whether it is read second.
        is_soft: bool,
        /// It.
        text: String,
        /// What stands after it and is read second; empty: nothing.
        note: String,
    },
}

/// A drawing.
#[derive(Clone, Debug, Template)]
#[template(path = "picture/drawing.html")]
pub struct Drawing {
    /// What its parts are called on the page: a name of ours.
    pub id: &'static str,
    /// What it is of.
    pub title: &'static str,
    /// How it is read.
    pub reading: &'static str,
    /// Its height.
    pub height: Unit,
    /// Its pieces, what is behind others first.
    pub shapes: Vec<Shape>,
}

// A template escapes what it is made of.
impl HtmlSafe for Drawing {}

impl Drawing {
    /// An empty drawing.
    pub fn new(id: &'static str, title: &'static str, reading: &'static str, height: f64) -> Drawing {
        Drawing { id, title, reading, height: Unit(height), shapes: Vec::new() }
    }

    /// Whether something in it is striped.
    pub fn is_striped(&self) -> bool {
        self.shapes.iter().any(|shape| matches!(shape, Shape::Bar { fill: Fill::Striped, .. }))
    }

    /// Adds a rectangle from `from` to `to`, held inside the box and wide enough to be seen.
    pub fn bar(&mut self, (from, to): (f64, f64), (y, height): (f64, f64), mark: Mark) {
        const SEEN: f64 = 1.5;
        let inside = |x: f64| if x.is_finite() { x.clamp(0.0, WIDTH) } else { 0.0 };
        let width = (inside(to) - inside(from)).max(SEEN);
        let x = inside(from).min(WIDTH - width);
        let Mark { zone, fill, title } = mark;
        let (x, y, width, height) = (Unit(x), Unit(y), Unit(width), Unit(height));
        self.shapes.push(Shape::Bar { x, y, width, height, zone, fill, title: shown(&title) });
    }

    /// Adds a line.
    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.shapes.push(Shape::Line { x1: Unit(x1), y1: Unit(y1), x2: Unit(x2), y2: Unit(y2) });
    }

    /// Adds text, cut to `width` units.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, is_soft: bool, text: &str, width: f64) {
        let (text, note) = (cut(&shown(text), width), String::new());
        self.shapes.push(Shape::Text { x: Unit(x), y: Unit(y), anchor, is_soft, text, note });
    }

    /// Adds text from the left edge, and a note after it; both are cut to `width` units, the note to a third of it at
    /// least where both are long.
    pub fn words(&mut self, y: f64, text: &str, note: &str, width: f64) {
        let (text, note) = (shown(text), shown(note));
        let of_note = if note.is_empty() { 0.0 } else { width_of(&note).min(width / 3.0) + GAP };
        let text = cut(&text, width - of_note);
        let note = if note.is_empty() { note } else { cut(&note, width - width_of(&text) - GAP) };
        let (x, y, anchor, is_soft) = (Unit(0.0), Unit(y), Anchor::Start, false);
        self.shapes.push(Shape::Text { x, y, anchor, is_soft, text, note });
    }
}

/// What a rectangle looks like.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Its zone; `None`: it is of none.
    pub zone: Option<Zone>,
    /// How it is filled.
    pub fill: Fill,
    /// What it is, for who points at it.
    pub title: String,
}

/// About how wide a text is, in units: fonts differ, so rather too wide.
pub fn width_of(text: &str) -> f64 {
    text.chars().map(width_of_one).sum()
}

fn width_of_one(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '[' | ']' | '(' | ')'
        | 't' | 'f' | 'r' => 4.7,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 11.7,
        'A'..='Z' => 8.8,
        character if character.is_ascii() => 7.6,
        '–' | '·' | '…' | '\u{202f}' | 'à'..='ÿ' => 7.6,
        _ => TEXT,
    }
}

/// A text cut to so many units.
fn cut(text: &str, width: f64) -> String {
    const MORE: char = '…';
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut left = width - width_of_one(MORE);
    let fits = |character: &char| {
        left -= width_of_one(*character);
        left >= 0.0
    };
    let mut text: String = text.chars().take_while(fits).collect();
    text.truncate(text.trim_end().len());
    text.push(MORE);
    text
}
