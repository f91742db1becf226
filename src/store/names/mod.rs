//! The registrable names of a run, and what finds those that are like one.
//!
//! Names are kept as labels with the public suffixes under which each is known: `example` with `com` and `co.uk`. In
//! the run they stand as
//!
//! ```text
//! filter     on labels and keys (split block Bloom filter)
//! suffixes   where each begins (u32, one more than there are), then their texts; the most frequent first
//! segments   of up to 2,048 blocks each: blocks of 32 sorted labels, front-coded; where each begins (u32, one more
//!            than there are); eight bytes of the first label of each (u64); and for each pair of characters, which of
//!            the blocks have it (a bit a block)
//! places     where each segment and its table of blocks begin (two u64 a segment)
//! keys       of labels that look like another: hash (u32), number of the label (u32), sorted
//! hosts      `name tab host`, sorted lines: hosts that have the whole registrable name of another domain in them
//! ```
//!
//! A label that holds a text, or is a few edits from it, shares most pairs of characters with it. So the bits of a dozen
//! pairs say which blocks can have one, and no other block is read.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::filter;
use super::observed::take_varint;
use super::pages::{Damage, PageWriter, Pages};

mod block;
mod lines;
mod scan;
mod write;

pub use block::Block;
pub use scan::{Pairs, Wanted};
pub use write::Writer;

/// Labels in a block.
const BLOCK_LABELS: usize = 32;
/// Blocks in a segment.
const SEGMENT_BLOCKS: usize = 2048;
/// Classes of characters: letters, and all else as one, as which the ends of a label count. So words that stand alone
/// begin and end with the same pairs wherever they stand.
const CLASSES: usize = 27;
/// The letters that digits count as: those that seldom stand beside each other.
const DIGITS: &[u8; 10] = b"jqxzwvkyuf";
/// Pairs of classes: a row of bits each.
const ROWS: usize = CLASSES * CLASSES;
/// Bytes of a block's first label that stand beside those of the others.
const HEAD_BYTES: usize = 8;
/// Shared or own bytes of a label that a nibble says; more are said by a byte.
const NIBBLE: usize = 15;

/// The class of a character.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'0'..=b'9' => usize::from(DIGITS[usize::from(byte - b'0')] - b'a'),
        _ => CLASSES - 1,
    }
}

/// The first eight bytes of a label as a number of the same order.
fn head(label: &[u8]) -> u64 {
    let mut bytes = [0; HEAD_BYTES];
    let length = label.len().min(HEAD_BYTES);
    bytes[..length].copy_from_slice(&label[..length]);
    u64::from_be_bytes(bytes)
}

/// How many bytes two labels begin with alike.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// How long the parts are, and what is in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamesMeta {
    /// Distinct labels.
    pub labels: u64,
    /// Names: labels with a suffix.
    pub names: u64,
    /// Keys.
    pub keys: u64,
    /// Suffixes that have a number.
    pub suffixes: u64,
    /// Bytes of the filter, of the suffixes, of the segments and of the hosts.
    pub bytes: [u64; 4],
}

impl NamesMeta {
    fn blocks(&self) -> usize {
        (self.labels as usize).div_ceil(BLOCK_LABELS)
    }
}

/// A known label and the suffixes under which it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The label.
    pub label: CompactString,
    /// The public suffixes.
    pub suffixes: Vec<CompactString>,
}

impl Known {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.suffixes.iter().map(|suffix| format!("{}.{suffix}", self.label))
    }
}

/// The names of an open run.
pub struct Names {
    pages: Arc<Pages>,
    meta: NamesMeta,
    filter: Range<usize>,
    suffixes: Range<usize>,
    segments: Range<usize>,
    places: Range<usize>,
    keys: Range<usize>,
    hosts: Range<usize>,
}

/// Where a segment's parts begin.
struct Segment {
    start: usize,
    table: usize,
    blocks: usize,
}

