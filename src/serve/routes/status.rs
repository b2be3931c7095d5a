//! `status` and `version` of the monitoring API.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde_json::json;

use super::get;
use crate::clock::Stopwatch;
use crate::serve::Settings;
use crate::serve::asking::Asking;
use crate::serve::openapi::shapes;
use crate::telemetry::HealthBoard;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(status, version))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/status", status)).service(get("/api/v1/monitoring/version", version));
}

/// How the daemon is, and since when.
#[utoipa::path(get, path = "/api/v1/monitoring/status", responses((status = 200, description = "How the daemon is.", body = shapes::Status)))]

async fn status(board: Data<HealthBoard>, started: Data<Stopwatch>, settings: Data<dyn Settings>, asking: Data<Asking>) -> HttpResponse {
    let uptime = started.elapsed();
    let now = asking.now();
    HttpResponse::Ok().json(json!({
        "status": board.overall().health.as_str(),
        "uptime_seconds": uptime.as_secs_f64(),
        "environment": settings.environment(),
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": now - uptime,
        "now": now,
    }))
}

/// Which version runs.
#[utoipa::path(get, path = "/api/v1/monitoring/version", responses((status = 200, description = "Name and version.", body = shapes::Version)))]

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}))
}
