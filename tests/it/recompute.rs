//! The zone and score of a domain, an address or a URL, redone from the `Verdict` section of its report
//! alone, as a person with a pocket calculator would.
//!
//! Written from the contract and on plain JSON, without any code of the program. What the section does not
//! show is not checked: which listings exist and are live, which source is derived from which, and since
//! when an age is counted. Files have other zones and are not for this module.

use std::collections::BTreeSet;

use serde_json::Value;

/// The source that evidence through related objects is of.
const RELATED: &str = "zonelens:related";

/// Zones of evidence, each with the most that it and the worse ones together can score.
const ZONES: [(&str, f64); 3] = [("Red", 100.0), ("Orange", 74.0), ("Yellow", 49.0)];

/// Zones with the least and the greatest score that a pin leaves them.
const RANGES: [(&str, u64, u64); 5] =
    [("Red", 75, 100), ("Orange", 50, 74), ("Yellow", 1, 49), ("Grey", 0, 49), ("Green", 0, 0)];

/// Differences below this are those of floating-point numbers, not of arithmetic.
const NOISE: f64 = 1e-9;

/// Half of the fourth decimal: what rounding to four decimals may change.
const HALF_DECIMAL: f64 = 5e-5 + NOISE;

/// A row of `Evidence` with the contribution that its factors give.
struct Row<'a> {
    source: &'a str,
    indicator: &'a str,
    matched: &'a str,
    category: &'a str,
    zone: &'a str,
    contribution: f64,
    counted_with: Option<&'a str>,
}

/// Whether a `Verdict` section follows from its own evidence, benign entries and pin.
///
/// # Errors
///
/// The first number or word that comes out differently, or that cannot be read.
pub fn recompute(verdict: &Value) -> Result<(), String> {
    let rows: Vec<Row> = list(verdict, "Evidence")?
        .iter()
        .enumerate()
        .map(|(index, row)| read(row).map_err(|error| format!("Evidence[{index}]: {error}")))
        .collect::<Result<_, _>>()?;
    check_counted(&rows)?;
    let counted: Vec<&Row> = rows.iter().filter(|row| row.counted_with.is_none()).collect();
    let mut expected = Vec::new();
    for limit in related_limits(&rows, &counted) {
        let outcome = outcome(verdict, score(&counted).min(limit), &counted)?;
        if !expected.contains(&outcome) {
            expected.push(outcome);
        }
    }
    let stated = (text(verdict, "Zone")?.to_owned(), whole(verdict, "ThreatScore")?);
    if !expected.contains(&stated) {
        return Err(format!("Zone and ThreatScore are {stated:?}, but the evidence gives {expected:?}"));
    }
    let confidence = confidence(&counted);
    match text(verdict, "Confidence")? {
        stated if stated == confidence => Ok(()),
        stated => Err(format!("Confidence is {stated:?}, but the evidence gives {confidence:?}")),
    }
}

/// Reads a row and checks its own arithmetic: factors of four decimals, decay by age, their product.
fn read(row: &Value) -> Result<Row<'_>, String> {
    let mut product = 1.0;
    for name in ["Weight", "SourceConfidence", "Decay", "Factor"] {
        let factor = number(row, name)?;
        if !(0.0..=1.0).contains(&factor) || (factor * 1e4 - (factor * 1e4).round()).abs() > 1e-6 {
            return Err(format!("{name} is {factor}, not a share of four decimals"));
        }
        product *= factor;
    }
    let (age, stated) = (number(row, "Age")?, number(row, "Decay")?);
    let hours = (age * 24.0).round();
    if hours < 0.0 || (age - hours / 24.0).abs() > HALF_DECIMAL {
        return Err(format!("Age is {age}, which is no number of whole hours"));
    }
    let decay = match optional(row, "Lifetime")?.is_null() {
        true => 1.0,
        false => (1.0 - (hours / 24.0 / number(row, "Lifetime")?).powf(1.0 / number(row, "Speed")?)).max(0.0),
    };
    if (stated - decay).abs() > HALF_DECIMAL {
        return Err(format!("Decay is {stated}, but its age gives {decay:.4}"));
    }
    let contribution = number(row, "Contribution")?;
    if (contribution - product).abs() > NOISE {
        return Err(format!("Contribution is {contribution}, but its factors give {product}"));
    }
    if text(row, "Match")? == "exact" && number(row, "Factor")? != 1.0 {
        return Err("Factor of an exact match is not 1".to_owned());
    }
    let zone = text(row, "Zone")?;
    if !ZONES.iter().any(|(name, _)| *name == zone) {
        return Err(format!("{zone} is no zone of evidence"));
    }
    let counted_with = optional(row, "CountedWith")?;
    Ok(Row {
        source: text(row, "Source")?,
        indicator: text(row, "Indicator")?,
        matched: text(row, "Match")?,
        category: text(row, "Category")?,
        zone,
        contribution: product,
        counted_with: if counted_with.is_null() { None } else { Some(text(row, "CountedWith")?) },
    })
}

