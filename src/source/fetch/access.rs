//! What a request is allowed and shows: certificates, credentials, and the addresses that may be asked.

use std::io;

use base64::Engine as _;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::FetchError;
use crate::indicator::is_reserved;
use crate::source::Source;

/// The certificates that servers are checked against.
pub(super) fn roots(source: &Source) -> Result<RootCerts, FetchError> {
    let Some(path) = &source.ca_file else { return Ok(RootCerts::WebPki) };
    let wrong = |problem: &dyn std::fmt::Display| {
        FetchError::from(format!("{}: {problem}; ca_file names a PEM file with certificates", path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong(&"it has no certificate"));
    }
    Ok(RootCerts::Specific(certificates.into()))
}

/// The header with the secret, or the secret that takes the place of `{key}`.
pub(super) type Secret = (Option<(String, String)>, Option<String>);

pub(super) fn secret(source: &Source) -> Result<Secret, FetchError> {
    let Some(credentials) = &source.credentials else { return Ok((None, None)) };
    let secret = credentials.secret().map_err(FetchError::from)?;
    if source.location.as_ref().is_some_and(|location| location.to_string().contains("{key}")) {
        return Ok((None, Some(secret)));
    }
    let header = match (&credentials.user, &credentials.header) {
        (Some(user), _) => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
            ("authorization".to_owned(), format!("Basic {pair}"))
        }
        (None, Some(name)) => (name.clone(), secret),
        (None, None) => ("authorization".to_owned(), format!("Bearer {secret}")),
    };
    Ok((Some(header), None))
}

/// Why an address is not asked.
pub(super) const PRIVATE: &str =
    "a loopback, private, link-local or reserved address: set allow_private of the source if it is meant";

//------------ Guard ---------------------------------------------------------

/// Resolves names, and refuses those that lead into the own network: whoever owns a name in a feed's address could
/// point it at a machine behind the firewall. What was resolved is what is connected to.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) allow_private: bool,
    pub(super) proxy_host: Option<String>,
    pub(super) inner: DefaultResolver,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let resolved = self.inner.resolve(uri, config, timeout)?;
        if self.allow_private || self.proxy_host.as_deref() == uri.host() {
            return Ok(resolved);
        }
        let mut allowed = self.empty();
        for address in resolved.iter().filter(|address| !is_reserved(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let text = format!("{} leads to {PRIVATE}", uri.host().unwrap_or("it"));
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
        }
        Ok(allowed)
    }
}
