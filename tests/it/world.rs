//! A store of its own for a test, fed with facts in the native form.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use zonelens::export;
use zonelens::fact::Fact;
use zonelens::feeds::State;
use zonelens::indicator::Indicator;
use zonelens::lookalikes;
use zonelens::lookup::{self, Context, Licence, LookupError, Request};
use zonelens::store::{Counts, NewBatch, Published, Reader, Store};
use zonelens::value::{Timestamp, Tlp};
use zonelens::verdict::Policy;

/// The moment of tests that name no other.
pub const NOW: &str = "2024-06-01T12:00:00Z";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub struct World {
    pub store: Store,
    pub policy: Policy,
    pub now: Timestamp,
    pub reader: Reader,
    batches: u32,
    _folder: Folder,
}

impl World {
    pub fn new() -> World {
        let folder = Folder::new();
        World {
            store: Store::open_or_create(&folder.0, 7).unwrap(),
            policy: Policy::built_in(),
            now: Timestamp::parse(NOW).unwrap(),
            reader: Reader::default(),
            batches: 0,
            _folder: folder,
        }
    }

    /// Imports facts of a source, one JSON object a line, observed and learnt at a moment.
    pub fn feed_at(&mut self, source: &str, state: State, at: &str, facts: &str) -> u64 {
        self.feed_marked(source, state, at, Tlp::Clear, facts)
    }

    /// The same of content that is marked.
    pub fn feed_marked(&mut self, source: &str, state: State, at: &str, tlp: Tlp, facts: &str) -> u64 {
        let at = Timestamp::parse(at).unwrap();
        self.batches += 1;
        let new = NewBatch {
            source: source.to_owned(),
            format: "native".to_owned(),
            observed: at,
            learnt: at,
            state,
            counts: Counts::Additive,
            identity: None,
        };
        let mut writer = self.store.begin(new, 1 << 20).unwrap();
        for line in facts.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let fact: Fact = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            writer.push(fact).unwrap();
        }
        match writer.publish(format!("{}", self.batches), 0, tlp).unwrap().0 {
            Published::New(seq) => seq,
            Published::Known(seq) => panic!("the content is batch {seq} already"),
        }
    }

    pub fn feed(&mut self, source: &str, facts: &str) -> u64 {
        self.feed_at(source, State::Events, "2024-05-31", facts)
    }

    pub fn context(&self) -> Context<'_> {
        self.store.refresh();
        Context {
            store: &self.store,
            policy: &self.policy,
            licence: Licence::default(),
            now: self.now,
            round_counts: false,
            reader: self.reader.clone(),
        }
    }

    pub fn ask(&self, indicator: &str, request: &Request) -> Result<Value, LookupError> {
        let indicator = Indicator::parse(indicator).unwrap();
        let report = lookup::report(&self.context(), &indicator, request)?;
        Ok(serde_json::from_slice(&report.json()).unwrap())
    }

    /// The report as a STIX bundle.
    pub fn bundle(&self, indicator: &str) -> Value {
        let indicator = Indicator::parse(indicator).unwrap();
        let bundle =
            export::one(&self.context(), &indicator, &Request::default(), export::Format::Stix).unwrap();
        serde_json::from_slice(&bundle).unwrap()
    }

    /// The names that imitate one, all techniques.
    pub fn similar(&self, name: &str) -> Vec<lookalikes::Row> {
        let wanted = lookalikes::Wanted::parse(None, None).unwrap();
        let name = lookalikes::domain(name).unwrap();
        lookalikes::lookalikes(&self.context(), &name, wanted).unwrap().rows
    }

    pub fn report(&self, indicator: &str) -> Value {
        self.ask(indicator, &Request::default()).unwrap()
    }
}