impl Segment {
    /// Where the first bytes of its blocks' first labels stand.
    fn heads(&self) -> usize {
        self.table + (self.blocks + 1) * 4
    }

    /// Where the bits of its pairs stand.
    fn rows(&self) -> usize {
        self.heads() + self.blocks * HEAD_BYTES
    }
}

impl Names {
    /// The names of a run, which stand in this part of its file.
    ///
    /// # Errors
    ///
    /// [`Damage`] where the parts do not fit.
    pub fn open(pages: &Arc<Pages>, meta: &NamesMeta, range: Range<usize>) -> Result<Names, Damage> {
        let [filter, suffixes, segments, hosts] = meta.bytes;
        let places = meta.blocks().div_ceil(SEGMENT_BLOCKS) as u64 * 16;
        let mut end = range.start;
        let mut part = |bytes: u64| {
            let start = end;
            end = start.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
            start..end
        };
        let names = Names {
            filter: part(filter),
            suffixes: part(suffixes),
            segments: part(segments),
            places: part(places),
            keys: part(meta.keys.saturating_mul(8)),
            hosts: part(hosts),
            pages: pages.clone(),
            meta: meta.clone(),
        };
        if end != range.end { Err(pages.damage("the description (names)")) } else { Ok(names) }
    }

    /// How many there are of what.
    pub fn meta(&self) -> &NamesMeta {
        &self.meta
    }

    /// Bytes of all that stands here.
    pub fn bytes(&self) -> usize {
        self.hosts.end - self.filter.start
    }

    fn damage(&self, what: &str) -> Damage {
        self.pages.damage(format!("the names ({what})"))
    }

