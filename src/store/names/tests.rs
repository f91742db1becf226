use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

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
    let suffixes: BTreeSet<&str> = known.suffixes.iter().map(|suffix| suffix.as_str()).collect();
    assert_eq!(suffixes, BTreeSet::from(["com", "net", "co.uk", "xn--p1ai"]));
    assert_eq!(names.meta().names, 5008);
}

#[test]
fn a_private_suffix_is_known_beside_what_is_below_it() {
    let (names, _folder) =
        index(["github.io", "someone.github.io", "a.someone.github.io", "co.uk"].into_iter());
    assert!(names.knows("github.io").unwrap() && names.knows("someone.github.io").unwrap());
    assert_eq!(names.meta().names, 2);
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
    assert!(names.label("example").unwrap().is_none());
}

proptest! {
    /// Labels that begin alike, short and long, in one block and in many.
    #[test]
    fn all_labels_are_read_and_no_other_is_found(
        labels in prop::collection::btree_set("[ab]{1,4}|a{14,17}[ab]{0,3}|[ab]{60,63}", 1..200),
        others in prop::collection::vec("[abc]{1,6}|a{14,17}[abc]{0,3}", 50),
    ) {
        let all: Vec<String> = labels.iter().map(|label| format!("{label}.com")).collect();
        let (names, _folder) = index(all.iter().map(String::as_str));
        let mut read = Vec::new();
        let mut block = Block::new();
        for number in 0..names.meta().blocks() {
            names.read(number, &mut block).unwrap();
            let label = |index| String::from_utf8(block.label(index).to_vec()).unwrap();
            read.extend((0..block.count()).map(label));
            for index in 0..block.count() {
                prop_assert_eq!(take_suffix(&mut block.suffixes(index)).map(|(_, more)| more), Some(false));
            }
            let texts = block.text().split(|byte| *byte == 0).filter(|text| !text.is_empty());
            prop_assert_eq!(texts.count(), block.count());
        }
        prop_assert_eq!(&read, &labels.iter().cloned().collect::<Vec<_>>());
        for label in labels.iter().chain(&others) {
            let found = names.label(label).unwrap();
            prop_assert_eq!(found.is_some(), labels.contains(label), "{}", label);
            prop_assert!(found.is_none_or(|known| known.label == *label && known.suffixes == ["com"]));
        }
    }
}
