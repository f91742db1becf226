//! `hostPhishingInfo` and `IPPhishingInfo`: phishing that the object served.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::wire::{Time, text, time};
use super::{OfAddress, OfDomain, Section};
use crate::dossier::{AddressDossier, Common, DomainDossier};
use crate::fact::PhishingReport;
use crate::store::StoreError;
use crate::value::CountryCode;

/// The section of a domain.
pub struct HostPhishingInfo;
/// The section of an address.
pub struct IpPhishingInfo;

/// The most regions that are named.
const REGIONS_MAX: usize = 10;

/// What it says.
#[derive(Serialize)]
pub struct Body {
    phishing_attacks: u64,
    last_attack_date: Option<Time>,
    /// Countries whose people were attacked, the most attacked first.
    regions: Vec<CountryCode>,
    phish_kit: Option<String>,
    stolen_data_type: Vec<String>,
    attacked_industry: Option<String>,
    attacked_organization: Option<String>,
}

/// How many attacks there were on people of each country, the most attacked first.
pub fn attacks_by_country(reports: &[PhishingReport]) -> Vec<(CountryCode, u64)> {
    let mut attacks: BTreeMap<CountryCode, u64> = BTreeMap::new();
    for report in reports {
        for region in &report.regions {
            let hits = attacks.entry(*region).or_default();
            *hits = hits.saturating_add(report.seen.hits);
        }
    }
    let mut attacks: Vec<(CountryCode, u64)> = attacks.into_iter().collect();
    attacks.sort_by_key(|(region, hits)| (Reverse(*hits), *region));
    attacks
}

fn body(common: &Common<'_>) -> Result<Body, StoreError> {
    let mut reports = common.phishing()?;
    reports.sort_by_key(|report| report.seen.last);
    let regions = attacks_by_country(&reports).into_iter().map(|(region, _)| region).take(REGIONS_MAX);
    let mut stolen: Vec<String> =
        reports.iter().flat_map(|report| report.stolen_data.iter().cloned()).collect();
    stolen.sort();
    stolen.dedup();
    let newest = |field: fn(&PhishingReport) -> &Option<String>| {
        reports.iter().rev().find_map(|report| text(field(report)).map(str::to_owned))
    };
    Ok(Body {
        phishing_attacks: reports.iter().fold(0, |sum, report| sum.saturating_add(report.seen.hits)),
        last_attack_date: time(reports.last().map(|report| report.seen.last)),
        regions: regions.collect(),
        phish_kit: newest(|report| &report.kit),
        stolen_data_type: stolen,
        attacked_industry: newest(|report| &report.industry),
        attacked_organization: newest(|report| &report.organization),
    })
}

impl Section for HostPhishingInfo {
    const NAME: &'static str = "hostPhishingInfo";
    const TITLE: &'static str = "Phishing attacks";
    type Of = OfDomain;
    type Body = Body;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Body>, StoreError> {
        body(&about.common).map(Some)
    }
}

impl Section for IpPhishingInfo {
    const NAME: &'static str = "IPPhishingInfo";
    const TITLE: &'static str = "Phishing attacks";
    type Of = OfAddress;
    type Body = Body;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Body>, StoreError> {
        body(&about.common).map(Some)
    }
}
