//! `stix`: STIX 2.1 bundles (2.0 as well), TAXII envelopes, or an object a line.
//!
//! Standard: <https://docs.oasis-open.org/cti/stix/v2.1/stix-v2.1.html>.
//!
//! | object | facts |
//! |---|---|
//! | `indicator` | a listing of each thing that its [pattern](pattern) names; of the type `benign` a benign entry; revoked: a listing that ended then |
//! | `report`, `grouping` | a publication, and a mention of each thing that it refers to |
//! | `observed-data` | resolutions, and the traits of files |
//! | `sighting` | who saw what |
//! | `malware`, `threat-actor`, `intrusion-set`, `campaign`, `identity`, `location` | names in the above |
//! | `relationship` | of `indicates`: what an indicator indicates gives its category and its reference |
//!
//! Other types are context and yield nothing; objects of types that STIX does not have are rejected as `type`. The
//! traffic light of what is marked is that of the batch; it stands among a publication's tags, too.
//!
//! Objects refer to each other in any order and across the files of a batch, so what is used of them is kept until the
//! end. That is bounded: beyond [`HELD_BYTES_MAX`] of content what there is is given out, and references from
//! then on do not reach it.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use self::object::{Object, ROLES, Role, Says};
use self::pattern::Found;
use super::json_values::{JsonValues, VALUE_BYTES_MAX, first_keys};
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{FileVerdict, Publication, Seen};
use crate::value::{Category, Timestamp};

mod emit;
mod object;
mod pattern;
mod tables;

pub(super) const FORMAT: Format = Format {
    name: "stix",
    title: "STIX 2.1 and 2.0: bundles, TAXII envelopes, or an object a line",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(Batch::default()),
};

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    let has = |key| keys.contains(&key);
    (has("objects") && (sample.contains("\"bundle\"") || sample.contains("\"spec_version\"")))
        || (has("type") && has("id") && has("spec_version"))
}

/// How much content is kept until its references can be followed.
const HELD_BYTES_MAX: usize = 256 << 20;

/// What an object costs beside its content.
const OBJECT_BYTES: usize = 400;

/// How many sectors of an identity are kept.
const SECTORS_MAX: usize = 20;

