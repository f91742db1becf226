use proptest::prelude::*;

use super::*;

fn names(original: &str, other: &str) -> Vec<&'static str> {
    let name = |text: &str| DomainName::parse(text).unwrap();
    let target = Target::of(&name(original)).unwrap();
    let other = name(other);
    let (label, suffix) = other.registrable().unwrap().split_once('.').unwrap();
    target.under(target.techniques(label), label, suffix).iter().map(|row| row.name).collect()
}

#[test]
fn techniques_are_named() {
    for (original, other, technique) in [
        ("paypal.com", "paypal.net", "other-suffix"),
        ("inner-active.mobi", "inner-active-.mobi", "hyphenation"),
        ("xn--3-twfr7ca0a9jsa8a4lc6fd.com", "xn--2-twfr7ca0a9jsa8a4lc6fd.com", "keyboard"),
        ("paypal.com", "xn--pypal-4ve.com", "skeleton"),
        ("xn--pypal-4ve.com", "paypal.com", "skeleton"),
        ("paypal.com", "paypa1.com", "homoglyph"),
        ("microsoft.com", "rnicrosoft.com", "homoglyph"),
        ("google.com", "g00gle.net", "homoglyph"),
        ("google.com", "qooqle.com", "homoglyph"),
        ("linkedin.com", "iinkedin.com", "homoglyph"),
        ("facebook.com", "facebokk.com", "keyboard"),
        ("paypal.com", "papyal.com", "transposition"),
        ("paypal.com", "payypal.com", "repetition"),
        ("paypal.com", "paypl.com", "omission"),
        ("paypal.com", "pay-pal.com", "hyphenation"),
        ("paypal.com", "paypals.com", "plural"),
        ("dishwash.com", "dishwashes.com", "plural"),
        ("paypal.com", "paypel.com", "homoglyph"),
        ("paypal.com", "paypul.com", "vowel-swap"),
        ("paypal.com", "oaypal.com", "keyboard"),
        ("paypal.com", "paypad.com", "bit-flip"),
        ("paypal.com", "paypajl.com", "insertion"),
        ("paypal.com", "kaypal.com", "replacement"),
        ("example.com", "example-com.net", "faux-suffix"),
        ("example.com", "examplecom.net", "faux-suffix"),
        ("example.co.uk", "example-co-uk.net", "faux-suffix"),
        ("paypal.com", "secure-paypal-login.com", "added-word"),
        ("paypal.com", "paypalverify.net", "added-word"),
        ("paypal.com", "mypaypalxq.net", "combosquatting"),
        ("dhl.com", "qx-dhl-zz.net", "combosquatting"),
        ("microsoft.com", "micr0osoft.com", "keyboard"),
        ("microsoft.com", "mocrpsoft.com", "two-edits"),
        ("microsoft.com", "microsofd-help.com", "near-combosquatting"),
        ("paypal.com", "paypall-help.com", "added-word"),
    ] {
        let found = names(original, other);
        let is_right = found.first() == Some(&technique) || (technique == "added-word" && !found.is_empty());
        assert!(is_right, "{other} of {original}: {found:?}, not {technique}");
    }
}

#[test]
fn what_only_has_the_letters_is_not_alike() {
    for (original, other) in [
        ("apple.com", "pineapple.com"),
        ("chase.com", "purchase.net"),
        ("ing.com", "shopping.com"),
        ("dhl.com", "xdhly.com"),
        ("abc.com", "xyz.com"),
        ("cat.com", "dogs.com"),
        ("a.com", "example.com"),
        ("paypal.com", "paypal.com"),
    ] {
        assert_eq!(names(original, other), [""; 0], "{other} of {original}");
    }
}

#[test]
fn whole_names_stand_before_the_domain() {
    for (host, whole) in [
        ("example.com.evil.net", &["example.com"][..]),
        ("www.example.com.login.evil.net", &["example.com"]),
        ("example.co.uk.evil.net", &["example.co.uk"]),
        ("example.com.github.io", &[]),
        ("www.example.com", &[]),
        ("a.b.c.d.example.com", &[]),
        ("com.evil.net", &[]),
        ("www.evil.net.evil.net", &[]),
        ("one-1.com.two-2.net.evil.org", &["one-1.com", "two-2.net"]),
    ] {
        // `example.com` is the label of a private suffix there.
        assert_eq!(whole_names(host), whole, "{host}");
    }
}

