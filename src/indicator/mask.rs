//! Masks: how feeds say which hosts and web addresses they mean.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use compact_str::{CompactString, ToCompactString, format_compact};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::normalise::{Stars, normal_host, normalise, split_port, without_scheme};
use super::{DomainName, Host, ParseError, Prefix, Url, parse_address, refang};

/// What a mask covers (section 5 of the contract). Serde and [`Display`](fmt::Display) spell it `MASK_TYPE_DOMAIN` and
/// so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MaskType {
    /// `*.example.com`: the name, everything on it and on all deeper names.
    #[serde(rename = "MASK_TYPE_DOMAIN")]
    Domain,
    /// `host/folder/*`: the folder and below.
    #[serde(rename = "MASK_TYPE_FOLDER")]
    Folder,
    /// `host/load.php?*`: the script with any parameters or a bare `?`.
    #[serde(rename = "MASK_TYPE_SCRIPT")]
    Script,
    /// Any other `*`: keys in which the fixed parts match.
    #[serde(rename = "MASK_TYPE_WILDCARD")]
    Wildcard,
    /// `host`: that host, any path.
    #[serde(rename = "MASK_TYPE_HOST")]
    Host,
    /// `host/path?query`: exactly that address.
    #[serde(rename = "MASK_TYPE_URL")]
    Url,
    /// `192.0.2.0/24`: the addresses in it.
    #[serde(rename = "MASK_TYPE_NETWORK")]
    Network,
}

impl MaskType {
    /// All types, in the order of the contract.
    pub const ALL: [Self; 7] =
        [Self::Domain, Self::Folder, Self::Script, Self::Wildcard, Self::Host, Self::Url, Self::Network];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "MASK_TYPE_DOMAIN",
            Self::Folder => "MASK_TYPE_FOLDER",
            Self::Script => "MASK_TYPE_SCRIPT",
            Self::Wildcard => "MASK_TYPE_WILDCARD",
            Self::Host => "MASK_TYPE_HOST",
            Self::Url => "MASK_TYPE_URL",
            Self::Network => "MASK_TYPE_NETWORK",
        }
    }
}

impl fmt::Display for MaskType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for MaskType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = Self::ALL.into_iter().find(|mask_type| mask_type.as_str() == text);
        known.ok_or_else(|| {
            ParseError::new(text, "a mask type", "there is no such type", "MASK_TYPE_HOST or its like")
        })
    }
}

/// One entry of a feed in normal form: type, text (`NormalizedMask`), and of a host mask the port it was listed with.
///
/// Shown as its text, without the port. Serde writes `{"type":"MASK_TYPE_HOST","mask":"example.com","port":8080}`, the
/// port left out where there is none, and reads it as [`from_key`](Self::from_key) does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask {
    mask_type: MaskType,
    text: CompactString,
    port: Option<u16>,
}

impl Mask {
    /// That host, any path, in normal form: a name without one leading `www.`.
    pub fn host(host: &Host, port: Option<u16>) -> Self {
        Self { mask_type: MaskType::Host, text: host.normal().to_compact_string(), port }
    }

    /// The name, without one leading `www.`, with all that is on and below it.
    pub fn domain(name: &DomainName) -> Self {
        Self::new(MaskType::Domain, format_compact!("*.{}", name.without_www()))
    }

    /// Exactly that web address.
    pub fn url(url: &Url) -> Self {
        Self::new(MaskType::Url, url.key().into())
    }

    /// The folder that the address names, with or without a `/` at its end, and all below it.
    ///
    /// # Errors
    /// An address with a query, which no folder has.
    pub fn folder(url: &Url) -> Result<Self, ParseError> {
        if url.rest().contains('?') {
            return Err(wrong(url.key(), "a folder", "it has a query", "host/folder/*"));
        }
        Ok(Self::new(MaskType::Folder, format_compact!("{}/*", url.key())))
    }

