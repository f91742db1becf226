//! What is gathered of one object before its sections are written.
//!
//! A dossier reads a view of the store and asks the judge; each list is made when a section first wants it
//! and then kept. Sections turn it into the contract's words and know nothing of the store.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::fact::{Listing, Mention, PhishingReport, Publication, ReportType, SpamReport};
use crate::indicator::{AddressRange, DomainName, Host, Mask, Url};
use crate::lookup::{COUNT_MAX, Licence};
use crate::publications;
use crate::store::hot::Kind as Hot;
use crate::store::observed::Observed;
use crate::store::{Object, ObjectKey, Part, StoreError, Table, View};
use crate::value::{Timestamp, Zone};
use crate::verdict::{Judge, Verdict};

pub mod address;
pub mod domain;
pub mod file;
mod related;
pub mod rows;
pub mod similar;
pub mod url;

pub use address::AddressDossier;
pub use domain::DomainDossier;
pub use file::FileDossier;
pub use url::UrlDossier;

/// What a report is made on: for whom, how much, as of when.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Licence and quota.
    pub licence: &'a Licence,
    /// The most rows of a section.
    pub count: usize,
    /// The moment.
    pub at: Timestamp,
    /// Counts of hits are shown to the nearest power of ten.
    pub round_counts: bool,
}

/// What dossiers of all kinds have.
pub struct Common<'a> {
    /// The judge.
    pub judge: &'a Judge<'a>,
    /// The object itself.
    pub own: Object,
    /// Its verdict.
    pub verdict: Verdict,
    /// Licence and quota.
    pub licence: &'a Licence,
    /// The most rows of a section.
    pub count: usize,
    /// The moment of the report.
    pub at: Timestamp,
    /// Counts of hits are shown to the nearest power of ten.
    pub round_counts: bool,
    publications: OnceCell<Vec<Publication>>,
}

/// Where to read more of a piece of evidence: by source and indicator.
pub type References = HashMap<(u16, String), String>;

/// Facts that a sensor yields. They show what is new where they reach back far enough.
const TELEMETRY: [&str; 6] = ["resolution", "web_request", "download", "access", "contact", "certificate"];

/// How many days telemetry reaches back before what was not seen in it is called newly seen.
const TELEMETRY_DAYS: i64 = 30;

/// A mask that a feed lists, with all feeds that do.
#[derive(Clone, Debug)]
pub struct MaskRow {
    /// The zone of its category.
    pub zone: Zone,
    /// The mask.
    pub mask: Mask,
    /// The feeds.
    pub feeds: BTreeSet<String>,
    /// When a feed last had it.
    pub last: Timestamp,
}

/// How many masks there are.
pub fn mask_counts(masks: &[MaskRow]) -> rows::Counts {
    let red = masks.iter().filter(|row| row.zone == Zone::Red).count() as u64;
    rows::Counts { all: masks.len() as u64, red }
}

impl<'a> Common<'a> {
    fn new(judge: &'a Judge<'a>, own: Object, verdict: Verdict, terms: Terms<'a>) -> Common<'a> {
        let Terms { licence, count, at, round_counts } = terms;
        Common { judge, own, verdict, licence, count, at, round_counts, publications: OnceCell::new() }
    }

    /// A count of hits as it is shown: to the nearest power of ten where the site wants that, halves up.
    pub fn rounded(&self, count: u64) -> u64 {
        if self.round_counts { nearest_power_of_ten(count) } else { count }
    }

    /// The view.
    pub fn view(&self) -> &'a View {
        self.judge.view()
    }

