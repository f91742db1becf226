//! `/users`, `/users/{name}`, `/groups`: who may do what, for admins.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::{Map, Value};

use super::desk::Becomes::{self, NumberOrNull, Secret, Text, TextOrNull, Truth};
use super::desk::{Fields, back, change, choice, done, field, grid, needed, unreadable};
use super::{frame, page};
use crate::access::Caller;
use crate::access::directory::Directory;
use crate::access::listed::{TokenRow, UserRow};
use crate::access::role::Role;
use crate::access::user::{Limits, User};
use crate::http::Service;
use crate::http::part::Part;
use crate::http::people::{answered, wrong};
use crate::http::tokens::tokens_of;
use crate::http::users::{self, alter_user, directory, make_user};
use crate::page::escaped;
use crate::page::rows::{DetailPage, Field, RowsPage, chosen, record_of, rows_of};
use crate::value::Tlp;

type Shared = State<Arc<Service>>;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/users", get(list).post(add))
        .route("/users/{name}", get(one))
        .route("/users/{name}/change", post(alter))
        .route("/users/{name}/remove", post(remove))
        .route("/groups", get(groups))
        .route("/groups/set", post(set_group))
        .route("/groups/remove", post(remove_group))
}

/// The fields of a user's forms, and what they become.
const USER: &[(&str, Becomes)] = &[
    ("name", Text),
    ("role", Text),
    ("group", TextOrNull),
    ("clearance", Text),
    ("day_quota", NumberOrNull),
    ("per_second", NumberOrNull),
    ("burst", NumberOrNull),
    ("disabled", Truth),
    ("password", Secret),
];

/// The columns of users; what an admin looks at first stands first.
const USER_COLUMNS: &[(&str, &str)] = &[
    ("name", "user"),
    ("role", "role"),
    ("group", "group"),
    ("clearance", "clearance"),
    ("day_quota", "day_quota"),
    ("per_second", "per_second"),
    ("burst", "burst"),
    ("disabled", "disabled"),
    ("has_password", "has_password"),
    ("created", "created"),
];

/// The columns of tokens.
pub(super) const TOKEN_COLUMNS: &[(&str, &str)] = &[
    ("id", "id"),
    ("name", "for"),
    ("user", "user"),
    ("scopes", "scopes"),
    ("status", "status"),
    ("created", "created"),
    ("expires", "expires"),
    ("last_used", "last_used"),
];

fn limits_of(limits: &Limits) -> [Field; 3] {
    fn text(number: Option<impl ToString>) -> String {
        number.map(|number| number.to_string()).unwrap_or_default()
    }
    [
        field("day_quota", "Lookups a day (empty: any)", "text", &text(limits.day_quota)),
        field("per_second", "Requests a second (empty: any)", "text", &text(limits.per_second)),
        field("burst", "Requests at once", "text", &text(limits.burst)),
    ]
}

/// Role, group, clearance and limits of a user, as they are.
fn rights_of(user: Option<&User>, directory: &Directory) -> Vec<Field> {
    let role = user.map_or(Role::Analyst, |user| user.role);
    let group = user.and_then(|user| user.group.as_deref()).unwrap_or_default();
    let mut groups = choice("group", "Group", group, directory.groups.keys().map(String::as_str));
    groups.choices.insert(0, (String::new(), "none".to_owned()));
    // A new user has the clearance of the role unless one is said.
    let clearance = user.map_or("", |user| user.clearance.name());
    let mut clearances = choice("clearance", "Clearance (TLP)", clearance, Tlp::ALL.map(|(_, name)| name));
    if user.is_none() {
        clearances.choices.insert(0, (String::new(), "as the role has".to_owned()));
    }
    let mut fields = vec![choice("role", "Role", role.name(), Role::ALL.map(Role::name)), groups, clearances];
    fields.extend(limits_of(&user.map(|user| user.limits).unwrap_or_default()));
    fields
}

