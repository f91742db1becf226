//! `UrlReferrals` and `UrlReferredTo`: URLs on other hosts that refer to the domain, and that it refers to; of a
//! URL also those on its own host.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::Time;
use super::{Section, Web};
use crate::dossier::rows::{Counts, List, UrlRow};
use crate::store::StoreError;
use crate::value::Zone;

/// The section of those that refer to it.
pub struct UrlReferrals<O>(PhantomData<O>);
/// The section of those that it refers to.
pub struct UrlReferredTo<O>(PhantomData<O>);

/// A URL.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    zone: Zone,
    last_seen: Time,
    url: String,
    /// Private data was taken out of the URL.
    is_url_truncated: bool,
}

fn rows(list: &List<UrlRow>, count: usize) -> Vec<Row> {
    let row = |row: &UrlRow| Row {
        zone: row.zone,
        last_seen: Time(row.last),
        url: row.url.clone(),
        is_url_truncated: row.is_truncated,
    };
    list.rows.iter().take(count).map(row).collect()
}

impl<O: Web> Section for UrlReferrals<O> {
    const NAME: &'static str = "UrlReferrals";
    const TITLE: &'static str = "Referrals to domain";
    type Of = O;
    type Body = Vec<Row>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        Ok(Some(rows(O::referrals(about)?, O::common(about).count)))
    }

    fn counts(about: &O::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(O::referrals(about)?.counts()))
    }
}

impl<O: Web> Section for UrlReferredTo<O> {
    const NAME: &'static str = "UrlReferredTo";
    const TITLE: &'static str = "Domain referred to the following URLs";
    type Of = O;
    type Body = Vec<Row>;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        Ok(Some(rows(O::referred_to(about)?, O::common(about).count)))
    }

    fn counts(about: &O::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(Some(O::referred_to(about)?.counts()))
    }
}
