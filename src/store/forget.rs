//! Forgetting: what must be known no longer, by law or by request, and who obeys.
//!
//! A [`Tombstone`] in the manifest names what is to be forgotten. Every run that was written without heeding it is
//! read through [`Forgotten`], which passes over all rows on it and all rows of others that name it: so every reader
//! obeys as soon as the manifest is swapped, merges among them, which is how the bytes go (`store/tidy.rs`). Once
//! they are gone the tombstone goes too: nothing but the catalogue's line, which does not say what it was, is left,
//! and of what is kept out for the future a keyed digest ([`super::kept_out`]).
//!
//! A domain stands for itself with `www.`, for all names below it and all addresses of the web on them; an address for
//! itself and those of the web on it; a file for all its hashes. A statement on something else that names it in a text loses
//! the text.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hot::Probe;
use super::key::{ObjectKey, Part, Table, object_len, read_part};
use super::value::{Entry, entries, push_entry};
use crate::indicator::{FileHash, Host, Indicator, Url};
use crate::value::Timestamp;

/// Fields of facts that are texts of people; any other that names something is on that.
const PROSE: [&str; 18] = [
    "reference",
    "reason",
    "text",
    "title",
    "description",
    "description_url",
    "detection_name",
    "detection_method",
    "subject",
    "issuer",
    "email",
    "registrar",
    "registrar_email",
    "organization",
    "name",
    "address",
    "kit",
    "by",
];

/// What stands in the place of such a text.
const WITHHELD: &str = "[forgotten]";

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An object.
    Indicator(Indicator),
    /// A client of ours, as contacts name it.
    Client(String),
}

impl Subject {
    /// An object; of a domain with `www.` the one without, since the two are one.
    pub fn indicator(indicator: Indicator) -> Subject {
        Subject::Indicator(match indicator {
            Indicator::Domain(name) if name.without_www() != name.as_str() => {
                let bare = crate::indicator::DomainName::from_normal(name.without_www());
                Indicator::Domain(bare.unwrap_or(name))
            }
            other => other,
        })
    }

    /// The text that stands for it in digests.
    pub(super) fn canonical(&self) -> String {
        match self {
            Subject::Indicator(Indicator::Url(url)) => format!("url:{}", url.key()),
            Subject::Indicator(indicator) => indicator.tagged(),
            Subject::Client(client) => format!("client:{client}"),
        }
    }
}

/// An order to forget. It stands in the manifest until nothing of it is left in any run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Its number: runs that were begun later do not heed it.
    pub number: u64,
    /// When it was given.
    pub at: Timestamp,
    /// What is to be forgotten.
    pub subjects: Vec<Subject>,
}

//------------ Forgotten -----------------------------------------------------

/// What the readers of a run pass over.
#[derive(Clone, Debug, Default)]
pub struct Forgotten {
    /// The tombstones that it is of, in order.
    pub numbers: Vec<u64>,
    /// Names, and the same label-reversed as keys hold them.
    names: HashSet<String>,
    reversed: HashSet<Vec<u8>>,
    addresses: HashSet<IpAddr>,
    urls: HashSet<String>,
    files: HashSet<Vec<u8>>,
    clients: HashSet<String>,
    /// Texts by which statements name it.
    texts: Vec<(Boundary, String)>,
}

/// What may not stand beside a text if it is to be that and no part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    Name,
    Address,
    Url,
    Hash,
}

