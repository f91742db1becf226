//! `full.example`: a domain of which every section of a report has something to say.

use super::scene::{Scene, address, contact, domain, file, indicator, often, source};
use super::{FULL_ADDRESS, FULL_DOMAIN};
use crate::fact::{
    Certificate, Contact, Fact, FileVerdict, PhishingReport, PortState, Publication, Rdata, RecordType,
    Registration, ReportType, Seen, SpamReport,
};
use crate::indicator::MaskType;
use crate::value::{Category, CountryCode, Timestamp, Zone};

/// The report on a targeted attacker that names the full domain and the full address.
pub const APT_REPORT: &str = "synthetic-2026-001";
pub const CRIME_REPORT: &str = "synthetic-2026-002";

/// Names like `full.example`: by one letter, by letters that look alike, under another suffix; days since they were
/// registered, and whether they answer on ports 80 and 443.
const LOOKALIKES: [(&str, i64, bool, bool); 7] = [
    ("fuel.example", 3000, true, true),
    ("ful1.example", 12, true, false),
    ("fulll.example", 400, true, true),
    ("fall.example", 2500, true, true),
    ("ful.example", 800, false, false),
    ("fu\u{4cf}\u{4cf}.example", 5, true, true),
    ("full.test", 1500, false, true),
];

pub fn add(scene: &mut Scene) {
    dns(scene);
    web(scene);
    files(scene);
    verdicts(scene);
    masks(scene);
    registration(scene);
    attacks(scene);
    reports(scene);
    lookalikes(scene);
    clients(scene);
}

fn dns(scene: &mut Scene) {
    scene.resolves(FULL_DOMAIN, FULL_ADDRESS, &often(0..=55, 40));
    scene.resolves(FULL_DOMAIN, "192.31.196.66", &often(0..=12, 9));
    scene.resolves(FULL_DOMAIN, "192.175.48.20", &often(900..=1080, 1));
    scene.resolves(FULL_DOMAIN, "2620:4f:8000::10", &often(0..=40, 6));
    scene.resolves(FULL_DOMAIN, "10.0.0.5", &often(20..=21, 2));
    scene.resolves_via(FULL_DOMAIN, &["edge.hosting.example"], "192.31.196.20", &often(3..=30, 4));
    scene.resolves_via("www.full.example", &[FULL_DOMAIN], FULL_ADDRESS, &often(0..=50, 12));
    for (name, to, hits) in [
        ("mail.full.example", "192.31.196.30", 5),
        ("api.full.example", FULL_ADDRESS, 20),
        ("download.full.example", FULL_ADDRESS, 7),
        ("secure.login.full.example", "192.31.196.66", 3),
        ("cdn.full.example", "2001:4:112::20", 30),
        ("ns1.full.example", "192.31.196.30", 2),
    ] {
        scene.resolves(name, to, &often(0..=45, hits));
    }
    for (rrtype, rdata) in [
        (RecordType::CNAME, Rdata::Name(domain("edge.hosting.example"))),
        (RecordType::MX, Rdata::Name(domain("mail.full.example"))),
        (RecordType::NS, Rdata::Name(domain("ns1.full.example"))),
        (RecordType::TXT, Rdata::Text("\"v=spf1 mx -all\"".to_owned())),
    ] {
        scene.record(FULL_DOMAIN, rrtype, &rdata, &often(3..=30, 2));
    }
}

fn web(scene: &mut Scene) {
    let server = Some(FULL_ADDRESS);
    for (path, hits) in [
        ("http://full.example/", 30),
        ("https://www.full.example/welcome?lang=en", 9),
        ("http://full.example/account?user=sam&token=1234&page=2", 2),
        ("http://full.example/gate.php?id=17", 6),
        ("http://full.example/files/invoice.zip", 4),
        ("https://api.full.example/v1/status", 11),
        ("http://secure.login.full.example/bank/verify.html", 3),
        ("http://download.full.example/setup.exe", 5),
    ] {
        scene.requests(path, server, None, &often(0..=40, hits));
    }
    for (from, to, hits) in [
        ("https://news.example/stories/2041", "http://full.example/", 3),
        ("https://search.example/find?q=full", "http://full.example/", 12),
        ("http://payload.example/landing", "http://full.example/gate.php?id=17", 2),
        ("http://full.example/", "https://shop.example/sale?from=full", 4),
        ("http://full.example/offer", "http://payload.example/drop.bin", 2),
        ("https://www.full.example/partners", "https://garden.example/", 1),
    ] {
        scene.requests(to, None, Some(from), &often(0..=25, hits));
    }
}

