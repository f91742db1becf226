//! `IpWhoIs`: the network that holds the address, and the system that announces it.

use serde::Serialize;

use super::wire::{Time, text, time};
use super::{OfAddress, Section};
use crate::dossier::AddressDossier;
use crate::fact::{Network, RegistrationContact};
use crate::store::StoreError;

/// The section.
pub struct IpWhoIs;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// `IPv4` or `IPv6`.
    r#type: &'static str,
    /// `Known`, `Reserved` or `NoInfo`.
    status: &'static str,
    asn: Vec<System>,
    net: Net,
    contacts: Vec<Contact>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct System {
    number: u32,
    description: Vec<String>,
    /// `AS4837`.
    origin: String,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Net {
    range_start: Option<String>,
    range_end: Option<String>,
    created: Option<Time>,
    changed: Option<Time>,
    name: Option<String>,
    /// Its lines are joined by CR LF.
    description: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Contact {
    address: Vec<String>,
    organization_id: Option<String>,
    name: Option<String>,
    contact_role: Option<String>,
    contact_type: Option<String>,
    fax: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

fn net(network: &Network) -> Net {
    let lines: Vec<&str> =
        network.description.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    Net {
        range_start: Some(network.range.first().to_string()),
        range_end: Some(network.range.last().to_string()),
        created: time(network.created),
        changed: time(network.changed),
        name: text(&network.name).map(str::to_owned),
        description: (!lines.is_empty()).then(|| lines.join("\r\n")),
    }
}

fn contact(contact: &RegistrationContact) -> Contact {
    let owned = |value: &Option<String>| text(value).map(str::to_owned);
    let parts =
        [&contact.address, &contact.city, &contact.state, &contact.postal_code, &contact.country_code];
    Contact {
        address: parts.into_iter().filter_map(owned).collect(),
        organization_id: owned(&contact.handle),
        name: owned(&contact.organization).or_else(|| owned(&contact.name)),
        contact_role: owned(&contact.contact_type),
        contact_type: Some(if contact.organization.is_some() { "organization" } else { "person" }.to_owned()),
        fax: owned(&contact.fax),
        phone: owned(&contact.phone),
        email: owned(&contact.email),
    }
}

impl Section for IpWhoIs {
    const NAME: &'static str = "IpWhoIs";
    const TITLE: &'static str = "WHOIS";
    type Of = OfAddress;
    type Body = Body;

    fn answer(about: &AddressDossier<'_>) -> Result<Option<Body>, StoreError> {
        let kind = if about.address.is_ipv4() { "IPv4" } else { "IPv6" };
        if about.is_reserved() {
            let (asn, contacts) = (Vec::new(), Vec::new());
            return Ok(Some(Body { r#type: kind, status: "Reserved", asn, net: Net::default(), contacts }));
        }
        let networks = about.networks()?;
        let asn = networks.systems.iter().map(|(number, names)| System {
            number: *number,
            description: names.clone(),
            origin: format!("AS{number}"),
        });
        Ok(Some(Body {
            r#type: kind,
            status: if networks.network.is_some() { "Known" } else { "NoInfo" },
            asn: asn.collect(),
            net: networks.network.as_ref().map(net).unwrap_or_default(),
            contacts: networks.network.iter().flat_map(|network| &network.contacts).map(contact).collect(),
        }))
    }
}
