//! Row keys: `object ‖ table ‖ counterpart ‖ source`, so that order is meaning.
//!
//! An object is a kind byte and a body. Names are label-reversed (`com.example.www`) and end with a zero
//! byte, so that a name's rows are one range and everything below it another; addresses are the 16 bytes
//! of RFC 4291 form, IPv4 as v4-mapped. A report on one object is therefore one seek a run. Integers are
//! big-endian. A counterpart has the same forms; the source, two bytes, ends the key.

use std::net::IpAddr;

use crate::indicator::{AddressRange, FileHash, FileHashes, Host, Indicator, Mask, Url, from_u128, to_u128};

/// What follows the object in a key: which relation or statement the row is.
///
/// The number is what runs store: it never changes its meaning, and new ones are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// name → address that it resolved to. Observed.
    Resolves = 1,
    /// address → name that resolved to it. Observed.
    ResolvedBy = 2,
    /// name → record type and data of any other record. Observed.
    Record = 3,
    /// name in a record's data → record type and the record's name. Observed.
    RecordOf = 4,
    /// name → address and the aliases on the way to it. Observed.
    Via = 5,
    /// name → known name below it, at any depth down from the registrable domain. Observed.
    Subdomain = 6,
    /// host, and names above it → URL. Observed.
    Url = 7,
    /// host → URL on another host that refers to it. Observed.
    ReferredBy = 8,
    /// host → URL on another host that it refers to. Observed.
    RefersTo = 9,
    /// host → file and the URL that it was downloaded from. Observed.
    Downloaded = 10,
    /// host → file that contacted it, and the URL contacted. Observed.
    AccessedBy = 11,
    /// name → host below it and file downloaded from or accessing that host. Observed.
    FileBelow = 12,
    /// file → URL or address that it was downloaded from. Observed.
    FileFrom = 13,
    /// file → URL, address or name that it contacted. Observed.
    FileAccess = 14,
    /// file hash → another hash of the same file. Observed.
    FileAlias = 15,
    /// address → URL that it served. Observed.
    Served = 16,
    /// address → file and URL that it served. Observed.
    FileServed = 17,
    /// certificate digest ← name. Observed.
    NameCertificate = 18,
    /// certificate digest ← address. Observed.
    AddressCertificate = 19,
    /// indicator → client of ours and sensor. Observed.
    Contact = 20,
    /// URL → URL that refers to it. Observed.
    UrlReferredBy = 21,
    /// URL → URL that it refers to. Observed.
    UrlRefersTo = 22,
    /// object → what is related to it and was listed when one of the two was learnt: a candidate, asked again
    /// at read. Observed: first and last only. See `store/flagged.rs`.
    Flagged = 23,
    /// object with very many rows → those of them that a report shows. Made anew by every writer of a run.
    /// See `store/large.rs`.
    Top = 24,
    /// object with very many rows → what all of them come to. Made anew by every writer of a run.
    Summary = 25,
    /// URL → file that was downloaded from it. Observed.
    UrlDownloaded = 26,
    /// URL → file that contacted it. Observed.
    UrlAccessedBy = 27,
    /// file name, as a [`ObjectKey::term`] → file that was downloaded or examined under it. Observed.
    FileNamed = 28,
    /// From here on statements. Host, URL, network or file → listing.
    Listing = 64,
    /// Host, URL, network or file → benign entry.
    Benign = 65,
    /// domain → registration.
    Registration = 66,
    /// range of addresses → network.
    Network = 67,
    /// domain or address → spam report.
    Spam = 68,
    /// domain or address → phishing report.
    Phishing = 69,
    /// publication.
    Publication = 70,
    /// indicator → publication that names it.
    Mention = 71,
    /// publication → indicator that it names.
    MentionOf = 72,
    /// host → port.
    PortState = 73,
    /// certificate.
    Certificate = 74,
    /// indicator → sighting.
    Sighting = 75,
    /// indicator → false-positive report.
    FalsePositive = 76,
    /// indicator → pin.
    Pin = 77,
    /// indicator → note.
    Note = 78,
    /// file → verdict.
    FileVerdict = 79,
    /// name or organisation of a registrant, as a [`ObjectKey::term`] → domain. The three of a registration have no
    /// content: it stands at the domain.
    RegistrantOf = 80,
    /// e-mail address of a contact, as a term → domain.
    EmailOf = 81,
    /// name server, as a term → domain.
    NameServerOf = 82,
    /// kind of what people say, as a term → indicator. Of pins and notes, and likewise without content.
    SaidOf = 83,
}

