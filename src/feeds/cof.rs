//! `cof`: passive DNS in the Common Output Format, one JSON object a line.
//!
//! Written by CIRCL, D4, DNSDB (`dnsdbq -j`) and most passive DNS servers:
//! <https://datatracker.ietf.org/doc/html/draft-dulaunoy-dnsop-passive-dns-cof>. The framing that version 2 of the DNSDB
//! interface puts around it (`{"obj":{…}}` between `{"cond":"begin"}` and `{"cond":"succeeded"}`) is taken off.
//!
//! One [`Resolution`] for each rdata, each with the record's whole count. `time_first` and `time_last` (seen by sensors)
//! and `zone_time_first` and `zone_time_last` (seen in zone files) are one interval. Bailiwick, sensor and origin are
//! not kept.
//!
//! This is the format that comes in the largest numbers: a line is read by a typed parser that borrows from it, without an
//! allocation that the fact does not need; and a line of the common shape by [`plain`], at half the cost of serde_json.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::{Emit, Format, Input, Lines, Proof, Sample, State};
use crate::fact::{Fact, Rdata, RecordType, Resolution, Seen};
use crate::indicator::{DomainName, ParseError, parse_address};
use crate::value::Timestamp;

mod plain;

pub(super) const FORMAT: Format = Format {
    name: "cof",
    title: "Passive DNS Common Output Format (CIRCL, D4, DNSDB), one JSON object a line",
    state: State::Events,
    proof: Proof::Documented,
    recognise,
    open: || Box::new(read),
};

fn recognise(sample: &Sample<'_>) -> bool {
    // A struct can be read from a JSON array too; that is not this format.
    let Some(line) = sample.data_lines().next().filter(|line| line.starts_with('{')) else { return false };
    let record = |record: &Record<'_>| !record.rrname.is_empty() && record.rdata.first.is_some();
    if let Ok(frame) = serde_json::from_str::<Frame<'_>>(line) {
        let framing = matches!(&*frame.cond, "begin" | "ongoing" | "succeeded" | "limited" | "failed");
        if framing || frame.obj.as_ref().is_some_and(record) {
            return true;
        }
    }
    serde_json::from_str::<Record<'_>>(line).is_ok_and(|found| record(&found))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        let line = line.trim_ascii_start();
        if !(line.is_empty() || line.starts_with('#')) {
            read_line(number, line, out)?;
        }
    }
    Ok(())
}

//------------ A line --------------------------------------------------------

/// Why a record is no fact: the reason in a word and what was wrong.
type Fault = (&'static str, String);

fn read_line(number: u64, line: &str, out: &mut Emit<'_>) -> io::Result<()> {
    let framed = line.strip_prefix("{\"obj\":").and_then(|rest| rest.strip_suffix('}'));
    let fault = match plain::record(framed.unwrap_or(line)) {
        Some(record) if !record.is_empty() => resolutions(number, record, out)?,
        _ if !line.starts_with('{') => Some(("json", "the line is no JSON object".to_owned())),
        _ if framed.is_some() => read_frame(number, line, out)?,
        _ => match serde_json::from_str::<Record<'_>>(line) {
            Err(error) => Some(("json", error.to_string())),
            Ok(record) if record.is_empty() => read_frame(number, line, out)?,
            Ok(record) => resolutions(number, record, out)?,
        },
    };
    match fault {
        Some((reason, detail)) => out.reject(number, reason, detail, line.as_bytes()),
        None => Ok(()),
    }
}

fn read_frame(number: u64, line: &str, out: &mut Emit<'_>) -> io::Result<Option<Fault>> {
    let frame = match serde_json::from_str::<Frame<'_>>(line) {
        Ok(frame) => frame,
        Err(error) => return Ok(Some(("json", error.to_string()))),
    };
    match (frame.obj, &*frame.cond) {
        (Some(record), _) => resolutions(number, record, out),
        (None, "begin" | "ongoing" | "succeeded") => Ok(None),
        (None, "limited" | "failed") => {
            Ok(Some(("incomplete", format!("the server ended the answer early: {}", frame.msg))))
        }
        (None, _) => Ok(Some(("fields", "rrname, rrtype and rdata are missing".to_owned()))),
    }
}

