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

async fn clean(asking: Data<Asking>, keeper: Data<Keeper>) -> Result<HttpResponse, Fault> {
    asking.run(move || keeper.maintain(&Deadline::never())).await??;
    Ok(HttpResponse::NoContent().finish())
}
