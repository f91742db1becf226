//! `http` and `files`: what was requested and what was downloaded.

use std::net::IpAddr;

use crate::fact::{Contact, Download, Fact, FileVerdict, Seen, WebRequest};
use crate::feeds::Emit;
use crate::indicator::{FileHash, FileHashes, Host, Url};

use super::row::{Field, Row};
use super::{Batch, Stop, client};

//------------ http ----------------------------------------------------------

/// What was asked of a server.
struct Request {
    url: Url,
    /// Whether it was asked of a proxy.
    proxied: bool,
}

/// Yields the request and who made it; a line without a request that has a URL (CONNECT, `OPTIONS *`, an answer alone)
/// only who talked to what.
pub(super) fn http(
    batch: &mut Batch,
    row: &Row<'_>,
    seen: Seen,
    line: u64,
    out: &mut Emit<'_>,
) -> Result<(), Stop> {
    let client = client(row)?;
    let server = row.address(Field::RespH)?;
    let host = host(row, server)?;
    let request = request(row, host.as_ref())?;
    // A proxy is not what the client wanted to talk to.
    let proxied_to = request.as_ref().filter(|request| request.proxied && row.text(Field::Host).is_none());
    let talked_to = proxied_to.map(|request| request.url.host()).or(host.map(|(host, _)| host));
    if let Some(talked_to) = talked_to {
        let sensor = row.string(Field::SystemName);
        out.fact(line, Fact::Contact(Contact { client, indicator: talked_to.into(), sensor, seen }))?;
    }
    let Some(Request { url, proxied }) = request else { return Ok(()) };
    for fuid in row.list(Field::RespFuids) {
        batch.files.learn(&fuid, url.clone(), url.key().len() + url.spelled().len(), out)?;
    }
    let referrer = row.text(Field::Referrer).filter(|text| has_web_scheme(text));
    let referrer = referrer.and_then(|text| Url::parse(&text).ok());
    let address = server.filter(|_| !proxied);
    Ok(out.fact(line, Fact::WebRequest(WebRequest { url, address, referrer, seen }))?)
}

/// The host that was asked for and its port as far as one is given; the server itself where no host is.
fn host(row: &Row<'_>, server: Option<IpAddr>) -> Result<Option<(Host, Option<u64>)>, Stop> {
    let port = row.count(Field::RespP);
    let Some(text) = row.text(Field::Host) else {
        return Ok(server.map(|server| (Host::from(server), port)));
    };
    let bad = |detail: String| Stop::Bad("url", detail);
    if let Ok(host) = Host::parse(&text) {
        return Ok(Some((host, port)));
    }
    let (name, own_port) = text.rsplit_once(':').ok_or_else(|| bad(format!("{text:?} is no host")))?;
    let own_port = match own_port {
        "" => None,
        digits => Some(u64::from(digits.parse::<u16>().map_err(|_| bad(format!("{text:?} has no port")))?)),
    };
    let host = Host::parse(name).map_err(|error| bad(error.to_string()))?;
    Ok(Some((host, own_port)))
}

fn request(row: &Row<'_>, host: Option<&(Host, Option<u64>)>) -> Result<Option<Request>, Stop> {
    let Some(uri) = row.text(Field::Uri) else { return Ok(None) };
    if &*uri == "*" || row.word(Field::Method) == Some("CONNECT") {
        return Ok(None);
    }
    if has_web_scheme(&uri) {
        let url = Url::parse(&uri).map_err(|error| Stop::Bad("url", error.to_string()))?;
        return Ok(Some(Request { url, proxied: true }));
    }
    let Some((host, port)) = host else { return Ok(None) };
    if !uri.starts_with('/') {
        return Err(Stop::Bad("url", format!("{uri:?} does not begin with a slash")));
    }
    let authority = match port {
        None | Some(80) => host.to_key(),
        Some(port) => format!("{}:{port}", host.to_key()),
    };
    let url = Url::parse(&format!("http://{authority}{uri}"))
        .map_err(|error| Stop::Bad("url", error.to_string()))?;
    Ok(Some(Request { url, proxied: false }))
}

fn has_web_scheme(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

//------------ files ---------------------------------------------------------

/// Yields a file's traits and, where a server sent it, the download. A file without a hash yields nothing; what TLS sent
/// is a certificate, whose digest is kept for `ssl` and `x509`.
pub(super) fn files(
    batch: &mut Batch,
    row: &Row<'_>,
    seen: Seen,
    line: u64,
    out: &mut Emit<'_>,
) -> Result<(), Stop> {
    let file = hashes(row)?;
    let Some(best) = file.best() else { return Ok(()) };
    let fuid = row.text(Field::Fuid);
    let source = row.text(Field::Source);
    if source.as_deref() == Some("SSL") {
        let digest = file.sha256.map(FileHash::Sha256).or(file.sha1.map(FileHash::Sha1)).unwrap_or(best);
        if let Some(fuid) = fuid {
            let digest = digest.to_string().to_ascii_lowercase();
            batch.certificates.learn(&fuid, digest.clone(), digest.len(), out)?;
        }
        return Ok(());
    }
    let verdict = FileVerdict {
        file,
        size: row.count(Field::SeenBytes).or(row.count(Field::TotalBytes)),
        file_type: row.string(Field::MimeType),
        names: row.string(Field::Filename).into_iter().collect(),
        observed: Some(seen.last),
        ..FileVerdict::default()
    };
    if batch.once.first((&verdict.file, verdict.size, &verdict.file_type, &verdict.names, seen.last.day())) {
        out.fact(line, Fact::FileVerdict(verdict))?;
    }
    if row.flag(Field::IsOrig) {
        return Ok(()); // The client sent it.
    }
    let address = match row.list(Field::TxHosts).next() {
        Some(sender) => sender.parse().ok(),
        None => row.address(Field::RespH)?,
    };
    let download = Fact::Download(Download { file, url: None, address, seen });
    match fuid {
        Some(fuid) if source.is_none_or(|source| &*source == "HTTP") => {
            Ok(batch.files.complete(&fuid, line, download, 0, out)?)
        }
        _ if has_source(&download) => Ok(out.fact(line, download)?),
        _ => Ok(()),
    }
}

/// Gives a download the URL that its file came from.
pub(super) fn set_url(fact: &mut Fact, url: &Url) {
    if let Fact::Download(download) = fact {
        download.url = Some(url.clone());
    }
}

/// Whether a download says where from.
pub(super) fn has_source(fact: &Fact) -> bool {
    matches!(fact, Fact::Download(download) if download.url.is_some() || download.address.is_some())
}

fn hashes(row: &Row<'_>) -> Result<FileHashes, Stop> {
    let mut hashes = FileHashes::default();
    for field in [Field::Md5, Field::Sha1, Field::Sha256] {
        if let Some(text) = row.text(field) {
            hashes.set(FileHash::parse(&text).map_err(|error| Stop::Bad("hash", error.to_string()))?);
        }
    }
    Ok(hashes)
}
