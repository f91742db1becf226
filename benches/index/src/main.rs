//! The hot index against a browser's engine and a plain hash set: `zonelens-bench-index STORE DOMAINS MASKS`.
//!
//! STORE is a merged store of everything that lists something; DOMAINS a file of names, one a line before the
//! first tab; MASKS a CSV file with the columns host, kind, path_mask. Prints nanoseconds an operation, the mean of all.

use std::collections::HashSet;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Instant;

use zonelens::indicator::{DomainName, MaskType, Url};
use zonelens::store::hot::Probe;
use zonelens::store::{Hit, ObjectKey, Store, Table, View, mask_type};
use zonelens::value::Timestamp;
use zonelens::verdict::{Judge, Policy};

const NAMES: usize = 1_000_000;
const ADDRESSES: usize = 1_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, domains, masks] = &arguments[..] else {
        panic!("usage: zonelens-bench-index STORE DOMAINS MASKS")
    };
    let start = Instant::now();
    let store = Store::open(Path::new(store)).unwrap();
    let snapshot = store.snapshot().unwrap();
    println!("opened in {:.1} ms, {} runs", start.elapsed().as_secs_f64() * 1e3, snapshot.runs().len());
    let view = snapshot.view(None);
    let (entries, bytes) = size(&view);
    println!("{entries} entries, {bytes} bytes, {:.1} an entry", bytes as f64 / entries as f64);

    let text = std::fs::read_to_string(domains).unwrap();
    let mut random = Random(7);
    let (mut listed, mut others) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let name = line.split('\t').next().unwrap_or_default();
        let Ok(name) = DomainName::parse(name) else { continue };
        let matched = matches(&view, name.as_str()) > 0;
        let into = if matched { &mut listed } else { &mut others };
        into.push(name);
    }
    random.shuffle(&mut listed);
    random.shuffle(&mut others);
    let mut names: Vec<DomainName> = listed.iter().take(NAMES / 10).cloned().collect();
    names.extend(others.iter().take(NAMES - names.len()).cloned());
    random.shuffle(&mut names);
    println!("{} names, {} of them listed", names.len(), listed.len().min(NAMES / 10));
    time("name with parents and masks", &names, |name| matches(&view, name.as_str()));
    let set: HashSet<&str> = listed.iter().map(DomainName::as_str).collect();
    println!("hash set of {} names", set.len());
    time("  name with parents in the hash set", &names, |name| {
        let mut rest = Some(name.as_str());
        let mut found = 0;
        while let Some(name) = rest {
            found += usize::from(set.contains(name));
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        found
    });

    let uniform: Vec<IpAddr> = (0..ADDRESSES).map(|_| random.address()).collect();
    time("address, uniform, with all networks", &uniform, |address| covering(&view, *address));
    let popular: Vec<IpAddr> = (0..100_000).map(|_| random.address()).collect();
    let zipf: Vec<IpAddr> = (0..ADDRESSES).map(|_| popular[random.zipf(popular.len())]).collect();
    time("address, by Zipf, with all networks", &zipf, |address| covering(&view, *address));

    let policy = Policy::built_in();
    let now = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
    let judge = Judge::new(&view, &policy, now);
    let three: Vec<DomainName> = listed
        .iter()
        .filter(|name| matches(&view, name.as_str()) == 3 && !is_related(&view, name))
        .take(10_000)
        .cloned()
        .collect();
    time("verdict on a name with three matches and nothing related, matching included", &three, |name| {
        usize::from(judge.domain(name).unwrap().score.0)
    });
    time("  matching alone", &three, |name| matches(&view, name.as_str()));

    let (rules, urls) = rules(masks, &others);
    let set = adblock::lists::FilterSet::new(false);
    let mut set = set;
    set.add_filters(&rules, adblock::lists::ParseOptions::default());
    let engine = adblock::Engine::from_filter_set(set, true);
    println!("{} rules, {} URLs, one of ten of them listed", rules.len(), urls.len());
    let parsed: Vec<Url> = urls.iter().filter_map(|url| Url::parse(url).ok()).collect();
    time("URL: zonelens, verdict included", &parsed, |url| usize::from(judge.url(url).unwrap().score.0));
    let requests: Vec<adblock::request::Request> = urls
        .iter()
        .filter_map(|url| adblock::request::Request::new(url, "https://page.example/", "document").ok())
        .collect();
    time("URL: adblock-rust", &requests, |request| {
        usize::from(engine.check_network_request(request).matched)
    });
}

/// Entries of all indexes, and bytes of them.
fn size(view: &View) -> (usize, usize) {
    let runs = view.snapshot().runs().iter();
    runs.filter_map(|run| run.hot.as_ref()).fold((0, 0), |(entries, bytes), hot| {
        (entries + hot.entry_count() + hot.range_count(), bytes + hot.bytes())
    })
}

/// What matches a name: entries of it, those of names above it that are about all below, and wildcards.
fn matches(view: &View, name: &str) -> usize {
    let host = name.strip_prefix("www.").unwrap_or(name);
    let mut found = 0;
    view.hits(&Probe::Name(host), &mut |_| found += 1).unwrap();
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        rest = parent;
        let is_domain = |hit: &Hit| mask_type(hit.entry.mask_type) == Some(MaskType::Domain);
        view.hits(&Probe::Name(parent), &mut |hit| found += usize::from(is_domain(&hit))).unwrap();
    }
    view.wildcards_on(host, &mut |_, _| found += 1).unwrap();
    found
}

/// Whether the name may have to do with something listed: then rows are read, which is not what is measured.
fn is_related(view: &View, name: &DomainName) -> bool {
    view.may_have(&ObjectKey::domain(name.as_str()), Table::Flagged).unwrap()
}

fn covering(view: &View, address: IpAddr) -> usize {
    let mut found = 0;
    view.covering(address, &mut |_| found += 1).unwrap();
    found
}

fn time<T>(title: &str, all: &[T], operation: impl Fn(&T) -> usize) {
    let start = Instant::now();
    let found: usize = all.iter().map(|one| black_box(operation(black_box(one)))).sum();
    let each = start.elapsed().as_secs_f64() * 1e9 / all.len().max(1) as f64;
    println!("{title}: {each:.0} ns each ({} asked, {found} found)", all.len());
}

/// Rules as a browser's engine takes them, and URLs: of each rule one, and nine of names that nothing lists.
fn rules(path: &str, others: &[DomainName]) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut rules, mut urls) = (Vec::new(), Vec::new());
    let mut others = others.iter().cycle();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let (Some(host), Some(_kind), Some(mask)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let path = if mask.is_empty() { "/" } else { mask };
        rules.push(if mask.is_empty() { format!("||{host}^") } else { format!("||{host}{path}") });
        urls.push(format!("http://{host}{}", path.replace('*', "x")));
        urls.extend(
            others.by_ref().take(9).map(|name| format!("http://{}{}", name.as_str(), path.replace('*', "x"))),
        );
    }
    (rules, urls)
}

/// A generator of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn address(&mut self) -> IpAddr {
        Ipv4Addr::from(self.next() as u32).into()
    }

    /// A rank below `count`, the first the most often (Zipf, exponent about 1).
    fn zipf(&mut self, count: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((count as f64).powf(share) - 1.0) as usize
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, (self.next() % (at as u64 + 1)) as usize);
        }
    }
}
