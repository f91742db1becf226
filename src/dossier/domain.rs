//! The dossier of a domain.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use super::rows::{AddressRow, FileRow, List, SubdomainRow, UrlRow, moments};
use super::similar::{Owner, SimilarRow, near};
use super::{
    Common, MaskRow, ROWS_MAX, References, Terms, address_of, cell, host_of, name_of, overlap, registration,
};
use crate::fact::{RecordType, Registration};
use crate::indicator::{DomainName, Host, to_u128};
use crate::store::observed::Observed;
use crate::store::{Edge, Object, ObjectKey, Part, StoreError, Table, read_part};
use crate::value::{Timestamp, Zone};
use crate::verdict::Judge;

/// How far aliases are followed, and how many targets.
const CNAME_DEPTH: usize = 4;
const CNAME_TARGETS: usize = 32;

/// What is gathered of a domain.
pub struct DomainDossier<'a> {
    /// What dossiers of all kinds have.
    pub common: Common<'a>,
    /// The domain as asked.
    pub name: DomainName,
    /// The same host without `www.`, where that is another name: URLs, files and masks are gathered there.
    host: Option<Object>,
    downloaded: OnceCell<List<FileRow>>,
    accessed: OnceCell<List<FileRow>>,
    subdomains: OnceCell<List<SubdomainRow>>,
    referrals: OnceCell<List<UrlRow>>,
    referred_to: OnceCell<List<UrlRow>>,
    resolutions: OnceCell<List<AddressRow>>,
    masks: OnceCell<Vec<MaskRow>>,
    files: OnceCell<(u64, u64)>,
    urls: OnceCell<(u64, u64)>,
    registration: OnceCell<Option<Registration>>,
}

