//! What changed of an object, and why: between two moments, and over all time.
//!
//! Nothing of this is stored. A past verdict is judged anew from what was known then, by the same judge that
//! judges now, so what is said here is what a lookup as of that moment said.

use serde::Serialize;
use utoipa::ToSchema;

use crate::fact;
use crate::indicator::Indicator;
use crate::store::{ObjectKey, Snapshot, StoreError, Table, View};
use crate::value::{Category, Timestamp, Zone};
use crate::verdict::{Counter, EvidenceKind, Found, PinFound, Verdict};

pub mod diff;
pub mod rows;
pub mod timeline;

/// Something that changed between two verdicts on an object.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// What of it.
    pub what: What,
    /// How.
    pub change: How,
    /// The source, where it is one's.
    pub source: Option<String>,
    /// What the source lists.
    pub indicator: Option<String>,
    /// As what.
    pub category: Option<Category>,
    /// The same for a person.
    pub text: String,
}

/// What of a verdict changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChangeWhat)]
pub enum What {
    /// A piece of evidence.
    Evidence,
    /// A benign entry.
    Benign,
    /// The zone that a person set.
    Pin,
    /// Nothing but the age of evidence.
    Age,
}

/// How it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChangeHow)]
pub enum How {
    /// It is there now and was not before.
    Came,
    /// It was there and is no longer.
    Went,
    /// It is there and was, otherwise than before.
    Changed,
}

/// The pins that an object ever had: who set which, and why.
pub struct Pins(Vec<(Timestamp, Zone, String)>);

impl Pins {
    /// Those that a view knows.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn of(view: &View, indicator: &Indicator) -> Result<Pins, StoreError> {
        let object = view.table(&ObjectKey::indicator(indicator), Table::Pin)?;
        let pin = |statement: &crate::store::Statement| {
            let pin: fact::Pin = statement.fact()?;
            let since = pin.observed.unwrap_or(statement.last);
            Ok((since, pin.zone, format!("{}: {}", pin.by, pin.reason)))
        };
        object.statements(Table::Pin).map(pin).collect::<Result<_, StoreError>>().map(Pins)
    }

    /// Who set a pin, and why.
    fn told(&self, found: PinFound) -> &str {
        let same = |pin: &&(Timestamp, Zone, String)| (pin.0, pin.1) == (found.since, found.zone);
        self.0.iter().find(same).map_or("a person", |pin| &pin.2)
    }
}

/// What changed from one verdict to a later one, whose moment is `at`. Age alone is no change here.
pub fn changes(
    snapshot: &Snapshot,
    pins: &Pins,
    before: &Verdict,
    after: &Verdict,
    at: Timestamp,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let same = |a: &Found, b: &Found| {
        (a.evidence.source, a.evidence.category, a.evidence.matched, &a.indicator)
            == (b.evidence.source, b.evidence.category, b.evidence.matched, &b.indicator)
    };
    let mut evidence = |change: How, found: &Found, text: String| {
        changes.push(Change {
            what: What::Evidence,
            change,
            source: Some(snapshot.shown_source(found.evidence.source).to_owned()),
            indicator: Some(found.indicator.clone()),
            category: Some(found.evidence.category),
            text: format!("{}: {text}", said(snapshot, found)),
        });
    };
    for new in &after.found {
        match before.found.iter().find(|old| same(old, new)) {
            None => evidence(How::Came, new, format!("since {}", new.evidence.first)),
            Some(old) => {
                let details = otherwise(old, new);
                if !details.is_empty() {
                    evidence(How::Changed, new, details.join(", "));
                }
            }
        }
    }
    for old in before.found.iter().filter(|old| !after.found.iter().any(|new| same(old, new))) {
        let why = match old.evidence.until.filter(|until| *until <= at) {
            Some(until) => format!("expired on {until}"),
            None => format!("aged out, last said {}", old.evidence.last),
        };
        evidence(How::Went, old, why);
    }
    let mut benign = |change: How, one: &Counter| {
        let source = snapshot.shown_source(one.source).to_owned();
        let word = if change == How::Came { "speaks" } else { "no longer speaks" };
        changes.push(Change {
            what: What::Benign,
            change,
            text: format!("{source} {word} for {}: {}", one.indicator, effect(one)),
            source: Some(source),
            indicator: Some(one.indicator.clone()),
            category: one.category,
        });
    };
    let is_same = |a: &Counter, b: &Counter| {
        (a.source, &a.indicator, a.matched, a.effect.action, a.effect.cap, a.category, &a.list)
            == (b.source, &b.indicator, b.matched, b.effect.action, b.effect.cap, b.category, &b.list)
    };
    for new in after.benign.iter().filter(|new| !before.benign.iter().any(|old| is_same(old, new))) {
        benign(How::Came, new);
    }
    for old in before.benign.iter().filter(|old| !after.benign.iter().any(|new| is_same(old, new))) {
        benign(How::Went, old);
    }
    changes.extend(pin(pins, before.pin, after.pin, at));
    changes
}

