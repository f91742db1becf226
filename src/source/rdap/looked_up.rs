//! Domains that were looked up, for sources of registrations that may ask for them: names only, in memory and then in a
//! small file of the source's folder that only its owner reads.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::registered;
use crate::indicator::Indicator;
use crate::source::{Location, Registry, status};

/// The most names that are kept, in memory and in the file each; further ones are forgotten.
const NAMES_MAX: usize = 10_000;
/// The largest file that is added to.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file that services add to, and the one that a refresh takes from. Lines are names.
const FILE: &str = "looked-up.txt";
const TAKEN: &str = "looked-up.taken";

/// The registrable domains that a service was asked about and that no refresh knows of yet. Nothing is kept unless a
/// source of registrations says `looked_up = true`.
#[derive(Debug, Default)]
pub struct LookedUp {
    is_wanted: AtomicBool,
    names: Mutex<BTreeSet<String>>,
}

impl LookedUp {
    /// Remembers what was looked up, where it is a domain.
    pub fn note(&self, indicator: &Indicator) {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        if let Indicator::Domain(name) = indicator
            && let Some(domain) = registered(name)
        {
            let mut names = self.names();
            if names.len() < NAMES_MAX && !names.contains(domain) {
                names.insert(domain.to_owned());
            }
        }
    }

    /// Gives what is remembered to the sources that want it.
    ///
    /// # Errors
    ///
    /// What the file system says; what is remembered is then kept.
    pub fn hand_over(&self, registry: &Registry, data: &Path) -> io::Result<()> {
        let wants = |source: &&super::super::Source| {
            let says_so = source.rdap.as_ref().is_some_and(|options| options.looked_up);
            source.location == Some(Location::Rdap) && !source.disabled && says_so
        };
        let wanting: Vec<&str> = registry.iter().filter(wants).map(|source| source.name.as_str()).collect();
        self.is_wanted.store(!wanting.is_empty(), Ordering::Relaxed);
        let mut names = self.names();
        if names.is_empty() {
            return Ok(());
        }
        let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
        for name in wanting {
            append(&status::folder(data, name), &lines)?;
        }
        names.clear();
        Ok(())
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(folder: &Path, lines: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = File::options().create(true).append(true).mode(0o600).open(folder.join(FILE))?;
    if file.metadata()?.len() > FILE_BYTES_MAX {
        return Ok(());
    }
    file.write_all(lines.as_bytes())
}

/// Takes what services added, beside what was left of it the last time.
///
/// # Errors
///
/// What the file system says.
pub(super) fn take(folder: &Path) -> io::Result<BTreeSet<String>> {
    let taken = folder.join(TAKEN);
    let mut names = read(&taken)?;
    // From here on services begin a new file.
    match fs::rename(folder.join(FILE), &taken) {
        Ok(()) => names.extend(read(&taken)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(names.into_iter().take(NAMES_MAX).collect())
}

/// Keeps what was not asked for.
///
/// # Errors
///
/// What the file system says.
pub(super) fn keep(folder: &Path, names: &BTreeSet<String>) -> io::Result<()> {
    let taken = folder.join(TAKEN);
    if names.is_empty() {
        return match fs::remove_file(taken) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(taken)?;
    file.write_all(lines.as_bytes())
}

fn read(path: &Path) -> io::Result<BTreeSet<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}
