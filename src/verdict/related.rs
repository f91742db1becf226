//! Related evidence: what the objects are listed for that an object has to do with.
//!
//! One step: the related objects' own direct verdicts count, never what they are related to themselves. Through
//! shared infrastructure nothing is related. It never lifts a score over 49 (see `score`), so whoever points a
//! bad name at somebody's address frames nobody.

use std::net::IpAddr;

use super::score::round4;
use super::{Evidence, EvidenceKind, Found, Judge, Match, Verdict};
use crate::indicator::{DomainName, Host, is_reserved};
use crate::store::observed::Observed;
use crate::store::{ObjectKey, Part, RELATED_SOURCE, StoreError, Table, read_part};
use crate::value::{Category, Timestamp, Zone};

/// Candidates that are judged; of more the first by name or number.
pub(super) const CANDIDATES_MAX: usize = 1_000;
/// Related objects that are evidence, the worst first.
const RELATED_MAX: usize = 20;
/// An address with so many registrable domains is shared: what one of them did says little of another.
pub const SHARED_DOMAINS: usize = 10;
/// Names of an address that are looked at to find so many.
const SHARED_ROWS_MAX: usize = 20_000;
/// Topics of benign lists whose addresses are everybody's.
const SHARED_TOPICS: [&str; 3] = ["CLOUD_SERVICES", "CONTENT_DELIVERY", "HOSTING"];

/// A related object that somebody speaks against.
struct Candidate {
    zone: Zone,
    first: u32,
    name: String,
    counterpart: Box<[u8]>,
    table: Table,
    score: u8,
    category: Category,
}

impl Judge<'_> {
    /// The evidence of what a host has to do with: addresses and names of each other, names below it, files
    /// downloaded from it. The first twenty by zone, moment and name.
    pub(super) fn related(&self, host: &Host) -> Result<Vec<Found>, StoreError> {
        let object = match host {
            Host::Domain(name) => ObjectKey::domain(name.as_str()),
            Host::Address(address) => ObjectKey::address(*address),
        };
        if !self.has_candidates(&object)? {
            return Ok(Vec::new());
        }
        let mut candidates = Vec::new();
        let rows = self.view().table(&object, Table::Flagged)?;
        for edge in rows.edges(Table::Flagged).iter().take(CANDIDATES_MAX) {
            let Some((part, _)) = read_part(&edge.counterpart) else { continue };
            let Some((table, name, verdict)) = self.relation(host, &part)? else { continue };
            if verdict.score.0 == 0 || !verdict.zone.is_bad() {
                continue;
            }
            let Some(category) = verdict.found.iter().find(|one| one.evidence.counted) else { continue };
            candidates.push(Candidate {
                zone: verdict.zone,
                first: edge.observed.first,
                name,
                counterpart: edge.counterpart.clone(),
                table,
                score: verdict.score.0,
                category: category.evidence.category,
            });
        }
        candidates.sort_by(|a, b| (a.zone, a.first, &a.name).cmp(&(b.zone, b.first, &b.name)));
        let mut found = Vec::new();
        for candidate in candidates {
            if found.len() == RELATED_MAX {
                break;
            }
            // The edge may be of a batch that was retired since, or be younger than the view's moment.
            if let Some(seen) = self.view().edge(&object, candidate.table, &candidate.counterpart)? {
                found.push(self.related_evidence(candidate, &seen));
            }
        }
        Ok(found)
    }

    /// Whether there are candidates of related evidence.
    pub(super) fn has_candidates(&self, object: &ObjectKey) -> Result<bool, StoreError> {
        self.view().may_have(object, Table::Flagged)
    }

    /// How a host has to do with a candidate, what that is called, and its own verdict; `None` where the relation
    /// says nothing.
    fn relation(&self, host: &Host, part: &Part<'_>) -> Result<Option<(Table, String, Verdict)>, StoreError> {
        let related = match (host, part) {
            (Host::Domain(name), Part::Domain(below)) => match DomainName::from_normal(below) {
                Some(below) if !name.is_public_suffix() && below.without_www() != name.without_www() => {
                    // What is said of all names below would otherwise come back to where it was said.
                    let mut matches = self.domain_matches(&below)?;
                    matches.hits.retain(|(_, matched, _)| *matched == Match::Exact);
                    Some((Table::Subdomain, below.to_string(), self.judge(matches, false)))
                }
                _ => None,
            },
            (Host::Domain(_), Part::Address(address)) if !self.is_shared(*address)? => {
                Some((Table::Resolves, address.to_string(), self.direct_address(*address)?))
            }
            (Host::Address(address), Part::Domain(name)) => match DomainName::from_normal(name) {
                Some(name) if !self.is_shared(*address)? => {
                    Some((Table::ResolvedBy, name.to_string(), self.direct_domain(&name)?))
                }
                _ => None,
            },
            (_, Part::File(hash)) => {
                let verdict = self.file(&self.view().file_hashes((*hash).into())?)?;
                Some((Table::Downloaded, hash.to_string(), verdict))
            }
            _ => None,
        };
        Ok(related)
    }

    fn related_evidence(&self, candidate: Candidate, seen: &Observed) -> Found {
        let confidence = round4(f64::from(candidate.score) / 100.0);
        let factor = round4(self.policy().factors.related);
        let moment = |seconds: u32| Timestamp(i64::from(seconds));
        let evidence = Evidence {
            source: RELATED_SOURCE,
            origin: RELATED_SOURCE,
            category: candidate.category,
            matched: Match::Related,
            first: moment(seen.first),
            last: moment(seen.last),
            until: None,
            weight: 1.0,
            confidence,
            age_hours: 0,
            lifetime_days: None,
            speed: 1.0,
            decay: 1.0,
            factor,
            contribution: confidence * factor,
            counted: false,
            counted_with: None,
        };
        let (indicator, kind) = (candidate.name, EvidenceKind::Related);
        Found { evidence, indicator, kind, is_current: true, is_live: true }
    }

    /// Whether an address is many people's: it has many registrable domains, or a list says that it is of a
    /// cloud or a content delivery network.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn is_shared(&self, address: IpAddr) -> Result<bool, StoreError> {
        if let Some(known) = self.shared.borrow().get(&address) {
            return Ok(*known);
        }
        let shared =
            is_reserved(address) || self.view().has_domains(address, SHARED_DOMAINS, SHARED_ROWS_MAX)? || {
                let benign = self.direct_address(address)?.benign;
                let topics = benign.iter().filter_map(|one| one.category).map(Category::short_name);
                topics.into_iter().any(|topic| SHARED_TOPICS.contains(&topic))
            };
        self.shared.borrow_mut().insert(address, shared);
        Ok(shared)
    }
}
