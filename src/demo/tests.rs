use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::fact::{Fact, Listed, Rdata};
use crate::indicator::{DomainName, Host, Indicator, is_reserved};
use crate::value::DAY_S;

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T10:20:30Z").unwrap()
}

/// Every host that a fact names.
fn hosts(fact: &Fact) -> Vec<Host> {
    let of = |indicator: &Indicator| match indicator {
        Indicator::Domain(name) => Some(Host::Domain(name.clone())),
        Indicator::Address(address) => Some(Host::Address(*address)),
        Indicator::Url(url) => Some(url.host()),
        Indicator::File(_) => None,
    };
    let name = |name: &DomainName| Host::Domain(name.clone());
    let mut all = Vec::new();
    match fact {
        Fact::Resolution(fact) => {
            all.push(name(&fact.rrname));
            all.extend(fact.via.iter().map(name));
            match &fact.rdata {
                Rdata::Address(address) => all.push(Host::Address(*address)),
                Rdata::Name(target) => all.push(name(target)),
                Rdata::Text(_) => {}
            }
        }
        Fact::WebRequest(fact) => {
            all.extend([Some(&fact.url), fact.referrer.as_ref()].into_iter().flatten().map(|url| url.host()));
            all.extend(fact.address.map(Host::Address));
        }
        Fact::Download(fact) => {
            all.extend(fact.url.iter().map(|url| url.host()));
            all.extend(fact.address.map(Host::Address));
        }
        Fact::Access(fact) => all.extend(of(&fact.target)),
        Fact::Listing(fact) => {
            if let Listed::Mask(mask) = &fact.what {
                all.extend(mask.listed_under());
            }
        }
        Fact::Benign(fact) => {
            if let Listed::Mask(mask) = &fact.what {
                all.extend(mask.listed_under());
            }
        }
        Fact::Registration(fact) => all.push(name(&fact.domain)),
        Fact::SpamReport(fact) => all.extend(of(&fact.indicator)),
        Fact::PhishingReport(fact) => all.extend(of(&fact.indicator)),
        Fact::Mention(fact) => all.extend(of(&fact.indicator)),
        Fact::PortState(fact) => all.extend(of(&fact.host)),
        Fact::Certificate(fact) => all.extend(fact.names.iter().map(name)),
        Fact::Contact(fact) => all.extend(of(&fact.indicator)),
        Fact::Pin(fact) => all.extend(of(&fact.indicator)),
        _ => {}
    }
    all
}

#[test]
fn equal_moments_give_equal_facts() {
    assert_eq!(facts(now()), facts(now()));
    let later = Timestamp(now().0 + DAY_S);
    assert_eq!(facts(now()).len(), facts(later).len());
    assert_ne!(facts(now()), facts(later));
}

#[test]
fn nothing_is_observed_in_the_future_or_learnt_before_it_was() {
    for synthetic in facts(now()) {
        assert!(synthetic.source.starts_with("synthetic-"));
        assert!(synthetic.learnt <= now());
        let [first, last] = synthetic.fact.observed();
        if let (Some(first), Some(last)) = (first, last) {
            assert!(first <= last, "{synthetic:?}");
        }
        for moment in [first, last].into_iter().flatten() {
            assert!(moment >= Timestamp::OBSERVED_MIN && moment <= synthetic.learnt, "{synthetic:?}");
        }
    }
}

