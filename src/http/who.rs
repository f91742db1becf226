//! Who sends a request: from where, with what credential, and what that proves.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;

use super::Service;
use super::connection::Peer;
use super::error::Problem;
use super::gate::{later, wait_s};
use super::table::{Dialect, Need, Path};
use crate::access::{Caller, Credential, Denied, Identity, audit};
use crate::indicator::Prefix;
use crate::value::Timestamp;

/// The header with a token.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The header in which proxies say for whom they ask.
pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The longest credentials.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// From where a request comes: the last address that no trusted proxy has.
pub(super) fn address(request: &Request, trusted: &[Prefix]) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip().to_canonical());
    let mut address = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let hops = request.headers().get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
    for hop in hops.iter().rev() {
        let is_trusted = trusted.iter().any(|network| network.contains(address));
        match hop.trim().parse::<IpAddr>() {
            Ok(before) if is_trusted => address = before.to_canonical(),
            _ => break,
        }
    }
    address
}

pub(super) fn has_credential(headers: &HeaderMap) -> bool {
    [AUTHORIZATION, API_KEY].iter().any(|name| headers.contains_key(name))
}

/// The name that was tried, for the audit.
pub(super) fn tried(headers: &HeaderMap) -> String {
    match credential(headers, false) {
        Ok(Some(Credential::Basic { user, .. })) => audit::cut(&user),
        _ => "-".to_owned(),
    }
}

/// The secret of the session in a request's cookie.
fn session_cookie(headers: &HeaderMap, is_secure: bool) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == cookie_name(is_secure))?;
    Some(secret.to_owned())
}

/// The cookie's name. With the prefix browsers take it over HTTPS and from this host only.
pub(super) fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-zonelens" } else { "zonelens" }
}

/// What a request says of who sends it.
fn credential(headers: &HeaderMap, is_secure: bool) -> Result<Option<Credential>, &'static str> {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?;
        Some(value.to_str().ok().filter(|text| text.len() <= CREDENTIAL_BYTES_MAX))
    };
    if let Some(value) = text(&AUTHORIZATION) {
        let value = value.ok_or("authorization is too long or no text")?;
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Some(Credential::Token(rest.to_owned())));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err("authorization is neither Bearer nor Basic");
        }
        let wrong = "authorization: Basic is no base64 of name:password";
        let bytes = base64::engine::general_purpose::STANDARD.decode(rest).map_err(|_| wrong)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong)?;
        let (user, secret) = text.split_once(':').ok_or(wrong)?;
        return Ok(Some(Credential::Basic { user: user.to_owned(), secret: secret.to_owned() }));
    }
    if let Some(value) = text(&API_KEY) {
        return Ok(Some(Credential::Token(
            value.ok_or("x-api-key is too long or no text")?.trim().to_owned(),
        )));
    }
    Ok(session_cookie(headers, is_secure).map(Credential::Session))
}

/// Who asks; or the answer to somebody who did not say, or not rightly.
pub(super) async fn known(
    service: &Arc<Service>,
    path: &Path,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    address: IpAddr,
    now: Timestamp,
) -> Result<Caller, Response> {
    if !service.access.is_on {
        return Ok(Caller::anonymous(address));
    }
    let need = if path.path == "/metrics" { service.metrics_need } else { path.need(method) };
    let credential = credential(headers, service.is_secure);
    let denied = match (credential, need) {
        (Ok(Some(credential)), _) => match identified(service, credential, address, now).await {
            Ok(identity) => return Ok(Caller::new(identity, address)),
            Err(denied) => denied,
        },
        (Ok(None), _) => Denied::Wrong(
            "who asks is not known: send a token as `authorization: Bearer` or `x-api-key`, or name and password as \
             `authorization: Basic`"
                .to_owned(),
        ),
        (Err(wrong), _) => Denied::Wrong(format!("{wrong}: send a token as Bearer, or name and password as Basic")),
    };
    match denied {
        Denied::Wrong(_) if need == Need::Open => {
            let mut nobody = Caller::anonymous(address);
            nobody.capabilities.clear();
            Ok(nobody)
        }
        denied => Err(denial(path.dialect, uri, denied)),
    }
}

