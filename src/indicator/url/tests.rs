use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn key(text: &str) -> Option<String> {
    Url::parse(text).ok().map(|url| url.key().to_owned())
}

/// The pairs that come with the contract.
#[test]
fn the_pairs_of_the_contract() {
    let mut pairs = 0;
    for line in include_str!("../../../tests/data/url-normalisation.tsv").lines() {
        let (input, expected) = line.split_once('\t').unwrap();
        assert_eq!(key(input).as_deref().unwrap_or("<error>"), expected, "{input}");
        pairs += 1;
    }
    assert!(pairs >= 31, "only {pairs} pairs were read");
}

#[test]
fn every_rule() {
    for (text, expected) in RULES {
        assert_eq!(key(text).as_deref().unwrap_or("<error>"), *expected, "{text}");
    }
}

/// Every sentence of section 6, by step.
const RULES: &[(&str, &str)] = &[
    // 1: white space, defanging
    ("\t hxxps[://]example[.]com[/]a \n", "example.com/a"),
    ("example(dot)com", "example.com"),
    // 2: scheme
    ("git+ssh://example.com/a", "example.com/a"),
    ("//example.com/a", "example.com/a"),
    ("http:example.com", "<error>"),
    ("mailto:me", "<error>"),
    // 3: authority, fragment, query, user-info, port
    ("example.com#/a?b", "example.com"),
    ("example.com/a#b?c", "example.com/a"),
    ("example.com?a/b#c", "example.com?a/b"),
    ("http://a@b@example.com/c@d", "example.com/c@d"),
    ("http://example.com\\@evil.example/", "evil.example"),
    ("http://example.com\\a", "<error>"),
    ("http://example.com:/a", "example.com/a"),
    ("http://example.com:0/a", "example.com/a"),
    ("http://example.com:65535/a", "example.com/a"),
    ("http://example.com:65536/a", "<error>"),
    ("http://example.com:8o/a", "<error>"),
    ("http://example.com:80:80/a", "<error>"),
    // 4: host
    ("http://ex%61mple.com/", "example.com"),
    ("http://ex%2561mple.com/", "<error>"),
    ("http://EXAMPLE。COM/", "example.com"),
    ("http://faß.de", "xn--fa-hia.de"),
    ("http://a...b.com", "a.b.com"),
    ("http://www.co.uk/", "www.co.uk"),
    ("http://www.user.github.io/", "user.github.io"),
    ("http://www.github.io/", "www.github.io"),
    ("http://www.www.example.com/", "www.example.com"),
    ("http://www.1.2.3.4/", "1.2.3.4"),
    ("31.13.21284", "31.13.83.36"),
    ("1.2.3", "1.2.0.3"),
    ("017700000001", "127.0.0.1"),
    ("256.1.1.1", "256.1.1.1"),
    ("08.1.1.1", "08.1.1.1"),
    ("1.2.3.4.5", "1.2.3.4.5"),
    ("http://[2001:DB8:0:0::1]/", "[2001:db8::1]"),
    ("http://[::ffff:1.2.3.4]:80/", "[::ffff:1.2.3.4]"),
    ("http://[::1]x/", "<error>"),
    ("http://[::1/", "<error>"),
    ("http://[fe80::1%25eth0]/", "<error>"),
    ("http://[1.2.3.4]/", "<error>"),
    ("", "<error>"),
    ("http://", "<error>"),
    ("http:///a", "<error>"),
    ("http://.../a", "<error>"),
    ("http://a b.com/", "<error>"),
    ("http://a%20b.com/", "<error>"),
    ("http://a%00b.com/", "<error>"),
    ("http://a\tb.com/", "<error>"),
    ("http://a<b.com/", "<error>"),
    ("http://a|b.com/", "<error>"),
    ("http://a^b.com/", "<error>"),
    ("http://a%ffb.com/", "<error>"),
    // not listed, but they would make the end of the host a guess
    ("http://a%2Fb.com/", "<error>"),
    ("http://a%3Fb.com/", "<error>"),
    ("http://a%40b.com/", "<error>"),
    ("http://a%3A80/", "<error>"),
    ("http://*.example.com/", "<error>"),
    ("http://_a.b-.example.com/", "_a.b-.example.com"),
    // 5: dot-segments before decoding
    ("http://example.com/a/./b/../c", "example.com/a/c"),
    ("http://example.com/../../a", "example.com/a"),
    ("http://example.com/a/%2e%2e/b", "example.com/a/../b"),
    ("http://example.com/a?b=/../c", "example.com/a?b=/../c"),
    // 6: decoding, case, slashes
    ("http://example.com/%2541", "example.com/%41"),
    ("http://example.com/%zz%", "example.com/%zz%"),
    ("http://example.com/%FF%00%0A", "example.com/%ff%00%0a"),
    ("http://example.com/a+b%2Bc", "example.com/a+b+c"),
    ("http://example.com/%C3%84Ω", "example.com/äω"),
    ("http://example.com/a%2F%2Fb", "example.com/a/b"),
    ("http://example.com/a?b=//c", "example.com/a?b=/c"),
    ("http://example.com/?U=HTTP://X.Y", "example.com/?u=http:/x.y"),
    // 7: trailing slash, bare ?
    ("http://example.com", "example.com"),
    ("http://example.com/a/", "example.com/a"),
    ("http://example.com/a/?", "example.com/a/?"),
    ("http://example.com/?", "example.com/?"),
    ("http://example.com?", "example.com?"),
    ("http://example.com/a?b/", "example.com/a?b/"),
];

