//! `rdap:`: registrations of domains, asked of their registries in the background and politely. Never at a lookup.
//!
//! Standards: RFC 9082 (queries), RFC 9083 (answers), RFC 9224 (which registry to ask).
//!
//! | which domains | when |
//! |---|---|
//! | `watch` | always |
//! | looked up | where the source says `looked_up = true`: what is looked up is private, and asking tells the registry |
//! | listed by a batch that was learnt in the last `LISTED_DAYS` | unless it is marked so that it may not be passed on (TLP amber and red); the newest batches first |
//!
//! Of each the registrable domain, unless its registration was read within `FRESH_DAYS` (by whatever source), its
//! registry has no RDAP, or it was asked for in vain lately. At most `domains_max` a refresh; what is left over is asked
//! the next time. The answers of a refresh are one batch of events, so that the history of a registration stays.
//!
//! Which listings are new: batches are numbered, and the number up to which all were asked for is the source's cursor.
//! Of later batches with listings the rows on names and URLs are read (`store/listed.rs`), until there is enough to ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::bootstrap::Bootstrap;
use self::memory::Memory;
use self::registries::{Question, Registries};
use super::fetch::{Client, FetchError};
use super::refresh::{Ask, Got, RefreshError};
use super::status;
use crate::import::Origin;
use crate::indicator::DomainName;
use crate::store::{Reader, Since, StoreError, View};
use crate::value::{DAY_S, Timestamp};

mod bootstrap;
mod looked_up;
mod memory;
mod registries;

pub use looked_up::LookedUp;

/// Listings of batches that were learnt longer ago are not new.
const LISTED_DAYS: i64 = 7;
/// A registration that was read within so many days is not asked for again.
const FRESH_DAYS: i64 = 30;
/// The largest answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// The most domains that are watched.
const WATCH_MAX: usize = 10_000;
/// The most domains a refresh, and the fastest pace, that can be set.
const DOMAINS_MAX: usize = 10_000;
const PACE_MAX: f64 = 100.0;

/// How a source of registrations asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RdapOptions)]
pub struct Options {
    /// Questions a second to one registry.
    pub pace_per_second: f64,
    /// The most domains of one refresh.
    pub domains_max: usize,
    /// Whether domains that were looked up are asked for: the registry then learns of them.
    pub looked_up: bool,
    /// Domains that are always asked for.
    pub watch: Vec<DomainName>,
    /// Where it stands which registry to ask (RFC 9224).
    pub bootstrap: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pace_per_second: 1.0,
            domains_max: 200,
            looked_up: false,
            watch: Vec::new(),
            bootstrap: "https://data.iana.org/rdap/dns.json".to_owned(),
        }
    }
}

impl Options {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right, for a person.
    pub fn check(&self) -> Result<(), String> {
        if !(self.pace_per_second > 0.0 && self.pace_per_second <= PACE_MAX) {
            return Err(format!(
                "rdap.pace_per_second is {}: use more than 0, up to {PACE_MAX}",
                self.pace_per_second
            ));
        }
        if !(1..=DOMAINS_MAX).contains(&self.domains_max) {
            return Err(format!("rdap.domains_max is {}: use 1 to {DOMAINS_MAX}", self.domains_max));
        }
        if self.watch.len() > WATCH_MAX {
            return Err(format!("rdap.watch has {} domains: {WATCH_MAX} are the most", self.watch.len()));
        }
        if !self.bootstrap.starts_with("https://") && !self.bootstrap.starts_with("http://") {
            return Err(format!("rdap.bootstrap is {:?}: use https://host/path", self.bootstrap));
        }
        Ok(())
    }
}

