//! RDAP answers: the registration of a domain, the network that an address is in.
//!
//! Written by every registry and registrar; RFC 9083, contacts by RFC 7095 (jCard). One answer a file, an array of
//! them, one a line, or the answer to a search (`domainSearchResults`).
//!
//! `domain` gives a [`Registration`], `ip network` a [`Network`]; a domain of reverse DNS that says which network it is
//! of gives both. Contacts are the entities with one of the roles of [`ROLES`], of a network those within entities too
//! (whose it is stands outside, who answers the telephone inside). A registrar is none: its name, its IANA number and
//! the e-mail of the abuse contact within it, else its own, are fields of the registration.
//!
//! Other objects (`autnum`, `entity`, `nameserver`, help) are rejected as `object`, errors as `no data`.

use std::io;

use serde_json::Value;

use super::json_values::{JsonValues, first_keys};
use super::withheld::{email, said};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Network, Registration, RegistrationContact};
use crate::indicator::{AddressRange, Asn, DomainName, parse_address};
use crate::value::{CountryCode, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "rdap",
    title: "RDAP answers on domains and networks (JSON)",
    state: State::Events,
    proof: Proof::Real,
    recognise,
    open: || Box::new(read),
};

/// The largest answer. It is held as a tree, which takes several times as much; servers cut searches far below.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// How deep entities are looked for within entities.
const ENTITY_DEPTH_MAX: usize = 4;

/// The roles of RFC 9083 that are contacts here. The words are those of [`RegistrationContact::contact_type`].
const ROLES: &[&str] = &["registrant", "administrative", "technical", "billing", "abuse"];

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    ["objectClassName", "rdapConformance", "domainSearchResults"].iter().any(|key| keys.contains(key))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::new(input.reader, Some("domainSearchResults"), ANSWER_BYTES_MAX);
    while let Some((line, bytes)) = values.next(out)? {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(answer) => read_answer(&answer, line, out)?,
            Err(error) => out.reject(line, "json", error.to_string(), bytes)?,
        }
    }
    Ok(())
}

fn read_answer(answer: &Value, line: u64, out: &mut Emit<'_>) -> io::Result<()> {
    if let Some(error) = answer.get("errorCode") {
        let title = text(&answer["title"]).unwrap_or("no title");
        return reject(answer, line, "no data", format!("the server answered {error}: {title}"), out);
    }
    match answer.get("domainSearchResults") {
        Some(Value::Array(found)) => found.iter().try_for_each(|object| read_object(object, line, out)),
        _ => read_object(answer, line, out),
    }
}

fn read_object(object: &Value, line: u64, out: &mut Emit<'_>) -> io::Result<()> {
    match text(&object["objectClassName"]) {
        Some("domain") => {
            match registration(object) {
                Ok(fact) => out.fact(line, Fact::Registration(fact))?,
                Err(detail) => reject(object, line, "domain", detail, out)?,
            }
            match object.get("network") {
                Some(network @ Value::Object(_)) => read_network(network, line, out),
                _ => Ok(()),
            }
        }
        Some("ip network") => read_network(object, line, out),
        Some(other) => {
            reject(object, line, "object", format!("{other:?} is neither domain nor ip network"), out)
        }
        None => reject(object, line, "object", "there is no objectClassName".to_owned(), out),
    }
}

fn read_network(object: &Value, line: u64, out: &mut Emit<'_>) -> io::Result<()> {
    match network(object) {
        Ok(fact) => out.fact(line, Fact::Network(fact)),
        Err(detail) => reject(object, line, "address", detail, out),
    }
}

fn reject(
    object: &Value,
    line: u64,
    reason: &'static str,
    detail: String,
    out: &mut Emit<'_>,
) -> io::Result<()> {
    out.reject(line, reason, detail, object.to_string().as_bytes())
}

//------------ Objects -------------------------------------------------------

