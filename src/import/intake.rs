//! Takes what a parser yields: facts through the door to the store, the rest to the rejects.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;

use super::content::{Content, Failure};
use super::door::{self, Door, Rejects};
use super::{ImportError, Phase, Step, unwritable_text};
use crate::fact::Fact;
use crate::feeds::{self, Emit, Format, Input, Item, Parse};
use crate::store::kept_out::KeptOut;
use crate::store::{BatchWriter, Store};
use crate::value::Tlp;

/// Records between two reports of progress.
const STEP_RECORDS: u64 = 8192;

/// One import at work.
pub(super) struct Intake<'a> {
    store: &'a Store,
    pub(super) writer: BatchWriter<'a>,
    door: Door,
    pub(super) rejects: Rejects,
    file: String,
    /// Facts and rejected records so far.
    pub(super) records: u64,
    /// The strictest mark of its content.
    pub(super) tlp: Tlp,
    failed: Option<ImportError>,
    contacts: bool,
    kept_out: KeptOut,
    /// Facts that are not kept, by why.
    pub(super) not_kept: BTreeMap<&'static str, u64>,
    /// A part of a file whose beginning was understood.
    pub(super) is_part: bool,
}

impl<'a> Intake<'a> {
    /// Nothing read yet.
    pub(super) fn new(store: &'a Store, writer: BatchWriter<'a>, door: Door, rejects: Rejects) -> Intake<'a> {
        Intake {
            store,
            writer,
            door,
            rejects,
            file: String::new(),
            records: 0,
            tlp: Tlp::Clear,
            failed: None,
            contacts: true,
            kept_out: KeptOut::default(),
            not_kept: BTreeMap::new(),
            is_part: false,
        }
    }

    /// Says what is kept: contacts or not, and nothing that is kept out.
    pub(super) fn keeps(&mut self, contacts: bool, kept_out: KeptOut) {
        (self.contacts, self.kept_out) = (contacts, kept_out);
    }

    /// Why a fact that is understood is not kept.
    fn withheld(&self, fact: &Fact) -> io::Result<Option<&'static str>> {
        if !self.contacts && matches!(fact, Fact::Contact(_)) {
            return Ok(Some("contact"));
        }
        if self.kept_out.is_empty() {
            return Ok(None);
        }
        if matches!(fact, Fact::Contact(contact) if self.kept_out.has_client(&contact.client)) {
            return Ok(Some("forgotten"));
        }
        Ok(self.kept_out.is_named_in(&serde_json::to_string(fact)?).then_some("forgotten"))
    }

    /// Reads all content and returns its digest.
    pub(super) fn read(
        &mut self,
        format: &Format,
        mut parser: Box<dyn Parse>,
        content: &mut Content,
        progress: &mut dyn FnMut(Step),
    ) -> Result<String, ImportError> {
        let (read, bytes_total) = (content.read.clone(), content.bytes);
        let mut tell = |records| {
            let bytes = read.load(Ordering::Relaxed);
            progress(Step { phase: Phase::Reading, bytes, bytes_total, records });
        };
        tell(0);
        let digest = content.each(|name, reader| {
            name.clone_into(&mut self.file);
            let mut sink = |item| self.take(item, &mut tell);
            let mut out = Emit::new(&mut sink);
            out.set_file(name);
            parser.read(&mut Input { name, reader }, &mut out)
        });
        let digest = digest.and_then(|digest| {
            let mut sink = |item| self.take(item, &mut tell);
            parser.finish(&mut Emit::new(&mut sink)).map_err(Failure::Other)?;
            Ok(digest)
        });
        // Whatever the parser made of it: what stopped the sink comes first.
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let digest = digest.map_err(|failure| match failure {
            Failure::Input(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                ImportError::TooLarge(error.to_string())
            }
            Failure::Input(error) => ImportError::Input(error.to_string()),
            Failure::Other(error) => ImportError::Input(format!("{}: {error}", self.file)),
        })?;
        self.understood_something(format)?;
        Ok(digest)
    }

    /// Content of which no record was understood is of another format: as a whole state it would end all
    /// that the source lists.
    fn understood_something(&self, format: &Format) -> Result<(), ImportError> {
        if self.is_part || self.records == 0 || self.records > self.rejects.count {
            return Ok(());
        }
        let reasons = self.rejects.by_reason.iter();
        let reasons: Vec<String> = reasons.map(|(name, reason)| format!("{} {name}", reason.count)).collect();
        let example = self.rejects.by_reason.values().flat_map(|reason| &reason.examples).next();
        let example = example
            .map_or_else(String::new, |example| format!("; line {}: {}", example.line, example.detail));
        Err(ImportError::Input(format!(
            "no record was understood as {} (rejected: {}{example}): name the right --format",
            format.name,
            reasons.join(", ")
        )))
    }

    fn take(&mut self, item: Item, tell: &mut dyn FnMut(u64)) -> io::Result<()> {
        if let Item::Mark(tlp) = item {
            self.tlp = self.tlp.max(tlp);
            return Ok(());
        }
        self.records += 1;
        if self.records.is_multiple_of(STEP_RECORDS) {
            tell(self.records);
        }
        if let Item::Fact(fact, _) = &item
            && let Some(why) = self.withheld(fact)?
        {
            *self.not_kept.entry(why).or_default() += 1;
            return Ok(());
        }
        match item {
            Item::Fact(mut fact, line) => match self.door.refuses(&fact) {
                None => {
                    self.door.complete(&mut fact);
                    self.writer.push(fact).or_else(|error| {
                        let text = unwritable_text(self.store, &error);
                        self.stop(text)
                    })
                }
                Some((reason, detail)) => {
                    let rejected = door::rejected(&self.file, line, &fact, reason, detail);
                    self.reject(rejected)
                }
            },
            Item::Rejected(rejected) => self.reject(rejected),
            Item::Mark(_) => Ok(()),
        }
    }

    fn reject(&mut self, mut rejected: feeds::Rejected) -> io::Result<()> {
        if self.kept_out.is_named_in(&rejected.text) || self.kept_out.is_named_in(&rejected.detail) {
            rejected.text.clear();
            "it names what is kept out".clone_into(&mut rejected.detail);
        }
        self.rejects.push(rejected).or_else(|error| self.stop(error.to_string()))
    }

    /// Remembers why the import ends; the parser only passes on that it does.
    fn stop(&mut self, text: String) -> io::Result<()> {
        self.failed = Some(ImportError::Write(text));
        Err(io::Error::other("the import was stopped"))
    }
}