async fn list(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let directory = directory(&service, &uri)?;
        let rows: Vec<UserRow<'_>> = directory.users.values().map(|user| UserRow::from(&**user)).collect();
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let mut fields = vec![needed("name", "Name", "text")];
        fields.extend(rights_of(None, &directory));
        fields.push(field("password", "Password (empty: tokens only)", "password", ""));
        let shown = RowsPage {
            frame: frame(&service, &caller, "/users"),
            title: "Users".to_owned(),
            about: "A clearance is the highest mark (TLP) of what somebody sees named. What is limited for a group \
                    holds for all its users together."
                .to_owned(),
            done: done(&uri),
            forms: vec![change("Add a user", "/users".to_owned(), "Add", fields)],
            tables: vec![(String::new(), grid(&chosen(&rows, USER_COLUMNS), &uri, "rows", &[]))],
            exports: vec![
                ("Groups", "/groups".to_owned()),
                ("Tokens", "/tokens".to_owned()),
                ("JSON", "/api/v1/users".to_owned()),
            ],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

async fn add(State(service): Shared, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let fields = Fields::read(&service, &uri, request).await?;
        fields.needed(&uri, "name")?;
        let mut record = fields.record(&uri, USER)?;
        record.retain(|_, value| !value.is_null());
        let wanted = serde_json::from_value(record.into())
            .map_err(|error| wrong(&uri, format!("the form is no user: {error}")))?;
        let user = make_user(&service, &uri, wanted).await?;
        Ok(back(&path_of(&user.name), "user-added", &format!("{} as {}", user.name, user.role)))
    })
    .await
}

fn path_of(name: &str) -> String {
    format!("/users/{}", escaped(name))
}

async fn one(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Part(name): Part,
    uri: Uri,
) -> Response {
    answered(async move {
        let directory = directory(&service, &uri)?;
        let user = directory.user(&name).map_err(|error| users::problem(&uri, &error))?;
        let now = service.clock.now();
        let tokens = tokens_of(&service, &uri, &caller, Some(&name))?;
        let row = |token| TokenRow::new(token, now, None);
        let mut rows: Vec<TokenRow<'_>> = tokens.iter().map(|token| row(token)).collect();
        for row in &mut rows {
            row.last_used = service.access.last_used(row.id);
        }
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let columns: Vec<_> = TOKEN_COLUMNS.iter().filter(|(name, _)| *name != "user").copied().collect();
        let path = path_of(&name);
        let locked = if user.disabled { "yes" } else { "no" };
        let mut rights = rights_of(Some(user), &directory);
        rights.push(choice("disabled", "Locked out", locked, ["no", "yes"]));
        let shown = DetailPage {
            frame: frame(&service, &caller, ""),
            title: format!("User {name}"),
            about: String::new(),
            done: done(&uri),
            record: record_of(&UserRow::from(&**user), &["name"])
                .map_err(|error| unreadable(&uri, &error))?,
            forms: vec![
                change("Change", format!("{path}/change"), "Change", rights),
                change(
                    "Set a password",
                    format!("{path}/change"),
                    "Set the password",
                    vec![needed("password", "New password, at least twelve characters", "password")],
                ),
                change(
                    "Remove",
                    format!("{path}/remove"),
                    "Remove the user and all tokens",
                    vec![needed("sure", "Type the name to remove it for good", "text")],
                ),
            ],
            tables: vec![("Tokens".to_owned(), grid(&chosen(&rows, &columns), &uri, "tokens", &[]))],
            links: vec![("All users", "/users".to_owned()), ("Tokens", "/tokens".to_owned())],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

/// What of a record is not so already: a role that is said again would end the user's sessions.
fn differing(record: Map<String, Value>, user: &User) -> Map<String, Value> {
    let now = serde_json::to_value(UserRow::from(user)).unwrap_or_default();
    let same = |name: &str, value: &Value| match (now.get(name), value) {
        // Of limits that are not there nothing is said.
        (None, value) => value.is_null() && name != "password",
        (Some(now), value) if now.is_number() => now.as_f64() == value.as_f64(),
        (Some(now), value) => now == value,
    };
    record.into_iter().filter(|(name, value)| !same(name, value)).collect()
}

async fn alter(State(service): Shared, Part(name): Part, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let record = Fields::read(&service, &uri, request).await?.record(&uri, &USER[1..])?;
        let directory = directory(&service, &uri)?;
        let user = directory.user(&name).map_err(|error| users::problem(&uri, &error))?;
        let record = differing(record, user);
        if record.is_empty() {
            return Ok(back(&path_of(&name), "nothing", &name));
        }
        let (user, object) = alter_user(&service, &uri, name, record).await?;
        Ok(back(&path_of(&user.name), "user-changed", &object))
    })
    .await
}

async fn remove(State(service): Shared, Part(name): Part, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let sure = Fields::read(&service, &uri, request).await?.get("sure");
        if sure.as_deref() != Some(name.as_str()) {
            return Err(wrong(&uri, format!("to remove {name:?} type this name into the form")));
        }
        let removed = name.clone();
        users::change(&service, &uri, move |directory| directory.remove_user(&removed)).await?;
        Ok(back("/users", "user-removed", &name))
    })
    .await
}

