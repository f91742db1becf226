//! STIX objects as their JSON is, and what is kept of each until all are read.

use serde::Deserialize;

use super::pattern::Found;
use super::tables::{category_of, specific, traffic_light};
use crate::fact::{FileVerdict, Listed, Publication, ReportType, Seen};
use crate::feeds::entry::Fault;
use crate::feeds::lenient::{Entries, Objects, Text, Texts};
use crate::indicator::{DomainName, FileHash, FileHashes, Host, Indicator, Mask, Url, parse_address};
use crate::value::{Category, Timestamp};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Object {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) id: Text,
    pub(super) created: Text,
    pub(super) modified: Text,
    pub(super) created_by_ref: Text,
    pub(super) revoked: Text,
    pub(super) labels: Texts,
    pub(super) confidence: Text,
    pub(super) name: Text,
    pub(super) description: Text,
    pub(super) object_marking_refs: Texts,
    pub(super) external_references: Objects<Reference>,
    pub(super) kill_chain_phases: Objects<Phase>,
    // indicator
    pub(super) pattern: Text,
    pub(super) pattern_type: Text,
    pub(super) valid_from: Text,
    pub(super) valid_until: Text,
    pub(super) indicator_types: Texts,
    // malware, identity, location
    pub(super) malware_types: Texts,
    pub(super) sectors: Texts,
    pub(super) country: Text,
    pub(super) region: Text,
    // report, grouping, observed-data
    pub(super) object_refs: Texts,
    pub(super) published: Text,
    pub(super) first_observed: Text,
    pub(super) last_observed: Text,
    pub(super) number_observed: Text,
    pub(super) objects: Entries<Object>,
    // sighting
    pub(super) sighting_of_ref: Text,
    pub(super) observed_data_refs: Texts,
    pub(super) where_sighted_refs: Texts,
    pub(super) last_seen: Text,
    pub(super) count: Text,
    // relationship
    pub(super) relationship_type: Text,
    pub(super) source_ref: Text,
    pub(super) target_ref: Text,
    // domain-name, ipv4-addr, ipv6-addr, url, file
    pub(super) value: Text,
    pub(super) resolves_to_refs: Texts,
    pub(super) hashes: Entries<Text>,
    pub(super) size: Text,
    pub(super) mime_type: Text,
}

#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    url: Text,
}

#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(super) struct Phase {
    phase_name: Text,
}

/// What a name in a report is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Actor,
    Campaign,
    Malware,
    Victim,
    Place,
}

/// The types whose names are used, and as what.
pub(super) const ROLES: &[(&str, Role)] = &[
    ("threat-actor", Role::Actor),
    ("intrusion-set", Role::Actor),
    ("campaign", Role::Campaign),
    ("malware", Role::Malware),
    ("identity", Role::Victim),
    ("location", Role::Place),
];

/// What an indicator says, as far as it says it itself.
pub(super) struct Says {
    pub(super) found: Vec<Found>,
    pub(super) is_benign: bool,
    pub(super) is_revoked: bool,
    /// More than that it is bad: by its labels and its place in a kill chain.
    pub(super) specific: Option<Category>,
    /// By its type; in the writer's own word where that is in no table.
    pub(super) by_type: Option<Result<Category, String>>,
    pub(super) confidence: Option<u8>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Its name, its traffic light and where it is described.
    pub(super) reference: Vec<String>,
}

/// How much is kept of a name or a description.
const TEXT_CHARS: usize = 2000;

fn cut(text: &Text) -> Option<String> {
    text.get().map(|text| text.chars().take(TEXT_CHARS).collect())
}

pub(super) fn time(text: &Text) -> Option<Timestamp> {
    text.get().and_then(|text| Timestamp::parse(text).ok())
}

impl Object {
    pub(super) fn kind(&self) -> &str {
        self.kind.get().unwrap_or_default()
    }

    pub(super) fn modified(&self) -> Option<Timestamp> {
        time(&self.modified).or_else(|| time(&self.created))
    }

    pub(super) fn name(&self) -> Option<String> {
        cut(&self.name)
    }

