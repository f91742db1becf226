//! `dnstap`: what a DNS server was asked and answered, as Unbound, BIND, Knot, PowerDNS, dnsdist and CoreDNS log it.
//!
//! Frame Streams (<https://farsightsec.github.io/fstrm/>) of Protocol Buffers
//! (<https://github.com/dnstap/dnstap.pb/blob/master/dnstap.proto>) that hold DNS messages as they went over the wire. A
//! frame is counted as a line, control frames are not.
//!
//! | message | facts |
//! |---|---|
//! | `AUTH_RESPONSE`, `RESOLVER_RESPONSE`, `FORWARDER_RESPONSE` | the records of the answer section |
//! | `CLIENT_RESPONSE`, `STUB_RESPONSE`, `TOOL_RESPONSE` | these, and a contact of the one who asked with the name |
//! | queries, `UPDATE_RESPONSE` | none: nothing was answered; passed over |
//!
//! As of other logs: an answer without records yields nothing, and who asks for the name of an address (PTR) does not
//! talk to that name. A record that is not right is rejected alone, a frame as `frame`, `protobuf`, `message` or `date`.
//! Where the framing itself is broken the rest of the file is lost, and one record says so; a stream without its end, as
//! of a writer that was killed, is rejected as `cut` after all that it holds was read.

use std::io::{self, BufRead, Read};
use std::net::IpAddr;

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{Message, ParsedName, ParsedRecord};
use domain::rdata::AllRecordData;
use prost::Message as _;

use super::answers::{Record, resolutions};
use super::cof::{domain as name, rdata};
use super::stop::Stop;
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Contact, Fact, Rdata, RecordType, Seen};
use crate::indicator::{Indicator, canonical};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "dnstap",
    title: "dnstap: what DNS servers answered and whom (Frame Streams of Unbound, BIND, Knot, PowerDNS, dnsdist)",
    state: State::Events,
    proof: Proof::Documentation,
    recognise,
    open: || Box::new(read),
};

/// What a stream of dnstap says that it holds.
const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

/// The longest frame of data, as the reader of the reference implementation has it.
const FRAME_BYTES_MAX: u32 = 1 << 20;

/// The longest control frame, by the specification.
const CONTROL_BYTES_MAX: u32 = 512;

/// The control frames that begin and end a stream; the others are of a conversation.
const START: u32 = 2;
const STOP: u32 = 3;

/// More records than an answer of 64 KiB has room for in practice.
const ANSWERS_MAX: usize = 4096;

/// How much of a frame that is rejected is shown.
const SHOWN_BYTES: usize = 64;

/// The longest name of a server that is kept.
const IDENTITY_BYTES_MAX: usize = 255;

/// The types of messages that hold an answer, and whether who asked is a client that means to talk to the name.
const RESPONSES: &[(i32, bool)] = &[(2, false), (4, false), (6, true), (8, false), (10, true), (12, true)];

/// The last type that there is; the others up to it are queries and updates.
const TYPE_MAX: i32 = 14;

/// A control frame that begins a stream of dnstap.
fn recognise(sample: &Sample<'_>) -> bool {
    let starts = sample.head.starts_with(&[0; 4]) && sample.head.get(8..12) == Some(&START.to_be_bytes());
    starts && content_type(sample.head.get(12..).unwrap_or_default()) == Some(CONTENT_TYPE)
}

/// The first content type among the fields of a control frame.
fn content_type(fields: &[u8]) -> Option<&[u8]> {
    let (head, rest) = fields.split_at_checked(8)?;
    let length = u32::from_be_bytes(head[4..].try_into().ok()?);
    (head[..4] == [0, 0, 0, 1]).then(|| rest.get(..length as usize)).flatten()
}

/// The envelope; field 15 says that it holds a message, which is all that there is.
#[derive(prost::Message)]
struct Dnstap {
    #[prost(bytes = "vec", optional, tag = "1")]
    identity: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    message: Option<Logged>,
}

/// A message with what is known of it.
#[derive(prost::Message)]
struct Logged {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(bytes = "vec", optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "8")]
    query_time_sec: Option<u64>,
    #[prost(uint64, optional, tag = "12")]
    response_time_sec: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "14")]
    response_message: Option<Vec<u8>>,
}

