//! Domain and host names in their one normal form.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use compact_str::CompactString;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseError, refang};

/// Most octets of a name without its trailing dot (RFC 1035, 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// Most octets of a label (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Longest input that is mapped to A-labels: four bytes for each octet of the longest name. Keeps the cost of one input
/// small, however it is made.
const INPUT_BYTES_MAX: usize = 4 * NAME_BYTES_MAX;

/// A domain or host name: A-labels (RFC 5890), lower case, no trailing dot, 1 to 253 octets, labels of 1 to 63.
///
/// Underscores, single labels and public suffixes are names; an IPv4 address in four numbers is not. What `/ : ? # @ *`,
/// brackets, `\ < > ^ | %`, white space or control characters are in is not. The order is that of the text's bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(CompactString);

impl DomainName {
    /// Reads a name as people and feeds write it.
    ///
    /// Trimmed, refanged, one trailing dot dropped, mapped to lower-case A-labels by UTS 46, non-transitional, without
    /// the STD3 rules. A leading `www.` is kept. A name of lower-case letters, digits, `-`, `_` and dots, without
    /// `xn--`, is only checked: that costs one pass, and an allocation only above 24 bytes.
    ///
    /// # Errors
    /// A scheme, port, path, user-info, `*` or space; an IP address; an empty label; a label over 63 or a name over 253
    /// octets; what UTS 46 refuses.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if is_plain(text) {
            return Ok(Self(CompactString::new(text)));
        }
        let read = |plain: &str| {
            let ascii = to_ascii(plain)?;
            let name = ascii.strip_suffix('.').unwrap_or(&ascii);
            check(name)?;
            Ok(Self(CompactString::new(name)))
        };
        read(&refang(text.trim()))
            .map_err(|problem: &str| ParseError::new(text, "a domain name", problem, "mail.example.com"))
    }

    /// The name, if `text` already is in normal form: exactly what [`parse`](Self::parse) would give, with no mapping
    /// done. For names that come out of the store.
    pub fn from_normal(text: &str) -> Option<Self> {
        let normal = is_plain(text)
            || (text.is_ascii()
                && !text.bytes().any(|byte| byte.is_ascii_uppercase())
                && check(text).is_ok()
                && (!has_ace(text) || to_ascii(text).is_ok_and(|ascii| ascii == text)));
        normal.then(|| Self(CompactString::new(text)))
    }

    /// The name as the store holds it: in normal form, or `*.` and such a name, which stands for the names below it
    /// that retention folded into one.
    pub fn from_store(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(parent) => Self::from_normal(parent).map(|_| Self(CompactString::new(text))),
            None => Self::from_normal(text),
        }
    }

    /// A slice of a name, or of a key whose host has been checked.
    pub(super) fn from_checked(text: &str) -> Self {
        debug_assert!(Self::from_normal(text).is_some(), "{text:?} is not in normal form");
        Self(CompactString::new(text))
    }

    /// The name in A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in U-labels for display; the A-labels where they stand for nothing that can be shown.
    ///
    /// Look-alike letters are not marked: show it beside the A-labels, never in their place.
    pub fn unicode(&self) -> String {
        let (shown, result) =
            Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
        if result.is_ok() { shown.into_owned() } else { self.0.to_string() }
    }

    /// The labels from left to right: `a`, `example`, `com`. At least one.
    pub fn labels(&self) -> std::str::Split<'_, char> {
        self.0.split('.')
    }

    /// The names above it, nearest first: of `a.b.example.com`, `b.example.com`, `example.com`, `com`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(above(&self.0), |name| above(name))
    }

    /// Whether it is `name` or a name below it.
    pub fn is_within(&self, name: &DomainName) -> bool {
        self.0.strip_suffix(name.as_str()).is_some_and(|left| left.is_empty() || left.ends_with('.'))
    }

    /// The public suffix by the Public Suffix List, its private section included. A top-level domain that the list does
    /// not name is its own suffix (the list's default rule `*`).
    pub fn public_suffix(&self) -> &str {
        public_suffix(&self.0)
    }

    /// The name that somebody registered: one label more than the public suffix. None for a public suffix itself, so
    /// for every single label.
    pub fn registrable(&self) -> Option<&str> {
        let above = self.0.len().checked_sub(self.public_suffix().len() + 1)?;
        let start = self.0[..above].rfind('.').map_or(0, |dot| dot + 1);
        Some(&self.0[start..])
    }

    /// Whether the whole name is a public suffix: `com`, `co.uk`, `github.io`, `localhost`.
    pub fn is_public_suffix(&self) -> bool {
        self.public_suffix().len() == self.0.len()
    }

    /// Whether the name's public suffix stands in the list's private section: `github.io`, and all names below it.
    pub fn is_private_suffix(&self) -> bool {
        psl::suffix(self.0.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
    }

    /// The name without one leading `www.`; whole where a public suffix would remain (`www.com`).
    pub fn without_www(&self) -> &str {
        without_www(&self.0)
    }
}

