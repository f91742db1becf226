//! `tls`: what certificate was shown.

use super::{At, Batch, Stop};
use crate::fact::{Certificate, Fact};
use crate::feeds::Emit;
use crate::feeds::cof::domain;
use crate::feeds::zeek::tls::certificate_names;
use crate::indicator::Indicator;
use crate::value::Timestamp;

/// Yields who talked to the server and which certificate it showed; a resumed session shows none.
pub(super) fn read(_: &mut Batch, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
    let Some(tls) = at.event.tls.first() else {
        return Err(Stop::Bad("fields", "there is no tls in it".to_owned()));
    };
    let (client, server) = (at.address("src_ip")?, at.address("dest_ip")?);
    let server_name = tls.sni.get().and_then(|name| domain(name).ok());
    let talked_to = server_name.clone().map_or(Indicator::Address(server), Indicator::Domain);
    at.contact(client, talked_to, out)?;
    let Some(fingerprint) = tls.fingerprint.get() else { return Ok(()) };
    let digest: String = fingerprint.chars().filter(|char| *char != ':').collect();
    if digest.len() != 40 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Stop::Bad("hash", "the fingerprint is no SHA-1".to_owned()));
    }
    let moment = |text: Option<&str>| text.and_then(|text| Timestamp::parse(text).ok());
    let subject = tls.subject.get();
    let alternative = tls.subjectaltname.iter().filter_map(|name| name.get());
    let certificate = Certificate {
        digest: digest.to_ascii_lowercase(),
        names: certificate_names(subject.unwrap_or_default(), alternative),
        address: Some(server),
        server_name,
        subject: subject.map(str::to_owned),
        issuer: tls.issuerdn.get().map(str::to_owned),
        not_before: moment(tls.notbefore.get()),
        not_after: moment(tls.notafter.get()),
        seen: at.seen,
    };
    at.fact(Fact::Certificate(certificate), out)
}
