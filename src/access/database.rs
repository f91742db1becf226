//! The database `<data>/access.redb`: what must survive, in tables.
//!
//! | table | key | value |
//! |---|---|---|
//! | `users`, `groups` | name | the user or group as JSON |
//! | `tokens` | id | the token as JSON, with the digest of its secret |
//! | `used` | id of a token | the minute (since 1970) that it was last used in |
//! | `sessions` | SHA-256 of the session's secret | the session as JSON |
//! | `counts` | day (since 1970), `user:NAME` or `group:NAME` | lookups of that day that may have been made |
//! | `meta` | `version` | changes of users, groups and tokens so far |
//!
//! Any number of processes may have it open ([`redb::ConcurrencyMode::MultiWriter`]), so commands work beside a
//! running service; one writes at a time. Every commit is durable.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use redb::{ConcurrencyMode, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AccessError;
use super::directory::Directory;
use super::secret::Digest256;
use super::sessions::Session;

/// The file's name.
pub const FILE: &str = "access.redb";
/// Memory for pages of the database, in bytes.
const CACHE_BYTES: usize = 4 << 20;
/// Days that counts are kept: a clock that is set back finds them.
const COUNT_DAYS: i64 = 30;

type Json<K> = TableDefinition<'static, K, &'static [u8]>;
const USERS: Json<&str> = TableDefinition::new("users");
const GROUPS: Json<&str> = TableDefinition::new("groups");
const TOKENS: Json<&str> = TableDefinition::new("tokens");
const USED: TableDefinition<&str, i64> = TableDefinition::new("used");
const SESSIONS: Json<&Digest256> = TableDefinition::new("sessions");
const COUNTS: TableDefinition<(i64, &str), u64> = TableDefinition::new("counts");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const VERSION: &str = "version";

/// The open database.
pub struct Database {
    inner: redb::Database,
}

/// Makes one error of the many that redb has.
fn failed(error: impl Into<redb::Error>) -> AccessError {
    AccessError::Failed(format!("{FILE}: {}", error.into()))
}

impl Database {
    /// Opens the database of a data folder, which is made where there is none, readable by its owner only.
    ///
    /// # Errors
    ///
    /// What the file system says; damage.
    pub fn open(folder: &Path) -> Result<Database, AccessError> {
        let path = folder.join(FILE);
        let named = |error: String| AccessError::Failed(format!("{}: {error}", path.display()));
        // Made here, since redb asks for no mode.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| named(format!("{error}; the data folder must be writable")))?;
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_concurrency_mode(ConcurrencyMode::MultiWriter);
        let inner = builder.create(&path).map_err(|error| named(error.to_string()))?;
        Ok(Database { inner })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let transaction = self.inner.begin_write().map_err(failed)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// How often users, groups or tokens were changed.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn version(&self) -> Result<u64, AccessError> {
        let transaction = self.inner.begin_read().map_err(failed)?;
        match transaction.open_table(META) {
            Ok(meta) => Ok(meta.get(VERSION).map_err(failed)?.map_or(0, |version| version.value())),
            Err(TableError::TableDoesNotExist(_)) => Ok(0),
            Err(error) => Err(failed(error)),
        }
    }

