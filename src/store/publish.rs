//! Writing to the store: a batch. Like a merge and a retirement (see [`super::replace`]) it is one manifest swap.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use super::flagged::{self, Flagger};
use super::hot::Builder;
use super::index::index_row;
use super::manifest::{
    Again, Batch, CATALOGUE, Counts, Event, Identity, Manifest, RunEntry, append_catalogue,
    read_catalogue_from,
};
use super::rows::{RowMaker, flagged_row};
use super::run::{Run, RunMeta, RunWriter};
use super::sort::Sorter;
use super::temp::{TempFolder, remove_if_dead};
use super::{Catalogued, Snapshot, Store, StoreError, run_path};
use crate::fact::Fact;
use crate::feeds::State;
use crate::value::{Timestamp, Tlp};

/// What is known of a batch before it is read.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// The source's name.
    pub source: String,
    /// The format's name.
    pub format: String,
    /// The moment of facts without a date of their own.
    pub observed: Timestamp,
    /// The moment of learning.
    pub learnt: Timestamp,
    /// Whether it is all that the source says.
    pub state: State,
    /// How it counts.
    pub counts: Counts,
    /// What it is known by; absent: its content.
    pub identity: Option<Identity>,
}

/// What publishing a batch did.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// It is live under this number.
    New(u64),
    /// The same content is live already, under this number.
    Known(u64),
}

/// Collects the facts of one batch; [`BatchWriter::publish`] makes them live, dropping it forgets them.
pub struct BatchWriter<'a> {
    store: &'a Store,
    new: NewBatch,
    source_id: u16,
    seed: u64,
    /// Facts that are not yet on their way to the thread that makes rows.
    pending: Vec<Fact>,
    rows: RowThread,
    facts: BTreeMap<String, u64>,
    counts: [u64; crate::fact::FACT_KINDS.len()],
    buffer_bytes: usize,
    /// The batches that candidates were sought in.
    seen: HashSet<u64>,
    /// Rejected records by reason, where they are known.
    pub reasons: BTreeMap<String, u64>,
    /// Tombstones up to this number were heeded.
    heeded: u64,
    folder: TempFolder,
}

