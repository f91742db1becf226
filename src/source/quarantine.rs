//! Records of a source's newest import that were not understood: how many by reason, and a sample of each, in
//! `<data>/quarantine/<source>.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::forget::Forgotten;
use crate::value::Timestamp;

/// How many records of a reason are kept.
pub const SAMPLE: usize = 200;

/// What an import rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The batch.
    pub batch: u64,
    /// When it was learnt.
    pub learnt: Timestamp,
    /// How many records, by reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first [`SAMPLE`] of each reason.
    pub sample: Vec<Record>,
}

/// A rejected record, as [`crate::feeds::Rejected`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The reason in a word or two.
    pub reason: String,
    /// What was wrong.
    pub detail: String,
    /// The record, cut.
    pub text: String,
}

fn path(data: &Path, source: &str) -> PathBuf {
    data.join("quarantine").join(format!("{source}.json"))
}

impl Quarantine {
    /// What the newest import of a source rejected; nothing where there is no file.
    ///
    /// # Errors
    ///
    /// What the file system says; a file that does not read.
    pub fn read(data: &Path, source: &str) -> io::Result<Quarantine> {
        match fs::read(path(data, source)) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Quarantine::default()),
            Err(error) => Err(error),
        }
    }

    /// Keeps it; nothing rejected is no file.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, data: &Path, source: &str) -> io::Result<()> {
        let path = path(data, source);
        if self.reasons.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        fs::create_dir_all(data.join("quarantine"))?;
        super::replace(&path, &serde_json::to_vec(self)?)
    }

    /// How many records.
    pub fn count(&self) -> u64 {
        self.reasons.values().sum()
    }
}

impl Record {
    fn names(&self, forgotten: &Forgotten) -> bool {
        [&self.text, &self.detail, &self.file].into_iter().any(|text| forgotten.is_named_in_record(text))
    }
}

/// Takes the records that name what is forgotten out of the samples of all sources.
///
/// # Errors
///
/// What the file system says; a file that does not read.
pub fn forget(data: &Path, forgotten: &Forgotten) -> io::Result<()> {
    for source in sources(data)? {
        let mut quarantine = Quarantine::read(data, &source)?;
        let before = quarantine.sample.len();
        quarantine.sample.retain(|record| !record.names(forgotten));
        if quarantine.sample.len() < before {
            quarantine.write(data, &source)?;
        }
    }
    Ok(())
}

/// How many records of all samples name something.
///
/// # Errors
///
/// As [`forget`].
pub fn count_named(data: &Path, forgotten: &Forgotten) -> io::Result<usize> {
    let mut count = 0;
    for source in sources(data)? {
        let quarantine = Quarantine::read(data, &source)?;
        count += quarantine.sample.iter().filter(|record| record.names(forgotten)).count();
    }
    Ok(count)
}

/// The sources with a sample.
fn sources(data: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(data.join("quarantine")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    Ok(names)
}
