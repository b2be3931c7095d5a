//! `config/*` of the monitoring API: the effective settings, secrets masked.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::get;
use crate::serve::Settings;
use crate::serve::openapi::shapes;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(collector, dashboards))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/config/collector", collector)).service(get("/api/v1/monitoring/config/dashboards", dashboards));
}

/// The effective settings of collecting, secrets masked.
#[utoipa::path(get, path = "/api/v1/monitoring/config/collector", responses((status = 200, description = "By key.", body = shapes::AnyObject)))]

async fn collector(settings: Data<dyn Settings>) -> HttpResponse {
    HttpResponse::Ok().json(settings.section("collection"))
}

/// The effective settings of dashboards, secrets masked.
#[utoipa::path(get, path = "/api/v1/monitoring/config/dashboards", responses((status = 200, description = "By key.", body = shapes::AnyObject)))]

async fn dashboards(settings: Data<dyn Settings>) -> HttpResponse {
    HttpResponse::Ok().json(settings.section("dashboards"))
}
