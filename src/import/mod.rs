//! The import: bytes to facts to one batch, all of it or nothing.
//!
//! ```text
//! content ─► decompressed, digested ─► feeds/<format> ─► Fact ─► door ─► BatchWriter ─► one manifest swap
//!                                                     └► Rejected ─► counted, shown, kept on demand
//! ```
//!
//! Content that is live already is found by its digest before it is read, where it can be read twice and
//! that is worth it; the store looks again when it publishes.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::Telemetry;
use crate::feeds::{self, Format, Sample, State};
use crate::source::Source;
use crate::source::quarantine::{Quarantine, Record};
use crate::store::{Again, Batch, Counts, Identity, NewBatch, Published, Store, StoreError};
use crate::value::{Category, Timestamp};

mod content;
mod door;
mod facts;
mod follow;
mod growing;
mod intake;

pub use content::FOLDER_FILES_MAX;
pub use door::Reason;
pub use facts::publish;
pub use follow::Follower;
pub use growing::{Growing, PART_BYTES, Until};

use content::{Content, Failure};
use door::{Door, Rejects};
use intake::Intake;

/// Content of up to this size is digested before it is read, to find that nothing is to be done.
const DIGEST_FIRST_BYTES: u64 = 512 << 20;

/// Where content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Standard input.
    Stdin,
    /// A file; or a folder, whose files are one batch.
    Path(PathBuf),
}

/// How to import.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock's now.
    pub now: Timestamp,
    /// The source; absent: the name of the file or folder without endings, of a stream the format's.
    pub source: Option<String>,
    /// The format; absent: found by content.
    pub format: Option<String>,
    /// The moment of facts without a date of their own; absent: that of learning.
    pub observed: Option<Timestamp>,
    /// The moment of learning, not in the future; absent: now.
    pub learnt: Option<Timestamp>,
    /// What listings are where the feed does not say.
    pub category: Option<Category>,
    /// How far the source is believed where the feed does not say, 0 to 100.
    pub confidence: Option<u8>,
    /// How the source counts.
    pub counts: Option<Counts>,
    /// What the batch means.
    pub state: Option<State>,
    /// The columns of a table, as TOML: [`feeds::Mapping`]; of the format `csv` only.
    pub mapping: Option<String>,
    /// Take a whole state also where much less is in it than before.
    pub accept: bool,
    /// Where all rejected records are written, as NDJSON.
    pub rejects: Option<PathBuf>,
    /// What telemetry is kept.
    pub telemetry: Telemetry,
    /// What the batch is known by; absent: its content.
    pub identity: Option<Identity>,
    /// The most bytes of content, decompressed.
    pub bytes_max: u64,
    /// Memory for rows that are not yet sorted.
    pub buffer_bytes: usize,
    /// What is known of sources beforehand.
    pub sources: Vec<Source>,
}

impl Options {
    /// All that can be left out left out.
    pub fn new(now: Timestamp) -> Options {
        Options {
            now,
            source: None,
            format: None,
            observed: None,
            learnt: None,
            category: None,
            confidence: None,
            counts: None,
            state: None,
            mapping: None,
            accept: false,
            rejects: None,
            telemetry: Telemetry::default(),
            identity: None,
            bytes_max: u64::MAX,
            buffer_bytes: crate::config::Import::default().buffer_mb << 20,
            sources: Vec::new(),
        }
    }
}

/// Why an import did not happen. The store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It was asked for wrongly; the text says what would be right.
    #[error("{0}")]
    Usage(String),
    /// The content cannot be read or is of no known format.
    #[error("{0}; nothing was imported")]
    Input(String),
    /// The content is longer than it may be.
    #[error("{0}; nothing was imported")]
    TooLarge(String),
    /// Much less is in a whole state than before: it may be the source that is broken.
    #[error(
        "{source_name} had {before} facts and has {now} now: it is held back, what it said before still counts; \
         if that is right, take it with --accept"
    )]
    Held {
        /// The source.
        source_name: String,
        /// Facts of the state that counts.
        before: u64,
        /// Facts of the state that is held back.
        now: u64,
    },
    /// The store cannot be written, or the file for rejected records.
    #[error("{0}; nothing was imported, the store is as it was")]
    Write(String),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it does.
    pub phase: Phase,
    /// Compressed bytes read in this phase.
    pub bytes: u64,
    /// Of how many, where that is known.
    pub bytes_total: Option<u64>,
    /// Records read.
    pub records: u64,
}

