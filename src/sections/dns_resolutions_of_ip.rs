//! `IpDnsResolutions`: names that resolved to the address, through aliases too.

use serde::Serialize;

use super::wire::{Time, peak_date};
use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::dossier::rows::Counts;
use crate::indicator::DomainName;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct IpDnsResolutions;

/// A name. Zone and categories are the domain's; hits, times and peak those of the pair.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    domain: String,
    first_seen: Time,
    last_seen: Time,
    hits_count: u64,
    /// The most sightings in one UTC day.
    daily_peak: u64,
    /// That day; of equal ones the last.
    peak_date: Time,
    categories: Vec<String>,
    /// The peak is hits over days, not counted.
    peak_is_estimate: bool,
}

impl Section for IpDnsResolutions {
    const NAME: &'static str = "IpDnsResolutions";
    const TITLE: &'static str = "DNS resolutions for IP address";
    type Of = OfAddress;
    type Body = Vec<Row>;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let mut rows = Vec::new();
        for row in about.names()?.rows.iter().take(about.common.count) {
            let categories = match DomainName::from_store(&row.name) {
                Some(name) => about.common.judge.domain(&name)?.categories(),
                None => Vec::new(),
            };
            rows.push(Row {
                zone: row.zone,
                domain: row.name.clone(),
                first_seen: Time(row.first),
                last_seen: Time(row.last),
                hits_count: about.common.rounded(row.hits),
                daily_peak: about.common.rounded(row.peak.hits),
                peak_date: peak_date(&row.peak),
                categories: categories.iter().map(ToString::to_string).collect(),
                peak_is_estimate: !row.peak.exact,
            });
        }
        Ok(Some(rows))
    }

    fn counts(about: &AddressDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.names()?.counts()))
    }
}
