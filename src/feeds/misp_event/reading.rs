//! The value of a MISP attribute as indicators.

use std::net::IpAddr;

use super::tables::Part;
use crate::fact::Listed;
use crate::feeds::entry::below;
use crate::indicator::{DomainName, FileHash, Host, Indicator, Mask, Prefix, Url, parse_address};

/// Why a value is none: a word for the kind of the fault, and a sentence.
pub(super) type Refused = (&'static str, String);

/// What an attribute names: as an object of a report, if it can be one, and as a feed lists it.
pub(super) struct Found {
    pub(super) indicator: Option<Indicator>,
    pub(super) what: Listed,
}

/// What the value of an attribute says.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) found: Vec<Found>,
    pub(super) file_name: Option<String>,
}

/// Reads the values of an attribute.
pub(super) fn read_value(parts: &[Part], text: &str) -> Result<Reading, Refused> {
    let mut texts = vec![text];
    if parts.len() == 2 {
        // The last `|`: there may be others in a file's name.
        let (left, right) =
            text.rsplit_once('|').ok_or_else(|| ("columns", "there is no | in it".to_owned()))?;
        texts = vec![left, right];
    }
    let mut reading = Reading::default();
    let (mut host, mut port) = (None, None);
    for (part, text) in parts.iter().zip(texts) {
        match part {
            Part::FileName => {
                reading.file_name = Some(text.trim().to_owned()).filter(|name| !name.is_empty())
            }
            Part::Port => port = Some(port_of(text)?),
            Part::HostName => host = Some(Host::Domain(domain(text)?)),
            Part::Address if parts.contains(&Part::Port) => host = Some(Host::Address(address(text)?)),
            _ => reading.found.push(found(*part, text)?),
        }
    }
    if let Some(host) = host {
        let what = Listed::Mask(Mask::host(&host, port));
        reading.found.push(Found { indicator: Some(host.into()), what });
    }
    Ok(reading)
}

fn found(part: Part, text: &str) -> Result<Found, Refused> {
    Ok(match part {
        Part::Domain => {
            let name = domain(text)?;
            Found { what: Listed::Mask(below(&name)), indicator: Some(Indicator::Domain(name)) }
        }
        Part::Address if text.contains('/') => {
            let prefix = Prefix::parse_relaxed(text).map_err(|error| ("address", error.to_string()))?;
            if Prefix::single(prefix.address()) == prefix {
                return found(part, &prefix.address().to_string());
            }
            Found { indicator: None, what: Listed::Mask(Mask::network(prefix)) }
        }
        Part::Url => {
            let url = Url::parse(text).map_err(|error| ("url", error.to_string()))?;
            // `Data/dtl.dat` is the path of a file.
            if !text.contains("://") && matches!(url.host(), Host::Domain(name) if name.labels().count() == 1)
            {
                return Err(("url", format!("it has no scheme, and {:?} is no host", url.host_str())));
            }
            Found { what: Listed::Mask(Mask::url(&url)), indicator: Some(Indicator::Url(url)) }
        }
        Part::Hash => {
            let hash = FileHash::parse(text).map_err(|error| ("hash", error.to_string()))?;
            Found { what: Listed::File { file: hash.into() }, indicator: Some(Indicator::File(hash)) }
        }
        _ => {
            let host = Host::Address(address(text)?);
            Found { what: Listed::Mask(Mask::host(&host, None)), indicator: Some(host.into()) }
        }
    })
}

fn domain(text: &str) -> Result<DomainName, Refused> {
    DomainName::parse(text).map_err(|error| ("domain", error.to_string()))
}

fn address(text: &str) -> Result<IpAddr, Refused> {
    parse_address(text).map_err(|error| ("address", error.to_string()))
}

fn port_of(text: &str) -> Result<u16, Refused> {
    let port = text.trim().parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| ("port", "what is after the | is no port".to_owned()))
}
