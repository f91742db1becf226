//! The HTTP service: plain lookups behind a few routes. Async ends here: a lookup is one blocking call.
//!
//! Every error is a problem document (RFC 9457). Every request passes the gate, which knows who asks, whether they
//! may, and how much they asked today.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, Method, StatusCode, Uri, Version};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Semaphore};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::access::audit::Audit;
use crate::access::role::Capability;
use crate::access::sessions::Lives;
use crate::access::{Access, AccessError, Caller};
use crate::clock::Clock;
use crate::config::{Config, Http, MetricsFor, Session};
use crate::indicator::Prefix;
use crate::lookup::Context;
use crate::source::schedule::Wishes;
use crate::source::{Registry, Source};
use crate::store::{Reader, Store};
use crate::value::{Timestamp, Tlp};
use crate::verdict::Policy;

// What handlers share.
mod body;
mod cache;
mod connection;
mod error;
mod gate;
mod graph;
mod part;
mod table;
mod tls;
mod who;

// The handlers.
mod api;
mod audit;
mod bulk;
mod export;
mod ingest;
mod login;
mod metrics;
mod misp_module;
mod open_tip;
mod own;
mod pages;
mod pdns;
mod people;
mod publications;
mod question;
mod reports;
mod scan;
mod search;
mod sources;
mod tokens;
mod users;

// What all of them take and answer.
mod openapi;

use cache::Cache;
use connection::Connections;
use error::Problem;
use metrics::Metrics;
pub use openapi::description;
use table::Need;
use tls::Certificate;

/// How long requests at work may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(15);

/// Threads a core that answer requests: a lookup that waits for the disk holds up no other.
const WORKERS_A_CORE: usize = 4;

/// How often uses of tokens are written, and certificates looked at for changes.
const TICK: Duration = Duration::from_secs(1);

/// Answers shorter than this are sent as they are.
const COMPRESSED_BYTES_MIN: u64 = 1024;

/// What all requests share.
pub struct Service {
    store: Arc<Store>,
    /// The policy without what sources say of themselves.
    policy: Policy,
    /// What sources make of it.
    known: RwLock<Arc<Known>>,
    clock: Clock,
    cache: Cache,
    timeout: Duration,
    /// The strictest mark of what leaves.
    export: Tlp,
    /// Counts of hits are shown to the nearest power of ten.
    round_counts: bool,
    /// Held by whoever scans all listings: one at a time.
    scan: Arc<Mutex<()>>,
    /// What takes in telemetry.
    ingest: ingest::Ingest,
    /// Held by whoever writes.
    writing: Arc<Mutex<()>>,
    access: Access,
    audit: Option<Audit>,
    /// Held by whoever verifies a password: each takes a core and 19 MiB.
    hashing: Arc<Semaphore>,
    trusted_proxies: Vec<Prefix>,
    cors_origins: Vec<String>,
    metrics: Metrics,
    metrics_need: Need,
    session: Session,
    /// Whether cookies are for HTTPS only.
    is_secure: bool,
    certificate: Option<Arc<Certificate>>,
    /// The sources of the configuration.
    configured: Vec<Source>,
    /// What the thread that refreshes sources is told.
    wishes: Arc<Wishes>,
}

