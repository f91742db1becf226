//! What a candidate is: whether anything is known of it that the reader may see, its zone, and when.

use super::Found;
use super::legs::Wanted;
use crate::dossier::rows::moments;
use crate::fact::{Listed, Listing, Publication};
use crate::indicator::{AddressRange, DomainName, Indicator, Kind, MaskType, Url, redact};
use crate::network;
use crate::store::{Object, ObjectKey, Part, Statement, StoreError, Table, read_part};
use crate::value::{Timestamp, Zone};
use crate::verdict::Judge;

/// What networks, masks and reports are called; the other kinds are those of indicators.
const NETWORK: &str = "network";
const MASK: &str = "mask";
const REPORT: &str = "report";

type Seen = Option<(Timestamp, Timestamp)>;

/// The key of a row, and what it is; `None`: nothing that is shown.
type FoundAt = (Vec<u8>, Option<Found>);

/// Finds what candidates are.
pub(super) struct Finder<'a> {
    judge: &'a Judge<'a>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(judge: &'a Judge<'a>) -> Finder<'a> {
        Finder { judge }
    }

    /// An object of which something is known.
    pub(super) fn object(&self, key: &ObjectKey, why: &str) -> Result<Option<Found>, StoreError> {
        let own = self.judge.view().object(key)?;
        if own.is_empty() {
            return Ok(None);
        }
        self.judged(&key.0, why.to_owned(), seen(&own))
    }

    /// What the row of a term leads to.
    pub(super) fn by_term(&self, row: &[u8]) -> Result<Option<Found>, StoreError> {
        let Some((Part::Text(term), rest)) = read_part(row) else { return Ok(None) };
        let Some((table, counterpart)) = rest.split_first() else { return Ok(None) };
        let Some(table) = Table::from_byte(*table) else { return Ok(None) };
        let object = ObjectKey(row[..row.len() - rest.len()].to_vec());
        let said = self.judge.view().row(&object, table, counterpart)?;
        if said.is_empty() {
            return Ok(None);
        }
        let what = match table {
            Table::RegistrantOf => "registrant",
            Table::EmailOf => "e-mail",
            Table::NameServerOf => "name server",
            _ => "file name",
        };
        self.judged(counterpart, format!("{what} {term}"), seen(&said))
    }

    /// An object with its verdict.
    fn judged(&self, object: &[u8], why: String, seen: Seen) -> Result<Option<Found>, StoreError> {
        let Some((part, _)) = read_part(object) else { return Ok(None) };
        let (kind, indicator, zone, score) = match part {
            Part::Domain(name) => {
                let Some(name) = DomainName::from_store(&name) else { return Ok(None) };
                let (zone, score) = self.judge.domain_zone(&name)?;
                (Kind::Domain.as_str(), name.as_str().to_owned(), Some(zone), Some(score))
            }
            Part::Address(address) => {
                let (zone, score) = self.judge.address_zone(address)?;
                (Kind::Ip.as_str(), address.to_string(), Some(zone), Some(score))
            }
            Part::Url(key) => {
                let Ok(url) = Url::from_key(key) else { return Ok(None) };
                let verdict = self.judge.url(&url)?;
                (Kind::Url.as_str(), redact(key).0, Some(verdict.zone), Some(verdict.score))
            }
            Part::File(hash) => {
                let verdict = self.judge.indicator(&Indicator::File(hash))?;
                (Kind::Hash.as_str(), hash.to_string(), Some(verdict.zone), Some(verdict.score))
            }
            Part::Network(range) => (NETWORK, network::text(&range), self.network_zone(&range)?, None),
            Part::Text(_) => return Ok(None),
        };
        let (first_seen, last_seen) = (seen.map(|seen| seen.0), seen.map(|seen| seen.1));
        Ok(Some(Found { kind, indicator, title: None, zone, score, why, first_seen, last_seen }))
    }

    fn network_zone(&self, range: &AddressRange) -> Result<Option<Zone>, StoreError> {
        Ok(network::describe(self.judge, range)?.zone)
    }

    /// What a source lists now under an object, with the keys of the rows, in their order.
    pub(super) fn listings(&self, key: &ObjectKey, source: u16) -> Result<Vec<FoundAt>, StoreError> {
        let object = self.judge.view().table(key, Table::Listing)?;
        let mut found: Vec<FoundAt> = Vec::new();
        for statement in object.statements(Table::Listing).filter(|one| one.source == source) {
            let row = [&key.0[..], &[Table::Listing as u8], &statement.counterpart].concat();
            let one = self.listing(key, statement)?;
            match found.last_mut() {
                // One mask with two categories, or said by two batches.
                Some((known, first)) if *known == row => *first = first.take().or(one),
                _ => found.push((row, one)),
            }
        }
        Ok(found)
    }

    fn listing(&self, key: &ObjectKey, statement: &Statement) -> Result<Option<Found>, StoreError> {
        let Some((zone, last)) = self.judge.listing_zone(statement)? else { return Ok(None) };
        let listing: Listing = statement.fact()?;
        let source = self.judge.view().snapshot().shown_source(statement.source);
        let category = listing.category.map_or("-", |category| category.short_name());
        let why = format!("{source} lists it as {category}");
        let seen = Some((listing.first.unwrap_or(statement.first).min(last), last));
        match &listing.what {
            // A file stands at each of its hashes: once is enough.
            Listed::File { file } if ObjectKey::file_best(file).as_ref() != Some(key) => Ok(None),
            Listed::File { .. } => self.judged(&key.0, why, seen),
            Listed::Mask(mask) => match (mask.mask_type(), mask.port()) {
                (MaskType::Host | MaskType::Network, None) => self.judged(&key.0, why, seen),
                (MaskType::Url, _) => {
                    let url = Url::from_key(mask.text()).map(|url| ObjectKey::url(&url));
                    url.map_or(Ok(None), |key| self.judged(&key.0, why, seen))
                }
                _ => Ok(Some(Found {
                    kind: MASK,
                    indicator: redact(&mask.with_port()).0,
                    title: None,
                    zone: Some(zone),
                    score: None,
                    why,
                    first_seen: seen.map(|seen| seen.0),
                    last_seen: Some(last),
                })),
            },
        }
    }

    /// A report that is wanted. Of one that is restricted the title would name who wrote it.
    pub(super) fn report(&self, key: &ObjectKey, wanted: &Wanted) -> Result<Option<Found>, StoreError> {
        let view = self.judge.view();
        let object = view.table(key, Table::Publication)?;
        let newest = object
            .statements(Table::Publication)
            .filter(|one| one.is_current() && !view.snapshot().is_restricted(one.source))
            .max_by_key(|one| one.last);
        let Some(statement) = newest else { return Ok(None) };
        let report: Publication = statement.fact()?;
        let Some(why) = wanted.matched(&report) else { return Ok(None) };
        Ok(Some(Found {
            kind: REPORT,
            zone: None,
            score: None,
            why,
            first_seen: report.published.or(Some(statement.first)),
            last_seen: report.updated.or(Some(statement.last)),
            indicator: report.id,
            title: Some(report.title),
        }))
    }
}

