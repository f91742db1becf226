//! The other objects of the demo: benign, in conflict, shared, imitated, forgotten, ordinary.

use super::domain::ports;
use super::scene::{Scene, benign, indicator, often, source};
use super::{BENIGN, CONFLICT, DEAD, LOOKALIKE, PINNED, SHARED_ADDRESS};
use crate::fact::{Benign, Fact, FalsePositive, Note, Pin, Sighting};
use crate::indicator::MaskType;
use crate::value::{Category, Zone};

/// How many registrable domains stand on the shared address.
pub const SHARED_NAMES: usize = 300;

/// Ordinary sites: name, address, popularity rank.
const ORDINARY: [(&str, &str, Option<u32>); 8] = [
    ("news.example", "192.31.196.140", Some(2_311)),
    ("search.example", "192.31.196.141", Some(41)),
    ("shop.example", "192.31.196.142", Some(18_020)),
    ("garden.example", "192.31.196.143", None),
    ("hosting.example", "192.31.196.144", Some(9_450)),
    ("customer-portal.example", "192.31.196.145", None),
    ("example.org", "192.31.196.146", None),
    ("example.net", "192.31.196.147", None),
];

pub fn add(scene: &mut Scene) {
    benign_site(scene);
    conflict(scene);
    shared(scene);
    lookalike(scene);
    dead(scene);
    pinned(scene);
    ordinary(scene);
}

fn benign_site(scene: &mut Scene) {
    scene.popular(BENIGN, 480);
    let reason = Some("a bank's own site".to_owned());
    let bank = Benign {
        category: Category::find("BANKS"),
        list: Some("banks".to_owned()),
        reason,
        ..benign(BENIGN)
    };
    scene.add(source::BENIGN, Fact::Benign(bank));
    site(scene, BENIGN, "192.31.196.150", 5200, 300);
}

fn conflict(scene: &mut Scene) {
    scene.popular(CONFLICT, 5_400);
    site(scene, CONFLICT, "192.31.196.151", 2900, 90);
    scene.lists(source::THREATS, (MaskType::Host, CONFLICT), Category::MALWARE, 12, 7);
    let url = "http://files.example/share/81f2/invoice.zip";
    scene.lists(source::THREATS, (MaskType::Url, url), Category::MALWARE, 12, 7);
    scene.downloads("invoice.zip", Some(url), Some("192.31.196.151"), &often(5..=12, 2));
    let report = FalsePositive {
        indicator: indicator(CONFLICT),
        by: "sam@soc.example".to_owned(),
        reason: "only one shared file is bad, not the site".to_owned(),
        observed: Some(scene.days_ago(3)),
    };
    scene.add(source::PEOPLE, Fact::FalsePositive(report));
}

/// Two words each: 20 × 15 names.
fn shared(scene: &mut Scene) {
    const FIRST: [&str; 20] = [
        "amber", "birch", "cedar", "coral", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper",
        "kestrel", "linden", "maple", "north", "olive", "pebble", "quartz", "river", "silver",
    ];
    const SECOND: [&str; 15] = [
        "bakery", "books", "cycles", "dental", "farm", "gallery", "homes", "legal", "music", "paints",
        "roofing", "sailing", "school", "travel", "yoga",
    ];
    for index in 0..SHARED_NAMES {
        let name = format!("{}{}.example", FIRST[index % FIRST.len()], SECOND[index / FIRST.len()]);
        let hits = 1 + scene.random().pareto(1.1, 60);
        let oldest = 3 + scene.random().below(50) as i64;
        scene.resolves(&name, SHARED_ADDRESS, &often(1..=oldest.min(12), hits));
        if index % 60 == 7 {
            scene.lists(source::PHISHING, (MaskType::Host, &name), Category::PHISHING, 3, 14);
        }
    }
}

/// Nobody lists it, nobody has said anything of it: it was seen once, and looks like a bank.
fn lookalike(scene: &mut Scene) {
    let registration = scene.registered(LOOKALIKE, 3);
    scene.add(source::REGISTRATIONS, Fact::Registration(registration));
    scene.resolves(LOOKALIKE, "192.175.48.77", &often(1..=1, 1));
    ports(scene, LOOKALIKE, true, true);
}

fn dead(scene: &mut Scene) {
    scene.resolves(DEAD, "192.175.48.90", &often(1100..=1120, 4));
    scene.lists(source::PHISHING, (MaskType::Host, DEAD), Category::PHISHING, 1120, 1110 * 24);
    let registration = scene.registered(DEAD, 1130);
    scene.add(source::REGISTRATIONS, Fact::Registration(registration));
}

fn pinned(scene: &mut Scene) {
    site(scene, PINNED, "192.31.196.152", 700, 12);
    scene.lists(source::BLOCKLIST, (MaskType::Host, PINNED), Category::SUSPICIOUS, 20, 15);
    let (by, observed) = ("sam@soc.example".to_owned(), Some(scene.days_ago(4)));
    let reason = "our own travel portal: checked with its operator".to_owned();
    let pin = Pin {
        indicator: indicator(PINNED),
        zone: Zone::Green,
        reason,
        by: by.clone(),
        expires: Some(scene.days_ago(-90)),
        observed,
    };
    scene.add(source::PEOPLE, Fact::Pin(pin));
    let text = "moved to a new host last month, so lists may lag".to_owned();
    scene.add(
        source::PEOPLE,
        Fact::Note(Note { indicator: indicator(PINNED), text, by: by.clone(), observed }),
    );
    let observed = Some(scene.hours_ago(8));
    let sighting = Sighting { indicator: indicator("payload.example"), by, observed };
    scene.add(source::PEOPLE, Fact::Sighting(sighting));
}

fn ordinary(scene: &mut Scene) {
    for (index, (name, to, rank)) in ORDINARY.into_iter().enumerate() {
        site(scene, name, to, 900 + 211 * index as i64, 15);
        if let Some(rank) = rank {
            scene.popular(name, rank);
        }
    }
    scene.resolves("edge.hosting.example", "192.31.196.20", &often(0..=40, 9));
}

/// A site with an address, a registration and a few pages.
fn site(scene: &mut Scene, name: &str, to: &str, days: i64, hits: u64) {
    scene.resolves(name, to, &often(0..=45, hits));
    scene.resolves(&format!("www.{name}"), to, &often(0..=45, hits / 2 + 1));
    scene.requests(&format!("https://{name}/"), Some(to), None, &often(0..=30, hits));
    scene.requests(&format!("https://www.{name}/about"), Some(to), None, &often(2..=25, 2));
    if !name.starts_with("example.") {
        let registration = scene.registered(name, days);
        scene.add(source::REGISTRATIONS, Fact::Registration(registration));
    }
    ports(scene, name, true, true);
}
