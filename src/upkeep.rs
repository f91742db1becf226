//! What a store holds and how fresh it is: batches and figures, for commands and pages. And that it does not
//! fall apart into too many runs: [`Joiner`], [`relieve`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Clock;
use crate::feeds::State;
use crate::source::quarantine::Quarantine;
use crate::source::status::{Failed, Held, Status};
use crate::source::{Registry, Source, quarantine};
use crate::store::forget::Forgotten;
use crate::store::merge::Retention;
use crate::store::{Batch, Event, Found, Keep, Store, StoreError, Subject, Tidied};
use crate::value::Timestamp;

/// A batch and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct BatchState {
    /// The batch as it was published.
    #[serde(flatten)]
    pub batch: Batch,
    /// Whether its facts count.
    pub live: bool,
    /// When it was retired.
    pub retired: Option<Timestamp>,
    /// When the same content last came again.
    pub refreshed: Option<Timestamp>,
}

impl BatchState {
    /// All its facts.
    pub fn facts(&self) -> u64 {
        self.batch.facts.values().sum()
    }
}

/// Every batch that ever was, by number.
///
/// # Errors
///
/// Damage; what the file system says.
pub fn batches(store: &Store) -> Result<Vec<BatchState>, StoreError> {
    let snapshot = store.snapshot()?;
    let (events, damaged) = store.catalogue()?;
    for damage in damaged {
        tracing::warn!(%damage, "a line of the catalogue cannot be read");
    }
    let mut states: BTreeMap<u64, BatchState> = BTreeMap::new();
    let state = |batch: &Batch, live| BatchState {
        batch: batch.clone(),
        live,
        retired: None,
        refreshed: snapshot
            .manifest
            .refreshed
            .get(&batch.seq)
            .and_then(|at| at.last())
            .map(|again| again.observed),
    };
    for event in &events {
        match event {
            Event::Imported { batch } => {
                states.insert(batch.seq, state(batch, false));
            }
            Event::Again { .. } | Event::Forgotten { .. } | Event::Erased { .. } => {}
            Event::Retired { seq, at } => {
                if let Some(state) = states.get_mut(seq) {
                    state.retired = Some(*at);
                }
            }
        }
    }
    for batch in snapshot.batches() {
        states.insert(batch.seq, state(batch, true));
    }
    Ok(states.into_values().collect())
}

/// The live batches of a source.
///
/// # Errors
///
/// As [`batches`].
pub fn live_batches(store: &Store, source: &str) -> Result<Vec<u64>, StoreError> {
    let snapshot = store.snapshot()?;
    let batches = snapshot.batches().into_iter();
    Ok(batches.filter(|batch| batch.source == source).map(|batch| batch.seq).collect())
}

/// Figures of a store.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Objects, counted in each run that knows them: after a merge, distinct ones.
    pub objects: u64,
    /// Rows of all live runs.
    pub rows: u64,
    /// Facts by kind.
    pub facts: BTreeMap<String, u64>,
    /// Live runs.
    pub runs: usize,
    /// Live batches.
    pub batches: usize,
    /// Bytes of live runs.
    pub bytes: u64,
    /// Bytes of runs that are kept beside the runs they were merged into.
    pub bytes_kept: u64,
    /// Counts every change of the store.
    pub generation: u64,
    /// Freshness by source.
    pub sources: Vec<SourceStats>,
}

/// Figures of a source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceStats {
    /// Its name.
    pub source: String,
    /// What its newest batch means.
    pub state: State,
    /// Live batches.
    pub batches: usize,
    /// Facts of them.
    pub facts: u64,
    /// When its newest batch was observed, or found unchanged.
    pub observed: Timestamp,
    /// When its newest batch was learnt.
    pub learnt: Timestamp,
    /// Whole hours since [`observed`](Self::observed).
    pub age_hours: i64,
    /// When it was last asked for and was as it is here; absent: it is imported by hand.
    pub good: Option<Timestamp>,
    /// Why it cannot be asked for now.
    pub failed: Option<Failed>,
    /// What is held back because too much is gone from it.
    pub held: Option<Held>,
    /// Records of its newest import that were not understood.
    pub rejected: u64,
}

