//! `FileDownloadedFromUrls` and `FileAccessedUrls`: where a file came from, and what it contacted once run.

use serde::Serialize;

use super::wire::Time;
use super::{OfFile, Section};
use crate::dossier::rows::Counts;
use crate::dossier::rows::UrlRow;
use crate::dossier::{Common, FileDossier};
use crate::store::StoreError;
use crate::value::Zone;

/// The section of where it came from.
pub struct FileDownloadedFromUrls;
/// The section of what it contacted.
pub struct FileAccessedUrls;

/// A URL; or a host, where no URL is known.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Place {
    zone: Zone,
    url: String,
    /// The host of the URL.
    domain: String,
    first_seen: Time,
    last_seen: Time,
    /// The same as the last.
    last_download_date: Time,
}

/// Where it came from.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct From {
    #[serde(flatten)]
    place: Place,
    download_hits_count: u64,
}

/// What it contacted.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct To {
    #[serde(flatten)]
    place: Place,
    access_hits_count: u64,
}

/// The places of a list, each with its hits as they are shown.
fn places(common: &Common<'_>, rows: &[UrlRow]) -> impl Iterator<Item = (Place, u64)> {
    rows.iter().take(common.count).map(|row| {
        let host = row.url.split(['/', '?']).next().unwrap_or_default();
        let place = Place {
            zone: row.zone,
            url: row.url.clone(),
            domain: host.to_owned(),
            first_seen: Time(row.first),
            last_seen: Time(row.last),
            last_download_date: Time(row.last),
        };
        (place, common.rounded(row.hits))
    })
}

impl Section for FileDownloadedFromUrls {
    const NAME: &'static str = "FileDownloadedFromUrls";
    const TITLE: &'static str = "File downloaded from URLs";
    type Of = OfFile;
    type Body = Vec<From>;

    fn answer(about: &FileDossier<'_>) -> Result<Option<Vec<From>>, StoreError> {
        let rows = places(&about.common, &about.downloaded_from()?.rows);
        Ok(Some(rows.map(|(place, download_hits_count)| From { place, download_hits_count }).collect()))
    }

    fn counts(about: &FileDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.downloaded_from()?.counts()))
    }
}

impl Section for FileAccessedUrls {
    const NAME: &'static str = "FileAccessedUrls";
    const TITLE: &'static str = "URLs that the file accessed";
    type Of = OfFile;
    type Body = Vec<To>;

    fn answer(about: &FileDossier<'_>) -> Result<Option<Vec<To>>, StoreError> {
        let rows = places(&about.common, &about.accessed()?.rows);
        Ok(Some(rows.map(|(place, access_hits_count)| To { place, access_hits_count }).collect()))
    }

    fn counts(about: &FileDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.accessed()?.counts()))
    }
}
