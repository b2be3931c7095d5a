//! A rule: the document, and what must be true of it. Knows neither its state nor where it lies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AlertError;
use super::template::Template;
use crate::clock::{format_duration, parse_duration};
use crate::model::{METRIC_NAME, Severity, valid_label_name};
use crate::query::{Yields, outline};

/// The label that carries the rule's name.
pub(super) const ALERT_NAME: &str = "alertname";
/// The label that carries the rule's severity.
pub(super) const SEVERITY: &str = "severity";
/// Labels that a rule must not set: the program does.
const RESERVED: [&str; 3] = [METRIC_NAME, ALERT_NAME, "alertstate"];

/// The group of a rule that names none.
const DEFAULT_GROUP: &str = "custom";
const MAX_NAME_BYTES: usize = 200;
const MAX_GROUP_BYTES: usize = 100;
const MAX_LABELS: usize = 20;
/// What `ingest` takes of a label by default, so that `ALERTS` can be stored.
const MAX_LABEL_BYTES: usize = 1024;
const MAX_ANNOTATIONS: usize = 20;
const MAX_ANNOTATION_BYTES: usize = 4096;
const DAY: Duration = Duration::from_secs(86_400);
/// Longer than any storm lasts; a longer wait is a mistake of units.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 86_400);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// A rule as it is asked for, not yet checked: the body of `POST alerts/rules`, an entry of the
/// file of default rules.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDraft {
    /// Must be the rule's own where it is given.
    #[serde(default)]
    pub id: Option<String>,
    /// The revision that was read; another one that is stored is a conflict.
    #[serde(default)]
    pub revision: Option<u64>,
    /// What `alertname` will say.
    pub name: String,
    /// PromQL: every series of its answer is an alert.
    pub expr: String,
    /// How long it must hold before it fires; at once by default.
    #[serde(rename = "for", default)]
    pub wait: Option<String>,
    /// How long it fires on after it held last; not at all by default.
    #[serde(default)]
    pub keep_firing_for: Option<String>,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// Labels that are added; values are templates.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// Words for people; values are templates.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Its group; `custom` by default.
    #[serde(default)]
    pub group: Option<String>,
    /// From evaluation to evaluation; `alerts.evaluation_interval` by default.
    #[serde(default)]
    pub interval: Option<String>,
    /// Whether it is evaluated.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A rule that was checked. Also what is stored: fields are only ever added at the end, with a
/// migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is what the draft's says; durations are milliseconds")]
pub struct Rule {
    pub name: String,
    pub expr: String,
    pub wait_ms: u64,
    pub keep_firing_ms: u64,
    pub severity: Severity,
    pub labels: Vec<(String, String)>,
    pub annotations: Vec<(String, String)>,
    pub group: String,
    pub interval_ms: Option<u64>,
    pub enabled: bool,
}

