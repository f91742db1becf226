//! `openioc`: indicators of compromise as XML, OpenIOC 1.0 (Mandiant) and 1.1.
//!
//! Schemas: <https://github.com/fireeye/OpenIOC_1.1>. Each document is a [`Publication`] by its `id`, and what its tree of
//! conditions says is bad alone is a [`Listing`] and a [`Mention`].
//!
//! | term | names |
//! |---|---|
//! | `Network/DNS`, `DnsEntryItem/Host`, `RouteEntryItem/Destination`, … ([`TERMS`]) | a host |
//! | `PortItem/remoteIP`, … | an address |
//! | `UrlHistoryItem/URL`, `Network/URI`, … | a web address |
//! | whatever ends with `md5sum`, `sha1sum`, `sha256sum` | a file |
//!
//! | condition | what is listed |
//! |---|---|
//! | `is` | exactly that host, web address or file |
//! | `contains`, `ends-with` | of a registrable name, the name and all below it, which are a part of what it says; of whole addresses, web addresses and hashes, that one |
//! | any other, and all that is negated | nothing: rejected as `condition` |
//!
//! Items under OR stand alone. Items under AND are bad only together, and no listing says so: they are rejected as
//! `combination`, unless they name one thing: the hashes of one file with its name, path, size or other traits; an
//! address with its port. Other terms (registry, processes, mail addresses) are rejected as `term`. A document with a DTD is rejected as
//! `dtd`: entities are never expanded.

use std::io::{self, Read};

use self::document::{Child, Document, Item};
use super::entry::{Entry, Fault, below, listing, shown};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, FileVerdict, Listed, Listing, Mention};
use crate::indicator::{FileHash, FileHashes, Host, Indicator};

mod document;

pub(super) const FORMAT: Format = Format {
    name: "openioc",
    title: "OpenIOC 1.0 and 1.1: indicators of compromise (XML)",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The largest document, in bytes: it is held whole.
const FILE_BYTES_MAX: u64 = 64 << 20;

fn recognise(sample: &Sample<'_>) -> bool {
    let schema = |name| sample.contains(name);
    sample.starts_with(b'<')
        && (schema("schemas.mandiant.com/2010/ioc")
            || schema("openioc.org/schemas/")
            || schema("<OpenIOC")
            || (schema("<IndicatorItem") && schema("<Context")))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return out.reject(1, "too long", format!("it is larger than {FILE_BYTES_MAX} bytes"), b"");
    }
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}'),
        Err(error) => {
            let at = error.valid_up_to();
            let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
            return out.reject(line, "encoding", "the document is not UTF-8", &bytes[at..]);
        }
    };
    let (documents, fault) = document::read(text);
    for document in &documents {
        out.fact(document.line, Fact::Publication(document.publication()))?;
        for child in &document.criteria {
            alone(document, child, out)?;
        }
    }
    match fault {
        Some((line, (reason, detail))) => {
            out.reject(line, reason, format!("{detail}: what comes after it is lost"), b"")
        }
        None if documents.is_empty() => out.reject(1, "document", "there is no ioc in it", text.as_bytes()),
        None => Ok(()),
    }
}

/// Lists what is bad by itself.
fn alone(document: &Document, child: &Child, out: &mut Emit<'_>) -> io::Result<()> {
    match child {
        Child::Item(item) => found(document, std::slice::from_ref(item), out),
        Child::Any(children) => children.iter().try_for_each(|child| alone(document, child, out)),
        Child::All(children) => match &children[..] {
            [only] => alone(document, only, out),
            several => {
                let items: Option<Vec<Item>> = several.iter().map(Child::item).collect();
                match items.filter(|items| is_one_thing(items)) {
                    Some(items) => found(document, &items, out),
                    None => several.iter().try_for_each(|child| together(child, out)),
                }
            }
        },
    }
}

/// Rejects what is bad only together with something else.
fn together(child: &Child, out: &mut Emit<'_>) -> io::Result<()> {
    match child {
        Child::Item(item) => {
            let detail = "it stands under AND: no listing says that several things must be seen together";
            out.reject(item.line, "combination", detail, item.text().as_bytes())
        }
        Child::Any(children) | Child::All(children) => {
            children.iter().try_for_each(|child| together(child, out))
        }
    }
}

