//! Telemetry of any size from a seed, for benchmarks: passive DNS, web, files, listings.
//!
//! Names, addresses and counts are distributed as published or measured on real data; see [`World`] for names and
//! addresses. Lines are written as they are made and nothing is remembered, so memory does not grow with the
//! size. Times go forward over the days; equal parameters give equal bytes. Names are made of syllables under
//! real top-level domains: this is for measuring, never data that is shipped.

use std::io::{self, Write};
use std::net::IpAddr;

use crate::value::{DAY_S, Timestamp};

mod names;
pub mod random;

pub use names::World;

use names::push_number;
use random::{Random, mix};

/// A generator: the seed, the size of the world, and the days that the lines tell of.
///
/// ```
/// # use zonelens::{generate::Generator, value::Timestamp};
/// let until = Timestamp::parse("2026-01-01").expect("a date");
/// let mut lines = Vec::new();
/// Generator::new(1, 1000, 60, until).write_cof(&mut lines, 10).expect("memory takes all");
/// assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 10);
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    world: World,
    days: u32,
    start: Timestamp,
}

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 1 << 16;

/// Observations that a record of a large passive DNS database has on average.
const OBSERVATIONS_PER_RECORD: f64 = 320.0;

/// The share of web requests that name the page that led there, measured on real captures.
const REFERRED: f64 = 0.35;

/// Files of a malware host, and the share of requests that fetch one.
const FILES_PER_HOST: u64 = 4;
const FETCHED: f64 = 0.05;

/// The share of lines that tell of a file's own contacts.
const ACCESSED: f64 = 0.02;

/// The life of phishing names: median in hours and sigma of the log-normal.
const PHISHING_HOURS: (f64, f64) = (5.5, 2.1);
/// The life of malware hosts in days.
const MALWARE_DAYS: u64 = 8;

impl Generator {
    /// A generator of a world of `names` names, for the `days` days before `until`.
    pub fn new(seed: u64, names: u64, days: u32, until: Timestamp) -> Generator {
        let days = days.max(1);
        let start = Timestamp::start_of_day(until.day() - i64::from(days));
        Generator { seed, world: World::new(seed, names), days, start }
    }

    /// The names and addresses.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Writes `lines` lines of passive DNS in the Common Output Format (NDJSON). A line is one export of one
    /// record: the same record comes again, the more often the more popular its name is.
    ///
    /// # Errors
    ///
    /// When the output takes no more.
    pub fn write_cof(&self, out: &mut impl Write, lines: u64) -> io::Result<()> {
        let records = self.world.names() as f64 * 2.5;
        let mean = (OBSERVATIONS_PER_RECORD * records / lines.max(1) as f64).max(2.0);
        self.lines(out, lines, 1, |line, random, at| {
            let name = self.world.popular(random);
            let address = self.address(name, random);
            line.extend_from_slice(b"{\"rrname\":\"");
            self.world.push_name(line, name);
            let rrtype: &[u8] = if address.is_ipv4() { b"A" } else { b"AAAA" };
            line.extend_from_slice(b"\",\"rrtype\":\"");
            line.extend_from_slice(rrtype);
            line.extend_from_slice(b"\",\"rdata\":\"");
            push_address(line, address);
            line.extend_from_slice(b"\",\"time_first\":");
            push_number(line, at);
            line.extend_from_slice(b",\"time_last\":");
            push_number(line, at + random.below(3600));
            line.extend_from_slice(b",\"count\":");
            push_number(line, count(mean, random));
            line.extend_from_slice(b"}\n");
        })
    }

    /// Writes `lines` facts of web and file telemetry in the native format (NDJSON): requests, a part of them
    /// with their referrer, downloads, and what files contacted.
    ///
    /// # Errors
    ///
    /// When the output takes no more.
    pub fn write_telemetry(&self, out: &mut impl Write, lines: u64) -> io::Result<()> {
        self.lines(out, lines, 2, |line, random, at| {
            let name = self.world.popular(random);
            let address = self.address(name, random);
            let draw = random.unit();
            if draw < ACCESSED {
                line.extend_from_slice(b"{\"fact\":\"access\",\"file\":");
                push_file(line, mix(name) ^ random.below(FILES_PER_HOST));
                line.extend_from_slice(b",\"target\":\"domain:");
                self.world.push_name(line, name);
                line.push(b'"');
            } else if draw < ACCESSED + FETCHED {
                line.extend_from_slice(b"{\"fact\":\"download\",\"file\":");
                push_file(line, mix(name) ^ random.below(FILES_PER_HOST));
                self.push_url(line, b",\"url\":\"", name, random);
                push_server(line, address);
            } else {
                line.extend_from_slice(b"{\"fact\":\"web_request\"");
                self.push_url(line, b",\"url\":\"", name, random);
                push_server(line, address);
                if random.chance(REFERRED) {
                    let from = self.world.popular(random);
                    self.push_url(line, b",\"referrer\":\"", from, random);
                }
            }
            push_seen(line, at, at + random.below(60), random.pareto(1.6, 1000));
        })
    }

