//! `GET /metrics`: figures for Prometheus, in the OpenMetrics text format.
//!
//! What happens in this process is counted as it happens; what the store holds is read when somebody asks. No
//! label comes from a request, so their number is bounded by [`super::table::PATHS`] and the sources.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Service;
use super::error::Problem;
use crate::upkeep::{self, Stats};
use crate::value::Timestamp;

/// Upper ends of the classes of latency, in seconds: from a cached report to the longest that a request may take.
const LATENCY_S: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

type Route = [(&'static str, &'static str); 1];
type Answered = [(&'static str, String); 2];
type Source = [(&'static str, String); 1];

/// All figures.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    /// Lookups answered with 200, 304 or 404.
    pub(super) lookups: Counter,
    /// Reports that were made already.
    pub(super) cache_hits: Counter,
    /// Connections now.
    pub(super) connections: Gauge,
    /// Requests beyond a quota or rate.
    pub(super) quota_refusals: Counter,
    /// Wrong credentials.
    pub(super) auth_failures: Counter,
    store: OfStore,
}

/// What the store holds.
#[derive(Default)]
struct OfStore {
    generation: Gauge,
    runs: Gauge,
    batches: Gauge,
    bytes: Gauge,
    objects: Gauge,
    source_age: Family<Source, Gauge<f64, AtomicU64>>,
    source_facts: Family<Source, Gauge>,
    source_rejected: Family<Source, Gauge>,
}

impl Metrics {
    pub(super) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("zonelens");
        let metrics = Metrics {
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_S)),
            lookups: Counter::default(),
            cache_hits: Counter::default(),
            connections: Gauge::default(),
            quota_refusals: Counter::default(),
            auth_failures: Counter::default(),
            store: OfStore::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests by path and status", metrics.requests.clone());
        let words = "Time that requests took, by path";
        registry.register_with_unit("http_request_duration", words, Unit::Seconds, metrics.latency.clone());
        registry.register("lookups", "Lookups that were answered", metrics.lookups.clone());
        registry.register("cache_hits", "Reports that were made already", metrics.cache_hits.clone());
        registry.register("connections", "Connections now", metrics.connections.clone());
        registry.register(
            "quota_refusals",
            "Requests beyond a quota or rate",
            metrics.quota_refusals.clone(),
        );
        registry.register("auth_failures", "Requests with wrong credentials", metrics.auth_failures.clone());
        let store = &metrics.store;
        registry.register("store_generation", "Changes of the store", store.generation.clone());
        registry.register("store_runs", "Live runs", store.runs.clone());
        registry.register("store_batches", "Live batches", store.batches.clone());
        registry.register_with_unit("store_size", "Size of live runs", Unit::Bytes, store.bytes.clone());
        registry.register(
            "store_objects",
            "Objects, counted in each run that knows them",
            store.objects.clone(),
        );
        let words = "Time since a source's newest batch was observed or found unchanged";
        registry.register_with_unit("source_age", words, Unit::Seconds, store.source_age.clone());
        registry.register("source_facts", "Facts of a source's live batches", store.source_facts.clone());
        let words = "Records of a source's live batches that were not understood";
        registry.register("source_rejected", words, store.source_rejected.clone());
        Metrics { registry, ..metrics }
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, path: &'static str, status: u16, took: Duration) {
        let labels = [("path", path.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&[("path", path)]).observe(took.as_secs_f64());
    }

    fn set(&self, stats: &Stats, now: Timestamp) {
        let store = &self.store;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        store.generation.set(number(stats.generation));
        store.runs.set(number(stats.runs as u64));
        store.batches.set(number(stats.batches as u64));
        store.bytes.set(number(stats.bytes));
        store.objects.set(number(stats.objects));
        // Sources that are gone have no figures any more.
        store.source_age.clear();
        store.source_facts.clear();
        store.source_rejected.clear();
        for source in &stats.sources {
            let labels = [("source", source.source.clone())];
            let age_s = (now.0 - source.observed.0).max(0) as f64;
            store.source_age.get_or_create(&labels).set(age_s);
            store.source_facts.get_or_create(&labels).set(number(source.facts));
            store.source_rejected.get_or_create(&labels).set(number(source.rejected));
        }
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    let now = service.clock.now();
    let blocking = service.clone();
    let read = tokio::task::spawn_blocking(move || upkeep::stats(&blocking.store, now)).await;
    match read {
        Ok(Ok(stats)) => service.metrics.set(&stats, now),
        // What is counted in this process is worth having all the same.
        Ok(Err(error)) => tracing::error!(%error, "the store cannot be read for its figures"),
        Err(error) => tracing::error!(%error, "reading figures panicked"),
    }
    let mut text = String::new();
    if encode(&mut text, &service.metrics.registry).is_err() {
        let detail = "the figures cannot be written: see the service's log";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, &uri, detail).into_response();
    }
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(CONTENT_TYPE, kind)], text).into_response()
}