impl Store {
    /// Begins a batch. `buffer_bytes` is the size of a buffer of rows; up to three are alive: one fills, one
    /// is sorted, one waits.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn begin(&self, new: NewBatch, buffer_bytes: usize) -> Result<BatchWriter<'_>, StoreError> {
        let lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let sources = manifest.sources.len();
        let source_id = manifest.source_id(&new.source)?;
        if manifest.sources.len() > sources {
            manifest.generation += 1;
            manifest.write(self.folder())?;
        }
        let folder = TempFolder::create(&self.folder().join("tmp"))?;
        drop(lock);
        self.refresh();
        let snapshot = self.snapshot()?;
        let seen = snapshot.batches().iter().map(|batch| batch.seq).collect();
        let flagger = Flagger::new(snapshot.runs().to_vec(), manifest.seed);
        let sorter = Sorter::new(&folder.path, buffer_bytes);
        let rows = RowThread::start(RowMaker::new(sorter, source_id, new.counts, new.observed, flagger));
        let counts = [0; crate::fact::FACT_KINDS.len()];
        Ok(BatchWriter {
            store: self,
            new,
            source_id,
            seed: manifest.seed,
            pending: Vec::new(),
            rows,
            facts: BTreeMap::new(),
            counts,
            buffer_bytes,
            seen,
            reasons: BTreeMap::new(),
            heeded: manifest.next_tombstone,
            folder,
        })
    }

    /// A folder for content on its way into the store, removed when it is dropped, or when its process is gone.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn temp_folder(&self) -> Result<TempFolder, StoreError> {
        let _lock = self.lock()?;
        Ok(TempFolder::create(&self.folder().join("tmp"))?)
    }

    /// The live batch that has this content already, where importing it again would change nothing: for a
    /// whole state the newest of its source, else any.
    ///
    /// # Errors
    ///
    /// As [`Store::snapshot`].
    pub fn known(&self, new: &NewBatch, digest: &str) -> Result<Option<u64>, StoreError> {
        self.refresh();
        Ok(find_known(&*self.snapshot()?, new, digest))
    }

    /// Remembers that the content of a batch was found again.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn seen_again(&self, seq: u64, again: Again) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let moments = manifest.refreshed.entry(seq).or_default();
        // Of a day one moment is kept, the last: a feed that is fetched each minute fills no manifest.
        let day = |again: &Again| (again.observed.day(), again.learnt.day());
        match moments.iter_mut().find(|known| day(known) == day(&again)) {
            Some(known) if *known >= again => return Ok(()),
            Some(known) => *known = again,
            None => moments.push(again),
        }
        moments.sort_unstable();
        manifest.generation += 1;
        manifest.write(self.folder())?;
        append_catalogue(self.folder(), &[Event::Again { seq, at: again.observed }])?;
        self.refresh();
        Ok(())
    }

    pub(super) fn manifest(&self) -> Result<Manifest, StoreError> {
        Manifest::read(self.folder())?.ok_or_else(|| StoreError::Missing(self.folder().to_owned()))
    }

    /// Makes a manifest live and removes what it no longer names. The publish lock is held.
    pub(super) fn swap(&self, mut manifest: Manifest) -> Result<(), StoreError> {
        manifest.generation += 1;
        manifest.write(self.folder())?;
        self.refresh();
        self.repair_catalogue()?;
        self.sweep(&manifest)
    }

    /// Adds to the catalogue what a kill between the manifest swap and the catalogue's line left out.
    fn repair_catalogue(&self) -> Result<(), StoreError> {
        let snapshot = self.snapshot()?;
        let mut catalogued = self.catalogued.lock().unwrap_or_else(PoisonError::into_inner);
        // What was read before is not read again, unless somebody put another file there.
        if fs::metadata(self.folder().join(CATALOGUE)).map_or(0, |file| file.len()) < catalogued.bytes {
            *catalogued = Catalogued::default();
        }
        let (events, _, bytes) = read_catalogue_from(self.folder(), catalogued.bytes)?;
        catalogued.bytes = bytes;
        catalogued.batches.extend(events.iter().filter_map(|event| match event {
            Event::Imported { batch } => Some(batch.seq),
            _ => None,
        }));
        let missing: Vec<Event> = snapshot
            .batches()
            .into_iter()
            .filter(|batch| !catalogued.batches.contains(&batch.seq))
            .map(|batch| Event::Imported { batch: batch.clone() })
            .collect();
        if !missing.is_empty() {
            append_catalogue(self.folder(), &missing)?;
        }
        Ok(())
    }

    /// Removes runs that no manifest names and folders of imports whose process is gone.
    fn sweep(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let all = manifest.runs.iter().flat_map(|run| run.originals.iter().chain([run]));
        let named: HashSet<PathBuf> = all.map(|entry| run_path(self.folder(), entry.id)).collect();
        for entry in fs::read_dir(self.folder().join("runs"))? {
            let path = entry?.path();
            if !named.contains(&path) {
                fs::remove_file(&path)?;
            }
        }
        for entry in fs::read_dir(self.folder().join("tmp"))? {
            remove_if_dead(&entry?.path())?;
        }
        Ok(())
    }

    /// Takes a finished file into `runs/` under a new number.
    pub(super) fn adopt(
        &self,
        manifest: &mut Manifest,
        file: &Path,
        meta: &RunMeta,
        heeded: u64,
    ) -> Result<RunEntry, StoreError> {
        let id = manifest.next_run;
        manifest.next_run += 1;
        let path = run_path(self.folder(), id);
        fs::rename(file, &path)?;
        File::open(self.folder().join("runs"))?.sync_all()?;
        let learnt = || meta.batches.iter().map(|batch| batch.learnt);
        Ok(RunEntry {
            id,
            batches: meta.batches.iter().map(|batch| batch.seq).collect(),
            learnt_first: learnt().min().unwrap_or_default(),
            learnt_last: learnt().max().unwrap_or_default(),
            bytes: fs::metadata(&path)?.len(),
            rows: meta.rows,
            originals: Vec::new(),
            merged: None,
            folded_before: meta.folded_before,
            heeded,
        })
    }
}

