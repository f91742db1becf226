//! `RelatedObjects`: whether anything that the report lists is Red.

use std::marker::PhantomData;

use serde::Serialize;

use super::{Of, Section};
use crate::store::StoreError;

/// The section, of reports of any kind.
pub struct RelatedObjects<O>(PhantomData<O>);

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// Some row is Red, counted before rows are cut.
    has_red_zone: bool,
}

impl<O: Of> Section for RelatedObjects<O> {
    const NAME: &'static str = "RelatedObjects";
    const TITLE: &'static str = "Related objects";
    type Of = O;
    type Body = Body;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Body>, StoreError> {
        Ok(Some(Body { has_red_zone: O::has_red_zone(about)? }))
    }
}
