//! `UrlGeneralInfo`: the overview of a URL.

use serde::Serialize;

use super::wire::{CategoryWithZone, RelatedReport, categories, categories_with_zone, related_reports};
use super::{OfUrl, Section};
use crate::dossier::UrlDossier;
use crate::store::StoreError;

/// The section.
pub struct UrlGeneralInfo;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// The URL, normalised and without private data.
    url: String,
    /// Its host.
    host: String,
    /// Distinct IPv4 addresses of the host.
    ipv4_count: u64,
    /// Distinct files downloaded from it or accessing it.
    files_count: u64,
    /// Categories of live listings and topical lists.
    categories: Vec<String>,
    /// The same with their zones.
    categories_with_zone: Vec<CategoryWithZone>,
    /// A report on a targeted attacker names it, or a feed lists it as one's.
    has_apt: bool,
    /// Every report that names it, newest first.
    related_apt_reports: Vec<RelatedReport>,
    /// Requests, downloads and accesses of it.
    hits_count: u64,
}

impl Section for UrlGeneralInfo {
    const NAME: &'static str = "UrlGeneralInfo";
    const TITLE: &'static str = "Overview";
    type Of = OfUrl;
    type Body = Body;

    fn answer(about: &UrlDossier<'_>) -> Result<Option<Body>, StoreError> {
        let common = &about.common;
        Ok(Some(Body {
            url: about.shown(),
            host: about.url.host_str().to_owned(),
            ipv4_count: about.ipv4_count()?,
            files_count: common.rounded(about.files_count()?),
            categories: categories(common),
            categories_with_zone: categories_with_zone(common),
            has_apt: common.has_apt()?,
            related_apt_reports: related_reports(common)?,
            hits_count: common.rounded(about.hits()),
        }))
    }
}
