//! Ranges of addresses that a store knows, networks and listings of networks: those above a range, those inside it, and
//! those of an autonomous system. The hot indexes hold them all, in the order of their first address.

use super::StoreError;
use super::hot::{Hot, Kind, Probe};
use super::run::Run;
use super::snapshot::{Hit, View};
use crate::indicator::{AddressRange, to_u128};

/// Ranges with what says something of them; several entries of one range stand beside each other.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    /// In order of addresses, the wider first.
    pub found: Vec<(AddressRange, Hit)>,
    /// There are more than were asked for: the first of each run were taken.
    pub is_cut: bool,
}

impl View {
    /// The ranges that hold all of a range, itself too.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn ranges_above(&self, range: &AddressRange) -> Result<Ranges, StoreError> {
        let mut hits = Vec::new();
        self.covering(range.first(), &mut |hit| hits.push(hit))?;
        let mut found = Vec::new();
        for hit in hits {
            found.extend(
                self.range_of(&hit)?.filter(|known| known.contains(range.last())).map(|at| (at, hit)),
            );
        }
        Ok(Ranges::ordered(found, false))
    }

    /// The ranges that lie inside a range, itself not; at most `max` of each run.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn ranges_inside(&self, range: &AddressRange, max: usize) -> Result<Ranges, StoreError> {
        let (mut found, mut is_cut) = (Vec::new(), false);
        for (index, run, hot) in self.hot_indexes() {
            let start = first_from(hot, range)?;
            for at in start..hot.bound_count() {
                if at - start >= max {
                    is_cut = true;
                    break;
                }
                let Some(known) = hot.bounds(at as u32)? else { continue };
                if to_u128(known.first()) > to_u128(range.last()) {
                    break;
                }
                if range.contains(known.last()) && known != *range && !is_forgotten(run, &known) {
                    self.hit(index, Some(at as u32), hot.range_entry(at as u32)?, &mut |hit| {
                        found.push((known, hit))
                    });
                }
            }
        }
        Ok(Ranges::ordered(found, is_cut))
    }

    /// The networks that an autonomous system announces, at most `max` of each run.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn ranges_of_system(&self, asn: u32, max: usize) -> Result<Ranges, StoreError> {
        let (mut found, mut is_cut) = (Vec::new(), false);
        for (index, run, hot) in self.hot_indexes() {
            let mut places = Vec::new();
            hot.networks_of(asn, &mut |at| places.push(at))?;
            is_cut |= places.len() > max;
            for at in places.into_iter().take(max) {
                let Some(known) = hot.bounds(at)?.filter(|known| !is_forgotten(run, known)) else { continue };
                self.hit(index, Some(at), hot.range_entry(at)?, &mut |hit| found.push((known, hit)));
            }
        }
        Ok(Ranges::ordered(found, is_cut))
    }

    fn hot_indexes(&self) -> impl Iterator<Item = (usize, &Run, &Hot)> {
        let runs = self.snapshot().runs().iter().enumerate();
        runs.filter_map(|(index, run)| Some((index, &**run, run.hot.as_ref()?)))
    }
}

/// Whether a range is an address that is forgotten.
fn is_forgotten(run: &Run, range: &AddressRange) -> bool {
    range.first() == range.last() && run.hides(&Probe::Address(range.first()))
}

impl Ranges {
    fn ordered(mut found: Vec<(AddressRange, Hit)>, is_cut: bool) -> Ranges {
        // What a source no longer says of a network is no network.
        found.retain(|(_, hit)| hit.entry.kind != Kind::Network || hit.is_current());
        found.sort_by_key(|(range, _)| (range.first(), std::cmp::Reverse(range.last())));
        Ranges { found, is_cut }
    }

    /// The ranges, each once.
    pub fn distinct(&self, wanted: impl Fn(&Hit) -> bool) -> Vec<AddressRange> {
        let mut ranges: Vec<AddressRange> =
            self.found.iter().filter(|(_, hit)| wanted(hit)).map(|(range, _)| *range).collect();
        ranges.dedup();
        ranges
    }
}

/// The position of the first range that does not begin before another.
fn first_from(hot: &Hot, range: &AddressRange) -> Result<usize, StoreError> {
    let (mut low, mut high) = (0, hot.bound_count());
    while low < high {
        let middle = low.midpoint(high);
        let is_before =
            hot.bounds(middle as u32)?.is_some_and(|known| to_u128(known.first()) < to_u128(range.first()));
        if is_before { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
