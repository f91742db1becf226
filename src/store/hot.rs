//! The hot index of a run: which listings, benign entries, pins and networks match, in nanoseconds.
//!
//! Every row of a report carries the zone of another object, so a report asks a thousand times. A run's
//! entries stand in one array of 40-byte records sorted by a keyed hash of what they match, with a
//! directory over the top bits; ranges of addresses are flattened to disjoint segments, so that one
//! binary search finds all covering ones. Wildcards, which are few, are tried one by one.
//!
//! Layout, little-endian: a head of eight counts (u32 each: bits of the directory, entries, ranges, ranges and
//! wildcards, IPv4 segments, IPv6 segments, sets, bytes of texts), then the directory (u32 each), entries,
//! range entries, the bounds of ranges (two u128 each), IPv4 directory (65,537 u32), IPv4 starts (u32), IPv4 sets (u32), IPv6 starts (u128),
//! IPv6 sets (u32), sets (u32: a count and that many range entries), texts (JSON).

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::pages::{Damage, Pages};
use crate::indicator::{AddressRange, from_u128, to_u128};

const HEAD_BYTES: usize = 32;
const BOUNDS_BYTES: usize = 32;
const ENTRY_BYTES: usize = 40;
/// Entries a bucket of the directory, on average.
const BUCKET_ENTRIES: usize = 4;
const V4_DIRECTORY: usize = 65_537;
/// No value in a one-byte field.
pub const NONE: u8 = 255;

/// What kind of fact an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A listing.
    Listing = 1,
    /// A benign entry.
    Benign = 2,
    /// A pin.
    Pin = 3,
    /// A sighting.
    Sighting = 4,
    /// A file's verdict.
    FileVerdict = 5,
    /// A network with its autonomous system and country.
    Network = 6,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        [Kind::Listing, Kind::Benign, Kind::Pin, Kind::Sighting, Kind::FileVerdict, Kind::Network]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// One fact as the index holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Keyed hash of what it matches; of a network the prefix length, of other ranges and wildcards 0.
    pub hash: u64,
    /// What kind of fact.
    pub kind: Kind,
    /// The number of the mask's type, see `snapshot::mask_type_byte`.
    pub mask_type: u8,
    /// Listing, benign entry: index of the category; pin, file verdict: of the zone. [`NONE`]: none.
    pub category: u8,
    /// Listing: confidence 0 to 100; benign entry: the action. [`NONE`]: none.
    pub confidence: u8,
    /// The source.
    pub source: u16,
    /// Listing: the port of the mask, 0: any. Network: the country's two letters.
    pub port: u16,
    /// The run's first batch that has it, by position in the run's list of batches.
    pub from: u32,
    /// The run's last batch of the unbroken row of the source's batches that have it.
    pub to: u32,
    /// When it was first seen by the feed, Unix seconds; 0: the moment of the batch. Benign: the rank.
    pub first: u32,
    /// When it was last seen by the feed; 0: the moment of the batch.
    pub last: u32,
    /// Its expiry; 0: none.
    pub until: u32,
    /// Network: the autonomous system. Benign: the position of its list's name in the texts, from 1.
    pub extra: u32,
}

