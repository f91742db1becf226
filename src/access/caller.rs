//! Who asks: what they show, how that was judged, and what handlers are told of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ANONYMOUS;
use super::audit::{self, Entry};
use super::role::{Capability, Role, granted};
use super::user::{Group, Limits, Token, User};
use crate::lookup::Licence;
use crate::value::{Timestamp, Tlp};

/// What a request says of who sends it.
pub enum Credential {
    /// A token.
    Token(String),
    /// A name with a password or a token.
    Basic {
        /// The name.
        user: String,
        /// The password or token.
        secret: String,
    },
    /// The secret of a session.
    Session(String),
}

/// How somebody proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nobody has to.
    Nothing,
    /// By a token.
    Token,
    /// By name and password.
    Password,
    /// By the secret of a session, which this is.
    Session(String),
}

/// Why a credential opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is wrong, over or revoked.
    Wrong(String),
    /// Too many were wrong: it was not looked at.
    Later(Duration),
    /// The database cannot be read.
    Failed(String),
}

/// Who somebody is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The user.
    pub user: Arc<User>,
    /// Its group.
    pub group: Option<Arc<Group>>,
    /// The token that was used.
    pub token: Option<Arc<Token>>,
    /// How that was proved.
    pub via: Via,
}

/// Who asks: what handlers are told of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user; [`None`] where nobody has to say who.
    pub identity: Option<Identity>,
    /// From where, as far as proxies are believed.
    pub address: IpAddr,
    /// What they may do.
    pub capabilities: Vec<Capability>,
    /// The highest TLP that they may see named.
    pub clearance: Tlp,
    /// Their licence and quota, this request counted.
    pub licence: Licence,
}

impl Caller {
    /// Somebody who proved who they are.
    pub fn new(identity: Identity, address: IpAddr) -> Caller {
        let scopes = identity.token.as_ref().map(|token| token.scopes.as_slice());
        let token_expires = identity.token.as_ref().map(|token| token.expires);
        Caller {
            capabilities: granted(identity.user.role, scopes),
            clearance: identity.user.clearance,
            licence: Licence { token_expires, day_requests: 0, ..Licence::default() },
            identity: Some(identity),
            address,
        }
    }

    /// Somebody on this machine where nobody has to say who: everything but what concerns users.
    pub fn anonymous(address: IpAddr) -> Caller {
        use Capability::{Audit, Users};
        let mut capabilities = Role::Admin.capabilities();
        capabilities.retain(|capability| !matches!(capability, Audit | Users));
        let licence = Licence { day_requests: 0, ..Licence::default() };
        Caller { identity: None, address, capabilities, clearance: Tlp::Red, licence }
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.identity.as_ref().map_or(ANONYMOUS, |identity| &identity.user.name)
    }

    /// Whether they may.
    pub fn may(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// How they proved who they are.
    pub fn via(&self) -> &Via {
        self.identity.as_ref().map_or(&Via::Nothing, |identity| &identity.via)
    }

    /// What they did, for the audit.
    pub fn entry(&self, action: &str, object: &str, at: Timestamp) -> Entry {
        let token = self.identity.as_ref().and_then(|identity| identity.token.as_ref());
        Entry {
            at,
            user: self.name().to_owned(),
            token: token.map(|token| token.id.clone()),
            address: Some(self.address),
            action: action.to_owned(),
            object: (!object.is_empty()).then(|| audit::cut(object)),
            ..Entry::default()
        }
    }

    /// Whose counts and limits hold: the user's, then the group's where that has any.
    pub(super) fn subjects(&self) -> Vec<(String, Limits)> {
        let Some(identity) = &self.identity else { return vec![(ANONYMOUS.to_owned(), Limits::default())] };
        let user = (format!("user:{}", identity.user.name), identity.user.limits);
        let group = identity.group.as_ref().filter(|group| group.limits != Limits::default());
        let group = group.map(|group| (format!("group:{}", group.name), group.limits));
        std::iter::once(user).chain(group).collect()
    }
}
