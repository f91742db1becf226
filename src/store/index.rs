//! Which statements stand in a run's hot index, and under what.

use std::io;

use serde::de::DeserializeOwned;

use super::hot::{Builder, Entry, Kind, NONE, Probe};
use super::key::{Table, object_len};
use super::observed::seconds;
use super::snapshot::mask_type_byte;
use super::value::{Entry as Stated, entries};
use crate::fact::{Action, Benign, FileVerdict, Listed, Listing, Network, Pin, Sighting};
use crate::indicator::{Host, Mask, MaskType};
use crate::value::{Timestamp, Zone};

/// Adds the statements of a row to the hot index of its run, where they belong there.
///
/// # Errors
///
/// Where a statement does not read back.
pub fn index_row(key: &[u8], value: &[u8], seed: u64, hot: &mut Builder) -> io::Result<()> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "a row is not what was written");
    let object = object_len(key).ok_or_else(bad)?;
    let table = key.get(object).and_then(|byte| Table::from_byte(*byte)).ok_or_else(bad)?;
    if table.is_observed() {
        return Ok(());
    }
    let source = key.last_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes)).ok_or_else(bad)?;
    for stated in entries(value) {
        let base = Entry {
            hash: Probe::Object(&key[..object]).hash(seed),
            kind: Kind::Listing,
            mask_type: 0,
            category: NONE,
            confidence: NONE,
            source,
            port: 0,
            from: stated.from,
            to: stated.to,
            first: 0,
            last: 0,
            until: 0,
            extra: 0,
        };
        index_statement(table, &key[..object], &stated, base, seed, hot)?;
    }
    Ok(())
}

fn index_statement(
    table: Table,
    object: &[u8],
    stated: &Stated<'_>,
    base: Entry,
    seed: u64,
    hot: &mut Builder,
) -> io::Result<()> {
    match table {
        Table::Listing => {
            let fact: Listing = read(stated)?;
            let entry = Entry {
                category: fact.category.map_or(NONE, |category| category.index()),
                confidence: fact.confidence.unwrap_or(NONE),
                first: optional(fact.first),
                last: optional(fact.last),
                until: optional(fact.until),
                ..base
            };
            add_listed(&fact.what, object, entry, seed, hot);
        }
        Table::Benign => {
            let fact: Benign = read(stated)?;
            let entry = Entry {
                kind: Kind::Benign,
                category: fact.category.map_or(NONE, |category| category.index()),
                confidence: fact.action.map_or(NONE, action_byte),
                first: fact.rank.unwrap_or(0),
                last: optional(fact.last),
                extra: fact.list.as_deref().map_or(0, |list| hot.list(list)),
                ..base
            };
            add_listed(&fact.what, object, entry, seed, hot);
        }
        Table::Pin => {
            let fact: Pin = read(stated)?;
            let (last, until) = (optional(fact.observed), optional(fact.expires));
            hot.add(Entry { kind: Kind::Pin, category: zone_byte(fact.zone), last, until, ..base });
        }
        Table::Sighting => {
            let fact: Sighting = read(stated)?;
            hot.add(Entry { kind: Kind::Sighting, last: optional(fact.observed), ..base });
        }
        Table::FileVerdict => {
            let fact: FileVerdict = read(stated)?;
            let Some(zone) = fact.zone else { return Ok(()) };
            let hash = Probe::File(&object[2..]).hash(seed);
            let entry = Entry { hash, kind: Kind::FileVerdict, category: zone_byte(zone), ..base };
            hot.add(Entry { last: optional(fact.observed), ..entry });
        }
        Table::Network => {
            let fact: Network = read(stated)?;
            let country = fact.country.map_or(0, |code| {
                let letters = code.as_str().as_bytes();
                u16::from_be_bytes([letters[0], letters[1]])
            });
            let entry = Entry { hash: 0, kind: Kind::Network, port: country, ..base };
            let extra = fact.asn.map_or(0, |asn| asn.0);
            hot.add_range(&fact.range, Entry { extra, last: optional(fact.observed), ..entry });
        }
        _ => {}
    }
    Ok(())
}

fn add_listed(what: &Listed, object: &[u8], entry: Entry, seed: u64, hot: &mut Builder) {
    match what {
        // The row stands at each hash of the file: this one is the object's.
        Listed::File { .. } => hot.add(Entry { hash: Probe::File(&object[2..]).hash(seed), ..entry }),
        Listed::Mask(mask) => {
            let mask_type = mask_type_byte(mask.mask_type());
            let entry = Entry { mask_type, port: mask.port().unwrap_or(0), ..entry };
            if let Some(prefix) = mask.prefix() {
                let hash = u64::from(prefix.length());
                return hot.add_range(&prefix.range(), Entry { hash, ..entry });
            }
            match mask_hash(mask, seed) {
                Some(hash) => hot.add(Entry { hash, ..entry }),
                None => hot.add_wildcard(mask.text(), Entry { hash: 0, ..entry }),
            }
        }
    }
}

/// What a mask is found by; `None` for wildcards.
fn mask_hash(mask: &Mask, seed: u64) -> Option<u64> {
    let text = mask.text();
    Some(match mask.mask_type() {
        MaskType::Host | MaskType::Domain => match mask.listed_under()? {
            Host::Domain(name) => Probe::Name(name.without_www()).hash(seed),
            Host::Address(address) => Probe::Address(address).hash(seed),
        },
        MaskType::Url => Probe::Url(text).hash(seed),
        MaskType::Folder => Probe::Folder(text.strip_suffix('*')?).hash(seed),
        MaskType::Script => Probe::Script(text.strip_suffix("?*")?).hash(seed),
        MaskType::Wildcard | MaskType::Network => return None,
    })
}

fn read<T: DeserializeOwned>(stated: &Stated<'_>) -> io::Result<T> {
    serde_json::from_slice(stated.payload).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("a statement does not read back: {error}"))
    })
}

fn optional(at: Option<Timestamp>) -> u32 {
    at.map_or(0, seconds)
}

/// The number of a zone in an entry.
pub fn zone_byte(zone: Zone) -> u8 {
    Zone::ALL.iter().position(|known| *known == zone).and_then(|at| u8::try_from(at).ok()).unwrap_or(NONE)
}

/// The zone with this number.
pub fn zone_of(byte: u8) -> Option<Zone> {
    Zone::ALL.get(usize::from(byte)).copied()
}

fn action_byte(action: Action) -> u8 {
    match action {
        Action::Suppress => 0,
        Action::Cap => 1,
        Action::Annotate => 2,
    }
}

/// The action with this number; `None`: the policy's choice.
pub fn action_of(byte: u8) -> Option<Action> {
    [Action::Suppress, Action::Cap, Action::Annotate].get(usize::from(byte)).copied()
}
