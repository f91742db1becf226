//! Users, groups and tokens: what they are, and what can be wanted of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AccessError;
use super::role::{Role, Scope};
use crate::value::{Timestamp, Tlp};

/// How much may be asked. Each is optional.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Lookups a day (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_quota: Option<u64>,
    /// Requests a second, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// Requests at once, before that average holds; without it as many as come in a second, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), AccessError> {
        let wrong = |text: &str| Err(AccessError::Wrong(text.to_owned()));
        if self.per_second.is_some_and(|rate| !(0.001..=1e6).contains(&rate)) {
            return wrong("per_second is out of range: use 0.001 to 1000000");
        }
        if self.burst == Some(0) || (self.burst.is_some() && self.per_second.is_none()) {
            return wrong("burst is 1 or more, and needs per_second");
        }
        Ok(())
    }
}

/// Who may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The name: lower-case letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The group whose limits it shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The highest TLP that it may see named.
    pub clearance: Tlp,
    /// Its own limits.
    #[serde(flatten)]
    pub limits: Limits,
    /// Whether it is locked out.
    #[serde(default)]
    pub disabled: bool,
    /// Argon2id, as a PHC string; without it there are tokens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The change of the directory that last concerned what it proves itself by: what was verified before does
    /// not hold any more.
    pub version: u64,
    /// When it was added.
    pub created: Timestamp,
}

/// Users with limits in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// The name, as a user's.
    pub name: String,
    /// What its users may ask together.
    #[serde(flatten)]
    pub limits: Limits,
}

/// A token of a user; the secret itself is not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What it is called by in lists: eight hex digits.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// SHA-256 of the secret, hex.
    pub digest: String,
    /// What it may be used for, within what the user may.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it still opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }

    /// `live`, `revoked` or `expired`.
    pub fn status(&self, now: Timestamp) -> &'static str {
        match self.revoked {
            Some(_) => "revoked",
            None if now < self.expires => "live",
            None => "expired",
        }
    }
}

/// A token that is wanted.
pub struct NewToken {
    /// Whose.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// How long it lives, in days, 1 to [`super::directory::TOKEN_DAYS_MAX`].
    pub days: i64,
}

/// What is to be changed of a user: what is not there stays, `null` takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// The role.
    pub role: Option<Role>,
    /// The group.
    #[serde(default, deserialize_with = "given")]
    pub group: Option<Option<String>>,
    /// The clearance.
    pub clearance: Option<Tlp>,
    /// Lookups a day.
    #[serde(default, deserialize_with = "given")]
    pub day_quota: Option<Option<u64>>,
    /// Requests a second.
    #[serde(default, deserialize_with = "given")]
    pub per_second: Option<Option<f64>>,
    /// Requests at once.
    #[serde(default, deserialize_with = "given")]
    pub burst: Option<Option<u32>>,
    /// Whether it is locked out.
    pub disabled: Option<bool>,
    /// A new password.
    pub password: Option<String>,
}

/// Tells `null` from a field that is not there.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_tells_null_from_nothing() {
        let change: UserChange = serde_json::from_str(r#"{"group":null,"day_quota":5}"#).unwrap();
        assert_eq!((change.group, change.day_quota, change.burst), (Some(None), Some(Some(5)), None));
        assert!(serde_json::from_str::<UserChange>(r#"{"name":"x"}"#).is_err());
    }
}
