//! Web addresses by their normalised key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash;
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::domain::without_www;
use super::normalise::{Normal, Stars, URL_BYTES_MAX, normalise, without_scheme};
use super::{Host, ParseError, refang};

const WANTED: &str = "a web address";
const RIGHT: &str = "http://host/path?query, in at most 8192 bytes";

/// A web address: its key as section 6 of the contract normalises it, and the spelling it was first seen in.
///
/// Equality, order and hash are those of the key. Two keys that differ only in scheme, user-info, port, fragment,
/// letter case or escapes are one.
#[derive(Clone, Debug)]
pub struct Url {
    key: Box<str>,
    host_bytes: usize,
    port: Option<u16>,
    /// None where it is the key.
    spelled: Option<Box<str>>,
}

impl Url {
    /// Reads a web address as people and feeds write it, defanged or without a scheme too, and normalises it.
    ///
    /// # Errors
    /// More than 8192 bytes; a port that is none; a host that is empty, is no name of at most 253 octets, or has a
    /// space, a control character or a character that no host has, escaped or not.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let Normal { key, host_bytes, port } = normalise(text, Stars::Refused)
            .map_err(|problem| ParseError::new(text, WANTED, problem, RIGHT))?;
        let spelled = text.trim();
        let spelled = (spelled != key).then(|| spelled.into());
        Ok(Self { key: key.into(), host_bytes, port, spelled })
    }

    /// Whether a text names a path, before it is normalised: `example.com/` does, `example.com?a=b` does not.
    pub fn names_path(text: &str) -> bool {
        let plain = refang(text.trim());
        let rest = without_scheme(&plain);
        rest.find(['/', '?', '#']).is_some_and(|at| rest[at..].starts_with('/'))
    }

    /// Takes a key as it is, as it came out of [`key`](Self::key): only the host is told from the rest.
    ///
    /// # Errors
    /// A host that no key has.
    pub fn from_key(key: &str) -> Result<Self, ParseError> {
        let host_bytes = key.find(['/', '?']).unwrap_or(key.len());
        if Host::from_key(&key[..host_bytes]).is_none() {
            let problem = "its host is not in normal form";
            return Err(ParseError::new(key, "the key of a web address", problem, "example.com/path?query"));
        }
        Ok(Self { key: key.into(), host_bytes, port: None, spelled: None })
    }

    /// The normalised form: host, path and query, without scheme, user-info, port and fragment.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The host: a name, without one leading `www.`, or an address.
    pub fn host(&self) -> Host {
        Host::from_key(self.host_str()).expect("the host was checked when the key was made")
    }

    /// The host as it stands in the key: an IPv6 address in brackets.
    pub fn host_str(&self) -> &str {
        &self.key[..self.host_bytes]
    }

    /// The key after the host: empty, or a path or query that starts with `/` or `?`.
    pub fn rest(&self) -> &str {
        &self.key[self.host_bytes..]
    }

    /// The text it was read from, without the white space around it; of a key, the key.
    pub fn spelled(&self) -> &str {
        self.spelled.as_deref().unwrap_or(&self.key)
    }

    /// The port as spelled, 80 or 443 too. It is no part of the key; None when made from a key.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A text that [`parse`](Self::parse) reads as the same key: the spelling, or the key with escapes where it would
    /// not be read as itself.
    pub(super) fn respelled(&self) -> Cow<'_, str> {
        if let Some(spelled) = &self.spelled {
            return Cow::Borrowed(spelled);
        }
        let (host, rest) = (self.host_str(), self.rest());
        let www = if without_www(host) == host { "" } else { "www." };
        // `/../` can stand in a key, where its escapes were decoded, and would be taken out.
        let plain = |character| stands_for_itself(character) || character == '.';
        if www.is_empty() && self.key.chars().all(plain) && !rest.contains("/.") {
            return Cow::Borrowed(&self.key);
        }
        let mut out = www.to_owned();
        if host.starts_with('[') {
            out.push_str(host);
        } else {
            push_escaped(host, &mut out);
        }
        push_escaped(rest, &mut out);
        // An empty fragment, so that white space before it is not at the end.
        out.push('#');
        Cow::Owned(out)
    }
}

/// Whether normalisation reads a character of a key as itself wherever it stands.
fn stands_for_itself(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '/' | '?' | '=' | '&' | '-' | '_')
}

/// Escapes what normalisation would read as something else. A control character is none of that: its escape is kept.
fn push_escaped(text: &str, out: &mut String) {
    for character in text.chars() {
        if stands_for_itself(character) || character.is_control() {
            out.push(character);
        } else {
            out.extend(utf8_percent_encode(character.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
        }
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Url {}

impl PartialOrd for Url {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Url {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl hash::Hash for Url {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Url {
    /// The key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.key)
    }
}

impl FromStr for Url {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.respelled())
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

const _: () = assert!(URL_BYTES_MAX == 8192, "the messages name the limit");

#[cfg(test)]
mod tests;