fn above(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, above)| above)
}

fn public_suffix(name: &str) -> &str {
    let length = psl::suffix(name.as_bytes()).map_or(0, |suffix| suffix.as_bytes().len());
    match length {
        0 => name.rsplit('.').next().unwrap_or(name),
        _ => &name[name.len() - length..],
    }
}

/// See [`DomainName::without_www`]; what remains can be an IPv4 address, which is no name.
pub(crate) fn without_www(name: &str) -> &str {
    match name.strip_prefix("www.") {
        Some(rest) if !rest.is_empty() && public_suffix(rest).len() < rest.len() => rest,
        _ => name,
    }
}

/// Whether a name is in normal form and of the common characters only. One pass; this is the hot path of bulk import.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > NAME_BYTES_MAX {
        return false;
    }
    let mut label_start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
            b'.' if label_is_plain(&bytes[label_start..at]) => label_start = at + 1,
            _ => return false,
        }
    }
    label_is_plain(&bytes[label_start..]) && !is_dotted_address(text)
}

fn label_is_plain(label: &[u8]) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && !label.starts_with(b"xn--")
}

/// An IPv4 address in four numbers. Only a name that ends with a digit is looked at.
fn is_dotted_address(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_ok()
}

/// Whether a label claims to be an A-label.
fn has_ace(name: &str) -> bool {
    name.split('.').any(|label| label.starts_with("xn--"))
}

/// Maps to lower-case A-labels by UTS 46. Empty labels pass, lengths are not checked; characters that no host has are
/// looked for before (for a better message) and must be again after.
pub(super) fn to_ascii(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if text.len() > INPUT_BYTES_MAX {
        return Err("the name has more than 253 octets");
    }
    check_characters(text)?;
    Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| "it has a label that IDNA (UTS 46) refuses")
}

/// The rules of a mapped name, each with its own message.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > NAME_BYTES_MAX {
        return Err("the name has more than 253 octets");
    }
    check_characters(name)?;
    for label in name.split('.') {
        if label.is_empty() {
            return Err("it has an empty label");
        }
        if label.len() > LABEL_BYTES_MAX {
            return Err("it has a label of more than 63 octets");
        }
    }
    if is_dotted_address(name) {
        return Err("it is an IP address");
    }
    // Otherwise it would be another name when it is read back.
    if matches!(refang(name), Cow::Owned(_)) {
        return Err("it is defanged twice");
    }
    Ok(())
}

/// Finds what no host name has: the delimiters of a URL, wildcards, white space, control characters.
pub(super) fn check_characters(text: &str) -> Result<(), &'static str> {
    let problem = text.chars().find_map(|character| match character {
        '/' if text.contains("://") => Some("it has a scheme"),
        '/' | '?' | '#' | '\\' => Some("it has a path"),
        ':' if text.contains("://") => Some("it has a scheme"),
        ':' => Some("it has a port or is an IPv6 address"),
        '@' => Some("it has user-info"),
        '*' => Some("it has a wildcard"),
        '[' | ']' | '<' | '>' | '^' | '|' | '%' => Some("it has one of []<>^|%"),
        _ if character.is_whitespace() => Some("it has white space"),
        _ if character.is_control() => Some("it has a control character"),
        _ => None,
    });
    problem.map_or(Ok(()), Err)
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for DomainName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

#[cfg(test)]
mod tests;
