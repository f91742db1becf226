//! The table of what relates, and what of a dossier says so.

use super::neighbour::{Candidate, Candidates, Found, Neighbour, Read, judged, rows, standing};
use super::registered::{certificate, name_server_of, name_servers, registrant};
use super::{Find, Thing, thing};
use crate::dossier::DomainDossier;
use crate::dossier::rows::List;
use crate::fact::{Publication, RecordType, ReportType};
use crate::indicator::{DomainName, Host, Indicator};
use crate::publications;
use crate::sections::About;
use crate::store::{StoreError, Table};
use crate::verdict::Judge;

/// The most rows of a list of files, before the worst are taken.
const FILES_MAX: usize = crate::lookup::COUNT_MAX;

/// A relation between two nodes.
pub struct Relation {
    /// Its name on the wire.
    pub name: &'static str,
    /// What is said of the node where it begins.
    pub said: &'static str,
    /// Whether it is the same from both ends.
    pub is_mutual: bool,
    /// Finds the neighbours of an object at which the relation begins; of a mutual one all.
    pub(super) begins: Find,
    /// Finds those of an object at which it ends.
    pub(super) ends: Find,
}

impl Relation {
    /// Whether it leads to intelligence reports.
    pub(super) fn is_of_reports(&self) -> bool {
        self.name == MENTIONED_IN
    }
}

const MENTIONED_IN: &str = "mentioned_in";

const fn from_to(name: &'static str, said: &'static str, begins: Find, ends: Find) -> Relation {
    Relation { name, said, is_mutual: false, begins, ends }
}

const fn mutual(name: &'static str, said: &'static str, begins: Find) -> Relation {
    Relation { name, said, is_mutual: true, begins, ends: nothing }
}

/// All relations, in the order of pages.
pub static RELATIONS: &[Relation] = &[
    from_to("resolves_to", "resolves to", resolves_to, resolved_by),
    from_to("alias_of", "is an alias of", alias_of, aliases),
    from_to("has_subdomain", "has the subdomain", subdomains, parent),
    from_to("hosts", "hosts", urls, host),
    from_to("serves", "serves", downloaded, downloaded_from),
    from_to("contacts", "contacts", contacted, contacted_by),
    from_to("refers_to", "refers to", referred_to, referrals),
    mutual("similar_to", "looks like", similar),
    from_to(MENTIONED_IN, "is mentioned in", mentioned_in, nothing),
    mutual("same_certificate", "has a certificate with", certificate),
    from_to("has_name_server", "has the name server", name_servers, name_server_of),
    from_to("has_mail_server", "has the mail server", mail_servers, mail_server_of),
    mutual("same_registrant", "has a registrant with", registrant),
];

fn nothing(_: &About<'_>, _: usize) -> Result<Found, StoreError> {
    Ok(Found::default())
}

/// A name as a row has it.
fn name(text: &str) -> Option<Thing> {
    DomainName::from_store(text).map(|name| Thing::Object(Indicator::Domain(name)))
}

//------------ DNS -----------------------------------------------------------

fn resolves_to(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.resolutions()?, limit, name),
        _ => Ok(Found::default()),
    }
}

fn resolved_by(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Address(dossier) => rows(&dossier.common, dossier.names()?, limit, name),
        _ => Ok(Found::default()),
    }
}

fn alias_of(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    recorded(about, limit, Table::Record, RecordType::CNAME)
}

fn aliases(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    recorded(about, limit, Table::RecordOf, RecordType::CNAME)
}

fn mail_servers(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    recorded(about, limit, Table::Record, RecordType::MX)
}

fn mail_server_of(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    recorded(about, limit, Table::RecordOf, RecordType::MX)
}

fn recorded(about: &About<'_>, limit: usize, table: Table, record: RecordType) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => judged(&dossier.common, records(dossier, table, record), limit),
        _ => Ok(Found::default()),
    }
}

/// The names that records of a type lead to, or come from.
pub(super) fn records(dossier: &DomainDossier<'_>, table: Table, record: RecordType) -> Candidates {
    let number = record.0.to_be_bytes();
    let edges = dossier.common.own.edges(table).iter();
    let named = edges.filter_map(|edge| {
        let other = edge.counterpart.strip_prefix(&number)?;
        let other = DomainName::from_normal(std::str::from_utf8(other).ok()?)?;
        Some((Indicator::Domain(other), Candidate::observed(&edge.observed)))
    });
    named.collect()
}

//------------ Names ---------------------------------------------------------

fn subdomains(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.subdomains()?, limit, name),
        _ => Ok(Found::default()),
    }
}

/// The registrable domain of a host below it.
fn parent(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let About::Domain(dossier) = about else { return Ok(Found::default()) };
    let parent = dossier.name.registrable().filter(|parent| *parent != dossier.name.as_str());
    let parent = parent.and_then(DomainName::from_normal).map(Indicator::Domain);
    judged(&dossier.common, parent.map(|parent| (parent, Candidate::default())).into_iter().collect(), limit)
}

