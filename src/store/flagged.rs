//! Which related objects are listed: the candidates of [`Table::Flagged`].
//!
//! An edge and a listing of one of its ends come in batches of their own, in any order. Whichever is learnt
//! later writes the candidate: an edge asks the hot indexes of the runs that are live, a listing looks for
//! edges in them, and what was published meanwhile is asked before the batch is. So of every pair of live runs
//! the later one knows. A candidate proves nothing: reports judge it anew, and forget it where the edge or the
//! listing is gone.
//!
//! Wildcards without a fixed host have no candidates, nor have names below a listed public suffix.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use super::hot::{Entry, Kind, Probe};
use super::index::zone_of;
use super::key::{ObjectKey, Part, Table, object_len, read_part};
use super::observed::Observed;
use super::run::Run;
use super::snapshot::mask_type;
use super::value::entries;
use crate::fact::{FileVerdict, Listed, Listing};
use crate::indicator::{
    AddressRange, FileHash, FileHashes, Host, Mask, MaskType, Url, is_reserved, without_www,
};
use crate::value::{Category, Zone};

/// Takes a candidate: object, counterpart, and when the two were seen together.
pub type Take<'a> = dyn FnMut(&[u8], &[u8], &Observed) -> io::Result<()> + 'a;

/// Asks runs for listings and edges.
#[derive(Clone, Default)]
pub struct Flagger {
    runs: Vec<Arc<Run>>,
    seed: u64,
    /// The name that was asked for last: telemetry repeats names.
    last: (String, bool),
}

/// Names below a listed one that become candidates, the first in the order of names: more are looked for at
/// every refresh of a feed, and a lookup of any of them finds the listing by itself.
const BELOW_MAX: usize = 100_000;

fn is_evidence(entry: &Entry) -> bool {
    match entry.kind {
        Kind::Listing => {
            Category::from_index(entry.category).is_some_and(|category| category.zone().is_bad())
        }
        Kind::FileVerdict => zone_of(entry.category).is_some_and(Zone::is_bad),
        _ => false,
    }
}

/// Whether a listing can be evidence.
pub fn lists(fact: &Listing) -> bool {
    fact.category.is_some_and(|category| category.zone().is_bad())
}

/// Whether a file's verdict can be evidence.
pub fn condemns(fact: &FileVerdict) -> bool {
    fact.zone.is_some_and(Zone::is_bad)
}

impl Flagger {
    /// Asks these runs, whose hot indexes have this seed.
    pub fn new(runs: Vec<Arc<Run>>, seed: u64) -> Flagger {
        Flagger { runs, seed, last: (String::new(), false) }
    }

    fn finds(&self, probe: Probe<'_>, matches: impl Fn(&Entry) -> bool) -> io::Result<bool> {
        let hash = probe.hash(self.seed);
        let mut found = false;
        let runs = self.runs.iter().filter(|run| !run.hides(&probe));
        for hot in runs.filter_map(|run| run.hot.as_ref()) {
            hot.find(hash, &mut |entry| found |= is_evidence(&entry) && matches(&entry))?;
        }
        Ok(found)
    }

    /// Whether a name or one above it is listed.
    ///
    /// # Errors
    ///
    /// Damage in a run, here and below.
    pub fn lists_name(&mut self, name: &str) -> io::Result<bool> {
        if self.runs.iter().all(|run| run.hot.is_none()) {
            return Ok(false);
        }
        if self.last.0 != name {
            let host = without_www(name);
            let mut found = self.finds(Probe::Name(host), |_| true)?;
            let mut rest = host;
            while let Some((_, parent)) = rest.split_once('.').filter(|_| !found) {
                found = self.finds(Probe::Name(parent), |entry| {
                    mask_type(entry.mask_type) == Some(MaskType::Domain)
                })?;
                rest = parent;
            }
            name.clone_into(&mut self.last.0);
            self.last.1 = found;
        }
        Ok(self.last.1)
    }

    /// Whether an address or a network that holds it is listed. Reserved ones are related to nothing.
    ///
    /// # Errors
    ///
    /// As [`Flagger::lists_name`].
    pub fn lists_address(&self, address: IpAddr) -> io::Result<bool> {
        if is_reserved(address) {
            return Ok(false);
        }
        let mut found = self.finds(Probe::Address(address), |_| true)?;
        for run in &self.runs {
            run.covering(address, &mut |_, entry| found |= is_evidence(&entry))?;
        }
        Ok(found)
    }

    /// Whether a file is listed, or somebody's verdict on it is bad.
    ///
    /// # Errors
    ///
    /// As [`Flagger::lists_name`].
    pub fn lists_file(&self, hash: &FileHash) -> io::Result<bool> {
        self.finds(Probe::File(hash.as_bytes()), |_| true)
    }

    /// The edges of what is listed.
    ///
    /// # Errors
    ///
    /// As [`Flagger::lists_name`].
    pub fn edges_of(&self, what: &Listed, take: &mut Take<'_>) -> io::Result<()> {
        match what {
            Listed::File { file } => self.edges_of_file(file, take),
            Listed::Mask(mask) => self.edges_of_mask(mask, take),
        }
    }

    fn edges_of_mask(&self, mask: &Mask, take: &mut Take<'_>) -> io::Result<()> {
        if let Some(prefix) = mask.prefix() {
            return self.edges_of_range(&prefix.range(), take);
        }
        if !matches!(mask.mask_type(), MaskType::Host | MaskType::Domain) {
            return Ok(());
        }
        match mask.listed_under() {
            Some(Host::Address(address)) => {
                let Some(range) = AddressRange::new(address, address) else { return Ok(()) };
                self.edges_of_range(&range, take)
            }
            Some(Host::Domain(name)) => {
                let host = name.without_www();
                self.edges_of_name(host, take)?;
                self.edges_of_name(&format!("www.{host}"), take)?;
                if mask.mask_type() == MaskType::Domain { self.edges_below(host, take) } else { Ok(()) }
            }
            None => Ok(()),
        }
    }

