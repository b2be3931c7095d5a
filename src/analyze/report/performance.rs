//! What is slow, saturated or failing: every rule of the list is asked, each series that passes its
//! limit is a finding with its number, its query and advice. A score sums up.
//!
//! A rule without data finds nothing, and so does one whose data is younger than a fifth of the window:
//! the seconds after a start are no evidence. Where no rule had data there is no score, and a reason;
//! where few had, it says how many. The score is 100, less 25 for each rule with a critical
//! finding, 10 with a warning, 2 with an information (a rule counts once, by its worst), at least 0.

use std::collections::HashMap;
use std::time::Duration;

use super::super::method::{Direction, Trend};
use super::rule::{Limit, Look, Rule};
use super::rules::RULES;
use super::trends::{TrendsRequest, trends};
use super::words::{Unit, length, moment};
use crate::clock::format_duration;
use crate::model::{Labels, Severity, Timestamp};
use crate::query::{Engine, QueryError, Series, Value};
use crate::task::Deadline;

/// The share of the window that a rule's data must reach back.
const LEAST_SHARE: u32 = 5;
/// Trends of what runs out are looked at over this time at least.
const TREND_RANGE: Duration = Duration::from_secs(6 * 3600);
/// A trend of what runs out must be at least this long.
const LEAST_TREND_SECONDS: f64 = 3600.0;
/// It is not followed further than this many times its own length,
const FARTHEST_OF_SPAN: f64 = 24.0;
/// nor further than this,
const FARTHEST_SECONDS: f64 = 7.0 * 86_400.0;
/// and what ends within this is critical.
const SOON_SECONDS: f64 = 86_400.0;
/// What grows must have grown by this share of its level.
const GROWN_SHARE: f64 = 0.5;
/// A score from fewer rules than this says so.
const FEW_RULES: usize = 10;
/// Findings of one rule; more tell no more.
const MAX_PER_RULE: usize = 10;

/// One thing that is slow, saturated or failing.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// One short sentence.
    pub title: String,
    /// What was seen: numbers with units, the window and the limit.
    pub evidence: String,
    /// What to do.
    pub recommendation: String,
    /// PromQL that gives the number again.
    pub query: String,
    /// The labels of the series.
    pub labels: Labels,
    /// The number.
    pub value: f64,
}

/// All findings of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// 0 to 100; `None` where no rule had data.
    pub score: Option<u8>,
    /// Why there is no score.
    pub reason: Option<String>,
    /// The worst first.
    pub findings: Vec<Finding>,
    /// How many rules had data.
    pub checked: usize,
    /// How many had none, or too little.
    pub without_data: usize,
    /// Rules that could not be asked, and why.
    pub infos: Vec<String>,
}

/// Asks every rule over the window that ends now.
///
/// # Errors
/// Time is up, nobody waits any more, or the store failed.
pub fn performance(engine: &Engine, now: Timestamp, window: Duration, deadline: &Deadline) -> Result<Performance, QueryError> {
    ask(&RULES, &Examination { engine, now, window, deadline })
}

fn ask(rules: &[&[Rule]], at: &Examination<'_>) -> Result<Performance, QueryError> {
    let mut out = Performance { score: None, reason: None, findings: Vec::new(), checked: 0, without_data: 0, infos: Vec::new() };
    let mut penalty = 0;
    let mut known = HashMap::new();
    for rule in rules.iter().copied().flatten() {
        at.deadline.check()?;
        let basis = match known.get(rule.basis) {
            Some(basis) => *basis,
            None => *known.entry(rule.basis).or_insert(at.basis(rule.basis)?),
        };
        if basis == Basis::TooLittle {
            out.without_data += 1;
            continue;
        }
        out.checked += 1;
        match at.findings(rule, basis) {
            Ok(found) => {
                penalty += found.iter().map(|f| f.severity).max().map_or(0, penalty_of);
                out.findings.extend(found);
            }
            Err(e @ (QueryError::Timeout | QueryError::Canceled | QueryError::Store(_))) => return Err(e),
            Err(e) => out.infos.push(format!("not looked at: {} ({e})", rule.title)),
        }
    }
    match out.checked {
        0 => out.reason = Some(nothing_checked(at.window)),
        checked => {
            out.score = Some(100u8.saturating_sub(penalty.min(100)));
            if checked < FEW_RULES {
                out.infos.push(format!("only {checked} of {} rules had data: the score says little", checked + out.without_data));
            }
        }
    }
    // Stable: within a severity the order of the list stays.
    out.findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    Ok(out)
}

