//! What a source of registrations remembers: whom not to ask for a while, and what was asked for in vain. A small file,
//! `asked.json` in the source's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::source::replace;
use crate::value::{DAY_S, Timestamp};

/// How long a domain that its registry does not know is not asked for again.
const IN_VAIN_DAYS: i64 = 7;
/// The most domains that are remembered; beyond it those that may be asked for soonest are forgotten.
const IN_VAIN_MAX: usize = 100_000;

/// The name of the file.
const FILE: &str = "asked.json";

/// What is remembered.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    #[serde(skip)]
    now: Timestamp,
    /// When it was last read which registry to ask, and from where.
    pub(super) bootstrap: Option<(Timestamp, String)>,
    /// Until when a domain is not asked for.
    in_vain: BTreeMap<String, Timestamp>,
    /// Until when a registry is not asked.
    waits: BTreeMap<String, Timestamp>,
}

impl Memory {
    /// What is remembered as of now.
    ///
    /// # Errors
    ///
    /// What the file system says; a file that does not read.
    pub(super) fn read(folder: &Path, now: Timestamp) -> io::Result<Memory> {
        let path = folder.join(FILE);
        let mut memory: Memory = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                io::Error::other(format!("{}: {error}; remove it to begin anew", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Memory::default(),
            Err(error) => return Err(error),
        };
        memory.now = now;
        memory.in_vain.retain(|_, until| *until > now);
        memory.waits.retain(|_, until| *until > now);
        Ok(memory)
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub(super) fn write(&mut self, folder: &Path) -> io::Result<()> {
        if self.in_vain.len() > IN_VAIN_MAX {
            let mut untils: Vec<Timestamp> = self.in_vain.values().copied().collect();
            untils.sort_unstable();
            let last_forgotten = untils[untils.len() - IN_VAIN_MAX - 1];
            self.in_vain.retain(|_, until| *until > last_forgotten);
        }
        replace(&folder.join(FILE), &serde_json::to_vec(self)?)
    }

    /// Remembers that a domain was asked for in vain.
    pub(super) fn in_vain(&mut self, domain: &str) {
        self.in_vain.insert(domain.to_owned(), Timestamp(self.now.0 + IN_VAIN_DAYS * DAY_S));
    }

    /// Whether a domain was asked for in vain lately.
    pub(super) fn is_in_vain(&self, domain: &str) -> bool {
        self.in_vain.contains_key(domain)
    }

    /// Leaves a registry alone for so many seconds.
    pub(super) fn wait(&mut self, registry: &str, seconds: u64) {
        let until = self.now.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        self.waits.insert(registry.to_owned(), Timestamp(until));
    }

    /// Whether a registry is to be left alone.
    pub(super) fn waits(&self, registry: &str) -> bool {
        self.waits.contains_key(registry)
    }
}
