//! A feed of MISP events: `manifest.json` names them and says when each last changed, `<uuid>.json` has one.
//!
//! Format: <https://www.misp-project.org/feeds/>. The feed is mirrored in the source's folder, an event a file whose name
//! says of when it is, so that what is here needs no record beside it: events that are here as the manifest has them are
//! not fetched again, also after a refresh that was cut off in the middle. The mirror is imported as one batch, which is
//! all that the feed says so far.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use ureq::http::StatusCode;

use super::fetch::{Client, FetchError, Fetched, Validators, validators};
use super::refresh::{Ask, Got, Progress, RefreshError};
use super::status;
use crate::import::Origin;
use crate::store::Counts;

/// The most events of a feed.
const EVENTS_MAX: usize = 100_000;

/// The largest file of a feed: as much as the format reads of an event.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The file that names the events. Imports look for it too.
const MANIFEST: &str = "manifest.json";

/// What is being fetched: hidden from imports, which could come in between.
const PART: &str = ".part";

/// Asks a feed for the events that changed.
pub(super) fn ask(ask: &mut Ask<'_>, address: &str) -> Result<Got, RefreshError> {
    let client = Client::new(ask.source)?.with_answer_bytes_max(FILE_BYTES_MAX);
    let feed = format!("{}/", address.trim_end_matches('/').trim_end_matches("/manifest.json"));
    let mut told = |bytes, total| (ask.progress)(Progress::Fetching(bytes, total));
    let path = ask.folder.join(MANIFEST);
    let known = &ask.status.validators;
    let headers = match client.get(&format!("{feed}{MANIFEST}"), None, known, &path, &mut told)? {
        Fetched::NotModified => return Ok(Got { validators: known.clone(), ..Got::default() }),
        Fetched::New(headers) => headers,
    };
    let wanted = read_manifest(&fs::read(&path)?).map_err(FetchError::from)?;
    let mirror = Mirror::open(status::folder(ask.store.folder(), &ask.source.name).join("events"))?;
    mirror.update(&client, &feed, &wanted, &mut told)?;
    Ok(Got {
        origins: vec![Origin::Path(mirror.folder)],
        validators: validators(&headers),
        format: Some("misp-event"),
        counts: Some(Counts::Cumulative),
        ..Got::default()
    })
}

//------------ The manifest --------------------------------------------------

/// The events of a feed, by uuid: when each changed, in seconds, as text.
type Events = BTreeMap<String, String>;

/// What a manifest says of an event. Feeds write the seconds as text or as a number.
#[derive(Deserialize)]
struct Entry {
    timestamp: Value,
}

