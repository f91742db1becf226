//! From facts to rows: the one place that says which tables a fact fills.
//!
//! ARCHITECTURE.md holds the same as a table: section → facts → tables.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::flagged::{self, Flagger};
use super::key::{ObjectKey, Table, push_address, push_domain, push_file, push_url};
use super::manifest::Counts;
use super::observed::{Observed, seconds};
use super::sort::Sorter;
use super::value::{Entry, push_entry};
use crate::fact::{
    Access, Certificate, Download, Fact, Listed, Rdata, Registration, Resolution, Seen, WebRequest,
};
use crate::indicator::{DomainName, FileHash, FileHashes, Host, Indicator, Mask, Url, is_reserved, to_u128};
use crate::value::Timestamp;

/// Turns the facts of one batch into rows.
pub struct RowMaker {
    /// Where the rows go.
    sorter: Sorter,
    source: u16,
    counts: Counts,
    /// The moment of facts without a date.
    moment: Timestamp,
    key: Vec<u8>,
    value: Vec<u8>,
    /// The name whose ancestors were found last, and they: telemetry repeats names.
    last_name: String,
    ancestors: Vec<String>,
    /// Names that were yielded as known, and for which time: by hash, each slot the last.
    known: Vec<Known>,
    /// Edges of passive DNS that were seen lately: popular ones come again and again, and are one row.
    edges: Vec<Option<Box<Edge>>>,
    /// Edges that left their slot to another since there are so many slots.
    left: usize,
    /// What was known before the batch: for candidates.
    flagger: Flagger,
}

/// A name and an address that it resolved to, not yet yielded.
struct Edge {
    hash: u64,
    name: DomainName,
    address: IpAddr,
    observed: Observed,
}

/// Slots of edges that were seen lately: of a small batch few, of a large one, once so many edges had to leave
/// theirs, four times as many, up to these.
const EDGE_SLOTS: std::ops::RangeInclusive<usize> = 1 << 10..=1 << 20;

fn slots(count: usize) -> Vec<Option<Box<Edge>>> {
    (0..count).map(|_| None).collect()
}

/// A name that stands below its ancestors already, for the time from `first` to `last`.
#[derive(Clone, Copy, Default)]
struct Known {
    hash: u64,
    first: u32,
    last: u32,
}

/// Slots of names that were yielded as known: telemetry repeats names, and once is enough.
const KNOWN_SLOTS: usize = 1 << 16;

impl RowMaker {
    /// Rows of a batch of `source`.
    pub fn new(sorter: Sorter, source: u16, counts: Counts, moment: Timestamp, flagger: Flagger) -> RowMaker {
        let (key, value) = (Vec::new(), Vec::new());
        let known = vec![Known::default(); KNOWN_SLOTS];
        let (last_name, ancestors) = (String::new(), Vec::new());
        let edges = slots(*EDGE_SLOTS.start());
        RowMaker {
            sorter,
            source,
            counts,
            moment,
            key,
            value,
            last_name,
            ancestors,
            known,
            edges,
            left: 0,
            flagger,
        }
    }

