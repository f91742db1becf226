//! The dossier of a URL: what was seen of exactly it, and what its host says.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::rows::{AddressRow, FileRow, List, UrlRow, moments};
use super::{Common, DomainDossier, MaskRow, ROWS_MAX, References, Terms, cell};
use crate::fact::{Listing, Registration};
use crate::indicator::{Host, Url, redact};
use crate::store::hot::Kind;
use crate::store::observed::Observed;
use crate::store::{ObjectKey, Statement, StoreError, Table};
use crate::value::Timestamp;
use crate::verdict::Judge;

/// What is gathered of a URL.
pub struct UrlDossier<'a> {
    /// What dossiers of all kinds have.
    pub common: Common<'a>,
    /// The URL as asked.
    pub url: Url,
    terms: Terms<'a>,
    /// Requests, downloads and accesses of it.
    requested: Option<Observed>,
    host: OnceCell<Option<DomainDossier<'a>>>,
    downloaded: OnceCell<List<FileRow>>,
    accessed: OnceCell<List<FileRow>>,
    referrals: OnceCell<List<UrlRow>>,
    referred_to: OnceCell<List<UrlRow>>,
    no_resolutions: List<AddressRow>,
    covering: OnceCell<Vec<Statement>>,
    masks: OnceCell<Vec<MaskRow>>,
}