/// Of a source and category one row counts, of a category two; each of the rest comes after a counted row
/// of its category whose source it names.
fn check_counted(rows: &[Row]) -> Result<(), String> {
    for (index, row) in rows.iter().enumerate() {
        let counted =
            || rows.iter().filter(|other| other.category == row.category && other.counted_with.is_none());
        let Some(named) = row.counted_with else {
            if counted().filter(|other| other.source == row.source).count() > 1 {
                return Err(format!("Evidence[{index}]: {} counts twice for {}", row.source, row.category));
            }
            if counted().count() > 2 {
                return Err(format!("Evidence[{index}]: more than two count for {}", row.category));
            }
            continue;
        };
        if !counted().any(|other| other.source == named && sorts_before(other, row)) {
            return Err(format!("Evidence[{index}]: nothing of {named:?} that counts comes before it"));
        }
    }
    Ok(())
}

/// The larger contribution first, of equal ones by source, then indicator.
fn sorts_before(one: &Row, other: &Row) -> bool {
    if (one.contribution - other.contribution).abs() < NOISE {
        return (one.source, one.indicator) < (other.source, other.indicator);
    }
    one.contribution > other.contribution
}

/// The greatest of S(Red), S(Red, Orange) and S(Red, Orange, Yellow), each at most what its zones can score.
fn score(counted: &[&Row]) -> f64 {
    let (mut miss, mut best) = (1.0, 0.0_f64);
    for (zone, most) in ZONES {
        for row in counted.iter().filter(|row| row.zone == zone) {
            miss *= 1.0 - row.contribution;
        }
        best = best.max((100.0 * (1.0 - miss)).min(most));
    }
    best
}

/// What the score may not exceed because of related evidence: 49, or the score without that evidence.
///
/// Without it a row may count that it had crowded out, unless that row is of a source derived from one that
/// counts, which the section does not show: so there can be two limits.
fn related_limits(rows: &[Row], counted: &[&Row]) -> Vec<f64> {
    if counted.iter().all(|row| row.source != RELATED) {
        return vec![f64::INFINITY];
    }
    let direct: Vec<&Row> = counted.iter().copied().filter(|row| row.source != RELATED).collect();
    let mut refilled = direct.clone();
    let mut left: Vec<&Row> =
        rows.iter().filter(|row| row.counted_with.is_some() && row.source != RELATED).collect();
    left.sort_by(|one, other| {
        let names = (one.source, one.indicator).cmp(&(other.source, other.indicator));
        other.contribution.total_cmp(&one.contribution).then(names)
    });
    for row in left {
        let same: Vec<_> = refilled.iter().filter(|other| other.category == row.category).collect();
        if same.len() < 2 && same.iter().all(|other| other.source != row.source) {
            refilled.push(row);
        }
    }
    vec![score(&direct).max(49.0), score(&refilled).max(49.0)]
}