/// What a term names.
#[derive(Clone, Copy, PartialEq)]
enum Term {
    Host,
    Address,
    Port,
    Url,
    Hash,
    /// Something else of the file that a hash names.
    Trait,
    Other,
}

/// The terms that name something, without case.
const TERMS: &[(&str, Term)] = &[
    ("Network/DNS", Term::Host),
    ("DnsEntryItem/Host", Term::Host),
    ("DnsEntryItem/RecordName", Term::Host),
    ("RouteEntryItem/Destination", Term::Host),
    ("UrlHistoryItem/HostName", Term::Host),
    ("CookieHistoryItem/HostName", Term::Host),
    ("FileDownloadHistoryItem/RemoteHostname", Term::Host),
    ("Email/ReceivedFromHost", Term::Host),
    ("Network/RemoteIP", Term::Address),
    ("PortItem/remoteIP", Term::Address),
    ("ProcessItem/PortList/PortItem/remoteIP", Term::Address),
    ("DnsEntryItem/RecordData/IPv4Address", Term::Address),
    ("DnsEntryItem/RecordData/IPv6Address", Term::Address),
    ("Email/ReceivedFromIP", Term::Address),
    ("PortItem/remotePort", Term::Port),
    ("ProcessItem/PortList/PortItem/remotePort", Term::Port),
    ("UrlHistoryItem/URL", Term::Url),
    ("UrlHistory/URL", Term::Url),
    ("Network/URI", Term::Url),
    ("FileDownloadHistoryItem/SourceURL", Term::Url),
];

/// How terms of the hash of a file end.
const HASHES: &[&str] = &["md5sum", "sha1sum", "sha256sum"];

fn term(item: &Item) -> Term {
    let lower = item.term.to_ascii_lowercase();
    if let Some((_, term)) = TERMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&lower)) {
        return *term;
    }
    match () {
        () if HASHES.iter().any(|end| lower.ends_with(end)) => Term::Hash,
        () if lower.starts_with("fileitem/") => Term::Trait,
        () => Term::Other,
    }
}

/// Whether items that must all hold name one thing: a file by its hashes, with its traits; an address with a port.
fn is_one_thing(items: &[Item]) -> bool {
    let count = |wanted: Term| items.iter().filter(|item| term(item) == wanted).count();
    let hashes = count(Term::Hash);
    (hashes > 0 && hashes + count(Term::Trait) == items.len())
        || (count(Term::Address) == 1 && count(Term::Port) == 1 && items.len() == 2)
}

/// Lists the one thing that items name, or rejects them.
fn found(document: &Document, items: &[Item], out: &mut Emit<'_>) -> io::Result<()> {
    let line = items.first().map_or(document.line, |item| item.line);
    let thing = match thing(items) {
        Ok(thing) => thing,
        Err((reason, detail)) => {
            let texts: Vec<String> = items.iter().map(Item::text).collect();
            return out.reject(line, reason, detail, texts.join("\n").as_bytes());
        }
    };
    if let Some(traits) = thing.traits {
        out.fact(line, Fact::FileVerdict(traits))?;
    }
    if let Some(indicator) = thing.indicator {
        let publication = document.id.clone();
        out.fact(line, Fact::Mention(Mention { publication, indicator }))?;
    }
    for what in thing.listed {
        let (first, last, reference) = (document.created, document.changed(), Some(document.reference()));
        out.fact(line, Fact::Listing(Listing { first, last, reference, ..listing(what) }))?;
    }
    Ok(())
}

/// What items name together.
struct Thing {
    listed: Vec<Listed>,
    /// A network is none.
    indicator: Option<Indicator>,
    /// Of a file, if more is known than one hash.
    traits: Option<FileVerdict>,
}

