//! `squid`: the access log of the Squid proxy, in its own format or as web servers write theirs.
//!
//! The formats that Squid has by name (<https://www.squid-cache.org/Doc/config/logformat/>):
//!
//! | format | line |
//! |---|---|
//! | `squid` | `1157689320.327 2864 10.0.2.15 TCP_MISS/200 10182 GET http://example.com/ user HIER_DIRECT/192.0.2.1 text/html` |
//! | `squidmime` | the same, and the headers of request and answer in brackets |
//! | `common` | `10.0.2.15 - user [08/Sep/2006:04:21:52 +0000] "GET http://example.com/ HTTP/1.1" 200 10182 TCP_MISS:HIER_DIRECT` |
//! | `combined` | the same with `"referrer" "user agent"` before the last word |
//! | `referrer` | `1157689320.327 10.0.2.15 http://example.org/ http://example.com/` |
//!
//! A request gives a [`Contact`] with the host and a [`WebRequest`], with the server's address where the log has it and
//! the referrer where it is logged; CONNECT only the contact; a line of a referrer log only the request. What the proxy
//! refused reached nobody, and is rejected as `denied`. Squid cuts off parameters unless `strip_query_terms` is off.

use std::io;
use std::net::IpAddr;

use super::entry::{Fault, shown};
use super::{Emit, Format, Input, Lines, Proof, Sample, State, most};
use crate::fact::{Contact, Fact, Seen, WebRequest};
use crate::indicator::{Host, Indicator, Url, parse_address};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "squid",
    title: "the access log of the Squid proxy: squid, squidmime, common, combined, referrer",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// Most lines are of one of the formats.
