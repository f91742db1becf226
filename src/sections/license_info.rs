//! `LicenseInfo`: licence and quota.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::{Time, time};
use super::{Of, Section};
use crate::lookup::Licence;
use crate::store::StoreError;

/// Its name on the wire.
pub const NAME: &str = "LicenseInfo";

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

impl From<&Licence> for Body {
    fn from(licence: &Licence) -> Body {
        Body {
            access_type: licence.access_type,
            day_requests: licence.day_requests,
            day_quota: licence.day_quota,
            token_expiration_date: time(licence.token_expires),
        }
    }
}

impl<O: Of> Section for LicenseInfo<O> {
    const NAME: &'static str = NAME;
    const TITLE: &'static str = "Licence";
    type Of = O;
    type Body = Body;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Body>, StoreError> {
        Ok(Some(Body::from(O::common(about).licence)))
    }
}
