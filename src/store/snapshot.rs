//! What is true at one moment: the live runs of one manifest, as of now or of a past day.
//!
//! A [`Snapshot`] never changes. A [`View`] of it answers for one moment: it leaves out what was learnt or
//! observed later, to the resolution that [`View::as_of`] states.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::StoreError;
use super::hot::{Entry, Kind, Probe};
use super::manifest::{Batch, Manifest};
use super::names::Known;
use super::run::Run;
use crate::feeds::State;
use crate::indicator::{Mask, MaskType};
use crate::value::{CountryCode, Timestamp, Tlp};

/// The number of what is no source of the store's: evidence that follows from related objects.
pub const RELATED_SOURCE: u16 = u16::MAX;

/// Names of which is remembered what is like them.
const REMEMBERED_MAX: usize = 4096;

/// The live runs of one manifest.
#[derive(Clone)]
pub struct Snapshot {
    /// The manifest.
    pub manifest: Arc<Manifest>,
    runs: Vec<Arc<Run>>,
    now: Arc<Vec<Vec<BatchState>>>,
    /// What the content of each source's batches is marked with, the strictest.
    marks: Arc<Vec<Tlp>>,
    /// Labels that are like a name, as they were found.
    alike: Arc<Mutex<HashMap<String, Arc<Vec<Known>>>>>,
    /// What its reader does not see; `None`: nothing.
    restricted: Option<Arc<Restricted>>,
}

/// Sources that a reader does not see named, by their numbers.
struct Restricted {
    sources: Vec<bool>,
    /// What they say is left out, too.
    leaves_out: bool,
}

/// Who reads an answer: up to what mark they see who said something, and whether the answer leaves the house.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The strictest mark that they may see.
    pub clearance: Tlp,
    /// The answer is passed on: what is marked stricter is not in it. Else it is in it, and who said it is named
    /// [`RESTRICTED`].
    pub is_export: bool,
    /// The strictest mark of what leaves the house.
    pub export: Tlp,
    /// What sources are configured to be marked with, by name.
    pub marks: Arc<BTreeMap<String, Tlp>>,
}

impl Default for Reader {
    /// One who may see everything.
    fn default() -> Reader {
        Reader { clearance: Tlp::Red, is_export: false, export: Tlp::Green, marks: Arc::default() }
    }
}

impl Reader {
    /// The same where the answer is passed on.
    pub fn exporting(&self) -> Reader {
        Reader { clearance: self.clearance.min(self.export), is_export: true, ..self.clone() }
    }
}

/// How a source is named to those who may not know it.
pub const RESTRICTED: &str = "restricted";

/// What a batch means at a moment.
#[derive(Clone, Copy, Debug)]
struct BatchState {
    source: u16,
    observed: Timestamp,
    /// Known at that moment.
    visible: bool,
    /// A whole state; and the newest one of its source.
    whole: bool,
    newest: bool,
    /// When its content was last found unchanged; its own moment where it never was.
    refreshed: Timestamp,
}

impl Snapshot {
    /// Opens the runs that a manifest names, taking those that `known` has open already.
    ///
    /// # Errors
    ///
    /// What the file system says; damage.
    pub fn open(folder: &Path, manifest: Manifest, known: Option<&Snapshot>) -> io::Result<Snapshot> {
        let mut runs = Vec::with_capacity(manifest.runs.len());
        for entry in &manifest.runs {
            let open = known.and_then(|known| known.runs.iter().find(|run| run.id == entry.id));
            let open = open.filter(|run| run.heeds(entry, &manifest.tombstones));
            runs.push(match open {
                Some(run) => run.clone(),
                None => Arc::new(Run::live(folder, entry, &manifest.tombstones)?),
            });
        }
        let now = Arc::new(batch_states(&manifest, &runs, None));
        let mut marks = vec![Tlp::Clear; manifest.sources.len()];
        for batch in runs.iter().flat_map(|run| &run.meta.batches) {
            if let Some(mark) = marks.get_mut(usize::from(batch.source_id)) {
                *mark = (*mark).max(batch.tlp);
            }
        }
        Ok(Snapshot {
            manifest: Arc::new(manifest),
            runs,
            now,
            marks: Arc::new(marks),
            alike: Arc::default(),
            restricted: None,
        })
    }

