//! Backup and verification of the running store. The backup is a stream: whoever asks writes it
//! where they want; the daemon writes to no path that a request names.

use std::io;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, ServiceConfig};
use futures_util::{StreamExt, future, stream};
use serde_json::json;
use tokio::sync::mpsc;

use super::{get, post};
use crate::clock::format_rfc3339;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::openapi::shapes;
use crate::store::Keeper;
use crate::task::Deadline;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(backup, verify))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/maintenance/backup", backup)).service(post("/api/v1/monitoring/maintenance/verify", verify));
}

/// Bytes of one piece of the stream, and how many pieces wait for a slow client.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

type Piece = Result<Bytes, io::Error>;

/// A writer on a thread of the pool whose pieces a client reads.
struct Pieces {
    to: mpsc::Sender<Piece>,
    piece: Vec<u8>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.to.blocking_send(Ok(piece.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let take = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend(bytes.iter().take(take));
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() { Ok(()) } else { self.send() }
    }
}

/// Everything acknowledged until now, as a tar stream that ends with a manifest. A stream that is
/// cut short has none.
#[utoipa::path(
    get, path = "/api/v1/monitoring/maintenance/backup",
    responses((status = 200, description = "A tar stream that ends with a manifest.", body = shapes::Bytes, content_type = "application/x-tar"))
)]
async fn backup(asking: Data<Asking>, keeper: Data<Keeper>) -> Result<HttpResponse, Fault> {
    let snapshot = asking.run(move || keeper.snapshot(&Deadline::never())).await??;
    let name = format!("latido-{}.tar", format_rfc3339(asking.now()).replace(':', "-"));
    let (to, from) = mpsc::channel::<Piece>(WAITING);
    let work =
        async move { asking.run(move || snapshot.write(Pieces { to, piece: Vec::with_capacity(PIECE) }, &Deadline::never()).map_err(Fault::from)).await };
    // The work has no answer of its own; what ends it early ends the stream with an error.
    let end = stream::once(work).filter_map(|done| {
        let failed = match done {
            Ok(Ok(_)) => None,
            Ok(Err(fault)) | Err(fault) => Some(Err(io::Error::other(fault.to_string()))),
        };
        future::ready(failed)
    });
    let pieces = stream::unfold(from, |mut from| async move { from.recv().await.map(|piece| (piece, from)) });
    Ok(HttpResponse::Ok()
        .content_type("application/x-tar")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{name}\"")))
        .streaming(Box::pin(stream::select(pieces, end))))
}

/// Reads the whole store and checks it.
#[utoipa::path(
    post, path = "/api/v1/monitoring/maintenance/verify",
    responses((status = 200, description = "What was read, and what is wrong.", body = shapes::VerifyAnswer))
)]
async fn verify(asking: Data<Asking>, keeper: Data<Keeper>) -> Result<HttpResponse, Fault> {
    let found = asking.run(move || keeper.verify(&Deadline::never())).await??;
    Ok(HttpResponse::Ok().json(json!({
        "files": found.files, "bytes": found.bytes, "rows": found.rows, "problems": found.problems, "notes": found.notes,
    })))
}
