//! One entry of a list: what people write on a line of its own to name a host, a network, a URL or a file.

use crate::fact::{Benign, Listed, Listing};
use crate::indicator::{AddressRange, DomainName, FileHash, Host, Mask, Prefix, Url, parse_address, refang};

/// Why a record is rejected: the reason, the same for all of a kind, and the detail for a person.
pub type Fault = (&'static str, String);

/// What an entry names, by its shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A name or an address: `example.com`, `192.0.2.1`, `192.0.2.1:8080`, `[2001:db8::1]:8080`.
    Host(Host, Option<u16>),
    /// A name with all below it: `*.example.com`, `.example.com`.
    Domain(DomainName),
    /// A network: `192.0.2.0/24`.
    Network(Prefix),
    /// Consecutive addresses: `192.0.2.3-192.0.2.9`, with or without spaces.
    Range(AddressRange),
    /// A web address, with a scheme or a path.
    Url(Url),
    /// A file hash.
    File(FileHash),
}

/// The beginning of a text, for a message: the whole stands in the rejected record.
pub fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARS).collect();
    format!("{start:?}{}", if start.len() < text.len() { "…" } else { "" })
}

/// How much of a text a message shows.
const SHOWN_CHARS: usize = 80;

/// What a feed says that an entry is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// An address.
    Address,
    /// An address or a name, with a port.
    HostAndPort,
    /// The name of a host.
    Name,
    /// A network.
    Network,
    /// A web address, perhaps without scheme and path.
    Url,
    /// A file hash.
    File,
}

impl Shape {
    /// What it is, for a message.
    fn word(self) -> &'static str {
        match self {
            Shape::Address => "an address",
            Shape::HostAndPort => "a host with a port",
            Shape::Name => "the name of a host",
            Shape::Network => "a network",
            Shape::Url => "a web address",
            Shape::File => "a file hash",
        }
    }
}

impl Entry {
    /// Reads an entry of which the feed says what it is, defanged or not.
    ///
    /// # Errors
    ///
    /// As [`Entry::parse`]; what has another shape.
    pub fn parse_as(shape: Shape, text: &str) -> Result<Entry, Fault> {
        if shape == Shape::Url {
            return url(&refang(text.trim())).map(Entry::Url);
        }
        let entry = Entry::parse(text)?;
        let fits = match shape {
            Shape::Address => matches!(entry, Entry::Host(Host::Address(_), None)),
            Shape::HostAndPort => matches!(entry, Entry::Host(_, Some(_))),
            Shape::Name => matches!(entry, Entry::Host(Host::Domain(_), _)),
            Shape::Network => matches!(entry, Entry::Network(_)),
            Shape::Url => matches!(entry, Entry::Url(_)),
            Shape::File => matches!(entry, Entry::File(_)),
        };
        let wrong = || ("type", format!("the feed says that {} is {}", shown(text), shape.word()));
        if fits { Ok(entry) } else { Err(wrong()) }
    }

    /// Reads an entry, defanged or not.
    ///
    /// # Errors
    ///
    /// What has none of the shapes; a name of one label, which no list means.
    pub fn parse(text: &str) -> Result<Entry, Fault> {
        let plain = refang(text.trim());
        let text = &*plain;
        if text.contains("://") {
            return url(text).map(Entry::Url);
        }
        if let Some((before, after)) = text.split_once('/') {
            let network = parse_plain(before).is_some() && after.bytes().all(|byte| byte.is_ascii_digit());
            if network && !after.is_empty() {
                return Prefix::parse(text)
                    .map(Entry::Network)
                    .map_err(|error| ("network", error.to_string()));
            }
            return url(text).map(Entry::Url);
        }
        if matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return FileHash::parse(text).map(Entry::File).map_err(|error| ("hash", error.to_string()));
        }
        if let Some(below) = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
            return name(below).map(Entry::Domain);
        }
        host(text)
    }

    /// What a feed lists by this entry: exactly the host that it names, a domain only where it says so; of a
    /// range the fewest networks that make it up.
    pub fn listed(&self) -> Vec<Listed> {
        let mask = match self {
            Entry::Host(host, port) => Mask::host(host, *port),
            Entry::Domain(name) => below(name),
            Entry::Network(prefix) => Mask::network(*prefix),
            Entry::Range(range) => {
                let prefixes = range.prefixes().into_iter();
                return prefixes.map(|prefix| Listed::Mask(Mask::network(prefix))).collect();
            }
            Entry::Url(url) => Mask::url(url),
            Entry::File(hash) => return vec![Listed::File { file: (*hash).into() }],
        };
        vec![Listed::Mask(mask)]
    }
}

