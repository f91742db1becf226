//! `GET /api/v1/sources/overlap`: a scan of all listings, so one at a time, and kept until the data changes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::cache::{Age, Body};
use super::error::Problem;
use crate::lookup::Licence;
use crate::overlap;
use crate::store::StoreError;

/// What the answer is kept under.
const KEY: &str = "/api/v1/sources/overlap";

pub(super) async fn overlap(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    match body(&service, &uri).await {
        Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn body(service: &Arc<Service>, uri: &Uri) -> Result<Vec<u8>, Problem> {
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
            let overlap = overlap::overlap(&service.store, &service.policy, now)?;
            let bytes = serde_json::to_vec(&overlap).expect("texts and numbers");
            service.cache.put(age, KEY, Arc::new(Body::plain(bytes.clone())));
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