/// What an import does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Fetches the content.
    Fetching,
    /// Compares the content with what is there.
    Comparing,
    /// Reads records.
    Reading,
    /// Writes the run and publishes it.
    Publishing,
}

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Whether the content was live already.
    pub unchanged: bool,
    /// The number of the batch, the one that is there where nothing changed.
    pub batch: u64,
    /// The source.
    pub source: String,
    /// The format.
    pub format: &'static str,
    /// What the batch means.
    pub state: State,
    /// The moment of facts without a date of their own.
    pub observed: Timestamp,
    /// The moment of learning.
    pub learnt: Timestamp,
    /// Files read.
    pub files: usize,
    /// Facts by kind.
    pub facts: BTreeMap<String, u64>,
    /// Rejected records by reason.
    pub rejected: BTreeMap<&'static str, Reason>,
    /// Facts that were understood and are not kept, by why: `contact` where contacts are not kept, `forgotten`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_kept: BTreeMap<&'static str, u64>,
    /// How long it took.
    pub seconds: f64,
    /// Facts and rejected records a second.
    pub records_per_second: u64,
}

impl Summary {
    /// Of a batch that is not yet read.
    fn of(new: &NewBatch, format: &Format, files: usize) -> Summary {
        Summary {
            unchanged: true,
            batch: 0,
            source: new.source.clone(),
            format: format.name,
            state: new.state,
            observed: new.observed,
            learnt: new.learnt,
            files,
            facts: BTreeMap::new(),
            rejected: BTreeMap::new(),
            not_kept: BTreeMap::new(),
            seconds: 0.0,
            records_per_second: 0,
        }
    }
}

/// Imports content as one batch.
///
/// # Errors
///
/// [`ImportError`]; nothing is then changed.
pub fn import(
    store: &Store,
    options: &Options,
    origin: Origin,
    progress: &mut dyn FnMut(Step),
) -> Result<Summary, ImportError> {
    let content = Content::find(origin).map_err(|error| ImportError::Input(error.to_string()))?;
    import_content(store, options, content, progress)
}

/// Imports what a reader gives, compressed or not, as one batch. `name` stands for it in messages.
///
/// # Errors
///
/// As [`import`]; an error of the reader too.
pub fn import_stream(
    store: &Store,
    options: &Options,
    name: &str,
    reader: Box<dyn io::Read>,
    progress: &mut dyn FnMut(Step),
) -> Result<Summary, ImportError> {
    import_content(store, options, Content::stream(name, reader), progress)
}

/// The digest that identifies what a reader gives, decompressed.
///
/// # Errors
///
/// [`ImportError::Input`], [`ImportError::TooLarge`].
pub fn content_digest(name: &str, reader: Box<dyn io::Read>, bytes_max: u64) -> Result<String, ImportError> {
    let mut content = Content::stream(name, reader);
    content.bytes_max = bytes_max;
    content.each(|_, _| Ok::<(), io::Error>(())).map_err(|failure| match failure {
        Failure::Input(error) | Failure::Other(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            ImportError::TooLarge(error.to_string())
        }
        Failure::Input(error) | Failure::Other(error) => ImportError::Input(error.to_string()),
    })
}

