//! The facts of the objects of a batch, once the references between them can be followed.

use std::collections::HashSet;
use std::io;
use std::mem;

use super::object::{Role, Says};
use super::pattern::Found;
use super::{Batch, Held, Sighted, What};
use crate::fact::{
    Fact, FileVerdict, Listed, Mention, Publication, Rdata, RecordType, ReportType, Resolution, Seen,
    Sighting,
};
use crate::feeds::Emit;
use crate::feeds::entry::{exception, listing};
use crate::indicator::Indicator;
use crate::value::{Category, Zone};

/// How much of a reference is kept.
const REFERENCE_CHARS: usize = 500;

/// How deep references to what contains references are followed: a sighting of an observation of a file.
const DEPTH_MAX: usize = 2;

/// How many references within what is referred to are followed in a batch: a few large observations that many reports
/// refer to could otherwise be gone through for ever.
const FOLLOWED_MAX: usize = 10_000_000;

/// How many names of a kind a report keeps, and how many things that an indicator indicates its listing names.
const NAMES_MAX: usize = 100;

/// Types that have an indicator, by the beginning of their identifiers: a report that refers to one misses it.
const INDICATORS: &[&str] =
    &["indicator--", "domain-name--", "ipv4-addr--", "ipv6-addr--", "url--", "file--", "observed-data--"];

impl Batch {
    /// Yields the facts of what is kept, and keeps nothing.
    pub(super) fn release(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        let batch = mem::take(self);
        let mut file = "";
        for held in &batch.held {
            if &*held.file != file {
                file = &held.file;
                out.set_file(file);
            }
            match &held.what {
                What::Indicator(says) => batch.indicator(held, says, out)?,
                What::Report(publication, refs) => batch.report(held, publication, refs, out)?,
                What::Observed(seen, refs) => batch.observed_data(held, *seen, refs, out)?,
                What::Sighting(sighted) => batch.sighting(held, sighted, out)?,
                What::Thing(thing) => {
                    if let Some(traits) = &thing.2 {
                        out.fact(held.line, Fact::FileVerdict(traits.clone()))?;
                    }
                }
                What::Named(..) => {}
            }
        }
        Ok(())
    }

    fn find(&self, id: &str) -> Option<&What> {
        self.by_id.get(id).map(|at| &self.held[*at].what)
    }