/// The files of the demo: name, zone, detection name.
pub const FILES: [(&str, Option<Zone>, Option<&str>); 7] = [
    ("setup.exe", Some(Zone::Red), Some("Trojan.Synthetic.Loader.a")),
    ("invoice.zip", Some(Zone::Red), Some("Trojan.Synthetic.Dropper.b")),
    ("bin.sh", Some(Zone::Red), Some("Backdoor.Synthetic.Mirror.c")),
    ("agent.dll", Some(Zone::Red), Some("Spy.Synthetic.Stealer.d")),
    ("toolbar.exe", Some(Zone::Yellow), Some("Adware.Synthetic.Toolbar.e")),
    ("readme.pdf", Some(Zone::Green), None),
    ("unknown.bin", None, None),
];

fn files(scene: &mut Scene) {
    let server = Some(FULL_ADDRESS);
    for (name, from, hits) in [
        ("setup.exe", "http://download.full.example/setup.exe", 5),
        ("setup.exe", "http://full.example/files/setup.exe", 3),
        ("invoice.zip", "http://full.example/files/invoice.zip", 4),
        ("toolbar.exe", "http://full.example/files/toolbar.exe", 1),
        ("readme.pdf", "https://www.full.example/readme.pdf", 8),
        ("unknown.bin", "http://full.example/files/unknown.bin", 1),
    ] {
        scene.downloads(name, Some(from), server, &often(1..=35, hits));
    }
    for (name, target, hits) in [
        ("setup.exe", "http://full.example/gate.php?id=17", 6),
        ("agent.dll", FULL_DOMAIN, 9),
        ("toolbar.exe", "https://api.full.example/v1/status", 2),
        ("unknown.bin", FULL_DOMAIN, 1),
    ] {
        scene.accesses(name, target, &often(0..=28, hits));
    }
}

fn verdicts(scene: &mut Scene) {
    for (index, (name, zone, detection)) in FILES.into_iter().enumerate() {
        let text = |value: &str| Some(value.to_owned());
        let verdict = FileVerdict {
            file: file(name),
            zone,
            detection_name: detection.map(str::to_owned),
            detection_method: detection.and_then(|_| text("synthetic sandbox")),
            description_url: detection.map(|word| format!("https://threats.example/{word}")),
            size: Some(18_432 * (index as u64 + 1)),
            file_type: text("application/octet-stream"),
            names: vec![name.to_owned()],
            signer: None,
            packer: detection.and_then(|_| text("UPX")),
            observed: Some(scene.days_ago(20)),
        };
        scene.add(source::FILE_VERDICTS, Fact::FileVerdict(verdict));
    }
}

fn masks(scene: &mut Scene) {
    use MaskType::{Domain, Folder, Host, Script, Url, Wildcard};
    for (feed, mask_type, text, category, first, last) in [
        (source::THREATS, Host, "full.example", Category::MALWARE, 45, 5),
        (source::THREATS, Host, "full.example:8080", Category::BOTNET_CNC, 20, 9),
        (source::BLOCKLIST, Host, "full.example", Category::MALWARE, 38, 12),
        (source::BLOCKLIST, Domain, "*.full.example", Category::SUSPICIOUS, 50, 3),
        (source::APT, Domain, "*.full.example", Category::APT, 60, 30),
        (source::THREATS, Folder, "full.example/files/*", Category::MALWARE, 33, 6),
        (source::THREATS, Script, "full.example/gate.php?*", Category::BOTNET_CNC, 30, 7),
        (source::THREATS, Url, "http://download.full.example/setup.exe", Category::MALWARE, 35, 8),
        (
            source::PHISHING,
            Url,
            "http://secure.login.full.example/bank/verify.html",
            Category::PHISHING,
            9,
            4,
        ),
        (source::PHISHING, Wildcard, "secure.*.full.example/*/verify*", Category::PHISHING, 9, 4),
        (source::ADWARE, Url, "http://full.example/files/toolbar.exe", Category::ADWARE, 25, 20),
    ] {
        scene.lists(feed, (mask_type, text), category, first, last);
    }
}

fn registration(scene: &mut Scene) {
    let registration = Registration {
        name_servers: vec![domain("ns1.full.example"), domain("ns2.hosting.example")],
        contacts: ["registrant", "administrative", "technical"].map(contact).to_vec(),
        status: vec!["clientTransferProhibited".to_owned(), "clientUpdateProhibited".to_owned()],
        ..scene.registered(FULL_DOMAIN, 1100)
    };
    scene.add(source::REGISTRATIONS, Fact::Registration(registration));
}

fn attacks(scene: &mut Scene) {
    for (days, ratio, kind, hits) in [(33, 0.31, "pharmacy", 140), (2, 0.42, "advance fee", 860)] {
        spam(scene, FULL_DOMAIN, days, ratio, kind, hits);
    }
    for (days, hits) in [(36, 3), (1, 17)] {
        phishing(scene, FULL_DOMAIN, days, hits);
    }
}

