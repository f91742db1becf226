//! `FeedMasks` of an address: masks that cover or lie on it or on a name that resolves to it, and networks
//! that hold it.

use serde::Serialize;

use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FeedMasks;

/// A mask.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    /// The zone in words.
    status: &'static str,
    normalized_mask: String,
    feed_names: Vec<String>,
    mask_type: &'static str,
}

impl Section for FeedMasks {
    const NAME: &'static str = "FeedMasks";
    const TITLE: &'static str = "URL masks";
    type Of = OfAddress;
    type Body = Vec<Row>;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.masks()?.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            status: row.zone.word(),
            normalized_mask: row.mask.with_port().into_owned(),
            feed_names: row.feeds.iter().cloned().collect(),
            mask_type: row.mask.mask_type().as_str(),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &AddressDossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(crate::dossier::mask_counts(about.masks()?)))
    }
}