fn import_content(
    store: &Store,
    options: &Options,
    mut content: Content,
    progress: &mut dyn FnMut(Step),
) -> Result<Summary, ImportError> {
    let start = Instant::now();
    content.bytes_max = options.bytes_max;
    let format = format(options, &mut content)?;
    let parser = parser(options, format)?;
    let (new, door) = batch(options, &content, format)?;
    let mut summary = Summary::of(&new, format, content.files);
    if let Some(seq) = known(store, &new, options, &mut content, progress)? {
        summary.batch = seq;
        summary.files = content.files;
        summary.seconds = start.elapsed().as_secs_f64();
        return Ok(summary);
    }
    let rejects = Rejects::to_file(options.rejects.as_deref()).map_err(|error| {
        ImportError::Write(format!("{error}: --rejects names a file that can be written"))
    })?;
    let writer = store.begin(new.clone(), options.buffer_bytes).map_err(|error| unwritable(store, error))?;
    let kept_out = store.snapshot()?.manifest.kept_out.clone();
    let mut intake = Intake::new(store, writer, door, rejects);
    intake.keeps(options.telemetry.contacts, kept_out);
    intake.is_part = matches!(&options.identity, Some(Identity::Part(part)) if part.from > 0);
    let digest = identity(options, intake.read(format, parser, &mut content, progress)?);
    progress(step(Phase::Publishing, &content, intake.records));
    let Intake { mut writer, mut rejects, records, not_kept, tlp, .. } = intake;
    writer.reasons =
        rejects.by_reason.iter().map(|(name, reason)| ((*name).to_owned(), reason.count)).collect();
    rejects.flush().map_err(|error| ImportError::Write(error.to_string()))?;
    if !options.accept {
        not_shrunk(store, &new, records - rejects.count - not_kept.values().sum::<u64>())?;
    }
    let (published, batch) =
        writer.publish(digest, rejects.count, tlp).map_err(|error| unwritable(store, error))?;
    if let Published::New(seq) = published {
        watch(store, seq, options.now);
    }
    crate::upkeep::relieve(store, options.now);
    summary.unchanged = matches!(published, Published::Known(_));
    if summary.unchanged {
        seen_again(store, &new, batch.seq)?;
    } else {
        quarantine(store, &batch, &mut rejects);
    }
    summary.batch = batch.seq;
    summary.files = content.files;
    summary.facts = batch.facts;
    summary.rejected = rejects.by_reason;
    summary.not_kept = not_kept;
    summary.seconds = start.elapsed().as_secs_f64();
    summary.records_per_second = (records as f64 / summary.seconds.max(0.001)) as u64;
    Ok(summary)
}

/// A whole state that shrinks by more than this share is held back.
const SHRINK_MAX: f64 = 0.3;

/// So many facts may be gone from a whole state in any case: short lists change much from day to day.
const SHRINK_FACTS: u64 = 10;

/// Whether a whole state has about as much in it as the one that it takes the place of.
fn not_shrunk(store: &Store, new: &NewBatch, now: u64) -> Result<(), ImportError> {
    if new.state != State::Whole {
        return Ok(());
    }
    let snapshot = store.snapshot()?;
    let states = snapshot.batches().into_iter();
    let states = states.filter(|batch| batch.source == new.source && batch.state == State::Whole);
    let Some(newest) = states.max_by_key(|batch| (snapshot.manifest.held(batch, None), batch.seq)) else {
        return Ok(());
    };
    let before: u64 = newest.facts.values().sum();
    let lost = before.saturating_sub(now);
    // A state of the past takes the place of none.
    let is_later = new.observed >= newest.observed;
    if is_later && lost > SHRINK_FACTS && lost as f64 > before as f64 * SHRINK_MAX {
        return Err(ImportError::Held { source_name: new.source.clone(), before, now });
    }
    Ok(())
}

/// Keeps what was not understood, for whoever asks why. What was understood is published already: that this fails is
/// said, and ends nothing.
fn quarantine(store: &Store, batch: &Batch, rejects: &mut Rejects) {
    let records = std::mem::take(&mut rejects.sample).into_iter().map(|rejected| Record {
        file: rejected.file,
        line: rejected.line,
        reason: rejected.reason.to_owned(),
        detail: rejected.detail,
        text: rejected.text,
    });
    let reasons = rejects.by_reason.iter().map(|(name, reason)| ((*name).to_owned(), reason.count));
    let quarantine = Quarantine {
        batch: batch.seq,
        learnt: batch.learnt,
        reasons: reasons.collect(),
        sample: records.collect(),
    };
    if let Err(error) = quarantine.write(store.folder(), &batch.source) {
        tracing::warn!(%error, source = batch.source, "rejected records cannot be kept");
    }
}

