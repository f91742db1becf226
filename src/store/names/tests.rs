use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::dossier::similar::{Depth, Search};
use crate::indicator::DomainName;
use crate::similar::Target;

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zonelens-names-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn index<'a>(names: impl Iterator<Item = &'a str>) -> (Names, Folder) {
    let folder = Folder::new();
    (build(&folder.0.join("names"), names).unwrap(), folder)
}

/// What a search finds that is alike, by the index; sorted.
fn found(names: &Names, asked: &str, depth: Depth) -> BTreeSet<String> {
    let Some(target) = Target::of(&DomainName::parse(asked).unwrap()) else { return BTreeSet::new() };
    let mut search = Search::new(target, depth);
    let mut known = Vec::new();
    search.within(names, &mut known).unwrap();
    let is_alike = |label: &str, suffix: &str| {
        !search.target.under(search.target.techniques(label), label, suffix).is_empty()
    };
    let names = known.iter().flat_map(|known| {
        known
            .suffixes
            .iter()
            .filter(|suffix| is_alike(&known.label, suffix))
            .map(|suffix| format!("{}.{suffix}", known.label))
    });
    names.collect()
}

#[test]
fn names_are_known_with_all_their_suffixes() {
    let many: Vec<String> = (0..5000).map(|number| format!("label-{number:05}.com")).collect();
    let strange = ["a.com", "a.net", "a.co.uk", "a.xn--p1ai", "_x.org", "0.de", "-.com"];
    let long = format!("{}.com", "l".repeat(63));
    let all = || many.iter().map(String::as_str).chain(strange).chain([long.as_str()]);
    let (names, _folder) = index(all());
    for name in all() {
        assert!(names.knows(name).unwrap(), "{name}");
    }
    for name in ["a.org", "b.com", "label-05000.com", "label-00000.net", "com", ""] {
        assert!(!names.knows(name).unwrap(), "{name}");
    }
    let known = names.label("a").unwrap().unwrap();
    let suffixes: BTreeSet<&str> = known.suffixes.iter().map(String::as_str).collect();
    assert_eq!(suffixes, BTreeSet::from(["com", "net", "co.uk", "xn--p1ai"]));
    assert_eq!(names.meta().names, 5008);
}

#[test]
fn suffixes_that_have_no_number_are_written_out() {
    let many: Vec<String> = (0..20_000).map(|number| format!("label.made{number:05}up")).collect();
    let (names, _folder) = index(many.iter().map(String::as_str));
    assert!(names.meta().suffixes < 20_000);
    let known = names.label("label").unwrap().unwrap();
    assert_eq!(known.names().collect::<BTreeSet<_>>(), many.iter().cloned().collect::<BTreeSet<_>>());
}

#[test]
fn hosts_with_a_whole_name_are_found_by_it() {
    let hosts =
        ["paypal.com.evil.net", "www.paypal.com.login.evil.net", "mail.paypal.com", "bank.co.uk.evil.net"];
    let (names, _folder) = index(hosts.into_iter());
    let with = |name: &str| names.hosts_with(name, 10).unwrap();
    assert_eq!(with("paypal.com"), ["paypal.com.evil.net", "www.paypal.com.login.evil.net"]);
    assert_eq!(with("bank.co.uk"), ["bank.co.uk.evil.net"]);
    assert!(with("bank.co").is_empty() && with("evil.net").is_empty());
}

#[test]
fn nothing_is_found_in_nothing() {
    let (names, _folder) = index(std::iter::empty());
    assert!(!names.knows("example.com").unwrap());
    assert!(found(&names, "example.com", Depth::All).is_empty());
    assert!(names.label("example").unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What the index finds is what looking at every name finds: no name that is alike is missed.
    #[test]
    fn the_index_misses_nothing(
        labels in proptest::collection::btree_set("[abil1o0-]{0,2}[abemrnc]{3,9}[abil1-]{0,3}", 1..200),
        asked in "[abemrnc]{3,9}",
    ) {
        let is_label = |label: &&String| !label.starts_with('-') && !label.ends_with('-') && !label.starts_with("xn--");
        let names: Vec<String> = labels.iter().filter(is_label).flat_map(|label| {
            // One edit more of what is asked, so that there is something to be found.
            let near = format!("{}{}", &asked[1..], &label[..1]);
            [format!("{label}.com"), format!("{label}{asked}.net"), format!("{near}.org")]
        }).collect();
        let (index, _folder) = index(names.iter().map(String::as_str));
        let asked = format!("{asked}.com");
        let target = Target::of(&DomainName::parse(&asked).unwrap()).unwrap();
        let mut expected = BTreeSet::new();
        for name in &names {
            let (label, suffix) = name.split_once('.').unwrap();
            if DomainName::parse(name).is_ok() && !target.under(target.techniques(label), label, suffix).is_empty() {
                expected.insert(name.clone());
            }
        }
        prop_assert_eq!(found(&index, &asked, Depth::All), expected);
    }
}