/// The answer to somebody who did not prove who they are.
pub(super) fn denial(dialect: Dialect, uri: &Uri, denied: Denied) -> Response {
    match denied {
        Denied::Wrong(detail) => {
            let mut response = Problem::new(StatusCode::UNAUTHORIZED, uri, detail).into_response();
            let both = HeaderValue::from_static("Basic, Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, both);
            response
        }
        Denied::Later(wait) => {
            let seconds = wait_s(wait);
            let detail =
                format!("too many failures to sign in: try again in {seconds} s; tokens are not held up");
            later(dialect, uri, &detail, seconds)
        }
        Denied::Failed(detail) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail).into_response(),
    }
}

/// Who has a credential; passwords are verified off the threads that answer, few at a time.
pub(super) async fn identified(
    service: &Arc<Service>,
    credential: Credential,
    address: IpAddr,
    now: Timestamp,
) -> Result<Identity, Denied> {
    if let Some(identity) = service.access.recognise(&credential, address, now)? {
        return Ok(identity);
    }
    let Credential::Basic { user, secret } = credential else {
        return Err(Denied::Failed("only passwords have to be verified".to_owned()));
    };
    let failed = || Denied::Failed("the password was not verified in time: try again".to_owned());
    let turn = tokio::time::timeout(service.timeout, service.hashing.clone().acquire_owned());
    let turn = turn.await.map_err(|_| failed())?.map_err(|_| failed())?;
    let blocking = service.clone();
    let verified = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        blocking.access.verify(&user, &secret, address)
    });
    verified.await.map_err(|_| failed())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn only_trusted_proxies_say_from_where() {
        let trusted: Vec<Prefix> =
            ["10.0.0.0/8", "127.0.0.1/32"].iter().map(|text| Prefix::parse(text).unwrap()).collect();
        let from = |peer: &str, hops: &[&str]| {
            let mut request = Request::new(Body::empty());
            let address = format!("{peer}:1").parse().unwrap();
            request.extensions_mut().insert(Peer { address });
            for hop in hops {
                request.headers_mut().append(FORWARDED_FOR, hop.parse().unwrap());
            }
            super::address(&request, &trusted).to_string()
        };
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "anybody can write the header");
        assert_eq!(from("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &["203.0.113.5, 198.51.100.7", "10.1.1.1"]), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(from("127.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn credentials_are_read_from_each_header() {
        let read = |name: HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            match credential(&headers, false) {
                Ok(Some(Credential::Token(token))) => format!("token {token}"),
                Ok(Some(Credential::Basic { user, secret })) => format!("basic {user} {secret}"),
                Ok(Some(Credential::Session(secret))) => format!("session {secret}"),
                Ok(None) => "none".to_owned(),
                Err(wrong) => wrong.to_owned(),
            }
        };
        assert_eq!(read(AUTHORIZATION, "Bearer zl_1"), "token zl_1");
        assert_eq!(read(AUTHORIZATION, "bearer  zl_1"), "token zl_1");
        assert_eq!(read(AUTHORIZATION, "Basic YW5uOmE6Yg=="), "basic ann a:b");
        assert!(read(AUTHORIZATION, "Basic YW5u").contains("base64"));
        assert!(read(AUTHORIZATION, "Basic !").contains("base64"));
        assert!(read(AUTHORIZATION, "Digest x").contains("neither"));
        assert!(read(AUTHORIZATION, &"x".repeat(5000)).contains("too long"));
        assert_eq!(read(API_KEY, "zl_1"), "token zl_1");
        assert_eq!(read(COOKIE, "a=b; zonelens=s; c"), "session s");
        assert_eq!(read(COOKIE, "__Host-zonelens=s"), "none", "that is another service's");
    }
}