/// Records what imitates a brand. The batch is published already: that this fails is said, and ends nothing.
fn watch(store: &Store, seq: u64, now: Timestamp) {
    match crate::brands::record(store, store.watched(), seq, now) {
        Ok(0) => {}
        Ok(count) => {
            tracing::info!(count, batch = seq, "new names imitate a watched brand: see events.ndjson")
        }
        Err(error) => tracing::warn!(%error, batch = seq, "what imitates watched brands cannot be recorded"),
    }
}

fn step(phase: Phase, content: &Content, records: u64) -> Step {
    Step { phase, bytes: content.read.load(Ordering::Relaxed), bytes_total: content.bytes, records }
}

/// A parser for the batch, with the mapping where one is given.
fn parser(options: &Options, format: &Format) -> Result<Box<dyn feeds::Parse>, ImportError> {
    let Some(text) = &options.mapping else { return Ok((format.open)()) };
    if format.name != "csv" {
        let detail =
            format!("a mapping is of the format csv, and this is {}: name --format csv", format.name);
        return Err(ImportError::Usage(detail));
    }
    let mapping = feeds::Mapping::parse(text);
    mapping.map(feeds::mapped).map_err(|problem| ImportError::Usage(format!("the mapping: {problem}")))
}

/// What identifies content: its digest, and the mapping where there is one. Read by another it says something else.
fn identity(options: &Options, digest: String) -> String {
    match &options.mapping {
        Some(mapping) => format!("{:x}", Sha256::digest(format!("{digest} {mapping}"))),
        None => digest,
    }
}

/// The format that is asked for, that the source has, or that recognises the content.
fn format(options: &Options, content: &mut Content) -> Result<&'static Format, ImportError> {
    let source = options.source.as_deref().unwrap_or(&content.stem);
    let source = options.sources.iter().find(|defaults| defaults.name == source);
    match options.format.as_deref().or(source.and_then(|source| source.format.as_deref())) {
        Some(name) => format_by_name(name).map_err(ImportError::Usage),
        None => recognised(content),
    }
}

/// Finds a format by its name.
///
/// # Errors
///
/// `unknown format "x"` and the formats that there are.
pub fn format_by_name(name: &str) -> Result<&'static Format, String> {
    feeds::find(name).ok_or_else(|| format!("unknown format {name:?}: use one of {}", format_names()))
}

fn format_names() -> String {
    feeds::FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

/// The longest name of a source.
pub const SOURCE_NAME_MAX: usize = 64;

/// Checks the name of a source: letters, digits, `.`, `_` and `-`, not beginning with `zonelens`, which is
/// kept for what the program itself says.
///
/// # Errors
///
/// What is wrong and what would be right.
pub fn source_name(name: &str) -> Result<&str, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > SOURCE_NAME_MAX || !name.bytes().all(allowed) {
        return Err(format!(
            "{name:?} is no name of a source: use 1 to {SOURCE_NAME_MAX} letters, digits, \".\", \"_\" and \"-\""
        ));
    }
    if name.starts_with("zonelens") {
        return Err(format!(
            "{name:?} is no name of a source: those that begin with zonelens are the program's own"
        ));
    }
    Ok(name)
}

/// The format of the first file that one recognises.
fn recognised(content: &mut Content) -> Result<&'static Format, ImportError> {
    let (mut is_empty, mut found) = (true, None);
    let sampled = content.sample(|name, head| {
        is_empty &= head.is_empty();
        found = feeds::recognise(&Sample { name, head });
        found.is_some()
    });
    sampled.map_err(|error| ImportError::Input(error.to_string()))?;
    if let Some(format) = found {
        return Ok(format);
    }
    let names: Vec<&str> = content.names().take(3).filter(|name| !name.is_empty()).collect();
    let names = if names.is_empty() { "standard input".to_owned() } else { names.join(", ") };
    if is_empty {
        return Err(ImportError::Input(format!("{names} is empty: name its --format if that is meant")));
    }
    Err(ImportError::Input(format!(
        "no format recognises {names}: tried {}; name it with --format",
        format_names()
    )))
}

