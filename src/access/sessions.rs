//! Sessions of people who signed in on the page: a secret in a cookie, the rest here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::AccessError;
use super::database::Database;
use super::secret::{self, Digest256};
use crate::value::Timestamp;

/// The most sessions of a user; the one that was used longest ago goes.
const SESSIONS_MAX: usize = 20;
/// Seconds between two notes of a session's use on disk.
const NOTED_EVERY_S: i64 = 60;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub user: String,
    /// The [`super::User::version`] that the password was verified for.
    pub version: u64,
    /// When.
    pub created: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Lives {
    /// Seconds from signing in.
    pub max_s: i64,
    /// Seconds without use.
    pub idle_s: i64,
}

/// All sessions, by the digest of their secret.
pub struct Sessions {
    lives: Lives,
    kept: Mutex<HashMap<Digest256, (Session, Timestamp)>>,
}

impl Sessions {
    /// The sessions that the database has.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn open(database: &Database, lives: Lives) -> Result<Sessions, AccessError> {
        let kept = database.sessions()?.into_iter();
        let kept = kept.map(|(digest, session)| (digest, (session.clone(), session.seen))).collect();
        Ok(Sessions { lives, kept: Mutex::new(kept) })
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Digest256, (Session, Timestamp)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_live(&self, session: &Session, now: Timestamp) -> bool {
        now.0 < session.created.0 + self.lives.max_s && now.0 < session.seen.0 + self.lives.idle_s
    }

    /// Begins a session; answers with its secret.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn begin(
        &self,
        database: &Database,
        user: &str,
        version: u64,
        now: Timestamp,
    ) -> Result<String, AccessError> {
        let secret = secret::new_secret("")?;
        let session = Session { user: user.to_owned(), version, created: now, seen: now };
        let mut kept = self.kept();
        let of_user = kept.iter().filter(|(_, (session, _))| session.user == user);
        let mut changed = vec![(secret::digest(&secret), Some(session.clone()))];
        if of_user.clone().count() >= SESSIONS_MAX
            && let Some((digest, _)) = of_user.min_by_key(|(_, (session, _))| session.seen)
        {
            changed.push((*digest, None));
        }
        database.remember(&Default::default(), &changed)?;
        for (digest, session) in changed {
            match session {
                Some(session) => kept.insert(digest, (session, now)),
                None => kept.remove(&digest),
            };
        }
        Ok(secret)
    }

    /// The live session with this secret, which is used by that.
    pub fn used(&self, secret: &str, now: Timestamp) -> Option<Session> {
        let mut kept = self.kept();
        let (session, _) = kept.get_mut(&secret::digest(secret))?;
        if !self.is_live(session, now) {
            return None;
        }
        session.seen = session.seen.max(now);
        Some(session.clone())
    }

    /// Ends a session at once.
    ///
    /// # Errors
    ///
    /// When the database cannot be written; it is over for this process all the same.
    pub fn end(&self, database: &Database, secret: &str) -> Result<(), AccessError> {
        let digest = secret::digest(secret);
        self.kept().remove(&digest);
        database.remember(&Default::default(), &[(digest, None)])
    }

    /// What the database does not know yet: uses a minute apart, ends.
    pub fn unnoted(&self, now: Timestamp) -> Vec<(Digest256, Option<Session>)> {
        let mut changed = Vec::new();
        self.kept().retain(|digest, (session, noted)| {
            let is_live = self.is_live(session, now);
            if !is_live {
                changed.push((*digest, None));
            } else if session.seen.0 - noted.0 >= NOTED_EVERY_S {
                *noted = session.seen;
                changed.push((*digest, Some(session.clone())));
            }
            is_live
        });
        changed
    }
}

/// What proves that a request comes from a page of the session: known to whoever has the session's secret.
pub fn csrf(secret: &str) -> String {
    secret::hex(&proof(secret))
}

fn proof(secret: &str) -> Digest256 {
    secret::keyed(b"zonelens: request forgery token ", &[secret])
}

/// That proof as it stands in a page, another in each: so nobody who sees how long compressed pages are learns it.
/// A pad of as many bytes, then the proof's bytes under the pad, in hexadecimal digits.
pub fn masked_csrf(secret: &str) -> String {
    let mut pad = [0_u8; CSRF_BYTES];
    if getrandom::fill(&mut pad).is_err() {
        return csrf(secret);
    }
    let masked: Vec<u8> = pad.iter().copied().chain(xored(&proof(secret), &pad)).collect();
    secret::hex(&masked)
}

/// Whether a text is the proof of a session, masked or not.
pub fn is_csrf(secret: &str, given: &str) -> bool {
    let given = secret::from_hex(given).unwrap_or_default();
    let shown = match given.split_at_checked(CSRF_BYTES) {
        Some((proof, [])) => proof.to_vec(),
        Some((pad, masked)) if masked.len() == CSRF_BYTES => xored(masked, pad),
        _ => return false,
    };
    secret::same(&shown, &proof(secret))
}

/// Bytes of a session's proof.
const CSRF_BYTES: usize = 32;

fn xored(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}
