//! `metrics/health`, `metrics/stats` and `metrics/query` of the monitoring API.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{get, latest, post};
use crate::collect::{CollectStats, Collector, SourceStats};
use crate::dashboard::Cache;
use crate::model::{Matcher, Tier, Timestamp};
use crate::query::{Aggregation, MetricsAnswer, MetricsQuery, Names, QueryError};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::{JsonBytes, Span, moment, parse_json};
use crate::serve::openapi::shapes;
use crate::store::{Reader, StorageForecast, StoreStats, TierStats};
use crate::telemetry::{Health, HealthBoard, Overall};
use crate::wire::record;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(health, stats, query))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/api/v1/monitoring/metrics/health", health))
        .service(get("/api/v1/monitoring/metrics/stats", stats))
        .service(post("/api/v1/monitoring/metrics/query", query));
}

/// How each part of the daemon is.
#[utoipa::path(
    get, path = "/api/v1/monitoring/metrics/health",
    responses(
        (status = 200, description = "Healthy, or degraded.", body = shapes::HealthAnswer),
        (status = 503, description = "Unhealthy: nothing can be stored.", body = shapes::HealthAnswer)
    )
)]
async fn health(board: Data<HealthBoard>) -> HttpResponse {
    let overall = board.overall();
    let status = if overall.health == Health::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    HttpResponse::build(status).json(health_json(&overall))
}

fn health_json(overall: &Overall) -> Value {
    let component = |state: &crate::telemetry::ComponentState| match &state.message {
        Some(message) => json!({"status": state.health.as_str(), "message": message}),
        None => json!({"status": state.health.as_str()}),
    };
    let components: BTreeMap<&str, Value> = overall.components.iter().map(|(c, state)| (c.as_str(), component(state))).collect();
    json!({"status": overall.health.as_str(), "components": components})
}

/// What is stored and how collecting goes.
#[utoipa::path(
    get, path = "/api/v1/monitoring/metrics/stats",
    responses((status = 200, description = "Figures of the store and the collectors.", body = shapes::StatsAnswer))
)]
async fn stats(asking: Data<Asking>, reader: Data<Reader>, collector: Data<Collector>) -> Result<HttpResponse, Fault> {
    let (store, storage) = asking.run(move || (reader.stats(), reader.storage())).await?;
    Ok(HttpResponse::Ok().json(stats_json(&store, &storage, &collector.stats())))
}

fn stats_json(store: &StoreStats, storage: &StorageForecast, collection: &CollectStats) -> Value {
    let tiers: BTreeMap<&str, Value> = Tier::ALL.into_iter().zip(&store.tiers).map(|(tier, stats)| (tier.as_str(), tier_json(stats))).collect();
    let sources: BTreeMap<&String, Value> = collection.sources.iter().map(|(name, stats)| (name, source_json(stats))).collect();
    json!({
        "series": store.series,
        "samples_total": store.samples_total,
        "duplicates_total": store.duplicates_total,
        "collection": {
            "runs": collection.runs, "failures": collection.failures,
            "last_duration_ms": collection.last_duration.map(millis), "sources": sources,
        },
        "tiers": tiers,
        "storage": {
            "bytes": storage.bytes, "budget_bytes": storage.budget_bytes, "bytes_per_sample": storage.bytes_per_sample,
            "forecast": {"week_bytes": storage.week_bytes, "full_retention_bytes": storage.full_retention_bytes},
        },
        "journal": {
            "bytes": store.journal_bytes, "files": store.journal_files, "lag_seconds": store.journal_lag.map(seconds),
            "commits": store.commits,
            "commit_mean_ms": (store.commits > 0).then(|| millis(store.commit_time) / store.commits as f64),
        },
        "head_bytes": store.head_bytes,
        "memory_bytes": store.memory_bytes,
        "written_bytes": store.written_bytes,
        "compaction_lag_seconds": store.compaction_lag.map(seconds),
        "compaction_backlog": store.compaction_backlog,
        "last_maintenance_ms": store.last_maintenance.map(millis),
    })
}

fn tier_json(stats: &TierStats) -> Value {
    json!({
        "series": stats.series, "samples": stats.samples, "bytes": stats.bytes, "partitions": stats.partitions, "bytes_per_sample": stats.bytes_per_sample(),
        "oldest": stats.oldest, "newest": stats.newest,
    })
}