/// Reads the name of a host or a domain: two labels or more, of letters, digits, `-` and `_`, the last not a
/// number.
///
/// # Errors
///
/// Anything else. Names with other characters can stand in the DNS, but in a list they are a slip: two names
/// with a comma between them, a row of another format.
pub fn name(text: &str) -> Result<DomainName, Fault> {
    let name = DomainName::parse(text).map_err(|error| ("domain", error.to_string()))?;
    match unusual(name.as_str()) {
        Some(problem) => Err(("domain", format!("{} is no name of a host: {problem}", shown(text)))),
        None => Ok(name),
    }
}

/// What speaks against a name in normal form.
fn unusual(name: &str) -> Option<&'static str> {
    if name.bytes().any(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))) {
        return Some("it has a character that no list means");
    }
    match name.rsplit_once('.') {
        None => Some("it has one label"),
        Some((_, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some("its last label is a number")
        }
        Some(_) => None,
    }
}

/// Reads a web address whose host is a name of two labels or more, or an address.
///
/// # Errors
///
/// Anything else; a path without a host.
pub fn url(text: &str) -> Result<Url, Fault> {
    if text.starts_with('/') {
        return Err(("url", format!("{} is a path without a host", shown(text))));
    }
    let url = Url::parse(text).map_err(|error| ("url", error.to_string()))?;
    if let Host::Domain(name) = url.host()
        && let Some(problem) = unusual(name.as_str())
    {
        return Err(("url", format!("the host of {} is no name: {problem}", shown(text))));
    }
    Ok(url)
}

/// An address, a range of them, or a name; the first and the last with a port or without.
fn host(text: &str) -> Result<Entry, Fault> {
    if let Some(address) = parse_plain(text) {
        return Ok(Entry::Host(Host::Address(address), None));
    }
    if let Some((first, last)) = text.split_once('-')
        && parse_plain(first.trim_end()).is_some()
        && parse_plain(last.trim_start()).is_some()
    {
        return AddressRange::parse(text).map(Entry::Range).map_err(|error| ("range", error.to_string()));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return name(text).map(|name| Entry::Host(Host::Domain(name), None));
    };
    let port: u16 = match port.parse() {
        Ok(port) if port > 0 => port,
        _ => return Err(("port", format!("{} is no port", shown(port)))),
    };
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match parse_plain(inner.unwrap_or(host)) {
        Some(address) if inner.is_none() && address.is_ipv6() => {
            return Err(("address", "an IPv6 address with a port stands in brackets".to_owned()));
        }
        Some(address) => Host::Address(address),
        None => Host::Domain(name(host)?),
    };
    Ok(Entry::Host(host, Some(port)))
}

/// An address, where the text can be one at all: a failed parse makes a message that nobody reads.
fn parse_plain(text: &str) -> Option<std::net::IpAddr> {
    let possible = text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':')
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    if possible { parse_address(text).ok() } else { None }
}

/// The mask of a name with all below it. Masks drop one leading `www.`, and with it the names beside it would be listed:
/// of such a name it is the host alone.
pub fn below(name: &DomainName) -> Mask {
    match name.without_www() == name.as_str() {
        true => Mask::domain(name),
        false => Mask::host(&Host::Domain(name.clone()), None),
    }
}

/// What a block list says is not to be blocked.
pub fn exception(what: Listed) -> Benign {
    let reason = Some("an exception of a block list".to_owned());
    Benign { what, list: None, action: None, category: None, rank: None, reason, last: None }
}

