//! `FilesDownloadedFromIp`: files related to the address.

use serde::Serialize;

use super::wire::Time;
use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FilesDownloadedFromIp;

/// A file and where it was downloaded.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    /// How often; 0 for a file that accessed the address.
    download_hits_count: u64,
    md5: String,
    last_seen: Time,
    first_seen: Time,
    /// What it was detected as.
    detection_name: Option<String>,
    /// The URL downloaded or accessed, or the address.
    url: String,
}

impl Section for FilesDownloadedFromIp {
    const NAME: &'static str = "FilesDownloadedFromIp";
    const TITLE: &'static str = "Files related to IP address";
    type Of = OfAddress;
    type Body = Vec<Row>;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.files()?.rows.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            download_hits_count: about.common.rounded(row.hits),
            md5: row.md5.clone(),
            last_seen: Time(row.last),
            first_seen: Time(row.first),
            detection_name: row.detection.clone(),
            url: row.url.clone().unwrap_or_else(|| about.address.to_string()),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &AddressDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.files()?.counts()))
    }
}