impl<'a> DomainDossier<'a> {
    /// Opens the dossier of a domain.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn open(
        judge: &'a Judge<'a>,
        name: &DomainName,
        terms: Terms<'a>,
    ) -> Result<DomainDossier<'a>, StoreError> {
        let own = judge.view().object(&ObjectKey::domain(name.as_str()))?;
        let host = match name.without_www() {
            host if host == name.as_str() => None,
            host => Some(judge.view().object(&ObjectKey::domain(host))?),
        };
        let verdict = judge.domain(name)?;
        Ok(DomainDossier {
            common: Common::new(judge, own, verdict, terms),
            name: name.clone(),
            host,
            downloaded: OnceCell::new(),
            accessed: OnceCell::new(),
            subdomains: OnceCell::new(),
            referrals: OnceCell::new(),
            referred_to: OnceCell::new(),
            resolutions: OnceCell::new(),
            masks: OnceCell::new(),
            files: OnceCell::new(),
            urls: OnceCell::new(),
            registration: OnceCell::new(),
        })
    }

    /// Where what is gathered by a URL's host stands.
    fn host(&self) -> &Object {
        self.host.as_ref().unwrap_or(&self.common.own)
    }

    /// Whether anything at all is known: an observation, a listing, a report, a mask that covers it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn is_known(&self) -> Result<bool, StoreError> {
        let verdict = &self.common.verdict;
        let judged = !verdict.found.is_empty() || !verdict.benign.is_empty() || verdict.pin.is_some();
        Ok(judged || !self.common.own.is_empty() || !self.host().is_empty() || !self.masks()?.is_empty())
    }

    /// Files downloaded from the host.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn downloaded(&self) -> Result<&List<FileRow>, StoreError> {
        cell(&self.downloaded, || self.file_list(Table::Downloaded))
    }

    /// Files that accessed the host.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn accessed(&self) -> Result<&List<FileRow>, StoreError> {
        cell(&self.accessed, || self.file_list(Table::AccessedBy))
    }

    fn file_list(&self, table: Table) -> Result<List<FileRow>, StoreError> {
        let rows = self.common.files(self.host().edges(table).iter(), false)?;
        let mut list = List::new(rows, ROWS_MAX);
        self.common.name_detections(&mut list)?;
        Ok(list)
    }

    /// Distinct files of both lists, and how many of them are malicious.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn file_counts(&self) -> Result<(u64, u64), StoreError> {
        cell(&self.files, || {
            let mut all = HashMap::new();
            for table in [Table::Downloaded, Table::AccessedBy] {
                for row in self.common.files(self.host().edges(table).iter(), false)? {
                    all.insert(row.md5, row.zone);
                }
            }
            let red = all.values().filter(|zone| **zone == Zone::Red).count();
            Ok((all.len() as u64, red as u64))
        })
        .copied()
    }

    /// Distinct URLs on the domain and below, and how many of them are malicious.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn url_counts(&self) -> Result<(u64, u64), StoreError> {
        cell(&self.urls, || {
            let rows = self.common.urls(self.host().edges(Table::Url).iter(), false)?;
            let red = rows.iter().filter(|row| row.zone == Zone::Red).count();
            Ok((rows.len() as u64, red as u64))
        })
        .copied()
    }

    /// URLs on exactly this host.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn urls(&self) -> Result<List<UrlRow>, StoreError> {
        let on_host = self.host().edges(Table::Url).iter().filter(|edge| self.is_own_url(edge));
        Ok(List::new(self.common.urls(on_host, true)?, ROWS_MAX))
    }

    /// Whether an edge leads to a URL on exactly this host, not below it.
    fn is_own_url(&self, edge: &Edge) -> bool {
        let Some((Part::Url(key), _)) = read_part(&edge.counterpart) else { return false };
        let host = host_of(key);
        let name = host.as_ref().and_then(Host::domain);
        name.is_some_and(|name| name.as_str() == self.name.without_www())
    }

    /// Known names below the domain.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn subdomains(&self) -> Result<&List<SubdomainRow>, StoreError> {
        cell(&self.subdomains, || {
            let mut urls: BTreeMap<String, BTreeSet<&[u8]>> = BTreeMap::new();
            for edge in self.host().edges(Table::Url).iter().chain(self.www_edges(Table::Url)) {
                if let Some((Part::Url(key), _)) = read_part(&edge.counterpart)
                    && let Some(Host::Domain(host)) = host_of(key)
                {
                    urls.entry(reversed(host.as_str())).or_default().insert(&edge.counterpart);
                }
            }
            let mut files: HashMap<String, HashSet<&[u8]>> = HashMap::new();
            for edge in self.common.own.edges(Table::FileBelow) {
                if let Some((Part::Domain(host), rest)) = read_part(&edge.counterpart) {
                    let host = DomainName::from_normal(&host).map(|host| host.without_www().to_owned());
                    files.entry(host.unwrap_or_default()).or_default().insert(rest);
                }
            }
            let public_suffix = self.name.is_public_suffix();
            let mut rows = Vec::new();
            for edge in self.common.own.edges(Table::Subdomain) {
                let Some(name) = name_of(read_part(&edge.counterpart)) else { continue };
                let zone = self.common.judge.domain_zone(&name)?.0;
                if public_suffix && zone == Zone::Grey {
                    continue;
                }
                let host = name.without_www();
                let below = format!("{}.", reversed(host));
                let on = urls.get(&reversed(host)).map_or(0, BTreeSet::len);
                let under: usize = urls
                    .range(below.clone()..)
                    .take_while(|(key, _)| key.starts_with(&below))
                    .map(|(_, urls)| urls.len())
                    .sum();
                let files = if host == self.name.as_str() {
                    self.file_counts()?.0
                } else {
                    files.get(host).map_or(0, HashSet::len) as u64
                };
                let first = moments(&edge.observed).0;
                rows.push(SubdomainRow {
                    zone,
                    name: name.as_str().to_owned(),
                    first,
                    urls: (on + under) as u64,
                    files,
                });
            }
            let list = List::new(rows, ROWS_MAX);
            // Of a public suffix only what is listed is shown.
            let all = self.common.own.large.as_ref().filter(|_| !public_suffix);
            Ok(List { total: all.map_or(list.total, |large| large.rows), ..list })
        })
    }

    /// Rows below `www.` itself, which no other name gathers.
    fn www_edges(&self, table: Table) -> impl Iterator<Item = &Edge> {
        self.host.iter().flat_map(move |_| self.common.own.edges(table))
    }

    /// URLs on other hosts that refer to the host.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn referrals(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.referrals, || self.url_list(Table::ReferredBy))
    }

    /// URLs on other hosts that the host refers to.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn referred_to(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.referred_to, || self.url_list(Table::RefersTo))
    }

    fn url_list(&self, table: Table) -> Result<List<UrlRow>, StoreError> {
        Ok(List::new(self.common.urls(self.host().edges(table).iter(), false)?, ROWS_MAX))
    }

    /// Addresses that the name resolved to, through aliases too.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn resolutions(&self) -> Result<&List<AddressRow>, StoreError> {
        cell(&self.resolutions, || {
            let mut seen: BTreeMap<IpAddr, (Observed, Vec<String>)> = BTreeMap::new();
            for edge in self.common.own.edges(Table::Resolves) {
                if let Some(address) = address_of(read_part(&edge.counterpart)) {
                    seen.insert(address, (edge.observed.clone(), Vec::new()));
                }
            }
            for edge in self.common.own.edges(Table::Via) {
                let Some((Part::Address(address), rest)) = read_part(&edge.counterpart) else { continue };
                if let (Some((_, via)), Ok(names)) = (seen.get_mut(&address), std::str::from_utf8(rest)) {
                    for name in names.split(' ') {
                        if !via.iter().any(|known| known == name) {
                            via.push(name.to_owned());
                        }
                    }
                }
            }
            self.follow_aliases(&mut seen)?;
            let mut rows = Vec::with_capacity(seen.len());
            for (address, (observed, via)) in seen {
                rows.push(self.address_row(address, observed, via)?);
            }
            let mut list = List::new(rows, ROWS_MAX);
            for row in &mut list.rows {
                row.country = self.common.judge.country(row.address)?;
            }
            Ok(list)
        })
    }

    fn address_row(
        &self,
        address: IpAddr,
        observed: Observed,
        via: Vec<String>,
    ) -> Result<AddressRow, StoreError> {
        let (zone, score) = self.common.judge.address_zone(address)?;
        let (first, last) = moments(&observed);
        let mut tie = [0; 17];
        tie[0] = u8::from(address.is_ipv6());
        tie[1..].copy_from_slice(&to_u128(address).to_be_bytes());
        let (hits, peak) = (observed.hits(), observed.peak());
        Ok(AddressRow { zone, score, address, tie, country: None, hits, first, last, peak, observed, via })
    }

    /// Adds what the name's aliases resolved to at the same time, for sources that tell no whole answers.
    fn follow_aliases(&self, seen: &mut BTreeMap<IpAddr, (Observed, Vec<String>)>) -> Result<(), StoreError> {
        let mut todo: Vec<(String, Observed, Vec<String>)> = aliases(&self.common.own)
            .map(|(target, edge)| (target, edge.observed.clone(), Vec::new()))
            .collect();
        let mut visited = HashSet::from([self.name.as_str().to_owned()]);
        while let Some((name, observed, mut via)) = todo.pop() {
            if visited.len() > CNAME_TARGETS || via.len() >= CNAME_DEPTH || !visited.insert(name.clone()) {
                continue;
            }
            let object = self.common.view().object(&ObjectKey::domain(&name))?;
            via.push(name);
            for edge in object.edges(Table::Resolves).iter().filter(|edge| overlap(&edge.observed, &observed))
            {
                let Some(address) = address_of(read_part(&edge.counterpart)) else { continue };
                seen.entry(address).or_insert_with(|| (both(&observed, &edge.observed), via.clone()));
            }
            for (target, edge) in aliases(&object).filter(|(_, edge)| overlap(&edge.observed, &observed)) {
                todo.push((target, both(&observed, &edge.observed), via.clone()));
            }
        }
        Ok(())
    }

    /// Masks that cover the domain, and those whose host is the domain or below it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn masks(&self) -> Result<&[MaskRow], StoreError> {
        cell(&self.masks, || {
            let mut rows = BTreeMap::new();
            self.common.masks_of(self.host(), &mut rows)?;
            let view = self.common.view();
            for edge in self.host().edges(Table::Subdomain) {
                let Some(name) = name_of(read_part(&edge.counterpart)) else { continue };
                let object = view.table(&ObjectKey::domain(name.without_www()), Table::Listing)?;
                self.common.masks_of(&object, &mut rows)?;
            }
            let mut ancestor = self.name.without_www();
            while let Some((_, parent)) = ancestor.split_once('.') {
                ancestor = parent;
                self.covering_masks(&ObjectKey::domain(parent), &mut rows)?;
            }
            self.wildcard_masks(&mut rows)?;
            Ok(super::order_masks(rows))
        })
        .map(Vec::as_slice)
    }

    fn covering_masks(
        &self,
        object: &ObjectKey,
        rows: &mut BTreeMap<(Zone, String), MaskRow>,
    ) -> Result<(), StoreError> {
        let host = Host::Domain(self.name.clone());
        let object = self.common.view().table(object, Table::Listing)?;
        for statement in object.statements(Table::Listing) {
            let listing: crate::fact::Listing = statement.fact()?;
            let crate::fact::Listed::Mask(mask) = listing.what else { continue };
            if mask.matches_host(&host) {
                self.common.add_mask(mask, statement, rows)?;
            }
        }
        Ok(())
    }

    /// Wildcards without a fixed host that match the bare host.
    fn wildcard_masks(&self, rows: &mut BTreeMap<(Zone, String), MaskRow>) -> Result<(), StoreError> {
        for found in self.common.judge.wildcards_of(&Host::Domain(self.name.clone()))? {
            self.covering_masks(&ObjectKey::mask(&found), rows)?;
        }
        Ok(())
    }

    /// The registration of the registrable domain.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn registration(&self) -> Result<Option<&Registration>, StoreError> {
        cell(&self.registration, || {
            let Some(domain) = self.name.registrable() else { return Ok(None) };
            registration(self.common.view(), domain)
        })
        .map(Option::as_ref)
    }

    /// Known names that look alike.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn similar(&self) -> Result<Vec<SimilarRow>, StoreError> {
        let owner = Owner::of(self.common.judge, &self.name, self.registration()?)?;
        near(self.common.judge, &self.name, &owner)
    }

    /// When the domain was first and last seen: observed, or said something of.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        let tables = [
            Table::Resolves,
            Table::Record,
            Table::RecordOf,
            Table::Downloaded,
            Table::AccessedBy,
            Table::ReferredBy,
            Table::RefersTo,
            Table::NameCertificate,
            Table::Contact,
        ];
        let own = |object: &Object| -> Vec<(Timestamp, Timestamp)> {
            let edges =
                tables.iter().flat_map(|table| object.edges(*table)).map(|edge| moments(&edge.observed));
            let urls = object.edges(Table::Url).iter().filter(|edge| self.is_own_url(edge));
            let listed = object.statements(Table::Listing).map(|one| (one.first, one.last));
            edges.chain(urls.map(|edge| moments(&edge.observed))).chain(listed).collect()
        };
        let mut all = own(&self.common.own);
        if let Some(host) = &self.host {
            all.extend(own(host));
        }
        let first = all.iter().map(|(first, _)| *first).min()?;
        let last = all.iter().map(|(_, last)| *last).max()?;
        Some((first, last))
    }

    /// Distinct IPv4 addresses among the resolutions.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn ipv4_count(&self) -> Result<u64, StoreError> {
        let list = self.resolutions()?;
        let shown = list.rows.iter().filter(|row| row.address.is_ipv4()).count() as u64;
        if list.total == list.rows.len() as u64 {
            return Ok(shown);
        }
        let direct = self.common.own.edges(Table::Resolves).iter();
        let v4 =
            direct.filter(|edge| address_of(read_part(&edge.counterpart)).is_some_and(|ip| ip.is_ipv4()));
        Ok((v4.count() as u64).max(shown))
    }

    /// Where to read more of the evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn references(&self) -> Result<References, StoreError> {
        let mut references = References::new();
        let mut name = Some(self.name.without_www());
        while let Some(host) = name.filter(|_| !self.common.verdict.found.is_empty()) {
            self.common.add_references(&ObjectKey::domain(host), &mut references)?;
            name = host.split_once('.').map(|(_, parent)| parent);
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

    /// The best rank in a list of popular names.
    pub fn popularity(&self) -> Option<u32> {
        self.common.verdict.benign.iter().filter_map(|benign| benign.rank).min()
    }
}

