//! What a MISP feed has beside its events: `manifest.json`, an object that names each event by its `uuid`, and
//! `hashes.csv`, digests of values for lookups without the events.

use std::collections::BTreeSet;
use std::io;

use serde::Deserialize;

use crate::feeds::json_values::JsonValues;
use crate::feeds::lenient::{Entries, Text};
use crate::feeds::{Emit, Input};

/// The names of the two files.
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const HASHES: &str = "hashes.csv";

/// The largest manifest: that of a feed with a hundred thousand events.
const MANIFEST_BYTES_MAX: usize = 64 << 20;

/// How many events of a batch are remembered.
const EVENTS_MAX: usize = 1_000_000;

/// The events that a manifest names, and those that were read.
#[derive(Default)]
pub(super) struct Manifest {
    /// The file and what it names.
    named: Option<(String, BTreeSet<String>)>,
    read: BTreeSet<String>,
}

/// What the manifest says of an event.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    timestamp: Text,
}

impl Manifest {
    /// Remembers that an event was read; where there is a manifest, so in any order.
    pub(super) fn saw(&mut self, uuid: &str) {
        if self.read.len() < EVENTS_MAX {
            self.read.insert(uuid.to_ascii_lowercase());
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on, or the sink takes no more.
    pub(super) fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut values = JsonValues::new(input.reader, None, MANIFEST_BYTES_MAX);
        while let Some((line, value)) = values.next(out)? {
            match serde_json::from_slice::<Entries<Entry>>(value) {
                Ok(entries) => {
                    let (_, named) =
                        self.named.get_or_insert_with(|| (input.name.to_owned(), BTreeSet::new()));
                    let uuids = entries.0.into_iter().filter(|(_, entry)| entry.timestamp.get().is_some());
                    named.extend(uuids.map(|(uuid, _)| uuid.to_ascii_lowercase()).take(EVENTS_MAX));
                }
                Err(error) => out.reject(line, "json", error.to_string(), value)?,
            }
        }
        Ok(())
    }

    /// Rejects each event that is named and was not there.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub(super) fn finish(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        let Some((file, named)) = &self.named else { return Ok(()) };
        out.set_file(file);
        for uuid in named.difference(&self.read) {
            out.reject(
                0,
                "missing",
                "the manifest names an event that is not in the folder",
                uuid.as_bytes(),
            )?;
        }
        Ok(())
    }
}
