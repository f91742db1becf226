//! `IpGeneralInfo`: the overview of an address.

use serde::Serialize;

use super::wire::{
    CategoryWithZone, RelatedReport, Time, categories, categories_with_zone, related_reports, time,
};
use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::store::StoreError;
use crate::value::{CountryCode, ThreatScore};

/// The section.
pub struct IpGeneralInfo;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// Observations of the address.
    hits_count: u64,
    first_seen: Option<Time>,
    /// 0 to 100; none for a reserved address.
    threat_score: Option<ThreatScore>,
    ip: String,
    country_code: Option<CountryCode>,
    /// `Known` or `Reserved`.
    status: &'static str,
    /// Categories of live listings and topical lists.
    categories: Vec<String>,
    /// The same with their zones.
    categories_with_zone: Vec<CategoryWithZone>,
    /// A report on a targeted attacker names it, or a feed lists it as one's.
    has_apt: bool,
    /// Every report that names it, newest first.
    related_apt_reports: Vec<RelatedReport>,
    last_seen: Option<Time>,
    shared_hosting: SharedHosting,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SharedHosting {
    /// So many share it that relation through it says little.
    is_shared: bool,
    /// Distinct registrable domains that resolved to it.
    registrable_domains: u64,
}

impl Section for IpGeneralInfo {
    const NAME: &'static str = "IpGeneralInfo";
    const TITLE: &'static str = "Overview";
    type Of = OfAddress;
    type Body = Body;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Body>, StoreError> {
        let common = &about.common;
        let reserved = about.is_reserved();
        let seen = about.seen();
        Ok(Some(Body {
            hits_count: common.rounded(about.hits()),
            first_seen: time(seen.map(|(first, _)| first)),
            threat_score: (!reserved).then_some(common.verdict.score),
            ip: about.address.to_string(),
            country_code: if reserved { None } else { about.networks()?.country },
            status: if reserved { "Reserved" } else { "Known" },
            categories: categories(common),
            categories_with_zone: categories_with_zone(common),
            has_apt: !reserved && common.has_apt()?,
            related_apt_reports: if reserved { Vec::new() } else { related_reports(common)? },
            last_seen: time(seen.map(|(_, last)| last)),
            shared_hosting: SharedHosting {
                is_shared: !reserved && about.is_shared(),
                registrable_domains: about.registrable_domains(),
            },
        }))
    }
}
