//! One question, one answer: an indicator and the sections wanted, from one snapshot.

use serde_json::value::RawValue;

use crate::indicator::Kind;
use crate::store::{Store, StoreError};
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::Policy;

/// The most rows of a section, and how many there are unless fewer are asked for.
pub const COUNT_MAX: usize = 1000;

/// What is wanted of a report.
#[derive(Clone, Debug)]
pub struct Request {
    /// The sections, by name; `None`: all.
    pub sections: Option<Vec<String>>,
    /// The most rows of each section, 1 to [`COUNT_MAX`].
    pub count: usize,
    /// A past moment; `None`: now.
    pub as_of: Option<Timestamp>,
}

impl Default for Request {
    fn default() -> Request {
        Request { sections: None, count: COUNT_MAX, as_of: None }
    }
}

/// Licence and quota as a report states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Bought, or on trial.
    pub access_type: &'static str,
    /// Lookups today, this one included.
    pub day_requests: u64,
    /// Lookups allowed a day.
    pub day_quota: u64,
    /// When the token runs out.
    pub token_expires: Option<Timestamp>,
}

impl Default for Licence {
    /// No users, no quota: as on loopback.
    fn default() -> Licence {
        Licence { access_type: "Commercial", day_requests: 1, day_quota: 2_147_483_647, token_expires: None }
    }
}

/// A section of a report.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its heading on a page.
    pub title: &'static str,
    /// Its body, JSON.
    pub body: Box<RawValue>,
}

/// What is known of an object.
#[derive(Clone, Debug)]
pub struct Report {
    /// The kind of object.
    pub kind: Kind,
    /// The object, as the report spells it.
    pub subject: String,
    /// Its zone.
    pub zone: Zone,
    /// Its score.
    pub score: ThreatScore,
    /// The sections, in order.
    pub sections: Vec<Answer>,
}

impl Report {
    /// The report as JSON: an object with a member a section.
    pub fn json(&self) -> Vec<u8> {
        let mut json =
            Vec::with_capacity(self.sections.iter().map(|answer| answer.body.get().len() + 40).sum());
        json.push(b'{');
        for (index, answer) in self.sections.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.push(b'"');
            json.extend_from_slice(answer.name.as_bytes());
            json.extend_from_slice(b"\":");
            json.extend_from_slice(answer.body.get().as_bytes());
        }
        json.push(b'}');
        json
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The request is wrong; the text says what would be right.
    #[error("{0}")]
    BadRequest(String),
    /// Nothing is known of the object; the text says what was asked.
    #[error("{0}")]
    Unknown(String),
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a lookup needs besides the question.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Store,
    /// The policy.
    pub policy: &'a Policy,
    /// Licence and quota.
    pub licence: Licence,
    /// The moment.
    pub now: Timestamp,
}