impl Forgotten {
    /// What these tombstones say; `None` where there is none.
    pub fn of<'a>(tombstones: impl Iterator<Item = &'a Tombstone>) -> Option<Forgotten> {
        let mut forgotten = Forgotten::default();
        for tombstone in tombstones {
            forgotten.numbers.push(tombstone.number);
            tombstone.subjects.iter().for_each(|subject| forgotten.add(subject));
        }
        (!forgotten.numbers.is_empty()).then_some(forgotten)
    }

    /// These subjects, of no tombstone.
    pub fn subjects(subjects: &[Subject]) -> Forgotten {
        let mut forgotten = Forgotten::default();
        subjects.iter().for_each(|subject| forgotten.add(subject));
        forgotten
    }

    fn add(&mut self, subject: &Subject) {
        match subject {
            Subject::Indicator(Indicator::Domain(name)) => {
                let key = ObjectKey::domain(name.as_str()).0;
                self.reversed.insert(key[1..key.len() - 1].to_vec());
                self.names.insert(name.as_str().to_owned());
                self.texts.push((Boundary::Name, name.as_str().to_owned()));
                let unicode = name.unicode().to_lowercase();
                if unicode != name.as_str() {
                    self.texts.push((Boundary::Name, unicode));
                }
            }
            Subject::Indicator(Indicator::Address(address)) => {
                self.addresses.insert(*address);
                self.texts.push((Boundary::Address, address.to_string()));
            }
            Subject::Indicator(Indicator::Url(url)) => {
                self.urls.insert(url.key().to_owned());
                self.texts.push((Boundary::Url, url.key().to_lowercase()));
            }
            Subject::Indicator(Indicator::File(hash)) => {
                self.files.insert(hash.as_bytes().to_vec());
                self.texts.push((Boundary::Hash, hash.to_string().to_lowercase()));
            }
            Subject::Client(client) => {
                self.clients.insert(client.clone());
            }
        }
    }

    /// What is left of a row's value, in `kept` where that is less than all; `None`: nothing.
    pub fn visible<'a>(&self, key: &[u8], value: &'a [u8], kept: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let (object, rest) = key.split_at_checked(object_len(key)?)?;
        let (table, rest) = rest.split_first()?;
        let (Some(table), Some((counterpart, _))) = (Table::from_byte(*table), rest.split_last_chunk::<2>())
        else {
            return Some(value);
        };
        if self.hides_part(object) {
            return None;
        }
        if table.is_observed() || table.has_no_content() {
            return (!self.hides_counterpart(table, counterpart)).then_some(value);
        }
        // The ends of a network's range are no addresses that it speaks of.
        let with_addresses = table != Table::Network;
        let names = |payload: &[u8]| self.is_named_in(&String::from_utf8_lossy(payload), with_addresses);
        if !entries(value).any(|entry| names(entry.payload)) {
            return Some(value);
        }
        kept.clear();
        for entry in entries(value) {
            if !names(entry.payload) {
                push_entry(kept, &entry);
            } else if let Some(payload) = self.redacted(entry.payload, with_addresses) {
                push_entry(kept, &Entry { payload: &payload, ..entry });
            }
        }
        (!kept.is_empty()).then_some(kept)
    }

    /// A statement on something else, without the texts in it that name what is forgotten; `None`: it is on that.
    fn redacted(&self, payload: &[u8], with_addresses: bool) -> Option<Vec<u8>> {
        let mut fact: Value = serde_json::from_slice(payload).ok()?;
        let is_left = self.redact(&mut fact, with_addresses);
        is_left.then(|| serde_json::to_vec(&fact).ok()).flatten()
    }

    /// Takes texts out; false: what names it there is no text.
    fn redact(&self, value: &mut Value, with_addresses: bool) -> bool {
        let Value::Object(fields) = value else { return true };
        fields.iter_mut().all(|(name, value)| {
            let named =
                |value: &Value| value.as_str().is_some_and(|text| self.is_named_in(text, with_addresses));
            match value {
                Value::String(_) if !named(value) => true,
                Value::String(text) if PROSE.contains(&name.as_str()) => {
                    WITHHELD.clone_into(text);
                    true
                }
                Value::String(_) => false,
                Value::Array(values) => {
                    values.retain(|value| !named(value));
                    values.iter_mut().all(|value| self.redact(value, with_addresses))
                }
                Value::Object(_) => self.redact(value, with_addresses),
                _ => true,
            }
        })
    }

    fn hides_counterpart(&self, table: Table, counterpart: &[u8]) -> bool {
        let text = |bytes: &[u8]| self.is_named_in(&String::from_utf8_lossy(bytes), true);
        match table {
            Table::Contact => {
                let client = counterpart.split(|byte| *byte == 0).next().unwrap_or_default();
                std::str::from_utf8(client).is_ok_and(|client| self.clients.contains(client)) || text(client)
            }
            Table::Record | Table::RecordOf => counterpart.get(2..).is_some_and(text),
            Table::NameCertificate | Table::AddressCertificate | Table::Summary => false,
            Table::Via => {
                let address = object_len(counterpart).unwrap_or_default();
                self.hides_part(&counterpart[..address]) || text(&counterpart[address..])
            }
            _ => self.hides_parts(counterpart),
        }
    }

    fn hides_parts(&self, mut rest: &[u8]) -> bool {
        while let Some((part, after)) = object_len(rest).and_then(|len| rest.split_at_checked(len)) {
            if self.hides_part(part) {
                return true;
            }
            rest = after;
        }
        false
    }

    /// Whether an object of a key is forgotten.
    fn hides_part(&self, part: &[u8]) -> bool {
        if part.first() == Some(&b'd') {
            let name = &part[1..part.len().saturating_sub(1).max(1)];
            let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
            return ends.chain([name.len()]).any(|end| self.reversed.contains(&name[..end]));
        }
        match read_part(part) {
            Some((Part::Address(address), _)) => self.addresses.contains(&address),
            Some((Part::Url(key), _)) => self.hides_url(key),
            Some((Part::File(hash), _)) => self.files.contains(hash.as_bytes()),
            Some((Part::Network(range), _)) => {
                range.first() == range.last() && self.addresses.contains(&range.first())
            }
            // Wildcards, and publications that are named by their address.
            Some((Part::Text(text), _)) => self.is_named_in(text, true),
            _ => false,
        }
    }

    fn hides_url(&self, key: &str) -> bool {
        self.urls.contains(key) || self.hides_host(key)
    }

    /// Whether the host that a text begins with is forgotten.
    fn hides_host(&self, text: &str) -> bool {
        let host = &text[..text.find(['/', '?']).unwrap_or(text.len())];
        if self.hides_name(host) {
            return true;
        }
        !self.addresses.is_empty()
            && matches!(Url::from_key(host).map(|url| url.host()), Ok(Host::Address(address)) if self.addresses.contains(&address))
    }

    fn hides_name(&self, name: &str) -> bool {
        with_ancestors(name).any(|name| self.names.contains(name))
    }

    /// Whether what a probe of a hot index looks for is forgotten.
    pub fn hides(&self, probe: &Probe<'_>) -> bool {
        match probe {
            Probe::Name(name) => self.hides_name(name),
            Probe::Address(address) => self.addresses.contains(address),
            Probe::Url(key) => self.hides_url(key),
            Probe::Folder(text) | Probe::Script(text) => self.hides_host(text),
            Probe::File(bytes) => self.files.contains(*bytes),
            Probe::Object(key) => self.hides_part(key),
        }
    }

    /// Whether a text names what is forgotten; `with_addresses`: addresses too.
    pub fn is_named_in(&self, text: &str, with_addresses: bool) -> bool {
        let mut plain = text.to_lowercase();
        if plain.contains('[') {
            plain = plain.replace("[.]", ".");
        }
        let texts = self.texts.iter().filter(|(kind, _)| with_addresses || *kind != Boundary::Address);
        texts.into_iter().any(|(kind, wanted)| kind.is_in(wanted, &plain))
    }

    /// Whether a record of a log, of no known form, names what is forgotten, clients too.
    pub fn is_named_in_record(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let is_there = |client: &String| Boundary::Name.is_in(&client.to_lowercase(), &lower);
        self.is_named_in(text, true) || self.clients.iter().any(is_there)
    }
}

