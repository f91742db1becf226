//! Which blocks can have a label that shares pairs of characters with another.

use super::{Block, CLASSES, Known, Names, ROWS, SEGMENT_BLOCKS, Segment, class};
use crate::store::pages::Damage;

/// Pairs of characters that are counted: four bits of count.
const PAIRS_MAX: usize = 15;

/// A question reads this part of the blocks of a run, or so many where that is more. Labels that share few pairs with
/// others read a hundred times less; those of one letter repeated would read all.
const BLOCKS_SHARE: usize = 40;
const BLOCKS_MIN: usize = 512;

/// How many blocks have enough of the pairs for each that is read: some begin with what none that is wanted does.
const LOOKED_AT: usize = 2;

/// Words of bits of a segment.
const WORDS: usize = SEGMENT_BLOCKS / 64;

/// Bytes that memory gives at once.
const LINE_BYTES: usize = 64;

/// A bit a block of a segment.
type Blocks = [u64; WORDS];

/// What labels that are like a text have of its pairs of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    rows: Vec<usize>,
    at_least: usize,
    /// Of one of these parts of the text all pairs.
    parts: Vec<Vec<usize>>,
}

impl Pairs {
    /// Those of a text that `edits` edits leave: an edit takes two pairs away and is in one part of the text, so of one
    /// part more than there are edits one is whole. Where `is_whole`, the text is a label or a word: its ends count as
    /// characters, `ends_lost` of which need not be there. Of a long text the first fifteen pairs that differ count.
    pub fn of(text: &str, is_whole: bool, edits: usize, ends_lost: usize) -> Pairs {
        let mut classes: Vec<usize> = text.bytes().map(class).collect();
        let parts = classes.chunks(classes.len().div_ceil(edits + 1).max(1)).map(rows_of).collect();
        if is_whole {
            classes.insert(0, CLASSES - 1);
            classes.push(CLASSES - 1);
        }
        let mut rows = rows_of(&classes);
        rows.truncate(PAIRS_MAX);
        let at_least = rows.len().saturating_sub(2 * edits + ends_lost);
        Pairs { rows, at_least, parts }
    }
}