/// Zone and score after caps, rounding and pin.
fn outcome(verdict: &Value, mut score: f64, counted: &[&Row]) -> Result<(String, u64), String> {
    let (mut harmless, mut suppressed) = (false, false);
    for entry in list(verdict, "Benign")? {
        match text(entry, "Action")? {
            "suppress" => (harmless, suppressed, score) = (true, true, 0.0),
            "cap" => (harmless, score) = (true, score.min(number(entry, "Cap")?)),
            _ => {}
        }
    }
    // Half up, also where a half comes out a hair below itself.
    let score = (score + 0.5 + NOISE).floor() as u64;
    let yellow = !suppressed && counted.iter().any(|row| row.zone == "Yellow");
    let zone = match score {
        75.. => "Red",
        50.. => "Orange",
        1.. if yellow => "Yellow",
        0 if harmless => "Green",
        _ => "Grey",
    };
    let pin = optional(verdict, "Pin")?;
    if pin.is_null() {
        return Ok((zone.to_owned(), score));
    }
    let zone = text(pin, "Zone")?;
    let range = RANGES.iter().find(|(name, _, _)| *name == zone);
    let (_, least, most) = range.ok_or_else(|| format!("Pin: {zone:?} is no zone"))?;
    Ok((zone.to_owned(), score.clamp(*least, *most)))
}

/// By the number of sources that count and match exactly or by a parent.
fn confidence(counted: &[&Row]) -> &'static str {
    let direct = counted.iter().filter(|row| ["exact", "parent"].contains(&row.matched));
    match direct.map(|row| row.source).collect::<BTreeSet<_>>().len() {
        0 => "low",
        1 => "medium",
        _ => "high",
    }
}

//------------ Reading -------------------------------------------------------