impl RuleDraft {
    /// The rule, if all of it is in order.
    ///
    /// # Errors
    /// The first field that is not, with what to do.
    pub fn check(self) -> Result<Rule, AlertError> {
        let name = line("name", &self.name, MAX_NAME_BYTES)?;
        yields_values(&self.expr)?;
        let severity = severity(&self.severity)?;
        let labels = labels(self.labels.unwrap_or_default(), severity)?;
        let annotations = annotations(self.annotations.unwrap_or_default())?;
        Ok(Rule {
            name,
            expr: self.expr,
            wait_ms: duration("for", self.wait.as_deref(), Duration::ZERO, LONGEST_WAIT)?.unwrap_or(0),
            keep_firing_ms: duration("keep_firing_for", self.keep_firing_for.as_deref(), Duration::ZERO, LONGEST_WAIT)?.unwrap_or(0),
            severity,
            labels,
            annotations,
            group: self.group.map_or_else(|| Ok(DEFAULT_GROUP.to_owned()), |group| line("group", &group, MAX_GROUP_BYTES))?,
            interval_ms: duration("interval", self.interval.as_deref(), SHORTEST_INTERVAL, DAY)?,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

impl Rule {
    /// How long it must hold before it fires.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }

    /// How long it fires on after it held last.
    #[must_use]
    pub const fn keep_firing(&self) -> Duration {
        Duration::from_millis(self.keep_firing_ms)
    }

    /// From evaluation to evaluation.
    #[must_use]
    pub fn interval(&self, default: Duration) -> Duration {
        self.interval_ms.map_or(default, Duration::from_millis)
    }
}

/// One line of text for people: not empty, not too long, without control characters.
fn line(field: &str, text: &str, max_bytes: usize) -> Result<String, AlertError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AlertError::invalid(field, "it is empty"));
    }
    if text.len() > max_bytes {
        return Err(AlertError::invalid(field, format!("it has {} bytes, the limit is {max_bytes}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(AlertError::invalid(field, "it has a control character, such as a line break"));
    }
    Ok(text.to_owned())
}

/// Whether it reads, and yields what can be alerted on.
fn yields_values(expr: &str) -> Result<(), AlertError> {
    let reason = match outline(expr) {
        Ok(outline) if outline.yields == Yields::Values => return Ok(()),
        Ok(outline) if outline.yields == Yields::Text => "it yields a text: a rule needs an instant vector or a number".to_owned(),
        Ok(_) => "it yields a range vector: a rule needs an instant vector or a number, such as max_over_time(..)".to_owned(),
        Err(flaw) => flaw.to_string(),
    };
    Err(AlertError::invalid("expr", reason))
}

fn severity(word: &str) -> Result<Severity, AlertError> {
    [Severity::Info, Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| AlertError::invalid(SEVERITY, format!("{:?} is none of info, warning, critical", shorten(word))))
}

fn duration(field: &str, text: Option<&str>, least: Duration, most: Duration) -> Result<Option<u64>, AlertError> {
    let Some(text) = text else { return Ok(None) };
    let duration =
        parse_duration(text).map_err(|_| AlertError::invalid(field, format!("{:?} is not a duration: write it like 30s, 5m or 1h30m", shorten(text))))?;
    if !(least..=most).contains(&duration) {
        return Err(AlertError::invalid(field, format!("{} is not between {} and {}", shorten(text), format_duration(least), format_duration(most))));
    }
    Ok(u64::try_from(duration.as_millis()).ok())
}

fn labels(given: BTreeMap<String, String>, severity: Severity) -> Result<Vec<(String, String)>, AlertError> {
    let checked = pairs("labels", given, MAX_LABELS, MAX_LABEL_BYTES)?;
    for (name, value) in &checked {
        let field = || format!("labels.{name}");
        if RESERVED.contains(&name.as_str()) {
            return Err(AlertError::invalid(field(), "this label is set by the program: leave it out"));
        }
        if name == SEVERITY && value != severity.as_str() {
            return Err(AlertError::invalid(
                field(),
                format!("it says {:?} and the field severity {:?}: leave the label out", shorten(value), severity.as_str()),
            ));
        }
    }
    Ok(checked)
}

fn annotations(given: BTreeMap<String, String>) -> Result<Vec<(String, String)>, AlertError> {
    pairs("annotations", given, MAX_ANNOTATIONS, MAX_ANNOTATION_BYTES)
}

/// Names in the grammar of labels, values that are templates, neither too many nor too long.
fn pairs(field: &str, given: BTreeMap<String, String>, max: usize, max_bytes: usize) -> Result<Vec<(String, String)>, AlertError> {
    if given.len() > max {
        return Err(AlertError::invalid(field, format!("there are {}, the limit is {max}", given.len())));
    }
    for (name, value) in &given {
        let place = format!("{field}.{}", shorten(name));
        if !valid_label_name(name) || name.len() > MAX_NAME_BYTES {
            return Err(AlertError::invalid(place, format!("{:?} is not a name: use letters, digits and _, at most {MAX_NAME_BYTES}", shorten(name))));
        }
        if value.len() > max_bytes {
            return Err(AlertError::invalid(place, format!("it has {} bytes, the limit is {max_bytes}", value.len())));
        }
        Template::parse(value).map_err(|e| AlertError::invalid(place, e.to_string()))?;
    }
    Ok(given.into_iter().collect())
}

/// The beginning of somebody's words, for a message.
fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A rule that is in order, for tests of other files.
    pub(in crate::alert) fn rule(name: &str, expr: &str) -> Rule {
        draft(name, expr).check().unwrap()
    }

    pub(in crate::alert) fn draft(name: &str, expr: &str) -> RuleDraft {
        serde_json::from_value(serde_json::json!({"name": name, "expr": expr, "severity": "warning"})).unwrap()
    }

    fn refused(change: impl Fn(&mut RuleDraft)) -> (String, String) {
        let mut asked = draft("Disk", "up == 0");
        change(&mut asked);
        match asked.check() {
            Err(AlertError::Invalid { field, reason }) => (field, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let rule = rule(" Disk ", "up == 0");
        assert_eq!((rule.name.as_str(), rule.group.as_str(), rule.wait_ms, rule.enabled), ("Disk", "custom", 0, true));
        assert_eq!(rule.interval(Duration::from_secs(15)), Duration::from_secs(15));
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let map = |name: &str, value: &str| Some(BTreeMap::from([(name.to_owned(), value.to_owned())]));
        assert_eq!(refused(|d| d.name = " ".into()).0, "name");
        assert_eq!(refused(|d| d.name = "x".repeat(201)).0, "name");
        assert_eq!(refused(|d| d.name = "a\nb".into()).0, "name");
        assert_eq!(refused(|d| d.expr = "up ==".into()).0, "expr");
        assert_eq!(refused(|d| d.expr = "up[5m]".into()).0, "expr");
        assert_eq!(refused(|d| d.expr = "\"text\"".into()).0, "expr");
        assert_eq!(refused(|d| d.expr = "(".repeat(50_000)).0, "expr");
        assert_eq!(refused(|d| d.wait = Some("5".into())).0, "for");
        assert_eq!(refused(|d| d.wait = Some("1y".into())).0, "for");
        assert_eq!(refused(|d| d.severity = "page".into()).0, "severity");
        assert_eq!(refused(|d| d.labels = map("9a", "x")).0, "labels.9a");
        assert_eq!(refused(|d| d.labels = map("alertname", "x")).0, "labels.alertname");
        assert_eq!(refused(|d| d.labels = map("severity", "critical")).0, "labels.severity");
        assert_eq!(refused(|d| d.labels = map("a", &"x".repeat(2000))).0, "labels.a");
        assert_eq!(refused(|d| d.labels = Some((0..21).map(|i| (format!("l{i}"), String::new())).collect())).0, "labels");
        assert_eq!(refused(|d| d.annotations = map("summary", "{{ $value | shout }}")).0, "annotations.summary");
        assert_eq!(refused(|d| d.annotations = map("summary", &"x".repeat(5000))).0, "annotations.summary");
        assert_eq!(refused(|d| d.group = Some(String::new())).0, "group");
        assert_eq!(refused(|d| d.interval = Some("100ms".into())).0, "interval");
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = serde_json::from_str::<RuleDraft>(r#"{"name":"a","expr":"up","severity":"info","expression":"x"}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `expression`"), "{error}");
    }
}
