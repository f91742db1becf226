use proptest::prelude::*;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn prefixes_strict_and_relaxed() {
    for (text, strict, relaxed) in [
        ("192.0.2.0/24", Some("192.0.2.0/24"), Some("192.0.2.0/24")),
        (" 192[.]0[.]2[.]0[/]24 ", Some("192.0.2.0/24"), Some("192.0.2.0/24")),
        ("192.0.2.7/24", None, Some("192.0.2.0/24")),
        ("192.0.2.7/32", Some("192.0.2.7/32"), Some("192.0.2.7/32")),
        ("0.0.0.0/0", Some("0.0.0.0/0"), Some("0.0.0.0/0")),
        ("1.2.3.4/0", None, Some("0.0.0.0/0")),
        ("2001:db8::/32", Some("2001:db8::/32"), Some("2001:db8::/32")),
        ("2001:db8::1/32", None, Some("2001:db8::/32")),
        ("::/0", Some("::/0"), Some("::/0")),
        ("::ffff:192.0.2.0/120", Some("192.0.2.0/24"), Some("192.0.2.0/24")),
        ("::ffff:0:0/96", Some("0.0.0.0/0"), Some("0.0.0.0/0")),
        ("192.0.2.0/33", None, None),
        ("2001:db8::/129", None, None),
        ("192.0.2.0/256", None, None),
        ("192.0.2.0/", None, None),
        ("192.0.2.0/+1", None, None),
        ("192.0.2.0", None, None),
        ("192.0.2/24", None, None),
        ("", None, None),
    ] {
        assert_eq!(Prefix::parse(text).ok().map(|prefix| prefix.to_string()).as_deref(), strict, "{text}");
        assert_eq!(
            Prefix::parse_relaxed(text).ok().map(|prefix| prefix.to_string()).as_deref(),
            relaxed,
            "{text}"
        );
    }
}

#[test]
fn a_prefix_holds_its_range_and_no_other_family() {
    let prefix = Prefix::parse("192.0.2.0/24").unwrap();
    assert_eq!(prefix.range().to_string(), "192.0.2.0-192.0.2.255");
    assert!(prefix.contains(address("192.0.2.255")) && prefix.contains(address("::ffff:192.0.2.1")));
    assert!(!prefix.contains(address("192.0.3.0")) && !prefix.contains(address("2001:db8::")));
    let all = Prefix::parse("::/0").unwrap();
    assert_eq!(all.range().last(), address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    assert!(all.contains(address("::1")) && !all.contains(address("1.2.3.4")));
    assert_eq!(Prefix::single(address("1.2.3.4")).to_string(), "1.2.3.4/32");
}

#[test]
fn ranges() {
    for (text, shown) in [
        ("192.0.2.0 - 192.0.2.9", "192.0.2.0-192.0.2.9"),
        ("192.0.2.0-192.0.2.9", "192.0.2.0-192.0.2.9"),
        ("192.0.2.0/24", "192.0.2.0-192.0.2.255"),
        ("2001:db8:: - 2001:db8::f", "2001:db8::-2001:db8::f"),
    ] {
        assert_eq!(AddressRange::parse(text).unwrap().to_string(), shown, "{text}");
    }
    for wrong in
        ["", "-", "1.2.3.4", "1.2.3.4 - 1.2.3.3", "1.2.3.4 - ::1", "1.2.3.4-1.2.3.5-1.2.3.6", "a - b"]
    {
        assert!(AddressRange::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_range_is_the_fewest_prefixes() {
    for (text, prefixes) in [
        ("0.0.0.0 - 255.255.255.255", vec!["0.0.0.0/0"]),
        ("1.2.3.4 - 1.2.3.4", vec!["1.2.3.4/32"]),
        ("10.0.0.1 - 10.0.0.6", vec!["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]),
        ("10.0.0.0 - 10.0.0.8", vec!["10.0.0.0/29", "10.0.0.8/32"]),
        ("255.255.255.254 - 255.255.255.255", vec!["255.255.255.254/31"]),
        (":: - ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", vec!["::/0"]),
        ("::1 - ::3", vec!["::1/128", "::2/127"]),
    ] {
        let range = AddressRange::parse(text).unwrap();
        assert_eq!(range.prefixes().iter().map(Prefix::to_string).collect::<Vec<_>>(), prefixes, "{text}");
    }
    let widest = AddressRange::parse("::1 - ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").unwrap();
    assert_eq!(widest.prefixes().len(), 254);
}

proptest! {
    #[test]
    fn prefix_parse_print_parse(address: IpAddr, length in 0_u8..=128) {
        if let Some(prefix) = Prefix::new_relaxed(address, length) {
            prop_assert_eq!(Prefix::parse(&prefix.to_string()), Ok(prefix));
            prop_assert_eq!(prefix.range().prefixes(), vec![prefix]);
            // A short IPv6 prefix made of an IPv4-mapped address holds no IPv4 address.
            prop_assert!(prefix.contains(address) || prefix.address().is_ipv4() != canonical(address).is_ipv4());
        }
    }

    #[test]
    fn range_parse_print_parse(a: IpAddr, b: IpAddr) {
        if let Some(range) = AddressRange::new(a.min(b), a.max(b)) {
            prop_assert_eq!(AddressRange::parse(&range.to_string()), Ok(range));
            let prefixes = range.prefixes();
            prop_assert!(prefixes.len() <= 254);
            prop_assert_eq!(prefixes.first().map(|prefix| prefix.range().first()), Some(range.first()));
            prop_assert_eq!(prefixes.last().map(|prefix| prefix.range().last()), Some(range.last()));
            for pair in prefixes.windows(2) {
                prop_assert_eq!(to_u128(pair[0].range().last()) + 1, to_u128(pair[1].address()));
            }
        }
    }

    #[test]
    fn no_panic_on_anything(text in "\\PC*") {
        let _ = (Prefix::parse(&text), Prefix::parse_relaxed(&text), AddressRange::parse(&text));
    }
}
