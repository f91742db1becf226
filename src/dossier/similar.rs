//! Similar domains: known registrable names that look like one.
//!
//! Candidates are made from the name and looked up among the known ones, never resolved: labels at edit
//! distance 1, the same label under other suffixes, look-alike characters, and internationalised names with
//! the same skeleton (Unicode Technical Standard 39).

use std::collections::BTreeMap;

use super::registration;
use crate::fact::{PortState, Registration};
use crate::indicator::DomainName;
use crate::store::{ObjectKey, StoreError, Table, skeleton};
use crate::value::{Timestamp, Zone};
use crate::verdict::Judge;

/// Characters of a label.
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";

/// Suffixes under which the same label is looked for.
const SUFFIXES: &[&str] = &[
    "com", "net", "org", "info", "biz", "io", "co", "me", "app", "dev", "xyz", "top", "site", "online",
    "shop", "store", "club", "live", "icu", "vip", "cc", "tv", "us", "uk", "co.uk", "de", "fr", "nl", "it",
    "es", "pl", "ru", "cn", "com.cn", "in", "co.in", "br", "com.br", "jp", "co.jp", "au", "com.au", "ca",
    "ch", "at", "be", "se", "no", "dk", "fi", "cz", "eu", "asia", "pro", "tech", "cloud", "space", "website",
    "link", "click", "support", "help", "services", "digital", "example", "test", "tk", "ml", "ga", "cf",
    "gq", "pw", "ws", "su", "to",
];

/// What stands for what in a Latin label.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("o", "0"),
    ("l", "1"),
    ("i", "1"),
    ("l", "i"),
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("s", "5"),
    ("e", "3"),
    ("a", "4"),
    ("b", "6"),
    ("g", "9"),
    ("g", "q"),
    ("nn", "m"),
];

/// A known name that looks alike.
#[derive(Clone, Debug)]
pub struct SimilarRow {
    /// Its zone.
    pub zone: Zone,
    /// The name.
    pub domain: String,
    /// When it was registered.
    pub created: Option<Timestamp>,
    /// When that runs out.
    pub expires: Option<Timestamp>,
    /// Whether port 80 answered when it was last tried.
    pub http_open: Option<bool>,
    /// Whether port 443 did.
    pub https_open: Option<bool>,
    /// How it was found.
    pub technique: &'static str,
    /// Edit distance of the two labels, in Unicode.
    pub distance: usize,
    /// Same registrant or same name servers.
    pub same_owner: bool,
}

/// The known names that look like the registrable domain of `name`, nearest first, same owner last.
///
/// # Errors
///
/// Damage in the store.
pub fn similar(
    judge: &Judge<'_>,
    name: &DomainName,
    own: Option<&Registration>,
) -> Result<Vec<SimilarRow>, StoreError> {
    let Some(registrable) = name.registrable() else { return Ok(Vec::new()) };
    let Some((label, suffix)) = registrable.split_once('.') else { return Ok(Vec::new()) };
    let view = judge.view();
    let mut candidates = Candidates::default();
    for other in SUFFIXES.iter().filter(|other| **other != suffix) {
        candidates.push(label, other, "other-suffix");
    }
    edits(label, |edited| candidates.push(edited, suffix, "edit"));
    for alike in look_alikes(label) {
        candidates.push(&alike, suffix, "look-alike");
    }
    let names: Vec<&str> = candidates.names().collect();
    let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
    for at in view.known_names(&names)? {
        if names[at] != registrable {
            found.entry(names[at].to_owned()).or_insert(candidates.ends[at].1);
        }
    }
    let shape =
        skeleton(&DomainName::from_normal(registrable).map_or_else(String::new, |name| name.unicode()));
    for candidate in view.names_with_skeleton(&shape)? {
        if candidate != registrable {
            found.entry(candidate).or_insert("look-alike");
        }
    }
    let mut rows = Vec::with_capacity(found.len());
    for (domain, technique) in found {
        rows.push(row(judge, label, domain, technique, own)?);
    }
    rows.sort_by(|a: &SimilarRow, b| {
        (a.distance, a.same_owner, &a.domain).cmp(&(b.distance, b.same_owner, &b.domain))
    });
    Ok(rows)
}

/// Names to be looked up: one text, where each ends, and how it was made.
#[derive(Default)]
struct Candidates {
    text: String,
    ends: Vec<(usize, &'static str)>,
}

impl Candidates {
    fn push(&mut self, label: &str, suffix: &str, technique: &'static str) {
        self.text.push_str(label);
        self.text.push('.');
        self.text.push_str(suffix);
        self.ends.push((self.text.len(), technique));
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |(end, _)| &self.text[std::mem::replace(&mut start, *end)..*end])
    }
}

