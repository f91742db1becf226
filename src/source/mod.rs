//! Sources: where data comes from, how often, and what is known of it beforehand.
//!
//! ```text
//! zonelens.toml [[source]] ─┐
//! <data>/sources.toml ──────┴► Registry ─► refresh: fetch ─► import ─► <data>/sources/<name>.json
//! ```
//!
//! A source stands in the configuration, where people write it, or in `sources.toml` of the data folder, where
//! `zonelens source add` does. What became of it (validators of HTTP, last good, what is held back) is one small
//! file a source. Nothing is fetched unless a source says so.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::feeds::State;
use crate::import::{format_by_name, source_name};
use crate::store::Counts;
use crate::value::{Category, Tlp};

pub mod catalogue;
pub mod fetch;
pub mod known;
pub mod location;
mod misp;
pub mod quarantine;
pub mod rdap;
pub mod refresh;
pub mod schedule;
pub mod status;
mod taxii;
mod watch;

pub use location::Location;

/// The file of a data folder with the sources that commands added.
pub const FILE: &str = "sources.toml";

/// A source. All but the name can be left out; without a location it is only what is known of the source of
/// imports beforehand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The source's name, as `import --source` takes it.
    pub name: String,
    /// Where it comes from: a file, a folder, a pattern, `https://…`, `taxii+https://…`, `misp+https://…`, `rdap:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// How often it is asked for by itself; absent: only by `source refresh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Not asked for by itself, though it has an interval.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// Its format; absent: found by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The columns of a table, a TOML file; of the format `csv` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub mapping: Option<PathBuf>,
    /// What a batch of it means; absent: what its format says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// How it counts; absent: it adds up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What its listings are where the feed does not say; absent: malware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// How far it is believed, 0 to 100, where the feed does not say; absent: the policy's figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// What its listings weigh beside others', 0 to 1, where the policy does not say; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// To whom what it says may be passed on; absent: to anybody, unless its content says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
    /// Days that what it says is kept; absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// The licence of what it says, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The proxy to ask through, `http://host:port`; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub proxy: Option<String>,
    /// A PEM file with the certificates that servers are checked against; absent: the usual ones of the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub ca_file: Option<PathBuf>,
    /// Whether it may lead to loopback, private and link-local addresses.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_private: bool,
    /// The most seconds that fetching it may take; absent: [`fetch::TIMEOUT_S`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// The most MiB that are fetched, as sent; absent: [`fetch::SIZE_MB`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<u64>,
    /// What proves to it who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub credentials: Option<Credentials>,
    /// How it asks registries; of the location `rdap:` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdap: Option<rdap::Options>,
}

/// What proves to a source who asks. The secret itself never stands in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The file with the secret: its first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The variable of the environment with the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The user, whose password the secret is (HTTP Basic).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The header that carries the secret; absent: `Authorization: Bearer`, or the place of `{key}` in the
    /// location where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

impl Credentials {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// Where it is nowhere to be read, for a person; never with the secret in it.
    pub fn secret(&self) -> Result<String, String> {
        let secret = match (&self.file, &self.env) {
            (Some(file), None) => {
                let text = fs::read_to_string(file).map_err(|error| {
                    format!("{}: {error}; credentials.file names a readable file", file.display())
                })?;
                text.lines().next().unwrap_or_default().trim().to_owned()
            }
            (None, Some(name)) => std::env::var(name).map_err(|_| {
                format!("the variable {name} of the environment is not set: set it to the key")
            })?,
            _ => return Err("credentials need a file or an env, one of them".to_owned()),
        };
        if secret.is_empty() || secret.chars().any(char::is_control) {
            return Err("the secret is empty or has a control character".to_owned());
        }
        Ok(secret)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

//------------ Interval ------------------------------------------------------

/// How often: a whole number with its unit, `30s`, `15m`, `6h`, `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval(u64);

/// Units of an interval, the largest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The longest interval, in seconds: a year.
const INTERVAL_MAX_S: u64 = 366 * 86_400;

impl Interval {
    /// An interval of so many seconds, at least one.
    pub fn seconds(seconds: u64) -> Interval {
        Interval(seconds.clamp(1, INTERVAL_MAX_S))
    }

    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Interval, String> {
        text.parse()
    }
}

impl std::str::FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Interval, String> {
        let wrong = || format!("{text:?} is no interval: use a number and s, m, h or d, as 15m, 6h or 1d");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let count: u64 = text[..text.len() - 1].trim_end().parse().map_err(|_| wrong())?;
        let seconds = count.checked_mul(*seconds).filter(|all| (1..=INTERVAL_MAX_S).contains(all));
        seconds.map(Interval).ok_or_else(wrong)
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> String {
        interval.to_string()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Seconds divide everything: one unit is always found.
        let unit = UNITS.iter().find(|(_, seconds)| self.0.is_multiple_of(*seconds)).unwrap_or(&UNITS[3]);
        write!(out, "{}{}", self.0 / unit.1, unit.0)
    }
}

//------------ Source --------------------------------------------------------

impl Source {
    /// A source of which only the name is known.
    pub fn named(name: &str) -> Source {
        Source { name: name.to_owned(), ..Source::default() }
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right, for a person.
    pub fn check(&self) -> Result<(), String> {
        source_name(&self.name).map_err(|problem| format!("[[source]]: {problem}"))?;
        let wrong = |text: String| Err(format!("[[source]] {:?}: {text}", self.name));
        if let Some(confidence) = self.confidence.filter(|confidence| *confidence > 100) {
            return wrong(format!("confidence is {confidence}: use 0 to 100"));
        }
        if let Some(weight) = self.weight.filter(|weight| !(0.0..=1.0).contains(weight)) {
            return wrong(format!("weight is {weight}: use 0 to 1"));
        }
        if let Some(format) = &self.format {
            format_by_name(format).or_else(|problem| wrong(problem).map(|()| unreachable!()))?;
        }
        if self.interval.is_some() && self.location.is_none() {
            return wrong("it has an interval and no location: name the location too".to_owned());
        }
        if self.keep_days == Some(0) {
            return wrong("keep_days is 0: leave it out to keep for good, or disable the source".to_owned());
        }
        if let Some(credentials) = &self.credentials
            && credentials.file.is_some() == credentials.env.is_some()
        {
            return wrong("credentials need a file or an env, one of them".to_owned());
        }
        let is_rdap = self.location == Some(Location::Rdap);
        if is_rdap && self.credentials.is_some() {
            return wrong("it would show its credentials to every registry: leave them out".to_owned());
        }
        match &self.rdap {
            Some(_) if !is_rdap => wrong("rdap is of the location \"rdap:\" only: leave it out".to_owned()),
            Some(options) => options.check().or_else(wrong),
            None => Ok(()),
        }
    }
}

//------------ Registry ------------------------------------------------------

/// All sources that are known: those of the configuration and those that commands added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    sources: BTreeMap<String, Source>,
    /// The names of those that commands added.
    added: Vec<String>,
}

/// What `sources.toml` holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    #[serde(default, rename = "source")]
    sources: Vec<Source>,
}

impl Registry {
    /// Those of the configuration and of a data folder. `configured` was checked when it was read.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn read(configured: &[Source], data: &Path) -> Result<Registry, String> {
        let path = data.join(FILE);
        let wrong = |problem: String| format!("{}: {problem}", path.display());
        let added = read_added(&path).map_err(wrong)?;
        let mut registry = Registry::default();
        for source in configured {
            registry.sources.insert(source.name.clone(), source.clone());
        }
        for source in added.sources {
            source.check().map_err(wrong)?;
            let name = source.name.clone();
            if registry.sources.insert(name.clone(), source).is_some() {
                return Err(wrong(format!(
                    "the source {name:?} stands in the configuration too, or twice: remove one"
                )));
            }
            registry.added.push(name);
        }
        Ok(registry)
    }

