//! Users and tokens as lists show them: without what nobody needs to see.

use serde::Serialize;
use utoipa::ToSchema;

use super::role::{Role, Scope};
use super::user::{Limits, Token, User};
use crate::value::{Timestamp, Tlp};

/// A user as lists show it.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserRow<'a> {
    /// The name.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// The group whose limits it shares.
    pub group: Option<&'a str>,
    /// The highest TLP that it may see named.
    pub clearance: Tlp,
    /// Its own limits.
    #[serde(flatten)]
    pub limits: Limits,
    /// Whether it is locked out.
    pub disabled: bool,
    /// Whether it can sign in by password.
    pub has_password: bool,
    /// When it was added.
    pub created: Timestamp,
}

impl<'a> From<&'a User> for UserRow<'a> {
    fn from(user: &'a User) -> UserRow<'a> {
        UserRow {
            name: &user.name,
            role: user.role,
            group: user.group.as_deref(),
            clearance: user.clearance,
            limits: user.limits,
            disabled: user.disabled,
            has_password: user.password.is_some(),
            created: user.created,
        }
    }
}

/// A token as lists show it.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenRow<'a> {
    /// What it is called by.
    pub id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// Whose it is.
    pub user: &'a str,
    /// What it may be used for.
    pub scopes: &'a [Scope],
    /// `live`, `revoked` or `expired`.
    pub status: &'static str,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// The secret, in the answer to its making only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a str>,
}

impl<'a> TokenRow<'a> {
    /// A token as it is at a moment.
    pub fn new(token: &'a Token, now: Timestamp, last_used: Option<Timestamp>) -> TokenRow<'a> {
        TokenRow {
            id: &token.id,
            name: &token.name,
            user: &token.user,
            scopes: &token.scopes,
            status: token.status(now),
            created: token.created,
            expires: token.expires,
            last_used,
            token: None,
        }
    }
}
