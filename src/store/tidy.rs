//! What must not be there any longer goes: what is forgotten, and what is older than it is kept.
//!
//! Each run that holds some of it is made anew without, and so are the originals that are kept beside it, in one swap.
//! A run that holds nothing of what is forgotten is only marked. When all runs heed a tombstone, it goes too.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::forget::{Forgotten, Subject, Tombstone, alias};
use super::keep::{Keep, KeepRows};
use super::key::{ObjectKey, Table, object_len};
use super::manifest::{Event, Manifest, RunEntry, append_catalogue};
use super::merge::{Shape, merge};
use super::run::{Run, RunMeta};
use super::stated::Input;
use super::temp::TempFolder;
use super::{Store, StoreError};
use crate::indicator::Indicator;
use crate::value::Timestamp;

/// What tidying did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Runs that were made anew, those included that are kept beside the run they were merged into.
    pub rewritten: usize,
    /// Batches of which nothing is left.
    pub gone: Vec<u64>,
    /// Tombstones that are no longer needed: nothing of what they name is left.
    pub erased: Vec<u64>,
}

/// Where something is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rows by what they say.
    pub rows: BTreeMap<String, u64>,
    /// Runs with such rows, those included that are kept to retire a batch.
    pub runs: usize,
    /// All runs that were looked through.
    pub runs_read: usize,
}

