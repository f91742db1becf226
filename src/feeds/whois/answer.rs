//! What one WHOIS answer has said so far.

use std::io;

use super::dates;
use super::keys::{Field, Part, Role, is_free, no_data};
use crate::fact::{Fact, Registration, RegistrationContact};
use crate::feeds::Emit;
use crate::feeds::withheld::{email, said};
use crate::indicator::DomainName;

/// The most name servers, statuses, contacts, handles and blocks, and lines of an address, that are kept of an answer.
const MANY: usize = 64;

/// How much of an answer's beginning is searched for its saying that there is no data. Terms of use may come first.
const BEGINNING_BYTES: usize = 4096;

/// An answer that says less than this many things is none, where it says that it is none.
const FIELDS_MIN: usize = 3;

/// One answer: of several values of a kind the first counts.
#[derive(Default)]
pub(super) struct Answer {
    /// Where it begins, and how; for the case that it is rejected.
    first_line: u64,
    text: String,
    /// What stands in the domain's place and is none.
    no_domain: Option<String>,
    domain_line: u64,
    fact: Option<Registration>,
    /// What came before the domain.
    early: Vec<(Field, String, String)>,
    abuse_email: Option<String>,
    people: Vec<Person>,
    /// Contacts by handle or name, and whether it is certainly a handle.
    named: Vec<(Role, String, bool)>,
    blocks: Vec<Person>,
}

/// A contact, and the key that its address came with.
#[derive(Default)]
struct Person {
    role: Role,
    contact: RegistrationContact,
    address_key: String,
    address_lines: usize,
}

impl Answer {
    /// Remembers how the answer begins.
    pub(super) fn note(&mut self, number: u64, text: &str) {
        if self.text.is_empty() {
            self.first_line = number;
        }
        if self.text.len() < BEGINNING_BYTES {
            self.text.push_str(text.get(..BEGINNING_BYTES).unwrap_or(text));
            self.text.push('\n');
        }
    }

    pub(super) fn has_domain(&self) -> bool {
        self.fact.is_some()
    }

    pub(super) fn has_registrar(&self) -> bool {
        self.fact.as_ref().is_some_and(|fact| fact.registrar.is_some())
    }

    /// Whether the text names a domain and the answer is one on another.
    pub(super) fn is_of_another(&self, value: &str) -> bool {
        let known = self.fact.as_ref().map(|fact| &fact.domain);
        known.is_some_and(|known| name(value).is_some_and(|name| name != *known))
    }

    /// Takes the domain. The same domain again: the contacts' addresses go no further.
    pub(super) fn begin(&mut self, number: u64, value: &str) {
        if self.fact.is_some() {
            self.people.iter_mut().filter(|person| person.contact.address.is_some()).for_each(Person::close);
            return;
        }
        let Some(domain) = name(value) else {
            self.no_domain.get_or_insert_with(|| value.to_owned());
            return;
        };
        self.domain_line = number;
        self.fact = Some(Registration {
            domain,
            created: None,
            updated: None,
            expires: None,
            name_servers: Vec::new(),
            contacts: Vec::new(),
            registrar: None,
            registrar_iana_id: None,
            registrar_email: None,
            status: Vec::new(),
            observed: None,
        });
        for (field, key, value) in std::mem::take(&mut self.early) {
            self.take(field, &key, &value);
        }
    }

    /// Begins a block that others refer to by its handle.
    pub(super) fn begin_block(&mut self) {
        if self.blocks.len() == MANY {
            // What the answer goes on to say belongs to none that is kept.
            self.blocks.pop();
        }
        self.blocks.push(Person::default());
    }

