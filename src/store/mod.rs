//! The store: immutable runs, a manifest that says which are live, and a catalogue of all batches.
//!
//! ```text
//! <data>/MANIFEST        what is true; replaced as a whole
//!        catalogue.log   every batch that ever was, a line an event
//!        runs/<n>.run    rows of one import or one merge, never changed
//!        tmp/<name>/     imports at work; removed when their process is gone
//!        LOCK            held while the manifest is replaced
//! ```
//!
//! An import writes one run and publishes it by one manifest swap, so it is all or nothing; a merge and a
//! retirement are the same. Readers take no lock: they hold a [`Snapshot`] and look for a newer manifest at
//! most five times a second. A store that cannot answer says so; it never answers with less.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::indicator::DomainName;

mod blocks;
mod filter;
mod flagged;
mod fold;
pub mod forget;
mod gathered;
mod hashes;
pub mod hot;
mod index;
mod keep;
pub mod kept_out;
pub mod key;
mod large;
mod listed;
pub mod manifest;
pub mod merge;
pub mod names;
mod object;
pub mod observed;
mod overlap;
mod pages;
mod publish;
pub mod ranges;
mod replace;
mod rows;
mod run;
pub mod snapshot;
mod sort;
mod stated;
mod temp;
mod tidy;
mod value;
pub mod walk;

pub use forget::{Subject, Tombstone};
pub use index::{action_of, zone_of};
pub use keep::Keep;
pub use key::{ObjectKey, Part, Table, read_part, term};
pub use listed::Since;
pub use manifest::{Again, Batch, Counts, Event, Identity, Manifest, Part as FilePart};
pub use object::{Edge, Large, Object, Statement};
pub use pages::Damage;
pub use publish::{BatchWriter, NewBatch, Published};
pub use replace::Retired;
pub use run::Run;
pub use snapshot::{Hit, RELATED_SOURCE, RESTRICTED, Reader, Snapshot, View, mask_type};
pub use temp::TempFolder;
pub use tidy::{Found, Tidied};

/// Why the store cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file is not what was written: `zonelens verify` lists what to import again.
    #[error("{0}: run `zonelens verify` to see which batches to import again")]
    Damaged(#[from] Damage),
    /// There is no store in the folder.
    #[error("there is no store in {0}: import something first, or name its folder with --data")]
    Missing(PathBuf),
    /// A request that cannot be done, with what can.
    #[error("{0}")]
    Refused(String),
    /// What the file system says.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        match pages::damage_in(&error) {
            Some(damage) => StoreError::Damaged(damage.clone()),
            None => StoreError::Io(error),
        }
    }
}

/// A store in a folder.
pub struct Store {
    folder: PathBuf,
    /// Brands: what imitates them and is new is an event.
    watched: Vec<DomainName>,
    current: Mutex<Current>,
    catalogued: Mutex<Catalogued>,
}

/// What this process knows to be in the catalogue.
#[derive(Default)]
struct Catalogued {
    bytes: u64,
    batches: std::collections::HashSet<u64>,
}

#[derive(Default)]
struct Current {
    snapshot: Option<Arc<Snapshot>>,
    checked: Option<std::time::Instant>,
}

/// How old a snapshot may be before a newer manifest is looked for.
const CHECK_MS: u128 = 200;

/// How often opening the runs of a manifest is tried while another process replaces them.
const OPEN_TRIES: usize = 20;

