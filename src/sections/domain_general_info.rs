//! `DomainGeneralInfo`: the overview of a domain.

use serde::Serialize;

use super::wire::{
    CategoryWithZone, RelatedReport, Time, categories, categories_with_zone, related_reports, time,
};
use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::store::StoreError;
use crate::value::ThreatScore;

/// The section.
pub struct DomainGeneralInfo;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// Distinct files downloaded from it or accessing it.
    files_count: u64,
    /// Distinct URLs on it and below.
    urls_count: u64,
    /// Distinct related addresses.
    hits_count: u64,
    /// The domain.
    domain: String,
    /// Distinct related IPv4 addresses.
    ipv4_count: u64,
    /// Categories of live listings and topical lists.
    categories: Vec<String>,
    /// The same with their zones.
    categories_with_zone: Vec<CategoryWithZone>,
    /// A report on a targeted attacker names it, or a feed lists it as one's.
    has_apt: bool,
    /// Every report that names it, newest first.
    related_apt_reports: Vec<RelatedReport>,
    /// Of the files, those that are Red.
    malicious_files_count: u64,
    /// Of the URLs, those that are Red.
    malicious_urls_count: u64,
    /// 0 to 100.
    threat_score: ThreatScore,
    /// When it was first observed or listed.
    first_seen: Option<Time>,
    /// When it last was.
    last_seen: Option<Time>,
    /// The domain in Unicode.
    unicode_domain: String,
    /// Its best rank in a list of popular names.
    popularity: Option<u32>,
}

impl Section for DomainGeneralInfo {
    const NAME: &'static str = "DomainGeneralInfo";
    const TITLE: &'static str = "Overview";
    type Of = OfDomain;
    type Body = Body;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Body>, StoreError> {
        let common = &about.common;
        let (files_count, malicious_files_count) = about.file_counts()?;
        let (urls_count, malicious_urls_count) = about.url_counts()?;
        let seen = about.seen();
        Ok(Some(Body {
            files_count: common.rounded(files_count),
            urls_count: common.rounded(urls_count),
            hits_count: about.resolutions()?.total,
            domain: about.name.as_str().to_owned(),
            ipv4_count: about.ipv4_count()?,
            categories: categories(common),
            categories_with_zone: categories_with_zone(common),
            has_apt: common.has_apt()?,
            related_apt_reports: related_reports(common)?,
            malicious_files_count: common.rounded(malicious_files_count),
            malicious_urls_count: common.rounded(malicious_urls_count),
            threat_score: common.verdict.score,
            first_seen: time(seen.map(|(first, _)| first)),
            last_seen: time(seen.map(|(_, last)| last)),
            unicode_domain: about.name.unicode(),
            popularity: about.popularity(),
        }))
    }
}
