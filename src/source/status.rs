//! What became of a source: a small file a source, `<data>/sources/<name>.json`, replaced as a whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fetch::Validators;
use crate::value::Timestamp;

/// What became of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = SourceStatus)]
pub struct Status {
    /// When it was last asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// When it was last known to be as it is here: imported, or found unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<Timestamp>,
    /// The last batch that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Why the last time it was asked for failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// What is held back because too much is gone from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// When it is asked for next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// What its server calls the content that is here.
    pub validators: Validators,
    /// How the content is to be read, as a digest: read otherwise it is not the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reading: String,
    /// How far a source was read that gives what is new (TAXII: the last `date_added`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Why a source failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SourceFailed)]
pub struct Failed {
    /// Since when it fails.
    pub since: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// The last reason.
    pub reason: String,
}

/// A state that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SourceHeld)]
pub struct Held {
    /// Since when.
    pub since: Timestamp,
    /// Facts of the state that counts.
    pub before: u64,
    /// Facts of the state that is held back.
    pub now: u64,
}

/// Where the status of a source stands.
fn path(data: &Path, name: &str) -> PathBuf {
    data.join("sources").join(format!("{name}.json"))
}

/// The folder for what a source keeps between refreshes: a mirror, a cache. Its name cannot be that of another
/// source's file, whatever sources are called.
pub fn folder(data: &Path, name: &str) -> PathBuf {
    data.join("sources").join(format!("{name}.d"))
}

impl Status {
    /// What became of a source; nothing yet where there is no file.
    ///
    /// # Errors
    ///
    /// What the file system says; a file that does not read.
    pub fn read(data: &Path, name: &str) -> io::Result<Status> {
        let path = path(data, name);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                io::Error::other(format!("{}: {error}; remove it to begin anew", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Status::default()),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, data: &Path, name: &str) -> io::Result<()> {
        let path = path(data, name);
        fs::create_dir_all(data.join("sources"))?;
        let text = serde_json::to_vec_pretty(self)?;
        super::replace(&path, &text)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Forgets it, and what was kept for the next refresh.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn remove(data: &Path, name: &str) -> io::Result<()> {
        for removed in [fs::remove_file(path(data, name)), fs::remove_dir_all(folder(data, name))] {
            removed.or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
        Ok(())
    }

    /// Remembers that it failed.
    pub fn fail(&mut self, now: Timestamp, reason: String) {
        let failed = self.failed.get_or_insert_with(|| Failed { since: now, ..Failed::default() });
        failed.times = failed.times.saturating_add(1);
        failed.reason = reason;
    }
}

/// Waits until nobody else refreshes a source, in this process or another; held until it is dropped. `None`: somebody
/// does, and `wait` is not set.
///
/// # Errors
///
/// What the file system says.
pub fn turn(data: &Path, name: &str, wait: bool) -> io::Result<Option<File>> {
    let folder = data.join("sources");
    fs::create_dir_all(&folder)?;
    let file = File::create(folder.join(format!("{name}.lock")))?;
    if wait {
        file.lock()?;
        return Ok(Some(file));
    }
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}
