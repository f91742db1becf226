//! What pictures are made of, from what the dossier has read already. Only networks are asked for besides, of a few
//! addresses.

use std::collections::{BTreeMap, HashMap};

use super::Picture;
use super::countries::Countries;
use super::history::{Counterpart, History};
use super::hits::Hits;
use super::hosting::{Names, Networks};
use super::listings::{Listing, Listings, State};
use crate::dossier::Common;
use crate::dossier::rows::AddressRow;
use crate::export::tree::shown;
use crate::export::{defanged, without_links};
use crate::fact;
use crate::indicator::{Indicator, Kind, is_reserved};
use crate::page::cell::Cell;
use crate::sections::{About, attacks_by_country};
use crate::store::{StoreError, Table};
use crate::value::{Timestamp, Zone};
use crate::verdict::EvidenceKind;

/// Of how many addresses of a name the networks are asked for: the most hit.
const NETWORKS_OF_MAX: usize = 50;

type Pictures = Result<Vec<Picture>, StoreError>;

/// The pictures of what a domain, or the host of a URL, resolved to.
pub fn addresses(about: &About<'_>) -> Pictures {
    let list = match about {
        About::Domain(dossier) => dossier.resolutions()?,
        About::Url(dossier) => dossier.resolutions()?,
        About::Address(_) | About::File(_) => return Ok(Vec::new()),
    };
    let common = about.common();
    let mut by_hits: Vec<&AddressRow> = list.rows.iter().collect();
    by_hits.sort_by_key(|row| std::cmp::Reverse(row.hits));
    by_hits.truncate(NETWORKS_OF_MAX);
    let mut networks = HashMap::new();
    let mut shares: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &by_hits {
        networks.insert(row.address, network(common, row)?);
    }
    for row in &by_hits {
        let share = shares.entry(networks.get(&row.address).map_or("", String::as_str)).or_default();
        *share = share.saturating_add(common.rounded(row.hits));
    }
    let named =
        |(name, hits): (&str, u64)| (if name.is_empty() { "unknown network" } else { name }.to_owned(), hits);
    let hosting = Networks {
        networks: shares.into_iter().map(named).collect(),
        addresses: by_hits.len() as u64,
        total: list.total,
    };
    let mut hits = Hits::default();
    list.rows.iter().for_each(|row| hits.add(&row.observed));
    let counterpart = |row: &AddressRow| {
        let text = row.address.to_string();
        Counterpart {
            zone: row.zone,
            label: defanged(&text),
            cell: Cell::indicator(Some(Indicator::Address(row.address)), &text),
            note: networks.get(&row.address).cloned().unwrap_or_default(),
            hits: common.rounded(row.hits),
            first: row.first,
            last: row.last,
        }
    };
    let history = History {
        title: "Addresses over time",
        what: ("address", "addresses"),
        counterparts: list.rows.iter().map(counterpart).collect(),
        total: list.total,
        red: list.red,
        at: common.at,
    };
    let hits = hits.rounded(|count| common.rounded(count)).picture("resolutions");
    Ok(history.picture().into_iter().chain(hits).chain(hosting.picture()).collect())
}

/// An address's network as people name it: `AS64500 EXAMPLE, DE`.
fn network(common: &Common<'_>, row: &AddressRow) -> Result<String, StoreError> {
    if is_reserved(row.address) {
        return Ok("reserved".to_owned());
    }
    let networks = common.networks_of(row.address)?;
    let system = networks.systems.first().map(|(number, names)| match names.first() {
        Some(name) => format!("AS{number} {}", without_links(&shown(name))),
        None => format!("AS{number}"),
    });
    let country = row.country.or(networks.country).map(|country| country.to_string());
    Ok(system.into_iter().chain(country).collect::<Vec<_>>().join(", "))
}

