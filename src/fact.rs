//! Facts: what every input comes down to.
//!
//! Each importer yields [`Fact`]s and nothing else; the store keeps nothing else. A fact is never changed
//! and nothing derived is stored as truth: zone and score follow from facts, policy and hour.
//!
//! There are two kinds. *Observations* ([`Resolution`], [`WebRequest`], [`Download`], [`Access`],
//! [`Contact`], [`Certificate`], [`SpamReport`], [`PhishingReport`]) carry [`Seen`] and are summed.
//! *Statements* (all others) are few, keep who said them and when we learnt it, and are never summed.
//!
//! The serde form is the native format, one JSON object a line with the kind in `fact`: `docs/native.md`
//! has an example of each.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::indicator::{
    AddressRange, Asn, DomainName, FileHashes, Indicator, Mask, Url, is_reserved, special_purpose_name,
};
use crate::value::{Category, CountryCode, Timestamp, Zone};

/// One thing that some source observed or says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A DNS record was answered.
    Resolution(Resolution),
    /// A web address was requested.
    WebRequest(WebRequest),
    /// A file was downloaded.
    Download(Download),
    /// A file contacted a host.
    Access(Access),
    /// What an examination said of a file.
    FileVerdict(FileVerdict),
    /// A threat feed lists something.
    Listing(Listing),
    /// A list says that something is harmless, popular or of some topic.
    Benign(Benign),
    /// The registration of a domain.
    Registration(Registration),
    /// What a range of addresses is and whose.
    Network(Network),
    /// Spam that a host sent or advertised.
    SpamReport(SpamReport),
    /// Phishing that a host served.
    PhishingReport(PhishingReport),
    /// An intelligence report.
    Publication(Publication),
    /// An intelligence report names an indicator.
    Mention(Mention),
    /// A port of a host was found open or closed.
    PortState(PortState),
    /// A certificate was seen.
    Certificate(Certificate),
    /// One of our own clients talked to something.
    Contact(Contact),
    /// Somebody saw an indicator in the wild.
    Sighting(Sighting),
    /// Somebody says that an indicator is wrongly listed.
    FalsePositive(FalsePositive),
    /// Somebody sets the zone of an object.
    Pin(Pin),
    /// Somebody's remark.
    Note(Note),
}

/// When and how often something was observed. `last` is never before `first`; `hits` is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first observation.
    pub first: Timestamp,
    /// The last observation.
    pub last: Timestamp,
    /// How many observations.
    #[serde(default = "one")]
    pub hits: u64,
}

fn one() -> u64 {
    1
}

impl Seen {
    /// One observation.
    pub fn once(at: Timestamp) -> Seen {
        Seen { first: at, last: at, hits: 1 }
    }
}

/// A DNS record type by its IANA number; prints as its mnemonic, else `TYPE123` (RFC 3597).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

const RECORD_TYPES: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (108, "EUI48"),
    (109, "EUI64"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
    (32769, "DLV"),
];

impl RecordType {
    /// An IPv4 address.
    pub const A: RecordType = RecordType(1);
    /// An authoritative name server.
    pub const NS: RecordType = RecordType(2);
    /// An alias.
    pub const CNAME: RecordType = RecordType(5);
    /// Start of authority.
    pub const SOA: RecordType = RecordType(6);
    /// A mail exchange.
    pub const MX: RecordType = RecordType(15);
    /// Text.
    pub const TXT: RecordType = RecordType(16);
    /// A pointer to a name.
    pub const PTR: RecordType = RecordType(12);
    /// An IPv6 address.
    pub const AAAA: RecordType = RecordType(28);

    /// Finds a type by mnemonic in any case, or as `TYPE123`.
    pub fn find(text: &str) -> Option<RecordType> {
        let known = RECORD_TYPES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        if let Some((number, _)) = known {
            return Some(RecordType(*number));
        }
        let prefix = text.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("TYPE"))?;
        text[prefix.len()..].parse().ok().map(RecordType)
    }
}

impl std::fmt::Display for RecordType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match RECORD_TYPES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl Serialize for RecordType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<RecordType, D::Error> {
        let text = String::deserialize(deserializer)?;
        RecordType::find(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown record type {text:?}")))
    }
}

/// What a DNS record holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rdata {
    /// An address (A, AAAA).
    Address(IpAddr),
    /// A name (CNAME, NS, PTR; the exchange of an MX).
    Name(DomainName),
    /// Anything else, as the source prints it.
    Text(String),
}

