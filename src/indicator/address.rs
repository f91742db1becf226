//! IP addresses and the numbers of those who route them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ParseError, refang};

/// Reads an address: four decimal numbers without leading zeros, or IPv6 (RFC 4291) without a zone; trimmed and refanged.
/// An IPv4-mapped address is the IPv4 address. `Display` of the result is RFC 5952.
///
/// # Errors
/// Anything else, also a prefix, a port, brackets, or an address in fewer numbers.
pub fn parse_address(text: &str) -> Result<IpAddr, ParseError> {
    // Most addresses are as they should be.
    if let Ok(address) = text.parse() {
        return Ok(canonical(address));
    }
    let parsed = refang(text.trim()).parse();
    parsed.map(canonical).map_err(|_| {
        let problem = match text {
            _ if text.trim().is_empty() => "it is empty",
            _ if text.contains('/') => "it has a prefix length or a path",
            _ if text.contains('%') => "it has a zone",
            _ if text.contains('[') => "it has brackets",
            _ => "it is neither four numbers without leading zeros nor IPv6",
        };
        ParseError::new(text, "an IP address", problem, "192.0.2.1 or 2001:db8::1")
    })
}

/// The IPv4 address for an IPv4-mapped one (`::ffff:192.0.2.1`), else the same.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The address as one number for keys and ranges: its 16 bytes, IPv4 as IPv4-mapped (`::ffff:a.b.c.d`), so that the
/// order of numbers within a family is that of addresses.
pub fn to_u128(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address that [`to_u128`] made the number of.
pub fn from_u128(number: u128) -> IpAddr {
    canonical(IpAddr::V6(Ipv6Addr::from_bits(number)))
}

/// The number of an autonomous system (RFC 6793). Shown as `AS4837`, by serde a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl Asn {
    /// Reads `AS4837`, in any case, or `4837`, trimmed.
    ///
    /// # Errors
    /// Anything but decimal digits after `AS`; a number above 4294967295; the old form `1.10`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let plain = text.trim();
        let digits = match plain.get(..2) {
            Some(prefix) if prefix.eq_ignore_ascii_case("as") => &plain[2..],
            _ => plain,
        };
        let number =
            if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| {
            let problem = "it is not a decimal number of 32 bits";
            ParseError::new(text, "an autonomous system number", problem, "AS4837 or 4837")
        })
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AS{}", self.0)
    }
}

impl FromStr for Asn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192[.]0(.)2{.}1\n", "192.0.2.1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"),
            ("2001[:]db8[:][:]1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("::FFFF:102:304", "1.2.3.4"),
            ("::", "::"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ] {
            assert_eq!(parse_address(text).unwrap().to_string(), shown, "{text}");
        }
        for wrong in [
            "",
            "1.2.3",
            "01.2.3.4",
            "256.1.1.1",
            "1.2.3.4.5",
            "1.2.3.4/32",
            "fe80::1%eth0",
            "[::1]",
            "1.2.3.4:80",
            "::1::",
            "0x1.2.3.4",
            "1.2.3.4.",
            "example.com",
            "１.2.3.4",
        ] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn autonomous_systems() {
        for text in ["AS4837", "as4837", " 4837 ", "AS0004837"] {
            assert_eq!(Asn::parse(text).unwrap().to_string(), "AS4837");
        }
        for wrong in ["", "AS", "AS-1", "+1", "1.10", "4294967296", "ASN1", "é"] {
            assert!(Asn::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Asn(4837)).unwrap(), "4837");
    }

    proptest! {
        #[test]
        fn parse_print_parse(address: IpAddr) {
            let address = canonical(address);
            prop_assert_eq!(parse_address(&address.to_string()), Ok(address));
            prop_assert_eq!(from_u128(to_u128(address)), address);
        }

        #[test]
        fn no_panic_on_anything(text in "\\PC*") {
            let _ = (parse_address(&text), Asn::parse(&text));
        }
    }
}
