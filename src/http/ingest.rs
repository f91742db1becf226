//! `POST /api/v1/ingest?source=NAME[&format=…]`: a body of facts or of any format, as one batch.
//!
//! All of a body or nothing: it is read as it comes, in bounded memory, and published when it has come whole. What
//! would overload the service is answered 429 before the body is read. With an `Idempotency-Key` a body is known by
//! that key, however often it is sent: the key is the batch's identity and lives as long as the batch.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::ToSchema;

use super::Service;
use super::api::parameter;
use super::error::Problem;
use super::gate::Object;
use super::people::{json_response, needed, unavailable, wrong};
use crate::config::{Config, Telemetry};
use crate::import::{self, ImportError, Options, format_by_name, source_name};
use crate::source::{Registry, Source};
use crate::store::{Batch, Identity};

/// Live runs of a store above which it is told to be left alone until they are joined.
const RUNS_MAX: usize = 1024;

/// Seconds after which to come again: others are at work; and: there is no room.
const AGAIN_SOON_S: u32 = 5;
const AGAIN_LATER_S: u32 = 60;

/// The longest `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 255;

/// Parts of a body that wait for the import.
const PARTS: usize = 8;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Encodings of a body with the bytes that it then begins with.
const ENCODINGS: [(&str, &[u8]); 4] = [
    ("identity", b""),
    ("gzip", &[0x1f, 0x8b]),
    ("x-gzip", &[0x1f, 0x8b]),
    ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
];

/// What takes in bodies, and how much.
pub(super) struct Ingest {
    configured: Vec<Source>,
    telemetry: Telemetry,
    buffer_bytes: usize,
    bytes_max: u64,
    timeout: Duration,
    free_bytes: u64,
    permits: Arc<Semaphore>,
}

impl Ingest {
    /// As a configuration says.
    pub(super) fn new(config: &Config) -> Ingest {
        Ingest {
            configured: config.sources.clone(),
            telemetry: config.telemetry,
            buffer_bytes: config.import.buffer_mb << 20,
            bytes_max: config.http.ingest_mb << 20,
            timeout: Duration::from_secs(config.http.ingest_timeout_s),
            free_bytes: config.http.ingest_free_mb << 20,
            permits: Arc::new(Semaphore::new(config.http.ingests_max.min(Semaphore::MAX_PERMITS))),
        }
    }
}

/// What became of a body.
#[derive(Serialize, ToSchema)]
#[schema(as = Ingested)]
pub(super) struct Answer {
    batch: u64,
    source: String,
    format: String,
    /// Whether the content was there already, without being counted again.
    unchanged: bool,
    /// Whether a body with this key was taken in before: what is said is said of that one.
    replayed: bool,
    /// Facts that were taken in, in all and by kind.
    accepted: u64,
    facts: BTreeMap<String, u64>,
    /// Facts that were understood and are not kept, by why.
    not_kept: BTreeMap<&'static str, u64>,
    /// Rejected records by reason.
    rejected: BTreeMap<String, import::Reason>,
}

/// Takes in a body.
pub(super) async fn ingest(State(service): State<Arc<Service>>, request: Request) -> Response {
    match take(&service, request).await {
        Ok(response) => response,
        Err(Refused { problem, again_s }) => {
            let mut response = problem.into_response();
            if let Some(seconds) = again_s {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    }
}

/// Why nothing was taken in.
struct Refused {
    problem: Problem,
    again_s: Option<u32>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused { problem, again_s: None }
    }
}

/// What a request says of its body.
struct Asked {
    uri: Uri,
    options: Options,
    encoding: &'static [u8],
    key: Option<Identity>,
}

async fn take(service: &Arc<Service>, request: Request) -> Result<Response, Refused> {
    let asked = asked(service, &request)?;
    let permit = room(service, &asked.uri)?;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > service.ingest.bytes_max) {
        return Err(too_large(service, &asked.uri).into());
    }
    if length == Some(0) {
        return Err(wrong(&asked.uri, "the body is empty: send records, one a line".to_owned()).into());
    }
    let (sender, receiver) = mpsc::channel(PARTS);
    let reader = Parts { receiver, part: Bytes::new(), has_ended: false, begins: asked.encoding };
    let (uri, blocking) = (asked.uri.clone(), service.clone());
    let work = tokio::task::spawn_blocking(move || work(&blocking, asked, reader, permit));
    let sent = send(service, &uri, request.into_body(), sender).await;
    let done = work.await.map_err(|error| {
        tracing::error!(%error, "taking in a body panicked");
        unavailable(&uri, "it failed inside the service: its log says more")
    })?;
    // What was wrong with the sending explains what then was wrong with the content.
    sent?;
    Ok(done?)
}

