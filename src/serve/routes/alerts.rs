//! Rules and alerts: the monitoring API's, and `rules` and `alerts` as Prometheus answers them.
//! What a rule means is `alert`'s.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::get;
use crate::alert::{Alert, Alerts, Change, Entry, Event, Phase, RuleDraft, RuleHealth, RuleOrigin, RuleState};
use crate::clock::{format_duration, format_rfc3339, parse_moment};
use crate::model::{Labels, TimeRange, Timestamp};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::{JsonBytes, Params, parse_json};
use crate::serve::openapi::shapes;
use crate::wire::{JsonFloat, format_value};

/// Events that are shown where nothing is said of it.
const HISTORY: usize = 200;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(rules, rule, create, update, delete, try_out, active, history, prometheus_rules, prometheus_alerts))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/api/v1/monitoring/alerts/rules")
                .route(web::get().to(rules))
                .route(web::head().to(rules))
                .route(web::post().to(create))
                .default_service(web::to(get_or_create)),
        )
        // Before `{id}`, which would take it for a rule.
        .service(super::post("/api/v1/monitoring/alerts/rules/test", try_out))
        .service(
            web::resource("/api/v1/monitoring/alerts/rules/{id}")
                .route(web::get().to(rule))
                .route(web::head().to(rule))
                .route(web::put().to(update))
                .route(web::delete().to(delete))
                .default_service(web::to(one_rule)),
        )
        .service(get("/api/v1/monitoring/alerts/active", active))
        .service(get("/api/v1/monitoring/alerts/history", history))
        .service(get("/api/v1/rules", prometheus_rules))
        .service(get("/api/v1/alerts", prometheus_alerts));
}

async fn get_or_create() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET, HEAD, POST"))
}
async fn one_rule() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET, HEAD, PUT, DELETE"))
}

/// A rule as the API shows it.
#[derive(Debug, Serialize)]
struct Rule {
    id: String,
    name: String,
    expr: String,
    #[serde(rename = "for")]
    wait: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_for: Option<String>,
    severity: &'static str,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    group: String,
    interval: String,
    /// It was not given: `alerts.evaluation_interval` applies.
    interval_default: bool,
    enabled: bool,
    default: bool,
    changed: bool,
    revision: u64,
    state: &'static str,
    alerts: usize,
    health: &'static str,
    last_error: Option<String>,
    last_evaluation: Option<i64>,
    evaluation_ms: f64,
}

impl From<RuleState> for Rule {
    fn from(state: RuleState) -> Self {
        let phase = phase_of(&state);
        let RuleState { entry: Entry { id, revision, origin, rule }, interval, alerts, health, last_evaluation, took } = state;
        let (health, last_error) = health_of(health);
        Self {
            id,
            expr: rule.expr.clone(),
            wait: format_duration(rule.wait()),
            keep_firing_for: (rule.keep_firing_ms > 0).then(|| format_duration(rule.keep_firing())),
            severity: rule.severity.as_str(),
            name: rule.name,
            labels: rule.labels.into_iter().collect(),
            annotations: rule.annotations.into_iter().collect(),
            group: rule.group,
            interval: format_duration(interval),
            interval_default: rule.interval_ms.is_none(),
            enabled: rule.enabled,
            default: origin != RuleOrigin::Own,
            changed: origin == RuleOrigin::Changed,
            revision,
            state: phase,
            alerts: alerts.len(),
            health,
            last_error,
            last_evaluation: last_evaluation.map(|t| t.0),
            evaluation_ms: took.as_secs_f64() * 1000.0,
        }
    }
}

fn phase_of(state: &RuleState) -> &'static str {
    state.phase().map_or("inactive", Phase::as_str)
}

/// Prometheus' words.
fn health_of(health: RuleHealth) -> (&'static str, Option<String>) {
    match health {
        RuleHealth::Unknown => ("unknown", None),
        RuleHealth::Good => ("ok", None),
        RuleHealth::Bad(reason) => ("err", Some(reason)),
    }
}

/// An alert as the API shows it.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    state: &'static str,
    severity: &'static str,
    group: String,
    rule: String,
    labels: Labels,
    annotations: BTreeMap<String, String>,
    active_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fired_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<i64>,
    /// Of an event: when it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    value: JsonFloat,
    fingerprint: String,
}

