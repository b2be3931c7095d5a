//! Evaluates the rules of one group at one time: asks the engine, moves the states, keeps what
//! changed, and yields the series that say which alerts there are. Knows no schedule.

use std::collections::BTreeSet;
use std::time::Duration;

use super::alerts::{Alerts, Handles, RuleHealth, Running, series};
use super::book::Entry;
use super::rule::{ALERT_NAME, Rule, SEVERITY};
use super::state::{Alert, Found, Missing, step};
use super::{AlertError, template};
use crate::clock::Stopwatch;
use crate::ingest::derived;
use crate::model::{Batch, Labels, METRIC_NAME, Timestamp};
use crate::query::{Engine, QueryError, Value};
use crate::task::Deadline;
use crate::telemetry::Component;

/// Alerts of one rule at most: more is no alert but a list, and each is kept, shown and told.
const MAX_ALERTS: usize = 1000;

/// Alerts of all rules at most: all are kept in memory, and shown at once.
const MAX_ALL: usize = 10_000;

/// Rules that are evaluated together: of one group, at one interval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) name: String,
    pub(super) interval: Duration,
}

/// The label sets for which a rule holds at `at`, with the labels and words of its alerts.
pub(super) fn ask(engine: &Engine, rule: &Rule, at: Timestamp, deadline: &Deadline) -> Result<Vec<Found>, AlertError> {
    let answer = engine.instant(&rule.expr, at, deadline)?;
    let rows: Vec<(Labels, f64)> = match answer.value {
        Value::Scalar(_, value) => vec![(Labels::default(), value)],
        Value::Vector(series) => series.into_iter().filter_map(|s| Some((s.labels, s.points.last()?.1))).collect(),
        Value::String(..) | Value::Matrix(_) => Vec::new(),
    };
    if rows.len() > MAX_ALERTS {
        let many = format!("it yields {} series, the limit is {MAX_ALERTS}: narrow the expression or aggregate it", rows.len());
        return Err(AlertError::Query(QueryError::Execution(many)));
    }
    let found: Vec<Found> = rows.into_iter().map(|(labels, value)| found(rule, &labels, value)).collect();
    let distinct: BTreeSet<&Labels> = found.iter().map(|one| &one.labels).collect();
    if distinct.len() < found.len() {
        let twice = "two of its alerts have the same labels: leave the labels apart that the rule adds".to_owned();
        return Err(AlertError::Query(QueryError::Execution(twice)));
    }
    Ok(found)
}

fn found(rule: &Rule, of_series: &Labels, value: f64) -> Found {
    let render = |text: &str| template::render(text, value, of_series);
    let mut labels = of_series.to_builder().set(METRIC_NAME, "");
    for (name, text) in &rule.labels {
        labels.put(name, &render(text));
    }
    let labels = labels.set(SEVERITY, rule.severity.as_str()).set(ALERT_NAME, &rule.name).build();
    Found { labels, annotations: rule.annotations.iter().map(|(name, text)| (name.clone(), render(text))).collect(), value }
}

impl Alerts {
    /// Evaluates a group. Yields what is to be stored: empty where no alert is there.
    pub(super) fn evaluate(&self, key: &GroupKey, at: Timestamp) -> Batch {
        let watch = Stopwatch::start();
        let mut out = Written::default();
        for entry in self.of_group(key) {
            let (alerts, before) = self.evaluate_rule(&entry, at);
            out.rule(&alerts, before);
        }
        out.ended.extend(std::mem::take(&mut *super::alerts::locked(&self.0.ended)));
        self.0.handles.own.rule_duration.observe(watch.elapsed().as_secs_f64());
        self.count();
        self.report();
        derived(&out.alive, &out.ended, at)
    }

    /// Evaluates one rule; yields its alerts now, and the series that it wrote before.
    fn evaluate_rule(&self, entry: &Entry, at: Timestamp) -> (Vec<Alert>, Vec<Labels>) {
        let watch = Stopwatch::start();
        let before = self.running(&entry.id);
        let engine = &self.0.handles.engine;
        let missing = if at < self.0.patience_until { Missing::Waits } else { Missing::IsOver };
        let answer = ask(engine, &entry.rule, at, &Deadline::after(engine.options().timeout)).and_then(|found| self.fits(&entry.id, found));
        let (next, health) = match answer {
            Ok(found) => (Some(step(&entry.rule, &before.alerts, found, at, missing)), RuleHealth::Good),
            Err(error) => {
                self.0.handles.own.rule_failures.inc();
                if before.health != RuleHealth::Bad(error.to_string()) {
                    tracing::warn!(rule = entry.id, %error, "a rule cannot be evaluated");
                }
                (None, RuleHealth::Bad(error.to_string()))
            }
        };
        let alerts = next.as_ref().map_or_else(|| before.alerts.clone(), |step| step.alerts.clone());
        let written = alerts.iter().flat_map(series_of).collect();
        let running = Running { alerts: before.alerts, health, last_evaluation: Some(at), took: watch.elapsed(), written };
        if let Err(error) = self.take(entry, next, running, at) {
            tracing::error!(rule = entry.id, %error, "the state of an alert cannot be kept, it is tried again");
        }
        (alerts, before.written)
    }

    /// Refuses what would be too much together with the alerts of all other rules.
    fn fits(&self, id: &str, found: Vec<Found>) -> Result<Vec<Found>, AlertError> {
        let all = self.alerts_besides(id) + found.len();
        if found.is_empty() || all <= MAX_ALL {
            return Ok(found);
        }
        Err(AlertError::Query(QueryError::Execution(format!("there would be {all} alerts, the limit of all rules together is {MAX_ALL}"))))
    }

    /// Shows on the health board which rules cannot be evaluated.
    fn report(&self) {
        let mut bad = self.rules().into_iter().filter_map(|state| match state.health {
            RuleHealth::Bad(reason) => Some((state.entry.rule.name, reason)),
            _ => None,
        });
        match bad.next() {
            None => self.report_sending(),
            Some((name, reason)) => {
                let more = bad.count();
                let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                self.0.handles.health.degraded(Component::Alerts, format!("rule {name:?}: {reason}{rest}"));
            }
        }
    }
}

/// Said after the pauses of the first minutes: a receiver that is restarted is no trouble.
const TROUBLE: Duration = Duration::from_secs(120);

impl Alerts {
    /// Shows whether notifications wait for long.
    fn report_sending(&self) {
        let Handles { health, clock, .. } = &self.0.handles;
        match (self.0.outbox.oldest(), &self.0.options.webhook) {
            (Some(oldest), Some(address)) if oldest.created + TROUBLE < clock.now() => {
                let waiting = self.0.outbox.len();
                health.degraded(Component::Alerts, format!("{waiting} notifications wait: {address} does not take them, the log says why"));
            }
            _ => health.healthy(Component::Alerts),
        }
    }
}

/// The two series of an alert, as Prometheus names them.
fn series_of(alert: &Alert) -> [Labels; 2] {
    let state = alert.labels.to_builder().set("alertstate", alert.phase.as_str()).build();
    [series("ALERTS", &state), series("ALERTS_FOR_STATE", &alert.labels)]
}

/// What one evaluation writes.
#[derive(Default)]
struct Written {
    alive: Vec<(Labels, f64)>,
    ended: Vec<Labels>,
}

impl Written {
    fn rule(&mut self, alerts: &[Alert], before: Vec<Labels>) {
        for alert in alerts {
            let [state, since] = series_of(alert);
            self.alive.push((state, 1.0));
            self.alive.push((since, (alert.active_at.0 / 1000) as f64));
        }
        self.ended.extend(before);
    }
}
