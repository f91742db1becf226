//! The HTTP service: plain lookups behind a few routes. Async ends here: a lookup is one blocking call.
//!
//! Every error is a problem document (RFC 9457). There are no users yet: whoever reaches the port can look
//! up, what people say is taken in on loopback only, and the count of lookups a day is kept in memory only, so it begins anew with the process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http::Method};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Notify};

use crate::clock::Clock;
use crate::config::Http;
use crate::store::Store;
use crate::value::Timestamp;
use crate::verdict::Policy;

// What handlers share.
mod cache;
mod connection;
mod error;

// The handlers.
mod api;
mod bulk;
mod own;
mod pdns;
mod people;
mod sources;

use cache::Cache;
use connection::Limited;
use error::Problem;

/// How long requests at work may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(15);

/// Threads a core that answer requests: a lookup that waits for the disk holds up no other.
const WORKERS_A_CORE: usize = 4;

/// What all requests share.
pub struct Service {
    store: Arc<Store>,
    policy: Policy,
    clock: Clock,
    cache: Cache,
    requests: DayRequests,
    timeout: Duration,
    /// Held by whoever scans all listings: one at a time.
    scan: Arc<tokio::sync::Mutex<()>>,
    /// Whether only this machine reaches the port.
    is_loopback: bool,
    /// Held by whoever writes.
    writing: Arc<Mutex<()>>,
}

impl Service {
    /// A service that answers from a store.
    pub fn new(store: impl Into<Arc<Store>>, policy: Policy, clock: Clock, settings: &Http) -> Service {
        Service {
            store: store.into(),
            policy,
            clock,
            cache: Cache::new(settings.cache_mb << 20),
            requests: DayRequests::default(),
            timeout: Duration::from_secs(settings.request_timeout_s),
            scan: Arc::default(),
            is_loopback: settings.listen.ip().is_loopback(),
            writing: Arc::default(),
        }
    }
}

/// All routes, grouped by who calls them.
pub fn routes(service: Arc<Service>) -> Router {
    Router::new()
        // Clients: one indicator, one report.
        .route("/api/domain/", get(api::domain))
        .route("/api/domain/{*domain}", get(api::domain))
        .route("/api/ip/", get(api::ip))
        .route("/api/ip/{*ip}", get(api::ip))
        // The service's own questions.
        .route("/api/v1/indicator", get(own::indicator_report))
        .route("/api/v1/lookup", post(bulk::lookup).layer(DefaultBodyLimit::max(bulk::BODY_BYTES_MAX)))
        .route("/api/v1/diff", get(own::diff))
        .route("/api/v1/similar", get(own::similar))
        .route("/api/v1/timeline", get(own::timeline))
        .route("/api/v1/sources/overlap", get(sources::overlap))
        // Passive DNS, as its clients ask.
        .route("/pdns/query/{*name}", get(pdns::common_output))
        .route("/dnsdb/v2/{*question}", get(pdns::dnsdb))
        // Analysts: what they say of an indicator.
        .merge(people::routes())
        // Whoever runs the process.
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(logged))
        .with_state(service)
}

/// Serves until SIGINT or SIGTERM. `ready` is called with the address once it accepts connections.
///
/// # Errors
///
/// When the address cannot be listened on.
pub fn serve(service: Arc<Service>, settings: &Http, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores * WORKERS_A_CORE)
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let listener = TcpListener::bind(settings.listen).await?;
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        ready(listener.local_addr()?);
        let stopping = Arc::new(Notify::new());
        let stop = stopping.clone();
        let stopped = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping: requests at work are finished first");
            stop.notify_one();
        };
        let idle = Duration::from_secs(settings.idle_timeout_s);
        let listener = Limited::new(listener, settings.connections_max, idle);
        let serving = axum::serve(listener, routes(service)).with_graceful_shutdown(stopped);
        let grace = async {
            stopping.notified().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            result = serving => result,
            () = grace => Ok(()),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Says that the process lives.
async fn healthz() -> Response {
    plain("ok\n")
}

/// Says whether lookups can be answered.
async fn readyz(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    match service.store.snapshot() {
        Ok(_) => plain("ready\n"),
        Err(error) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, &uri, error.to_string()).into_response(),
    }
}

fn plain(text: &'static str) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}

async fn unknown_route(uri: Uri) -> Problem {
    let detail = "there is nothing at this path: use /api/domain/{domain} or /api/ip/{ip}";
    Problem::new(StatusCode::NOT_FOUND, &uri, detail)
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        &uri,
        format!("{method} is not for this path: use GET, or what `allow` names"),
    )
}

/// One line of the log a request. What was looked up is private: it is said at debug level only.
async fn logged(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = route(request.uri().path());
    let uri = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16();
    let duration_us = start.elapsed().as_micros() as u64;
    tracing::info!(%method, route, status, duration_us, "request");
    if let Some(uri) = uri {
        tracing::debug!(%uri, status, "looked up");
    }
    response
}

/// The route of a path without what was looked up.
fn route(path: &str) -> &'static str {
    const ROUTES: &[&str] = &[
        "/api/domain/",
        "/api/ip/",
        "/api/v1/indicator",
        "/pdns/query/",
        "/dnsdb/v2/",
        "/api/v1/lookup",
        "/api/v1/diff",
        "/api/v1/similar",
        "/api/v1/timeline",
        "/api/v1/sources/overlap",
        "/api/v1/pins",
        "/api/v1/notes",
        "/api/v1/sightings",
        "/api/v1/false-positives",
        "/healthz",
        "/readyz",
    ];
    ROUTES.iter().find(|route| path.starts_with(**route)).copied().unwrap_or("-")
}

//------------ DayRequests ---------------------------------------------------

/// Lookups answered today (UTC), in memory. The day stands in the upper bits, the count in the lower.
#[derive(Default)]
struct DayRequests(AtomicU64);

/// Bits of the count.
const COUNT_BITS: u32 = 40;

impl DayRequests {
    /// Counts one and says how many there are today, it included.
    fn count(&self, now: Timestamp) -> u64 {
        let day = now.day().unsigned_abs() << COUNT_BITS;
        let next = |old: u64| Some(if old >> COUNT_BITS == day >> COUNT_BITS { old + 1 } else { day + 1 });
        let old = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        next(old).unwrap_or_default() & ((1 << COUNT_BITS) - 1)
    }

    /// Takes back one that was not answered.
    fn forget(&self, now: Timestamp) {
        let day = now.day().unsigned_abs();
        let less = |old: u64| (old >> COUNT_BITS == day && old & 0xff_ffff_ffff > 0).then(|| old - 1);
        // Nothing to take back on a new day.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// How many there are today.
    fn today(&self, now: Timestamp) -> u64 {
        let value = self.0.load(Ordering::Relaxed);
        if value >> COUNT_BITS == now.day().unsigned_abs() { value & ((1 << COUNT_BITS) - 1) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_day() {
        let requests = DayRequests::default();
        let now = Timestamp::parse("2024-05-28T23:59:59Z").unwrap();
        assert_eq!((requests.count(now), requests.count(now), requests.today(now)), (1, 2, 2));
        requests.forget(now);
        assert_eq!(requests.today(now), 1);
        let tomorrow = Timestamp(now.0 + 1);
        assert_eq!(requests.today(tomorrow), 0);
        requests.forget(tomorrow);
        assert_eq!(requests.count(tomorrow), 1);
    }
}