fn optional<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("{name} is missing"))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], String> {
    optional(value, name)?.as_array().map(Vec::as_slice).ok_or_else(|| format!("{name} is no list"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    optional(value, name)?.as_str().ok_or_else(|| format!("{name} is no text"))
}

fn number(value: &Value, name: &str) -> Result<f64, String> {
    optional(value, name)?.as_f64().ok_or_else(|| format!("{name} is no number"))
}

fn whole(value: &Value, name: &str) -> Result<u64, String> {
    optional(value, name)?.as_u64().ok_or_else(|| format!("{name} is no whole number"))
}

//============ Tests =========================================================

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Fresh evidence of an exact match, which contributes its weight.
    fn exact(source: &str, category: &str, zone: &str, weight: f64) -> Value {
        json!({"Source": source, "Indicator": "example.com", "Match": "exact",
               "Category": category, "Zone": zone,
               "Weight": weight, "SourceConfidence": 1, "Age": 0, "Lifetime": 30, "Speed": 2, "Decay": 1,
               "Factor": 1, "Contribution": weight, "CountedWith": null})
    }

    fn malware(source: &str, weight: f64) -> Value {
        exact(source, "CATEGORY_MALWARE", "Red", weight)
    }

    /// Evidence of a full weight through a related object: contributes a half.
    fn related(category: &str, zone: &str) -> Value {
        with(
            exact(RELATED, category, zone, 1.0),
            json!({"Match": "related", "Factor": 0.5, "Contribution": 0.5, "Lifetime": null}),
        )
    }

    fn with(mut value: Value, changes: Value) -> Value {
        for (name, change) in changes.as_object().unwrap() {
            value[name] = change.clone();
        }
        value
    }

    fn verdict(zone: &str, score: u64, confidence: &str, evidence: &[Value]) -> Value {
        json!({"Zone": zone, "ThreatScore": score, "Confidence": confidence,
               "Evidence": evidence, "Benign": [],
               "Pin": null})
    }

    fn benign(action: &str, cap: Option<u64>) -> Value {
        json!({"Source": "list", "Indicator": "example.com", "Match": "exact", "Action": action, "Cap": cap,
               "Reason": null})
    }

    #[test]
    fn nothing_known_is_grey() {
        assert_eq!(recompute(&verdict("Grey", 0, "low", &[])), Ok(()));
    }

    #[test]
    fn a_row_decays_with_its_age() {
        // 1 - (10 / 40)^(1/2) = 0.5; 0.8 * 0.9 * 0.5 = 0.36: no Yellow evidence, so Grey.
        let aged =
            json!({"SourceConfidence": 0.9, "Age": 10, "Lifetime": 40, "Decay": 0.5, "Contribution": 0.36});
        let row = with(malware("a", 0.8), aged);
        assert_eq!(recompute(&verdict("Grey", 36, "medium", std::slice::from_ref(&row))), Ok(()));
        // 25 hours are 1.041666… days; 1 - (25 / 24 / 90)^(1/3) = 1 - 0.226187… = 0.7738
        for age in [25.0 / 24.0, 1.0417] {
            let changes = json!({"Age": age, "Lifetime": 90, "Speed": 3, "Decay": 0.7738,
                "Contribution": 0.8 * 0.7738});
            let row = with(malware("a", 0.8), changes);
            assert_eq!(recompute(&verdict("Orange", 62, "medium", &[row])), Ok(()), "0.8 * 0.7738 = 0.61904");
        }
        let gone = json!({"Age": 40, "Lifetime": 40, "Decay": 0, "Contribution": 0});
        assert_eq!(recompute(&verdict("Grey", 0, "medium", &[with(malware("a", 0.8), gone)])), Ok(()));
        let endless = json!({"Age": 4000, "Lifetime": null});
        assert_eq!(recompute(&verdict("Red", 80, "medium", &[with(malware("a", 0.8), endless)])), Ok(()));
        for (changes, message) in [
            (
                json!({"Decay": 0.6, "Contribution": 0.432}),
                "Evidence[0]: Decay is 0.6, but its age gives 0.5000",
            ),
            (json!({"Contribution": 0.37}), "Contribution is 0.37, but its factors give 0.36"),
            (json!({"Age": 10.01}), "no number of whole hours"),
            (json!({"Weight": 0.80001}), "Weight is 0.80001, not a share of four decimals"),
            (json!({"Weight": 80}), "not a share"),
            (json!({"Lifetime": null}), "Decay is 0.5, but its age gives 1.0000"),
            (json!({"Factor": 0.9, "Contribution": 0.324}), "Factor of an exact match"),
            (json!({"Zone": "Grey"}), "no zone of evidence"),
            (json!({"Speed": null}), "Speed is no number"),
        ] {
            let error = recompute(&verdict("Grey", 36, "medium", &[with(row.clone(), changes)])).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn two_of_a_category_count() {
        // 1 - 0.4 * 0.5 = 0.8
        let third = with(malware("c", 0.3), json!({"CountedWith": "b"}));
        let second_of_a = with(malware("a", 0.55), json!({"Indicator": "*.com", "CountedWith": "a"}));
        let rows = [malware("a", 0.6), second_of_a.clone(), malware("b", 0.5), third.clone()];
        assert_eq!(recompute(&verdict("Red", 80, "high", &rows)), Ok(()));
        for (rows, message) in [
            (vec![malware("a", 0.6), malware("b", 0.5), malware("c", 0.3)], "more than two count"),
            (vec![malware("a", 0.6), malware("a", 0.5)], "a counts twice for CATEGORY_MALWARE"),
            (vec![malware("a", 0.2), third], "Evidence[1]: nothing of \"b\" that counts comes before it"),
            (vec![malware("a", 0.5), second_of_a], "Evidence[1]: nothing of \"a\""),
        ] {
            let error = recompute(&verdict("Red", 80, "high", &rows)).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        // Of equal ones the first by source, then indicator.
        let tie = |one: Value, other: Value| recompute(&verdict("Orange", 50, "medium", &[one, other]));
        assert_eq!(tie(malware("a", 0.5), with(malware("b", 0.5), json!({"CountedWith": "a"}))), Ok(()));
        assert!(tie(malware("b", 0.5), with(malware("a", 0.5), json!({"CountedWith": "b"}))).is_err());
    }

    #[test]
    fn zones_together() {
        let orange = exact("b", "CATEGORY_SUSPICIOUS", "Orange", 0.5);
        let yellow = |weight| exact("c", "CATEGORY_ADWARE", "Yellow", weight);
        for (zone, score, confidence, rows) in [
            // S(Red, Orange) = 75, at most 74
            ("Orange", 74, "high", vec![malware("a", 0.5), orange.clone()]),
            // S(Red) = 80 stays
            ("Red", 80, "high", vec![malware("a", 0.8), orange.clone()]),
            ("Yellow", 49, "medium", vec![yellow(0.7)]),
            // S(Red) = 40, S(Red, Yellow) = 1 - 0.6 * 0.9 = 46
            ("Yellow", 46, "high", vec![malware("a", 0.4), yellow(0.1)]),
            ("Grey", 40, "medium", vec![malware("a", 0.4)]),
            ("Grey", 30, "medium", vec![exact("b", "CATEGORY_PROXY", "Orange", 0.3)]),
            // S(Red, Orange, Yellow) = 1 - 0.5 * 0.9 = 55, at most 49, but S(Red, Orange) = 50
            ("Orange", 50, "high", vec![orange, yellow(0.1)]),
        ] {
            assert_eq!(recompute(&verdict(zone, score, confidence, &rows)), Ok(()));
            let error = recompute(&verdict(zone, score - 1, confidence, &rows)).unwrap_err();
            assert!(error.contains("the evidence gives"), "{error}");
        }
    }

    #[test]
    fn one_rounding_half_up() {
        assert_eq!(recompute(&verdict("Red", 85, "medium", &[malware("a", 0.845)])), Ok(()));
        assert_eq!(recompute(&verdict("Red", 75, "medium", &[malware("a", 0.745)])), Ok(()));
        assert_eq!(recompute(&verdict("Orange", 74, "medium", &[malware("a", 0.7449)])), Ok(()));
        assert_eq!(recompute(&verdict("Grey", 0, "medium", &[malware("a", 0.0049)])), Ok(()));
    }

    #[test]
    fn related_evidence_alone_frames_nobody() {
        let phishing = || related("CATEGORY_PHISHING", "Red");
        // 1 - 0.7 * 0.5 = 65, but without it 30: at most 49.
        assert_eq!(recompute(&verdict("Grey", 49, "medium", &[phishing(), malware("a", 0.3)])), Ok(()));
        assert!(recompute(&verdict("Orange", 65, "medium", &[phishing(), malware("a", 0.3)])).is_err());
        // 1 - 0.4 * 0.5 = 80, but without it 60.
        assert_eq!(recompute(&verdict("Orange", 60, "medium", &[malware("a", 0.6), phishing()])), Ok(()));
        assert!(recompute(&verdict("Red", 80, "medium", &[malware("a", 0.6), phishing()])).is_err());
        // 1 - 0.8 * 0.5 = 60: at most 49, which is Yellow where Yellow evidence counts.
        let yellow = exact("a", "CATEGORY_ADWARE", "Yellow", 0.2);
        assert_eq!(recompute(&verdict("Yellow", 49, "medium", &[phishing(), yellow])), Ok(()));
        assert_eq!(recompute(&verdict("Grey", 49, "low", &[phishing()])), Ok(()));
    }

    #[test]
    fn without_related_evidence_what_it_crowded_out_counts() {
        // With it 1 - 0.5 * 0.55 = 72.5; without it a and b: 1 - 0.55 * 0.6 = 67; or, b derived from a, 45.
        let third = with(malware("b", 0.4), json!({"CountedWith": "a"}));
        let rows = [related("CATEGORY_MALWARE", "Red"), malware("a", 0.45), third];
        assert_eq!(recompute(&verdict("Orange", 67, "medium", &rows)), Ok(()));
        assert_eq!(recompute(&verdict("Grey", 49, "medium", &rows)), Ok(()));
        assert!(recompute(&verdict("Orange", 73, "medium", &rows)).is_err());
    }

    #[test]
    fn benign_entries_cap_and_suppress() {
        let rows = [malware("a", 0.8)];
        let judged = |zone, score, rows: &[Value], entries: &[Value]| {
            recompute(&with(verdict(zone, score, "medium", rows), json!({ "Benign": entries })))
        };
        assert_eq!(judged("Red", 80, &rows, &[benign("annotate", None)]), Ok(()));
        assert_eq!(judged("Grey", 20, &rows, &[benign("cap", Some(30)), benign("cap", Some(20))]), Ok(()));
        assert_eq!(judged("Green", 0, &rows, &[benign("suppress", None), benign("cap", Some(20))]), Ok(()));
        assert_eq!(judged("Green", 0, &rows, &[benign("cap", Some(0))]), Ok(()));
        assert!(judged("Grey", 30, &rows, &[benign("cap", Some(30)), benign("cap", Some(20))]).is_err());
        let yellow = [exact("a", "CATEGORY_ADWARE", "Yellow", 0.3)];
        assert_eq!(judged("Yellow", 20, &yellow, &[benign("cap", Some(20))]), Ok(()));
        assert_eq!(judged("Green", 0, &yellow, &[benign("suppress", None)]), Ok(()));
        let clean = with(verdict("Green", 0, "low", &[]), json!({"Benign": [benign("cap", Some(20))]}));
        assert_eq!(recompute(&clean), Ok(()));
        let noted = with(verdict("Grey", 0, "low", &[]), json!({"Benign": [benign("annotate", None)]}));
        assert_eq!(recompute(&noted), Ok(()));
    }

    #[test]
    fn a_pin_sets_the_zone_and_draws_the_score_into_its_range() {
        for (zone, before, after) in [
            ("Red", 0.2, 75),
            ("Red", 0.8, 80),
            ("Orange", 0.8, 74),
            ("Orange", 0.2, 50),
            ("Yellow", 0.0, 1),
            ("Yellow", 0.8, 49),
            ("Grey", 0.8, 49),
            ("Grey", 0.2, 20),
            ("Green", 0.8, 0),
        ] {
            let pin = json!({"Pin": {"Zone": zone, "Reason": "seen", "By": "analyst", "Expires": null}});
            let pinned = with(verdict(zone, after, "medium", &[malware("a", before)]), pin);
            assert_eq!(recompute(&pinned), Ok(()), "{zone}");
            let other = with(pinned, json!({"ThreatScore": after + 1}));
            assert!(recompute(&other).is_err(), "{zone}");
        }
    }

    #[test]
    fn confidence_by_sources() {
        let parent = |source| with(malware(source, 0.8), json!({"Match": "parent"}));
        let spam = |source| with(parent(source), json!({"Category": "CATEGORY_SPAM"}));
        let mask = |source| with(malware(source, 0.8), json!({"Match": "mask"}));
        assert_eq!(recompute(&verdict("Red", 96, "high", &[malware("a", 0.8), parent("b")])), Ok(()));
        assert_eq!(recompute(&verdict("Red", 96, "medium", &[malware("a", 0.8), spam("a")])), Ok(()));
        assert_eq!(recompute(&verdict("Red", 96, "medium", &[malware("a", 0.8), mask("b")])), Ok(()));
        assert_eq!(recompute(&verdict("Red", 96, "low", &[mask("a"), mask("b")])), Ok(()));
        let error = recompute(&verdict("Red", 96, "high", &[mask("a"), mask("b")])).unwrap_err();
        assert_eq!(error, "Confidence is \"high\", but the evidence gives \"low\"");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for value in [
            json!(null),
            json!({}),
            json!({"Evidence": 1}),
            json!({"Evidence": [1]}),
            json!({"Evidence": []}),
        ] {
            assert!(recompute(&value).is_err(), "{value}");
        }
    }
}
