use proptest::prelude::*;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

#[test]
fn wire_names_both_ways() {
    for mask_type in MaskType::ALL {
        assert_eq!(mask_type.as_str().parse::<MaskType>(), Ok(mask_type));
        assert_eq!(serde_json::to_string(&mask_type).unwrap(), format!("\"{mask_type}\""));
        assert_eq!(serde_json::from_str::<MaskType>(&format!("\"{mask_type}\"")).unwrap(), mask_type);
    }
    assert!("MASK_TYPE_OTHER".parse::<MaskType>().is_err());
}

/// Each type: a text of a feed, the mask made of it, and the host that lists it.
#[test]
fn masks_as_feeds_write_them() {
    use MaskType::*;
    for (mask_type, text, normal, port, listed_under) in [
        (Domain, "*.Sub.Example.com", "*.sub.example.com", None, "sub.example.com"),
        (Domain, "example[.]com.", "*.example.com", None, "example.com"),
        (Domain, "www.example.com", "*.example.com", None, "example.com"),
        (Domain, "www.com", "*.www.com", None, "www.com"),
        (Host, "WWW.Example.com", "example.com", None, "example.com"),
        (Host, "www.www.example.com", "www.example.com", None, "www.example.com"),
        (Host, "example.com:8080", "example.com", Some(8080), "example.com"),
        (Host, "1.2.3.4:80", "1.2.3.4", Some(80), "1.2.3.4"),
        (Host, "0x1f.0x0d.0x53.0x24", "31.13.83.36", None, "31.13.83.36"),
        (Host, "2001:DB8::1", "2001:db8::1", None, "2001:db8::1"),
        (Host, "[2001:db8::1]:443", "2001:db8::1", Some(443), "2001:db8::1"),
        (Url, "http://www.example.com/A?b", "example.com/a?b", None, "example.com"),
        (Url, "http://host.example/", "host.example", None, "host.example"),
        (Url, "http://[2001:db8::1]/a", "[2001:db8::1]/a", None, "2001:db8::1"),
        (Folder, "http://example.com/Folder/*", "example.com/folder/*", None, "example.com"),
        (Folder, "example.com/folder/", "example.com/folder/*", None, "example.com"),
        (Folder, "example.com", "example.com/*", None, "example.com"),
        (Script, "example.com/load.php?*", "example.com/load.php?*", None, "example.com"),
        (Script, "example.com/load.php", "example.com/load.php?*", None, "example.com"),
        (Script, "example.com/?*", "example.com/?*", None, "example.com"),
        (Script, "example.com/", "example.com/?*", None, "example.com"),
        (Wildcard, "http://www.Example.com:80/a*B%41", "example.com/a*ba", None, "example.com"),
        (Wildcard, "evil*.example.com/x", "evil*.example.com/x", None, ""),
        (Wildcard, "*.example.com/*", "*.example.com/*", None, ""),
        (Wildcard, "www.evil*.com", "evil*.com", None, ""),
        (Wildcard, "*.пример.рф/x", "*.xn--e1afmkfd.xn--p1ai/x", None, ""),
        (Wildcard, "1.2.3.4*", "1.2.3.4*", None, ""),
        (Wildcard, "example.com:*/a*", "example.com/a*", None, "example.com"),
        (Network, "192.0.2.0/24", "192.0.2.0/24", None, ""),
    ] {
        let mask = Mask::parse(mask_type, text).unwrap();
        assert_eq!((mask.mask_type(), mask.text(), mask.port()), (mask_type, normal, port), "{text}");
        let host = mask.listed_under().map(|host| host.to_string()).unwrap_or_default();
        assert_eq!(host, listed_under, "{text}");
        assert_eq!(Mask::from_key(mask_type, normal, port), Ok(mask));
    }
}

