//! Passive DNS for its clients: `/pdns/query/{name or address}` in the Common Output Format, and the paths of DNSDB's
//! version 2 that `dnsdbq` asks: `lookup` and `summarize` of `rrset/name`, `rdata/name`, `rdata/ip`, `ping`, `rate_limit`.
//!
//! A question counts as a lookup. Where nothing is known the answer is empty, and 200: that is what the clients take for it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::Service;
use super::api::parameter;
use super::error::Problem;
use super::own::worked;
use crate::access::Caller;
use crate::fact::RecordType;
use crate::indicator::{AddressRange, DomainName, Prefix, parse_address};
use crate::lookup::LookupError;
use crate::pdns::{self, Answer, Ask, Fences, Names, Query, RECORDS, RECORDS_MAX};
use crate::value::Timestamp;

/// How an answer is written.
type Write = fn(&Answer) -> Vec<u8>;

/// `GET /pdns/query/{q}`
pub(super) async fn common_output(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let now = service.clock.now();
    let question = segments(&uri, "/pdns/query/").and_then(|parts| {
        // A network has a slash.
        let ask = either(&parts.join("/"))?;
        Ok((limited(&uri, ask, None, now)?, pdns::common_output as Write))
    });
    answer(service, caller, uri, question).await
}

/// `GET /dnsdb/v2/…`
pub(super) async fn dnsdb(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let now = service.clock.now();
    let parts = match segments(&uri, "/dnsdb/v2/") {
        Ok(parts) => parts,
        Err(detail) => return wrong(&uri, detail).into_response(),
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        ["ping"] => return json(r#"{"ping":"ok"}"#.to_owned()),
        ["rate_limit"] => return json(rate(&caller, now)),
        _ => {}
    }
    let question = dnsdb_question(&uri, &parts, now);
    answer(service, caller, uri, question).await
}

/// What a path of DNSDB asks, and how the answer is written.
fn dnsdb_question(uri: &Uri, parts: &[&str], now: Timestamp) -> Result<(Query, Write), String> {
    let (verb, kind, by, value, rest) = match parts {
        [verb @ ("lookup" | "summarize"), kind @ ("rrset" | "rdata"), by, value, rest @ ..] => {
            (*verb, *kind, *by, *value, rest)
        }
        _ => return Err("ask as /dnsdb/v2/lookup/rrset/name/example.com or …/rdata/ip/192.0.2.1".to_owned()),
    };
    let ask = match (kind, by) {
        ("rrset", "name") => Ask::Owner(names(value)?),
        ("rdata", "name") => Ask::Holds(names(value)?),
        ("rdata", "ip") => Ask::Addresses(addresses(value)?),
        _ => return Err(format!("{kind}/{by} is not answered: use rrset/name, rdata/name or rdata/ip")),
    };
    let rrtype = match rest.first().copied() {
        None | Some("ANY" | "any") => None,
        Some(text) => Some(RecordType::find(text).ok_or_else(|| {
            format!("{text:?} is no type of record: use ANY, A, AAAA, NS, MX, … or TYPE65")
        })?),
    };
    // The bailiwick of a record is not kept: one that is asked for must be that of the name.
    if let Some(bailiwick) = rest.get(1) {
        name(bailiwick)?;
    }
    let write = match (verb, kind) {
        ("summarize", _) => pdns::summary,
        (_, "rrset") => |answer: &Answer| pdns::streaming(answer, true),
        _ => |answer: &Answer| pdns::streaming(answer, false),
    };
    Ok((limited(uri, ask, rrtype, now)?, write))
}

async fn answer(
    service: Arc<Service>,
    caller: Caller,
    uri: Uri,
    question: Result<(Query, Write), String>,
) -> Response {
    let (query, write) = match question {
        Ok(question) => question,
        Err(detail) => return wrong(&uri, detail).into_response(),
    };
    let body = worked(&service, caller, &uri, move |context, _| {
        let snapshot = context.store.snapshot()?.for_reader(&context.reader.exporting());
        Ok::<_, LookupError>(write(&pdns::query(&snapshot.view(None), &query)?))
    })
    .await;
    match body {
        Ok(body) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], body).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Limits, offset and fences of a query.
fn limited(uri: &Uri, ask: Ask, rrtype: Option<RecordType>, now: Timestamp) -> Result<Query, String> {
    let query = uri.query().unwrap_or_default();
    let count = |name: &str, otherwise: usize| match parameter(query, name) {
        None => Ok(otherwise),
        Some(text) => text.parse::<usize>().map_err(|_| format!("{name} is {text:?}: use a whole number")),
    };
    let fence = |name: &str| {
        let Some(text) = parameter(query, name) else { return Ok(None) };
        let seconds: i64 = text
            .parse()
            .map_err(|_| format!("{name} is {text:?}: use Unix seconds, or negative ones before now"))?;
        Ok::<_, String>(Some(if seconds < 0 { now.0.saturating_add(seconds) } else { seconds }))
    };
    let limit = match count("limit", RECORDS)? {
        0 => RECORDS_MAX,
        limit => limit.min(RECORDS_MAX),
    };
    let fences = Fences {
        first_before: fence("time_first_before")?,
        first_after: fence("time_first_after")?,
        last_before: fence("time_last_before")?,
        last_after: fence("time_last_after")?,
    };
    Ok(Query { ask, rrtype, fences, offset: count("offset", 0)?, limit })
}

/// The parts of a path after its beginning, their escapes taken off.
fn segments(uri: &Uri, begin: &str) -> Result<Vec<String>, String> {
    let rest = uri.path().strip_prefix(begin).unwrap_or_default();
    let decoded = |part: &str| {
        let text = percent_decode_str(part).decode_utf8();
        text.map(std::borrow::Cow::into_owned).map_err(|_| format!("{part:?} has escapes that are not UTF-8"))
    };
    rest.split('/').map(decoded).collect()
}

/// A name, `*.example.com` or `example.*`.
fn names(text: &str) -> Result<Names, String> {
    if let Some(below) = text.strip_prefix("*.") {
        return name(below).map(Names::Below);
    }
    if let Some(label) = text.trim_end_matches('.').strip_suffix(".*") {
        let parsed = name(label)?;
        if parsed.as_str().contains('.') {
            return Err(format!("{text:?} has more than one label before the asterisk: use example.*"));
        }
        return Ok(Names::Label(parsed.as_str().to_owned()));
    }
    name(text).map(Names::One)
}

fn name(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| error.to_string())
}