/// Reads what is asked, but for the body.
fn asked(service: &Service, request: &Request) -> Result<Asked, Problem> {
    let uri = request.uri().clone();
    let source = needed(&uri, "source")?;
    source_name(&source).map_err(|problem| wrong(&uri, format!("source: {problem}")))?;
    let registry = Registry::read(&service.ingest.configured, service.store.folder())
        .map_err(|problem| unavailable(&uri, problem))?;
    let own = registry.find(&source).and_then(|source| source.format.clone());
    let format =
        parameter(uri.query().unwrap_or(""), "format").or(own).unwrap_or_else(|| "native".to_owned());
    format_by_name(&format).map_err(|problem| wrong(&uri, problem))?;
    let encoding = encoding(&uri, request.headers())?;
    let key = key(&uri, request.headers())?;
    let options = Options {
        source: Some(source),
        format: Some(format),
        telemetry: service.ingest.telemetry,
        identity: key.clone(),
        bytes_max: service.ingest.bytes_max,
        buffer_bytes: service.ingest.buffer_bytes,
        sources: registry.iter().cloned().collect(),
        ..Options::new(service.clock.now())
    };
    Ok(Asked { uri, options, encoding, key })
}

fn encoding(uri: &Uri, headers: &HeaderMap) -> Result<&'static [u8], Problem> {
    let Some(named) = headers.get(CONTENT_ENCODING) else { return Ok(b"") };
    let named = named.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    let found = ENCODINGS.iter().find(|(name, _)| *name == named);
    found.map(|(_, begins)| *begins).ok_or_else(|| {
        let detail = format!("the content-encoding is {named:?}: use gzip, zstd or none");
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, uri, detail)
    })
}

fn key(uri: &Uri, headers: &HeaderMap) -> Result<Option<Identity>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let is_sound = (1..=KEY_BYTES_MAX).contains(&value.len()) && value.to_str().is_ok();
    if !is_sound || headers.get_all(IDEMPOTENCY_KEY).iter().count() > 1 {
        return Err(wrong(
            uri,
            format!("idempotency-key: use one, of 1 to {KEY_BYTES_MAX} plain characters"),
        ));
    }
    Ok(Some(Identity::Key(format!("{:x}", Sha256::digest(value.as_bytes())))))
}

/// A place among those that are taken in, where there is room.
fn room(service: &Service, uri: &Uri) -> Result<OwnedSemaphorePermit, Refused> {
    let full = |detail: String, again_s| {
        Err(Refused {
            problem: Problem::new(StatusCode::TOO_MANY_REQUESTS, uri, detail),
            again_s: Some(again_s),
        })
    };
    let Ok(permit) = service.ingest.permits.clone().try_acquire_owned() else {
        return full("others are taken in just now: send it again in a few seconds".to_owned(), AGAIN_SOON_S);
    };
    let snapshot = service.store.snapshot().map_err(|error| unavailable(uri, error.to_string()))?;
    let runs = snapshot.runs().len();
    if runs > RUNS_MAX {
        let detail = format!(
            "the store has {runs} runs, more than {RUNS_MAX}, and must join them first: send more at a time"
        );
        return full(detail, AGAIN_LATER_S);
    }
    let free = rustix::fs::statvfs(service.store.folder())
        .map_err(|error| unavailable(uri, format!("the disk of the store cannot be asked: {error}")))?;
    if free.f_bavail.saturating_mul(free.f_frsize) < service.ingest.free_bytes {
        let least = service.ingest.free_bytes >> 20;
        return full(
            format!("the disk of the store has less than {least} MiB left: free space"),
            AGAIN_LATER_S,
        );
    }
    Ok(permit)
}

fn too_large(service: &Service, uri: &Uri) -> Problem {
    let most = service.ingest.bytes_max >> 20;
    let detail = format!("the body is more than {most} MiB: send it in parts, each with whole lines");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, uri, detail)
}

/// Passes a body on as it comes.
async fn send(
    service: &Service,
    uri: &Uri,
    mut body: Body,
    sender: mpsc::Sender<Option<Bytes>>,
) -> Result<(), Problem> {
    let until = Instant::now() + service.ingest.timeout;
    let slow = |what: &str, after: Duration| {
        let detail = format!("{what} for more than {} s: nothing was taken in", after.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, uri, detail)
    };
    let mut bytes = 0;
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = match timeout_at(until, timeout(service.timeout, frame)).await {
            Err(_) => return Err(slow("the body came", service.ingest.timeout)),
            Ok(Err(_)) => return Err(slow("nothing of the body came", service.timeout)),
            Ok(Ok(frame)) => frame,
        };
        let part = match frame {
            None => None,
            Some(Err(error)) => {
                return Err(wrong(
                    uri,
                    format!("the body ended early ({error}): nothing was taken in, send it again"),
                ));
            }
            // What is no data are trailers.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Some(data),
                Err(_) => continue,
            },
        };
        bytes += part.as_ref().map_or(0, |part| part.len() as u64);
        if bytes > service.ingest.bytes_max {
            return Err(too_large(service, uri));
        }
        let is_last = part.is_none();
        // Who reads may have seen enough to say why not.
        if sender.send(part).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// Reads what is passed on. That it ends before its end was said is an error: nothing is imported.
