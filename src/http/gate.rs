//! The gate that every request passes: who asks, whether they may, how much; and what is written down of it.
//!
//! Handlers are told by one extension, [`Caller`]. A lookup is counted before it is answered, so its answer says how
//! many there are; what was not answered with 200, 304 or 404 is taken back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    ORIGIN, RETRY_AFTER,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::body::{form_field, read_body};
use super::error::Problem;
use super::misp_module;
use super::table::{self, Dialect, Need, Path};
use super::who::{API_KEY, FORWARDED_FOR, address, has_credential, known, tried};
use crate::access::audit::{self, Entry};
use crate::access::{Caller, Refused, Via, sessions};
use crate::lookup::Licence;
use crate::value::{DAY_S, Timestamp};

/// The header with a session's proof that a request comes from its own page.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// What a request was about, where the request's line does not say so: for the audit.
#[derive(Clone)]
pub(super) struct Object(pub(super) String);

/// Who is signed in by a request that nobody was known to send: for the audit of a login.
#[derive(Clone)]
pub(super) struct SignedIn(pub(super) String);

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A handler answered it.
    Answered,
    /// They may not.
    Forbidden,
    /// They asked too much.
    Over,
}

pub(super) async fn gate(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let now = service.clock.now();
    let path = table::row(request.uri().path());
    let (method, uri, mut headers) =
        (request.method().clone(), request.uri().clone(), request.headers().clone());
    if path.has_token_in_body && service.access.is_on && !has_credential(&headers) {
        let body = Request::new(std::mem::take(request.body_mut()));
        let body = match read_body(&service, &uri, body).await {
            Ok(body) => body,
            Err(problem) => return problem.into_response(),
        };
        if let Some(token) = misp_module::token(&body) {
            headers.insert(API_KEY, token);
        }
        *request.body_mut() = Body::from(body);
    }
    let address = address(&request, &service.trusted_proxies);
    let lookups = u64::from(path.is_lookup);
    let mut caller = match known(&service, path, &method, &uri, &headers, address, now).await {
        Ok(caller) => caller,
        Err(refused) => {
            // Without a credential nobody failed; who has to wait was written down before.
            if refused.status() == StatusCode::UNAUTHORIZED && has_credential(&headers) {
                service.metrics.auth_failures.inc();
                let entry = Entry { user: tried(&headers), ..Entry::default() };
                let denied = Entry { action: "denied".to_owned(), ..entry };
                write_down(&service, denied, address, &method, &uri, refused.status(), now).await;
            }
            return refused;
        }
    };
    let (mut response, outcome) =
        match may(&service, path, &method, &uri, &headers, &caller, &mut request).await {
            Err(problem) => (problem.into_response(), Outcome::Forbidden),
            Ok(()) => match service.access.admit(&mut caller, lookups, now) {
                Err(refused) => (over(&service, path.dialect, &uri, &refused, now), Outcome::Over),
                Ok(()) => {
                    request.extensions_mut().insert(caller.clone());
                    (next.run(request).await, Outcome::Answered)
                }
            },
        };
    if path.is_lookup {
        finish(&service, &headers, &mut caller, &mut response, outcome, now);
    }
    if path.is_page {
        // For the page of a problem.
        response.extensions_mut().insert(caller.clone());
    }
    // Whoever goes on asking beyond a quota would fill the audit with it.
    if let Some(action) = path.action(&method, uri.path())
        && outcome != Outcome::Over
    {
        let object = response.extensions_mut().remove::<Object>().map(|object| object.0);
        let entry = caller.entry(&action, object.as_deref().unwrap_or_default(), now);
        let signed_in = response.extensions_mut().remove::<SignedIn>().map(|who| who.0);
        let entry = Entry { user: signed_in.unwrap_or(entry.user.clone()), ..entry };
        if !write_down(&service, entry, address, &method, &uri, response.status(), now).await {
            let detail = "the audit cannot be written, so nothing is answered: the service's log says why";
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, &uri, detail).into_response();
        }
    }
    response
}