/// Yields what a record says. Of several rdata the good ones are facts; the first bad one is the fault.
fn resolutions(number: u64, record: Record<'_>, out: &mut Emit<'_>) -> io::Result<Option<Fault>> {
    let (rrname, rrtype, seen) = match record.head() {
        Ok(head) => head,
        Err(fault) => return Ok(Some(fault)),
    };
    let Some(first) = record.rdata.first.as_deref() else {
        return Ok(Some(("fields", "rdata is missing or empty".to_owned())));
    };
    let last = record.rdata.rest.len();
    let mut owner = Some(rrname);
    let mut fault = None;
    for (at, text) in std::iter::once(first).chain(record.rdata.rest.iter().map(|text| &*text.0)).enumerate()
    {
        let rdata = match rdata(rrtype, text) {
            Ok(rdata) => rdata,
            Err(error) => {
                fault.get_or_insert(("address", error.to_string()));
                continue;
            }
        };
        let Some(rrname) = (if at == last { owner.take() } else { owner.clone() }) else { break };
        out.fact(number, Fact::Resolution(Resolution { rrname, rrtype, rdata, via: Vec::new(), seen }))?;
    }
    Ok(fault)
}

//------------ What other formats of DNS records use -------------------------

/// What a record of a type holds, from its presentation form.
///
/// An address of A and AAAA; a name of NS, CNAME, PTR, DNAME and the exchange of MX, or text where it is none (`.`);
/// text of all others.
///
/// # Errors
///
/// An address that is none, or of the other family.
pub(super) fn rdata(rrtype: RecordType, text: &str) -> Result<Rdata, ParseError> {
    match rrtype {
        RecordType::A | RecordType::AAAA => address(rrtype, text).map(Rdata::Address),
        RecordType::NS | RecordType::CNAME | RecordType::PTR | DNAME => Ok(name_or_text(text, text)),
        RecordType::MX => {
            let exchange = match text.split_once(' ') {
                Some((preference, exchange)) if preference.bytes().all(|byte| byte.is_ascii_digit()) => {
                    exchange
                }
                _ => text,
            };
            Ok(name_or_text(exchange, text))
        }
        _ => Ok(Rdata::Text(text.to_owned())),
    }
}

const DNAME: RecordType = RecordType(39);

/// An address of the family that the type says; an IPv4-mapped one of an AAAA is the IPv4 address.
fn address(rrtype: RecordType, text: &str) -> Result<IpAddr, ParseError> {
    let address = parse_address(text)?;
    if text.contains(':') == (rrtype == RecordType::AAAA) {
        return Ok(address);
    }
    let (wanted, right) = match rrtype {
        RecordType::A => ("the IPv4 address of an A record", "192.0.2.1"),
        _ => ("the IPv6 address of an AAAA record", "2001:db8::1"),
    };
    Err(ParseError::new(text, wanted, "it is an address of the other family", right))
}

fn name_or_text(name: &str, text: &str) -> Rdata {
    domain(name).map_or_else(|_| Rdata::Text(text.to_owned()), Rdata::Name)
}

/// A name with or without its final dot. The dot is taken off here because names without are parsed in one pass.
///
/// # Errors
///
/// What is no domain name.
pub(super) fn domain(text: &str) -> Result<DomainName, ParseError> {
    match text.strip_suffix('.') {
        Some(bare) if !bare.ends_with('.') => DomainName::parse(bare),
        _ => DomainName::parse(text),
    }
}

//------------ The record ----------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    rrname: Cow<'a, str>,
    rrtype: Type,
    #[serde(borrow)]
    rdata: Answers<'a>,
    time_first: Number,
    time_last: Number,
    zone_time_first: Number,
    zone_time_last: Number,
    count: Number,
}

/// What version 2 of the DNSDB interface puts around a record.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Frame<'a> {
    #[serde(borrow)]
    cond: Cow<'a, str>,
    #[serde(borrow)]
    msg: Cow<'a, str>,
    #[serde(borrow)]
    obj: Option<Record<'a>>,
}

