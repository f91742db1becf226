//! The dossier of an address.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::rows::{Candidate, FileRow, List, NameRow, UrlRow, moments};
use super::{Common, MaskRow, ROWS_MAX, References, Terms, cell, name_of, overlap};
use crate::fact::{Network, RecordType};
use crate::indicator::{DomainName, Host, is_reserved};
use crate::store::hot::Kind;
use crate::store::observed::Observed;
use crate::store::{Edge, ObjectKey, Part, StoreError, Table, read_part};
use crate::value::{CountryCode, Timestamp, Zone};
use crate::verdict::Judge;
use crate::verdict::related::SHARED_DOMAINS;

/// What is gathered of an address.
pub struct AddressDossier<'a> {
    /// What dossiers of all kinds have.
    pub common: Common<'a>,
    /// The address.
    pub address: IpAddr,
    names: OnceCell<List<NameRow>>,
    registrable: OnceCell<u64>,
    files: OnceCell<List<FileRow>>,
    urls: OnceCell<List<UrlRow>>,
    masks: OnceCell<Vec<MaskRow>>,
    networks: OnceCell<Networks>,
}

/// The networks that hold an address, and what they say.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// The autonomous systems with their names, of the narrowest network first.
    pub systems: Vec<(u32, Vec<String>)>,
    /// The country that the narrowest one names.
    pub country: Option<CountryCode>,
    /// The narrowest one that is registered, else the narrowest.
    pub network: Option<Network>,
}