/// The headers of a lookup's answer; takes back what was not answered, and leaves out what the client has.
fn finish(
    service: &Service,
    asked: &HeaderMap,
    caller: &mut Caller,
    response: &mut Response,
    outcome: Outcome,
    now: Timestamp,
) {
    let matches = |etag: &HeaderValue| {
        let tags = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = tags.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
    };
    if response.status() == StatusCode::OK && response.headers().get(ETAG).is_some_and(matches) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    let is_answer =
        matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND);
    match outcome {
        Outcome::Answered if is_answer => drop(service.metrics.lookups.inc()),
        Outcome::Answered => service.access.forget(caller, 1, now),
        Outcome::Forbidden | Outcome::Over => {}
    }
    // Of many lookups in one request the handler knows.
    let licence = response.extensions_mut().remove::<Licence>();
    let licence = licence.as_ref().unwrap_or(&caller.licence);
    let headers = response.headers_mut();
    let mut say = |name, value: u64| headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    say("ratelimit-limit", licence.day_quota);
    say("ratelimit-remaining", licence.left());
    say("ratelimit-reset", seconds_left(now));
    // An answer is for who asked: it says how much they have left.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
}

/// Seconds to 00:00 UTC.
fn seconds_left(now: Timestamp) -> u64 {
    (DAY_S - now.0.rem_euclid(DAY_S)).unsigned_abs()
}

/// Writes down what was done; waits where many wait. Says whether it could in the time that requests have.
async fn write_down(
    service: &Arc<Service>,
    entry: Entry,
    address: IpAddr,
    method: &Method,
    uri: &Uri,
    status: StatusCode,
    now: Timestamp,
) -> bool {
    let Some(audit) = &service.audit else { return true };
    let request = format!("{method} {}", uri.path_and_query().map_or("", |path| path.as_str()));
    let status = Some(status.as_u16());
    let entry =
        Entry { at: now, address: Some(address), request: Some(audit::cut(&request)), status, ..entry };
    let Err(entry) = audit.try_record(Box::new(entry)) else { return true };
    let service = service.clone();
    let timeout = service.timeout;
    let waiting = tokio::task::spawn_blocking(move || {
        if let Some(audit) = &service.audit {
            audit.record(entry);
        }
    });
    tokio::time::timeout(timeout, waiting).await.is_ok_and(|joined| joined.is_ok())
}

//------------ Whether they may ----------------------------------------------

async fn may(
    service: &Service,
    path: &Path,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    caller: &Caller,
    request: &mut Request,
) -> Result<(), Problem> {
    let forbidden = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, uri, detail));
    let need = if path.path == "/metrics" { service.metrics_need } else { path.need(method) };
    if let Need::May(capability) = need
        && !caller.may(capability)
    {
        return forbidden(refusal(caller, capability));
    }
    if table::is_read(method) {
        return Ok(());
    }
    match caller.via() {
        Via::Nothing if !service.access.is_on && path.changes(method) => {
            if headers.contains_key(FORWARDED) || headers.contains_key(FORWARDED_FOR) {
                return forbidden(
                    "a proxy sent this, and with auth off nobody knows for whom: add users with `zonelens user add` \
                     and set http.auth = \"on\""
                        .to_owned(),
                );
            }
            own_page(service, headers, uri)
        }
        Via::Nothing | Via::Token => Ok(()),
        // A browser sends both by itself, wherever the page is from.
        Via::Password => own_page(service, headers, uri),
        // It changes nothing, and what is pasted is read by who answers.
        Via::Session(_) if path.is_page && path.is_lookup => own_page(service, headers, uri),
        Via::Session(secret) => of_session(service, secret, uri, headers, request).await,
    }
}

fn refusal(caller: &Caller, capability: crate::access::role::Capability) -> String {
    let words = capability.words();
    match &caller.identity {
        None => {
            format!("with auth off nobody may {words} over HTTP: use the commands on the service's machine")
        }
        Some(identity) if granted_without_token(identity, capability) => {
            format!("the token's scopes do not allow to {words}: use one that does")
        }
        Some(identity) => {
            let (name, role) = (&identity.user.name, identity.user.role);
            format!("{name} is {role} and may not {words}: ask an admin")
        }
    }
}

