//! `/api/v1/tokens`: one's own tokens, of an admin everybody's.
//!
//! Tokens of one's own are everybody's business, but not a token's: who has a token could else make one that lives
//! longer or may more.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Service;
use super::api::parameter;
use super::body::json;
use super::error::Problem;
use super::part::Part;
use super::people::{answered, json_response};
use super::users::{change, directory, problem, with_object};
use crate::access::directory::TOKEN_DAYS_MAX;
use crate::access::listed::TokenRow;
use crate::access::role::{Capability, Scope};
use crate::access::user::{NewToken, Token};
use crate::access::{Caller, scopes_of};

type Shared = State<Arc<Service>>;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v1/tokens", get(tokens).post(create_token))
        .route("/api/v1/tokens/{id}", delete(revoke_token))
}

/// `GET /api/v1/tokens`: one's own; of an admin all, or those of `?user=`.
async fn tokens(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let now = service.clock.now();
        let of = parameter(uri.query().unwrap_or_default(), "user");
        let tokens = tokens_of(&service, &uri, &caller, of.as_deref())?;
        let rows: Vec<TokenRow<'_>> = tokens
            .iter()
            .map(|token| TokenRow::new(token, now, service.access.last_used(&token.id)))
            .collect();
        Ok(json_response(StatusCode::OK, &rows))
    })
    .await
}

/// The tokens that somebody may know of: their own, of an admin all; of one user where that is said.
pub(super) fn tokens_of(
    service: &Service,
    uri: &Uri,
    caller: &Caller,
    of: Option<&str>,
) -> Result<Vec<Arc<Token>>, Problem> {
    let may_see = |token: &&Arc<Token>| {
        (caller.may(Capability::Users) || token.user == caller.name())
            && of.is_none_or(|user| user == token.user)
    };
    Ok(directory(service, uri)?.tokens.values().filter(may_see).cloned().collect())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(super) struct WantedToken {
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) scopes: Option<Vec<Scope>>,
    pub(super) days: Option<i64>,
}

/// `POST /api/v1/tokens {"name","scopes","days","user"}`: all but the name may be left out.
async fn create_token(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let wanted: WantedToken = json(&service, &uri, request).await?;
        let (token, secret) = make_token(&service, &uri, &caller, wanted).await?;
        let row = TokenRow { token: Some(&secret), ..TokenRow::new(&token, service.clock.now(), None) };
        Ok(with_object(&called(&token), json_response(StatusCode::CREATED, &row)))
    })
    .await
}

/// What the audit calls a token.
pub(super) fn called(token: &Token) -> String {
    format!("{} of {}", token.id, token.user)
}

/// Makes a token; answers with it and its secret.
pub(super) async fn make_token(
    service: &Arc<Service>,
    uri: &Uri,
    caller: &Caller,
    wanted: WantedToken,
) -> Result<(Arc<Token>, String), Problem> {
    let user = wanted.user.unwrap_or_else(|| caller.name().to_owned());
    may_manage(caller, &user, uri)?;
    let role = directory(service, uri)?.user(&user).map_err(|error| problem(uri, &error))?.role;
    let scopes = wanted.scopes.unwrap_or_else(|| scopes_of(role));
    let new = NewToken { user, name: wanted.name, scopes, days: wanted.days.unwrap_or(TOKEN_DAYS_MAX) };
    let now = service.clock.now();
    change(service, uri, move |directory| directory.create_token(&new, now)).await
}

/// `DELETE /api/v1/tokens/{id}`: it is revoked and stays listed for a while.
async fn revoke_token(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Part(id): Part,
    uri: Uri,
) -> Response {
    answered(async move {
        let token = end_token(&service, &uri, &caller, id).await?;
        let row = TokenRow::new(&token, service.clock.now(), service.access.last_used(&token.id));
        Ok(with_object(&called(&token), json_response(StatusCode::OK, &row)))
    })
    .await
}

/// Revokes a token of who asks, of an admin anybody's.
pub(super) async fn end_token(
    service: &Arc<Service>,
    uri: &Uri,
    caller: &Caller,
    id: String,
) -> Result<Arc<Token>, Problem> {
    // Of others' tokens nobody learns that there are any.
    let seen = tokens_of(service, uri, caller, None)?;
    let Some(token) = seen.iter().find(|token| token.id == id) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, uri, format!("you have no token {id:?}")));
    };
    may_manage(caller, &token.user, uri)?;
    let now = service.clock.now();
    change(service, uri, move |directory| directory.revoke_token(&id, now)).await
}

/// Whether somebody may make or revoke tokens of a user.
pub(super) fn may_manage(caller: &Caller, user: &str, uri: &Uri) -> Result<(), Problem> {
    let detail = match &caller.identity {
        _ if caller.may(Capability::Users) => return Ok(()),
        Some(identity) if identity.token.is_some() => {
            "a token manages no tokens: sign in with name and password, or use `zonelens token`"
        }
        Some(identity) if identity.user.name == user => return Ok(()),
        Some(_) => "only an admin manages tokens of others: leave user out for your own",
        None => "with auth off there are no tokens to make over HTTP: use `zonelens token`",
    };
    Err(Problem::new(StatusCode::FORBIDDEN, uri, detail))
}