impl Shown {
    fn new(name: String, severity: &'static str, group: String, rule: String, alert: Alert) -> Self {
        Self {
            name,
            state: alert.phase.as_str(),
            severity,
            group,
            rule,
            fingerprint: alert.fingerprint(),
            labels: alert.labels,
            annotations: alert.annotations.into_iter().collect(),
            active_at: alert.active_at.0,
            fired_at: alert.fired_at.map(|t| t.0),
            resolved_at: None,
            at: None,
            value: JsonFloat(alert.value),
        }
    }
}

impl From<(Entry, Alert)> for Shown {
    fn from((entry, alert): (Entry, Alert)) -> Self {
        Self::new(entry.rule.name, entry.rule.severity.as_str(), entry.rule.group, entry.id, alert)
    }
}

impl From<Event> for Shown {
    fn from(event: Event) -> Self {
        let is_over = event.change == Change::Resolved;
        let shown = Self::new(event.name, event.severity.as_str(), event.group, event.rule, event.alert);
        Self { state: if is_over { "resolved" } else { "firing" }, resolved_at: is_over.then_some(event.at.0), at: Some(event.at.0), ..shown }
    }
}

/// Every rule.
#[utoipa::path(
    get, path = "/api/v1/monitoring/alerts/rules",
    responses((status = 200, description = "With their states.", body = shapes::AlertRules))
)]
async fn rules(alerts: Data<Alerts>) -> HttpResponse {
    let rules: Vec<Rule> = alerts.rules().into_iter().map(Rule::from).collect();
    HttpResponse::Ok().json(json!({"rules": rules}))
}

/// One rule.
#[utoipa::path(
    get, path = "/api/v1/monitoring/alerts/rules/{id}",
    params(("id" = String, Path, description = "The rule.")),
    responses((status = 200, description = "With its state.", body = shapes::AlertRule), (status = 404, description = "There is no such rule."))
)]
async fn rule(id: Path<String>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    Ok(HttpResponse::Ok().json(Rule::from(alerts.rule(&id)?)))
}

/// Makes a rule.
#[utoipa::path(
    post, path = "/api/v1/monitoring/alerts/rules",
    request_body = shapes::AlertRuleBody,
    responses(
        (status = 201, description = "Stored.", body = shapes::AlertRule),
        (status = 409, description = "The revision is stale, or the name is taken."),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn create(body: JsonBytes, asking: Data<Asking>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let draft: RuleDraft = parse_json(&body.0)?;
    let made = asking.run(move || alerts.create(draft)).await??;
    Ok(HttpResponse::Created().json(Rule::from(made)))
}

/// Changes a rule.
#[utoipa::path(
    put, path = "/api/v1/monitoring/alerts/rules/{id}",
    params(("id" = String, Path, description = "The rule.")),
    request_body = shapes::AlertRuleBody,
    responses(
        (status = 200, description = "Stored.", body = shapes::AlertRule),
        (status = 404, description = "There is no such rule."),
        (status = 409, description = "The revision is stale, or the name is taken."),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn update(id: Path<String>, body: JsonBytes, asking: Data<Asking>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let draft: RuleDraft = parse_json(&body.0)?;
    let changed = asking.run(move || alerts.update(&id, draft)).await??;
    Ok(HttpResponse::Ok().json(Rule::from(changed)))
}

/// 204 where it is gone, 200 with the default rule that applies again.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/alerts/rules/{id}",
    params(("id" = String, Path, description = "The rule.")),
    responses(
        (status = 200, description = "The default rule applies again.", body = shapes::AlertRule),
        (status = 204, description = "Gone."),
        (status = 404, description = "There is no such rule."),
        (status = 409, description = "The revision is stale, or the name is taken.")
    )
)]
async fn delete(id: Path<String>, asking: Data<Asking>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let restored = asking.run(move || alerts.delete(&id)).await??;
    Ok(restored.map_or_else(|| HttpResponse::NoContent().finish(), |state| HttpResponse::Ok().json(Rule::from(state))))
}

