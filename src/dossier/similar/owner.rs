//! Whether two names belong to the same people.

use std::collections::HashSet;

use crate::fact::Registration;
use crate::indicator::DomainName;
use crate::store::{ObjectKey, Part, StoreError, Table, read_part};
use crate::verdict::Judge;

/// Addresses of the original whose other names count as its own.
const ADDRESSES_MAX: usize = 8;

/// What the registrants that are not told have in their names.
const HIDDEN: &[&str] = &[
    "privacy",
    "private",
    "proxy",
    "redacted",
    "withheld",
    "protect",
    "gdpr",
    "whoisguard",
    "not disclosed",
];

/// What tells the owner of a name.
#[derive(Default)]
pub struct Owner {
    registrant: Option<String>,
    /// Sorted.
    name_servers: Vec<DomainName>,
    /// Registrable domains on the addresses of the name, where these are not shared by many.
    neighbours: HashSet<String>,
}

impl Owner {
    /// The owner of a name's registrable domain, by its registration and its addresses.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn of(judge: &Judge<'_>, name: &DomainName, own: Option<&Registration>) -> Result<Owner, StoreError> {
        let view = judge.view();
        let mut owner = Owner {
            registrant: own.and_then(registrant),
            name_servers: own.map(name_servers).unwrap_or_default(),
            neighbours: HashSet::new(),
        };
        let Some(registrable) = name.registrable() else { return Ok(owner) };
        let resolved = view.table(&ObjectKey::domain(registrable), Table::Resolves)?;
        let addresses =
            resolved.edges(Table::Resolves).iter().filter_map(|edge| read_part(&edge.counterpart));
        for (part, _) in addresses.take(ADDRESSES_MAX) {
            let Part::Address(address) = part else { continue };
            if judge.is_shared(address)? {
                continue;
            }
            let names = view.table(&ObjectKey::address(address), Table::ResolvedBy)?;
            for edge in names.edges(Table::ResolvedBy) {
                if let Some((Part::Domain(name), _)) = read_part(&edge.counterpart) {
                    owner.neighbours.extend(psl::domain_str(&name).map(str::to_owned));
                }
            }
        }
        Ok(owner)
    }

    /// Whether a name, with this registration, is the owner's too.
    pub fn has(&self, domain: &str, registration: Option<&Registration>) -> bool {
        let by_registration = registration.is_some_and(|other| {
            let same_servers = !self.name_servers.is_empty() && name_servers(other) == self.name_servers;
            same_servers || (self.registrant.is_some() && registrant(other) == self.registrant)
        });
        by_registration || self.neighbours.contains(domain)
    }
}

/// Whether a registrant, in lower case, is not told: whoever hides behind the same service is not the same.
pub fn is_hidden(registrant: &str) -> bool {
    HIDDEN.iter().any(|word| registrant.contains(word))
}

fn registrant(registration: &Registration) -> Option<String> {
    let contacts = &registration.contacts;
    let contact = contacts.iter().find(|one| one.contact_type.as_deref() == Some("registrant"))?;
    let registrant = contact.organization.clone().or_else(|| contact.email.clone())?.to_lowercase();
    (!is_hidden(&registrant)).then_some(registrant)
}

fn name_servers(registration: &Registration) -> Vec<DomainName> {
    let mut servers = registration.name_servers.clone();
    servers.sort();
    servers
}
