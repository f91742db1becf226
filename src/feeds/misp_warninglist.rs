//! MISP warning lists: what is known to be harmless, popular, shared or of some topic, in the lists' own JSON.
//!
//! Written by the MISP project and its users, <https://github.com/MISP/misp-warninglists>; format:
//! draft-dulaunoy-misp-warninglists-format. One list a file, `lists/<folder>/list.json`; a batch is such a folder.
//!
//! An entry becomes a mask by the list's `type`, with MISP's own meaning of it:
//!
//! | `type` | entry | mask |
//! |---|---|---|
//! | `cidr` | a network; a single address, also as `/32`, `/128` | network; host |
//! | `hostname` | a name, with or without a leading dot, and all names below it | domain |
//! | `string` | exactly that name, address, web address, file hash; `.name` as above | host, URL, file; domain |
//! | `substring` | `.name`: the end of a name | domain |
//! | `substring`, `regex` | anything else is no mask that says the same | rejected as `pattern` |
//!
//! A `hostname` with a leading `www.` is a host mask: masks drop `www.`, and a domain mask would cover the names
//! beside it. What an entry of a `string` list can be is told by the list's `matching_attributes`.

use std::borrow::Cow;
use std::{fmt, io};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json_values::{JsonValues, VALUE_BYTES_MAX, first_keys};
use super::lenient::{AnyText, Text};
use super::{Emit, Format, Input, Sample, State};
use crate::fact::{Action, Benign, Fact, Listed};
use crate::indicator::{DomainName, FileHash, Host, Mask, Prefix, Url, parse_address};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "misp-warninglist",
    title: "MISP warning lists: harmless, popular and shared hosts and files (JSON)",
    state: State::Whole,
    recognise,
    open: || Box::new(read),
};

/// How much of a list's description is given as the reason.
const REASON_BYTES_MAX: usize = 160;

/// The digits of the shortest digest.
const HASH_DIGITS_MIN: usize = 32;

/// The keys of a list; one with other keys is another format.
const KEYS: &[&str] = &["name", "description", "version", "type", "category", "matching_attributes", "list"];

