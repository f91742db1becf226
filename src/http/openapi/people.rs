//! What people say, and who they are.

use super::operation::Is::Text;
use super::operation::Shape::{self, Lines, List, Of, Written};
use super::operation::{
    Answer, Group, Operation, Parameter, answer, bare, delete, get, json, needed, of, patch, post, put, query,
};
use crate::access::audit::Entry;
use crate::access::listed::{TokenRow, UserRow};
use crate::access::user::{Limits, UserChange};
use crate::http::people::Listed;
use crate::http::tokens::WantedToken;
use crate::http::users::{Me, NewPassword, Setup, WantedUser};
use crate::people::{Record, Said};

pub(super) const SAID: Group = Group {
    name: "What people say",
    about: "Pins, notes, sightings and reports of false positives. What is said is in the very next lookup.",
    operations: &[
        listed("/api/v1/pins", "pins", "Pins on an object, live and past"),
        said("/api/v1/pins", "addPin", "Sets the zone of an object")
            .about("Fields: `indicator`, `by`, `zone`, `reason`, `expires`."),
        delete("/api/v1/pins", "removePin", "Takes the live pin on an object back")
            .with(&[
                ABOUT,
                query("by", Text(None), "ann", "Who takes it back; where users are known it is who asks."),
                needed("reason", Text(Some(1000)), "was ours", "Why."),
            ])
            .answers(&[json(200, Of(of::<Record>()), "What took it back.")], &[400, 404]),
        listed("/api/v1/notes", "notes", "Notes on an object"),
        said("/api/v1/notes", "addNote", "Says something of an object")
            .about("Fields: `indicator`, `by`, `text`."),
        listed("/api/v1/sightings", "sightings", "Sightings of an object"),
        said("/api/v1/sightings", "addSighting", "Says that an object was seen")
            .about("Fields: `indicator`, `by`, `observed`."),
        listed("/api/v1/false-positives", "falsePositives", "Reports that an object is wrongly listed"),
        said("/api/v1/false-positives", "addFalsePositive", "Says that an object is wrongly listed")
            .about("Fields: `indicator`, `by`, `reason`."),
    ],
};

const ABOUT: Parameter =
    needed("indicator", Text(None), "example.com", "A domain, address, URL or file hash, as typed.");
const LISTED: &[Answer] = &[json(200, Of(of::<Listed>()), "The newest first, 1,000 at most.")];
const KEPT: &[Answer] = &[json(201, Of(of::<Record>()), "What is kept.")];
const SAYS: &[(&str, Shape)] = &[(JSON, Of(of::<Said>()))];

const fn listed(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    get(path, id, summary).with(&[ABOUT]).answers(LISTED, &[400])
}

const fn said(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    post(path, id, summary).takes(SAYS).answers(KEPT, OF_BODY)
}