struct Parts {
    receiver: mpsc::Receiver<Option<Bytes>>,
    part: Bytes,
    has_ended: bool,
    /// What the first bytes must be.
    begins: &'static [u8],
}

impl Read for Parts {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() && !self.has_ended {
            match self.receiver.blocking_recv() {
                Some(Some(part)) => self.part = part,
                Some(None) => self.has_ended = true,
                None => return Err(io::Error::other("the body ended early")),
            }
        }
        let count = self.part.len().min(into.len());
        into[..count].copy_from_slice(&self.part.split_to(count));
        let checked = count.min(self.begins.len());
        if into[..checked] != self.begins[..checked] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not of its content-encoding"));
        }
        self.begins = &self.begins[checked..];
        Ok(count)
    }
}

/// Imports a body, or says what became of it before.
fn work(
    service: &Service,
    asked: Asked,
    reader: Parts,
    permit: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let _permit = permit;
    let Asked { uri, options, key, .. } = asked;
    let name = "the body";
    if let Some(first) = key.as_ref().and_then(|key| known(service, &options, key).transpose()) {
        let first = first.map_err(|error| unavailable(&uri, error.to_string()))?;
        let digest = import::content_digest(name, Box::new(reader), options.bytes_max);
        let digest = digest.map_err(|error| problem(service, &uri, error))?;
        if digest != first.digest {
            let detail = "this idempotency-key came with another body before: take a new key for each body";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &uri, detail));
        }
        return Ok(replayed(first));
    }
    let summary = import::import_stream(&service.store, &options, name, Box::new(reader), &mut |_| {});
    let summary = summary.map_err(|error| problem(service, &uri, error))?;
    if let Some(key) = key.filter(|_| summary.unchanged)
        && let Ok(Some(first)) = known(service, &options, &key)
    {
        // Somebody with the same key was quicker.
        return Ok(replayed(first));
    }
    let (source, batch, unchanged) = (&summary.source, summary.batch, summary.unchanged);
    let accepted: u64 = summary.facts.values().sum();
    tracing::info!(source, batch, unchanged, accepted, "taken in");
    let status = if unchanged { StatusCode::OK } else { StatusCode::CREATED };
    let rejected = summary.rejected.into_iter().map(|(reason, records)| (reason.to_owned(), records));
    let answer = Answer {
        batch,
        source: summary.source,
        format: summary.format.to_owned(),
        unchanged,
        replayed: false,
        accepted,
        facts: summary.facts,
        not_kept: summary.not_kept,
        rejected: rejected.collect(),
    };
    let about = Object(format!("batch {} of {}", answer.batch, answer.source));
    Ok((Extension(about), json_response(status, &answer)).into_response())
}

/// The batch that came with a key from a source.
fn known(
    service: &Service,
    options: &Options,
    key: &Identity,
) -> Result<Option<Batch>, crate::store::StoreError> {
    service.store.refresh();
    let snapshot = service.store.snapshot()?;
    let mut batches = snapshot.batches().into_iter();
    let is_it = |batch: &&Batch| {
        Some(&batch.source) == options.source.as_ref() && batch.identity.as_ref() == Some(key)
    };
    Ok(batches.find(is_it).cloned())
}

fn replayed(first: Batch) -> Response {
    let reasons = first.reasons.into_iter();
    let answer = Answer {
        batch: first.seq,
        source: first.source,
        format: first.format,
        unchanged: true,
        replayed: true,
        accepted: first.facts.values().sum(),
        facts: first.facts,
        not_kept: BTreeMap::new(),
        rejected: reasons
            .map(|(name, count)| (name, import::Reason { count, examples: Vec::new() }))
            .collect(),
    };
    let mut response = json_response(StatusCode::OK, &answer);
    response.extensions_mut().insert(Object(format!("batch {} of {}", answer.batch, answer.source)));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn problem(service: &Service, uri: &Uri, error: ImportError) -> Problem {
    match error {
        ImportError::Usage(detail) => wrong(uri, detail),
        ImportError::TooLarge(_) => too_large(service, uri),
        ImportError::Input(_) => wrong(uri, error.to_string()),
        ImportError::Held { .. } => Problem::new(StatusCode::CONFLICT, uri, error.to_string()),
        ImportError::Write(_) | ImportError::Store(_) => {
            tracing::error!(%error, "a body cannot be taken in");
            unavailable(uri, error.to_string())
        }
    }
}
