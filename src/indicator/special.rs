//! Addresses with a special purpose, of which no report is made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::canonical;

/// The registry's column "Globally Reachable".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reachable {
    True,
    /// False, or N/A: not said to be reachable.
    Other,
}

use Reachable::{Other, True};

struct Row<A>(A, u8, Reachable, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> u32 {
    Ipv4Addr::new(a, b, c, d).to_bits()
}

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890, RFC 8190), in its order, and multicast (RFC 5771).
#[rustfmt::skip]
const IPV4: &[Row<u32>] = &[
    Row(v4(0, 0, 0, 0), 8, Other, "\"This network\""),
    Row(v4(0, 0, 0, 0), 32, Other, "\"This host on this network\""),
    Row(v4(10, 0, 0, 0), 8, Other, "Private-Use"),
    Row(v4(100, 64, 0, 0), 10, Other, "Shared Address Space"),
    Row(v4(127, 0, 0, 0), 8, Other, "Loopback"),
    Row(v4(169, 254, 0, 0), 16, Other, "Link Local"),
    Row(v4(172, 16, 0, 0), 12, Other, "Private-Use"),
    Row(v4(192, 0, 0, 0), 24, Other, "IETF Protocol Assignments"),
    Row(v4(192, 0, 0, 0), 29, Other, "IPv4 Service Continuity Prefix"),
    Row(v4(192, 0, 0, 8), 32, Other, "IPv4 dummy address"),
    Row(v4(192, 0, 0, 9), 32, True, "Port Control Protocol Anycast"),
    Row(v4(192, 0, 0, 10), 32, True, "Traversal Using Relays around NAT Anycast"),
    Row(v4(192, 0, 0, 170), 32, Other, "NAT64/DNS64 Discovery"),
    Row(v4(192, 0, 0, 171), 32, Other, "NAT64/DNS64 Discovery"),
    Row(v4(192, 0, 2, 0), 24, Other, "Documentation (TEST-NET-1)"),
    Row(v4(192, 31, 196, 0), 24, True, "AS112-v4"),
    Row(v4(192, 52, 193, 0), 24, True, "AMT"),
    Row(v4(192, 88, 99, 0), 24, Other, "Deprecated (6to4 Relay Anycast)"),
    Row(v4(192, 88, 99, 2), 32, Other, "6a44-relay anycast address"),
    Row(v4(192, 168, 0, 0), 16, Other, "Private-Use"),
    Row(v4(192, 175, 48, 0), 24, True, "Direct Delegation AS112 Service"),
    Row(v4(198, 18, 0, 0), 15, Other, "Benchmarking"),
    Row(v4(198, 51, 100, 0), 24, Other, "Documentation (TEST-NET-2)"),
    Row(v4(203, 0, 113, 0), 24, Other, "Documentation (TEST-NET-3)"),
    Row(v4(224, 0, 0, 0), 4, Other, "Multicast"),
    Row(v4(240, 0, 0, 0), 4, Other, "Reserved"),
    Row(v4(255, 255, 255, 255), 32, Other, "Limited Broadcast"),
];

#[expect(clippy::too_many_arguments, reason = "the eight groups of an address")]
const fn v6(a: u16, b: u16, c: u16, d: u16, e: u16, f: u16, g: u16, h: u16) -> u128 {
    Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits()
}

