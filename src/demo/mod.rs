//! The demo: what a new user sees first, from data that ships with the program.
//!
//! Real feeds stand in `demo/` (its NOTICE names sources and licences); what nobody publishes, such as passive DNS
//! with daily hits, file verdicts, spam history and registrations with contacts, is made here from a seed. All of
//! that is from sources named `synthetic-…`, on names that are reserved (RFC 2606) and on addresses of the AS112
//! project (RFC 7534, RFC 7535): special-purpose, so nobody's, but globally reachable, so reports are made of
//! them. Its moments are counted back from now, so that the demo is always fresh.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use sha2::{Digest, Sha256};

use crate::feeds::State;
use crate::import::ImportError;
use crate::indicator::Kind;
use crate::store::{Again, Counts, NewBatch, Published, Store, StoreError};
use crate::value::Timestamp;

mod address;
mod domain;
mod others;
mod scene;
mod shipped;
mod url_and_file;

pub use scene::Synthetic;
pub use shipped::{SHIPPED, Shipped};

/// A domain with every section.
pub const FULL_DOMAIN: &str = "full.example";
/// An address with every section.
pub const FULL_ADDRESS: &str = "192.31.196.10";
/// A URL with every section.
pub const FULL_URL: &str = "full.example/files/setup.exe";
/// A file with every section, by its MD5.
pub const FULL_FILE: &str = "35E721E1DD7F717E096E629A0322950C";
/// A popular bank.
pub const BENIGN: &str = "examplebank.example";
/// Listed and popular.
pub const CONFLICT: &str = "files.example";
/// An address with hundreds of domains of different owners.
pub const SHARED_ADDRESS: &str = "192.31.196.80";
/// A name like the bank's that no list knows.
pub const LOOKALIKE: &str = "examp1ebank.example";
/// Listed so long ago that nothing is left of it.
pub const DEAD: &str = "gone.example";
/// Listed, and set to Green by a person.
pub const PINNED: &str = "travel.example";

/// An object to look up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its kind.
    pub kind: Kind,
    /// As it is typed into the API.
    pub value: &'static str,
    /// What its report shows.
    pub shows: &'static str,
}

const fn shown(kind: Kind, value: &'static str, shows: &'static str) -> Shown {
    Shown { kind, value, shows }
}

/// The objects to look up first.
const INDICATORS: &[Shown] = &[
    shown(Kind::Domain, FULL_DOMAIN, "a domain with every section"),
    shown(Kind::Ip, FULL_ADDRESS, "an address with every section"),
    shown(Kind::Url, FULL_URL, "a URL with every section"),
    shown(Kind::Hash, FULL_FILE, "a file with every section"),
    shown(Kind::Domain, BENIGN, "benign: popular and on a list of banks"),
    shown(Kind::Domain, CONFLICT, "a conflict: listed and popular"),
    shown(Kind::Ip, SHARED_ADDRESS, "a shared address with 300 domains"),
    shown(Kind::Domain, LOOKALIKE, "an unknown lookalike of a popular name"),
    shown(Kind::Domain, DEAD, "listed long ago, nothing left of it"),
    shown(Kind::Domain, PINNED, "listed, and set to Green by a person"),
    shown(Kind::Ip, "2620:4f:8000::10", "an IPv6 address"),
];

/// The objects to look up first, and what their reports show.
pub fn indicators() -> &'static [Shown] {
    INDICATORS
}

/// The seed of the synthetic facts and of a demo store's hashes.
pub const SEED: u64 = 112;

/// All synthetic facts around a moment: equal moments give equal facts.
pub fn facts(now: Timestamp) -> Vec<Synthetic> {
    let mut scene = scene::Scene::new(now, SEED);
    domain::add(&mut scene);
    address::add(&mut scene);
    others::add(&mut scene);
    url_and_file::add(&mut scene);
    scene.into_facts()
}

/// Memory for the rows of a synthetic batch.
const BUFFER_BYTES: usize = 16 << 20;