    /// What sources are marked with, by name.
    pub fn marks(&self) -> BTreeMap<String, Tlp> {
        self.iter().filter_map(|source| Some((source.name.clone(), source.tlp?))).collect()
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// One of them.
    pub fn find(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// Whether commands added it, and may change it.
    pub fn is_added(&self, name: &str) -> bool {
        self.added.iter().any(|added| added == name)
    }
}

/// Changes the sources that commands added: `change` gets all of them, and what it leaves is written.
///
/// # Errors
///
/// What `change` says, and what the file system says, for a person.
pub fn change(
    data: &Path,
    change: impl FnOnce(&mut Vec<Source>) -> Result<(), String>,
) -> Result<(), String> {
    let path = data.join(FILE);
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    fs::create_dir_all(data).map_err(|error| failed(&error))?;
    let lock = fs::File::create(data.join("sources.lock")).map_err(|error| failed(&error))?;
    lock.lock().map_err(|error| failed(&error))?;
    let mut added = read_added(&path).map_err(|error| failed(&error))?;
    change(&mut added.sources)?;
    for source in &added.sources {
        source.check()?;
    }
    let text = toml::to_string(&added).map_err(|error| failed(&error))?;
    let text = format!(
        "# Written by `zonelens source`. Changed by hand while no command runs it is read as it is.\n\n{text}"
    );
    replace(&path, text.as_bytes()).map_err(|error| failed(&error))
}

fn read_added(path: &Path) -> Result<Added, String> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| error.to_string().trim_end().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Added::default()),
        Err(error) => Err(error.to_string()),
    }
}

/// Replaces a small file as a whole, durably: readers see the old one or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = fs::File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_as_they_are_written() {
        for (text, seconds) in [("30s", 30), ("15m", 900), ("6h", 21_600), ("1d", 86_400), ("90m", 5_400)] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!((interval.duration().as_secs(), interval.to_string()), (seconds, text.to_owned()));
        }
        for wrong in ["", "1", "h", "0m", "-1h", "1.5h", "1w", "400d", "1é", "99999999999999999999d"] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_commands_add_is_read_beside_the_configuration() {
        let folder = std::env::temp_dir().join(format!("zonelens-registry-{}", std::process::id()));
        let configured = [Source::named("mine")];
        assert_eq!(Registry::read(&configured, &folder).unwrap().iter().count(), 1);
        let added = Source {
            location: Some("https://feed.example/list".parse().unwrap()),
            interval: Some(Interval::seconds(3600)),
            ..Source::named("added")
        };
        change(&folder, |sources| {
            sources.push(added.clone());
            Ok(())
        })
        .unwrap();
        let registry = Registry::read(&configured, &folder).unwrap();
        assert_eq!(registry.find("added"), Some(&added));
        assert!(registry.is_added("added") && !registry.is_added("mine"));
        let twice = Registry::read(&[Source::named("added")], &folder).unwrap_err();
        assert!(twice.contains("stands in the configuration too"), "{twice}");
        fs::remove_dir_all(folder).unwrap();
    }
}
