//! Who listed the object, or what covers it, from when to when: a lane a source and what it says.

use std::collections::BTreeMap;

use super::axis::Axis;
use super::drawing::{Drawing, Fill};
use super::lanes::{self, Bar, LANES_MAX, Lane};
use super::{Picture, counted, day, text};
use crate::page::Badge;
use crate::page::cell::{Cell, category};
use crate::value::{Category, Timestamp};

/// How a listing stands at the moment of the report. Ordered: what counts most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The source said so, took nothing back, and it counts.
    Counts,
    /// The source says so no more, and it still counts: less with its age.
    Ages,
    /// It counts no longer.
    Over,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Counts => "counts",
            State::Ages => "taken back, still counts",
            State::Over => "over",
        }
    }
}

/// What a source says, or said.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The source, as its reader may see it.
    pub source: String,
    /// What it says.
    pub category: Category,
    /// Since when.
    pub first: Timestamp,
    /// When it said so last.
    pub last: Timestamp,
    /// Up to when it was as good as new: until then it did not age.
    pub held: Timestamp,
    /// How that stands.
    pub state: State,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Listings {
    /// In any order; the same of one source joined.
    pub listings: Vec<Listing>,
    /// The moment of the report, at which the picture ends.
    pub at: Timestamp,
}

impl Listings {
    /// Those of some, one for a source and what it says, in the order of lanes.
    pub fn new(all: impl IntoIterator<Item = Listing>, at: Timestamp) -> Listings {
        let mut joined: BTreeMap<(String, Category), Listing> = BTreeMap::new();
        for one in all {
            let known = joined.entry((one.source.clone(), one.category)).or_insert_with(|| one.clone());
            known.first = known.first.min(one.first);
            known.last = known.last.max(one.last);
            known.held = known.held.max(one.held);
            known.state = known.state.min(one.state);
        }
        let mut listings: Vec<Listing> = joined.into_values().collect();
        listings.sort_by_key(|one| (one.state, one.category.zone(), one.first));
        Listings { listings, at }
    }

    /// The picture; `None` where nothing ever listed it.
    pub fn picture(&self) -> Option<Picture> {
        let from = self.listings.iter().map(|one| one.first).min()?;
        let count = |state: State| self.listings.iter().filter(|one| one.state == state).count() as u64;
        let sources: std::collections::BTreeSet<&str> =
            self.listings.iter().map(|one| one.source.as_str()).collect();
        let told = [
            (count(State::Counts), "listing counts", "listings count"),
            (count(State::Ages), "was taken back and still counts", "were taken back and still count"),
            (count(State::Over), "is over", "are over"),
        ];
        let told = told.into_iter().filter(|(count, ..)| *count > 0);
        let told: Vec<String> = told.map(|(count, one, more)| counted(count, one, more)).collect();
        let mut caption = format!(
            "{} listed it or what covers it since {}: {}.",
            counted(sources.len() as u64, "source", "sources"),
            from.date(),
            told.join(", "),
        );
        if self.listings.iter().any(|one| one.is_ageing(self.at)) {
            caption.push_str(" Striped: since it was last said, it counts less with its age.");
        }
        if self.listings.len() > LANES_MAX {
            caption.push_str(&format!(" {} more are not shown.", self.listings.len() - LANES_MAX));
        }
        let reading = "A bar for each source and what it says, over the time for which it said so; hollow where it is over.";
        let mut drawing = Drawing::new("listings", "Who listed it, and when", reading, 0.0);
        lanes::draw(&mut drawing, &Axis::new(from, self.at), 0.0, &self.lanes());
        let row = |one: &Listing| {
            vec![
                text(&one.source),
                Cell::Words(vec![category(&one.category.to_string())]),
                Cell::Zone(Badge(one.category.zone())),
                day(one.first),
                day(one.last),
                Cell::Text(one.state.word().to_owned()),
            ]
        };
        Some(Picture::new(
            drawing,
            &caption,
            &["Source", "Says", "Zone", "Since", "Last said", "State"],
            self.listings.iter().take(LANES_MAX).map(row).collect(),
        ))
    }

    /// A lane each.
    pub fn lanes(&self) -> Vec<Lane> {
        self.listings.iter().take(LANES_MAX).map(|one| lane(one, self.at)).collect()
    }
}

impl Listing {
    /// Whether it counts, and less than when it was said.
    fn is_ageing(&self, at: Timestamp) -> bool {
        self.state != State::Over && self.held < at
    }
}

fn lane(one: &Listing, at: Timestamp) -> Lane {
    let bar = |from: Timestamp, to: Timestamp, fill: Fill| Bar {
        from,
        to,
        fill,
        title: format!("{}: {} to {}", one.source, from.date(), to.date()),
    };
    let fill = if one.state == State::Over { Fill::Hollow } else { Fill::Solid };
    let mut bars = vec![bar(one.first, one.held, fill)];
    if one.is_ageing(at) {
        bars.push(bar(one.held, at, Fill::Striped));
    }
    Lane {
        label: one.source.clone(),
        note: category(&one.category.to_string()),
        zone: Some(one.category.zone()),
        bars,
    }
}
