//! What one log says about a thing that another log names: joined by Zeek's file identifier, whichever comes first.

use std::collections::HashMap;
use std::{io, mem};

use compact_str::CompactString;

use crate::fact::Fact;
use crate::feeds::Emit;

/// How much is kept of each: what is known, in each of two generations, and what is held.
const BYTES_MAX: usize = 32 << 20;

/// What an entry costs beside its text.
const ENTRY_BYTES: usize = 600;

/// Values by file identifier, and facts that wait for one.
pub(super) struct Join<T> {
    known: HashMap<CompactString, T>,
    before: HashMap<CompactString, T>,
    known_bytes: usize,
    held: HashMap<CompactString, (u64, Fact)>,
    held_bytes: usize,
    complete: fn(&mut Fact, &T),
    /// Whether a fact says something without a value.
    speaks_alone: fn(&Fact) -> bool,
}

impl<T: Clone> Join<T> {
    /// Facts are completed by `complete`; those that `speaks_alone` says yes to are yielded without a value too.
    pub(super) fn new(complete: fn(&mut Fact, &T), speaks_alone: fn(&Fact) -> bool) -> Join<T> {
        Join {
            known: HashMap::new(),
            before: HashMap::new(),
            known_bytes: 0,
            held: HashMap::new(),
            held_bytes: 0,
            complete,
            speaks_alone,
        }
    }

    /// The value of a file identifier.
    pub(super) fn find(&self, fuid: &str) -> Option<&T> {
        self.known.get(fuid).or_else(|| self.before.get(fuid))
    }

    /// Keeps a value of `bytes` bytes, unless there is one, and yields the fact that waited for it.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub(super) fn learn(&mut self, fuid: &str, value: T, bytes: usize, out: &mut Emit<'_>) -> io::Result<()> {
        if self.find(fuid).is_some() {
            return Ok(());
        }
        if let Some((line, mut fact)) = self.held.remove(fuid) {
            (self.complete)(&mut fact, &value);
            out.fact(line, fact)?;
        }
        let bytes = ENTRY_BYTES + fuid.len() + bytes;
        self.known_bytes += bytes;
        if self.known_bytes > BYTES_MAX {
            self.before = mem::take(&mut self.known);
            self.known_bytes = bytes;
        }
        self.known.insert(fuid.into(), value);
        Ok(())
    }

    /// Yields a fact of about `bytes` bytes: now if the value is known, else when it is learnt.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub(super) fn complete(
        &mut self,
        fuid: &str,
        line: u64,
        mut fact: Fact,
        bytes: usize,
        out: &mut Emit<'_>,
    ) -> io::Result<()> {
        if let Some(value) = self.find(fuid) {
            (self.complete)(&mut fact, value);
            return out.fact(line, fact);
        }
        let bytes = ENTRY_BYTES + fuid.len() + bytes;
        if self.held_bytes + bytes > BYTES_MAX {
            self.release(out)?;
        }
        self.held_bytes += bytes;
        match self.held.insert(fuid.into(), (line, fact)) {
            Some((line, fact)) if (self.speaks_alone)(&fact) => out.fact(line, fact),
            _ => Ok(()),
        }
    }

    /// Yields what waits and says something all the same.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub(super) fn release(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        self.held_bytes = 0;
        let speaks_alone = self.speaks_alone;
        let mut held: Vec<_> = self.held.drain().filter(|(_, (_, fact))| speaks_alone(fact)).collect();
        held.sort_unstable_by(|(a, (line_a, _)), (b, (line_b, _))| (line_a, a).cmp(&(line_b, b)));
        held.into_iter().try_for_each(|(_, (line, fact))| out.fact(line, fact))
    }
}