fn find_known(snapshot: &Snapshot, new: &NewBatch, digest: &str) -> Option<u64> {
    let batches = snapshot.batches();
    let same = |batch: &Batch| batch.format == new.format && batch.digest == digest;
    let mut of_source = batches.iter().filter(|batch| batch.source == new.source);
    if new.identity.is_some() {
        return of_source.find(|batch| batch.identity == new.identity).map(|batch| batch.seq);
    }
    if new.state == State::Whole {
        let moment = (new.observed, new.learnt);
        let repeated = |batch: &&&Batch| same(batch) && (batch.observed, batch.learnt) == moment;
        if let Some(batch) = of_source.clone().find(repeated) {
            return Some(batch.seq);
        }
        let newest = of_source
            .filter(|batch| batch.state == State::Whole)
            .max_by_key(|batch| (snapshot.manifest.held(batch, None), &batch.digest))?;
        // A state that is older than the newest, or was learnt before it, is a batch of its own: it says what
        // was then.
        let later = new.observed >= newest.observed && new.learnt >= newest.learnt;
        return (same(newest) && later).then_some(newest.seq);
    }
    of_source.find(|batch| same(batch)).map(|batch| batch.seq)
}

impl BatchWriter<'_> {
    /// Adds a fact.
    ///
    /// # Errors
    ///
    /// What the file system says of a temporary file.
    pub fn push(&mut self, fact: Fact) -> io::Result<()> {
        self.counts[fact.index()] += 1;
        self.pending.push(fact);
        if self.pending.len() < FACTS_AT_ONCE {
            return Ok(());
        }
        self.rows.send(std::mem::replace(&mut self.pending, Vec::with_capacity(FACTS_AT_ONCE)))
    }

    /// Writes the run and makes it live.
    ///
    /// # Errors
    ///
    /// What the file system says; nothing is then changed.
    pub fn publish(
        mut self,
        digest: String,
        rejected: u64,
        tlp: Tlp,
    ) -> Result<(Published, Batch), StoreError> {
        for (kind, count) in crate::fact::FACT_KINDS.iter().zip(self.counts) {
            if count > 0 {
                self.facts.insert((*kind).to_owned(), count);
            }
        }
        let mut batch = Batch {
            seq: 0,
            source_id: self.source_id,
            source: self.new.source.clone(),
            format: self.new.format.clone(),
            digest,
            observed: self.new.observed,
            learnt: self.new.learnt,
            state: self.new.state,
            counts: self.new.counts,
            facts: self.facts.clone(),
            rejected,
            reasons: std::mem::take(&mut self.reasons),
            identity: self.new.identity.clone(),
            tlp,
        };
        let mut file = self.folder.path.join("new.run");
        let meta = RunMeta { batches: vec![batch.clone()], seed: self.seed, ..RunMeta::default() };
        self.rows.send(std::mem::take(&mut self.pending))?;
        let rows = self.rows.finish()?;
        let mut meta = write_run(&file, meta, |row| rows.finish(row))?;
        let mut own = self.has_both();
        let _lock = loop {
            let lock = self.store.lock()?;
            self.store.refresh();
            let snapshot = self.store.snapshot()?;
            if let Some(seq) = find_known(&snapshot, &self.new, &batch.digest) {
                batch.seq = seq;
                return Ok((Published::Known(seq), batch));
            }
            let unseen =
                |run: &&Arc<Run>| run.meta.batches.iter().any(|batch| !self.seen.contains(&batch.seq));
            let newer: Vec<Arc<Run>> = snapshot.runs().iter().filter(unseen).cloned().collect();
            if newer.is_empty() && !own {
                break lock;
            }
            drop(lock);
            self.seen.extend(newer.iter().flat_map(|run| &run.meta.batches).map(|batch| batch.seq));
            if let Some(more) = self.add_missed(&file, &meta, own, newer)? {
                (file, meta) = more;
            }
            own = false;
        };
        let mut manifest = self.store.manifest()?;
        batch.seq = manifest.next_seq;
        manifest.next_seq += 1;
        meta.batches[0].seq = batch.seq;
        let entry = self.store.adopt(&mut manifest, &file, &meta, self.heeded)?;
        manifest.runs.push(entry);
        manifest.runs.sort_by_key(|run| (run.learnt_first, run.id));
        self.store.swap(manifest)?;
        Ok((Published::New(batch.seq), batch))
    }
}

