//! The policy: what evidence weighs, how it ages, what benign lists do. A TOML file; a default is built in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::score::Match;
use crate::fact::Action;
use crate::value::{Category, Zone};

/// The policy that ships with the program.
pub const DEFAULT: &str = include_str!("policy.toml");

/// What an entry that says "cap" of itself, without a figure, holds the score down to: Grey or Yellow.
const OWN_CAP: u8 = 49;

/// What evidence weighs and how it ages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name, shown in every verdict.
    pub name: String,
    /// Its version, shown in every verdict.
    pub version: String,
    /// Days that a whole-state source may go without a refresh before its listings age.
    pub stale_days: u32,
    /// How far a source is believed by default, 0 to 1.
    pub confidence: f64,
    /// What a match is worth.
    pub factors: Factors,
    /// Weight and ageing by category.
    pub categories: BTreeMap<String, Ageing>,
    /// What popularity does, by rank.
    #[serde(default)]
    pub popular: Vec<Popular>,
    /// What benign lists do, by their name, or that of their source. It goes before all that follows, and before
    /// what an entry says of itself.
    #[serde(default)]
    pub lists: BTreeMap<String, Effect>,
    /// What benign lists do, by their topic.
    #[serde(default)]
    pub topics: BTreeMap<String, Effect>,
    /// What any other benign entry does.
    pub otherwise: Effect,
    /// Sources with a weight and confidence of their own.
    #[serde(default)]
    pub sources: BTreeMap<String, SourcePolicy>,
    #[serde(skip)]
    by_category: Vec<Option<Ageing>>,
}

/// What a match is worth beside an exact one, 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factors {
    /// The object itself is listed.
    pub exact: f64,
    /// A name above it is listed with all below, or the host of a URL.
    pub parent: f64,
    /// A mask that covers it.
    pub mask: f64,
    /// A network that holds it.
    pub network: f64,
    /// Something related is listed.
    pub related: f64,
}

/// Weight and ageing of a category.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ageing {
    /// 0 to 1.
    pub weight: f64,
    /// Days after which nothing is left; absent: it never ages.
    pub lifetime_days: Option<u32>,
    /// Speed of the decay, over 0.
    pub speed: f64,
}

/// What popularity does up to a rank.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Popular {
    /// The last rank that this row is for; absent: all.
    pub rank_max: Option<u32>,
    /// The score is held down to this.
    pub cap: u8,
    /// The same where nothing of a Red category counts; absent: `cap`.
    pub cap_suspicion: Option<u8>,
}

/// What a benign entry does.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// What it does.
    pub action: Action,
    /// With `cap`: down to what.
    pub cap: Option<u8>,
    /// With `cap`: down to what where nothing of a Red category counts; absent: `cap`.
    pub cap_suspicion: Option<u8>,
    /// Whether an entry with all below it also speaks for the names below; else it only annotates those.
    #[serde(default = "yes")]
    pub below: bool,
}

fn yes() -> bool {
    true
}

impl Effect {
    /// It is shown and changes nothing.
    pub const ANNOTATE: Effect =
        Effect { action: Action::Annotate, cap: None, cap_suspicion: None, below: true };

    /// What it does to an object that an entry matched so.
    pub fn on(self, matched: Match) -> Effect {
        if matched == Match::Parent && !self.below { Effect::ANNOTATE } else { self }
    }

    /// What it does where only evidence of Orange and Yellow categories counts.
    pub fn on_suspicion(self) -> Effect {
        Effect { cap: self.cap_suspicion.or(self.cap), ..self }
    }
}

/// A benign entry, as far as the policy asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct BenignEntry<'a> {
    /// Its source.
    pub source: &'a str,
    /// Its list, where the source has several.
    pub list: Option<&'a str>,
    /// What the entry says of itself.
    pub action: Option<Action>,
    /// Its topic.
    pub category: Option<Category>,
    /// Its rank among popular names.
    pub rank: Option<u32>,
}

/// A source's own weight and confidence.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcePolicy {
    /// Times the category's weight, 0 to 1.
    pub weight: Option<f64>,
    /// How far it is believed, 0 to 1.
    pub confidence: Option<f64>,
    /// The source that it copies: the two count once.
    pub derived_from: Option<String>,
}

