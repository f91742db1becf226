//! `FilesDownloaded`: files downloaded from the requested domain, one row a file.

use serde::Serialize;

use super::wire::Time;
use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FilesDownloaded;

/// A file.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    /// How often.
    downloaded_hits_count: u64,
    /// The same, as some clients spell it.
    download_hits_count: u64,
    md5: String,
    last_seen: Time,
    first_seen: Time,
    /// What it was detected as.
    detection_name: Option<String>,
    /// The URL that it was last downloaded from.
    url: String,
}

impl Section for FilesDownloaded {
    const NAME: &'static str = "FilesDownloaded";
    const TITLE: &'static str = "Files downloaded from requested domain";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.downloaded()?.rows.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            downloaded_hits_count: row.hits,
            download_hits_count: row.hits,
            md5: row.md5.clone(),
            last_seen: Time(row.last),
            first_seen: Time(row.first),
            detection_name: row.detection.clone(),
            url: row.url.clone().unwrap_or_else(|| about.name.as_str().to_owned()),
        });
        Ok(Some(rows.collect()))
    }
}
