//! Where the next page begins: a key of the store. It holds whatever is imported in between, since keys never change
//! their order, and it says of itself which question it is of.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A place in the order of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// After this key.
    After(Vec<u8>),
    /// At this key, or after it.
    From(Vec<u8>),
}

/// The form of cursors.
const VERSION: u8 = 1;

const CHECK_BYTES: usize = 8;

impl Position {
    pub(super) fn key(&self) -> &[u8] {
        let (Position::After(key) | Position::From(key)) = self;
        key
    }

    /// Whether a key is still to come.
    pub(super) fn is_before(&self, key: &[u8]) -> bool {
        match self {
            Position::After(known) => key > &known[..],
            Position::From(known) => key >= &known[..],
        }
    }

    /// The position as text, for the next request of the same question.
    pub(super) fn cursor(&self, query: &str, seed: u64) -> String {
        let body = [&[VERSION, u8::from(matches!(self, Position::From(_)))], self.key()].concat();
        let check = check(&body, query, seed);
        URL_SAFE_NO_PAD.encode([&check[..], &body].concat())
    }

    /// Reads a cursor; `None` where it is none of this question.
    pub(super) fn read(cursor: &str, query: &str, seed: u64) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (found, body) = bytes.split_first_chunk::<CHECK_BYTES>()?;
        let [VERSION, form @ (0 | 1), key @ ..] = body else { return None };
        let is_right = *found == check(body, query, seed);
        is_right
            .then(|| if *form == 1 { Position::From(key.to_vec()) } else { Position::After(key.to_vec()) })
    }
}

fn check(body: &[u8], query: &str, seed: u64) -> [u8; CHECK_BYTES] {
    xxh3_64_with_seed(&[body, b"\0", query.as_bytes()].concat(), seed).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_read_back_and_nothing_else_is_one(key: Vec<u8>, is_from: bool, query: String, seed: u64, text: String) {
            let position = if is_from { Position::From(key) } else { Position::After(key) };
            let cursor = position.cursor(&query, seed);
            prop_assert_eq!(Position::read(&cursor, &query, seed), Some(position));
            prop_assert_eq!(Position::read(&cursor, &(query.clone() + "x"), seed), None);
            prop_assert_eq!(Position::read(&text, &query, seed), None);
            for at in 0..cursor.len() {
                let mut other = cursor.clone().into_bytes();
                other[at] = if other[at] == b'A' { b'B' } else { b'A' };
                prop_assert_eq!(Position::read(std::str::from_utf8(&other).unwrap(), &query, seed), None);
            }
        }
    }
}