    /// Yields the rows of a fact.
    ///
    /// # Errors
    ///
    /// What the file system says of a temporary file.
    pub fn rows(&mut self, fact: &Fact) -> io::Result<()> {
        match fact {
            Fact::Resolution(fact) => self.resolution(fact),
            Fact::WebRequest(fact) => self.web_request(fact),
            Fact::Download(fact) => self.download(fact),
            Fact::Access(fact) => self.access(fact),
            Fact::Certificate(fact) => self.certificate(fact),
            Fact::Contact(fact) => {
                let object = ObjectKey::indicator(&fact.indicator);
                let client = format!("{}\0{}", fact.client, fact.sensor.as_deref().unwrap_or(""));
                self.observe(&fact.seen);
                self.row(Table::Contact, &object.0, |key| key.extend_from_slice(client.as_bytes()))
            }
            Fact::FileVerdict(verdict) => {
                self.aliases(&verdict.file)?;
                self.file_statement(Table::FileVerdict, &verdict.file, verdict)?;
                let observed = Observed::known(verdict.observed.unwrap_or(self.moment));
                for name in verdict.names.iter().take(FILE_NAMES_MAX) {
                    self.file_named(name, &verdict.file, &observed)?;
                }
                if flagged::condemns(verdict) {
                    self.flag_edges(|flagger, take| flagger.edges_of_file(&verdict.file, take))?;
                }
                Ok(())
            }
            Fact::Listing(fact) => {
                self.listed(Table::Listing, &fact.what, fact)?;
                if flagged::lists(fact) {
                    self.flag_listed(&fact.what)?;
                }
                Ok(())
            }
            Fact::Benign(fact) => self.listed(Table::Benign, &fact.what, fact),
            Fact::Registration(fact) => {
                self.statement(Table::Registration, &ObjectKey::domain(fact.domain.as_str()), fact)?;
                self.registered_with(fact)
            }
            Fact::Network(fact) => self.statement(Table::Network, &ObjectKey::network(&fact.range), fact),
            Fact::SpamReport(fact) => {
                self.statement(Table::Spam, &ObjectKey::indicator(&fact.indicator), fact)
            }
            Fact::PhishingReport(fact) => {
                self.statement(Table::Phishing, &ObjectKey::indicator(&fact.indicator), fact)
            }
            Fact::Publication(fact) => {
                self.statement(Table::Publication, &ObjectKey::publication(&fact.id), fact)
            }
            Fact::Mention(fact) => {
                let indicator = ObjectKey::indicator(&fact.indicator);
                let publication = ObjectKey::publication(&fact.publication);
                self.statement(Table::Mention, &indicator, fact)?;
                self.statement(Table::MentionOf, &publication, fact)
            }
            Fact::PortState(fact) => {
                self.statement(Table::PortState, &ObjectKey::indicator(&fact.host), fact)
            }
            Fact::Sighting(fact) => {
                self.statement(Table::Sighting, &ObjectKey::indicator(&fact.indicator), fact)
            }
            Fact::FalsePositive(fact) => {
                self.statement(Table::FalsePositive, &ObjectKey::indicator(&fact.indicator), fact)
            }
            Fact::Pin(said) => {
                self.statement(Table::Pin, &ObjectKey::indicator(&said.indicator), said)?;
                self.said_of(fact.kind(), &said.indicator)
            }
            Fact::Note(said) => {
                self.statement(Table::Note, &ObjectKey::indicator(&said.indicator), said)?;
                self.said_of(fact.kind(), &said.indicator)
            }
        }
    }

    /// Ends the batch: yields what was held back, and gives the sorter.
    ///
    /// # Errors
    ///
    /// What the file system says of a temporary file.
    pub fn finish(mut self) -> io::Result<Sorter> {
        for edge in std::mem::take(&mut self.edges).into_iter().flatten() {
            self.edge(&edge)?;
        }
        Ok(self.sorter)
    }

    /// An address of a name: joined with those of the same pair that came lately.
    fn address(&mut self, name: &DomainName, address: IpAddr, observed: Observed) -> io::Result<()> {
        let hash = xxh3_64_with_seed(name.as_str().as_bytes(), to_u128(address) as u64);
        let at = hash as usize % self.edges.len();
        let slot = &mut self.edges[at];
        if let Some(edge) = slot.as_mut().filter(|edge| edge.address == address && edge.name == *name) {
            edge.observed.merge(&observed);
            return Ok(());
        }
        let new = Box::new(Edge { hash, name: name.clone(), address, observed });
        let Some(old) = slot.replace(new) else { return Ok(()) };
        self.left += 1;
        self.edge(&old)?;
        if self.left > self.edges.len() && self.edges.len() < *EDGE_SLOTS.end() {
            self.grow();
        }
        Ok(())
    }

    /// Four times as many slots: of two edges in one there were never any, so each finds its own.
    fn grow(&mut self) {
        let more = slots(self.edges.len() * 4);
        for edge in std::mem::replace(&mut self.edges, more).into_iter().flatten() {
            let at = edge.hash as usize % self.edges.len();
            self.edges[at] = Some(edge);
        }
        self.left = 0;
    }

