//! `/api/v1/me`, `/users`, `/groups`, `/setup`: who may do what, read and changed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Service;
use super::body::json;
use super::error::Problem;
use super::gate::{Object, SignedIn};
use super::part::Part;
use super::people::{answered, json_response, unavailable, wrong};
use super::table::Dialect;
use super::who::denial;
use crate::access::directory::Directory;
use crate::access::listed::UserRow;
use crate::access::role::{Capability, Role};
use crate::access::user::{Limits, User, UserChange};
use crate::access::{AccessError, Caller, Denied, Via, sessions};
use crate::value::{Timestamp, Tlp};

type Shared = State<Arc<Service>>;

/// All routes of this file.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v1/me", get(me).patch(change_me))
        .route("/api/v1/users", get(users).post(add_user))
        .route("/api/v1/users/{name}", patch(change_user).delete(remove_user))
        .route("/api/v1/groups", get(groups))
        .route("/api/v1/groups/{name}", put(set_group).delete(remove_group))
        .route("/api/v1/setup", post(set_up))
}

pub(super) fn problem(uri: &Uri, error: &AccessError) -> Problem {
    match error {
        AccessError::Wrong(detail) => wrong(uri, detail.clone()),
        AccessError::Nothing(detail) => Problem::new(StatusCode::NOT_FOUND, uri, detail.as_str()),
        AccessError::Failed(detail) => {
            tracing::error!(detail, "users cannot be read or written");
            unavailable(uri, detail.as_str())
        }
    }
}

/// Changes users off the threads that answer: it waits for the disk, and for a password's hash.
pub(super) async fn change<T: Send + 'static>(
    service: &Arc<Service>,
    uri: &Uri,
    work: impl FnOnce(&mut Directory) -> Result<T, AccessError> + Send + 'static,
) -> Result<T, Problem> {
    let blocking = service.clone();
    match tokio::task::spawn_blocking(move || blocking.access.change(work)).await {
        Ok(done) => done.map_err(|error| problem(uri, &error)),
        Err(error) => {
            tracing::error!(%error, "a change of users panicked");
            Err(unavailable(uri, "the request failed inside the service: its log says more"))
        }
    }
}

pub(super) fn directory(service: &Service, uri: &Uri) -> Result<Arc<Directory>, Problem> {
    service.access.directory().map_err(|error| problem(uri, &error))
}

pub(super) fn with_object(object: &str, response: Response) -> Response {
    (Extension(Object(object.to_owned())), response).into_response()
}

//------------ Me ------------------------------------------------------------

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Me<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    may: &'a [Capability],
    clearance: Tlp,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_expires: Option<Timestamp>,
    quota: Quota,
    /// What a page of the session has to send with all that changes something.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Quota {
    day: u64,
    used: u64,
    left: u64,
}

async fn me(Extension(caller): Extension<Caller>) -> Response {
    json_response(StatusCode::OK, &me_of(&caller))
}

/// What a caller is told of themselves.
pub(super) fn me_of(caller: &Caller) -> Me<'_> {
    let identity = caller.identity.as_ref();
    let licence = &caller.licence;
    let csrf = if let Via::Session(secret) = caller.via() { Some(sessions::csrf(secret)) } else { None };
    Me {
        user: caller.name(),
        role: identity.map(|identity| identity.user.role),
        group: identity.and_then(|identity| identity.user.group.as_deref()),
        may: &caller.capabilities,
        clearance: caller.clearance,
        token: identity.and_then(|identity| Some(identity.token.as_ref()?.id.as_str())),
        token_expires: licence.token_expires,
        quota: Quota { day: licence.day_quota, used: licence.day_requests, left: licence.left() },
        csrf,
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    pub(super) old: String,
    pub(super) new: String,
}

/// `PATCH /api/v1/me {"old","new"}`: a new password; sessions end, tokens stay.
async fn change_me(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        may_change_password(&caller, &uri)?;
        let wanted: NewPassword = json(&service, &uri, request).await?;
        let changed = change_password(&service, &uri, &caller, wanted).await;
        Ok(changed.map_or_else(|refused| refused, |()| StatusCode::NO_CONTENT.into_response()))
    })
    .await
}

/// The name of who may change their password, which a token may not.
fn may_change_password(caller: &Caller, uri: &Uri) -> Result<String, Problem> {
    let identity = caller.identity.as_ref().filter(|identity| identity.token.is_none());
    identity.map(|identity| identity.user.name.clone()).ok_or_else(|| {
        let detail = "a token cannot change the password: sign in with it, or ask an admin";
        Problem::new(StatusCode::FORBIDDEN, uri, detail)
    })
}

/// Changes the password of who asks; or the answer to who may not, or did not say the old one.
pub(super) async fn change_password(
    service: &Arc<Service>,
    uri: &Uri,
    caller: &Caller,
    NewPassword { old, new }: NewPassword,
) -> Result<(), Response> {
    let name = may_change_password(caller, uri).map_err(Problem::into_response)?;
    let (blocking, by, address) = (service.clone(), name.clone(), caller.address);
    let verified = tokio::task::spawn_blocking(move || blocking.access.verify(&by, &old, address)).await;
    let refused = match verified {
        Ok(Ok(_)) => {
            let password = UserChange { password: Some(new), ..UserChange::default() };
            let changed = change(service, uri, move |directory| directory.change_user(&name, password)).await;
            return changed.map_err(Problem::into_response);
        }
        Ok(Err(Denied::Wrong(_))) => wrong(uri, "old is not the password: try again".to_owned()),
        Ok(Err(denied)) => return Err(denial(Dialect::Tip, uri, denied)),
        Err(_) => unavailable(uri, "the password was not verified: try again"),
    };
    Err(refused.into_response())
}

