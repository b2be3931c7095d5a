//! What becomes of a rule's alerts when it is evaluated: inactive, pending, firing, resolved. Pure:
//! old state and answer in, new state and what is to be told out.
//!
//! Each label set of the answer is an alert of its own. It is pending from the first evaluation in
//! which it is there (`active_at`), fires when it has been there for the rule's `for`, and is over
//! when it is not there any more; one that fired is then resolved, after `keep_firing_for`. As in
//! Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rule::Rule;
use crate::model::{Labels, Timestamp};

/// Where an alert that is there stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It holds, not yet long enough.
    Pending,
    /// It holds long enough.
    Firing,
}

impl Phase {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// One alert of a rule. Also what is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Labels of the answer, of the rule, its name and severity.
    #[serde(serialize_with = "write_labels", deserialize_with = "read_labels")]
    pub labels: Labels,
    /// Words for people, with the values of the last evaluation.
    pub annotations: Vec<(String, String)>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it holds.
    pub active_at: Timestamp,
    /// Since when it fires.
    pub fired_at: Option<Timestamp>,
    /// Since when it does not hold any more and is only kept.
    pub lost_at: Option<Timestamp>,
    /// The value of the last evaluation in which it was there.
    pub value: f64,
}

impl Alert {
    /// Names the alert: the same labels, the same text.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", self.labels.fingerprint().0 as u64)
    }
}

// A list of pairs: the stored form knows no map whose length is not said first.
fn write_labels<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    labels.iter().collect::<Vec<_>>().serialize(serializer)
}

fn read_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let pairs = Vec::<(String, String)>::deserialize(deserializer)?;
    Labels::from_pairs(pairs).map_err(serde::de::Error::custom)
}

/// One label set of a rule's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) labels: Labels,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) value: f64,
}

/// What an alert means that is not in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is over.
    IsOver,
    /// After a long stop there may be no data yet: it stays as it was.
    Waits,
}

/// What came of one evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    /// Pending and firing, in order of labels.
    pub(super) alerts: Vec<Alert>,
    /// Those that fire from now on.
    pub(super) fired: Vec<Alert>,
    /// Those that fired and are over.
    pub(super) resolved: Vec<Alert>,
    /// Whether more than values and words changed, so that it must be stored.
    pub(super) changed: bool,
}

/// One evaluation at `at`.
pub(super) fn step(rule: &Rule, before: &[Alert], found: Vec<Found>, at: Timestamp, missing: Missing) -> Step {
    let mut old: BTreeMap<&Labels, &Alert> = before.iter().map(|alert| (&alert.labels, alert)).collect();
    let mut out = Step::default();
    for one in found {
        let alert = match old.remove(&one.labels) {
            Some(known) => {
                out.changed |= known.lost_at.is_some();
                // A clock that was set back must not make it wait for ever.
                Alert { annotations: one.annotations, value: one.value, active_at: known.active_at.min(at), lost_at: None, ..known.clone() }
            }
            None => {
                out.changed = true;
                let Found { labels, annotations, value } = one;
                Alert { labels, annotations, phase: Phase::Pending, active_at: at, fired_at: None, lost_at: None, value }
            }
        };
        out.keep(due(rule, alert, at));
    }
    for alert in old.into_values() {
        match remains(rule, alert, at, missing) {
            Some(kept) => {
                out.changed |= kept != *alert;
                out.keep((kept, false));
            }
            None => {
                out.changed = true;
                if alert.phase == Phase::Firing {
                    out.resolved.push(alert.clone());
                }
            }
        }
    }
    out.alerts.sort_by(|a, b| a.labels.cmp(&b.labels));
    out
}

impl Step {
    fn keep(&mut self, (alert, fires_now): (Alert, bool)) {
        if fires_now {
            self.changed = true;
            self.fired.push(alert.clone());
        }
        self.alerts.push(alert);
    }
}

/// Fires it where it is due; says whether that is new.
fn due(rule: &Rule, mut alert: Alert, at: Timestamp) -> (Alert, bool) {
    let is_due = alert.phase == Phase::Pending && since(alert.active_at, at) >= rule.wait();
    if is_due {
        alert.phase = Phase::Firing;
        alert.fired_at = Some(at);
    }
    (alert, is_due)
}

/// An alert that is not in the answer: what remains of it.
fn remains(rule: &Rule, alert: &Alert, at: Timestamp, missing: Missing) -> Option<Alert> {
    if missing == Missing::Waits {
        return Some(alert.clone());
    }
    if alert.phase != Phase::Firing || rule.keep_firing_ms == 0 {
        return None;
    }
    let lost_at = alert.lost_at.unwrap_or(at).min(at);
    (since(lost_at, at) < rule.keep_firing()).then(|| Alert { lost_at: Some(lost_at), ..alert.clone() })
}