    /// The script that the address names, with any parameters.
    ///
    /// # Errors
    /// An address with parameters: only a bare `?` can stand at its end.
    pub fn script(url: &Url) -> Result<Self, ParseError> {
        let key = url.key();
        match key.strip_suffix('?').unwrap_or(key) {
            script if script.contains('?') => {
                Err(wrong(key, "a script", "it has parameters", "host/load.php?*"))
            }
            // The page of a bare host is that of its path `/`.
            script if url.rest().is_empty() => {
                Ok(Self::new(MaskType::Script, format_compact!("{script}/?*")))
            }
            script => Ok(Self::new(MaskType::Script, format_compact!("{script}?*"))),
        }
    }

    /// The addresses of a network.
    pub fn network(prefix: Prefix) -> Self {
        Self::new(MaskType::Network, prefix.to_compact_string())
    }

    /// Reads text in which `*` stands for anything, and normalises its fixed parts as those of a web address.
    ///
    /// By its shape as written it is a mask of another type: `*.example.com` a domain, `host/folder/*` a folder,
    /// `host/load.php?*` a script.
    ///
    /// # Errors
    /// No `*`, or nothing fixed beside it; a label with both `*` and letters beyond ASCII; what no web address has.
    pub fn wildcard(text: &str) -> Result<Self, ParseError> {
        let plain = refang(text.trim());
        let bare = without_scheme(&plain);
        match bare.find('*') {
            None => return Err(wrong(text, "a wildcard mask", "it has no *", "host/a*b")),
            Some(0) if bare.starts_with("*.") && !bare[1..].contains(['*', '/', '?', '#', ':', '@']) => {
                return Self::parse(MaskType::Domain, bare);
            }
            Some(at) if at + 1 == bare.len() && bare.ends_with("/*") && !bare.contains('?') => {
                return Self::parse(MaskType::Folder, text);
            }
            Some(at) if at + 1 == bare.len() && bare.ends_with("?*") => {
                return Self::parse(MaskType::Script, text);
            }
            Some(_) => {}
        }
        let key = normalise(text, Stars::Wild)
            .map_err(|problem| wrong(text, "a wildcard mask", problem, "host/a*b"))?;
        if !key.key.contains('*') {
            return Err(wrong(text, "a wildcard mask", "its * is in a part that is dropped", "host/a*b"));
        }
        if !key.key.contains(|character: char| character.is_alphanumeric()) {
            return Err(wrong(text, "a wildcard mask", "it has no fixed part", "host/a*b"));
        }
        Ok(Self::new(MaskType::Wildcard, key.key.into()))
    }

    /// Reads what a feed says is a mask of this type, and normalises it.
    ///
    /// A domain with or without `*.` before it; a host with or without a port after it; a folder with or without
    /// `/*`, a script with or without `?` or `?*` at its end.
    ///
    /// # Errors
    /// What the parser of the type refuses.
    pub fn parse(mask_type: MaskType, text: &str) -> Result<Self, ParseError> {
        let plain = refang(text.trim());
        match mask_type {
            MaskType::Domain => {
                let name = DomainName::parse(plain.strip_prefix("*.").unwrap_or(&plain))?;
                Ok(Self::domain(&name))
            }
            MaskType::Host => Self::parse_host(&plain),
            MaskType::Folder => Self::folder(&Url::parse(plain.strip_suffix("/*").unwrap_or(&plain))?),
            MaskType::Script => {
                // The `?` stays: it keeps a `/` before it.
                let end = if plain.ends_with("?*") { plain.len() - 1 } else { plain.len() };
                Self::script(&Url::parse(&plain[..end])?)
            }
            MaskType::Wildcard => Self::wildcard(text),
            MaskType::Url => Ok(Self::url(&Url::parse(text)?)),
            MaskType::Network => Ok(Self::network(Prefix::parse(text)?)),
        }
    }

