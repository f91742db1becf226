//! Neighbours, the most interesting first: by zone, then by hits.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Thing;
use crate::dossier::Common;
use crate::dossier::rows::{AddressRow, FileRow, List, NameRow, SubdomainRow, UrlRow, moments};
use crate::export::tree::shown;
use crate::export::without_links;
use crate::indicator::Indicator;
use crate::store::StoreError;
use crate::store::observed::Observed;
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::Judge;

/// The most candidates of a relation that are judged: of more those that were hit most.
pub(super) const CANDIDATES_MAX: usize = 2_000;

/// The longest detail, in characters.
const DETAIL_CHARS_MAX: usize = 120;

/// A neighbour by one relation.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub(super) thing: Thing,
    /// The title of a report.
    pub(super) title: Option<String>,
    pub(super) zone: Option<Zone>,
    pub(super) score: Option<ThreatScore>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) hits: Option<u64>,
    pub(super) detail: Option<String>,
}

/// The neighbours that are shown, and how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) all: u64,
}

impl Neighbour {
    /// One of which no more is known than what it is.
    pub(super) fn plain(thing: Thing) -> Neighbour {
        Neighbour {
            thing,
            title: None,
            zone: None,
            score: None,
            first: None,
            last: None,
            hits: None,
            detail: None,
        }
    }

    pub(super) fn judged(self, zone: Zone, score: ThreatScore) -> Neighbour {
        Neighbour { zone: Some(zone), score: Some(score), ..self }
    }

    pub(super) fn seen(self, first: Timestamp, last: Timestamp) -> Neighbour {
        Neighbour { first: Some(first), last: Some(last), ..self }
    }

    /// Text of others, as it may be shown.
    pub(super) fn by(self, detail: &str) -> Neighbour {
        let short: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
        Neighbour { detail: Some(without_links(&shown(&short))), ..self }
    }
}

/// Zone and score of an object in a row.
pub(super) fn standing(judge: &Judge<'_>, indicator: &Indicator) -> Result<(Zone, ThreatScore), StoreError> {
    match indicator {
        Indicator::Domain(name) => judge.domain_zone(name),
        Indicator::Address(address) => judge.address_zone(*address),
        Indicator::Url(_) | Indicator::File(_) => {
            judge.indicator(indicator).map(|verdict| (verdict.zone, verdict.score))
        }
    }
}

//------------ Rows of reports -----------------------------------------------

/// A row of a report as a neighbour.
pub(super) trait Row {
    /// The neighbour with its zone; its hits as they were counted.
    fn neighbour(&self, read: Read) -> Option<Neighbour>;
}

/// How the text of a row is read.
pub(super) type Read = fn(&str) -> Option<Thing>;

/// The first rows of a report's list, which stand in the order of zone and hits.
pub(super) fn rows<T: Row>(
    common: &Common<'_>,
    list: &List<T>,
    limit: usize,
    read: Read,
) -> Result<Found, StoreError> {
    let mut neighbours = Vec::new();
    for mut neighbour in list.rows.iter().take(limit).filter_map(|row| row.neighbour(read)) {
        neighbour.hits = neighbour.hits.map(|hits| common.rounded(hits));
        if let (None, Thing::Object(indicator)) = (neighbour.score, &neighbour.thing) {
            let (zone, score) = standing(common.judge, indicator)?;
            // Private data that was taken out can have been what was listed: the zone is the row's.
            neighbour.score = (Some(zone) == neighbour.zone).then_some(score);
        }
        neighbours.push(neighbour);
    }
    Ok(Found { neighbours, all: list.total })
}

fn row(thing: Thing, zone: Zone, first: Timestamp, last: Timestamp, hits: Option<u64>) -> Neighbour {
    Neighbour { zone: Some(zone), hits, ..Neighbour::plain(thing) }.seen(first, last)
}

impl Row for AddressRow {
    fn neighbour(&self, _: Read) -> Option<Neighbour> {
        let thing = Thing::Object(Indicator::Address(self.address));
        let found = row(thing, self.zone, self.first, self.last, Some(self.hits));
        let found = found.judged(self.zone, self.score);
        Some(if self.via.is_empty() { found } else { found.by(&format!("through {}", self.via.join(", "))) })
    }
}

impl Row for NameRow {
    fn neighbour(&self, read: Read) -> Option<Neighbour> {
        Some(row(read(&self.name)?, self.zone, self.first, self.last, Some(self.hits)))
    }
}

impl Row for SubdomainRow {
    fn neighbour(&self, read: Read) -> Option<Neighbour> {
        let found = Neighbour { zone: Some(self.zone), ..Neighbour::plain(read(&self.name)?) };
        Some(Neighbour { first: Some(self.first), ..found })
    }
}

impl Row for UrlRow {
    fn neighbour(&self, read: Read) -> Option<Neighbour> {
        // Of a list without hits all have none.
        let hits = (self.hits > 0).then_some(self.hits);
        Some(row(read(&self.url)?, self.zone, self.first, self.last, hits))
    }
}

impl Row for FileRow {
    fn neighbour(&self, _: Read) -> Option<Neighbour> {
        let thing = Thing::Object(Indicator::File(self.file.best()?));
        let found = row(thing, self.zone, self.first, self.last, Some(self.hits));
        Some(match &self.detection {
            Some(name) => found.by(name),
            None => found,
        })
    }
}

//------------ Candidates ----------------------------------------------------

/// What may be a neighbour, before it is judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    /// First and last.
    pub(super) seen: Option<(Timestamp, Timestamp)>,
    pub(super) hits: Option<u64>,
    pub(super) detail: Option<String>,
}

impl Candidate {
    /// From a relation that was observed.
    pub(super) fn observed(observed: &Observed) -> Candidate {
        Candidate { seen: Some(moments(observed)), hits: Some(observed.hits()), detail: None }
    }
}

/// Candidates, each once.
pub(super) type Candidates = BTreeMap<Indicator, Candidate>;

/// Judges candidates, at most [`CANDIDATES_MAX`], and takes the worst.
pub(super) fn judged(common: &Common<'_>, candidates: Candidates, limit: usize) -> Result<Found, StoreError> {
    let all = candidates.len() as u64;
    let mut candidates: Vec<(Indicator, Candidate)> = candidates.into_iter().collect();
    candidates.sort_by_key(|(_, candidate)| Reverse(candidate.hits));
    candidates.truncate(CANDIDATES_MAX);
    let mut neighbours = Vec::with_capacity(candidates.len());
    for (indicator, Candidate { seen, hits, detail }) in candidates {
        let (zone, score) = standing(common.judge, &indicator)?;
        let found = Neighbour::plain(Thing::Object(indicator)).judged(zone, score);
        let found = Neighbour { hits: hits.map(|hits| common.rounded(hits)), ..found };
        let found = seen.map_or(found.clone(), |(first, last)| found.seen(first, last));
        neighbours.push(detail.map_or(found.clone(), |detail| found.by(&detail)));
    }
    // Stable: of equal ones the order above stays.
    neighbours.sort_by_key(|neighbour| neighbour.zone);
    neighbours.truncate(limit);
    Ok(Found { neighbours, all })
}
