//! Fetching over HTTP: conditional, bounded, patient, and never into the own network unless that is allowed.
//!
//! A server is asked at most [`TRIES`] times where it fails for now (5xx, 429, a broken connection), each time
//! after a longer pause with jitter. Redirects are followed [`REDIRECTS_MAX`] times; credentials go to the host that
//! they were meant for and to no other. Conditional requests are those of RFC 9110 section 13.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use ureq::config::Config;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Proxy};

use super::Source;
use crate::indicator::is_reserved;

/// The most seconds of one fetch, all tries included, unless the source says otherwise.
pub const TIMEOUT_S: u64 = 900;
/// The most MiB of one fetch, as sent, unless the source says otherwise.
pub const SIZE_MB: u64 = 2048;
/// How often a server is asked.
const TRIES: u32 = 3;
/// The most redirects.
const REDIRECTS_MAX: usize = 5;
/// The pause before the second try; each further one is four times as long.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that a server can ask for.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a server may take to accept a connection, and to say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest line of headers.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// By what a server tells whether something changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// Its `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Validators {
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| value.len() <= 1000).map(str::to_owned)
        };
        Validators { etag: text("etag"), last_modified: text("last-modified") }
    }
}

/// Why nothing was fetched. The text names the host and never a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

impl From<String> for FetchError {
    fn from(text: String) -> FetchError {
        FetchError(text)
    }
}

/// What a server answered.
pub enum Fetched {
    /// Nothing changed since the validators.
    NotModified,
    /// The content was written to the file; with the headers of the answer.
    New(Box<HeaderMap>),
}

/// Asks the server of one source.
pub struct Client {
    agent: Agent,
    /// What proves who asks: a header and its value, for requests to `host`.
    secret: Option<(String, String)>,
    /// Takes the place of `{key}`.
    key: Option<String>,
    allow_private: bool,
    bytes_max: u64,
    deadline: Instant,
}

