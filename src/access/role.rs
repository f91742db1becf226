//! What may be done, and who may do it: one table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the service.
    Admin,
    /// Looks up, and says what is known.
    Analyst,
    /// A program that brings data and takes answers.
    Integrator,
    /// Looks up.
    ReadOnly,
}

/// What a token is for: a part of what its user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Asking.
    Lookup,
    /// Pins, notes, sightings, reports of false positives.
    Write,
    /// Bringing data.
    Ingest,
    /// Users, sources, the audit.
    Admin,
}

/// Something that may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Ask about one object, read what people said, compare sources.
    Lookup,
    /// Ask about many objects in one request.
    Bulk,
    /// See which clients of ours talked to something.
    Contacts,
    /// Write notes, sightings, reports of false positives.
    Write,
    /// Set and remove pins.
    Pin,
    /// Import data.
    Ingest,
    /// Read the audit.
    Audit,
    /// Manage users, groups and everybody's tokens.
    Users,
    /// Manage sources, and whatever has no row of its own.
    Sources,
}

/// A row of [`CAPABILITIES`].
pub struct Row {
    /// What may be done.
    pub capability: Capability,
    /// The scope that a token needs for it.
    pub scope: Scope,
    /// The roles that may.
    pub roles: &'static [Role],
}

/// What each role may do. `docs/access.md` shows this table.
pub const CAPABILITIES: &[Row] = {
    use Capability::*;
    use Role::*;
    const fn row(capability: Capability, scope: Scope, roles: &'static [Role]) -> Row {
        Row { capability, scope, roles }
    }
    &[
        row(Lookup, Scope::Lookup, &[Admin, Analyst, Integrator, ReadOnly]),
        row(Bulk, Scope::Lookup, &[Admin, Analyst, Integrator]),
        row(Contacts, Scope::Lookup, &[Admin, Analyst]),
        row(Write, Scope::Write, &[Admin, Analyst, Integrator]),
        row(Pin, Scope::Write, &[Admin, Analyst]),
        row(Ingest, Scope::Ingest, &[Admin, Integrator]),
        row(Audit, Scope::Admin, &[Admin]),
        row(Users, Scope::Admin, &[Admin]),
        row(Sources, Scope::Admin, &[Admin]),
    ]
};

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Admin, Role::Analyst, Role::Integrator, Role::ReadOnly];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Analyst => "analyst",
            Role::Integrator => "integrator",
            Role::ReadOnly => "read-only",
        }
    }

    /// What it may do, in the order of the table.
    pub fn capabilities(self) -> Vec<Capability> {
        CAPABILITIES.iter().filter(|row| row.roles.contains(&self)).map(|row| row.capability).collect()
    }
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 4] = [Scope::Lookup, Scope::Write, Scope::Ingest, Scope::Admin];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Lookup => "lookup",
            Scope::Write => "write",
            Scope::Ingest => "ingest",
            Scope::Admin => "admin",
        }
    }
}

impl Capability {
    /// What it allows, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Capability::Lookup => "look up",
            Capability::Bulk => "look up many at once",
            Capability::Contacts => "see which of your own clients talked to something",
            Capability::Write => "write notes, sightings and reports of false positives",
            Capability::Pin => "set and remove pins",
            Capability::Ingest => "import data",
            Capability::Audit => "read the audit",
            Capability::Users => "manage users, groups and tokens",
            Capability::Sources => "manage sources",
        }
    }
}

/// The capabilities of a role that are in some of the scopes; `None`: all of the role's.
pub fn granted(role: Role, scopes: Option<&[Scope]>) -> Vec<Capability> {
    let is_in = |row: &&Row| row.roles.contains(&role) && scopes.is_none_or(|all| all.contains(&row.scope));
    CAPABILITIES.iter().filter(is_in).map(|row| row.capability).collect()
}

fn named<T: Copy>(text: &str, what: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        format!("unknown {what} {text:?}: use {}", names.join(", "))
    })
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        named(text, "role", &Role::ALL, Role::name)
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Scope, String> {
        named(text, "scope", &Scope::ALL, Scope::name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_scopes_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
        }
        assert!("root".parse::<Role>().unwrap_err().contains("read-only"));
    }

    #[test]
    fn a_token_has_at_most_what_its_user_may() {
        for role in Role::ALL {
            assert_eq!(granted(role, Some(&Scope::ALL)), role.capabilities());
            assert_eq!(granted(role, Some(&[])), []);
        }
        assert_eq!(granted(Role::ReadOnly, Some(&Scope::ALL)), [Capability::Lookup]);
        assert_eq!(granted(Role::Admin, Some(&[Scope::Write])), [Capability::Write, Capability::Pin]);
    }
}
