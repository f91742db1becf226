//! `suricata-eve`: the event log of the Suricata network monitor (`eve.json`), one JSON object a line.
//!
//! Described at <https://docs.suricata.io/en/latest/output/eve/eve-json-format.html>. Each event is one of:
//!
//! | event | facts |
//! |---|---|
//! | `dns` | the records that were answered, of every version of the log; a contact with the name |
//! | `http` | the request; a contact with the host |
//! | `fileinfo` | of files with a hash: their traits, once a day, and the download with its URL |
//! | `tls` | the certificate that was shown, by its SHA-1; a contact with the name asked for, else the address |
//! | `flow` | a contact with the responder; of an established TCP connection its open port, once a day |
//! | `alert` | a listing where the rule is on a bad name, spells it, and it was asked for; else rejected as `alert` |
//!
//! Of an event of another type the first is rejected as `type`, the others are passed over. A query without answers
//! yields nothing.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use self::event::Event;
use super::once::Once;
use super::stop::{Stop, settle};
use super::{Emit, Format, Input, Lines, Parse, Proof, Sample, State};
use crate::fact::{Contact, Fact, PortState, Seen};
use crate::indicator::{Indicator, parse_address};
use crate::value::Timestamp;

mod alert;
mod dns;
mod event;
mod tls;
mod web;

pub(super) const FORMAT: Format = Format {
    name: "suricata-eve",
    title: "Suricata's event log, eve.json: dns, http, fileinfo, tls, flow, alert",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(Batch::default()),
};

fn recognise(sample: &Sample<'_>) -> bool {
    let Some(line) = sample.lines().find(|line| !line.trim().is_empty()) else { return false };
    let Ok(event) = Event::parse(line) else { return false };
    event.event_type.get().is_some() && event.timestamp.get().is_some()
}

/// A reason for a record to be rejected that somebody else's message explains.
fn bad<E: ToString>(reason: &'static str) -> impl Fn(E) -> Stop {
    move |error| Stop::Bad(reason, error.to_string())
}

/// More types than Suricata has: names of skipped ones beyond are not kept, and not rejected again.
const SKIPPED_MAX: usize = 1000;

/// How much of the name of a skipped type is kept.
const SKIPPED_NAME_MAX: usize = 64;

/// What the events of a batch say once.
#[derive(Default)]
struct Batch {
    once: Once,
    skipped: BTreeSet<String>,
}

/// An event whose facts are given out: who and when stand in all of them.
struct At<'e> {
    event: &'e Event,
    seen: Seen,
    line: u64,
}

impl At<'_> {
    /// The address of one end.
    fn address(&self, field: &'static str) -> Result<IpAddr, Stop> {
        let end = if field == "src_ip" { &self.event.src_ip } else { &self.event.dest_ip };
        let text = end.get().ok_or_else(|| Stop::Bad("address", format!("{field} is missing")))?;
        parse_address(text).map_err(bad("address"))
    }

    /// Yields that a client talked to something.
    fn contact(&self, client: IpAddr, indicator: Indicator, out: &mut Emit<'_>) -> Result<(), Stop> {
        let sensor = self.event.host.get().map(str::to_owned);
        let contact = Contact { client: client.to_string(), indicator, sensor, seen: self.seen };
        self.fact(Fact::Contact(contact), out)
    }

    fn fact(&self, fact: Fact, out: &mut Emit<'_>) -> Result<(), Stop> {
        Ok(out.fact(self.line, fact)?)
    }
}

impl Batch {
    fn event(&mut self, line: u64, text: &str, out: &mut Emit<'_>) -> Result<(), Stop> {
        let event = Event::parse(text).map_err(bad("json"))?;
        let kind = event.event_type.get();
        let kind = kind.ok_or_else(|| Stop::Bad("type", "event_type is missing".to_owned()))?;
        let read = match kind {
            "dns" => dns::read,
            "http" => web::http,
            "fileinfo" => web::fileinfo,
            "tls" => tls::read,
            "flow" => Batch::flow,
            "alert" => alert::read,
            _ => return self.skip(kind),
        };
        let at = event.timestamp.get().and_then(|text| Timestamp::parse(text).ok());
        let at = at.ok_or_else(|| Stop::Bad("date", "timestamp is missing or no time".to_owned()))?;
        read(self, &At { event: &event, seen: Seen::once(at), line }, out)
    }

    /// Rejects the first event of a type that is not read, and passes over the others.
    fn skip(&mut self, kind: &str) -> Result<(), Stop> {
        let kind: String = kind.chars().take(SKIPPED_NAME_MAX).collect();
        if self.skipped.len() >= SKIPPED_MAX || !self.skipped.insert(kind.clone()) {
            return Ok(());
        }
        let detail =
            format!("events of type {kind} are not read: dns, http, fileinfo, tls, flow and alert are");
        Err(Stop::Bad("type", detail))
    }

    /// Yields who connected to what, and the port if it was open.
    fn flow(&mut self, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
        let (client, server) = (at.address("src_ip")?, at.address("dest_ip")?);
        let indicator = Indicator::Address(server);
        at.contact(client, indicator.clone(), out)?;
        let state = at.event.flow.first().and_then(|flow| flow.state.get());
        if at.event.proto.get() == Some("TCP")
            && matches!(state, Some("established" | "closed"))
            && let Some(port) = at.event.dest_port()
            && self.once.first((server, port, at.seen.last.day()))
        {
            let state = PortState { host: indicator, port, open: true, observed: Some(at.seen.last) };
            at.fact(Fact::PortState(state), out)?;
        }
        Ok(())
    }
}

impl Parse for Batch {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut lines = Lines::new(input.reader);
        while let Some((number, line)) = lines.next(out)? {
            if line.trim().is_empty() {
                continue;
            }
            settle(self.event(number, line, out), number, line, out)?;
        }
        Ok(())
    }
}
