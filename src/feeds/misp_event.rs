//! MISP events: an intelligence report and its indicators, in MISP's own JSON.
//!
//! Written by every MISP and by its OSINT feeds, <https://www.misp-project.org/feeds/>; format:
//! draft-dulaunoy-misp-core-format. `{"Event":{…}}`, `{"response":[{"Event":{…}},…]}` as an instance answers, an array
//! or a line each; an event without `Event` around it too. A folder of a feed as a whole: events that its `manifest.json`
//! names and that are not there are rejected as `missing`; `hashes.csv` says nothing new and is passed over.
//!
//! An event gives a [`Publication`] by its `uuid`. Each attribute that is an indicator, in the event or in an object of
//! it, gives a [`Mention`]; with `to_ids` also a [`Listing`]. What is `deleted` gives nothing.
//!
//! | attribute | listed as |
//! |---|---|
//! | `domain`, `onion-address`, the first of `domain\|ip` | the name and all below: MISP's own rules for sensors match so |
//! | `hostname`, `hostname\|port` | that host |
//! | `ip-src`, `ip-dst`, with `\|port` too, the second of `domain\|ip` | that host; a network where there is a `/` |
//! | `url`, `uri` | that web address |
//! | `md5`, `sha1`, `sha256`, each also after `filename\|`; `malware-sample` | that file |
//!
//! The hashes, names, size and kind of a `file` object belong to one file. `domain|ip` with a time seen is a
//! [`Resolution`] as well. Sightings of an attribute: seen, a [`Sighting`]; false positive, a [`FalsePositive`];
//! expiration, the `until` of the listing. Types that only describe ([`tables::CONTEXT`]) are passed over, others are
//! rejected as `type`.

use std::io;
use std::net::IpAddr;

use self::document::{Attribute, Event, Object, SightingRecord, seen, time};
use self::manifest::{HASHES, MANIFEST, Manifest};
use self::reading::{Found, read_value};
use self::tables::{CONTEXT, Part, add, parts_of, report_type, sort_tags};
use super::json_values::{JsonValues, VALUE_BYTES_MAX, first_keys};
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{
    Fact, FalsePositive, FileVerdict, Listed, Listing, Mention, Publication, Rdata, RecordType, Resolution,
    Seen, Sighting,
};
use crate::indicator::{DomainName, FileHash, FileHashes, Indicator, parse_address};

mod document;
mod manifest;
mod reading;
mod tables;

pub(super) use tables::tag_category as word_category;

pub(super) const FORMAT: Format = Format {
    name: "misp-event",
    title: "MISP events with their attributes (JSON)",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(Batch::default()),
};

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    let has = |key| keys.contains(&key);
    has("Event")
        || (has("response") && sample.contains("\"Event\""))
        || (has("info") && (has("Attribute") || has("Object") || has("threat_level_id")))
}

/// The files of a batch; of a feed its manifest among them.
#[derive(Default)]
struct Batch {
    manifest: Manifest,
}

impl Parse for Batch {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        match input.name.rsplit('/').next() {
            Some(MANIFEST) => self.manifest.read(input, out),
            Some(HASHES) => Ok(()), // The same values as in the events, as digests.
            _ => events(&mut self.manifest, input, out),
        }
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        self.manifest.finish(out)
    }
}

fn events(manifest: &mut Manifest, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::new(input.reader, Some("response"), VALUE_BYTES_MAX);
    while let Some((line, value)) = values.next(out)? {
        let event = match serde_json::from_slice::<Event>(value) {
            Ok(mut document) => document.inner.0.pop().unwrap_or(document),
            Err(error) => {
                out.reject(line, "json", error.to_string(), value)?;
                continue;
            }
        };
        event.uuid.get().into_iter().for_each(|uuid| manifest.saw(uuid));
        match event.uuid.get() {
            Some(uuid) => Report { uuid, event: &event, tags: event.tag_names(), line }.emit(out)?,
            None => out.reject(line, "uuid", "an event without its uuid cannot be referred to", value)?,
        }
    }
    Ok(())
}

/// An event whose facts are given out.
struct Report<'e> {
    uuid: &'e str,
    event: &'e Event,
    tags: Vec<&'e str>,
    line: u64,
}