/// The types of STIX that yield nothing themselves.
const CONTEXT: &[&str] = &[
    "bundle",
    "attack-pattern",
    "course-of-action",
    "incident",
    "infrastructure",
    "malware-analysis",
    "note",
    "opinion",
    "tool",
    "vulnerability",
    "marking-definition",
    "extension-definition",
    "language-content",
    "artifact",
    "autonomous-system",
    "directory",
    "email-addr",
    "email-message",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// What is kept of an object.
enum What {
    Indicator(Box<Says>),
    Report(Box<Publication>, Vec<Box<str>>),
    Observed(Option<Seen>, Vec<Box<str>>),
    Sighting(Box<Sighted>),
    /// Something observable, what it resolves to, and what is known of a file.
    Thing(Box<(Found, Vec<Box<str>>, Option<FileVerdict>)>),
    /// A name, what it is, and of malware what it does; of an identity its sectors too.
    Named(Role, String, Option<Category>, Vec<String>),
}

/// A sighting.
struct Sighted {
    of: Vec<Box<str>>,
    /// Those who saw it, else who says so.
    by: Vec<Box<str>>,
    at: Option<Timestamp>,
}

/// An object and where it stands.
struct Held {
    id: Box<str>,
    file: Rc<str>,
    line: u64,
    modified: Option<Timestamp>,
    what: What,
}

/// The objects of a batch.
#[derive(Default)]
struct Batch {
    held: Vec<Held>,
    by_id: HashMap<Box<str>, usize>,
    /// What an indicator indicates.
    indicates: HashMap<Box<str>, Vec<Box<str>>>,
    bytes: usize,
    /// How many references within what is referred to were followed.
    followed: Cell<usize>,
}

fn refs<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Box<str>> {
    texts.into_iter().map(Box::from).collect()
}

impl Batch {
    /// Keeps what is used of an object.
    fn object(&mut self, file: &Rc<str>, line: u64, value: &[u8], out: &mut Emit<'_>) -> io::Result<()> {
        if value.first() != Some(&b'{') {
            return out.reject(line, "json", "it is no object", value);
        }
        let object = match serde_json::from_slice::<Object>(value) {
            Ok(object) => object,
            Err(error) => return out.reject(line, "json", error.to_string(), value),
        };
        for light in object.lights().filter_map(|light| light.parse().ok()) {
            out.mark(light)?;
        }
        if object.kind() == "relationship" {
            let ends = (object.relationship_type.get(), object.source_ref.get(), object.target_ref.get());
            if let (Some("indicates"), Some(source), Some(target)) = ends {
                self.indicates.entry(source.into()).or_default().push(target.into());
            }
            return Ok(());
        }
        if CONTEXT.contains(&object.kind()) {
            return Ok(());
        }
        let Some(id) = object.id.get() else {
            return out.reject(line, "id", "an object without its id cannot be referred to", value);
        };
        let Some(what) = self.what(&object, id, file, line, value, out)? else { return Ok(()) };
        self.keep(Held { id: id.into(), file: file.clone(), line, modified: object.modified(), what }, out)
    }

    fn what(
        &mut self,
        object: &Object,
        id: &str,
        file: &Rc<str>,
        line: u64,
        value: &[u8],
        out: &mut Emit<'_>,
    ) -> io::Result<Option<What>> {
        if let Some((_, role)) = ROLES.iter().find(|(kind, _)| *kind == object.kind()) {
            let category = object.malware_types.iter().chain(object.labels.iter());
            let category = category.filter_map(|word| tables::category_of(word).ok().flatten()).next();
            let place = [&object.country, &object.region].into_iter().find_map(|text| text.get());
            let name = object.name().or_else(|| place.map(str::to_owned)).unwrap_or_default();
            let sectors = object.sectors.iter().take(SECTORS_MAX).map(str::to_owned).collect();
            return Ok(Some(What::Named(*role, name, category, sectors)));
        }
        Ok(match object.kind() {
            "indicator" => {
                let language = object.pattern_type.get().unwrap_or("stix");
                if language != "stix" {
                    let detail = format!("a pattern in the language {language:.40} is not read");
                    out.reject(line, "pattern", detail, value)?;
                    return Ok(None);
                }
                let (found, fault) = pattern::read(object.pattern.get().unwrap_or_default());
                if let Some((reason, detail)) = fault {
                    out.reject(line, reason, detail, value)?;
                }
                Some(What::Indicator(Box::new(object.says(found))))
            }
            "report" | "grouping" => {
                Some(What::Report(Box::new(object.publication(id)), refs(object.object_refs.iter())))
            }
            "observed-data" => Some(self.observed(object, id, file, line, out)?),
            "sighting" if object.count.get() == Some("0") => {
                out.reject(line, "count", "it was looked for and not seen", value)?;
                None
            }
            "sighting" => {
                let of = object.sighting_of_ref.get().into_iter();
                let by = object.where_sighted_refs.iter().chain(object.created_by_ref.get());
                Some(What::Sighting(Box::new(Sighted {
                    of: refs(of.chain(object.observed_data_refs.iter())),
                    by: refs(by),
                    at: object::time(&object.last_seen).or(object.modified()),
                })))
            }
            _ => match Batch::thing(object, None, "") {
                Some(Ok(thing)) => Some(thing),
                Some(Err((reason, detail))) => {
                    out.reject(line, reason, detail, value)?;
                    None
                }
                None => {
                    out.reject(line, "type", format!("STIX has no type {:.40}", object.kind()), value)?;
                    None
                }
            },
        })
    }

    /// An observable; of STIX 2.0 the references in it are keys of what contains it.
    fn thing(
        object: &Object,
        at: Option<Timestamp>,
        within: &str,
    ) -> Option<Result<What, super::entry::Fault>> {
        let found = match object.observable()? {
            Ok(found) => found,
            Err(fault) => return Some(Err(fault)),
        };
        let resolves = object.resolves_to_refs.iter().map(|key| format!("{within}{key}").into()).collect();
        let traits = object.traits(&found, at);
        Some(Ok(What::Thing(Box::new((found, resolves, traits)))))
    }

    /// Keeps what is within an observation.
    fn observed(
        &mut self,
        object: &Object,
        id: &str,
        file: &Rc<str>,
        line: u64,
        out: &mut Emit<'_>,
    ) -> io::Result<What> {
        let seen = object.seen();
        let mut all = refs(object.object_refs.iter());
        let within = format!("{id}/");
        for (key, inner) in &object.objects.0 {
            match Batch::thing(inner, seen.map(|seen| seen.last), &within) {
                Some(Ok(what)) => {
                    let id: Box<str> = format!("{within}{key}").into();
                    all.push(id.clone());
                    self.keep(Held { id, file: file.clone(), line, modified: object.modified(), what }, out)?;
                }
                Some(Err((reason, detail))) => out.reject(line, reason, detail, key.as_bytes())?,
                None => {}
            }
        }
        Ok(What::Observed(seen, all))
    }

    /// Keeps an object; of several versions the newest.
    fn keep(&mut self, held: Held, out: &mut Emit<'_>) -> io::Result<()> {
        let Some(at) = self.by_id.get(&held.id).copied() else {
            self.by_id.insert(held.id.clone(), self.held.len());
            self.held.push(held);
            return Ok(());
        };
        if held.modified == self.held[at].modified {
            return Ok(());
        }
        let older = if held.modified > self.held[at].modified {
            std::mem::replace(&mut self.held[at], held)
        } else {
            held
        };
        let detail = format!("{} is in the batch in a newer version", older.id);
        out.reject(older.line, "version", detail, older.id.as_bytes())
    }
}

impl Parse for Batch {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let file: Rc<str> = input.name.into();
        let mut values = JsonValues::of_lists(input.reader, |key| key == "objects", VALUE_BYTES_MAX);
        while let Some((line, value)) = values.next(out)? {
            self.bytes += value.len() + OBJECT_BYTES;
            self.object(&file, line, value, out)?;
            if self.bytes > HELD_BYTES_MAX {
                let detail = "too much stands before it: references from here on do not reach back";
                out.reject(line, "too much", detail, b"")?;
                self.release(out)?;
                out.set_file(&file);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        self.release(out)
    }
}
