//! Sources that are ready to be added: `catalogue.toml` beside this file. All are off until somebody adds them.

use serde::{Deserialize, Serialize};

use super::Source;

/// A source that is ready to be added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// What it is, in a line.
    pub title: String,
    /// Where its publisher says more.
    pub homepage: String,
    /// Where the key is had from that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The source.
    pub source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    ready: Vec<Ready>,
}

/// All of them, in the catalogue's order.
pub fn all() -> Vec<Ready> {
    let catalogue: Catalogue =
        toml::from_str(include_str!("catalogue.toml")).expect("the tests read the same text");
    catalogue.ready
}

/// One of them.
pub fn find(name: &str) -> Option<Ready> {
    all().into_iter().find(|ready| ready.source.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_ready_source_says_all_that_is_needed() {
        let all = all();
        assert!(all.len() >= 25, "{}", all.len());
        let names: BTreeSet<&str> = all.iter().map(|ready| ready.source.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for Ready { title, homepage, key, source } in &all {
            source.check().unwrap();
            let name = &source.name;
            assert!(!title.is_empty() && homepage.starts_with("https://"), "{name}");
            assert!(
                source.format.is_some() && source.interval.is_some() && source.licence.is_some(),
                "{name}"
            );
            let needs = source.credentials.is_some()
                || source.location.as_ref().is_some_and(|location| location.to_string().contains("{key}"));
            assert_eq!(key.is_some(), needs, "{name}");
        }
    }
}
