//! `dns`: what was answered, as far as the list of answers tells.
//!
//! Zeek writes the answer section as a list of texts without owner and type, each as the script
//! `base/protocols/dns/main.zeek` renders it: an address, a name, or words (`TXT 5 hello`, `RRSIG 1 example.com`).
//! So for a query of an address a list `a.example, b.example, 192.0.2.1` is a chain of CNAMEs.

use std::net::IpAddr;

use crate::fact::{Contact, Fact, Rdata, RecordType, Resolution, Seen};
use crate::feeds::Emit;
use crate::feeds::cof::{domain, rdata};
use crate::indicator::{DomainName, Indicator, canonical};

use super::row::{Field, Row};
use super::{Stop, client};

/// More answers than a message of 64 KiB has room for in practice.
const ANSWERS_MAX: usize = 4096;

/// Resolvers follow 8 to 16 aliases.
const ALIASES_MAX: usize = 16;

const SRV: RecordType = RecordType(33);
const DNAME: RecordType = RecordType(39);
const ANY: RecordType = RecordType(255);

/// Yields the records that were answered and who asked. A query without answers yields nothing.
pub(super) fn read(row: &Row<'_>, seen: Seen, line: u64, out: &mut Emit<'_>) -> Result<(), Stop> {
    if row.list(Field::Answers).next().is_none() || !is_query_of_the_internet(row) {
        return Ok(());
    }
    let Some(query) = row.text(Field::Query) else { return Ok(()) };
    let query = domain(&query).map_err(|error| Stop::Bad("domain", error.to_string()))?;
    let client = client(row)?;
    let asked = match row.count(Field::Qtype) {
        Some(number) => u16::try_from(number).ok().map(RecordType),
        None => row.word(Field::QtypeName).and_then(RecordType::find),
    };
    let mut answers = Answers {
        query: query.clone(),
        via: Vec::new(),
        addressed: false,
        ordered: true,
        seen,
        line,
        facts: 0,
    };
    for answer in row.list(Field::Answers).take(ANSWERS_MAX) {
        answers.read(asked, &answer, out)?;
    }
    // Who asks for the name of an address does not talk to that name.
    if asked != Some(RecordType::PTR) {
        let sensor = row.string(Field::SystemName);
        let contact = Contact { client, indicator: Indicator::Domain(query), sensor, seen };
        out.fact(line, Fact::Contact(contact))?;
    } else if answers.facts == 0 {
        return Err(Stop::Bad("answers", "no answer is a name".to_owned()));
    }
    Ok(())
}

/// Whether this is DNS: no dynamic update, no other class (the top bit is a flag of mDNS), no NetBIOS names.
fn is_query_of_the_internet(row: &Row<'_>) -> bool {
    row.count(Field::Opcode).is_none_or(|opcode| opcode == 0)
        && row.count(Field::Qclass).is_none_or(|class| class & 0x7fff == 1)
        && !matches!(row.word(Field::QtypeName), Some("NB" | "NBSTAT"))
}

/// The answers of one query as far as they are read.
struct Answers {
    query: DomainName,
    /// The aliases so far.
    via: Vec<DomainName>,
    /// Whether an address was among the answers.
    addressed: bool,
    /// Whether no alias stood behind an address, so that the list tells whose each record is.
    ordered: bool,
    seen: Seen,
    line: u64,
    facts: usize,
}

impl Answers {
    fn read(&mut self, asked: Option<RecordType>, answer: &str, out: &mut Emit<'_>) -> Result<(), Stop> {
        match record(asked, answer) {
            None => Ok(()),
            Some((RecordType::CNAME, Rdata::Name(alias))) => {
                if self.via.len() == ALIASES_MAX {
                    return Err(Stop::Bad("answers", format!("more than {ALIASES_MAX} aliases")));
                }
                self.ordered &= !self.addressed;
                // Of a query of no known type a lone name can be anything.
                if asked.is_some() && self.ordered {
                    self.direct(RecordType::CNAME, Rdata::Name(alias.clone()), out)?;
                }
                self.via.push(alias);
                Ok(())
            }
            Some((rrtype, rdata @ Rdata::Address(_))) => {
                self.addressed = true;
                if self.ordered {
                    self.direct(rrtype, rdata.clone(), out)?;
                }
                if self.via.is_empty() {
                    return Ok(());
                }
                self.fact(self.query.clone(), rrtype, rdata, self.via.clone(), out)
            }
            Some((rrtype, rdata)) => self.direct(rrtype, rdata, out),
        }
    }

    /// A record of the name that the last alias led to.
    fn direct(&mut self, rrtype: RecordType, rdata: Rdata, out: &mut Emit<'_>) -> Result<(), Stop> {
        let owner = self.via.last().unwrap_or(&self.query).clone();
        self.fact(owner, rrtype, rdata, Vec::new(), out)
    }

    fn fact(
        &mut self,
        rrname: DomainName,
        rrtype: RecordType,
        rdata: Rdata,
        via: Vec<DomainName>,
        out: &mut Emit<'_>,
    ) -> Result<(), Stop> {
        self.facts += 1;
        let resolution = Resolution { rrname, rrtype, rdata, via, seen: self.seen };
        Ok(out.fact(self.line, Fact::Resolution(resolution))?)
    }
}

/// What record an answer is, by what it looks like and what was asked for; None where that does not tell.
fn record(asked: Option<RecordType>, answer: &str) -> Option<(RecordType, Rdata)> {
    if let Ok(address) = answer.parse::<IpAddr>() {
        let rrtype = if answer.contains(':') { RecordType::AAAA } else { RecordType::A };
        let of_addresses = matches!(asked, None | Some(RecordType::A | RecordType::AAAA | ANY));
        return of_addresses.then(|| (rrtype, Rdata::Address(canonical(address))));
    }
    if answer.contains([' ', '<']) || answer.starts_with("NSEC3") {
        let rrtype = RecordType::find(answer.split(' ').next()?)?;
        return (Some(rrtype) == asked).then(|| (rrtype, Rdata::Text(answer.to_owned())));
    }
    match asked {
        Some(ANY) => None,
        Some(rrtype @ (RecordType::NS | RecordType::MX | RecordType::SOA | SRV | DNAME)) => {
            Some((rrtype, rdata(rrtype, answer).ok()?))
        }
        // Reverse names are aliased to other reverse names (RFC 2317).
        Some(RecordType::PTR) if !answer.trim_end_matches('.').ends_with(".arpa") => {
            Some((RecordType::PTR, rdata(RecordType::PTR, answer).ok()?))
        }
        _ => Some((RecordType::CNAME, Rdata::Name(domain(answer).ok()?))),
    }
}
