//! `192.31.196.10`: an address of which every section of a report has something to say.

use super::FULL_ADDRESS;
use super::domain::{phishing, spam};
use super::scene::{Scene, address, contact, often, source};
use crate::fact::{Fact, Network};
use crate::indicator::{AddressRange, Asn, MaskType};
use crate::value::{Category, CountryCode};

/// Networks of the demo: first and last address, country, name.
const NETWORKS: [(&str, &str, &str, &str); 6] = [
    ("192.31.196.0", "192.31.196.63", "NL", "SYNTHETIC-HOSTING"),
    ("192.31.196.64", "192.31.196.127", "BR", "SYNTHETIC-BULLETPROOF"),
    ("192.31.196.128", "192.31.196.255", "CA", "SYNTHETIC-OFFICE"),
    ("192.175.48.0", "192.175.48.255", "DE", "SYNTHETIC-ACCESS"),
    ("2620:4f:8000::", "2620:4f:8000::ffff", "NL", "SYNTHETIC-HOSTING-V6"),
    ("2001:4:112::", "2001:4:112::ffff", "SE", "SYNTHETIC-CDN-V6"),
];

/// Of the numbers for documentation (RFC 5398), and its name.
const SYSTEM: (Asn, &str) = (Asn(64_496), "Synthetic Example Networks");

pub fn add(scene: &mut Scene) {
    networks(scene);
    for (name, hits) in [("payload.example", 3), ("customer-portal.example", 6), ("b\u{fc}cher.example", 2)] {
        scene.resolves(name, FULL_ADDRESS, &often(1..=48, hits));
    }
    scene.requests("http://payload.example/drop.bin", Some(FULL_ADDRESS), None, &often(1..=20, 4));
    for (path, hits) in
        [("http://192.31.196.10/bin.sh", 7), ("http://192.31.196.10:8080/admin?key=s3cret", 1)]
    {
        scene.requests(path, Some(FULL_ADDRESS), None, &often(1..=30, hits));
    }
    let from = Some("http://192.31.196.10/bin.sh");
    scene.downloads("bin.sh", from, Some(FULL_ADDRESS), &often(1..=30, 7));
    scene.downloads("unknown.bin", None, Some(FULL_ADDRESS), &often(4..=12, 1));
    scene.accesses("agent.dll", FULL_ADDRESS, &often(0..=22, 5));
    masks(scene);
    for (days, hits) in [(34, 90), (1, 410)] {
        spam(scene, FULL_ADDRESS, days, 0.77, "botnet", hits);
    }
    for (days, hits) in [(39, 2), (3, 11)] {
        phishing(scene, FULL_ADDRESS, days, hits);
    }
}

fn masks(scene: &mut Scene) {
    use MaskType::{Host, Network, Url};
    for (feed, mask_type, text, category, first, last) in [
        (source::THREATS, Host, FULL_ADDRESS, Category::BOTNET_CNC, 42, 6),
        (source::BLOCKLIST, Host, "192.31.196.10:8080", Category::BOTNET_CNC, 25, 10),
        (source::THREATS, Url, "http://192.31.196.10/bin.sh", Category::MALWARE, 30, 5),
        (source::BLOCKLIST, Network, "192.31.196.8/29", Category::SUSPICIOUS, 55, 11),
        (source::APT, Host, FULL_ADDRESS, Category::APT, 48, 30),
        (source::ADWARE, Url, "http://192.31.196.10/admin", Category::ADWARE, 18, 16),
        (source::THREATS, Host, "192.31.196.66", Category::BOTNET_CNC, 15, 4),
        (source::THREATS, Host, "payload.example", Category::MALWARE, 30, 5),
        (source::BLOCKLIST, Host, "payload.example", Category::MALWARE, 21, 9),
    ] {
        scene.lists(feed, (mask_type, text), category, first, last);
    }
}

fn networks(scene: &mut Scene) {
    for (first, last, country, name) in NETWORKS {
        let network = Network {
            range: AddressRange::new(address(first), address(last)).expect("the first is not the later"),
            asn: Some(SYSTEM.0),
            as_name: Some(SYSTEM.1.to_owned()),
            country: CountryCode::parse(country),
            name: Some(name.to_owned()),
            description: vec![
                "Made up for the demo on addresses of the AS112 project".to_owned(),
                "(RFC 7534, RFC 7535): nobody hosts anything here".to_owned(),
            ],
            created: Some(scene.days_ago(2400)),
            changed: Some(scene.days_ago(300)),
            contacts: ["administrative", "technical", "abuse"].map(contact).to_vec(),
            observed: Some(scene.days_ago(45)),
        };
        scene.add(source::NETWORKS, Fact::Network(network));
    }
}