impl Service {
    /// A service that answers from a store to those whom its folder knows.
    ///
    /// # Errors
    ///
    /// When users or the audit cannot be opened, or settings forbid each other; with what to do.
    pub fn new(
        store: impl Into<Arc<Store>>,
        policy: Policy,
        clock: Clock,
        config: &Config,
    ) -> Result<Service, String> {
        let (store, settings) = (store.into(), &config.http);
        let lives = Lives {
            max_s: i64::from(config.session.max_hours) * 3600,
            idle_s: i64::from(config.session.idle_minutes) * 60,
        };
        // Judged twice: without users first, so that what cannot be leaves no file behind.
        settings.is_auth_on(false)?;
        let is_on = |has_users| settings.is_auth_on(has_users).unwrap_or(true);
        let access = Access::open(store.folder(), lives, is_on).map_err(|error| error.to_string())?;
        let days = config.audit.days;
        if days == 0 && access.is_on {
            return Err("audit.days is 0, and there are users: keep their audit for 1 day or more".to_owned());
        }
        let audit = (days > 0).then(|| Audit::start(store.folder(), days)).transpose();
        let audit = audit.map_err(|error| format!("{}: the audit: {error}", store.folder().display()))?;
        let certificate = settings.tls.as_ref().map(Certificate::open).transpose();
        let certificate = certificate.map_err(|error| error.to_string())?.map(Arc::new);
        let is_open = settings.metrics == MetricsFor::Open;
        let service = Service {
            store,
            known: RwLock::new(Arc::new(Known {
                policy: policy.clone(),
                marks: Arc::default(),
                export: config.tlp.export,
            })),
            policy,
            clock,
            cache: Cache::new(settings.cache_mb << 20),
            timeout: Duration::from_secs(settings.request_timeout_s),
            round_counts: settings.round_counts,
            export: config.tlp.export,
            scan: Arc::default(),
            ingest: ingest::Ingest::new(config),
            writing: Arc::default(),
            access,
            audit,
            hashing: Arc::new(Semaphore::new(cores())),
            trusted_proxies: settings.trusted_proxies.clone(),
            cors_origins: settings.cors_origins.clone(),
            metrics: Metrics::new(),
            metrics_need: if is_open { Need::Open } else { Need::May(Capability::Sources) },
            session: config.session,
            is_secure: certificate.is_some() || settings.secure_cookies,
            certificate,
            configured: config.sources.clone(),
            wishes: Arc::default(),
        };
        service.know(&Registry::read(&config.sources, service.store.folder())?);
        Ok(service)
    }

    /// A token for making the first admin, where there has to be one; see [`Access::begin_setup`].
    ///
    /// # Errors
    ///
    /// When users cannot be read.
    pub fn begin_setup(&self) -> Result<Option<String>, AccessError> {
        self.access.begin_setup(self.clock.now())
    }

    /// Whether everybody has to say who they are.
    pub fn is_auth_on(&self) -> bool {
        self.access.is_on
    }

    /// Learns what sources there are: their weights and marks.
    pub fn know(&self, registry: &Registry) {
        let mut policy = self.policy.clone();
        policy.weigh(registry);
        let known = Known { policy, marks: Arc::new(registry.marks()), export: self.export };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// With what is told the thread that refreshes sources.
    pub fn with_wishes(mut self, wishes: Arc<Wishes>) -> Service {
        self.wishes = wishes;
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.access.close(self.clock.now());
    }
}

/// What is known of sources while they are as they are.
struct Known {
    policy: Policy,
    marks: Arc<BTreeMap<String, Tlp>>,
    export: Tlp,
}

impl Known {
    /// What a lookup of a caller needs.
    fn context<'a>(&'a self, service: &'a Service, caller: &Caller, now: Timestamp) -> Context<'a> {
        Context {
            store: &service.store,
            policy: &self.policy,
            licence: caller.licence.clone(),
            now,
            round_counts: service.round_counts,
            reader: self.reader(caller),
        }
    }

