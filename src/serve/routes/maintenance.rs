//! `maintenance/settle`: seals, rolls up, merges and cuts the journal, and answers when done.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde_json::json;

use super::post;
use crate::ingest::Intake;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::openapi::shapes;
use crate::store::Keeper;
use crate::task::Deadline;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(settle))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(post("/api/v1/monitoring/maintenance/settle", settle));
}

/// Seals every window, rolls up, merges and cuts the journal.
#[utoipa::path(
    post, path = "/api/v1/monitoring/maintenance/settle",
    responses((status = 200, description = "Done.", body = shapes::SettleAnswer))
)]
async fn settle(asking: Data<Asking>, keeper: Data<Keeper>, intake: Data<Intake>) -> Result<HttpResponse, Fault> {
    let kept = asking.run(move || keeper.settle(&Deadline::never())).await??;
    intake.cut().await?;
    Ok(HttpResponse::Ok().json(json!({
        "sealed": kept.sealed, "rolled": kept.rolled, "merged": kept.merged, "dropped": kept.dropped,
        "took_ms": kept.took.as_secs_f64() * 1000.0,
    })))
}
