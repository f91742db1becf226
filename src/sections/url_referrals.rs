//! `UrlReferrals` and `UrlReferredTo`: URLs on other hosts that refer to the domain, and that it refers to.

use serde::Serialize;

use super::wire::Time;
use super::{OfDomain, Section};
use crate::dossier::DomainDossier;
use crate::dossier::rows::{List, UrlRow};
use crate::store::StoreError;
use crate::value::Zone;

/// The section of those that refer to it.
pub struct UrlReferrals;
/// The section of those that it refers to.
pub struct UrlReferredTo;

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

impl Section for UrlReferrals {
    const NAME: &'static str = "UrlReferrals";
    const TITLE: &'static str = "Referrals to domain";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        Ok(Some(rows(about.referrals()?, about.common.count)))
    }
}

impl Section for UrlReferredTo {
    const NAME: &'static str = "UrlReferredTo";
    const TITLE: &'static str = "Domain referred to the following URLs";
    type Of = OfDomain;
    type Body = Vec<Row>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        Ok(Some(rows(about.referred_to()?, about.common.count)))
    }
}
