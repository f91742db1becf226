//! The manifest, which says what is true, and the catalogue, which remembers every batch.
//!
//! The manifest is one small file, replaced as a whole: written beside, made durable, renamed. It is a line
//! of JSON and a line with the CRC-32 of the first in hex. The catalogue is a log with a line an event,
//! `crc32 json`; what it says of live batches also stands in the runs, so it can be made anew from them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::forget::Tombstone;
use super::kept_out::KeptOut;
use super::pages::Damage;
use crate::feeds::State;
use crate::value::{Timestamp, Tlp};

/// The version of the layout of a data folder. A program refuses a later one.
pub const LAYOUT_VERSION: u32 = 1;

/// The manifest's file name.
pub const MANIFEST: &str = "MANIFEST";
/// The catalogue's file name.
pub const CATALOGUE: &str = "catalogue.log";

/// How a source counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// Events: they add up.
    #[default]
    Additive,
    /// Totals so far: of a key the latest export wins.
    Cumulative,
}

/// One import as it was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its number: the order of learning.
    pub seq: u64,
    /// The source's number in the manifest.
    pub source_id: u16,
    /// The source's name.
    pub source: String,
    /// The format's name.
    pub format: String,
    /// SHA-256 of the decompressed content, hex.
    pub digest: String,
    /// The moment that facts without a date of their own were observed.
    pub observed: Timestamp,
    /// The moment that we learnt it.
    pub learnt: Timestamp,
    /// Whether it is all that the source says.
    pub state: State,
    /// How it counts.
    #[serde(default)]
    pub counts: Counts,
    /// Facts by kind.
    pub facts: BTreeMap<String, u64>,
    /// Records that were not understood.
    pub rejected: u64,
    /// The same by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
    /// What it is known by where that is not its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// What its content is marked with, the strictest.
    #[serde(default, skip_serializing_if = "is_clear")]
    pub tlp: Tlp,
}

fn is_clear(tlp: &Tlp) -> bool {
    *tlp == Tlp::Clear
}

/// What a batch is known by where that is not its content: the same content may come twice and mean two things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Who sent it named it so: SHA-256 of the name, hex.
    Key(String),
    /// Lines of a file that grows.
    Part(Part),
}

/// Lines of a file that grows. A file is its first bytes: its name and number change when it is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// SHA-256 of the first bytes of the file, hex.
    pub head: String,
    /// How many bytes those are.
    pub head_bytes: u64,
    /// Which of the files that began so, from 0: a file that shrinks is another one.
    pub generation: u32,
    /// The first byte.
    pub from: u64,
    /// The byte after the last one.
    pub to: u64,
    /// SHA-256 of the last bytes before that one, hex: another file that begins alike does not go on alike.
    pub tail: String,
}

impl Part {
    /// Whether two parts are of one file.
    pub fn is_of(&self, other: &Part) -> bool {
        (&self.head, self.head_bytes, self.generation) == (&other.head, other.head_bytes, other.generation)
    }
}

/// A live run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Its number; the file is `runs/<number>.run`.
    pub id: u64,
    /// The batches in it.
    pub batches: Vec<u64>,
    /// When the first of them was learnt.
    pub learnt_first: Timestamp,
    /// When the last of them was learnt.
    pub learnt_last: Timestamp,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// The runs it was merged from that are kept, so that a batch can still be retired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub originals: Vec<RunEntry>,
    /// When it was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Timestamp>,
    /// The day before which it has no daily detail, 0: it has all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub folded_before: u32,
    /// Tombstones from this number on were not heeded when it was written.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub heeded: u64,
}

fn is_none_yet(number: &u64) -> bool {
    *number == 0
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`LAYOUT_VERSION`].
    pub version: u32,
    /// Counts every change: an answer made from one manifest is good until the next.
    pub generation: u64,
    /// The next run's number.
    pub next_run: u64,
    /// The next batch's number.
    pub next_seq: u64,
    /// The seed of the hot index's hashes: the store's own, so that nobody can aim at collisions.
    pub seed: u64,
    /// Names of sources; the position is the number that rows carry.
    pub sources: Vec<String>,
    /// The live runs, oldest first.
    pub runs: Vec<RunEntry>,
    /// When whole-state batches were found unchanged, by batch.
    #[serde(default)]
    pub refreshed: BTreeMap<u64, Vec<Again>>,
    /// What is to be forgotten and still stands in some run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tombstones: Vec<Tombstone>,
    /// The next tombstone's number.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub next_tombstone: u64,
    /// What is not taken in again.
    #[serde(default, skip_serializing_if = "KeptOut::is_empty")]
    pub kept_out: KeptOut,
}

/// A moment at which a state was found unchanged. Ordered by when it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Again {
    /// When it held.
    pub observed: Timestamp,
    /// When we learnt that.
    pub learnt: Timestamp,
}

impl Manifest {
    /// The manifest of an empty store.
    pub fn new(seed: u64) -> Manifest {
        Manifest {
            version: LAYOUT_VERSION,
            generation: 0,
            next_run: 1,
            next_seq: 1,
            seed,
            sources: Vec::new(),
            runs: Vec::new(),
            refreshed: BTreeMap::new(),
            tombstones: Vec::new(),
            next_tombstone: 0,
            kept_out: KeptOut::default(),
        }
    }

