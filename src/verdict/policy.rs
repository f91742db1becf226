//! The policy: what evidence weighs, how it ages, what benign lists do. A TOML file; a default is built in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::score::Match;
use crate::fact::Action;
use crate::source::Registry;
use crate::value::{CATEGORIES, Category, Zone};

pub mod place;

use place::Problem;

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
    /// What notes call new.
    #[serde(default)]
    pub notes: Notes,
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

/// What the notes of a verdict call new. Notes change no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notes {
    /// First seen less than so many days ago; 0: never.
    pub newly_seen_days: u32,
    /// Registered less than so many days ago; 0: never.
    pub newly_registered_days: u32,
}

impl Default for Notes {
    fn default() -> Notes {
        Notes { newly_seen_days: 7, newly_registered_days: 30 }
    }
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
    /// The same where nothing of a Red category is said of the object itself; absent: `cap`.
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
    /// With `cap`: down to what where nothing of a Red category is said of the object itself; absent: `cap`.
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
    /// Takes the weights that sources say of themselves, where the policy says nothing of theirs.
    pub fn weigh(&mut self, registry: &Registry) {
        for source in registry.iter() {
            if let Some(weight) = source.weight {
                let own = self.sources.entry(source.name.clone()).or_default();
                own.weight = own.weight.or(Some(weight));
            }
        }
    }

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
        let mut policy: Policy = toml::from_str(text).map_err(|error| place::located(text, &error))?;
        policy.check().map_err(|problem| problem.located(text))?;
        policy.by_category = (0..=u8::MAX)
            .map_while(Category::from_index)
            .map(|category| policy.categories.get(category.short_name()).copied())
            .collect();
        Ok(policy)
    }

    fn check(&self) -> Result<(), Problem> {
        unit(&["confidence"], self.confidence)?;
        let factors = &self.factors;
        for (name, value) in [
            ("exact", factors.exact),
            ("parent", factors.parent),
            ("mask", factors.mask),
            ("network", factors.network),
            ("related", factors.related),
        ] {
            unit(&["factors", name], value)?;
        }
        for (name, ageing) in &self.categories {
            let path = ["categories", name];
            if category(&path)?.zone() == Zone::Grey {
                return Err(Problem::new(&path, "a topic is no evidence, it has no weight: leave it out"));
            }
            unit(&["categories", name, "weight"], ageing.weight)?;
            if ageing.speed.is_nan() || ageing.speed <= 0.0 {
                let text = format!("speed is {}: use a number over 0", ageing.speed);
                return Err(Problem::new(&["categories", name, "speed"], text));
            }
            if ageing.lifetime_days == Some(0) {
                let text = "a lifetime is 1 day or more: leave it out for what never ages";
                return Err(Problem::new(&["categories", name, "lifetime_days"], text));
            }
        }
        for (row, popular) in self.popular.iter().enumerate() {
            caps(&["popular", &row.to_string()], Some(popular.cap), popular.cap_suspicion)?;
        }
        for name in self.topics.keys() {
            category(&["topics", name])?;
        }
        let named =
            |table: &'static str, effects: &'_ BTreeMap<String, Effect>| -> Vec<(Vec<String>, Effect)> {
                effects.iter().map(|(name, effect)| (vec![table.to_owned(), name.clone()], *effect)).collect()
            };
        let otherwise = (vec!["otherwise".to_owned()], self.otherwise);
        let effects = [named("lists", &self.lists), named("topics", &self.topics), vec![otherwise]].concat();
        for (path, effect) in &effects {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            if (effect.action == Action::Cap) != effect.cap.is_some() {
                return Err(Problem::new(&path, "a cap stands with the action \"cap\" and only there"));
            }
            caps(&path, effect.cap, effect.cap_suspicion)?;
        }
        for (name, source) in &self.sources {
            for (field, value) in [("weight", source.weight), ("confidence", source.confidence)] {
                value.map_or(Ok(()), |value| unit(&["sources", name, field], value))?;
            }
            if source.derived_from.as_deref() == Some(name) {
                let text = "a source is not derived from itself: name the other one, or leave it out";
                return Err(Problem::new(&["sources", name, "derived_from"], text));
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

/// A share, 0 to 1.
fn unit(path: &[&str], value: f64) -> Result<(), Problem> {
    let name = path.last().copied().unwrap_or_default();
    let problem = || Problem::new(path, format!("{name} is {value}: use 0 to 1"));
    (0.0..=1.0).contains(&value).then_some(()).ok_or_else(problem)
}

/// Scores that others are held down to.
fn caps(path: &[&str], cap: Option<u8>, suspicion: Option<u8>) -> Result<(), Problem> {
    let at = |key| [path, &[key]].concat();
    match cap {
        Some(most @ 101..) => Err(Problem::new(&at("cap"), format!("cap is {most}: use 0 to 100"))),
        _ if suspicion > cap => {
            let text = "it is no greater than cap, and needs one: lower it, or leave it out";
            Err(Problem::new(&at("cap_suspicion"), text))
        }
        _ => Ok(()),
    }
}

/// The category that the last key names.
fn category(path: &[&str]) -> Result<Category, Problem> {
    let known = || CATEGORIES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let name = path.last().copied().unwrap_or_default();
    // As the table spells it: the policy is asked by that spelling.
    Category::find(name)
        .filter(|category| category.short_name() == name)
        .ok_or_else(|| Problem::new(path, format!("no such category: use one of {}", known())))
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
        assert_eq!(policy.notes, Notes::default(), "the file states the defaults");
    }

    /// A policy whose figures stay when those of the shipped one move.
    const TEXT: &str = include_str!("../../tests/data/policy.toml");

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        for (from, to, said) in [
            ("confidence = 0.9", "confidence = 90", "confidence: confidence is 90: use 0 to 1"),
            ("MALWARE ", "MALWEAR ", "categories.MALWEAR: no such category: use one of MALWARE, PHISHING"),
            ("MALWARE ", "malware ", "categories.malware: no such category: use one of MALWARE"),
            ("stale_days", "stale_weeks", "stale_weeks: unknown field `stale_weeks`, expected one of"),
            ("mask = 0.9", "mask = -1", "factors.mask: mask is -1: use 0 to 1"),
            ("mask = 0.9", "mask = \"x\"", "factors.mask: invalid type: string"),
            ("speed = 1.5", "speed = 0", "categories.PHISHING.speed: speed is 0: use a number over 0"),
            ("lifetime_days = 14,", "lifetime_days = 0,", "categories.TOR_EXIT_NODE.lifetime_days: "),
            ("cap = 60\n[[", "cap = 200\n[[", "popular.1.cap: cap is 200: use 0 to 100"),
            (
                "cap = 60\n[[",
                "cap = 60\ncap_suspicion = 61\n[[",
                "popular.1.cap_suspicion: it is no greater than cap",
            ),
            ("{ action = \"suppress\" }", "{ action = \"cap\" }", "topics.PUBLIC_DNS: a cap stands with"),
            ("[sources]", "[sources.\"a.b\"]\nweight = 7", "sources.a.b.weight: weight is 7: use 0 to 1"),
            ("[sources]", "[sources.a]\nderived_from = \"a\"", "sources.a.derived_from: a source is not"),
            ("name = \"default\"", "", "line 1: missing field `name`"),
            ("[sources]", "[sources", "line "),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let problem = Policy::parse(&TEXT.replace(from, to)).unwrap_err();
            assert!(problem.contains(said) && problem.starts_with("line "), "{to}: {problem}");
            let line: usize = problem[5..].split([',', ':']).next().unwrap().parse().unwrap();
            // The line that is named is one of those that were changed.
            let text = TEXT.replace(from, to);
            let named = text.lines().nth(line - 1).unwrap();
            let changed = to.lines().any(|line| named.contains(line));
            assert!(changed || said.contains("missing"), "{to}: {problem}");
        }
    }
}
