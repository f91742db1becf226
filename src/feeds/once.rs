//! What a log repeats with every connection, said once.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};

/// How many things are remembered as said.
const ONCE_MAX: usize = 1 << 20;

/// Remembers what was said, so that what a log repeats with every connection is said once.
#[derive(Default)]
pub(super) struct Once {
    said: HashSet<u64>,
    state: RandomState,
}

impl Once {
    /// Whether this was not said before, as far as is remembered.
    pub(super) fn first(&mut self, what: impl Hash) -> bool {
        if self.said.len() >= ONCE_MAX {
            self.said.clear();
        }
        self.said.insert(self.state.hash_one(what))
    }
}
