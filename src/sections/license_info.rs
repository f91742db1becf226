//! `LicenseInfo`: licence and quota.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::{Time, time};
use super::{Of, Section};
use crate::store::StoreError;

/// The section, of reports of any kind.
pub struct LicenseInfo<O>(PhantomData<O>);

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// Bought or on trial.
    access_type: &'static str,
    /// Lookups today, this one included; the day is UTC.
    day_requests: u64,
    /// Lookups allowed a day.
    day_quota: u64,
    /// When the token runs out.
    token_expiration_date: Option<Time>,
}

impl<O: Of> Section for LicenseInfo<O> {
    const NAME: &'static str = "LicenseInfo";
    const TITLE: &'static str = "Licence";
    type Of = O;
    type Body = Body;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Body>, StoreError> {
        let licence = O::common(about).licence;
        Ok(Some(Body {
            access_type: licence.access_type,
            day_requests: licence.day_requests,
            day_quota: licence.day_quota,
            token_expiration_date: time(licence.token_expires),
        }))
    }
}
