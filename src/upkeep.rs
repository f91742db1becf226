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
use crate::store::merge::Retention;
use crate::store::{Batch, Event, Store, StoreError};
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
        });
        source.batches += 1;
        source.facts += batch.facts.values().sum::<u64>();
        source.state = batch.state;
        source.observed = source.observed.max(observed);
        source.learnt = source.learnt.max(batch.learnt);
        source.age_hours = (now.0 - source.observed.0).max(0) / 3600;
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

//------------ Joiner --------------------------------------------------------

/// How often a service looks for runs to join.
const JOIN_EVERY: Duration = Duration::from_secs(1);

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
    ) -> std::io::Result<Joiner> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("joiner".to_owned()).spawn(move || {
            let mut generation = None;
            while woken.recv_timeout(JOIN_EVERY) == Err(RecvTimeoutError::Timeout) {
                let result = store.snapshot().and_then(|snapshot| {
                    if generation == Some(snapshot.manifest.generation) {
                        return Ok((0, 0));
                    }
                    generation = Some(snapshot.manifest.generation);
                    let joined = store.join(clock.now(), alike_max, &stopped)?;
                    store.expire_originals(clock.now(), &retention)?;
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