/// A listing of which nothing is said but what is listed.
pub fn listing(what: Listed) -> Listing {
    Listing { what, category: None, confidence: None, first: None, last: None, until: None, reference: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(text: &str) -> Result<Vec<String>, &'static str> {
        let show = |listed: Listed| match listed {
            Listed::Mask(mask) => format!("{} {}", &mask.mask_type().as_str()[10..], mask.with_port()),
            Listed::File { .. } => "file".to_owned(),
        };
        Entry::parse(text)
            .map(|entry| entry.listed().into_iter().map(show).collect())
            .map_err(|fault| fault.0)
    }

    #[test]
    fn shapes() {
        for (text, expected) in [
            ("www.Example.com", "HOST example.com"),
            ("evil[.]example", "HOST evil.example"),
            ("*.example.com", "DOMAIN *.example.com"),
            (".example.com", "DOMAIN *.example.com"),
            ("*.www.example.com", "HOST example.com"),
            ("192.0.2.1", "HOST 192.0.2.1"),
            ("192.0.2.1:8080", "HOST 192.0.2.1:8080"),
            ("2001:db8::1", "HOST 2001:db8::1"),
            ("[2001:db8::1]:443", "HOST [2001:db8::1]:443"),
            ("example.com:8080", "HOST example.com:8080"),
            ("192.0.2.0/24", "NETWORK 192.0.2.0/24"),
            ("2001:db8::/32", "NETWORK 2001:db8::/32"),
            ("192.0.2.0 - 192.0.2.255", "NETWORK 192.0.2.0/24"),
            ("hxxps://evil[.]example/A/b?C=d", "URL evil.example/a/b?c=d"),
            ("http://192.0.2.1/", "URL 192.0.2.1"),
            ("example.com/24", "URL example.com/24"),
            ("d41d8cd98f00b204e9800998ecf8427e", "file"),
        ] {
            assert_eq!(masks(text), Ok(vec![expected.to_owned()]), "{text}");
        }
        assert_eq!(masks("192.0.2.1-192.0.2.3").unwrap(), ["NETWORK 192.0.2.1/32", "NETWORK 192.0.2.2/31"]);
    }

    #[test]
    fn an_entry_is_what_the_feed_says() {
        for (shape, right, wrong) in [
            (Shape::Address, "192.0.2.1", "192.0.2.1:80"),
            (Shape::HostAndPort, "[2001:db8::1]:80", "2001:db8::1"),
            (Shape::Name, "example[.]com", "192.0.2.1"),
            (Shape::Network, "192.0.2.0/24", "192.0.2.0"),
            (Shape::File, "d41d8cd98f00b204e9800998ecf8427e", "example.com"),
        ] {
            assert!(Entry::parse_as(shape, right).is_ok(), "{right}");
            assert_eq!(Entry::parse_as(shape, wrong).map_err(|fault| fault.0), Err("type"), "{wrong}");
        }
        assert!(matches!(Entry::parse_as(Shape::Url, "example.com"), Ok(Entry::Url(_))));
        assert_eq!(Entry::parse_as(Shape::Url, "http://intranet/").map_err(|fault| fault.0), Err("url"));
    }

    #[test]
    fn what_is_no_entry_says_why() {
        for (text, reason) in [
            ("", "domain"),
            ("localhost", "domain"),
            ("*.com", "domain"),
            ("a b.example", "domain"),
            ("1,example.com", "domain"),
            ("1.2.3", "domain"),
            ("256.1.1.1", "domain"),
            ("example..com", "domain"),
            ("/path", "url"),
            ("example.com,domain,/path", "url"),
            ("http://", "url"),
            ("http://intranet/", "url"),
            ("192.0.2.1/24", "network"),
            ("192.0.2.0/33", "network"),
            ("192.0.2.9-192.0.2.1", "range"),
            ("example.com:0", "port"),
            ("example.com:http", "port"),
            ("2001:db8::1:8080:", "port"),
            ("{\"a\":1}", "port"),
        ] {
            assert_eq!(masks(text), Err(reason), "{text}");
        }
    }
}