#[test]
fn parts_are_told_apart() {
    let url = Url::parse(" HXXP://u:p@WWW.Example.COM:8080/A?b#c ").unwrap();
    assert_eq!(url.key(), "example.com/a?b");
    assert_eq!((url.host_str(), url.rest()), ("example.com", "/a?b"));
    assert_eq!(url.host(), Host::parse("example.com").unwrap());
    assert_eq!(url.spelled(), "HXXP://u:p@WWW.Example.COM:8080/A?b#c");
    assert_eq!(url.port(), Some(8080));
    let url = Url::parse("http://[::ffff:1.2.3.4]/a").unwrap();
    assert_eq!((url.host_str(), url.host().to_string()), ("[::ffff:1.2.3.4]", "1.2.3.4".to_owned()));
}

#[test]
fn only_the_key_is_compared() {
    let (one, other) =
        (Url::parse("http://example.com:80/A").unwrap(), Url::parse("example.com/a#x").unwrap());
    assert_eq!(one, other);
    assert_eq!(one.cmp(&other), Ordering::Equal);
    assert_eq!(std::collections::HashSet::from([one, other]).len(), 1);
}

#[test]
fn a_key_is_not_normalised_again() {
    for text in ["www.example.com/%41/../b", "example.com?", "[2001:db8::1]/a", "1.2.3.4", "a.b/x y/"] {
        let url = Url::from_key(text).unwrap();
        assert_eq!((url.key(), url.spelled(), url.port()), (text, text, None));
    }
    for text in
        ["", "/a", "Example.com/a", "[::1", "a b.com/", "http://a/", "example.com:80/a", "u@example.com"]
    {
        assert!(Url::from_key(text).is_err(), "{text}");
    }
}

#[test]
fn serde_is_the_spelling_and_keeps_the_key() {
    let url = Url::parse("hxxp://Example[.]com/A").unwrap();
    let json = serde_json::to_string(&url).unwrap();
    assert_eq!(json, "\"hxxp://Example[.]com/A\"");
    assert_eq!(serde_json::from_str::<Url>(&json).unwrap().spelled(), "hxxp://Example[.]com/A");
}

#[test]
fn limit_and_linear_time() {
    let long = format!("http://example.com/{}", "a".repeat(URL_BYTES_MAX - 19));
    assert!(Url::parse(&long).is_ok());
    assert!(Url::parse(&format!("{long}a")).is_err());
    let started = Instant::now();
    for piece in [
        "../", "%41", "/", "./", "a/../", "Σ", "%ff", "[", "hxxp", "@", ":", ".", "é.", "xn--", "1.", "İ",
        "?",
    ] {
        let fill = piece.repeat((URL_BYTES_MAX - 20) / piece.len());
        for text in [format!("http://example.com/{fill}"), format!("http://{fill}"), format!("a/?{fill}")] {
            if let Ok(url) = Url::parse(&text) {
                crate::indicator::redact(url.key());
            }
        }
    }
    assert!(started.elapsed().as_secs() < 5, "some input takes more than linear time");
}

proptest! {
    #[test]
    fn no_panic_and_a_sound_key(text in prop_oneof![
        "\\PC*",
        "(hxxp|http)s?://[a-zA-Z0-9.%:@\\[\\]éß。-]{1,20}[ -~éİΣ\t]{0,40}",
        "(www\\.){0,3}[a-z0-9]{1,4}\\.(com|co\\.uk|localhost)/([%./?#;&=a-zA-Z\u{85} \t]|%25|%2[eEfF]|%3[fF]|%C3%84|%FF){0,24}",
        "[0-9x.]{1,16}/?",
        "(www\\.|%7b|%28|%[2-7][0-9a-f]|\\{\\.\\}|a|\\.){1,8}/a",
    ]) {
        if let Ok(url) = Url::parse(&text) {
            prop_assert_eq!(url.key(), url.key().to_lowercase());
            prop_assert!(!url.key().contains("//"));
            prop_assert!(url.rest().is_empty() || url.rest().starts_with(['/', '?']));
            prop_assert!(url.rest().contains('?') || !url.key().ends_with('/'));
            prop_assert_eq!(url.spelled(), text.trim());
            let again = Url::from_key(url.key()).unwrap();
            prop_assert_eq!((again.host_str(), again.host()), (url.host_str(), url.host()));
            // What serde writes is read as the same key, with and without a spelling.
            prop_assert_eq!(&Url::parse(&url.respelled()).unwrap(), &url);
            let respelled = again.respelled();
            if respelled.len() <= URL_BYTES_MAX {
                prop_assert_eq!(&Url::parse(&respelled).unwrap(), &url, "{}", respelled);
            }
            let (shown, removed) = crate::indicator::redact(url.key());
            prop_assert_eq!(removed, shown != url.key());
        }
    }

    #[test]
    fn a_sound_key_from_anything_stored(text in "\\PC*") {
        if let Ok(url) = Url::from_key(&text) {
            prop_assert_eq!(format!("{}{}", url.host_str(), url.rest()), text);
            let _ = url.host();
        }
    }
}
