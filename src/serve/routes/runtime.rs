//! What Prometheus' clients ask of the server itself. What this daemon does not have is an empty
//! list, never an error: Grafana probes these paths.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde_json::{Value, json};

use super::get;
use crate::clock::{Stopwatch, format_duration, format_rfc3339};
use crate::serve::Settings;
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;
use crate::serve::routes::Lookback;
use crate::store::{Ranking, Reader};

/// The Prometheus whose API this is: clients choose by it what they ask. `features` must not
/// stand beside it, for that means Mimir to Grafana.
const API_OF_PROMETHEUS: &str = "3.0.0";

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(alertmanagers, targets, target_metadata, scrape_pools, build, runtime, flags, settings, tsdb, replay, notifications))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/api/v1/status/buildinfo", build))
        .service(get("/api/v1/status/runtimeinfo", runtime))
        .service(get("/api/v1/status/flags", flags))
        .service(get("/api/v1/status/config", settings))
        .service(get("/api/v1/status/tsdb", tsdb))
        .service(get("/api/v1/alertmanagers", alertmanagers))
        .service(get("/api/v1/targets", targets))
        .service(get("/api/v1/targets/metadata", target_metadata))
        .service(get("/api/v1/scrape_pools", scrape_pools))
        .service(get("/api/v1/status/walreplay", replay))
        .service(get("/api/v1/notifications", notifications));
}

/// The answer where there is nothing of a kind.
fn no(empty: &Value) -> HttpResponse {
    answer::success(empty, &[])
}

/// There are none: alerts go to a webhook.
#[utoipa::path(get, path = "/api/v1/alertmanagers", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn alertmanagers() -> HttpResponse {
    no(&json!({"activeAlertmanagers": [], "droppedAlertmanagers": []}))
}

/// There are none: what is here was collected or sent.
#[utoipa::path(get, path = "/api/v1/targets", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn targets() -> HttpResponse {
    no(&json!({"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}))
}

/// There are no targets that could have any.
#[utoipa::path(get, path = "/api/v1/targets/metadata", responses((status = 200, description = "Always empty.", body = shapes::SomeList)))]

async fn target_metadata() -> HttpResponse {
    no(&json!([]))
}

/// There are none: what is here was collected or sent.
#[utoipa::path(get, path = "/api/v1/scrape_pools", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn scrape_pools() -> HttpResponse {
    no(&json!({"scrapePools": []}))
}

/// The journal is replayed before this path answers, so it always is done.
#[utoipa::path(get, path = "/api/v1/status/walreplay", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn replay() -> HttpResponse {
    no(&json!({"min": 0, "max": 0, "current": 0, "state": "done"}))
}

/// There are none: what is wrong stands in the health.
#[utoipa::path(get, path = "/api/v1/notifications", responses((status = 200, description = "Always empty.", body = shapes::SomeList)))]

async fn notifications() -> HttpResponse {
    no(&json!([]))
}

/// The Prometheus whose interface this is.
#[utoipa::path(
    get, path = "/api/v1/status/buildinfo",
    responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject))
)]
async fn build() -> HttpResponse {
    answer::success(
        &json!({
            "version": API_OF_PROMETHEUS, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
            "application": env!("CARGO_PKG_NAME"), "applicationVersion": env!("CARGO_PKG_VERSION"),
        }),
        &[],
    )
}

/// Since when it runs.
#[utoipa::path(
    get, path = "/api/v1/status/runtimeinfo",
    responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject))
)]
async fn runtime(asking: Data<Asking>, started: Data<Stopwatch>) -> HttpResponse {
    let now = asking.now();
    answer::success(&json!({"startTime": format_rfc3339(now - started.elapsed()), "serverTime": format_rfc3339(now)}), &[])
}

/// How far queries look back.
#[utoipa::path(get, path = "/api/v1/status/flags", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn flags(lookback: Data<Lookback>) -> HttpResponse {
    answer::success(&json!({"query.lookback-delta": format_duration(lookback.0)}), &[])
}

/// This daemon's settings stand under `config/*` of the monitoring API; Prometheus' YAML is not theirs.
#[utoipa::path(get, path = "/api/v1/status/config", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn settings(settings: Data<dyn Settings>) -> HttpResponse {
    answer::success(&json!({"yaml": format!("# latido, environment {}: see /api/v1/monitoring/config/collector\n", settings.environment())}), &[])
}

/// Names in each list where no limit is given, and the most that may be asked for.
const TOP: usize = 10;
const MOST: usize = 10_000;

/// Which metrics and labels have the most series.
#[utoipa::path(
    get, path = "/api/v1/status/tsdb",
    params(("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))),
    responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject))
)]
async fn tsdb(params: Params, asking: Data<Asking>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let top = params.limit()?.unwrap_or(TOP);
    if top > MOST {
        return Err(Fault::parameter("limit", format!("at most {MOST}")));
    }
    let found = asking.run(move || reader.cardinality(top)).await?;
    let list = |ranking: &Ranking| ranking.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>();
    Ok(answer::success(
        &json!({
            "headStats": {
                "numSeries": found.series, "numLabelPairs": found.pairs, "chunkCount": found.chunks,
                "minTime": found.oldest.map_or(0, |t| t.0), "maxTime": found.newest.map_or(0, |t| t.0),
            },
            "seriesCountByMetricName": list(&found.by_metric),
            "labelValueCountByLabelName": list(&found.values_by_label),
            "memoryInBytesByLabelName": list(&found.bytes_by_label),
            "seriesCountByLabelValuePair": list(&found.by_pair),
        }),
        &[],
    ))
}