impl<'a> UrlDossier<'a> {
    /// Opens the dossier of a URL.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn open(judge: &'a Judge<'a>, url: &Url, terms: Terms<'a>) -> Result<UrlDossier<'a>, StoreError> {
        let key = ObjectKey::url(url);
        let own = judge.view().object(&key)?;
        let requested = judge.view().edge(&ObjectKey::host(&url.host()), Table::Url, &key.0)?;
        let verdict = judge.url(url)?;
        Ok(UrlDossier {
            common: Common::new(judge, own, verdict, terms),
            url: url.clone(),
            terms,
            requested,
            host: OnceCell::new(),
            downloaded: OnceCell::new(),
            accessed: OnceCell::new(),
            referrals: OnceCell::new(),
            referred_to: OnceCell::new(),
            no_resolutions: List::new(Vec::new(), ROWS_MAX),
            covering: OnceCell::new(),
            masks: OnceCell::new(),
        })
    }

    /// Whether anything is known of the URL: an observation or a report names it, or a mask covers it. That its host
    /// is known makes it known only where what is said of the host holds for all that is on it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn is_known(&self) -> Result<bool, StoreError> {
        let verdict = &self.common.verdict;
        let judged = !verdict.found.is_empty() || !verdict.benign.is_empty() || verdict.pin.is_some();
        let observed = self.requested.is_some() || !self.common.own.is_empty();
        Ok(judged || observed || !self.covering()?.is_empty())
    }

    /// The URL as reports show it: without private data.
    pub fn shown(&self) -> String {
        redact(self.url.key()).0
    }

    /// The dossier of its host; `None` where that is an address.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn host(&self) -> Result<Option<&DomainDossier<'a>>, StoreError> {
        cell(&self.host, || match self.url.host() {
            Host::Domain(name) => DomainDossier::open(self.common.judge, &name, self.terms).map(Some),
            Host::Address(_) => Ok(None),
        })
        .map(Option::as_ref)
    }

    /// Files downloaded from the URL.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn downloaded(&self) -> Result<&List<FileRow>, StoreError> {
        cell(&self.downloaded, || self.file_list(Table::UrlDownloaded))
    }

    /// Files that accessed the URL.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn accessed(&self) -> Result<&List<FileRow>, StoreError> {
        cell(&self.accessed, || self.file_list(Table::UrlAccessedBy))
    }

    fn file_list(&self, table: Table) -> Result<List<FileRow>, StoreError> {
        let mut rows = self.common.files(self.common.own.edges(table).iter(), false)?;
        rows.iter_mut().for_each(|row| row.url = Some(self.shown()));
        let mut list = List::new(rows, ROWS_MAX);
        self.common.name_detections(&mut list)?;
        Ok(list)
    }

    /// Distinct files of both lists.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn files_count(&self) -> Result<u64, StoreError> {
        let edges = [Table::UrlDownloaded, Table::UrlAccessedBy].map(|table| self.common.own.edges(table));
        // One row a file, also of a file that is in both.
        Ok(self.common.files(edges.into_iter().flatten(), false)?.len() as u64)
    }

    /// URLs that refer to it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn referrals(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.referrals, || self.url_list(Table::UrlReferredBy))
    }

    /// URLs that it refers to.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn referred_to(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.referred_to, || self.url_list(Table::UrlRefersTo))
    }

    fn url_list(&self, table: Table) -> Result<List<UrlRow>, StoreError> {
        Ok(List::new(self.common.urls(self.common.own.edges(table).iter(), false)?, ROWS_MAX))
    }

    /// Addresses that its host resolved to; none of a host that is an address.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn resolutions(&self) -> Result<&List<AddressRow>, StoreError> {
        self.host()?.map_or(Ok(&self.no_resolutions), DomainDossier::resolutions)
    }

    /// Distinct IPv4 addresses of its host.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn ipv4_count(&self) -> Result<u64, StoreError> {
        match self.url.host() {
            Host::Address(address) => Ok(u64::from(address.is_ipv4())),
            Host::Domain(_) => self.host()?.map_or(Ok(0), DomainDossier::ipv4_count),
        }
    }

    /// The registration of its host's registrable domain.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn registration(&self) -> Result<Option<&Registration>, StoreError> {
        self.host()?.map_or(Ok(None), DomainDossier::registration)
    }

    /// When it was first and last requested, downloaded from or accessed.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        self.requested.as_ref().map(moments)
    }

    /// When and how often it was requested, downloaded from and accessed.
    pub fn requested(&self) -> Option<&Observed> {
        self.requested.as_ref()
    }

    /// How often it was requested, downloaded from and accessed.
    pub fn hits(&self) -> u64 {
        self.requested.as_ref().map_or(0, Observed::hits)
    }

    /// What lists a mask that covers the URL, also what no longer does.
    fn covering(&self) -> Result<&[Statement], StoreError> {
        cell(&self.covering, || {
            let mut objects = BTreeSet::new();
            match self.url.host() {
                Host::Domain(name) => {
                    let mut above = Some(name.as_str());
                    while let Some(host) = above {
                        objects.insert(ObjectKey::domain(host));
                        above = host.split_once('.').map(|(_, parent)| parent);
                    }
                }
                Host::Address(address) => {
                    objects.insert(ObjectKey::address(address));
                    let ranges = self.common.ranges(address, |kind| kind == Kind::Listing)?;
                    objects.extend(ranges.iter().map(ObjectKey::network));
                }
            }
            objects.extend(self.common.judge.wildcards_over(&self.url)?.iter().map(ObjectKey::mask));
            let mut covering = Vec::new();
            for key in objects {
                let listed = self.common.view().table(&key, Table::Listing)?.statements;
                covering.extend(
                    listed
                        .into_iter()
                        .filter(|one| one.mask().is_some_and(|mask| mask.matches_url(&self.url))),
                );
            }
            Ok(covering)
        })
        .map(Vec::as_slice)
    }

    /// Masks that cover the URL.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn masks(&self) -> Result<&[MaskRow], StoreError> {
        cell(&self.masks, || {
            let mut rows = BTreeMap::new();
            for statement in self.covering()? {
                if let Some(mask) = statement.mask() {
                    self.common.add_mask(mask, statement, &mut rows)?;
                }
            }
            Ok(super::order_masks(rows))
        })
        .map(Vec::as_slice)
    }

    /// Where to read more of the evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn references(&self) -> Result<References, StoreError> {
        let mut references = References::new();
        for statement in self.covering()? {
            let listing: Listing = statement.fact()?;
            if let (Some(mask), Some(reference)) = (statement.mask(), listing.reference) {
                references.insert((statement.source, mask.with_port().into_owned()), reference);
            }
        }
        Ok(references)
    }

    /// What is worth knowing besides evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn notes(&self) -> Result<Vec<String>, StoreError> {
        let mut notes = Vec::new();
        let created = self.registration()?.and_then(|registration| registration.created);
        self.common.note_registered(created, &mut notes);
        self.common.note_seen(self.seen().map(|(first, _)| first), &mut notes);
        Ok(notes)
    }
}