//------------ Users and groups ----------------------------------------------

async fn users(State(service): Shared, uri: Uri) -> Response {
    answered(async move {
        let directory = directory(&service, &uri)?;
        let rows: Vec<UserRow<'_>> = directory.users.values().map(|user| UserRow::from(&**user)).collect();
        Ok(json_response(StatusCode::OK, &rows))
    })
    .await
}

/// A user that is wanted: name and role, and what can be changed of one.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
pub(super) struct WantedUser {
    pub(super) name: String,
    role: Role,
    #[serde(flatten)]
    #[schema(value_type = UserChange)]
    rest: serde_json::Map<String, serde_json::Value>,
}

async fn add_user(State(service): Shared, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let wanted: WantedUser = json(&service, &uri, request).await?;
        let user = make_user(&service, &uri, wanted).await?;
        let row = json_response(StatusCode::CREATED, &UserRow::from(&*user));
        Ok(with_object(&format!("{} as {}", user.name, user.role), row))
    })
    .await
}

/// Adds a user.
pub(super) async fn make_user(
    service: &Arc<Service>,
    uri: &Uri,
    wanted: WantedUser,
) -> Result<Arc<User>, Problem> {
    let rest = serde_json::from_value::<UserChange>(wanted.rest.into());
    let rest = rest.map_err(|error| wrong(uri, format!("the body is no user: {error}")))?;
    let (name, role, now) = (wanted.name, wanted.role, service.clock.now());
    change(service, uri, move |directory| {
        directory.add_user(&name, role, now)?;
        directory.change_user(&name, rest)?;
        Ok(directory.user(&name)?.clone())
    })
    .await
}

async fn change_user(State(service): Shared, Part(name): Part, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let wanted: Record = json(&service, &uri, request).await?;
        let (user, object) = alter_user(&service, &uri, name, wanted).await?;
        Ok(with_object(&object, json_response(StatusCode::OK, &UserRow::from(&*user))))
    })
    .await
}

/// What a body says, by field.
type Record = serde_json::Map<String, serde_json::Value>;

/// Changes a user; answers with it and with what the audit says of that.
pub(super) async fn alter_user(
    service: &Arc<Service>,
    uri: &Uri,
    name: String,
    wanted: Record,
) -> Result<(Arc<User>, String), Problem> {
    let fields: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let object = format!("{name}: {}", fields.join(", "));
    let wanted = serde_json::from_value::<UserChange>(wanted.into());
    let wanted = wanted.map_err(|error| wrong(uri, format!("the body is no change of a user: {error}")))?;
    let user = change(service, uri, move |directory| {
        directory.change_user(&name, wanted)?;
        Ok(directory.user(&name)?.clone())
    });
    Ok((user.await?, object))
}

async fn remove_user(State(service): Shared, Part(name): Part, uri: Uri) -> Response {
    answered(async move {
        change(&service, &uri, move |directory| directory.remove_user(&name)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

async fn groups(State(service): Shared, uri: Uri) -> Response {
    answered(async move {
        let directory = directory(&service, &uri)?;
        let rows: Vec<_> = directory.groups.values().map(|group| &**group).collect();
        Ok(json_response(StatusCode::OK, &rows))
    })
    .await
}

async fn set_group(State(service): Shared, Part(name): Part, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let limits: Limits = json(&service, &uri, request).await?;
        let group = change(&service, &uri, move |directory| {
            directory.set_group(&name, limits)?;
            Ok(directory.groups[&name].clone())
        })
        .await?;
        Ok(json_response(StatusCode::OK, &*group))
    })
    .await
}

async fn remove_group(State(service): Shared, Part(name): Part, uri: Uri) -> Response {
    answered(async move {
        change(&service, &uri, move |directory| directory.remove_group(&name)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

//------------ The first admin -----------------------------------------------

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    pub(super) token: String,
    pub(super) user: String,
    pub(super) password: String,
}

/// `POST /api/v1/setup {"token","user","password"}`: the first admin, by the token that `serve` printed.
async fn set_up(State(service): Shared, Extension(caller): Extension<Caller>, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let wanted: Setup = json(&service, &uri, request).await?;
        let user = wanted.user.clone();
        Ok(match make_first(&service, &uri, &caller, wanted).await {
            Err(refused) => refused,
            Ok(()) => {
                let made = serde_json::json!({"user": user, "role": Role::Admin});
                (Extension(SignedIn(user)), json_response(StatusCode::CREATED, &made)).into_response()
            }
        })
    })
    .await
}

/// Makes the first admin; or the answer to who has another token, or did not say rightly what is needed.
pub(super) async fn make_first(
    service: &Arc<Service>,
    uri: &Uri,
    caller: &Caller,
    Setup { token, user, password }: Setup,
) -> Result<(), Response> {
    let (blocking, now, address) = (service.clone(), service.clock.now(), caller.address);
    let made =
        tokio::task::spawn_blocking(move || blocking.access.set_up(&token, &user, &password, address, now));
    let refused = match made.await {
        Ok(Ok(Ok(()))) => return Ok(()),
        Ok(Ok(Err(error))) => problem(uri, &error),
        Ok(Err(denied)) => return Err(denial(Dialect::Tip, uri, denied)),
        Err(_) => unavailable(uri, "the request failed inside the service: its log says more"),
    };
    Err(refused.into_response())
}
