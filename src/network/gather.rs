//! What is gathered of the addresses of a network: the listed ones first, then how many are known, then their names.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::described::{NetworkRow, country, describe};
use super::{
    CategoryCount, Density, NAMES_SHOWN, NETWORKS_SHOWN, Name, Neighbour, Overview, Subject, System,
    WORST_MAX, ZoneCount,
};
use crate::dossier::rows::moments;
use crate::indicator::{AddressRange, DomainName, Indicator};
use crate::store::hot::Kind;
use crate::store::ranges::Ranges;
use crate::store::walk::{Head, Range, Walk};
use crate::store::{Hit, ObjectKey, Part, StoreError, Table, View, read_part};
use crate::value::{Category, CountryCode, ThreatScore, Timestamp, Zone};
use crate::verdict::{EvidenceKind, Judge, Match, Verdict};

/// The most listed addresses, and listed networks, that are judged.
const LISTED_MAX: usize = 10_000;
/// The most known addresses that are counted.
const KNOWN_MAX: usize = 100_000;
/// The most addresses whose names are read: of those with listed names, and of all.
const NAMED_MAX: usize = 5_000;
/// The most names that are judged.
const NAMES_MAX: usize = 50_000;
/// About the most rows that each of the three looks over the addresses reads in the store.
const ROWS_MAX: usize = 1_000_000;

/// Gathers what is known of the addresses of some ranges.
pub(super) struct Gather<'a> {
    judge: &'a Judge<'a>,
    ranges: &'a [AddressRange],
    above: Vec<NetworkRow>,
    inside: Vec<NetworkRow>,
    inside_count: u64,
    countries: BTreeSet<CountryCode>,
    /// Addresses of which something is known.
    pub(super) known: u64,
    listed: u64,
    networks_listed: u64,
    /// Listed addresses, and networks, by zone; the same by category.
    zones: BTreeMap<Zone, [u64; 2]>,
    categories: BTreeMap<(Zone, u8), [u64; 2]>,
    worst: BTreeSet<(Reverse<ThreatScore>, Zone, Indicator)>,
    names: Vec<Name>,
    names_count: u64,
    left_out: Vec<String>,
}

/// Positions in the counts by zone and category.
const ADDRESSES: usize = 0;
const NETWORKS: usize = 1;

