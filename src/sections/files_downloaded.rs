//! `FilesDownloaded`: files downloaded from the requested domain or URL, one row a file.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::Time;
use super::{Section, Web};
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FilesDownloaded<O>(PhantomData<O>);

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

impl<O: Web> Section for FilesDownloaded<O> {
    const NAME: &'static str = "FilesDownloaded";
    const TITLE: &'static str = "Files downloaded from requested domain";
    type Of = O;
    type Body = Vec<Row>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = O::downloaded(about)?.rows.iter().take(O::common(about).count).map(|row| Row {
            zone: row.zone,
            downloaded_hits_count: O::common(about).rounded(row.hits),
            download_hits_count: O::common(about).rounded(row.hits),
            md5: row.md5.clone(),
            last_seen: Time(row.last),
            first_seen: Time(row.first),
            detection_name: row.detection.clone(),
            url: row.url.clone().unwrap_or_default(),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &O::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(O::downloaded(about)?.counts()))
    }
}