    /// Up to what mark somebody sees who said something.
    fn reader(&self, caller: &Caller) -> Reader {
        Reader {
            clearance: caller.clearance,
            is_export: false,
            export: self.export,
            marks: self.marks.clone(),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// All routes, grouped by who calls them. What each needs of who asks stands in `http/table.rs`.
pub fn routes(service: Arc<Service>) -> Router {
    let router = Router::new()
        // Clients: one indicator, one report.
        .merge(api::routes())
        .merge(publications::routes())
        // The service's own questions.
        .route("/api/v1/indicator", get(own::indicator_report))
        .route("/api/v1/lookup", post(bulk::lookup).layer(DefaultBodyLimit::max(bulk::BODY_BYTES_MAX)))
        .route("/api/v1/export", get(export::export))
        .route("/api/v1/reports", get(reports::list))
        .route("/api/v1/reports/{*id}", get(reports::one))
        .route("/api/v1/diff", get(own::diff))
        .route("/api/v1/similar", get(own::similar))
        .route("/api/v1/contacts", get(own::contacts))
        .route("/api/v1/timeline", get(own::timeline))
        .route("/api/v1/graph", get(graph::around))
        .route("/api/v1/sources", get(sources::list))
        .route("/api/v1/sources/overlap", get(sources::overlap))
        .route("/api/v1/network/{*cidr}", get(search::network))
        .route("/api/v1/asn/{asn}", get(search::system))
        .route("/api/v1/search-all", get(search::search))
        .route("/api/v1/sources/{name}/rejected", get(sources::rejected))
        .route("/api/v1/sources/{name}/refresh", post(sources::refresh))
        // Sensors: telemetry.
        .route("/api/v1/ingest", post(ingest::ingest))
        // Passive DNS, as its clients ask.
        .route("/pdns/query/{*name}", get(pdns::common_output))
        .route("/dnsdb/v2/{*question}", get(pdns::dnsdb))
        // MISP: enrichment.
        .route("/modules", get(misp_module::modules))
        .route("/query", post(misp_module::query))
        // Analysts: what they say of an indicator.
        .merge(people::routes())
        // Users: who they are and what they may.
        .merge(users::routes())
        .merge(tokens::routes())
        .route("/api/v1/audit", get(audit::entries))
        .route("/login", get(login::form).post(login::login))
        .route("/logout", post(login::logout))
        // Whoever runs the process.
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .route("/docs", get(openapi::page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        // People: pages.
        .merge(pages::routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(service.clone(), gate::gate))
        .layer(middleware::from_fn_with_state(service.clone(), pages::dress))
        .layer(compression());
    let router =
        if service.cors_origins.is_empty() { router } else { router.layer(cors(&service.cors_origins)) };
    router.layer(middleware::from_fn_with_state(service.clone(), logged)).with_state(service)
}

/// Whether what a path answers is read by people: pages and what they load, which the description leaves out.
pub fn is_page(path: &str) -> bool {
    table::row(path).is_page
}

fn compression() -> CompressionLayer<impl Predicate> {
    let is_text = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| {
            ["json", "html", "text/css", "javascript", "svg"].iter().any(|text| kind.contains(text))
        })
    };
    let is_worth_it = SizeAbove::new(COMPRESSED_BYTES_MIN).and(is_text);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_it)
}

/// Which pages of other sites may ask, from a browser. What a browser asks beforehand passes no gate.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let read = ["etag", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(methods)
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH, HeaderName::from_static("x-api-key")])
        .expose_headers(read.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600))
}

/// Serves until SIGINT or SIGTERM. `ready` is called with the address once it accepts connections.
///
/// # Errors
///
/// When the address cannot be listened on.
pub fn serve(service: Arc<Service>, settings: &Http, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores() * WORKERS_A_CORE)
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let listener = TcpListener::bind(settings.listen).await?;
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        ready(listener.local_addr()?);
        let stopped = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping: requests at work are finished first");
        };
        let connections = Connections {
            router: routes(service.clone()),
            settings: settings.clone(),
            certificate: service.certificate.clone(),
            open: service.metrics.connections.clone(),
        };
        tokio::select! {
            () = connections.serve(listener, stopped, GRACE) => {}
            () = ticking(service) => {}
        }
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// What has to be done now and then.
async fn ticking(service: Arc<Service>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let service = service.clone();
        let work = move || {
            service.access.keep(service.clock.now());
            if let Some(certificate) = &service.certificate {
                certificate.reload();
            }
        };
        if let Err(error) = tokio::task::spawn_blocking(work).await {
            tracing::error!(%error, "the upkeep of users panicked");
        }
    }
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
    let detail = "there is nothing at this path: use /api/domain/{domain}, /api/ip/{ip}, /api/url/{url} or /api/hash/{hash}";
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
async fn logged(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let path = table::row(request.uri().path()).path;
    let uri = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The compressed answer is not the same bytes: what was a strong tag is a weak one.
    if headers.contains_key(CONTENT_ENCODING)
        && let Some(weak) =
            headers.get(ETAG).and_then(|tag| HeaderValue::from_str(&format!("W/{}", tag.to_str().ok()?)).ok())
    {
        headers.insert(ETAG, weak);
    }
    let status = response.status().as_u16();
    let took = start.elapsed();
    service.metrics.answered(path, status, took);
    let duration_us = took.as_micros() as u64;
    tracing::info!(%method, route = path, status, duration_us, "request");
    if let Some(uri) = uri {
        tracing::debug!(%uri, status, "looked up");
    }
    response
}