impl Entry {
    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.hash.to_le_bytes());
        bytes[8..12].copy_from_slice(&[self.kind as u8, self.mask_type, self.category, self.confidence]);
        bytes[12..14].copy_from_slice(&self.source.to_le_bytes());
        bytes[14..16].copy_from_slice(&self.port.to_le_bytes());
        let words = [self.from, self.to, self.first, self.last, self.until, self.extra];
        for (at, word) in words.into_iter().enumerate() {
            bytes[16 + at * 4..20 + at * 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Entry> {
        let bytes: &[u8; ENTRY_BYTES] = bytes.try_into().ok()?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some(Entry {
            hash: u64::from(word(0)) | u64::from(word(4)) << 32,
            kind: Kind::from_byte(bytes[8])?,
            mask_type: bytes[9],
            category: bytes[10],
            confidence: bytes[11],
            source: u16::from_le_bytes([bytes[12], bytes[13]]),
            port: u16::from_le_bytes([bytes[14], bytes[15]]),
            from: word(16),
            to: word(20),
            first: word(24),
            last: word(28),
            until: word(32),
            extra: word(36),
        })
    }
}

/// What an entry is looked up by, besides ranges. Each is hashed with a byte of its own.
#[derive(Clone, Copy, Debug)]
pub enum Probe<'a> {
    /// A host name without `www.`: masks of the host and, for names below, of the domain.
    Name(&'a str),
    /// An address.
    Address(IpAddr),
    /// A normalised URL.
    Url(&'a str),
    /// `host/folder/` of a folder mask.
    Folder(&'a str),
    /// `host/script` of a script mask.
    Script(&'a str),
    /// The bytes of a file's hash.
    File(&'a [u8]),
    /// An object's key: pins and sightings of exactly that object.
    Object(&'a [u8]),
}

impl Probe<'_> {
    /// The keyed hash; never 0.
    pub fn hash(&self, seed: u64) -> u64 {
        let of = |kind: u64, bytes: &[u8]| xxh3_64_with_seed(bytes, seed.wrapping_add(kind)).max(1);
        match self {
            Probe::Name(name) => of(1, name.as_bytes()),
            Probe::Address(address) => of(2, &to_u128(*address).to_be_bytes()),
            Probe::Url(key) => of(3, key.as_bytes()),
            Probe::Folder(text) => of(4, text.as_bytes()),
            Probe::Script(text) => of(5, text.as_bytes()),
            Probe::File(bytes) => of(6, bytes),
            Probe::Object(key) => of(7, key),
        }
    }
}

/// Texts that entries refer to.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Texts {
    /// Names of benign lists.
    pub lists: Vec<String>,
    /// Wildcards with the positions of their entries among the range entries.
    pub wildcards: Vec<(String, u32)>,
}

/// Collects the entries of a run and writes them.
#[derive(Default)]
pub struct Builder {
    entries: Vec<Entry>,
    ranges: Vec<(u128, u128, Entry)>,
    wildcards: Vec<(String, Entry)>,
    lists: HashMap<String, u32>,
    texts: Texts,
}

impl Builder {
    /// Adds an entry that is found by its hash.
    pub fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Adds an entry that covers a range of addresses.
    pub fn add_range(&mut self, range: &AddressRange, entry: Entry) {
        self.ranges.push((to_u128(range.first()), to_u128(range.last()), entry));
    }

    /// Adds a wildcard.
    pub fn add_wildcard(&mut self, text: &str, entry: Entry) {
        self.wildcards.push((text.to_owned(), entry));
    }

    /// The position of a list's name among the texts, from 1.
    pub fn list(&mut self, name: &str) -> u32 {
        if let Some(position) = self.lists.get(name) {
            return *position;
        }
        self.texts.lists.push(name.to_owned());
        let position = u32::try_from(self.texts.lists.len()).unwrap_or(0);
        self.lists.insert(name.to_owned(), position);
        position
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.ranges.is_empty() && self.wildcards.is_empty()
    }

    /// Writes the index.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        self.entries.sort_unstable_by_key(|entry| (entry.hash, entry.source, entry.from, entry.encode()));
        let bits = (self.entries.len() / BUCKET_ENTRIES).max(1).ilog2();
        let (v4, v6, sets) = self.flatten();
        let ranges: Vec<Entry> = self
            .ranges
            .iter()
            .map(|range| range.2)
            .chain(self.wildcards.iter().map(|wildcard| wildcard.1))
            .collect();
        let first_wildcard = u32::try_from(self.ranges.len()).map_err(io::Error::other)?;
        self.texts.wildcards =
            self.wildcards.into_iter().zip(first_wildcard..).map(|((text, _), at)| (text, at)).collect();
        let texts = serde_json::to_vec(&self.texts)?;
        let counts = [
            bits as usize,
            self.entries.len(),
            self.ranges.len(),
            ranges.len(),
            v4.len(),
            v6.len(),
            sets.len(),
            texts.len(),
        ];
        for count in counts {
            out.write_all(&u32::try_from(count).map_err(io::Error::other)?.to_le_bytes())?;
        }
        let mut at = 0;
        for bucket in 0..=1u64 << bits {
            while at < self.entries.len() && bucket_of(self.entries[at].hash, bits) < bucket {
                at += 1;
            }
            out.write_all(&(at as u32).to_le_bytes())?;
        }
        for entry in self.entries.iter().chain(&ranges) {
            out.write_all(&entry.encode())?;
        }
        for (first, last, _) in &self.ranges {
            out.write_all(&first.to_le_bytes())?;
            out.write_all(&last.to_le_bytes())?;
        }
        write_v4_directory(&v4, out)?;
        v4.iter().try_for_each(|(start, _)| out.write_all(&(*start as u32).to_le_bytes()))?;
        v4.iter().try_for_each(|(_, set)| out.write_all(&set.to_le_bytes()))?;
        v6.iter().try_for_each(|(start, _)| out.write_all(&start.to_le_bytes()))?;
        v6.iter().try_for_each(|(_, set)| out.write_all(&set.to_le_bytes()))?;
        sets.iter().try_for_each(|word| out.write_all(&word.to_le_bytes()))?;
        out.write_all(&texts)
    }

    /// Disjoint segments of the address space, each with the ranges that cover it.
    #[expect(clippy::type_complexity, reason = "used once, two lines below its making")]
    fn flatten(&mut self) -> (Vec<(u128, u32)>, Vec<(u128, u32)>, Vec<u32>) {
        self.ranges.sort_unstable_by_key(|(first, last, entry)| (*first, !*last, entry.encode()));
        let mut events: Vec<(u128, bool, u32)> = Vec::with_capacity(self.ranges.len() * 2);
        for (index, (first, last, _)) in self.ranges.iter().enumerate() {
            let index = index as u32;
            events.push((*first, true, index));
            if let Some(end) = last.checked_add(1) {
                events.push((end, false, index));
            }
        }
        events.sort_unstable();
        let (mut v4, mut v6, mut sets) = (Vec::new(), Vec::new(), vec![0u32]);
        let mut known: HashMap<Vec<u32>, u32> = HashMap::from([(Vec::new(), 0)]);
        let mut active: Vec<u32> = Vec::new();
        let mut at = 0;
        while at < events.len() {
            let position = events[at].0;
            while at < events.len() && events[at].0 == position {
                let (_, starts, index) = events[at];
                match active.binary_search(&index) {
                    Err(place) if starts => active.insert(place, index),
                    Ok(place) if !starts => {
                        active.remove(place);
                    }
                    _ => {}
                }
                at += 1;
            }
            let set = *known.entry(active.clone()).or_insert_with(|| {
                let set = sets.len() as u32;
                sets.push(active.len() as u32);
                sets.extend_from_slice(&active);
                set
            });
            match position.checked_sub(V4_FIRST).filter(|v4| *v4 <= u128::from(u32::MAX)) {
                Some(start) => v4.push((start, set)),
                // The segment after the last IPv4 one belongs to IPv6.
                None => v6.push((position, set)),
            }
        }
        (v4, v6, sets)
    }
}

/// `::ffff:0.0.0.0`.
const V4_FIRST: u128 = 0xffff_0000_0000;

fn bucket_of(hash: u64, bits: u32) -> u64 {
    if bits == 0 { 0 } else { hash >> (64 - bits) }
}

fn write_v4_directory(v4: &[(u128, u32)], out: &mut impl Write) -> io::Result<()> {
    let mut at = 0;
    for top in 0..V4_DIRECTORY as u128 {
        while at < v4.len() && v4[at].0 >> 16 < top {
            at += 1;
        }
        out.write_all(&(at as u32).to_le_bytes())?;
    }
    Ok(())
}

/// The index of one run, mapped.
pub struct Hot {
    pages: Arc<Pages>,
    bits: u32,
    directory: usize,
    entries: usize,
    entry_count: usize,
    ranges: usize,
    bounds: usize,
    v4_directory: usize,
    v4_starts: usize,
    v4_count: usize,
    v6_starts: usize,
    v6_count: usize,
    sets: usize,
    /// Names of lists, wildcards.
    pub texts: Texts,
}

impl Hot {
    /// Opens the index that stands at `section` of a run; `None` where it is empty.
    ///
    /// # Errors
    ///
    /// [`Damage`] where it is not what was written.
    pub fn open(pages: &Arc<Pages>, section: Range<usize>) -> Result<Option<Hot>, Damage> {
        if section.is_empty() {
            return Ok(None);
        }
        let head = pages.bytes(section.start..section.start + HEAD_BYTES)?;
        let count = |at: usize| word(head, at) as usize;
        let (bits, entry_count, bound_count, range_count) = (word(head, 0), count(1), count(2), count(3));
        let (v4_count, v6_count, set_words, text_bytes) = (count(4), count(5), count(6), count(7));
        let directory = section.start + HEAD_BYTES;
        let entries = directory + ((1usize << bits.min(31)) + 1) * 4;
        let ranges = entries + entry_count * ENTRY_BYTES;
        let bounds = ranges + range_count * ENTRY_BYTES;
        let v4_directory = bounds + bound_count * BOUNDS_BYTES;
        let v4_starts = v4_directory + V4_DIRECTORY * 4;
        let v6_starts = v4_starts + v4_count * 8;
        let sets = v6_starts + v6_count * 20;
        let texts = sets + set_words * 4;
        if texts + text_bytes != section.end {
            return Err(pages.damage("the hot index (lengths)"));
        }
        let texts = serde_json::from_slice(pages.bytes(texts..section.end)?)
            .map_err(|error| pages.damage(format!("the hot index (texts: {error})")))?;
        Ok(Some(Hot {
            pages: pages.clone(),
            bits,
            directory,
            entries,
            entry_count,
            ranges,
            bounds,
            v4_directory,
            v4_starts,
            v4_count,
            v6_starts,
            v6_count,
            sets,
            texts,
        }))
    }

    /// How many entries are found by hash.
    pub fn entry_count(&self) -> usize {
        self.entry_count
    }

    /// The entry at a position: they stand in the order of their hashes.
    ///
    /// # Errors
    ///
    /// [`Damage`] where its page is wrong.
    pub fn entry_at(&self, index: usize) -> Result<Entry, Damage> {
        let at = self.entries + index * ENTRY_BYTES;
        self.entry(self.pages.bytes(at..at + ENTRY_BYTES)?)
    }

    /// How many range entries there are, wildcards included, which stand after the ranges.
    pub fn range_count(&self) -> usize {
        (self.bounds - self.ranges) / ENTRY_BYTES
    }

    /// How many of the range entries are ranges: they stand in the order of their first address.
    pub fn bound_count(&self) -> usize {
        (self.v4_directory - self.bounds) / BOUNDS_BYTES
    }

    /// Calls `found` with every entry of this hash.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page that was needed is wrong.
    #[inline]
    pub fn find(&self, hash: u64, found: &mut impl FnMut(Entry)) -> Result<(), Damage> {
        let bucket = self.directory + bucket_of(hash, self.bits) as usize * 4;
        let bounds = self.pages.bytes(bucket..bucket + 8)?;
        let (start, end) = (word(bounds, 0) as usize, word(bounds, 1) as usize);
        if start >= end || end > self.entry_count {
            return Ok(());
        }
        let bytes = self.pages.bytes(self.entries + start * ENTRY_BYTES..self.entries + end * ENTRY_BYTES)?;
        let wanted = hash.to_le_bytes();
        for bytes in bytes.chunks_exact(ENTRY_BYTES) {
            if bytes[..8] == wanted {
                found(self.entry(bytes)?);
            }
        }
        Ok(())
    }

    /// Calls `found` with every entry whose range holds the address.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page that was needed is wrong.
    pub fn find_covering(&self, address: IpAddr, found: &mut impl FnMut(u32, Entry)) -> Result<(), Damage> {
        let Some(set) = self.set_of(to_u128(address))? else { return Ok(()) };
        let count = word(self.pages.bytes(self.sets + set * 4..self.sets + set * 4 + 4)?, 0) as usize;
        let at = self.sets + set * 4 + 4;
        for index in self.pages.bytes(at..at + count * 4)?.chunks_exact(4) {
            let index = word(index, 0);
            found(index, self.range_entry(index)?);
        }
        Ok(())
    }

    /// The range entry or wildcard entry at a position.
    ///
    /// # Errors
    ///
    /// [`Damage`] where its page is wrong.
    pub fn range_entry(&self, index: u32) -> Result<Entry, Damage> {
        let at = self.ranges + index as usize * ENTRY_BYTES;
        self.entry(self.pages.bytes(at..at + ENTRY_BYTES)?)
    }

    /// The first and last address of a range.
    ///
    /// # Errors
    ///
    /// [`Damage`] where its page is wrong.
    pub fn bounds(&self, index: u32) -> Result<Option<AddressRange>, Damage> {
        let at = self.bounds + index as usize * BOUNDS_BYTES;
        let bytes = self.pages.bytes(at..at + BOUNDS_BYTES)?;
        let number = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"));
        let (first, last) = (from_u128(number(&bytes[..16])), from_u128(number(&bytes[16..])));
        Ok(AddressRange::new(first, last))
    }

    fn entry(&self, bytes: &[u8]) -> Result<Entry, Damage> {
        Entry::decode(bytes).ok_or_else(|| self.pages.damage("the hot index (an entry)"))
    }

    /// The set of ranges that hold an address.
    fn set_of(&self, address: u128) -> Result<Option<usize>, Damage> {
        let v4 = address.checked_sub(V4_FIRST).filter(|v4| *v4 <= u128::from(u32::MAX));
        if let Some(v4) = v4 {
            let at = self.v4_directory + (v4 >> 16) as usize * 4;
            let bounds = self.pages.bytes(at..at + 8)?;
            let (low, high) = (word(bounds, 0) as usize, word(bounds, 1) as usize);
            let starts = self.pages.bytes(self.v4_starts + low * 4..self.v4_starts + high * 4)?;
            let within = partition(starts.len() / 4, |index| u128::from(word(starts, index)) <= v4);
            return self.set_at(self.v4_starts + self.v4_count * 4, low + within);
        }
        let starts = self.pages.bytes(self.v6_starts..self.v6_starts + self.v6_count * 16)?;
        let start = |index: usize| {
            u128::from_le_bytes(starts[index * 16..index * 16 + 16].try_into().expect("sixteen bytes"))
        };
        let count = partition(self.v6_count, |index| start(index) <= address);
        // A segment that begins below the IPv4 block does not reach beyond it.
        if count > 0 && start(count - 1) < V4_FIRST && address > V4_FIRST {
            return Ok(None);
        }
        self.set_at(self.v6_starts + self.v6_count * 16, count)
    }

    /// The set of the last of `count` segments that begin at or before the address.
    fn set_at(&self, sets: usize, count: usize) -> Result<Option<usize>, Damage> {
        let Some(index) = count.checked_sub(1) else { return Ok(None) };
        let at = sets + index * 4;
        Ok(Some(word(self.pages.bytes(at..at + 4)?, 0) as usize))
    }
}

/// How many of `len` sorted things satisfy `low`, which holds for a first part of them.
fn partition(len: usize, low: impl Fn(usize) -> bool) -> usize {
    let (mut start, mut end) = (0, len);
    while start < end {
        let middle = start.midpoint(end);
        if low(middle) { start = middle + 1 } else { end = middle }
    }
    start
}

#[inline]
fn word(bytes: &[u8], index: usize) -> u32 {
    let at = index * 4;
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