/// Time from `start` to `at`; nothing where it lies ahead.
fn since(start: Timestamp, at: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(at.0.saturating_sub(start.0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::rule::tests::rule;
    use proptest::prelude::*;

    fn found(device: &str) -> Found {
        Found { labels: Labels::from_pairs([("device", device)]).unwrap(), annotations: Vec::new(), value: 1.0 }
    }

    fn waiting(wait_ms: u64, keep_firing_ms: u64) -> Rule {
        Rule { wait_ms, keep_firing_ms, ..rule("a", "up == 0") }
    }

    /// Evaluates at 0, 10, 20, … ms; each item says which devices are there.
    fn run(rule: &Rule, rounds: &[&[&str]]) -> Vec<Step> {
        let mut before = Vec::new();
        let rounds = rounds.iter().enumerate();
        rounds
            .map(|(i, there)| {
                let found = there.iter().map(|device| found(device)).collect();
                let step = step(rule, &before, found, Timestamp(i as i64 * 10), Missing::IsOver);
                before.clone_from(&step.alerts);
                step
            })
            .collect()
    }

    #[test]
    fn an_alert_fires_once_when_it_held_long_enough_and_resolves_once() {
        let steps = run(&waiting(20, 0), &[&["a"], &["a"], &["a"], &["a"], &[], &[]]);
        assert_eq!(steps.iter().map(|s| s.fired.len()).collect::<Vec<_>>(), [0, 0, 1, 0, 0, 0]);
        assert_eq!(steps.iter().map(|s| s.resolved.len()).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0]);
        assert_eq!(steps.iter().map(|s| s.changed).collect::<Vec<_>>(), [true, false, true, false, true, false]);
        assert_eq!((steps[3].alerts[0].active_at, steps[3].alerts[0].fired_at), (Timestamp(0), Some(Timestamp(20))));
    }

    #[test]
    fn without_a_wait_it_fires_at_once_and_a_short_one_is_never_told() {
        assert_eq!(run(&waiting(0, 0), &[&["a"]])[0].fired.len(), 1);
        let steps = run(&waiting(20, 0), &[&["a"], &["a"], &[], &["a"], &["a"]]);
        assert!(steps.iter().all(|s| s.fired.is_empty() && s.resolved.is_empty()));
        assert_eq!(steps[4].alerts[0].active_at, Timestamp(30));
    }

    #[test]
    fn each_label_set_is_an_alert_of_its_own() {
        let steps = run(&waiting(10, 0), &[&["a"], &["b", "a"], &["b"], &["b"]]);
        assert_eq!(steps[1].fired.len(), 1);
        assert_eq!((steps[2].fired.len(), steps[2].resolved.len()), (1, 1));
        assert_eq!(steps[2].resolved[0].labels.get("device"), Some("a"));
    }

    #[test]
    fn one_that_is_kept_resolves_after_its_time_and_not_when_it_comes_back() {
        let steps = run(&waiting(0, 20), &[&["a"], &[], &["a"], &[], &[], &[]]);
        assert_eq!(steps.iter().map(|s| s.resolved.len()).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1]);
        assert_eq!(steps.iter().map(|s| s.fired.len()).sum::<usize>(), 1);
        assert_eq!(steps[4].alerts[0].lost_at, Some(Timestamp(30)));
    }

    #[test]
    fn after_a_long_stop_missing_data_resolves_nothing() {
        let fired = run(&waiting(0, 0), &[&["a"]]).remove(0).alerts;
        let step = step(&waiting(0, 0), &fired, Vec::new(), Timestamp(1000), Missing::Waits);
        assert!(step.resolved.is_empty() && !step.changed && step.alerts == fired);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_hold_an_alert_for_ever() {
        let rule = waiting(20, 0);
        let at = |before: &[Alert], t: i64| step(&rule, before, vec![found("a")], Timestamp(t), Missing::IsOver);
        let first = at(&[], 1_000_000).alerts;
        let back = at(&first, 0).alerts;
        assert_eq!(back[0].active_at, Timestamp(0));
        assert_eq!(at(&back, 20).fired.len(), 1);
    }

    proptest! {
        #[test]
        fn told_and_resolved_are_in_balance(wait in 0u64..4, keep in 0u64..3, rounds in proptest::collection::vec(proptest::collection::btree_set(0u8..4, 0..4), 1..40)) {
            let rule = waiting(wait * 10, keep * 10);
            let names: Vec<Vec<String>> = rounds.iter().map(|there| there.iter().map(u8::to_string).collect()).collect();
            let refs: Vec<Vec<&str>> = names.iter().map(|round| round.iter().map(String::as_str).collect()).collect();
            let rounds: Vec<&[&str]> = refs.iter().map(Vec::as_slice).collect();
            let mut told: BTreeMap<String, i32> = BTreeMap::new();
            let mut last: Vec<Alert> = Vec::new();
            for (i, step) in run(&rule, &rounds).into_iter().enumerate() {
                for alert in &step.fired {
                    *told.entry(alert.fingerprint()).or_default() += 1;
                }
                for alert in &step.resolved {
                    *told.entry(alert.fingerprint()).or_default() -= 1;
                }
                // Told as firing are exactly those that fire.
                for (fingerprint, count) in &told {
                    let firing = step.alerts.iter().any(|a| a.phase == Phase::Firing && a.fingerprint() == *fingerprint);
                    prop_assert_eq!(*count, i32::from(firing), "round {}", i);
                }
                for alert in step.alerts.iter().filter(|a| a.phase == Phase::Firing) {
                    let held = alert.fired_at.unwrap().0 - alert.active_at.0;
                    prop_assert!(held >= i64::try_from(rule.wait_ms).unwrap());
                }
                let same = |a: &Alert, b: &Alert| (a.phase, a.active_at, a.lost_at, &a.labels) == (b.phase, b.active_at, b.lost_at, &b.labels);
                let alike = last.len() == step.alerts.len() && last.iter().zip(&step.alerts).all(|(a, b)| same(a, b));
                prop_assert_eq!(step.changed, !alike, "stored if and only if it changed, round {}", i);
                last = step.alerts;
            }
        }
    }
}
