//! What can be looked up: domain names, addresses, web addresses, files; and the masks that feeds list them by.
//!
//! Text is parsed here and nowhere else. Past this door a [`DomainName`], [`IpAddr`], [`Url`] or [`FileHash`] carries
//! the proof that it is well-formed and in its one normal form, so equal things are equal bytes. Input comes from
//! attackers: every parser has a limit, returns a [`ParseError`] that names the input, and never panics.
//!
//! The rules are those of the wire contract: its section 1 for single objects, 4 for reserved addresses, 5 for masks,
//! 6 for web addresses.

mod address;
mod domain;
mod error;
mod extract;
mod hash;
mod host;
mod mask;
mod normalise;
mod prefix;
mod redact;
mod refang;
mod special;
mod url;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

pub use self::address::{Asn, canonical, from_u128, parse_address, to_u128};
pub use self::domain::DomainName;
pub(crate) use self::domain::without_www;
pub use self::error::{ParseError, disturbs};
pub use self::extract::extract;
pub use self::hash::{FileHash, FileHashes};
pub use self::host::Host;
pub use self::mask::{Mask, MaskType};
pub use self::prefix::{AddressRange, Prefix};
pub use self::redact::redact;
pub use self::refang::{defang, refang};
pub use self::special::{is_reserved, special_purpose_name};
pub use self::url::Url;

/// The four kinds of objects that have a report. Serde and [`Display`](fmt::Display) spell them in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A domain or host name.
    Domain,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A web address.
    Url,
    /// A file.
    Hash,
}

impl Kind {
    /// All kinds, in the order of the interface.
    pub const ALL: [Self; 4] = [Self::Domain, Self::Ip, Self::Url, Self::Hash];

    /// The name in paths and tags: `domain`, `ip`, `url`, `hash`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ip => "ip",
            Self::Url => "url",
            Self::Hash => "hash",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| {
            ParseError::new(text, "a kind of object", "there is no such kind", "domain, ip, url or hash")
        })
    }
}

/// One object of a look-up, or one thing a feed lists.
///
/// Serde writes it as tagged text (see [`tagged`](Self::tagged)) and reads tagged or plain text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Indicator {
    /// A domain or host name.
    Domain(DomainName),
    /// An address, never IPv4-mapped.
    Address(IpAddr),
    /// A web address.
    Url(Url),
    /// A file by one digest.
    File(FileHash),
}

impl Indicator {
    /// Reads whatever somebody typed.
    ///
    /// Trimmed and refanged, then: a plain address is an address; what has a scheme, a `/` or a `?` is a web address;
    /// 32, 40 or 64 hexadecimal digits are a file; anything else is a domain name.
    ///
    /// # Errors
    /// What the parser of the kind found by this rule refuses.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let plain = refang(text.trim());
        if let Ok(address) = parse_address(&plain) {
            return Ok(Self::Address(address));
        }
        if plain.contains(['/', '?']) {
            // The text as it stands, so that the URL keeps it as its spelling.
            return Url::parse(text).map(Self::Url);
        }
        if let Ok(hash) = FileHash::parse(&plain) {
            return Ok(Self::File(hash));
        }
        DomainName::parse(text).map(Self::Domain)
    }

    /// Reads an object whose kind is known.
    ///
    /// # Errors
    /// What the parser of that kind refuses.
    pub fn parse_as(kind: Kind, text: &str) -> Result<Self, ParseError> {
        match kind {
            Kind::Domain => DomainName::parse(text).map(Self::Domain),
            Kind::Ip => parse_address(text).map(Self::Address),
            Kind::Url => Url::parse(text).map(Self::Url),
            Kind::Hash => FileHash::parse(text).map(Self::File),
        }
    }

    /// Reads tagged text as [`tagged`](Self::tagged) writes it, or anything that [`parse`](Self::parse) takes.
    ///
    /// # Errors
    /// What the parser of the kind refuses.
    pub fn parse_tagged(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':') {
            Some((tag, value)) if let Ok(kind) = tag.parse() => Self::parse_as(kind, value),
            _ => Self::parse(text),
        }
    }

    /// Text that says its kind: `domain:example.com`, `ip:1.2.3.4`, `url:http://example.com/a`, `hash:44D8…`.
    /// A web address stands as it was spelled, so that reading it gives the same key.
    pub fn tagged(&self) -> String {
        match self {
            Self::Url(url) => format!("{}:{}", self.kind(), url.respelled()),
            _ => format!("{}:{self}", self.kind()),
        }
    }

    /// Which report it has.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Domain(_) => Kind::Domain,
            Self::Address(_) => Kind::Ip,
            Self::Url(_) => Kind::Url,
            Self::File(_) => Kind::Hash,
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => name.fmt(formatter),
            Self::Address(address) => address.fmt(formatter),
            Self::Url(url) => url.fmt(formatter),
            Self::File(hash) => hash.fmt(formatter),
        }
    }
}

