//! `rpsl`: dumps of the databases of registries and routing registries.
//!
//! `ripe.db.inetnum`, `apnic.db.route6`, `radb.db` and the like; format RFC 2622, RFC 4012. Objects stand between blank
//! lines; a line that begins with white space or `+` goes on with the attribute before it; a comment is a line that
//! begins with `%` or `#`.
//!
//! - `inetnum`, `inet6num`: a [`Network`] with name, descriptions, country, dates and the handles of contacts
//! - `route`, `route6`: a [`Network`] with the autonomous system that may announce it
//! - all others (`aut-num`, `person`, `mntner`, …) say nothing of addresses: rejected as `object`
//!
//! A dump is whole. A line that is not UTF-8 (the dump of RIPE NCC is Latin-1) is rejected alone, not its object.

use std::io;

use super::entry::{Fault, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Network, RegistrationContact};
use crate::indicator::{AddressRange, Asn, Prefix};
use crate::value::{CountryCode, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "rpsl",
    title: "dumps of registries and routing registries: inetnum, inet6num, route, route6 (RPSL)",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// Classes whose objects stand first in a dump.
const CLASSES: &[&str] = &["inetnum", "inet6num", "route", "route6", "aut-num", "as-block"];

/// The largest object, in bytes; a larger one is rejected without being held.
const OBJECT_BYTES_MAX: usize = 256 << 10;

/// Attributes that name a contact, and its kind.
const CONTACTS: &[(&str, &str)] =
    &[("org", "registrant"), ("admin-c", "administrative"), ("tech-c", "technical"), ("abuse-c", "abuse")];

/// How a handle begins that stands in public dumps for all.
const DUMMY: &str = "DUMY-";

fn recognise(sample: &Sample<'_>) -> bool {
    let mut lines = sample.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['%', '#']));
    lines.next().and_then(|line| line.split_once(':')).is_some_and(|(key, _)| CLASSES.contains(&key))
}

/// An object as it is read: its attributes in order.
#[derive(Default)]
struct Object {
    line: u64,
    attributes: Vec<(String, String)>,
    bytes: usize,
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut object = Object::default();
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if line.starts_with(['%', '#']) {
            continue;
        }
        if line.trim().is_empty() {
            std::mem::take(&mut object).finish(out)?;
            continue;
        }
        if object.bytes == 0 {
            object.line = number;
        }
        object.bytes += line.len();
        if object.bytes > OBJECT_BYTES_MAX {
            continue;
        }
        let text = line.split_once('#').map_or(line, |(text, _)| text);
        match (text.starts_with([' ', '\t', '+']), text.split_once(':'), object.attributes.last_mut()) {
            (true, _, Some((_, value))) => {
                let more = text.trim_start_matches('+').trim();
                value.push_str(if more.is_empty() { "" } else { " " });
                value.push_str(more);
            }
            (false, Some((key, value)), _) => {
                object.attributes.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => out.reject(number, "line", "it is no attribute: key, colon, value", line.as_bytes())?,
        }
    }
    object.finish(out)
}

impl Object {
    fn finish(self, out: &mut Emit<'_>) -> io::Result<()> {
        let first = self.attributes.first();
        let shown = first.map(|(class, key)| format!("{class}: {key}")).unwrap_or_default();
        if self.bytes > OBJECT_BYTES_MAX {
            let detail = format!("the object is larger than {OBJECT_BYTES_MAX} bytes");
            return out.reject(self.line, "too long", detail, shown.as_bytes());
        }
        let Some((class, key)) = first else { return Ok(()) };
        match self.network(class, key) {
            Ok(network) => out.fact(self.line, Fact::Network(network)),
            Err((reason, detail)) => out.reject(self.line, reason, detail, shown.as_bytes()),
        }
    }

    fn network(&self, class: &str, key: &str) -> Result<Network, Fault> {
        let range = match class {
            "inetnum" | "inet6num" => {
                AddressRange::parse(key).map_err(|error| ("range", error.to_string()))?
            }
            "route" | "route6" => {
                Prefix::parse(key).map(AddressRange::from).map_err(|error| ("network", error.to_string()))?
            }
            other => {
                return Err(("object", format!("{} says nothing of addresses", self::shown(other))));
            }
        };
        let asn = match self.first("origin") {
            Some(text) => Some(Asn::parse(text).map_err(|error| ("asn", error.to_string()))?),
            None if class.starts_with("route") => return Err(("fields", "origin is missing".to_owned())),
            None => None,
        };
        let time = |key| self.first(key).map(Timestamp::parse).transpose().map_err(|detail| ("date", detail));
        Ok(Network {
            range,
            asn,
            as_name: None,
            country: self.first("country").and_then(CountryCode::parse),
            name: self.first("netname").map(str::to_owned),
            description: self.all("descr").map(str::to_owned).collect(),
            created: time("created")?,
            changed: time("last-modified")?,
            contacts: self.contacts(),
            observed: None,
        })
    }

    fn all<'o>(&'o self, key: &'o str) -> impl Iterator<Item = &'o str> {
        let of_key = self.attributes.iter().filter(move |(known, _)| known == key);
        of_key.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn first<'o>(&'o self, key: &'o str) -> Option<&'o str> {
        self.all(key).next()
    }

    fn contacts(&self) -> Vec<RegistrationContact> {
        let contact = |contact_type: &str, handle: &str| RegistrationContact {
            contact_type: Some(contact_type.to_owned()),
            handle: Some(handle.to_owned()),
            ..RegistrationContact::default()
        };
        let of_kind = |(key, kind): &(&'static str, &'static str)| {
            let handles = self.all(key).filter(|handle| !handle.starts_with(DUMMY));
            handles.map(|handle| contact(kind, handle)).collect::<Vec<_>>()
        };
        CONTACTS.iter().flat_map(of_kind).collect()
    }
}
