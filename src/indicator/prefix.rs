//! Sets of addresses: prefixes (CIDR) and ranges.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseError, canonical, from_u128, parse_address, refang, to_u128};

/// Bits before the IPv4 address in its IPv4-mapped form.
const MAPPED_BITS: u8 = 96;

/// All addresses that share their first bits (RFC 4632). Shown, and written by serde, as `192.0.2.0/24`.
///
/// The bits after the length are zero, and an IPv4-mapped prefix is the IPv4 prefix, so equal sets are equal. Ordered by
/// family, first address, length: a prefix comes before those inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// A prefix of `length` bits; None when that is above 32 (IPv6: 128) or a bit after it is set.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let prefix = Self::new_relaxed(address, length)?;
        (to_u128(prefix.address) == to_u128(address)).then_some(prefix)
    }

    /// A prefix of `length` bits, those after it made zero; None when it is above 32 (IPv6: 128).
    pub fn new_relaxed(address: IpAddr, length: u8) -> Option<Self> {
        if length > bits(address) {
            return None;
        }
        let bits_all = mapped_length(address, length);
        let first = to_u128(address) & !host_mask(bits_all);
        // Made from a mapped address, a prefix of 96 bits and more is an IPv4 one; a shorter one holds more than IPv4.
        Some(match from_u128(first) {
            IpAddr::V4(address) if bits_all >= MAPPED_BITS => {
                Self { address: IpAddr::V4(address), length: bits_all - MAPPED_BITS }
            }
            address => Self { address, length: bits_all },
        })
    }

    /// The prefix that holds one address.
    pub fn single(address: IpAddr) -> Self {
        let address = canonical(address);
        Self { address, length: bits(address) }
    }

    /// Reads `192.0.2.0/24` or `2001:db8::/32`, trimmed and refanged.
    ///
    /// # Errors
    /// No length or one above 32 (IPv6: 128), or a bit after it that is set: then the writer meant either one address or
    /// another network, and only he knows.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Self::new, "its length is too great, or bits after it are set")
    }

    /// Reads as [`parse`](Self::parse), but makes the bits after the length zero: `192.0.2.7/24` is `192.0.2.0/24`.
    ///
    /// # Errors
    /// No length, or one above 32 (IPv6: 128).
    pub fn parse_relaxed(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Self::new_relaxed, "its length is too great")
    }

    fn read(
        text: &str,
        new: fn(IpAddr, u8) -> Option<Self>,
        refused: &'static str,
    ) -> Result<Self, ParseError> {
        let wrong = |problem| ParseError::new(text, "a network", problem, "192.0.2.0/24 or 2001:db8::/32");
        let plain = refang(text.trim());
        let (address, length) = plain.split_once('/').ok_or_else(|| wrong("it has no prefix length"))?;
        // Not by parse_address: a length that goes with a mapped address counts from its first bit.
        let address: IpAddr = address.parse().map_err(|_| wrong("what is before the / is no address"))?;
        let digits =
            !length.is_empty() && length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = if digits { length.parse().ok() } else { None };
        let length = length.ok_or_else(|| wrong("what is after the / is no length"))?;
        new(address, length).ok_or_else(|| wrong(refused))
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits all addresses share: 0 to 32 or 128.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether the address (IPv4-mapped: the IPv4 address) is in it. None of the other family is.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.range().contains(address)
    }

    /// First and last address.
    pub fn range(&self) -> AddressRange {
        let last = to_u128(self.address) | host_mask(mapped_length(self.address, self.length));
        AddressRange { first: self.address, last: same_family(last, self.address) }
    }
}

/// Bits of an address of this family.
fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A length counted from the first bit of the 128-bit form.
fn mapped_length(address: IpAddr, length: u8) -> u8 {
    if address.is_ipv4() { length + MAPPED_BITS } else { length }
}

/// Ones in all bits after the first `length`.
fn host_mask(length: u8) -> u128 {
    u128::MAX.checked_shr(u32::from(length)).unwrap_or(0)
}

/// The number as an address of the family of `like`, even where [`from_u128`] would see an IPv4-mapped one.
fn same_family(number: u128, like: IpAddr) -> IpAddr {
    if like.is_ipv4() { from_u128(number) } else { IpAddr::V6(number.into()) }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Prefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

/// Consecutive addresses of one family, both ends included. Shown, and written by serde, as `192.0.2.0-192.0.2.9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// None when the families differ or the first is after the last. IPv4-mapped ends are IPv4 addresses.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let (first, last) = (canonical(first), canonical(last));
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self { first, last })
    }

    /// Reads `192.0.2.0 - 192.0.2.9`, also without the spaces, or a prefix as [`Prefix::parse`] does.
    ///
    /// # Errors
    /// Neither form; an end that is no address; ends of two families or in the wrong order.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let Some((first, last)) = text.split_once('-') else {
            return Prefix::parse(text).map(|prefix| prefix.range());
        };
        let (first, last) = (parse_address(first)?, parse_address(last)?);
        Self::new(first, last).ok_or_else(|| {
            let problem = "its ends are of two families or in the wrong order";
            ParseError::new(text, "a range of addresses", problem, "192.0.2.0 - 192.0.2.9")
        })
    }

    /// The lowest address.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// How far apart its ends are: a narrower range says more of an address.
    pub fn width(&self) -> u128 {
        super::to_u128(self.last) - super::to_u128(self.first)
    }

    /// Whether the address (IPv4-mapped: the IPv4 address) is in it. None of the other family is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    /// The fewest prefixes that together hold exactly these addresses, in order; at most 254.
    pub fn prefixes(&self) -> Vec<Prefix> {
        let (mut first, last) = (to_u128(self.first), to_u128(self.last));
        let mut prefixes = Vec::new();
        loop {
            // The largest block that starts here and does not go beyond the end.
            let aligned = first.trailing_zeros();
            let fits = (last - first).checked_add(1).map_or(128, u128::ilog2);
            let host_bits = aligned.min(fits).min(u32::from(bits(self.first)));
            let address = same_family(first, self.first);
            let length = bits(address) - u8::try_from(host_bits).expect("an address has at most 128 bits");
            prefixes.push(Prefix { address, length });
            let block_last = first | u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
            if block_last >= last {
                return prefixes;
            }
            first = block_last + 1;
        }
    }
}

impl From<Prefix> for AddressRange {
    fn from(prefix: Prefix) -> Self {
        prefix.range()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

impl FromStr for AddressRange {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

#[cfg(test)]
mod tests;
