//! `ssl` and `x509`: what certificates were shown and what they say.
//!
//! A certificate is named by its SHA-256, which recent logs have (`cert_chain_fps`, `fingerprint`). Older ones name it by
//! file identifier: then its digest is the one that `files` of the same batch has. Where there is none, a certificate is
//! `serial:<serial> <issuer>`, which is what tells certificates apart (RFC 5280, 4.1.2.2).

use crate::fact::{Certificate, Contact, Fact, Seen};
use crate::feeds::Emit;
use crate::indicator::{DomainName, Indicator};

use super::row::{Field, Row};
use super::{Batch, Stop, client};

/// Yields who talked to the server and which certificate it showed.
pub(super) fn ssl(
    batch: &mut Batch,
    row: &Row<'_>,
    seen: Seen,
    line: u64,
    out: &mut Emit<'_>,
) -> Result<(), Stop> {
    let client = client(row)?;
    let address = row.address(Field::RespH)?;
    let server_name = row.text(Field::ServerName).and_then(|name| DomainName::parse(&name).ok());
    let talked_to = server_name.clone().map(Indicator::Domain).or(address.map(Indicator::Address));
    let Some(indicator) = talked_to else {
        return Err(Stop::Bad("address", "there is neither id.resp_h nor server_name".to_owned()));
    };
    out.fact(
        line,
        Fact::Contact(Contact { client, indicator, sensor: row.string(Field::SystemName), seen }),
    )?;

    let digest = row.list(Field::CertChainFps).next().or_else(|| row.text(Field::CertHash));
    let fuid = row.list(Field::CertChainFuids).next();
    let subject = row.string(Field::Subject);
    let certificate = Certificate {
        digest: digest.map(|digest| digest.to_ascii_lowercase()).unwrap_or_default(),
        names: certificate_names(subject.as_deref().unwrap_or_default(), row.list(Field::SanDns)),
        address,
        server_name,
        subject,
        issuer: row.string(Field::Issuer).or_else(|| row.string(Field::IssuerSubject)),
        not_before: row.time(Field::NotBefore),
        not_after: row.time(Field::NotAfter),
        seen,
    };
    let bytes = certificate.subject.iter().chain(&certificate.issuer).map(String::len).sum();
    match fuid {
        _ if !certificate.digest.is_empty() => Ok(out.fact(line, Fact::Certificate(certificate))?),
        Some(fuid) => {
            Ok(batch.certificates.complete(&fuid, line, Fact::Certificate(certificate), bytes, out)?)
        }
        None => Ok(()), // A resumed session shows none.
    }
}

/// Yields what a certificate says.
pub(super) fn x509(
    batch: &mut Batch,
    row: &Row<'_>,
    seen: Seen,
    line: u64,
    out: &mut Emit<'_>,
) -> Result<(), Stop> {
    let fuid = row.text(Field::Id);
    let issuer = row.string(Field::CertIssuer);
    let known = fuid.as_ref().and_then(|fuid| batch.certificates.find(fuid)).cloned();
    let serial = || {
        let serial = row.text(Field::CertSerial)?.to_ascii_lowercase();
        Some(format!("serial:{serial} {}", issuer.as_deref().unwrap_or_default()))
    };
    let fingerprint = row.text(Field::Fingerprint).map(|digest| digest.to_ascii_lowercase());
    let Some(digest) = fingerprint.or(known).or_else(serial) else {
        return Err(Stop::Bad("fields", "there is neither fingerprint nor certificate.serial".to_owned()));
    };
    if let Some(fuid) = fuid {
        batch.certificates.learn(&fuid, digest.clone(), digest.len(), out)?;
    }
    let subject = row.string(Field::CertSubject);
    let certificate = Certificate {
        digest,
        names: certificate_names(subject.as_deref().unwrap_or_default(), row.list(Field::SanDns)),
        address: None,
        server_name: None,
        subject,
        issuer,
        not_before: row.time(Field::CertNotBefore),
        not_after: row.time(Field::CertNotAfter),
        seen,
    };
    Ok(out.fact(line, Fact::Certificate(certificate))?)
}

/// Gives a certificate that a server showed its digest.
pub(super) fn set_digest(fact: &mut Fact, digest: &String) {
    if let Fact::Certificate(certificate) = fact {
        digest.clone_into(&mut certificate.digest);
    }
}

/// The alternative names and the common name where it is a domain name (of two labels at least: a single word is most
/// often a person's or a product's), each once.
pub(in crate::feeds) fn certificate_names<T: AsRef<str>>(
    subject: &str,
    alternative: impl Iterator<Item = T>,
) -> Vec<DomainName> {
    let name = |text: &str| DomainName::parse(text.strip_prefix("*.").unwrap_or(text)).ok();
    let common = common_name(subject).and_then(name).filter(|name| name.as_str().contains('.'));
    let mut seen = std::collections::HashSet::new();
    let alternative = alternative.filter_map(|text| name(text.as_ref()));
    common.into_iter().chain(alternative).filter(|name| seen.insert(name.clone())).collect()
}

/// The `CN` of a distinguished name (RFC 4514: commas within values have a backslash), with or without a space after commas.
fn common_name(subject: &str) -> Option<&str> {
    let mut start = 0;
    let mut escaped = false;
    for (at, byte) in subject.bytes().chain([b',']).enumerate() {
        if byte == b',' && !escaped {
            if let Some(value) = subject[start..at].trim_start().strip_prefix("CN=") {
                return Some(value);
            }
            start = at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::common_name;

    #[test]
    fn common_names() {
        for (subject, name) in [
            ("CN=*.example.com,O=Example\\, Inc.,C=US", Some("*.example.com")),
            ("O=a\\,CN=b,CN=c.example", Some("c.example")),
            ("O=a\\\\,CN=b.example", Some("b.example")),
            ("C=US, O=a, CN=d.example", Some("d.example")),
            ("O=a", None),
            ("", None),
        ] {
            assert_eq!(common_name(subject), name, "{subject}");
        }
    }
}