#[test]
fn names_are_reserved_and_addresses_are_reachable() {
    // One reserved address is there on purpose: a row with the status "Reserved".
    let on_purpose: IpAddr = "10.0.0.5".parse().unwrap();
    for synthetic in facts(now()) {
        for host in hosts(&synthetic.fact) {
            match host {
                Host::Address(address) => {
                    assert!(!is_reserved(address) || address == on_purpose, "{address}");
                }
                Host::Domain(name) => {
                    let suffix = name.labels().next_back().unwrap();
                    let known = name.registrable().unwrap_or_default();
                    assert!(
                        ["example", "test", "invalid"].contains(&suffix)
                            || ["example.com", "example.net", "example.org"].contains(&known),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_full_domain_and_the_full_address_have_facts_of_every_kind() {
    let kinds = |wanted: &str| -> BTreeSet<&'static str> {
        let wanted = Host::parse(wanted).unwrap();
        facts(now())
            .iter()
            .filter(|synthetic| hosts(&synthetic.fact).contains(&wanted))
            .map(|synthetic| synthetic.fact.kind())
            .collect()
    };
    let common = [
        "resolution",
        "web_request",
        "download",
        "access",
        "listing",
        "spam_report",
        "phishing_report",
        "mention",
    ];
    for (object, own) in [(FULL_DOMAIN, "registration"), (FULL_ADDRESS, "contact")] {
        let found = kinds(object);
        for kind in common.into_iter().chain([own]) {
            assert!(found.contains(kind), "{object}: no {kind}");
        }
    }
    assert!(kinds(FULL_DOMAIN).contains("port_state"));
    let networks = facts(now()).into_iter().filter_map(|synthetic| match synthetic.fact {
        Fact::Network(network) => Some(network),
        _ => None,
    });
    let covers = |network: &crate::fact::Network| network.range.contains(FULL_ADDRESS.parse().unwrap());
    assert_eq!(networks.filter(covers).count(), 1);
}

#[test]
fn every_kind_of_fact_is_in_the_demo() {
    let kinds: BTreeSet<&str> = facts(now()).iter().map(|synthetic| synthetic.fact.kind()).collect();
    assert_eq!(kinds.len(), crate::fact::FACT_KINDS.len(), "{kinds:?}");
}

#[test]
fn the_shared_address_has_three_hundred_registrable_domains() {
    let shared = Host::parse(SHARED_ADDRESS).unwrap();
    let facts = facts(now());
    let names: BTreeSet<&str> = facts
        .iter()
        .filter_map(|synthetic| match &synthetic.fact {
            Fact::Resolution(fact) if hosts(&synthetic.fact).contains(&shared) => fact.rrname.registrable(),
            _ => None,
        })
        .collect();
    assert_eq!(names.len(), others::SHARED_NAMES);
}

#[test]
fn the_objects_shown_are_as_they_are_typed() {
    for shown in indicators() {
        let indicator = Indicator::parse_as(shown.kind, shown.value).unwrap();
        assert_eq!(indicator.to_string(), shown.value);
    }
}

#[test]
fn the_full_file_is_the_one_that_the_full_url_serves() {
    assert_eq!(scene::file("setup.exe").best().unwrap().to_string(), FULL_FILE);
}

#[test]
fn the_store_takes_them() {
    let folder = std::env::temp_dir().join(format!("zonelens-demo-{}", std::process::id()));
    let store = Store::open_or_create(&folder, SEED).unwrap();
    let count = import_synthetic(&store, now()).unwrap();
    assert!((3_000..20_000).contains(&count), "{count}");
    let view = store.snapshot().unwrap();
    assert!(view.batches().len() > 20);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The most that the demo's files take in the repository.
const SHIPPED_BYTES_MAX: usize = 15 << 20;

#[test]
fn what_ships_is_small_and_credited() {
    let notice = include_str!("../../NOTICE");
    let mut bytes = 0;
    for shipped in SHIPPED {
        assert!(crate::feeds::find(shipped.format).is_some(), "{}", shipped.format);
        Timestamp::parse(shipped.date).unwrap();
        for (name, content) in shipped.files {
            bytes += content.len();
            let folder = name.split_once('/').unwrap().0;
            assert!(notice.contains(&format!("demo/{folder}/")), "NOTICE does not name demo/{folder}/");
            assert!(name.ends_with(".zst") || content.len() <= 100_000, "{name} is not compressed");
        }
    }
    assert!(bytes < SHIPPED_BYTES_MAX, "{bytes}");
}

#[test]
fn small_feeds_import_as_what_they_are_said_to_be() {
    let folder = std::env::temp_dir().join(format!("zonelens-shipped-{}", std::process::id()));
    let store = Store::open_or_create(&folder.join("store"), SEED).unwrap();
    let is_small = |shipped: &&Shipped| shipped.files.iter().all(|(_, content)| content.len() < 90_000);
    let small: Vec<&Shipped> = SHIPPED.iter().filter(is_small).collect();
    assert!(small.len() > 5);
    for shipped in small {
        let summary =
            shipped::import_shipped(&store, shipped, &folder.join("files"), Timestamp(1_800_000_000))
                .unwrap();
        let facts: u64 = summary.facts.values().sum();
        let rejected: u64 = summary.rejected.values().map(|reason| reason.count).sum();
        assert!(facts > rejected * 10, "{}: {facts} facts, {rejected} rejected", shipped.source);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