fn similar(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let About::Domain(dossier) = about else { return Ok(Found::default()) };
    // Of a host that is below a registered name the names that look like that are neighbours of that.
    if dossier.name.registrable() != Some(dossier.name.as_str()) {
        return Ok(Found::default());
    }
    let mut alike = dossier.similar()?;
    alike.sort_by(|a, b| (a.zone, a.cost, &a.domain).cmp(&(b.zone, b.cost, &b.domain)));
    let mut found = Found { neighbours: Vec::new(), all: alike.len() as u64 };
    for row in alike.iter().take(limit) {
        let Some(name) = DomainName::from_normal(&row.domain) else { continue };
        let (zone, score) = dossier.common.judge.domain_zone(&name)?;
        let owner = if row.same_owner { ", same owner" } else { "" };
        let neighbour = Neighbour::plain(Thing::Object(Indicator::Domain(name))).judged(zone, score);
        found.neighbours.push(neighbour.by(&format!("{}{owner}", row.technique())));
    }
    Ok(found)
}

//------------ Web and files -------------------------------------------------

fn urls(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => rows(&dossier.common, &dossier.urls()?, limit, thing::url),
        About::Address(dossier) => rows(&dossier.common, dossier.urls()?, limit, thing::url),
        _ => Ok(Found::default()),
    }
}

/// The host of a web address.
fn host(about: &About<'_>, _: usize) -> Result<Found, StoreError> {
    let About::Url(dossier) = about else { return Ok(Found::default()) };
    let host = match dossier.url.host() {
        Host::Domain(name) => Indicator::Domain(name),
        Host::Address(address) => Indicator::Address(address),
    };
    let (zone, score) = standing(dossier.common.judge, &host)?;
    let found = Neighbour::plain(Thing::Object(host)).judged(zone, score);
    let found = match dossier.seen() {
        Some((first, last)) => {
            Neighbour { hits: Some(dossier.common.rounded(dossier.hits())), ..found }.seen(first, last)
        }
        None => found,
    };
    Ok(Found { neighbours: vec![found], all: 1 })
}

fn downloaded(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.downloaded()?, limit, thing::url),
        About::Url(dossier) => rows(&dossier.common, dossier.downloaded()?, limit, thing::url),
        About::Address(_) => files(about, limit, &[Table::FileServed, Table::Downloaded]),
        About::File(_) => Ok(Found::default()),
    }
}

fn contacted_by(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.accessed()?, limit, thing::url),
        About::Url(dossier) => rows(&dossier.common, dossier.accessed()?, limit, thing::url),
        About::Address(_) => files(about, limit, &[Table::AccessedBy]),
        About::File(_) => Ok(Found::default()),
    }
}

/// Files of an address: its report has what was downloaded and what contacted it in one list.
fn files(about: &About<'_>, limit: usize, tables: &[Table]) -> Result<Found, StoreError> {
    let common = about.common();
    let edges = tables.iter().flat_map(|table| common.own.edges(*table));
    rows(common, &List::new(common.files(edges, false)?, FILES_MAX), limit, thing::url)
}

fn downloaded_from(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::File(dossier) => rows(&dossier.common, dossier.downloaded_from()?, limit, thing::web),
        _ => Ok(Found::default()),
    }
}

fn contacted(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    match about {
        About::File(dossier) => rows(&dossier.common, dossier.accessed()?, limit, thing::web),
        _ => Ok(Found::default()),
    }
}

fn referred_to(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    const READ: Read = thing::url;
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.referred_to()?, limit, READ),
        About::Url(dossier) => rows(&dossier.common, dossier.referred_to()?, limit, READ),
        _ => Ok(Found::default()),
    }
}

fn referrals(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    const READ: Read = thing::url;
    match about {
        About::Domain(dossier) => rows(&dossier.common, dossier.referrals()?, limit, READ),
        About::Url(dossier) => rows(&dossier.common, dossier.referrals()?, limit, READ),
        _ => Ok(Found::default()),
    }
}

//------------ Intelligence reports ------------------------------------------

fn mentioned_in(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let reports = about.common().publications()?;
    let neighbours = reports.iter().take(limit).map(|report| {
        let found = Neighbour::plain(Thing::Report(report.id.clone())).by(kind_of(report));
        Neighbour { title: Some(report.title.clone()), ..found }
    });
    Ok(Found { neighbours: neighbours.collect(), all: reports.len() as u64 })
}

fn kind_of(report: &Publication) -> &'static str {
    match report.report_type {
        ReportType::Apt => "APT",
        ReportType::Crimeware => "Crimeware",
        ReportType::Industrial => "Industrial",
    }
}

/// What a report names, the worst first.
pub(super) fn named(judge: &Judge<'_>, report: &Publication, limit: usize) -> Result<Found, StoreError> {
    let (all, mut named) = publications::named(judge, &report.id)?;
    named.sort_by_key(|one| one.zone);
    let neighbours = named.iter().take(limit).filter_map(|one| {
        let indicator = Indicator::parse_as(one.kind, &one.indicator).ok()?;
        let found = Neighbour::plain(Thing::Object(indicator)).judged(one.zone, one.threat_score);
        Some(found.by(kind_of(report)))
    });
    Ok(Found { neighbours: neighbours.collect(), all: all as u64 })
}