impl Client {
    /// A client with what a source says of proxy, certificates, limits and credentials. The time that the source is
    /// given begins now.
    ///
    /// # Errors
    ///
    /// A secret, a certificate or a proxy that cannot be read.
    pub fn new(source: &Source) -> Result<Client, FetchError> {
        let proxy = match &source.proxy {
            Some(text) => Some(Proxy::new(text).map_err(|error| {
                FetchError(format!("the proxy {text:?}: {error}; write it as http://host:port"))
            })?),
            None => None,
        };
        let proxy_host = proxy.as_ref().map(|proxy| proxy.host().to_owned());
        let time = Duration::from_secs(source.timeout_s.unwrap_or(TIMEOUT_S));
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(concat!("zonelens/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEADER_BYTES_MAX)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_global(Some(time))
            .tls_config(TlsConfig::builder().root_certs(roots(source)?).build())
            .build();
        let guard =
            Guard { allow_private: source.allow_private, proxy_host, inner: DefaultResolver::default() };
        let (secret, key) = secret(source)?;
        Ok(Client {
            agent: Agent::with_parts(config, DefaultConnector::default(), guard),
            secret,
            key,
            allow_private: source.allow_private,
            bytes_max: source.size_mb.unwrap_or(SIZE_MB) << 20,
            deadline: Instant::now() + time,
        })
    }

    /// Fetches an address into a file, unless nothing changed since `known`. `accept` is the media type wanted.
    /// `progress` gets the bytes so far and of how many.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; the file may then have a part of the content.
    pub fn get(
        &self,
        address: &str,
        accept: Option<&str>,
        known: &Validators,
        into: &Path,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Fetched, FetchError> {
        let mut pause = PAUSE;
        for tried in 1.. {
            let (error, wait) = match self.once(address, accept, known, into, progress) {
                Ok(fetched) => return Ok(fetched),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::ForNow(error, wait)) => (error, wait),
            };
            let wait = wait.unwrap_or(pause).min(PAUSE_MAX).mul_f64(jitter());
            if tried >= TRIES || Instant::now() + wait >= self.deadline {
                return Err(FetchError(format!("{error} (tried {tried} times)")));
            }
            tracing::info!(%error, tried, "asking again");
            std::thread::sleep(wait);
            pause *= 4;
        }
        unreachable!("the loop ends by returning")
    }

    fn once(
        &self,
        address: &str,
        accept: Option<&str>,
        known: &Validators,
        into: &Path,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Fetched, Failure> {
        let first = self.uri(address)?;
        let mut uri = first.clone();
        for _ in 0..=REDIRECTS_MAX {
            let is_own = uri.authority() == first.authority() && uri.scheme() == first.scheme();
            let response = self.ask(&uri, accept, known, is_own)?;
            let status = response.status();
            if status == StatusCode::NOT_MODIFIED {
                return Ok(Fetched::NotModified);
            }
            if status.is_redirection() {
                uri = self.target(&uri, &response)?;
                continue;
            }
            return self.taken(&uri, response, into, progress);
        }
        Err(Failure::Final(FetchError(format!(
            "{} redirects more than {REDIRECTS_MAX} times: name the address that it leads to",
            host(&first)
        ))))
    }

    /// One request.
    fn ask(
        &self,
        uri: &Uri,
        accept: Option<&str>,
        known: &Validators,
        is_own: bool,
    ) -> Result<Response<Body>, Failure> {
        let mut request = self.agent.get(uri).header("accept", accept.unwrap_or("*/*"));
        // What is stored compressed is digested decompressed; what is sent compressed would be counted twice.
        request = request.header("accept-encoding", "identity");
        if let Some((name, value)) = self.secret.as_ref().filter(|_| is_own) {
            request = request.header(name, value);
        }
        let conditions = [("if-none-match", &known.etag), ("if-modified-since", &known.last_modified)];
        for (name, value) in conditions.into_iter().filter(|_| is_own) {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let request = request.config().timeout_global(Some(left)).build();
        request.call().map_err(|error| failed(uri, &error))
    }

    /// Writes the body of an answer.
    fn taken(
        &self,
        uri: &Uri,
        response: Response<Body>,
        into: &Path,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Fetched, Failure> {
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(refused(uri, parts.status, &parts.headers));
        }
        let total = body.content_length();
        let too_large = || {
            let mib = self.bytes_max >> 20;
            Failure::Final(FetchError(format!(
                "{} sends more than {mib} MiB: raise size_mb of the source if that is right",
                host(uri)
            )))
        };
        if total.is_some_and(|total| total > self.bytes_max) {
            return Err(too_large());
        }
        let mut reader = body.into_with_config().limit(u64::MAX).reader();
        let written = |error: io::Error| Failure::Final(FetchError(format!("{}: {error}", into.display())));
        let mut file = File::create(into).map_err(written)?;
        let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let text = format!("{} stopped sending after {bytes} bytes: {error}", host(uri));
                    return Err(Failure::ForNow(FetchError(text), None));
                }
            };
            bytes += count as u64;
            if bytes > self.bytes_max {
                return Err(too_large());
            }
            file.write_all(&buffer[..count]).map_err(written)?;
            progress(bytes, total);
        }
        if let Some(total) = total.filter(|total| *total != bytes) {
            let text = format!("{} sent {bytes} of {total} bytes", host(uri));
            return Err(Failure::ForNow(FetchError(text), None));
        }
        Ok(Fetched::New(Box::new(parts.headers)))
    }

    fn uri(&self, address: &str) -> Result<Uri, Failure> {
        let filled = match (&self.key, address.contains("{key}")) {
            (Some(key), true) => address.replace("{key}", key),
            (None, true) => {
                let text =
                    format!("{address} needs a key: give the source credentials with a file or an env");
                return Err(Failure::Final(FetchError(text)));
            }
            (_, false) => address.to_owned(),
        };
        let uri: Uri = filled.parse().map_err(|_| wrong(format!("{address} is no web address")))?;
        self.allowed(&uri)?;
        Ok(uri)
    }

    /// Where a redirect leads.
    fn target(&self, from: &Uri, response: &Response<Body>) -> Result<Uri, Failure> {
        let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
        let bad = || wrong(format!("{} redirects to {to:?}, which is no web address", host(from)));
        let absolute = if to.contains("://") {
            to.to_owned()
        } else if to.starts_with("//") {
            format!("{}:{to}", from.scheme_str().unwrap_or("https"))
        } else if to.starts_with('/') {
            format!("{}://{}{to}", from.scheme_str().unwrap_or("https"), host(from))
        } else {
            return Err(bad());
        };
        let uri: Uri = absolute.parse().map_err(|_| bad())?;
        let is_weaker = from.scheme_str() == Some("https") && uri.scheme_str() != Some("https");
        if is_weaker || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad());
        }
        self.allowed(&uri)?;
        Ok(uri)
    }

    /// Whether an address that stands in an URI is one to ask: a name is judged when it is resolved.
    fn allowed(&self, uri: &Uri) -> Result<(), Failure> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allow_private && is_reserved(address) => {
                Err(wrong(format!("{address} is {PRIVATE}")))
            }
            _ => Ok(()),
        }
    }
}

