//! DNS over time: a lane an address or a name, from when it was first to when it was last seen.

use super::axis::Axis;
use super::drawing::{Drawing, Fill};
use super::lanes::{self, Bar, LANES_MAX, Lane};
use super::{Picture, counted, day, text};
use crate::page::cell::Cell;
use crate::page::{Badge, thousands};
use crate::value::{Timestamp, Zone};

/// What an object resolved to, or what resolved to it.
#[derive(Clone, Debug)]
pub struct History {
    /// The picture's title.
    pub title: &'static str,
    /// What they are: one, and more of them.
    pub what: (&'static str, &'static str),
    /// Those that the report lists.
    pub counterparts: Vec<Counterpart>,
    /// How many there are in all.
    pub total: u64,
    /// How many of all are Red.
    pub red: u64,
    /// The moment of the report, at which the picture ends.
    pub at: Timestamp,
}

/// An address or a name.
#[derive(Clone, Debug)]
pub struct Counterpart {
    /// Its zone.
    pub zone: Zone,
    /// It, defanged.
    pub label: String,
    /// It, with the path of its report.
    pub cell: Cell,
    /// Its network and country, where they are known.
    pub note: String,
    /// Hits of the pair.
    pub hits: u64,
    /// First seen.
    pub first: Timestamp,
    /// Last seen.
    pub last: Timestamp,
}

impl Counterpart {
    /// The order of lanes: the last seen first, of one day the most hit, then by name.
    fn order(&self) -> impl Ord + use<> {
        (std::cmp::Reverse((self.last.day(), self.hits)), self.label.clone())
    }
}

impl History {
    /// The picture; `None` where nothing was seen.
    pub fn picture(mut self) -> Option<Picture> {
        let from = self.counterparts.iter().map(|one| one.first).min()?;
        self.counterparts.sort_by_cached_key(Counterpart::order);
        self.counterparts.truncate(LANES_MAX);
        let newest = self.counterparts.first()?;
        let more = self.total.saturating_sub(self.counterparts.len() as u64);
        let total = counted(self.total, self.what.0, self.what.1);
        let mut caption = format!(
            "{total} since {}{}. The last seen is {} on {}.",
            from.date(),
            if self.red == 0 { String::new() } else { format!(", {} Red", thousands(self.red)) },
            newest.label,
            newest.last.date(),
        );
        if more > 0 {
            caption.push_str(&format!(
                " Shown are the {} seen last, and {} more are not.",
                self.counterparts.len(),
                thousands(more)
            ));
        }
        let mut drawing = Drawing::new(
            "history",
            self.title,
            "A bar for each, from when it was first to when it was last seen; its zone stands at its end.",
            0.0,
        );
        let all: Vec<Lane> = self.counterparts.iter().map(lane).collect();
        lanes::draw(&mut drawing, &Axis::new(from, self.at), 0.0, &all);
        Some(Picture::new(
            drawing,
            &caption,
            &["What", "Zone", "Network", "Hits", "First seen", "Last seen"],
            self.counterparts.into_iter().map(row).collect(),
        ))
    }
}

fn lane(one: &Counterpart) -> Lane {
    let title = format!("{}: {} to {}", one.label, one.first.date(), one.last.date());
    Lane {
        label: one.label.clone(),
        note: one.note.clone(),
        zone: Some(one.zone),
        bars: vec![Bar { from: one.first, to: one.last, fill: Fill::Solid, title }],
    }
}

fn row(one: Counterpart) -> Vec<Cell> {
    vec![
        one.cell,
        Cell::Zone(Badge(one.zone)),
        text(&one.note),
        Cell::Number(thousands(one.hits)),
        day(one.first),
        day(one.last),
    ]
}
