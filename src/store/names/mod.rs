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
//! keys       of labels that look like another: hash (u32), block (u32), sorted
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

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::filter;
use super::observed::take_varint;
use super::pages::{Damage, PageWriter, Pages};

mod lines;
mod scan;
mod write;

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
    pub label: String,
    /// The public suffixes.
    pub suffixes: Vec<String>,
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
        let place = |at: usize| {
            let bytes = self.pages.bytes(at..at + 8)?;
            let offset = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
            let place = self.segments.start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
            if place > self.segments.end { Err(self.damage("places")) } else { Ok(place) }
        };
        let blocks = (self.meta.blocks() - index * SEGMENT_BLOCKS).min(SEGMENT_BLOCKS);
        Ok(Segment { start: place(at)?, table: place(at + 8)?, blocks })
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
        for (label, hash) in may.into_iter().map(|at| labels[at]) {
            found.extend(self.label(label)?);
            self.with_key(label, hash, found)?;
        }
        Ok(())
    }

    /// The label, where it is known.
    ///
    /// # Errors
    ///
    /// As [`Names::find`].
    pub fn label(&self, label: &str) -> Result<Option<Known>, Damage> {
        let mut found = None;
        self.each_from(label, |known| {
            if known.label == label.as_bytes() {
                found = Some(self.known(known)?);
            }
            Ok(known.label < label.as_bytes())
        })?;
        Ok(found)
    }

    /// Calls `each` with the labels from the block on in which `label` would stand, until it says no.
    fn each_from(
        &self,
        label: &str,
        mut each: impl FnMut(&Coded<'_>) -> Result<bool, Damage>,
    ) -> Result<(), Damage> {
        let wanted = head(label.as_bytes());
        // The last block whose first label is not greater.
        let (mut low, mut high) = (0, self.meta.blocks());
        while low + 1 < high {
            let middle = low.midpoint(high);
            let (segment, block) = (self.segment(middle / SEGMENT_BLOCKS)?, middle % SEGMENT_BLOCKS);
            let at = segment.heads() + block * HEAD_BYTES;
            let bytes = self.pages.bytes(at..at + HEAD_BYTES)?;
            let order = u64::from_le_bytes(bytes.try_into().expect("eight bytes")).cmp(&wanted);
            let is_less = match order {
                Ordering::Equal => self.first(self.block(&segment, block)?)? <= label.as_bytes(),
                order => order.is_lt(),
            };
            if is_less { low = middle } else { high = middle }
        }
        for block in low..self.meta.blocks() {
            let segment = self.segment(block / SEGMENT_BLOCKS)?;
            let mut more = true;
            self.decode(self.block(&segment, block % SEGMENT_BLOCKS)?, |known| {
                more = each(known)?;
                Ok(more)
            })?;
            if !more {
                break;
            }
        }
        Ok(())
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

    /// Calls `each` with the labels of a block until it says no.
    fn decode(
        &self,
        block: &[u8],
        mut each: impl FnMut(&Coded<'_>) -> Result<bool, Damage>,
    ) -> Result<(), Damage> {
        let short = || self.damage("a block");
        let mut rest = block.get(1..).ok_or_else(short)?;
        let mut label = [0u8; 256];
        while let Some((head, after)) = rest.split_first() {
            rest = after;
            let mut length = |nibble: u8| {
                if usize::from(nibble) < NIBBLE {
                    return Some(usize::from(nibble));
                }
                let (more, after) = rest.split_first()?;
                rest = after;
                Some(usize::from(*more))
            };
            let shared = length(head >> 4).ok_or_else(short)?;
            let own = length(head & 15).ok_or_else(short)?;
            let end = shared + own;
            let (bytes, after) = rest.split_at_checked(own).ok_or_else(short)?;
            label.get_mut(shared..end).ok_or_else(short)?.copy_from_slice(bytes);
            let suffixes = after;
            rest = skip_suffixes(after).ok_or_else(short)?;
            if !each(&Coded { label: &label[..end], shared, suffixes })? {
                break;
            }
        }
        Ok(())
    }

    /// A label with its suffixes as texts.
    fn known(&self, coded: &Coded<'_>) -> Result<Known, Damage> {
        let bad = || self.damage("a suffix");
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| bad());
        let mut known = Known { label: text(coded.label)?, suffixes: Vec::new() };
        let mut rest = coded.suffixes;
        loop {
            let (number, more) = take_suffix(&mut rest).ok_or_else(bad)?;
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

    /// Adds the labels with this key.
    fn with_key(&self, key: &str, hash: u64, found: &mut Vec<Known>) -> Result<(), Damage> {
        let wanted = hash as u32 as usize;
        let count = self.keys.len() / 8;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            if self.number(self.keys.start + middle * 8)? < wanted { low = middle + 1 } else { high = middle }
        }
        for at in (low..count).map(|index| self.keys.start + index * 8) {
            if self.number(at)? != wanted {
                break;
            }
            let block = self.number(at + 4)?;
            if block >= self.meta.blocks() {
                return Err(self.damage("a key"));
            }
            let segment = self.segment(block / SEGMENT_BLOCKS)?;
            self.decode(self.block(&segment, block % SEGMENT_BLOCKS)?, |coded| {
                let label = std::str::from_utf8(coded.label).map_err(|_| self.damage("a label"))?;
                if crate::similar::key(label).is_some_and(|own| own == key) {
                    found.push(self.known(coded)?);
                }
                Ok(true)
            })?;
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

/// A label of a block.
pub struct Coded<'a> {
    /// The label.
    pub label: &'a [u8],
    /// How many bytes it begins with like the one before it in the block.
    shared: usize,
    suffixes: &'a [u8],
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

fn skip_suffixes(mut rest: &[u8]) -> Option<&[u8]> {
    while take_suffix(&mut rest)?.1 {}
    Some(rest)
}

#[cfg(test)]
mod tests;
