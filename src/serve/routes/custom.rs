//! Custom metrics: register, record, list. What a value means by type is `ingest`'s.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::Serialize;
use serde_json::json;

use super::{get, post};
use crate::ingest::{CustomMetric, Intake, Recording, Registered, Registry, Rejection, Report};
use crate::model::{ErrorKind, MetricType, TimeRange, Timestamp};
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::JsonBytes;
use crate::serve::openapi::shapes;
use crate::store::{Reader, StoreError};
use crate::wire;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(register, record, list))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(post("/api/v1/monitoring/metrics/custom/register", register))
        .service(post("/api/v1/monitoring/metrics/custom/record", record))
        .service(get("/api/v1/monitoring/metrics/custom/list", list));
}

/// A definition as the API shows it.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    #[serde(rename = "type")]
    kind: MetricType,
    unit: String,
    help: String,
    category: &'static str,
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buckets: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<usize>,
}

impl From<CustomMetric> for Shown {
    fn from(m: CustomMetric) -> Self {
        Self { name: m.name, kind: m.kind, unit: m.unit, help: m.help, category: m.category.as_str(), labels: m.labels, buckets: m.buckets, series: None }
    }
}

fn definition(request: wire::record::RegisterRequest) -> CustomMetric {
    CustomMetric {
        name: request.name,
        kind: request.kind,
        unit: request.unit.unwrap_or_default(),
        help: request.help.unwrap_or_default(),
        category: request.category.unwrap_or_default(),
        labels: request.labels.unwrap_or_default(),
        buckets: request.buckets.unwrap_or_default(),
    }
}

/// Registers a metric.
#[utoipa::path(
    post, path = "/api/v1/monitoring/metrics/custom/register",
    request_body = shapes::MetricDefinition,
    responses(
        (status = 201, description = "New.", body = shapes::RegisteredMetric),
        (status = 200, description = "The same as before.", body = shapes::RegisteredMetric),
        (status = 409, description = "Registered before, differently."),
        (status = 422, description = "More metrics than the limit.")
    )
)]
async fn register(body: JsonBytes, asking: Data<Asking>, registry: Data<Registry>) -> Result<HttpResponse, Fault> {
    let metric = definition(wire::record::parse_register(&body.0)?);
    let shown = Shown::from(metric.clone());
    Ok(match asking.run(move || registry.register(metric)).await?? {
        Registered::New => HttpResponse::Created().json(shown),
        Registered::Same => HttpResponse::Ok().json(shown),
    })
}

/// Records values of custom metrics.
#[utoipa::path(
    post, path = "/api/v1/monitoring/metrics/custom/record",
    request_body = shapes::RecordBody,
    responses(
        (status = 202, description = "Durable; `rejected` names what was not taken.", body = shapes::RecordAnswer),
        (status = 400, description = "Malformed, or nothing could be taken.", body = shapes::RecordError)
    )
)]
async fn record(body: JsonBytes, asking: Data<Asking>, registry: Data<Registry>, intake: Data<Intake>) -> Result<HttpResponse, Fault> {
    let request = wire::record::parse(&body.0)?;
    let sorted = Sorted::of(request.samples, asking.now());
    let report = if sorted.good.is_empty() { Report::default() } else { registry.record(&intake, sorted.good).await? };
    let rejected = merged(sorted.bad, &sorted.positions, report.rejected);
    answer(request.single, report.accepted, rejected)
}

/// Recordings that can be read, with their positions in the request, and what is wrong with the others.
#[derive(Debug, Default)]
struct Sorted {
    good: Vec<Recording>,
    positions: Vec<usize>,
    bad: Vec<Rejection>,
}

impl Sorted {
    fn of(samples: Vec<Result<wire::record::RecordSample, String>>, now: Timestamp) -> Self {
        let mut out = Self::default();
        for (index, sample) in samples.into_iter().enumerate() {
            match sample.and_then(|sample| recording(sample, now)) {
                Ok(recording) => {
                    out.good.push(recording);
                    out.positions.push(index);
                }
                Err(reason) => out.bad.push(Rejection { index, reason }),
            }
        }
        out
    }
}