    fn edge(&mut self, edge: &Edge) -> io::Result<()> {
        self.value.clear();
        edge.observed.encode(&mut self.value);
        let name = edge.name.as_str();
        self.row_of_name(Table::Resolves, name, |key| push_address(key, edge.address))?;
        // Sinkholes and private ranges: what resolves to them is not related by that.
        if !is_reserved(edge.address) {
            self.key.clear();
            push_address(&mut self.key, edge.address);
            self.end_row(Table::ResolvedBy, |key| push_domain(key, name))?;
            self.flag_edge(edge)?;
        }
        let seconds = |at: u32| Timestamp(i64::from(at));
        self.known(name, seconds(edge.observed.first), seconds(edge.observed.last))
    }

    /// Candidates: the name of the address where it is listed, and the address of the name.
    fn flag_edge(&mut self, edge: &Edge) -> io::Result<()> {
        let name = edge.name.as_str();
        let (by_name, by_address) =
            (self.flagger.lists_name(name)?, self.flagger.lists_address(edge.address)?);
        if !by_name && !by_address {
            return Ok(());
        }
        let (domain, address) = (ObjectKey::domain(name), ObjectKey::address(edge.address));
        if by_name {
            self.flag(&address.0, &domain.0, &edge.observed)?;
        }
        if by_address {
            self.flag(&domain.0, &address.0, &edge.observed)?;
        }
        Ok(())
    }

    /// Candidates of a new listing: the edges of what it lists, and that a name stands below those above it.
    fn flag_listed(&mut self, what: &Listed) -> io::Result<()> {
        if let Listed::Mask(mask) = what
            && let Some(Host::Domain(name)) = mask.listed_under()
        {
            let observed = Observed::known(self.moment);
            for ancestor in ancestors(name.as_str()) {
                self.flag(&ObjectKey::domain(ancestor).0, &ObjectKey::domain(name.as_str()).0, &observed)?;
            }
        }
        self.flag_edges(|flagger, take| flagger.edges_of(what, take))
    }

