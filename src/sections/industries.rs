//! `Industries`: those that the related reports name.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::{Of, Section};
use crate::store::StoreError;

/// The section, of reports of any kind.
pub struct Industries<O>(PhantomData<O>);

impl<O: Of> Section for Industries<O> {
    const NAME: &'static str = "Industries";
    const TITLE: &'static str = "Industries";
    type Of = O;
    type Body = BTreeSet<String>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<BTreeSet<String>>, StoreError> {
        let reports = O::common(about).publications()?;
        let named = reports.iter().flat_map(|report| &report.industries).map(|name| name.trim().to_owned());
        Ok(Some(named.filter(|name| !name.is_empty()).collect()))
    }
}
