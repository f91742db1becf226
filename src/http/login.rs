//! `/login` and `/logout`: signing in with a form, for the page. What is kept is a cookie with a session's secret.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::body::{form_field, read_body};
use super::error::Problem;
use super::gate::{SignedIn, own_page};
use super::people::{answered, unavailable, wrong};
use super::table::Dialect;
use super::who::{cookie_name, denial, identified};
use crate::access::secret::TOKEN_PREFIX;
use crate::access::{Caller, Credential, Denied, Via, sessions};

/// Nothing but the form itself.
const POLICY: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// `GET /login`: the form; who is signed in may sign out.
pub(super) async fn form(Extension(caller): Extension<Caller>) -> Response {
    let body = match caller.via() {
        Via::Session(secret) => signed_in(caller.name(), &sessions::csrf(secret)),
        _ => sign_in(""),
    };
    page(StatusCode::OK, body)
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
                return Ok((tried, page(StatusCode::UNAUTHORIZED, sign_in(&detail))).into_response());
            }
            Err(denied) => return Ok(denial(Dialect::Tip, &uri, denied)),
        };
        let begun = service.access.begin_session(&identity.user, now);
        let secret = begun.map_err(|error| unavailable(&uri, error.to_string()))?;
        let seconds = i64::from(service.session.max_hours) * 3600;
        let response = see("/", &cookie(&service, &secret, seconds));
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

fn see(path: &'static str, cookie: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_static(path));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(SET_COOKIE, HeaderValue::from_str(cookie).expect("hex and constants"));
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn page(status: StatusCode, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>zonelens</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<h1>zonelens</h1>\n{body}</html>\n"
    );
    (status, headers, page).into_response()
}

fn sign_in(problem: &str) -> String {
    let problem = if problem.is_empty() {
        String::new()
    } else {
        format!("<p role=\"alert\">{}</p>\n", escaped(problem))
    };
    format!(
        "{problem}<form method=\"post\" action=\"/login\">\n\
         <p><label>Name <input name=\"user\" autocomplete=\"username\" required autofocus></label></p>\n\
         <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>\n\
         <p><button>Sign in</button></p>\n</form>\n"
    )
}

fn signed_in(name: &str, csrf: &str) -> String {
    format!(
        "<p>You are {}.</p>\n<form method=\"post\" action=\"/logout\">\
         <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\"><button>Sign out</button></form>\n",
        escaped(name)
    )
}

/// Text as it may stand in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
