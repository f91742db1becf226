//! Watched folders: of a source of events whose location is a folder or a pattern each file is taken in once.
//!
//! A file of a format of lines is known by its content ([`Growing`]): of one that grew the new lines are read, and one
//! that was renamed or compressed is not read again. Any other is a batch as soon as nobody writes to it. So that
//! nothing is opened in vain, `<data>/sources/<name>.files.json` remembers size and time of each file that is there.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::refresh::RefreshError;
use super::{Location, Source};
use crate::feeds::State;
use crate::import::{self, FOLDER_FILES_MAX, Growing, ImportError, Options, Origin, Step, Summary, Until};
use crate::store::Store;

/// A file that did not change for so long is whole.
const QUIET: Duration = Duration::from_secs(5);

/// The files of a source that were taken in: by path, what they were then.
#[derive(Default, Serialize, Deserialize)]
struct Seen(BTreeMap<PathBuf, Stamp>);

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    fn of(meta: &Metadata) -> io::Result<Stamp> {
        let since = meta.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Stamp { bytes: meta.len(), modified: since.as_nanos() })
    }
}

impl Seen {
    fn path(data: &Path, source: &str) -> PathBuf {
        data.join("sources").join(format!("{source}.files.json"))
    }

    /// What is lost is found again by the content.
    fn read(path: &Path) -> io::Result<Seen> {
        match fs::read(path) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, path = %path.display(), "all files are looked at again");
                Seen::default()
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Seen::default()),
            Err(error) => Err(error),
        }
    }
}

/// Whether a source is watched: a pattern, or a folder whose files are events.
pub(super) fn is_watched(source: &Source, location: &Location) -> bool {
    let format = source.format.as_deref().and_then(|name| import::format_by_name(name).ok());
    let state = source.state.or(format.map(|format| format.state));
    match location {
        Location::Pattern(_) => state != Some(State::Whole),
        Location::Path(path) => state == Some(State::Events) && path.is_dir(),
        _ => false,
    }
}

/// Takes in what is new; `force`: looks at all files again. One file that cannot be read holds up no other: it is tried again next time.
pub(super) fn take(
    store: &Store,
    location: &Location,
    options: &Options,
    force: bool,
    progress: &mut dyn FnMut(Step),
) -> Result<Vec<Summary>, RefreshError> {
    let name = options.source.clone().unwrap_or_default();
    let path = Seen::path(store.folder(), &name);
    let mut seen = if force { Seen::default() } else { Seen::read(&path)? };
    let files = files(location)?;
    // What is no longer there is forgotten: the memory is no longer than the folder.
    let before = seen.0.len();
    seen.0.retain(|path, _| files.contains_key(path));
    let changed: Vec<(&PathBuf, &Stamp)> =
        files.iter().filter(|(path, now)| seen.0.get(*path) != Some(*now)).collect();
    if changed.is_empty() && seen.0.len() == before {
        return Ok(Vec::new());
    }
    let mut watcher =
        Watcher { store, options, growing: Growing::new(store, options.clone())?, failed: None, failures: 0 };
    let mut summaries = Vec::new();
    for (file, stamp) in changed {
        match watcher.take_file(file, progress) {
            Ok(Some(more)) => {
                summaries.extend(more);
                seen.0.insert(file.clone(), *stamp);
            }
            // Somebody still writes to it.
            Ok(None) => {}
            Err(ImportError::Store(error)) => return Err(error.into()),
            Err(error) => watcher.fail(file, error),
        }
    }
    super::replace(&path, &serde_json::to_vec(&seen).map_err(io::Error::from)?)?;
    match watcher.failed {
        None => Ok(summaries),
        Some(error) => Err(RefreshError::Usage(match watcher.failures {
            1 => error,
            count => format!("{error}; and so of {} other files", count - 1),
        })),
    }
}

struct Watcher<'a> {
    store: &'a Store,
    options: &'a Options,
    growing: Growing<'a>,
    /// The first failure, and how many there were.
    failed: Option<String>,
    failures: usize,
}

impl Watcher<'_> {
    fn fail(&mut self, file: &Path, error: ImportError) {
        self.failures += 1;
        tracing::warn!(%error, file = %file.display(), "a watched file was not taken in");
        self.failed.get_or_insert_with(|| error.to_string());
    }

    /// Takes in what is new in a file; `None`: it is to be looked at again, though it stays as it is.
    fn take_file(
        &mut self,
        file: &Path,
        progress: &mut dyn FnMut(Step),
    ) -> Result<Option<Vec<Summary>>, ImportError> {
        let named = |error: io::Error| ImportError::Input(format!("{}: {error}", file.display()));
        let meta = fs::metadata(file).map_err(named)?;
        // By the clock of the files, which is not the one that a command may be told.
        let is_quiet = meta.modified().map_err(named)?.elapsed().unwrap_or_default() >= QUIET;
        if self.growing.is_of_lines(file)? {
            let Some(mut found) = self.growing.find(file, File::open(file).map_err(named)?)? else {
                return Ok(None);
            };
            if !found.is_plain() && !is_quiet {
                return Ok(None);
            }
            let until = if is_quiet { Until::EndOfNew } else { Until::LastLine };
            let summaries = self.growing.take(file, &mut found, until, self.options.now, progress)?;
            return Ok((is_quiet || !summaries.is_empty() || found.left() == 0).then_some(summaries));
        }
        if !is_quiet {
            return Ok(None);
        }
        let options = Options { state: Some(State::Events), ..self.options.clone() };
        let summary = import::import(self.store, &options, Origin::Path(file.to_owned()), progress)?;
        Ok(Some(vec![summary]))
    }
}

/// The files of a folder or a pattern and what they are now; hidden and empty ones are passed over.
fn files(location: &Location) -> Result<BTreeMap<PathBuf, Stamp>, RefreshError> {
    let mut files = BTreeMap::new();
    let mut add = |path: PathBuf, meta: &Metadata| -> Result<(), RefreshError> {
        files.insert(path, Stamp::of(meta)?);
        if files.len() > FOLDER_FILES_MAX {
            let text =
                format!("{location} has more than {FOLDER_FILES_MAX} files: move away what was taken in");
            return Err(RefreshError::Usage(text));
        }
        Ok(())
    };
    let is_content = |meta: &Metadata| meta.is_file() && meta.len() > 0;
    match location {
        Location::Pattern(pattern) => {
            let paths =
                glob::glob(pattern).map_err(|error| RefreshError::Usage(format!("{pattern}: {error}")))?;
            for path in paths {
                let path = path.map_err(io::Error::from)?;
                // One that went meanwhile is none.
                let Ok(meta) = fs::metadata(&path) else { continue };
                if is_content(&meta) {
                    add(path, &meta)?;
                }
            }
        }
        Location::Path(folder) => {
            let mut folders = vec![folder.clone()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(&folder)? {
                    let entry = entry?;
                    if entry.file_name().to_string_lossy().starts_with('.') {
                        continue;
                    }
                    if entry.file_type()?.is_dir() {
                        folders.push(entry.path());
                        continue;
                    }
                    let Ok(meta) = fs::metadata(entry.path()) else { continue };
                    if is_content(&meta) {
                        add(entry.path(), &meta)?;
                    }
                }
            }
        }
        _ => {}
    }
    Ok(files)
}