#[test]
fn a_wildcard_of_another_shape_is_of_that_type() {
    for (text, mask_type, normal) in [
        ("*.www.example.com", MaskType::Domain, "*.example.com"),
        ("http://*.example.com", MaskType::Domain, "*.example.com"),
        ("example.com/a/*", MaskType::Folder, "example.com/a/*"),
        ("example.com/*", MaskType::Folder, "example.com/*"),
        ("example.com/a?*", MaskType::Script, "example.com/a?*"),
        ("example.com/a?b*", MaskType::Wildcard, "example.com/a?b*"),
        ("www.*.example.com", MaskType::Wildcard, "*.example.com"),
        ("//example.com/a*?u=http://x.y", MaskType::Wildcard, "example.com/a*?u=http:/x.y"),
    ] {
        let mask = Mask::wildcard(text).unwrap();
        assert_eq!((mask.mask_type(), mask.text()), (mask_type, normal), "{text}");
    }
    for wrong in [
        "",
        "*",
        "*.*",
        "http://*/*",
        "www.*",
        "example.com/a",
        "пр*мер.рф/x",
        "a b*.com/x",
        "a*.com:x/",
        "*@a.com/x",
        "a.com/x#*",
    ] {
        assert!(Mask::wildcard(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_mask() {
    use MaskType::*;
    for (mask_type, text) in [
        (Domain, "*.*.com"),
        (Domain, "1.2.3.4"),
        (Domain, "example.com/a"),
        (Host, "example.com/a"),
        (Host, "u@example.com"),
        (Host, "*.example.com"),
        (Host, "example.com:x"),
        (Host, ""),
        (Url, ""),
        (Folder, "example.com/a?b"),
        (Script, "example.com/a?b=c"),
        (Network, "192.0.2.1/24"),
        (Network, "192.0.2.1"),
    ] {
        assert!(Mask::parse(mask_type, text).is_err(), "{mask_type} {text}");
    }
    for (mask_type, text, port) in [
        (Domain, "example.com", None),
        (Domain, "*.Example.com", None),
        (Host, "Example.com", None),
        (Host, "[::1]", None),
        (Url, "http://example.com/", None),
        (Url, "example.com/a", Some(80)),
        (Folder, "example.com/a", None),
        (Script, "example.com/a?b?*", None),
        (Wildcard, "example.com", None),
        (Network, "192.0.2.1/24", None),
    ] {
        assert!(Mask::from_key(mask_type, text, port).is_err(), "{mask_type} {text}");
    }
}

#[test]
fn the_table_for_web_addresses() {
    for (mask_type, text, covered, not) in TABLE {
        let mask = Mask::parse(*mask_type, text).unwrap();
        for text in *covered {
            assert!(mask.matches_url(&url(text)), "{mask} {text}");
        }
        for text in *not {
            assert!(!mask.matches_url(&url(text)), "{mask} {text}");
        }
    }
}

/// The table of section 5: a mask, addresses it matches, addresses it does not.
const TABLE: &[(MaskType, &str, &[&str], &[&str])] = &[
    (
        MaskType::Domain,
        "*.sub.domain.com",
        &["sub.domain.com", "sub.domain.com:99/a?b", "a.b.sub.domain.com/x", "www.sub.domain.com"],
        &["domain.com", "other.domain.com", "badsub.domain.com", "x.com/sub.domain.com"],
    ),
    (
        MaskType::Folder,
        "host.com/folder/*",
        &[
            "host.com/folder",
            "host.com/folder/",
            "host.com/FOLDER/a/b?c",
            "www.host.com/folder/?a",
            "host.com:8/folder/a",
        ],
        &["host.com", "host.com/folder2", "host.com/other/a", "sub.host.com/folder/a", "host.com/folder?a"],
    ),
    (
        MaskType::Folder,
        "host.com/*",
        &["host.com", "host.com/a", "host.com?a", "host.com/?a"],
        &["a.host.com", "host.com.br"],
    ),
    (
        MaskType::Script,
        "host.com/load.php?*",
        &["host.com/load.php?", "host.com/load.php?a=b"],
        &["host.com/load.php", "host.com/load.phpx?", "host.com/a/load.php?"],
    ),
    (
        MaskType::Wildcard,
        "*.host.com/gate*.php",
        &["a.host.com/gate.php", "a.b.host.com/gate/12.php"],
        &["host.com/gate.php", "a.host.com/gate.php?a"],
    ),
    (MaskType::Wildcard, "*.host.com/*", &["a.host.com", "a.host.com/b"], &["host.com", "a.host.com.br"]),
    (
        MaskType::Host,
        "host.com",
        &["host.com", "www.host.com/a", "host.com:8080/a?b"],
        &["a.host.com", "host.com.br", "x.com/host.com"],
    ),
    (
        MaskType::Host,
        "host.com:8080",
        &["host.com", "host.com/a", "host.com:8080/a"],
        &["host.com:80", "host.com:443/a"],
    ),
    (MaskType::Host, "2001:db8::1", &["http://[2001:db8:0::1]/a"], &["http://[2001:db8::2]/a"]),
    (
        MaskType::Url,
        "http://host.com/path?query",
        &["host.com/path?query", "https://www.host.com:1/PATH?Query#x"],
        &["host.com/path", "host.com/path?", "host.com/path?query=1", "host.com/path/?query"],
    ),
    (
        MaskType::Url,
        "http://host.com/",
        &["host.com", "http://www.host.com/"],
        &["host.com/a", "host.com?", "a.host.com"],
    ),
    (
        MaskType::Network,
        "192.0.2.0/24",
        &["http://192.0.2.7/a", "http://[::ffff:192.0.2.7]/"],
        &["192.0.3.1", "host.com"],
    ),
];

#[test]
fn the_table_for_hosts() {
    use MaskType::*;
    for (mask_type, text, covered, not) in [
        (
            Domain,
            "*.sub.domain.com",
            &["sub.domain.com", "a.b.sub.domain.com"][..],
            &["domain.com", "x.domain.com"][..],
        ),
        (Domain, "www.domain.com", &["www.domain.com", "domain.com"], &["com"]),
        (Host, "host.com", &["host.com", "www.host.com"], &["a.host.com", "host.com.br"]),
        (Host, "host.com:8080", &["host.com"], &["a.host.com"]),
        (Host, "1.2.3.4:80", &["1.2.3.4", "::ffff:1.2.3.4"], &["1.2.3.5"]),
        (Host, "2001:db8::1", &["2001:db8::1"], &["2001:db8::2"]),
        (Wildcard, "evil*.com", &["evil1.com", "www.evil1.com"], &["good.com", "evil.com.br"]),
        (Wildcard, "*.host.com/*", &[], &["a.host.com"]),
        (Network, "192.0.2.0/24", &["192.0.2.255"], &["192.0.3.0", "host.com", "2001:db8::1"]),
        (Url, "http://host.com/", &[], &["host.com"]),
        (Folder, "host.com/*", &[], &["host.com"]),
        (Script, "host.com/?*", &[], &["host.com"]),
    ] {
        let mask = Mask::parse(mask_type, text).unwrap();
        for text in covered {
            assert!(mask.matches_host(&host(text)), "{mask} {text}");
        }
        for text in not {
            assert!(!mask.matches_host(&host(text)), "{mask} {text}");
        }
    }
}

#[test]
fn shown_and_written() {
    let mask = Mask::parse(MaskType::Host, "example.com:8080").unwrap();
    assert_eq!((mask.to_string().as_str(), &*mask.with_port()), ("example.com", "example.com:8080"));
    let json = r#"{"type":"MASK_TYPE_HOST","mask":"example.com","port":8080}"#;
    assert_eq!(serde_json::to_string(&mask).unwrap(), json);
    assert_eq!(serde_json::from_str::<Mask>(json).unwrap(), mask);
    let json = r#"{"type":"MASK_TYPE_URL","mask":"www.example.com/a"}"#;
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Mask>(json).unwrap()).unwrap(), json);
    assert!(serde_json::from_str::<Mask>(r#"{"type":"MASK_TYPE_HOST","mask":"http://a"}"#).is_err());
    let mask = Mask::parse(MaskType::Host, "[::1]:80").unwrap();
    assert_eq!((mask.text(), &*mask.with_port()), ("::1", "[::1]:80"));
}

proptest! {
    #[test]
    fn print_and_read_back(
        mask_type in proptest::sample::select(&MaskType::ALL[..]),
        text in prop_oneof![
            "\\PC*",
            "(\\*\\.)?(www\\.){0,2}[a-z0-9*]{1,3}\\.(com|рф)(:[0-9]{1,5})?(/[a-zA-Z%*/.?]{0,8}){0,2}(/\\*|\\?\\*)?",
            "[0-9x]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2}|:[0-9]{1,4})?",
        ],
    ) {
        if let Ok(mask) = Mask::parse(mask_type, &text) {
            prop_assert_eq!(Mask::from_key(mask.mask_type(), mask.text(), mask.port()), Ok(mask.clone()));
            let json = serde_json::to_string(&mask).unwrap();
            prop_assert_eq!(serde_json::from_str::<Mask>(&json).unwrap(), mask.clone());
            if let Some(host) = mask.listed_under() {
                let on_host = matches!(mask_type, MaskType::Host | MaskType::Domain);
                let key = Url::from_key(&host.to_key()).unwrap();
                prop_assert!(!on_host || mask.matches_url(&key), "{mask}");
            }
        }
    }

    #[test]
    fn an_address_matches_the_masks_made_of_it(text in "[a-z]{1,3}\\.(com|co\\.uk)(/[a-zA-Z%.]{0,8}){0,3}/?\\??") {
        let url = url(&text);
        let host = url.host();
        prop_assert!(Mask::url(&url).matches_url(&url));
        prop_assert!(Mask::from_key(MaskType::Host, &host.to_string(), None).unwrap().matches_url(&url));
        if let Ok(folder) = Mask::folder(&url) {
            prop_assert!(folder.matches_url(&url));
        }
        if url.rest().ends_with('?') {
            prop_assert!(Mask::script(&url).unwrap().matches_url(&url));
        }
    }
}