impl<'a> AddressDossier<'a> {
    /// Opens the dossier of an address.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn open(
        judge: &'a Judge<'a>,
        address: IpAddr,
        terms: Terms<'a>,
    ) -> Result<AddressDossier<'a>, StoreError> {
        let own = judge.view().object(&ObjectKey::address(address))?;
        let verdict = judge.address(address)?;
        Ok(AddressDossier {
            common: Common::new(judge, own, verdict, terms),
            address,
            names: OnceCell::new(),
            registrable: OnceCell::new(),
            files: OnceCell::new(),
            urls: OnceCell::new(),
            masks: OnceCell::new(),
            networks: OnceCell::new(),
        })
    }

    /// Whether the address is special-purpose and not reachable: then nothing else is said of it.
    pub fn is_reserved(&self) -> bool {
        is_reserved(self.address)
    }

    /// Whether anything at all is known, a network that holds it included.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn is_known(&self) -> Result<bool, StoreError> {
        let verdict = &self.common.verdict;
        let judged = !verdict.found.is_empty() || !verdict.benign.is_empty() || verdict.pin.is_some();
        let networks = self.networks()?;
        let held = networks.network.is_some() || networks.country.is_some() || !networks.systems.is_empty();
        Ok(judged || held || !self.common.own.is_empty() || !self.masks()?.is_empty())
    }

    /// Names that resolved to the address, through aliases too.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn names(&self) -> Result<&List<NameRow>, StoreError> {
        cell(&self.names, || {
            let edges = self.common.own.edges(Table::ResolvedBy);
            let mut candidates = Vec::with_capacity(edges.len());
            for edge in edges {
                let Some(name) = name_of(read_part(&edge.counterpart)) else { continue };
                let zone = self.common.judge.domain_zone(&name)?.0;
                let last = moments(&edge.observed).1;
                candidates.push(Candidate { zone, hits: edge.observed.hits(), last, edge });
            }
            let chosen = List::new(candidates, ROWS_MAX);
            let mut rows = Vec::with_capacity(chosen.rows.len());
            for candidate in &chosen.rows {
                let Some(name) = name_of(read_part(&candidate.edge.counterpart)) else { continue };
                rows.push(name_row(&name, candidate.zone, &candidate.edge.observed));
            }
            let (total, red) = (self.common.own.count(Table::ResolvedBy), chosen.red);
            self.with_aliases(List { total, red, ..List::new(rows, ROWS_MAX) })
        })
    }

    /// Adds the names that are aliases of those that are shown, as their own reports show the address.
    fn with_aliases(&self, list: List<NameRow>) -> Result<List<NameRow>, StoreError> {
        let mut known: BTreeSet<String> = list.rows.iter().map(|row| row.name.clone()).collect();
        let cname = RecordType::CNAME.0.to_be_bytes();
        let mut added = Vec::new();
        let direct_edges = self.common.own.edges(Table::ResolvedBy);
        for row in &list.rows {
            let key = ObjectKey::domain(&row.name);
            let object = self.common.view().table(&key, Table::RecordOf)?;
            // Edges stand in the order of their counterparts.
            let direct = direct_edges.binary_search_by(|edge| edge.counterpart.as_ref().cmp(&key.0));
            let Ok(direct) = direct.map(|at| &direct_edges[at]) else { continue };
            for edge in object.edges(Table::RecordOf) {
                let alias =
                    edge.counterpart.strip_prefix(&cname).and_then(|name| std::str::from_utf8(name).ok());
                let Some(alias) = alias.and_then(DomainName::from_normal) else { continue };
                if !known.contains(alias.as_str()) && overlap(&direct.observed, &edge.observed) {
                    let observed = super::domain::both(&edge.observed, &direct.observed);
                    let zone = self.common.judge.domain_zone(&alias)?.0;
                    added.push(name_row(&alias, zone, &observed));
                    known.insert(alias.as_str().to_owned());
                }
            }
        }
        if added.is_empty() {
            return Ok(list);
        }
        let total = list.total + added.len() as u64;
        let red = list.red + added.iter().filter(|row| row.zone == Zone::Red).count() as u64;
        let mut rows = list.rows;
        rows.extend(added);
        Ok(List { total, red, ..List::new(rows, ROWS_MAX) })
    }

    /// Distinct registrable domains that resolved to the address.
    pub fn registrable_domains(&self) -> u64 {
        *self.registrable.get_or_init(|| self.common.own.domains(Table::ResolvedBy))
    }

    /// Whether so many registrable domains share the address that relation through it says little.
    pub fn is_shared(&self) -> bool {
        self.registrable_domains() >= SHARED_DOMAINS as u64
    }

    /// Files downloaded from the address and from names that resolved to it at that time, and files that
    /// accessed it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn files(&self) -> Result<&List<FileRow>, StoreError> {
        cell(&self.files, || {
            let own = &self.common.own;
            let served = own.edges(Table::FileServed).iter().chain(own.edges(Table::Downloaded));
            let joined = self.joined(Table::Downloaded)?;
            let mut rows: BTreeMap<(String, Option<String>), FileRow> = BTreeMap::new();
            let downloads =
                self.common.files(served, true)?.into_iter().chain(self.common.files(joined.iter(), true)?);
            for row in downloads {
                let key = (row.md5.clone(), row.url.clone());
                // The same download seen at the server and at its name is one.
                let known = rows.entry(key).or_insert_with(|| row.clone());
                known.hits = known.hits.max(row.hits);
                known.first = known.first.min(row.first);
                known.last = known.last.max(row.last);
            }
            for mut row in self.common.files(own.edges(Table::AccessedBy).iter(), true)? {
                row.hits = 0;
                let key = (row.md5.clone(), row.url.clone());
                rows.entry(key).or_insert(row);
            }
            let mut list = List::new(rows.into_values().collect(), ROWS_MAX);
            for row in &mut list.rows {
                row.url.get_or_insert_with(|| self.address.to_string());
            }
            self.common.name_detections(&mut list)?;
            Ok(list)
        })
    }

    /// URLs of names that resolved to the address while they were seen, and URLs that contain it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn urls(&self) -> Result<&List<UrlRow>, StoreError> {
        cell(&self.urls, || {
            let own = &self.common.own;
            let joined = self.joined(Table::Url)?;
            let mut by_url: BTreeMap<&[u8], &Edge> = BTreeMap::new();
            for edge in own.edges(Table::Served).iter().chain(own.edges(Table::Url)).chain(&joined) {
                let known = by_url.entry(&edge.counterpart).or_insert(edge);
                if edge.observed.hits() > known.observed.hits() {
                    *known = edge;
                }
            }
            Ok(List::new(self.common.urls(by_url.into_values(), true)?, ROWS_MAX))
        })
    }

    /// Rows of a table of the names that are shown, at times that overlap with the resolution. Of an
    /// address with more names than a report shows, those of its answer are followed.
    fn joined(&self, table: Table) -> Result<Vec<Edge>, StoreError> {
        let mut edges = Vec::new();
        let mut hosts = BTreeSet::new();
        for row in &self.names()?.rows {
            let Some(name) = DomainName::from_store(&row.name) else { continue };
            let host = name.without_www();
            let (from, to) = (row.first.0, row.last.0);
            let object = self.common.view().table(&ObjectKey::domain(host), table)?;
            for edge in object.edges(table) {
                let (first, last) = moments(&edge.observed);
                let on_host = table != Table::Url || is_on(&edge.counterpart, host);
                if on_host
                    && first.0 <= to
                    && from <= last.0
                    && hosts.insert((host.to_owned(), edge.counterpart.clone()))
                {
                    edges.push(edge.clone());
                }
            }
        }
        Ok(edges)
    }

    /// Masks that cover or lie on the address or on a name that resolves to it, and networks that hold it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn masks(&self) -> Result<&[MaskRow], StoreError> {
        cell(&self.masks, || {
            let mut rows = BTreeMap::new();
            self.common.masks_of(&self.common.own, &mut rows)?;
            for range in self.common.ranges(self.address, |kind| kind == Kind::Listing)? {
                let object = self.common.view().table(&ObjectKey::network(&range), Table::Listing)?;
                self.common.masks_of(&object, &mut rows)?;
            }
            let mut seen = BTreeSet::new();
            for row in &self.names()?.rows {
                let Some(name) = DomainName::from_store(&row.name) else { continue };
                let mut host = name.without_www();
                if seen.insert(host.to_owned()) {
                    let object = self.common.view().table(&ObjectKey::domain(host), Table::Listing)?;
                    self.common.masks_of(&object, &mut rows)?;
                }
                while let Some((_, parent)) = host.split_once('.') {
                    host = parent;
                    if seen.insert(format!("*.{parent}")) {
                        self.masks_above(parent, &name, &mut rows)?;
                    }
                }
            }
            Ok(super::order_masks(rows))
        })
        .map(Vec::as_slice)
    }

    fn masks_above(
        &self,
        parent: &str,
        name: &DomainName,
        rows: &mut BTreeMap<(crate::value::Zone, String), MaskRow>,
    ) -> Result<(), StoreError> {
        let object = self.common.view().table(&ObjectKey::domain(parent), Table::Listing)?;
        let host = Host::Domain(name.clone());
        for statement in object.statements(Table::Listing) {
            let listing: crate::fact::Listing = statement.fact()?;
            let crate::fact::Listed::Mask(mask) = listing.what else { continue };
            if mask.matches_host(&host) {
                self.common.add_mask(mask, statement, rows)?;
            }
        }
        Ok(())
    }

    /// What the networks that hold the address say.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn networks(&self) -> Result<&Networks, StoreError> {
        cell(&self.networks, || self.common.networks_of(self.address))
    }

    /// Where to read more of the evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn references(&self) -> Result<References, StoreError> {
        let mut references = References::new();
        if self.common.verdict.found.is_empty() {
            return Ok(references);
        }
        self.common.add_references(&ObjectKey::address(self.address), &mut references)?;
        for range in self.common.ranges(self.address, |kind| kind == Kind::Listing)? {
            self.common.add_references(&ObjectKey::network(&range), &mut references)?;
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
        self.common.note_seen(self.seen().map(|(first, _)| first), &mut notes);
        let names = self.names()?;
        if names.total > names.rows.len() as u64 {
            notes.push(format!(
                "{} names resolved to this address: files and URLs are those of the {} that are listed",
                names.total,
                names.rows.len()
            ));
        }
        Ok(notes)
    }

    /// When the address was first and last observed.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        let edges = self.common.own.edges.iter().map(|edge| moments(&edge.observed));
        let listed = self.common.own.statements(Table::Listing).map(|one| (one.first, one.last));
        let large = self.common.own.large.iter();
        let large = large.map(|all| (Timestamp(i64::from(all.first)), Timestamp(i64::from(all.last))));
        edges.chain(listed).chain(large).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// How many observations of the address there are.
    pub fn hits(&self) -> u64 {
        let tables = [
            Table::ResolvedBy,
            Table::Served,
            Table::FileServed,
            Table::AccessedBy,
            Table::AddressCertificate,
        ];
        let own = &self.common.own;
        let of_table = |table: &Table| match &own.large {
            Some(large) if large.table == *table => large.hits,
            _ => own.edges(*table).iter().map(|edge| edge.observed.hits()).sum(),
        };
        tables.iter().map(of_table).sum()
    }
}