impl FromStr for Indicator {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl From<Host> for Indicator {
    fn from(host: Host) -> Self {
        match host {
            Host::Domain(name) => Self::Domain(name),
            Host::Address(address) => Self::Address(address),
        }
    }
}

impl Serialize for Indicator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.tagged())
    }
}

impl<'de> Deserialize<'de> for Indicator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, Self::parse_tagged)
    }
}

/// Reads a string and parses it; borrowed where the format allows.
fn deserialize_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Result<T, ParseError>,
) -> Result<T, D::Error> {
    struct Text<T>(fn(&str) -> Result<T, ParseError>);

    impl<T> de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            self.0(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(parse))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn anything_typed_is_of_one_kind() {
        for (text, tagged) in [
            (" Example[.]COM ", "domain:example.com"),
            ("localhost", "domain:localhost"),
            ("256.1.1.1", "domain:256.1.1.1"),
            ("1.2.3.4", "ip:1.2.3.4"),
            ("1[.]2[.]3[.]4", "ip:1.2.3.4"),
            ("2001:DB8::1", "ip:2001:db8::1"),
            ("::ffff:1.2.3.4", "ip:1.2.3.4"),
            ("hxxp://1.2.3.4", "url:hxxp://1.2.3.4"),
            ("example.com/", "url:example.com/"),
            ("example.com?", "url:example.com?"),
            ("1.2.3.4/24", "url:1.2.3.4/24"),
            ("44d88612fea8a8f36de82e1278abb02f", "hash:44D88612FEA8A8F36DE82E1278ABB02F"),
        ] {
            let indicator = Indicator::parse(text).unwrap();
            assert_eq!(indicator.tagged(), tagged, "{text}");
            assert!(tagged.starts_with(indicator.kind().as_str()));
            let json = serde_json::to_string(&indicator).unwrap();
            assert_eq!(json, format!("\"{tagged}\""));
            assert_eq!(serde_json::from_str::<Indicator>(&json).unwrap(), indicator);
        }
        for wrong in
            ["", "a b", "example.com:80", "1.2.3.4:80", "*.example.com", "me@example.com", "http://", "a..b"]
        {
            assert!(Indicator::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plain_text_is_read_too() {
        assert_eq!(serde_json::from_str::<Indicator>("\"1.2.3.4\"").unwrap().tagged(), "ip:1.2.3.4");
        assert_eq!(serde_json::from_str::<Indicator>("\"http://a.b/\"").unwrap().to_string(), "a.b");
        assert!(serde_json::from_str::<Indicator>("\"ip:a.b\"").is_err());
    }

    #[test]
    fn kinds() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("Domain".parse::<Kind>().is_err());
    }

    proptest! {
        #[test]
        fn no_panic_and_tagged_text_reads_back(text in prop_oneof!["\\PC*", "[a-z0-9.:/?%\\[\\]-]{0,24}", ".*"]) {
            if let Ok(indicator) = Indicator::parse(&text) {
                prop_assert_eq!(Indicator::parse_tagged(&indicator.tagged()), Ok(indicator));
            }
        }
    }
}
