//! The timeline: in which zone the object was when, below it when it was seen and who listed it; and what changed, with
//! why.
//!
//! To judge all of the past costs more than the rest of a report: it is asked for by itself.

use super::axis::Axis;
use super::drawing::{Anchor, Drawing, Fill, Mark, TEXT, WIDTH};
use super::lanes::{self, Bar, LANES_MAX, Lane};
use super::listings::Listings;
use super::{Picture, day, gather};
use crate::history::timeline::{Span, Timeline};
use crate::page::cell::{Cell, category};
use crate::page::{Badge, path_of, told};
use crate::sections::About;
use crate::store::StoreError;
use crate::value::{ThreatScore, Timestamp, Zone};

/// The most changes that are listed: of more, the newest.
const CHANGES_MAX: usize = 100;

/// The most causes of a change that are told.
const CAUSES_MAX: usize = 5;

/// The strip of zones, in units: its top, its height, and where the symbols below it stand.
const STRIP: (f64, f64) = (TEXT + 5.0, 14.0);
const SYMBOLS: f64 = STRIP.0 + STRIP.1 + TEXT + 1.0;

/// The timeline of an object on its page.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The picture; `None` where nothing ever bore on its zone.
    pub picture: Option<Picture>,
    /// What changed, the newest first.
    pub changes: Vec<Change>,
    /// What the list leaves out, and why; empty: nothing.
    pub note: String,
}

/// A change of zone or categories.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub at: Cell,
    /// The report as of then.
    pub href: String,
    /// The zone since.
    pub badge: Badge,
    /// Its score.
    pub score: u8,
    /// The categories since.
    pub categories: Vec<String>,
    /// Why.
    pub causes: Vec<String>,
}

/// What the picture is made of.
#[derive(Clone, Debug)]
pub struct Strip {
    /// Times of one zone, the oldest first; two beside each other are of different zones.
    pub zones: Vec<InZone>,
    /// Who listed it.
    pub listings: Listings,
    /// When it was first and last seen.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// The moment at which the picture ends.
    pub at: Timestamp,
}

/// A time of one zone.
#[derive(Clone, Copy, Debug)]
pub struct InZone {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The zone.
    pub zone: Zone,
    /// The score at its beginning.
    pub score: ThreatScore,
}

/// The timeline of an object for its page, up to the moment of the report.
///
/// # Errors
///
/// Damage in the store.
pub fn shown_of(about: &About<'_>, timeline: &Timeline) -> Result<Shown, StoreError> {
    let at = about.common().at;
    let spans: Vec<&Span> = timeline.spans.iter().take_while(|span| span.from <= at).collect();
    let zones = spans.chunk_by(|one, next| one.zone == next.zone).map(|one_zone| InZone {
        from: one_zone[0].from,
        to: one_zone[one_zone.len() - 1].to.map_or(at, |to| to.min(at)),
        zone: one_zone[0].zone,
        score: one_zone[0].score_first,
    });
    let strip = Strip {
        zones: zones.collect(),
        listings: gather::listings_of(about)?,
        seen: gather::seen(about),
        at,
    };
    let path = path_of(timeline.kind, &timeline.indicator);
    let mut notes = Vec::new();
    if spans.len() > CHANGES_MAX {
        notes.push(format!("The newest {CHANGES_MAX} of {} changes are listed.", spans.len()));
    }
    if let Some(before) = timeline.cut_before {
        notes.push(format!("What was before {before} was not looked at: there is too much of it."));
    }
    if !timeline.is_exact {
        notes.push("Some changes by age may have been earlier than shown.".to_owned());
    }
    let changes = spans.iter().rev().take(CHANGES_MAX).map(|span| change(span, &path));
    Ok(Shown { picture: strip.picture(), changes: changes.collect(), note: notes.join(" ") })
}

fn change(span: &Span, path: &str) -> Change {
    let mut causes: Vec<String> = span.causes.iter().take(CAUSES_MAX).map(told).collect();
    if span.causes.len() > CAUSES_MAX {
        causes.push(format!("and {} more", span.causes.len() - CAUSES_MAX));
    }
    Change {
        at: Cell::time(&span.from.to_string()),
        href: format!("{path}?as_of={}", span.from),
        badge: Badge(span.zone),
        score: span.score_first.0,
        categories: span.categories.iter().map(|one| category(&one.to_string())).collect(),
        causes,
    }
}

impl Strip {
    /// The picture; `None` where it was never in a zone.
    pub fn picture(&self) -> Option<Picture> {
        let first = self.zones.first()?;
        let last = self.zones.last()?;
        // What was seen long before it was listed only begins at the edge.
        let from = self.listings.listings.iter().map(|one| one.first).chain([first.from]).min()?;
        let caption = format!(
            "{} since {}{}.",
            last.zone,
            last.from.date(),
            match self.zones.len() - 1 {
                0 => String::new(),
                1 => "; the zone changed once".to_owned(),
                more => format!("; the zone changed {more} times"),
            }
        );
        let reading = "A strip of the zones over time, symbols below it; then a bar for when it was seen and one for each \
                       source that listed it.";
        let mut drawing = Drawing::new("timeline", "Zone over time", reading, 0.0);
        let axis = Axis::new(from, self.at);
        lanes::draw(&mut drawing, &axis, SYMBOLS + 6.0, &self.lanes());
        self.draw(&mut drawing, &axis);
        let row = |one: &InZone| {
            let score = Cell::Number(one.score.0.to_string());
            vec![Cell::Zone(Badge(one.zone)), score, day(one.from), day(one.to)]
        };
        let rows = self.zones.iter().rev().take(CHANGES_MAX).map(row).collect();
        Some(Picture::new(drawing, &caption, &["Zone", "Score", "From", "To"], rows))
    }

    /// The strip, with a symbol below each time that has room for one.
    fn draw(&self, drawing: &mut Drawing, axis: &Axis) {
        drawing.text((0.0, TEXT), Anchor::Start, false, "Zone", WIDTH);
        let mut free = 0.0;
        for one in &self.zones {
            let (left, right) = (axis.x(one.from), axis.x(one.to));
            let title = format!("{}: {} to {}", one.zone, one.from.date(), one.to.date());
            drawing.bar((left, right), STRIP, Mark { zone: Some(one.zone), fill: Fill::Solid, title });
            let middle = ((left + right) / 2.0).clamp(TEXT / 2.0, WIDTH - TEXT / 2.0);
            if middle - TEXT / 2.0 >= free {
                drawing.text((middle, SYMBOLS), Anchor::Middle, false, Badge(one.zone).symbol(), TEXT);
                free = middle + TEXT / 2.0;
            }
        }
    }

    /// When it was seen, then who listed it.
    fn lanes(&self) -> Vec<Lane> {
        let seen = self.seen.map(|(from, to)| Lane {
            label: "Seen".to_owned(),
            note: format!("{} – {}", from.date(), to.date()),
            zone: None,
            bars: vec![Bar { from, to, fill: Fill::Solid, title: String::new() }],
        });
        let lanes = seen.into_iter().chain(self.listings.lanes());
        lanes.take(LANES_MAX).collect()
    }
}
