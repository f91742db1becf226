//! `Verdict`: why the object is in its zone, so that it can be redone by hand.

use std::marker::PhantomData;

use serde::Serialize;

use super::wire::{Time, time};
use super::{Of, Section};
use crate::dossier::Common;
use crate::fact::{self, Action};
use crate::people::REASON_CHARS_MAX;
use crate::store::{StoreError, Table};
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::{Confidence, Counter, EvidenceKind, Found, Match};

/// How many reports of a false positive stand in the notes: the newest.
const REPORTS_MAX: usize = 10;

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
    kind: EvidenceKind,
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
        let snapshot = common.view().snapshot();
        let shown = verdict.found.iter().filter(|found| !snapshot.leaves_out(found.evidence.source));
        let evidence = shown.map(|found| {
            let key = (found.evidence.source, found.indicator.clone());
            let reference = references.get(&key).filter(|_| !snapshot.is_restricted(found.evidence.source));
            evidence(common, found, reference.cloned())
        });
        Ok(Some(Body {
            policy: PolicyName { name: policy.name.clone(), version: policy.version.clone() },
            as_of: Time(common.view().as_of().map_or(common.judge.hour(), |(_, telemetry)| telemetry)),
            zone: verdict.zone,
            threat_score: verdict.score,
            confidence: verdict.confidence(),
            evidence: evidence.collect(),
            benign: (verdict.benign.iter())
                .filter(|one| !snapshot.leaves_out(one.source))
                .map(|one| benign(common, one))
                .collect(),
            pin: pin(common)?,
            notes: O::notes(about)?.into_iter().chain(false_positives(common)?).collect(),
        }))
    }
}

fn evidence(common: &Common<'_>, found: &Found, reference: Option<String>) -> Evidence {
    let name = |source: u16| common.view().snapshot().shown_source(source).to_owned();
    let one = &found.evidence;
    let with = one.counted_with.and_then(|at| common.verdict.found.get(at));
    Evidence {
        source: name(one.source),
        source_version: Some(one.last.to_string()),
        kind: found.kind,
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
    // The list's name would name its source.
    let is_restricted = common.view().snapshot().is_restricted(one.source);
    let topic = one.category.map(|category| category.to_string());
    let rank = one.rank.map(|rank| format!("rank {rank} of popular names"));
    Benign {
        source: common.view().snapshot().shown_source(one.source).to_owned(),
        indicator: one.indicator.clone(),
        r#match: one.matched,
        action: one.effect.action,
        cap: one.effect.cap,
        reason: rank.or_else(|| one.list.clone().filter(|_| !is_restricted)).or(topic),
    }
}

fn pin(common: &Common<'_>) -> Result<Option<Pin>, StoreError> {
    let Some(found) = common.verdict.pin else { return Ok(None) };
    // Of one moment and zone the one that ends first counts, as the judge has it.
    let mut counts: Option<fact::Pin> = None;
    let lasts = |pin: &fact::Pin| pin.expires.unwrap_or(Timestamp::RECORD_MAX);
    for statement in common.own.statements(Table::Pin).filter(|one| one.is_current()) {
        let fact: fact::Pin = statement.fact()?;
        let is_found = (fact.observed.unwrap_or(statement.last), fact.zone) == (found.since, found.zone);
        if is_found && counts.as_ref().is_none_or(|known| lasts(&fact) < lasts(known)) {
            counts = Some(fact);
        }
    }
    Ok(counts.map(|fact| Pin {
        zone: fact.zone,
        reason: Some(fact.reason),
        by: fact.by,
        expires: time(fact.expires),
    }))
}

/// Who reported the object as a false positive: it changes no score, and is worth knowing.
fn false_positives(common: &Common<'_>) -> Result<Vec<String>, StoreError> {
    let mut reports = Vec::new();
    for statement in common.own.statements(Table::FalsePositive).filter(|one| one.is_current()) {
        let fact: fact::FalsePositive = statement.fact()?;
        reports.push((fact.observed.unwrap_or(statement.last), fact.by, fact.reason));
    }
    reports.retain(|(at, ..)| *at <= common.at);
    reports.sort_by(|a, b| (b.0, &b.1, &b.2).cmp(&(a.0, &a.1, &a.2)));
    let more = reports.len().saturating_sub(REPORTS_MAX);
    let shown = reports.iter().take(REPORTS_MAX).map(|(at, by, reason)| {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        format!("Reported as false positive by {by} on {}: {reason}", at.date())
    });
    let more = (more > 0).then(|| format!("Reported as false positive {more} times more"));
    Ok(shown.chain(more).collect())
}