/// An address, a network with a comma or a slash, or a range with a hyphen.
fn addresses(text: &str) -> Result<AddressRange, String> {
    let one = |text: &str| parse_address(text).map_err(|error| error.to_string());
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (one(first)?, one(last)?);
        return AddressRange::new(first, last)
            .ok_or_else(|| format!("{text:?} is no range: use the lower address first, of one family"));
    }
    let text = text.replace(',', "/");
    if text.contains('/') {
        return Ok(Prefix::parse(&text).map_err(|error| error.to_string())?.range());
    }
    let address: IpAddr = one(&text)?;
    AddressRange::new(address, address).ok_or_else(|| format!("{text:?} is no address"))
}

fn either(text: &str) -> Result<Ask, String> {
    if let Ok(range) = addresses(text) {
        return Ok(Ask::Addresses(range));
    }
    match names(text)? {
        Names::One(name) => Ok(Ask::Either(name)),
        names => Ok(Ask::Owner(names)),
    }
}

/// The day's quota as DNSDB says it.
fn rate(caller: &Caller, now: Timestamp) -> String {
    let (limit, left) = (caller.licence.day_quota, caller.licence.left());
    let reset = now.end_of_day().0 + 1;
    format!(r#"{{"rate":{{"reset":{reset},"limit":{limit},"remaining":{left}}}}}"#)
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

fn wrong(uri: &Uri, detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, uri, detail)
}