    /// The addresses of a name.
    fn edges_of_name(&self, name: &str, take: &mut Take<'_>) -> io::Result<()> {
        let object = ObjectKey::domain(name);
        self.rows(&object, Table::Resolves, &mut |counterpart, observed| {
            take(counterpart, &object.0, observed)
        })
    }

    /// The names below a name: their addresses, and that they stand below the names above them.
    fn edges_below(&self, name: &str, take: &mut Take<'_>) -> io::Result<()> {
        let mut left = BELOW_MAX;
        self.rows(&ObjectKey::domain(name), Table::Subdomain, &mut |counterpart, observed| {
            left = left.saturating_sub(1);
            if left == 0 {
                return Ok(());
            }
            let Some((Part::Domain(below), _)) = read_part(counterpart) else { return Ok(()) };
            for ancestor in super::rows::ancestors(&below) {
                take(&ObjectKey::domain(ancestor).0, counterpart, observed)?;
            }
            self.edges_of_name(&below, take)
        })
    }

    /// The names of the addresses of a range.
    fn edges_of_range(&self, range: &AddressRange, take: &mut Take<'_>) -> io::Result<()> {
        let (first, last) = (ObjectKey::address(range.first()), ObjectKey::address(range.last()));
        let to = [&last.0[..], &[Table::ResolvedBy as u8 + 1]].concat();
        for run in &self.runs {
            if first == last && !run.may_have(&first.0)? {
                continue;
            }
            run.scan_between(&first.0, &to, |key, value| {
                let Some((object, rest)) = key.split_at_checked(first.0.len()) else { return Ok(true) };
                if let Some((&table, [counterpart @ .., _, _])) = rest.split_first()
                    && table == Table::ResolvedBy as u8
                    && let Some(observed) = Observed::decode(value)
                {
                    take(counterpart, object, &observed)?;
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// The hosts that a file was downloaded from.
    ///
    /// # Errors
    ///
    /// As [`Flagger::lists_name`].
    pub fn edges_of_file(&self, file: &FileHashes, take: &mut Take<'_>) -> io::Result<()> {
        for hash in file.iter() {
            let object = ObjectKey::file(&hash);
            self.rows(&object, Table::FileFrom, &mut |counterpart, observed| {
                if let Some((Part::Url(url), _)) = read_part(counterpart)
                    && let Ok(url) = Url::from_key(url)
                {
                    take(&ObjectKey::host(&url.host()).0, &object.0, observed)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The rows of a table of an object in all runs: counterpart and observation.
    fn rows(
        &self,
        object: &ObjectKey,
        table: Table,
        row: &mut dyn FnMut(&[u8], &Observed) -> io::Result<()>,
    ) -> io::Result<()> {
        let prefix = [&object.0[..], &[table as u8]].concat();
        for run in &self.runs {
            if !run.may_have(&object.0)? {
                continue;
            }
            run.scan(&prefix, |key, value| {
                if let Some(observed) = Observed::decode(value) {
                    row(&key[prefix.len()..key.len() - 2], &observed)?;
                }
                Ok(true)
            })?;
        }
        Ok(())
    }
}

/// The candidates that a run lacks: its edges whose ends the `listing` runs list, and its listings of ends of
/// edges of the `newer` ones.
///
/// # Errors
///
/// Damage in a run.
pub fn missed(run: &Run, listing: &mut Flagger, newer: &Flagger, take: &mut Take<'_>) -> io::Result<()> {
    let mut stream = run.stream()?;
    while stream.advance() {
        let (key, value) = (stream.key(), stream.value().bytes());
        let Some((object, rest)) = object_len(key).and_then(|len| key.split_at_checked(len)) else {
            continue;
        };
        let Some((&table, [counterpart @ .., _, _])) = rest.split_first() else { continue };
        let Some(table) = Table::from_byte(table) else { continue };
        let other = match table {
            Table::ResolvedBy | Table::Resolves | Table::Subdomain | Table::Downloaded => {
                read_part(counterpart)
            }
            Table::Listing | Table::FileVerdict if !newer.runs.is_empty() => {
                for stated in entries(value) {
                    listed_in(table, stated.payload, newer, take)?;
                }
                continue;
            }
            _ => continue,
        };
        let Some((other, rest)) = other else { continue };
        let is_listed = match other {
            Part::Domain(name) => listing.lists_name(&name)?,
            Part::Address(address) => listing.lists_address(address)?,
            Part::File(hash) => listing.lists_file(&hash)?,
            _ => false,
        };
        if is_listed && let Some(observed) = Observed::decode(value) {
            take(object, &counterpart[..counterpart.len() - rest.len()], &observed)?;
        }
    }
    Ok(())
}

fn listed_in(table: Table, payload: &[u8], newer: &Flagger, take: &mut Take<'_>) -> io::Result<()> {
    if table == Table::FileVerdict {
        let fact: FileVerdict = serde_json::from_slice(payload)?;
        return if condemns(&fact) { newer.edges_of_file(&fact.file, take) } else { Ok(()) };
    }
    let fact: Listing = serde_json::from_slice(payload)?;
    if lists(&fact) { newer.edges_of(&fact.what, take) } else { Ok(()) }
}