/// IANA IPv6 Special-Purpose Address Registry (RFC 6890, RFC 8190), in its order, and multicast (RFC 4291). Its row
/// `::ffff:0:0/96` is not here: an IPv4-mapped address is the IPv4 address.
#[rustfmt::skip]
const IPV6: &[Row<u128>] = &[
    Row(v6(0, 0, 0, 0, 0, 0, 0, 1), 128, Other, "Loopback Address"),
    Row(v6(0, 0, 0, 0, 0, 0, 0, 0), 128, Other, "Unspecified Address"),
    Row(v6(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, True, "IPv4-IPv6 Translat."),
    Row(v6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Other, "IPv4-IPv6 Translat."),
    Row(v6(0x100, 0, 0, 0, 0, 0, 0, 0), 64, Other, "Discard-Only Address Block"),
    Row(v6(0x100, 0, 0, 1, 0, 0, 0, 0), 64, Other, "Dummy IPv6 Prefix"),
    Row(v6(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Other, "IETF Protocol Assignments"),
    Row(v6(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Other, "TEREDO"),
    Row(v6(0x2001, 1, 0, 0, 0, 0, 0, 1), 128, True, "Port Control Protocol Anycast"),
    Row(v6(0x2001, 1, 0, 0, 0, 0, 0, 2), 128, True, "Traversal Using Relays around NAT Anycast"),
    Row(v6(0x2001, 1, 0, 0, 0, 0, 0, 3), 128, True, "DNS-SD Service Registration Protocol Anycast"),
    Row(v6(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, Other, "Benchmarking"),
    Row(v6(0x2001, 3, 0, 0, 0, 0, 0, 0), 32, True, "AMT"),
    Row(v6(0x2001, 4, 0x112, 0, 0, 0, 0, 0), 48, True, "AS112-v6"),
    Row(v6(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28, Other, "Deprecated (previously ORCHID)"),
    Row(v6(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28, True, "ORCHIDv2"),
    Row(v6(0x2001, 0x30, 0, 0, 0, 0, 0, 0), 28, True, "Drone Remote ID Protocol Entity Tags (DETs) Prefix"),
    Row(v6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Other, "Documentation"),
    Row(v6(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Other, "6to4"),
    Row(v6(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, True, "Direct Delegation AS112 Service"),
    Row(v6(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Other, "Documentation"),
    Row(v6(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, Other, "Segment Routing (SRv6) SIDs"),
    Row(v6(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Other, "Unique-Local"),
    Row(v6(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Other, "Link-Local Unicast"),
    Row(v6(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Other, "Multicast"),
];

/// Whether no report is made of the address: multicast, or in a row of the IANA special-purpose registries (RFC 6890)
/// that, of the rows it is in the longest, is not marked "Globally Reachable". `192.31.196.1` (AS112) is in a row and not
/// reserved. An IPv4-mapped address is judged as the IPv4 address.
pub fn is_reserved(address: IpAddr) -> bool {
    special(address).is_some_and(|(reachable, _)| reachable == Other)
}

/// The registry's name of the longest row that the address is in, reserved or not; "Multicast" for multicast.
pub fn special_purpose_name(address: IpAddr) -> Option<&'static str> {
    special(address).map(|(_, name)| name)
}

fn special(address: IpAddr) -> Option<(Reachable, &'static str)> {
    match canonical(address) {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            let rows = IPV4.iter().filter(|row| (bits ^ row.0) >> (32 - u32::from(row.1)) == 0);
            rows.max_by_key(|row| row.1).map(|row| (row.2, row.3))
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let rows = IPV6.iter().filter(|row| (bits ^ row.0) >> (128 - u32::from(row.1)) == 0);
            rows.max_by_key(|row| row.1).map(|row| (row.2, row.3))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_has_host_bits_and_none_comes_twice() {
        let mut seen = Vec::new();
        for row in IPV4 {
            assert!(
                (1..=32).contains(&row.1) && row.0.trailing_zeros() >= 32 - u32::from(row.1),
                "{}",
                row.3
            );
            seen.push((IpAddr::from(Ipv4Addr::from_bits(row.0)), row.1));
        }
        for row in IPV6 {
            assert!(
                (1..=128).contains(&row.1) && row.0.trailing_zeros() >= 128 - u32::from(row.1),
                "{}",
                row.3
            );
            seen.push((IpAddr::from(Ipv6Addr::from_bits(row.0)), row.1));
        }
        let rows = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), rows);
    }

    #[test]
    fn longest_match_decides() {
        for (text, reserved, name) in [
            ("0.0.0.0", true, Some("\"This host on this network\"")),
            ("0.1.2.3", true, Some("\"This network\"")),
            ("10.255.255.255", true, Some("Private-Use")),
            ("11.0.0.0", false, None),
            ("100.63.255.255", false, None),
            ("100.64.0.0", true, Some("Shared Address Space")),
            ("127.0.0.1", true, Some("Loopback")),
            ("172.15.255.255", false, None),
            ("172.31.255.255", true, Some("Private-Use")),
            ("192.0.0.7", true, Some("IPv4 Service Continuity Prefix")),
            ("192.0.0.9", false, Some("Port Control Protocol Anycast")),
            ("192.0.0.11", true, Some("IETF Protocol Assignments")),
            ("192.31.196.1", false, Some("AS112-v4")),
            ("192.88.99.1", true, Some("Deprecated (6to4 Relay Anycast)")),
            ("192.175.48.255", false, Some("Direct Delegation AS112 Service")),
            ("198.20.0.0", false, None),
            ("224.0.0.1", true, Some("Multicast")),
            ("239.255.255.255", true, Some("Multicast")),
            ("240.0.0.1", true, Some("Reserved")),
            ("255.255.255.255", true, Some("Limited Broadcast")),
            ("8.8.8.8", false, None),
            ("::1", true, Some("Loopback Address")),
            ("::", true, Some("Unspecified Address")),
            ("::ffff:8.8.8.8", false, None),
            ("::ffff:10.0.0.1", true, Some("Private-Use")),
            ("64:ff9b::808:808", false, Some("IPv4-IPv6 Translat.")),
            ("64:ff9b:1::1", true, Some("IPv4-IPv6 Translat.")),
            ("100:0:0:1::", true, Some("Dummy IPv6 Prefix")),
            ("100:0:0:2::", false, None),
            ("2001::1", true, Some("TEREDO")),
            ("2001:1::1", false, Some("Port Control Protocol Anycast")),
            ("2001:1::4", true, Some("IETF Protocol Assignments")),
            ("2001:2f::1", false, Some("ORCHIDv2")),
            ("2001:200::1", false, None),
            ("2001:db8::1", true, Some("Documentation")),
            ("2002::1", true, Some("6to4")),
            ("2a00::1", false, None),
            ("3fff:fff::1", true, Some("Documentation")),
            ("3fff:1000::1", false, None),
            ("5f00::1", true, Some("Segment Routing (SRv6) SIDs")),
            ("fdff::1", true, Some("Unique-Local")),
            ("febf::1", true, Some("Link-Local Unicast")),
            ("fec0::1", false, None),
            ("ff02::1", true, Some("Multicast")),
        ] {
            let address = text.parse().unwrap();
            assert_eq!((is_reserved(address), special_purpose_name(address)), (reserved, name), "{text}");
        }
    }
}
