//! Expositions: what this daemon collected itself and what was recorded, for a Prometheus to scrape,
//! and `/federate` for everything in the store.

use std::collections::BTreeMap;

use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::latest::newest;
use super::{Lookback, get};
use crate::ingest::{Board, Registry};
use crate::model::Labels;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::store::{Reader, StoreError};
use crate::wire::render;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(exposition, federate))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/metrics", exposition)).service(get("/api/v1/monitoring/metrics/prometheus", exposition)).service(get("/federate", federate));
}

/// How an exposition is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    OpenMetrics,
}

impl Format {
    /// Writes the samples, which come in label order.
    pub(super) fn write(self, samples: &[(Labels, f64)], registry: &Registry) -> String {
        match self {
            Self::Text => render::text(samples, |name| registry.meta(name)),
            Self::OpenMetrics => render::openmetrics(samples, |name| registry.meta(name)),
        }
    }

    pub(super) fn answer(self, text: String) -> HttpResponse {
        let content_type = match self {
            Self::Text => render::TEXT_CONTENT_TYPE,
            Self::OpenMetrics => render::OPENMETRICS_CONTENT_TYPE,
        };
        HttpResponse::Ok().content_type(content_type).body(text)
    }

    /// The format that a client likes best; text where it has no wish.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
        let weight = |wanted: &str| accept.split(',').filter_map(|entry| weight_of(entry, wanted)).fold(0.0, f32::max);
        let open = weight("application/openmetrics-text");
        if open > 0.0 && open >= weight("text/plain") { Self::OpenMetrics } else { Self::Text }
    }
}

/// The weight of an entry of `Accept`, where it names the media type.
fn weight_of(entry: &str, wanted: &str) -> Option<f32> {
    let mut parts = entry.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    Some(parts.find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0))
}

/// What this daemon collected itself and what was recorded, for a Prometheus to scrape.
#[utoipa::path(
    get, path = "/metrics",
    responses(
        (status = 200, description = "Newest values; `Accept` chooses the format.", content((String = "text/plain"), (String = "application/openmetrics-text")))
    )
)]
async fn exposition(
    request: HttpRequest,
    asking: Data<Asking>,
    board: Data<Board>,
    registry: Data<Registry>,
    lookback: Data<Lookback>,
) -> Result<HttpResponse, Fault> {
    let format = Format::accepted(request.headers());
    let oldest = asking.now() - lookback.0;
    let shown = move || board.exposed(oldest).into_iter().map(|(labels, sample)| (labels, sample.v)).collect::<Vec<_>>();
    let text = asking.run(move || format.write(&shown(), &registry)).await?;
    Ok(format.answer(text))
}

/// The newest value of every series that the selectors match, with all its labels.
#[utoipa::path(
    get, path = "/federate",
    params(("match[]" = Option<Vec<String>>, Query, description = "Series selectors, repeated for several.", example = json!(["up"]))),
    responses((status = 200, description = "Newest values with their times.", content((String = "text/plain"))))
)]
async fn federate(
    params: Params,
    asking: Data<Asking>,
    reader: Data<Reader>,
    registry: Data<Registry>,
    lookback: Data<Lookback>,
) -> Result<HttpResponse, Fault> {
    let selectors = params.selectors()?;
    let now = asking.now();
    let text = asking
        .ask("federate", None, move |deadline| {
            let mut found = BTreeMap::new();
            for matchers in selectors {
                found.extend(newest(&reader, matchers, now, lookback.0, deadline)?);
            }
            let (samples, times): (Vec<_>, Vec<_>) = found.into_iter().map(|(labels, sample)| ((labels, sample.v), sample.t.0)).unzip();
            Ok::<_, StoreError>(render::federated(&samples, &times, |name| registry.meta(name)))
        })
        .await?;
    Ok(Format::Text.answer(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(accept: &str) -> Format {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Format::accepted(&headers)
    }

    #[test]
    fn prometheus_gets_openmetrics_and_a_browser_text() {
        assert_eq!(
            format(
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
            ),
            Format::OpenMetrics
        );
        assert_eq!(format("text/plain, application/openmetrics-text;q=0.5"), Format::Text);
        assert_eq!(format("application/openmetrics-text;q=0"), Format::Text);
        assert_eq!(format("*/*"), Format::Text);
        assert_eq!(Format::accepted(&HeaderMap::new()), Format::Text);
    }
}
