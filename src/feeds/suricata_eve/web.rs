//! `http` and `fileinfo`: what was requested and what was downloaded.

use super::event::{FileInfo, Http, port};
use super::{At, Batch, Stop, bad};
use crate::fact::{Download, Fact, FileVerdict, WebRequest};
use crate::feeds::Emit;
use crate::feeds::entry::shown;
use crate::indicator::{FileHash, FileHashes, Host, Url};

/// What was asked of a server.
struct Request {
    host: Host,
    url: Option<Url>,
    /// Whether it was asked of a proxy.
    proxied: bool,
}

/// Yields the request and who made it; of one without a URL (CONNECT, `OPTIONS *`, an answer alone) only who talked to
/// what.
pub(super) fn http(_: &mut Batch, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
    let Some(http) = at.event.http.first() else {
        return Err(Stop::Bad("fields", "there is no http in it".to_owned()));
    };
    let (client, server) = (at.address("src_ip")?, at.address("dest_ip")?);
    let Request { host, url, proxied } = request(http, Host::from(server), at.event.dest_port())?;
    at.contact(client, host.into(), out)?;
    let Some(url) = url else { return Ok(()) };
    let referrer = http.http_refer.get().filter(|text| has_web_scheme(text));
    let referrer = referrer.and_then(|text| Url::parse(text).ok());
    let address = (!proxied).then_some(server);
    at.fact(Fact::WebRequest(WebRequest { url, address, referrer, seen: at.seen }), out)
}

/// The host and the URL that were asked for; the server stands in where no host is given.
fn request(http: &Http, server: Host, server_port: Option<u16>) -> Result<Request, Stop> {
    let path = http.url.get().unwrap_or_default();
    let method = http.http_method.get();
    if has_web_scheme(path) {
        let url = Url::parse(path).map_err(bad("url"))?;
        return Ok(Request { host: url.host(), url: Some(url), proxied: true });
    }
    let host = match http.hostname.get() {
        Some(name) => Host::parse(name).map_err(bad("url"))?,
        None => server,
    };
    if path.is_empty() || path == "*" || method == Some("CONNECT") || path.starts_with("/libhtp::") {
        return Ok(Request { host, url: None, proxied: false });
    }
    if !path.starts_with('/') {
        return Err(Stop::Bad("url", format!("{} does not begin with a slash", shown(path))));
    }
    let authority = match port(&http.http_port).or(server_port) {
        None | Some(80) => host.to_key(),
        Some(port) => format!("{}:{port}", host.to_key()),
    };
    let url = Url::parse(&format!("http://{authority}{path}")).map_err(bad("url"))?;
    Ok(Request { host, url: Some(url), proxied: false })
}

fn has_web_scheme(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Yields a file's traits and, where a server sent it, the download. A file without a hash yields nothing.
pub(super) fn fileinfo(batch: &mut Batch, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
    let Some(info) = at.event.fileinfo.first() else {
        return Err(Stop::Bad("fields", "there is no fileinfo in it".to_owned()));
    };
    let file = hashes(info)?;
    if file.is_empty() {
        return Ok(());
    }
    if info.gaps.is_true() || info.state.get().is_some_and(|state| state != "CLOSED") {
        let detail = "the file was not seen whole: its hashes are not those of the file".to_owned();
        return Err(Stop::Bad("file", detail));
    }
    // The name of what came by HTTP is its path.
    let name = info.filename.get().map(|name| name.rsplit('/').next().unwrap_or(name));
    let verdict = FileVerdict {
        file,
        size: info.size.get().and_then(|size| size.parse().ok()),
        file_type: info.magic.get().map(str::to_owned),
        names: name.filter(|name| !name.is_empty()).map(str::to_owned).into_iter().collect(),
        observed: Some(at.seen.last),
        ..FileVerdict::default()
    };
    let traits = (file, verdict.size, &verdict.file_type, &verdict.names, at.seen.last.day());
    if batch.once.first(traits) {
        at.fact(Fact::FileVerdict(verdict), out)?;
    }
    if !at.event.is_from_server() {
        return Ok(()); // The client sent it.
    }
    let server = at.address("src_ip")?;
    let request = at.event.http.first().map(|http| request(http, Host::from(server), at.event.src_port()));
    let request = request.transpose()?;
    let address = (!request.as_ref().is_some_and(|request| request.proxied)).then_some(server);
    let url = request.and_then(|request| request.url);
    at.fact(Fact::Download(Download { file, url, address, seen: at.seen }), out)
}

fn hashes(info: &FileInfo) -> Result<FileHashes, Stop> {
    let mut hashes = FileHashes::default();
    for text in [&info.md5, &info.sha1, &info.sha256].into_iter().filter_map(|text| text.get()) {
        hashes.set(FileHash::parse(text).map_err(bad("hash"))?);
    }
    Ok(hashes)
}
