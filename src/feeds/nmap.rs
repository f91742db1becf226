//! `nmap`: which ports of which addresses a scan found open or closed, in nmap's grepable form.
//!
//! <https://nmap.org/book/output-formats-grepable-output.html> (`-oG`): `Host: 192.0.2.1 (name)`, tab,
//! `Ports: 22/open/tcp//ssh//OpenSSH 9.2/, 80/closed/tcp//http///`, tab, `Ignored State: filtered (998)`. The time is that
//! of the first line, local to the scanner: taken as UTC. Ports that are neither open nor closed are rejected as `status`,
//! those of other protocols than TCP as `protocol`. Lines of a host without ports (`Status: Up`) say nothing of ports.

use std::io;

use super::entry::{Fault, shown};
use super::lines::Lines;
use super::masscan::{is_open, tcp_port};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, PortState};
use crate::indicator::{Indicator, parse_address};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "nmap",
    title: "ports that nmap found, grepable (-oG)",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// What the first line begins with, and what stands before the time in it.
const START: (&str, &str) = ("# Nmap ", " scan initiated ");

/// What stands before the ports of a host.
const PORTS: &str = "Ports: ";

fn recognise(sample: &Sample<'_>) -> bool {
    let started = |line: &str| line.starts_with(START.0) && line.contains(START.1);
    sample.lines().take(20).any(started) && sample.contains("\nHost: ")
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut observed = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = line.trim_end();
        if let Some((before, rest)) = text.split_once(START.1)
            && before.starts_with(START.0)
        {
            observed = time(rest);
            if observed.is_none() {
                out.reject(number, "date", "it is not Tue Jun 16 12:14:53 2020 as: nmap …", line.as_bytes())?;
            }
            continue;
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some((address, fields)) = text.strip_prefix("Host: ").and_then(|rest| rest.split_once(' '))
        else {
            out.reject(number, "line", "it is neither a host nor a comment", line.as_bytes())?;
            continue;
        };
        let host = match parse_address(address) {
            Ok(host) => Indicator::Address(host),
            Err(error) => {
                out.reject(number, "address", error.to_string(), line.as_bytes())?;
                continue;
            }
        };
        for entry in entries(fields) {
            match port(entry) {
                Ok((port, open)) => {
                    let state = PortState { host: host.clone(), port, open, observed };
                    out.fact(number, Fact::PortState(state))?;
                }
                Err((reason, detail)) => out.reject(number, reason, detail, entry.as_bytes())?,
            }
        }
    }
    Ok(())
}

/// `Tue Jun 16 12:14:53 2020 as: nmap …`.
fn time(text: &str) -> Option<Timestamp> {
    let (text, _) = text.split_once(" as:")?;
    let time = jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", text.trim()).ok()?;
    Timestamp::parse(&time.to_string()).ok()
}

/// The ports of a host. A version may have a comma in it: an entry ends with `/`.
fn entries(fields: &str) -> impl Iterator<Item = &str> {
    let ports = fields.split('\t').find_map(|field| field.trim().strip_prefix(PORTS));
    let ports = ports.map(|ports| ports.split("Ignored State:").next().unwrap_or_default().trim());
    let mut rest = ports.unwrap_or_default();
    std::iter::from_fn(move || {
        let (entry, after) = rest.split_once("/, ").unwrap_or((rest, ""));
        rest = after;
        (!entry.is_empty()).then_some(entry)
    })
}

fn port(entry: &str) -> Result<(u16, bool), Fault> {
    let mut parts = entry.split('/');
    let (Some(number), Some(status), Some(proto)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(("columns", format!("{} is not port/status/protocol/…", shown(entry))));
    };
    let port = tcp_port(proto, number.trim())?;
    Ok((port, is_open(status)?))
}
