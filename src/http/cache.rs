//! Reports that were made already, in bounded memory; dropped when the data or the minute changes: listings and pins end on minutes.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::lookup::Report;

/// A report's bytes, and where in them the count of today's lookups stands, which is new in each answer.
pub(super) struct Body {
    media_type: &'static str,
    bytes: Vec<u8>,
    day_requests: Option<Range<usize>>,
}

impl Body {
    /// The bytes of a report.
    pub(super) fn new(report: &Report) -> Body {
        let bytes = report.json();
        // Nothing before it comes from data, so the first one found is the licence's.
        let day_requests =
            report.sections.first().filter(|first| first.name == "LicenseInfo").and_then(|_| {
                const NAME: &[u8] = b"\"DayRequests\":";
                let start = bytes.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
                let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                (digits > 0).then_some(start..start + digits)
            });
        Body { media_type: "application/json", bytes, day_requests }
    }

    /// The bytes of something without a count of lookups.
    pub(super) fn plain(media_type: &'static str, bytes: Vec<u8>) -> Body {
        Body { media_type, bytes, day_requests: None }
    }

    /// What the bytes are.
    pub(super) fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The bytes with this count of today's lookups.
    pub(super) fn with(&self, day_requests: u64) -> Vec<u8> {
        let Some(range) = &self.day_requests else { return self.bytes.clone() };
        let mut bytes = Vec::with_capacity(self.bytes.len() + 20);
        bytes.extend_from_slice(&self.bytes[..range.start]);
        bytes.extend_from_slice(day_requests.to_string().as_bytes());
        bytes.extend_from_slice(&self.bytes[range.end..]);
        bytes
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
    fn the_count_of_lookups_is_new_in_each_answer() {
        let text = br#"{"LicenseInfo":{"DayRequests":1,"DayQuota":9},"Zone":"Red"}"#;
        let at = text.windows(2).position(|window| window == b":1").unwrap() + 1;
        let body = Body { day_requests: Some(at..at + 1), ..Body::plain("application/json", text.to_vec()) };
        let expected = r#"{"LicenseInfo":{"DayRequests":123,"DayQuota":9},"Zone":"Red"}"#;
        assert_eq!(String::from_utf8(body.with(123)).unwrap(), expected);
    }
}
