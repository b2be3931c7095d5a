//! A file per resource, each with its `routes()`. Adding an endpoint is a handler and its line there.

mod access;
mod admin;
mod alerts;
mod analysis;
mod assets;
mod backup;
mod config;
mod custom;
mod dashboards;
mod exemplars;
mod exposition;
mod latest;
mod lifecycle;
mod maintenance;
mod metrics;
mod prometheus;
mod runtime;
mod series;
mod status;
mod write;

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::error::Fault;
use crate::model::ErrorKind;

pub(super) use assets::make as make_page;

/// How old the newest value of a series may be to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookback(pub(super) Duration);

/// Every route. `max_body` bounds pushed bodies, decompressed.
pub(super) fn all(config: &mut ServiceConfig, max_body: usize) {
    prometheus::routes(config);
    series::routes(config);
    exemplars::routes(config);
    write::routes(config, max_body);
    runtime::routes(config);
    exposition::routes(config);
    metrics::routes(config);
    latest::routes(config);
    custom::routes(config);
    dashboards::routes(config);
    alerts::routes(config);
    access::routes(config);
    analysis::routes(config);
    status::routes(config);
    self::config::routes(config);
    admin::routes(config);
    backup::routes(config);
    maintenance::routes(config);
    lifecycle::routes(config);
    assets::routes(config);
    super::openapi::serve(config);
    config.default_service(web::to(assets::unknown));
}

/// What each file says of its routes.
pub(super) fn documents() -> Vec<OpenApi> {
    vec![
        prometheus::Api::openapi(),
        series::Api::openapi(),
        exemplars::Api::openapi(),
        write::Api::openapi(),
        runtime::Api::openapi(),
        exposition::Api::openapi(),
        metrics::Api::openapi(),
        latest::Api::openapi(),
        custom::Api::openapi(),
        dashboards::Api::openapi(),
        alerts::Api::openapi(),
        access::Api::openapi(),
        analysis::Api::openapi(),
        status::Api::openapi(),
        self::config::Api::openapi(),
        admin::Api::openapi(),
        backup::Api::openapi(),
        maintenance::Api::openapi(),
        lifecycle::Api::openapi(),
        assets::Api::openapi(),
    ]
}

/// A resource that is read: GET, and HEAD as HTTP demands.
pub(super) fn get<H, Args>(path: &str, handler: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    web::resource(path).route(web::get().to(handler.clone())).route(web::head().to(handler)).default_service(web::to(only_get))
}

/// A resource that takes something.
fn post<H, Args>(path: &str, handler: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(web::to(only_post))
}

/// A resource that is read and may be asked by a form, where the query is too long for a URL.
fn get_or_form<H, Args>(path: &str, handler: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler.clone()))
        .route(web::post().to(handler))
        .default_service(web::to(get_or_post))
}

async fn only_get() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET, HEAD"))
}
async fn only_post() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("POST"))
}
async fn get_or_post() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET, HEAD, POST"))
}
fn nothing_at(request: &HttpRequest) -> Fault {
    Fault::new(ErrorKind::NotFound, format!("there is nothing at {}", request.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::limits;
    use actix_web::App;
    use actix_web::http::{Method, StatusCode};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    #[actix_web::test]
    async fn every_wrong_method_is_405_and_every_unknown_path_404() {
        let app = init_service(App::new().configure(|config| all(config, 1000))).await;
        for (method, path, status, allow) in [
            (Method::DELETE, "/api/v1/query", 405, "GET, HEAD, POST"),
            (Method::POST, "/api/v1/monitoring/version", 405, "GET, HEAD"),
            (Method::GET, "/api/v1/write", 405, "POST"),
            (Method::GET, "/-/reload", 405, "POST"),
            (Method::GET, "/api/v1/monitoring/nothing", 404, ""),
            (Method::GET, "/api/v1/nothing", 404, ""),
            (Method::GET, "/nothing", 404, ""),
        ] {
            let response = call_service(&app, TestRequest::with_uri(path).method(method.clone()).to_request()).await;
            assert_eq!(response.status().as_u16(), status, "{method} {path}");
            assert_eq!(response.headers().get("allow").map_or("", |v| v.to_str().unwrap()), allow, "{method} {path}");
        }
    }

    #[actix_web::test]
    async fn documents_and_sign_ins_may_not_be_as_large_as_lists_of_samples() {
        let app = init_service(App::new().configure(|config| all(config, 1000))).await;
        for (method, path, most) in [
            (Method::POST, "/api/v1/monitoring/access/session", limits::SIGN_IN_BYTES),
            (Method::POST, "/api/v1/monitoring/dashboards/create", limits::DOCUMENT_BYTES),
            (Method::PUT, "/api/v1/monitoring/dashboards/x", limits::DOCUMENT_BYTES),
        ] {
            let request = TestRequest::with_uri(path).method(method.clone()).set_payload(vec![b' '; most + 1]);
            assert_eq!(call_service(&app, request.to_request()).await.status(), StatusCode::PAYLOAD_TOO_LARGE, "{method} {path}");
        }
    }

    #[actix_web::test]
    async fn version_is_answered_to_get_and_to_head() {
        let app = init_service(App::new().configure(|config| all(config, 1000))).await;
        for method in [Method::GET, Method::HEAD] {
            let response = call_service(&app, TestRequest::with_uri("/api/v1/monitoring/version").method(method).to_request()).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert!(read_body(response).await.starts_with(br#"{"name":"latido","version":""#));
        }
    }
}
