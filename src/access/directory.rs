//! All users, groups and tokens, and what may be changed about them.
//!
//! A [`Directory`] is what there is at one moment, in memory. It is changed as a whole by a function on it, and the
//! database keeps what differs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::AccessError;
use super::role::Role;
use super::secret::{self, Digest256, TOKEN_PREFIX};
use super::user::{Group, Limits, NewToken, Token, User, UserChange};
use crate::value::{DAY_S, Timestamp, Tlp};

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest life of a token, in days.
pub const TOKEN_DAYS_MAX: i64 = 365;
/// The most tokens of a user that are neither revoked nor expired.
pub const TOKENS_MAX: usize = 100;
/// Days that a token is listed after its end.
const ENDED_DAYS: i64 = 30;

/// All users, groups and tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    /// Counts changes; never goes back, so a version is never that of another user of the same name.
    pub version: u64,
    /// By name.
    pub users: BTreeMap<String, Arc<User>>,
    /// By name.
    pub groups: BTreeMap<String, Arc<Group>>,
    /// By id.
    pub tokens: BTreeMap<String, Arc<Token>>,
    /// Token by digest.
    by_digest: HashMap<Digest256, Arc<Token>>,
}

impl Directory {
    /// A directory of these.
    pub fn new(
        version: u64,
        users: BTreeMap<String, Arc<User>>,
        groups: BTreeMap<String, Arc<Group>>,
        tokens: BTreeMap<String, Arc<Token>>,
    ) -> Directory {
        let digest =
            |token: &Token| -> Option<Digest256> { secret::from_hex(&token.digest)?.try_into().ok() };
        let found = tokens.values().filter_map(|token| Some((digest(token)?, token.clone())));
        Directory { version, by_digest: found.collect(), users, groups, tokens }
    }

    /// The token with this secret, live or not.
    pub fn token(&self, secret: &str) -> Option<&Arc<Token>> {
        let digest = secret::digest(secret);
        let (kept, token) = self.by_digest.get_key_value(&digest)?;
        secret::same(kept, &digest).then_some(token)
    }

