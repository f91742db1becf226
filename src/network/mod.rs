//! Networks and autonomous systems: what they are, how much of them is listed, the worst in them, and the names that
//! lead there.
//!
//! The work on a network of any size is bounded by the figures below; what was left out for that an answer says. The
//! same answer comes from the same data, however fast the machine is.

use serde::Serialize;

use crate::indicator::{AddressRange, Asn, special_purpose_name};
use crate::lookup::{Context, LookupError};
use crate::store::hot::Kind;
use crate::store::ranges::Ranges;
use crate::store::{StoreError, View};
use crate::unknown::{self, Asked};
use crate::value::{Category, CountryCode, ThreatScore, Timestamp, Zone};
use crate::verdict::Judge;

mod described;
mod gather;

pub use described::NetworkRow;
pub(crate) use described::describe;
use gather::Gather;

/// The most networks that are shown above a network, and inside it or of an autonomous system.
pub const NETWORKS_SHOWN: usize = 200;

/// The most networks that are counted.
pub const NETWORKS_MAX: usize = 50_000;

/// The most addresses and names that are shown as the worst.
pub const WORST_MAX: usize = 50;

/// The most names that are shown.
pub const NAMES_SHOWN: usize = 1_000;

/// What a network or an autonomous system is asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A range of addresses.
    Network(AddressRange),
    /// An autonomous system.
    System(Asn),
}

/// What is known of a network or an autonomous system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    /// The network, `192.0.2.0/24` or `192.0.2.0-192.0.2.9`; of an autonomous system `AS4837`.
    pub subject: String,
    /// The moment.
    pub at: Timestamp,
    /// How many addresses there are; `None`: more than 2^53.
    pub addresses: Option<u64>,
    /// How many of them are of IPv4.
    pub ipv4_addresses: u64,
    /// What it is reserved for (IANA): its first and its last address alike.
    pub special_purpose: Option<&'static str>,
    /// The autonomous systems that announce it, of the narrowest network first; of an autonomous system itself.
    pub systems: Vec<System>,
    /// The country of the narrowest network that it is in and that names one; of an autonomous system those of its
    /// networks, by their codes.
    pub countries: Vec<CountryCode>,
    /// Whose it is, in the order of the networks.
    pub holders: Vec<String>,
    /// Networks that hold all of it, itself too, the widest first; at most [`NETWORKS_SHOWN`].
    pub networks_above: Vec<NetworkRow>,
    /// Networks inside it, of an autonomous system its networks, in order of addresses; at most [`NETWORKS_SHOWN`].
    pub networks_inside: Vec<NetworkRow>,
    /// How many networks are inside it; at most [`NETWORKS_MAX`] of each import are counted.
    pub networks_inside_count: u64,
    /// How much of it is listed.
    pub density: Density,
    /// The worst addresses, and names that resolve into it, by score; at most [`WORST_MAX`].
    pub worst: Vec<Neighbour>,
    /// How many names resolve into it. Of addresses with thousands of names it is an estimate within a hundredth.
    pub names_count: u64,
    /// The names, by zone, then hits; at most [`NAMES_SHOWN`].
    pub names: Vec<Name>,
    /// Something was not looked at, because there is too much of it.
    pub truncated: bool,
    /// What, and the bound.
    pub left_out: Vec<String>,
}

/// An autonomous system and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// Its number.
    pub asn: Asn,
    /// Its names, as several sources give them.
    pub names: Vec<String>,
}

/// How much of a network is listed. What is listed by its own address or network counts, not what a listed network
/// happens to hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Density {
    /// Addresses of which something is known: observed, listed, or said by somebody.
    pub known: u64,
    /// Addresses that some source lists now.
    pub listed: u64,
    /// Of all addresses of which something is known, 0 to 1.
    pub listed_share: f64,
    /// Networks inside it, itself too, that some source lists now.
    pub networks_listed: u64,
    /// The same by the zone of their verdict, the worst first; zones of nothing are left out.
    pub zones: Vec<ZoneCount>,
    /// The same by what they are listed as, the worst first.
    pub categories: Vec<CategoryCount>,
}

/// Listed addresses and networks of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ZoneCount {
    /// The zone.
    pub zone: Zone,
    /// Addresses.
    pub addresses: u64,
    /// Networks.
    pub networks: u64,
}

/// Listed addresses and networks of a category. What is of several counts for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// Its zone.
    pub zone: Zone,
    /// Addresses.
    pub addresses: u64,
    /// Networks.
    pub networks: u64,
}