/// Why there is no score.
fn nothing_checked(window: Duration) -> String {
    format!("nothing was checked: no rule has data that reaches back {}, a fifth of the window", format_duration(window / LEAST_SHARE))
}

const fn penalty_of(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 2,
        Severity::Warning => 10,
        Severity::Critical => 25,
    }
}

/// How far the data of a rule reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    Whole,
    Part,
    TooLittle,
}

/// A look at one window.
struct Examination<'a> {
    engine: &'a Engine,
    now: Timestamp,
    window: Duration,
    deadline: &'a Deadline,
}

impl Examination<'_> {
    /// Whether a selector had values at the begin of the window, or at least for a part of it.
    fn basis(&self, selector: &str) -> Result<Basis, QueryError> {
        let had_values = |ago: Duration| self.vector(&format!("count({selector} offset {})", format_duration(ago))).map(|found| !found.is_empty());
        Ok(if self.vector(&format!("count({selector})"))?.is_empty() || !had_values(self.window / LEAST_SHARE)? {
            Basis::TooLittle
        } else if had_values(self.window)? {
            Basis::Whole
        } else {
            Basis::Part
        })
    }

    fn findings(&self, rule: &Rule, basis: Basis) -> Result<Vec<Finding>, QueryError> {
        let mut seen = match rule.look {
            Look::Value(limit) => self.values(rule, limit, basis)?,
            Look::RunsOut => self.trending(rule, |trend, value| runs_out(trend, value, rule.unit))?,
            Look::Grows(least) => self.trending(rule, |trend, value| grows(trend, value, rule.unit, least))?,
        };
        // A device that is mounted in many places is full once.
        let mut devices: Vec<(String, u64)> = Vec::new();
        seen.retain(|s| {
            let device = s.labels.get("device").unwrap_or("");
            let known = devices.iter().any(|(d, v)| d == device && *v == s.value.to_bits());
            devices.push((device.to_owned(), s.value.to_bits()));
            device.is_empty() || !known
        });
        for fact in rule.facts {
            if seen.is_empty() {
                break;
            }
            let known = self.vector(fact.query)?;
            seen.retain_mut(|s| {
                let value = known
                    .iter()
                    .find(|k| k.labels.without_name().iter().all(|(name, v)| s.labels.get(name) == Some(v)))
                    .and_then(last)
                    .filter(|v| v.is_finite());
                if let Some(value) = value {
                    s.evidence.push_str("; ");
                    s.evidence.push_str(&filled(fact.text, &s.labels, &fact.unit.write(value)));
                }
                fact.needs.are_met(value)
            });
        }
        seen.truncate(MAX_PER_RULE);
        Ok(seen.into_iter().map(|seen| self.finding(rule, seen)).collect())
    }

    fn finding(&self, rule: &Rule, seen: Seen) -> Finding {
        let mut title = filled(rule.title, &seen.labels, "");
        if let Some(instance) = seen.labels.get("instance").filter(|name| !name.is_empty()) {
            title.push_str(&format!(" on {instance}"));
        }
        Finding {
            severity: seen.severity,
            title,
            evidence: seen.evidence,
            recommendation: filled(rule.advice, &seen.labels, ""),
            query: self.with_window(rule.query),
            labels: seen.labels,
            value: seen.value,
        }
    }

    /// Series whose value passes the limit.
    fn values(&self, rule: &Rule, limit: Limit, basis: Basis) -> Result<Vec<Seen>, QueryError> {
        let over = match basis {
            _ if !rule.query.contains("$w") => "now".to_owned(),
            Basis::Whole => format!("in the last {}", format_duration(self.window)),
            Basis::Part | Basis::TooLittle => format!("in the last {} (there is data of a part of it)", format_duration(self.window)),
        };
        let found = self.vector(rule.query)?;
        let passing = found.into_iter().filter_map(|series| {
            let value = last(&series)?;
            let (severity, limit) = limit.passed(value)?;
            let evidence = format!("{} {over} (limit {})", filled(rule.evidence, &series.labels, &rule.unit.write(value)), rule.unit.write(limit));
            Some(Seen { severity, labels: series.labels, value, evidence })
        });
        Ok(passing.collect())
    }

    /// Series whose trend says something.
    fn trending(&self, rule: &Rule, says: impl Fn(&Trend, f64) -> Option<(Severity, String)>) -> Result<Vec<Seen>, QueryError> {
        let range = self.window.max(TREND_RANGE);
        let request = TrendsRequest { query: self.with_window(rule.query), end: self.now, range, horizon: Duration::from_secs(1) };
        let found = trends(self.engine, &request, self.deadline)?;
        let saying = found.series.into_iter().filter_map(|series| {
            let trend = series.trend?;
            let value = trend.at(self.now);
            let (severity, said) = says(&trend, value)?;
            let seen = filled(rule.evidence, &series.labels, &rule.unit.write(value));
            Some(Seen { severity, labels: series.labels, value, evidence: format!("{seen} {said} in the last {}", length(trend.span_seconds)) })
        });
        Ok(saying.collect())
    }

    fn with_window(&self, query: &str) -> String {
        query.replace("$w", &format_duration(self.window))
    }

    fn vector(&self, query: &str) -> Result<Vec<Series>, QueryError> {
        match self.engine.instant(&self.with_window(query), self.now, self.deadline)?.value {
            Value::Vector(series) => Ok(series),
            Value::Matrix(_) | Value::Scalar(..) | Value::String(..) => Ok(Vec::new()),
        }
    }
}