    /// A user by name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn user(&self, name: &str) -> Result<&Arc<User>, AccessError> {
        self.users.get(name).ok_or_else(|| {
            AccessError::Nothing(format!("there is no user {name:?}: `zonelens user list` has them"))
        })
    }

    /// Adds a user that can do nothing until it has a password or a token.
    ///
    /// # Errors
    ///
    /// When the name is not one, or taken.
    pub fn add_user(&mut self, name: &str, role: Role, now: Timestamp) -> Result<(), AccessError> {
        check_name("user", name)?;
        if self.users.contains_key(name) {
            return Err(AccessError::Wrong(format!("there is a user {name:?} already: use another name")));
        }
        let clearance = if role == Role::ReadOnly { Tlp::Green } else { Tlp::AmberStrict };
        let user = User {
            name: name.to_owned(),
            role,
            group: None,
            clearance,
            limits: Limits::default(),
            disabled: false,
            password: None,
            version: self.version,
            created: now,
        };
        self.users.insert(name.to_owned(), Arc::new(user));
        Ok(())
    }

    /// Changes a user. A new password, role or lock ends its sessions and what was verified of it.
    ///
    /// # Errors
    ///
    /// When there is no such user or group, a value is wrong, or no admin would be left.
    pub fn change_user(&mut self, name: &str, change: UserChange) -> Result<(), AccessError> {
        let mut user = User::clone(self.user(name)?);
        if let Some(Some(group)) = &change.group
            && !self.groups.contains_key(group)
        {
            return Err(AccessError::Wrong(format!(
                "there is no group {group:?}: make it with `zonelens group set {group}` first"
            )));
        }
        if change.role.is_some() || change.disabled.is_some() || change.password.is_some() {
            user.version = self.version;
        }
        fn put<T>(field: &mut T, new: Option<T>) {
            if let Some(new) = new {
                *field = new;
            }
        }
        put(&mut user.role, change.role);
        put(&mut user.group, change.group);
        put(&mut user.clearance, change.clearance);
        put(&mut user.limits.day_quota, change.day_quota);
        put(&mut user.limits.per_second, change.per_second);
        put(&mut user.limits.burst, change.burst);
        put(&mut user.disabled, change.disabled);
        if let Some(password) = &change.password {
            user.password = Some(secret::hash_password(password)?);
        }
        user.limits.check()?;
        let had_admin = self.has_admin();
        self.users.insert(name.to_owned(), Arc::new(user));
        self.check_admin(had_admin)
    }

    /// Removes a user and its tokens.
    ///
    /// # Errors
    ///
    /// When there is no such user, or no admin would be left.
    pub fn remove_user(&mut self, name: &str) -> Result<(), AccessError> {
        self.user(name)?;
        let had_admin = self.has_admin();
        self.users.remove(name);
        self.tokens.retain(|_, token| token.user != name);
        self.check_admin(had_admin)
    }

    /// Whether somebody may manage users.
    pub fn has_admin(&self) -> bool {
        self.users.values().any(|user| user.role == Role::Admin && !user.disabled)
    }

    /// Whoever made the last admin harmless could not undo it over HTTP.
    fn check_admin(&self, had_admin: bool) -> Result<(), AccessError> {
        if !had_admin || self.has_admin() {
            return Ok(());
        }
        Err(AccessError::Wrong("no admin would be left: make another user an admin first".to_owned()))
    }

    /// Adds a group, or changes its limits.
    ///
    /// # Errors
    ///
    /// When the name or a limit is wrong.
    pub fn set_group(&mut self, name: &str, limits: Limits) -> Result<(), AccessError> {
        check_name("group", name)?;
        limits.check()?;
        self.groups.insert(name.to_owned(), Arc::new(Group { name: name.to_owned(), limits }));
        Ok(())
    }

    /// Removes a group that nobody is in.
    ///
    /// # Errors
    ///
    /// When there is no such group, or somebody is in it.
    pub fn remove_group(&mut self, name: &str) -> Result<(), AccessError> {
        if let Some(user) = self.users.values().find(|user| user.group.as_deref() == Some(name)) {
            let user = &user.name;
            return Err(AccessError::Wrong(format!("{user:?} is in the group {name:?}: take it out first")));
        }
        let gone = self.groups.remove(name);
        gone.map(drop).ok_or_else(|| AccessError::Nothing(format!("there is no group {name:?}")))
    }

    /// Makes a token; answers with it and with its secret, which nobody can see again.
    ///
    /// # Errors
    ///
    /// When there is no such user, or a value is wrong.
    pub fn create_token(
        &mut self,
        wanted: &NewToken,
        now: Timestamp,
    ) -> Result<(Arc<Token>, String), AccessError> {
        let wrong = |text: String| Err(AccessError::Wrong(text));
        let user = self.user(&wanted.user)?.clone();
        check_label(&wanted.name)?;
        if !(1..=TOKEN_DAYS_MAX).contains(&wanted.days) {
            return wrong(format!("a token of {} days: use 1 to {TOKEN_DAYS_MAX}", wanted.days));
        }
        let mut scopes = wanted.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return wrong(
                "a token without a scope opens nothing: name lookup, write, ingest or admin".to_owned(),
            );
        }
        if let Some(scope) =
            scopes.iter().find(|scope| super::role::granted(user.role, Some(&[**scope])).is_empty())
        {
            let (name, role) = (&user.name, user.role);
            return wrong(format!("{name:?} is {role} and may nothing of the scope {scope}: leave it out"));
        }
        self.tokens.retain(|_, token| {
            now.0 < token.revoked.unwrap_or(token.expires).min(token.expires).0 + ENDED_DAYS * DAY_S
        });
        if self.tokens.values().filter(|token| token.user == user.name && token.is_live(now)).count()
            >= TOKENS_MAX
        {
            return wrong(format!("{:?} has {TOKENS_MAX} tokens already: revoke some", user.name));
        }
        let secret = secret::new_secret(TOKEN_PREFIX)?;
        let id = loop {
            let id = secret::hex(&secret::random()?[..4]);
            if !self.tokens.contains_key(&id) {
                break id;
            }
        };
        let token = Arc::new(Token {
            id: id.clone(),
            name: wanted.name.clone(),
            user: user.name.clone(),
            digest: secret::hex(&secret::digest(&secret)),
            scopes,
            created: now,
            expires: Timestamp(now.0 + wanted.days * DAY_S),
            revoked: None,
        });
        self.tokens.insert(id, token.clone());
        Ok((token, secret))
    }

    /// Ends a token, at once and for good. Ending it again changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such token.
    pub fn revoke_token(&mut self, id: &str, now: Timestamp) -> Result<Arc<Token>, AccessError> {
        let token = self.tokens.get(id).ok_or_else(|| {
            AccessError::Nothing(format!("there is no token {id:?}: `zonelens token list` has them"))
        })?;
        let mut token = Token::clone(token);
        token.revoked = token.revoked.or(Some(now));
        let token = Arc::new(token);
        self.tokens.insert(id.to_owned(), token.clone());
        Ok(token)
    }
}

