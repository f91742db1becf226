//! `DomainDnsResolutions`: addresses that the domain, or a URL's host, resolved to, through aliases
//! too.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::{Time, peak_date};
use super::{Section, Web};
use crate::dossier::rows::Counts;
use crate::indicator::is_reserved;
use crate::store::StoreError;
use crate::value::{CountryCode, ThreatScore, Zone};

/// The section.
pub struct DomainDnsResolutions<O>(PhantomData<O>);

/// An address. Zone, score, country and status are the address's; hits, times and peak those of the pair.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    ip: String,
    country_code: Option<CountryCode>,
    status: &'static str,
    hits_count: u64,
    first_seen: Time,
    last_seen: Time,
    /// The most sightings in one UTC day.
    daily_peak: u64,
    /// That day; of equal ones the last.
    peak_date: Time,
    threat_score: ThreatScore,
    /// The aliases on the way.
    via: Vec<String>,
    /// The peak is hits over days, not counted.
    peak_is_estimate: bool,
}

impl<O: Web> Section for DomainDnsResolutions<O> {
    const NAME: &'static str = "DomainDnsResolutions";
    const TITLE: &'static str = "DNS resolutions for domain";
    type Of = O;
    type Body = Vec<Row>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = O::resolutions(about)?.rows.iter().take(O::common(about).count).map(|row| Row {
            zone: row.zone,
            ip: row.address.to_string(),
            country_code: row.country.filter(|_| !is_reserved(row.address)),
            status: if is_reserved(row.address) { "Reserved" } else { "Known" },
            hits_count: O::common(about).rounded(row.hits),
            first_seen: Time(row.first),
            last_seen: Time(row.last),
            daily_peak: O::common(about).rounded(row.peak.hits),
            peak_date: peak_date(&row.peak),
            threat_score: row.score,
            via: row.via.clone(),
            peak_is_estimate: !row.peak.exact,
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &O::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(O::resolutions(about)?.counts()))
    }
}
