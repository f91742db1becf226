//! How a verdict came about, step by step, so that a person can follow it with a pocket calculator.
//!
//! Every figure is one that the judge itself computed: nothing is worked out a second time here.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::fact::Action;
use crate::indicator::{Indicator, Kind};
use crate::lookup::Context;
use crate::store::{Store, StoreError};
use crate::value::{CATEGORIES, Category, ThreatScore, Timestamp, Zone};
use crate::verdict::policy::place::line_of;
use crate::verdict::score::{ORANGE_MAX, RELATED_SCORE_MAX, Steps, YELLOW_MAX};
use crate::verdict::{Confidence, Judge, Match, Policy, Verdict};

/// A verdict and how it came about.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What it is of.
    pub indicator: String,
    /// Of which kind that is.
    pub kind: Kind,
    /// The policy's name.
    pub policy: String,
    /// The policy's version.
    pub policy_version: String,
    /// The hour that ages were taken at.
    pub hour: Timestamp,
    /// The zone.
    pub zone: Zone,
    /// The score.
    pub score: ThreatScore,
    /// How much it rests on.
    pub confidence: Confidence,
    /// All evidence, the largest contribution first.
    pub evidence: Vec<EvidenceRow>,
    /// From the evidence to the zone.
    pub steps: Vec<Step>,
}

/// A piece of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceRow {
    /// Who says it.
    pub source: String,
    /// What it says.
    pub category: Category,
    /// The zone of that.
    pub zone: Zone,
    /// What it lists.
    pub indicator: String,
    /// How that matched.
    pub r#match: Match,
    /// Days since it was last said.
    pub age: f64,
    /// Weight of category and source.
    pub weight: f64,
    /// How far the source is believed.
    pub source_confidence: f64,
    /// What age leaves of it.
    pub decay: f64,
    /// What the match is worth.
    pub factor: f64,
    /// The product of the four.
    pub contribution: f64,
    /// The source that it was counted with, where it did not count itself.
    pub counted_with: Option<String>,
}

/// A step from the evidence to the zone.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What is computed.
    pub step: String,
    /// What comes out: a figure, or a zone.
    pub value: String,
    /// From what, or why.
    pub why: String,
}

/// Explains the verdict on an indicator, now or as of a past moment.
///
/// # Errors
///
/// Where the store cannot answer.
pub fn explain(
    context: &Context<'_>,
    indicator: &Indicator,
    as_of: Option<Timestamp>,
) -> Result<Explanation, StoreError> {
    let view = context.snapshot()?.view(as_of);
    let judge = Judge::new(&view, context.policy, as_of.unwrap_or(context.now));
    let verdict = judge.indicator(indicator)?;
    let name = |source: u16| view.snapshot().shown_source(source).to_owned();
    let evidence = verdict.found.iter().map(|found| {
        let one = &found.evidence;
        EvidenceRow {
            source: name(one.source),
            category: one.category,
            zone: one.category.zone(),
            indicator: found.indicator.clone(),
            r#match: one.matched,
            age: one.age_hours as f64 / 24.0,
            weight: one.weight,
            source_confidence: one.confidence,
            decay: one.decay,
            factor: one.factor,
            contribution: one.contribution,
            counted_with: one
                .counted_with
                .and_then(|at| verdict.found.get(at))
                .map(|with| name(with.evidence.source)),
        }
    });
    Ok(Explanation {
        indicator: indicator.to_string(),
        kind: indicator.kind(),
        policy: context.policy.name.clone(),
        policy_version: context.policy.version.clone(),
        hour: judge.hour(),
        zone: verdict.zone,
        score: verdict.score,
        confidence: verdict.confidence(),
        evidence: evidence.collect(),
        steps: steps(&verdict, &name),
    })
}

/// A figure as steps show it.
fn figure(value: f64) -> String {
    format!("{value:.4}")
}