    fn parse_host(plain: &str) -> Result<Self, ParseError> {
        if let Ok(address) = parse_address(plain) {
            return Ok(Self::host(&Host::Address(address), None));
        }
        let read = || {
            if plain.contains(['/', '?', '#', '@']) {
                return Err("it is more than a host and a port");
            }
            let (host, port) = split_port(plain, Stars::Refused)?;
            let host = normal_host(host, Stars::Refused)?;
            let host = Host::from_key(&host).ok_or("it is neither a name nor an address")?;
            Ok(Self { mask_type: MaskType::Host, text: host.to_compact_string(), port })
        };
        read().map_err(|problem| {
            wrong(plain, "a host", problem, "example.com, 192.0.2.1:8080 or [2001:db8::1]:8080")
        })
    }

    /// Takes a mask as it was made before: type, text and port as [`mask_type`](Self::mask_type), [`text`](Self::text)
    /// and [`port`](Self::port) give them. Nothing is normalised again.
    ///
    /// # Errors
    /// A text that no mask of the type has; a port on a type that has none.
    pub fn from_key(mask_type: MaskType, text: &str, port: Option<u16>) -> Result<Self, ParseError> {
        let is_key = |key: &str| Url::from_key(key).is_ok();
        let normal = match mask_type {
            MaskType::Domain => {
                text.strip_prefix("*.").is_some_and(|name| DomainName::from_normal(name).is_some())
            }
            MaskType::Host => Host::parse(text).is_ok_and(|host| host.to_compact_string() == text),
            MaskType::Url => is_key(text),
            MaskType::Folder => text.strip_suffix("/*").is_some_and(|key| is_key(key) && !key.contains('?')),
            MaskType::Script => text.strip_suffix("?*").is_some_and(|key| is_key(key) && !key.contains('?')),
            MaskType::Wildcard => text.contains('*'),
            MaskType::Network => Prefix::parse(text).is_ok_and(|prefix| prefix.to_compact_string() == text),
        };
        if !normal || (port.is_some() && mask_type != MaskType::Host) {
            return Err(wrong(
                text,
                "a mask in normal form",
                "it does not have the shape of its type",
                "*.example.com",
            ));
        }
        Ok(Self { mask_type, text: text.into(), port })
    }

    fn new(mask_type: MaskType, text: CompactString) -> Self {
        Self { mask_type, text, port: None }
    }

    /// What it covers.
    pub fn mask_type(&self) -> MaskType {
        self.mask_type
    }

    /// The text, `NormalizedMask` on the wire.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The port that a host was listed with.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The text with the port after it, for people: `example.com:8080`, `[2001:db8::1]:8080`.
    pub fn with_port(&self) -> Cow<'_, str> {
        match self.port {
            Some(port) if self.text.contains(':') => Cow::Owned(format!("[{}]:{port}", self.text)),
            Some(port) => Cow::Owned(format!("{}:{port}", self.text)),
            None => Cow::Borrowed(&self.text),
        }
    }

    /// The network of a network mask.
    pub fn prefix(&self) -> Option<Prefix> {
        if self.mask_type == MaskType::Network { Prefix::parse(&self.text).ok() } else { None }
    }

    /// The host whose report lists it. None for a network and for a wildcard with a `*` in its host.
    pub fn listed_under(&self) -> Option<Host> {
        let text = match self.mask_type {
            MaskType::Network => return None,
            MaskType::Domain => &self.text[2..],
            MaskType::Host => return Host::parse(&self.text).ok(),
            _ => &self.text,
        };
        Host::from_key(&text[..text.find(['/', '?']).unwrap_or(text.len())])
    }
}

fn wrong(input: &str, wanted: &'static str, problem: &'static str, right: &'static str) -> ParseError {
    ParseError::new(input, wanted, problem, right)
}

impl fmt::Display for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

/// The mask on the wire.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    mask_type: MaskType,
    mask: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl Serialize for Mask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { mask_type: self.mask_type, mask: Cow::Borrowed(&self.text), port: self.port }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Self::from_key(wire.mask_type, &wire.mask, wire.port).map_err(de::Error::custom)
    }
}

mod matching;

#[cfg(test)]
mod tests;
