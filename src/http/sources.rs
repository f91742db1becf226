//! `/api/v1/sources`: what there is and what came of it, what was not understood, and asking for one now.
//!
//! `GET /api/v1/sources/overlap` is a scan of all listings, so one at a time, and kept until the data changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::cache::{Age, Body};
use super::error::Problem;
use super::part::Part;
use crate::access::Caller;
use crate::import::source_name;
use crate::lookup::Licence;
use crate::overlap;
use crate::source::known::{self, Known};
use crate::source::quarantine::Quarantine;
use crate::source::{Registry, Source};
use crate::store::{Reader, Snapshot, StoreError};
use crate::value::Tlp;

/// Every source that the caller may know of, and what came of it.
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let read = move |service: &Service| {
        let registry = registry(service)?;
        let seen = Seen::by(service, &registry, &caller)?;
        let all = known::all(&registry, service.store.folder()).map_err(|error| error.to_string())?;
        let all = all.into_iter().filter(|known| !seen.is_hidden(&known.source.name));
        Ok(all.map(Known::published).collect::<Vec<_>>())
    };
    match blocking(&service, &uri, read).await {
        Ok(all) => {
            let body = serde_json::to_vec(&all).expect("only names as keys");
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// The sampled records of a source's newest import that were not understood, one JSON object a line.
pub(super) async fn rejected(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Part(name): Part,
    uri: Uri,
) -> Response {
    if let Err(detail) = source_name(&name) {
        return Problem::new(StatusCode::BAD_REQUEST, &uri, detail).into_response();
    }
    let source = name.clone();
    let read = move |service: &Service| {
        // Of a source that is hidden there is as little as of one that does not exist.
        if Seen::by(service, &registry(service)?, &caller)?.is_hidden(&source) {
            return Ok(String::new());
        }
        let quarantine =
            Quarantine::read(service.store.folder(), &source).map_err(|error| error.to_string())?;
        let line = |record| serde_json::to_string(record).expect("texts and numbers") + "\n";
        Ok(quarantine.sample.iter().map(line).collect::<String>())
    };
    match blocking(&service, &uri, read).await {
        Ok(lines) => {
            let attachment = format!("attachment; filename=\"{name}-rejected.ndjson\"");
            let headers =
                [(CONTENT_TYPE, "application/x-ndjson"), (CONTENT_DISPOSITION, attachment.as_str())];
            (headers, lines).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Asks for a source now, in the background: its status says what came of it.
pub(super) async fn refresh(State(service): State<Arc<Service>>, Part(name): Part, uri: Uri) -> Response {
    match wish(&service, &uri, &name).await {
        Ok(()) => {
            let body = serde_json::json!({ "source": name, "state": "accepted" }).to_string();
            let headers = [(CONTENT_TYPE, "application/json")];
            (StatusCode::ACCEPTED, headers, body).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Has a source asked for, in the background.
pub(super) async fn wish(service: &Arc<Service>, uri: &Uri, name: &str) -> Result<(), Problem> {
    let wanted = name.to_owned();
    let find = move |service: &Service| Ok(registry(service)?.find(&wanted).cloned());
    let (status, detail) = match blocking(service, uri, find).await? {
        Some(Source { location: Some(_), .. }) => {
            service.wishes.refresh(name);
            return Ok(());
        }
        Some(_) => (
            StatusCode::CONFLICT,
            format!("the source {name} has no location to ask: it is imported by hand"),
        ),
        None => {
            (StatusCode::NOT_FOUND, format!("there is no source {name:?}: GET /api/v1/sources lists all"))
        }
    };
    Err(Problem::new(status, uri, detail))
}

/// What a caller may know of sources: those that are marked above their clearance are hidden.
pub(super) struct Seen {
    pub(super) snapshot: Arc<Snapshot>,
    marks: Arc<BTreeMap<String, Tlp>>,
    clearance: Tlp,
}

impl Seen {
    pub(super) fn by(service: &Service, registry: &Registry, caller: &Caller) -> Result<Seen, String> {
        let reader = Reader { marks: Arc::new(registry.marks()), ..service.known().reader(caller) };
        let snapshot = service.store.snapshot().map_err(|error| error.to_string())?.for_reader(&reader);
        Ok(Seen { snapshot, marks: reader.marks, clearance: reader.clearance })
    }

    pub(super) fn is_hidden(&self, name: &str) -> bool {
        let number = self.snapshot.manifest.sources.iter().position(|known| known == name);
        // A source that never gave anything is marked by the configuration alone.
        let is_above = self.marks.get(name).is_some_and(|mark| *mark > self.clearance);
        is_above || number.is_some_and(|number| self.snapshot.is_restricted(number as u16))
    }
}

/// All sources: of the configuration, and added by commands.
pub(super) fn registry(service: &Service) -> Result<Registry, String> {
    Registry::read(&service.configured, service.store.folder())
}

/// Reads files, off the threads that answer.
pub(super) async fn blocking<T: Send + 'static>(
    service: &Arc<Service>,
    uri: &Uri,
    read: impl FnOnce(&Service) -> Result<T, String> + Send + 'static,
) -> Result<T, Problem> {
    let at_work = service.clone();
    let reading = tokio::task::spawn_blocking(move || read(&at_work));
    let detail = match tokio::time::timeout(service.timeout, reading).await {
        Ok(Ok(Ok(value))) => return Ok(value),
        Ok(Ok(Err(detail))) => detail,
        Ok(Err(_)) => "reading what is known of sources failed: the service's log says more".to_owned(),
        Err(_) => format!("reading files takes longer than {} s: ask later", service.timeout.as_secs()),
    };
    tracing::error!(detail, "what is known of sources cannot be read");
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail))
}

/// What the answer is kept under.
const KEY: &str = "/api/v1/sources/overlap";

pub(super) async fn overlap(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    match body(&service, &uri).await {
        Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The answer, as JSON.
pub(super) async fn body(service: &Arc<Service>, uri: &Uri) -> Result<Vec<u8>, Problem> {
    let now = service.clock.now();
    let at_work = async {
        let turn = service.scan.clone().lock_owned().await;
        let service = service.clone();
        let scan = move || -> Result<Vec<u8>, StoreError> {
            let age = Age {
                generation: service.store.snapshot()?.manifest.generation,
                minute: now.0.div_euclid(60),
            };
            if let Some(kept) = service.cache.get(age, KEY) {
                return Ok(kept.with(&Licence::default()));
            }
            let overlap = overlap::overlap(&service.store, &service.known().policy, now)?;
            let bytes = serde_json::to_vec(&overlap).expect("texts and numbers");
            service.cache.put(age, KEY, Arc::new(Body::plain("application/json", bytes.clone())));
            // The next one's turn is when this is done, also where nobody waits for the answer any more.
            drop(turn);
            Ok(bytes)
        };
        tokio::task::spawn_blocking(scan).await
    };
    let detail = match tokio::time::timeout(service.timeout, at_work).await {
        Ok(Ok(Ok(bytes))) => return Ok(bytes),
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, "sources cannot be compared");
            error.to_string()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "comparing sources panicked");
            "comparing sources failed inside the service: its log says more".to_owned()
        }
        Err(_) => {
            let seconds = service.timeout.as_secs();
            format!(
                "comparing sources takes longer than {seconds} s: ask again, the answer is kept when it is done"
            )
        }
    };
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail))
}
