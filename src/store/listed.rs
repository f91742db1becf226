//! Which names were listed lately, and when a registration was last read: what a source of registrations asks.

use super::StoreError;
use super::key::{ObjectKey, Part, Table, kind, object_len, read_part};
use super::run::Run;
use super::snapshot::{Snapshot, View};
use super::value::entries;
use crate::indicator::{DomainName, Host, Url};
use crate::value::Timestamp;

/// Which batches are new.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// Those with a higher number.
    pub after: u64,
    /// Of those the ones learnt from here on.
    pub learnt: Timestamp,
}

/// The name of the fact in [`super::Batch::facts`].
const LISTING: &str = "listing";

impl View {
    /// Calls `found` with the names of the listings of new batches, also those in listed URLs, those of the newest run
    /// first, until it returns false. A name comes as often as it is listed.
    ///
    /// Hot indexes know no names, so the rows on names and URLs are read, but only of runs in which a new batch has
    /// listings: telemetry alone is not touched.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn listed_since(
        &self,
        since: Since,
        found: &mut dyn FnMut(&DomainName) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut runs: Vec<&Run> = self.snapshot().runs().iter().map(AsRef::as_ref).collect();
        runs.sort_by_key(|run| run.meta.batches.iter().map(|batch| batch.seq).max());
        for run in runs.into_iter().rev() {
            let is_new: Vec<bool> = run
                .meta
                .batches
                .iter()
                .map(|batch| {
                    let has_listings = batch.facts.get(LISTING).is_some_and(|count| *count > 0);
                    batch.seq > since.after && batch.learnt >= since.learnt && has_listings
                })
                .collect();
            if is_new.contains(&true) && !listed_in(self.snapshot(), run, &is_new, found)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// When the registration of a domain was last read; `None`: never.
    ///
    /// # Errors
    ///
    /// As [`View::object`].
    pub fn registration_read(&self, domain: &str) -> Result<Option<Timestamp>, StoreError> {
        let object = self.table(&ObjectKey::domain(domain), Table::Registration)?;
        Ok(object.statements(Table::Registration).map(|statement| statement.last).max())
    }
}

/// The names of the listings of a run's new batches; whether to go on.
fn listed_in(
    snapshot: &Snapshot,
    run: &Run,
    is_new: &[bool],
    found: &mut dyn FnMut(&DomainName) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let mut goes_on = Ok(true);
    for prefix in [kind::DOMAIN, kind::URL] {
        run.scan(&[prefix], |key, value| {
            let is_listing = object_len(key).and_then(|len| key.get(len)) == Some(&(Table::Listing as u8));
            if is_listing
                && says(snapshot, run, is_new, key, value)
                && let Some(name) = name_of(key)
            {
                goes_on = found(&name);
            }
            Ok(matches!(goes_on, Ok(true)))
        })?;
        if !matches!(goes_on, Ok(true)) {
            break;
        }
    }
    goes_on
}

/// Whether a new batch of the row's source says it, which is not kept from the reader.
fn says(snapshot: &Snapshot, run: &Run, is_new: &[bool], key: &[u8], value: &[u8]) -> bool {
    let Some(source) = key.last_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes)) else { return false };
    if snapshot.leaves_out(source) {
        return false;
    }
    entries(value).any(|entry| {
        let from = entry.from as usize;
        let to = (entry.to as usize + 1).min(is_new.len());
        (from..to).any(|at| is_new[at] && run.meta.batches[at].source_id == source)
    })
}

/// The name that a key is of, or the host of the URL that it is of.
fn name_of(key: &[u8]) -> Option<DomainName> {
    match read_part(key)?.0 {
        Part::Domain(name) => DomainName::from_store(&name),
        Part::Url(url) => match Url::from_key(url).ok()?.host() {
            Host::Domain(name) => Some(name),
            Host::Address(_) => None,
        },
        _ => None,
    }
}