    /// What was found to be like a name.
    pub fn remembered(&self, name: &str) -> Option<Arc<Vec<Known>>> {
        self.alike.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Remembers what was found to be like a name, now and from all runs.
    pub fn remember(&self, name: String, known: &Arc<Vec<Known>>) {
        let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        if alike.len() >= REMEMBERED_MAX {
            alike.clear();
        }
        alike.insert(name, known.clone());
    }

    /// The live runs.
    pub fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// The live batches, by number.
    pub fn batches(&self) -> Vec<&Batch> {
        let mut batches: Vec<&Batch> = self.runs.iter().flat_map(|run| &run.meta.batches).collect();
        batches.sort_by_key(|batch| batch.seq);
        batches
    }

    /// The name of a source.
    pub fn source_name(&self, id: u16) -> &str {
        if id == RELATED_SOURCE {
            return "zonelens:related";
        }
        self.manifest.sources.get(usize::from(id)).map_or("?", String::as_str)
    }

    /// The name of a source as its reader may see it.
    pub fn shown_source(&self, id: u16) -> &str {
        if self.is_restricted(id) { RESTRICTED } else { self.source_name(id) }
    }

    /// Whether its reader may not know that a source says something.
    pub fn is_restricted(&self, id: u16) -> bool {
        let sources = self.restricted.as_ref().map(|restricted| &restricted.sources);
        sources.and_then(|sources| sources.get(usize::from(id))).is_some_and(|is| *is)
    }

    /// Whether what a source says is not for its reader.
    pub fn leaves_out(&self, id: u16) -> bool {
        self.restricted.as_ref().is_some_and(|restricted| restricted.leaves_out) && self.is_restricted(id)
    }

    /// Whether what some source says is not for its reader.
    pub fn leaves_something_out(&self) -> bool {
        self.restricted.as_ref().is_some_and(|restricted| restricted.leaves_out)
    }

    /// The same as a reader may see it. Zones and scores are the same for all.
    pub fn for_reader(self: &Arc<Snapshot>, reader: &Reader) -> Arc<Snapshot> {
        let names = self.manifest.sources.iter().zip(self.marks.iter());
        let sources: Vec<bool> = names
            .map(|(name, mark)| {
                let configured = reader.marks.get(name).copied().unwrap_or_default();
                configured.max(*mark) > reader.clearance
            })
            .collect();
        if !sources.contains(&true) {
            return self.clone();
        }
        let restricted = Restricted { sources, leaves_out: reader.is_export };
        Arc::new(Snapshot { restricted: Some(Arc::new(restricted)), ..Snapshot::clone(self) })
    }

    /// A view of it as of a past moment; `None`: now.
    pub fn view(self: &Arc<Snapshot>, as_of: Option<Timestamp>) -> View {
        let states = as_of.map_or_else(
            || self.now.clone(),
            |at| Arc::new(batch_states(&self.manifest, &self.runs, Some(at))),
        );
        let telemetry = as_of.map(|at| {
            let day = at.end_of_day();
            let period = self.manifest.runs.iter().filter(|run| run.learnt_first <= day);
            period.map(|run| run.learnt_last).fold(day, Timestamp::max)
        });
        View { snapshot: self.clone(), as_of, telemetry, states }
    }
}

/// What each batch of each run means at a moment.
fn batch_states(manifest: &Manifest, runs: &[Arc<Run>], as_of: Option<Timestamp>) -> Vec<Vec<BatchState>> {
    let visible = |batch: &Batch| as_of.is_none_or(|at| batch.learnt <= at && batch.observed <= at);
    let mut newest: std::collections::HashMap<u16, &Batch> = std::collections::HashMap::new();
    let all = || runs.iter().flat_map(|run| &run.meta.batches);
    for batch in all().filter(|batch| batch.state == State::Whole && visible(batch)) {
        let best = newest.entry(batch.source_id).or_insert(batch);
        // Ordered by the last moment that they held, ties by content: the order of imports does not matter.
        let order = |batch: &Batch| manifest.held(batch, as_of);
        if (order(batch), &batch.digest) > (order(best), &best.digest) {
            *best = batch;
        }
    }
    let state = |batch: &Batch| BatchState {
        source: batch.source_id,
        observed: batch.observed,
        visible: visible(batch),
        whole: batch.state == State::Whole,
        newest: newest.get(&batch.source_id).is_some_and(|newest| newest.seq == batch.seq),
        refreshed: manifest.held(batch, as_of),
    };
    runs.iter().map(|run| run.meta.batches.iter().map(state).collect()).collect()
}

//------------ View ----------------------------------------------------------

/// A snapshot as of one moment.
#[derive(Clone)]
pub struct View {
    snapshot: Arc<Snapshot>,
    as_of: Option<Timestamp>,
    pub(super) telemetry: Option<Timestamp>,
    states: Arc<Vec<Vec<BatchState>>>,
}

/// An entry of a hot index with what its batches mean at the view's moment.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// The entry.
    pub entry: Entry,
    /// The run it is from.
    pub run: usize,
    /// Its position among the run's ranges, where it is one.
    pub range: Option<u32>,
    /// When the source first said it.
    pub first: Timestamp,
    /// When the source last said it.
    pub last: Timestamp,
    /// From a whole-state source.
    pub whole: bool,
    /// The source's newest state has it, and when that state was last found to hold.
    pub current: Option<Timestamp>,
}