const TABLES: [Table; 48] = [
    Table::Resolves,
    Table::ResolvedBy,
    Table::Record,
    Table::RecordOf,
    Table::Via,
    Table::Subdomain,
    Table::Url,
    Table::ReferredBy,
    Table::RefersTo,
    Table::Downloaded,
    Table::AccessedBy,
    Table::FileBelow,
    Table::FileFrom,
    Table::FileAccess,
    Table::FileAlias,
    Table::Served,
    Table::FileServed,
    Table::NameCertificate,
    Table::AddressCertificate,
    Table::Contact,
    Table::UrlReferredBy,
    Table::UrlRefersTo,
    Table::Flagged,
    Table::Top,
    Table::Summary,
    Table::UrlDownloaded,
    Table::UrlAccessedBy,
    Table::FileNamed,
    Table::Listing,
    Table::Benign,
    Table::Registration,
    Table::Network,
    Table::Spam,
    Table::Phishing,
    Table::Publication,
    Table::Mention,
    Table::MentionOf,
    Table::PortState,
    Table::Certificate,
    Table::Sighting,
    Table::FalsePositive,
    Table::Pin,
    Table::Note,
    Table::FileVerdict,
    Table::RegistrantOf,
    Table::EmailOf,
    Table::NameServerOf,
    Table::SaidOf,
];

impl Table {
    /// The table with this number.
    pub fn from_byte(byte: u8) -> Option<Table> {
        TABLES.into_iter().find(|table| *table as u8 == byte)
    }

    /// Whether rows are observations, which are summed; the others are statements.
    pub fn is_observed(self) -> bool {
        (self as u8) < Table::Listing as u8
    }

    /// Whether rows are statements that say nothing but their counterpart.
    pub fn has_no_content(self) -> bool {
        matches!(self, Table::RegistrantOf | Table::EmailOf | Table::NameServerOf | Table::SaidOf)
    }

    /// Whether rows follow from the other rows of their run and are made anew with it.
    pub fn is_derived(self) -> bool {
        matches!(self, Table::Top | Table::Summary)
    }
}

/// The kind of an object, first byte of a key.
pub(super) mod kind {
    pub const CERTIFICATE: u8 = b'c';
    pub const DOMAIN: u8 = b'd';
    pub const FILE: u8 = b'f';
    pub const ADDRESS: u8 = b'i';
    pub const NETWORK: u8 = b'n';
    pub const PUBLICATION: u8 = b'p';
    pub const TERM: u8 = b't';
    pub const URL: u8 = b'u';
    pub const WILDCARD: u8 = b'w';
}

/// An object as a key spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(pub Vec<u8>);

impl ObjectKey {
    /// A domain name.
    pub fn domain(name: &str) -> ObjectKey {
        let mut key = Vec::with_capacity(name.len() + 2);
        push_domain(&mut key, name);
        ObjectKey(key)
    }

    /// An address.
    pub fn address(address: IpAddr) -> ObjectKey {
        let mut key = Vec::with_capacity(17);
        push_address(&mut key, address);
        ObjectKey(key)
    }

    /// A host: a domain without one leading `www.`, or an address.
    pub fn host(host: &Host) -> ObjectKey {
        match host {
            Host::Domain(name) => ObjectKey::domain(name.without_www()),
            Host::Address(address) => ObjectKey::address(*address),
        }
    }

    /// A URL by its normalised key.
    pub fn url(url: &Url) -> ObjectKey {
        let mut key = Vec::with_capacity(url.key().len() + 2);
        push_text(&mut key, kind::URL, url.key());
        ObjectKey(key)
    }

    /// A file by one of its hashes.
    pub fn file(hash: &FileHash) -> ObjectKey {
        let mut key = Vec::with_capacity(34);
        push_file(&mut key, hash);
        ObjectKey(key)
    }

