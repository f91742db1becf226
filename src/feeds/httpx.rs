//! `httpx`: which web servers answered a probe.
//!
//! <https://github.com/projectdiscovery/httpx> (`-json`): an object a line with `url`, `host` (the address), `port`,
//! `a`, `aaaa`, `cname` and `timestamp`. It gives the open port of the URL's host and of the address, and the names'
//! resolutions. That our own probe asked for the URL is not kept: it is no traffic. `failed` is rejected as that.

use std::io;
use std::net::IpAddr;

use serde::Deserialize;

use super::cof::domain;
use super::entry::{Fault, shown, url};
use super::json_values::{JsonValues, first_keys};
use super::lenient::Text;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, PortState, Rdata, RecordType, Resolution, Seen};
use crate::indicator::{Host, Indicator, parse_address};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "httpx",
    title: "web servers that answered httpx: open ports and addresses (JSON lines)",
    state: State::Events,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// The largest record: it may have the whole answer in it.
const RECORD_BYTES_MAX: usize = 8 << 20;

/// How many addresses, and how many aliases, of a name are kept.
const ADDRESSES_MAX: usize = 64;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Probe {
    url: Text,
    scheme: Text,
    port: Text,
    host: Text,
    host_ip: Text,
    timestamp: Text,
    failed: Text,
    a: Vec<Text>,
    aaaa: Vec<Text>,
    cname: Vec<Text>,
}

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    let has = |key: &str| keys.contains(&key);
    has("url") && has("input") && (has("status_code") || has("failed"))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::new(input.reader, None, RECORD_BYTES_MAX);
    while let Some((line, bytes)) = values.next(out)? {
        let facts = match serde_json::from_slice::<Probe>(bytes) {
            Ok(probe) if bytes.starts_with(b"{") => facts(&probe),
            Ok(_) => Err(("json", "it is no object".to_owned())),
            Err(error) => Err(("json", error.to_string())),
        };
        match facts {
            Ok(facts) => facts.into_iter().try_for_each(|fact| out.fact(line, fact))?,
            Err((reason, detail)) => out.reject(line, reason, detail, bytes)?,
        }
    }
    Ok(())
}

fn facts(probe: &Probe) -> Result<Vec<Fact>, Fault> {
    if probe.failed.is_true() {
        return Err(("failed", "nothing answered".to_owned()));
    }
    let url = url(probe.url.get().ok_or_else(|| ("fields", "url is missing".to_owned()))?)?;
    let port = match (probe.port.get(), url.port(), probe.scheme.get()) {
        (Some(text), _, _) => text.parse().ok().filter(|port| *port > 0),
        (None, Some(port), _) => Some(port),
        (None, None, Some("https")) => Some(443),
        (None, None, Some("http")) => Some(80),
        (None, None, _) => None,
    };
    let port = port.ok_or_else(|| ("port", "neither port nor scheme says which port it was".to_owned()))?;
    let observed =
        probe.timestamp.get().map(Timestamp::parse).transpose().map_err(|detail| ("date", detail))?;
    let address = [&probe.host_ip, &probe.host].into_iter().find_map(|text| parse_address(text.get()?).ok());
    let host = host(url.spelled())?;
    let open = |host: Indicator| Fact::PortState(PortState { host, port, open: true, observed });
    let mut facts = vec![open(host.clone().into())];
    if let Some(address) = address.filter(|address| host != Host::Address(*address)) {
        facts.push(open(Indicator::Address(address)));
    }
    if let (Host::Domain(name), Some(at)) = (host, observed) {
        let aliases = probe.cname.iter().take(ADDRESSES_MAX).filter_map(Text::get);
        let via = aliases.map(domain).collect::<Result<Vec<_>, _>>();
        let via = via.map_err(|error| ("domain", error.to_string()))?;
        for (rrtype, texts) in [(RecordType::A, &probe.a), (RecordType::AAAA, &probe.aaaa)] {
            for text in texts.iter().take(ADDRESSES_MAX).filter_map(Text::get) {
                let rdata = Rdata::Address(of_family(rrtype, text)?);
                let (rrname, via, seen) = (name.clone(), via.clone(), Seen::once(at));
                facts.push(Fact::Resolution(Resolution { rrname, rrtype, rdata, via, seen }));
            }
        }
    }
    Ok(facts)
}

/// The host of a URL as it was asked for: normalised URLs have no `www.`.
fn host(url: &str) -> Result<Host, Fault> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    Host::parse(host).map_err(|error| ("url", error.to_string()))
}

fn of_family(rrtype: RecordType, text: &str) -> Result<IpAddr, Fault> {
    let address = parse_address(text).map_err(|error| ("address", error.to_string()))?;
    if address.is_ipv4() == (rrtype == RecordType::A) {
        return Ok(address);
    }
    Err(("address", format!("{} is no address of type {rrtype}", shown(text))))
}
