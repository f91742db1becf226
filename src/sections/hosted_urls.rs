//! `HostedUrls`: URLs of names that resolved to the address while they were seen, and URLs that contain it.

use serde::Serialize;

use super::wire::Time;
use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct HostedUrls;

/// A URL.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    /// How often it was requested.
    url_hits_count: u64,
    url: String,
    /// Private data was taken out of the URL.
    is_url_truncated: bool,
    first_seen: Time,
    last_seen: Time,
}

impl Section for HostedUrls {
    const NAME: &'static str = "HostedUrls";
    const TITLE: &'static str = "Hosted URLs";
    type Of = OfAddress;
    type Body = Vec<Row>;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.urls()?.rows.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            url_hits_count: about.common.rounded(row.hits),
            url: row.url.clone(),
            is_url_truncated: row.is_truncated,
            first_seen: Time(row.first),
            last_seen: Time(row.last),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &AddressDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(about.urls()?.counts()))
    }
}
