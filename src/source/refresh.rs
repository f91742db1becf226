//! Asking a source for what it has now, and importing it.
//!
//! What was asked and what came of it is in the source's [`Status`]. A source that fails loses nothing: what it said
//! last still counts, and grows stale.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::fetch::{Client, FetchError, Fetched, Validators, jitter, validators};
use super::status::{Held, Status, turn};
use super::{Location, Registry, Source, misp, rdap, taxii, watch};
use crate::config::Telemetry;
use crate::feeds::State;
use crate::import::{self, ImportError, Origin, Step, Summary};
use crate::store::{Again, Counts, Store, StoreError};
use crate::value::Timestamp;

/// The pause after a first failure; it doubles with each further one, up to the source's interval.
const FAILED_PAUSE: Duration = Duration::from_secs(60);

/// How to refresh.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock's now.
    pub now: Timestamp,
    /// Take a whole state also where much less is in it than before.
    pub accept: bool,
    /// Ask for the content also where the server says that nothing changed.
    pub force: bool,
    /// Wait until nobody else refreshes the source.
    pub wait: bool,
    /// What telemetry is kept.
    pub telemetry: Telemetry,
    /// Memory for rows that are not yet sorted.
    pub buffer_bytes: usize,
}

/// What a refresh does.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// Bytes fetched, and of how many.
    Fetching(u64, Option<u64>),
    /// The import.
    Importing(Step),
}

/// What came of a refresh.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The source has what it had.
    NotModified,
    /// It was imported: a summary a batch, also where a batch was there already.
    Imported(Vec<Summary>),
    /// Somebody else refreshes it now.
    Busy,
}

/// Why a source was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// It cannot be asked for: it has no location.
    #[error("{0}")]
    Usage(String),
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The store or the source's files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files beside the store.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What the ways of asking work with.
pub(super) struct Ask<'a> {
    pub store: &'a Store,
    pub source: &'a Source,
    /// All sources.
    pub registry: &'a Registry,
    /// What is known of it; changed only by who asked.
    pub status: &'a Status,
    /// A folder for this refresh, removed after it.
    pub folder: &'a Path,
    pub now: Timestamp,
    pub progress: &'a mut dyn FnMut(Progress),
}

/// What the source has.
#[derive(Default)]
pub(super) struct Got {
    /// What is to be imported, each as a batch; none: nothing changed.
    pub origins: Vec<Origin>,
    /// What the server calls this content.
    pub validators: Validators,
    /// How far it was read.
    pub cursor: Option<String>,
    /// What its content is, where the way of asking says so.
    pub format: Option<&'static str>,
    /// How it counts, where the way of asking says so.
    pub counts: Option<Counts>,
}

