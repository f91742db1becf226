//! Who may do what: users, tokens, sessions, limits and the audit.
//!
//! [`Access`] is what a service holds; commands change the same [`database`] beside it. It knows no HTTP: it is
//! given a [`Credential`] and an address and answers with an [`Identity`], or with how it was denied.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::lookup::Licence;
use crate::value::Timestamp;

// What is kept.
pub mod audit; // who did what
pub mod database; // the tables
pub mod directory; // users, groups, tokens
pub mod listed; // these as lists show them
pub mod user; // what they are

// What is judged.
mod attempts; // failures to sign in
mod caller; // who asks
mod limits; // quotas and rates
pub mod role; // the table of roles and capabilities
pub mod secret; // how secrets are made, kept and compared
pub mod sessions; // people who signed in on the page

pub use caller::{Caller, Credential, Denied, Identity, Via};

use attempts::Attempts;
use database::Database;
use directory::Directory;
use limits::{Buckets, Counters};
use role::{Role, Scope, granted};
use secret::{Digest256, TOKEN_PREFIX};
use sessions::{Lives, Sessions};
use user::{Limits, Token, User, UserChange};

/// How old what is known of users may be before the database is asked for changes.
const CHECK_EVERY: Duration = Duration::from_millis(200);
/// Verified passwords that are remembered; of more, all are verified again.
const VERIFIED_MAX: usize = 10_000;
/// How long the token for setting up the first admin is good.
const SETUP_S: i64 = 3600;
/// How such tokens begin.
const SETUP_PREFIX: &str = "zlsetup_";
/// The name of whoever asks where nobody has to say who.
pub const ANONYMOUS: &str = "anonymous";

/// Why something about users was not done. The text ends with what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It was asked for wrongly.
    #[error("{0}")]
    Wrong(String),
    /// There is no such thing.
    #[error("{0}")]
    Nothing(String),
    /// The database cannot be read or written.
    #[error("{0}")]
    Failed(String),
}

/// Why a request has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The day's quota is used up.
    Quota(u64),
    /// Too many requests a second.
    Rate(Duration),
    /// The count cannot be kept.
    Failed(String),
}

/// What a service knows of who may do what.
pub struct Access {
    /// Whether everybody has to say who they are.
    pub is_on: bool,
    database: Arc<Database>,
    directory: Mutex<(Arc<Directory>, Option<Instant>)>,
    sessions: Sessions,
    /// The key that verified passwords are remembered under.
    key: [u8; 32],
    /// Digest of name and password to the user's version.
    verified: Mutex<HashMap<Digest256, (String, u64)>>,
    attempts: Attempts,
    counters: Counters,
    buckets: Buckets,
    /// Minutes that tokens were used in, and those the database does not know.
    used: Mutex<Used>,
    setup: Mutex<Option<(Digest256, Timestamp)>>,
}

#[derive(Default)]
struct Used {
    all: BTreeMap<String, i64>,
    unnoted: BTreeMap<String, i64>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Access {
    /// Opens what a data folder has of users. `is_on` says, by whether there are users, whether everybody has to
    /// say who they are.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened.
    pub fn open(
        folder: &Path,
        lives: Lives,
        is_on: impl FnOnce(bool) -> bool,
    ) -> Result<Access, AccessError> {
        let database = Arc::new(Database::open(folder)?);
        let directory = Arc::new(database.directory()?);
        let is_on = is_on(!directory.users.is_empty());
        let sessions = Sessions::open(&database, lives)?;
        let counters = Counters::start(database.clone());
        let counters = counters.map_err(|error| AccessError::Failed(format!("no thread: {error}")))?;
        let used = Used { all: database.used()?, ..Used::default() };
        Ok(Access {
            is_on,
            directory: Mutex::new((directory, None)),
            sessions,
            key: secret::random()?,
            verified: Mutex::default(),
            attempts: Attempts::default(),
            counters,
            buckets: Buckets::default(),
            used: Mutex::new(used),
            setup: Mutex::default(),
            database,
        })
    }

    /// All users, groups and tokens: at most 200 ms behind the database.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn directory(&self) -> Result<Arc<Directory>, AccessError> {
        let mut known = locked(&self.directory);
        if known.1.is_none_or(|checked| checked.elapsed() >= CHECK_EVERY) {
            if self.database.version()? != known.0.version {
                known.0 = Arc::new(self.database.directory()?);
            }
            known.1 = Some(Instant::now());
        }
        Ok(known.0.clone())
    }

    /// Changes users, groups or tokens; the next request knows.
    ///
    /// # Errors
    ///
    /// The work's; when the database cannot be written.
    pub fn change<T>(
        &self,
        work: impl FnOnce(&mut Directory) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let done = self.database.change(work)?;
        locked(&self.directory).1 = None;
        Ok(done)
    }

    //--- Who somebody is