fn recording(sample: wire::record::RecordSample, now: Timestamp) -> Result<Recording, String> {
    let timestamp = sample.timestamp.map(|moment| moment.at(now)).transpose().map_err(|e| e.to_string())?;
    Ok(Recording { name: sample.name, value: sample.value, increment: sample.increment, labels: sample.labels, timestamp })
}

/// All rejections by their position in the request: the registry counts only what it was given.
fn merged(mut bad: Vec<Rejection>, positions: &[usize], of_good: Vec<Rejection>) -> Vec<Rejection> {
    bad.extend(of_good.into_iter().map(|r| Rejection { index: positions.get(r.index).copied().unwrap_or(r.index), reason: r.reason }));
    bad.sort_by_key(|r| r.index);
    bad
}

fn answer(single: bool, accepted: usize, rejected: Vec<Rejection>) -> Result<HttpResponse, Fault> {
    match rejected.first() {
        Some(first) if single => Err(Fault::new(ErrorKind::Invalid, first.reason.clone())),
        Some(first) if accepted == 0 => {
            let message = format!("none of {} samples was stored, the first because: {}", rejected.len(), first.reason);
            Ok(HttpResponse::BadRequest().json(json!({"error": {"code": "invalid", "message": message}, "accepted": 0, "rejected": rejected})))
        }
        _ => Ok(HttpResponse::Accepted().json(json!({"accepted": accepted, "rejected": rejected}))),
    }
}

/// Every metric that can be recorded.
#[utoipa::path(
    get, path = "/api/v1/monitoring/metrics/custom/list",
    responses((status = 200, description = "By name.", body = shapes::MetricList))
)]
async fn list(asking: Data<Asking>, registry: Data<Registry>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let metrics = asking
        .ask("custom_list", None, move |deadline| {
            let mut series: HashMap<String, usize> = HashMap::new();
            for labels in reader.series(&[], TimeRange::ALL, deadline)? {
                *series.entry(labels.metric_name().to_owned()).or_default() += 1;
            }
            Ok::<_, StoreError>(registry.list().into_iter().map(|metric| counted(metric, &series)).collect::<Vec<_>>())
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({"metrics": metrics})))
}

/// A histogram counts once for each set of labels, whatever its buckets.
fn counted(metric: CustomMetric, series: &HashMap<String, usize>) -> Shown {
    let count = match metric.kind {
        MetricType::Histogram | MetricType::Summary => series.get(&format!("{}_count", metric.name)),
        _ => series.get(&metric.name),
    };
    let count = count.copied().unwrap_or(0);
    Shown { series: Some(count), ..metric.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(index: usize, reason: &str) -> Rejection {
        Rejection { index, reason: reason.into() }
    }

    #[test]
    fn rejections_keep_their_position_in_the_request() {
        let request = wire::record::parse(
            br#"{"samples":[{"name":"a","value":"x"},{"name":"b","value":1},{"name":"c","value":2,"timestamp":"never"},{"name":"d","value":3}]}"#,
        )
        .unwrap();
        let sorted = Sorted::of(request.samples, Timestamp(0));
        assert_eq!((sorted.good.len(), sorted.bad.len()), (2, 2));
        let all = merged(sorted.bad, &sorted.positions, vec![bad(1, "unknown")]);
        assert_eq!(all.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(all[2], bad(3, "unknown"));
    }

    #[test]
    fn one_bad_sample_and_a_list_of_only_bad_ones_are_400() {
        assert_eq!(answer(true, 0, vec![bad(0, "no")]).unwrap_err().code().as_u16(), 400);
        assert_eq!(answer(false, 0, vec![bad(0, "no")]).unwrap().status().as_u16(), 400);
        assert_eq!(answer(false, 1, vec![bad(0, "no")]).unwrap().status().as_u16(), 202);
        assert_eq!(answer(true, 1, Vec::new()).unwrap().status().as_u16(), 202);
    }

    #[test]
    fn a_histogram_counts_its_label_sets() {
        let metric = definition(wire::record::parse_register(br#"{"name":"h","type":"histogram"}"#).unwrap());
        let series = HashMap::from([("h_bucket".to_owned(), 30), ("h_count".to_owned(), 3)]);
        assert_eq!(counted(metric, &series).series, Some(3));
    }
}