    /// Takes a value; one that was withheld is passed over.
    pub(super) fn take(&mut self, field: Field, key: &str, value: &str) {
        // A status is what it is: .be writes NOT AVAILABLE of a domain that somebody has.
        let Some(value) = said(value).or((field == Field::Status).then_some(value)) else { return };
        let Some(fact) = &mut self.fact else {
            if self.early.len() < MANY {
                self.early.push((field, key.to_owned(), value.to_owned()));
            }
            return;
        };
        match field {
            Field::Created => fact.created = fact.created.or_else(|| dates::parse(value)),
            Field::Updated => fact.updated = fact.updated.or_else(|| dates::parse(value)),
            Field::Expires => fact.expires = fact.expires.or_else(|| dates::parse(value)),
            Field::Observed => fact.observed = fact.observed.or_else(|| dates::parse(value)),
            Field::NameServer => add_name_servers(&mut fact.name_servers, value),
            Field::Status => add_statuses(&mut fact.status, value),
            Field::Registrar => put(&mut fact.registrar, value),
            Field::RegistrarIanaId => put(&mut fact.registrar_iana_id, value),
            Field::RegistrarEmail => {
                email(value).into_iter().for_each(|value| put(&mut fact.registrar_email, value))
            }
            Field::RegistrarAbuseEmail => {
                email(value).into_iter().for_each(|value| put(&mut self.abuse_email, value));
            }
            Field::Contact(_, Part::Email) if email(value).is_none() => {}
            Field::Contact(role, part) => self.person(role).take(part, key, value),
            Field::Block(part) => {
                self.blocks.last_mut().into_iter().for_each(|block| block.take(part, key, value))
            }
            Field::Person(role) | Field::Handle(role) if self.named.len() < MANY => {
                self.named.push((role, value.to_owned(), matches!(field, Field::Handle(_))));
            }
            Field::Domain | Field::Ignored | Field::Person(_) | Field::Handle(_) => {}
        }
    }

    /// The contact with a role; there are few roles.
    fn person(&mut self, role: Role) -> &mut Person {
        let known = self.people.iter().position(|person| person.role == role);
        let at = known.unwrap_or(self.people.len());
        if known.is_none() {
            self.people.push(Person { role, ..Person::default() });
        }
        &mut self.people[at]
    }

    fn has_data(&self) -> bool {
        self.fact.as_ref().is_some_and(|fact| {
            fact.created.is_some()
                || fact.updated.is_some()
                || fact.expires.is_some()
                || fact.registrar.is_some()
                || !fact.name_servers.is_empty()
                || fact.status.iter().any(|status| !is_free(status))
        }) || !self.people.is_empty()
            || !self.named.is_empty()
    }

    /// Gives the registration out, or says why there is none. An answer without any text is none.
    pub(super) fn finish(mut self, out: &mut Emit<'_>) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let (empty, contacts) = (!self.has_data(), self.contacts());
        let reject = |out: &mut Emit<'_>, reason, detail: String| {
            out.reject(self.first_line, reason, detail, self.text.as_bytes())
        };
        match self.fact {
            Some(fact) if empty => {
                let said = no_data(&self.text).or(fact.status.first().map(String::as_str));
                let nothing = || "nothing is said of the domain".to_owned();
                reject(
                    out,
                    "no data",
                    said.map_or_else(nothing, |said| format!("the answer is {:?}", shown(said))),
                )
            }
            Some(fact) => {
                let registrar_email = self.abuse_email.or(fact.registrar_email);
                let fact = Registration { contacts, registrar_email, ..fact };
                out.fact(self.domain_line, Fact::Registration(fact))
            }
            None => match (no_data(&self.text), self.no_domain) {
                (_, Some(value)) => reject(out, "domain", format!("{:?} is no domain name", shown(&value))),
                (Some(said), None) if self.early.len() < FIELDS_MIN => {
                    reject(out, "no data", format!("the answer is {:?}", shown(said)))
                }
                _ => reject(out, "domain", "the answer names no domain".to_owned()),
            },
        }
    }

    /// All contacts: those that were described, then those that were referred to.
    fn contacts(&mut self) -> Vec<RegistrationContact> {
        let named = std::mem::take(&mut self.named);
        let (handles, names): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|(_, value, handle)| *handle || self.is_handle(value));
        for (role, name, _) in names {
            let person = self.person(role);
            // Whose person is named, that is an organisation (.au).
            let is_other = person.contact.name.as_ref().is_some_and(|known| *known != name);
            person.take(if is_other { Part::Organization } else { Part::Name }, "", &name);
        }
        let described = self.people.iter().map(|person| (person.role, person.contact.clone()));
        let referred = handles.into_iter().map(|(role, handle, _)| {
            let block = self.blocks.iter().find(|block| block.contact.handle.as_ref() == Some(&handle));
            let only = || RegistrationContact { handle: Some(handle.clone()), ..Default::default() };
            (role, block.map_or_else(only, |block| block.contact.clone()))
        });
        let mut by_role: Vec<_> = described.chain(referred).collect();
        by_role.sort_by_key(|(role, _)| *role);
        let mut all = Vec::new();
        for (role, contact) in by_role {
            let contact_type = role.word().map(str::to_owned);
            let contact = RegistrationContact { contact_type, ..contact };
            if !all.contains(&contact) && all.len() < MANY {
                all.push(contact);
            }
        }
        all
    }

    /// Whether a value is the handle of a contact and not its name.
    fn is_handle(&self, value: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        self.blocks.iter().any(|block| block.contact.handle.as_deref() == Some(value))
            || (value.bytes().all(plain) && value.bytes().any(|byte| byte.is_ascii_digit()))
    }
}