impl Wanted {
    /// Where in a report it stands; `None` where the report is not wanted.
    fn matched(&self, report: &Publication) -> Option<String> {
        let words = match self {
            Wanted::Tag(tag) => {
                let has = report.tags.iter().any(|known| known.to_lowercase() == *tag);
                return has.then(|| format!("tag {tag}"));
            }
            Wanted::Words(words) => words,
        };
        let fields = [
            ("id", report.id.to_lowercase()),
            ("title", report.title.to_lowercase()),
            ("tags", report.tags.join("\n").to_lowercase()),
            ("actors", report.actors.join("\n").to_lowercase()),
            ("industries", report.industries.join("\n").to_lowercase()),
            ("geography", report.geography.join("\n").to_lowercase()),
            ("description", report.description.as_deref().unwrap_or_default().to_lowercase()),
        ];
        let mut places: Vec<&str> = Vec::new();
        for word in words {
            let (place, _) = fields.iter().find(|(_, text)| text.contains(word.as_str()))?;
            if !places.contains(place) {
                places.push(place);
            }
        }
        Some(format!("{} in {}", words.join(" "), places.join(", ")))
    }
}

/// When something was first and last seen or said.
fn seen(object: &Object) -> Seen {
    let edges = object.edges.iter().map(|edge| moments(&edge.observed));
    let said = object.statements.iter().map(|one| (one.first, one.last));
    let large = object.large.iter();
    let large = large.map(|all| (Timestamp(i64::from(all.first)), Timestamp(i64::from(all.last))));
    edges.chain(said).chain(large).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