/// Reads a manifest: the uuids and moments become names of files, so nothing else may stand there.
fn read_manifest(text: &[u8]) -> Result<Events, String> {
    let named: BTreeMap<String, Entry> = serde_json::from_slice(text).map_err(|error| {
        format!(
            "{MANIFEST} of the feed is none: {error}; check that the location is the folder of a MISP feed"
        )
    })?;
    if named.len() > EVENTS_MAX {
        return Err(format!(
            "the feed has {} events, of which {EVENTS_MAX} are the most: split it",
            named.len()
        ));
    }
    let mut events = Events::new();
    for (uuid, entry) in named {
        let uuid = uuid.to_ascii_lowercase();
        let changed = match entry.timestamp {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if !is_uuid(&uuid) || !is_seconds(&changed) {
            let entry: String = format!("{uuid:?}: {changed:?}").chars().take(100).collect();
            return Err(format!(
                "{MANIFEST} of the feed names an event {entry}: a uuid and seconds are expected; nothing was taken"
            ));
        }
        events.insert(uuid, changed);
    }
    Ok(events)
}

/// Whether a text is a uuid in lower case: hexadecimal digits 8-4-4-4-12.
fn is_uuid(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.into_iter().all(is_hex)
}

fn is_seconds(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The manifest as it is imported: in one order and with nothing else in it, so that the same events are the same
/// content.
fn write_manifest(events: &Events) -> Vec<u8> {
    let entry =
        |(uuid, changed): (&String, &String)| (uuid.clone(), serde_json::json!({ "timestamp": changed }));
    serde_json::to_vec(&events.iter().map(entry).collect::<BTreeMap<_, _>>()).expect("only texts")
}

//------------ The mirror ----------------------------------------------------

/// The folder with the events that were fetched: `<uuid>.<seconds>.json`.
struct Mirror {
    folder: PathBuf,
}

impl Mirror {
    fn open(folder: PathBuf) -> io::Result<Mirror> {
        fs::create_dir_all(&folder)?;
        Ok(Mirror { folder })
    }

    fn path(&self, uuid: &str, changed: &str) -> PathBuf {
        self.folder.join(format!("{uuid}.{changed}.json"))
    }

    /// Makes the mirror as the feed is. What was fetched stays, also where the rest cannot be.
    fn update(
        &self,
        client: &Client,
        feed: &str,
        wanted: &Events,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), RefreshError> {
        let here = self.here(wanted)?;
        here.values().for_each(|bytes| client.count(*bytes));
        let missing: Vec<(&String, &String)> =
            wanted.iter().filter(|(uuid, _)| !here.contains_key(*uuid)).collect();
        let all = wanted.len();
        for (fetched, (uuid, changed)) in missing.iter().enumerate() {
            self.fetch(client, feed, uuid, changed, told).map_err(|error| FetchError {
                text: format!(
                    "{error}; {} of {all} events are here, the next refresh goes on",
                    here.len() + fetched
                ),
                ..error
            })?;
        }
        super::replace(&self.folder.join(MANIFEST), &write_manifest(wanted))?;
        self.forget_others(wanted)?;
        Ok(())
    }

    /// The events that are here as the feed has them, with their sizes.
    fn here(&self, wanted: &Events) -> io::Result<BTreeMap<String, u64>> {
        let mut here = BTreeMap::new();
        for (uuid, changed) in wanted {
            match fs::metadata(self.path(uuid, changed)) {
                Ok(meta) => drop(here.insert(uuid.clone(), meta.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(here)
    }

    /// Fetches an event. One that is not there or is none is passed over: the import says that it is missing.
    fn fetch(
        &self,
        client: &Client,
        feed: &str,
        uuid: &str,
        changed: &str,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), FetchError> {
        let part = self.folder.join(PART);
        let written = |error: io::Error| FetchError::from(format!("{}: {error}", part.display()));
        match client.get(&format!("{feed}{uuid}.json"), None, &Validators::default(), &part, told) {
            Ok(Fetched::New(_)) => {}
            Ok(Fetched::NotModified) => return Ok(()),
            Err(FetchError { status: Some(StatusCode::NOT_FOUND | StatusCode::GONE), .. }) => {
                tracing::warn!(uuid, "the feed names an event that it does not have");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if let Err(problem) = is_event(&part, uuid) {
            tracing::warn!(uuid, problem, "the feed has something else in the place of an event");
            return Ok(());
        }
        // Under its name it is whole, also after a power cut.
        File::open(&part).and_then(|file| file.sync_all()).map_err(written)?;
        fs::rename(&part, self.path(uuid, changed)).map_err(written)
    }

    /// Removes what the feed no longer has.
    fn forget_others(&self, wanted: &Events) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let event = name.strip_suffix(".json").and_then(|name| name.split_once('.'));
            let is_wanted =
                event.is_some_and(|(uuid, changed)| wanted.get(uuid).is_some_and(|at| at == changed));
            if !is_wanted && name != MANIFEST {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Whether a file is the event of this uuid: a page that says to log in would else be kept in its place.
fn is_event(path: &Path, uuid: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document {
        event: Event,
    }
    #[derive(Deserialize)]
    struct Event {
        uuid: String,
    }
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let document: Document = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    match document.event.uuid.eq_ignore_ascii_case(uuid) {
        true => Ok(()),
        false => Err("it has another uuid".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "5bf30242-8ef4-4c52-a2d7-0b7b0a016219";

    #[test]
    fn manifests_name_nothing_but_events() {
        let read = |uuid: &str, timestamp: &str| {
            read_manifest(format!("{{{uuid:?}: {{\"info\": \"x\", \"timestamp\": {timestamp}}}}}").as_bytes())
        };
        let is_read = |result: Result<Events, String>| result.unwrap().get(UUID).cloned();
        assert_eq!(is_read(read(UUID, "\"1542651453\"")).as_deref(), Some("1542651453"));
        assert_eq!(is_read(read(&UUID.to_uppercase(), "1542651453")).as_deref(), Some("1542651453"));
        for (uuid, timestamp) in [
            ("../../etc/passwd", "1"),
            ("..", "1"),
            ("5bf30242-8ef4-4c52-a2d7-0b7b0a01621/", "1"),
            ("5bf302428ef4-4c52-a2d7-0b7b0a016219-", "1"),
            (UUID, "\"../1\""),
            (UUID, "\"\""),
            (UUID, "-1"),
            (UUID, "1.5"),
            (UUID, "null"),
        ] {
            assert!(read(uuid, timestamp).is_err(), "{uuid} {timestamp}");
        }
        assert!(read_manifest(b"<html>").unwrap_err().contains("check that the location"));
        assert!(read_manifest(b"{}").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_a_manifest_names_is_a_file_of_the_mirror(
            events in proptest::collection::btree_map("[0-9a-fA-F./\\\\-]{0,40}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "[0-9./-]{0,12}|[0-9]{1,15}", 0..4)
        ) {
            let entry = |(uuid, at): (&String, &String)| (uuid.clone(), serde_json::json!({"timestamp": at}));
            let text = serde_json::to_vec(&events.iter().map(entry).collect::<BTreeMap<_, _>>()).unwrap();
            let mirror = Mirror { folder: PathBuf::from("/mirror") };
            for (uuid, changed) in read_manifest(&text).unwrap_or_default() {
                let path = mirror.path(&uuid, &changed);
                prop_assert_eq!(path.parent(), Some(Path::new("/mirror")));
                prop_assert_eq!(path.extension().and_then(|end| end.to_str()), Some("json"));
            }
        }
    }

    #[test]
    fn the_same_events_are_the_same_manifest() {
        let one = br#"{"5bf30242-8ef4-4c52-a2d7-0b7b0a016219":{"timestamp":"1","info":"a"}}"#;
        let two = br#"{"5BF30242-8ef4-4c52-a2d7-0b7b0a016219":{"date":"x","timestamp":1}}"#;
        assert_eq!(
            write_manifest(&read_manifest(one).unwrap()),
            write_manifest(&read_manifest(two).unwrap())
        );
    }
}
