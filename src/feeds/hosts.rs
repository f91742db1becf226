//! `hosts`: hosts files, with which a resolver sends bad names nowhere.
//!
//! Written by StevenBlack/hosts, AdAway and many others: `0.0.0.0 name [name...]`, in older lists
//! `127.0.0.1 name`; what follows a `#` is a comment. A hosts file has no way to say "and all below it", so
//! each name is one host. The entries for the machine itself that such files begin with are passed over.
//! See hosts(5) and <https://github.com/StevenBlack/hosts>.

use std::io;
use std::net::IpAddr;

use super::entry::{Entry, listing, name, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State, most};
use crate::fact::Fact;
use crate::indicator::Host;

pub(super) const FORMAT: Format = Format {
    name: "hosts",
    title: "a hosts file that sends names nowhere: StevenBlack/hosts, AdAway",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open,
};

/// Names that stand for the machine itself or its link, whatever their address.
const OWN_NAMES: &[&str] = &[
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-allhosts",
    "0.0.0.0",
];

/// How many lines of a sample are looked at.
const SAMPLE_LINES: usize = 200;

/// Most lines are an address, white space and a name.
fn recognise(sample: &Sample<'_>) -> bool {
    most(sample.data_lines().take(SAMPLE_LINES), |line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().is_some_and(|word| word.parse::<IpAddr>().is_ok());
        let named = words.next().is_some_and(|word| OWN_NAMES.contains(&word) || name(word).is_ok());
        address && named
    })
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let Some(address) = words.next() else { continue };
        let mut words = words.peekable();
        if words.peek().is_none() {
            out.reject(number, "columns", "an address and a name belong on a line", line.as_bytes())?;
            continue;
        }
        let mut words =
            words.filter(|word| !OWN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(word))).peekable();
        if words.peek().is_none() {
            continue;
        }
        if !leads_nowhere(address) {
            let detail =
                format!("{} is not 0.0.0.0, a loopback address or ::: no name is blocked", shown(address));
            out.reject(number, "address", detail, line.as_bytes())?;
            continue;
        }
        // A line is rejected once, however many of its names are none.
        let mut fault = None;
        for word in words {
            match name(word) {
                Ok(name) => {
                    let entry = Entry::Host(Host::Domain(name), None);
                    for what in entry.listed() {
                        out.fact(number, Fact::Listing(listing(what)))?;
                    }
                }
                Err(found) => fault = fault.or(Some(found)),
            }
        }
        if let Some((reason, detail)) = fault {
            out.reject(number, reason, detail, line.as_bytes())?;
        }
    }
    Ok(())
}

/// Whether a name with this address is blocked: one that is mapped to a real address is not.
pub(super) fn leads_nowhere(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}
