//! Brands that are watched: names that imitate one and were not known before are events.
//!
//! An event is a line of JSON in `<data>/events.ndjson`, which is only ever appended to: whoever delivers events reads on
//! where they stopped. A name is new if no other live run knows it, so that what is imported again is no event again.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use crate::dossier::similar::{Depth, Search};
use crate::indicator::DomainName;
use crate::similar::Target;
use crate::store::{Run, Store, StoreError};
use crate::value::Timestamp;

/// The file of events in the data folder.
pub const EVENTS: &str = "events.ndjson";

/// Events of one batch and one brand: a feed of a million names is not a million messages.
const EVENTS_MAX: usize = 1000;

/// Something that happened.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// What: `lookalike`.
    event: &'static str,
    /// When it was learnt.
    at: Timestamp,
    /// The brand.
    brand: &'a str,
    /// The name that imitates it.
    domain: String,
    /// The most telling technique.
    technique: &'static str,
    /// The batch that brought it.
    batch: u64,
    /// The source of that.
    source: &'a str,
}

/// Records the names of a batch that imitate a brand and were not known before. Returns how many.
///
/// # Errors
///
/// Where the store cannot answer, or the events cannot be written.
pub fn record(store: &Store, brands: &[DomainName], seq: u64, now: Timestamp) -> Result<usize, StoreError> {
    if brands.is_empty() {
        return Ok(0);
    }
    let view = store.snapshot()?.view(None);
    let runs = view.snapshot().runs();
    let holds = |run: &&Arc<Run>| run.meta.batches.iter().any(|batch| batch.seq == seq);
    let Some(own) = runs.iter().find(holds) else { return Ok(0) };
    let source =
        own.meta.batches.iter().find(|batch| batch.seq == seq).map_or("", |batch| batch.source.as_str());
    let mut lines = Vec::new();
    let mut count = 0;
    for brand in brands {
        let Some(target) = Target::of(brand) else { continue };
        let mut search = Search::new(target, Depth::All);
        let mut found: Vec<(String, &'static str)> = search.new_names(own, runs)?;
        if found.len() > EVENTS_MAX {
            tracing::warn!(brand = %brand, found = found.len(), EVENTS_MAX, "only the first new lookalikes are events");
            found.truncate(EVENTS_MAX);
        }
        for (domain, technique) in found {
            let brand = brand.as_str();
            let event = Event { event: "lookalike", at: now, brand, domain, technique, batch: seq, source };
            serde_json::to_writer(&mut lines, &event).map_err(io::Error::from)?;
            lines.push(b'\n');
            count += 1;
        }
    }
    if count > 0 {
        // One write: lines of imports at the same time do not mix.
        let mut file = File::options().create(true).append(true).open(store.folder().join(EVENTS))?;
        file.write_all(&lines)?;
        file.sync_data()?;
    }
    Ok(count)
}
