//! PromQL over HTTP: `query` and `query_range`, by GET and by form. Knows no PromQL.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::get_or_form;
use crate::model::{Tier, Timestamp};
use crate::query::{self as promql, Answer, Engine, QueryError, Request, Value, When};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(query, query_range, format_query, parse_query))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_or_form("/api/v1/query", query))
        .service(get_or_form("/api/v1/query_range", query_range))
        .service(get_or_form("/api/v1/format_query", format_query))
        .service(get_or_form("/api/v1/parse_query", parse_query));
}

/// The value of an expression at one time.
#[utoipa::path(
    method(get, post), path = "/api/v1/query",
    params(
        ("query" = String, Query, description = "PromQL.", example = json!("node_load1")),
        ("time" = Option<String>, Query, description = "When: Unix seconds or RFC 3339; now by default.", example = json!("2026-11-25T10:00:00Z")),
        ("timeout" = Option<String>, Query, description = "At most this long, as `30s`.", example = json!("10s")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10)),
        ("stats" = Option<String>, Query, description = "Any word: with figures of the query."),
        ("lookback_delta" = Option<String>, Query, description = "How far an instant selector looks back, instead of the setting.", example = json!("1m")),
        ("tier" = Option<String>, Query, description = "Only from this tier: raw, aggregated or summary.", example = json!("raw")),
        ("explain" = Option<String>, Query, description = "1: with what each part of the expression cost.", example = json!("1"))
    ),
    responses(
        (status = 200, description = "As Prometheus answers.", body = shapes::QueryAnswer),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn query(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let at = params.time("time")?.unwrap_or_else(|| asking.now());
    answered(&params, "instant", When::Instant(at), &asking, engine).await
}

/// The values of an expression over time.
#[utoipa::path(
    method(get, post), path = "/api/v1/query_range",
    params(
        ("query" = String, Query, description = "PromQL.", example = json!("node_load1")),
        ("start" = String, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = String, Query, description = "Until when, included.", example = json!("2026-11-25T10:00:00Z")),
        ("step" = String, Query, description = "Seconds, or a duration.", example = json!("60")),
        ("timeout" = Option<String>, Query, description = "At most this long, as `30s`.", example = json!("10s")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10)),
        ("stats" = Option<String>, Query, description = "Any word: with figures of the query."),
        ("lookback_delta" = Option<String>, Query, description = "How far an instant selector looks back, instead of the setting.", example = json!("1m")),
        ("tier" = Option<String>, Query, description = "Only from this tier: raw, aggregated or summary.", example = json!("raw")),
        ("explain" = Option<String>, Query, description = "1: with what each part of the expression cost.", example = json!("1"))
    ),
    responses(
        (status = 200, description = "As Prometheus answers.", body = shapes::QueryAnswer),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn query_range(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    params.required("query")?;
    let (start, end, step) = range(&params)?;
    answered(&params, "range", When::Range { start, end, step }, &asking, engine).await
}

/// Evaluates and writes the answer, on the pool.
async fn answered(params: &Params, kind: &'static str, when: When, asking: &Asking, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let expr = params.required("query")?.to_owned();
    let shown = Shown::read(params)?;
    let (lookback, tier) = (params.duration("lookback_delta")?.filter(|lookback| !lookback.is_zero()), tier(params)?);
    let explain = params.get("explain").is_some_and(|word| word != "0" && word != "false");
    let text = asking
        .ask(kind, params.duration("timeout")?, move |deadline| {
            let request = Request { expr: &expr, when, lookback, tier, explain };
            Ok::<_, QueryError>(shown.write(engine.ask(&request, deadline)?))
        })
        .await?;
    Ok(asking.answer(text))
}

fn tier(params: &Params) -> Result<Option<Tier>, Fault> {
    let Some(text) = params.get("tier") else { return Ok(None) };
    Tier::parse(text).map(Some).ok_or_else(|| Fault::parameter("tier", format!("{text:?} is none of raw, aggregated, summary")))
}

/// An expression, formatted.
#[utoipa::path(
    method(get, post), path = "/api/v1/format_query",
    params(("query" = String, Query, description = "PromQL.", example = json!("sum(up)by(job)"))),
    responses((status = 200, description = "The expression.", body = shapes::SomeText))
)]
async fn format_query(params: Params) -> Result<HttpResponse, Fault> {
    let text = promql::format_expr(params.required("query")?).map_err(|e| Fault::parameter("query", e))?;
    Ok(answer::success(&text, &[]))
}

/// The tree of an expression.
#[utoipa::path(
    method(get, post), path = "/api/v1/parse_query",
    params(("query" = String, Query, description = "PromQL.", example = json!("sum(up)"))),
    responses((status = 200, description = "Its parts, each with its type.", body = shapes::SomeObject))
)]
async fn parse_query(params: Params) -> Result<HttpResponse, Fault> {
    let tree = promql::syntax_tree(params.required("query")?).map_err(|e| Fault::parameter("query", e))?;
    Ok(answer::success(&tree, &[]))
}

fn range(params: &Params) -> Result<(Timestamp, Timestamp, Duration), Fault> {
    let (start, end) = (params.required_time("start")?, params.required_time("end")?);
    if end < start {
        return Err(Fault::parameter("end", "end timestamp must not be before start time"));
    }
    params.required("step")?;
    let step = params.duration("step")?.filter(|step| *step >= Duration::from_millis(1));
    let step = step.ok_or_else(|| Fault::parameter("step", "zero or negative query resolution step widths are not accepted. Try a positive integer"))?;
    Ok((start, end, step))
}

/// How much of an answer is shown.
struct Shown {
    limit: Option<usize>,
    stats: bool,
}

impl Shown {
    fn read(params: &Params) -> Result<Self, Fault> {
        Ok(Self { limit: params.limit()?, stats: params.get("stats").is_some() })
    }

    /// Cuts the answer and writes it. Yields the text and how many samples were read for it.
    fn write(&self, mut answer: Answer) -> (Vec<u8>, usize) {
        if let (Some(limit), Value::Vector(series) | Value::Matrix(series)) = (self.limit, &mut answer.value)
            && series.len() > limit
        {
            series.truncate(limit);
            answer.warnings.push(answer::TRUNCATED.to_owned());
        }
        (answer::query(&answer, self.stats), answer.stats.samples)
    }
}