/// The aliases of a name.
fn aliases(object: &Object) -> impl Iterator<Item = (String, &Edge)> {
    let cname = RecordType::CNAME.0.to_be_bytes();
    object.edges(Table::Record).iter().filter_map(move |edge| {
        let target = edge.counterpart.strip_prefix(&cname)?;
        Some((std::str::from_utf8(target).ok()?.to_owned(), edge))
    })
}

/// What can be said of a name through an alias: no more often and no longer than each part was seen.
pub(super) fn both(a: &Observed, b: &Observed) -> Observed {
    let (few, many) = if a.hits() <= b.hits() { (a, b) } else { (b, a) };
    let mut joined = few.clone();
    joined.first = a.first.max(b.first).min(few.last);
    joined.last = a.last.min(b.last).max(joined.first);
    joined.days.retain(|(day, _)| {
        let start = i64::from(*day) * crate::value::DAY_S;
        start <= i64::from(many.last) && start + crate::value::DAY_S > i64::from(many.first)
    });
    if let Some(span) = &mut joined.span {
        let day = |seconds: u32| seconds / crate::value::DAY_S as u32;
        span.peak.day = span.peak.day.clamp(day(joined.first), day(joined.last));
    }
    if joined.days.is_empty() && joined.span.is_none() && joined.total.is_none() {
        joined.days = vec![(joined.last / crate::value::DAY_S as u32, few.hits())];
    }
    joined
}

fn reversed(name: &str) -> String {
    let mut key = Vec::with_capacity(name.len());
    crate::store::key::push_reversed(&mut key, name);
    String::from_utf8(key).unwrap_or_default()
}