/// Topic and action of the lists, by folder or, where the file came without one, by name; `*` is anything, letters
/// compare without case, the first row that matches counts. A list without a row has neither.
///
/// The action is given only where it cannot be another: what anybody can rent, pass through or register under is shown
/// beside the evidence and changes nothing. For all other lists it is the policy's choice.
const LISTS: &[(&str, &str, &str, Option<Action>)] = &[
    // Security: scanners that announce themselves, vendors, sinkholes.
    ("umich-cse-connection-attempts", "*connection-attempt network ranges", "SECURITY_SCANNERS", None),
    ("*-scanning", "*used for*scanning", "SECURITY_SCANNERS", None),
    ("*-scanner", "*scanner*", "SECURITY_SCANNERS", None),
    ("shadowserver", "shadowserver ip-ranges*", "SECURITY_SCANNERS", None),
    ("tenable-cloud-ipv?", "*tenable cloud sensors*", "SECURITY_SCANNERS", None),
    ("palo-alto-networks-cortex-xpanse", "*cortex xpanse", "SECURITY_SCANNERS", None),
    ("check-host-net", "*check-host.net*", "SECURITY_SCANNERS", None),
    ("automated-malware-analysis", "*automated malware analysis*", "SECURITY_SERVICES", None),
    ("security-provider-blogpost", "*security providers/vendors*", "SECURITY_SERVICES", None),
    ("microsoft-attack-simulator", "*attack simulator*", "SECURITY_SERVICES", None),
    ("microsoft-mdca-proxy", "*defender for cloud apps*", "SECURITY_SERVICES", None),
    ("palo-alto-networks-cortex-cloud", "*cortex cloud*", "SECURITY_SERVICES", None),
    ("zscaler", "*zscaler*", "SECURITY_SERVICES", ANNOTATE),
    ("umbrella-blockpage-*", "cisco-umbrella-blockpage-*", "SECURITY_SERVICES", ANNOTATE),
    ("sinkholes", "list of known sinkholes", "SINKHOLE", ANNOTATE),
    // Ranges that anybody's servers stand in.
    ("amazon-aws", "*amazon aws*", "CLOUD_SERVICES", ANNOTATE),
    ("google-gcp", "*google cloud platform*", "CLOUD_SERVICES", ANNOTATE),
    ("microsoft-azure*", "*microsoft azure*", "CLOUD_SERVICES", ANNOTATE),
    ("oracle-oci", "*oracle cloud infrastructure*", "CLOUD_SERVICES", ANNOTATE),
    ("github", "*github ip ranges*", "CLOUD_SERVICES", ANNOTATE),
    ("microsoft-office365*", "*office 365*", "CLOUD_SERVICES", None),
    ("akamai", "*akamai ip ranges", "CONTENT_DELIVERY", ANNOTATE),
    ("bunny-net", "*bunny.net cdn*", "CONTENT_DELIVERY", ANNOTATE),
    ("cloudflare", "*cloudflare ip ranges", "CONTENT_DELIVERY", ANNOTATE),
    ("fastly", "*fastly ip*", "CONTENT_DELIVERY", ANNOTATE),
    ("stackpath", "*stackpath cdn*", "CONTENT_DELIVERY", ANNOTATE),
    ("ovh-cluster", "*ovh cluster*", "HOSTING", ANNOTATE),
    ("vpn-ipv?", "*common vpn providers*", "VPN", ANNOTATE),
    ("icloud-private-relay", "*icloud private relay*", "VPN", ANNOTATE),
    ("telegram-ips", "*telegram ip*", "SOCIAL_NETWORKS", ANNOTATE),
    // Names that anybody can put something under.
    ("dynamic-dns", "*dynamic dns*", "DYNAMIC_DNS", ANNOTATE),
    ("disposable-email", "*disposable email*", "DISPOSABLE_MAIL", ANNOTATE),
    ("url-shortener", "*url shorteners*", "URL_SHORTENERS", ANNOTATE),
    ("link-in-bio", "*link in bio*", "SOCIAL_NETWORKS", ANNOTATE),
    ("public-ipfs-gateways", "*ipfs gateways", "FILE_SHARING", ANNOTATE),
    ("parking-domain*", "parking domains*", "PARKED", ANNOTATE),
    ("lots-project", "*lots*living off trusted sites*", "", ANNOTATE),
    ("second-level-tlds", "second level tlds*", "", ANNOTATE),
    ("tlds", "tlds as known by iana", "", ANNOTATE),
    // Mail.
    ("smtp-*-ips", "*smtp * ip*", "MAIL_SERVICES", ANNOTATE),
    ("google-gmail-sending-ips", "*gmail sending ip*", "MAIL_SERVICES", ANNOTATE),
    // Topics.
    ("public-dns-*", "*public dns resolvers*", "PUBLIC_DNS", None),
    ("bank-website", "*bank domains", "BANKS", None),
    ("university_domains", "university domains", "EDUCATION", None),
    ("covid*", "*covid-19*", "HEALTH", None),
    ("google", "*google domains", "SEARCH_ENGINES_AND_SERVICES", None),
    ("googlebot", "*googlebot*", "SEARCH_ENGINES_AND_SERVICES", None),
    ("openai-gptbot", "*gpt crawler*", "INFORMATION_TECHNOLOGIES", None),
    ("microsoft", "*microsoft domains", "INFORMATION_TECHNOLOGIES", None),
    ("microsoft-win10-*", "*windows 10 connection*", "INFORMATION_TECHNOLOGIES", None),
    ("apple", "*apple ip*", "INFORMATION_TECHNOLOGIES", None),
    ("captive-portals", "captive portal*", "INFORMATION_TECHNOLOGIES", None),
    ("crl-hostname", "crl and ocsp domains", "INFORMATION_TECHNOLOGIES", None),
    // Most are addresses of content delivery networks.
    ("crl-ip", "crl and ocsp ip*", "INFORMATION_TECHNOLOGIES", ANNOTATE),
    ("findip-host", "*querying your source ip*", "INFORMATION_TECHNOLOGIES", None),
    ("whats-my-ip", "*know external ip", "INFORMATION_TECHNOLOGIES", None),
    // Popularity.
    ("alexa", "top *", "POPULAR_SITES", None),
    ("*_top*", "top *", "POPULAR_SITES", None),
    ("*-top*", "top *", "POPULAR_SITES", None),
    ("majestic_million", "top *", "POPULAR_SITES", None),
    ("tranco*", "top *", "POPULAR_SITES", None),
];

