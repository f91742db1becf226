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

impl Match {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Match::Exact => "exact",
            Match::Parent => "parent",
            Match::Mask => "mask",
            Match::Network => "network",
            Match::Related => "related",
        }
    }
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

/// What evidence comes to, by the zones that count: S(Red), S(Red, Orange), S(Red, Orange, Yellow).
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Strengths {
    /// Evidence of Red alone.
    pub red: f64,
    /// Of Red and Orange.
    pub orange: f64,
    /// Of Red, Orange and Yellow.
    pub yellow: f64,
}

/// The most that evidence of Orange and worse comes to, and of Yellow and worse.
pub const ORANGE_MAX: f64 = 74.0;
/// As [`ORANGE_MAX`].
pub const YELLOW_MAX: f64 = 49.0;

impl Strengths {
    /// The strengths of sorted evidence of which is marked what counts.
    pub fn of(evidence: &[Evidence]) -> Strengths {
        Strengths {
            red: strength(evidence, &[Zone::Red]),
            orange: strength(evidence, &[Zone::Red, Zone::Orange]),
            yellow: strength(evidence, &[Zone::Red, Zone::Orange, Zone::Yellow]),
        }
    }

    /// The score before caps: the greatest of S(Red), min(74, S(Red, Orange)), min(49, S(Red, Orange, Yellow)).
    pub fn greatest(&self) -> f64 {
        self.red.max(self.orange.min(ORANGE_MAX)).max(self.yellow.min(YELLOW_MAX))
    }
}

/// The most that related evidence lifts a score to: it frames nobody.
pub const RELATED_SCORE_MAX: f64 = 49.0;

/// How a score came about, from its evidence to the figure that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Steps {
    /// What the evidence comes to.
    pub strengths: Strengths,
    /// With related evidence that counts: the greater of 49 and the score without it, which holds the score down.
    pub related_limit: Option<f64>,
    /// The score before what speaks against it.
    pub before_caps: f64,
    /// A benign entry makes it 0.
    pub suppressed: bool,
    /// The lowest cap of benign entries.
    pub cap: Option<u8>,
    /// The score after that.
    pub after_caps: f64,
    /// Rounded once.
    pub rounded: u8,
}

impl Steps {
    /// The steps from sorted evidence of which is marked what counts, through what benign entries do to it: the
    /// smallest cap holds, "suppress" leaves nothing.
    pub fn new(evidence: &[Evidence], effects: impl Iterator<Item = Effect>) -> Steps {
        let strengths = Strengths::of(evidence);
        let related_limit = related_limit(evidence);
        let before_caps = related_limit.map_or(strengths.greatest(), |limit| strengths.greatest().min(limit));
        let (mut suppressed, mut cap) = (false, None::<u8>);
        for effect in effects {
            match effect.action {
                Action::Suppress => suppressed = true,
                Action::Cap => cap = cap.into_iter().chain(effect.cap).min(),
                Action::Annotate => {}
            }
        }
        let left = if suppressed { 0.0 } else { before_caps };
        let after_caps = cap.map_or(left, |cap| left.min(f64::from(cap)));
        let rounded = round_score(after_caps);
        Steps { strengths, related_limit, before_caps, suppressed, cap, after_caps, rounded }
    }
}

/// What related evidence lifts a score to: 49 at most, or what it is without it; `None` where none counts.
fn related_limit(evidence: &[Evidence]) -> Option<f64> {
    evidence.iter().find(|one| one.counted && one.matched == Match::Related)?;
    // Counted anew: related evidence may have stood before other evidence of its category.
    let mut direct: Vec<Evidence> =
        evidence.iter().filter(|one| one.matched != Match::Related).copied().collect();
    count(&mut direct);
    Some(Strengths::of(&direct).greatest().max(RELATED_SCORE_MAX))
}

/// Whether something of a Red category is said of the object itself, not of what it is related to.
pub fn is_accused(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|one| {
        one.category.zone() == Zone::Red && one.matched != Match::Related && one.contribution > 0.0
    })
}

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

#[cfg(test)]
mod tests;