impl Found {
    /// All rows.
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// A run made anew: its description, or nothing is left of it.
enum Made {
    Same,
    Anew(RunMeta),
    Nothing,
}

impl Store {
    /// Orders to forget; every reader obeys from the next manifest on. `keep_out`: also what comes later is not taken in.
    /// Of a file all hashes that are known of it are forgotten. Returns the tombstone's number.
    ///
    /// # Errors
    ///
    /// What the file system says; damage in the rows of a file.
    pub fn forget(&self, subjects: &[Subject], keep_out: bool, now: Timestamp) -> Result<u64, StoreError> {
        let subjects = self.with_aliases(subjects)?;
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|error| StoreError::Refused(format!("no random bytes: {error}")))?;
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let number = manifest.next_tombstone;
        manifest.next_tombstone += 1;
        if keep_out {
            manifest.kept_out.add(&subjects, || random.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        manifest.tombstones.push(Tombstone { number, at: now, subjects });
        manifest.generation += 1;
        manifest.write(self.folder())?;
        append_catalogue(self.folder(), &[Event::Forgotten { number, at: now }])?;
        self.refresh();
        Ok(number)
    }

    /// Subjects with the other hashes of files among them.
    ///
    /// # Errors
    ///
    /// Damage in the rows of a file.
    pub fn with_aliases(&self, subjects: &[Subject]) -> Result<Vec<Subject>, StoreError> {
        self.refresh();
        let view = self.snapshot()?.view(None);
        let mut all = subjects.to_vec();
        for subject in subjects {
            let Subject::Indicator(Indicator::File(hash)) = subject else { continue };
            let edges = view.table(&ObjectKey::file(hash), Table::FileAlias)?.edges;
            let others = edges.iter().filter_map(|edge| alias(&edge.counterpart));
            all.extend(others.map(|hash| Subject::Indicator(Indicator::File(hash))));
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Every row that names one of these, in all runs, forgotten or not: what would go, or the proof that it went.
    ///
    /// # Errors
    ///
    /// Damage in a run; what the file system says.
    pub fn find_named(&self, subjects: &[Subject]) -> Result<Found, StoreError> {
        let forgotten = Forgotten::subjects(&self.with_aliases(subjects)?);
        let manifest = self.manifest()?;
        let mut found = Found::default();
        for entry in manifest.runs.iter().flat_map(|run| run.originals.iter().chain([run])) {
            let run = Run::live(self.folder(), entry, &[])?;
            let before = found.total();
            each_named(&run, &forgotten, &mut |table| {
                *found.rows.entry(format!("{table:?}")).or_default() += 1;
                true
            })?;
            found.runs += usize::from(found.total() > before);
            found.runs_read += 1;
        }
        Ok(found)
    }

    /// Takes out what is forgotten and what is older than it is kept.
    ///
    /// # Errors
    ///
    /// Damage in a run, which is then as it was; [`std::io::ErrorKind::Interrupted`] once `stop` is set.
    pub fn tidy(&self, now: Timestamp, keep: &Keep, stop: &AtomicBool) -> Result<Tidied, StoreError> {
        let mut tidied = Tidied::default();
        let mut left: Vec<u64> = self.manifest()?.runs.iter().map(|run| run.id).collect();
        while let Some(id) = left.pop() {
            let manifest = self.manifest()?;
            // What was merged away meanwhile is tidied with what it became.
            let Some(entry) = manifest.runs.iter().find(|run| run.id == id).cloned() else { continue };
            self.tidy_run(&manifest, &entry, now, keep, stop, &mut tidied)?;
        }
        self.drop_tombstones(now, &mut tidied)?;
        Ok(tidied)
    }

    fn tidy_run(
        &self,
        manifest: &Manifest,
        entry: &RunEntry,
        now: Timestamp,
        keep: &Keep,
        stop: &AtomicBool,
        tidied: &mut Tidied,
    ) -> Result<(), StoreError> {
        let folder = self.temp_folder()?;
        let rows = keep.rows(manifest);
        let files: Vec<&RunEntry> = entry.originals.iter().chain([entry]).collect();
        let mut made = Vec::with_capacity(files.len());
        let mut gone = HashSet::new();
        for (index, file) in files.iter().enumerate() {
            let run = match Run::live(self.folder(), file, &manifest.tombstones) {
                Ok(run) => run,
                // Somebody replaced it meanwhile: what it became comes next time.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let without = rows.gone(&run);
            gone.extend(&without);
            made.push(made_anew(&run, file, manifest, &rows, without, &path(&folder, index), stop)?);
        }
        let is_heeded = files.iter().all(|file| file.heeded >= manifest.next_tombstone);
        if is_heeded && made.iter().all(|one| matches!(one, Made::Same)) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut current = self.manifest()?;
        let Some(position) =
            current.runs.iter().position(|run| run.id == entry.id && run.originals == entry.originals)
        else {
            return Ok(());
        };
        let rewritten = made.iter().filter(|one| matches!(one, Made::Anew(_))).count();
        let mut entries = Vec::new();
        for (index, (file, made)) in files.iter().zip(made).enumerate() {
            entries.push(match made {
                Made::Same => Some(RunEntry {
                    heeded: manifest.next_tombstone,
                    originals: Vec::new(),
                    ..(*file).clone()
                }),
                Made::Nothing => None,
                Made::Anew(meta) => {
                    let heeded = manifest.next_tombstone;
                    Some(self.adopt(&mut current, &path(&folder, index), &meta, heeded)?)
                }
            });
        }
        let merged = entry.merged;
        match entries.pop().flatten() {
            None => drop(current.runs.remove(position)),
            Some(main) => {
                let originals = entries.into_iter().flatten().collect();
                current.runs[position] = RunEntry { originals, merged, ..main };
            }
        }
        self.swap(current)?;
        tidied.rewritten += rewritten;
        let mut gone: Vec<u64> = gone.into_iter().collect();
        gone.sort_unstable();
        let events: Vec<Event> = gone.iter().map(|seq| Event::Retired { seq: *seq, at: now }).collect();
        append_catalogue(self.folder(), &events)?;
        tidied.gone.extend(gone);
        Ok(())
    }

    /// Drops the tombstones that all runs heed.
    fn drop_tombstones(&self, now: Timestamp, tidied: &mut Tidied) -> Result<(), StoreError> {
        if self.manifest()?.tombstones.is_empty() {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let all = manifest.runs.iter().flat_map(|run| run.originals.iter().chain([run]));
        let heeded = all.map(|run| run.heeded).min().unwrap_or(u64::MAX);
        let erased: Vec<u64> =
            manifest.tombstones.iter().map(|one| one.number).filter(|number| *number < heeded).collect();
        if erased.is_empty() {
            return Ok(());
        }
        manifest.tombstones.retain(|one| one.number >= heeded);
        self.swap(manifest)?;
        let events: Vec<Event> =
            erased.iter().map(|number| Event::Erased { number: *number, at: now }).collect();
        append_catalogue(self.folder(), &events)?;
        tidied.erased = erased;
        Ok(())
    }
}

fn path(folder: &TempFolder, index: usize) -> std::path::PathBuf {
    folder.path.join(format!("{index}.run"))
}

/// Makes a run anew at `path` where something in it must go.
fn made_anew(
    run: &Run,
    entry: &RunEntry,
    manifest: &Manifest,
    keep: &KeepRows<'_>,
    without: HashSet<u64>,
    path: &Path,
    stop: &AtomicBool,
) -> Result<Made, StoreError> {
    let is_heeded = entry.heeded >= manifest.next_tombstone || !run.names_forgotten()?;
    if is_heeded && !keep.is_due(run) {
        return Ok(Made::Same);
    }
    let input = Input { without, ..Input::whole(run) };
    if input.batches().next().is_none() {
        return Ok(Made::Nothing);
    }
    let shape = Shape { keep: Some(keep), ..Shape::default() };
    Ok(Made::Anew(merge(&[input], path, manifest.seed, &shape, stop)?))
}

impl Run {
    /// Whether the run has a row that its readers pass over.
    fn names_forgotten(&self) -> std::io::Result<bool> {
        let mut found = false;
        if let Some(forgotten) = self.forgotten() {
            each_named(self, forgotten, &mut |_| {
                found = true;
                false
            })?;
        }
        Ok(found)
    }
}

/// Calls `named` with the table of each row of a run that names what is forgotten, until it returns false.
fn each_named(run: &Run, forgotten: &Forgotten, named: &mut dyn FnMut(Table) -> bool) -> std::io::Result<()> {
    let mut stream = run.stream()?;
    let mut kept = Vec::new();
    while stream.advance() {
        let (key, value) = (stream.key(), stream.value().bytes());
        let table = object_len(key).and_then(|len| Table::from_byte(*key.get(len)?));
        let Some(table) = table else { continue };
        if forgotten.visible(key, value, &mut kept).is_none_or(|left| left.len() < value.len())
            && !named(table)
        {
            break;
        }
    }
    Ok(())
}
