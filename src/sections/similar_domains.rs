//! `hostSimilarDomains`: known names that look like the domain.

use serde::Serialize;

use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct SimilarDomains;

/// A name.
#[derive(Serialize)]
pub struct Row {
    zone: Zone,
    domain: String,
    /// When it was registered: a date.
    registration: Option<String>,
    /// When that runs out: a date.
    expiration: Option<String>,
    /// Port 80 answered when it was last tried.
    http_open: Option<bool>,
    /// Port 443 did.
    https_open: Option<bool>,
    /// How it was found.
    technique: &'static str,
    /// Edit distance of the two labels.
    distance: usize,
}

impl Section for SimilarDomains {
    const NAME: &'static str = "hostSimilarDomains";
    const TITLE: &'static str = "Similar domains";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.similar()?.into_iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            domain: row.domain.clone(),
            registration: row.created.map(|at| at.date()),
            expiration: row.expires.map(|at| at.date()),
            http_open: row.http_open,
            https_open: row.https_open,
            technique: row.technique(),
            distance: row.distance,
        });
        Ok(Some(rows.collect()))
    }
}