    pub(super) fn lights(&self) -> impl Iterator<Item = &'static str> {
        self.object_marking_refs.iter().filter_map(traffic_light)
    }

    fn url(&self) -> Option<String> {
        self.external_references.iter().find_map(|reference| cut(&reference.url))
    }

    /// What an indicator with these things in its pattern says.
    pub(super) fn says(&self, found: Vec<Found>) -> Says {
        let phases = self.kill_chain_phases.iter().filter_map(|phase| phase.phase_name.get());
        // STIX 2.0 has the types of indicators as labels.
        let mut types = self.indicator_types.iter().peekable();
        let types: Vec<&str> =
            if types.peek().is_some() { types.collect() } else { self.labels.iter().collect() };
        let own_word = || self.indicator_types.iter().find_map(|word| category_of(word).err());
        let by_type = types.iter().find_map(|word| category_of(word).ok().flatten()).map(Ok);
        let is_revoked = self.revoked.is_true();
        let modified = self.modified();
        let first = time(&self.valid_from);
        let mut reference: Vec<String> = self.name().into_iter().collect();
        reference.extend(self.lights().map(str::to_owned));
        reference.extend(self.url());
        Says {
            found,
            is_benign: types.iter().any(|word| word.eq_ignore_ascii_case("benign")),
            is_revoked,
            specific: self.labels.iter().chain(types.iter().copied()).chain(phases).find_map(specific),
            by_type: by_type.or_else(|| own_word().map(|word| Err(word.to_owned()))),
            confidence: self
                .confidence
                .get()
                .and_then(|text| text.parse().ok())
                .filter(|value| *value <= 100),
            first,
            last: modified.max(first),
            until: if is_revoked { modified } else { time(&self.valid_until) },
            reference,
        }
    }

    /// A report or a grouping; names of what it refers to are added when they are known.
    pub(super) fn publication(&self, id: &str) -> Publication {
        let mut tags: Vec<String> = self.labels.iter().map(str::to_owned).collect();
        tags.extend(self.lights().map(str::to_owned));
        Publication {
            id: id.to_owned(),
            report_type: ReportType::Crimeware,
            title: self.name().unwrap_or_else(|| id.to_owned()),
            published: time(&self.published).or_else(|| time(&self.created)),
            updated: self.modified(),
            description: cut(&self.description),
            url: self.url(),
            tags,
            industries: Vec::new(),
            geography: Vec::new(),
            actors: Vec::new(),
        }
    }

    /// When something was observed, and how often.
    pub(super) fn seen(&self) -> Option<Seen> {
        let (first, last) = (time(&self.first_observed), time(&self.last_observed));
        let (first, last) = (first.or(last)?, last.or(first)?);
        let hits = self.number_observed.get().and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        Some(Seen { first: first.min(last), last: last.max(first), hits })
    }

    /// What an observable is; `None` of a type that is nothing here.
    pub(super) fn observable(&self) -> Option<Result<Found, Fault>> {
        let value = self.value.get().unwrap_or_default();
        let host = |host: Host| Found::new(host_mask(&host, None), Some(host.into()));
        Some(match self.kind() {
            "domain-name" => DomainName::parse(value)
                .map(|name| host(Host::Domain(name)))
                .map_err(|error| ("domain", error.to_string())),
            "ipv4-addr" | "ipv6-addr" => {
                let single =
                    value.strip_suffix("/32").or_else(|| value.strip_suffix("/128")).unwrap_or(value);
                parse_address(single)
                    .map(|address| host(Host::Address(address)))
                    .map_err(|error| ("address", error.to_string()))
            }
            "url" => Url::parse(value)
                .map(|url| Found::new(Listed::Mask(Mask::url(&url)), Some(Indicator::Url(url))))
                .map_err(|error| ("url", error.to_string())),
            "file" => self.file(),
            _ => return None,
        })
    }

    fn file(&self) -> Result<Found, Fault> {
        let mut file = FileHashes::default();
        for (name, value) in &self.hashes.0 {
            if let Some(hash) = file_hash(name, value.get().unwrap_or_default())? {
                file.set(hash);
            }
        }
        let best = file.best().ok_or_else(|| ("hash", "the file has no MD5, SHA-1 or SHA-256".to_owned()))?;
        let mut found = Found::new(Listed::File { file }, Some(Indicator::File(best)));
        found.names = self.name().into_iter().collect();
        Ok(found)
    }

    /// The traits of a file.
    pub(super) fn traits(&self, found: &Found, observed: Option<Timestamp>) -> Option<FileVerdict> {
        let Listed::File { file } = found.what else { return None };
        Some(FileVerdict {
            file,
            size: self.size.get().and_then(|text| text.parse().ok()),
            file_type: cut(&self.mime_type),
            names: found.names.clone(),
            observed,
            ..FileVerdict::default()
        })
    }
}

/// A hash by the name of its function; none of those that are not kept (SHA-512, SSDEEP, …).
pub(super) fn file_hash(name: &str, value: &str) -> Result<Option<FileHash>, Fault> {
    let name: String = name.chars().filter(|char| char.is_alphanumeric()).collect();
    if !["MD5", "SHA1", "SHA256"].iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Ok(None);
    }
    FileHash::parse(value).map(Some).map_err(|error| ("hash", error.to_string()))
}

pub(super) fn host_mask(host: &Host, port: Option<u16>) -> Listed {
    Listed::Mask(Mask::host(host, port))
}
