//! `FilesAccessed`: files that accessed the requested domain.

use serde::Serialize;

use super::wire::Time;
use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FilesAccessed;

/// A file.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    /// How often.
    accessed_hits_count: u64,
    /// The same, as some clients spell it.
    access_hits_count: u64,
    md5: String,
    last_seen: Time,
    first_seen: Time,
    /// What it was detected as.
    detection_name: Option<String>,
}

impl Section for FilesAccessed {
    const NAME: &'static str = "FilesAccessed";
    const TITLE: &'static str = "Files that accessed the requested domain";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.accessed()?.rows.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            accessed_hits_count: row.hits,
            access_hits_count: row.hits,
            md5: row.md5.clone(),
            last_seen: Time(row.last),
            first_seen: Time(row.first),
            detection_name: row.detection.clone(),
        });
        Ok(Some(rows.collect()))
    }
}
