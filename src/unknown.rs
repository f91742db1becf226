//! The answer "nothing is known", with what was asked: which sources, how fresh, and what is known nearby.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::dossier::{DomainDossier, registration};
use crate::indicator::{DomainName, Indicator, Kind, Url};
use crate::store::{StoreError, View};
use crate::value::{Timestamp, Zone};

/// The most known names that look alike which are named.
pub const LOOKALIKES_MAX: usize = 20;

/// The most sources that are named: those with the newest state.
pub const SOURCES_MAX: usize = 1000;

/// How many look-alikes the sentence names.
const LOOKALIKES_SAID: usize = 3;

/// What was asked of an object of which nothing is known.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Asked {
    /// The object.
    pub indicator: String,
    /// Its kind.
    pub kind: Kind,
    /// How many sources were asked.
    pub sources_count: usize,
    /// The sources, the newest first; at most [`SOURCES_MAX`].
    pub sources: Vec<AskedSource>,
    /// The registrable domain, where the object is a name below one, or a URL on one.
    pub registrable: Option<Nearby>,
    /// Known names that look like it, nearest first; at most [`LOOKALIKES_MAX`].
    pub lookalikes: Vec<Lookalike>,
}

/// A source that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AskedSource {
    /// Its name.
    pub name: String,
    /// When what it says was last found to hold.
    pub newest: Timestamp,
    /// Whole hours since.
    pub age_hours: i64,
}

/// The registrable domain of a name.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Nearby {
    /// The domain.
    pub name: String,
    /// Whether it, or a name below it, is known.
    pub known: bool,
    /// When it was registered, where that is known.
    pub registered: Option<Timestamp>,
}

/// A known name that looks like the one that was asked of.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Lookalike {
    /// The name.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
}

/// What was asked of an address or a file: the sources. Where a network is known that holds it, an address is known.
pub fn of_object(indicator: &Indicator, view: &View, at: Timestamp) -> Asked {
    let as_of = view.as_of().map(|(moment, _)| moment);
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for batch in view.snapshot().batches() {
        if as_of.is_none_or(|moment| batch.learnt <= moment && batch.observed <= moment) {
            let held = view.snapshot().manifest.held(batch, as_of);
            let known = newest.entry(&batch.source).or_insert(held);
            *known = held.max(*known);
        }
    }
    let source = |(name, newest): (&str, Timestamp)| AskedSource {
        name: name.to_owned(),
        newest,
        age_hours: (at.0 - newest.0).max(0) / 3600,
    };
    let mut sources: Vec<AskedSource> = newest.into_iter().map(source).collect();
    sources.sort_by(|a, b| (b.newest, &a.name).cmp(&(a.newest, &b.name)));
    let sources_count = sources.len();
    sources.truncate(SOURCES_MAX);
    Asked {
        indicator: indicator.to_string(),
        kind: indicator.kind(),
        sources_count,
        sources,
        registrable: None,
        lookalikes: Vec::new(),
    }
}

/// What was asked of a domain: the sources, and what is known of its registrable domain and of look-alikes.
///
/// # Errors
///
/// Damage in the store.
pub fn of_domain(indicator: &Indicator, dossier: &DomainDossier<'_>) -> Result<Asked, StoreError> {
    let (view, name) = (dossier.common.view(), &dossier.name);
    let registrable = match name.registrable().filter(|registrable| *registrable != name.as_str()) {
        Some(registrable) => Some(nearby(view, registrable)?),
        None => None,
    };
    let similar = dossier.similar()?.into_iter().take(LOOKALIKES_MAX);
    let lookalikes = similar.map(|row| Lookalike { name: row.domain, zone: row.zone }).collect();
    Ok(Asked { registrable, lookalikes, ..of_object(indicator, view, dossier.common.at) })
}

/// What is known of a registrable domain, its age first of all.
fn nearby(view: &View, name: &str) -> Result<Nearby, StoreError> {
    let registered = registration(view, name)?.and_then(|registration| registration.created);
    Ok(Nearby { name: name.to_owned(), known: view.knows_name(name)?, registered })
}

/// What was asked of a URL: the sources, and whether its host's registrable domain is known.
///
/// # Errors
///
/// Damage in the store.
pub fn of_url(indicator: &Indicator, url: &Url, view: &View, at: Timestamp) -> Result<Asked, StoreError> {
    let host = url.host();
    let registrable = match host.domain().and_then(DomainName::registrable) {
        Some(registrable) => Some(nearby(view, registrable)?),
        None => None,
    };
    Ok(Asked { registrable, ..of_object(indicator, view, at) })
}

impl fmt::Display for Asked {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is known of {} {}: ", self.kind, self.indicator)?;
        match (self.sources.first(), self.sources_count) {
            (None, _) => return f.write_str("nothing was imported yet"),
            (Some(one), 1) => write!(f, "1 source was asked, {} of {}", one.name, one.newest)?,
            (Some(one), count) => {
                write!(f, "{count} sources were asked, the newest {} of {}", one.name, one.newest)?
            }
        }
        match &self.registrable {
            Some(Nearby { name, known: true, .. }) => write!(f, "; its registrable domain {name} is known")?,
            Some(Nearby { name, known: false, .. }) => {
                write!(f, "; nor is its registrable domain {name} known")?
            }
            None => {}
        }
        if !self.lookalikes.is_empty() {
            let said = self.lookalikes.iter().take(LOOKALIKES_SAID);
            let said: Vec<String> = said.map(|one| format!("{} ({})", one.name, one.zone)).collect();
            write!(f, "; it looks like {}", said.join(", "))?;
            let more = self.lookalikes.len().saturating_sub(LOOKALIKES_SAID);
            if more > 0 {
                write!(f, " and {more} more known names")?;
            }
        }
        Ok(())
    }
}