impl Hit {
    /// Whether its source still says so: a source of events always does.
    pub fn is_current(&self) -> bool {
        !self.whole || self.current.is_some()
    }

    /// The country that a network names.
    pub fn country(&self) -> Option<CountryCode> {
        let letters = self.entry.port.to_be_bytes();
        std::str::from_utf8(&letters)
            .ok()
            .filter(|_| self.entry.kind == Kind::Network)
            .and_then(CountryCode::parse)
    }
}

impl View {
    /// The moment that statements are seen as of, and the one that telemetry is; `None`: now.
    pub fn as_of(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.as_of?, self.telemetry?))
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether a registrable domain is known: it or a name below it has rows.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn knows_name(&self, registrable: &str) -> Result<bool, StoreError> {
        for run in self.runs_read() {
            if run.knows_name(registrable)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The range of an entry that covers an address.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn range_of(&self, hit: &Hit) -> Result<Option<crate::indicator::AddressRange>, StoreError> {
        let hot = self.snapshot.runs.get(hit.run).and_then(|run| run.hot.as_ref());
        match (hot, hit.range) {
            (Some(hot), Some(index)) => Ok(hot.bounds(index)?),
            _ => Ok(None),
        }
    }

    /// The runs that had been learnt by the view's moment.
    pub fn runs_read(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.snapshot.runs.iter().enumerate().filter(|(index, _)| self.reads(*index)).map(|(_, run)| run)
    }

    /// Whether a run had been learnt by the view's moment.
    pub(super) fn reads(&self, run: usize) -> bool {
        let Some(limit) = self.telemetry else { return true };
        self.snapshot.manifest.runs.get(run).is_some_and(|entry| entry.learnt_first <= limit)
    }

    /// What a row of batches means; `None` where none of them was known at the view's moment.
    pub(super) fn span(&self, run: usize, source: u16, from: u32, to: u32) -> Option<BatchSpan> {
        let states = self.states.get(run)?;
        let states = states.get(from as usize..=(to as usize).min(states.len().checked_sub(1)?))?;
        let mut span: Option<BatchSpan> = None;
        for state in states.iter().filter(|state| state.visible && state.source == source) {
            let current = state.newest.then_some(state.refreshed);
            // What a source no longer says it said until its state was last found to hold.
            let last = state.refreshed;
            let span =
                span.get_or_insert(BatchSpan { first: state.observed, last, whole: state.whole, current });
            span.first = span.first.min(state.observed);
            span.last = span.last.max(last);
            span.current = span.current.max(current);
        }
        span
    }

    /// Calls `found` with every entry of the hot indexes that a probe finds.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn hits(&self, probe: &Probe<'_>, found: &mut impl FnMut(Hit)) -> Result<(), StoreError> {
        let hash = probe.hash(self.snapshot.manifest.seed);
        for (index, run) in self.snapshot.runs.iter().enumerate() {
            let Some(hot) = run.hot.as_ref().filter(|_| !run.hides(probe)) else { continue };
            hot.find(hash, &mut |entry| self.hit(index, None, entry, found))?;
        }
        Ok(())
    }

    /// Calls `found` with every entry whose range holds an address.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn covering(&self, address: IpAddr, found: &mut impl FnMut(Hit)) -> Result<(), StoreError> {
        for (index, run) in self.snapshot.runs.iter().enumerate() {
            run.covering(address, &mut |range, entry| self.hit(index, Some(range), entry, found))?;
        }
        Ok(())
    }

    /// Calls `found` with every wildcard and its entry.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn wildcards(&self, found: &mut impl FnMut(&str, Hit)) -> Result<(), StoreError> {
        for (index, run) in self.snapshot.runs.iter().enumerate() {
            let Some(hot) = &run.hot else { continue };
            for (text, at) in hot.texts.wildcards.iter().filter(|(text, _)| !run.hides_text(text)) {
                self.hit(index, None, hot.range_entry(*at)?, &mut |hit| found(text, hit));
            }
        }
        Ok(())
    }

    /// Calls `found` with every wildcard that can match something on a host, as a key spells it, and its entry.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn wildcards_on(&self, host: &str, found: &mut impl FnMut(&Mask, Hit)) -> Result<(), StoreError> {
        for (index, run) in self.snapshot.runs.iter().enumerate() {
            let Some(hot) = &run.hot else { continue };
            hot.wildcards_on(host, &mut |mask, entry| {
                if !run.hides_text(mask.text()) {
                    self.hit(index, None, entry, &mut |hit| found(mask, hit));
                }
            })?;
        }
        Ok(())
    }

    /// Calls `found` with what an entry of a run means at the view's moment, where it means something.
    pub(super) fn hit(&self, run: usize, range: Option<u32>, entry: Entry, found: &mut impl FnMut(Hit)) {
        let Some(span) = self.span(run, entry.source, entry.from, entry.to) else { return };
        let own = |seconds: u32, otherwise: Timestamp| {
            if seconds == 0 { otherwise } else { Timestamp(i64::from(seconds)) }
        };
        let is_listing = entry.kind != super::hot::Kind::Benign;
        let last = own(entry.last, span.last);
        // A statement may tell of a moment before its batch, and of no first one: that is both.
        let first = if is_listing { own(entry.first, span.first.min(last)) } else { span.first };
        let last = last.max(first);
        if self.as_of.is_some_and(|at| first > at) {
            return;
        }
        found(Hit { entry, run, range, first, last, whole: span.whole, current: span.current });
    }

    /// The name of the benign list of an entry.
    pub fn list_name(&self, hit: &Hit) -> Option<&str> {
        let hot = self.snapshot.runs.get(hit.run)?.hot.as_ref()?;
        hot.texts.lists.get((hit.entry.extra as usize).checked_sub(1)?).map(String::as_str)
    }
}

pub(super) struct BatchSpan {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) whole: bool,
    pub(super) current: Option<Timestamp>,
}

/// The number of a mask's type, as keys and hot indexes hold it.
pub fn mask_type_byte(mask_type: MaskType) -> u8 {
    match mask_type {
        MaskType::Domain => 1,
        MaskType::Folder => 2,
        MaskType::Script => 3,
        MaskType::Wildcard => 4,
        MaskType::Host => 5,
        MaskType::Url => 6,
        MaskType::Network => 7,
    }
}

/// The mask type with this number.
pub fn mask_type(byte: u8) -> Option<MaskType> {
    [
        MaskType::Domain,
        MaskType::Folder,
        MaskType::Script,
        MaskType::Wildcard,
        MaskType::Host,
        MaskType::Url,
        MaskType::Network,
    ]
    .into_iter()
    .find(|mask_type| mask_type_byte(*mask_type) == byte)
}