/// The pictures of the names that resolved to an address.
pub fn names(about: &About<'_>) -> Pictures {
    let About::Address(dossier) = about else { return Ok(Vec::new()) };
    let (common, list) = (&dossier.common, dossier.names()?);
    let mut hits = Hits::default();
    common.own.edges(Table::ResolvedBy).iter().for_each(|edge| hits.add(&edge.observed));
    let counterparts = list.rows.iter().map(|row| Counterpart {
        zone: row.zone,
        label: defanged(&row.name),
        cell: Cell::indicator(Indicator::parse_as(Kind::Domain, &row.name).ok(), &row.name),
        note: String::new(),
        hits: common.rounded(row.hits),
        first: row.first,
        last: row.last,
    });
    let history = History {
        title: "Names over time",
        what: ("name", "names"),
        counterparts: counterparts.collect(),
        total: list.total,
        red: list.red,
        at: common.at,
    };
    let of_zone = |zone: Zone| (zone, list.rows.iter().filter(|row| row.zone == zone).count() as u64);
    let hosting = Names {
        zones: Zone::ALL.map(of_zone).to_vec(),
        total: list.total,
        domains: dossier.registrable_domains(),
        is_shared: dossier.is_shared(),
    };
    let hits = hits.rounded(|count| common.rounded(count)).picture("resolutions");
    Ok(history.picture().into_iter().chain(hits).chain(hosting.picture()).collect())
}

/// When a URL was requested.
pub fn requests(about: &About<'_>) -> Pictures {
    let About::Url(dossier) = about else { return Ok(Vec::new()) };
    let mut hits = Hits::default();
    dossier.requested().into_iter().for_each(|observed| hits.add(observed));
    let hits = hits.rounded(|count| dossier.common.rounded(count));
    Ok(hits.picture("requests, downloads and accesses").into_iter().collect())
}

/// When a file was downloaded or contacted something.
pub fn file_hits(about: &About<'_>) -> Pictures {
    let About::File(dossier) = about else { return Ok(Vec::new()) };
    let own = &dossier.common.own;
    let mut hits = Hits::default();
    let edges = own.edges(Table::FileFrom).iter().chain(own.edges(Table::FileAccess));
    edges.for_each(|edge| hits.add(&edge.observed));
    let hits = hits.rounded(|count| dossier.common.rounded(count));
    Ok(hits.picture("downloads and contacts").into_iter().collect())
}

/// The countries that phishing attacked.
pub fn countries(about: &About<'_>) -> Pictures {
    let reports = about.common().phishing()?;
    let attacks = attacks_by_country(&reports);
    let total = reports.iter().fold(0, |sum: u64, report| sum.saturating_add(report.seen.hits));
    Ok(Countries { attacks, total }.picture().into_iter().collect())
}

/// Who listed it, and when.
pub fn listings(about: &About<'_>) -> Pictures {
    Ok(listings_of(about)?.picture().into_iter().collect())
}

/// What lists it and what listed it, of what the reader may see.
pub fn listings_of(about: &About<'_>) -> Result<Listings, StoreError> {
    let common = about.common();
    let snapshot = common.view().snapshot();
    let mut all = Vec::new();
    for found in common.verdict.found.iter().filter(|found| found.kind != EvidenceKind::Related) {
        let one = &found.evidence;
        if snapshot.leaves_out(one.source) {
            continue;
        }
        let is_fresh = found.is_current && one.age_hours == 0;
        let held = if is_fresh { common.at } else { one.last };
        all.push(Listing {
            source: snapshot.shown_source(one.source).to_owned(),
            category: one.category,
            first: one.first,
            last: one.last,
            held: held.max(one.last),
            state: if found.is_current { State::Counts } else { State::Ages },
        });
    }
    for statement in common.own.statements(Table::Listing) {
        let listing: fact::Listing = statement.fact()?;
        let Some(category) = listing.category.filter(|_| !snapshot.leaves_out(statement.source)) else {
            continue;
        };
        let last = ended(&listing, statement.last);
        all.push(Listing {
            source: snapshot.shown_source(statement.source).to_owned(),
            category,
            first: listing.first.unwrap_or(statement.first).min(last),
            last,
            held: last,
            // What still counts stands among the evidence too.
            state: State::Over,
        });
    }
    Ok(Listings::new(all, common.at))
}

/// When a listing was last said, at the latest when it expired.
fn ended(listing: &fact::Listing, last: Timestamp) -> Timestamp {
    let last = listing.last.unwrap_or(last);
    listing.until.map_or(last, |until| last.min(until))
}

/// When the object was first and last seen.
pub fn seen(about: &About<'_>) -> Option<(Timestamp, Timestamp)> {
    match about {
        About::Domain(dossier) => dossier.seen(),
        About::Address(dossier) => dossier.seen(),
        About::Url(dossier) => dossier.seen(),
        About::File(dossier) => dossier.seen(),
    }
}