const ANNOTATE: Option<Action> = Some(Action::Annotate);

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    // The list stands before the name and the type, and may be longer than the sample.
    keys.contains(&"list") && keys.len() > 1 && keys.iter().all(|key| KEYS.contains(key))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let folder = input.name.rsplit('/').nth(1).unwrap_or_default();
    let mut documents = JsonValues::new(input.reader, None, VALUE_BYTES_MAX);
    while let Some((line, document)) = documents.next(out)? {
        // Twice over the same bytes: most lists say only after their entries of what type these are.
        let header = match serde_json::from_slice::<Header>(document) {
            Ok(header) => header,
            Err(error) => {
                out.reject(line, "json", error.to_string(), document)?;
                continue;
            }
        };
        let Some(list) = List::new(&header, folder, document, line) else {
            let detail = "a list has a name and one of the types cidr, hostname, string, substring, regex";
            out.reject(line, "json", detail, document)?;
            continue;
        };
        list.read(out)?;
    }
    Ok(())
}

/// A list without its entries.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Header {
    name: Text,
    description: Text,
    #[serde(rename = "type")]
    list_type: Text,
    matching_attributes: Vec<Text>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ListType {
    Cidr,
    Hostname,
    String,
    Substring,
    Regex,
}

/// What the values of a `string` list can be: all, where the list does not say.
struct Kinds {
    said: bool,
    name: bool,
    address: bool,
    url: bool,
    hash: bool,
}

impl Kinds {
    fn new(attributes: &[Text]) -> Kinds {
        let any = |words: &[&str]| {
            attributes.is_empty()
                || attributes.iter().filter_map(Text::get).any(|attribute| {
                    attribute == "ALL" || attribute.split('|').any(|part| words.contains(&part))
                })
        };
        Kinds {
            said: !attributes.is_empty(),
            name: any(&["domain", "hostname", "url", "uri"]),
            address: any(&["ip", "ip-src", "ip-dst"]),
            url: any(&["url", "uri", "link"]),
            hash: any(&["md5", "sha1", "sha256"]),
        }
    }
}

/// A list whose entries are read.
struct List<'d> {
    list_type: ListType,
    kinds: Kinds,
    /// Of every entry, but for what is listed.
    fact: Benign,
    document: &'d [u8],
    /// The line of the last entry, and the byte up to which lines were counted.
    line: u64,
    counted: usize,
}

