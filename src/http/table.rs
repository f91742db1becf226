//! What each path needs of who asks: one table, which also names paths in logs, metrics and the audit.

use axum::http::Method;

use crate::access::role::Capability::{
    self, Audit, Bulk, Contacts, Ingest, Lookup, Pin, Sources, Users, Write,
};

/// What a path needs of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Open,
    /// To know who it is.
    Known,
    /// That they may.
    May(Capability),
}

/// Whose codes a path answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A quota is 429.
    Tip,
    /// A quota is 403.
    OpenTip,
}

/// A row of [`PATHS`].
pub(super) struct Path {
    /// How it begins.
    pub(super) path: &'static str,
    /// What the audit calls it; empty: it is not in there.
    pub(super) noun: &'static str,
    /// What reading needs.
    read: Need,
    /// What all else needs.
    write: Need,
    /// Whether an answer counts as a lookup.
    pub(super) is_lookup: bool,
    /// Its codes.
    pub(super) dialect: Dialect,
    /// Whether who asks may say so in the body: clients that have no header for it.
    pub(super) has_token_in_body: bool,
    /// Whether a person reads the answer: problems are pages too.
    pub(super) is_page: bool,
}

/// A question: it counts, with whatever method it is asked.
const fn lookup(path: &'static str, dialect: Dialect) -> Path {
    let need = Need::May(Lookup);
    Path {
        path,
        noun: "lookup",
        read: need,
        write: need,
        is_lookup: true,
        dialect,
        has_token_in_body: false,
        is_page: false,
    }
}

const fn other(path: &'static str, noun: &'static str, read: Need, write: Need) -> Path {
    Path {
        path,
        noun,
        read,
        write,
        is_lookup: false,
        dialect: Dialect::Tip,
        has_token_in_body: false,
        is_page: false,
    }
}

/// A page of a question.
const fn lookup_page(path: &'static str) -> Path {
    Path { is_page: true, ..lookup(path, Dialect::Tip) }
}

/// A page.
const fn page(path: &'static str, noun: &'static str, read: Need, write: Need) -> Path {
    Path { is_page: true, ..other(path, noun, read, write) }
}

/// All paths by how they begin; the first that fits counts. What has no row is read by who may look up, and
/// written by who manages sources.
pub(super) static PATHS: &[Path] = {
    use Need::{Known, May, Open};
    &[
        lookup("/api/domain/", Dialect::Tip),
        lookup("/api/ip/", Dialect::Tip),
        lookup("/api/url/", Dialect::Tip),
        lookup("/api/hash/", Dialect::Tip),
        lookup("/api/publications/", Dialect::Tip),
        lookup("/api/v1/search/", Dialect::OpenTip),
        lookup("/api/v1/scan/", Dialect::OpenTip),
        lookup("/api/v1/getresult/", Dialect::OpenTip),
        lookup("/api/v1/indicator", Dialect::Tip),
        lookup("/pdns/query/", Dialect::Tip),
        other("/dnsdb/v2/ping", "", Known, Known),
        other("/dnsdb/v2/rate_limit", "", Known, Known),
        lookup("/dnsdb/v2/", Dialect::Tip),
        // Each value is in the audit by itself.
        Path { write: May(Bulk), ..lookup("/api/v1/lookup", Dialect::Tip) },
        lookup("/api/v1/export", Dialect::Tip),
        lookup("/api/v1/reports", Dialect::Tip),
        // MISP asks which modules there are without a token; with a question its configuration sends one in the body.
        other("/modules", "", Open, Open),
        Path { has_token_in_body: true, ..lookup("/query", Dialect::Tip) },
        lookup("/api/v1/diff", Dialect::Tip),
        lookup("/api/v1/similar", Dialect::Tip),
        lookup("/api/v1/timeline", Dialect::Tip),
        // Each that is opened is in the audit by itself.
        lookup("/api/v1/graph", Dialect::Tip),
        lookup("/api/v1/network/", Dialect::Tip),
        lookup("/api/v1/asn/", Dialect::Tip),
        lookup("/api/v1/search-all", Dialect::Tip),
        other("/api/v1/sources", "source refresh", May(Lookup), May(Sources)),
        other("/api/v1/contacts", "contact", May(Contacts), May(Contacts)),
        other("/api/v1/pins", "pin", May(Lookup), May(Pin)),
        other("/api/v1/notes", "note", May(Lookup), May(Write)),
        other("/api/v1/sightings", "sighting", May(Lookup), May(Write)),
        other("/api/v1/false-positives", "false-positive", May(Lookup), May(Write)),
        other("/api/v1/ingest", "ingest", May(Ingest), May(Ingest)),
        other("/api/v1/users", "user", May(Users), May(Users)),
        other("/api/v1/groups", "group", May(Users), May(Users)),
        // Everybody has their own.
        other("/api/v1/tokens", "token", Known, Known),
        other("/api/v1/me", "", Known, Known),
        other("/api/v1/audit", "audit", May(Audit), May(Audit)),
        other("/api/v1/setup", "setup", Open, Open),
        lookup_page("/domain/"),
        lookup_page("/ip/"),
        lookup_page("/url/"),
        lookup_page("/hash/"),
        lookup_page("/search"),
        lookup_page("/find"),
        lookup_page("/reports"),
        lookup_page("/network/"),
        lookup_page("/asn/"),
        lookup_page("/similar"),
        page("/pins", "pin", May(Lookup), May(Pin)),
        page("/notes", "note", May(Lookup), May(Write)),
        page("/sightings", "sighting", May(Lookup), May(Write)),
        page("/false-positives", "false-positive", May(Lookup), May(Write)),
        lookup_page("/graph"),
        page("/sources", "source refresh", May(Lookup), May(Sources)),
        page("/batches", "", May(Lookup), May(Sources)),
        page("/users", "user", May(Users), May(Users)),
        page("/groups", "group", May(Users), May(Users)),
        page("/tokens", "token", Known, Known),
        page("/account", "password change", Known, Known),
        page("/history", "", May(Lookup), May(Lookup)),
        page("/audit", "audit", May(Audit), May(Audit)),
        page("/setup", "setup", Open, Open),
        page("/login", "login", Open, Open),
        page("/logout", "logout", Open, Open),
        page("/static/", "", Open, Open),
        // Judged by the configuration.
        other("/metrics", "", Open, Open),
        other("/openapi.json", "", Open, Open),
        other("/docs", "", Open, Open),
        other("/healthz", "", Open, Open),
        other("/readyz", "", Open, Open),
    ]
};