/// What stands at a place of a stream.
enum Frame {
    Data,
    /// Longer than any may be; passed over.
    TooLong(u32),
    Control(u32),
    /// Not all of it is there.
    Cut,
    /// No frame: what comes cannot be told apart any more.
    Broken(String),
    End,
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let (mut number, mut frame, mut is_open) = (0, Vec::new(), false);
    loop {
        let found = next(input.reader, &mut frame)?;
        number += u64::from(matches!(found, Frame::Data | Frame::TooLong(_)));
        match found {
            Frame::Data => match answer(number, &frame, out) {
                Ok(()) => {}
                Err(Stop::Bad(reason, detail)) => reject(number, reason, detail, &frame, out)?,
                Err(Stop::Io(error)) => return Err(error),
            },
            Frame::TooLong(length) => {
                let detail = format!("a frame of {length} bytes: {FRAME_BYTES_MAX} are the most");
                reject(number, "too long", detail, b"", out)?;
            }
            Frame::Control(START) => {
                is_open = true;
                let said = content_type(frame.get(4..).unwrap_or_default());
                if let Some(other) = said.filter(|said| *said != CONTENT_TYPE) {
                    let detail = format!("the stream holds {:?}", String::from_utf8_lossy(other));
                    reject(number, "type", detail, &frame, out)?;
                }
            }
            Frame::Control(kind) => is_open &= kind != STOP,
            Frame::Broken(detail) => {
                let detail = format!("{detail}: the rest of the file cannot be read");
                return reject(number, "frame", detail, &frame, out);
            }
            Frame::Cut => return reject(number + 1, "cut", "the stream ends within a frame", &frame, out),
            Frame::End if is_open => {
                let detail = "the stream has no end: its writer was stopped, or it was cut";
                return reject(number, "cut", detail, b"", out);
            }
            Frame::End => return Ok(()),
        }
    }
}

/// Reads the next frame, its content into `frame`.
fn next(reader: &mut dyn BufRead, frame: &mut Vec<u8>) -> io::Result<Frame> {
    frame.clear();
    if reader.fill_buf()?.is_empty() {
        return Ok(Frame::End);
    }
    let Some(mut length) = length(reader)? else { return Ok(Frame::Cut) };
    let is_control = length == 0;
    if is_control {
        match self::length(reader)? {
            Some(control @ 4..=CONTROL_BYTES_MAX) => length = control,
            Some(control) => {
                return Ok(Frame::Broken(format!("a control frame has 4 to 512 bytes, not {control}")));
            }
            None => return Ok(Frame::Cut),
        }
    }
    let content = &mut reader.take(length.into());
    if length > FRAME_BYTES_MAX {
        let passed = io::copy(content, &mut io::sink())?;
        return Ok(if passed < length.into() { Frame::Cut } else { Frame::TooLong(length) });
    }
    content.read_to_end(frame)?;
    if frame.len() < length as usize {
        return Ok(Frame::Cut);
    }
    Ok(match frame.first_chunk() {
        Some(kind) if is_control => Frame::Control(u32::from_be_bytes(*kind)),
        _ => Frame::Data,
    })
}

/// A length; none where the input ends within it.
fn length(reader: &mut dyn BufRead) -> io::Result<Option<u32>> {
    let mut bytes = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut bytes)?;
    Ok(bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)))
}

/// A frame is shown by its first bytes.
fn reject(
    number: u64,
    reason: &'static str,
    detail: impl Into<String>,
    frame: &[u8],
    out: &mut Emit<'_>,
) -> io::Result<()> {
    let shown: String = frame.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    out.reject(number.max(1), reason, detail, shown.as_bytes())
}

/// Yields what a frame says was answered.
fn answer(number: u64, frame: &[u8], out: &mut Emit<'_>) -> Result<(), Stop> {
    let bad = |reason| move |error: String| Stop::Bad(reason, error);
    let envelope = Dnstap::decode(frame).map_err(|error| Stop::Bad("protobuf", error.to_string()))?;
    let logged = envelope.message.ok_or_else(|| bad("protobuf")("it holds no message".to_owned()))?;
    let Some((_, is_of_client)) = RESPONSES.iter().find(|(kind, _)| *kind == logged.kind) else {
        return match logged.kind {
            1..=TYPE_MAX => Ok(()),
            other => Err(bad("type")(format!("there are no messages of type {other}"))),
        };
    };
    let octets = logged.response_message.as_deref();
    let octets = octets.ok_or_else(|| bad("message")("the response is not in it".to_owned()))?;
    let message = Message::from_slice(octets).map_err(|error| Stop::Bad("message", error.to_string()))?;
    if !message.header().qr() {
        return Err(bad("message")("it is no response".to_owned()));
    }
    if message.header().opcode() != Opcode::QUERY {
        return Ok(());
    }
    let question = message.first_question();
    let question = question.ok_or_else(|| bad("message")("it does not say what was asked".to_owned()))?;
    if question.qclass() != Class::IN {
        return Ok(());
    }
    let seconds = logged.response_time_sec.or(logged.query_time_sec).and_then(|at| i64::try_from(at).ok());
    let at = seconds.map(Timestamp).filter(|at| (Timestamp::RECORD_MIN..=Timestamp::RECORD_MAX).contains(at));
    let seen =
        Seen::once(at.ok_or_else(|| bad("date")("it says no moment, or one that there is not".to_owned()))?);
    let asked = name(&question.qname().to_string()).map_err(|error| bad("domain")(error.to_string()))?;
    let records = records(number, message, out)?;
    if records.is_empty() {
        return Ok(());
    }
    if *is_of_client && question.qtype() != Rtype::PTR {
        contact(number, &envelope.identity, &logged, Indicator::Domain(asked.clone()), seen, out)?;
    }
    Ok(resolutions(&asked, records, seen).try_for_each(|fact| out.fact(number, Fact::Resolution(fact)))?)
}

