//! What the synthetic facts are made with: names, files, moments, and the source and moment of learning of each.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::fact::{
    Access, Benign, Download, Fact, Listed, Listing, Mention, Rdata, RecordType, Registration,
    RegistrationContact, Resolution, Seen, WebRequest,
};
use crate::generate::random::{Random, mix};
use crate::indicator::{DomainName, FileHash, FileHashes, Indicator, Mask, MaskType, Url, parse_address};
use crate::value::{Category, DAY_S, Timestamp};

/// The synthetic sources.
pub mod source {
    pub const ADWARE: &str = "synthetic-adware";
    pub const APT: &str = "synthetic-apt-indicators";
    pub const BENIGN: &str = "synthetic-benign";
    pub const BLOCKLIST: &str = "synthetic-blocklist";
    pub const CERTIFICATES: &str = "synthetic-certificates";
    pub const CONTACTS: &str = "synthetic-contacts";
    pub const DNS: &str = "synthetic-dns";
    pub const FILES: &str = "synthetic-files";
    pub const FILE_VERDICTS: &str = "synthetic-file-verdicts";
    pub const NETWORKS: &str = "synthetic-networks";
    pub const PEOPLE: &str = "synthetic-people";
    pub const PHISHING: &str = "synthetic-phishing";
    pub const POPULARITY: &str = "synthetic-popularity";
    pub const PORTS: &str = "synthetic-ports";
    pub const REGISTRATIONS: &str = "synthetic-registrations";
    pub const REPORTS: &str = "synthetic-reports";
    pub const SPAM: &str = "synthetic-spam";
    pub const THREATS: &str = "synthetic-threats";
    pub const WEB: &str = "synthetic-web";

    /// Those of which a batch is all that they say.
    pub const WHOLE: [&str; 2] = [BENIGN, POPULARITY];
}

/// A fact, who says it, and when it was learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthetic {
    /// Its source, `synthetic-…`.
    pub source: &'static str,
    /// When it was learnt.
    pub learnt: Timestamp,
    /// The fact.
    pub fact: Fact,
}

/// What is older than this was learnt then, the rest now: so that the past has a history to look at.
const OLD_DAYS: i64 = 30;

/// Gathers synthetic facts around a moment.
pub struct Scene {
    now: Timestamp,
    random: Random,
    facts: Vec<Synthetic>,
}

/// How often, and over which days, counted back from now.
#[derive(Clone, Debug)]
pub struct Often {
    /// The days, the latest first.
    pub days: RangeInclusive<i64>,
    /// Hits on an ordinary day.
    pub hits: u64,
}

/// Hits on the days counted back from now.
pub fn often(days: RangeInclusive<i64>, hits: u64) -> Often {
    Often { days, hits }
}

impl Scene {
    /// An empty scene. Chance follows from the seed.
    pub fn new(now: Timestamp, seed: u64) -> Scene {
        Scene { now, random: Random::new(seed), facts: Vec::new() }
    }

    /// All facts, in the order in which they were added.
    pub fn into_facts(self) -> Vec<Synthetic> {
        self.facts
    }

    /// Chance.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// So many days ago.
    pub fn days_ago(&self, days: i64) -> Timestamp {
        Timestamp(self.now.0 - days * DAY_S)
    }

    /// So many hours ago.
    pub fn hours_ago(&self, hours: i64) -> Timestamp {
        Timestamp(self.now.0 - hours * 3600)
    }

    /// Adds a fact, learnt once it was over.
    pub fn add(&mut self, source: &'static str, fact: Fact) {
        let old = self.days_ago(OLD_DAYS);
        let is_old = source::WHOLE.contains(&source)
            || fact.observed().into_iter().flatten().max().is_none_or(|last| last <= old);
        self.facts.push(Synthetic { source, learnt: if is_old { old } else { self.now }, fact });
    }

    /// Adds what is observed on many days, one of them busier than the rest.
    pub fn observe(&mut self, source: &'static str, often: &Often, make: impl Fn(Seen) -> Fact) {
        let (newest, oldest) = (*often.days.start(), *often.days.end());
        let peak = newest + self.random.below((oldest - newest).unsigned_abs() + 1) as i64;
        for day in often.days.clone() {
            let is_end = day == newest || day == oldest;
            if !is_end && day != peak && self.random.chance(0.3) {
                continue;
            }
            let usual = 1 + self.random.below(2 * often.hits);
            let hits = if day == peak { usual + 5 * often.hits } else { usual };
            let first = Timestamp(self.days_ago(day).0 - self.random.below(6 * 3600) as i64);
            let last = first.0 + self.random.below(3600) as i64;
            let last = Timestamp(last.min(first.end_of_day().0).min(self.now.0));
            self.add(source, make(Seen { first, last, hits }));
        }
    }

    /// `name` resolved to `to`.
    pub fn resolves(&mut self, name: &str, to: &str, often: &Often) {
        self.resolves_via(name, &[], to, often);
    }

    /// `name` resolved to `to` through the aliases `via`.
    pub fn resolves_via(&mut self, name: &str, via: &[&str], to: &str, often: &Often) {
        let (name, to) = (domain(name), address(to));
        let via: Vec<DomainName> = via.iter().map(|alias| domain(alias)).collect();
        self.observe(source::DNS, often, |seen| {
            let rrtype = if to.is_ipv4() { RecordType::A } else { RecordType::AAAA };
            let rdata = Rdata::Address(to);
            Fact::Resolution(Resolution { rrname: name.clone(), rrtype, rdata, via: via.clone(), seen })
        });
    }