//------------ Groups --------------------------------------------------------

async fn groups(State(service): Shared, Extension(caller): Extension<Caller>, uri: Uri) -> Response {
    answered(async move {
        let directory = directory(&service, &uri)?;
        let rows: Vec<Value> = directory.groups.values().map(|group| with_users(group, &directory)).collect();
        let rows = rows_of(&rows).map_err(|error| unreadable(&uri, &error))?;
        let columns = ["name", "users", "day_quota", "per_second", "burst"].map(|name| (name, name));
        let mut fields = vec![needed("name", "Name", "text")];
        fields.extend(limits_of(&Limits::default()));
        let mut forms =
            vec![change("Add a group, or set its limits", "/groups/set".to_owned(), "Set", fields)];
        if !directory.groups.is_empty() {
            let which = choice("name", "Group", "", directory.groups.keys().map(String::as_str));
            forms.push(change("Remove a group", "/groups/remove".to_owned(), "Remove", vec![which]));
        }
        let shown = RowsPage {
            frame: frame(&service, &caller, ""),
            title: "Groups".to_owned(),
            about: "Users with limits in common. A group is removed when nobody is in it any more."
                .to_owned(),
            done: done(&uri),
            forms,
            tables: vec![(String::new(), grid(&chosen(&rows, &columns), &uri, "rows", &[]))],
            exports: vec![("Users", "/users".to_owned()), ("JSON", "/api/v1/groups".to_owned())],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}

/// A group, and how many are in it.
fn with_users(group: &crate::access::user::Group, directory: &Directory) -> Value {
    let count = directory.users.values().filter(|user| user.group.as_ref() == Some(&group.name)).count();
    let mut row = serde_json::to_value(group).unwrap_or_default();
    row["users"] = count.into();
    row
}

async fn set_group(State(service): Shared, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let fields = Fields::read(&service, &uri, request).await?;
        let name = fields.get("name").unwrap_or_default();
        let limits = fields.record(&uri, &USER[4..7])?;
        let limits: Limits = serde_json::from_value(limits.into())
            .map_err(|error| wrong(&uri, format!("the form has no limits: {error}")))?;
        let set = name.clone();
        users::change(&service, &uri, move |directory| directory.set_group(&set, limits)).await?;
        Ok(back("/groups", "group-set", &name))
    })
    .await
}

async fn remove_group(State(service): Shared, request: Request) -> Response {
    answered(async move {
        let uri = request.uri().clone();
        let name = Fields::read(&service, &uri, request).await?.needed(&uri, "name")?;
        let removed = name.clone();
        users::change(&service, &uri, move |directory| directory.remove_group(&removed)).await?;
        Ok(back("/groups", "group-removed", &name))
    })
    .await
}