impl Report<'_> {
    fn emit(&self, out: &mut Emit<'_>) -> io::Result<()> {
        let attributes =
            self.event.attributes.iter().chain(self.event.live_objects().flat_map(|one| one.live()));
        let tags = attributes.flat_map(|attribute| attribute.tags.iter()).filter_map(|tag| tag.name.get());
        for tag in tags.chain(self.tags.iter().copied()) {
            if tag.get(..4).is_some_and(|taxonomy| taxonomy.eq_ignore_ascii_case("tlp:"))
                && let Ok(tlp) = tag.parse()
            {
                out.mark(tlp)?;
            }
        }
        out.fact(self.line, Fact::Publication(self.publication()))?;
        for attribute in self.event.attributes.iter().filter(|attribute| !attribute.deleted.is_true()) {
            self.attribute(attribute, out)?;
        }
        for object in self.event.live_objects() {
            match object.name.get().unwrap_or_default() {
                "file" => self.file_object(object, out)?,
                "domain-ip" => self.domain_ip_object(object, out)?,
                name => {
                    for attribute in object.live() {
                        self.attribute_of(name, attribute, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn publication(&self) -> Publication {
        let event = self.event;
        let mut publication = Publication {
            id: self.uuid.to_owned(),
            report_type: report_type(&self.tags),
            title: event.info.get().unwrap_or(self.uuid).to_owned(),
            published: time(&event.date).or_else(|| time(&event.publish_timestamp)),
            updated: time(&event.timestamp),
            description: None,
            url: None,
            tags: Vec::new(),
            industries: Vec::new(),
            geography: Vec::new(),
            actors: Vec::new(),
        };
        sort_tags(&self.tags, &mut publication);
        for attribute in event.live() {
            match attribute.kind() {
                "threat-actor" => add(&mut publication.actors, attribute.text()),
                "target-location" => add(&mut publication.geography, attribute.text()),
                _ => {}
            }
        }
        publication
    }

    /// An attribute of an object of this name.
    fn attribute_of(&self, object: &str, attribute: &Attribute, out: &mut Emit<'_>) -> io::Result<()> {
        // The hashes of a section are not those of a file.
        if object.ends_with("-section") && parts_of(attribute.kind()) == Some(&[Part::Hash]) {
            let detail = format!("the {} of a {object} is not that of a file", attribute.kind());
            return out.reject(self.line, "type", detail, attribute.text().as_bytes());
        }
        self.attribute(attribute, out)
    }

    fn attribute(&self, attribute: &Attribute, out: &mut Emit<'_>) -> io::Result<()> {
        let (kind, text) = (attribute.kind(), attribute.text());
        if CONTEXT.contains(&kind) {
            return Ok(());
        }
        let Some(parts) = parts_of(kind) else {
            let detail = format!("no fact is made of attributes of type {kind:?}");
            return out.reject(self.line, "type", detail, text.as_bytes());
        };
        let reading = match read_value(parts, text) {
            Ok(reading) => reading,
            Err((reason, detail)) => return out.reject(self.line, reason, detail, text.as_bytes()),
        };
        if !attribute.to_ids.is_true() && reading.found.iter().all(|found| found.indicator.is_none()) {
            let detail = "a network without to_ids is neither listed nor can it be mentioned";
            return out.reject(self.line, "kind", detail, text.as_bytes());
        }
        if let [Found { indicator: Some(Indicator::Domain(name)), .. }, Found { indicator, .. }] =
            &reading.found[..]
            && let (Some(Indicator::Address(address)), Some(seen)) =
                (indicator, seen(time(&attribute.first_seen), time(&attribute.last_seen)))
        {
            out.fact(self.line, resolution(name, *address, seen))?;
        }
        for Found { indicator, what } in reading.found {
            if let (Some(name), Listed::File { file }) = (&reading.file_name, &what) {
                let verdict =
                    FileVerdict { file: *file, names: vec![name.clone()], ..FileVerdict::default() };
                out.fact(self.line, Fact::FileVerdict(verdict))?;
            }
            if let Some(indicator) = indicator {
                self.mention(attribute, indicator, out)?;
            }
            if attribute.to_ids.is_true() {
                let listing = attribute.listing(what, &self.tags, self.reference());
                out.fact(self.line, Fact::Listing(listing))?;
            }
        }
        Ok(())
    }

    /// The mention of an indicator, and who saw it.
    fn mention(&self, attribute: &Attribute, indicator: Indicator, out: &mut Emit<'_>) -> io::Result<()> {
        let publication = self.uuid.to_owned();
        out.fact(self.line, Fact::Mention(Mention { publication, indicator: indicator.clone() }))?;
        for sighting in attribute.sightings.iter() {
            let (indicator, by) = (indicator.clone(), self.sighter(sighting));
            let observed = time(&sighting.date_sighting);
            match sighting.sighting_type.get().unwrap_or("0") {
                "0" => out.fact(self.line, Fact::Sighting(Sighting { indicator, by, observed }))?,
                "1" => {
                    let reason = format!("sighted as a false positive in event {}", self.reference());
                    out.fact(
                        self.line,
                        Fact::FalsePositive(FalsePositive { indicator, by, reason, observed }),
                    )?;
                }
                // An expiration: the end of the listing.
                "2" => {}
                other => {
                    let detail = format!("sightings are of type 0, 1 or 2, not {other:?}");
                    out.reject(self.line, "type", detail, attribute.text().as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Who saw it: an organisation, a sensor, else whose event it is.
    fn sighter(&self, sighting: &SightingRecord) -> String {
        let organisation = sighting.organisation.first().and_then(|organisation| organisation.name.get());
        let creator = self.event.creator.first().and_then(|creator| creator.name.get());
        organisation.or(sighting.source.get()).or(creator).unwrap_or("MISP").to_owned()
    }

    fn reference(&self) -> String {
        match self.event.info.get() {
            Some(info) => format!("{} {info}", self.uuid),
            None => self.uuid.to_owned(),
        }
    }

    /// An object whose attributes describe one file.
    fn file_object(&self, object: &Object, out: &mut Emit<'_>) -> io::Result<()> {
        let mut verdict = FileVerdict::default();
        let mut listing: Option<Listing> = None;
        let mut names = Vec::new();
        for attribute in object.live() {
            match (attribute.kind(), FileHash::parse(attribute.text())) {
                ("md5" | "sha1" | "sha256", Ok(hash)) if fits(&verdict.file, hash) => {
                    verdict.file.set(hash);
                    self.mention(attribute, Indicator::File(hash), out)?;
                    if attribute.to_ids.is_true() {
                        let what = Listed::File { file: FileHashes::default() };
                        let other = attribute.listing(what, &self.tags, self.reference());
                        listing = Some(listing.map_or(other.clone(), |listing| joined(listing, other)));
                    }
                }
                ("filename", _) => names.push(attribute),
                ("size-in-bytes", _) => verdict.size = attribute.text().parse().ok().or(verdict.size),
                ("mime-type", _) => verdict.file_type = attribute.value.get().map(str::to_owned),
                _ => self.attribute(attribute, out)?,
            }
        }
        if verdict.file.is_empty() {
            return names.into_iter().try_for_each(|attribute| self.attribute(attribute, out));
        }
        names.iter().for_each(|attribute| add(&mut verdict.names, attribute.text()));
        if let Some(listing) = listing {
            let what = Listed::File { file: verdict.file };
            out.fact(self.line, Fact::Listing(Listing { what, ..listing }))?;
        }
        if verdict != (FileVerdict { file: verdict.file, ..FileVerdict::default() })
            || verdict.file.iter().count() > 1
        {
            out.fact(self.line, Fact::FileVerdict(verdict))?;
        }
        Ok(())
    }

    /// An object that says which names resolved to which addresses, and perhaps when.
    fn domain_ip_object(&self, object: &Object, out: &mut Emit<'_>) -> io::Result<()> {
        for attribute in object.live() {
            self.attribute(attribute, out)?;
        }
        let Some(seen) = object.seen() else { return Ok(()) };
        let of_type = |kinds: &'static [&'static str]| {
            object
                .live()
                .filter(|attribute| kinds.contains(&attribute.kind()))
                .map(Attribute::text)
                .take(PAIRS_MAX)
        };
        for name in of_type(&["domain", "hostname"]).filter_map(|text| DomainName::parse(text).ok()) {
            for address in of_type(&["ip-dst", "ip-src"]).filter_map(|text| parse_address(text).ok()) {
                out.fact(self.line, resolution(&name, address, seen))?;
            }
        }
        Ok(())
    }
}

/// The most names, and the most addresses, of one object that are taken as resolving to each other.
const PAIRS_MAX: usize = 16;

fn resolution(name: &DomainName, address: IpAddr, seen: Seen) -> Fact {
    let rrtype = if address.is_ipv4() { RecordType::A } else { RecordType::AAAA };
    let (rrname, rdata) = (name.clone(), Rdata::Address(address));
    Fact::Resolution(Resolution { rrname, rrtype, rdata, via: Vec::new(), seen })
}

/// Whether a file can have this hash beside those.
fn fits(file: &FileHashes, hash: FileHash) -> bool {
    let mut with = *file;
    with.set(hash);
    file.iter().all(|known| with.iter().any(|other| other == known))
}

/// Two listings of one file.
fn joined(one: Listing, other: Listing) -> Listing {
    Listing {
        first: one.first.min(other.first).or(one.first).or(other.first),
        last: one.last.max(other.last),
        until: one.until.max(other.until),
        ..one
    }
}