impl Policy {
    /// The policy that ships with the program.
    pub fn built_in() -> Policy {
        Policy::parse(DEFAULT).expect("the built-in policy is tested")
    }

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn parse(text: &str) -> Result<Policy, String> {
        let mut policy: Policy = toml::from_str(text).map_err(|error| error.to_string())?;
        policy.check()?;
        policy.by_category = (0..=u8::MAX)
            .map_while(Category::from_index)
            .map(|category| policy.categories.get(category.short_name()).copied())
            .collect();
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        let unit = |name: &str, value: f64| {
            (0.0..=1.0).contains(&value).then_some(()).ok_or_else(|| format!("{name} is {value}: use 0 to 1"))
        };
        let caps = |name: &str, cap: Option<u8>, suspicion: Option<u8>| match cap {
            Some(101..) => Err(format!("{name}: a cap is 0 to 100")),
            _ if suspicion > cap => {
                Err(format!("{name}: cap_suspicion is no greater than cap, and needs one"))
            }
            _ => Ok(()),
        };
        unit("confidence", self.confidence)?;
        let factors = &self.factors;
        for (name, value) in [
            ("factors.exact", factors.exact),
            ("factors.parent", factors.parent),
            ("factors.mask", factors.mask),
            ("factors.network", factors.network),
            ("factors.related", factors.related),
        ] {
            unit(name, value)?;
        }
        for (name, ageing) in &self.categories {
            let category =
                Category::find(name).ok_or_else(|| format!("categories.{name}: no such category"))?;
            if category.zone() == Zone::Grey {
                return Err(format!("categories.{name}: a topic is no evidence, it has no weight"));
            }
            unit(&format!("categories.{name}.weight"), ageing.weight)?;
            if ageing.speed <= 0.0 || ageing.lifetime_days == Some(0) {
                return Err(format!("categories.{name}: speed and lifetime_days are over 0"));
            }
        }
        for name in self.topics.keys() {
            Category::find(name).ok_or_else(|| format!("topics.{name}: no such category"))?;
        }
        let lists = self.lists.iter().map(|(name, effect)| (format!("lists.{name:?}"), effect));
        let topics = self.topics.iter().map(|(name, effect)| (format!("topics.{name}"), effect));
        for (name, effect) in lists.chain(topics).chain([("otherwise".to_owned(), &self.otherwise)]) {
            if (effect.action == Action::Cap) != effect.cap.is_some() {
                return Err(format!("{name}: a cap stands with the action \"cap\" and only there"));
            }
            caps(&name, effect.cap, effect.cap_suspicion)?;
        }
        for row in &self.popular {
            caps("popular", Some(row.cap), row.cap_suspicion)?;
        }
        for (name, source) in &self.sources {
            for (field, value) in [("weight", source.weight), ("confidence", source.confidence)] {
                value.map_or(Ok(()), |value| unit(&format!("sources.{name}.{field}"), value))?;
            }
        }
        Ok(())
    }

    /// Weight and ageing of a category; `None`: it is no evidence.
    pub fn ageing(&self, category: Category) -> Option<Ageing> {
        self.by_category.get(usize::from(category.index())).copied().flatten()
    }

    /// What a benign entry does: as the policy says of its list, then of its source, then as the entry says, then by
    /// its rank, then by its topic.
    pub fn effect(&self, entry: &BenignEntry<'_>) -> Effect {
        let named = entry.list.and_then(|list| self.lists.get(list)).or_else(|| self.lists.get(entry.source));
        let own = || match entry.action? {
            Action::Cap => Some(Effect { action: Action::Cap, cap: Some(OWN_CAP), ..Effect::ANNOTATE }),
            action => Some(Effect { action, ..Effect::ANNOTATE }),
        };
        // A list of mere names, with no rank, topic or list, is one of popular names.
        let is_popular = entry.rank.is_some() || (entry.category.is_none() && entry.list.is_none());
        let popular = || is_popular.then(|| self.popular(entry.rank)).flatten();
        let topic = || entry.category.and_then(|category| self.topics.get(category.short_name())).copied();
        named.copied().or_else(own).or_else(popular).or_else(topic).unwrap_or(self.otherwise)
    }

    /// What popularity of a rank does: to that host alone, never to what stands below it.
    fn popular(&self, rank: Option<u32>) -> Option<Effect> {
        let reaches = |row: &&Popular| row.rank_max.is_none_or(|max| rank.is_some_and(|rank| rank <= max));
        let row = self.popular.iter().find(reaches)?;
        Some(Effect {
            action: Action::Cap,
            cap: Some(row.cap),
            cap_suspicion: row.cap_suspicion,
            below: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_policy_has_all_evidence_categories() {
        let policy = Policy::built_in();
        for index in 0..=u8::MAX {
            let Some(category) = Category::from_index(index) else { break };
            assert_eq!(policy.ageing(category).is_some(), category.zone() != Zone::Grey, "{category}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let change = |from: &str, to: &str| Policy::parse(&DEFAULT.replace(from, to)).unwrap_err();
        assert!(change("confidence = 0.9", "confidence = 90").contains("confidence is 90"));
        assert!(change("MALWARE ", "MALWEAR ").contains("MALWEAR"));
        assert!(change("stale_days", "stale_weeks").contains("stale_weeks"));
    }
}