/// A series that a rule found something about.
struct Seen {
    severity: Severity,
    labels: Labels,
    value: f64,
    evidence: String,
}

fn last(series: &Series) -> Option<f64> {
    series.points.last().map(|(_, v)| *v)
}

/// A text with the value and the labels that it names; a label that is not there is `?`.
fn filled(text: &str, labels: &Labels, value: &str) -> String {
    let mut out = String::with_capacity(text.len() + value.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let name = after.split_once('}').filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        rest = match name {
            Some((name, tail)) => {
                out.push_str(if name == "value" { value } else { labels.get(name).unwrap_or("?") });
                tail
            }
            // A brace of PromQL.
            None => {
                out.push('{');
                after
            }
        };
    }
    out + rest
}

/// When a falling line reaches 0, if that is near enough to be said.
fn runs_out(trend: &Trend, value: f64, unit: Unit) -> Option<(Severity, String)> {
    if trend.direction != Direction::Down || value <= 0.0 || trend.span_seconds < LEAST_TREND_SECONDS {
        return None;
    }
    let left = |slope: f64| value / -slope;
    let seconds = left(trend.slope);
    if seconds > FARTHEST_SECONDS.min(FARTHEST_OF_SPAN * trend.span_seconds) {
        return None;
    }
    let severity = if seconds <= SOON_SECONDS { Severity::Critical } else { Severity::Warning };
    // A direction is down only where the whole interval is below 0.
    let (fastest, slowest) = (left(trend.slope_95.0), left(trend.slope_95.1));
    let when = |seconds: f64| moment(trend.last + Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let an_hour = unit.write(-trend.slope * 3600.0);
    let said = format!("and falls by {an_hour} an hour: it ends about {} (between {} and {}), by the trend", when(seconds), when(fastest), when(slowest));
    Some((severity, said))
}

/// Whether a line rises to something that counts.
fn grows(trend: &Trend, value: f64, unit: Unit, least: f64) -> Option<(Severity, String)> {
    let change = trend.slope * trend.span_seconds;
    let rises = trend.direction == Direction::Up && value >= least && change >= GROWN_SHARE * value;
    rises.then(|| (Severity::Warning, format!("and grows by {} a minute, by the trend", unit.write(trend.slope * 60.0))))
}

#[cfg(test)]
pub(super) mod tests;
