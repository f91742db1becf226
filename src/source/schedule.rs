//! Asks sources by themselves when their interval is over: a thread of the service.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::rdap::LookedUp;
use super::refresh::{Options, Outcome, refresh};
use super::status::Status;
use super::{FILE, Location, Registry, Source};
use crate::clock::Clock;
use crate::config::Telemetry;
use crate::store::Store;
use crate::value::Timestamp;

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often what was looked up is handed to the sources that want it.
const HAND_OVER_EVERY: Duration = Duration::from_secs(10);

/// How many sources are asked at a time: one that is slow holds up no other.
const AT_A_TIME: usize = 3;

/// Refreshes sources in the background until it is dropped. What is at work then ends by itself or with the process:
/// nothing of it is in the store before it is whole.
pub struct Refresher {
    /// Dropped to wake the thread.
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a service tells its refresher.
#[derive(Debug, Default)]
pub struct Wishes {
    /// What was looked up.
    pub looked_up: LookedUp,
    /// Sources that somebody wants refreshed now.
    refresh: Mutex<HashSet<String>>,
}

impl Wishes {
    /// Wants a source refreshed now, also where it is disabled or has no interval. As soon as there is room for it.
    pub fn refresh(&self, name: &str) {
        self.wanted().insert(name.to_owned());
    }

    fn wanted(&self) -> MutexGuard<'_, HashSet<String>> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a refresher works with.
pub struct Setup {
    /// The store.
    pub store: Arc<Store>,
    /// The clock.
    pub clock: Clock,
    /// The sources of the configuration.
    pub configured: Vec<Source>,
    /// What telemetry is kept.
    pub telemetry: Telemetry,
    /// Memory for rows that are not yet sorted, of each source at work.
    pub buffer_bytes: usize,
    /// What the service wants.
    pub wishes: Arc<Wishes>,
    /// Told of all sources when they changed.
    pub changed: Box<dyn Fn(&Registry) + Send>,
}

impl Refresher {
    /// Begins.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(setup: Setup) -> io::Result<Refresher> {
        let (wake, woken) = channel();
        let mut work = Work::new(setup);
        let thread = std::thread::Builder::new().name("refresher".to_owned()).spawn(move || {
            while woken.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                work.look();
            }
            work.hand_over();
        })?;
        Ok(Refresher { wake: Some(wake), thread: Some(thread) })
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.wake = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that refreshes sources panicked");
        }
    }
}

struct Work {
    setup: Setup,
    registry: Registry,
    /// Of the file with what commands added.
    modified: Option<SystemTime>,
    /// When each source is due. Looked up when it seems so: a command may have refreshed it.
    due: HashMap<String, Timestamp>,
    at_work: Arc<Mutex<HashSet<String>>>,
    handed_over: Instant,
}

impl Work {
    fn new(setup: Setup) -> Work {
        let mut work = Work {
            setup,
            registry: Registry::default(),
            modified: None,
            due: HashMap::new(),
            at_work: Arc::default(),
            handed_over: Instant::now(),
        };
        work.read();
        work
    }

    fn file(&self) -> PathBuf {
        self.setup.store.folder().join(FILE)
    }

    /// Reads all sources.
    fn read(&mut self) {
        self.modified = modified(&self.file());
        match Registry::read(&self.setup.configured, self.setup.store.folder()) {
            Ok(registry) => {
                self.registry = registry;
                self.due.clear();
                self.hand_over();
                (self.setup.changed)(&self.registry);
            }
            Err(error) => tracing::error!(%error, "sources stay as they were"),
        }
    }

    /// Hands what was looked up to the sources that want it.
    fn hand_over(&mut self) {
        self.handed_over = Instant::now();
        let data = self.setup.store.folder();
        if let Err(error) = self.setup.wishes.looked_up.hand_over(&self.registry, data) {
            tracing::error!(%error, "what was looked up cannot be handed over");
        }
    }

    /// Begins what is due, and what is wanted.
    fn look(&mut self) {
        if modified(&self.file()) != self.modified {
            self.read();
        }
        if self.handed_over.elapsed() >= HAND_OVER_EVERY {
            self.hand_over();
        }
        let now = self.setup.clock.now();
        for source in self.registry.iter().cloned().collect::<Vec<_>>() {
            let is_wanted = self.setup.wishes.wanted().contains(&source.name);
            let is_asked = !source.disabled && source.interval.is_some();
            if !(is_wanted || is_asked && self.seems_due(&source, now)) || !self.has_room(&source) {
                continue;
            }
            if is_wanted || self.is_due(&source, now) {
                self.setup.wishes.wanted().remove(&source.name);
                if source.location == Some(Location::Rdap) {
                    self.hand_over();
                }
                self.begin(source, now);
            }
        }
    }

    fn seems_due(&self, source: &Source, now: Timestamp) -> bool {
        self.due.get(&source.name).is_none_or(|due| *due <= now)
    }

    fn has_room(&self, source: &Source) -> bool {
        let at_work = self.at_work();
        at_work.len() < AT_A_TIME && !at_work.contains(&source.name)
    }

    fn at_work(&self) -> MutexGuard<'_, HashSet<String>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a source that seems to be due is: another process may have refreshed it since.
    fn is_due(&mut self, source: &Source, now: Timestamp) -> bool {
        let next = match Status::read(self.setup.store.folder(), &source.name) {
            Ok(status) => status.next.unwrap_or(now),
            Err(error) => {
                tracing::error!(%error, source = source.name, "the source is not refreshed");
                Timestamp(now.0 + 60)
            }
        };
        self.due.insert(source.name.clone(), next);
        next <= now
    }

    /// Refreshes a source in a thread of its own.
    fn begin(&self, source: Source, now: Timestamp) {
        self.at_work().insert(source.name.clone());
        let (store, registry) = (self.setup.store.clone(), self.registry.clone());
        let at_work = self.at_work.clone();
        let options = Options {
            now,
            accept: false,
            force: false,
            wait: false,
            telemetry: self.setup.telemetry,
            buffer_bytes: self.setup.buffer_bytes,
        };
        let name = source.name.clone();
        let work = move || {
            let result = refresh(&store, &registry, &source, &options, &mut |_| {});
            say(&source.name, &result);
            at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&source.name);
        };
        if let Err(error) = std::thread::Builder::new().name(format!("source {name}")).spawn(work) {
            tracing::error!(%error, source = name, "no thread to refresh the source");
            self.at_work().remove(&name);
        }
    }
}

fn modified(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// A line of the log a refresh.
fn say(source: &str, result: &Result<Outcome, super::refresh::RefreshError>) {
    match result {
        Ok(Outcome::NotModified) => tracing::info!(source, "not modified"),
        Ok(Outcome::Busy) => tracing::debug!(source, "somebody else refreshes it"),
        Ok(Outcome::Imported(summaries)) => {
            for summary in summaries {
                let facts: u64 = summary.facts.values().sum();
                let rejected: u64 = summary.rejected.values().map(|reason| reason.count).sum();
                let (batch, unchanged) = (summary.batch, summary.unchanged);
                tracing::info!(source, batch, unchanged, facts, rejected, "refreshed");
            }
        }
        Err(error) => tracing::warn!(source, %error, "not refreshed"),
    }
}
