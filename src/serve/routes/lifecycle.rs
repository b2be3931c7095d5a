//! `/-/healthy`, `/-/ready`, `/-/reload`: for supervisors and scripts, in plain text.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::{get, post};
use crate::model::ErrorKind;
use crate::serve::Settings;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::task::Stop;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(healthy, ready, reload))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/-/healthy", healthy)).service(get("/-/ready", ready)).service(post("/-/reload", reload));
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text)
}

/// Whether it answers.
#[utoipa::path(get, path = "/-/healthy", responses((status = 200, description = "It answers.", body = String, content_type = "text/plain")))]

async fn healthy() -> HttpResponse {
    plain("latido is healthy.\n")
}

/// The store is open before the first request is answered, so only a stop makes it unready.
#[utoipa::path(
    get, path = "/-/ready",
    responses(
        (status = 200, description = "It takes requests.", body = String, content_type = "text/plain"),
        (status = 503, description = "It is stopping.")
    )
)]
async fn ready(stop: Data<Stop>) -> Result<HttpResponse, Fault> {
    if stop.is_stopped() { Err(Fault::new(ErrorKind::Unavailable, "latido is stopping.")) } else { Ok(plain("latido is ready.\n")) }
}

/// Reads the configuration again.
#[utoipa::path(
    post, path = "/-/reload",
    responses(
        (status = 200, description = "Taken.", body = String, content_type = "text/plain"),
        (status = 400, description = "The configuration is wrong; the older one stays.")
    )
)]
async fn reload(asking: Data<Asking>, settings: Data<dyn Settings>) -> Result<HttpResponse, Fault> {
    asking.run(move || settings.reload()).await?.map_err(|reason| Fault::new(ErrorKind::Invalid, format!("the configuration stays as it was: {reason}")))?;
    Ok(plain("the configuration was read again.\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;

    #[actix_web::test]
    async fn a_stopping_daemon_is_not_ready() {
        let (trigger, stop) = Stop::new();
        assert_eq!(ready(Data::new(stop.clone())).await.unwrap().status(), StatusCode::OK);
        trigger.stop();
        assert_eq!(ready(Data::new(stop)).await.unwrap_err().code(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
