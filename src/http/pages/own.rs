//! `/account`, `/tokens`, `/setup`: what everybody has of their own, and how the first admin comes to be.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::accounts::TOKEN_COLUMNS;
use super::desk::{Fields, back, change, choice, done, field, grid, needed, unreadable};
use super::{frame, page, see};
use crate::access::Caller;
use crate::access::directory::TOKEN_DAYS_MAX;
use crate::access::listed::TokenRow;
use crate::access::role::{Capability, Scope};
use crate::access::scopes_of;
use crate::access::user::Token;
use crate::http::Service;
use crate::http::error::Problem;
use crate::http::gate::{SignedIn, own_page};
use crate::http::people::{answered, wrong};
use crate::http::tokens::{WantedToken, called, end_token, make_token, may_manage, tokens_of};
use crate::http::users::{NewPassword, Setup, change_password, directory, make_first, me_of, with_object};
use crate::lookup::Licence;
use crate::page::cell::Cell;
use crate::page::rows::{DetailPage, Form, RowsPage, chosen, record_of, rows_of};
use crate::page::{Frame, thousands};
use crate::value::Timestamp;

type Shared = State<Arc<Service>>;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/account", get(account))
        .route("/account/change", post(new_password))
        .route("/tokens", get(tokens).post(add_token))
        .route("/tokens/remove", post(revoke_token))
        .route("/setup", get(setup_form).post(set_up))
}

//------------ Account -------------------------------------------------------

async fn account(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let is_person = caller.identity.as_ref().is_some_and(|identity| identity.token.is_none());
        let password = change(
            "Change the password",
            "/account/change".to_owned(),
            "Change",
            vec![
                needed("old", "Password", "password"),
                needed("new", "New password, at least twelve characters", "password"),
            ],
        );
        let record = record_of(&me_of(&caller), &["user", "quota", "csrf"]);
        let mut record = record.map_err(|error| unreadable(&uri, &error))?;
        record.push(("Lookups today".to_owned(), Cell::Text(today(&caller.licence))));
        let shown = DetailPage {
            frame: frame(&service, &caller, "/account"),
            title: format!("You are {}", caller.name()),
            about: "Lookups are counted by day, and anew from 00:00 UTC.".to_owned(),
            done: done(&uri),
            record,
            forms: if is_person { vec![password] } else { Vec::new() },
            tables: Vec::new(),
            links: vec![
                ("Your tokens", "/tokens".to_owned()),
                ("Your lookups", "/history".to_owned()),
                ("JSON", "/api/v1/me".to_owned()),
            ],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

/// How much was looked up, of how much.
fn today(licence: &Licence) -> String {
    let used = thousands(licence.day_requests);
    if licence.day_quota == Licence::default().day_quota {
        return format!("{used}, without a limit");
    }
    format!("{used} of {}, {} left", thousands(licence.day_quota), thousands(licence.left()))
}

/// `POST /account/change`, a form: `old`, `new`.
async fn new_password(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let fields = Fields::read(&service, &uri, request).await?;
        let wanted = NewPassword { old: fields.needed(&uri, "old")?, new: fields.needed(&uri, "new")? };
        let changed = change_password(&service, &uri, &caller, wanted).await;
        Ok(changed.map_or_else(|refused| refused, |()| back("/account", "password", caller.name())))
    })
    .await
}

//------------ Tokens --------------------------------------------------------