/// What has one thing that is done, and is not in the audit where it is only read.
const ONLY_WRITTEN: [&str; 3] = ["setup", "source refresh", "password change"];

/// The page at the root: a row of its own, since every path begins like it.
static ROOT: Path = page("/", "", Need::May(Lookup), Need::May(Lookup));

static UNLISTED: Path = other("-", "", Need::May(Lookup), Need::May(Sources));

/// The row of a path.
pub(super) fn row(path: &str) -> &'static Path {
    let fits = |row: &&Path| {
        path.strip_prefix(row.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || row.path.ends_with('/'))
    };
    if path == "/" {
        return &ROOT;
    }
    PATHS.iter().find(fits).unwrap_or(&UNLISTED)
}

/// Whether a method changes nothing.
pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Path {
    /// What a request needs.
    pub(super) fn need(&self, method: &Method) -> Need {
        if is_read(method) { self.read } else { self.write }
    }

    /// Whether a request changes what the service holds.
    pub(super) fn changes(&self, method: &Method) -> bool {
        !is_read(method) && !self.is_lookup
    }

    /// What the audit says of a request to a path; `None`: nothing.
    pub(super) fn action(&self, method: &Method, path: &str) -> Option<String> {
        let verb = match *method {
            _ if self.noun.is_empty() => return None,
            _ if self.is_lookup => return Some(self.noun.to_owned()),
            _ if self.noun.starts_with("log") || ONLY_WRITTEN.contains(&self.noun) => {
                return (!is_read(method)).then(|| self.noun.to_owned());
            }
            // Forms know no other method: the end of the path says what they do.
            Method::POST if self.is_page => {
                let end = path.rsplit('/').next().unwrap_or_default();
                ["change", "set", "remove"].into_iter().find(|verb| *verb == end).unwrap_or("add")
            }
            Method::POST => "add",
            Method::PUT => "set",
            Method::PATCH => "change",
            Method::DELETE => "remove",
            _ => "list",
        };
        Some(format!("{} {verb}", self.noun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_whole() {
        assert_eq!(row("/api/domain/a.example").path, "/api/domain/");
        assert_eq!(row("/api/v1/pins").noun, "pin");
        assert_eq!(row("/api/v1/users/ann").noun, "user");
        assert_eq!(row("/api/v1/pinstripes").path, "-");
        assert_eq!(row("/healthzz").need(&Method::GET), Need::May(Lookup));
        assert_eq!(row("/api/v1/new").need(&Method::POST), Need::May(Sources));
        assert!(!row("/api/v1/scan/file").changes(&Method::POST));
        for (at, path) in PATHS.iter().enumerate() {
            assert!(std::ptr::eq(row(path.path), &PATHS[at]), "{} is hidden by a row above it", path.path);
        }
    }

    #[test]
    fn actions_read_as_commands_do() {
        let action = |path: &str, method| row(path).action(&method, path);
        assert_eq!(action("/api/ip/192.0.2.1", Method::GET).as_deref(), Some("lookup"));
        assert_eq!(action("/api/v1/pins", Method::DELETE).as_deref(), Some("pin remove"));
        assert_eq!(action("/api/v1/users/ann", Method::PATCH).as_deref(), Some("user change"));
        assert_eq!(action("/login", Method::POST).as_deref(), Some("login"));
        assert_eq!(action("/login", Method::GET), None);
        assert_eq!(action("/api/v1/sources/a/refresh", Method::POST).as_deref(), Some("source refresh"));
        assert_eq!(action("/api/v1/sources", Method::GET), None);
        assert_eq!(action("/pins/remove", Method::POST).as_deref(), Some("pin remove"));
        assert_eq!(action("/healthz", Method::GET), None);
        assert_eq!(action("/users", Method::GET).as_deref(), Some("user list"));
        assert_eq!(action("/users", Method::POST).as_deref(), Some("user add"));
        assert_eq!(action("/users/change", Method::GET).as_deref(), Some("user list"));
        assert_eq!(action("/users/ann/remove", Method::POST).as_deref(), Some("user remove"));
        assert_eq!(action("/groups/set", Method::POST).as_deref(), Some("group set"));
        assert_eq!(action("/account/change", Method::POST).as_deref(), Some("password change"));
        assert_eq!(action("/account", Method::GET), None);
    }
}