    /// Candidates that the runs before this batch know edges of.
    fn flag_edges(
        &mut self,
        edges: impl FnOnce(&Flagger, &mut flagged::Take<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let flagger = self.flagger.clone();
        edges(&flagger, &mut |object, counterpart, observed| self.flag(object, counterpart, observed))
    }

    fn flag(&mut self, object: &[u8], counterpart: &[u8], observed: &Observed) -> io::Result<()> {
        let (key, value) = flagged_row(object, counterpart, observed, self.source);
        self.sorter.push(&key, &value)
    }

    fn resolution(&mut self, fact: &Resolution) -> io::Result<()> {
        let name = fact.rrname.as_str();
        if let Rdata::Address(address) = fact.rdata {
            let observed = self.observed(&fact.seen);
            self.address(&fact.rrname, address, observed)?;
        }
        self.observe(&fact.seen);
        match &fact.rdata {
            Rdata::Address(_) if fact.via.is_empty() => return Ok(()),
            Rdata::Address(address) => {
                let via = fact.via.iter().map(DomainName::as_str).collect::<Vec<_>>().join(" ");
                return self.row_of_name(Table::Via, name, |key| {
                    push_address(key, *address);
                    key.extend_from_slice(via.as_bytes());
                });
            }
            Rdata::Name(target) => {
                let number = fact.rrtype.0.to_be_bytes();
                self.row_of_name(Table::Record, name, |key| {
                    key.extend_from_slice(&number);
                    key.extend_from_slice(target.as_str().as_bytes());
                })?;
                self.row_of_name(Table::RecordOf, target.as_str(), |key| {
                    key.extend_from_slice(&number);
                    key.extend_from_slice(name.as_bytes());
                })?;
            }
            Rdata::Text(text) => {
                self.row_of_name(Table::Record, name, |key| {
                    key.extend_from_slice(&fact.rrtype.0.to_be_bytes());
                    key.extend_from_slice(cut(text, TEXT_BYTES_MAX).as_bytes());
                })?;
            }
        }
        self.known(name, fact.seen.first, fact.seen.last)
    }

    fn web_request(&mut self, fact: &WebRequest) -> io::Result<()> {
        self.known_host(&fact.url.host(), &fact.seen)?;
        self.observe(&fact.seen);
        self.url(&fact.url)?;
        if let Some(address) = fact.address.filter(|address| !is_reserved(*address)) {
            self.row(Table::Served, &ObjectKey::address(address).0, |key| push_url(key, &fact.url))?;
        }
        let Some(referrer) = &fact.referrer else { return Ok(()) };
        self.known_host(&referrer.host(), &fact.seen)?;
        self.observe(&fact.seen);
        self.url(referrer)?;
        let (to, from) = (ObjectKey::url(&fact.url), ObjectKey::url(referrer));
        self.row(Table::UrlReferredBy, &to.0, |key| push_url(key, referrer))?;
        self.row(Table::UrlRefersTo, &from.0, |key| push_url(key, &fact.url))?;
        let (to, from) = (ObjectKey::host(&fact.url.host()), ObjectKey::host(&referrer.host()));
        if to == from {
            return Ok(());
        }
        self.row(Table::ReferredBy, &to.0, |key| push_url(key, referrer))?;
        self.row(Table::RefersTo, &from.0, |key| push_url(key, &fact.url))
    }

    fn download(&mut self, fact: &Download) -> io::Result<()> {
        let Some(hash) = fact.file.best() else { return Ok(()) };
        self.aliases(&fact.file)?;
        if let Some(url) = &fact.url {
            self.known_host(&url.host(), &fact.seen)?;
        }
        self.observe(&fact.seen);
        let file = ObjectKey::file(&hash);
        if let Some(url) = &fact.url {
            let host = url.host();
            self.row(Table::Downloaded, &ObjectKey::host(&host).0, |key| {
                push_file(key, &hash);
                push_url(key, url);
            })?;
            self.row(Table::FileFrom, &file.0, |key| push_url(key, url))?;
            self.row(Table::UrlDownloaded, &ObjectKey::url(url).0, |key| push_file(key, &hash))?;
            self.file_below(&host, &hash)?;
            self.url(url)?;
            let observed = self.observed(&fact.seen);
            self.file_named(file_name(url), &fact.file, &observed)?;
            if self.flagger.lists_file(&hash)? {
                let observed = self.observed(&fact.seen);
                self.flag(&ObjectKey::host(&host).0, &file.0, &observed)?;
            }
        }
        let Some(address) = fact.address.filter(|address| !is_reserved(*address)) else { return Ok(()) };
        let object = ObjectKey::address(address);
        self.row(Table::FileServed, &object.0, |key| {
            push_file(key, &hash);
            if let Some(url) = &fact.url {
                push_url(key, url);
            }
        })?;
        match &fact.url {
            Some(url) => self.row(Table::Served, &object.0, |key| push_url(key, url)),
            None => self.row(Table::FileFrom, &file.0, |key| push_address(key, address)),
        }
    }

    fn access(&mut self, fact: &Access) -> io::Result<()> {
        let Some(hash) = fact.file.best() else { return Ok(()) };
        self.aliases(&fact.file)?;
        self.observe(&fact.seen);
        let file = ObjectKey::file(&hash);
        let (host, url) = match &fact.target {
            Indicator::Domain(name) => (Host::Domain(name.clone()), None),
            Indicator::Address(address) => (Host::Address(*address), None),
            Indicator::Url(url) => (url.host(), Some(url)),
            Indicator::File(_) => return Ok(()),
        };
        self.known_host(&host, &fact.seen)?;
        self.observe(&fact.seen);
        self.row(Table::FileAccess, &file.0, |key| match url {
            Some(url) => push_url(key, url),
            None => key.extend_from_slice(&ObjectKey::indicator(&fact.target).0),
        })?;
        self.row(Table::AccessedBy, &ObjectKey::host(&host).0, |key| {
            push_file(key, &hash);
            if let Some(url) = url {
                push_url(key, url);
            }
        })?;
        self.file_below(&host, &hash)?;
        let Some(url) = url else { return Ok(()) };
        self.row(Table::UrlAccessedBy, &ObjectKey::url(url).0, |key| push_file(key, &hash))?;
        self.url(url)
    }

    fn certificate(&mut self, fact: &Certificate) -> io::Result<()> {
        self.statement(Table::Certificate, &ObjectKey::certificate(&fact.digest), fact)?;
        self.observe(&fact.seen);
        for name in fact.names.iter().chain(&fact.server_name) {
            self.row_of_name(Table::NameCertificate, name.as_str(), |key| {
                key.extend_from_slice(fact.digest.as_bytes());
            })?;
        }
        if let Some(address) = fact.address {
            let object = ObjectKey::address(address);
            self.row(Table::AddressCertificate, &object.0, |key| {
                key.extend_from_slice(fact.digest.as_bytes())
            })?;
        }
        for name in fact.names.iter().chain(&fact.server_name) {
            self.known(name.as_str(), fact.seen.first, fact.seen.last)?;
        }
        Ok(())
    }

    /// A URL on its host and on the names above it.
    fn url(&mut self, url: &Url) -> io::Result<()> {
        let host = url.host();
        self.row(Table::Url, &ObjectKey::host(&host).0, |key| push_url(key, url))?;
        let Host::Domain(name) = &host else { return Ok(()) };
        self.each_ancestor(name.as_str(), |this, ancestor| {
            this.row_of_name(Table::Url, ancestor, |key| push_url(key, url))
        })
    }

    /// A file on the names above a host: they count it for their subdomains.
    fn file_below(&mut self, host: &Host, hash: &FileHash) -> io::Result<()> {
        let Host::Domain(name) = host else { return Ok(()) };
        self.each_ancestor(name.as_str(), |this, ancestor| {
            this.row_of_name(Table::FileBelow, ancestor, |key| {
                push_domain(key, name.as_str());
                push_file(key, hash);
            })
        })
    }

    fn known_host(&mut self, host: &Host, seen: &Seen) -> io::Result<()> {
        match host {
            Host::Domain(name) => self.known(name.as_str(), seen.first, seen.last),
            Host::Address(_) => Ok(()),
        }
    }

    /// A known name below the names above it, down from the registrable domain, for a time.
    fn known(&mut self, name: &str, first: Timestamp, last: Timestamp) -> io::Result<()> {
        let (first, last) = (seconds(first), seconds(last).max(seconds(first)));
        let hash = xxh3_64(name.as_bytes());
        let slot = &mut self.known[hash as usize % KNOWN_SLOTS];
        if slot.hash == hash && slot.first <= first && last <= slot.last {
            return Ok(());
        }
        *slot = if slot.hash == hash {
            Known { hash, first: slot.first.min(first), last: slot.last.max(last) }
        } else {
            Known { hash, first, last }
        };
        let observed = Observed { first: slot.first, last: slot.last, ..Observed::default() };
        self.value.clear();
        observed.encode(&mut self.value);
        self.each_ancestor(name, |this, ancestor| {
            this.row_of_name(Table::Subdomain, ancestor, |key| push_domain(key, name))
        })?;
        if self.flagger.lists_name(name)? {
            for ancestor in ancestors(name) {
                self.flag(&ObjectKey::domain(ancestor).0, &ObjectKey::domain(name).0, &observed)?;
            }
        }
        Ok(())
    }

    /// Calls `with` for each name above `name` down from its registrable domain, the nearest first.
    fn each_ancestor(
        &mut self,
        name: &str,
        mut with: impl FnMut(&mut Self, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.last_name != name {
            self.ancestors.clear();
            self.ancestors.extend(ancestors(name).map(str::to_owned));
            name.clone_into(&mut self.last_name);
        }
        let ancestors = std::mem::take(&mut self.ancestors);
        let result = ancestors.iter().try_for_each(|ancestor| with(self, ancestor));
        self.ancestors = ancestors;
        result
    }

    /// What a registration is found by: the registrant, e-mail addresses of all contacts, and name servers.
    fn registered_with(&mut self, fact: &Registration) -> io::Result<()> {
        self.value.clear();
        push_entry(&mut self.value, &Entry { from: 0, to: 0, payload: b"" });
        let mut terms: BTreeSet<(Table, ObjectKey)> = BTreeSet::new();
        for contact in &fact.contacts {
            let is_registrant = contact.contact_type.as_deref() == Some("registrant");
            let names =
                [&contact.name, &contact.organization].into_iter().filter(|_| is_registrant).flatten();
            terms.extend(names.map(|name| (Table::RegistrantOf, ObjectKey::term(name))));
            terms.extend(contact.email.iter().map(|email| (Table::EmailOf, ObjectKey::term(email))));
        }
        terms.extend(
            fact.name_servers.iter().map(|name| (Table::NameServerOf, ObjectKey::term(name.as_str()))),
        );
        for (table, term) in terms {
            self.row(table, &term.0, |key| push_domain(key, fact.domain.as_str()))?;
        }
        Ok(())
    }

    /// Finds what something of a kind was said of.
    fn said_of(&mut self, kind: &str, indicator: &Indicator) -> io::Result<()> {
        self.value.clear();
        push_entry(&mut self.value, &Entry { from: 0, to: 0, payload: b"" });
        let said_of = ObjectKey::indicator(indicator);
        self.row(Table::SaidOf, &ObjectKey::term(kind).0, |key| key.extend_from_slice(&said_of.0))
    }

    /// A file under a name; of a file with several hashes under the one that stands for it.
    fn file_named(&mut self, name: &str, file: &FileHashes, observed: &Observed) -> io::Result<()> {
        let (name, hash) = (name.trim(), file.best());
        let Some(hash) = hash.filter(|_| !name.is_empty()) else { return Ok(()) };
        self.value.clear();
        observed.encode(&mut self.value);
        self.row(Table::FileNamed, &ObjectKey::term(name).0, |key| push_file(key, &hash))
    }

    /// Every hash of a file leads to every other.
    fn aliases(&mut self, file: &FileHashes) -> io::Result<()> {
        if file.iter().count() < 2 {
            return Ok(());
        }
        self.value.clear();
        Observed::known(self.moment).encode(&mut self.value);
        for hash in file.iter() {
            for other in file.iter().filter(|other| *other != hash) {
                self.row(Table::FileAlias, &ObjectKey::file(&hash).0, |key| push_file(key, &other))?;
            }
        }
        Ok(())
    }

    fn listed(&mut self, table: Table, what: &Listed, fact: &impl Serialize) -> io::Result<()> {
        match what {
            Listed::File { file } => {
                self.aliases(file)?;
                self.file_statement(table, file, fact)
            }
            Listed::Mask(mask) => {
                self.mask_statement(table, mask, fact)?;
                let Some(Host::Domain(name)) = mask.listed_under() else { return Ok(()) };
                self.known(name.as_str(), self.moment, self.moment)
            }
        }
    }

    /// A statement on a mask: what is listed is the identity, so that the row of batches that list it is one.
    fn mask_statement(&mut self, table: Table, mask: &Mask, fact: &impl Serialize) -> io::Result<()> {
        let object = ObjectKey::mask(mask);
        self.payload(fact)?;
        self.row(table, &object.0, |key| {
            key.push(super::snapshot::mask_type_byte(mask.mask_type()));
            key.extend_from_slice(&mask.port().unwrap_or(0).to_be_bytes());
            key.extend_from_slice(cut(mask.text(), TEXT_BYTES_MAX).as_bytes());
        })
    }

    /// A statement on a file stands at each of its hashes.
    fn file_statement(&mut self, table: Table, file: &FileHashes, fact: &impl Serialize) -> io::Result<()> {
        for hash in file.iter() {
            self.statement(table, &ObjectKey::file(&hash), fact)?;
        }
        Ok(())
    }

    /// A statement, its own content the identity.
    fn statement(&mut self, table: Table, object: &ObjectKey, fact: &impl Serialize) -> io::Result<()> {
        let digest = self.payload(fact)?;
        self.row(table, &object.0, |key| key.extend_from_slice(&digest.to_be_bytes()))
    }

    /// Makes a statement the value of the next rows; returns a digest of it.
    fn payload(&mut self, fact: &impl Serialize) -> io::Result<u64> {
        let payload = serde_json::to_vec(fact)?;
        self.value.clear();
        push_entry(&mut self.value, &Entry { from: 0, to: 0, payload: &payload });
        Ok(xxh3_64(&payload))
    }

    /// Makes an observation the value of the next rows.
    fn observe(&mut self, seen: &Seen) {
        let observed = self.observed(seen);
        self.value.clear();
        observed.encode(&mut self.value);
    }

    fn observed(&self, seen: &Seen) -> Observed {
        match self.counts {
            Counts::Additive => Observed::additive(seen),
            Counts::Cumulative => Observed::cumulative(seen, self.moment),
        }
    }

    fn row_of_name(
        &mut self,
        table: Table,
        name: &str,
        counterpart: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        self.key.clear();
        push_domain(&mut self.key, name);
        self.end_row(table, counterpart)
    }

    fn row(&mut self, table: Table, object: &[u8], counterpart: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.key.clear();
        self.key.extend_from_slice(object);
        self.end_row(table, counterpart)
    }

    fn end_row(&mut self, table: Table, counterpart: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.key.push(table as u8);
        counterpart(&mut self.key);
        self.key.extend_from_slice(&self.source.to_be_bytes());
        self.sorter.push(&self.key, &self.value)
    }
}

/// A candidate of [`Table::Flagged`]: without hits, since other rows count them.
pub fn flagged_row(
    object: &[u8],
    counterpart: &[u8],
    observed: &Observed,
    source: u16,
) -> (Vec<u8>, Vec<u8>) {
    let key = [object, &[Table::Flagged as u8], counterpart, &source.to_be_bytes()].concat();
    let mut value = Vec::new();
    Observed { first: observed.first, last: observed.last, ..Observed::default() }.encode(&mut value);
    (key, value)
}

/// The most names of one examined file that it is found by.
const FILE_NAMES_MAX: usize = 100;

/// The last part of a URL's path without its parameters; empty where the path ends with a slash.
fn file_name(url: &Url) -> &str {
    let path = url.rest().split(['?', ';']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// How much of a record's text stands in a key.
const TEXT_BYTES_MAX: usize = 4096;

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The names above `name`, the nearest first, down from its registrable domain; of a private suffix
/// (`web.app`) the suffix too, whose report lists what stands below it.
pub fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let suffix = psl::suffix(name.as_bytes());
    let suffix_len = suffix.map_or(0, |suffix| suffix.as_bytes().len());
    let private = suffix.is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private));
    let least = if private { suffix_len } else { suffix_len + 1 };
    let above = |name: &str| name.find('.').map(|dot| dot + 1);
    let mut rest = above(name).map(|at| &name[at..]);
    std::iter::from_fn(move || {
        let ancestor = rest.filter(|ancestor| ancestor.len() >= least && suffix_len > 0)?;
        rest = above(ancestor).map(|at| &ancestor[at..]);
        Some(ancestor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_end_at_the_registrable_domain_or_the_private_suffix() {
        let all = |name| ancestors(name).collect::<Vec<_>>();
        assert_eq!(all("a.b.example.co.uk"), ["b.example.co.uk", "example.co.uk"]);
        assert_eq!(all("example.co.uk"), [""; 0]);
        assert_eq!(all("evil.web.app"), ["web.app"]);
        assert_eq!(all("com"), [""; 0]);
        assert_eq!(all("a.localhost"), [""; 0]);
    }
}