/// What is known of the batch before it is read.
fn batch(options: &Options, content: &Content, format: &Format) -> Result<(NewBatch, Door), ImportError> {
    let usage = |text: String| Err(ImportError::Usage(text));
    let fallback = if content.stem.is_empty() { format.name } else { &content.stem };
    let source = source_name(options.source.as_deref().unwrap_or(fallback))
        .map_err(|problem| ImportError::Usage(format!("{problem}; name it with --source")))?;
    let defaults = options.sources.iter().find(|defaults| defaults.name == source);
    let category = options.category.or(defaults.and_then(|defaults| defaults.category));
    let confidence = options.confidence.or(defaults.and_then(|defaults| defaults.confidence));
    let door = Door { now: options.now, category: category.unwrap_or(Category::MALWARE), confidence };
    if let Some(confidence) = confidence.filter(|confidence| *confidence > 100) {
        return usage(format!("the confidence is {confidence}: use 0 to 100"));
    }
    let learnt = options.learnt.unwrap_or(options.now);
    if learnt > options.now || learnt < Timestamp::OBSERVED_MIN {
        return usage(format!("--learnt-at {learnt} is not between 1990 and now, {}", options.now));
    }
    let observed = options.observed.unwrap_or(learnt);
    if !door.admits(observed) {
        return usage(format!("--observed-at {observed} is not between 1990 and 48 hours from now"));
    }
    let new = NewBatch {
        source: source.to_owned(),
        format: format.name.to_owned(),
        observed,
        learnt,
        state: options.state.or(defaults.and_then(|defaults| defaults.state)).unwrap_or(format.state),
        counts: options.counts.or(defaults.and_then(|defaults| defaults.counts)).unwrap_or_default(),
        identity: options.identity.clone(),
    };
    Ok((new, door))
}

/// The live batch that has this content, where looking for it before reading is worth the pass.
fn known(
    store: &Store,
    new: &NewBatch,
    options: &Options,
    content: &mut Content,
    progress: &mut dyn FnMut(Step),
) -> Result<Option<u64>, ImportError> {
    let is_quick = content.bytes.is_some_and(|bytes| bytes < DIGEST_FIRST_BYTES);
    if options.identity.is_some() || !content.is_rereadable() || !(new.state == State::Whole || is_quick) {
        return Ok(None);
    }
    if !store.snapshot()?.batches().iter().any(|batch| batch.source == new.source) {
        return Ok(None);
    }
    progress(step(Phase::Comparing, content, 0));
    let digest = content.each(|_, _| Ok::<(), io::Error>(())).map_err(|failure| match failure {
        Failure::Input(error) | Failure::Other(error) => ImportError::Input(error.to_string()),
    })?;
    let known = store.known(new, &identity(options, digest))?;
    if let Some(seq) = known {
        seen_again(store, new, seq)?;
    }
    Ok(known)
}

/// Remembers that a whole state still holds. Of events there is nothing to remember.
fn seen_again(store: &Store, new: &NewBatch, seq: u64) -> Result<(), ImportError> {
    let again = Again { observed: new.observed, learnt: new.learnt };
    match new.state {
        State::Whole => store.seen_again(seq, again).map_err(|error| unwritable(store, error)),
        State::Events => Ok(()),
    }
}

/// What the file system says of the store, with the folder and what to do.
fn unwritable(store: &Store, error: StoreError) -> ImportError {
    match error {
        StoreError::Io(error) => ImportError::Write(unwritable_text(store, &error)),
        other => ImportError::Store(other),
    }
}

fn unwritable_text(store: &Store, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": free space, or name another folder by --data"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ": it must be writable",
        _ => "",
    };
    format!("cannot write to the store in {}: {error}{hint}", store.folder().display())
}