pub(super) const USERS: Group = Group {
    name: "Users",
    about: "Who may ask, their tokens, their limits, and who did what.",
    operations: &[
        get("/api/v1/me", "me", "Who asks, and what they may")
            .answers(&[json(200, Of(of::<Me<'_>>()), "Who asks.")], &[]),
        patch("/api/v1/me", "changePassword", "Changes the password of who asks")
            .about("Sessions end; tokens stay. A token cannot change it.")
            .takes(&[(JSON, Of(of::<NewPassword>()))])
            .answers(&[bare(204, "It is changed.")], &[400, 403, 408, 413, 415]),
        get("/api/v1/tokens", "tokens", "Tokens of who asks; of an admin all")
            .with(&[query("user", Text(None), "soar", "Those of this user.")])
            .answers(&[json(200, List(of::<TokenRow<'_>>()), "The tokens, without their secrets.")], &[]),
        post("/api/v1/tokens", "createToken", "Makes a token")
            .takes(&[(JSON, Of(of::<WantedToken>()))])
            .answers(
                &[json(201, TOKEN, "The token, with its secret, which is told once.")],
                &[400, 403, 404, 408, 413, 415],
            ),
        delete("/api/v1/tokens/{token}", "revokeToken", "Revokes a token")
            .answers(&[json(200, TOKEN, "The token, revoked.")], &[400, 403, 404]),
        get("/api/v1/users", "users", "All users")
            .answers(&[json(200, List(of::<UserRow<'_>>()), "The users.")], &[]),
        post("/api/v1/users", "addUser", "Adds a user")
            .takes(&[(JSON, Of(of::<WantedUser>()))])
            .answers(&[json(201, USER, "The user.")], &[400, 404, 408, 413, 415]),
        patch("/api/v1/users/{user}", "changeUser", "Changes a user")
            .about("What is left out stays; `null` takes it away.")
            .takes(&[(JSON, Of(of::<UserChange>()))])
            .answers(&[json(200, USER, "The user as it is now.")], &[400, 404, 408, 413, 415]),
        delete("/api/v1/users/{user}", "removeUser", "Removes a user")
            .answers(&[bare(204, "It is gone.")], &[400, 404]),
        get("/api/v1/groups", "groups", "All groups")
            .answers(&[json(200, List(of::<crate::access::user::Group>()), "The groups.")], &[]),
        put("/api/v1/groups/{group}", "setGroup", "Adds a group, or sets its limits")
            .takes(&[(JSON, Of(of::<Limits>()))])
            .answers(&[json(200, Of(of::<crate::access::user::Group>()), "The group.")], OF_BODY),
        delete("/api/v1/groups/{group}", "removeGroup", "Removes a group")
            .answers(&[bare(204, "It is gone.")], &[400, 404]),
        get("/api/v1/audit", "audit", "Who did what")
            .with(&[
                query("since", Text(None), "2024-05-28", "From this day or moment on."),
                query("until", Text(None), "2024-05-29T12:00Z", "Up to this day or moment."),
                query("user", Text(None), "ann", "Of this user."),
                query("action", Text(None), "lookup", "What was done."),
            ])
            .answers(
                &[answer(200, "application/x-ndjson", Lines(of::<Entry>()), "The oldest first.")],
                &[400],
            ),
        post("/api/v1/setup", "setUp", "Makes the first admin, with the token that the service printed")
            .takes(&[(JSON, Of(of::<Setup>()))])
            .answers(&[json(201, Written("Own.Made"), "The admin.")], &[400, 401, 404, 408, 413, 415]),
        get("/login", "loginForm", "The form to sign in")
            .answers(&[answer(200, HTML, Shape::Text, "The form.")], &[]),
        post("/login", "login", "Signs in: begins a session")
            .takes(&[("application/x-www-form-urlencoded", Written("Own.Login"))])
            .answers(
                &[
                    bare(303, "Signed in: a cookie is set."),
                    answer(401, HTML, Shape::Text, "The form, with what was wrong."),
                ],
                &[400, 403, 404, 408, 413],
            ),
        post("/logout", "logout", "Signs out: ends the session")
            .answers(&[bare(303, "Signed out.")], &[403, 408, 413]),
    ],
};

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const TOKEN: Shape = Of(of::<TokenRow<'_>>());
const USER: Shape = Of(of::<UserRow<'_>>());
/// The problems of a body that is read.
const OF_BODY: &[u16] = &[400, 408, 413, 415];

pub(super) const PROCESS: Group = Group {
    name: "The process",
    about: "For whoever runs it.",
    operations: &[
        get("/healthz", "healthz", "Whether the process lives")
            .answers(&[answer(200, PLAIN, Shape::Text, "It does.")], &[]),
        get("/readyz", "readyz", "Whether lookups can be answered")
            .answers(&[answer(200, PLAIN, Shape::Text, "They can.")], &[]),
        get("/metrics", "metrics", "Figures for Prometheus")
            .about("For admins, unless `[http] metrics = \"open\"` shows them to everybody.")
            .answers(&[answer(200, "application/openmetrics-text", Shape::Text, "The figures.")], &[]),
        get("/openapi.json", "openapi", "This document")
            .answers(&[json(200, Written("Own.Document"), "OpenAPI 3.1.")], &[]),
        get("/docs", "docs", "This document as a page")
            .answers(&[answer(200, HTML, Shape::Text, "The page.")], &[]),
    ],
};

const PLAIN: &str = "text/plain";