    /// A range of addresses.
    pub fn network(range: &AddressRange) -> ObjectKey {
        let mut key = vec![kind::NETWORK];
        key.extend_from_slice(&to_u128(range.first()).to_be_bytes());
        key.extend_from_slice(&to_u128(range.last()).to_be_bytes());
        ObjectKey(key)
    }

    /// A publication by its identifier.
    pub fn publication(id: &str) -> ObjectKey {
        let mut key = Vec::with_capacity(id.len() + 2);
        push_text(&mut key, kind::PUBLICATION, id);
        ObjectKey(key)
    }

    /// A certificate by its digest.
    pub fn certificate(digest: &str) -> ObjectKey {
        let mut key = Vec::with_capacity(digest.len() + 2);
        push_text(&mut key, kind::CERTIFICATE, digest);
        ObjectKey(key)
    }

    /// A text that something is found by: the name of a person, an organisation or a file, an e-mail address, a name server.
    pub fn term(text: &str) -> ObjectKey {
        let mut key = Vec::with_capacity(text.len() + 2);
        push_text(&mut key, kind::TERM, &term(text));
        ObjectKey(key)
    }

    /// What a report is about.
    pub fn indicator(indicator: &Indicator) -> ObjectKey {
        match indicator {
            Indicator::Domain(name) => ObjectKey::domain(name.as_str()),
            Indicator::Address(address) => ObjectKey::address(*address),
            Indicator::Url(url) => ObjectKey::url(url),
            Indicator::File(hash) => ObjectKey::file(hash),
        }
    }

    /// The object whose report lists a mask: its host without `www.`, its network, or, for a wildcard
    /// without a fixed host, the mask itself.
    pub fn mask(mask: &Mask) -> ObjectKey {
        if let Some(prefix) = mask.prefix() {
            return ObjectKey::network(&prefix.range());
        }
        mask.listed_under().map_or_else(
            || {
                let mut key = Vec::new();
                push_text(&mut key, kind::WILDCARD, mask.text());
                ObjectKey(key)
            },
            |host| ObjectKey::host(&host),
        )
    }

    /// The object that stands for a file with these hashes: its MD5, else SHA-256, else SHA-1.
    pub fn file_best(file: &FileHashes) -> Option<ObjectKey> {
        file.best().map(|hash| ObjectKey::file(&hash))
    }
}

/// The longest term, in bytes: of longer texts the beginning counts.
pub const TERM_BYTES_MAX: usize = 255;

/// A text as it is searched for: in lower case, one space between words, at most [`TERM_BYTES_MAX`].
pub fn term(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower = words.join(" ").to_lowercase();
    lower[..lower.floor_char_boundary(TERM_BYTES_MAX)].to_owned()
}

/// What all keys of publications begin with.
pub fn publications() -> [u8; 1] {
    [kind::PUBLICATION]
}

/// Length of an object at the start of a key; `None` where the bytes are no key.
pub fn object_len(key: &[u8]) -> Option<usize> {
    match *key.first()? {
        kind::ADDRESS => (key.len() >= 17).then_some(17),
        kind::NETWORK => (key.len() >= 33).then_some(33),
        kind::FILE => {
            let len = 2 + usize::from(*key.get(1)?);
            (key.len() >= len).then_some(len)
        }
        _ => key.iter().position(|byte| *byte == 0).map(|at| at + 1),
    }
}

/// Whether an object is a domain.
pub fn is_domain(object: &[u8]) -> bool {
    object.first() == Some(&kind::DOMAIN)
}

/// Appends a domain.
pub fn push_domain(key: &mut Vec<u8>, name: &str) {
    key.push(kind::DOMAIN);
    push_reversed(key, name);
    key.push(0);
}

/// Appends the labels of a name in reverse order, `.` between them.
pub fn push_reversed(key: &mut Vec<u8>, name: &str) {
    let mut end = name.len();
    let bytes = name.as_bytes();
    while let Some(dot) = bytes[..end].iter().rposition(|byte| *byte == b'.') {
        key.extend_from_slice(&bytes[dot + 1..end]);
        key.push(b'.');
        end = dot;
    }
    key.extend_from_slice(&bytes[..end]);
}