/// The steps in words.
fn steps(verdict: &Verdict, name: &impl Fn(u16) -> String) -> Vec<Step> {
    let Steps { strengths, before_caps, after_caps, rounded, .. } = verdict.steps;
    let step = |step: &str, value: String, why: String| Step { step: step.to_owned(), value, why };
    let product = |zones: &[Zone]| {
        let counted = verdict.found.iter().map(|found| &found.evidence);
        let factors: Vec<String> = counted
            .filter(|one| one.counted && zones.contains(&one.category.zone()))
            .map(|one| format!("(1 − {:.6})", one.contribution))
            .collect();
        match factors.is_empty() {
            true => "no evidence of it counts".to_owned(),
            false => format!("100 × (1 − {})", factors.join(" × ")),
        }
    };
    let held = |zones: &[Zone], max: f64| format!("{}; at most {max} of it", product(zones));
    let red_orange = [Zone::Red, Zone::Orange];
    let all = [Zone::Red, Zone::Orange, Zone::Yellow];
    let mut steps = vec![
        step("S(Red)", figure(strengths.red), product(&[Zone::Red])),
        step("S(Red, Orange)", figure(strengths.orange), held(&red_orange, ORANGE_MAX)),
        step("S(Red, Orange, Yellow)", figure(strengths.yellow), held(&all, YELLOW_MAX)),
        step("greatest", figure(strengths.greatest()), "of the three, each at its most".to_owned()),
    ];
    if let Some(limit) = verdict.steps.related_limit {
        let why =
            format!("related evidence lifts it to {} at most, which the rest may exceed", RELATED_SCORE_MAX);
        steps.push(step("related", figure(limit), why));
        steps.push(step("before caps", figure(before_caps), "held down by that".to_owned()));
    }
    for one in &verdict.benign {
        let topic = one.category.map(|category| category.to_string());
        let rank = one.rank.map(|rank| format!("rank {rank} of popular names"));
        let reason = rank.or_else(|| one.list.clone()).or(topic).unwrap_or_default();
        let why = format!("{} has {}: {reason}", name(one.source), one.indicator);
        let (what, value) = match one.effect.action {
            Action::Suppress => ("suppress", "0".to_owned()),
            Action::Cap => ("cap", one.effect.cap.map_or(String::new(), |cap| cap.to_string())),
            Action::Annotate => ("annotate", "–".to_owned()),
        };
        steps.push(step(what, value, why.trim_end_matches(": ").to_owned()));
    }
    if verdict.steps.suppressed || verdict.steps.cap.is_some() {
        let why = "held down by what speaks against it".to_owned();
        steps.push(step("after caps", figure(after_caps), why));
    }
    steps.push(step("rounded", rounded.to_string(), "once, half up".to_owned()));
    if let Some(pin) = verdict.pin {
        let until = pin.until.map_or(String::new(), |until| format!(", until {until}"));
        let why = format!("set by a person since {}{until}: the score moves into its range", pin.since);
        steps.push(step("pin", pin.zone.to_string(), why));
    }
    steps.push(step("score", verdict.score.0.to_string(), "as reports show it".to_owned()));
    steps.push(step("zone", verdict.zone.to_string(), zone_why(verdict)));
    steps
}

/// Why a score is in its zone.
fn zone_why(verdict: &Verdict) -> String {
    if verdict.pin.is_some() {
        return "the pin's".to_owned();
    }
    match verdict.zone {
        Zone::Red => "75 to 100",
        Zone::Orange => "50 to 74",
        Zone::Yellow => "1 to 49, and evidence of a Yellow category counts",
        Zone::Green => "0, and a list of harmless things speaks for it",
        Zone::Grey if verdict.score.0 > 0 => "below 50, and no evidence of a Yellow category counts",
        Zone::Grey => "0, and nothing speaks for it",
    }
    .to_owned()
}

/// What a policy says of things that the store does not have: sources that nothing is from, categories that
/// nothing is listed as. Each a sentence, with its line in the text of the policy.
///
/// # Errors
///
/// Damage in the store.
pub fn without_effect(policy: &Policy, text: &str, store: &Store) -> Result<Vec<String>, StoreError> {
    let snapshot = store.snapshot()?;
    let stored: BTreeSet<&str> = snapshot.batches().iter().map(|batch| batch.source.as_str()).collect();
    let names = stored.iter().copied().collect::<Vec<_>>().join(", ");
    let names =
        if names.is_empty() { "nothing was imported yet".to_owned() } else { format!("stored are {names}") };
    let mut warnings = Vec::new();
    for (source, own) in &policy.sources {
        let path = |key: &[&str]| {
            [&["sources", source], key].concat().iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()
        };
        let mut warn = |path: Vec<String>, named: &str| {
            if !stored.contains(named) {
                let line = line_of(text, &path).map_or(String::new(), |line| format!("line {line}, "));
                warnings
                    .push(format!("{line}{}: no stored source is named {named:?}: {names}", path.join(".")));
            }
        };
        warn(path(&[]), source);
        if let Some(origin) = &own.derived_from {
            warn(path(&["derived_from"]), origin);
        }
    }
    let (listed, topics) = snapshot.categories()?;
    for (what, named, used) in [
        ("categories", policy.categories.keys().collect::<Vec<_>>(), listed),
        ("topics", policy.topics.keys().collect(), topics),
    ] {
        let has = |name: &str| {
            CATEGORIES.iter().position(|(known, _)| *known == name).is_some_and(|at| used.contains(&at))
        };
        let unused: Vec<&str> = named.iter().map(|name| name.as_str()).filter(|name| !has(name)).collect();
        if !unused.is_empty() {
            warnings.push(format!("{what}: no stored source has {}", unused.join(", ")));
        }
    }
    Ok(warnings)
}
