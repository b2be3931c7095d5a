//! Prometheus' admin calls on data: deleting series, and working deletions into the files.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::ingest::{Board, Intake};
use crate::model::Matcher;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::store::Keeper;
use crate::task::Deadline;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(delete, clean))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/admin/tsdb/delete_series").route(web::post().to(delete)).route(web::put().to(delete)).default_service(web::to(other)))
        .service(web::resource("/api/v1/admin/tsdb/clean_tombstones").route(web::post().to(clean)).route(web::put().to(clean)).default_service(web::to(other)));
}

async fn other() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("POST, PUT"))
}

/// Deletes what any `match[]` accepts from `start` to `end`, both included and all time where not
/// given. 204 when it is durable and no query sees it any more.
#[utoipa::path(
    method(post, put), path = "/api/v1/admin/tsdb/delete_series",
    params(
        ("match[]" = Vec<String>, Query, description = "Series selectors, repeated for several.", example = json!(["up"])),
        ("start" = Option<String>, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = Option<String>, Query, description = "Until when: Unix seconds or RFC 3339.", example = json!("2026-11-25T10:00:00Z"))
    ),
    responses((status = 204, description = "Gone."))
)]
async fn delete(params: Params, asking: Data<Asking>, keeper: Data<Keeper>, intake: Data<Intake>, board: Data<Board>) -> Result<HttpResponse, Fault> {
    let (selectors, range) = (params.selectors()?, params.range()?);
    if selectors.is_empty() {
        return Err(Fault::parameter("match[]", "give at least one selector of what to delete"));
    }
    if selectors.iter().any(|matchers| matchers.iter().all(Matcher::accepts_absent)) {
        return Err(Fault::parameter("match[]", "a selector must have a matcher that does not accept everything"));
    }
    tracing::info!(selectors = selectors.len(), from = range.start.0, to = range.end.0, "series are deleted");
    asking
        .run(move || {
            keeper.delete(&selectors, range, &Deadline::never())?;
            board.forget(&selectors, range);
            Ok::<_, Fault>(())
        })
        .await??;
    intake.cut().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Works deletions into the files.
#[utoipa::path(method(post, put), path = "/api/v1/admin/tsdb/clean_tombstones", responses((status = 204, description = "Done.")))]

async fn clean(asking: Data<Asking>, keeper: Data<Keeper>) -> Result<HttpResponse, Fault> {
    asking.run(move || keeper.maintain(&Deadline::never())).await??;
    Ok(HttpResponse::NoContent().finish())
}
