//! Sorted lines in a file of pages.

use std::ops::Range;

use crate::store::pages::{Damage, Pages};

/// More than the longest line: a name and a host of 253 octets.
const LINE_BYTES_MAX: usize = 1024;

/// What follows `start` in the lines that begin with it, up to `max` of them.
pub fn after(pages: &Pages, lines: &Range<usize>, start: &str, max: usize) -> Result<Vec<String>, Damage> {
    let mut at = first(pages, lines, start.as_bytes())?;
    let mut found = Vec::new();
    while at < lines.end && found.len() < max {
        let (range, line) = line(pages, lines, at)?;
        let Some(rest) = line.strip_prefix(start.as_bytes()) else { break };
        found.extend(std::str::from_utf8(rest).ok().map(str::to_owned));
        at = range.end + 1;
    }
    Ok(found)
}

/// Where the first of sorted lines begins that is not less than `wanted`.
fn first(pages: &Pages, lines: &Range<usize>, wanted: &[u8]) -> Result<usize, Damage> {
    let (mut low, mut high) = (lines.start, lines.end);
    while low < high {
        let (range, line) = line(pages, lines, low.midpoint(high))?;
        if line < wanted {
            low = range.end + 1;
        } else {
            high = range.start;
        }
    }
    Ok(low.min(lines.end))
}

/// The line that a byte is in, without its end, and where it stands.
fn line<'a>(pages: &'a Pages, lines: &Range<usize>, at: usize) -> Result<(Range<usize>, &'a [u8]), Damage> {
    let from = at.saturating_sub(LINE_BYTES_MAX).max(lines.start);
    let to = (at + LINE_BYTES_MAX).min(lines.end);
    let window = pages.bytes(from..to.max(from))?;
    let split = (at - from).min(window.len());
    let start = window[..split].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = window[split..].iter().position(|byte| *byte == b'\n').map_or(window.len(), |end| split + end);
    Ok((from + start..from + end, &window[start..end]))
}
