//! Why an object is in its zone: each piece of evidence as a part of a bar, and in words.

use super::Badge;
use super::cell::{Cell, category};
use crate::export::tree::{Tree, shown};
use crate::export::{defanged, without_links};
use crate::value::Zone;

/// The section `Verdict` of a report, for people.
#[derive(Clone, Debug, Default)]
pub struct Why {
    /// The policy, and its version.
    pub policy: String,
    /// How much the verdict rests on.
    pub confidence: String,
    /// The moment that it is of.
    pub as_of: Option<Cell>,
    /// What speaks for its zone, the largest first.
    pub evidence: Vec<Piece>,
    /// Pieces that count, as parts of a bar that is 100 wide.
    pub parts: Vec<Part>,
    /// What speaks against it.
    pub benign: Vec<Counter>,
    /// The zone that somebody set, and why.
    pub pin: Option<Pin>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

/// A piece of evidence.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The zone of what is said.
    pub badge: Badge,
    /// What is said.
    pub category: String,
    /// Who says it.
    pub source: String,
    /// What is listed.
    pub indicator: Cell,
    /// How that matched.
    pub matched: String,
    /// Since when and until when it was said.
    pub first: Cell,
    /// Last.
    pub last: Cell,
    /// What it is worth, of 100.
    pub points: String,
    /// The same as a width.
    pub width: f64,
    /// From what that comes.
    pub sum: String,
    /// The source that it was counted with; empty: it counts itself.
    pub counted_with: String,
    /// Where more is said.
    pub reference: String,
}

/// A part of the bar.
#[derive(Clone, Debug)]
pub struct Part {
    /// The zone.
    pub zone: Zone,
    /// Where it begins.
    pub start: String,
    /// How wide it is.
    pub width: String,
    /// What it is, for who points at it.
    pub title: String,
}

/// What speaks against evidence.
#[derive(Clone, Debug)]
pub struct Counter {
    /// Who says it.
    pub source: String,
    /// Of what.
    pub indicator: Cell,
    /// What it does.
    pub effect: String,
    /// Why.
    pub reason: String,
}

/// A zone that somebody set.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The zone.
    pub zone: Option<Badge>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when; `None`: for good.
    pub expires: Option<Cell>,
}

fn text(tree: &Tree, name: &str) -> String {
    tree.member(name).filter(|value| !value.is_empty()).map(|value| value.line(shown)).unwrap_or_default()
}

fn moment(tree: &Tree, name: &str) -> Option<Cell> {
    tree.member(name).filter(|value| !value.is_empty()).map(|value| Cell::of(name, value))
}

fn number(tree: &Tree, name: &str) -> f64 {
    text(tree, name).parse().unwrap_or_default()
}

fn badge(tree: &Tree) -> Option<Badge> {
    text(tree, "Zone").parse().ok().map(Badge)
}

fn list<'a>(tree: &'a Tree, name: &str) -> &'a [Tree] {
    match tree.member(name) {
        Some(Tree::List(items)) => items,
        _ => &[],
    }
}

impl Why {
    /// From the section's body.
    pub fn of(verdict: &Tree) -> Why {
        let evidence: Vec<Piece> = list(verdict, "Evidence").iter().map(piece).collect();
        let policy = verdict.member("Policy");
        Why {
            policy: policy
                .map(|one| format!("{} {}", text(one, "Name"), text(one, "Version")))
                .unwrap_or_default(),
            confidence: text(verdict, "Confidence"),
            as_of: moment(verdict, "AsOf"),
            parts: parts(&evidence),
            evidence,
            benign: list(verdict, "Benign").iter().map(counter).collect(),
            pin: verdict.member("Pin").filter(|pin| !pin.is_empty()).map(|pin| Pin {
                zone: badge(pin),
                by: text(pin, "By"),
                reason: without_links(&text(pin, "Reason")),
                expires: moment(pin, "Expires"),
            }),
            notes: list(verdict, "Notes").iter().map(|note| without_links(&note.line(shown))).collect(),
        }
    }

    /// In one sentence.
    pub fn sentence(&self) -> String {
        let counted: Vec<&Piece> = self.evidence.iter().filter(|one| one.counted_with.is_empty()).collect();
        let sources: std::collections::BTreeSet<&str> =
            counted.iter().map(|one| one.source.as_str()).collect();
        let says = match (counted.first(), sources.len()) {
            (None, _) => "No source speaks against it".to_owned(),
            (Some(first), 1) => format!("{} says {}", first.source, first.category),
            (Some(first), count) => {
                format!("{} and {} more say so, most of all {}", first.source, count - 1, first.category)
            }
        };
        match self.benign.len() {
            0 => format!("{says}."),
            1 => format!("{says}; 1 list of harmless things speaks for it."),
            more => format!("{says}; {more} lists of harmless things speak for it."),
        }
    }
}

