//! The door of the room: rules are made, changed and shown here, with the state of their alerts.
//! Everything that changes goes through one lock, so that a rule that is changed while it is
//! evaluated is never mixed up with what it was.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::book::{Book, Entry};
use super::group::{self, GroupKey};
use super::history::{Change, Event, History};
use super::notify::{MAX_ALERTS_EACH, payload};
use super::outbox::{Bell, Notice, Outbox};
use super::rule::{Rule, RuleDraft};
use super::state::{Alert, Phase, Step};
use super::{AlertError, Options};
use crate::clock::SharedClock;
use crate::model::{ErrorKind, Labels, METRIC_NAME, Severity, TimeRange, Timestamp};
use crate::query::{Engine, Value};
use crate::store::{Catalog, DocumentKind, Edits, StoreError};
use crate::task::Deadline;
use crate::telemetry::{Component, HealthBoard, OwnMetrics};

/// A pending alert that nobody looked at for so long begins anew, as Prometheus' `for-outage-tolerance`.
const OUTAGE_TOLERANCE: Duration = Duration::from_secs(3600);
/// How long a rule may take that is tried when it is made.
const TRIAL: Duration = Duration::from_secs(10);

/// What the room works with.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is the handle that its type documents")]
pub struct Handles {
    pub catalog: Catalog,
    pub engine: Engine,
    pub own: OwnMetrics,
    pub health: HealthBoard,
    pub clock: SharedClock,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}

/// Whether a rule could be evaluated the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RuleHealth {
    /// It was not evaluated yet.
    #[default]
    Unknown,
    /// It could.
    Good,
    /// It could not, for this reason.
    Bad(String),
}

/// A rule with its state.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleState {
    /// The rule.
    pub entry: Entry,
    /// From evaluation to evaluation.
    pub interval: Duration,
    /// Its alerts that are pending or firing, in order of labels.
    pub alerts: Vec<Alert>,
    /// Whether it could be evaluated.
    pub health: RuleHealth,
    /// When it was evaluated last.
    pub last_evaluation: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
}

impl RuleState {
    /// Where its worst alert stands; `None` where it is inactive.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.alerts.iter().map(|alert| alert.phase).max()
    }
}

/// What runs of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    pub(super) alerts: Vec<Alert>,
    pub(super) health: RuleHealth,
    pub(super) last_evaluation: Option<Timestamp>,
    pub(super) took: Duration,
    /// Series of alerts that were written the last time.
    pub(super) written: Vec<Labels>,
}

/// A rule's alerts as they are stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    alerts: Vec<Alert>,
}

pub(super) struct Inner {
    pub(super) options: Options,
    pub(super) handles: Handles,
    book: Mutex<Book>,
    running: Mutex<HashMap<String, Running>>,
    /// Held while rules or stored states change.
    changing: Mutex<()>,
    /// Groups that were changed and are to be evaluated soon.
    fresh: Mutex<BTreeSet<GroupKey>>,
    /// Series whose rule is gone and that are to be ended.
    pub(super) ended: Mutex<Vec<Labels>>,
    pub(super) history: History,
    pub(super) outbox: Outbox,
    pub(super) changed: Bell,
    /// Until then alerts without data stay: the daemon stood still for long.
    pub(super) patience_until: Timestamp,
}

