//! The parts of the key space that a question is answered from, in the order of keys.

use std::collections::{BTreeMap, BTreeSet};

use super::Paging;
use super::cursor::Position;
use super::query::{Query, Text};
use crate::fact::Certificate;
use crate::indicator::{Asn, FileHash, Indicator, Prefix};
use crate::lookup::LookupError;
use crate::network;
use crate::store::hot::Kind;
use crate::store::walk::{Head, Range, Walk, Walked};
use crate::store::{Hit, ObjectKey, StoreError, Table, View};

/// The most registrable names of one label.
const LABEL_NAMES_MAX: usize = 10_000;
/// The most networks of an autonomous system.
const NETWORKS_MAX: usize = 20_000;
/// Candidates that are found at a time.
const AT_ONCE: usize = 1_000;

/// A part of the key space, and what of it is a candidate.
#[derive(Debug)]
pub(super) enum Leg {
    /// Objects of a range, and why they are found.
    Objects(Range, String),
    /// Objects that are known by now, each with why it is found.
    Given(BTreeMap<ObjectKey, String>),
    /// What the tables of terms lead to.
    Terms(Range, &'static [Table]),
    /// Listings of a source.
    Listings(u16),
    /// Reports.
    Reports(Wanted),
}

/// Which reports are wanted.
#[derive(Debug)]
pub(super) enum Wanted {
    /// With all these words, in lower case.
    Words(Vec<String>),
    /// With this tag, in lower case.
    Tag(String),
}

/// The legs of a question, and what is left out.
pub(super) fn of(view: &View, query: &Query) -> Result<(Vec<Leg>, Vec<String>), LookupError> {
    let mut left_out = Vec::new();
    let legs = match query {
        Query::Below(name) => vec![Leg::Objects(Range::below(name.as_str()), format!("below {name}"))],
        Query::Label(label) => vec![labelled(view, label, &mut left_out)?],
        Query::Addresses(range) => {
            let why = format!("in {}", network::text(range));
            vec![
                Leg::Objects(Range::addresses(range), why.clone()),
                Leg::Objects(Range::networks(range), why),
            ]
        }
        Query::System(asn) => system(view, *asn, &mut left_out)?,
        Query::Registrant(text) => vec![Leg::Terms(terms(text), &[Table::RegistrantOf])],
        Query::Email(text) => vec![Leg::Terms(terms(text), &[Table::EmailOf])],
        Query::NameServer(text) => vec![Leg::Terms(terms(text), &[Table::NameServerOf])],
        Query::FileName(text) => vec![Leg::Terms(terms(text), &[Table::FileNamed])],
        Query::Source(name) => vec![Leg::Listings(source(view, name)?)],
        Query::Report(words) => vec![Leg::Reports(Wanted::Words(words.clone()))],
        Query::Tag(tag) => vec![Leg::Reports(Wanted::Tag(tag.clone()))],
        Query::Certificate(digest) => vec![Leg::Given(certificate(view, digest, &mut left_out)?)],
        Query::Indicator(indicator) => itself(view, indicator, &mut left_out)?,
        Query::Words(words, text) => vec![
            Leg::Reports(Wanted::Words(words.clone())),
            Leg::Terms(terms(text), &[Table::FileNamed, Table::RegistrantOf]),
        ],
    };
    Ok((legs, left_out))
}

fn terms(text: &Text) -> Range {
    match text {
        Text::Whole(text) => Range::object(&ObjectKey::term(text)),
        Text::Beginning(text) => Range::terms(text),
    }
}

fn labelled(view: &View, label: &str, left_out: &mut Vec<String>) -> Result<Leg, StoreError> {
    let names = view.names_with_label(label, LABEL_NAMES_MAX)?;
    if names.len() == LABEL_NAMES_MAX {
        left_out.push(format!("names beyond the first {LABEL_NAMES_MAX} of the label"));
    }
    let why = format!("label {label}");
    Ok(Leg::Given(names.iter().map(|name| (ObjectKey::domain(name), why.clone())).collect()))
}

/// The addresses that a system announces, then its networks.
fn system(view: &View, asn: Asn, left_out: &mut Vec<String>) -> Result<Vec<Leg>, StoreError> {
    let ranges = view.ranges_of_system(asn.0, NETWORKS_MAX)?;
    if ranges.is_cut {
        left_out.push(format!("networks beyond the first {NETWORKS_MAX} of an import"));
    }
    let networks = ranges.distinct(|hit| hit.entry.kind == Kind::Network);
    let why = format!("announced by {asn}");
    let given = networks.iter().map(|network| (ObjectKey::network(network), why.clone())).collect();
    let mut parts: Vec<Range> = network::disjoint(networks).iter().map(Range::addresses).collect();
    parts.sort_by(|a, b| a.from.cmp(&b.from));
    let addresses = parts.into_iter().map(|range| Leg::Objects(range, why.clone()));
    Ok(addresses.chain([Leg::Given(given)]).collect())
}

/// The number of a source that the reader may see named.
fn source(view: &View, name: &str) -> Result<u16, LookupError> {
    let snapshot = view.snapshot();
    let known = (0..)
        .zip(&snapshot.manifest.sources)
        .find(|(id, known)| *known == name && !snapshot.is_restricted(*id));
    known.map(|(id, _)| id).ok_or_else(|| {
        LookupError::BadRequest(format!(
            "there is no source {name:?}: use a name as `zonelens batches` and the evidence of reports show it"
        ))
    })
}

/// The most statements on one certificate that are read.
const CERTIFICATE_NAMES_MAX: usize = 10_000;

/// The names and addresses that showed a certificate.
fn certificate(
    view: &View,
    digest: &str,
    left_out: &mut Vec<String>,
) -> Result<BTreeMap<ObjectKey, String>, StoreError> {
    let object = view.table(&ObjectKey::certificate(digest), Table::Certificate)?;
    let mut keys = BTreeSet::new();
    for statement in object.statements(Table::Certificate).filter(|one| one.is_current()) {
        let fact: Certificate = statement.fact()?;
        let names = fact.names.iter().chain(&fact.server_name);
        keys.extend(names.map(|name| ObjectKey::domain(name.as_str())));
        keys.extend(fact.address.map(ObjectKey::address));
        if keys.len() > CERTIFICATE_NAMES_MAX {
            left_out.push(format!("names and addresses beyond {CERTIFICATE_NAMES_MAX} of the certificate"));
            break;
        }
    }
    Ok(keys.into_iter().map(|key| (key, format!("certificate {digest}"))).collect())
}

/// An object as it was typed: what it is, and what is called so.
fn itself(view: &View, indicator: &Indicator, left_out: &mut Vec<String>) -> Result<Vec<Leg>, StoreError> {
    let mut given = BTreeMap::from([(ObjectKey::indicator(indicator), "is what was asked".to_owned())]);
    let mut named = None;
    match indicator {
        Indicator::Domain(name) => {
            let range = Range::object(&ObjectKey::term(name.as_str()));
            named = Some(Leg::Terms(range, &[Table::FileNamed, Table::NameServerOf]));
        }
        Indicator::Address(address) => {
            let itself = Prefix::single(*address).range();
            let is_said = |hit: &Hit| matches!(hit.entry.kind, Kind::Network | Kind::Listing);
            for network in view.ranges_above(&itself)?.distinct(is_said) {
                given.insert(ObjectKey::network(&network), format!("holds {address}"));
            }
        }
        // A certificate is named by a digest as a file is.
        Indicator::File(hash @ (FileHash::Sha1(_) | FileHash::Sha256(_))) => {
            given.extend(certificate(view, &hash.to_string().to_lowercase(), left_out)?);
        }
        Indicator::Url(_) | Indicator::File(FileHash::Md5(_)) => {}
    }
    Ok([Leg::Given(given)].into_iter().chain(named).collect())
}

impl Leg {
    /// Goes through the leg until the page is full.
    pub(super) fn walk(&self, page: &mut Paging<'_>) -> Result<(), StoreError> {
        match self {
            Leg::Given(keys) => {
                for (key, why) in keys {
                    if page.is_to_come(&key.0) {
                        let found = page.finder.object(key, why)?;
                        if !page.take(&key.0, found) {
                            return Ok(());
                        }
                    }
                }
                Ok(())
            }
            Leg::Objects(range, why) => page.objects(range, &[], None, |page, key| {
                let found = page.finder.object(&key, why)?;
                Ok(page.take(&key.0, found))
            }),
            Leg::Reports(wanted) => {
                page.objects(&Range::publications(), &[Table::Publication], None, |page, key| {
                    let found = page.finder.report(&key, wanted)?;
                    Ok(page.take(&key.0, found))
                })
            }
            Leg::Listings(source) => {
                page.objects(&Range::all(), &[Table::Listing], Some(*source), |page, key| {
                    for (row, found) in page.finder.listings(&key, *source)? {
                        if page.is_to_come(&row) && !page.take(&row, found) {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
            }
            Leg::Terms(range, tables) => page.terms(range, tables),
        }
    }
}

impl Paging<'_> {
    /// Calls `with` for the objects of a range that have rows of these tables, from where the page begins, until it says
    /// that no more are wanted.
    fn objects(
        &mut self,
        range: &Range,
        tables: &[Table],
        source: Option<u16>,
        mut with: impl FnMut(&mut Self, ObjectKey) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut range = range.clone();
        match &self.position {
            // What is in the middle of an object is told by the rows themselves.
            Some(position) if source.is_some() => {
                let len = crate::store::key::object_len(position.key()).unwrap_or(position.key().len());
                range.from = range.from.max(position.key()[..len].to_vec());
            }
            Some(Position::After(key)) => range = range.after(&ObjectKey(key.clone())),
            Some(Position::From(key)) => range.from = range.from.max(key.clone()),
            None => {}
        }
        while range.from < range.to {
            let walked = self.walked(&range, tables, Head::Object, source)?;
            let (is_end, stopped) = (walked.heads.len() < AT_ONCE, walked.stopped);
            for key in walked.heads.into_iter().map(ObjectKey) {
                range = range.after(&key);
                if !with(self, key)? {
                    return Ok(());
                }
            }
            match stopped {
                Some(at) => {
                    self.next = Some(Position::From(at));
                    return Ok(());
                }
                None if is_end => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    /// What terms lead to, from where the page begins.
    fn terms(&mut self, range: &Range, tables: &[Table]) -> Result<(), StoreError> {
        let mut range = range.clone();
        if let Some(position) = &self.position {
            range.from = range.from.max(position.key().to_vec());
        }
        while range.from < range.to {
            let walked = self.walked(&range, tables, Head::Row, None)?;
            let (is_end, stopped) = (walked.heads.len() < AT_ONCE, walked.stopped);
            for row in walked.heads {
                if self.is_to_come(&row) {
                    let found = self.finder.by_term(&row)?;
                    if !self.take(&row, found) {
                        return Ok(());
                    }
                }
                // After the row of every source.
                range.from = [&row[..], &[u8::MAX; 3]].concat();
            }
            match stopped {
                Some(at) => {
                    self.next = Some(Position::From(at));
                    return Ok(());
                }
                None if is_end => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    fn walked(
        &mut self,
        range: &Range,
        tables: &[Table],
        head: Head,
        source: Option<u16>,
    ) -> Result<Walked, StoreError> {
        if self.rows == 0 {
            return Ok(Walked { stopped: Some(range.from.clone()), ..Walked::default() });
        }
        let walked =
            self.view.walk(&Walk { range, tables, head, max: AT_ONCE, rows_max: self.rows, source })?;
        self.rows = self.rows.saturating_sub(walked.rows);
        Ok(walked)
    }
}