/// Appends an address.
pub fn push_address(key: &mut Vec<u8>, address: IpAddr) {
    key.push(kind::ADDRESS);
    key.extend_from_slice(&to_u128(address).to_be_bytes());
}

/// Appends a URL.
pub fn push_url(key: &mut Vec<u8>, url: &Url) {
    push_text(key, kind::URL, url.key());
}

/// Appends a file hash: its length stands before it.
pub fn push_file(key: &mut Vec<u8>, hash: &FileHash) {
    let bytes: &[u8] = match hash {
        FileHash::Md5(bytes) => bytes,
        FileHash::Sha1(bytes) => bytes,
        FileHash::Sha256(bytes) => bytes,
    };
    key.push(kind::FILE);
    key.push(u8::try_from(bytes.len()).expect("a hash is short"));
    key.extend_from_slice(bytes);
}

/// Appends a text of a kind; a zero byte in it, which no valid text has, becomes a space.
fn push_text(key: &mut Vec<u8>, kind: u8, text: &str) {
    key.push(kind);
    key.extend(text.bytes().map(|byte| if byte == 0 { b' ' } else { byte }));
    key.push(0);
}

/// A counterpart read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A domain name.
    Domain(String),
    /// An address.
    Address(IpAddr),
    /// A URL's normalised key.
    Url(&'a str),
    /// A file.
    File(FileHash),
    /// A publication's identifier, a certificate's digest, a wildcard or a term.
    Text(&'a str),
    /// A range of addresses.
    Network(AddressRange),
}

/// Reads the object at the start of `bytes` and what follows it; `None` where there is none.
pub fn read_part(bytes: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let len = object_len(bytes)?;
    let (object, rest) = bytes.split_at_checked(len)?;
    let address = |bytes: &[u8]| Some(from_u128(u128::from_be_bytes(bytes.try_into().ok()?)));
    let text = || std::str::from_utf8(object.get(1..len.checked_sub(1)?)?).ok();
    let part = match object[0] {
        kind::DOMAIN => Part::Domain(unreversed(text()?)),
        kind::ADDRESS => Part::Address(address(&object[1..17])?),
        kind::NETWORK => {
            Part::Network(AddressRange::new(address(&object[1..17])?, address(&object[17..33])?)?)
        }
        kind::FILE => Part::File(match object.len() - 2 {
            16 => FileHash::Md5(object[2..].try_into().ok()?),
            20 => FileHash::Sha1(object[2..].try_into().ok()?),
            32 => FileHash::Sha256(object[2..].try_into().ok()?),
            _ => return None,
        }),
        kind::URL => Part::Url(text()?),
        _ => Part::Text(text()?),
    };
    Some((part, rest))
}

/// A label-reversed name the right way round.
fn unreversed(reversed: &str) -> String {
    let mut name = String::with_capacity(reversed.len());
    for label in reversed.rsplit('.') {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(label);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::DomainName;

    #[test]
    fn parts_read_back_and_names_sort_below_their_parents() {
        let name = DomainName::parse("www.example.com").unwrap();
        let key = ObjectKey::domain(name.as_str());
        assert_eq!(key.0, b"dcom.example.www\0");
        assert_eq!(read_part(&key.0), Some((Part::Domain("www.example.com".to_owned()), &b""[..])));
        let url = Url::parse("http://example.com/a?b=c").unwrap();
        let mut key = ObjectKey::url(&url).0;
        key.extend_from_slice(b"rest");
        assert_eq!(read_part(&key), Some((Part::Url("example.com/a?b=c"), &b"rest"[..])));
        for text in ["192.0.2.1", "2001:db8::1"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(read_part(&ObjectKey::address(address).0), Some((Part::Address(address), &b""[..])));
        }
        let hash = FileHash::parse("d41d8cd98f00b204e9800998ecf8427e").unwrap();
        assert_eq!(read_part(&ObjectKey::file(&hash).0), Some((Part::File(hash), &b""[..])));
        for bad in [&b""[..], b"d", b"\0", b"iabc", b"f\x10abc"] {
            assert_eq!(read_part(bad), None);
        }
        assert_eq!(TABLES.map(|table| Table::from_byte(table as u8)), TABLES.map(Some));
    }
}
