//! What an index finds is what going through all of it finds.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::store::pages::PageWriter;

fn entry() -> impl Strategy<Value = Entry> {
    let kinds = [Kind::Listing, Kind::Benign, Kind::Pin, Kind::FileVerdict];
    let hash = prop_oneof![0u64..40, any::<u64>(), (0u64..40).prop_map(|number| number << 56)];
    (hash, 0usize..4, any::<[u8; 3]>(), any::<(u16, u16)>(), 0u32..1 << 24, any::<[u32; 3]>()).prop_map(
        move |(hash, kind, bytes, (source, port), batch, words)| {
            let mut entry = Entry {
                hash,
                kind: kinds[kind],
                mask_type: bytes[0] & 7,
                category: bytes[1],
                confidence: bytes[2],
                source,
                port,
                from: batch / 2,
                to: batch.saturating_sub(1),
                first: words[0],
                last: words[1],
                until: 0,
                extra: 0,
            };
            if entry.has_extra() {
                entry.extra = words[2];
            } else {
                entry.until = words[2];
            }
            entry
        },
    )
}

fn range() -> impl Strategy<Value = AddressRange> {
    let v4 = (any::<u32>(), 0u32..1 << 20).prop_map(|(first, width)| {
        let last = first.saturating_add(width);
        AddressRange::new(Ipv4Addr::from(first).into(), Ipv4Addr::from(last).into()).unwrap()
    });
    let few = (0u32..64, 0u32..64).prop_map(|(first, width)| {
        AddressRange::new(Ipv4Addr::from(first).into(), Ipv4Addr::from(first + width).into()).unwrap()
    });
    let v6 = (0u128..1 << 60, 0u128..1 << 70).prop_map(|(first, width)| {
        let first = (0x2000 << 112) + (first << 50);
        AddressRange::new(Ipv6Addr::from(first).into(), Ipv6Addr::from(first + width).into()).unwrap()
    });
    let low = (0u128..1 << 20).prop_map(|last| {
        AddressRange::new(Ipv6Addr::from(0u128).into(), Ipv6Addr::from(last).into()).unwrap()
    });
    prop_oneof![v4, few, v6, low]
}

/// The index of these entries, read from a file.
fn index(entries: &[Entry], ranges: &[(AddressRange, Entry)], name: &str) -> Option<Hot> {
    let mut builder = Builder::default();
    entries.iter().for_each(|entry| builder.add(*entry));
    ranges.iter().for_each(|(range, entry)| builder.add_range(range, *entry));
    let path = std::env::temp_dir().join(format!("zonelens-hot-{}-{name}", std::process::id()));
    let mut out = PageWriter::new(std::io::BufWriter::new(std::fs::File::create(&path).unwrap()));
    builder.write(&mut out).unwrap();
    out.finish().unwrap().into_inner().unwrap();
    let pages = Pages::open(&path).unwrap();
    let hot = Hot::open(&pages, 0..pages.len()).unwrap();
    std::fs::remove_file(&path).unwrap();
    hot
}

fn sorted(mut entries: Vec<Entry>) -> Vec<[u8; ENTRY_BYTES]> {
    let mut encoded: Vec<_> = entries.drain(..).map(|entry| entry.encode()).collect();
    encoded.sort_unstable();
    encoded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn entries_are_found_by_their_whole_hash(
        entries in prop::collection::vec(entry(), 0..300),
        others in prop::collection::vec(any::<u64>(), 20),
    ) {
        let hot = index(&entries, &[], "hash").unwrap();
        for hash in entries.iter().map(|entry| entry.hash).chain(others) {
            let mut found = Vec::new();
            hot.find(hash, &mut |entry| found.push(entry)).unwrap();
            prop_assert!(found.iter().all(|entry| entry.hash == hash));
            let all = entries.iter().filter(|entry| entry.hash == hash).copied().collect();
            prop_assert_eq!(sorted(found), sorted(all));
        }
        let read: Vec<Entry> = (0..hot.entry_count()).map(|at| hot.entry_at(at).unwrap()).collect();
        prop_assert!(read.is_sorted_by_key(|entry| entry.hash));
        let hashes = |all: &[Entry]| { let mut all: Vec<u64> = all.iter().map(|one| one.hash).collect(); all.sort_unstable(); all };
        prop_assert_eq!(hashes(&read), hashes(&entries));
        prop_assert_eq!(sorted(read), sorted(entries));
    }

    #[test]
    fn all_ranges_that_hold_an_address_are_found(
        ranges in prop::collection::vec((range(), entry()), 0..60),
        others in prop::collection::vec(any::<u32>(), 10),
    ) {
        let ranges: Vec<(AddressRange, Entry)> =
            ranges.into_iter().map(|(range, entry)| (range, Entry { hash: entry.hash & 127, ..entry })).collect();
        let hot = index(&[], &ranges, "range").unwrap();
        let ends = ranges.iter().flat_map(|(range, _)| {
            let (first, last) = (to_u128(range.first()), to_u128(range.last()));
            [first, last, first.saturating_sub(1), last.saturating_add(1)].map(from_u128)
        });
        for address in ends.chain(others.into_iter().map(|number| IpAddr::V4(number.into()))) {
            let mut found = Vec::new();
            hot.find_covering(address, &mut |index, entry| found.push((index, entry))).unwrap();
            for (index, _) in &found {
                let range = hot.bounds(*index).unwrap().unwrap();
                prop_assert!(range.first() <= address && address <= range.last());
            }
            let number = to_u128(address);
            let holds = |range: &AddressRange| (to_u128(range.first())..=to_u128(range.last())).contains(&number);
            let all = ranges.iter().filter(|(range, _)| holds(range)).map(|(_, entry)| *entry).collect();
            prop_assert_eq!(sorted(found.into_iter().map(|(_, entry)| entry).collect()), sorted(all));
        }
    }
}
