//! `POST /api/v1/scan/file?filename=`: a body is hashed as it streams in, and forgotten.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use md5::Md5;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Service;
use super::api::{body_of, media, parameter};
use super::error::Problem;
use super::open_tip;
use super::question::{Form, Question};
use crate::access::Caller;
use crate::indicator::{FileHash, FileHashes, Indicator};
use crate::lookup;
use crate::value::Timestamp;

/// The largest body: 256 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The longest file name, in characters.
const NAME_CHARS_MAX: usize = 1024;

/// How long a body may take in all. A part of it has the time that requests have.
const UPLOAD: Duration = Duration::from_secs(600);

/// A file that came in.
struct Hashed {
    file: FileHashes,
    sha256: FileHash,
    bytes: u64,
}

pub(super) async fn file(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let now = service.clock.now();
    match scanned(&service, &caller, request, now).await {
        Ok(body) => media("application/json", body),
        Err(problem) => problem.into_response(),
    }
}

async fn scanned(
    service: &Arc<Service>,
    caller: &Caller,
    request: Request,
    now: Timestamp,
) -> Result<Vec<u8>, Problem> {
    let uri = request.uri().clone();
    let wrong = |detail: String| Problem::new(StatusCode::BAD_REQUEST, &uri, detail);
    let name = parameter(uri.query().unwrap_or(""), "filename").unwrap_or_default();
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(wrong(format!(
            "filename: use at most {NAME_CHARS_MAX} characters, none of them a control"
        )));
    }
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > FILE_BYTES_MAX) {
        return Err(too_large(&uri));
    }
    let hashed = tokio::time::timeout(UPLOAD, hashed(&uri, request.into_body(), service.timeout));
    let hashed = hashed.await.map_err(|_| too_slow(&uri, UPLOAD))??;
    if hashed.bytes == 0 {
        return Err(wrong("the body is empty: send the bytes of the file as they are".to_owned()));
    }
    let question = Question {
        indicator: Indicator::File(hashed.sha256),
        request: lookup::Request { hashes: hashed.file, ..lookup::Request::default() },
        form: Form::OpenTip,
    };
    match body_of(service, caller, &uri, question, now).await {
        Ok(body) => Ok(body.with(&caller.licence)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(not_categorized(&hashed)),
        Err(problem) => Err(problem),
    }
}

/// Reads a body to its end, keeping its hashes alone.
async fn hashed(uri: &Uri, mut body: Body, patience: Duration) -> Result<Hashed, Problem> {
    let (mut md5, mut sha1, mut sha256) = (Md5::new(), Sha1::new(), Sha256::new());
    let mut bytes = 0_u64;
    loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let next = tokio::time::timeout(patience, next).await.map_err(|_| too_slow(uri, patience))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| {
            let detail = format!("the body cannot be read: {error}; send it again");
            Problem::new(StatusCode::BAD_REQUEST, uri, detail)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > FILE_BYTES_MAX {
            return Err(too_large(uri));
        }
        md5.update(&data);
        sha1.update(&data);
        sha256.update(&data);
    }
    let (md5, sha1, sha256) = (md5.finalize().into(), sha1.finalize().into(), sha256.finalize().into());
    let file = FileHashes { md5: Some(md5), sha1: Some(sha1), sha256: Some(sha256) };
    Ok(Hashed { file, sha256: FileHash::Sha256(sha256), bytes })
}

fn too_slow(uri: &Uri, limit: Duration) -> Problem {
    let detail =
        format!("the body took longer than {} s: send it faster, or look up its hash", limit.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, uri, detail)
}

fn too_large(uri: &Uri) -> Problem {
    let detail = format!("the body is longer than {FILE_BYTES_MAX} bytes: look up the file by its hash");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, uri, detail)
}

/// The answer on a file of which nothing is known but what came in.
fn not_categorized(hashed: &Hashed) -> Vec<u8> {
    let [md5, sha1, sha256] = [
        hashed.file.md5.map(FileHash::Md5),
        hashed.file.sha1.map(FileHash::Sha1),
        hashed.file.sha256.map(FileHash::Sha256),
    ]
    .map(|hash| hash.map(|hash| hash.to_string()));
    let info = json!({
        "FileStatus": "NotCategorized",
        "Md5": md5,
        "Sha1": sha1,
        "Sha256": sha256,
        "Size": hashed.bytes,
        "Categories": [],
        "CategoriesWithZone": [],
    });
    open_tip::object(&[("Zone", Value::from("Grey")), ("FileGeneralInfo", info)])
}
