//! Whose people phishing attacked: a bar a country.

use super::bars::{self, BARS_MAX, Bar, percent};
use super::drawing::Drawing;
use super::{Picture, counted};
use crate::page::cell::Cell;
use crate::page::thousands;
use crate::value::CountryCode;

/// Attacks by country. An attack on people of several countries counts for each.
#[derive(Clone, Debug, Default)]
pub struct Countries {
    /// The countries with how many attacks there were, the most attacked first.
    pub attacks: Vec<(CountryCode, u64)>,
    /// How many attacks there were in all.
    pub total: u64,
}

impl Countries {
    /// The picture; `None` where no country is known.
    pub fn picture(&self) -> Option<Picture> {
        let shown = &self.attacks[..self.attacks.len().min(BARS_MAX)];
        let (first, hits) = shown.first()?;
        let mut caption = format!(
            "{} on people of {}, most of all of {first}: {}.",
            counted(self.total, "attack", "attacks"),
            counted(self.attacks.len() as u64, "country", "countries"),
            percent(*hits, self.total),
        );
        if self.attacks.len() > shown.len() {
            caption.push_str(&format!(" Shown are the {} most attacked.", shown.len()));
        }
        let mut drawing = Drawing::new(
            "countries",
            "Countries attacked",
            "A bar for each country, as long as the attacks on its people are many.",
            0.0,
        );
        let bar = |(country, hits): &(CountryCode, u64)| Bar {
            label: country.to_string(),
            count: *hits,
            told: format!("{} · {}", thousands(*hits), percent(*hits, self.total)),
            zone: None,
        };
        bars::draw(&mut drawing, &shown.iter().map(bar).collect::<Vec<_>>());
        let row = |(country, hits): &(CountryCode, u64)| {
            vec![Cell::Text(country.to_string()), Cell::Number(thousands(*hits))]
        };
        Some(Picture::new(drawing, &caption, &["Country", "Attacks"], shown.iter().map(row).collect()))
    }
}
