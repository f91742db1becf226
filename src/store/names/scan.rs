//! Which blocks can have a label that shares pairs of characters with another.

use super::{CLASSES, Coded, Known, Names, ROWS, SEGMENT_BLOCKS, class};
use crate::store::pages::Damage;

/// Pairs of characters that are counted: four bits of count.
const PAIRS_MAX: usize = 15;

/// Words of bits of a segment.
const WORDS: usize = SEGMENT_BLOCKS / 64;

/// Pairs of characters, and how many of them a label has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    rows: Vec<usize>,
    at_least: usize,
}

impl Pairs {
    /// Those of a text, all but `lost` of them. Where `is_whole`, the text is a whole label: its ends count as
    /// characters. Of a long text the first fifteen that differ.
    pub fn of(text: &str, is_whole: bool, lost: usize) -> Pairs {
        let mut classes: Vec<usize> = text.bytes().map(class).collect();
        if is_whole {
            classes.insert(0, CLASSES - 1);
            classes.push(CLASSES - 1);
        }
        let mut rows: Vec<usize> = Vec::new();
        for pair in classes.windows(2) {
            let row = pair[0] * CLASSES + pair[1];
            if !rows.contains(&row) && rows.len() < PAIRS_MAX {
                rows.push(row);
            }
        }
        let at_least = rows.len().saturating_sub(lost);
        Pairs { rows, at_least }
    }

    /// Whether they say anything: else every block would have to be read.
    pub fn is_selective(&self) -> bool {
        self.at_least >= 2
    }
}

impl Names {
    /// Finds labels that have enough of `pairs` and are `wanted`. Blocks all of whose labels begin with something that
    /// is not `begins` are left out.
    ///
    /// # Errors
    ///
    /// [`Damage`] where what was needed is not what was written.
    pub fn scan(
        &self,
        pairs: &Pairs,
        begins: &mut dyn FnMut(&[u8]) -> bool,
        wanted: &mut dyn FnMut(&[u8]) -> bool,
        found: &mut Vec<Known>,
    ) -> Result<(), Damage> {
        for index in 0..self.meta.blocks().div_ceil(SEGMENT_BLOCKS) {
            let segment = self.segment(index)?;
            let bits = self.candidates(pairs, segment.table + (segment.blocks + 1) * 4, segment.blocks)?;
            for (word, mut left) in bits.into_iter().enumerate() {
                while left != 0 {
                    let block = self.block(&segment, word * 64 + left.trailing_zeros() as usize)?;
                    left &= left - 1;
                    if begins(self.common_start(block)?) {
                        self.decode(block, |coded: &Coded<'_>| {
                            if wanted(coded.label) {
                                found.push(self.known(coded)?);
                            }
                            Ok(true)
                        })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What all labels of a block begin with.
    fn common_start<'a>(&self, block: &'a [u8]) -> Result<&'a [u8], Damage> {
        // A count, the head of the first label, whose length may take a byte of its own, and the label.
        let short = || self.damage("a block");
        let [count, head, rest @ ..] = block else { return Err(short()) };
        let label = if head & 15 == 15 { rest.get(1..) } else { Some(rest) };
        label.and_then(|label| label.get(..usize::from(*count))).ok_or_else(short)
    }

    /// The blocks of a segment that have enough of the pairs, a bit each.
    fn candidates(&self, pairs: &Pairs, rows: usize, blocks: usize) -> Result<[u64; WORDS], Damage> {
        let row_bytes = blocks.div_ceil(8);
        debug_assert!(rows + ROWS * row_bytes <= self.segments.end);
        // Counters of four bits, one bit of each in a plane, begin so that the wanted count carries over.
        let begin = PAIRS_MAX + 1 - pairs.at_least.clamp(1, PAIRS_MAX);
        let mut planes = [[0u64; WORDS]; 4];
        for (bit, plane) in planes.iter_mut().enumerate() {
            plane.fill(if begin >> bit & 1 == 1 { u64::MAX } else { 0 });
        }
        let mut enough = [0u64; WORDS];
        for row in &pairs.rows {
            let at = rows + row * row_bytes;
            let bytes = self.pages.bytes(at..at + row_bytes)?;
            for (word, chunk) in bytes.chunks(8).enumerate() {
                let mut carry = match chunk.first_chunk::<8>() {
                    Some(whole) => u64::from_le_bytes(*whole),
                    None => chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
                };
                for plane in &mut planes {
                    let sum = plane[word] ^ carry;
                    carry &= plane[word];
                    plane[word] = sum;
                }
                enough[word] |= carry;
            }
        }
        Ok(enough)
    }
}