impl Boundary {
    /// Whether a text has this in it as a whole.
    fn is_in(self, wanted: &str, text: &str) -> bool {
        let mut found = text.match_indices(wanted);
        found.any(|(at, _)| self.is_whole(wanted, &text[..at], &text[at + wanted.len()..]))
    }

    /// Whether a text between these two is not part of a longer one of its kind.
    fn is_whole(self, text: &str, before: &str, after: &str) -> bool {
        let last = before.chars().next_back().unwrap_or(' ');
        let mut following = after.chars();
        let (next, then) = (following.next().unwrap_or(' '), following.next().unwrap_or(' '));
        let of_name = |character: char| character.is_alphanumeric() || "-_".contains(character);
        let is_longer = |digit: fn(&char) -> bool| {
            (next == '.' && then.is_ascii_digit())
                || (next == ':' && digit(&then))
                || (next == '/' && then.is_ascii_digit())
        };
        match self {
            Boundary::Name => !(of_name(last) || of_name(next) || (next == '.' && of_name(then))),
            Boundary::Address => {
                let is_tagged = before.ends_with("ip:");
                let is_part = last.is_ascii_alphanumeric() || ".:".contains(last);
                let is_v4 = !text.contains(':');
                let goes_on = next.is_ascii_hexdigit()
                    || is_longer(if is_v4 { |_| false } else { char::is_ascii_hexdigit });
                (!is_part || is_tagged) && !goes_on
            }
            Boundary::Url => !(of_name(last) || of_name(next) || "/?&=%~#:+.".contains(next)),
            Boundary::Hash => !(last.is_ascii_hexdigit() || next.is_ascii_hexdigit()),
        }
    }
}