async fn tokens(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let now = service.clock.now();
        let tokens = tokens_of(&service, &uri, &caller, None)?;
        let row = |token: &'_ Arc<Token>| service.access.last_used(&token.id);
        let rows: Vec<TokenRow<'_>> =
            tokens.iter().map(|token| TokenRow::new(token, now, row(token))).collect();
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let is_admin = caller.may(Capability::Users);
        // Who sees but their own need not be told whose they are.
        let columns: Vec<_> =
            TOKEN_COLUMNS.iter().filter(|(name, _)| is_admin || *name != "user").copied().collect();
        let shown = RowsPage {
            frame: frame(&service, &caller, ""),
            title: if is_admin { "Tokens" } else { "Your tokens" }.to_owned(),
            about: "A token lets a program ask in its user's name, within its scopes (none chosen: all that its user \
                    may), for a year at most."
                .to_owned(),
            done: done(&uri),
            forms: token_forms(&service, &caller, &uri, &tokens, now)?,
            tables: vec![(String::new(), grid(&chosen(&rows, &columns), &uri, "rows", &[]))],
            exports: vec![("Account", "/account".to_owned()), ("JSON", "/api/v1/tokens".to_owned())],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

fn token_forms(
    service: &Service,
    caller: &Caller,
    uri: &Uri,
    tokens: &[Arc<Token>],
    now: Timestamp,
) -> Result<Vec<Form>, Problem> {
    if may_manage(caller, caller.name(), uri).is_err() {
        return Ok(Vec::new());
    }
    let directory = directory(service, uri)?;
    let mut fields = vec![needed("name", "What it is for", "text")];
    let mut scopes = Scope::ALL.to_vec();
    if caller.may(Capability::Users) {
        fields.push(choice("user", "User", caller.name(), directory.users.keys().map(String::as_str)));
    } else {
        scopes = caller.identity.as_ref().map(|identity| scopes_of(identity.user.role)).unwrap_or_default();
    }
    // None of them: whatever the user may.
    fields.extend(scopes.into_iter().map(|scope| field(scope.name(), scope.name(), "checkbox", "yes")));
    fields.push(field("days", "Days, 365 at most", "number", &TOKEN_DAYS_MAX.to_string()));
    let mut forms = vec![change("Make a token", "/tokens".to_owned(), "Make", fields)];
    let live = tokens.iter().filter(|token| token.is_live(now));
    let choices: Vec<_> = live
        .map(|token| (token.id.clone(), format!("{}: {} of {}", token.id, token.name, token.user)))
        .collect();
    if !choices.is_empty() {
        let mut which = field("token", "Token", "select", "");
        which.choices = choices;
        forms.push(change("Revoke a token", "/tokens/remove".to_owned(), "Revoke", vec![which]));
    }
    Ok(forms)
}

/// A token that was made, with its secret.
#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    frame: Frame,
    user: String,
    name: String,
    scopes: String,
    expires: Timestamp,
    secret: String,
}

/// `POST /tokens`, a form. Answered with the secret, which stands in no address: there is no other page to lead to.
async fn add_token(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let fields = Fields::read(&service, &uri, request).await?;
        let scopes: Vec<Scope> =
            Scope::ALL.into_iter().filter(|scope| fields.get(scope.name()).is_some()).collect();
        let days = fields.get("days").map(|days| days.parse::<i64>());
        let days = days.transpose().map_err(|_| wrong(&uri, "days: use 1 to 365".to_owned()))?;
        let wanted = WantedToken {
            name: fields.get("name").unwrap_or_default(),
            user: fields.get("user"),
            scopes: (!scopes.is_empty()).then_some(scopes),
            days,
        };
        let (token, secret) = make_token(&service, &uri, &caller, wanted).await?;
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
        let shown = TokenPage {
            frame: frame(&service, &caller, ""),
            user: token.user.clone(),
            name: token.name.clone(),
            scopes: scopes.join(", "),
            expires: token.expires,
            secret,
        };
        Ok(with_object(&called(&token), page(StatusCode::CREATED, &shown)))
    })
    .await
}

/// `POST /tokens/remove`, a form: `token`.
async fn revoke_token(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let id = Fields::read(&service, &uri, request).await?.needed(&uri, "token")?;
        let token = end_token(&service, &uri, &caller, id).await?;
        Ok(back("/tokens", "token-revoked", &called(&token)))
    })
    .await
}

//------------ The first admin -----------------------------------------------

/// The form for the first admin.
#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    frame: Frame,
    problem: String,
    user: String,
}

/// Whether an admin has to be made before anybody can sign in.
pub(in crate::http) fn is_to_be_set_up(service: &Service) -> bool {
    service.access.is_on && service.access.directory().is_ok_and(|directory| directory.users.is_empty())
}

async fn setup_form(State(service): Shared, Extension(caller): Extension<Caller>) -> Response {
    if !is_to_be_set_up(&service) {
        return see("/login");
    }
    let frame = frame(&service, &caller, "");
    page(StatusCode::OK, &SetupPage { frame, problem: String::new(), user: String::new() })
}

/// `POST /setup`, a form: `token`, `user`, `password`.
async fn set_up(State(service): Shared, Extension(caller): Extension<Caller>, request: Request) -> Response {
    answered(async move {
        let (uri, headers) = (request.uri().clone(), request.headers().clone());
        own_page(&service, &headers, &uri)?;
        let fields = Fields::read(&service, &uri, request).await?;
        let user = fields.get("user").unwrap_or_default();
        let wanted = Setup {
            token: fields.get("token").unwrap_or_default(),
            user: user.clone(),
            password: fields.secret("password").unwrap_or_default(),
        };
        let Err(refused) = make_first(&service, &uri, &caller, wanted).await else {
            return Ok((Extension(SignedIn(user)), see("/login")).into_response());
        };
        // With what was wrong, to try again.
        let Some(problem) = refused.extensions().get::<Problem>().cloned() else { return Ok(refused) };
        let shown =
            SetupPage { frame: frame(&service, &caller, ""), problem: problem.detail().to_owned(), user };
        let (mut parts, body) = page(problem.status(), &shown).into_parts();
        let kept = refused.headers().iter().filter(|(name, _)| *name == axum::http::header::RETRY_AFTER);
        parts.headers.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        Ok(Response::from_parts(parts, body))
    })
    .await
}