#[test]
fn the_table_has_a_row_a_technique() {
    for (at, row) in TECHNIQUES.iter().enumerate() {
        assert_eq!(row.technique as usize, at);
        assert_eq!(Technique::parse(row.name), Ok(row.technique));
        assert!((1..=100).contains(&row.cost));
    }
    assert!(Technique::parse("magic").unwrap_err().contains("other-suffix, skeleton"));
    assert!(TECHNIQUES.len() <= 32, "a bit each");
}

#[test]
fn keys_are_of_what_looks_alike() {
    assert_eq!(key("paypal"), None);
    assert_eq!(key("paypa1").as_deref(), Some("paypal"));
    assert_eq!(key("xn--pypal-4ve").as_deref(), Some("paypal"));
    assert_eq!(key("rnicros0ft").as_deref(), Some("microsoft"));
    assert_eq!(key("xn--bcher-kva").as_deref(), Some("bucher"));
    assert!(keys_of("linkedin").contains(&"iinkedin".to_owned()));
    assert!(keys_of(&"li".repeat(31)).len() <= 64);
}

#[test]
fn domains_under_which_others_register_were_registered_too() {
    assert_eq!(label_and_suffix("www.example.co.uk"), Some(("example", "co.uk")));
    assert_eq!(label_and_suffix("someone.github.io"), Some(("someone", "github.io")));
    assert_eq!(label_and_suffix("github.io"), Some(("github", "io")));
    for suffix in ["com", "co.uk", "s3.amazonaws.com"] {
        assert_eq!(label_and_suffix(suffix), None);
    }
}

#[test]
fn hyphens_alone_look_like_nothing() {
    let of = |name: &str| Target::of(&DomainName::parse(name).unwrap());
    assert!(of("---.com").is_none());
    assert!(of("-a.com").is_some());
}

#[test]
fn distances() {
    for (a, b, expected) in
        [("", "", 0), ("a", "", 1), ("", "ab", 2), ("paypal", "paypa1", 1), ("kitten", "sitting", 3)]
    {
        assert_eq!(distance(a, b), expected);
        assert_eq!(distance(b, a), expected);
    }
}

/// Edit distance by the book.
fn by_the_book(a: &[u8], b: &[u8]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, j) => j as u32,
                (i, 0) => i as u32,
                _ => (table[i - 1][j - 1] + u32::from(a[i - 1] != b[j - 1]))
                    .min(table[i - 1][j] + 1)
                    .min(table[i][j - 1] + 1),
            };
        }
    }
    table
}

proptest! {
    #[test]
    fn patterns_count_edits(a in "[abc]{1,64}", b in "[abc]{0,63}") {
        let pattern = Pattern::of(&a);
        let table = by_the_book(a.as_bytes(), b.as_bytes());
        prop_assert_eq!(pattern.distance(b.as_bytes()), table[a.len()][b.len()]);
        let nearest_beginning = table.iter().map(|row| row[b.len()]).min();
        prop_assert_eq!(Some(pattern.distance_of_beginning(b.as_bytes())), nearest_beginning);
        let inside = (0..=b.len()).flat_map(|from| {
            let table = by_the_book(a.as_bytes(), &b.as_bytes()[from..]);
            table[a.len()].clone()
        }).min();
        prop_assert_eq!(Some(pattern.distance_inside(b.as_bytes())), inside);
    }

    #[test]
    fn every_variant_is_alike(label in "[a-z0-9]{3,12}") {
        let target = Target::of(&DomainName::parse(&format!("{label}.example")).unwrap()).unwrap();
        let mut variants = Labels::default();
        one_edit(&label, &mut variants);
        look_alikes(&label, &mut variants);
        with_suffixes(&label, "example", &mut variants);
        added_words(&label, &mut variants);
        for variant in variants.iter().filter(|variant| *variant != label && !variant.starts_with("xn--")) {
            prop_assert!(!target.techniques(variant).is_empty(), "{variant}");
        }
    }

    #[test]
    fn techniques_take_any_two_labels(a in "[a-zäß0-9іо_-]{1,20}", b in "[a-zäß0-9іо_-]{1,20}") {
        let name = |label: &str| DomainName::parse(&format!("{label}.example")).ok();
        if let (Some(a), Some(b)) = (name(&a), name(&b)) {
            let Some(target) = Target::of(&a) else { return Ok(()) };
            let label = b.as_str().split('.').next().unwrap();
            let found = target.techniques(label);
            prop_assert!(a != b || found.is_empty());
        }
    }
}
