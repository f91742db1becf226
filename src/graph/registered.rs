//! Neighbours by what people wrote down: certificates and registrations.

use std::cmp::Reverse;

use super::Thing;
use super::neighbour::{CANDIDATES_MAX, Candidate, Candidates, Found, judged};
use super::relations::records;
use crate::dossier::DomainDossier;
use crate::dossier::similar::is_hidden;
use crate::fact::{Certificate, RecordType, Registration};
use crate::indicator::{DomainName, Indicator};
use crate::sections::About;
use crate::store::walk::{Head, Range, Walk};
use crate::store::{ObjectKey, Part, StoreError, Table, View, read_part, term};

/// The most certificates of an object that are looked at: the newest.
const CERTIFICATES_MAX: usize = 20;

/// About the most rows of a term that are read in each part of the store.
const ROWS_MAX: usize = 10_000;

/// Names and addresses that showed a certificate that the object showed.
pub(super) fn certificate(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let table = match about {
        About::Domain(_) => Table::NameCertificate,
        About::Address(_) => Table::AddressCertificate,
        About::Url(_) | About::File(_) => return Ok(Found::default()),
    };
    let common = about.common();
    let mut edges: Vec<_> = common.own.edges(table).iter().collect();
    edges.sort_by_key(|edge| Reverse(edge.observed.last));
    let Thing::Object(own) = Thing::of(about) else { return Ok(Found::default()) };
    let mut found = Candidates::new();
    for edge in edges.into_iter().take(CERTIFICATES_MAX) {
        let Ok(digest) = std::str::from_utf8(&edge.counterpart) else { continue };
        let object = common.view().table(&ObjectKey::certificate(digest), Table::Certificate)?;
        for statement in object.statements(Table::Certificate).filter(|one| one.is_current()) {
            let fact: Certificate = statement.fact()?;
            let names = fact.names.iter().chain(&fact.server_name).cloned().map(Indicator::Domain);
            for other in names.chain(fact.address.map(Indicator::Address)).filter(|other| *other != own) {
                if found.len() >= CANDIDATES_MAX && !found.contains_key(&other) {
                    continue;
                }
                let candidate = found.entry(other).or_default();
                candidate.detail.get_or_insert_with(|| format!("certificate {digest}"));
                let (first, last) = candidate.seen.unwrap_or((fact.seen.first, fact.seen.last));
                candidate.seen = Some((first.min(fact.seen.first), last.max(fact.seen.last)));
            }
        }
    }
    judged(common, found, limit)
}

/// The registration of a registrable domain; of what is below one it is that of another node.
fn registration<'d>(dossier: &'d DomainDossier<'_>) -> Result<Option<&'d Registration>, StoreError> {
    let is_registrable = dossier.name.registrable() == Some(dossier.name.as_str());
    if is_registrable { dossier.registration() } else { Ok(None) }
}

/// Name servers by records and by the registration.
pub(super) fn name_servers(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let About::Domain(dossier) = about else { return Ok(Found::default()) };
    let mut found = records(dossier, Table::Record, RecordType::NS);
    if let Some(registration) = registration(dossier)? {
        for server in &registration.name_servers {
            registered(&mut found, Indicator::Domain(server.clone()), "registration");
        }
    }
    judged(&dossier.common, found, limit)
}

/// Domains that a name server serves, by records and by registrations.
pub(super) fn name_server_of(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let About::Domain(dossier) = about else { return Ok(Found::default()) };
    let mut found = records(dossier, Table::RecordOf, RecordType::NS);
    for domain in by_term(dossier.common.view(), dossier.name.as_str(), Table::NameServerOf)? {
        registered(&mut found, Indicator::Domain(domain), "registration");
    }
    judged(&dossier.common, found, limit)
}

/// Domains that the same person or organisation registered, as far as that is told.
pub(super) fn registrant(about: &About<'_>, limit: usize) -> Result<Found, StoreError> {
    let About::Domain(dossier) = about else { return Ok(Found::default()) };
    let mut found = Candidates::new();
    let contacts = registration(dossier)?.map(|registration| &registration.contacts).into_iter().flatten();
    for contact in contacts.filter(|one| one.contact_type.as_deref() == Some("registrant")) {
        let texts = [
            (Table::EmailOf, &contact.email),
            (Table::RegistrantOf, &contact.organization),
            (Table::RegistrantOf, &contact.name),
        ];
        for (table, text) in texts {
            let Some(text) = text.as_deref().filter(|text| !is_hidden(&term(text))) else { continue };
            for domain in by_term(dossier.common.view(), text, table)? {
                if domain != dossier.name {
                    registered(&mut found, Indicator::Domain(domain), &format!("registrant {text}"));
                }
            }
        }
    }
    judged(&dossier.common, found, limit)
}

/// Adds what a registration says, where nothing was observed.
fn registered(found: &mut Candidates, other: Indicator, detail: &str) {
    found
        .entry(other)
        .or_insert_with(|| Candidate { detail: Some(detail.to_owned()), ..Candidate::default() });
}

/// The domains whose registration has a text: the first [`CANDIDATES_MAX`] in the order of names, since a popular name
/// server has millions.
fn by_term(view: &View, text: &str, table: Table) -> Result<Vec<DomainName>, StoreError> {
    let object = ObjectKey::term(text);
    let range = Range::object(&object);
    let walk = Walk {
        range: &range,
        tables: &[table],
        head: Head::Row,
        max: CANDIDATES_MAX,
        rows_max: ROWS_MAX,
        source: None,
    };
    let mut domains = Vec::new();
    for row in view.walk(&walk)?.heads {
        let Some((_, [_, counterpart @ ..])) = read_part(&row) else { continue };
        let Some((Part::Domain(name), _)) = read_part(counterpart) else { continue };
        let said = view.row(&object, table, counterpart)?;
        if said.statements(table).any(|one| one.is_current()) {
            domains.extend(DomainName::from_normal(&name));
        }
    }
    Ok(domains)
}
