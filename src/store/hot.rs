//! The hot index of a run: which listings, benign entries, pins and networks match, in nanoseconds.
//!
//! Every row of a report carries the zone of another object, so a report asks a thousand times, mostly in vain:
//! a filter says no first. A run's entries stand in one array of 32-byte records sorted by a keyed hash of what
//! they match, with a directory over its top bits; ranges of addresses are flattened to disjoint segments, so
//! that one binary search finds all covering ones. Wildcards, which are few, are tried one by one.
//!
//! Layout, little-endian: a head of counts (u32 each, see `Counts`), then the filter, the directory (u32 each), entries,
//! range entries, the bounds of ranges (two u128 each, of IPv4 ranges two u32), IPv4 directory (65,537 u32), IPv4 segments (start and set, u32 each), IPv6 starts (u128),
//! IPv6 sets (u32), sets (u32: range entries, the last of a set with its top bit set), texts (JSON).

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::filter;
use super::pages::{Damage, Pages};
use crate::indicator::{AddressRange, Mask, MaskType, from_u128, to_u128};

const BOUNDS_BYTES: usize = 32;
const V4_BOUNDS_BYTES: usize = 8;
const ENTRY_BYTES: usize = 32;
/// Bits of a hash that an entry keeps: its place in the directory tells the others.
const HASH_BITS: u32 = 56;
/// The least bits of the directory, so that it does.
const DIRECTORY_BITS_MIN: u32 = 64 - HASH_BITS;
/// The last range entry of a set.
const SET_END: u32 = 1 << 31;
/// More batches than this a run cannot have.
const BATCHES_MAX: u32 = 1 << 24;
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
        // In the order of their numbers, which begin at 1.
        const KINDS: [Kind; 6] =
            [Kind::Listing, Kind::Benign, Kind::Pin, Kind::Sighting, Kind::FileVerdict, Kind::Network];
        KINDS.get(usize::from(byte).checked_sub(1)?).copied()
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
    /// The last four bytes: what kinds have besides the moments.
    fn last_word(&self) -> u32 {
        if self.has_extra() { self.extra } else { self.until }
    }

    /// Benign entries and networks have no expiry, the others nothing besides one.
    fn has_extra(&self) -> bool {
        matches!(self.kind, Kind::Benign | Kind::Network)
    }

    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..7].copy_from_slice(&self.hash.to_le_bytes()[..7]);
        bytes[7] = self.kind as u8 | self.mask_type << 4;
        bytes[8] = self.category;
        bytes[9] = self.confidence;
        bytes[10..12].copy_from_slice(&self.source.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.port.to_le_bytes());
        bytes[14..17].copy_from_slice(&self.from.to_le_bytes()[..3]);
        bytes[17..20].copy_from_slice(&self.to.to_le_bytes()[..3]);
        for (at, word) in [self.first, self.last, self.last_word()].into_iter().enumerate() {
            bytes[20 + at * 4..24 + at * 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads an entry; `high` are the bits of its hash that it does not keep.
    fn decode(bytes: &[u8], high: u64) -> Option<Entry> {
        let bytes: &[u8; ENTRY_BYTES] = bytes.try_into().ok()?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let three = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], 0]);
        let low = u64::from(word(0)) | u64::from(three(4)) << 32;
        let mut entry = Entry {
            hash: low | high << HASH_BITS,
            kind: Kind::from_byte(bytes[7] & 15)?,
            mask_type: bytes[7] >> 4,
            category: bytes[8],
            confidence: bytes[9],
            source: u16::from_le_bytes([bytes[10], bytes[11]]),
            port: u16::from_le_bytes([bytes[12], bytes[13]]),
            from: three(14),
            to: three(17),
            first: word(20),
            last: word(24),
            until: 0,
            extra: 0,
        };
        let last = word(28);
        if entry.has_extra() {
            entry.extra = last;
        } else {
            entry.until = last;
        }
        Some(entry)
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

/// The wildcards of an index, by the host that they are on; those of no fixed host one by one.
#[derive(Default)]
struct Wildcards {
    /// With the positions of their entries among the range entries.
    all: Vec<(Mask, u32)>,
    by_host: HashMap<Box<str>, Vec<usize>>,
    on_any_host: Vec<usize>,
}

impl Wildcards {
    fn new(texts: &Texts) -> Wildcards {
        let mut wildcards = Wildcards::default();
        for (text, at) in &texts.wildcards {
            // What a later version wrote and this one does not read matches nothing.
            let Ok(mask) = Mask::from_key(MaskType::Wildcard, text, None) else { continue };
            let host = text.split(['/', '?']).next().unwrap_or_default();
            let place = wildcards.all.len();
            if host.contains('*') {
                wildcards.on_any_host.push(place);
            } else {
                wildcards.by_host.entry(host.into()).or_default().push(place);
            }
            wildcards.all.push((mask, *at));
        }
        wildcards
    }

