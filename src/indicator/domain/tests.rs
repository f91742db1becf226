use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

#[test]
fn names_as_people_write_them() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    for (text, normal) in [
        ("example.com", "example.com"),
        ("  Example.COM.\n", "example.com"),
        ("mail[.]example(.)com", "mail.example.com"),
        ("example[dot]com", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
        ("co.uk", "co.uk"),
        ("www.example.com", "www.example.com"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("XN--E1AFMKFD.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("faß.de", "xn--fa-hia.de"),
        ("example。com", "example.com"),
        ("a--b.example", "a--b.example"),
        ("-a-.example", "-a-.example"),
        ("a~b!c.example", "a~b!c.example"),
        ("256.1.1.1", "256.1.1.1"),
        ("01.2.3.4", "01.2.3.4"),
        ("fxpro.com", "fxpro.com"),
        (&long, &long),
    ] {
        assert_eq!(DomainName::parse(text).map(|name| name.to_string()).as_deref(), Ok(normal), "{text}");
        assert_eq!(DomainName::from_normal(normal).as_ref().map(DomainName::as_str), Some(normal));
    }
}

#[test]
fn what_is_no_name_says_why() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", "a".repeat(62));
    for (text, problem) in [
        ("", "empty"),
        (".", "empty"),
        ("http://example.com", "scheme"),
        ("example.com:80", "port"),
        ("::1", "IPv6"),
        ("example.com/", "path"),
        ("example.com?a", "path"),
        ("u@example.com", "user-info"),
        ("u[at]example.com", "user-info"),
        ("*.example.com", "wildcard"),
        ("exa mple.com", "white space"),
        ("exa\u{3000}mple.com", "white space"),
        ("exa\0mple.com", "control"),
        ("1.2.3.4", "IP address"),
        ("１.2.3.4", "IP address"),
        ("1.2.3.4.", "IP address"),
        ("a..b", "empty label"),
        (".a.b", "empty label"),
        ("a.b..", "empty label"),
        (&format!("{label}a.com"), "63"),
        (&long, "253"),
        (&"é".repeat(2000), "253"),
        ("xn--a.com", "IDNA"),
        ("a％b.com", "[]<>^|%"),
        ("a{{.}}b.com", "twice"),
        ("a\\b", "path"),
    ] {
        let error = DomainName::parse(text).unwrap_err();
        assert!(error.problem().contains(problem), "{text}: {error}");
        assert_eq!(DomainName::from_normal(text), None, "{text}");
    }
    for text in ["Example.com", "example.com.", " example.com", "пример.рф", "a{.}b"] {
        assert_eq!(DomainName::from_normal(text), None, "{text}");
    }
}

#[test]
fn unicode_for_display() {
    assert_eq!(name("xn--e1afmkfd.xn--p1ai").unicode(), "пример.рф");
    assert_eq!(name("example.com").unicode(), "example.com");
}

#[test]
fn labels_and_ancestors() {
    assert_eq!(name("a.b.com").labels().collect::<Vec<_>>(), ["a", "b", "com"]);
    assert_eq!(
        name("a.b.example.com").ancestors().collect::<Vec<_>>(),
        ["b.example.com", "example.com", "com"]
    );
    assert_eq!(name("com").ancestors().count(), 0);
    assert!(name("a.example.com").is_within(&name("example.com")));
    assert!(name("example.com").is_within(&name("example.com")));
    assert!(!name("badexample.com").is_within(&name("example.com")));
    assert!(!name("com").is_within(&name("example.com")));
}

#[test]
fn public_suffixes() {
    for (text, suffix, registrable, private) in [
        ("a.b.example.com", "com", Some("example.com"), false),
        ("example.com", "com", Some("example.com"), false),
        ("com", "com", None, false),
        ("a.example.co.uk", "co.uk", Some("example.co.uk"), false),
        ("co.uk", "co.uk", None, false),
        ("x.user.github.io", "github.io", Some("user.github.io"), true),
        ("github.io", "github.io", None, true),
        ("a.b.xn--p1ai", "xn--p1ai", Some("b.xn--p1ai"), false),
        ("localhost", "localhost", None, false),
        ("a.b.no-such-tld", "no-such-tld", Some("b.no-such-tld"), false),
        ("x.www.ck", "ck", Some("www.ck"), false),
        ("a.b.c.ck", "c.ck", Some("b.c.ck"), false),
    ] {
        let name = name(text);
        assert_eq!(
            (name.public_suffix(), name.registrable(), name.is_private_suffix(), name.is_public_suffix()),
            (suffix, registrable, private, registrable.is_none()),
            "{text}"
        );
    }
}

#[test]
fn one_www_is_dropped_unless_a_public_suffix_would_remain() {
    for (text, bare) in [
        ("www.example.com", "example.com"),
        ("www.www.example.com", "www.example.com"),
        ("www.com", "www.com"),
        ("www.co.uk", "www.co.uk"),
        ("www.github.io", "www.github.io"),
        ("www.localhost", "www.localhost"),
        ("a.www.example.com", "a.www.example.com"),
        ("www", "www"),
        ("wwww.example.com", "wwww.example.com"),
    ] {
        assert_eq!(name(text).without_www(), bare, "{text}");
    }
}

#[test]
fn a_set_of_names_is_asked_by_text() {
    let names = HashSet::from([name("example.com")]);
    assert!(names.contains("example.com"));
}

#[test]
fn serde_is_a_string_that_is_parsed() {
    assert_eq!(serde_json::to_string(&name("a.b")).unwrap(), "\"a.b\"");
    assert_eq!(serde_json::from_str::<DomainName>("\"EX\\u0061mple[.]com\"").unwrap(), name("example.com"));
    assert!(serde_json::from_str::<DomainName>("\"a b\"").is_err());
    assert!(serde_json::from_str::<DomainName>("1").is_err());
}

proptest! {
    #[test]
    fn no_panic_and_one_normal_form(text in prop_oneof![
        "\\PC*",
        "[a-zA-Z0-9._~(){}\\[\\]ßİéΣдя字。-]{1,24}",
        "(xn--)?[a-z0-9-]{1,8}(\\.(xn--)?[a-z0-9-]{1,8}){0,3}\\.?",
        "[0-9x]{1,3}(\\.[0-9]{1,3}){0,4}",
    ]) {
        if let Ok(name) = DomainName::parse(&text) {
            prop_assert_eq!(DomainName::parse(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(DomainName::from_normal(name.as_str()), Some(name.clone()));
            prop_assert!(name.as_str().is_ascii() && name.as_str().to_lowercase() == name.as_str());
            prop_assert!(name.public_suffix().len() <= name.as_str().len());
            let _ = (name.unicode(), name.registrable(), name.without_www(), name.ancestors().count());
        }
        if let Some(name) = DomainName::from_normal(&text) {
            prop_assert_eq!(DomainName::parse(&text), Ok(name));
        }
    }

    #[test]
    fn every_plain_name_is_fast_and_the_slow_way_agrees(text in "[a-z0-9_-]{1,12}(\\.[a-z0-9_-]{1,12}){0,4}") {
        if is_plain(&text) {
            prop_assert!(to_ascii(&text).is_ok_and(|ascii| ascii == text));
            prop_assert_eq!(check(&text), Ok(()));
        } else {
            prop_assert!(has_ace(&text) || is_dotted_address(&text));
        }
    }
}