/// Figures of a store.
///
/// # Errors
///
/// Damage; what the file system says.
pub fn stats(store: &Store, now: Timestamp) -> Result<Stats, StoreError> {
    let snapshot = store.snapshot()?;
    let batches = snapshot.batches();
    let manifest = &snapshot.manifest;
    let (mut facts, mut sources) = (BTreeMap::new(), BTreeMap::<&str, SourceStats>::new());
    for batch in &batches {
        for (kind, count) in &batch.facts {
            *facts.entry(kind.clone()).or_default() += count;
        }
        let refreshed =
            manifest.refreshed.get(&batch.seq).and_then(|at| at.last()).map(|again| again.observed);
        let observed = batch.observed.max(refreshed.unwrap_or_default());
        let source = sources.entry(&batch.source).or_insert_with(|| SourceStats {
            source: batch.source.clone(),
            state: batch.state,
            batches: 0,
            facts: 0,
            observed,
            learnt: batch.learnt,
            age_hours: 0,
            good: None,
            failed: None,
            held: None,
            rejected: 0,
        });
        source.batches += 1;
        source.facts += batch.facts.values().sum::<u64>();
        source.state = batch.state;
        source.observed = source.observed.max(observed);
        source.learnt = source.learnt.max(batch.learnt);
        source.age_hours = (now.0 - source.observed.0).max(0) / 3600;
    }
    for (name, source) in &mut sources {
        let status = Status::read(store.folder(), name)?;
        (source.good, source.failed, source.held) = (status.good, status.failed, status.held);
        source.rejected = Quarantine::read(store.folder(), name)?.count();
    }
    let kept = manifest.runs.iter().flat_map(|run| &run.originals);
    Ok(Stats {
        objects: snapshot.runs().iter().map(|run| run.meta.objects).sum(),
        rows: manifest.runs.iter().map(|run| run.rows).sum(),
        facts,
        runs: manifest.runs.len(),
        batches: batches.len(),
        bytes: manifest.runs.iter().map(|run| run.bytes).sum(),
        bytes_kept: kept.map(|run| run.bytes).sum(),
        generation: manifest.generation,
        sources: sources.into_values().collect(),
    })
}

//------------ What must not be there -----------------------------------------

/// From when on things are kept, as sources say; `contact_days` 0: contacts for good.
pub fn keep(registry: &Registry, contact_days: u32, now: Timestamp) -> Keep {
    let days = registry.iter().filter_map(|source| Some((source.name.clone(), source.keep_days?)));
    Keep {
        sources: days.map(|(name, days)| (name, Keep::first_day(now, days))).collect(),
        contacts: if contact_days == 0 { 0 } else { Keep::first_day(now, contact_days) },
    }
}

/// Orders to forget, as [`Store::forget`]; samples of rejected records that name it go at once.
///
/// # Errors
///
/// As [`Store::forget`].
pub fn forget(
    store: &Store,
    subjects: &[Subject],
    keep_out: bool,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let forgotten = Forgotten::subjects(&store.with_aliases(subjects)?);
    // First, so that it is not left behind where the second fails; again it does no harm.
    quarantine::forget(store.folder(), &forgotten)?;
    store.forget(subjects, keep_out, now)
}

/// Takes out what is forgotten and what is older than it is kept, as [`Store::tidy`]; of samples of rejected records
/// what was written to them since it was forgotten too.
///
/// # Errors
///
/// As [`Store::tidy`].
pub fn tidy(store: &Store, now: Timestamp, keep: &Keep, stop: &AtomicBool) -> Result<Tidied, StoreError> {
    if let Some(forgotten) = Forgotten::of(store.snapshot()?.manifest.tombstones.iter()) {
        quarantine::forget(store.folder(), &forgotten)?;
    }
    store.tidy(now, keep, stop)
}

