//! `analysis/trends` and `analysis/performance`: what the numbers mean. Knows no method and no rule.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::Serialize;
use serde_json::{Value, json};

use super::get;
use crate::analyze::{Finding, Forecast, Interval, Performance, SeriesTrend, Trends, TrendsRequest, performance, trends};
use crate::model::{ErrorKind, Timestamp};
use crate::query::{Engine, QueryError};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;

/// The range of trends that nobody gave.
const TRENDS_RANGE: Duration = Duration::from_secs(3600);
/// The window of performance that nobody gave: long enough that a burst is none.
const PERFORMANCE_WINDOW: Duration = Duration::from_secs(900);
/// A shorter window holds no two samples.
const SHORTEST_WINDOW: Duration = Duration::from_secs(60);
/// Without a horizon a quarter of the range is predicted.
const RANGES_PER_HORIZON: u32 = 4;
/// Longer than any tier keeps.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(trends_of, performance_now))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/analysis/trends", trends_of)).service(get("/api/v1/monitoring/analysis/performance", performance_now));
}

/// A duration between `least` and ten years.
fn duration(params: &Params, name: &str, least: Duration) -> Result<Option<Duration>, Fault> {
    let given = params.duration(name)?;
    match given {
        Some(d) if d < least => Err(Fault::parameter(name, format!("it must be at least {}", crate::clock::format_duration(least)))),
        Some(d) if d > LONGEST => Err(Fault::parameter(name, "it must be at most 10y")),
        _ => Ok(given),
    }
}

fn request(params: &Params, now: Timestamp) -> Result<TrendsRequest, Fault> {
    let query = params.required("query")?.to_owned();
    let second = Duration::from_secs(1);
    let range = duration(params, "range", second)?.unwrap_or(TRENDS_RANGE);
    let horizon = duration(params, "horizon", second)?.unwrap_or((range / RANGES_PER_HORIZON).max(second));
    Ok(TrendsRequest { query, end: now, range, horizon })
}

/// The trend of every series of a query, and where each goes on.
#[utoipa::path(
    get, path = "/api/v1/monitoring/analysis/trends",
    params(
        ("query" = String, Query, description = "PromQL; of a counter ask for its `rate()`.", example = json!("node_load1")),
        ("range" = Option<String>, Query, description = "How far back, 1h by default.", example = json!("1h")),
        ("horizon" = Option<String>, Query, description = "How far ahead, a quarter of the range by default.", example = json!("30m"))
    ),
    responses(
        (status = 200, description = "Too little data is an answer with nulls and a reason.", body = shapes::TrendsAnswer),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn trends_of(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let request = request(&params, asking.now())?;
    let text = asking
        .ask("trends", None, move |deadline| {
            let found = trends(&engine, &request, deadline).map_err(of_query)?;
            Ok::<_, Fault>((trends_json(&found), found.samples))
        })
        .await?;
    Ok(asking.answer(text))
}

/// A query that cannot be read is the fault of that parameter.
fn of_query(e: QueryError) -> Fault {
    if e.kind() == ErrorKind::Invalid { Fault::field("query", e.to_string()) } else { e.into() }
}

/// What is slow, saturated or failing.
#[utoipa::path(
    get, path = "/api/v1/monitoring/analysis/performance",
    params(("range" = Option<String>, Query, description = "The window, 15m by default.", example = json!("1h"))),
    responses((status = 200, description = "A score and the findings, the worst first. Where nothing was checked the score is null, with a reason.", body = shapes::PerformanceAnswer))
)]
async fn performance_now(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let window = duration(&params, "range", SHORTEST_WINDOW)?.unwrap_or(PERFORMANCE_WINDOW);
    let now = asking.now();
    let found = asking.ask("performance", None, move |deadline| performance(&engine, now, window, deadline)).await?;
    Ok(HttpResponse::Ok().json(performance_json(&found, now - window, now)))
}

fn performance_json(found: &Performance, start: Timestamp, end: Timestamp) -> Value {
    let findings: Vec<Value> = found.findings.iter().map(finding_json).collect();
    let mut shown = json!({
        "score": found.score, "findings": findings, "start": start, "end": end,
        "rules": {"checked": found.checked, "without_data": found.without_data}, "infos": found.infos,
    });
    if let Some(reason) = &found.reason {
        shown["reason"] = reason.as_str().into();
    }
    shown
}

fn finding_json(finding: &Finding) -> Value {
    let labels: serde_json::Map<String, Value> = finding.labels.without_name().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "severity": finding.severity.as_str(), "title": finding.title, "evidence": finding.evidence,
        "recommendation": finding.recommendation, "query": finding.query, "labels": labels, "value": finding.value,
    })
}

fn trends_json(found: &Trends) -> Vec<u8> {
    let mut out = br#"{"series":"#.to_vec();
    answer::list(&mut out, &found.series, series_json);
    member(&mut out, "truncated", &found.truncated);
    if let Some(reason) = &found.reason {
        member(&mut out, "reason", reason);
    }
    member(&mut out, "start", &found.start);
    member(&mut out, "end", &found.end);
    member(&mut out, "infos", &found.infos);
    out.push(b'}');
    out
}