/// A DNS record was answered: passive DNS. Field names follow the Passive DNS Common Output Format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The name that was asked.
    pub rrname: DomainName,
    /// The type of the record.
    pub rrtype: RecordType,
    /// What it holds.
    pub rdata: Rdata,
    /// The aliases between `rrname` and an address that was reached through CNAMEs, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<DomainName>,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// A web address was requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebRequest {
    /// The address, as spelled.
    pub url: Url,
    /// The server that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The address of the page that led there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Url>,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// A file was downloaded from a URL, or from an address where no URL is known. One of the two is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Download {
    /// The file; at least one hash.
    pub file: FileHashes,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The server that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// A file, once run, contacted a domain, an address or a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// The file; at least one hash.
    pub file: FileHashes,
    /// What it contacted; never a file.
    pub target: Indicator,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What an examination said of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileVerdict {
    /// The file; at least one hash, and all that are known, so that each finds the others.
    pub file: FileHashes,
    /// Red malware, Yellow adware, Green clean; absent where only the file's traits are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The name of what was detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_name: Option<String>,
    /// How it was detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_method: Option<String>,
    /// Where the detection is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_url: Option<String>,
    /// Size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// MIME type or kind of file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_type: Option<String>,
    /// Names that the file was seen under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whose signature it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// What it is packed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packer: Option<String>,
    /// When it was examined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// A threat feed lists a host, a URL, a network or a pattern of them; or a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// What is listed.
    #[serde(flatten)]
    pub what: Listed,
    /// What the feed says it is; absent: what the source is configured to mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The feed's own confidence, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// When the feed first had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// When it was last seen by the feed; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The feed's own expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Where to read more: a URL, a report's name, the feed's own word for the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What a [`Listing`] lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    /// Web addresses, hosts or networks.
    Mask(Mask),
    /// A file.
    File {
        /// Its hashes; at least one.
        file: FileHashes,
    },
}

/// What a benign list does to a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The score becomes 0.
    Suppress,
    /// The score is held down to the policy's cap for the list.
    Cap,
    /// Shown beside the evidence, changes nothing.
    Annotate,
}

/// A list says that something is harmless, popular, or of some topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benign {
    /// What is listed: masks as for threats, or a file.
    #[serde(flatten)]
    pub what: Listed,
    /// The list, where the source holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// What it does to a score; absent: the policy's choice for the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// A topical category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The rank in a list of popular names, 1 the most popular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Why, in the list's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was last seen on the list; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

/// A person or organisation in a registration. Unknown parts are absent, never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrationContact {
    /// `registrant`, `administrative`, `technical`, `billing`, `abuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_type: Option<String>,
    /// A person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Street; several lines are joined by `, `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Fax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fax: Option<String>,
    /// E-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The registry's handle of the contact or its organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// The registration of a domain, as RDAP (RFC 9083) or WHOIS tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The registered domain.
    pub domain: DomainName,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the registration last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// When it runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Its name servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<DomainName>,
    /// Registrant, technical contact and so on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<RegistrationContact>,
    /// The registrar's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// The registrar's IANA number, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar_iana_id: Option<String>,
    /// The registrar's (abuse) e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar_email: Option<String>,
    /// EPP statuses as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// When this was read; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// What a range of addresses is and whose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The addresses.
    pub range: AddressRange,
    /// The autonomous system that announces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<Asn>,
    /// The name of that autonomous system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_name: Option<String>,
    /// The country it is used in or registered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// The network's name (`netname`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Descriptions, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub description: Vec<String>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the registration last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<RegistrationContact>,
    /// When this was read; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// Spam that a domain or an address sent or advertised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpamReport {
    /// A domain or an address.
    pub indicator: Indicator,
    /// The share of spam in all mail seen from it, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Kinds of spam, in the source's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// When and how many attacks.
    #[serde(flatten)]
    pub seen: Seen,
}

/// Phishing that a domain or an address served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhishingReport {
    /// A domain or an address.
    pub indicator: Indicator,
    /// Countries whose people were attacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<CountryCode>,
    /// The phishing kit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<String>,
    /// What was stolen: `credentials`, `bank card`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stolen_data: Vec<String>,
    /// The industry that was imitated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<String>,
    /// The organisation that was imitated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// When and how many attacks.
    #[serde(flatten)]
    pub seen: Seen,
}

/// The kind of an intelligence report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReportType {
    /// A targeted attacker.
    #[serde(rename = "APT")]
    Apt,
    /// Crime for money.
    Crimeware,
    /// Industrial control systems.
    Industrial,
}

/// An intelligence report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Publication {
    /// The report's own identifier; `publication_id` on the wire.
    pub id: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub report_type: ReportType,
    /// Its title.
    pub title: String,
    /// When it was published; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// What it says, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Industries attacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub industries: Vec<String>,
    /// Countries or regions attacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub geography: Vec<String>,
    /// Actors named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<String>,
}

/// An intelligence report names an indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    /// The report, by [`Publication::id`].
    pub publication: String,
    /// What it names.
    pub indicator: Indicator,
}

/// A port of a host was found open or closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortState {
    /// A domain or an address.
    pub host: Indicator,
    /// The TCP port.
    pub port: u16,
    /// Whether it answered.
    pub open: bool,
    /// When; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// A certificate was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its digest in lower-case hex (SHA-256 where the source has it).
    pub digest: String,
    /// The names it is for, without those that are no domain names; `*.example.com` as `example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<DomainName>,
    /// The server that showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The name that the client asked for (SNI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<DomainName>,
    /// Distinguished name of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Distinguished name of the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Valid from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Valid to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// One of our own clients talked to something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The client: an address or a host name of ours.
    pub client: String,
    /// What it talked to.
    pub indicator: Indicator,
    /// Which sensor saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
    /// When and how often.
    #[serde(flatten)]
    pub seen: Seen,
}

