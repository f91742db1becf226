//! Who hosts: of a domain the share of each network in its resolutions, of an address the zones of its names.

use super::bars::{self, BARS_MAX, Bar, percent};
use super::drawing::Drawing;
use super::{Picture, counted, text};
use crate::page::cell::Cell;
use crate::page::{Badge, thousands};
use crate::value::Zone;

/// The networks that a name resolved into.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// Each with the hits of the name in it, in any order.
    pub networks: Vec<(String, u64)>,
    /// How many addresses were looked at.
    pub addresses: u64,
    /// How many there are in all.
    pub total: u64,
}

/// The names on an address.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// How many of those that the report lists are of each zone.
    pub zones: Vec<(Zone, u64)>,
    /// How many names there are in all.
    pub total: u64,
    /// How many registrable domains they have.
    pub domains: u64,
    /// Whether those are so many that what is on the address says little of a name on it.
    pub is_shared: bool,
}

impl Networks {
    /// The picture; `None` where there are not at least two networks: then each row says the same.
    pub fn picture(&self) -> Option<Picture> {
        let mut networks = self.networks.clone();
        networks.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        if networks.len() < 2 {
            return None;
        }
        let all = networks.iter().fold(0_u64, |sum, (_, hits)| sum.saturating_add(*hits));
        let others = networks.split_off(networks.len().min(BARS_MAX));
        let (first, most) = networks.first()?.clone();
        let count = (networks.len() + others.len()) as u64;
        let mut caption = format!(
            "{} of the hits are in {first}; {} in all.",
            percent(most, all),
            counted(count, "network", "networks")
        );
        if self.total > self.addresses {
            let (looked, total) = (thousands(self.addresses), thousands(self.total));
            caption.push_str(&format!(" By the {looked} most hit of {total} addresses."));
        }
        if !others.is_empty() {
            let label = counted(others.len() as u64, "other network", "other networks");
            networks.push((label, others.iter().fold(0, |sum, (_, hits)| sum.saturating_add(*hits))));
        }
        let bar = |(label, hits): &(String, u64)| Bar {
            label: label.clone(),
            count: *hits,
            told: percent(*hits, all),
            zone: None,
        };
        let reading = "A bar for each network, as long as its share of the hits of all resolutions.";
        let mut drawing = Drawing::new("hosting", "Where it is hosted", reading, 0.0);
        bars::draw(&mut drawing, &networks.iter().map(bar).collect::<Vec<_>>());
        let row = |(label, hits): (String, u64)| {
            vec![text(&label), Cell::Number(thousands(hits)), Cell::Text(percent(hits, all))]
        };
        Some(Picture::new(
            drawing,
            &caption,
            &["Network", "Hits", "Share"],
            networks.into_iter().map(row).collect(),
        ))
    }
}

impl Names {
    /// The picture; `None` where there are fewer than two names.
    pub fn picture(&self) -> Option<Picture> {
        let listed = self.zones.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        if self.total < 2 || listed < 2 {
            return None;
        }
        let names = counted(self.total, "name", "names");
        let domains = counted(self.domains, "registrable domain", "registrable domains");
        let mut caption = format!("{names} of {domains}.");
        if self.is_shared {
            caption.push_str(" This is shared hosting: what one name does says little of the others.");
        }
        if self.total > listed {
            caption.push_str(&format!(" Shown are the {} that the report lists.", thousands(listed)));
        }
        let zones: Vec<(Zone, u64)> = self.zones.iter().copied().filter(|(_, count)| *count > 0).collect();
        let bar = |(zone, count): &(Zone, u64)| Bar {
            label: format!("{} {zone}", Badge(*zone).symbol()),
            count: *count,
            told: format!("{} · {}", thousands(*count), percent(*count, listed)),
            zone: Some(*zone),
        };
        let reading = "A bar for each zone, as long as the names in it are many.";
        let mut drawing = Drawing::new("hosting", "Names by zone", reading, 0.0);
        bars::draw(&mut drawing, &zones.iter().map(bar).collect::<Vec<_>>());
        let row = |(zone, count): &(Zone, u64)| {
            vec![
                Cell::Zone(Badge(*zone)),
                Cell::Number(thousands(*count)),
                Cell::Text(percent(*count, listed)),
            ]
        };
        let rows = zones.iter().map(row).collect();
        Some(Picture::new(drawing, &caption, &["Zone", "Names", "Share"], rows))
    }
}
