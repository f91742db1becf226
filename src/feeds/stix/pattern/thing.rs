//! What comparisons that all hold name together.

use std::net::IpAddr;

use super::super::object::{file_hash, host_mask};
use super::{Comparison, Found, fault};
use crate::fact::Listed;
use crate::feeds::entry::{Fault, shown};
use crate::indicator::{DomainName, FileHashes, Host, Indicator, Mask, Prefix, Url, parse_address};

/// The one thing that comparisons name together.
pub(super) fn one_thing(comparisons: &[Comparison]) -> Result<Found, Fault> {
    if let [Comparison { path, value }] = comparisons
        && !path.starts_with("network-traffic:")
        && !path.starts_with("file:")
    {
        return value_of(path, value);
    }
    let all = |kind: &str| comparisons.iter().all(|comparison| comparison.path.starts_with(kind));
    if all("file:") {
        return file(comparisons);
    }
    if all("network-traffic:") {
        return connection(comparisons);
    }
    fault("AND of different things: no listing says that both must be seen")
}

fn value_of(path: &str, value: &str) -> Result<Found, Fault> {
    match path {
        "domain-name:value" => {
            let name = DomainName::parse(value).map_err(|error| ("domain", error.to_string()))?;
            Ok(host(Host::Domain(name), None))
        }
        "ipv4-addr:value" | "ipv6-addr:value" => address(value, None),
        "url:value" => {
            let url = Url::parse(value).map_err(|error| ("url", error.to_string()))?;
            Ok(Found::new(Listed::Mask(Mask::url(&url)), Some(Indicator::Url(url))))
        }
        _ => fault(format!("{} is nothing that is listed here", shown(path))),
    }
}

fn host(host: Host, port: Option<u16>) -> Found {
    Found::new(host_mask(&host, port), Some(host.into()))
}

/// An address or, with a `/`, a network.
fn address(value: &str, port: Option<u16>) -> Result<Found, Fault> {
    if value.contains('/') {
        let prefix = Prefix::parse_relaxed(value).map_err(|error| ("network", error.to_string()))?;
        if prefix != Prefix::single(prefix.address()) {
            return Ok(Found::new(Listed::Mask(Mask::network(prefix)), None));
        }
        return Ok(host(Host::Address(prefix.address()), port));
    }
    let address: IpAddr = parse_address(value).map_err(|error| ("address", error.to_string()))?;
    Ok(host(Host::Address(address), port))
}

/// A file by its hashes; what else is said of it narrows nothing.
fn file(comparisons: &[Comparison]) -> Result<Found, Fault> {
    let (mut hashes, mut names) = (FileHashes::default(), Vec::new());
    for Comparison { path, value } in comparisons {
        match path.strip_prefix("file:").unwrap_or_default() {
            "name" => names.push(value.clone()),
            "size" | "mime_type" => {}
            path => match path.strip_prefix("hashes.").map(|name| file_hash(name, value)) {
                Some(hash) => hash?.into_iter().for_each(|hash| hashes.set(hash)),
                None => return fault(format!("file:{path} names no file")),
            },
        }
    }
    let Some(best) = hashes.best() else {
        return fault("a file is listed by its MD5, SHA-1 or SHA-256 only");
    };
    let mut found = Found::new(Listed::File { file: hashes }, Some(Indicator::File(best)));
    found.names = names;
    Ok(found)
}

/// The end of a connection, with its port where it is the one that answers.
fn connection(comparisons: &[Comparison]) -> Result<Found, Fault> {
    let (mut end, mut port, mut is_source) = (None, None, false);
    for Comparison { path, value } in comparisons {
        match path.strip_prefix("network-traffic:").unwrap_or_default() {
            "dst_ref.type" | "src_ref.type" | "protocols[*]" | "protocols[0]" => {}
            name @ ("dst_ref.value" | "src_ref.value") if end.is_none() => {
                is_source = name.starts_with("src");
                end = Some(value);
            }
            "dst_port" if port.is_none() => {
                let number = value.parse::<u16>().ok().filter(|port| *port > 0);
                port = Some(number.ok_or_else(|| ("port", format!("{} is no port", shown(value))))?);
            }
            path => return fault(format!("network-traffic:{path} and more: no listing says so")),
        }
    }
    let Some(end) = end.filter(|_| !(is_source && port.is_some())) else {
        return fault("a connection without its destination is no indicator");
    };
    match address(end, port) {
        Ok(found) => Ok(found),
        Err(_) => match DomainName::parse(end) {
            Ok(name) => Ok(host(Host::Domain(name), port)),
            Err(error) => Err(("domain", error.to_string())),
        },
    }
}