/// Where something is named: rows of runs, and how many samples of rejected records.
///
/// # Errors
///
/// As [`Store::find_named`].
pub fn find_named(store: &Store, subjects: &[Subject]) -> Result<(Found, usize), StoreError> {
    let forgotten = Forgotten::subjects(&store.with_aliases(subjects)?);
    Ok((store.find_named(subjects)?, quarantine::count_named(store.folder(), &forgotten)?))
}

//------------ Joiner --------------------------------------------------------

/// How often a service looks for runs to join.
const JOIN_EVERY: Duration = Duration::from_secs(1);

/// What is kept how long, as it is configured.
pub struct Kept {
    /// The sources of the configuration.
    pub configured: Vec<Source>,
    /// Days that contacts are kept; 0: for good.
    pub contact_days: u32,
}

impl Kept {
    /// Takes out what must not be there.
    fn tidy(&self, store: &Store, now: Timestamp, stop: &AtomicBool) -> Result<(), StoreError> {
        let registry = Registry::read(&self.configured, store.folder()).map_err(StoreError::Refused)?;
        let tidied = tidy(store, now, &keep(&registry, self.contact_days, now), stop)?;
        if tidied.rewritten > 0 || !tidied.gone.is_empty() || !tidied.erased.is_empty() {
            let (rewritten, gone, erased) = (tidied.rewritten, tidied.gone.len(), tidied.erased.len());
            tracing::info!(rewritten, gone, erased, "took out what must not be there");
        }
        Ok(())
    }
}

/// Joins the runs of a store in the background until it is dropped: one thread, one group of runs at a time.
pub struct Joiner {
    stop: Arc<AtomicBool>,
    /// Dropped to wake the thread.
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Joiner {
    /// Begins. `alike_max` is how many runs of a day may be alike in size.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(
        store: Arc<Store>,
        clock: Clock,
        alike_max: usize,
        retention: Retention,
        kept: Kept,
    ) -> std::io::Result<Joiner> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("joiner".to_owned()).spawn(move || {
            let mut looked = None;
            while woken.recv_timeout(JOIN_EVERY) == Err(RecvTimeoutError::Timeout) {
                let result = store.snapshot().and_then(|snapshot| {
                    let now = clock.now();
                    let state = Some((snapshot.manifest.generation, now.day()));
                    if looked == state {
                        return Ok((0, 0));
                    }
                    looked = state;
                    let joined = store.join(now, alike_max, &stopped)?;
                    store.expire_originals(now, &retention)?;
                    kept.tidy(&store, now, &stopped)?;
                    Ok(joined)
                });
                match result {
                    Ok((0, _)) => {}
                    Ok((from, to)) => tracing::info!(from, to, "joined small runs"),
                    // Tried again when the store changes.
                    Err(error) => tracing::warn!(%error, "small runs cannot be joined"),
                }
            }
        })?;
        Ok(Joiner { stop, wake: Some(wake), thread: Some(thread) })
    }
}

impl Drop for Joiner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that joins runs panicked");
        }
    }
}

/// Live runs of a day that may be alike in size before whoever adds one more has to join them.
pub const ALIKE_RUNS_MAX: usize = 32;

/// Joins runs of a store that nobody else joins, after something was published. What was published stays
/// published where that fails.
pub fn relieve(store: &Store, now: Timestamp) {
    match store.join(now, ALIKE_RUNS_MAX, &AtomicBool::new(false)) {
        Ok((0, _)) => {}
        Ok((from, to)) => tracing::info!(from, to, "joined small runs, of which there were too many"),
        Err(error) => tracing::warn!(%error, "small runs cannot be joined: run `zonelens verify`"),
    }
}