    /// Writes `lines` listings of hosts in the native format (NDJSON), a third phishing, the rest malware, with
    /// the lives that such hosts have.
    ///
    /// # Errors
    ///
    /// When the output takes no more.
    pub fn write_listings(&self, out: &mut impl Write, lines: u64) -> io::Result<()> {
        self.lines(out, lines, 3, |line, random, at| {
            let phishing = random.chance(0.33);
            let hours = if phishing {
                random.log_normal(PHISHING_HOURS.0, PHISHING_HOURS.1) as u64
            } else {
                random.below(2 * 24 * MALWARE_DAYS)
            };
            line.extend_from_slice(b"{\"fact\":\"listing\",\"type\":\"MASK_TYPE_HOST\",\"mask\":\"");
            let start = line.len();
            self.world.push_name(line, random.below(self.world.names()));
            // A mask names a host without `www.`.
            if line[start..].starts_with(b"www.") {
                line.drain(start..start + 4);
            }
            let category: &[u8] = if phishing { b"PHISHING" } else { b"MALWARE" };
            line.extend_from_slice(b"\",\"category\":\"");
            line.extend_from_slice(category);
            line.extend_from_slice(b"\",\"first\":");
            push_number(line, at);
            line.extend_from_slice(b",\"last\":");
            let end = (self.start.0 + i64::from(self.days) * DAY_S).max(0) as u64;
            push_number(line, (at + hours.saturating_mul(3600)).min(end).max(at));
            line.extend_from_slice(b"}\n");
        })
    }

    /// Calls `write` for each line with its moment, and writes what it made.
    fn lines(
        &self,
        out: &mut impl Write,
        lines: u64,
        stream: u64,
        mut write: impl FnMut(&mut Vec<u8>, &mut Random, u64),
    ) -> io::Result<()> {
        let mut random = Random::new(self.seed ^ mix(stream));
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 4096);
        let (start, seconds) = (self.start.0.max(0) as u64, u64::from(self.days) * DAY_S as u64);
        for number in 0..lines {
            let at = start + (u128::from(number) * u128::from(seconds) / u128::from(lines)) as u64;
            write(&mut buffer, &mut random, at);
            if buffer.len() >= BUFFER_BYTES {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
        out.write_all(&buffer)?;
        out.flush()
    }

    /// One of the addresses of a name, the first most often.
    fn address(&self, name: u64, random: &mut Random) -> IpAddr {
        let most = self.world.addresses(name);
        let place = random.below(most).min(random.below(most));
        self.world.address(name, place)
    }

    fn push_url(&self, line: &mut Vec<u8>, key: &[u8], name: u64, random: &mut Random) {
        line.extend_from_slice(key);
        line.extend_from_slice(if random.chance(0.7) { b"https://" } else { b"http://" });
        self.world.push_name(line, name);
        line.push(b'/');
        // Half the requests are for the first pages of a site.
        let page = random.pareto(0.9, 100_000) - 1;
        if page > 0 {
            line.extend_from_slice(b"p/");
            push_number(line, page);
        }
        if random.chance(0.2) {
            line.extend_from_slice(b"?id=");
            push_number(line, random.below(50));
        }
        line.push(b'"');
    }
}

/// A count of at least 1 with a fat tail and about this mean.
fn count(mean: f64, random: &mut Random) -> u64 {
    // A log-normal's mean is its median times e^(sigma² / 2): for sigma 1.5 about 3.08.
    (random.log_normal(mean / 3.08, 1.5) as u64).max(1)
}

fn push_server(line: &mut Vec<u8>, address: IpAddr) {
    line.extend_from_slice(b",\"address\":\"");
    push_address(line, address);
    line.push(b'"');
}

fn push_seen(line: &mut Vec<u8>, first: u64, last: u64, hits: u64) {
    line.extend_from_slice(b",\"first\":");
    push_number(line, first);
    line.extend_from_slice(b",\"last\":");
    push_number(line, last);
    line.extend_from_slice(b",\"hits\":");
    push_number(line, hits);
    line.extend_from_slice(b"}\n");
}

fn push_address(line: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (index, byte) in address.octets().into_iter().enumerate() {
                if index > 0 {
                    line.push(b'.');
                }
                push_number(line, u64::from(byte));
            }
        }
        IpAddr::V6(address) => write!(line, "{address}").expect("memory takes all"),
    }
}

/// A file by an MD5 and a SHA-256 that follow from a number.
fn push_file(line: &mut Vec<u8>, number: u64) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (key, words) in [(&b"{\"md5\":\""[..], 0..2), (b"\",\"sha256\":\"", 2..6)] {
        line.extend_from_slice(key);
        for word in words {
            for byte in mix(number ^ mix(word)).to_be_bytes() {
                line.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    line.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Fact;

    fn generator(seed: u64) -> Generator {
        Generator::new(seed, 5000, 60, Timestamp::parse("2026-01-01").unwrap())
    }

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn equal_seeds_give_equal_bytes() {
        let cof = |seed| text(|out| generator(seed).write_cof(out, 1000));
        assert_eq!(cof(1), cof(1));
        assert_ne!(cof(1), cof(2));
    }

    #[test]
    fn passive_dns_is_well_formed_and_goes_forward_in_time() {
        let lines = text(|out| generator(1).write_cof(out, 2000));
        let mut before = 0;
        for line in lines.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let address: IpAddr = record["rdata"].as_str().unwrap().parse().unwrap();
            assert_eq!(record["rrtype"], if address.is_ipv4() { "A" } else { "AAAA" });
            let first = record["time_first"].as_u64().unwrap();
            assert!(first >= before && first <= record["time_last"].as_u64().unwrap());
            assert!(record["count"].as_u64().unwrap() > 0);
            before = first;
        }
        assert_eq!(lines.lines().count(), 2000);
    }

    #[test]
    fn telemetry_and_listings_read_back_as_facts() {
        let telemetry = text(|out| generator(1).write_telemetry(out, 2000));
        let mut kinds = std::collections::BTreeMap::new();
        for line in telemetry.lines() {
            let fact: Fact = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            *kinds.entry(fact.kind()).or_insert(0) += 1;
        }
        assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ["access", "download", "web_request"]);
        let listings = text(|out| generator(1).write_listings(out, 500));
        for line in listings.lines() {
            let fact: Fact = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let Fact::Listing(listing) = fact else { panic!("{line}") };
            assert!(listing.first <= listing.last);
        }
    }
}