/// Spam from a host over ten days up to `days` ago.
pub fn spam(scene: &mut Scene, host: &str, days: i64, ratio: f64, kind: &str, hits: u64) {
    let seen = Seen { first: scene.days_ago(days + 10), last: scene.days_ago(days), hits };
    let (indicator, types) = (indicator(host), vec![kind.to_owned()]);
    scene.add(source::SPAM, Fact::SpamReport(SpamReport { indicator, ratio: Some(ratio), types, seen }));
}

/// Phishing by a host over three days up to `days` ago.
pub fn phishing(scene: &mut Scene, host: &str, days: i64, hits: u64) {
    let seen = Seen { first: scene.days_ago(days + 3), last: scene.days_ago(days), hits };
    let report = PhishingReport {
        indicator: indicator(host),
        regions: ["NL", "DE", "BR"].into_iter().filter_map(CountryCode::parse).collect(),
        kit: Some("Synthetic Kit 2".to_owned()),
        stolen_data: vec!["credentials".to_owned(), "bank card".to_owned()],
        industry: Some("Banking".to_owned()),
        organization: Some("Example Bank".to_owned()),
        seen,
    };
    scene.add(source::PHISHING, Fact::PhishingReport(report));
}

fn reports(scene: &mut Scene) {
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    let publication = |id: &str, report_type, title: &str, published: Timestamp, industries: &[&str]| {
        Fact::Publication(Publication {
            id: id.to_owned(),
            report_type,
            title: title.to_owned(),
            published: Some(published),
            updated: None,
            description: Some("Made up for the demo: no such actor exists.".to_owned()),
            url: Some(format!("https://reports.example/{id}")),
            tags: words(&["synthetic"]),
            industries: words(industries),
            geography: words(&["Netherlands"]),
            actors: words(&["Synthetic Heron"]),
        })
    };
    let (apt, crime) = (scene.days_ago(50), scene.days_ago(35));
    let title = "Synthetic Heron moves to banks";
    let apt = publication(APT_REPORT, ReportType::Apt, title, apt, &["Finance", "Energy"]);
    scene.add(source::REPORTS, apt);
    let title = "A loader for rent and its customers";
    let crime = publication(CRIME_REPORT, ReportType::Crimeware, title, crime, &["Retail"]);
    scene.add(source::REPORTS, crime);
    for named in [FULL_DOMAIN, FULL_ADDRESS, "payload.example", "192.31.196.66"] {
        scene.mentions(APT_REPORT, named);
    }
    scene.mentions(CRIME_REPORT, FULL_DOMAIN);
}

fn lookalikes(scene: &mut Scene) {
    for (index, (name, days, http, https)) in LOOKALIKES.into_iter().enumerate() {
        let registration = scene.registered(name, days);
        scene.add(source::REGISTRATIONS, Fact::Registration(registration));
        scene.resolves(name, &format!("192.175.48.{}", 40 + index), &often(0..=days.min(30), 2));
        ports(scene, name, http, https);
    }
    scene.lists(source::PHISHING, (MaskType::Host, "ful1.example"), Category::PHISHING, 10, 6);
    ports(scene, FULL_DOMAIN, true, true);
}

/// Whether a host answers on ports 80 and 443.
pub fn ports(scene: &mut Scene, host: &str, http: bool, https: bool) {
    for (port, open) in [(80, http), (443, https)] {
        let observed = Some(scene.days_ago(2));
        let state = PortState { host: indicator(host), port, open, observed };
        scene.add(source::PORTS, Fact::PortState(state));
    }
}

fn clients(scene: &mut Scene) {
    for (client, host, hits) in
        [("10.1.2.3", FULL_DOMAIN, 3), ("10.1.7.20", FULL_DOMAIN, 1), ("10.1.2.3", FULL_ADDRESS, 4)]
    {
        scene.observe(source::CONTACTS, &often(0..=15, hits), |seen| {
            let (client, indicator) = (client.to_owned(), indicator(host));
            Fact::Contact(Contact { client, indicator, sensor: Some("gateway-1".to_owned()), seen })
        });
    }
    let (not_before, not_after) = (Some(scene.days_ago(60)), Some(scene.days_ago(-30)));
    let digest = "5e".repeat(32);
    scene.observe(source::CERTIFICATES, &often(0..=40, 5), |seen| {
        Fact::Certificate(Certificate {
            digest: digest.clone(),
            names: vec![domain(FULL_DOMAIN), domain("www.full.example")],
            address: Some(address(FULL_ADDRESS)),
            server_name: Some(domain(FULL_DOMAIN)),
            subject: Some("CN=full.example".to_owned()),
            issuer: Some("CN=Synthetic CA".to_owned()),
            not_before,
            not_after,
            seen,
        })
    });
}