    /// All users, groups and tokens.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn directory(&self) -> Result<Directory, AccessError> {
        // Of one moment: each table is read in the same transaction.
        let transaction = self.inner.begin_read().map_err(failed)?;
        let version = match transaction.open_table(META) {
            Ok(meta) => meta.get(VERSION).map_err(failed)?.map_or(0, |version| version.value()),
            Err(TableError::TableDoesNotExist(_)) => return Ok(Directory::default()),
            Err(error) => return Err(failed(error)),
        };
        let table = |definition| transaction.open_table(definition).map_err(failed);
        let (users, groups) = (read_all(&table(USERS)?)?, read_all(&table(GROUPS)?)?);
        Ok(Directory::new(version, users, groups, read_all(&table(TOKENS)?)?))
    }

    /// Changes users, groups and tokens: what the work leaves behind is kept, or nothing where it fails.
    ///
    /// # Errors
    ///
    /// The work's; as [`Database::open`].
    pub fn change<T>(
        &self,
        work: impl FnOnce(&mut Directory) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        self.write(|transaction| {
            let mut meta = transaction.open_table(META).map_err(failed)?;
            let mut users = transaction.open_table(USERS).map_err(failed)?;
            let mut groups = transaction.open_table(GROUPS).map_err(failed)?;
            let mut tokens = transaction.open_table(TOKENS).map_err(failed)?;
            let mut used = transaction.open_table(USED).map_err(failed)?;
            let version = meta.get(VERSION).map_err(failed)?.map_or(0, |version| version.value()) + 1;
            let before = Directory::new(version, read_all(&users)?, read_all(&groups)?, read_all(&tokens)?);
            let mut after = before.clone();
            let done = work(&mut after)?;
            write_changed(&mut users, &before.users, &after.users)?;
            write_changed(&mut groups, &before.groups, &after.groups)?;
            write_changed(&mut tokens, &before.tokens, &after.tokens)?;
            used.retain(|id, _| after.tokens.contains_key(id)).map_err(failed)?;
            meta.insert(VERSION, version).map_err(failed)?;
            Ok(done)
        })
    }

    /// The minutes that tokens were last used in.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn used(&self) -> Result<BTreeMap<String, i64>, AccessError> {
        let transaction = self.inner.begin_read().map_err(failed)?;
        let table = match transaction.open_table(USED) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
            table => table.map_err(failed)?,
        };
        let mut all = BTreeMap::new();
        for row in table.iter().map_err(failed)? {
            let (id, minute) = row.map_err(failed)?;
            all.insert(id.value().to_owned(), minute.value());
        }
        Ok(all)
    }

    /// Remembers the minutes that tokens were last used in, and sessions that went on or ended.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn remember(
        &self,
        used: &BTreeMap<String, i64>,
        sessions: &[(Digest256, Option<Session>)],
    ) -> Result<(), AccessError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(USED).map_err(failed)?;
            for (id, minute) in used {
                table.insert(id.as_str(), minute).map_err(failed)?;
            }
            let mut table = transaction.open_table(SESSIONS).map_err(failed)?;
            for (digest, session) in sessions {
                match session {
                    Some(session) => table.insert(digest, &*json(session)).map_err(failed)?,
                    None => table.remove(digest).map_err(failed)?,
                };
            }
            Ok(())
        })
    }

    /// All sessions, also those that are over.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn sessions(&self) -> Result<Vec<(Digest256, Session)>, AccessError> {
        let transaction = self.inner.begin_read().map_err(failed)?;
        let table = match transaction.open_table(SESSIONS) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            table => table.map_err(failed)?,
        };
        let mut all = Vec::new();
        for row in table.iter().map_err(failed)? {
            let (digest, session) = row.map_err(failed)?;
            all.push((*digest.value(), parse(session.value())?));
        }
        Ok(all)
    }

    /// Reserves that many lookups of a day, durably; answers with how many of that day were reserved before.
    /// Counts of days long past go.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn reserve(&self, day: i64, subject: &str, block: u64) -> Result<u64, AccessError> {
        self.write(|transaction| {
            let mut counts = transaction.open_table(COUNTS).map_err(failed)?;
            let before = counts.get((day, subject)).map_err(failed)?.map_or(0, |count| count.value());
            counts.insert((day, subject), before + block).map_err(failed)?;
            counts.retain_in(..(day - COUNT_DAYS, ""), |_, _| false).map_err(failed)?;
            Ok(before)
        })
    }

    /// Gives back what was reserved and not made: (day, subject, how many).
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn give_back(&self, unused: &[(i64, String, u64)]) -> Result<(), AccessError> {
        self.write(|transaction| {
            let mut counts = transaction.open_table(COUNTS).map_err(failed)?;
            for (day, subject, unused) in unused {
                let key = (*day, subject.as_str());
                let count = counts.get(key).map_err(failed)?.map_or(0, |count| count.value());
                counts.insert(key, count.saturating_sub(*unused)).map_err(failed)?;
            }
            Ok(())
        })
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and lists")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AccessError> {
    serde_json::from_slice(bytes)
        .map_err(|error| AccessError::Failed(format!("{FILE} is damaged, restore it from a backup: {error}")))
}

fn read_all<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<BTreeMap<String, Arc<T>>, AccessError> {
    let mut all = BTreeMap::new();
    for row in table.iter().map_err(failed)? {
        let (name, value) = row.map_err(failed)?;
        all.insert(name.value().to_owned(), Arc::new(parse(value.value())?));
    }
    Ok(all)
}

fn write_changed<T: Serialize + PartialEq>(
    table: &mut redb::Table<'_, &'static str, &'static [u8]>,
    before: &BTreeMap<String, Arc<T>>,
    after: &BTreeMap<String, Arc<T>>,
) -> Result<(), AccessError> {
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        table.remove(name.as_str()).map_err(failed)?;
    }
    for (name, value) in after.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
        table.insert(name.as_str(), &*json(value.as_ref())).map_err(failed)?;
    }
    Ok(())
}