impl BatchWriter<'_> {
    /// Whether the batch has listings, and edges that they may be of.
    fn has_both(&self) -> bool {
        let has = |kinds: &[&str]| kinds.iter().any(|kind| self.facts.contains_key(*kind));
        has(&["listing", "file_verdict"]) && has(&["resolution", "web_request", "download", "access"])
    }

    /// The run with the candidates that it lacks; `None` where it lacks none.
    fn add_missed(
        &self,
        file: &Path,
        meta: &RunMeta,
        own: bool,
        newer: Vec<Arc<Run>>,
    ) -> Result<Option<(PathBuf, RunMeta)>, StoreError> {
        let run = Arc::new(Run::open(file, 0)?);
        let mut sorter = Sorter::new(&self.folder.path, self.buffer_bytes);
        let mut count = 0u64;
        let mut listing = newer.clone();
        listing.extend(own.then(|| run.clone()));
        let mut listing = Flagger::new(listing, self.seed);
        let newer = Flagger::new(newer, self.seed);
        flagged::missed(&run, &mut listing, &newer, &mut |object, counterpart, observed| {
            let (key, value) = flagged_row(object, counterpart, observed, self.source_id);
            count += 1;
            sorter.push(&key, &value)
        })?;
        if count == 0 {
            return Ok(None);
        }
        let path = file.with_extension(format!("{}.run", self.seen.len()));
        let meta = RunMeta { batches: meta.batches.clone(), seed: self.seed, ..RunMeta::default() };
        run.scan(&[], |key, value| sorter.push(key, value).map(|()| true))?;
        let meta = write_run(&path, meta, |row| sorter.finish(row))?;
        Ok(Some((path, meta)))
    }
}

/// Writes a run of sorted rows, which `rows` hands over one by one.
pub(super) fn write_run(
    path: &Path,
    meta: RunMeta,
    rows: impl FnOnce(&mut dyn FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<RunMeta> {
    let seed = meta.seed;
    let mut writer = RunWriter::create(path, meta)?;
    let mut hot = Builder::default();
    rows(&mut |key, value| {
        index_row(key, value, seed, &mut hot)?;
        writer.push(key, value)
    })?;
    writer.finish(hot)
}

//------------ RowThread ------------------------------------------------------

/// Facts that go to the thread at once.
const FACTS_AT_ONCE: usize = 1024;
/// How many such parcels wait.
const PARCELS: usize = 8;

/// Makes rows of facts while the next facts are read.
struct RowThread {
    sender: Option<SyncSender<Vec<Fact>>>,
    worker: Option<JoinHandle<io::Result<RowMaker>>>,
}

impl RowThread {
    fn start(mut rows: RowMaker) -> RowThread {
        let (sender, receiver) = sync_channel::<Vec<Fact>>(PARCELS);
        let worker = std::thread::spawn(move || {
            while let Ok(facts) = receiver.recv() {
                facts.iter().try_for_each(|fact| rows.rows(fact))?;
            }
            Ok(rows)
        });
        RowThread { sender: Some(sender), worker: Some(worker) }
    }

    fn send(&mut self, facts: Vec<Fact>) -> io::Result<()> {
        let sent = self.sender.as_ref().is_some_and(|sender| sender.send(facts).is_ok());
        // The thread ends early only by an error, which it gives when it is joined.
        if sent { Ok(()) } else { self.join().and(Err(io::Error::other("the thread that makes rows ended"))) }
    }

    fn finish(&mut self) -> io::Result<Sorter> {
        self.join()?.finish()
    }

    fn join(&mut self) -> io::Result<RowMaker> {
        self.sender = None;
        let worker = self.worker.take().ok_or_else(|| io::Error::other("the batch has ended"))?;
        worker.join().unwrap_or_else(|_| Err(io::Error::other("the thread that makes rows panicked")))
    }
}

impl Drop for RowThread {
    /// Waits for the thread, so that it writes nothing into a folder that is being removed.
    fn drop(&mut self) {
        if self.worker.is_some()
            && let Err(error) = self.join()
        {
            tracing::debug!(%error, "a batch was given up");
        }
    }
}
