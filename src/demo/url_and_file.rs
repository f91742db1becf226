//! `full.example/files/setup.exe` and the file that it serves: a URL and a file of which every section of a report has
//! something to say.

use super::domain::{APT_REPORT, CRIME_REPORT};
use super::scene::{Scene, file, often, source};
use super::{FULL_ADDRESS, FULL_DOMAIN, FULL_FILE};
use crate::fact::{Fact, FileVerdict, Listed, Listing};
use crate::indicator::MaskType;
use crate::value::{Category, Zone};

/// The URL with its scheme, as telemetry has it.
const URL: &str = "http://full.example/files/setup.exe";
/// The name from which the file's hashes follow.
const NAME: &str = "setup.exe";

pub fn add(scene: &mut Scene) {
    let server = Some(FULL_ADDRESS);
    for (from, hits) in [("https://news.example/stories/2041", 2), ("http://full.example/offer", 6)] {
        scene.requests(URL, server, Some(from), &often(0..=20, hits));
    }
    scene.requests("http://payload.example/stage2.bin", None, Some(URL), &often(0..=9, 3));
    scene.accesses("agent.dll", URL, &often(1..=14, 2));
    scene.accesses(NAME, "http://payload.example/stage2.bin", &often(0..=18, 4));
    scene.accesses(NAME, FULL_ADDRESS, &often(2..=11, 1));
    scene.accesses(NAME, FULL_DOMAIN, &often(2..=11, 2));
    scene.lists(source::THREATS, (MaskType::Url, URL), Category::MALWARE, 16, 8);
    listing(scene);
    verdict(scene);
    scene.mentions(APT_REPORT, URL);
    scene.mentions(APT_REPORT, FULL_FILE);
    scene.mentions(CRIME_REPORT, FULL_FILE);
}

/// A feed that knows the file by its SHA-256 alone.
fn listing(scene: &mut Scene) {
    let listing = Listing {
        what: Listed::File {
            file: crate::indicator::FileHashes { sha256: file(NAME).sha256, ..Default::default() },
        },
        category: Some(Category::MALWARE),
        confidence: Some(90),
        first: Some(scene.days_ago(14)),
        last: Some(scene.hours_ago(9)),
        until: None,
        reference: Some("https://threats.example/setup".to_owned()),
    };
    scene.add(source::THREATS, Fact::Listing(listing));
}

/// A second examination, which saw a signature and another name.
fn verdict(scene: &mut Scene) {
    let text = |value: &str| Some(value.to_owned());
    let verdict = FileVerdict {
        file: file(NAME),
        zone: Some(Zone::Red),
        detection_name: text("Trojan.Synthetic.Loader.a2"),
        detection_method: text("synthetic signature"),
        description_url: text("https://threats.example/Trojan.Synthetic.Loader.a2"),
        names: vec![NAME.to_owned(), "update.exe".to_owned()],
        signer: text("Synthetic Holdings Ltd."),
        observed: Some(scene.days_ago(6)),
        ..FileVerdict::default()
    };
    scene.add(source::FILE_VERDICTS, Fact::FileVerdict(verdict));
}
