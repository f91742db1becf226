//! How long what sources say is kept.

use proptest::prelude::*;
use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::lookup::Request;
use zonelens::store::merge::Retention;
use zonelens::store::{Keep, ObjectKey, Table};
use zonelens::value::Timestamp;

use crate::program::Program;
use crate::world::World;

fn resolution(name: &str, first: &str, last: &str, hits: u64) -> String {
    let fact = json!({"fact": "resolution", "rrname": name, "rrtype": "A", "rdata": {"address": "192.31.196.7"},
        "first": first, "last": last, "hits": hits});
    format!("{fact}\n")
}

fn on(day: u32, hits: u64) -> String {
    let at = format!("2024-05-{day:02}T03:00:00Z");
    resolution("a.test", &at, &at, hits)
}

fn listing(host: &str) -> String {
    format!("{}\n", json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": host, "category": "MALWARE"}))
}

fn day(text: &str) -> u32 {
    Timestamp::parse(text).unwrap().day() as u32
}

fn keep(sources: &[(&str, &str)], contacts: u32) -> Keep {
    let sources = sources.iter().map(|(name, first)| ((*name).to_owned(), day(first)));
    Keep { sources: sources.collect(), contacts }
}

fn tidy(world: &World, keep: &Keep) -> Vec<u64> {
    let never = std::sync::atomic::AtomicBool::new(false);
    world.store.tidy(world.now, keep, &never).unwrap().gone
}

/// Hits and first day of the pair.
fn row(world: &World) -> Option<(u64, String)> {
    let report = world.ask("a.test", &Request::default()).ok()?;
    let row = &report["DomainDnsResolutions"][0];
    Some((row["HitsCount"].as_u64()?, row["FirstSeen"].as_str()?[..10].to_owned()))
}

#[test]
fn days_before_go_and_so_do_batches_of_them() {
    let mut world = World::new();
    let old = world.feed_at("dns", State::Events, "2024-05-12", &(on(10, 4) + &on(11, 2)));
    world.feed_at("dns", State::Events, "2024-05-21", &(on(11, 1) + &on(20, 8)));
    world.feed_at("other", State::Events, "2024-05-12", &on(10, 16));
    assert_eq!(row(&world), Some((31, "2024-05-10".to_owned())));
    // In runs of their own, and merged.
    assert_eq!(tidy(&world, &keep(&[("dns", "2024-05-11")], 0)), [0u64; 0]);
    assert_eq!(row(&world), Some((27, "2024-05-10".to_owned())));
    world.store.merge(world.now, &Retention::default()).unwrap();
    let may_15 = keep(&[("dns", "2024-05-15")], 0);
    assert_eq!(tidy(&world, &may_15), [old]);
    assert_eq!(row(&world), Some((24, "2024-05-10".to_owned())));
    // Retiring a batch takes nothing old out of the originals.
    let generation = world.store.snapshot().unwrap().manifest.generation;
    assert_eq!(tidy(&world, &may_15), [0u64; 0]);
    world.store.refresh();
    assert_eq!(world.store.snapshot().unwrap().manifest.generation, generation, "once is enough");
    world.store.retire(&[3], world.now).unwrap();
    assert_eq!(row(&world), Some((8, "2024-05-20".to_owned())));
    assert_eq!(tidy(&world, &keep(&[("dns", "2024-05-31")], 0)), [2]);
    assert_eq!(row(&world), None);
    assert!(world.store.verify().unwrap().damage.is_empty());
}

#[test]
fn statements_are_as_old_as_they_were_last_said() {
    let mut world = World::new();
    world.feed_at("list", State::Whole, "2024-05-01", &(listing("a.test") + &listing("b.test")));
    world.feed_at("list", State::Whole, "2024-05-20", &listing("b.test"));
    world.feed_at("events", State::Events, "2024-05-01", &listing("c.test"));
    let listed = |world: &World, name: &str| {
        world.store.refresh();
        let view = world.store.snapshot().unwrap().view(None);
        view.table(&ObjectKey::domain(name), Table::Listing).unwrap().statements.len()
    };
    world.store.merge(world.now, &Retention::default()).unwrap();
    world.store.join(world.now, 1, &std::sync::atomic::AtomicBool::new(false)).unwrap();
    assert_eq!(tidy(&world, &keep(&[("list", "2024-05-10"), ("events", "2024-05-10")], 0)), [1, 3]);
    assert_eq!([listed(&world, "a.test"), listed(&world, "b.test"), listed(&world, "c.test")], [0, 1, 0]);
    // What is said again is not old.
    let again =
        zonelens::store::Again { observed: Timestamp::parse("2024-05-31").unwrap(), learnt: world.now };
    world.store.seen_again(2, again).unwrap();
    assert_eq!(tidy(&world, &keep(&[("list", "2024-05-28")], 0)), [0u64; 0]);
    assert_eq!(listed(&world, "b.test"), 1);
}

#[test]
fn contacts_have_days_of_their_own() {
    let mut world = World::new();
    let contact = |at: &str| {
        let fact = json!({"fact": "contact", "client": "pc-7", "indicator": "domain:a.test", "first": at, "last": at});
        format!("{fact}\n")
    };
    world.feed_at(
        "dns",
        State::Events,
        "2024-05-21",
        &(contact("2024-05-10") + &contact("2024-05-20") + &on(10, 4)),
    );
    let contacts = |world: &World| {
        world.store.refresh();
        let view = world.store.snapshot().unwrap().view(None);
        let edges = view.table(&ObjectKey::domain("a.test"), Table::Contact).unwrap().edges;
        edges.iter().map(|edge| edge.observed.hits()).sum::<u64>()
    };
    assert_eq!(contacts(&world), 2);
    tidy(&world, &keep(&[], day("2024-05-15")));
    assert_eq!((contacts(&world), row(&world).unwrap().0), (1, 4));
    tidy(&world, &keep(&[], day("2024-05-25")));
    assert_eq!((contacts(&world), row(&world).unwrap().0), (0, 4));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    /// Trimmed before it is merged, after, or both: the same hits of the same days.
    #[test]
    fn trimming_and_merging_commute(
        batches in prop::collection::vec(prop::collection::vec((1u32..29, 1u64..9), 1..5), 1..5),
        limit in 1u32..31,
        early in any::<bool>(),
    ) {
        let (mut world, mut plain) = (World::new(), World::new());
        for facts in &batches {
            let text: String = facts.iter().map(|(day, hits)| on(*day, *hits)).collect();
            world.feed_at("dns", State::Events, "2024-05-31", &text);
            plain.feed_at("dns", State::Events, "2024-05-31", &text);
        }
        let kept = keep(&[("dns", &format!("2024-05-{limit:02}"))], 0);
        if early {
            tidy(&world, &kept);
        }
        world.store.merge(world.now, &Retention::default()).unwrap();
        tidy(&world, &kept);
        tidy(&plain, &kept);
        let expected: u64 = batches.iter().flatten().filter(|(day, _)| *day >= limit).map(|(_, hits)| hits).sum();
        prop_assert_eq!(row(&world), row(&plain));
        prop_assert_eq!(row(&world).map_or(0, |row| row.0), expected);
    }
}

#[test]
fn the_merge_command_keeps_what_the_configuration_says() {
    let program = Program::new();
    program.file("zonelens.toml", "[[source]]\nname = \"dns\"\nkeep_days = 14\n");
    program.file("dns.ndjson", on(10, 4));
    program.file("new.ndjson", on(25, 2));
    program.ok(&["import", "--source", "dns", "--learnt-at", "2024-05-12", "dns.ndjson"]);
    program.ok(&["import", "--source", "dns", "--learnt-at", "2024-05-26", "new.ndjson"]);
    let merged = program.ok(&["merge"]).out;
    assert!(merged.contains("retired batches 1: older than they are kept"), "{merged}");
    let report: Value = program.json(&["lookup", "--format", "json", "a.test"]);
    assert_eq!(report["DomainDnsResolutions"][0]["HitsCount"], 2);
    assert_eq!(program.live(), [2]);
    assert_eq!(program.json(&["batches", "--json"])[0]["retired"], "2024-06-01T12:00:00Z");
}
