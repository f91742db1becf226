//! `DataFeeds`: the feeds of the report's masks, of a file those that list it. Left out when there are none.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::{Of, Section};
use crate::store::StoreError;

/// The section, of reports of any kind.
pub struct DataFeeds<O>(PhantomData<O>);

impl<O: Of> Section for DataFeeds<O> {
    const NAME: &'static str = "DataFeeds";
    const TITLE: &'static str = "Data Feeds";
    type Of = O;
    type Body = BTreeSet<String>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<BTreeSet<String>>, StoreError> {
        let feeds = O::feeds(about)?;
        Ok((!feeds.is_empty()).then_some(feeds))
    }
}
