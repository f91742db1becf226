//! `DomainWhoIsInfo`, of a URL `UrlDomainWhoIs`: the registration of the registrable domain that the name belongs to.

use serde::Serialize;

use super::wire::{Time, text, time};
use super::{OfDomain, OfUrl, Section};
use crate::dossier::{DomainDossier, UrlDossier};
use crate::fact::{Registration, RegistrationContact};
use crate::store::StoreError;

/// The section of a domain.
pub struct DomainWhoIsInfo;
/// The section of a URL.
pub struct UrlDomainWhoIs;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    domain_name: String,
    created: Option<Time>,
    updated: Option<Time>,
    expires: Option<Time>,
    name_servers: Vec<String>,
    contacts: Vec<Contact>,
    registrar: Registrar,
    domain_status: Vec<String>,
    /// The registrant's organisation.
    registration_organization: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Contact {
    contact_type: Option<String>,
    name: Option<String>,
    organization: Option<String>,
    address: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    country_code: Option<String>,
    phone: Option<String>,
    fax: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Registrar {
    /// Its name.
    info: Option<String>,
    /// Its number at IANA.
    iana_id: Option<String>,
    email: Option<String>,
}

fn owned(value: &Option<String>) -> Option<String> {
    text(value).map(str::to_owned)
}

fn contact(contact: &RegistrationContact) -> Contact {
    Contact {
        contact_type: owned(&contact.contact_type),
        name: owned(&contact.name),
        organization: owned(&contact.organization),
        address: owned(&contact.address),
        city: owned(&contact.city),
        state: owned(&contact.state),
        postal_code: owned(&contact.postal_code),
        country_code: owned(&contact.country_code),
        phone: owned(&contact.phone),
        fax: owned(&contact.fax),
        email: owned(&contact.email),
    }
}

fn body(registration: &Registration) -> Body {
    let registrant = |contact: &&RegistrationContact| contact.contact_type.as_deref() == Some("registrant");
    Body {
        domain_name: registration.domain.as_str().to_owned(),
        created: time(registration.created),
        updated: time(registration.updated),
        expires: time(registration.expires),
        name_servers: registration.name_servers.iter().map(|name| name.as_str().to_owned()).collect(),
        contacts: registration.contacts.iter().map(contact).collect(),
        registrar: Registrar {
            info: owned(&registration.registrar),
            iana_id: owned(&registration.registrar_iana_id),
            email: owned(&registration.registrar_email),
        },
        domain_status: registration.status.clone(),
        registration_organization: registration
            .contacts
            .iter()
            .find(registrant)
            .and_then(|contact| owned(&contact.organization)),
    }
}

impl Section for DomainWhoIsInfo {
    const NAME: &'static str = "DomainWhoIsInfo";
    const TITLE: &'static str = "WHOIS";
    type Of = OfDomain;
    type Body = Option<Body>;

    fn answer(about: &DomainDossier<'_>) -> Result<Option<Option<Body>>, StoreError> {
        Ok(Some(about.registration()?.map(body)))
    }
}

impl Section for UrlDomainWhoIs {
    const NAME: &'static str = "UrlDomainWhoIs";
    const TITLE: &'static str = "WHOIS";
    type Of = OfUrl;
    type Body = Option<Body>;

    fn answer(about: &UrlDossier<'_>) -> Result<Option<Option<Body>>, StoreError> {
        Ok(Some(about.registration()?.map(body)))
    }
}
