//! What somebody says, as it is typed and as it is kept: checked, it is the native form of its fact.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Kind;
use crate::fact::Fact;
use crate::indicator::Indicator;
use crate::value::{Timestamp, Zone};

/// The longest name of who says it, in characters.
pub const BY_CHARS_MAX: usize = 100;
/// The longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 1000;
/// The longest remark, in characters.
pub const TEXT_CHARS_MAX: usize = 4000;

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It must.
    Needed,
    /// It can be left out.
    Optional,
}

/// What somebody says of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The object.
    pub indicator: Indicator,
    /// The zone that a pin sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who says so.
    pub by: String,
    /// Until when a pin lasts, to the minute; absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was said, of a sighting when it was seen; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

impl Said {
    /// Nothing yet, of an object and by somebody.
    pub fn new(indicator: Indicator, by: &str) -> Said {
        let by = by.to_owned();
        Said { indicator, zone: None, reason: None, text: None, by, expires: None, observed: None }
    }

    /// Checks what was typed and completes it: all fields that the kind needs and no other, texts that are not
    /// empty nor too long, moments that can be.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right.
    pub(super) fn checked(mut self, kind: &Kind, now: Timestamp) -> Result<Said, String> {
        self.check_fields(kind)?;
        tidy("by", &mut self.by, BY_CHARS_MAX, "say who says it")?;
        if let Some(reason) = &mut self.reason {
            tidy("reason", reason, REASON_CHARS_MAX, "say why")?;
        }
        if let Some(text) = &mut self.text {
            tidy("text", text, TEXT_CHARS_MAX, "say something")?;
        }
        // Reports show an expiry to the minute, so it is one of whole minutes.
        self.expires = self.expires.map(|at| Timestamp(at.0.div_euclid(60) * 60));
        if let Some(expires) = self.expires.filter(|expires| *expires <= now) {
            return Err(format!(
                "expires is {expires}, which is not in the future: use a moment after {now}, or leave it out for good"
            ));
        }
        let observed = *self.observed.get_or_insert(now);
        if observed > now || observed < Timestamp::OBSERVED_MIN {
            return Err(format!("observed is {observed}: use a moment from 1990 up to now, {now}"));
        }
        Ok(self)
    }

    fn check_fields(&self, kind: &Kind) -> Result<(), String> {
        let given = [
            ("zone", self.zone.is_some()),
            ("reason", self.reason.is_some()),
            ("text", self.text.is_some()),
            ("expires", self.expires.is_some()),
            ("observed", self.observed.is_some()),
        ];
        for (field, is_given) in given {
            let problem = match (kind.rule(field), is_given) {
                (Some(Rule::Needed), false) => "must have",
                (None, true) => "does not have",
                _ => continue,
            };
            let fields: Vec<&str> = kind.fields.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "a {} {problem} {field}: its fields are indicator, by, {}",
                kind.words(),
                fields.join(", ")
            ));
        }
        Ok(())
    }

    /// The fact.
    ///
    /// # Errors
    ///
    /// What the native form refuses.
    pub(super) fn fact(&self, kind: &Kind) -> Result<Fact, String> {
        let mut native = serde_json::to_value(self).map_err(|error| error.to_string())?;
        native["fact"] = Value::from(kind.name);
        serde_json::from_value(native).map_err(|error| error.to_string())
    }

    /// The order of what is said of one object: the greatest is the newest. Pins are ordered as the verdict
    /// orders them; the rest makes the order the same for all orders of imports.
    pub(super) fn order(&self) -> impl Ord + use<> {
        let lasts = Reverse(self.expires.unwrap_or(Timestamp::RECORD_MAX));
        let zone = Reverse(self.zone.unwrap_or_default());
        (self.observed, zone, lasts, self.by.clone(), self.reason.clone(), self.text.clone())
    }
}

/// Takes the space round a text off, and refuses one that is empty, too long or no plain text.
fn tidy(field: &str, text: &mut String, chars_max: usize, hint: &str) -> Result<(), String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(format!("{field} is empty: {hint}"));
    }
    let chars = trimmed.chars().count();
    if chars > chars_max {
        return Err(format!("{field} has {chars} characters: use at most {chars_max}"));
    }
    let disturbs =
        |character: &char| character.is_control() && !(field == "text" && matches!(character, '\n' | '\t'));
    if let Some(character) = trimmed.chars().find(disturbs) {
        return Err(format!("{field} holds the control character {character:?}: use plain text"));
    }
    *text = trimmed.to_owned();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{FALSE_POSITIVE, KINDS, NOTE, PIN, SIGHTING};

    fn said(json: &str) -> Said {
        serde_json::from_str(json).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::parse("2024-06-01T12:00:30Z").unwrap()
    }

    #[test]
    fn what_is_checked_is_the_native_form_of_its_fact() {
        for (kind, json) in [
            (PIN, r#"{"indicator":"a.example","zone":"Red","reason":"r","by":"ann","expires":"2024-06-02"}"#),
            (NOTE, r#"{"indicator":"url:http://a.example/b","text":"a\nb","by":"ann"}"#),
            (SIGHTING, r#"{"indicator":"192.31.196.1","by":"ann","observed":"2024-05-28T07:03:09Z"}"#),
            (FALSE_POSITIVE, r#"{"indicator":"a.example","reason":"r","by":"ann"}"#),
        ] {
            let checked = said(json).checked(kind, now()).unwrap();
            let fact = checked.fact(kind).unwrap();
            assert_eq!(fact.kind(), kind.name);
            let mut native = serde_json::to_value(&fact).unwrap();
            native.as_object_mut().unwrap().remove("fact");
            assert_eq!(serde_json::from_value::<Said>(native).unwrap(), checked);
            // What one kind has another refuses.
            for other in KINDS.iter().filter(|other| other.name != kind.name && kind.name != "sighting") {
                assert!(said(json).checked(other, now()).is_err(), "{} as {}", kind.name, other.name);
            }
        }
    }

    #[test]
    fn texts_are_tidied_and_bounded_and_an_expiry_is_of_whole_minutes() {
        let pin = |by: &str, expires: &str| {
            let json = serde_json::json!({"indicator": "a.example", "zone": "Red", "reason": " r ", "by": by,
                "expires": expires});
            said(&json.to_string()).checked(PIN, now())
        };
        let checked = pin(" ann ", "2024-06-01T12:02:59Z").unwrap();
        assert_eq!((checked.by.as_str(), checked.reason.as_deref()), ("ann", Some("r")));
        assert_eq!(checked.expires, Some(Timestamp::parse("2024-06-01T12:02:00Z").unwrap()));
        assert_eq!(checked.observed, Some(now()));
        assert!(pin(&"\u{e9}".repeat(BY_CHARS_MAX), "2024-06-02").is_ok(), "characters, not bytes");
        assert!(pin(&"x".repeat(BY_CHARS_MAX + 1), "2024-06-02").unwrap_err().contains("101 characters"));
        assert!(pin("ann", "2024-06-01T12:00:59Z").unwrap_err().contains("not in the future"));
        assert!(pin("ann\nbob", "2024-06-02").unwrap_err().contains("control character"));
    }
}