fn granted_without_token(
    identity: &crate::access::Identity,
    capability: crate::access::role::Capability,
) -> bool {
    identity.user.role.capabilities().contains(&capability)
}

/// Whether a request is not from a page of another site. Browsers say so with all that writes, also where a name
/// was made to lead here (DNS rebinding).
pub(super) fn own_page(service: &Service, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let is_own = if service.access.is_on {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let of_origin = origin.parse::<Uri>().ok();
        let is_same = of_origin.and_then(|uri| Some(uri.authority()?.as_str().eq_ignore_ascii_case(host)));
        is_same == Some(true) || service.cors_origins.iter().any(|allowed| allowed == origin)
    } else {
        is_loopback(origin)
    };
    if is_own {
        return Ok(());
    }
    let detail =
        "the request is from a page of another site: write from this machine's own pages, or with a token";
    Err(Problem::new(StatusCode::FORBIDDEN, uri, detail))
}

/// Whether an origin is this machine.
pub(super) fn is_loopback(origin: &str) -> bool {
    let uri = origin.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']));
    host.is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Whether a request that changes something comes from a page of its session: it has the page's token, as a header
/// or as the field `csrf` of a form.
async fn of_session(
    service: &Service,
    session: &str,
    uri: &Uri,
    headers: &HeaderMap,
    request: &mut Request,
) -> Result<(), Problem> {
    let mut given = headers.get(&CSRF).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if given.is_none() && kind.starts_with("application/x-www-form-urlencoded") {
        let body = Request::new(std::mem::take(request.body_mut()));
        let body = read_body(service, uri, body).await?;
        given = form_field(&body, "csrf");
        *request.body_mut() = Body::from(body);
    }
    if given.is_some_and(|given| sessions::is_csrf(session, &given)) {
        return Ok(());
    }
    let detail = "the request lacks the session's own token: send `csrf` of /api/v1/me as the header x-csrf-token or \
                  the form's field csrf";
    Err(Problem::new(StatusCode::FORBIDDEN, uri, detail))
}

//------------ How much ------------------------------------------------------

pub(super) fn wait_s(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The answer to somebody who has to wait, by dialect.
pub(super) fn later(dialect: Dialect, uri: &Uri, detail: &str, seconds: u64) -> Response {
    let status = match dialect {
        Dialect::Tip => StatusCode::TOO_MANY_REQUESTS,
        Dialect::OpenTip => StatusCode::FORBIDDEN,
    };
    let mut response = Problem::new(status, uri, detail).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The answer to somebody who asked too much.
pub(super) fn over(
    service: &Service,
    dialect: Dialect,
    uri: &Uri,
    refused: &Refused,
    now: Timestamp,
) -> Response {
    let (detail, seconds) = match refused {
        Refused::Quota(quota) => {
            let seconds = seconds_left(now);
            (
                format!(
                    "the quota of {quota} lookups a day is used up: it begins anew at 00:00 UTC, in {seconds} s"
                ),
                seconds,
            )
        }
        Refused::Rate(wait) => {
            let seconds = wait_s(*wait).max(1);
            (format!("too many requests a second: try again in {seconds} s"), seconds)
        }
        Refused::Failed(detail) => {
            tracing::error!(detail, "lookups cannot be counted");
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail.as_str()).into_response();
        }
    };
    service.metrics.quota_refusals.inc();
    later(dialect, uri, &detail, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_s_pages_are_its_own() {
        for own in
            ["http://localhost", "http://localhost:8080", "https://127.0.0.1:8080", "http://[::1]:8080"]
        {
            assert!(is_loopback(own), "{own}");
        }
        for other in
            ["null", "", "http://evil.example", "http://localhost.evil.example", "http://192.168.1.7:8080"]
        {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
