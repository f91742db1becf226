//! `/sources/overlap`: what sources share, and who was first.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::desk::grid;
use super::{frame, page};
use crate::access::Caller;
use crate::export::tree::Tree;
use crate::http::Service;
use crate::http::people::answered;
use crate::http::sources::{Seen, blocking, body, registry};
use crate::page::rows::{RowsPage, chosen};

/// A share as a percentage with one decimal.
fn percent(share: Option<&Tree>) -> Tree {
    match share {
        Some(Tree::Plain(share)) => {
            let share: f64 = share.parse().unwrap_or_default();
            Tree::Plain(format!("{:.1}", share * 100.0))
        }
        _ => Tree::Null,
    }
}

/// Sources with what each shares with each other one, as two lists of rows.
fn compared(overlap: &Tree, is_seen: impl Fn(&str) -> bool) -> (Vec<Tree>, Vec<Tree>) {
    let list = |tree: Option<&Tree>| match tree {
        Some(Tree::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let is_named =
        |row: &Tree, name: &str| matches!(row.member(name), Some(Tree::Text(source)) if is_seen(source));
    let with = |row: &Tree, more: Vec<(String, Tree)>| {
        Tree::Record(row.members().iter().cloned().chain(more).collect())
    };
    let (mut sources, mut shared) = (Vec::new(), Vec::new());
    for source in list(overlap.member("sources")).iter().filter(|source| is_named(source, "source")) {
        let name = source.member("source").cloned().unwrap_or(Tree::Null);
        for other in list(source.member("shared")).iter().filter(|other| is_named(other, "with")) {
            let share = percent(other.member("share"));
            shared.push(with(other, vec![("source".into(), name.clone()), ("share_percent".into(), share)]));
        }
        let unique = percent(source.member("unique_share"));
        // What is derived from a source that is hidden does not say so.
        let seen = source.members().iter().filter(|(member, value)| {
            !(member.ends_with("derived_from") && matches!(value, Tree::Text(origin) if !is_seen(origin)))
        });
        let seen = Tree::Record(seen.cloned().collect());
        sources.push(with(&seen, vec![("unique_percent".into(), unique)]));
    }
    (sources, shared)
}

pub(super) async fn overlap(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    answered(async move {
        let json = body(&service, &uri).await?;
        let asks = caller.clone();
        let read = move |service: &Service| {
            let seen = Seen::by(service, &registry(service)?, &asks)?;
            let overlap: Tree = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
            Ok(compared(&overlap, |name| !seen.is_hidden(name)))
        };
        let (sources, shared) = blocking(&service, &uri, read).await?;
        let sources = chosen(
            &sources,
            &["source", "listed", "unique", "unique_percent", "derived_from", "perhaps_derived_from"]
                .map(|name| (name, name)),
        );
        let shared = chosen(
            &shared,
            &["source", "with", "shared", "share_percent", "first", "later"].map(|name| (name, name)),
        );
        let shown = RowsPage {
            frame: frame(&service, &caller, ""),
            title: "What sources share".to_owned(),
            about: "Of what each source lists now: how much no other lists, how much each other one lists too, and of \
                    how many of these it was certainly the first or the later one."
                .to_owned(),
            done: "",
            forms: Vec::new(),
            tables: vec![
                ("Sources".to_owned(), grid(&sources, &uri, "sources", &[])),
                ("Shared with each other".to_owned(), grid(&shared, &uri, "shared", &[])),
            ],
            exports: vec![
                ("All sources", "/sources".to_owned()),
                ("JSON", "/api/v1/sources/overlap".to_owned()),
            ],
        };
        Ok(page(StatusCode::OK, &shown))
    })
    .await
}