/// The rows of the pairs of a text, each once.
fn rows_of(classes: &[usize]) -> Vec<usize> {
    let mut rows = Vec::new();
    for pair in classes.windows(2) {
        let row = pair[0] * CLASSES + pair[1];
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// Says of labels whether they are wanted.
pub trait Wanted {
    /// Whether a label can be wanted that begins with this.
    fn may_begin(&self, _start: &[u8]) -> bool {
        true
    }

    /// Which labels of a block are wanted: a bit each.
    fn among(&self, block: &Block<'_>) -> u32;
}

impl Names {
    /// Finds labels that have enough of one of `pairs` and are `wanted`. Blocks all of whose labels begin with what none that is
    /// wanted can begin with are left out. Of very many the blocks are read that have most of the pairs.
    ///
    /// # Errors
    ///
    /// [`Damage`] where what was needed is not what was written.
    pub fn scan(&self, pairs: &[Pairs], wanted: &dyn Wanted, found: &mut Vec<Known>) -> Result<(), Damage> {
        let mut left = (self.meta.blocks() / BLOCKS_SHARE).max(BLOCKS_MIN);
        let segments = self.selected(pairs, left)?;
        let mut labels = Block::new();
        for (segment, bits) in &segments {
            for block in self.may_have_wanted(segment, bits, wanted)?.into_iter().take(left) {
                left -= 1;
                labels.read(block).ok_or_else(|| self.damage("a block"))?;
                let mut wanted = wanted.among(&labels);
                while wanted != 0 {
                    let index = wanted.trailing_zeros() as usize;
                    found.push(self.known(labels.label(index), labels.suffixes(index))?);
                    wanted &= wanted - 1;
                }
            }
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Those of these blocks of a segment that can have a label that begins as one that is wanted. What is read of one
    /// block does not wait for another: the memory is asked for many at a time.
    fn may_have_wanted(
        &self,
        segment: &Segment,
        bits: &Blocks,
        wanted: &dyn Wanted,
    ) -> Result<Vec<&[u8]>, Damage> {
        let mut blocks = Vec::new();
        for (word, mut bits) in bits.iter().copied().enumerate() {
            while bits != 0 {
                let block = self.block(segment, word * 64 + bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                blocks.push((block, block[0]));
            }
        }
        let mut left = Vec::with_capacity(blocks.len());
        for (block, shared) in blocks {
            let start =
                self.first(block)?.get(..usize::from(shared)).ok_or_else(|| self.damage("a block"))?;
            if wanted.may_begin(start) {
                left.push(block);
            }
        }
        for block in &left {
            std::hint::black_box(block.iter().step_by(LINE_BYTES).fold(0, |all, byte| all | byte));
        }
        Ok(left)
    }

    /// The segments and which of their blocks have enough of one of the pairs; where these are many more than `most`,
    /// those that have more of them.
    fn selected(&self, pairs: &[Pairs], most: usize) -> Result<Vec<(Segment, Blocks)>, Damage> {
        let mut more = 0;
        loop {
            let (mut segments, mut count) = (Vec::new(), 0);
            for index in 0..self.meta.blocks().div_ceil(SEGMENT_BLOCKS) {
                let segment = self.segment(index)?;
                let mut any: Blocks = [0; WORDS];
                for pairs in pairs {
                    let bits = self.candidates(pairs, pairs.at_least + more, &segment)?;
                    any.iter_mut().zip(bits).for_each(|(any, bits)| *any |= bits);
                }
                count += any.iter().map(|word| word.count_ones() as usize).sum::<usize>();
                segments.push((segment, any));
            }
            let is_all = |pairs: &Pairs| pairs.at_least + more >= pairs.rows.len();
            if count <= most * LOOKED_AT || pairs.iter().all(is_all) {
                return Ok(segments);
            }
            more += 1;
        }
    }

    /// The blocks of a segment that have enough of the pairs.
    fn candidates(&self, pairs: &Pairs, at_least: usize, segment: &Segment) -> Result<Blocks, Damage> {
        let rows = segment.rows();
        let row_bytes = segment.blocks.div_ceil(8);
        if rows + ROWS * row_bytes > self.segments.end {
            return Err(self.damage("pairs"));
        }
        let each_word = |row: usize, with: &mut dyn FnMut(usize, u64)| {
            let at = rows + row * row_bytes;
            let (words, rest) = self.pages.bytes(at..at + row_bytes)?.as_chunks::<8>();
            for (word, bytes) in words.iter().enumerate() {
                with(word, u64::from_le_bytes(*bytes));
            }
            if !rest.is_empty() {
                let mut bytes = [0; 8];
                bytes[..rest.len()].copy_from_slice(rest);
                with(words.len(), u64::from_le_bytes(bytes));
            }
            Ok::<(), Damage>(())
        };
        // Counters of four bits, a bit of each in a plane, begin so that the wanted count carries over.
        let begin = PAIRS_MAX + 1 - at_least.min(pairs.rows.len()).clamp(1, PAIRS_MAX);
        let mut planes: [Blocks; 4] =
            [0, 1, 2, 3].map(|bit| [if begin >> bit & 1 == 1 { u64::MAX } else { 0 }; WORDS]);
        let mut enough: Blocks = [0; WORDS];
        for row in &pairs.rows {
            each_word(*row, &mut |word, mut carry| {
                for plane in &mut planes {
                    (plane[word], carry) = (plane[word] ^ carry, plane[word] & carry);
                }
                enough[word] |= carry;
            })?;
        }
        let mut some: Blocks = [0; WORDS];
        for part in &pairs.parts {
            let mut all: Blocks = [u64::MAX; WORDS];
            for row in part {
                each_word(*row, &mut |word, bits| all[word] &= bits)?;
            }
            some.iter_mut().zip(all).for_each(|(some, all)| *some |= all);
        }
        // Bits after the last block are none: no row has them, and at least one is asked for.
        enough.iter_mut().zip(some).for_each(|(enough, some)| *enough &= some);
        Ok(enough)
    }
}