    /// The reports that name the object, newest first.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn publications(&self) -> Result<&[Publication], StoreError> {
        cell(&self.publications, || {
            let mut ids = BTreeSet::new();
            for statement in self.own.statements(Table::Mention).filter(|one| one.is_current()) {
                ids.insert(statement.fact::<Mention>()?.publication);
            }
            let mut all = Vec::new();
            for id in ids {
                all.extend(publications::find(self.view(), &id)?);
            }
            all.sort_by(|a, b| (b.published, &a.id).cmp(&(a.published, &b.id)));
            Ok(all)
        })
        .map(Vec::as_slice)
    }

    /// Whether a report on a targeted attacker names it, or a feed lists it as one's.
    ///
    /// # Errors
    ///
    /// As [`Common::publications`].
    pub fn has_apt(&self) -> Result<bool, StoreError> {
        Ok(self.verdict.categories().contains(&crate::value::Category::APT)
            || self.publications()?.iter().any(|report| report.report_type == ReportType::Apt))
    }

    /// Spam reports on the object, with the moment each was learnt.
    ///
    /// # Errors
    ///
    /// A statement that does not read back.
    pub fn spam(&self) -> Result<Vec<SpamReport>, StoreError> {
        self.own.statements(Table::Spam).filter(|one| one.is_current()).map(|one| one.fact()).collect()
    }

    /// Phishing reports on the object.
    ///
    /// # Errors
    ///
    /// A statement that does not read back.
    pub fn phishing(&self) -> Result<Vec<PhishingReport>, StoreError> {
        self.own.statements(Table::Phishing).filter(|one| one.is_current()).map(|one| one.fact()).collect()
    }

    /// The masks that live listings of an object give, joined by mask and zone.
    fn masks_of(
        &self,
        object: &Object,
        into: &mut BTreeMap<(Zone, String), MaskRow>,
    ) -> Result<(), StoreError> {
        for statement in object.statements(Table::Listing) {
            let listing: Listing = statement.fact()?;
            let crate::fact::Listed::Mask(mask) = listing.what else { continue };
            self.add_mask(mask, statement, into)?;
        }
        Ok(())
    }

    fn add_mask(
        &self,
        mask: Mask,
        statement: &crate::store::Statement,
        into: &mut BTreeMap<(Zone, String), MaskRow>,
    ) -> Result<(), StoreError> {
        let Some((zone, last)) = self.judge.listing_zone(statement)? else { return Ok(()) };
        if !zone.is_bad() {
            return Ok(());
        }
        let feed = self.view().snapshot().shown_source(statement.source).to_owned();
        let text = mask.with_port().into_owned();
        let key = (zone, format!("{}{text}", mask.mask_type().as_str()));
        let row = into.entry(key).or_insert_with(|| MaskRow { zone, mask, feeds: BTreeSet::new(), last });
        row.feeds.insert(feed);
        row.last = row.last.max(last);
        Ok(())
    }

    /// The ranges of a kind that hold an address, the widest first.
    fn ranges(&self, address: IpAddr, wanted: impl Fn(Hot) -> bool) -> Result<Vec<AddressRange>, StoreError> {
        let mut hits = Vec::new();
        let view = self.view();
        view.covering(address, &mut |hit| {
            if wanted(hit.entry.kind) {
                hits.push(hit);
            }
        })?;
        let mut ranges = Vec::new();
        for hit in &hits {
            ranges.extend(view.range_of(hit)?);
        }
        ranges.sort_by_key(|range| (std::cmp::Reverse(range.width()), *range));
        ranges.dedup();
        Ok(ranges)
    }

    /// Adds the references of the listings of an object.
    fn add_references(&self, object: &ObjectKey, references: &mut References) -> Result<(), StoreError> {
        let object = self.view().table(object, Table::Listing)?;
        for statement in object.statements(Table::Listing) {
            let listing: Listing = statement.fact()?;
            let crate::fact::Listed::Mask(mask) = listing.what else { continue };
            if let Some(reference) = listing.reference {
                references.insert((statement.source, mask.with_port().into_owned()), reference);
            }
        }
        Ok(())
    }

    /// `first seen 2 days ago`, where the policy calls that new and the store was looking long before: else
    /// all would be new. `seen` is the first observation; what is said of the object itself counts too.
    fn note_seen(&self, seen: Option<Timestamp>, notes: &mut Vec<String>) {
        let said = self.own.statements.iter().map(|statement| statement.first);
        let exact = self.verdict.found.iter().map(|found| &found.evidence);
        let listed = exact.filter(|one| one.matched == crate::verdict::Match::Exact).map(|one| one.first);
        let first = seen.into_iter().chain(said).chain(listed).min();
        let days = self.judge.policy().notes.newly_seen_days;
        if let Some(note) = newly("first seen", first, self.at, days).filter(|_| self.has_old_telemetry()) {
            notes.push(note);
        }
    }

    /// `registered 3 days ago`, where the policy calls that new.
    fn note_registered(&self, created: Option<Timestamp>, notes: &mut Vec<String>) {
        notes.extend(newly("registered", created, self.at, self.judge.policy().notes.newly_registered_days));
    }

    /// Whether telemetry was imported that is older than [`TELEMETRY_DAYS`], by what was known at the moment.
    fn has_old_telemetry(&self) -> bool {
        let limit = Timestamp(self.at.0 - TELEMETRY_DAYS * crate::value::DAY_S);
        self.view().snapshot().runs().iter().flat_map(|run| &run.meta.batches).any(|batch| {
            batch.observed <= limit
                && batch.learnt <= self.at
                && TELEMETRY.iter().any(|kind| batch.facts.get(*kind).is_some_and(|count| *count > 0))
        })
    }
}