impl<'a> Gather<'a> {
    pub(super) fn new(judge: &'a Judge<'a>, ranges: &'a [AddressRange]) -> Gather<'a> {
        Gather {
            judge,
            ranges,
            above: Vec::new(),
            inside: Vec::new(),
            inside_count: 0,
            countries: BTreeSet::new(),
            known: 0,
            listed: 0,
            networks_listed: 0,
            zones: BTreeMap::new(),
            categories: BTreeMap::new(),
            worst: BTreeSet::new(),
            names: Vec::new(),
            names_count: 0,
            left_out: Vec::new(),
        }
    }

    /// Says that something was not looked at.
    pub(super) fn leave_out(&mut self, what: String) {
        self.left_out.push(what);
    }

    /// Networks above and inside, what they say, and which of them are listed.
    pub(super) fn networks(
        &mut self,
        above: &Ranges,
        inside: &Ranges,
        subject: &Subject,
    ) -> Result<(), StoreError> {
        let is_said = |hit: &Hit| matches!(hit.entry.kind, Kind::Network | Kind::Listing);
        let (above, inside_all) = (above.distinct(is_said), inside.distinct(is_said));
        self.inside_count = inside_all.len() as u64;
        for range in above.iter().take(NETWORKS_SHOWN) {
            self.above.push(describe(self.judge, range)?);
        }
        for range in inside_all.iter().take(NETWORKS_SHOWN) {
            self.inside.push(describe(self.judge, range)?);
        }
        let itself = |range: &&AddressRange| matches!(subject, Subject::Network(own) if own == *range);
        let listed = inside.distinct(|hit| hit.entry.kind == Kind::Listing);
        for range in above.iter().filter(itself).chain(&listed).take(LISTED_MAX) {
            self.listed_network(range)?;
        }
        if listed.len() > LISTED_MAX {
            self.leave_out(format!("listed networks beyond the first {LISTED_MAX}"));
        }
        let named: Vec<&AddressRange> = match subject {
            Subject::Network(range) => vec![range],
            Subject::System(_) => inside_all.iter().collect(),
        };
        for range in named {
            self.countries.extend(country(self.judge, range)?);
        }
        Ok(())
    }

    fn listed_network(&mut self, range: &AddressRange) -> Result<(), StoreError> {
        let row = describe(self.judge, range)?;
        let Some(zone) = row.zone else { return Ok(()) };
        self.networks_listed += 1;
        self.count(zone, &row.categories, NETWORKS);
        Ok(())
    }

    fn count(&mut self, zone: Zone, categories: &[Category], what: usize) {
        self.zones.entry(zone).or_default()[what] += 1;
        for category in categories {
            self.categories.entry((category.zone(), category.index())).or_default()[what] += 1;
        }
    }

    /// Which addresses are listed, and how many are known at all.
    pub(super) fn addresses(&mut self) -> Result<(), StoreError> {
        let mut judged = 0;
        let cut = self.each_address(&[Table::Listing], LISTED_MAX, &mut |this, object| {
            judged += 1;
            this.judged_address(object)
        })?;
        if cut {
            self.leave_out(format!("listed addresses beyond the first {judged}"));
        }
        // What was not known yet, or is not for the reader, is told only by the rows themselves.
        let view = self.judge.view();
        let by_rows = view.as_of().is_some() || view.snapshot().leaves_something_out();
        let (mut known, max) = (0, if by_rows { LISTED_MAX } else { KNOWN_MAX });
        let cut = self.each_address(&[], max, &mut |_, object| {
            known += u64::from(!by_rows || !view.object(object)?.is_empty());
            Ok(true)
        })?;
        if cut {
            self.leave_out(format!("known addresses beyond the first {known}"));
        }
        self.known = known;
        Ok(())
    }

    fn judged_address(&mut self, object: &ObjectKey) -> Result<bool, StoreError> {
        let Some((Part::Address(address), _)) = read_part(&object.0) else { return Ok(true) };
        let verdict = self.judge.address(address)?;
        let own = |one: &crate::verdict::Found| {
            one.kind == EvidenceKind::Listing && one.evidence.matched == Match::Exact
        };
        if verdict.found.iter().any(own) {
            self.listed += 1;
            self.count(verdict.zone, &listed_as(&verdict), ADDRESSES);
        }
        self.is_worse(Indicator::Address(address), verdict.zone, verdict.score);
        Ok(true)
    }

    /// Keeps what is among the worst.
    fn is_worse(&mut self, indicator: Indicator, zone: Zone, score: ThreatScore) {
        if !zone.is_bad() {
            return;
        }
        self.worst.insert((Reverse(score), zone, indicator));
        if self.worst.len() > WORST_MAX {
            self.worst.pop_last();
        }
    }

    /// The names that resolve to the addresses: first those of addresses with listed names.
    pub(super) fn names(&mut self) -> Result<(), StoreError> {
        let mut read = NamesRead::default();
        let mut is_cut = false;
        for table in [Table::Flagged, Table::ResolvedBy] {
            is_cut |= self.each_address(&[table], NAMED_MAX, &mut |this, object| {
                read.take(object, this.judge.view())
            })?;
        }
        if is_cut {
            let (names, addresses) = (read.names.len(), read.addresses.len());
            self.leave_out(format!("names beyond {names} of {addresses} addresses with names"));
        }
        self.names_count = read.names.len() as u64 + read.estimated;
        self.names = read.names.into_values().collect();
        for at in 0..self.names.len() {
            let Some(name) = DomainName::from_store(&self.names[at].name) else { continue };
            let (zone, score) = self.judge.domain_zone(&name)?;
            self.names[at].zone = zone;
            self.is_worse(Indicator::Domain(name), zone, score);
        }
        self.names
            .sort_by(|a, b| (a.zone, Reverse(a.hits), &a.name).cmp(&(b.zone, Reverse(b.hits), &b.name)));
        self.names.truncate(NAMES_SHOWN);
        Ok(())
    }

    /// Calls `with` for each address that has rows of these tables, at most `max`, until it returns false. Whether some
    /// were left out.
    fn each_address(
        &mut self,
        tables: &[Table],
        max: usize,
        with: &mut dyn FnMut(&mut Gather<'a>, &ObjectKey) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let view = self.judge.view();
        let (mut left, mut rows_left) = (max, ROWS_MAX);
        // Where the next known address stands: ranges before it hold none.
        let mut next: Option<Vec<u8>> = None;
        let end = self.ranges.last().map(|last| Range::addresses(last).to).unwrap_or_default();
        for range in self.ranges {
            let mut range = Range::addresses(range);
            if next.as_ref().is_some_and(|next| *next >= range.to) {
                continue;
            }
            loop {
                if rows_left == 0 {
                    return Ok(true);
                }
                // One more, so that it is known whether there is one.
                let max = left + 1;
                let walk = Walk {
                    range: &range,
                    tables,
                    head: Head::Object,
                    max,
                    rows_max: rows_left,
                    source: None,
                };
                let walked = view.walk(&walk)?;
                rows_left = rows_left.saturating_sub(walked.rows);
                for object in walked.heads.into_iter().map(ObjectKey) {
                    if left == 0 || !with(self, &object)? {
                        return Ok(true);
                    }
                    left -= 1;
                }
                match walked.stopped {
                    Some(at) => range.from = at,
                    None => break,
                }
            }
            if self.ranges.len() > 1 {
                // The next address with rows of any table: that is one seek, whatever is wanted.
                let rest = Range { from: range.to.clone(), to: end.clone() };
                let (head, rows_max) = (Head::Object, rows_left);
                let walked =
                    view.walk(&Walk { range: &rest, tables: &[], head, max: 1, rows_max, source: None })?;
                rows_left = rows_left.saturating_sub(walked.rows);
                next = walked.heads.into_iter().next().or(walked.stopped);
                if next.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// The overview.
    pub(super) fn finish(self, subject: &Subject, at: Timestamp) -> Result<Overview, StoreError> {
        let mut worst = Vec::with_capacity(self.worst.len());
        for (Reverse(score), zone, indicator) in &self.worst {
            let categories = self.judge.indicator(indicator)?.categories();
            let (kind, indicator) = (indicator.kind(), indicator.to_string());
            worst.push(Neighbour { kind, indicator, zone: *zone, score: *score, categories });
        }
        let rows = || match subject {
            Subject::Network(_) => self.above.iter().rev().collect::<Vec<_>>(),
            Subject::System(_) => self.inside.iter().collect(),
        };
        let mut holders: Vec<String> = Vec::new();
        for holder in rows().into_iter().filter_map(|row| row.holder.as_ref()) {
            if !holders.contains(holder) {
                holders.push(holder.clone());
            }
        }
        let zones = self.zones.iter().map(|(zone, count)| ZoneCount {
            zone: *zone,
            addresses: count[ADDRESSES],
            networks: count[NETWORKS],
        });
        let categories = self.categories.iter().filter_map(|((zone, index), count)| {
            let (addresses, networks) = (count[ADDRESSES], count[NETWORKS]);
            Some(CategoryCount { category: Category::from_index(*index)?, zone: *zone, addresses, networks })
        });
        Ok(Overview {
            subject: subject.text(),
            at,
            addresses: addresses(self.ranges.iter()),
            ipv4_addresses: addresses(self.ranges.iter().filter(|range| range.first().is_ipv4()))
                .unwrap_or_default(),
            special_purpose: subject.special_purpose(),
            systems: systems(rows(), subject),
            countries: self.countries.iter().copied().collect(),
            holders,
            density: Density {
                known: self.known,
                listed: self.listed,
                listed_share: if self.known == 0 { 0.0 } else { self.listed as f64 / self.known as f64 },
                networks_listed: self.networks_listed,
                zones: zones.collect(),
                categories: categories.collect(),
            },
            worst,
            names_count: self.names_count,
            names: self.names,
            networks_above: self.above,
            networks_inside: self.inside,
            networks_inside_count: self.inside_count,
            truncated: !self.left_out.is_empty(),
            left_out: self.left_out,
        })
    }
}

/// The names of addresses, as far as they were read.
#[derive(Default)]
struct NamesRead {
    addresses: HashSet<ObjectKey>,
    names: HashMap<String, Name>,
    /// Names of addresses with thousands of them that were not read.
    estimated: u64,
}

impl NamesRead {
    /// Takes in the names of an address; says whether more are wanted.
    fn take(&mut self, object: &ObjectKey, view: &View) -> Result<bool, StoreError> {
        if !self.addresses.insert(object.clone()) {
            return Ok(true);
        }
        let own = view.object(object)?;
        let edges = own.edges(Table::ResolvedBy);
        self.estimated += own.count(Table::ResolvedBy).saturating_sub(edges.len() as u64);
        for edge in edges {
            let Some((Part::Domain(name), _)) = read_part(&edge.counterpart) else { continue };
            if self.names.len() >= NAMES_MAX && !self.names.contains_key(&name) {
                return Ok(false);
            }
            let (first, last) = moments(&edge.observed);
            let row = self.names.entry(name.clone()).or_insert_with(|| Name {
                zone: Zone::Grey,
                name,
                hits: 0,
                first_seen: first,
                last_seen: last,
            });
            row.hits = row.hits.saturating_add(edge.observed.hits());
            row.first_seen = row.first_seen.min(first);
            row.last_seen = row.last_seen.max(last);
        }
        Ok(true)
    }
}

/// What a verdict's own listings say.
fn listed_as(verdict: &Verdict) -> Vec<Category> {
    let mut all: Vec<Category> = verdict
        .found
        .iter()
        .filter(|one| one.kind == EvidenceKind::Listing && one.evidence.matched == Match::Exact)
        .map(|one| one.evidence.category)
        .collect();
    all.sort_by_key(|category| (category.zone(), category.index()));
    all.dedup();
    all
}

/// The systems that rows name, in their order.
fn systems(rows: Vec<&NetworkRow>, subject: &Subject) -> Vec<System> {
    let mut systems: Vec<System> = Vec::new();
    for row in rows {
        let Some(asn) = row.asn.filter(|asn| !matches!(subject, Subject::System(own) if own != asn)) else {
            continue;
        };
        let at = systems.iter().position(|known| known.asn == asn).unwrap_or_else(|| {
            systems.push(System { asn, names: Vec::new() });
            systems.len() - 1
        });
        let names = &mut systems[at].names;
        names.extend(row.as_name.clone().filter(|name| !names.contains(name)));
    }
    systems
}

/// How many addresses ranges have; `None`: more than a JSON number says exactly.
fn addresses<'r>(mut ranges: impl Iterator<Item = &'r AddressRange>) -> Option<u64> {
    let sum = ranges.try_fold(0_u128, |sum, range| sum.checked_add(range.width())?.checked_add(1))?;
    u64::try_from(sum).ok().filter(|sum| *sum <= 1 << 53)
}