/// How long ago the demo takes its whole-state sources as found again unchanged: a snapshot that ships is older than
/// the time for which a list counts as fresh, and what it lists would have aged away.
const REFRESHED_S: i64 = 12 * 3600;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// What an import says.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The source of the batch that is made last: a store that has it is a whole demo.
const LAST: &str = scene::source::WEB;

/// Whether a demo was built in this store to its end.
///
/// # Errors
///
/// What the store says.
pub fn is_built(store: &Store) -> Result<bool, StoreError> {
    Ok(store.snapshot()?.batches().iter().any(|batch| batch.source == LAST))
}

/// Imports at a time.
const WORKERS: usize = 2;

/// Builds the demo in a new store: the feeds that ship, then the synthetic facts. `files` is a folder for files that
/// are needed meanwhile; `progress` hears a line a batch.
///
/// # Errors
///
/// What the imports and the store say.
pub fn build(
    store: &Store,
    files: &Path,
    now: Timestamp,
    progress: impl Fn(&str) + Sync,
) -> Result<(), DemoError> {
    // Sources get their numbers in this order, whichever import is done first.
    for shipped in SHIPPED {
        let new = new_batch(shipped.source, shipped.format, State::Events, now);
        drop(store.begin(new, BUFFER_BYTES)?);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(shipped) = SHIPPED.get(next.fetch_add(1, Ordering::Relaxed)) {
            import_one(store, shipped, files, now, &progress)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let join = |worker: ScopedJoinHandle<'_, Result<(), DemoError>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).fold(Ok(()), Result::and)
    })?;
    let facts = import_synthetic(store, now)?;
    progress(&format!("synthetic-…: {facts} facts (made up, on reserved names)"));
    Ok(())
}

/// Imports one of the feeds that ship.
fn import_one(
    store: &Store,
    shipped: &Shipped,
    files: &Path,
    now: Timestamp,
    progress: impl Fn(&str),
) -> Result<(), DemoError> {
    let summary = shipped::import_shipped(store, shipped, files, now)?;
    if summary.state == State::Whole {
        refresh(store, summary.batch, summary.observed, now)?;
    }
    let facts: u64 = summary.facts.values().sum();
    let rejected: u64 = summary.rejected.values().map(|reason| reason.count).sum();
    progress(&format!("{}: {facts} facts, {rejected} rejected ({})", shipped.source, shipped.credit));
    Ok(())
}

fn refresh(store: &Store, batch: u64, observed: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let at = Timestamp(now.0 - REFRESHED_S);
    if at > observed { store.seen_again(batch, Again { observed: at, learnt: at }) } else { Ok(()) }
}

/// Imports the synthetic facts, a batch for each source and moment of learning. Returns how many facts there are.
///
/// # Errors
///
/// What the store says.
pub fn import_synthetic(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let facts = facts(now);
    let mut batches: BTreeMap<(&str, Timestamp), Vec<&Synthetic>> = BTreeMap::new();
    for fact in &facts {
        batches.entry((fact.source, fact.learnt)).or_default().push(fact);
    }
    for ((source, learnt), facts) in batches {
        let state = if scene::source::WHOLE.contains(&source) { State::Whole } else { State::Events };
        let mut writer = store.begin(new_batch(source, "native", state, learnt), BUFFER_BYTES)?;
        let mut digest = Sha256::new();
        for synthetic in facts {
            writer.push(synthetic.fact.clone())?;
            digest.update(serde_json::to_vec(&synthetic.fact).map_err(std::io::Error::from)?);
            digest.update(b"\n");
        }
        let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let (Published::New(seq) | Published::Known(seq), _) =
            writer.publish(digest, 0, crate::value::Tlp::Clear)?;
        if state == State::Whole {
            refresh(store, seq, learnt, now)?;
        }
    }
    Ok(facts.len())
}

fn new_batch(source: &str, format: &str, state: State, learnt: Timestamp) -> NewBatch {
    let (source, format) = (source.to_owned(), format.to_owned());
    NewBatch { source, format, observed: learnt, learnt, state, counts: Counts::Additive, identity: None }
}

#[cfg(test)]
mod tests;