fn source_json(stats: &SourceStats) -> Value {
    let good = stats.runs.saturating_sub(stats.failures);
    json!({
        "runs": stats.runs, "failures": stats.failures,
        "success_rate": (stats.runs > 0).then(|| good as f64 / stats.runs as f64),
        "last_error": stats.last_error, "last_success": stats.last_success, "last_duration_ms": stats.last_duration.map(millis),
    })
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The body of `metrics/query`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryBody {
    #[serde(default)]
    metrics: Option<Vec<String>>,
    #[serde(default)]
    matchers: Option<BTreeMap<String, String>>,
    category: Option<String>,
    start: record::Moment,
    end: record::Moment,
    step: Option<Span>,
    aggregation: Option<String>,
    group_by: Option<Vec<String>>,
    tier: Option<String>,
    limit: Option<usize>,
}

impl QueryBody {
    fn read(self, now: Timestamp) -> Result<MetricsQuery, Fault> {
        let (start, end) = (moment("start", &self.start, now)?, moment("end", &self.end, now)?);
        if end < start {
            return Err(Fault::field("end", "end is before start"));
        }
        if self.limit == Some(0) {
            return Err(Fault::field("limit", "limit must be at least 1"));
        }
        let matchers = self.matchers.unwrap_or_default();
        Ok(MetricsQuery {
            metrics: self.metrics.unwrap_or_default(),
            matchers: matchers.iter().map(|(name, value)| Matcher::equal(name, value)).collect(),
            category: self.category.map(|word| latest::category("category", &word)).transpose()?,
            start,
            end,
            step: self.step.map(|span| span.read("step")).transpose()?,
            aggregation: self.aggregation.map(|word| aggregation(&word)).transpose()?,
            group_by: self.group_by,
            tier: self.tier.map(|word| tier(&word)).transpose()?,
            limit: self.limit,
        })
    }
}

fn aggregation(word: &str) -> Result<Aggregation, Fault> {
    Ok(match word {
        "avg" => Aggregation::Avg,
        "sum" => Aggregation::Sum,
        "min" => Aggregation::Min,
        "max" => Aggregation::Max,
        "count" => Aggregation::Count,
        "last" => Aggregation::Last,
        "rate" => Aggregation::Rate,
        "p50" => Aggregation::P50,
        "p90" => Aggregation::P90,
        "p95" => Aggregation::P95,
        "p99" => Aggregation::P99,
        _ => return Err(Fault::field("aggregation", format!("{word:?} is no aggregation: avg, sum, min, max, count, last, rate, p50, p90, p95 or p99"))),
    })
}

fn tier(word: &str) -> Result<Tier, Fault> {
    Tier::parse(word).ok_or_else(|| Fault::field("tier", format!("{word:?} is no tier: raw, aggregated or summary")))
}

/// Series by name, labels or category, over time or over series.
#[utoipa::path(
    post, path = "/api/v1/monitoring/metrics/query",
    request_body = shapes::MetricsQueryBody,
    responses(
        (status = 200, description = "Series over time.", body = shapes::MetricsQueryAnswer),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn query(body: JsonBytes, asking: Data<Asking>, cache: Data<Cache>, names: Data<dyn Names>) -> Result<HttpResponse, Fault> {
    let query = parse_json::<QueryBody>(&body.0)?.read(asking.now())?;
    let text = asking
        .ask("metrics", None, move |deadline| {
            let found = cache.metrics(&query, names.as_ref(), deadline)?;
            Ok::<_, QueryError>((answer_json(&found), found.stats.samples))
        })
        .await?;
    Ok(asking.answer(text))
}

#[derive(Serialize)]
struct QueryStats {
    series: usize,
    samples: usize,
    took_ms: f64,
    truncated: bool,
}

fn answer_json(found: &MetricsAnswer) -> Vec<u8> {
    let mut out = br#"{"series":"#.to_vec();
    answer::list(&mut out, &found.series, |out, series| {
        out.extend_from_slice(br#"{"metric":"#);
        answer::labels(out, &series.labels);
        out.extend_from_slice(br#","tier":"#);
        answer::json(out, series.tier.map_or("mixed", Tier::as_str));
        out.extend_from_slice(br#","points":"#);
        answer::list(out, &series.points, |out, (t, v)| {
            out.push(b'[');
            answer::json(out, t);
            out.push(b',');
            answer::number(out, *v);
            out.push(b']');
        });
        out.push(b'}');
    });
    let stats = QueryStats { series: found.stats.series, samples: found.stats.samples, took_ms: millis(found.stats.took), truncated: found.truncated };
    out.extend_from_slice(br#","stats":"#);
    answer::json(&mut out, &stats);
    out.extend_from_slice(br#","infos":"#);
    answer::json(&mut out, &found.infos);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use crate::query::{Series, Stats};

    fn read(body: &str) -> Result<MetricsQuery, Fault> {
        parse_json::<QueryBody>(body.as_bytes()).and_then(|body| body.read(Timestamp(10_000_000)))
    }

    #[test]
    fn the_body_is_read_with_times_in_every_form() {
        let query =
            read(r#"{"metrics":["m"],"matchers":{"a":"b"},"start":"-1h","end":10000000,"step":"1m","aggregation":"p95","group_by":[],"tier":"raw","limit":3}"#);
        assert_eq!(
            query,
            Ok(MetricsQuery {
                metrics: vec!["m".into()],
                matchers: vec![Matcher::equal("a", "b")],
                category: None,
                start: Timestamp(6_400_000),
                end: Timestamp(10_000_000),
                step: Some(Duration::from_secs(60)),
                aggregation: Some(Aggregation::P95),
                group_by: Some(Vec::new()),
                tier: Some(Tier::Raw),
                limit: Some(3),
            })
        );
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        for (body, field) in [
            (r#"{"end":1}"#, "start"),
            (r#"{"start":5,"end":1}"#, "end"),
            (r#"{"start":1,"end":5,"step":"0s"}"#, "step"),
            (r#"{"start":1,"end":5,"aggregation":"mean"}"#, "aggregation"),
            (r#"{"start":1,"end":5,"category":"x"}"#, "category"),
            (r#"{"start":1,"end":5,"tier":"x"}"#, "tier"),
            (r#"{"start":1,"end":5,"limit":0}"#, "limit"),
            (r#"{"start":1,"end":5,"groupby":[]}"#, "groupby"),
        ] {
            let fault = format!("{:?}", read(body).unwrap_err());
            assert!(fault.contains(&format!("field: Some({field:?})")), "{body}: {fault}");
        }
    }

    #[test]
    fn series_are_written_with_tier_and_points() {
        let series = |tier, points| Series { labels: Labels::from_pairs([("__name__", "m")]).unwrap(), points, tier, histograms: Vec::new() };
        let found = MetricsAnswer {
            series: vec![series(Some(Tier::Raw), vec![(Timestamp(1000), 2.0), (Timestamp(2000), f64::NAN)]), series(None, Vec::new())],
            truncated: true,
            infos: Vec::new(),
            stats: Stats { series: 2, samples: 7, took: Duration::from_millis(5) },
        };
        assert_eq!(
            String::from_utf8(answer_json(&found)).unwrap(),
            r#"{"series":[{"metric":{"__name__":"m"},"tier":"raw","points":[[1000,2],[2000,"NaN"]]},{"metric":{"__name__":"m"},"tier":"mixed","points":[]}],"stats":{"series":2,"samples":7,"took_ms":5.0,"truncated":true},"infos":[]}"#
        );
    }

    #[test]
    fn an_empty_tier_has_no_oldest_and_a_source_without_runs_no_rate() {
        let mut collection = CollectStats::default();
        collection.sources.insert("cpu".into(), SourceStats { runs: 4, failures: 1, ..SourceStats::default() });
        collection.sources.insert("new".into(), SourceStats::default());
        let storage = StorageForecast { bytes: 5, bytes_per_sample: Some(1.5), ..StorageForecast::default() };
        let shown = stats_json(&StoreStats::default(), &storage, &collection);
        assert_eq!(shown["tiers"]["summary"]["oldest"], Value::Null);
        let forecast = json!({"week_bytes": null, "full_retention_bytes": null});
        assert_eq!(shown["storage"], json!({"bytes": 5, "budget_bytes": null, "bytes_per_sample": 1.5, "forecast": forecast}));
        assert_eq!(shown["collection"]["sources"]["cpu"]["success_rate"], json!(0.75));
        assert_eq!(shown["collection"]["sources"]["new"]["success_rate"], Value::Null);
    }

    #[test]
    fn health_names_every_part() {
        let shown = health_json(&HealthBoard::default().overall());
        assert_eq!(shown["status"], "healthy");
        for part in ["store", "journal", "compactor", "collector", "query", "alerts", "dashboards", "websocket", "disk"] {
            assert_eq!(shown["components"][part]["status"], "disabled", "{part}");
        }
    }
}
