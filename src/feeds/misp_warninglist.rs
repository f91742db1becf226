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

use self::lists::topic;
use super::json_values::{JsonValues, VALUE_BYTES_MAX, first_keys};
use super::lenient::{AnyText, Text};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Benign, Fact, Listed};
use crate::indicator::{DomainName, FileHash, Host, Mask, Prefix, Url, parse_address};

mod lists;

pub(super) const FORMAT: Format = Format {
    name: "misp-warninglist",
    title: "MISP warning lists: harmless, popular and shared hosts and files (JSON)",
    state: State::Whole,
    proof: Proof::Real,
    recognise,
    open: || Box::new(read),
};

/// How much of a list's description is given as the reason.
const REASON_BYTES_MAX: usize = 160;

/// The digits of the shortest digest.
const HASH_DIGITS_MIN: usize = 32;

/// The keys of a list; one with other keys is another format.
const KEYS: &[&str] = &["name", "description", "version", "type", "category", "matching_attributes", "list"];

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
