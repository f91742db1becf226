use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::store::names::{Names, build};

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zonelens-similar-{}-{number}", std::process::id()));
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