/// Yields that the one who asked talked to the name; servers may leave out who that was.
fn contact(
    number: u64,
    identity: &Option<Vec<u8>>,
    logged: &Logged,
    indicator: Indicator,
    seen: Seen,
    out: &mut Emit<'_>,
) -> Result<(), Stop> {
    let client = match logged.query_address.as_deref() {
        None | Some([]) => return Ok(()),
        Some(octets) => address(octets),
    };
    let client = client.ok_or_else(|| Stop::Bad("address", "query_address is no address".to_owned()))?;
    let sensor = identity.as_deref().filter(|identity| !identity.is_empty());
    let sensor = sensor.map(|sensor| &sensor[..sensor.len().min(IDENTITY_BYTES_MAX)]);
    let sensor = sensor.map(|sensor| String::from_utf8_lossy(sensor).into_owned());
    Ok(out.fact(number, Fact::Contact(Contact { client: client.to_string(), indicator, sensor, seen }))?)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(canonical)
}

/// The records of the answer section; those that are not right are rejected.
fn records(number: u64, message: &Message<[u8]>, out: &mut Emit<'_>) -> Result<Vec<Record>, Stop> {
    let mut records = Vec::new();
    let section = message.answer().map_err(|error| Stop::Bad("message", error.to_string()))?;
    for parsed in section.take(ANSWERS_MAX) {
        // What comes after cannot be found; what came before stands.
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                reject(number, "message", error.to_string(), message.as_slice(), out)?;
                break;
            }
        };
        match record(&parsed) {
            Ok(record) => records.extend(record),
            Err((reason, detail)) => reject(number, reason, detail, message.as_slice(), out)?,
        }
    }
    Ok(records)
}

/// A record of the internet; none of another class.
fn record(parsed: &ParsedRecord<'_, [u8]>) -> Result<Option<Record>, super::entry::Fault> {
    if parsed.class() != Class::IN {
        return Ok(None);
    }
    let rrname = name(&parsed.owner().to_string()).map_err(|error| ("domain", error.to_string()))?;
    let rrtype = RecordType(parsed.rtype().to_int());
    let read = parsed.to_any_record::<AllRecordData<_, ParsedName<_>>>();
    let rdata = match read.map_err(|error| ("rdata", error.to_string()))?.data() {
        AllRecordData::A(a) => Rdata::Address(IpAddr::V4(a.addr())),
        AllRecordData::Aaaa(aaaa) => Rdata::Address(canonical(IpAddr::V6(aaaa.addr()))),
        other => {
            let text = other.display_zonefile(DisplayKind::Simple).to_string();
            rdata(rrtype, &text).map_err(|error| ("rdata", error.to_string()))?
        }
    };
    Ok(Some(Record { rrname, rrtype, rdata }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    #[test]
    fn a_frame_too_long_is_passed_over_and_the_next_is_read() {
        let mut content = (FRAME_BYTES_MAX + 1).to_be_bytes().to_vec();
        content.resize(content.len() + FRAME_BYTES_MAX as usize + 1, 0);
        content.extend([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        let mut reasons = Vec::new();
        let mut sink = |item| {
            if let Item::Rejected(rejected) = item {
                reasons.push((rejected.line, rejected.reason));
            }
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        read(&mut Input { name: "x", reader: &mut &content[..] }, &mut out).unwrap();
        assert_eq!(reasons, [(1, "too long"), (2, "protobuf"), (3, "cut")]);
    }

    #[test]
    fn content_types() {
        assert_eq!(content_type(b"\0\0\0\x01\0\0\0\x02abc"), Some(&b"ab"[..]));
        for fields in [&b""[..], b"\0\0\0\x02\0\0\0\x01a", b"\0\0\0\x01\xff\xff\xff\xffa"] {
            assert_eq!(content_type(fields), None);
        }
    }
}
