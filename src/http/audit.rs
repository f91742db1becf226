//! `GET /api/v1/audit`: who did what, sent as it is read: there may be millions of entries.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::Service;
use super::api::parameter;
use super::error::Problem;
use super::people::{answered, wrong};
use crate::access::audit::{self, CSV_HEADS, Filter, csv_cells};
use crate::value::Timestamp;

/// Bytes of a piece that is sent at once.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait for a slow reader.
const PIECES: usize = 4;

/// How entries are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Ndjson,
    Csv,
}

/// `GET /api/v1/audit?since=&until=&user=&action=`: NDJSON, the oldest first.
pub(super) async fn entries(State(service): State<Arc<Service>>, uri: Uri) -> Response {
    answered(async move { sent(service, filter(&uri)?, Form::Ndjson) }).await
}

/// Which entries an address asks for; a parameter that is empty says nothing.
pub(super) fn filter(uri: &Uri) -> Result<Filter, Problem> {
    let text =
        |name: &str| parameter(uri.query().unwrap_or_default(), name).filter(|text| !text.trim().is_empty());
    let moment = |name: &str| {
        let parsed = text(name).map(|text| Timestamp::parse(text.trim()));
        parsed.transpose().map_err(|error| wrong(uri, format!("{name}: {error}")))
    };
    Ok(Filter {
        since: moment("since")?,
        until: moment("until")?,
        user: text("user"),
        action: text("action"),
    })
}

/// All entries that are wanted, sent as they are read.
pub(super) fn sent(service: Arc<Service>, filter: Filter, form: Form) -> Result<Response, Problem> {
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send_entries(&service, &filter, form, &sender) {
            tracing::warn!(%error, "the audit was not sent to its end");
            // Whoever reads must not take what they have for all there is; unless they are gone.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let kind = match form {
        Form::Ndjson => "application/x-ndjson",
        Form::Csv => "text/csv; charset=utf-8",
    };
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind))], Body::new(Pieces(receiver))).into_response())
}

fn send_entries(
    service: &Service,
    filter: &Filter,
    form: Form,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    if let Some(audit) = &service.audit {
        audit.flush();
    }
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let row = |cells: &[String], piece: &mut Vec<u8>| -> io::Result<()> {
        csv::WriterBuilder::new().buffer_capacity(1024).from_writer(piece).write_record(cells)?;
        Ok(())
    };
    if form == Form::Csv {
        row(&CSV_HEADS.map(str::to_owned), &mut piece)?;
    }
    audit::read(service.store.folder(), filter, &mut |entry| {
        match form {
            Form::Csv => row(&csv_cells(&entry), &mut piece)?,
            Form::Ndjson => {
                serde_json::to_writer(&mut piece, &entry)?;
                piece.push(b'\n');
            }
        }
        let is_full = piece.len() >= PIECE_BYTES;
        // Nobody to send to is no failure.
        Ok(!is_full || sender.blocking_send(Ok(std::mem::take(&mut piece).into())).is_ok())
    })?;
    if !piece.is_empty() {
        let _ = sender.blocking_send(Ok(piece.into()));
    }
    Ok(())
}

/// A body that comes in pieces.
struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
