//! Folders of imports and merges at work: removed by whoever comes next when their process is gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A folder of an import at work: its lock file is locked while the process lives.
pub struct TempFolder {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

impl TempFolder {
    /// A new folder. The publish lock is held, so that nobody sweeps it before it is locked.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn create(parent: &Path) -> io::Result<TempFolder> {
        fs::create_dir_all(parent)?;
        for number in 0.. {
            let path = parent.join(format!("{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = File::create(path.join("lock"))?;
                    lock.lock()?;
                    return Ok(TempFolder { path, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no name left for a temporary folder"))
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next writer.
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a temporary folder stays for the next sweep");
        }
    }
}

/// Removes the folder of an import whose process is gone.
///
/// # Errors
///
/// What the file system says.
pub fn remove_if_dead(path: &Path) -> io::Result<()> {
    let lock = match File::options().write(true).open(path.join("lock")) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return gone(fs::remove_dir_all(path)),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => gone(fs::remove_dir_all(path)),
        Err(fs::TryLockError::WouldBlock) => Ok(()),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A folder that its own process removed meanwhile is no error.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