impl Store {
    /// Opens the store of a folder.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] where there is none.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        if Manifest::read(folder)?.is_none() {
            return Err(StoreError::Missing(folder.to_owned()));
        }
        Ok(Store::of(folder))
    }

    fn of(folder: &Path) -> Store {
        Store {
            folder: folder.to_owned(),
            watched: Vec::new(),
            current: Mutex::default(),
            catalogued: Mutex::default(),
        }
    }

    /// The same, where imports record what imitates these names.
    pub fn watching(self, watched: Vec<DomainName>) -> Store {
        Store { watched, ..self }
    }

    /// The names of which is recorded what imitates them.
    pub fn watched(&self) -> &[DomainName] {
        &self.watched
    }

    /// Opens the store of a folder, which is made where there is none. `seed` is for the hashes of a new one.
    ///
    /// # Errors
    ///
    /// What the file system says; damage.
    pub fn open_or_create(folder: &Path, seed: u64) -> Result<Store, StoreError> {
        let with_folder =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
        fs::create_dir_all(folder.join("runs")).map_err(with_folder)?;
        fs::create_dir_all(folder.join("tmp")).map_err(with_folder)?;
        let store = Store::of(folder);
        let _lock = store.lock()?;
        if Manifest::read(folder)?.is_none() {
            Manifest::new(seed).write(folder)?;
        }
        Ok(store)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is true now: at most 200 ms behind the manifest.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where the manifest or a run cannot be opened.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let mut current = self.current();
        if let (Some(snapshot), Some(checked)) = (&current.snapshot, current.checked)
            && checked.elapsed().as_millis() < CHECK_MS
        {
            return Ok(snapshot.clone());
        }
        for tried in 1..=OPEN_TRIES {
            let manifest =
                Manifest::read(&self.folder)?.ok_or_else(|| StoreError::Missing(self.folder.clone()))?;
            if let Some(snapshot) = &current.snapshot
                && snapshot.manifest.generation == manifest.generation
            {
                let snapshot = snapshot.clone();
                current.checked = Some(std::time::Instant::now());
                return Ok(snapshot);
            }
            match Snapshot::open(&self.folder, manifest, current.snapshot.as_deref()) {
                Ok(snapshot) => {
                    let snapshot = Arc::new(snapshot);
                    *current = Current {
                        snapshot: Some(snapshot.clone()),
                        checked: Some(std::time::Instant::now()),
                    };
                    return Ok(snapshot);
                }
                // A run that was merged away between the two reads: the next manifest no longer names it.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tried < OPEN_TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Refused("the manifest changed too often while it was read: try again".to_owned()))
    }

    /// Drops the snapshot, so that the next one is read anew.
    pub fn refresh(&self) {
        self.current().checked = None;
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the publish lock, which is held until it is dropped.
    fn lock(&self) -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).open(self.folder.join("LOCK"))?;
        file.lock()?;
        Ok(file)
    }

    /// Everything the catalogue remembers, and its damaged lines.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn catalogue(&self) -> Result<(Vec<Event>, Vec<Damage>), StoreError> {
        Ok(manifest::read_catalogue(&self.folder)?)
    }

    /// Checks every byte of the store.
    ///
    /// # Errors
    ///
    /// What the file system says; damage is in the result.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        verify(&self.folder)
    }
}

/// Checks every byte of the store in a folder, also where it is so damaged that it cannot be opened.
///
/// # Errors
///
/// What the file system says; damage is in the result.
pub fn verify(folder: &Path) -> Result<Verification, StoreError> {
    let mut result = Verification::default();
    let (events, damage) = manifest::read_catalogue(folder)?;
    result.damage.extend(damage);
    let manifest = match Manifest::read(folder) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Err(StoreError::Missing(folder.to_owned())),
        Err(error) => {
            let damage = pages::damage_in(&error).cloned();
            result.damage.push(damage.ok_or(error)?);
            result.lost = imported(&events);
            return Ok(result);
        }
    };
    for entry in &manifest.runs {
        let mut batches: Vec<Batch> = events
            .iter()
            .filter_map(|event| match event {
                Event::Imported { batch } if entry.batches.contains(&batch.seq) => Some(batch.clone()),
                _ => None,
            })
            .collect();
        let damage = verify_run(folder, entry, &mut batches);
        if !damage.is_empty() {
            result.damage.extend(damage);
            result.lost.append(&mut batches);
        }
        // The originals of a merged run are kept so that a batch can be retired: no answer comes from them.
        for original in &entry.originals {
            result.damage.extend(verify_run(folder, original, &mut Vec::new()));
            result.runs += 1;
        }
        result.runs += 1;
    }
    result.lost.sort_by_key(|batch| batch.seq);
    Ok(result)
}

/// Checks every byte of a run. Where the run still describes itself, `batches` are those that it names: the
/// catalogue can be behind it.
fn verify_run(folder: &Path, entry: &manifest::RunEntry, batches: &mut Vec<Batch>) -> Vec<Damage> {
    match run::Run::live(folder, entry, &[]) {
        Ok(run) => {
            batches.clone_from(&run.meta.batches);
            run.verify()
        }
        Err(error) => match pages::damage_in(&error) {
            Some(damage) => vec![damage.clone()],
            None => vec![Damage { file: run_path(folder, entry.id), place: format!("its whole ({error})") }],
        },
    }
}

/// The batches that were imported and not retired, as the catalogue remembers them.
fn imported(events: &[Event]) -> Vec<Batch> {
    let mut batches = std::collections::BTreeMap::new();
    for event in events {
        match event {
            Event::Imported { batch } => {
                batches.insert(batch.seq, batch.clone());
            }
            Event::Retired { seq, .. } => {
                batches.remove(seq);
            }
            Event::Again { .. } | Event::Forgotten { .. } | Event::Erased { .. } => {}
        }
    }
    batches.into_values().collect()
}

/// What [`Store::verify`] found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Runs looked at, those included that are kept beside the run they were merged into.
    pub runs: usize,
    /// What is not what was written.
    pub damage: Vec<Damage>,
    /// The batches to import again, after the damaged run was retired; all of them where the manifest is
    /// damaged.
    pub lost: Vec<Batch>,
}

/// The file of a run.
pub(crate) fn run_path(folder: &Path, id: u64) -> PathBuf {
    folder.join("runs").join(format!("{id:010}.run"))
}