impl Common<'_> {
    /// What the networks that hold an address say.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn networks_of(&self, address: IpAddr) -> Result<Networks, StoreError> {
        let mut networks = Networks::default();
        let view = self.view();
        for range in self.ranges(address, |kind| kind == Kind::Network)?.iter().rev() {
            let object = view.table(&ObjectKey::network(range), Table::Network)?;
            let mut facts = Vec::new();
            for statement in object.statements(Table::Network).filter(|one| one.is_current()) {
                let source = view.snapshot().source_name(statement.source);
                let fact: Network = statement.fact()?;
                let at = fact.observed.unwrap_or(statement.last).max(statement.first);
                facts.push((std::cmp::Reverse(at), source, fact));
            }
            facts.sort_by_key(|(at, source, _)| (*at, *source));
            for (_, _, fact) in facts {
                networks.take(fact);
            }
        }
        Ok(networks)
    }
}

impl Networks {
    /// Takes in what a network says, the narrowest first.
    fn take(&mut self, fact: Network) {
        self.country = self.country.or(fact.country);
        if let Some(asn) = fact.asn {
            let names = match self.systems.iter().position(|(number, _)| *number == asn.0) {
                Some(at) => &mut self.systems[at].1,
                None => {
                    self.systems.push((asn.0, Vec::new()));
                    &mut self.systems.last_mut().expect("pushed above").1
                }
            };
            if let Some(name) = fact.as_name.as_ref().filter(|name| !names.contains(name)) {
                names.push(name.clone());
            }
        }
        let registered = |network: &Network| network.name.is_some() || !network.contacts.is_empty();
        if self.network.as_ref().is_none_or(|known| !registered(known) && registered(&fact)) {
            self.network = Some(fact);
        }
    }
}

fn name_row(name: &DomainName, zone: Zone, observed: &Observed) -> NameRow {
    let (first, last) = moments(observed);
    let (hits, peak) = (observed.hits(), observed.peak());
    NameRow { zone, name: name.as_str().to_owned(), hits, first, last, peak }
}

/// Whether a URL is on exactly this host, not below it.
fn is_on(counterpart: &[u8], host: &str) -> bool {
    match read_part(counterpart) {
        Some((Part::Url(key), _)) => {
            key.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        }
        _ => false,
    }
}