impl Person {
    fn take(&mut self, part: Part, key: &str, value: &str) {
        let contact = &mut self.contact;
        match part {
            Part::Name => put(&mut contact.name, value),
            Part::Organization => put(&mut contact.organization, value),
            Part::Address => self.add_address(key, value),
            Part::City => put(&mut contact.city, value),
            Part::State => put(&mut contact.state, value),
            Part::PostalCode => put(&mut contact.postal_code, value),
            Part::Country => put(&mut contact.country_code, value),
            Part::Phone => put(&mut contact.phone, value),
            Part::Fax => put(&mut contact.fax, value),
            Part::Email => email(value).into_iter().for_each(|value| put(&mut contact.email, value)),
            Part::Handle => put(&mut contact.handle, value),
        }
    }

    /// Adds a line to the address, unless the address is there under another key: in another script, say.
    fn add_address(&mut self, key: &str, line: &str) {
        match &mut self.contact.address {
            None => (self.contact.address, self.address_key) = (Some(line.to_owned()), key.to_owned()),
            Some(address) if self.address_key.eq_ignore_ascii_case(key) && self.address_lines < MANY => {
                address.push_str(", ");
                address.push_str(line);
            }
            Some(_) => return,
        }
        self.address_lines += 1;
    }

    /// No more lines of an address.
    fn close(&mut self) {
        self.address_lines = MANY;
    }
}

/// As much of a text as a person needs to see.
fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The first word of a value as a domain.
fn name(value: &str) -> Option<DomainName> {
    DomainName::parse(value.split_whitespace().next()?).ok()
}

/// Name servers, several between commas, perhaps with their addresses; of a name only one label is none.
fn add_name_servers(servers: &mut Vec<DomainName>, value: &str) {
    for server in value.split(',').filter_map(name).filter(|server| server.labels().nth(1).is_some()) {
        if !servers.contains(&server) && servers.len() < MANY {
            servers.push(server);
        }
    }
}

/// Statuses, several between commas, without the address of their description.
fn add_statuses(statuses: &mut Vec<String>, value: &str) {
    for status in value.split(',') {
        let end = [" http", " (http"].iter().filter_map(|begin| status.find(begin)).min();
        let status = status[..end.unwrap_or(status.len())].trim();
        if !status.is_empty() && !statuses.iter().any(|known| known == status) && statuses.len() < MANY {
            statuses.push(status.to_owned());
        }
    }
}

fn put(field: &mut Option<String>, value: &str) {
    field.get_or_insert_with(|| value.to_owned());
}