/// What is tried: a rule without a name will do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    expr: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "for", default)]
    wait: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl From<Trial> for RuleDraft {
    fn from(trial: Trial) -> Self {
        Self {
            id: None,
            revision: None,
            name: trial.name.unwrap_or_else(|| "test".to_owned()),
            expr: trial.expr,
            wait: trial.wait,
            keep_firing_for: None,
            severity: trial.severity.unwrap_or_else(|| "info".to_owned()),
            labels: trial.labels,
            annotations: trial.annotations,
            group: None,
            interval: None,
            enabled: None,
        }
    }
}

/// Tries a rule without storing it.
#[utoipa::path(
    post, path = "/api/v1/monitoring/alerts/rules/test",
    request_body = shapes::AlertTrial,
    responses(
        (status = 200, description = "What would be pending or firing now.", body = shapes::AlertList),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn try_out(body: JsonBytes, asking: Data<Asking>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let trial: Trial = parse_json(&body.0)?;
    let (name, severity) = (trial.name.clone().unwrap_or_default(), trial.severity.clone());
    let found = asking.ask("rule_test", None, move |deadline| alerts.try_out(trial.into(), deadline)).await?;
    let severity = match severity.as_deref() {
        Some("critical") => "critical",
        Some("warning") => "warning",
        _ => "info",
    };
    let shown: Vec<Shown> = found.into_iter().map(|alert| Shown::new(name.clone(), severity, String::new(), String::new(), alert)).collect();
    Ok(HttpResponse::Ok().json(json!({"alerts": shown})))
}

/// Alerts that are pending or firing.
#[utoipa::path(
    get, path = "/api/v1/monitoring/alerts/active",
    responses((status = 200, description = "Pending and firing.", body = shapes::AlertList))
)]
async fn active(alerts: Data<Alerts>) -> HttpResponse {
    let shown: Vec<Shown> = alerts.active().into_iter().map(Shown::from).collect();
    HttpResponse::Ok().json(json!({"alerts": shown, "notifications_waiting": alerts.notifications_waiting()}))
}

/// What fired and was resolved.
#[utoipa::path(
    get, path = "/api/v1/monitoring/alerts/history",
    params(
        ("start" = Option<String>, Query, description = "From when on.", example = json!("-1h")),
        ("end" = Option<String>, Query, description = "Until when.", example = json!("now")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))
    ),
    responses((status = 200, description = "The newest first.", body = shapes::AlertList))
)]
async fn history(params: Params, asking: Data<Asking>, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let (range, limit) = (history_range(&params, asking.now())?, params.limit()?.unwrap_or(HISTORY));
    let events = asking.ask("alert_history", None, move |_| alerts.history(range, limit)).await?;
    let shown: Vec<Shown> = events.into_iter().map(Shown::from).collect();
    Ok(HttpResponse::Ok().json(json!({"alerts": shown})))
}

/// `start` and `end`, both included, as the monitoring API takes times.
fn history_range(params: &Params, now: Timestamp) -> Result<TimeRange, Fault> {
    let read = |name: &str| params.get(name).map(|text| parse_moment(text, now).map_err(|e| Fault::parameter(name, e))).transpose();
    let start = read("start")?.map_or(Timestamp::MIN, |t| Timestamp(t.0.saturating_sub(1)));
    let end = read("end")?.unwrap_or(Timestamp::MAX);
    if end < start { Err(Fault::parameter("end", "it lies before start")) } else { Ok(TimeRange::new(start, end)) }
}

/// An alert as Prometheus shows it.
#[derive(Debug, Serialize)]
struct PrometheusAlert {
    labels: Labels,
    annotations: BTreeMap<String, String>,
    state: &'static str,
    #[serde(rename = "activeAt")]
    active_at: String,
    value: String,
}

impl From<Alert> for PrometheusAlert {
    fn from(alert: Alert) -> Self {
        Self {
            labels: alert.labels,
            annotations: alert.annotations.into_iter().collect(),
            state: alert.phase.as_str(),
            active_at: format_rfc3339(alert.active_at),
            value: format_value(alert.value),
        }
    }
}

