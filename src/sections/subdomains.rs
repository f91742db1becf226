//! `Subdomains`: known names below the domain, at any depth.

use serde::Serialize;

use super::wire::Time;
use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct Subdomains;

/// A name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    subdomain: String,
    /// Distinct URLs on it and below.
    urls_count: u64,
    /// Distinct files downloaded from it or accessing it.
    files_count: u64,
    first_seen: Time,
}

impl Section for Subdomains {
    const NAME: &'static str = "Subdomains";
    const TITLE: &'static str = "Subdomains";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.subdomains()?.rows.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            subdomain: row.name.clone(),
            urls_count: about.common.rounded(row.urls),
            files_count: about.common.rounded(row.files),
            first_seen: Time(row.first),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &DomainDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.subdomains()?.counts()))
    }
}