type Refused = (&'static str, String);

impl<'d> List<'d> {
    fn new(header: &Header, folder: &str, document: &'d [u8], line: u64) -> Option<List<'d>> {
        let list_type = match header.list_type.get()? {
            "cidr" => ListType::Cidr,
            "hostname" => ListType::Hostname,
            "string" => ListType::String,
            "substring" => ListType::Substring,
            "regex" => ListType::Regex,
            _ => return None,
        };
        let name = header.name.get()?;
        let (category, action) = topic(folder, name);
        let fact = Benign {
            what: Listed::File { file: Default::default() },
            list: Some(name.to_owned()),
            action,
            category,
            rank: None,
            reason: header.description.get().map(shortened),
            last: None,
        };
        let kinds = Kinds::new(&header.matching_attributes);
        Some(List { list_type, kinds, fact, document, line, counted: 0 })
    }

    fn read(mut self, out: &mut Emit<'_>) -> io::Result<()> {
        let document = self.document;
        let mut walk = Walk { list: &mut self, out: &mut *out, failed: None };
        let read = serde_json::Deserializer::from_slice(document).deserialize_map(Document(&mut walk));
        match (walk.failed, read) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => out.reject(self.line, "json", error.to_string(), document),
            (None, Ok(())) => Ok(()),
        }
    }

    /// Moves the line on to an entry: where the text stands in the document, if it is a part of it.
    fn stand_at(&mut self, text: &str) {
        let at = (text.as_ptr() as usize).wrapping_sub(self.document.as_ptr() as usize);
        if let Some(passed) = self.document.get(self.counted..at) {
            self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            self.counted = at;
        }
    }

    fn entry(&mut self, text: &str, out: &mut Emit<'_>) -> io::Result<()> {
        self.stand_at(text);
        let entry = text.trim();
        if entry.is_empty() {
            return Ok(());
        }
        match self.listed(entry) {
            Ok(what) => out.fact(self.line, Fact::Benign(Benign { what, ..self.fact.clone() })),
            Err((reason, detail)) => out.reject(self.line, reason, detail, text.as_bytes()),
        }
    }

    fn listed(&self, entry: &str) -> Result<Listed, Refused> {
        let mask = match self.list_type {
            ListType::Cidr => network(entry),
            ListType::Hostname => name_and_below(entry.trim_matches('.')),
            ListType::String => return self.exact(entry),
            ListType::Substring if entry.starts_with('.') => name_and_below(&entry[1..]),
            ListType::Substring => {
                Err(("pattern", "a text that may stand anywhere in a value is no mask".into()))
            }
            ListType::Regex => Err(("pattern", "a regular expression is no mask".into())),
        };
        mask.map(Listed::Mask)
    }

    /// An entry that is compared whole.
    fn exact(&self, entry: &str) -> Result<Listed, Refused> {
        let kinds = &self.kinds;
        if kinds.hash && entry.len() >= HASH_DIGITS_MIN && entry.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            let hash = FileHash::parse(entry).map_err(|error| ("hash", error.to_string()))?;
            return Ok(Listed::File { file: hash.into() });
        }
        if kinds.address
            && let Ok(address) = parse_address(entry)
        {
            return Ok(Listed::Mask(Mask::host(&Host::Address(address), None)));
        }
        if kinds.url && entry.contains('/') {
            let url = Url::parse(entry).map_err(|error| ("url", error.to_string()))?;
            return Ok(Listed::Mask(Mask::url(&url)));
        }
        if !kinds.name {
            return Err(("kind", "it is no host, web address or file".to_owned()));
        }
        if let Some(name) = entry.strip_prefix('.') {
            return name_and_below(name).map(Listed::Mask);
        }
        // Where the list does not say what its entries are, nobody said that they are names.
        let reason = if kinds.said { "domain" } else { "kind" };
        let name = DomainName::parse(entry).map_err(|error| (reason, error.to_string()))?;
        Ok(Listed::Mask(Mask::host(&Host::Domain(name), None)))
    }
}

fn network(entry: &str) -> Result<Mask, Refused> {
    if !entry.contains('/') {
        let address = parse_address(entry).map_err(|error| ("address", error.to_string()))?;
        return Ok(Mask::host(&Host::Address(address), None));
    }
    let prefix = Prefix::parse(entry).map_err(|error| ("address", error.to_string()))?;
    let single = Prefix::single(prefix.address()) == prefix;
    Ok(if single { Mask::host(&Host::Address(prefix.address()), None) } else { Mask::network(prefix) })
}

fn name_and_below(name: &str) -> Result<Mask, Refused> {
    match Host::parse(name).map_err(|error| ("domain", error.to_string()))? {
        Host::Domain(name) if name.without_www() == name.as_str() => Ok(Mask::domain(&name)),
        host => Ok(Mask::host(&host, None)),
    }
}

/// The topic and the action of a list.
fn topic(folder: &str, name: &str) -> (Option<Category>, Option<Action>) {
    // No real name is longer; the patterns are compared without a limit of their own.
    let name: String = name.chars().take(200).collect();
    let (folder, name) = (folder.to_lowercase(), name.to_lowercase());
    let row = LISTS.iter().find(
        |(folders, names, ..)| {
            if folder.is_empty() { like(names, &name) } else { like(folders, &folder) }
        },
    );
    row.map_or((None, None), |(_, _, category, action)| (Category::find(category), *action))
}

