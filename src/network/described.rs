//! What is said of one network: by whoever registers it, and by whoever lists it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::fact::{Listing, Network};
use crate::indicator::{AddressRange, Asn};
use crate::store::{ObjectKey, StoreError, Table};
use crate::value::{Category, CountryCode, Zone};
use crate::verdict::Judge;

/// A network, with what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NetworkRow {
    /// `192.0.2.0/24`, or `192.0.2.0-192.0.2.9` where that is no prefix.
    pub network: String,
    /// Its name (`netname`).
    pub name: Option<String>,
    /// Whose it is.
    pub holder: Option<String>,
    /// The country it is used in or registered to.
    pub country: Option<CountryCode>,
    /// The autonomous system that announces it.
    pub asn: Option<Asn>,
    /// The name of that autonomous system.
    pub as_name: Option<String>,
    /// The worst zone of what it is listed as; `None`: no source lists it now.
    pub zone: Option<Zone>,
    /// What it is listed as.
    pub categories: Vec<Category>,
    /// Who lists it.
    pub sources: Vec<String>,
}

/// What is said of a network. Of several sources the one that said it last comes first.
///
/// # Errors
///
/// Damage in the store.
pub(crate) fn describe(judge: &Judge<'_>, range: &AddressRange) -> Result<NetworkRow, StoreError> {
    let view = judge.view();
    let object = view.object(&ObjectKey::network(range))?;
    let mut row = NetworkRow { network: super::text(range), ..NetworkRow::default() };
    let mut facts = Vec::new();
    for statement in object.statements(Table::Network).filter(|one| one.is_current()) {
        let fact: Network = statement.fact()?;
        let at = fact.observed.unwrap_or(statement.last).max(statement.first);
        facts.push((Reverse(at), view.snapshot().source_name(statement.source), fact));
    }
    facts.sort_by_key(|(at, source, _)| (*at, *source));
    for (_, _, fact) in facts {
        let holder = holder(&fact);
        row.name = row.name.or(fact.name);
        row.holder = row.holder.or(holder);
        row.country = row.country.or(fact.country);
        row.asn = row.asn.or(fact.asn);
        row.as_name = row.as_name.or(fact.as_name);
    }
    row.country = match row.country {
        Some(code) => Some(code),
        None => country(judge, range)?,
    };
    let (mut categories, mut sources) = (BTreeSet::new(), BTreeSet::new());
    for statement in object.statements(Table::Listing) {
        let Some((zone, _)) = judge.listing_zone(statement)? else { continue };
        let listing: Listing = statement.fact()?;
        row.zone = Some(row.zone.map_or(zone, |known| known.min(zone)));
        categories.extend(listing.category.map(|category| (category.zone(), category.index())));
        sources.insert(view.snapshot().shown_source(statement.source).to_owned());
    }
    row.categories = categories.into_iter().filter_map(|(_, index)| Category::from_index(index)).collect();
    row.sources = sources.into_iter().collect();
    Ok(row)
}

/// The country of the narrowest network that holds all of a range and names one: systems and countries often come in
/// files of their own.
///
/// # Errors
///
/// Damage in the store.
pub(super) fn country(judge: &Judge<'_>, range: &AddressRange) -> Result<Option<CountryCode>, StoreError> {
    Ok(judge.view().ranges_above(range)?.found.iter().rev().find_map(|(_, hit)| hit.country()))
}

/// Whose a network is: an organisation before a person, else the first line of its description.
fn holder(fact: &Network) -> Option<String> {
    let organization = fact.contacts.iter().find_map(|contact| contact.organization.clone());
    let person = || fact.contacts.iter().find_map(|contact| contact.name.clone());
    organization.or_else(person).or_else(|| fact.description.first().cloned())
}
