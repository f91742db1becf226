//! `FeedMasks` of a domain: masks that cover it, and those whose host is the domain or below it.

use serde::Serialize;

use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FeedMasks;

/// A mask.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    normalized_mask: String,
    feed_names: Vec<String>,
    r#type: &'static str,
    /// The same, as some clients spell it.
    mask_type: &'static str,
}

impl Section for FeedMasks {
    const NAME: &'static str = "FeedMasks";
    const TITLE: &'static str = "URL masks";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.masks()?.iter().take(about.common.count).map(|row| Row {
            zone: row.zone,
            normalized_mask: row.mask.with_port().into_owned(),
            feed_names: row.feeds.iter().cloned().collect(),
            r#type: row.mask.mask_type().as_str(),
            mask_type: row.mask.mask_type().as_str(),
        });
        Ok(Some(rows.collect()))
    }
}