fn row(
    judge: &Judge<'_>,
    label: &str,
    domain: String,
    technique: &'static str,
    own: Option<&Registration>,
) -> Result<SimilarRow, StoreError> {
    let zone = match DomainName::from_normal(&domain) {
        Some(name) => judge.domain_zone(&name)?.0,
        None => Zone::Grey,
    };
    let other = registration(judge.view(), &domain)?;
    let ports = judge.view().table(&ObjectKey::domain(&domain), Table::PortState)?;
    let mut states: BTreeMap<u16, (Timestamp, bool)> = BTreeMap::new();
    for statement in ports.statements(Table::PortState).filter(|one| one.is_current()) {
        let fact: PortState = statement.fact()?;
        let at = fact.observed.unwrap_or(statement.last);
        let state = states.entry(fact.port).or_insert((at, fact.open));
        if at >= state.0 {
            *state = (at, fact.open);
        }
    }
    let open = |port: u16| states.get(&port).map(|(_, open)| *open);
    let unicode =
        |label: &str| DomainName::from_normal(label).map_or_else(|| label.to_owned(), |name| name.unicode());
    let other_label = domain.split('.').next().unwrap_or_default();
    Ok(SimilarRow {
        zone,
        created: other.as_ref().and_then(|other| other.created),
        expires: other.as_ref().and_then(|other| other.expires),
        http_open: open(80),
        https_open: open(443),
        technique,
        distance: distance(&unicode(label), &unicode(other_label)),
        same_owner: own.zip(other.as_ref()).is_some_and(|(own, other)| is_same_owner(own, other)),
        domain,
    })
}

fn is_same_owner(a: &Registration, b: &Registration) -> bool {
    let registrant = |registration: &Registration| {
        let contact =
            registration.contacts.iter().find(|one| one.contact_type.as_deref() == Some("registrant"))?;
        contact.organization.clone().or_else(|| contact.email.clone())
    };
    let servers = |registration: &Registration| {
        let mut servers = registration.name_servers.clone();
        servers.sort();
        servers
    };
    let same_servers = !a.name_servers.is_empty() && servers(a) == servers(b);
    same_servers || registrant(a).is_some_and(|own| registrant(b) == Some(own))
}

/// Calls `with` for every label at edit distance 1.
fn edits(label: &str, mut with: impl FnMut(&str)) {
    if label.starts_with("xn--") {
        return;
    }
    let bytes = label.as_bytes();
    let mut edited = Vec::with_capacity(bytes.len() + 1);
    let mut give = |edited: &[u8]| {
        if !edited.is_empty()
            && !edited.starts_with(b"-")
            && !edited.ends_with(b"-")
            && let Ok(text) = std::str::from_utf8(edited)
        {
            with(text);
        }
    };
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        for letter in ALPHABET {
            edited.clear();
            edited.extend_from_slice(head);
            edited.push(*letter);
            edited.extend_from_slice(tail);
            give(&edited);
            if !tail.is_empty() && tail[0] != *letter {
                edited.clear();
                edited.extend_from_slice(head);
                edited.push(*letter);
                edited.extend_from_slice(&tail[1..]);
                give(&edited);
            }
        }
        if !tail.is_empty() {
            edited.clear();
            edited.extend_from_slice(head);
            edited.extend_from_slice(&tail[1..]);
            give(&edited);
        }
    }
}

/// Labels with look-alike characters in place of others: each place by itself, where that is more than one
/// edit, and all places at once.
fn look_alikes(label: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (a, b) in LOOK_ALIKES.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]) {
        let places = label.match_indices(a).count();
        if places > 1 {
            all.push(label.replace(a, b));
        }
        if a.len() > 1 || b.len() > 1 {
            let one = |(at, _): (usize, &str)| format!("{}{b}{}", &label[..at], &label[at + a.len()..]);
            all.extend(label.match_indices(a).map(one));
        }
    }
    all
}

/// Edit distance (Levenshtein) in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("paypal", "paypa1", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected);
            assert_eq!(distance(b, a), expected);
        }
    }

    #[test]
    fn every_edit_is_at_distance_one() {
        let mut count = 0;
        edits("paypal", |edited| {
            count += 1;
            assert!(distance("paypal", edited) <= 1, "{edited}");
        });
        assert!(count > 400);
    }

    #[test]
    fn look_alike_characters_go_both_ways() {
        assert!(look_alikes("google").contains(&"g00gle".to_owned()));
        assert!(look_alikes("rnicrosoft").contains(&"microsoft".to_owned()));
    }
}
