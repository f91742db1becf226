//! `masscan`: which ports of which addresses a scan found open or closed.
//!
//! <https://github.com/robertdavidgraham/masscan>: JSON (`-oJ`: `{"ip":"192.0.2.1","timestamp":"1680197558","ports":
//! [{"port":80,"proto":"tcp","status":"open",…}]}`, as an array or lines) and the list (`-oL`: `open tcp 80 192.0.2.1
//! 1680197558`). A banner says that the port was open. Ports of other protocols than TCP are rejected as `protocol`.

use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::{Fault, shown};
use super::json_values::{JsonValues, first_keys};
use super::lenient::Text;
use super::lines::Lines;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, PortState};
use crate::indicator::{Indicator, parse_address};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "masscan",
    title: "ports that masscan found (-oJ, -oL)",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The largest JSON record.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// How old versions end their JSON: what is no JSON at all.
const FINISHED: &[u8] = b"{finished: 1}";

fn recognise(sample: &Sample<'_>) -> bool {
    let keys = first_keys(sample.head);
    if ["ip", "ports"].iter().all(|key| keys.contains(key)) {
        return keys.contains(&"timestamp") || sample.contains("\"proto\"");
    }
    sample.lines().next().is_some_and(|line| line.trim() == "#masscan")
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let start = input.reader.fill_buf()?;
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).trim_ascii_start();
    match start.first() {
        Some(b'{' | b'[') => read_objects(input, out),
        _ => read_lines(input, out),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Host<'a> {
    ip: Text,
    timestamp: Text,
    #[serde(borrow)]
    ports: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Port {
    port: Text,
    proto: Text,
    status: Text,
}

fn read_objects(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut values = JsonValues::new(input.reader, None, RECORD_BYTES_MAX);
    while let Some((line, bytes)) = values.next(out)? {
        if bytes == FINISHED {
            continue;
        }
        let host = match serde_json::from_slice::<Host<'_>>(bytes) {
            Ok(host) if bytes.starts_with(b"{") => host,
            Ok(_) => {
                out.reject(line, "json", "it is no object", bytes)?;
                continue;
            }
            Err(error) => {
                out.reject(line, "json", error.to_string(), bytes)?;
                continue;
            }
        };
        if host.ports.is_empty() {
            out.reject(line, "fields", "ports is missing or empty", bytes)?;
        }
        for port in &host.ports {
            match port_of(&host, port.get()) {
                Ok(state) => out.fact(line, Fact::PortState(state))?,
                Err((reason, detail)) => out.reject(line, reason, detail, bytes)?,
            }
        }
    }
    Ok(())
}

fn port_of(host: &Host<'_>, json: &str) -> Result<PortState, Fault> {
    let port: Port = serde_json::from_str(json).map_err(|error| ("json", error.to_string()))?;
    let text = |field: &Text| field.get().unwrap_or_default().to_owned();
    let status = port.status.get().unwrap_or("open");
    state(status, &text(&port.proto), &text(&port.port), &text(&host.ip), &text(&host.timestamp))
}

fn read_lines(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = text.split_ascii_whitespace().take(5).collect();
        let found = match cells[..] {
            ["banner", proto, port, address, time] => state("open", proto, port, address, time),
            [status, proto, port, address, time] => state(status, proto, port, address, time),
            _ => Err(("columns", format!("{} words, not 5 or more", cells.len()))),
        };
        match found {
            Ok(state) => out.fact(number, Fact::PortState(state))?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

fn state(status: &str, proto: &str, port: &str, address: &str, time: &str) -> Result<PortState, Fault> {
    let open = is_open(status)?;
    let port = tcp_port(proto, port)?;
    let host = parse_address(address).map_err(|error| ("address", error.to_string()))?;
    let observed = Timestamp::parse(time).map_err(|detail| ("date", detail))?;
    Ok(PortState { host: Indicator::Address(host), port, open, observed: Some(observed) })
}

/// Whether a port is open, or closed.
pub(super) fn is_open(status: &str) -> Result<bool, Fault> {
    match status {
        "open" => Ok(true),
        "closed" => Ok(false),
        other => Err(("status", format!("{} is neither open nor closed", shown(other)))),
    }
}

/// The number of a TCP port.
pub(super) fn tcp_port(proto: &str, port: &str) -> Result<u16, Fault> {
    if proto != "tcp" {
        return Err(("protocol", format!("ports of {} are not kept, only those of tcp", shown(proto))));
    }
    match port.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(("port", format!("{} is no port", shown(port)))),
    }
}