/// A rule as Prometheus shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PrometheusRule {
    state: &'static str,
    name: String,
    query: String,
    duration: f64,
    keep_firing_for: f64,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<PrometheusAlert>>,
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    evaluation_time: f64,
    last_evaluation: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PrometheusGroup {
    name: String,
    file: &'static str,
    interval: f64,
    limit: u32,
    rules: Vec<PrometheusRule>,
    evaluation_time: f64,
    last_evaluation: String,
}

impl PrometheusRule {
    fn new(state: RuleState, with_alerts: bool) -> Self {
        let phase = phase_of(&state);
        let rule = state.entry.rule;
        let (health, last_error) = health_of(state.health);
        let severity = ("severity".to_owned(), rule.severity.as_str().to_owned());
        Self {
            state: phase,
            query: rule.expr.clone(),
            duration: rule.wait().as_secs_f64(),
            keep_firing_for: rule.keep_firing().as_secs_f64(),
            name: rule.name,
            labels: rule.labels.into_iter().chain([severity]).collect(),
            annotations: rule.annotations.into_iter().collect(),
            alerts: with_alerts.then(|| state.alerts.into_iter().map(PrometheusAlert::from).collect()),
            health,
            last_error,
            evaluation_time: state.took.as_secs_f64(),
            last_evaluation: evaluated_at(state.last_evaluation),
            kind: "alerting",
        }
    }
}

/// What Prometheus says of a rule that was not evaluated yet.
fn evaluated_at(t: Option<Timestamp>) -> String {
    t.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), format_rfc3339)
}

/// Which rules are asked for.
struct Wanted {
    alerting: bool,
    names: Vec<String>,
    groups: Vec<String>,
    with_alerts: bool,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Fault> {
        let alerting = match params.get("type") {
            None | Some("alert") => true,
            // There are no recording rules.
            Some("record") => false,
            Some(other) => return Err(Fault::parameter("type", format!("not supported value {other:?}"))),
        };
        let all = |name: &str| params.all(name).map(str::to_owned).collect();
        Ok(Self { alerting, names: all("rule_name[]"), groups: all("rule_group[]"), with_alerts: params.get("exclude_alerts") != Some("true") })
    }

    fn takes(&self, state: &RuleState) -> bool {
        let listed = |list: &[String], name: &String| list.is_empty() || list.contains(name);
        let rule = &state.entry.rule;
        self.alerting && rule.enabled && listed(&self.names, &rule.name) && listed(&self.groups, &rule.group)
    }
}

/// Rules by group.
#[utoipa::path(
    get, path = "/api/v1/rules",
    params(
        ("type" = Option<String>, Query, description = "alert or record."),
        ("rule_name[]" = Option<Vec<String>>, Query, description = "Only these.")
    ),
    responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject))
)]
async fn prometheus_rules(params: Params, alerts: Data<Alerts>) -> Result<HttpResponse, Fault> {
    let wanted = Wanted::read(&params)?;
    let mut groups: BTreeMap<(String, std::time::Duration), Vec<RuleState>> = BTreeMap::new();
    for state in alerts.rules().into_iter().filter(|state| wanted.takes(state)) {
        groups.entry((state.entry.rule.group.clone(), state.interval)).or_default().push(state);
    }
    let groups: Vec<PrometheusGroup> = groups
        .into_iter()
        .map(|((name, interval), states)| PrometheusGroup {
            name,
            file: "latido",
            interval: interval.as_secs_f64(),
            limit: 0,
            evaluation_time: states.iter().map(|state| state.took.as_secs_f64()).sum(),
            last_evaluation: evaluated_at(states.iter().filter_map(|state| state.last_evaluation).max()),
            rules: states.into_iter().map(|state| PrometheusRule::new(state, wanted.with_alerts)).collect(),
        })
        .collect();
    Ok(answer::success(&json!({"groups": groups}), &[]))
}

/// Alerts that are pending or firing.
#[utoipa::path(get, path = "/api/v1/alerts", responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeObject)))]

async fn prometheus_alerts(alerts: Data<Alerts>) -> HttpResponse {
    let shown: Vec<PrometheusAlert> = alerts.active().into_iter().map(|(_, alert)| alert.into()).collect();
    answer::success(&json!({"alerts": shown}), &[])
}