fn series_json(out: &mut Vec<u8>, series: &SeriesTrend) {
    out.extend_from_slice(br#"{"metric":"#);
    answer::labels(out, &series.labels);
    member(out, "points", &series.points);
    match &series.trend {
        Some(trend) => {
            member(out, "direction", trend.direction.as_str());
            out.extend_from_slice(br#","slope_per_second":"#);
            answer::number(out, trend.slope);
            out.extend_from_slice(br#","slope_interval":"#);
            numbers(out, None, &[trend.slope_95.0, trend.slope_95.1]);
        }
        None => out.extend_from_slice(br#","direction":null,"slope_per_second":null,"slope_interval":null"#),
    }
    // What is not known is null, never made up.
    out.extend_from_slice(br#","seasonality":null,"change_points":null,"forecast":"#);
    match &series.forecast {
        Some(forecast) => forecast_json(out, forecast),
        None => out.extend_from_slice(b"null"),
    }
    if let Some(reason) = &series.reason {
        member(out, "reason", reason);
    }
    out.push(b'}');
}

fn forecast_json(out: &mut Vec<u8>, forecast: &Forecast) {
    out.extend_from_slice(br#"{"points":"#);
    answer::list(out, &forecast.points, |out, (t, v)| numbers(out, Some(*t), &[*v]));
    out.extend_from_slice(br#","intervals":"#);
    answer::list(out, &forecast.intervals, |out, Interval { level, points }| {
        out.extend_from_slice(br#"{"level":"#);
        answer::json(out, level);
        out.extend_from_slice(br#","points":"#);
        answer::list(out, points, |out, (t, low, high)| numbers(out, Some(*t), &[*low, *high]));
        out.push(b'}');
    });
    member(out, "method", forecast.method);
    out.extend_from_slice(br#","backtest":null}"#);
}

/// A time, where there is one, and values, as a list.
fn numbers(out: &mut Vec<u8>, t: Option<Timestamp>, values: &[f64]) {
    out.push(b'[');
    if let Some(t) = t {
        answer::json(out, &t);
        out.push(b',');
    }
    for (i, v) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        answer::number(out, *v);
    }
    out.push(b']');
}

/// `,"name":value`
fn member<T: Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, value: &T) {
    out.push(b',');
    answer::json(out, name);
    out.push(b':');
    answer::json(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Direction, Trend};
    use crate::model::Labels;
    use crate::model::Severity;

    fn shown(series: SeriesTrend, reason: Option<String>) -> String {
        let trends = Trends { start: Timestamp(0), end: Timestamp(60_000), series: vec![series], truncated: false, reason, infos: Vec::new(), samples: 0 };
        String::from_utf8(trends_json(&trends)).unwrap()
    }

    fn labels() -> Labels {
        Labels::from_pairs([("__name__", "m")]).unwrap()
    }

    #[test]
    fn a_trend_is_written_as_the_contract_gives_it() {
        let trend = Trend {
            direction: Direction::Up,
            slope: 0.5,
            slope_95: (0.25, 1.0),
            slope_80: (0.25, 1.0),
            middle: Timestamp(0),
            level: 1.0,
            last: Timestamp(0),
            span_seconds: 60.0,
            noise: 0.0,
            residuals: Vec::new(),
            inflation: 1.0,
        };
        let intervals = vec![Interval { level: 80, points: vec![(Timestamp(1000), 1.0, 2.5)] }];
        let forecast = Forecast { points: vec![(Timestamp(1000), 1.5)], intervals, method: "line" };
        assert_eq!(
            shown(SeriesTrend { labels: labels(), points: 12, trend: Some(trend), forecast: Some(forecast), reason: None }, None),
            r#"{"series":[{"metric":{"__name__":"m"},"points":12,"direction":"up","slope_per_second":0.5,"slope_interval":[0.25,1],"seasonality":null,"change_points":null,"forecast":{"points":[[1000,1.5]],"intervals":[{"level":80,"points":[[1000,1,2.5]]}],"method":"line","backtest":null}}],"truncated":false,"start":0,"end":60000,"infos":[]}"#
        );
    }

    #[test]
    fn too_little_data_is_nulls_with_a_reason() {
        assert_eq!(
            shown(SeriesTrend { labels: labels(), points: 2, trend: None, forecast: None, reason: Some("few".into()) }, Some("few".into())),
            r#"{"series":[{"metric":{"__name__":"m"},"points":2,"direction":null,"slope_per_second":null,"slope_interval":null,"seasonality":null,"change_points":null,"forecast":null,"reason":"few"}],"truncated":false,"reason":"few","start":0,"end":60000,"infos":[]}"#
        );
    }

    #[test]
    fn a_finding_has_every_field_of_the_contract() {
        let text = |s: &str| s.to_owned();
        let finding = Finding {
            severity: Severity::Critical,
            title: text("t"),
            evidence: text("e"),
            recommendation: text("r"),
            query: text("q"),
            labels: labels(),
            value: 2.0,
        };
        let found = Performance { score: Some(75), reason: None, findings: vec![finding], checked: 3, without_data: 4, infos: Vec::new() };
        let shown = performance_json(&found, Timestamp(0), Timestamp(1));
        assert_eq!((&shown["score"], &shown["rules"]), (&json!(75), &json!({"checked": 3, "without_data": 4})));
        let expected = json!({"severity": "critical", "title": "t", "evidence": "e", "recommendation": "r", "query": "q", "labels": {}, "value": 2.0});
        assert_eq!(shown["findings"], json!([expected]));
        assert!(shown.get("reason").is_none());
        let unknown = Performance { score: None, reason: Some("young".into()), findings: Vec::new(), checked: 0, without_data: 7, infos: Vec::new() };
        let shown = performance_json(&unknown, Timestamp(0), Timestamp(1));
        assert_eq!((&shown["score"], &shown["reason"]), (&Value::Null, &json!("young")));
    }
}