    /// `name` had another record.
    pub fn record(&mut self, name: &str, rrtype: RecordType, rdata: &Rdata, often: &Often) {
        let name = domain(name);
        self.observe(source::DNS, often, |seen| {
            let (rrname, rdata) = (name.clone(), rdata.clone());
            Fact::Resolution(Resolution { rrname, rrtype, rdata, via: Vec::new(), seen })
        });
    }

    /// `to` was requested, at `server`, on the page `from`.
    pub fn requests(&mut self, to: &str, server: Option<&str>, from: Option<&str>, often: &Often) {
        let (to, server, from) = (url(to), server.map(address), from.map(url));
        self.observe(source::WEB, often, |seen| {
            let (url, referrer) = (to.clone(), from.clone());
            Fact::WebRequest(WebRequest { url, address: server, referrer, seen })
        });
    }

    /// A file was downloaded.
    pub fn downloads(&mut self, name: &str, from: Option<&str>, server: Option<&str>, often: &Often) {
        let (file, from, server) = (file(name), from.map(url), server.map(address));
        self.observe(source::FILES, often, |seen| {
            Fact::Download(Download { file, url: from.clone(), address: server, seen })
        });
    }

    /// A file contacted something.
    pub fn accesses(&mut self, name: &str, target: &str, often: &Often) {
        let (file, target) = (file(name), indicator(target));
        self.observe(source::FILES, often, |seen| {
            Fact::Access(Access { file, target: target.clone(), seen })
        });
    }

    /// A feed lists a mask: first so many days ago, last so many hours.
    pub fn lists(
        &mut self,
        source: &'static str,
        (mask_type, text): (MaskType, &str),
        category: Category,
        first_days: i64,
        last_hours: i64,
    ) {
        let first = self.days_ago(first_days);
        let last = self.hours_ago(last_hours);
        let listing = Listing {
            what: Listed::Mask(mask(mask_type, text)),
            category: Some(category),
            confidence: None,
            first: Some(first),
            last: Some(last),
            until: None,
            reference: None,
        };
        // What the feed said before counts for the past.
        let before = self.days_ago(OLD_DAYS + 1);
        if first < before && before < last {
            self.add(source, Fact::Listing(Listing { last: Some(before), ..listing.clone() }));
        }
        self.add(source, Fact::Listing(listing));
    }

    /// A name is popular.
    pub fn popular(&mut self, name: &str, rank: u32) {
        self.add(source::POPULARITY, Fact::Benign(Benign { rank: Some(rank), ..benign(name) }));
    }

    /// A registration of so many days ago, for a year that does not end before now.
    pub fn registered(&mut self, name: &str, days: i64) -> Registration {
        let years = days / 365 + 1;
        Registration {
            domain: domain(name),
            created: Some(self.days_ago(days)),
            updated: Some(self.days_ago(days.min(90))),
            expires: Some(self.days_ago(days - years * 365)),
            name_servers: vec![domain("ns1.hosting.example"), domain("ns2.hosting.example")],
            contacts: Vec::new(),
            registrar: Some("Synthetic Registrar Ltd.".to_owned()),
            registrar_iana_id: Some("9999".to_owned()),
            registrar_email: Some("abuse@registrar.example".to_owned()),
            status: vec!["clientTransferProhibited".to_owned()],
            observed: Some(self.days_ago(days.clamp(0, 40))),
        }
    }

    /// A report names an indicator.
    pub fn mentions(&mut self, publication: &str, named: &str) {
        let mention = Mention { publication: publication.to_owned(), indicator: indicator(named) };
        self.add(source::REPORTS, Fact::Mention(mention));
    }
}

/// A benign entry of a domain and all below it.
pub fn benign(name: &str) -> Benign {
    Benign {
        what: Listed::Mask(mask(MaskType::Domain, name)),
        list: None,
        action: None,
        category: None,
        rank: None,
        reason: None,
        last: None,
    }
}

/// A contact with every part.
pub fn contact(contact_type: &str) -> RegistrationContact {
    let text = |value: &str| Some(value.to_owned());
    RegistrationContact {
        contact_type: text(contact_type),
        name: text("Sam Synthetic"),
        organization: text("Synthetic Holdings Ltd."),
        address: text("1 Example Street"),
        city: text("Exampleton"),
        state: text("Noord-Holland"),
        postal_code: text("1000 AA"),
        country_code: text("NL"),
        phone: text("+31.205550100"),
        fax: text("+31.205550101"),
        email: text("hostmaster@registrant.example"),
        handle: text("SYN1-EXAMPLE"),
    }
}

/// A file whose hashes follow from its name.
pub fn file(name: &str) -> FileHashes {
    let seed = name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)));
    let mut random = Random::new(seed);
    let mut hashes = FileHashes::default();
    for digits in [32, 40, 64] {
        let text: String = (0..digits).map(|_| char::from(*random.pick(b"0123456789abcdef"))).collect();
        hashes.set(FileHash::parse(&text).expect("it has the digits of a hash"));
    }
    hashes
}

/// A name of the demo.
pub fn domain(text: &str) -> DomainName {
    DomainName::parse(text).expect(TESTED)
}

/// An address of the demo.
pub fn address(text: &str) -> IpAddr {
    parse_address(text).expect(TESTED)
}

/// A web address of the demo.
pub fn url(text: &str) -> Url {
    Url::parse(text).expect(TESTED)
}

/// Any object of the demo.
pub fn indicator(text: &str) -> Indicator {
    Indicator::parse(text).expect(TESTED)
}

fn mask(mask_type: MaskType, text: &str) -> Mask {
    Mask::parse(mask_type, text).expect(TESTED)
}

/// Why the demo's own texts parse: a test makes all its facts.
const TESTED: &str = "the texts of the demo are constant and tested";