/// Whether a name can stand in a header, a log and an address as it is.
fn check_name(what: &str, name: &str) -> Result<(), AccessError> {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_right) {
        return Err(AccessError::Wrong(format!(
            "{name:?} is no name of a {what}: use 1 to {NAME_BYTES_MAX} lower-case letters, digits or . _ - @"
        )));
    }
    Ok(())
}

/// Whether a text can stand in a list as it is.
fn check_label(label: &str) -> Result<(), AccessError> {
    if label.trim().is_empty() || label.len() > NAME_BYTES_MAX || label.chars().any(char::is_control) {
        return Err(AccessError::Wrong(format!(
            "{label:?} says not what the token is for: use 1 to {NAME_BYTES_MAX} bytes of text"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::role::Scope;
    use super::*;

    const NOW: Timestamp = Timestamp(1_717_243_200);

    fn directory() -> Directory {
        let mut directory = Directory { version: 1, ..Directory::default() };
        directory.add_user("root", Role::Admin, NOW).unwrap();
        directory.add_user("ann@soc.example", Role::Analyst, NOW).unwrap();
        directory
    }

    fn wanted(scopes: &[Scope], days: i64) -> NewToken {
        NewToken { user: "ann@soc.example".into(), name: "laptop".into(), scopes: scopes.to_vec(), days }
    }

    #[test]
    fn names_are_safe_wherever_they_are_shown() {
        let mut directory = directory();
        for name in ["", "Ann", "a:b", "a b", "a\n", "ä", &"a".repeat(65), "root"] {
            assert!(directory.add_user(name, Role::Analyst, NOW).is_err(), "{name:?}");
        }
        assert_eq!(directory.users["ann@soc.example"].clearance, Tlp::AmberStrict);
        directory.add_user("r", Role::ReadOnly, NOW).unwrap();
        assert_eq!(directory.users["r"].clearance, Tlp::Green);
    }

    #[test]
    fn an_admin_is_always_left() {
        let mut directory = directory();
        let demote = UserChange { role: Some(Role::Analyst), ..UserChange::default() };
        let disable = UserChange { disabled: Some(true), ..UserChange::default() };
        assert!(directory.clone().change_user("root", demote.clone()).is_err());
        assert!(directory.clone().change_user("root", disable).is_err());
        assert!(directory.clone().remove_user("root").is_err());
        let promote = UserChange { role: Some(Role::Admin), ..UserChange::default() };
        directory.change_user("ann@soc.example", promote).unwrap();
        directory.change_user("root", demote).unwrap();
    }

    #[test]
    fn tokens_end() {
        let mut directory = directory();
        for wrong in [
            wanted(&[Scope::Lookup], 0),
            wanted(&[Scope::Lookup], 366),
            wanted(&[], 1),
            wanted(&[Scope::Admin], 1),
        ] {
            assert!(directory.create_token(&wrong, NOW).is_err());
        }
        let (token, secret) =
            directory.create_token(&wanted(&[Scope::Write, Scope::Lookup, Scope::Write], 2), NOW).unwrap();
        assert_eq!(token.scopes, [Scope::Lookup, Scope::Write]);
        let Directory { version, users, groups, tokens, .. } = directory;
        let mut directory = Directory::new(version, users, groups, tokens);
        assert_eq!(directory.token(&secret).unwrap().id, token.id);
        assert!(directory.token("zl_0").is_none());
        assert!(
            token.is_live(Timestamp(NOW.0 + 2 * DAY_S - 1)) && !token.is_live(Timestamp(NOW.0 + 2 * DAY_S))
        );
        directory.revoke_token(&token.id, NOW).unwrap();
        let again = directory.revoke_token(&token.id, Timestamp(NOW.0 + 9)).unwrap();
        assert_eq!((again.status(NOW), again.revoked), ("revoked", Some(NOW)));
        directory.remove_user("ann@soc.example").unwrap();
        assert!(directory.tokens.is_empty());
    }
}
