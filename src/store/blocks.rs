//! Reading the blocks of a run's table.
//!
//! The table is written by `tantivy-sstable` and read here: its reader makes a decompression context a block,
//! an allocation a value, and knows no page checksums. Its blocks are `length (u32, little-endian) ‖
//! compressed (u8) ‖ body`, the body zstd where compressed: our values (see [`super::run::RowWriter`]), then of
//! each key how many bytes it shares with the one before it, how many it adds (two halves of a byte, or 1 and
//! two LEB128 integers), and those.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use zstd::bulk::Decompressor;

use super::observed::take_varint;
use super::pages::Pages;

/// The most bytes of a block, unpacked.
const BLOCK_BYTES_MAX: usize = 1 << 28;
const HEAD_BYTES: usize = 5;
/// The first byte of a key whose lengths do not fit into halves of a byte.
const LONG: u8 = 1;

/// What reading a block needs, kept from scan to scan.
struct Scratch {
    decompressor: Decompressor<'static>,
    block: Vec<u8>,
    key: Vec<u8>,
    /// Where each value ends, from the start of values.
    ends: Vec<usize>,
}

thread_local! {
    /// One for each scan within a scan.
    static SPARE: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
}

/// Calls `row` with every key and value of the blocks from `at` to the end of `table`, until it returns false.
///
/// # Errors
///
/// Damage; those of `row`.
pub fn each(
    pages: &Pages,
    table: Range<usize>,
    at: usize,
    row: impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
) -> io::Result<()> {
    let mut scratch = match SPARE.with(|spare| spare.borrow_mut().pop()) {
        Some(scratch) => scratch,
        None => Scratch {
            decompressor: Decompressor::new()?,
            block: Vec::new(),
            key: Vec::new(),
            ends: Vec::new(),
        },
    };
    let result = read(&mut scratch, pages, table, at, row);
    SPARE.with(|spare| spare.borrow_mut().push(scratch));
    result
}

fn read(
    scratch: &mut Scratch,
    pages: &Pages,
    table: Range<usize>,
    mut at: usize,
    mut row: impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
) -> io::Result<()> {
    while at + HEAD_BYTES <= table.end {
        let head = pages.bytes(at..at + HEAD_BYTES)?;
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let compressed = head[4] == 1;
        // The last block is empty.
        let Some(len) = len.checked_sub(1).filter(|len| *len > 0) else { break };
        let body = at + HEAD_BYTES..at + HEAD_BYTES + len;
        if body.end > table.end {
            return Err(pages.damage(format!("byte {at} (a block past the table)")).into());
        }
        at = body.end;
        let Scratch { decompressor, block, key, ends } = &mut *scratch;
        let packed = pages.bytes(body.clone())?;
        let bytes = if compressed {
            block.clear();
            let size = Decompressor::<'static>::upper_bound(packed).unwrap_or(BLOCK_BYTES_MAX);
            block.reserve(size.min(BLOCK_BYTES_MAX));
            decompressor.decompress_to_buffer(packed, block)?;
            &block[..]
        } else {
            packed
        };
        let bad = || pages.damage(format!("byte {} (a block that does not read)", body.start));
        if !rows(bytes, key, ends, &mut row).ok_or_else(bad)?? {
            break;
        }
    }
    Ok(())
}

/// Goes through the rows of a block; `None` where it is none. False: no more are wanted.
fn rows(
    bytes: &[u8],
    key: &mut Vec<u8>,
    ends: &mut Vec<usize>,
    row: &mut impl FnMut(&[u8], &[u8]) -> io::Result<bool>,
) -> Option<io::Result<bool>> {
    let mut rest = bytes;
    let count = usize::try_from(take_varint(&mut rest)?).ok()?;
    ends.clear();
    let mut end = 0usize;
    for _ in 0..count {
        end = end.checked_add(usize::try_from(take_varint(&mut rest)?).ok()?)?;
        ends.push(end);
    }
    let (values, mut keys) = rest.split_at_checked(end)?;
    key.clear();
    let mut start = 0;
    for end in ends.iter() {
        let (head, rest) = keys.split_first()?;
        keys = rest;
        let (shared, added) = if *head == LONG {
            (usize::try_from(take_varint(&mut keys)?).ok()?, usize::try_from(take_varint(&mut keys)?).ok()?)
        } else {
            (usize::from(head & 15), usize::from(head >> 4))
        };
        let (suffix, rest) = keys.split_at_checked(added)?;
        keys = rest;
        if shared > key.len() {
            return None;
        }
        key.truncate(shared);
        key.extend_from_slice(suffix);
        match row(key, &values[start..*end]) {
            Ok(true) => start = *end,
            stop => return Some(stop),
        }
    }
    Some(Ok(true))
}