/// Somebody saw an indicator in the wild.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// What was seen.
    pub indicator: Indicator,
    /// Who says so.
    pub by: String,
    /// When; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// Somebody says that an indicator is wrongly listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FalsePositive {
    /// What is wrongly listed.
    pub indicator: Indicator,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// Somebody sets the zone of exactly one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    /// The object.
    pub indicator: Indicator,
    /// Its zone from now on.
    pub zone: Zone,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// Until when; absent: for good. Not after `observed`: the pin before it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Since when; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

/// Somebody's remark on an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The object.
    pub indicator: Indicator,
    /// The remark.
    pub text: String,
    /// Whose.
    pub by: String,
    /// When; absent: the moment of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Timestamp>,
}

impl Pin {
    /// Why nobody can set this zone: the object is a reserved address, or a file that would be Orange.
    pub fn problem(&self) -> Option<String> {
        match &self.indicator {
            Indicator::Address(address) if is_reserved(*address) => Some(format!(
                "{address} is reserved ({}): it is Grey whatever is said of it, and cannot be pinned",
                special_purpose_name(*address).unwrap_or("special-purpose")
            )),
            Indicator::File(hash) if self.zone == Zone::Orange => {
                Some(format!("{hash} is a file, and a file is never Orange: use Red, Yellow, Grey or Green"))
            }
            _ => None,
        }
    }
}

impl Fact {
    /// The name of the kind, as the native format spells it.
    pub fn kind(&self) -> &'static str {
        FACT_KINDS[self.index()]
    }

    /// The position of the kind in [`FACT_KINDS`].
    pub fn index(&self) -> usize {
        match self {
            Fact::Resolution(_) => 0,
            Fact::WebRequest(_) => 1,
            Fact::Download(_) => 2,
            Fact::Access(_) => 3,
            Fact::FileVerdict(_) => 4,
            Fact::Listing(_) => 5,
            Fact::Benign(_) => 6,
            Fact::Registration(_) => 7,
            Fact::Network(_) => 8,
            Fact::SpamReport(_) => 9,
            Fact::PhishingReport(_) => 10,
            Fact::Publication(_) => 11,
            Fact::Mention(_) => 12,
            Fact::PortState(_) => 13,
            Fact::Certificate(_) => 14,
            Fact::Contact(_) => 15,
            Fact::Sighting(_) => 16,
            Fact::FalsePositive(_) => 17,
            Fact::Pin(_) => 18,
            Fact::Note(_) => 19,
        }
    }

    /// The moments at which this was observed: not before 1990, not far in the future.
    pub fn observed(&self) -> [Option<Timestamp>; 2] {
        let seen = |seen: &Seen| [Some(seen.first), Some(seen.last)];
        match self {
            Fact::Resolution(fact) => seen(&fact.seen),
            Fact::WebRequest(fact) => seen(&fact.seen),
            Fact::Download(fact) => seen(&fact.seen),
            Fact::Access(fact) => seen(&fact.seen),
            Fact::SpamReport(fact) => seen(&fact.seen),
            Fact::PhishingReport(fact) => seen(&fact.seen),
            Fact::Certificate(fact) => seen(&fact.seen),
            Fact::Contact(fact) => seen(&fact.seen),
            Fact::FileVerdict(fact) => [fact.observed, None],
            Fact::Listing(fact) => [fact.first, fact.last],
            Fact::Benign(fact) => [fact.last, None],
            Fact::Registration(fact) => [fact.observed, None],
            Fact::Network(fact) => [fact.observed, None],
            Fact::Publication(fact) => [fact.published, fact.updated],
            Fact::PortState(fact) => [fact.observed, None],
            Fact::Sighting(fact) => [fact.observed, None],
            Fact::FalsePositive(fact) => [fact.observed, None],
            Fact::Pin(fact) => [fact.observed, None],
            Fact::Note(fact) => [fact.observed, None],
            Fact::Mention(_) => [None, None],
        }
    }

    /// The dates that are part of a record (created, expires, until, valid from and to).
    pub fn record_dates(&self) -> [Option<Timestamp>; 3] {
        match self {
            Fact::Registration(fact) => [fact.created, fact.updated, fact.expires],
            Fact::Network(fact) => [fact.created, fact.changed, None],
            Fact::Listing(fact) => [fact.until, None, None],
            Fact::Certificate(fact) => [fact.not_before, fact.not_after, None],
            Fact::Pin(fact) => [fact.expires, None, None],
            _ => [None; 3],
        }
    }
}

/// The kinds of facts, as the native format names them, in the order of [`Fact::index`].
pub const FACT_KINDS: [&str; 20] = [
    "resolution",
    "web_request",
    "download",
    "access",
    "file_verdict",
    "listing",
    "benign",
    "registration",
    "network",
    "spam_report",
    "phishing_report",
    "publication",
    "mention",
    "port_state",
    "certificate",
    "contact",
    "sighting",
    "false_positive",
    "pin",
    "note",
];
