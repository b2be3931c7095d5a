//! `config/*` of the monitoring API: the effective settings, secrets masked.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::get;
use crate::serve::Settings;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/config/collector", collector)).service(get("/api/v1/monitoring/config/dashboards", dashboards));
}

async fn collector(settings: Data<dyn Settings>) -> HttpResponse {
    HttpResponse::Ok().json(settings.section("collection"))
}

async fn dashboards(settings: Data<dyn Settings>) -> HttpResponse {
    HttpResponse::Ok().json(settings.section("dashboards"))
}