    /// Who has a credential, where that can be told without verifying a password; `None`: see [`Access::verify`].
    ///
    /// # Errors
    ///
    /// Why it opens nothing.
    pub fn recognise(
        &self,
        credential: &Credential,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<Identity>, Denied> {
        let directory = self.directory().map_err(|error| Denied::Failed(error.to_string()))?;
        match credential {
            Credential::Token(secret) => self.by_token(&directory, secret, None, address, now).map(Some),
            Credential::Basic { user, secret } if secret.starts_with(TOKEN_PREFIX) => {
                self.by_token(&directory, secret, Some(user), address, now).map(Some)
            }
            Credential::Session(secret) => {
                let session = self.sessions.used(secret, now);
                let user = session.and_then(|session| {
                    let user = directory.users.get(&session.user)?;
                    (user.version == session.version && !user.disabled).then_some(user)
                });
                let user =
                    user.ok_or_else(|| Denied::Wrong("the session is over: sign in again".to_owned()))?;
                Ok(Some(identity(&directory, user, None, Via::Session(secret.clone()))))
            }
            Credential::Basic { user, secret } => {
                let digest = secret::keyed(&self.key, &[user, secret]);
                let known = locked(&self.verified).get(&digest).cloned();
                let user = known.and_then(|(name, version)| {
                    let user = directory.users.get(&name)?;
                    (user.version == version && !user.disabled).then_some(user)
                });
                Ok(user.map(|user| identity(&directory, user, None, Via::Password)))
            }
        }
    }

    fn by_token(
        &self,
        directory: &Directory,
        secret: &str,
        name: Option<&String>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Identity, Denied> {
        let denied = |why: &str| {
            self.attempts.failed(None, address, Instant::now());
            Err(Denied::Wrong(why.to_owned()))
        };
        let token = directory.token(secret).filter(|token| name.is_none_or(|name| *name == token.user));
        let Some(token) = token else {
            // Guesses cannot succeed; they wait all the same, so that they cost little.
            if let Some(wait) = self.attempts.wait(None, address, Instant::now()) {
                return Err(Denied::Later(wait));
            }
            return denied("the token is unknown: check how it was copied, or ask an admin for another");
        };
        let user = directory.users.get(&token.user).filter(|user| !user.disabled);
        let Some(user) = user else { return denied("the token's user is disabled: ask an admin") };
        match token.status(now) {
            "live" => {}
            "expired" => return denied("the token is expired: ask for another"),
            _ => return denied("the token is revoked: ask for another"),
        }
        let minute = now.0.div_euclid(60);
        let mut used = locked(&self.used);
        if used.all.get(&token.id) != Some(&minute) {
            used.all.insert(token.id.clone(), minute);
            used.unnoted.insert(token.id.clone(), minute);
        }
        Ok(identity(directory, user, Some(token.clone()), Via::Token))
    }

    /// Verifies a password, which takes tens of milliseconds and 19 MiB. Unknown names cost the same.
    ///
    /// # Errors
    ///
    /// Why it opens nothing.
    pub fn verify(&self, name: &str, password: &str, address: IpAddr) -> Result<Identity, Denied> {
        if let Some(wait) = self.attempts.wait(Some(name), address, Instant::now()) {
            return Err(Denied::Later(wait));
        }
        let directory = self.directory().map_err(|error| Denied::Failed(error.to_string()))?;
        let user = directory.users.get(name);
        let kept = user.and_then(|user| user.password.as_deref());
        let is_right = secret::verify_password(password, kept);
        let Some(user) = user.filter(|user| is_right && !user.disabled) else {
            self.attempts.failed(Some(name), address, Instant::now());
            return Err(Denied::Wrong("name or password is wrong: try again, or ask an admin".to_owned()));
        };
        self.attempts.proved(name);
        let mut verified = locked(&self.verified);
        if verified.len() >= VERIFIED_MAX {
            verified.clear();
        }
        verified.insert(secret::keyed(&self.key, &[name, password]), (name.to_owned(), user.version));
        Ok(identity(&directory, user, None, Via::Password))
    }

    /// Begins a session of somebody who has just proved who they are; answers with its secret.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn begin_session(&self, user: &User, now: Timestamp) -> Result<String, AccessError> {
        self.sessions.begin(&self.database, &user.name, user.version, now)
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn end_session(&self, secret: &str) -> Result<(), AccessError> {
        self.sessions.end(&self.database, secret)
    }

    /// When a token was last used, to the minute.
    pub fn last_used(&self, id: &str) -> Option<Timestamp> {
        locked(&self.used).all.get(id).map(|minute| Timestamp(minute * 60))
    }

    //--- The first admin

    /// A token by which the first admin can be made, once, within an hour; `None` where there is a user or nobody
    /// has to say who they are.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn begin_setup(&self, now: Timestamp) -> Result<Option<String>, AccessError> {
        if !self.is_on || !self.directory()?.users.is_empty() {
            return Ok(None);
        }
        let secret = secret::new_secret(SETUP_PREFIX)?;
        *locked(&self.setup) = Some((secret::digest(&secret), Timestamp(now.0 + SETUP_S)));
        Ok(Some(secret))
    }

    /// Makes the first admin for whoever has the token of [`Access::begin_setup`].
    ///
    /// # Errors
    ///
    /// [`Denied`] inside where the token is not the one; what is wrong with name or password.
    pub fn set_up(
        &self,
        token: &str,
        name: &str,
        password: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Result<(), AccessError>, Denied> {
        if let Some(wait) = self.attempts.wait(None, address, Instant::now()) {
            return Err(Denied::Later(wait));
        }
        let mut setup = locked(&self.setup);
        let is_right = setup
            .as_ref()
            .is_some_and(|(digest, until)| secret::same(digest, &secret::digest(token)) && now < *until);
        if !is_right {
            self.attempts.failed(None, address, Instant::now());
            let why = "this token makes no admin: it is wrong, used or older than an hour; restart the service for \
                       another, or use `zonelens user add` on its machine";
            return Err(Denied::Wrong(why.to_owned()));
        }
        let done = self.change(|directory| {
            if !directory.users.is_empty() {
                return Err(AccessError::Wrong("there are users already: ask an admin".to_owned()));
            }
            directory.add_user(name, Role::Admin, now)?;
            let password = Some(password.to_owned());
            directory.change_user(name, UserChange { password, ..Default::default() })
        });
        if done.is_ok() {
            *setup = None;
        }
        Ok(done)
    }

    //--- How much

    /// Takes a request in, and counts so many lookups: sets [`Caller::licence`].
    ///
    /// # Errors
    ///
    /// Why it has to wait; then nothing is counted.
    pub fn admit(&self, caller: &mut Caller, lookups: u64, now: Timestamp) -> Result<(), Refused> {
        let (subjects, day) = (caller.subjects(), now.day());
        let today: Vec<u64> = subjects.iter().map(|(subject, _)| self.counters.today(day, subject)).collect();
        show(&mut caller.licence, &subjects, &today);
        let instant = Instant::now();
        for (subject, limits) in &subjects {
            self.buckets.take(subject, limits, instant).map_err(Refused::Rate)?;
        }
        self.count(caller, lookups, now)
    }

    /// Counts lookups of a request that was admitted: sets [`Caller::licence`].
    ///
    /// # Errors
    ///
    /// Why they have to wait; then none is counted.
    pub fn count(&self, caller: &mut Caller, lookups: u64, now: Timestamp) -> Result<(), Refused> {
        if lookups == 0 {
            return Ok(());
        }
        let (subjects, day) = (caller.subjects(), now.day());
        let mut counts = Vec::with_capacity(subjects.len());
        for (position, (subject, limits)) in subjects.iter().enumerate() {
            let refused = match self.counters.take(day, subject, lookups, limits.day_quota) {
                Ok(Ok(count)) => {
                    counts.push(count);
                    continue;
                }
                Ok(Err(count)) => {
                    show(&mut caller.licence, &subjects[position..=position], &[count]);
                    Refused::Quota(caller.licence.day_quota)
                }
                Err(error) => Refused::Failed(error.to_string()),
            };
            for (taken, _) in &subjects[..position] {
                self.counters.forget(day, taken, lookups);
            }
            return Err(refused);
        }
        show(&mut caller.licence, &subjects, &counts);
        Ok(())
    }

    /// Takes back lookups that were not answered.
    pub fn forget(&self, caller: &mut Caller, lookups: u64, now: Timestamp) {
        for (subject, _) in caller.subjects() {
            self.counters.forget(now.day(), &subject, lookups);
        }
        caller.licence.day_requests = caller.licence.day_requests.saturating_sub(lookups);
    }

    //--- Upkeep

    /// Writes what is not on disk yet: when tokens were used, sessions that went on or ended. For every few seconds.
    pub fn keep(&self, now: Timestamp) {
        let used = std::mem::take(&mut locked(&self.used).unnoted);
        let sessions = self.sessions.unnoted(now);
        if used.is_empty() && sessions.is_empty() {
            return;
        }
        if let Err(error) = self.database.remember(&used, &sessions) {
            tracing::warn!(%error, "when tokens and sessions were used is not kept");
        }
    }

    /// Writes what is left: the end of the service.
    pub fn close(&mut self, now: Timestamp) {
        self.keep(now);
        if let Err(error) = self.counters.close() {
            tracing::warn!(%error, "counts of today go on up to {} further", limits::AHEAD_MAX);
        }
    }
}

/// Shows in a licence, of user and group, the quota of which less is left.
fn show(licence: &mut Licence, subjects: &[(String, Limits)], counts: &[u64]) {
    let none = Licence::default().day_quota;
    let quotas = subjects.iter().map(|(_, limits)| limits.day_quota.unwrap_or(none));
    let least = quotas.zip(counts).min_by_key(|(quota, count)| quota.saturating_sub(**count));
    if let Some((quota, count)) = least {
        (licence.day_quota, licence.day_requests) = (quota, *count);
    }
}

fn identity(directory: &Directory, user: &Arc<User>, token: Option<Arc<Token>>, via: Via) -> Identity {
    let group = user.group.as_ref().and_then(|group| directory.groups.get(group)).cloned();
    Identity { user: user.clone(), group, token, via }
}

/// The scopes of which somebody may anything, for tokens that may all that they may.
pub fn scopes_of(role: Role) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|scope| !granted(role, Some(&[*scope])).is_empty()).collect()
}