fn recognise(sample: &Sample<'_>) -> bool {
    most(sample.data_lines().take(SAMPLE_LINES), |line| Record::parse(line).is_ok())
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        match Record::parse(text).and_then(|record| record.facts()) {
            Ok(facts) => facts.into_iter().try_for_each(|fact| out.fact(number, fact))?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

/// A line of the log. `-` is absent.
struct Record<'l> {
    at: Timestamp,
    client: &'l str,
    /// `TCP_MISS`, `TCP_DENIED`, …; empty where the format has none.
    result: &'l str,
    /// Absent in a referrer log.
    method: Option<&'l str>,
    url: &'l str,
    referrer: Option<&'l str>,
    /// Who was asked, and how that was decided: `HIER_DIRECT/192.0.2.1`.
    peer: &'l str,
}

/// How it was decided whom to ask, where that is the server itself.
const DIRECT: &[&str] = &["DIRECT", "HIER_DIRECT", "ORIGINAL_DST"];

impl<'l> Record<'l> {
    /// Reads a line of whichever format.
    fn parse(line: &'l str) -> Result<Record<'l>, Fault> {
        let words: Vec<&str> = line.split_ascii_whitespace().take(11).collect();
        let first = words.first().copied().unwrap_or_default();
        // Web servers begin with the client, whose address may look like a number too.
        let is_time = first.split_once('.').is_some_and(|(seconds, rest)| {
            seconds.len() >= 9 && rest.len() == 3 && rest.bytes().all(|byte| byte.is_ascii_digit())
        });
        match words[..] {
            [time, client, referrer, url] if is_time && url.contains("://") => Ok(Record {
                at: unix(time)?,
                client,
                result: "",
                method: None,
                url,
                referrer: said(referrer),
                peer: "-",
            }),
            [time, _, client, result, _, method, url, _, peer, _, ..]
                if is_time && result.contains('/') && peer.contains('/') =>
            {
                let result = result.split('/').next().unwrap_or_default();
                let referrer = if words.len() > 10 { header(line) } else { None };
                Ok(Record { at: unix(time)?, client, result, method: Some(method), url, referrer, peer })
            }
            _ => Record::parse_common(line),
        }
    }

    /// Reads `client ident user [time] "method url version" status size`, and what may follow.
    fn parse_common(line: &'l str) -> Result<Record<'l>, Fault> {
        let columns = || ("columns", "it is a line of none of Squid's formats".to_owned());
        let (head, rest) = line.split_once(" [").ok_or_else(columns)?;
        let (time, rest) = rest.split_once("] \"").ok_or_else(columns)?;
        let (request, rest) = rest.split_once("\" ").ok_or_else(columns)?;
        let mut words = request.split_ascii_whitespace();
        let (Some(method), Some(url)) = (words.next(), words.next()) else { return Err(columns()) };
        let mut head = head.split_ascii_whitespace();
        let (Some(client), Some(_), Some(_), None) = (head.next(), head.next(), head.next(), head.next())
        else {
            return Err(columns());
        };
        if !(url.contains("://") || method == "CONNECT") {
            let detail = format!("{} names no host: this is the log of a server, not of a proxy", shown(url));
            return Err(("url", detail));
        }
        let referrer = rest.split_once('"').and_then(|(_, rest)| said(rest.split('"').next()?));
        // `TCP_MISS:HIER_DIRECT`, the last word.
        let last = rest.rsplit(' ').next().unwrap_or_default();
        let result = last.split_once(':').map_or("", |(result, _)| result);
        let at = jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).and_then(|time| time.to_timestamp());
        let at = at.map_err(|error| ("date", format!("{}: {error}", shown(time))))?;
        let at = Timestamp(at.as_second());
        Ok(Record { at, client, result, method: Some(method), url, referrer, peer: "-" })
    }

    fn facts(&self) -> Result<Vec<Fact>, Fault> {
        if self.result.contains("DENIED") {
            return Err(("denied", "the proxy refused the request: nobody was talked to".to_owned()));
        }
        if self.result.starts_with("UDP_") || self.method == Some("ICP_QUERY") {
            return Err(("icp", "another cache asked whether the page is here".to_owned()));
        }
        let seen = Seen::once(self.at);
        let (host, url) = self.target()?;
        let mut facts = Vec::with_capacity(2);
        if self.method.is_some() {
            let (client, indicator) = (client(self.client)?, Indicator::from(host));
            facts.push(Fact::Contact(Contact { client, indicator, sensor: None, seen }));
        }
        if let Some(url) = url {
            let referrer = self.referrer.and_then(|text| Url::parse(text).ok());
            facts.push(Fact::WebRequest(WebRequest { url, address: self.server(), referrer, seen }));
        }
        Ok(facts)
    }

    /// The host that was asked for, and the URL where there is one.
    fn target(&self) -> Result<(Host, Option<Url>), Fault> {
        let fault = |error: crate::indicator::ParseError| ("url", error.to_string());
        if self.method == Some("CONNECT") {
            let (host, _) = self.url.rsplit_once(':').unwrap_or((self.url, ""));
            let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
            return Ok((Host::parse(host).map_err(fault)?, None));
        }
        if !self.url.contains("://") {
            return Err(("url", format!("{} is no web address", shown(self.url))));
        }
        let url = Url::parse(self.url).map_err(fault)?;
        Ok((url.host(), Some(url)))
    }

    /// The server's address, where it was asked itself.
    fn server(&self) -> Option<IpAddr> {
        let (decision, peer) = self.peer.split_once('/')?;
        let decision = decision.strip_prefix("TIMEOUT_").unwrap_or(decision);
        if DIRECT.contains(&decision) { parse_address(peer).ok() } else { None }
    }
}

fn unix(text: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).map_err(|detail| ("date", detail))
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && *text != "-")
}

/// The client: an address, or the name of a host of ours.
fn client(text: &str) -> Result<String, Fault> {
    match Host::parse(text).map_err(|error| ("address", error.to_string()))? {
        Host::Address(address) => Ok(address.to_string()),
        Host::Domain(name) => Ok(name.to_string()),
    }
}

/// The referrer among the headers in brackets; line ends are escaped in them.
fn header(line: &str) -> Option<&str> {
    let at = line.find("Referer: ").map(|at| at + "Referer: ".len())?;
    let value = &line[at..];
    let end = ["\\r", "%0D", "]"].iter().filter_map(|end| value.find(end)).min().unwrap_or(value.len());
    said(&value[..end])
}
