//! The formula: from matches to score and zone. A pure function of evidence, policy and hour.

use super::policy::Effect;
use crate::fact::Action;
use crate::value::{Category, Timestamp, Zone};

/// How an indicator of a list matched the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The object itself.
    Exact,
    /// A name above it, or the host of a URL.
    Parent,
    /// A mask that covers it.
    Mask,
    /// A network that holds it.
    Network,
    /// Something that it has to do with is itself judged.
    Related,
}

/// One piece of evidence with everything that its contribution is made of.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The source's number.
    pub source: u16,
    /// The number of the source that it is derived from, or its own: the two count once.
    pub origin: u16,
    /// What the source says.
    pub category: Category,
    /// How it matched.
    pub matched: Match,
    /// When the source first said it.
    pub first: Timestamp,
    /// When it last did.
    pub last: Timestamp,
    /// Its own expiry.
    pub until: Option<Timestamp>,
    /// Weight of category and source, four decimals.
    pub weight: f64,
    /// How far the source is believed, four decimals.
    pub confidence: f64,
    /// Age in whole hours.
    pub age_hours: i64,
    /// Lifetime in days; `None`: it never ages.
    pub lifetime_days: Option<u32>,
    /// Speed of the decay.
    pub speed: f64,
    /// What age leaves of it, four decimals.
    pub decay: f64,
    /// What the match is worth, four decimals.
    pub factor: f64,
    /// The product of the four.
    pub contribution: f64,
    /// Whether it counts, or stands behind another that says the same.
    pub counted: bool,
    /// The position of the evidence that it was counted with.
    pub counted_with: Option<usize>,
}

/// Four decimals, half away from zero.
pub fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// What age leaves of a piece of evidence: 1 − (age / lifetime)^(1 / speed), 0 from the lifetime on.
pub fn decay(age_hours: i64, lifetime_days: Option<u32>, speed: f64) -> f64 {
    let Some(lifetime) = lifetime_days else { return 1.0 };
    let share = age_hours.max(0) as f64 / 24.0 / f64::from(lifetime);
    if share >= 1.0 { 0.0 } else { round4(1.0 - share.powf(1.0 / speed)) }
}

/// Marks what counts: of each origin and category the largest, of those the two largest of a category. The
/// evidence is sorted, the largest first.
pub fn count(evidence: &mut [Evidence]) {
    for at in 0..evidence.len() {
        let (before, rest) = evidence.split_at_mut(at);
        let Some(one) = rest.first_mut() else { break };
        let counted =
            || before.iter().enumerate().filter(|other| other.1.counted && other.1.category == one.category);
        let same = counted().find(|other| other.1.origin == one.origin);
        let with = same.or_else(|| counted().nth(1)).map(|other| other.0);
        one.counted = with.is_none();
        one.counted_with = with;
    }
}

/// S(Z): 100 × (1 − Π(1 − contribution)) over what counts in the zones.
fn strength(evidence: &[Evidence], zones: &[Zone]) -> f64 {
    let counted = evidence.iter().filter(|one| one.counted && zones.contains(&one.category.zone()));
    100.0 * (1.0 - counted.map(|one| 1.0 - one.contribution).product::<f64>())
}

/// The most that related evidence lifts a score to: it frames nobody.
const RELATED_MAX: f64 = 49.0;

/// The score before caps. With related evidence it is no greater than the greater of 49 and the score without it.
pub fn raw_score(evidence: &[Evidence]) -> f64 {
    let is_direct = |one: &&Evidence| one.matched != Match::Related;
    let all = uncapped(evidence);
    if evidence.iter().all(|one| is_direct(&one)) {
        return all;
    }
    // Counted anew: related evidence may have stood before other evidence of its category.
    let mut direct: Vec<Evidence> = evidence.iter().filter(is_direct).copied().collect();
    count(&mut direct);
    all.min(uncapped(&direct).max(RELATED_MAX))
}

/// The greatest of S(Red), min(74, S(Red, Orange)), min(49, S(Red, Orange, Yellow)).
fn uncapped(evidence: &[Evidence]) -> f64 {
    let red = strength(evidence, &[Zone::Red]);
    let orange = strength(evidence, &[Zone::Red, Zone::Orange]).min(74.0);
    let yellow = strength(evidence, &[Zone::Red, Zone::Orange, Zone::Yellow]).min(49.0);
    red.max(orange).max(yellow)
}

/// Whether something of a Red category counts that is said of the object itself, not of what it is related to.
pub fn is_accused(evidence: &[Evidence]) -> bool {
    let is_red = |one: &Evidence| one.category.zone() == Zone::Red && one.matched != Match::Related;
    evidence.iter().any(|one| one.counted && is_red(one))
}

/// The score after what benign entries do to it, rounded: the smallest cap holds, "suppress" leaves nothing.
pub fn held_down(raw: f64, effects: impl Iterator<Item = Effect>) -> u8 {
    let limit = effects.filter_map(|effect| match effect.action {
        Action::Suppress => Some(0),
        Action::Cap => effect.cap,
        Action::Annotate => None,
    });
    round_score(limit.min().map_or(raw, |limit| raw.min(f64::from(limit))))
}

/// The score before caps, which related evidence lifts to 49 at most, or to what it is without it.
pub fn limited(evidence: &[Evidence]) -> f64 {
    let score = raw_score(evidence);
    if !evidence.iter().any(|one| one.counted && one.matched == Match::Related) {
        return score;
    }
    let mut direct: Vec<Evidence> =
        evidence.iter().filter(|one| one.matched != Match::Related).copied().collect();
    count(&mut direct);
    score.min(raw_score(&direct).max(RELATED_SCORE_MAX))
}

/// What related evidence can lift a score to.
const RELATED_SCORE_MAX: f64 = 49.0;

/// One rounding, half up, of a figure that is exact to nine decimals.
pub fn round_score(score: f64) -> u8 {
    let exact = (score * 1e9).round() / 1e9;
    (exact + 0.5).floor().clamp(0.0, 100.0) as u8
}

/// The zone of a domain, an address or a URL.
pub fn zone(score: u8, yellow_counts: bool, benign: bool) -> Zone {
    match score {
        75.. => Zone::Red,
        50..=74 => Zone::Orange,
        1..=49 if yellow_counts => Zone::Yellow,
        0 if benign => Zone::Green,
        _ => Zone::Grey,
    }
}

/// The zone of a file: never Orange.
pub fn file_zone(score: u8, evidence_counts: bool, benign: bool) -> Zone {
    match score {
        75.. => Zone::Red,
        1..=74 if evidence_counts => Zone::Yellow,
        0 if benign => Zone::Green,
        _ => Zone::Grey,
    }
}

/// A score inside the range of a zone that was set by hand: else the range's nearest end.
pub fn pinned_score(score: u8, zone: Zone) -> u8 {
    let (low, high) = match zone {
        Zone::Red => (75, 100),
        Zone::Orange => (50, 74),
        Zone::Yellow => (1, 49),
        Zone::Grey => (0, 49),
        Zone::Green => (0, 0),
    };
    score.clamp(low, high)
}
