//! `Zone`: how dangerous the object is taken to be.

use std::marker::PhantomData;

use super::{Of, Section};
use crate::store::StoreError;
use crate::value::Zone;

/// The section, of reports of any kind.
pub struct ZoneSection<O>(PhantomData<O>);

impl<O: Of> Section for ZoneSection<O> {
    const NAME: &'static str = "Zone";
    const TITLE: &'static str = "Zone";
    type Of = O;
    type Body = Zone;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Zone>, StoreError> {
        Ok(Some(O::common(about).verdict.zone))
    }
}