/// Rules, their alerts, and what became of them. Cheap to clone. Calls that change or that read
/// history take disk: use the pool.
#[derive(Clone)]
pub struct Alerts(pub(super) Arc<Inner>);

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Alerts {
    /// Reads rules, states, history and what is still to be sent.
    ///
    /// # Errors
    /// The catalog or the compiled-in rules cannot be read.
    pub fn open(options: Options, handles: Handles) -> Result<Self, AlertError> {
        let book = Book::open(handles.catalog.clone(), options.default_rules)?;
        let mut states = BTreeMap::new();
        for document in handles.catalog.list::<Stored>(DocumentKind::AlertState)? {
            states.insert(document.id, document.body.alerts);
        }
        let now = handles.clock.now();
        let idle = if states.values().all(Vec::is_empty) { Duration::ZERO } else { idle_time(&handles.engine, &states, now) };
        let lookback = handles.engine.options().lookback;
        let inner = Inner {
            history: History::open(handles.catalog.clone())?,
            outbox: Outbox::open(handles.catalog.clone())?,
            book: Mutex::new(book),
            running: Mutex::default(),
            changing: Mutex::default(),
            fresh: Mutex::default(),
            ended: Mutex::default(),
            changed: Bell::default(),
            patience_until: if idle > lookback / 2 { now + lookback } else { now },
            options,
            handles,
        };
        let alerts = Self(Arc::new(inner));
        if alerts.0.options.webhook.is_none() {
            // Nobody is left to whom it could be sent.
            alerts.0.outbox.clear()?;
        }
        alerts.restore(states, idle, now)?;
        alerts.0.handles.health.healthy(Component::Alerts);
        for outcome in ["sent", "failed", "dropped"] {
            // A counter that is there from the start: a rise from nothing to one is no rise to PromQL.
            alerts.0.handles.own.notifications.with_label_values(&[outcome]);
        }
        alerts.count();
        Ok(alerts)
    }

    /// Takes over what an earlier run left; alerts whose rule is gone are over.
    fn restore(&self, states: BTreeMap<String, Vec<Alert>>, idle: Duration, now: Timestamp) -> Result<(), AlertError> {
        for (id, mut alerts) in states {
            let entry = locked(&self.0.book).get(&id).ok().filter(|entry| entry.rule.enabled).cloned();
            if idle > OUTAGE_TOLERANCE {
                alerts.retain(|alert| alert.phase == Phase::Firing);
            }
            locked(&self.0.running).insert(id.clone(), Running { alerts, ..Running::default() });
            if entry.is_none() {
                self.retire(&id, None, now)?;
            }
        }
        Ok(())
    }

    /// Every rule, in order of id.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleState> {
        let entries: Vec<Entry> = locked(&self.0.book).all().cloned().collect();
        entries.into_iter().map(|entry| self.with_state(entry)).collect()
    }

    /// One rule.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn rule(&self, id: &str) -> Result<RuleState, AlertError> {
        let entry = locked(&self.0.book).get(id)?.clone();
        Ok(self.with_state(entry))
    }

    fn with_state(&self, entry: Entry) -> RuleState {
        let running = locked(&self.0.running).get(&entry.id).cloned().unwrap_or_default();
        let interval = entry.rule.interval(self.0.options.evaluation_interval);
        RuleState { entry, interval, alerts: running.alerts, health: running.health, last_evaluation: running.last_evaluation, took: running.took }
    }

    /// Makes a rule, after it was tried; durable when it returns.
    ///
    /// # Errors
    /// Something is wrong with it, its name is taken, there are too many; nothing was stored.
    pub fn create(&self, draft: RuleDraft) -> Result<RuleState, AlertError> {
        if draft.id.is_some() || draft.revision.is_some() {
            let field = if draft.id.is_some() { "id" } else { "revision" };
            return Err(AlertError::invalid(field, "a new rule gets it from the program: leave it out, or PUT to the rule"));
        }
        let rule = self.tried(draft)?;
        let _changing = locked(&self.0.changing);
        let entry = locked(&self.0.book).create(rule)?;
        self.wake(&entry.rule);
        Ok(self.with_state(entry))
    }

    /// Changes a rule; a default one is then replaced by what is given. Durable when it returns.
    ///
    /// # Errors
    /// As [`create`](Self::create); also an unknown id, or another revision than the draft says.
    pub fn update(&self, id: &str, draft: RuleDraft) -> Result<RuleState, AlertError> {
        if let Some(other) = draft.id.as_deref().filter(|other| *other != id) {
            return Err(AlertError::invalid("id", format!("it is {other:?} here and {id:?} in the path: an id never changes")));
        }
        let revision = draft.revision;
        locked(&self.0.book).get(id)?;
        let rule = self.tried(draft)?;
        let _changing = locked(&self.0.changing);
        let before = locked(&self.0.book).get(id)?.clone();
        let entry = locked(&self.0.book).update(id, rule, revision)?;
        self.replaced(&before, Some(&entry))?;
        Ok(self.with_state(entry))
    }

    /// Removes a rule, or the change of a default one. Its alerts are over, and those that fired are
    /// told so. Durable when it returns. Yields the default rule that applies again.
    ///
    /// # Errors
    /// An unknown id, or a default rule that nobody changed.
    pub fn delete(&self, id: &str) -> Result<Option<RuleState>, AlertError> {
        let _changing = locked(&self.0.changing);
        let before = locked(&self.0.book).get(id)?.clone();
        let entry = locked(&self.0.book).delete(id)?;
        self.replaced(&before, entry.as_ref())?;
        Ok(entry.map(|entry| self.with_state(entry)))
    }

    /// A rule has taken the place of another: what belonged to the old one alone is over. The caller
    /// holds `changing`.
    fn replaced(&self, before: &Entry, after: Option<&Entry>) -> Result<(), AlertError> {
        let identity = |rule: &Rule| (rule.name.clone(), rule.severity, rule.labels.clone());
        match after {
            Some(entry) if entry.rule.enabled && identity(&entry.rule) == identity(&before.rule) => {}
            _ => self.retire(&before.id, Some(before), self.0.handles.clock.now())?,
        }
        if let Some(entry) = after {
            self.wake(&entry.rule);
        }
        Ok(())
    }

    /// Ends all alerts of a rule. `entry` is the rule as it was, where it is still known.
    fn retire(&self, id: &str, entry: Option<&Entry>, now: Timestamp) -> Result<(), AlertError> {
        let running = locked(&self.0.running).remove(id).unwrap_or_default();
        locked(&self.0.ended).extend(running.written);
        let resolved: Vec<Alert> = running.alerts.into_iter().filter(|alert| alert.phase == Phase::Firing).collect();
        let step = Step { resolved, changed: true, ..Step::default() };
        self.settle(id, entry, &step, now)
    }

    /// What the rule's expression yields now, with the labels and words that its alerts would have.
    ///
    /// # Errors
    /// The draft is wrong, or cannot be evaluated.
    pub fn try_out(&self, draft: RuleDraft, deadline: &Deadline) -> Result<Vec<Alert>, AlertError> {
        let (rule, now) = (draft.check()?, self.0.handles.clock.now());
        let found = group::ask(&self.0.handles.engine, &rule, now, deadline)?;
        let alert = |one: super::state::Found| Alert {
            labels: one.labels,
            annotations: one.annotations,
            phase: if rule.wait_ms == 0 { Phase::Firing } else { Phase::Pending },
            active_at: now,
            fired_at: None,
            lost_at: None,
            value: one.value,
        };
        Ok(found.into_iter().map(alert).collect())
    }

    fn tried(&self, draft: RuleDraft) -> Result<Rule, AlertError> {
        let rule = draft.check()?;
        match group::ask(&self.0.handles.engine, &rule, self.0.handles.clock.now(), &Deadline::after(TRIAL)) {
            // What takes too long or hits a failing store may be better when it is evaluated.
            Err(AlertError::Query(e)) if matches!(e.kind(), ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::Unprocessable) => {
                Err(AlertError::invalid("expr", e.to_string()))
            }
            _ => Ok(rule),
        }
    }

    /// Pending and firing alerts with their rules, the worst first, then the newest.
    #[must_use]
    pub fn active(&self) -> Vec<(Entry, Alert)> {
        let mut out: Vec<(Entry, Alert)> = Vec::new();
        for RuleState { entry, alerts, .. } in self.rules() {
            out.extend(alerts.into_iter().map(|alert| (entry.clone(), alert)));
        }
        let rank = |(entry, alert): &(Entry, Alert)| (alert.phase, entry.rule.severity, alert.active_at);
        out.sort_by_key(|one| std::cmp::Reverse(rank(one)));
        out
    }

    /// At most `limit` events of `range`, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn history(&self, range: TimeRange, limit: usize) -> Result<Vec<Event>, AlertError> {
        self.0.history.list(range, limit)
    }

    /// How many notifications are not delivered yet.
    #[must_use]
    pub fn notifications_waiting(&self) -> usize {
        self.0.outbox.len()
    }

    /// The rules that are evaluated together, each group with its interval.
    pub(super) fn groups(&self) -> BTreeSet<GroupKey> {
        locked(&self.0.book).all().filter(|entry| entry.rule.enabled).map(|entry| self.key(&entry.rule)).collect()
    }

    pub(super) fn of_group(&self, key: &GroupKey) -> Vec<Entry> {
        locked(&self.0.book).all().filter(|entry| entry.rule.enabled && self.key(&entry.rule) == *key).cloned().collect()
    }

    fn key(&self, rule: &Rule) -> GroupKey {
        GroupKey { name: rule.group.clone(), interval: rule.interval(self.0.options.evaluation_interval) }
    }

    fn wake(&self, rule: &Rule) {
        if rule.enabled {
            locked(&self.0.fresh).insert(self.key(rule));
        }
        self.0.changed.ring();
    }

    /// Groups that are to be evaluated before their time.
    pub(super) fn take_fresh(&self) -> BTreeSet<GroupKey> {
        std::mem::take(&mut *locked(&self.0.fresh))
    }

    /// How many alerts the other rules have.
    pub(super) fn alerts_besides(&self, id: &str) -> usize {
        locked(&self.0.running).iter().filter(|(other, _)| *other != id).map(|(_, running)| running.alerts.len()).sum()
    }

    pub(super) fn running(&self, id: &str) -> Running {
        locked(&self.0.running).get(id).cloned().unwrap_or_default()
    }

    /// Keeps what came of an evaluation, unless the rule was changed meanwhile: then it is forgotten.
    pub(super) fn take(&self, entry: &Entry, step: Option<Step>, mut running: Running, at: Timestamp) -> Result<(), AlertError> {
        let _changing = locked(&self.0.changing);
        if locked(&self.0.book).get(&entry.id).ok().is_none_or(|now| now != entry) {
            locked(&self.0.ended).extend(running.written);
            return Ok(());
        }
        let kept = step.as_ref().filter(|step| step.changed).map_or(Ok(()), |step| self.settle(&entry.id, Some(entry), step, at));
        match (&kept, step) {
            (Ok(()), Some(step)) => running.alerts = step.alerts,
            (Ok(()), None) => {}
            // The old state stays, so that the next evaluation finds and tells the same changes.
            (Err(error), _) => running.health = RuleHealth::Bad(error.to_string()),
        }
        locked(&self.0.running).insert(entry.id.clone(), running);
        kept
    }

    /// Makes a changed state durable together with its events and notifications: all or nothing.
    fn settle(&self, id: &str, entry: Option<&Entry>, step: &Step, at: Timestamp) -> Result<(), AlertError> {
        let mut edits = Edits::default();
        if step.alerts.is_empty() {
            edits.remove(DocumentKind::AlertState, id);
        } else {
            edits.put(DocumentKind::AlertState, id, &Stored { alerts: step.alerts.clone() })?;
        }
        let mut notices = Vec::new();
        for (change, alerts) in [(Change::Fired, &step.fired), (Change::Resolved, &step.resolved)] {
            let events: Vec<Event> = alerts.iter().map(|alert| event(id, entry, alert, change, at)).collect();
            for event in &events {
                self.0.history.note(&mut edits, event)?;
            }
            notices.extend(self.notices(&mut edits, &events, at)?);
        }
        self.0.handles.catalog.edit(edits)?;
        // After it is durable, never before: what is sent must be known after a crash.
        let dropped = self.0.outbox.queue(notices)?;
        if dropped > 0 {
            self.0.handles.own.notifications.with_label_values(&["dropped"]).inc_by(dropped as u64);
            tracing::warn!(dropped, "too many notifications wait for the webhook: the oldest were dropped");
        }
        self.count_queue();
        Ok(())
    }

    fn notices(&self, edits: &mut Edits, events: &[Event], at: Timestamp) -> Result<Vec<Notice>, StoreError> {
        if self.0.options.webhook.is_none() {
            return Ok(Vec::new());
        }
        events.chunks(MAX_ALERTS_EACH).map(|events| self.0.outbox.note(edits, at, payload(events))).collect()
    }

    pub(super) fn count_queue(&self) {
        self.0.handles.own.queue_depth.with_label_values(&["notifications"]).set(self.0.outbox.len() as f64);
    }

    /// Shows how many alerts there are.
    pub(super) fn count(&self) {
        let (mut pending, mut firing) = (0u32, 0u32);
        for running in locked(&self.0.running).values() {
            for alert in &running.alerts {
                if alert.phase == Phase::Firing { firing += 1 } else { pending += 1 }
            }
        }
        for (state, count) in [("pending", pending), ("firing", firing)] {
            self.0.handles.own.alerts.with_label_values(&[state]).set(f64::from(count));
        }
    }
}

