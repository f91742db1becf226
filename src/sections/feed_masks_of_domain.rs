//! `FeedMasks` of a domain: masks that cover it, and those whose host is the domain or below it; of a URL
//! those that cover it.

use std::marker::PhantomData;

use serde::Serialize;

use super::{Section, Web};
use crate::dossier::rows::Counts;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FeedMasks<O>(PhantomData<O>);

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

impl<O: Web> Section for FeedMasks<O> {
    const NAME: &'static str = "FeedMasks";
    const TITLE: &'static str = "URL masks";
    type Of = O;
    type Body = Vec<Row>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = O::masks(about)?.iter().take(O::common(about).count).map(|row| Row {
            zone: row.zone,
            normalized_mask: row.mask.with_port().into_owned(),
            feed_names: row.feeds.iter().cloned().collect(),
            r#type: row.mask.mask_type().as_str(),
            mask_type: row.mask.mask_type().as_str(),
        });
        Ok(Some(rows.collect()))
    }

    fn counts(about: &O::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(crate::dossier::mask_counts(O::masks(about)?)))
    }
}
