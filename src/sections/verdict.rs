//! `Verdict`: why the object is in its zone, so that it can be redone by hand.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::{Time, time};
use super::{Of, Section};
use crate::dossier::Common;
use crate::fact::Action;
use crate::store::StoreError;
use crate::value::{ThreatScore, Zone};
use crate::verdict::{Confidence, Counter, Found, Match};

/// The section, of reports of any kind.
pub struct VerdictSection<O>(PhantomData<O>);

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    policy: PolicyName,
    /// The moment that the answer is for: the hour now, or the end of what a past day could know.
    as_of: Time,
    zone: Zone,
    threat_score: ThreatScore,
    confidence: Confidence,
    /// All evidence, the largest contribution first.
    evidence: Vec<Evidence>,
    /// What speaks against it.
    benign: Vec<Benign>,
    /// The zone that somebody set.
    pin: Option<Pin>,
    /// What is worth knowing besides.
    notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyName {
    name: String,
    version: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evidence {
    source: String,
    /// When the source's state was last found to hold.
    source_version: Option<String>,
    kind: &'static str,
    indicator: String,
    r#match: Match,
    category: String,
    zone: Zone,
    first_seen: Time,
    last_seen: Time,
    until: Option<Time>,
    weight: f64,
    source_confidence: f64,
    /// Days.
    age: f64,
    /// Days.
    lifetime: Option<u32>,
    speed: f64,
    decay: f64,
    factor: f64,
    contribution: f64,
    /// The source that it was counted with, where it did not count itself.
    counted_with: Option<String>,
    reference: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Benign {
    source: String,
    indicator: String,
    r#match: Match,
    action: Action,
    cap: Option<u8>,
    reason: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pin {
    zone: Zone,
    reason: Option<String>,
    by: String,
    expires: Option<Time>,
}

impl<O: Of> Section for VerdictSection<O> {
    const NAME: &'static str = "Verdict";
    const TITLE: &'static str = "Why";
    type Of = O;
    type Body = Body;

    fn answer(about: &O::Dossier<'_>) -> Result<Option<Body>, StoreError> {
        let common = O::common(about);
        let verdict = &common.verdict;
        let policy = common.judge.policy();
        let references = O::references(about)?;
        let evidence = verdict.found.iter().map(|found| {
            let key = (found.evidence.source, found.indicator.clone());
            evidence(common, found, references.get(&key).cloned())
        });
        Ok(Some(Body {
            policy: PolicyName { name: policy.name.clone(), version: policy.version.clone() },
            as_of: Time(common.view().as_of().map_or(common.judge.hour(), |(_, telemetry)| telemetry)),
            zone: verdict.zone,
            threat_score: verdict.score,
            confidence: verdict.confidence(),
            evidence: evidence.collect(),
            benign: verdict.benign.iter().map(|one| benign(common, one)).collect(),
            pin: pin(common)?,
            notes: O::notes(about)?,
        }))
    }
}

fn evidence(common: &Common<'_>, found: &Found, reference: Option<String>) -> Evidence {
    let name = |source: u16| common.view().snapshot().source_name(source).to_owned();
    let one = &found.evidence;
    let with = one.counted_with.and_then(|at| common.verdict.found.get(at));
    Evidence {
        source: name(one.source),
        source_version: Some(one.last.to_string()),
        kind: if found.is_file { "file" } else { "listing" },
        indicator: found.indicator.clone(),
        r#match: one.matched,
        category: one.category.to_string(),
        zone: one.category.zone(),
        first_seen: Time(one.first),
        last_seen: Time(one.last),
        until: time(one.until),
        weight: one.weight,
        source_confidence: one.confidence,
        age: one.age_hours as f64 / 24.0,
        lifetime: one.lifetime_days,
        speed: one.speed,
        decay: one.decay,
        factor: one.factor,
        contribution: one.contribution,
        counted_with: with.map(|with| name(with.evidence.source)),
        reference,
    }
}

fn benign(common: &Common<'_>, one: &Counter) -> Benign {
    let topic = one.category.map(|category| category.to_string());
    let rank = one.rank.map(|rank| format!("rank {rank} of popular names"));
    Benign {
        source: common.view().snapshot().source_name(one.source).to_owned(),
        indicator: one.indicator.clone(),
        r#match: one.matched,
        action: one.effect.action,
        cap: one.effect.cap,
        reason: rank.or_else(|| one.list.clone()).or(topic),
    }
}

fn pin(common: &Common<'_>) -> Result<Option<Pin>, StoreError> {
    let Some(found) = common.verdict.pin else { return Ok(None) };
    let mut newest = None;
    for statement in common.own.statements(crate::store::Table::Pin) {
        let fact: crate::fact::Pin = statement.fact()?;
        let since = fact.observed.unwrap_or(statement.last);
        if since == found.since && fact.zone == found.zone {
            newest = Some(Pin {
                zone: fact.zone,
                reason: Some(fact.reason),
                by: fact.by,
                expires: time(fact.expires),
            });
        }
    }
    Ok(newest)
}
