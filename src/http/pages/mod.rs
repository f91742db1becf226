//! The pages for people: the same answers as the interface gives, as HTML.
//!
//! What goes wrong anywhere on the way to a page is a page too: [`dress`] stands around all routes, the gate included.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Service;
use super::api::made;
use super::error::Problem;
use super::table;
use super::who::has_credential;
use crate::access::role::Capability;
use crate::access::{Caller, Via, sessions};
use crate::lookup::{Context, LookupError};
use crate::page::assets::{self, ASSETS};
use crate::page::{Frame, Place, SignedIn, escaped};

mod accounts;
mod desk;
mod find;
mod graph;
mod home;
mod library;
mod ours;
mod overlap;
mod own;
mod people;
mod records;
mod report;
mod search;
mod sources;

/// What a page may load and do: its own style and script, its own service.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Who may open a page that the frame leads to.
enum For {
    Everybody,
    May(Capability),
}

/// The pages that the frame leads to.
const PLACES: &[(&str, &str, For)] = &[
    ("/", "Look up", For::May(Capability::Lookup)),
    ("/find", "Find", For::May(Capability::Lookup)),
    ("/reports", "Reports", For::May(Capability::Lookup)),
    ("/pins", "Pins", For::May(Capability::Lookup)),
    ("/sources", "Sources", For::May(Capability::Lookup)),
    ("/batches", "Batches", For::May(Capability::Lookup)),
    ("/history", "History", For::May(Capability::Lookup)),
    ("/users", "Users", For::May(Capability::Users)),
    ("/audit", "Audit", For::May(Capability::Audit)),
    ("/docs", "Interface", For::Everybody),
];

pub(super) use own::is_to_be_set_up;

/// The routes of all pages.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(home::home))
        .route("/search", get(search::asked).post(search::pasted).layer(search::body_limit()))
        .route("/graph", get(graph::around))
        .route("/static/{*name}", get(asset))
        .merge(report::routes())
        .merge(people::routes())
        .merge(library::routes())
        .merge(find::routes())
        .merge(sources::routes())
        .merge(accounts::routes())
        .merge(own::routes())
        .merge(records::routes())
}

/// What surrounds a page for who asks.
pub(super) fn frame(service: &Service, caller: &Caller, here: &str) -> Frame {
    let is_for = |place: &&(&str, &str, For)| match place.2 {
        For::Everybody => true,
        For::May(capability) => caller.may(capability),
    };
    let places = PLACES.iter().filter(is_for);
    let user = caller
        .identity
        .as_ref()
        .map(|identity| SignedIn { name: identity.user.name.clone(), role: identity.user.role.name() });
    let csrf = match caller.via() {
        Via::Session(secret) if service.access.is_on => sessions::masked_csrf(secret),
        _ => String::new(),
    };
    Frame {
        query: String::new(),
        user: user.filter(|_| matches!(caller.via(), Via::Session(_))),
        places: places.map(|(path, word, _)| Place { path, word, is_here: *path == here }).collect(),
        csrf,
    }
}

/// A page that a template makes.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            (status, [(CONTENT_TYPE, kind)], html).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be made: the service's log says more\n")
                .into_response()
        }
    }
}

/// Leads to another page, which is asked for with GET.
pub(super) fn see(path: &str) -> Response {
    match HeaderValue::from_str(path) {
        Ok(path) => (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What a lookup for a page comes to, or the problem that is shown instead.
pub(super) async fn looked_up<T: Send + 'static>(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &Uri,
    is_long: bool,
    work: impl FnOnce(&Context<'_>) -> Result<T, LookupError> + Send + 'static,
) -> Result<T, Problem> {
    let now = service.clock.now();
    let at_work = {
        let (service, caller) = (service.clone(), caller.clone());
        move || work(&service.known().context(&service, &caller, now))
    };
    match made(at_work, is_long, service.timeout).await {
        Ok(made) => made.map_err(|error| Problem::of_lookup(uri, &error)),
        Err(detail) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, uri, detail)),
    }
}

/// Scheme and host of the service as the reader wrote it.
pub(super) fn base(service: &Service, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let host = if host.bytes().all(is_host) { host } else { "localhost" };
    format!("{}://{host}", if service.is_secure { "https" } else { "http" })
}

/// `GET /static/{*name}`: the same bytes as long as the address names their version.
async fn asset(Path(name): Path<String>, uri: Uri) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Problem::new(StatusCode::NOT_FOUND, &uri, "there is no such file").into_response();
    };
    let is_named = uri.query().is_some_and(|query| query == format!("v={}", assets::version()));
    let kept = if is_named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    (headers, asset.bytes).into_response()
}

/// The page of a problem.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    status: u16,
    detail: String,
}

/// Makes problems on the way to a page a page, sends who is not known to sign in, and says what pages may do.
pub(super) async fn dress(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let row = table::row(request.uri().path());
    let is_asked_by_person =
        request.method() == Method::GET && row.path == "-" && accepts_html(request.headers());
    if !row.is_page && !is_asked_by_person {
        return next.run(request).await;
    }
    // Programs may sign in too: the interface describes it.
    let is_described = matches!(row.path, "/login" | "/logout");
    let is_told_as_page = !is_described || accepts_html(request.headers());
    let is_read = table::is_read(request.method());
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str()).to_owned();
    let said_who = has_credential(request.headers());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>().filter(|_| is_told_as_page) {
        response = match problem.status() {
            StatusCode::UNAUTHORIZED if !said_who => {
                let next = if is_read { format!("?next={}", escaped(&asked)) } else { String::new() };
                see(&format!("/login{next}"))
            }
            status => {
                let frame = response.extensions_mut().remove::<Caller>();
                let frame = frame.map(|caller| self::frame(&service, &caller, "")).unwrap_or_default();
                let (title, detail) = (problem.title(), problem.detail().to_owned());
                let mut shown = page(status, &ErrorPage { frame, title, status: status.as_u16(), detail });
                let mut headers = response.headers().clone();
                headers.remove(CONTENT_TYPE);
                headers.remove(WWW_AUTHENTICATE);
                shown.headers_mut().extend(headers);
                shown
            }
        };
    }
    guarded(&mut response);
    response
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(axum::http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// What a browser may do with an answer, where a handler did not say so.
fn guarded(response: &mut Response) {
    const GUARDS: [(HeaderName, &str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (X_FRAME_OPTIONS, "DENY"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in GUARDS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