    /// Those that can match something on a host.
    fn on(&self, host: &str) -> impl Iterator<Item = &(Mask, u32)> {
        let fixed = if self.by_host.is_empty() { None } else { self.by_host.get(host) };
        fixed.into_iter().flatten().chain(&self.on_any_host).filter_map(|place| self.all.get(*place))
    }
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
        let too_many = || io::Error::other("a run has at most 16,777,215 batches");
        let mut all = self.entries.iter().chain(self.ranges.iter().map(|range| &range.2));
        if all.any(|entry| entry.to >= BATCHES_MAX) {
            return Err(too_many());
        }
        self.entries.sort_unstable_by_key(|entry| (entry.hash, entry.source, entry.from, entry.encode()));
        let bits = (self.entries.len() / BUCKET_ENTRIES).max(1).ilog2().max(DIRECTORY_BITS_MIN);
        let hashes: Vec<u64> = self.entries.iter().map(|entry| entry.hash).collect();
        let filter = filter::build(&hashes, filter::KEY_BITS);
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
        let below_v4 = self.ranges.partition_point(|(first, _, _)| *first < V4_FIRST);
        let counts = Counts {
            bits: bits as usize,
            filter_bytes: filter.len(),
            entries: self.entries.len(),
            below_v4,
            v4_ranges: self.ranges.partition_point(|(first, _, _)| *first <= V4_LAST) - below_v4,
            ranges: self.ranges.len(),
            range_entries: ranges.len(),
            v4_segments: v4.len(),
            v6_segments: v6.len(),
            set_words: sets.len(),
            text_bytes: texts.len(),
        };
        counts.write(out)?;
        out.write_all(&filter)?;
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
        for (at, (first, last, _)) in self.ranges.iter().enumerate() {
            if counts.is_v4(at) {
                out.write_all(&(*first as u32).to_le_bytes())?;
                out.write_all(&(*last as u32).to_le_bytes())?;
            } else {
                out.write_all(&first.to_le_bytes())?;
                out.write_all(&last.to_le_bytes())?;
            }
        }
        write_v4_directory(&v4, out)?;
        for (start, set) in &v4 {
            out.write_all(&(*start as u32).to_le_bytes())?;
            out.write_all(&set.to_le_bytes())?;
        }
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
                sets.extend_from_slice(&active);
                if let Some(last) = sets.last_mut() {
                    *last |= SET_END;
                }
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
/// `::ffff:255.255.255.255`.
const V4_LAST: u128 = V4_FIRST + u32::MAX as u128;

/// How many there are of each thing in an index; the head of its layout.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Bits of the hash that the directory goes by.
    bits: usize,
    filter_bytes: usize,
    entries: usize,
    /// Ranges before those of IPv4.
    below_v4: usize,
    v4_ranges: usize,
    /// Ranges in all.
    ranges: usize,
    /// Entries of ranges, then of wildcards.
    range_entries: usize,
    v4_segments: usize,
    v6_segments: usize,
    set_words: usize,
    text_bytes: usize,
}

const HEAD_BYTES: usize = 44;