/// What age took of the evidence that both verdicts have; `None` where it took nothing.
pub fn aged(snapshot: &Snapshot, before: &Verdict, after: &Verdict) -> Option<Change> {
    let pairs = after.found.iter().filter_map(|new| {
        let same = |old: &&Found| {
            (old.evidence.source, old.evidence.category, &old.indicator)
                == (new.evidence.source, new.evidence.category, &new.indicator)
        };
        let old = before.found.iter().find(same)?;
        (new.evidence.decay < old.evidence.decay).then_some((old, new))
    });
    let lost = |(old, new): &(&Found, &Found)| old.evidence.contribution - new.evidence.contribution;
    let mut pairs: Vec<(&Found, &Found)> = pairs.collect();
    pairs.sort_by(|a, b| lost(b).total_cmp(&lost(a)));
    let (old, new) = *pairs.first()?;
    let others = match pairs.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} others"),
    };
    Some(Change {
        what: What::Age,
        change: How::Changed,
        source: Some(snapshot.shown_source(new.evidence.source).to_owned()),
        indicator: Some(new.indicator.clone()),
        category: Some(new.evidence.category),
        text: format!(
            "age: {} contributes {:.4} instead of {:.4}, last said {}{others}",
            said(snapshot, new),
            new.evidence.contribution,
            old.evidence.contribution,
            new.evidence.last,
        ),
    })
}

/// `threats lists *.a.example as MALWARE`.
fn said(snapshot: &Snapshot, found: &Found) -> String {
    let (indicator, category) = (&found.indicator, found.evidence.category.short_name());
    let source = snapshot.shown_source(found.evidence.source);
    match found.kind {
        EvidenceKind::Listing => format!("{source} lists {indicator} as {category}"),
        EvidenceKind::File => format!("{source} found {indicator} to be {category}"),
        EvidenceKind::Related => format!("it has to do with {indicator}, which is {category}"),
    }
}

/// What of a piece of evidence is otherwise, its age left out.
fn otherwise(old: &Found, new: &Found) -> Vec<String> {
    let (a, b) = (&old.evidence, &new.evidence);
    let mut details = Vec::new();
    match (old.is_current, new.is_current) {
        (true, false) => details.push(format!("no longer so, it ages from {}", b.last)),
        (false, true) => details.push("so again".to_owned()),
        _ if b.age_hours < a.age_hours => details.push(format!("said again {}", b.last)),
        _ => {}
    }
    for (name, a, b) in [("weight", a.weight, b.weight), ("confidence", a.confidence, b.confidence)] {
        if a != b {
            details.push(format!("{name} {b} instead of {a}"));
        }
    }
    if a.until != b.until {
        details.push(b.until.map_or("no expiry any more".to_owned(), |until| format!("expires {until}")));
    }
    if a.counted != b.counted {
        details.push(if b.counted { "counts now" } else { "counted with another now" }.to_owned());
    }
    details
}

fn effect(one: &Counter) -> String {
    use crate::fact::Action;
    let topic = one.category.map(|category| category.short_name().to_owned());
    let rank = one.rank.map(|rank| format!("rank {rank} of popular names"));
    let reason = rank.or_else(|| one.list.clone()).or(topic).unwrap_or_else(|| "harmless".to_owned());
    match (one.effect.action, one.effect.cap) {
        (Action::Suppress, _) => format!("{reason}, the score is 0"),
        (Action::Cap, Some(cap)) => format!("{reason}, the score is held down to {cap}"),
        _ => format!("{reason}, beside the score"),
    }
}

fn pin(pins: &Pins, before: Option<PinFound>, after: Option<PinFound>, at: Timestamp) -> Option<Change> {
    let same = |a: PinFound, b: PinFound| (a.zone, a.since, a.until) == (b.zone, b.since, b.until);
    let set =
        |new: PinFound| format!("the zone was set to {} on {} by {}", new.zone, new.since, pins.told(new));
    let (change, text) = match (before, after) {
        (None, Some(new)) => (How::Came, set(new)),
        (Some(old), None) => match old.until.filter(|until| *until <= at) {
            Some(until) => (How::Went, format!("the pin to {} expired on {until}", old.zone)),
            None => (How::Went, format!("the pin to {} was taken back", old.zone)),
        },
        (Some(old), Some(new)) if !same(old, new) => {
            (How::Changed, format!("{}; it was {} before", set(new), old.zone))
        }
        _ => return None,
    };
    Some(Change { what: What::Pin, change, source: None, indicator: None, category: None, text })
}