/// Asks a source for what it has, and imports it.
///
/// # Errors
///
/// [`RefreshError`]; what is in the store then still counts. It is remembered in the source's status.
pub fn refresh(
    store: &Store,
    registry: &Registry,
    source: &Source,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, RefreshError> {
    let Some(location) = &source.location else {
        return Err(RefreshError::Usage(format!(
            "the source {} has no location to ask: import what it gives with `zonelens import --source {}`",
            source.name, source.name
        )));
    };
    let Some(_turn) = turn(store.folder(), &source.name, options.wait)? else { return Ok(Outcome::Busy) };
    let mut status = Status::read(store.folder(), &source.name)?;
    let reading = reading(source)?;
    if options.force || status.reading != reading || !is_live(store, status.batch)? {
        status.validators = Validators::default();
    }
    if status.reading != reading {
        status.cursor = None;
    }
    let result = asked_and_imported(store, registry, source, location, options, &status, progress);
    status.asked = Some(options.now);
    status.reading = reading;
    match &result {
        Ok((outcome, got)) => {
            status.good = Some(options.now);
            status.failed = None;
            status.held = None;
            status.validators.clone_from(&got.validators);
            status.cursor = got.cursor.clone().or(status.cursor);
            if let Outcome::Imported(summaries) = outcome {
                status.batch = summaries.last().map(|summary| summary.batch).or(status.batch);
            }
        }
        Err(error) => {
            // What is held back is not what is here.
            status.validators = Validators::default();
            if let RefreshError::Import(ImportError::Held { before, now, .. }) = error {
                let since = status.held.map_or(options.now, |held| held.since);
                status.held = Some(Held { since, before: *before, now: *now });
            }
            status.fail(options.now, error.to_string());
        }
    }
    status.next = source.interval.map(|interval| next(&status, interval.duration(), options.now));
    if let Err(RefreshError::Fetch(FetchError { retry_after: Some(pause), .. })) = &result {
        let asked_for = Timestamp(options.now.0.saturating_add(pause.as_secs() as i64));
        status.next = status.next.map(|next| next.max(asked_for));
    }
    status.write(store.folder(), &source.name)?;
    let (outcome, _) = result?;
    if let (Outcome::NotModified, Some(seq)) = (&outcome, status.batch) {
        still_holds(store, seq, options.now)?;
    }
    Ok(outcome)
}

fn asked_and_imported(
    store: &Store,
    registry: &Registry,
    source: &Source,
    location: &Location,
    options: &Options,
    status: &Status,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Outcome, Got), RefreshError> {
    if watch::is_watched(source, location) {
        let wanted = import_options(registry, source, options)?;
        let summaries = watch::take(store, location, &wanted, options.force, &mut |step| {
            progress(Progress::Importing(step))
        })?;
        let outcome = if summaries.is_empty() { Outcome::NotModified } else { Outcome::Imported(summaries) };
        return Ok((outcome, Got::default()));
    }
    let folder = store.temp_folder()?;
    let mut ask = Ask { store, source, registry, status, folder: &folder.path, now: options.now, progress };
    let got = match location {
        Location::Path(path) => local(&ask, path)?,
        Location::Pattern(pattern) => matching(pattern)?,
        Location::Http(address) => http(&mut ask, address)?,
        Location::Taxii(address) => taxii::ask(&mut ask, address)?,
        Location::Misp(address) => misp::ask(&mut ask, address)?,
        Location::Rdap => rdap::ask(&mut ask)?,
    };
    if got.origins.is_empty() {
        return Ok((Outcome::NotModified, got));
    }
    let wanted = import_options(registry, source, options)?;
    let wanted = import::Options {
        format: wanted.format.or(got.format.map(str::to_owned)),
        counts: source.counts.or(got.counts),
        ..wanted
    };
    let mut summaries = Vec::new();
    for origin in &got.origins {
        let mut step = |step| (ask.progress)(Progress::Importing(step));
        summaries.push(import::import(store, &wanted, origin.clone(), &mut step)?);
    }
    Ok((Outcome::Imported(summaries), got))
}

/// How what a source gives is imported.
fn import_options(
    registry: &Registry,
    source: &Source,
    options: &Options,
) -> Result<import::Options, RefreshError> {
    Ok(import::Options {
        source: Some(source.name.clone()),
        format: source.format.clone(),
        mapping: source.mapping.as_deref().map(read_mapping).transpose()?,
        accept: options.accept,
        telemetry: options.telemetry,
        buffer_bytes: options.buffer_bytes,
        sources: registry.iter().cloned().collect(),
        ..import::Options::new(options.now)
    })
}

/// A web address to a file.
fn http(ask: &mut Ask<'_>, address: &str) -> Result<Got, RefreshError> {
    let client = Client::new(ask.source)?;
    let path = ask.folder.join(file_name(address));
    let mut told = |bytes, total| (ask.progress)(Progress::Fetching(bytes, total));
    match client.get(address, None, &ask.status.validators, &path, &mut told)? {
        Fetched::NotModified => Ok(Got { validators: ask.status.validators.clone(), ..Got::default() }),
        Fetched::New(headers) => {
            Ok(Got { origins: vec![Origin::Path(path)], validators: validators(&headers), ..Got::default() })
        }
    }
}

/// The last part of an address's path as a file's name: some formats are found by it.
fn file_name(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || "._-".contains(*character);
    let name: String = last.chars().filter(is_plain).take(100).collect();
    let name = name.trim_start_matches('.');
    // `lock` is the name of the folder's own file.
    if name.is_empty() || name == "lock" { "download".to_owned() } else { name.to_owned() }
}

/// A file or folder of this machine. Of a file that has its size and time of before nothing is read.
fn local(ask: &Ask<'_>, path: &Path) -> Result<Got, RefreshError> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let meta = std::fs::metadata(path).map_err(named)?;
    let mut validators = Validators::default();
    if meta.is_file() {
        let modified = meta.modified().map_err(named)?;
        let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        validators.etag = Some(format!("{}-{modified}", meta.len()));
        if validators == ask.status.validators {
            return Ok(Got { validators, ..Got::default() });
        }
    }
    Ok(Got { origins: vec![Origin::Path(path.to_owned())], validators, ..Got::default() })
}

/// The files that a pattern names, each a batch, of a source whose batches are all that it says.
fn matching(pattern: &str) -> Result<Got, RefreshError> {
    let paths = glob::glob(pattern).map_err(|error| RefreshError::Usage(format!("{pattern}: {error}")))?;
    let mut origins = Vec::new();
    for path in paths {
        origins.push(Origin::Path(path.map_err(io::Error::from)?));
    }
    Ok(Got { origins, ..Got::default() })
}

fn read_mapping(path: &Path) -> Result<String, RefreshError> {
    std::fs::read_to_string(path).map_err(|error| {
        RefreshError::Usage(format!("{}: {error}; mapping names a readable file", path.display()))
    })
}

/// How content of a source is read, as a digest: where that changed, the same content is to be read again.
fn reading(source: &Source) -> Result<String, RefreshError> {
    let mut text = String::new();
    let location = source.location.as_ref().map(ToString::to_string);
    let mapping = source.mapping.as_deref().map(read_mapping).transpose()?;
    write!(text, "{location:?} {:?} {mapping:?} {:?}", source.format, source.state)
        .expect("a string takes everything");
    Ok(format!("{:x}", Sha256::digest(text)))
}

fn is_live(store: &Store, batch: Option<u64>) -> Result<bool, StoreError> {
    let Some(seq) = batch else { return Ok(false) };
    Ok(store.snapshot()?.batches().iter().any(|batch| batch.seq == seq))
}

/// Remembers that a whole state still holds.
fn still_holds(store: &Store, seq: u64, now: Timestamp) -> Result<(), StoreError> {
    let snapshot = store.snapshot()?;
    let batch = snapshot.batches().into_iter().find(|batch| batch.seq == seq);
    if batch.is_some_and(|batch| batch.state == State::Whole) {
        store.seen_again(seq, Again { observed: now, learnt: now })?;
    }
    Ok(())
}

/// When to ask next.
fn next(status: &Status, interval: Duration, now: Timestamp) -> Timestamp {
    let pause = match &status.failed {
        None => interval.mul_f64(0.9 + 0.1 * jitter()),
        Some(failed) => {
            let doubled = FAILED_PAUSE.saturating_mul(1 << failed.times.saturating_sub(1).min(16));
            doubled.min(interval).mul_f64(jitter())
        }
    };
    Timestamp(now.0 + pause.as_secs().max(1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_address() {
        for (address, name) in [
            ("https://a.example/feeds/list.csv.gz?key=1", "list.csv.gz"),
            ("https://a.example/feeds/", "download"),
            ("https://a.example/../..", "download"),
            ("https://a.example/lock", "download"),
            ("https://a.example/.a b%2F", "ab2F"),
        ] {
            assert_eq!(file_name(address), name);
        }
    }

    #[test]
    fn failures_are_asked_again_later_and_later_and_never_later_than_the_interval() {
        let now = Timestamp(1_700_000_000);
        let mut status = Status::default();
        let hour = Duration::from_secs(3600);
        let good = next(&status, hour, now).0 - now.0;
        assert!((3240..=3960).contains(&good), "{good}");
        let mut longest = 0;
        for _ in 0..40 {
            status.fail(now, "x".to_owned());
            longest = longest.max(next(&status, hour, now).0 - now.0);
        }
        assert!(longest <= 5400, "{longest}");
        assert_eq!(status.failed.unwrap().times, 40);
    }
}
