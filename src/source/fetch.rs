//! Fetching over HTTP: conditional, bounded, patient, and never into the own network unless that is allowed.
//!
//! A server is asked at most `TRIES` times where it fails for now (5xx, 429, a broken connection), each time
//! after a longer pause with jitter. Redirects are followed `REDIRECTS_MAX` times; credentials go to the host that
//! they were meant for and to no other. Conditional requests are those of RFC 9110 section 13.

use std::cell::Cell;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ureq::config::Config;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

use self::access::{Guard, PRIVATE, roots, secret};
use self::failure::{Failure, failed, host, refused, wrong};
use super::Source;
use crate::indicator::is_reserved;

mod access;
mod failure;

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
/// The longest pause within a fetch; a server that asks for a longer one is left alone until then.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The longest pause that a server can ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);
/// How long a server may take to accept a connection, and to say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest line of headers.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// By what a server tells whether something changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[error("{text}")]
pub struct FetchError {
    /// For a person.
    pub text: String,
    /// The status, where the server answered.
    pub status: Option<StatusCode>,
    /// How long the server asks to be left alone; at most [`RETRY_AFTER_MAX`].
    pub retry_after: Option<Duration>,
}

impl From<String> for FetchError {
    fn from(text: String) -> FetchError {
        FetchError { text, status: None, retry_after: None }
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
    /// All that may be fetched, and what was.
    bytes_max: u64,
    bytes: Cell<u64>,
    /// The most of one answer.
    answer_bytes_max: u64,
    tries: u32,
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
                FetchError::from(format!("the proxy {text:?}: {error}; write it as http://host:port"))
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
            bytes: Cell::new(0),
            answer_bytes_max: u64::MAX,
            tries: TRIES,
            deadline: Instant::now() + time,
        })
    }

    /// With a limit on each answer beside that on all.
    pub fn with_answer_bytes_max(self, answer_bytes_max: u64) -> Client {
        Client { answer_bytes_max, ..self }
    }

    /// That asks once: whoever calls it knows better when to ask again.
    pub fn asking_once(self) -> Client {
        Client { tries: 1, ..self }
    }

    /// Counts bytes that are here already towards the limit on all.
    pub fn count(&self, bytes: u64) {
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// The time that is left of what the source is given.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
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
            let (error, may_pass) = match self.once(address, accept, known, into, progress) {
                Ok(fetched) => return Ok(fetched),
                Err(Failure::Final(error)) => (error, false),
                Err(Failure::ForNow(error)) => (error, true),
            };
            // What a server asks for is the least.
            let wait = error.retry_after.unwrap_or(pause / 2).mul_f64(0.5 + jitter());
            let wait = wait.max(error.retry_after.unwrap_or_default());
            if !may_pass || tried >= self.tries || wait > PAUSE_MAX || wait >= self.time_left() {
                let tries = if tried > 1 { format!(" (tried {tried} times)") } else { String::new() };
                return Err(FetchError { text: self.without_key(error.text) + &tries, ..error });
            }
            tracing::info!(error = self.without_key(error.text), tried, "asking again");
            std::thread::sleep(wait);
            pause *= 4;
        }
        unreachable!("the loop ends by returning")
    }

    /// A text without the secret: a server may send it back in a redirect.
    fn without_key(&self, text: String) -> String {
        match &self.key {
            Some(key) => text.replace(key.as_str(), "{key}"),
            None => text,
        }
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
        Err(Failure::Final(FetchError::from(format!(
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
        let request = request.config().timeout_global(Some(self.time_left())).build();
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
        let left = self.bytes_max.saturating_sub(self.bytes.get());
        let too_large = || match self.answer_bytes_max < left {
            true => {
                let mib = self.answer_bytes_max >> 20;
                wrong(format!("{} sends more than {mib} MiB in one answer, which is not read", host(uri)))
            }
            false => {
                let mib = self.bytes_max >> 20;
                let raise = "raise size_mb of the source if that is right";
                wrong(format!("{} sends more than {mib} MiB: {raise}", host(uri)))
            }
        };
        let bytes_max = left.min(self.answer_bytes_max);
        if total.is_some_and(|total| total > bytes_max) {
            return Err(too_large());
        }
        let mut reader = body.into_with_config().limit(u64::MAX).reader();
        let written =
            |error: io::Error| Failure::Final(FetchError::from(format!("{}: {error}", into.display())));
        let mut file = File::create(into).map_err(written)?;
        let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let text = format!("{} stopped sending after {bytes} bytes: {error}", host(uri));
                    return Err(Failure::ForNow(text.into()));
                }
            };
            bytes += count as u64;
            if bytes > bytes_max {
                return Err(too_large());
            }
            file.write_all(&buffer[..count]).map_err(written)?;
            progress(bytes, total);
        }
        if let Some(total) = total.filter(|total| *total != bytes) {
            let text = format!("{} sent {bytes} of {total} bytes", host(uri));
            return Err(Failure::ForNow(text.into()));
        }
        self.count(bytes);
        Ok(Fetched::New(Box::new(parts.headers)))
    }

    fn uri(&self, address: &str) -> Result<Uri, Failure> {
        let filled = match (&self.key, address.contains("{key}")) {
            (Some(key), true) => address.replace("{key}", key),
            (None, true) => {
                let text =
                    format!("{address} needs a key: give the source credentials with a file or an env");
                return Err(wrong(text));
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
        } else if to.is_empty() {
            return Err(bad());
        } else {
            // A path, or one beside what was asked for (RFC 3986 section 5.2).
            let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            let folder = if to.starts_with('/') { "" } else { &format!("{folder}/") };
            format!("{}://{}{folder}{to}", from.scheme_str().unwrap_or("https"), host(from))
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

/// 0.5 to 1.5: many who failed at one moment do not come back at one moment.
pub(super) fn jitter() -> f64 {
    0.5 + (RandomState::new().hash_one("jitter") >> 11) as f64 / (1_u64 << 53) as f64
}

/// The validators of an answer.
pub fn validators(headers: &HeaderMap) -> Validators {
    Validators::of(headers)
}