impl Record<'_> {
    /// Whether this is something else than a record.
    fn is_empty(&self) -> bool {
        self.rrname.is_empty() && matches!(self.rrtype, Type::Absent) && self.rdata.first.is_none()
    }

    /// Everything but the rdata.
    fn head(&self) -> Result<(DomainName, RecordType, Seen), Fault> {
        if self.rrname.is_empty() {
            return Err(("fields", "rrname is missing".to_owned()));
        }
        let rrname = domain(&self.rrname).map_err(|error| ("domain", error.to_string()))?;
        let rrtype = match self.rrtype {
            Type::Known(rrtype) => rrtype,
            Type::Absent => return Err(("fields", "rrtype is missing".to_owned())),
            Type::Unknown => {
                return Err(("type", "rrtype is neither a known mnemonic nor a number".to_owned()));
            }
        };
        Ok((rrname, rrtype, self.seen()?))
    }

    fn seen(&self) -> Result<Seen, Fault> {
        let times = [self.time_first, self.time_last, self.zone_time_first, self.zone_time_last];
        if times.iter().any(|time| matches!(time, Number::Wrong)) {
            return Err(("date", "a time is not Unix seconds".to_owned()));
        }
        let [first, last, zone_first, zone_last] = times.map(Number::seconds);
        for (first, last) in [(first, last), (zone_first, zone_last)] {
            if first.zip(last).is_some_and(|(first, last)| last < first) {
                return Err(("date", "the last time is before the first".to_owned()));
            }
        }
        let known = || [first, last, zone_first, zone_last].into_iter().flatten();
        let (Some(first), Some(last)) = (known().min(), known().max()) else {
            return Err(("date", "time_first and time_last are missing".to_owned()));
        };
        let hits = match self.count {
            Number::Absent => 1,
            Number::Is(count) if count > 0 => count.unsigned_abs(),
            _ => return Err(("count", "count is not a number of at least 1".to_owned())),
        };
        Ok(Seen { first: Timestamp(first), last: Timestamp(last), hits })
    }
}

/// A record type: a mnemonic, or the decimal number where the server knows none.
#[derive(Clone, Copy, Debug, Default)]
enum Type {
    #[default]
    Absent,
    Known(RecordType),
    Unknown,
}

impl Type {
    fn read(text: &str) -> Type {
        let found = RecordType::find(text).or_else(|| text.parse().ok().map(RecordType));
        found.map_or(Type::Unknown, Type::Known)
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Type, D::Error> {
        struct Found;
        impl Visitor<'_> for Found {
            type Value = Type;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a record type")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Type, E> {
                Ok(Type::read(text))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Type, E> {
                Ok(u16::try_from(number).map_or(Type::Unknown, |number| Type::Known(RecordType(number))))
            }
        }
        deserializer.deserialize_any(Found)
    }
}

/// A whole number, also one in a string (as old versions of the draft have it), or a time as text.
#[derive(Clone, Copy, Debug, Default)]
enum Number {
    #[default]
    Absent,
    Is(i64),
    Wrong,
}

impl Number {
    fn seconds(self) -> Option<i64> {
        match self {
            Number::Is(seconds) => Some(seconds),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Found;
        impl Visitor<'_> for Found {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(i64::try_from(number).map_or(Number::Wrong, Number::Is))
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Number, E> {
                Ok(Number::Wrong) // Only negative numbers come here.
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                let fits = (0.0..1e12).contains(&number);
                Ok(if fits { Number::Is(number as i64) } else { Number::Wrong })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.parse().ok().or_else(|| Timestamp::parse(text).ok().map(|time| time.0));
                Ok(number.filter(|number| *number >= 0).map_or(Number::Wrong, Number::Is))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number::Absent)
            }
        }
        deserializer.deserialize_any(Found)
    }
}

/// One string or a list of them. The one of a list of one costs no allocation.
#[derive(Debug, Default)]
struct Answers<'a> {
    first: Option<Cow<'a, str>>,
    rest: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Answers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Answers<'a>, D::Error> {
        struct Found;
        impl<'de> Visitor<'de> for Found {
            type Value = Answers<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list of strings")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Answers<'de>, E> {
                Ok(Answers { first: Some(Cow::Borrowed(text)), rest: Vec::new() })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Answers<'de>, E> {
                Ok(Answers { first: Some(Cow::Owned(text.to_owned())), rest: Vec::new() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Answers<'de>, A::Error> {
                let mut answers =
                    Answers { first: list.next_element::<Text<'de>>()?.map(|text| text.0), rest: Vec::new() };
                while let Some(text) = list.next_element()? {
                    answers.rest.push(text);
                }
                Ok(answers)
            }
        }
        deserializer.deserialize_any(Found)
    }
}
