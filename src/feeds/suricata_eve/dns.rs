//! `dns`: what was answered.
//!
//! Version 1 writes a line for each record, version 2 a line for each answer with all its records (`answers`), or their
//! values by type (`grouped`), version 3 the same with the queries in a list. Where the whole answer is known, the name
//! that was asked has the addresses at the end of a chain of aliases too.

use std::net::IpAddr;

use super::event::{Answer, Dns, Soa, Srv};
use super::{At, Batch, Stop, bad};
use crate::fact::{Fact, Rdata, RecordType};
use crate::feeds::Emit;
use crate::feeds::answers::{ALIASES_MAX, Record, resolutions};
use crate::feeds::cof::{domain, rdata};
use crate::feeds::lenient::Text;
use crate::indicator::{DomainName, Indicator};

/// More answers than a message of 64 KiB has room for in practice.
const ANSWERS_MAX: usize = 4096;

/// The ports that names are asked for at: DNS, multicast DNS, LLMNR.
const PORTS: &[u16] = &[53, 5353, 5355];

/// Yields the records that were answered and who asked.
pub(super) fn read(batch: &mut Batch, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
    let Some(dns) = at.event.dns.first() else {
        return Err(Stop::Bad("fields", "there is no dns in it".to_owned()));
    };
    let records = records(dns)?;
    let Some(first) = records.first() else { return Ok(()) };
    // Of version 1 the first record of an answer is that of the name that was asked.
    let asked = asked(dns)?.unwrap_or_else(|| first.rrname.clone());
    let is_whole = dns.rdata.get().is_none() || dns.answers.first().is_some();
    let is_first = is_whole || batch.once.first((at.event.flow_id.get(), dns.id.get(), at.seen.last));
    let pointer = [&dns.rrtype].into_iter().chain(dns.queries.iter().map(|query| &query.rrtype));
    // Who asks for the name of an address does not talk to that name.
    if is_first && !pointer.clone().any(|rrtype| rrtype.get() == Some("PTR")) {
        at.contact(client(at)?, Indicator::Domain(asked.clone()), out)?;
    }
    resolutions(&asked, records, at.seen).try_for_each(|fact| at.fact(Fact::Resolution(fact), out))
}

/// The end that asked: the one whose peer answers names, else the one that sent the query.
fn client(at: &At<'_>) -> Result<IpAddr, Stop> {
    let answers = |port: Option<u16>| port.is_some_and(|port| PORTS.contains(&port));
    let event = at.event;
    let is_answer =
        event.dns.first().is_some_and(|dns| matches!(dns.kind.get(), Some("answer" | "response")));
    let from_server = match (answers(event.src_port()), answers(event.dest_port())) {
        (true, false) => true,
        (false, true) => false,
        _ => is_answer,
    };
    at.address(if from_server { "dest_ip" } else { "src_ip" })
}

/// The name that was asked, where the event says it.
fn asked(dns: &Dns) -> Result<Option<DomainName>, Stop> {
    let query = dns.queries.first().map_or(&dns.rrname, |query| &query.rrname);
    query.get().map(domain).transpose().map_err(bad("domain"))
}

fn records(dns: &Dns) -> Result<Vec<Record>, Stop> {
    if dns.answers.first().is_some() {
        return dns
            .answers
            .iter()
            .take(ANSWERS_MAX)
            .filter_map(|answer| of_answer(answer).transpose())
            .collect();
    }
    if dns.grouped.is_object() {
        return of_groups(dns);
    }
    match (dns.kind.get(), dns.rdata.get()) {
        (Some("answer" | "response"), Some(value)) => {
            Ok(record(&dns.rrname, &dns.rrtype, value)?.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// A record with its owner; none where Suricata does not write what is in it.
fn of_answer(answer: &Answer) -> Result<Option<Record>, Stop> {
    let value = match (answer.soa.first(), answer.srv.first()) {
        (Some(soa), _) => words(&soa.fields()),
        (_, Some(srv)) => words(&srv.fields()),
        _ => answer.rdata.get().map(str::to_owned),
    };
    value.map_or(Ok(None), |value| record(&answer.rrname, &answer.rrtype, &value))
}

fn record(rrname: &Text, rrtype: &Text, value: &str) -> Result<Option<Record>, Stop> {
    // Types that Suricata has no name for.
    let Some(rrtype) = rrtype.get().and_then(RecordType::find) else { return Ok(None) };
    let rrname = rrname.get().ok_or_else(|| Stop::Bad("domain", "an answer has no rrname".to_owned()))?;
    let rrname = domain(rrname).map_err(bad("domain"))?;
    Ok(Some(Record { rrname, rrtype, rdata: rdata(rrtype, value).map_err(bad("rdata"))? }))
}

/// The values by type. The aliases stand in the order of the answer: each leads to the next, the last to all else.
fn of_groups(dns: &Dns) -> Result<Vec<Record>, Stop> {
    let Some(mut owner) = asked(dns)? else {
        return Err(Stop::Bad("domain", "there is no rrname".to_owned()));
    };
    let values = |name: &str| dns.grouped.get(name).and_then(|list| list.as_array()).into_iter().flatten();
    let mut records = Vec::new();
    for alias in values("CNAME").filter_map(|value| value.as_str()).take(ALIASES_MAX) {
        let alias = domain(alias).map_err(bad("rdata"))?;
        let rdata = Rdata::Name(alias.clone());
        records.push(Record { rrname: owner, rrtype: RecordType::CNAME, rdata });
        owner = alias;
    }
    let groups = dns.grouped.as_object().into_iter().flatten().filter(|(name, _)| *name != "CNAME");
    for (name, _) in groups {
        let Some(rrtype) = RecordType::find(name) else { continue };
        for value in values(name).filter_map(|value| value.as_str()).take(ANSWERS_MAX) {
            let rdata = rdata(rrtype, value).map_err(bad("rdata"))?;
            records.push(Record { rrname: owner.clone(), rrtype, rdata });
        }
    }
    Ok(records)
}

impl Soa {
    fn fields(&self) -> [&Text; 7] {
        [&self.mname, &self.rname, &self.serial, &self.refresh, &self.retry, &self.expire, &self.minimum]
    }
}

impl Srv {
    fn fields(&self) -> [&Text; 4] {
        [&self.priority, &self.weight, &self.port, &self.name]
    }
}

/// The fields as a zone file has them; none where one is missing.
fn words(fields: &[&Text]) -> Option<String> {
    let words: Option<Vec<&str>> = fields.iter().map(|field| field.get()).collect();
    words.map(|words| words.join(" "))
}
