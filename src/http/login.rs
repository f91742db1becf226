//! `/login` and `/logout`: signing in with a form, for the page. What is kept is a cookie with a session's secret.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::api::parameter;
use super::body::{form_field, read_body};
use super::error::Problem;
use super::gate::{SignedIn, own_page};
use super::pages::{self, frame, is_to_be_set_up, page};
use super::people::{answered, unavailable, wrong};
use super::table::Dialect;
use super::who::{cookie_name, denial, identified};
use crate::access::secret::TOKEN_PREFIX;
use crate::access::{Caller, Credential, Denied, Via};
use crate::page::Frame;

/// The form.
#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    problem: String,
    /// Where to go then: a path of ours.
    next: String,
    user: String,
}

/// `GET /login`: the form; who is signed in may sign out.
pub(super) async fn form(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    if is_to_be_set_up(&service) {
        return pages::see("/setup");
    }
    let next = own_path(parameter(uri.query().unwrap_or_default(), "next"));
    let frame = frame(&service, &caller, "/login");
    page(StatusCode::OK, &LoginPage { frame, problem: String::new(), next, user: String::new() })
}

/// A path of this service, whatever was said: nobody is led elsewhere from here.
fn own_path(said: Option<String>) -> String {
    let is_own = |path: &String| {
        let mut bytes = path.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && path.bytes().all(|byte| byte.is_ascii_graphic())
    };
    said.filter(is_own).unwrap_or_else(|| "/".to_owned())
}

/// `POST /login`, a form: `user`, `password`.
pub(super) async fn login(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let (uri, headers) = (request.uri().clone(), request.headers().clone());
        if !service.access.is_on {
            let detail = "with auth off there is nothing to sign in to: everybody on this machine may ask";
            return Err(Problem::new(StatusCode::NOT_FOUND, &uri, detail));
        }
        own_page(&service, &headers, &uri)?;
        let body = read_body(&service, &uri, request).await?;
        let field = |name: &str| {
            form_field(&body, name).ok_or_else(|| wrong(&uri, format!("the form's field {name} is missing")))
        };
        let (user, password) = (field("user")?, field("password")?);
        let next = own_path(form_field(&body, "next"));
        let now = service.clock.now();
        // A page is for people: tokens open the interface only.
        let denied = Err(Denied::Wrong("name or password is wrong: try again".to_owned()));
        let identity = if password.starts_with(TOKEN_PREFIX) {
            denied
        } else {
            let credential = Credential::Basic { user: user.clone(), secret: password };
            identified(&service, credential, caller.address, now).await
        };
        let identity = match identity {
            Ok(identity) => identity,
            Err(Denied::Wrong(detail)) => {
                service.metrics.auth_failures.inc();
                let tried = Extension(SignedIn(crate::access::audit::cut(&user)));
                let frame = frame(&service, &caller, "/login");
                let again = LoginPage { frame, problem: detail, next, user };
                return Ok((tried, page(StatusCode::UNAUTHORIZED, &again)).into_response());
            }
            Err(denied) => return Ok(denial(Dialect::Tip, &uri, denied)),
        };
        let begun = service.access.begin_session(&identity.user, now);
        let secret = begun.map_err(|error| unavailable(&uri, error.to_string()))?;
        let seconds = i64::from(service.session.max_hours) * 3600;
        let response = see(&next, &cookie(&service, &secret, seconds));
        Ok((Extension(SignedIn(identity.user.name.clone())), response).into_response())
    })
    .await
}

/// `POST /logout`: ends the session.
pub(super) async fn logout(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        if let Via::Session(secret) = caller.via() {
            let ended = service.access.end_session(secret);
            ended.map_err(|error| unavailable(request.uri(), error.to_string()))?;
        }
        Ok(see("/login", &cookie(&service, "", 0)))
    })
    .await
}

fn cookie(service: &Service, secret: &str, seconds: i64) -> String {
    let (name, secure) = (cookie_name(service.is_secure), if service.is_secure { "; Secure" } else { "" });
    format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

fn see(path: &str, cookie: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(SET_COOKIE, HeaderValue::from_str(cookie).expect("hex and constants"));
    (StatusCode::SEE_OTHER, headers).into_response()
}
