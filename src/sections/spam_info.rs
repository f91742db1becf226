//! `hostSpamInfo` and `IPSpamInfo`: spam that the object sent or advertised.

use serde::Serialize;

use super::wire::{Time, time};
use super::{OfAddress, OfDomain, Section};
use crate::dossier::{AddressDossier, Common, DomainDossier};
use crate::store::StoreError;

/// The section of a domain.
pub struct HostSpamInfo;
/// The section of an address.
pub struct IpSpamInfo;

/// What it says.
#[derive(Serialize)]
pub struct Body {
    spam_attacks: u64,
    /// The share of spam in all mail seen from it, 0 to 1; of several reports the newest.
    spam_ratio: Option<f64>,
    last_attack_date: Option<Time>,
    spam_attack_types: Vec<String>,
}

fn body(common: &Common<'_>) -> Result<Body, StoreError> {
    let mut reports = common.spam()?;
    reports.sort_by_key(|report| report.seen.last);
    let mut types: Vec<String> = reports.iter().flat_map(|report| report.types.iter().cloned()).collect();
    types.sort();
    types.dedup();
    Ok(Body {
        spam_attacks: reports.iter().fold(0, |sum, report| sum.saturating_add(report.seen.hits)),
        spam_ratio: reports.iter().rev().find_map(|report| report.ratio),
        last_attack_date: time(reports.last().map(|report| report.seen.last)),
        spam_attack_types: types,
    })
}

impl Section for HostSpamInfo {
    const NAME: &'static str = "hostSpamInfo";
    const TITLE: &'static str = "Spam attacks";
    type Of = OfDomain;
    type Body = Body;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Body>, StoreError> {
        body(&about.common).map(Some)
    }
}

impl Section for IpSpamInfo {
    const NAME: &'static str = "IPSpamInfo";
    const TITLE: &'static str = "Spam attacks";
    type Of = OfAddress;
    type Body = Body;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Body>, StoreError> {
        body(&about.common).map(Some)
    }
}