    fn number(&self, at: usize) -> Result<usize, Damage> {
        let bytes = self.pages.bytes(at..at + 4)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize)
    }

    fn segment(&self, index: usize) -> Result<Segment, Damage> {
        let at = self.places.start + index * 16;
        let places = self.pages.bytes(at..at + 16)?;
        let place = |bytes: &[u8]| {
            let offset = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
            let place = self.segments.start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
            if place > self.segments.end { Err(self.damage("places")) } else { Ok(place) }
        };
        let blocks = (self.meta.blocks() - index * SEGMENT_BLOCKS).min(SEGMENT_BLOCKS);
        Ok(Segment { start: place(&places[..8])?, table: place(&places[8..])?, blocks })
    }

    /// The bytes of a block of a segment.
    fn block(&self, segment: &Segment, index: usize) -> Result<&[u8], Damage> {
        let at = segment.table + index * 4;
        let (from, to) = (segment.start + self.number(at)?, segment.start + self.number(at + 4)?);
        if from >= to || to > segment.table {
            return Err(self.damage("blocks"));
        }
        self.pages.bytes(from..to)
    }

    /// Whether a label is known: one "yes" of a thousand is wrong.
    pub(super) fn may_have(&self, label: &str) -> Result<bool, Damage> {
        Ok(filter::may_have(self.pages.bytes(self.filter.clone())?, xxh3_64(label.as_bytes())))
    }

    /// Those of these labels that are known, and the labels whose key is one of them.
    ///
    /// # Errors
    ///
    /// [`Damage`] where what was needed is not what was written.
    pub fn find(&self, labels: &[(&str, u64)], found: &mut Vec<Known>) -> Result<(), Damage> {
        let filter = self.pages.bytes(self.filter.clone())?;
        // Nothing waits for the answer to the one before: the memory is asked for many at a time.
        let may: Vec<usize> =
            (0..labels.len()).filter(|at| filter::may_have(filter, labels[*at].1)).collect();
        let mut block = Block::new();
        for (label, hash) in may.into_iter().map(|at| labels[at]) {
            found.extend(self.label(label)?);
            self.with_key(label, hash, &mut block, found)?;
        }
        Ok(())
    }

    /// The label, where it is known.
    ///
    /// # Errors
    ///
    /// As [`Names::find`].
    pub fn label(&self, label: &str) -> Result<Option<Known>, Damage> {
        let wanted = label.as_bytes();
        let Some(segment) = self.segment_of(wanted)? else { return Ok(None) };
        let heads = self.heads(&segment, segment.blocks)?;
        let block = self.last_not_greater(
            segment.blocks,
            wanted,
            |index| Ok(heads[index]),
            |index| self.first(self.block(&segment, index)?),
        )?;
        let bytes = self.block(&segment, block)?;
        let found = block::suffixes_of(bytes, wanted).ok_or_else(|| self.damage("a block"))?;
        found.map(|suffixes| self.known(wanted, suffixes)).transpose()
    }

    /// The segment in which a label would stand; none where there are no labels.
    fn segment_of(&self, label: &[u8]) -> Result<Option<Segment>, Damage> {
        let count = self.meta.blocks().div_ceil(SEGMENT_BLOCKS);
        if count == 0 {
            return Ok(None);
        }
        let index = self.last_not_greater(
            count,
            label,
            |index| Ok(self.heads(&self.segment(index)?, 1)?[0]),
            |index| self.first(self.block(&self.segment(index)?, 0)?),
        )?;
        self.segment(index).map(Some)
    }

    /// Of `count` sorted labels the last that is not greater than `label`, or the first. `head` reads a label's first
    /// bytes as a number, `whole` all of it.
    fn last_not_greater<'a>(
        &self,
        count: usize,
        label: &[u8],
        head_of: impl Fn(usize) -> Result<[u8; HEAD_BYTES], Damage>,
        whole: impl Fn(usize) -> Result<&'a [u8], Damage>,
    ) -> Result<usize, Damage> {
        let wanted = head(label);
        let (mut low, mut high) = (0, count);
        while low + 1 < high {
            let middle = low.midpoint(high);
            let is_less = match u64::from_le_bytes(head_of(middle)?).cmp(&wanted) {
                Ordering::Equal => whole(middle)? <= label,
                order => order.is_lt(),
            };
            if is_less { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// The first bytes of the first labels of a segment's first blocks, each as a little-endian number.
    fn heads(&self, segment: &Segment, count: usize) -> Result<&[[u8; HEAD_BYTES]], Damage> {
        let at = segment.heads();
        Ok(self.pages.bytes(at..at + count * HEAD_BYTES)?.as_chunks().0)
    }

    /// Reads a block, by its number among all.
    fn read<'a>(&'a self, number: usize, into: &mut Block<'a>) -> Result<(), Damage> {
        let segment = self.segment(number / SEGMENT_BLOCKS)?;
        let bytes = self.block(&segment, number % SEGMENT_BLOCKS)?;
        into.read(bytes).ok_or_else(|| self.damage("a block"))
    }

    /// The first label of a block: a count of bytes, the head of the label, its length where that needs a byte, and it.
    fn first<'a>(&self, block: &'a [u8]) -> Result<&'a [u8], Damage> {
        let label = match block {
            [_, head, rest @ ..] if usize::from(*head) < NIBBLE => rest.get(..usize::from(*head)),
            [_, _, length, rest @ ..] => rest.get(..usize::from(*length)),
            _ => None,
        };
        label.ok_or_else(|| self.damage("a block"))
    }

    /// A label with its suffixes as texts.
    fn known(&self, label: &[u8], mut suffixes: &[u8]) -> Result<Known, Damage> {
        let bad = || self.damage("a suffix");
        let text = |bytes: &[u8]| CompactString::from_utf8(bytes).map_err(|_| bad());
        let mut known = Known { label: text(label)?, suffixes: Vec::new() };
        loop {
            let (number, more) = take_suffix(&mut suffixes).ok_or_else(bad)?;
            known.suffixes.push(match number {
                Number::Of(number) => text(self.suffix(number)?)?,
                Number::Inline(bytes) => text(bytes)?,
            });
            if !more {
                return Ok(known);
            }
        }
    }

    fn suffix(&self, number: usize) -> Result<&[u8], Damage> {
        let count = self.meta.suffixes as usize;
        if number >= count {
            return Err(self.damage("a suffix"));
        }
        let at = self.suffixes.start + number * 4;
        let texts = self.suffixes.start + (count + 1) * 4;
        let (from, to) = (texts + self.number(at)?, texts + self.number(at + 4)?);
        if to > self.suffixes.end {
            return Err(self.damage("a suffix"));
        }
        self.pages.bytes(from..to)
    }

    /// Adds the labels with this key, for which `block` has room.
    fn with_key<'a>(
        &'a self,
        key: &str,
        hash: u64,
        block: &mut Block<'a>,
        found: &mut Vec<Known>,
    ) -> Result<(), Damage> {
        let keys = self.pages.bytes(self.keys.clone())?.as_chunks::<8>().0;
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let first = keys.partition_point(|entry| number(&entry[..4]) < hash as u32);
        for entry in keys[first..].iter().take_while(|entry| number(&entry[..4]) == hash as u32) {
            let number = number(&entry[4..]) as usize;
            if number >= self.meta.labels as usize {
                return Err(self.damage("a key"));
            }
            self.read(number / BLOCK_LABELS, block)?;
            let index = number % BLOCK_LABELS;
            if index >= block.count() {
                return Err(self.damage("a key"));
            }
            let label = std::str::from_utf8(block.label(index)).map_err(|_| self.damage("a label"))?;
            if crate::similar::key(label).is_some_and(|own| own == key) {
                found.push(self.known(block.label(index), block.suffixes(index))?);
            }
        }
        Ok(())
    }

    /// Whether a registrable name is known.
    ///
    /// # Errors
    ///
    /// As [`Names::find`].
    pub fn knows(&self, name: &str) -> Result<bool, Damage> {
        let Some((label, suffix)) = name.split_once('.') else { return Ok(false) };
        if !self.may_have(label)? {
            return Ok(false);
        }
        Ok(self.label(label)?.is_some_and(|known| known.suffixes.iter().any(|known| known == suffix)))
    }

    /// The hosts below another domain that have the whole name of another in them, up to `max`.
    ///
    /// # Errors
    ///
    /// As [`Names::find`].
    pub fn hosts_with(&self, name: &str, max: usize) -> Result<Vec<String>, Damage> {
        lines::after(&self.pages, &self.hosts, &format!("{name}\t"), max)
    }
}