fn registration(object: &Value) -> Result<Registration, String> {
    let name = text(&object["ldhName"]).or(text(&object["unicodeName"])).ok_or("there is no ldhName")?;
    let domain = DomainName::parse(name).map_err(|error| error.to_string())?;
    let registrar = entities(object).find(|entity| has_role(entity, "registrar"));
    let servers = list(&object["nameservers"]).filter_map(|server| {
        let name = text(&server["ldhName"]).or(text(&server["unicodeName"]))?;
        DomainName::parse(name).ok()
    });
    let mut fact = Registration {
        domain,
        created: event(object, &["registration"]),
        updated: event(object, &["last changed"]),
        expires: event(object, &["expiration", "registrar expiration"]),
        name_servers: servers.collect(),
        contacts: Vec::new(),
        registrar: None,
        registrar_iana_id: None,
        registrar_email: None,
        status: list(&object["status"]).filter_map(text).map(str::to_owned).collect(),
        observed: event(object, &["last update of rdap database"]),
    };
    for entity in entities(object).filter(|entity| !has_role(entity, "registrar")) {
        fact.contacts.extend(contacts(entity));
    }
    if let Some(registrar) = registrar {
        let abuse = entities(registrar).find(|entity| has_role(entity, "abuse")).map(Card::of);
        let card = Card::of(registrar);
        fact.registrar = card.contact.name.or(card.contact.organization);
        fact.registrar_iana_id = list(&registrar["publicIds"])
            .find(|id| text(&id["type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("IANA Registrar ID")))
            .and_then(|id| scalar(&id["identifier"]));
        fact.registrar_email = abuse.and_then(|abuse| abuse.contact.email).or(card.contact.email);
    }
    Ok(fact)
}

fn network(object: &Value) -> Result<Network, String> {
    let end = |key: &str| {
        let end = text(&object[key]).ok_or_else(|| format!("there is no {key}"))?;
        parse_address(end).map_err(|error| error.to_string())
    };
    let (first, last) = (end("startAddress")?, end("endAddress")?);
    let range =
        AddressRange::new(first, last).ok_or("startAddress is after endAddress, or of another family")?;
    let remarks = list(&object["remarks"]).flat_map(|remark| list(&remark["description"]));
    let mut fact = Network {
        range,
        asn: origin(object),
        as_name: None,
        country: text(&object["country"]).and_then(CountryCode::parse),
        name: text(&object["name"]).and_then(said).map(str::to_owned),
        description: remarks.filter_map(text).map(str::to_owned).collect(),
        created: event(object, &["registration"]),
        changed: event(object, &["last changed"]),
        contacts: Vec::new(),
        observed: event(object, &["last update of rdap database"]),
    };
    add_contacts(object, 0, &mut fact.contacts);
    Ok(fact)
}

/// Of the extension `arin_originas0`: the autonomous system, where it is one.
fn origin(object: &Value) -> Option<Asn> {
    let mut origins = list(&object["arin_originas0_originautnums"]);
    let asn = origins.next()?.as_u64()?;
    origins.next().is_none().then_some(Asn(u32::try_from(asn).ok()?))
}

/// The first event of one of these kinds whose date can be read.
fn event(object: &Value, actions: &[&str]) -> Option<Timestamp> {
    actions.iter().find_map(|action| {
        let of_kind = list(&object["events"]).filter(|event| {
            text(&event["eventAction"]).is_some_and(|kind| kind.eq_ignore_ascii_case(action))
        });
        of_kind.filter_map(|event| Timestamp::parse(text(&event["eventDate"])?).ok()).next()
    })
}

//------------ Entities ------------------------------------------------------

fn entities(object: &Value) -> impl Iterator<Item = &Value> {
    list(&object["entities"])
}

fn has_role(entity: &Value, role: &str) -> bool {
    roles(entity).any(|known| known.eq_ignore_ascii_case(role))
}

fn roles(entity: &Value) -> impl Iterator<Item = &str> {
    list(&entity["roles"]).chain(Some(&entity["roles"])).filter_map(text)
}

/// The contacts of an object and those within its entities.
fn add_contacts(object: &Value, depth: usize, all: &mut Vec<RegistrationContact>) {
    if depth == ENTITY_DEPTH_MAX {
        return;
    }
    for entity in entities(object) {
        all.extend(contacts(entity));
        add_contacts(entity, depth + 1, all);
    }
}

/// An entity as a contact for each of its roles; none where it says nothing.
fn contacts(entity: &Value) -> Vec<RegistrationContact> {
    let contact = Card::of(entity).contact;
    if contact == RegistrationContact::default() {
        return Vec::new();
    }
    let wanted = ROLES.iter().filter(|role| has_role(entity, role));
    wanted
        .map(|role| RegistrationContact { contact_type: Some((*role).to_owned()), ..contact.clone() })
        .collect()
}

/// The handle and the jCard of an entity: `["vcard", [[name, parameters, type, value, …], …]]`.
struct Card {
    contact: RegistrationContact,
    /// `org`, `group`, `individual`.
    kind: Option<String>,
}

impl Card {
    fn of(entity: &Value) -> Card {
        let contact = RegistrationContact {
            handle: text(&entity["handle"]).and_then(said).map(str::to_owned),
            ..RegistrationContact::default()
        };
        let mut card = Card { contact, kind: None };
        for property in list(&entity["vcardArray"][1]) {
            card.take(text(&property[0]).unwrap_or_default(), &property[1], &property[3]);
        }
        // An organisation's own name.
        if card.kind.as_deref() == Some("org") && card.contact.organization.is_none() {
            card.contact.organization = card.contact.name.take();
        }
        card
    }

    /// Takes one property; of several of a kind the first counts.
    fn take(&mut self, name: &str, parameters: &Value, value: &Value) {
        let contact = &mut self.contact;
        match name.to_ascii_lowercase().as_str() {
            "kind" => self.kind = text(value).map(str::to_ascii_lowercase),
            "fn" => put(&mut contact.name, text(value).and_then(said)),
            "org" => put(&mut contact.organization, joined(value).as_deref()),
            "email" => put(&mut contact.email, text(value).and_then(email)),
            "tel" => {
                let number = text(value).map(|number| number.strip_prefix("tel:").unwrap_or(number));
                let types = &parameters["type"];
                let fax = list(types)
                    .chain(Some(types))
                    .filter_map(text)
                    .any(|kind| kind.eq_ignore_ascii_case("fax"));
                put(if fax { &mut contact.fax } else { &mut contact.phone }, number.and_then(said));
            }
            "adr" => self.take_address(parameters, value),
            _ => {}
        }
    }

    /// RFC 6350, 6.3.1: box, extended, street, city, region, code, country; or all of it in the parameter `label`.
    fn take_address(&mut self, parameters: &Value, value: &Value) {
        let contact = &mut self.contact;
        let part = |at: usize| joined(&value[at]);
        let street: Vec<String> = (0..3).filter_map(part).collect();
        let label = || {
            let lines: Vec<&str> = text(&parameters["label"])?.lines().filter_map(said).collect();
            Some(lines.join(", ")).filter(|label| !label.is_empty())
        };
        let structured = (0..7).any(|at| part(at).is_some());
        put(&mut contact.address, if structured { Some(street.join(", ")) } else { label() }.as_deref());
        put(&mut contact.city, part(3).as_deref());
        put(&mut contact.state, part(4).as_deref());
        put(&mut contact.postal_code, part(5).as_deref());
        // RFC 8605: the code of the country in a parameter.
        put(&mut contact.country_code, text(&parameters["cc"]).and_then(said).or(part(6).as_deref()));
    }
}

fn put(field: &mut Option<String>, value: Option<&str>) {
    if field.is_none() {
        *field = value.filter(|value| !value.is_empty()).map(str::to_owned);
    }
}

/// A text, or the texts of a list, joined by commas.
fn joined(value: &Value) -> Option<String> {
    let texts: Vec<&str> = list(value).chain(Some(value)).filter_map(text).filter_map(said).collect();
    Some(texts.join(", ")).filter(|text| !text.is_empty())
}

//------------ JSON ----------------------------------------------------------

/// The elements of an array; of anything else none.
fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A text or a number as text.
fn scalar(value: &Value) -> Option<String> {
    text(value).map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
}