impl Counts {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for count in [
            self.bits,
            self.filter_bytes,
            self.entries,
            self.below_v4,
            self.v4_ranges,
            self.ranges,
            self.range_entries,
            self.v4_segments,
            self.v6_segments,
            self.set_words,
            self.text_bytes,
        ] {
            out.write_all(&u32::try_from(count).map_err(io::Error::other)?.to_le_bytes())?;
        }
        Ok(())
    }

    /// Reads the counts of a head.
    fn read(head: &[u8]) -> Counts {
        let count = |at: usize| word(head, at) as usize;
        Counts {
            bits: count(0).min(31),
            filter_bytes: count(1),
            entries: count(2),
            below_v4: count(3),
            v4_ranges: count(4),
            ranges: count(5),
            range_entries: count(6),
            v4_segments: count(7),
            v6_segments: count(8),
            set_words: count(9),
            text_bytes: count(10),
        }
    }

    fn is_v4(&self, range: usize) -> bool {
        (self.below_v4..self.below_v4 + self.v4_ranges).contains(&range)
    }

    /// Where the bounds of a range stand, from the start of all bounds.
    fn bounds_at(&self, range: usize) -> usize {
        let v4 = range.saturating_sub(self.below_v4).min(self.v4_ranges);
        (range - v4) * BOUNDS_BYTES + v4 * V4_BOUNDS_BYTES
    }
}

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
    counts: Counts,
    filter: Range<usize>,
    // Where each part begins.
    directory: usize,
    entries: usize,
    ranges: usize,
    bounds: usize,
    v4_directory: usize,
    v4_segments: usize,
    v6_starts: usize,
    sets: usize,
    wildcards: Wildcards,
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
        let counts = Counts::read(pages.bytes(section.start..section.start + HEAD_BYTES)?);
        let filter = section.start + HEAD_BYTES..section.start + HEAD_BYTES + counts.filter_bytes;
        let directory = filter.end;
        let entries = directory + ((1usize << counts.bits) + 1) * 4;
        let ranges = entries + counts.entries * ENTRY_BYTES;
        let bounds = ranges + counts.range_entries * ENTRY_BYTES;
        let v4_directory = bounds + counts.bounds_at(counts.ranges);
        let v4_segments = v4_directory + V4_DIRECTORY * 4;
        let v6_starts = v4_segments + counts.v4_segments * 8;
        let sets = v6_starts + counts.v6_segments * 20;
        let texts = sets + counts.set_words * 4;
        if texts + counts.text_bytes != section.end {
            return Err(pages.damage("the hot index (lengths)"));
        }
        let texts: Texts = serde_json::from_slice(pages.bytes(texts..section.end)?)
            .map_err(|error| pages.damage(format!("the hot index (texts: {error})")))?;
        Ok(Some(Hot {
            pages: pages.clone(),
            counts,
            filter,
            directory,
            entries,
            ranges,
            bounds,
            v4_directory,
            v4_segments,
            v6_starts,
            sets,
            wildcards: Wildcards::new(&texts),
            texts,
        }))
    }

    /// Bytes of all of it.
    pub fn bytes(&self) -> usize {
        self.sets + self.counts.set_words * 4 + self.counts.text_bytes + HEAD_BYTES - self.filter.start
    }

    /// How many entries are found by hash.
    pub fn entry_count(&self) -> usize {
        self.counts.entries
    }

    /// The entry at a position: they stand in the order of their hashes.
    ///
    /// # Errors
    ///
    /// [`Damage`] where its page is wrong.
    pub fn entry_at(&self, index: usize) -> Result<Entry, Damage> {
        let directory = self.pages.bytes(self.directory..self.entries)?;
        let before = partition(1 << self.counts.bits, |bucket| word(directory, bucket) as usize <= index);
        let bucket = before.saturating_sub(1) as u64;
        let at = self.entries + index * ENTRY_BYTES;
        let high = bucket >> (self.counts.bits as u32).saturating_sub(64 - HASH_BITS);
        self.entry(self.pages.bytes(at..at + ENTRY_BYTES)?, high)
    }

    /// How many range entries there are, wildcards included, which stand after the ranges.
    pub fn range_count(&self) -> usize {
        self.counts.range_entries
    }

    /// How many of the range entries are ranges: they stand in the order of their first address.
    pub fn bound_count(&self) -> usize {
        self.counts.ranges
    }

    /// Calls `found` with every entry of this hash.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page that was needed is wrong.
    #[inline]
    pub fn find(&self, hash: u64, found: &mut impl FnMut(Entry)) -> Result<(), Damage> {
        let block = filter::block_of(hash, self.filter.len() / filter::BLOCK_BYTES) * filter::BLOCK_BYTES;
        let block = self.filter.start + block;
        if !filter::block_has(self.pages.bytes(block..block + filter::BLOCK_BYTES)?, hash) {
            return Ok(());
        }
        let bucket = self.directory + bucket_of(hash, self.counts.bits as u32) as usize * 4;
        let bounds = self.pages.bytes(bucket..bucket + 8)?;
        let (start, end) = (word(bounds, 0) as usize, word(bounds, 1) as usize);
        if start >= end || end > self.counts.entries {
            return Ok(());
        }
        let bytes = self.pages.bytes(self.entries + start * ENTRY_BYTES..self.entries + end * ENTRY_BYTES)?;
        let wanted = hash.to_le_bytes();
        for bytes in bytes.chunks_exact(ENTRY_BYTES) {
            if bytes[..7] == wanted[..7] {
                found(self.entry(bytes, hash >> HASH_BITS)?);
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
        let Some(set) = self.set_of(to_u128(address))?.filter(|set| *set > 0) else { return Ok(()) };
        for word_at in set..self.counts.set_words {
            let at = self.sets + word_at * 4;
            let index = word(self.pages.bytes(at..at + 4)?, 0);
            found(index & !SET_END, self.range_entry(index & !SET_END)?);
            if index & SET_END != 0 {
                break;
            }
        }
        Ok(())
    }

    /// Calls `found` with the position of every network that an autonomous system announces.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page that was needed is wrong.
    pub fn networks_of(&self, asn: u32, found: &mut impl FnMut(u32)) -> Result<(), Damage> {
        let end = self.ranges + self.counts.ranges * ENTRY_BYTES;
        if self.ranges == end {
            return Ok(());
        }
        // Hundreds of thousands of entries: no more of each is read than must be.
        for (at, bytes) in self.pages.bytes(self.ranges..end)?.chunks_exact(ENTRY_BYTES).enumerate() {
            if word(bytes, 7) == asn && bytes[7] & 15 == Kind::Network as u8 {
                found(at as u32);
            }
        }
        Ok(())
    }

    /// Calls `found` with every wildcard that can match something on a host (as in a key, without `www.`), and
    /// its entry: whether it does is the caller's to ask.
    ///
    /// # Errors
    ///
    /// [`Damage`] where a page that was needed is wrong.
    pub fn wildcards_on(&self, host: &str, found: &mut impl FnMut(&Mask, Entry)) -> Result<(), Damage> {
        for (mask, at) in self.wildcards.on(host) {
            found(mask, self.range_entry(*at)?);
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
        self.entry(self.pages.bytes(at..at + ENTRY_BYTES)?, 0)
    }

    /// The first and last address of a range.
    ///
    /// # Errors
    ///
    /// [`Damage`] where its page is wrong.
    pub fn bounds(&self, index: u32) -> Result<Option<AddressRange>, Damage> {
        let index = index as usize;
        let at = self.bounds + self.counts.bounds_at(index);
        let (first, last) = if self.counts.is_v4(index) {
            let bytes = self.pages.bytes(at..at + V4_BOUNDS_BYTES)?;
            (V4_FIRST + u128::from(word(bytes, 0)), V4_FIRST + u128::from(word(bytes, 1)))
        } else {
            let bytes = self.pages.bytes(at..at + BOUNDS_BYTES)?;
            let number = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"));
            (number(&bytes[..16]), number(&bytes[16..]))
        };
        Ok(AddressRange::new(from_u128(first), from_u128(last)))
    }

    fn entry(&self, bytes: &[u8], high: u64) -> Result<Entry, Damage> {
        Entry::decode(bytes, high).ok_or_else(|| self.pages.damage("the hot index (an entry)"))
    }

    /// The set of ranges that hold an address.
    fn set_of(&self, address: u128) -> Result<Option<usize>, Damage> {
        let v4 = address.checked_sub(V4_FIRST).filter(|v4| *v4 <= u128::from(u32::MAX));
        if let Some(v4) = v4 {
            let at = self.v4_directory + (v4 >> 16) as usize * 4;
            let bounds = self.pages.bytes(at..at + 8)?;
            let (low, high) = (word(bounds, 0) as usize, word(bounds, 1) as usize);
            let segments = self.pages.bytes(self.v4_segments + low * 8..self.v4_segments + high * 8)?;
            let within = partition(segments.len() / 8, |at| u128::from(word(segments, at * 2)) <= v4);
            return match within.checked_sub(1) {
                Some(at) => Ok(Some(word(segments, at * 2 + 1) as usize)),
                // The one that begins before these holds it.
                None => self.v4_set(low),
            };
        }
        let (mut count, mut end) = (0, self.counts.v6_segments);
        while count < end {
            let middle = count.midpoint(end);
            if self.v6_start(middle)? <= address {
                count = middle + 1;
            } else {
                end = middle;
            }
        }
        // A segment that begins below the IPv4 block does not reach beyond it.
        if count > 0 && address > V4_FIRST && self.v6_start(count - 1)? < V4_FIRST {
            return Ok(None);
        }
        self.set_at(self.v6_starts + self.counts.v6_segments * 16, count)
    }

    /// Where an IPv6 segment begins.
    fn v6_start(&self, index: usize) -> Result<u128, Damage> {
        let at = self.v6_starts + index * 16;
        Ok(u128::from_le_bytes(self.pages.bytes(at..at + 16)?.try_into().expect("sixteen bytes")))
    }

    /// The set of the last of the first `count` IPv4 segments.
    fn v4_set(&self, count: usize) -> Result<Option<usize>, Damage> {
        let Some(at) = count.checked_sub(1) else { return Ok(None) };
        let at = self.v4_segments + at * 8;
        Ok(Some(word(self.pages.bytes(at..at + 8)?, 1) as usize))
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

#[cfg(test)]
mod tests;
