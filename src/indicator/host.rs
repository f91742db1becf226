//! What stands in the host part of a web address: a name or an address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::normalise::inet_aton;
use super::{DomainName, ParseError, canonical, parse_address, refang};

/// A domain name or an address.
///
/// Shown, and written by serde, as the name or the plain address (IPv6 without brackets).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Domain(DomainName),
    /// An address, never IPv4-mapped.
    Address(IpAddr),
}

impl Host {
    /// Reads an address or else a domain name; an IPv6 address also in brackets.
    ///
    /// # Errors
    /// What is neither; a port is not part of a host.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let plain = refang(text.trim());
        let inner = plain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = parse_address(inner.unwrap_or(&plain)) {
            return Ok(Self::Address(address));
        }
        DomainName::parse(text).map(Self::Domain)
    }

    /// The host of a key (section 6): a name in normal form, an IPv4 address, or an IPv6 address in brackets.
    pub(super) fn from_key(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(canonical(IpAddr::V6(address))));
        }
        match text.parse::<Ipv4Addr>() {
            Ok(address) => Some(Self::Address(IpAddr::V4(address))),
            Err(_) => DomainName::from_normal(text).map(Self::Domain),
        }
    }

    /// As it stands in a key: an IPv6 address in brackets.
    pub fn to_key(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.to_string(),
        }
    }

    /// The host as masks and web addresses compare it (section 6, step 4): a name without one leading `www.`, and as the
    /// address that its numbers mean (`0x7f.1`). Not for a host that is in this form: that would drop a second `www.`.
    pub fn normal(&self) -> Self {
        let name = match self {
            Self::Domain(name) => name,
            Self::Address(address) => return Self::Address(canonical(*address)),
        };
        let bare = name.without_www();
        match inet_aton(bare) {
            Some(address) => Self::Address(IpAddr::V4(address)),
            None => Self::Domain(DomainName::from_checked(bare)),
        }
    }

    /// The name, if it is one.
    pub fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Domain(name) => Some(name),
            Self::Address(_) => None,
        }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Domain(_) => None,
            Self::Address(address) => Some(*address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => name.fmt(formatter),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

impl FromStr for Host {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl From<DomainName> for Host {
    fn from(name: DomainName) -> Self {
        Self::Domain(name)
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(canonical(address))
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name() {
        for (text, shown, key, normal) in [
            ("WWW.Example.com.", "www.example.com", "www.example.com", "example.com"),
            ("www.com", "www.com", "www.com", "www.com"),
            ("1.2.3.4", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
            ("[2001:DB8::1]", "2001:db8::1", "[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1", "[2001:db8::1]", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
            ("0x7f.1", "0x7f.1", "0x7f.1", "127.0.0.1"),
            ("www.1.2.3.4", "www.1.2.3.4", "www.1.2.3.4", "1.2.3.4"),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!(
                (host.to_string(), host.to_key(), host.normal().to_string()),
                (shown.to_owned(), key.to_owned(), normal.to_owned()),
                "{text}"
            );
            assert_eq!(Host::from_key(&host.to_key()), Some(host));
        }
        for wrong in ["", "example.com:80", "[1.2.3.4", "http://a", "*.a.b"] {
            assert!(Host::parse(wrong).is_err(), "{wrong}");
        }
    }
}