/// An address of a network, or a name that resolves into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// `ip` or `domain`.
    pub kind: crate::indicator::Kind,
    /// The address or name.
    pub indicator: String,
    /// Its zone.
    pub zone: Zone,
    /// Its score.
    pub score: ThreatScore,
    /// What it is listed as.
    pub categories: Vec<Category>,
}

/// A name that resolves into a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    /// Its zone.
    pub zone: Zone,
    /// The name.
    pub name: String,
    /// How often it was seen to resolve into the network.
    pub hits: u64,
    /// When that was first seen.
    pub first_seen: Timestamp,
    /// When last.
    pub last_seen: Timestamp,
}

/// What is known of a network or an autonomous system, now or as of a past moment.
///
/// # Errors
///
/// [`LookupError::Unknown`] where nothing is known of it, [`LookupError::Store`] where the store cannot answer.
pub fn overview(
    context: &Context<'_>,
    subject: &Subject,
    as_of: Option<Timestamp>,
) -> Result<Overview, LookupError> {
    let view = context.snapshot()?.view(as_of);
    let at = as_of.unwrap_or(context.now);
    let judge = Judge::new(&view, context.policy, at);
    let (above, inside) = networks(&view, subject)?;
    let ranges = match subject {
        Subject::Network(range) => vec![*range],
        Subject::System(_) => disjoint(inside.distinct(|hit| hit.entry.kind == Kind::Network)),
    };
    let mut gather = Gather::new(&judge, &ranges);
    if inside.is_cut {
        gather.leave_out(format!("networks beyond the first {NETWORKS_MAX} of an import"));
    }
    gather.networks(&above, &inside, subject)?;
    gather.addresses()?;
    gather.names()?;
    let is_known = !above.found.is_empty() || !inside.found.is_empty() || gather.known > 0;
    let overview = gather.finish(subject, at)?;
    if !is_known {
        return Err(LookupError::Unknown(Box::new(asked(&view, subject, at))));
    }
    Ok(overview)
}

/// The networks above a subject, itself too, and those inside it.
fn networks(view: &View, subject: &Subject) -> Result<(Ranges, Ranges), StoreError> {
    match subject {
        Subject::Network(range) => Ok((view.ranges_above(range)?, view.ranges_inside(range, NETWORKS_MAX)?)),
        Subject::System(asn) => Ok((Ranges::default(), view.ranges_of_system(asn.0, NETWORKS_MAX)?)),
    }
}

/// Ranges in order of addresses as such that have no address in common.
pub(crate) fn disjoint(ranges: Vec<AddressRange>) -> Vec<AddressRange> {
    let mut disjoint: Vec<AddressRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match disjoint.last_mut() {
            Some(last) if last.contains(range.first()) => {
                let end = last.last().max(range.last());
                *last = AddressRange::new(last.first(), end).unwrap_or(*last);
            }
            _ => disjoint.push(range),
        }
    }
    disjoint
}

/// What was asked of what nothing is known of.
fn asked(view: &View, subject: &Subject, at: Timestamp) -> Asked {
    let (first, indicator) = match subject {
        Subject::Network(range) => (range.first(), text(range)),
        Subject::System(asn) => (std::net::Ipv4Addr::UNSPECIFIED.into(), format!("addresses of {asn}")),
    };
    Asked { indicator, ..unknown::of_object(&crate::indicator::Indicator::Address(first), view, at) }
}

/// A range as a prefix, where it is one.
pub fn text(range: &AddressRange) -> String {
    match &range.prefixes()[..] {
        [prefix] => prefix.to_string(),
        _ => range.to_string(),
    }
}

impl Subject {
    /// What it is called.
    fn text(&self) -> String {
        match self {
            Subject::Network(range) => text(range),
            Subject::System(asn) => asn.to_string(),
        }
    }

    fn special_purpose(&self) -> Option<&'static str> {
        match self {
            Subject::Network(range) => {
                let name = special_purpose_name(range.first());
                name.filter(|_| name == special_purpose_name(range.last()))
            }
            Subject::System(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_overlap_become_one() {
        let ranges =
            |texts: &[&str]| texts.iter().map(|text| AddressRange::parse(text).unwrap()).collect::<Vec<_>>();
        let found = disjoint(ranges(&["10.0.0.0/8", "10.1.0.0/16", "10.255.0.0-11.0.0.9", "12.0.0.0/8"]));
        assert_eq!(found, ranges(&["10.0.0.0-11.0.0.9", "12.0.0.0/8"]));
    }
}