/// Whether a text is like a pattern: `*` is any text, `?` one character.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| text.get(at..).is_some_and(|rest| like(&pattern[1..], rest))),
        Some(wanted) => {
            let found = text.chars().next().filter(|found| wanted == '?' || *found == wanted);
            found.is_some_and(|found| like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..]))
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().map(|(at, _)| at).find(|at| *at >= REASON_BYTES_MAX) {
        Some(end) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Goes through a list's entries as they are parsed; none is kept.
struct Walk<'l, 'd, 's> {
    list: &'l mut List<'d>,
    out: &'l mut Emit<'s>,
    /// The sink's error, which serde cannot carry.
    failed: Option<io::Error>,
}

/// The document; its `list`; one entry.
struct Document<'w, 'l, 'd, 's>(&'w mut Walk<'l, 'd, 's>);
struct Elements<'w, 'l, 'd, 's>(&'w mut Walk<'l, 'd, 's>);
struct Element<'w, 'l, 'd, 's>(&'w mut Walk<'l, 'd, 's>);

impl<'de> Visitor<'de> for Document<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a warning list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "list" {
                map.next_value_seed(Elements(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Element(self.0))?.is_some() {}
        Ok(())
    }

    /// A list with comments: the entries are the keys.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Element(self.0))?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Walk { list, out, failed } = self.0;
        let taken = deserializer.deserialize_any(AnyText(|text: Option<&str>| match text {
            Some(text) => list.entry(text, out),
            None => out.reject(list.line, "kind", "an entry is a text", b""),
        }))?;
        taken.map_err(|error| {
            *failed = Some(error);
            D::Error::custom("the sink takes no more")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_categories_that_there_are() {
        for (folder, name, category, action) in LISTS {
            assert!(category.is_empty() || Category::find(category).is_some(), "{category}");
            assert!(!category.is_empty() || action.is_some(), "{folder} says nothing");
            assert_eq!(
                (folder.to_lowercase(), name.to_lowercase()),
                ((*folder).to_owned(), (*name).to_owned())
            );
        }
    }

    #[test]
    fn a_list_is_found_by_folder_or_else_by_name() {
        for (folder, name, category, action) in [
            ("amazon-aws", "List of known Amazon AWS IP address ranges", "CLOUD_SERVICES", ANNOTATE),
            ("cloudflare", "List of known Cloudflare IP ranges", "CONTENT_DELIVERY", ANNOTATE),
            ("cloudflare-top100k", "Top 100,000 domains from Cloudflare Radar", "POPULAR_SITES", None),
            ("cisco_top5k", "Top 5000 websites from Cisco Umbrella", "POPULAR_SITES", None),
            ("shodan-nt-scanning", "Shodan IP Ranges Used for Scanning", "SECURITY_SCANNERS", None),
            (
                "microsoft-attack-simulator",
                "List of known Office 365 Attack Simulator used",
                "SECURITY_SERVICES",
                None,
            ),
            ("microsoft-office365-ip", "List of known Office 365 IP address ranges", "CLOUD_SERVICES", None),
            ("microsoft", "List of known microsoft domains", "INFORMATION_TECHNOLOGIES", None),
            ("googlebot", "List of known Googlebot IP ranges", "SEARCH_ENGINES_AND_SERVICES", None),
            ("tlds", "TLDs as known by IANA", "", ANNOTATE),
            ("rfc1918", "List of RFC 1918 CIDR blocks", "", None),
        ] {
            let expected = (Category::find(category), action);
            assert_eq!(topic(folder, name), expected, "{folder}");
            assert_eq!(topic("", name), expected, "{name}");
        }
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("*-top*", "a-top5", true),
            ("vpn-ipv?", "vpn-ipv4", true),
            ("vpn-ipv?", "vpn-ipv", false),
            ("a", "ab", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
