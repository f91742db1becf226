//! Which registry to ask for a domain: IANA's list (RFC 9224), kept for a day.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::memory::Memory;
use crate::source::fetch::{Client, FetchError, Fetched, Validators};
use crate::value::{DAY_S, Timestamp};

/// The copy in the source's folder.
const FILE: &str = "bootstrap.json";

/// The registries by the names that they are of.
pub(super) struct Bootstrap(HashMap<String, String>);

#[derive(Deserialize)]
struct Document {
    /// Names, and the addresses of their registry.
    services: Vec<(Vec<String>, Vec<String>)>,
}

impl Bootstrap {
    /// The list: the copy of the last day, else a new one, else an older copy.
    pub(super) fn get(
        client: &Client,
        address: &str,
        folder: &Path,
        now: Timestamp,
        memory: &mut Memory,
    ) -> Result<Bootstrap, FetchError> {
        let path = folder.join(FILE);
        let kept = || fs::read(&path).ok().and_then(|text| Bootstrap::read(&text).ok());
        let is_of_today = memory
            .bootstrap
            .as_ref()
            .is_some_and(|(read, from)| from == address && (0..DAY_S).contains(&(now.0 - read.0)));
        if is_of_today && let Some(bootstrap) = kept() {
            return Ok(bootstrap);
        }
        match Bootstrap::fetch(client, address, folder) {
            Ok(bootstrap) => {
                memory.bootstrap = Some((now, address.to_owned()));
                Ok(bootstrap)
            }
            Err(error) => {
                let is_from_there = memory.bootstrap.as_ref().is_some_and(|(_, from)| from == address);
                let older = if is_from_there { kept() } else { None };
                tracing::warn!(%error, is_kept = older.is_some(), "which registry to ask cannot be read");
                older.ok_or(error)
            }
        }
    }

    fn fetch(client: &Client, address: &str, folder: &Path) -> Result<Bootstrap, FetchError> {
        let part = folder.join("bootstrap.part");
        let failed = |error: std::io::Error| FetchError::from(format!("{}: {error}", part.display()));
        let known = Validators::default();
        let Fetched::New(_) = client.get(address, Some("application/json"), &known, &part, &mut |_, _| {})?
        else {
            return Err(format!("{address} says that nothing changed, unasked").into());
        };
        let bootstrap = Bootstrap::read(&fs::read(&part).map_err(failed)?)
            .map_err(|error| format!("{address} is no list of registries (RFC 9224): {error}"))?;
        fs::rename(&part, folder.join(FILE)).map_err(failed)?;
        Ok(bootstrap)
    }

    fn read(text: &[u8]) -> Result<Bootstrap, serde_json::Error> {
        let document: Document = serde_json::from_slice(text)?;
        let mut bases = HashMap::new();
        for (names, addresses) in &document.services {
            let with = |scheme: &str| addresses.iter().find(|address| address.starts_with(scheme));
            let Some(base) = with("https://").or_else(|| with("http://")) else { continue };
            for name in names {
                let base = format!("{}/", base.trim_end_matches('/'));
                bases.insert(name.trim_matches('.').to_ascii_lowercase(), base);
            }
        }
        Ok(Bootstrap(bases))
    }

    /// The address of the registry of a domain: that of the longest name above it.
    pub(super) fn base(&self, domain: &str) -> Option<&str> {
        let mut name = domain;
        while let Some((_, above)) = name.split_once('.') {
            if let Some(base) = self.0.get(above) {
                return Some(base);
            }
            name = above;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_above_counts_and_https_goes_first() {
        let bootstrap = Bootstrap::read(
            br#"{"version":"1.0","services":[[["com","NET"],["http://a.example/","https://a.example/x"]],
            [["uk"],["https://b.example/"]],[["co.uk"],["https://c.example/"]],[["gone"],["ftp://d.example/"]]]}"#,
        )
        .unwrap();
        for (domain, base) in [
            ("a.com", Some("https://a.example/x/")),
            ("a.net", Some("https://a.example/x/")),
            ("a.uk", Some("https://b.example/")),
            ("a.co.uk", Some("https://c.example/")),
            ("a.gone", None),
            ("a.example", None),
            ("com", None),
        ] {
            assert_eq!(bootstrap.base(domain), base, "{domain}");
        }
        assert!(Bootstrap::read(b"<html>").is_err());
    }
}
