//! `GET /graph?of=&open=`: what is around indicators, as a page. Each that is opened counts as a lookup.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::{frame, looked_up, page};
use crate::access::Caller;
use crate::graph::graph;
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::graph::{counted, settled, write_down};
use crate::page::graph::{Drawn, GraphPage};

pub(super) async fn around(
    State(service): State<Arc<Service>>,
    Extension(mut caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    let frame = frame(&service, &caller, "/graph");
    let query = uri.query().unwrap_or_default();
    if parameter(query, "of").is_none_or(|of| of.trim().is_empty()) {
        return page(StatusCode::OK, &GraphPage { frame, drawn: None });
    }
    let wanted = match counted(&service, &mut caller, &uri) {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    let opened = wanted.opened.len();
    let as_of = parameter(query, "as_of").unwrap_or_default();
    let (at_work, who) = (service.clone(), caller.clone());
    let made = looked_up(&service, &caller, &uri, true, move |context| {
        write_down(&at_work, &who, &wanted, context.now);
        Ok(Drawn::new(&graph(context, &wanted)?, &wanted, &as_of, context.now)?)
    });
    let answer = match made.await {
        Ok(drawn) => page(StatusCode::OK, &GraphPage { frame, drawn: Some(drawn) }),
        Err(problem) => problem.into_response(),
    };
    settled(&service, caller, opened, answer)
}