    /// The names that these references lead to.
    fn names<'b>(&'b self, refs: &'b [Box<str>]) -> impl Iterator<Item = (Role, &'b str, &'b What)> {
        refs.iter().filter_map(|id| match self.find(id)? {
            what @ What::Named(role, name, ..) if !name.is_empty() => Some((*role, name.as_str(), what)),
            _ => None,
        })
    }

    /// The things that these references lead to.
    fn things<'b>(&'b self, refs: &'b [Box<str>], depth: usize, into: &mut Vec<&'b Found>) {
        for what in refs.iter().filter_map(|id| self.find(id)) {
            match what {
                What::Indicator(says) => into.extend(&says.found),
                What::Thing(thing) => into.push(&thing.0),
                What::Observed(_, refs) if depth < DEPTH_MAX && self.followed.get() < FOLLOWED_MAX => {
                    self.followed.set(self.followed.get() + refs.len());
                    self.things(refs, depth + 1, into);
                }
                _ => {}
            }
        }
    }

    fn indicator(&self, held: &Held, says: &Says, out: &mut Emit<'_>) -> io::Result<()> {
        let targets = self.indicates.get(&held.id).map(Vec::as_slice).unwrap_or_default();
        let targets = &targets[..targets.len().min(NAMES_MAX)];
        let malware = self.names(targets).find(|(role, ..)| *role == Role::Malware).map(|(_, name, _)| name);
        let names = self.names(targets).map(|(_, name, _)| format!("indicates {name}"));
        let reference: Vec<String> = says.reference.iter().cloned().chain(names).collect();
        for found in &says.found {
            let mut listing = listing(found.what.clone());
            if says.is_benign {
                let mut benign = exception(listing.what);
                benign.reason = says.reference.first().cloned();
                benign.last = says.last;
                out.fact(held.line, Fact::Benign(benign))?;
                continue;
            }
            let is_file = matches!(found.what, Listed::File { .. });
            let (category, own_word) = self.category(says, targets, is_file);
            let words = reference.iter().map(String::as_str).chain(own_word);
            let text: String = words.collect::<Vec<_>>().join(", ").chars().take(REFERENCE_CHARS).collect();
            listing.category = category;
            listing.confidence = says.confidence;
            (listing.first, listing.last, listing.until) = (says.first, says.last, says.until);
            listing.reference = Some(text).filter(|text| !text.is_empty());
            out.fact(held.line, Fact::Listing(listing))?;
            if let Some(verdict) = verdict(says, found, malware) {
                out.fact(held.line, Fact::FileVerdict(verdict))?;
            }
        }
        Ok(())
    }

    /// The category of what an indicator lists, and the writer's own word where it is in no table: what it says itself,
    /// else what it indicates, else its type.
    fn category<'s>(
        &self,
        says: &'s Says,
        targets: &[Box<str>],
        is_file: bool,
    ) -> (Option<Category>, Option<&'s str>) {
        // A file is no server, and has no owner who lost it.
        let fits = |category: &Category| {
            !is_file || !matches!(*category, Category::BOTNET_CNC | Category::COMPROMISED)
        };
        let mut by_target = None;
        for (role, _, what) in self.names(targets) {
            let category = match (role, what) {
                (Role::Malware, What::Named(_, _, category, _)) => category.or(Some(Category::MALWARE)),
                (Role::Actor | Role::Campaign, _) => Some(Category::APT),
                _ => None,
            };
            by_target = by_target.filter(|known| *known != Category::MALWARE).or(category).or(by_target);
        }
        let known = says.specific.filter(fits).or(by_target.filter(fits));
        match (known, &says.by_type) {
            (Some(category), _) => (Some(category), None),
            (None, Some(Ok(category))) if fits(category) => (Some(*category), None),
            (None, Some(Err(word))) => (Some(Category::OTHER), Some(word)),
            (None, _) => (None, None),
        }
    }

    fn report(
        &self,
        held: &Held,
        publication: &Publication,
        refs: &[Box<str>],
        out: &mut Emit<'_>,
    ) -> io::Result<()> {
        let mut publication = publication.clone();
        for (role, name, what) in self.names(refs) {
            let texts = match role {
                Role::Actor => &mut publication.actors,
                Role::Place => &mut publication.geography,
                Role::Victim => &mut publication.industries,
                Role::Campaign | Role::Malware => &mut publication.tags,
            };
            match what {
                _ if texts.len() >= NAMES_MAX => {}
                What::Named(Role::Victim, _, _, sectors) => {
                    let new: Vec<&String> = sectors.iter().filter(|sector| !texts.contains(sector)).collect();
                    texts.extend(new.into_iter().cloned());
                }
                _ if texts.iter().any(|known| known == name) => {}
                _ => texts.push(name.to_owned()),
            }
        }
        if !publication.actors.is_empty() {
            publication.report_type = ReportType::Apt;
        }
        let id = publication.id.clone();
        out.fact(held.line, Fact::Publication(publication))?;
        let (mut things, mut said) = (Vec::new(), HashSet::new());
        self.things(refs, 0, &mut things);
        for indicator in things.into_iter().filter_map(|found| found.indicator.as_ref()) {
            if said.insert(indicator.tagged()) {
                let mention = Mention { publication: id.clone(), indicator: indicator.clone() };
                out.fact(held.line, Fact::Mention(mention))?;
            }
        }
        let is_indicator = |id: &str| INDICATORS.iter().any(|kind| id.starts_with(kind));
        let missing = refs.iter().filter(|id| is_indicator(id) && self.find(id).is_none()).count();
        if self.followed.get() >= FOLLOWED_MAX {
            let detail = format!("more than {FOLLOWED_MAX} references of references: no more are followed");
            out.reject(held.line, "too much", detail, id.as_bytes())?;
        }
        if missing > 0 {
            let detail =
                format!("{missing} indicators that it refers to are not in the batch, or say nothing");
            out.reject(held.line, "reference", detail, id.as_bytes())?;
        }
        Ok(())
    }

    /// What resolved to what; the traits of files are those of the things themselves.
    fn observed_data(
        &self,
        held: &Held,
        seen: Option<Seen>,
        refs: &[Box<str>],
        out: &mut Emit<'_>,
    ) -> io::Result<()> {
        let Some(seen) = seen else {
            return out.reject(held.line, "date", "it does not say when it was observed", held.id.as_bytes());
        };
        for what in refs.iter().filter_map(|id| self.find(id)) {
            let What::Thing(thing) = what else { continue };
            let (found, resolves, _) = &**thing;
            let Some(Indicator::Domain(name)) = &found.indicator else { continue };
            let mut ends = Vec::new();
            self.things(resolves, DEPTH_MAX, &mut ends);
            for end in ends.into_iter().filter_map(|found| found.indicator.as_ref()) {
                let (rrtype, rdata) = match end {
                    Indicator::Address(address) if address.is_ipv4() => {
                        (RecordType::A, Rdata::Address(*address))
                    }
                    Indicator::Address(address) => (RecordType::AAAA, Rdata::Address(*address)),
                    Indicator::Domain(alias) => (RecordType::CNAME, Rdata::Name(alias.clone())),
                    _ => continue,
                };
                let resolution = Resolution { rrname: name.clone(), rrtype, rdata, via: Vec::new(), seen };
                out.fact(held.line, Fact::Resolution(resolution))?;
            }
        }
        Ok(())
    }

    fn sighting(&self, held: &Held, sighted: &Sighted, out: &mut Emit<'_>) -> io::Result<()> {
        let by = self.names(&sighted.by).map(|(_, name, _)| name).next();
        let by = by.or(sighted.by.first().map(|id| &**id)).unwrap_or("unknown").to_owned();
        let (mut things, mut said) = (Vec::new(), HashSet::new());
        self.things(&sighted.of, 0, &mut things);
        for indicator in things.into_iter().filter_map(|found| found.indicator.clone()) {
            if said.insert(indicator.tagged()) {
                let sighting = Sighting { indicator, by: by.clone(), observed: sighted.at };
                out.fact(held.line, Fact::Sighting(sighting))?;
            }
        }
        if said.is_empty() {
            let detail = "what was seen is not in the batch, or is no indicator";
            return out.reject(held.line, "reference", detail, held.id.as_bytes());
        }
        Ok(())
    }
}

/// What is known of a file that is listed: the malware that it is, its names.
fn verdict(says: &Says, found: &Found, malware: Option<&str>) -> Option<FileVerdict> {
    let Listed::File { file } = found.what else { return None };
    let names = found.names.clone();
    if says.is_revoked || (malware.is_none() && names.is_empty()) {
        return None;
    }
    let detection_name = malware.map(str::to_owned);
    let zone = malware.map(|_| Zone::Red);
    Some(FileVerdict { file, zone, detection_name, names, observed: says.last, ..FileVerdict::default() })
}
