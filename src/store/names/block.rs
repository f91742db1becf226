//! A block of labels, as it is read: unpacked as a whole, which costs less than one label after the other.

use super::{BLOCK_LABELS, NIBBLE, take_suffix};

/// Octets of the longest label (RFC 1035, 2.3.4).
pub(super) const LABEL_BYTES_MAX: usize = 63;

/// Short texts are copied as so many bytes, whatever follows them: that is one instruction.
const COPIED: usize = 16;

/// Room for all labels, each with a zero after it.
const TEXT_BYTES: usize = BLOCK_LABELS * (LABEL_BYTES_MAX + 1) + COPIED;

/// The labels of a block, in order.
pub struct Block<'a> {
    bytes: &'a [u8],
    text: [u8; TEXT_BYTES],
    /// Where each label begins in the text, and where one more would.
    starts: [u16; BLOCK_LABELS + 1],
    /// Where the suffixes of each begin in the bytes.
    suffixes: [u32; BLOCK_LABELS],
    count: usize,
}

impl<'a> Block<'a> {
    /// Room for a block.
    pub(super) fn new() -> Block<'a> {
        Block {
            bytes: &[],
            text: [0; TEXT_BYTES],
            starts: [0; BLOCK_LABELS + 1],
            suffixes: [0; BLOCK_LABELS],
            count: 0,
        }
    }

    /// Reads a block in place of the one before; [`None`] where it is not what was written.
    pub(super) fn read(&mut self, bytes: &'a [u8]) -> Option<()> {
        self.bytes = bytes;
        self.count = 0;
        // The first byte says how many bytes all labels begin with.
        let mut rest = bytes.get(1..)?;
        let (mut before, mut start) = (0, 0);
        while !rest.is_empty() {
            let (shared, own) = take_lengths(&mut rest)?;
            if self.count == BLOCK_LABELS || before + shared > start || shared + own > LABEL_BYTES_MAX {
                return None;
            }
            match *self.text[before..].first_chunk::<COPIED>()? {
                chunk if shared <= COPIED => *self.text[start..].first_chunk_mut()? = chunk,
                _ => self.text.copy_within(before..before + shared, start),
            }
            let (bytes, after) = rest.split_at_checked(own)?;
            let to = &mut self.text[start + shared..];
            match (rest.first_chunk::<COPIED>(), to.first_chunk_mut::<COPIED>()) {
                (Some(chunk), Some(to)) if own <= COPIED => *to = *chunk,
                _ => to[..own].copy_from_slice(bytes),
            }
            rest = after;
            self.starts[self.count] = start as u16;
            self.suffixes[self.count] = (self.bytes.len() - rest.len()) as u32;
            self.count += 1;
            (before, start) = (start, start + shared + own + 1);
            self.text[start - 1] = 0;
            self.starts[self.count] = start as u16;
            rest = after_suffixes(rest)?;
        }
        Some(())
    }

    /// How many labels there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A label.
    pub fn label(&self, index: usize) -> &[u8] {
        &self.text[usize::from(self.starts[index])..usize::from(self.starts[index + 1]) - 1]
    }

    /// All labels in one, with a zero after each.
    pub fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.starts[self.count])]
    }

    /// Which label a byte of the text is in.
    pub fn index_of(&self, at: usize) -> usize {
        self.starts[1..=self.count].partition_point(|end| usize::from(*end) <= at)
    }

    /// The suffixes of a label, and what follows.
    pub(super) fn suffixes(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.suffixes[index] as usize..]
    }
}

/// The suffixes of a label of a block, and what follows, where the block has it. What the labels before it have in
/// common with it tells them from it: none is put together. [`None`] where the block is not what was written.
pub(super) fn suffixes_of<'a>(block: &'a [u8], label: &[u8]) -> Option<Option<&'a [u8]>> {
    let mut rest = block.get(1..)?;
    // Bytes that the label has in common with the one before, which is less.
    let mut common = 0;
    while !rest.is_empty() {
        let (shared, own) = take_lengths(&mut rest)?;
        let (bytes, after) = rest.split_at_checked(own)?;
        if shared < common {
            return Some(None);
        }
        if shared == common {
            common += super::common(&label[common..], bytes);
            match (label.get(common), bytes.get(common - shared)) {
                (None, None) => return Some(Some(after)),
                (Some(wanted), Some(byte)) if byte > wanted => return Some(None),
                (None, Some(_)) => return Some(None),
                _ => {}
            }
        }
        rest = after_suffixes(after)?;
    }
    Some(None)
}

/// How many bytes a label has of the one before, and how many of its own.
fn take_lengths(rest: &mut &[u8]) -> Option<(usize, usize)> {
    let (head, after) = rest.split_first()?;
    *rest = after;
    let mut length = |nibble: u8| {
        if usize::from(nibble) < NIBBLE {
            return Some(usize::from(nibble));
        }
        let (more, after) = rest.split_first()?;
        *rest = after;
        Some(usize::from(*more))
    };
    Some((length(head >> 4)?, length(head & 15)?))
}

/// What follows the suffixes of a label.
fn after_suffixes(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        // Nearly always one of the frequent ones, in a byte.
        if let [number @ 2..0x80, after @ ..] = rest {
            rest = after;
            if number & 1 == 0 {
                return Some(rest);
            }
        } else if !take_suffix(&mut rest)?.1 {
            return Some(rest);
        }
    }
}
