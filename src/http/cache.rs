//! Reports that were made already, in bounded memory; dropped when the data or the minute changes: listings and pins end on minutes.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::Xxh3;

use crate::lookup::{Licence, Report};
use crate::sections::license_info;

/// A report's bytes, and where in them the licence stands, which is another in each answer.
pub(super) struct Body {
    media_type: &'static str,
    bytes: Vec<u8>,
    licence: Option<Range<usize>>,
    /// A digest of the bytes without the licence, as it stands in an `ETag`.
    etag: Option<HeaderValue>,
}

impl Body {
    /// The bytes of a report. `seed` is the store's own, so that nobody can aim at equal digests.
    pub(super) fn new(report: &Report, seed: u64) -> Body {
        let bytes = report.json();
        // Nothing before it comes from data, and it holds no object, so the first one found is the licence's.
        let licence =
            report.sections.first().filter(|first| first.name == license_info::NAME).and_then(|first| {
                let start = bytes.iter().position(|byte| *byte == b':')? + 1;
                Some(start..start + first.body.get().len())
            });
        let rest = licence.clone().unwrap_or(0..0);
        let mut digest = Xxh3::with_seed(seed);
        digest.update(&bytes[..rest.start]);
        digest.update(&bytes[rest.end..]);
        let etag = HeaderValue::from_str(&format!("\"{:032x}\"", digest.digest128())).ok();
        Body { media_type: "application/json", bytes, licence, etag }
    }

    /// The bytes of something without a licence.
    pub(super) fn plain(media_type: &'static str, bytes: Vec<u8>) -> Body {
        Body { media_type, bytes, licence: None, etag: None }
    }

    /// The bytes with this licence.
    pub(super) fn with(&self, licence: &Licence) -> Vec<u8> {
        let Some(range) = &self.licence else { return self.bytes.clone() };
        let mut bytes = Vec::with_capacity(self.bytes.len() + 40);
        bytes.extend_from_slice(&self.bytes[..range.start]);
        let body = license_info::Body::from(licence);
        serde_json::to_writer(&mut bytes, &body).expect("texts and numbers into memory");
        bytes.extend_from_slice(&self.bytes[range.end..]);
        bytes
    }

    /// The answer with this licence.
    pub(super) fn response(&self, licence: &Licence) -> Response {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(self.media_type))];
        let mut response = (kind, self.with(licence)).into_response();
        if let Some(etag) = &self.etag {
            response.headers_mut().insert(ETAG, etag.clone());
        }
        response
    }
}

/// What answers are good for: one state of the store, one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Age {
    /// [`crate::store::Manifest::generation`].
    pub(super) generation: u64,
    /// The minute, counted from 1970.
    pub(super) minute: i64,
}

/// Reports by the path and query that asked for them.
pub(super) struct Cache {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    age: Age,
    bytes: usize,
    bodies: HashMap<Arc<str>, Arc<Body>>,
    /// The oldest first: it goes first.
    order: VecDeque<Arc<str>>,
}

/// What an entry costs beside its bytes, about.
const ENTRY_BYTES: usize = 200;

fn cost(key: &str, body: &Body) -> usize {
    ENTRY_BYTES + key.len() + body.bytes.len()
}

impl Cache {
    /// An empty one that grows to `bytes_max`; 0: it keeps nothing.
    pub(super) fn new(bytes_max: usize) -> Cache {
        Cache { bytes_max, kept: Mutex::default() }
    }

    /// The report that was made for the same question at the same age.
    pub(super) fn get(&self, age: Age, key: &str) -> Option<Arc<Body>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.age == age { kept.bodies.get(key).cloned() } else { None }
    }

    /// Keeps a report. An age that is not the one of what is kept drops all of that.
    pub(super) fn put(&self, age: Age, key: &str, body: Arc<Body>) {
        let cost_new = cost(key, &body);
        if cost_new > self.bytes_max {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.age != age {
            if age.generation < kept.age.generation {
                return;
            }
            *kept = Kept { age, ..Kept::default() };
        }
        let key: Arc<str> = Arc::from(key);
        if kept.bodies.contains_key(&key) {
            return;
        }
        kept.bytes += cost_new;
        kept.bodies.insert(key.clone(), body);
        kept.order.push_back(key);
        while kept.bytes > self.bytes_max {
            let Some(oldest) = kept.order.pop_front() else { break };
            if let Some(body) = kept.bodies.remove(&oldest) {
                kept.bytes -= cost(&oldest, &body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::Answer;

    fn body(text: &str) -> Arc<Body> {
        Arc::new(Body::plain("text/plain", text.as_bytes().to_vec()))
    }

    #[test]
    fn it_is_bounded_and_forgets_when_the_age_changes() {
        let cache = Cache::new(2 * (ENTRY_BYTES + 2));
        let age = Age { generation: 1, minute: 0 };
        for key in ["a", "b", "c"] {
            cache.put(age, key, body("x"));
        }
        assert!(cache.get(age, "a").is_none());
        assert!(cache.get(age, "b").is_some() && cache.get(age, "c").is_some());
        let later = Age { generation: 2, minute: 0 };
        assert!(cache.get(later, "b").is_none());
        assert!(cache.get(Age { generation: 1, minute: 1 }, "b").is_none());
        cache.put(later, "d", body("x"));
        assert!(cache.get(age, "b").is_none() && cache.get(later, "d").is_some());
        cache.put(age, "e", body("x"));
        assert!(cache.get(later, "d").is_some(), "an older answer comes too late");
        Cache::new(0).put(age, "a", body("x"));
    }

    #[test]
    fn the_licence_is_new_in_each_answer_and_the_digest_is_not() {
        let answer = |name, body: &str| Answer {
            name,
            title: "",
            body: serde_json::value::RawValue::from_string(body.to_owned()).unwrap(),
            counts: None,
        };
        let report = |zone: &str, requests: u64| Report {
            kind: crate::indicator::Kind::Domain,
            subject: "a.example".to_owned(),
            zone: crate::value::Zone::Red,
            score: crate::value::ThreatScore::default(),
            sections: vec![
                answer("LicenseInfo", &format!(r#"{{"DayRequests":{requests}}}"#)),
                answer("Zone", &format!("{zone:?}")),
            ],
        };
        let licence = Licence { day_requests: 123, day_quota: 200, ..Licence::default() };
        let body = Body::new(&report("Red", 1), 7);
        let expected = r#"{"LicenseInfo":{"AccessType":"Commercial","DayRequests":123,"DayQuota":200,"TokenExpirationDate":null},"Zone":"Red"}"#;
        assert_eq!(String::from_utf8(body.with(&licence)).unwrap(), expected);
        assert_eq!(body.etag, Body::new(&report("Red", 22), 7).etag);
        assert_ne!(body.etag, Body::new(&report("Grey", 1), 7).etag);
        assert_ne!(body.etag, Body::new(&report("Red", 1), 8).etag);
    }
}