/// Why an address is not asked.
const PRIVATE: &str =
    "a loopback, private, link-local or reserved address: set allow_private of the source if it is meant";

/// Whether to ask again.
enum Failure {
    /// No.
    Final(FetchError),
    /// Yes, after the time that the server names.
    ForNow(FetchError, Option<Duration>),
}

fn wrong(text: String) -> Failure {
    Failure::Final(FetchError(text))
}

fn host(uri: &Uri) -> &str {
    uri.authority().map_or("the server", |authority| authority.as_str())
}

/// A status other than 200.
fn refused(uri: &Uri, status: StatusCode, headers: &HeaderMap) -> Failure {
    let advice = match status.as_u16() {
        401 | 403 => ": check the credentials of the source",
        404 | 410 => ": check its location",
        _ => "",
    };
    let error = FetchError(format!("{} answers {status}{advice}", host(uri)));
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        return Failure::ForNow(error, seconds.map(Duration::from_secs));
    }
    Failure::Final(error)
}

fn failed(uri: &Uri, error: &ureq::Error) -> Failure {
    let text = FetchError(format!("{} cannot be asked: {error}", host(uri)));
    match error {
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::PermissionDenied => Failure::Final(text),
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => Failure::ForNow(text, None),
        _ => Failure::Final(text),
    }
}

/// 0.5 to 1.5: many who failed at one moment do not come back at one moment.
pub(super) fn jitter() -> f64 {
    0.5 + (RandomState::new().hash_one("jitter") >> 11) as f64 / (1_u64 << 53) as f64
}

/// The certificates that servers are checked against.
fn roots(source: &Source) -> Result<RootCerts, FetchError> {
    let Some(path) = &source.ca_file else { return Ok(RootCerts::WebPki) };
    let wrong = |problem: &dyn std::fmt::Display| {
        FetchError(format!("{}: {problem}; ca_file names a PEM file with certificates", path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong(&"it has no certificate"));
    }
    Ok(RootCerts::Specific(certificates.into()))
}

/// The header with the secret, or the secret that takes the place of `{key}`.
type Secret = (Option<(String, String)>, Option<String>);

fn secret(source: &Source) -> Result<Secret, FetchError> {
    let Some(credentials) = &source.credentials else { return Ok((None, None)) };
    let secret = credentials.secret().map_err(FetchError)?;
    if source.location.as_ref().is_some_and(|location| location.to_string().contains("{key}")) {
        return Ok((None, Some(secret)));
    }
    let header = match (&credentials.user, &credentials.header) {
        (Some(user), _) => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
            ("authorization".to_owned(), format!("Basic {pair}"))
        }
        (None, Some(name)) => (name.clone(), secret),
        (None, None) => ("authorization".to_owned(), format!("Bearer {secret}")),
    };
    Ok((Some(header), None))
}

//------------ Guard ---------------------------------------------------------

/// Resolves names, and refuses those that lead into the own network: whoever owns a name in a feed's address could
/// point it at a machine behind the firewall. What was resolved is what is connected to.
#[derive(Debug)]
struct Guard {
    allow_private: bool,
    proxy_host: Option<String>,
    inner: DefaultResolver,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let resolved = self.inner.resolve(uri, config, timeout)?;
        if self.allow_private || self.proxy_host.as_deref() == uri.host() {
            return Ok(resolved);
        }
        let mut allowed = self.empty();
        for address in resolved.iter().filter(|address| !is_reserved(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let text = format!("{} leads to {PRIVATE}", uri.host().unwrap_or("it"));
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
        }
        Ok(allowed)
    }
}

/// The validators of an answer.
pub fn validators(headers: &HeaderMap) -> Validators {
    Validators::of(headers)
}