    /// Reads the manifest of a data folder; `None` where there is none yet.
    ///
    /// # Errors
    ///
    /// [`Damage`] inside the I/O error where it is not what was written; a layout of a later version.
    pub fn read(folder: &Path) -> io::Result<Option<Manifest>> {
        let path = folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let damage = |place: &str| Damage { file: path.clone(), place: place.to_owned() };
        let text = std::str::from_utf8(&text).map_err(|_| damage("line 1"))?;
        let (json, crc) = text.split_once('\n').ok_or_else(|| damage("line 1"))?;
        if crc.strip_suffix('\n') != Some(&format!("{:08x}", crc32fast::hash(json.as_bytes()))) {
            return Err(damage("line 2 (checksum)").into());
        }
        let manifest: Manifest =
            serde_json::from_str(json).map_err(|error| damage(&format!("line 1 ({error})")))?;
        if manifest.version > LAYOUT_VERSION {
            return Err(io::Error::other(format!(
                "{} has layout version {}, this program reads up to {LAYOUT_VERSION}: use a newer zonelens",
                path.display(),
                manifest.version
            )));
        }
        Ok(Some(manifest))
    }

    /// Replaces the manifest of a data folder, durably.
    ///
    /// # Errors
    ///
    /// What the file system says; the old manifest then stands.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_string(self)?;
        let crc = crc32fast::hash(json.as_bytes());
        let beside = folder.join("MANIFEST.new");
        let mut file = File::create(&beside)?;
        file.write_all(format!("{json}\n{crc:08x}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(MANIFEST))?;
        File::open(folder)?.sync_all()
    }

    /// The last moment at which a batch was known to hold, as of a moment: its own or a later one.
    pub fn held(&self, batch: &Batch, as_of: Option<Timestamp>) -> Timestamp {
        let again = self.refreshed.get(&batch.seq).into_iter().flatten();
        let known = again.filter(|again| as_of.is_none_or(|at| again.observed.max(again.learnt) <= at));
        known.map(|again| again.observed).fold(batch.observed, Timestamp::max)
    }

    /// The number of a source, which it gets here where it has none.
    ///
    /// # Errors
    ///
    /// When there are more sources than numbers.
    pub fn source_id(&mut self, name: &str) -> io::Result<u16> {
        let position = self.sources.iter().position(|known| known == name).unwrap_or_else(|| {
            self.sources.push(name.to_owned());
            self.sources.len() - 1
        });
        // The last number is that of no source.
        u16::try_from(position)
            .ok()
            .filter(|number| *number != u16::MAX)
            .ok_or_else(|| io::Error::other("a store has at most 65535 sources"))
    }
}

/// What the catalogue remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all events are of the largest kind")]
pub enum Event {
    /// A batch was published.
    Imported {
        /// The batch.
        batch: Batch,
    },
    /// The same content came again and changed nothing.
    Again {
        /// The batch that has it.
        seq: u64,
        /// When.
        at: Timestamp,
    },
    /// Something was to be forgotten. What it was is not said.
    Forgotten {
        /// The tombstone's number.
        number: u64,
        /// When.
        at: Timestamp,
    },
    /// Nothing of what was forgotten is left.
    Erased {
        /// The tombstone's number.
        number: u64,
        /// When.
        at: Timestamp,
    },
    /// A batch was retired: its facts never were.
    Retired {
        /// The batch.
        seq: u64,
        /// When.
        at: Timestamp,
    },
}

/// Reads the catalogue: its events, and the lines that are damaged.
///
/// # Errors
///
/// What the file system says.
pub fn read_catalogue(folder: &Path) -> io::Result<(Vec<Event>, Vec<Damage>)> {
    let (events, damaged, _) = read_catalogue_from(folder, 0)?;
    Ok((events, damaged))
}

/// Reads the catalogue from a byte on at which a line begins; says at which byte it ends too.
///
/// # Errors
///
/// What the file system says.
pub fn read_catalogue_from(folder: &Path, from: u64) -> io::Result<(Vec<Event>, Vec<Damage>, u64)> {
    let path = folder.join(CATALOGUE);
    let mut text = Vec::new();
    match File::open(&path) {
        Ok(mut file) => {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut text)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let (mut events, mut damaged) = (Vec::new(), Vec::new());
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match event(line) {
            Some(event) => events.push(event),
            None => damaged.push(Damage { file: path.clone(), place: format!("line {}", index + 1) }),
        }
    }
    Ok((events, damaged, from + text.len() as u64))
}

fn event(line: &[u8]) -> Option<Event> {
    let (crc, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    (crc == format!("{:08x}", crc32fast::hash(json.as_bytes()))).then(|| serde_json::from_str(json).ok())?
}

/// Appends events to the catalogue, durably.
///
/// # Errors
///
/// What the file system says.
pub fn append_catalogue(folder: &Path, events: &[Event]) -> io::Result<()> {
    let path = folder.join(CATALOGUE);
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
    let mut text = String::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        // A write that was cut off left no line end: what follows must not be lost with it.
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    for event in events {
        let json = serde_json::to_string(event)?;
        text.push_str(&format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())));
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