fn piece(one: &Tree) -> Piece {
    let indicator = text(one, "Indicator");
    let days = number(one, "Age");
    let contribution = number(one, "Contribution");
    Piece {
        badge: badge(one).unwrap_or(Badge(Zone::Grey)),
        category: category(&text(one, "Category")),
        source: text(one, "Source"),
        indicator: Cell::of("Indicator", &Tree::Text(indicator)),
        matched: match text(one, "Match").as_str() {
            "exact" => "exactly this".to_owned(),
            "parent" => "a name above it".to_owned(),
            "mask" => "a mask that covers it".to_owned(),
            "network" => "a network that holds it".to_owned(),
            "related" => "what it is related to".to_owned(),
            other => other.to_owned(),
        },
        first: Cell::time(&text(one, "FirstSeen")),
        last: Cell::time(&text(one, "LastSeen")),
        points: format!("{:.1}", contribution * 100.0),
        width: contribution * 100.0,
        sum: format!(
            "weight {} × confidence {} × decay {} (after {days:.1} days) × factor {}",
            text(one, "Weight"),
            text(one, "SourceConfidence"),
            text(one, "Decay"),
            text(one, "Factor"),
        ),
        counted_with: text(one, "CountedWith"),
        reference: defanged(&text(one, "Reference")),
    }
}

fn counter(one: &Tree) -> Counter {
    let cap = text(one, "Cap");
    Counter {
        source: text(one, "Source"),
        indicator: Cell::of("Indicator", &Tree::Text(text(one, "Indicator"))),
        effect: match text(one, "Action").as_str() {
            "suppress" => "takes all evidence away".to_owned(),
            "cap" => format!("holds the score at {cap} or below"),
            _ => "is said, and changes nothing".to_owned(),
        },
        reason: without_links(&text(one, "Reason")),
    }
}

/// The counted pieces beside each other. Together they say more than one and less than their sum: each takes its
/// share of what those before it left, as the score does.
fn parts(evidence: &[Piece]) -> Vec<Part> {
    let mut start = 0.0;
    let mut parts = Vec::new();
    for piece in evidence.iter().filter(|one| one.counted_with.is_empty() && one.width > 0.0) {
        let width = (100.0 - start) * piece.width.min(100.0) / 100.0;
        parts.push(Part {
            zone: piece.badge.0,
            start: format!("{start:.2}"),
            width: format!("{width:.2}"),
            title: format!("{}: {}, {} of 100", piece.source, piece.category, piece.points),
        });
        start += width;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_becomes_a_bar_and_words() {
        let verdict = serde_json::from_str(
            r#"{"Policy":{"Name":"p","Version":"1"},"Confidence":"high","AsOf":"2024-05-28T07:00Z","Evidence":[
            {"Source":"a","Category":"CATEGORY_MALWARE","Zone":"Red","Indicator":"*.evil.example","Match":"parent",
             "Contribution":0.5,"Weight":1,"SourceConfidence":0.5,"Decay":1,"Factor":1,"Age":0.0,"CountedWith":null},
            {"Source":"b","Category":"CATEGORY_PHISHING","Zone":"Red","Indicator":"evil.example","Match":"exact",
             "Contribution":0.5,"CountedWith":null},
            {"Source":"c","Category":"CATEGORY_PHISHING","Zone":"Red","Contribution":0.2,"CountedWith":"b"}],
            "Benign":[{"Source":"d","Action":"cap","Cap":40,"Indicator":"evil.example","Reason":"hxxp://x.example/"}],
            "Pin":null,"Notes":[]}"#,
        )
        .unwrap();
        let why = Why::of(&verdict);
        let widths: Vec<(&str, &str)> =
            why.parts.iter().map(|part| (part.start.as_str(), part.width.as_str())).collect();
        assert_eq!(widths, [("0.00", "50.00"), ("50.00", "25.00")]);
        assert_eq!(
            why.sentence(),
            "a and 1 more say so, most of all Malware; 1 list of harmless things speaks for it."
        );
        assert_eq!(why.benign[0].effect, "holds the score at 40 or below");
        assert!(why.pin.is_none());
    }
}