/// Writes registrable names into a file of their own and opens it: what a run has of them, for tests and measurements.
///
/// # Errors
///
/// What the file system says.
pub fn build<'a>(path: &Path, names: impl Iterator<Item = &'a str>) -> io::Result<Names> {
    let mut writer = Writer::new(path)?;
    for name in names {
        writer.add(name)?;
    }
    let mut out = PageWriter::new(BufWriter::with_capacity(1 << 20, File::create(path)?));
    let meta = writer.write(&mut out)?;
    let end = out.len();
    out.finish()?.flush()?;
    Ok(Names::open(&Pages::open(path)?, &meta, 0..end)?)
}

/// The hash by which labels and keys are asked for.
pub fn hash(label: &str) -> u64 {
    xxh3_64(label.as_bytes())
}

/// A suffix by its number, or as it is where it has none.
enum Number<'a> {
    Of(usize),
    Inline(&'a [u8]),
}

/// Reads a suffix, and whether more follow.
fn take_suffix<'a>(rest: &mut &'a [u8]) -> Option<(Number<'a>, bool)> {
    let value = usize::try_from(take_varint(rest)?).ok()?;
    let (number, more) = (value >> 1, value & 1 == 1);
    if number > 0 {
        return Some((Number::Of(number - 1), more));
    }
    let (length, after) = rest.split_first()?;
    let (bytes, after) = after.split_at_checked(usize::from(*length))?;
    *rest = after;
    Some((Number::Inline(bytes), more))
}

#[cfg(test)]
mod tests;