fn thing(items: &[Item]) -> Result<Thing, Fault> {
    let of = |wanted: Term| items.iter().find(|item| term(item) == wanted);
    if of(Term::Hash).is_some() {
        return file(items);
    }
    let Some(item) = items.iter().find(|item| term(item) != Term::Port) else {
        return Err(("term", "a port is nothing without its host".to_owned()));
    };
    let kind = term(item);
    if matches!(kind, Term::Trait | Term::Other) {
        return Err(("term", format!("{} names nothing that is listed", shown(&item.term))));
    }
    let is_exact = is_exact(item)?;
    let reason = |reason| if kind == Term::Address { "address" } else { reason };
    let entry = Entry::parse(&item.content).map_err(|(word, detail)| (reason(word), detail))?;
    let wrong = || Err(("type", format!("{} is not what {} holds", shown(&item.content), shown(&item.term))));
    let entry = match (kind, entry) {
        (Term::Host, Entry::Host(Host::Domain(name), None)) if !is_exact => {
            if name.registrable().is_none() {
                let detail = format!("what contains {} is no one's alone", shown(&item.content));
                return Err(("condition", detail));
            }
            let listed = vec![Listed::Mask(below(&name))];
            return Ok(Thing { listed, indicator: Some(Indicator::Domain(name)), traits: None });
        }
        (Term::Host | Term::Address, entry @ (Entry::Network(_) | Entry::Range(_))) if is_exact => entry,
        (Term::Host, entry @ (Entry::Host(..) | Entry::Domain(_))) => entry,
        (Term::Address, Entry::Host(Host::Address(address), None)) => {
            let port = of(Term::Port).map(|item| port(item)).transpose()?;
            Entry::Host(Host::Address(address), port)
        }
        (Term::Url, entry @ Entry::Url(_)) => entry,
        // A host in the place of a web address is that of all its pages.
        (Term::Url, entry @ Entry::Host(..)) => entry,
        _ => return wrong(),
    };
    let listed = entry.listed();
    let indicator = match entry {
        Entry::Host(host, _) => Some(host.into()),
        Entry::Url(url) => Some(Indicator::Url(url)),
        Entry::Domain(name) => Some(Indicator::Domain(name)),
        Entry::File(_) | Entry::Network(_) | Entry::Range(_) => None,
    };
    Ok(Thing { listed, indicator, traits: None })
}

/// A file by its hashes.
fn file(items: &[Item]) -> Result<Thing, Fault> {
    let (mut file, mut names, mut size) = (FileHashes::default(), Vec::new(), None);
    for item in items {
        if term(item) == Term::Hash {
            is_exact(item)?;
            file.set(FileHash::parse(&item.content).map_err(|error| ("hash", error.to_string()))?);
        } else if item.negated {
            return Err(("condition", "what is not so narrows a file, and no listing says it".to_owned()));
        } else if item.term.eq_ignore_ascii_case("FileItem/FileName") && item.condition == "is" {
            names.push(item.content.clone());
        } else if item.term.eq_ignore_ascii_case("FileItem/SizeInBytes") && item.condition == "is" {
            size = item.content.parse().ok();
        }
    }
    let best = file.best().ok_or_else(|| ("hash", "the file has no MD5, SHA-1 or SHA-256".to_owned()))?;
    let is_more = file.iter().count() > 1 || !names.is_empty() || size.is_some();
    let traits = is_more.then(|| FileVerdict { file, names, size, ..FileVerdict::default() });
    Ok(Thing { listed: vec![Listed::File { file }], indicator: Some(Indicator::File(best)), traits })
}

/// Whether the whole text is meant, and not a part or the end of it.
fn is_exact(item: &Item) -> Result<bool, Fault> {
    match &*item.condition {
        _ if item.negated => Err(("condition", "what is not so is no indicator".to_owned())),
        "is" => Ok(true),
        "contains" | "ends-with" => Ok(false),
        other => Err(("condition", format!("no listing says {}", shown(other)))),
    }
}

fn port(item: &Item) -> Result<u16, Fault> {
    let port = item.content.parse().ok().filter(|port| *port > 0 && item.condition == "is" && !item.negated);
    port.ok_or_else(|| ("port", format!("{} is no port", shown(&item.content))))
}
