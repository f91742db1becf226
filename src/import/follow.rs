//! Following one log, as `tail -F` does: also when it is rotated, by renaming or by copying and truncating.
//!
//! What was renamed is read to its end before it is let go. Who begins looks beside the file for the one that was read
//! last, in case it was rotated meanwhile.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::content::file_name;
use super::growing::{Found, Growing, Until};
use super::{ImportError, Options, Step, Summary};
use crate::store::Store;
use crate::value::Timestamp;

/// Steps in which a renamed file did not grow before nobody writes to it any more.
const QUIET_STEPS: u32 = 2;

/// Files beside the log that are looked at for what was rotated.
const BESIDE_MAX: usize = 1000;

/// Renamed files that are read on at a time.
const RENAMED_MAX: usize = 8;

/// Follows a log.
pub struct Follower<'a> {
    growing: Growing<'a>,
    path: PathBuf,
    /// What stood at the path last.
    open: Option<Open>,
    renamed: Vec<Open>,
}

/// An open file, which may have another name now or none.
struct Open {
    file: File,
    /// Device and number.
    node: (u64, u64),
    bytes: u64,
    quiet: u32,
}

impl Open {
    fn new(file: File) -> io::Result<Open> {
        let meta = file.metadata()?;
        Ok(Open { node: (meta.dev(), meta.ino()), bytes: meta.len(), file, quiet: 0 })
    }
}

impl<'a> Follower<'a> {
    /// Follows the log at a path, which may come later, as the source that the options name.
    ///
    /// # Errors
    ///
    /// As [`Growing::new`].
    pub fn new(store: &'a Store, options: Options, path: &Path) -> Result<Follower<'a>, ImportError> {
        let growing = Growing::new(store, options)?;
        let mut follower = Follower { growing, path: path.to_owned(), open: None, renamed: Vec::new() };
        follower.look_beside()?;
        Ok(follower)
    }

    /// Bytes at the path that were not read when it was last looked at.
    pub fn bytes_left(&self) -> u64 {
        let Some(open) = &self.open else { return 0 };
        fs::metadata(&self.path).map_or(0, |meta| meta.len().saturating_sub(open.bytes))
    }

    /// Imports what is new.
    ///
    /// # Errors
    ///
    /// As [`super::import`]; the next step begins where this one stopped.
    pub fn step(
        &mut self,
        now: Timestamp,
        progress: &mut dyn FnMut(Step),
    ) -> Result<Vec<Summary>, ImportError> {
        let named =
            |path: &Path, error: io::Error| ImportError::Input(format!("{}: {error}", path.display()));
        let current = match File::open(&self.path) {
            Ok(file) => Some(Open::new(file).map_err(|error| named(&self.path, error))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(named(&self.path, error)),
        };
        if let Some(last) = self.open.take() {
            match &current {
                Some(current) if current.node == last.node && current.bytes < last.bytes => {
                    self.look_beside()?
                }
                Some(current) if current.node == last.node => {}
                _ => self.renamed.push(last),
            }
        }
        let mut summaries = Vec::new();
        self.step_renamed(now, progress, &mut summaries)?;
        if let Some(open) = current {
            let file = open.file.try_clone().map_err(|error| named(&self.path, error))?;
            // Kept also where it cannot be read now: it may be renamed before it can.
            self.open = Some(open);
            if let Some(mut found) = self.growing.find(&self.path, file)? {
                summaries.extend(self.growing.take(
                    &self.path,
                    &mut found,
                    Until::LastLine,
                    now,
                    progress,
                )?);
            }
        }
        Ok(summaries)
    }

    /// Reads on what was renamed, and lets go what does not grow.
    fn step_renamed(
        &mut self,
        now: Timestamp,
        progress: &mut dyn FnMut(Step),
        summaries: &mut Vec<Summary>,
    ) -> Result<(), ImportError> {
        while self.renamed.len() > RENAMED_MAX {
            self.renamed[0].quiet = QUIET_STEPS;
            self.take_renamed(0, now, progress, summaries)?;
        }
        for index in (0..self.renamed.len()).rev() {
            self.take_renamed(index, now, progress, summaries)?;
        }
        Ok(())
    }

    fn take_renamed(
        &mut self,
        index: usize,
        now: Timestamp,
        progress: &mut dyn FnMut(Step),
        summaries: &mut Vec<Summary>,
    ) -> Result<(), ImportError> {
        let named = |error: io::Error| ImportError::Input(format!("{}: {error}", self.path.display()));
        let open = &mut self.renamed[index];
        let bytes = open.file.metadata().map_err(named)?.len();
        open.quiet = if bytes == open.bytes { open.quiet + 1 } else { 0 };
        open.bytes = bytes;
        let is_over = open.quiet >= QUIET_STEPS;
        let file = open.file.try_clone().map_err(named)?;
        if let Some(mut found) = self.growing.find(&self.path, file)? {
            let until = if is_over { Until::End } else { Until::LastLine };
            summaries.extend(self.growing.take(&self.path, &mut found, until, now, progress)?);
        }
        if is_over {
            self.renamed.remove(index);
        }
        Ok(())
    }

    /// Looks for files beside the log, named after it, that were read in part: it was rotated meanwhile.
    fn look_beside(&mut self) -> Result<(), ImportError> {
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = file_name(&self.path);
        let named = |error: io::Error| ImportError::Input(format!("{}: {error}", folder.display()));
        let mut looked = 0;
        let mut unfinished: Vec<(Found, Open)> = Vec::new();
        for entry in fs::read_dir(folder).map_err(named)? {
            let entry = entry.map_err(named)?;
            let other = entry.file_name().to_string_lossy().into_owned();
            let is_beside = other.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['.', '-', '_']));
            if !is_beside || !entry.file_type().map_err(named)?.is_file() {
                continue;
            }
            looked += 1;
            if looked > BESIDE_MAX {
                break;
            }
            let path = entry.path();
            let Ok(open) = File::open(&path).and_then(Open::new) else { continue };
            let is_read = self.renamed.iter().any(|renamed| renamed.node == open.node);
            let Some(found) =
                open.file.try_clone().ok().and_then(|file| self.growing.find(&path, file).ok()?)
            else {
                continue;
            };
            let is_there = unfinished.iter().any(|(known, _)| known.is_same(&found));
            if found.is_known() && found.left() > 0 && found.is_plain() && !is_read && !is_there {
                unfinished.push((found, open));
            }
        }
        self.renamed.extend(unfinished.into_iter().map(|(_, open)| open));
        Ok(())
    }
}