/// `first seen 2 days ago, on 2024-05-30`, where that is less than so many days.
fn newly(what: &str, since: Option<Timestamp>, at: Timestamp, days: u32) -> Option<String> {
    let since = since.filter(|since| *since <= at)?;
    let ago = (at.0 - since.0) / crate::value::DAY_S;
    let told = match ago {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        ago => format!("{ago} days"),
    };
    (ago < i64::from(days)).then(|| format!("{what} {told} ago, on {}", since.date()))
}

/// The value of a cell, made where it is empty.
fn cell<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, StoreError>) -> Result<&T, StoreError> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

/// The registration of a domain that is newest.
pub fn registration(view: &View, name: &str) -> Result<Option<crate::fact::Registration>, StoreError> {
    let object = view.table(&ObjectKey::domain(name), Table::Registration)?;
    let mut best: Option<(Timestamp, crate::fact::Registration)> = None;
    for statement in object.statements(Table::Registration).filter(|one| one.is_current()) {
        let fact: crate::fact::Registration = statement.fact()?;
        let at = fact.observed.unwrap_or(statement.last);
        if best.as_ref().is_none_or(|(known, _)| at >= *known) {
            best = Some((at, fact));
        }
    }
    Ok(best.map(|(_, fact)| fact))
}

/// Two observations at overlapping times.
fn overlap(a: &Observed, b: &Observed) -> bool {
    a.first <= b.last && b.first <= a.last
}

/// A domain name from a counterpart.
fn name_of(part: Option<(Part<'_>, &[u8])>) -> Option<DomainName> {
    match part {
        Some((Part::Domain(name), _)) => DomainName::from_store(&name),
        _ => None,
    }
}

/// The host of a URL's key.
fn host_of(key: &str) -> Option<Host> {
    Url::from_key(key).ok().map(|url| url.host())
}

/// An address from a counterpart.
fn address_of(part: Option<(Part<'_>, &[u8])>) -> Option<IpAddr> {
    match part {
        Some((Part::Address(address), _)) => Some(address),
        _ => None,
    }
}

/// The most rows that a list keeps.
const ROWS_MAX: usize = COUNT_MAX;

/// Masks in the order of rows: zone, then the mask.
fn order_masks(rows: BTreeMap<(Zone, String), MaskRow>) -> Vec<MaskRow> {
    let mut rows: Vec<MaskRow> = rows.into_values().collect();
    rows.sort_by(|a, b| {
        (a.zone, a.mask.with_port(), a.mask.mask_type().as_str()).cmp(&(
            b.zone,
            b.mask.with_port(),
            b.mask.mask_type().as_str(),
        ))
    });
    rows
}

fn nearest_power_of_ten(count: u64) -> u64 {
    let Some(digits) = count.checked_ilog10() else { return 0 };
    let below = 10_u64.pow(digits);
    match below.checked_mul(10) {
        Some(above) if above - count <= count - below => above,
        _ => below,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest_power_of_ten;

    #[test]
    fn counts_to_the_nearest_power_of_ten() {
        for (count, shown) in [
            (0, 0),
            (1, 1),
            (5, 1),
            (6, 10),
            (10, 10),
            (54, 10),
            (55, 100),
            (549, 100),
            (550, 1000),
            (999_999, 1_000_000),
            (u64::MAX, 10_u64.pow(19)),
        ] {
            assert_eq!(nearest_power_of_ten(count), shown, "{count}");
        }
    }
}