/// A name and all above it.
pub(super) fn with_ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

/// The other hashes that a file is known by, of rows of [`Table::FileAlias`].
pub fn alias(counterpart: &[u8]) -> Option<FileHash> {
    match read_part(counterpart) {
        Some((Part::File(hash), _)) => Some(hash),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten(text: &str) -> Forgotten {
        Forgotten::subjects(&[Subject::indicator(Indicator::parse(text).unwrap())])
    }

    #[test]
    fn texts_name_what_is_meant_and_nothing_longer() {
        for (what, naming, not) in [
            (
                "evil.example",
                &["see evil[.]example.", "ns1.Evil.Example", "\"domain:evil.example\"", "a@evil.example"][..],
                &["devil.example", "evil.example.com", "evil.example-x.com", "evil-example"][..],
            ),
            (
                "192.0.2.1",
                &["ip:192.0.2.1", "192.0.2.1:80", "(192.0.2.1).", "http://192.0.2.1/x"],
                &["192.0.2.10", "192.0.2.1/32", "1192.0.2.1", "10.192.0.2.1"],
            ),
            ("2001:db8::1", &["ip:2001:db8::1", "at 2001:db8::1,"], &["2001:db8::1f", "2001:db8::1:2"]),
            (
                "http://evil.example/a?b=c",
                &["http://www.evil.example/a?b=c", "\"evil.example/a?b=c\""],
                &["evil.example/a?b=cd", "evil.example/a?b=c&d=e", "evil.example/a"],
            ),
            (
                "44d88612fea8a8f36de82e1278abb02f",
                &["MD5 44D88612FEA8A8F36DE82E1278ABB02F"],
                &["a44d88612fea8a8f36de82e1278abb02f"],
            ),
        ] {
            let forgotten = forgotten(what);
            for text in naming {
                assert!(forgotten.is_named_in(text, true), "{what} in {text}");
            }
            for text in not {
                assert!(!forgotten.is_named_in(text, true), "{what} in {text}");
            }
        }
    }

    #[test]
    fn a_domain_stands_for_what_is_below_it() {
        let forgotten = forgotten("www.evil.example");
        for (name, hidden) in [
            ("evil.example", true),
            ("www.evil.example", true),
            ("a.b.evil.example", true),
            ("devil.example", false),
            ("example", false),
        ] {
            assert_eq!(forgotten.hides_part(&ObjectKey::domain(name).0), hidden, "{name}");
            assert_eq!(forgotten.hides(&Probe::Name(name)), hidden, "{name}");
            let url = Url::parse(&format!("http://{name}/a/b?c")).unwrap();
            assert_eq!(forgotten.hides_part(&ObjectKey::url(&url).0), hidden, "{name}");
        }
    }
}