/// What happened, with the rule as it was; where it is gone the alert's own labels say what is known.
fn event(id: &str, entry: Option<&Entry>, alert: &Alert, change: Change, at: Timestamp) -> Event {
    let label = |name: &str| alert.labels.get(name).unwrap_or("").to_owned();
    let severity = || [Severity::Info, Severity::Critical].into_iter().find(|s| s.as_str() == label("severity")).unwrap_or_default();
    Event {
        at,
        change,
        rule: id.to_owned(),
        name: entry.map_or_else(|| label(super::rule::ALERT_NAME), |entry| entry.rule.name.clone()),
        group: entry.map_or_else(String::new, |entry| entry.rule.group.clone()),
        severity: entry.map_or_else(severity, |entry| entry.rule.severity),
        alert: alert.clone(),
    }
}

/// How long nobody looked at these alerts: since the newest of their stored series, and of their
/// own times. Longer than an hour is not told apart.
fn idle_time(engine: &Engine, states: &BTreeMap<String, Vec<Alert>>, now: Timestamp) -> Duration {
    let own = states.values().flatten().map(|alert| alert.fired_at.unwrap_or(alert.active_at));
    let written = match engine.instant("ALERTS_FOR_STATE[2h]", now, &Deadline::after(TRIAL)) {
        Ok(answer) => match answer.value {
            Value::Matrix(series) => series.iter().filter_map(|s| s.points.last().map(|(t, _)| *t)).max(),
            _ => None,
        },
        Err(error) => {
            tracing::warn!(%error, "it cannot be seen how long alerts were not evaluated");
            None
        }
    };
    let newest = own.chain(written).max().unwrap_or(now);
    Duration::from_millis(u64::try_from(now.0.saturating_sub(newest.0)).unwrap_or(0))
}

/// The labels of a series that says what an alert is.
pub(super) fn series(name: &str, labels: &Labels) -> Labels {
    labels.to_builder().set(METRIC_NAME, name).build()
}

#[cfg(test)]
pub(super) mod tests;
