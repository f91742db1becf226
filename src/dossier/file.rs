//! The dossier of a file, by any of its hashes.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::rows::{List, UrlRow, moments};
use super::{Common, ROWS_MAX, References, Terms, cell};
use crate::fact::{Action, FileVerdict, Listed, Listing};
use crate::indicator::FileHashes;
use crate::store::{StoreError, Table};
use crate::value::{Timestamp, Zone};
use crate::verdict::{EvidenceKind, Judge};

/// What is gathered of a file.
pub struct FileDossier<'a> {
    /// What dossiers of all kinds have.
    pub common: Common<'a>,
    /// All its hashes that are known.
    pub file: FileHashes,
    /// What examinations said, the newest first.
    verdicts: Vec<(Timestamp, FileVerdict)>,
    downloaded_from: OnceCell<List<UrlRow>>,
    accessed: OnceCell<List<UrlRow>>,
}

/// Something that a file was detected as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// When last.
    pub last: Timestamp,
    /// Where it is described.
    pub description_url: Option<String>,
    /// How bad that is.
    pub zone: Zone,
    /// Its name.
    pub name: String,
    /// How it was detected.
    pub method: Option<String>,
}

impl<'a> FileDossier<'a> {
    /// Opens the dossier of a file of which some hashes are known.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn open(
        judge: &'a Judge<'a>,
        known: FileHashes,
        terms: Terms<'a>,
    ) -> Result<FileDossier<'a>, StoreError> {
        let file = judge.view().file_hashes(known)?;
        let own = judge.view().file(&file)?;
        let verdict = judge.file(&file)?;
        let mut verdicts = Vec::new();
        for statement in own.statements(Table::FileVerdict).filter(|one| one.is_current()) {
            let mut said: FileVerdict = statement.fact()?;
            if judge.view().snapshot().is_restricted(statement.source) {
                // It would name who examined the file.
                said.description_url = None;
            }
            verdicts.push((said.observed.unwrap_or(statement.last), said));
        }
        verdicts.sort_by_key(|(at, _)| Reverse(*at));
        Ok(FileDossier {
            common: Common::new(judge, own, verdict, terms),
            file,
            verdicts,
            downloaded_from: OnceCell::new(),
            accessed: OnceCell::new(),
        })
    }

    /// Whether anything at all is known.
    pub fn is_known(&self) -> bool {
        let verdict = &self.common.verdict;
        let judged = !verdict.found.is_empty() || !verdict.benign.is_empty() || verdict.pin.is_some();
        judged || !self.common.own.is_empty()
    }

    /// The newest of what examinations said of a trait.
    pub fn newest<T>(&self, of: impl Fn(&FileVerdict) -> Option<T>) -> Option<T> {
        self.verdicts.iter().find_map(|(_, said)| of(said))
    }

    /// Whether a person or a list of harmless files says that it is clean; else an examination found nothing.
    pub fn is_listed_clean(&self) -> bool {
        let verdict = &self.common.verdict;
        verdict.pin.is_some() || verdict.benign.iter().any(|one| one.effect.action != Action::Annotate)
    }

    /// What it was detected as: the worst first, then the last.
    pub fn detections(&self) -> Vec<Detection> {
        let mut joined: BTreeMap<(&str, Option<&str>), Detection> = BTreeMap::new();
        for (at, said) in &self.verdicts {
            let (Some(name), Some(zone)) = (said.detection_name.as_deref(), said.zone) else { continue };
            let zone = if zone == Zone::Orange { Zone::Yellow } else { zone };
            let detection =
                joined.entry((name, said.detection_method.as_deref())).or_insert_with(|| Detection {
                    last: *at,
                    description_url: None,
                    zone,
                    name: name.to_owned(),
                    method: said.detection_method.clone(),
                });
            detection.zone = detection.zone.min(zone);
            detection.description_url = detection.description_url.take().or(said.description_url.clone());
        }
        let mut detections: Vec<Detection> = joined.into_values().collect();
        detections
            .sort_by(|a, b| (a.zone, Reverse(a.last), &a.name).cmp(&(b.zone, Reverse(b.last), &b.name)));
        detections
    }

    /// The names that it was seen under, and how many examinations say each: the most said first.
    pub fn names(&self) -> Vec<(&str, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, said) in &self.verdicts {
            let names: BTreeSet<&str> = said.names.iter().map(|name| name.trim()).collect();
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                *counts.entry(name).or_default() += 1;
            }
        }
        let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
        names.sort_by_key(|(name, count)| (Reverse(*count), *name));
        names.truncate(ROWS_MAX);
        names
    }

    /// Where it was downloaded from: URLs, and addresses where no URL is known.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn downloaded_from(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.downloaded_from, || self.url_list(Table::FileFrom))
    }

    /// What it contacted: URLs, addresses and names.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn accessed(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.accessed, || self.url_list(Table::FileAccess))
    }

    fn url_list(&self, table: Table) -> Result<List<UrlRow>, StoreError> {
        Ok(List::new(self.common.urls(self.common.own.edges(table).iter(), true)?, ROWS_MAX))
    }

    /// How often it was downloaded and contacted something.
    pub fn hits(&self) -> u64 {
        let own = &self.common.own;
        let edges = own.edges(Table::FileFrom).iter().chain(own.edges(Table::FileAccess));
        edges.map(|edge| edge.observed.hits()).sum()
    }

    /// When it was first and last observed, examined or listed.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        let observed = self.common.own.edges.iter().map(|edge| moments(&edge.observed));
        let examined = self.verdicts.iter().map(|(at, _)| (*at, *at));
        let found = self.common.verdict.found.iter().map(|one| (one.evidence.first, one.evidence.last));
        let listed = self.common.own.statements(Table::Listing).map(|one| (one.first, one.last));
        let all = observed.chain(examined).chain(found).chain(listed);
        all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The sources of live listings of it.
    pub fn feeds(&self) -> BTreeSet<String> {
        let listings = self.common.verdict.found.iter().filter(|one| one.kind == EvidenceKind::Listing);
        let snapshot = self.common.view().snapshot();
        listings.map(|one| snapshot.shown_source(one.evidence.source).to_owned()).collect()
    }

    /// Where to read more of the evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn references(&self) -> Result<References, StoreError> {
        let mut references = References::new();
        for statement in self.common.own.statements(Table::Listing) {
            let listing: Listing = statement.fact()?;
            if let (Some(reference), Listed::File { file }) = (listing.reference, &listing.what) {
                for hash in file.iter() {
                    references.insert((statement.source, hash.to_string()), reference.clone());
                }
            }
        }
        for statement in self.common.own.statements(Table::FileVerdict) {
            let said: FileVerdict = statement.fact()?;
            for hash in said.file.iter() {
                let key = (statement.source, hash.to_string());
                references.entry(key).or_insert(match &said.description_url {
                    Some(url) => url.clone(),
                    None => continue,
                });
            }
        }
        Ok(references)
    }

    /// What is worth knowing besides evidence.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        self.common.note_seen(self.seen().map(|(first, _)| first), &mut notes);
        notes
    }
}