/// Asks registries for the domains that it is time to ask for.
pub(super) fn ask(ask: &mut Ask<'_>) -> Result<Got, RefreshError> {
    let options = ask.source.rdap.clone().unwrap_or_default();
    let client = Client::new(ask.source)?.with_answer_bytes_max(ANSWER_BYTES_MAX).asking_once();
    let folder = status::folder(ask.store.folder(), &ask.source.name);
    std::fs::create_dir_all(&folder)?;
    let mut memory = Memory::read(&folder, ask.now)?;
    let bootstrap = Bootstrap::get(&client, &options.bootstrap, &folder, ask.now, &mut memory)?;
    let mut looked_up = looked_up::take(&folder)?;
    if !options.looked_up {
        looked_up.clear();
    }
    let wanted = wanted(ask, &options, &memory, &bootstrap, &looked_up)?;
    let answers = ask.folder.join("answers");
    std::fs::create_dir(&answers)?;
    let mut registries = Registries::new(&client, &answers, options.pace_per_second);
    wanted.questions.into_iter().for_each(|question| registries.add(question, &memory));
    let mut told = |bytes, total| (ask.progress)(super::refresh::Progress::Fetching(bytes, total));
    let left = registries.ask_all(&mut memory, &mut told);
    let (answered, asked, error) = (registries.answered, registries.asked, registries.error.take());
    memory.write(&folder)?;
    looked_up.retain(|name| left.contains(name) || wanted.cut.contains(name));
    looked_up::keep(&folder, &looked_up)?;
    if let (Some(error), 0) = (error, asked) {
        return Err(FetchError::from(format!("no registry answers: {error}")).into());
    }
    let is_done = wanted.is_all && left.is_empty();
    Ok(Got {
        origins: if answered > 0 { vec![Origin::Path(answers)] } else { Vec::new() },
        cursor: is_done.then(|| wanted.newest.to_string()),
        format: Some("rdap"),
        ..Got::default()
    })
}

/// What is to be asked for.
#[derive(Default)]
struct Wanted {
    questions: Vec<Question>,
    /// The domains that they are about.
    domains: BTreeSet<String>,
    /// The newest batch that was looked at, and whether all of its and the earlier ones' domains are here.
    newest: u64,
    is_all: bool,
    /// Names that were too many.
    cut: BTreeSet<String>,
}

fn wanted(
    ask: &Ask<'_>,
    options: &Options,
    memory: &Memory,
    bootstrap: &Bootstrap,
    looked_up: &BTreeSet<String>,
) -> Result<Wanted, RefreshError> {
    let snapshot = ask.store.snapshot()?;
    let newest = snapshot.batches().iter().map(|batch| batch.seq).max().unwrap_or(0);
    // A question tells the registry: it is as if the name were passed on.
    let reader = Reader { marks: Arc::new(ask.registry.marks()), ..Reader::default() }.exporting();
    let (view, passed_on) = (snapshot.view(None), snapshot.for_reader(&reader).view(None));
    let mut wanted = Wanted { newest, ..Wanted::default() };
    let looked_up = looked_up.iter().filter_map(|name| DomainName::from_normal(name));
    let named: Vec<DomainName> = options.watch.iter().cloned().chain(looked_up).collect();
    let mut last = String::new();
    let mut add = |name: &DomainName| -> Result<bool, StoreError> {
        if wanted.questions.len() >= options.domains_max {
            return Ok(false);
        }
        // Names of a domain stand beside each other in a run: mostly it is the one before.
        let Some(domain) = registered(name).filter(|domain| *domain != last) else { return Ok(true) };
        domain.clone_into(&mut last);
        if !wanted.domains.contains(domain)
            && !memory.is_in_vain(domain)
            && let Some(base) = bootstrap.base(domain)
            && !is_fresh(&view, domain, ask.now)?
        {
            wanted.domains.insert(last.clone());
            wanted.questions.push(Question { domain: domain.to_owned(), base: base.to_owned() });
        }
        Ok(true)
    };
    let mut cut = BTreeSet::new();
    for name in &named {
        if !add(name)? {
            cut.insert(name.to_string());
        }
    }
    let mut is_all = cut.is_empty();
    if is_all {
        let after = ask.status.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let since = Since { after, learnt: Timestamp(ask.now.0 - LISTED_DAYS * DAY_S) };
        passed_on.listed_since(since, &mut |name| {
            is_all = add(name)?;
            Ok(is_all)
        })?;
    }
    Ok(Wanted { is_all, cut, ..wanted })
}

/// The domain that a registry has; none below private suffixes (`github.io`), whose owners are no registries.
fn registered(name: &DomainName) -> Option<&str> {
    name.registrable().filter(|_| !name.is_private_suffix())
}

fn is_fresh(view: &View, domain: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(view.registration_read(domain)?.is_some_and(|read| now.0 - read.0 < FRESH_DAYS * DAY_S))
}
