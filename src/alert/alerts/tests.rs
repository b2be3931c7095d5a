//! The room as a whole, without its loops: rules are made and evaluated at times that the test
//! chooses, over a store in memory. Guards against alerts that are told twice or never, over
//! restarts, changes and failures.

use super::*;
use crate::alert::RuleOrigin;
use crate::alert::rule::tests::draft;
use crate::clock::ManualClock;
use crate::model::{Batch, Origin, Sample};
use crate::net::Address;
use crate::store::{self, Place, Writer};
use crate::telemetry::Health;

const MINUTE: i64 = 60_000;
const START: Timestamp = Timestamp(1_764_000_000_000);

fn open_store(clock: SharedClock) -> store::Opened {
    store::open(store::Options::of(Place::Memory), clock).unwrap()
}

/// A catalog in memory, for tests of other files.
pub(in crate::alert) fn catalog() -> Catalog {
    open_store(ManualClock::at(START)).catalog
}

struct House {
    clock: Arc<ManualClock>,
    writer: Writer,
    handles: Handles,
    options: Options,
    alerts: Alerts,
}

impl House {
    fn new() -> Self {
        Self::with_defaults(false)
    }

    fn with_defaults(default_rules: bool) -> Self {
        let clock = ManualClock::at(START);
        let opened = open_store(clock.clone());
        let engine = Engine::new(Arc::new(opened.reader), crate::query::Options::default());
        let (own, health) = (OwnMetrics::new().unwrap(), HealthBoard::default());
        let handles = Handles { catalog: opened.catalog, engine, own, health, clock: clock.clone() };
        let webhook = Some(Address::parse("http://127.0.0.1:1/hook").unwrap());
        let options = Options { evaluation_interval: Duration::from_secs(15), default_rules, webhook };
        let alerts = Alerts::open(options.clone(), handles.clone()).unwrap();
        Self { clock, writer: opened.writer, handles, options, alerts }
    }

    /// As a new process does: everything but the store is gone.
    fn restart(&mut self) {
        self.alerts = Alerts::open(self.options.clone(), self.handles.clone()).unwrap();
    }

    fn now(&self) -> Timestamp {
        crate::clock::Clock::now(&*self.clock)
    }

    fn put(&mut self, name: &str, v: f64) {
        let mut batch = Batch::new(Origin::Pushed);
        batch.push(&Labels::from_pairs([("__name__", name), ("device", "sda")]).unwrap(), Sample { t: self.now(), v });
        self.writer.append(&[batch]).unwrap();
    }

    /// Time passes, the value is there, every group is evaluated.
    fn round(&mut self, value: f64) {
        self.clock.advance(Duration::from_secs(60));
        self.put("level", value);
        self.evaluate();
    }

    fn evaluate(&mut self) {
        for key in self.alerts.groups() {
            let batch = self.alerts.evaluate(&key, self.now());
            self.writer.append(&[batch]).unwrap();
        }
    }

    /// What waits to be sent: status and number of alerts of each.
    fn waiting(&self) -> Vec<(String, usize)> {
        let mut out = Vec::new();
        while let Some(notice) = self.alerts.0.outbox.oldest() {
            let body: serde_json::Value = serde_json::from_str(&self.alerts.0.outbox.body(&notice.id).unwrap().unwrap()).unwrap();
            out.push((body["status"].as_str().unwrap().to_owned(), body["alerts"].as_array().unwrap().len()));
            self.alerts.0.outbox.remove(&notice.id).unwrap();
        }
        out
    }

    fn state(&self, id: &str) -> Option<Phase> {
        self.alerts.rule(id).unwrap().phase()
    }

    fn value(&self, expr: &str) -> Vec<f64> {
        match self.handles.engine.instant(expr, self.now(), &Deadline::never()).unwrap().value {
            Value::Vector(series) => series.iter().map(|s| s.points[0].1).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn waiting_draft(wait: &str) -> RuleDraft {
    RuleDraft { wait: Some(wait.into()), ..draft("Level", "level > 1") }
}

fn once(status: &str) -> Vec<(String, usize)> {
    vec![(status.to_owned(), 1)]
}

#[test]
fn a_rule_fires_once_and_resolves_once_and_both_are_history() {
    let mut house = House::new();
    house.alerts.create(waiting_draft("2m")).unwrap();
    house.round(2.0);
    assert_eq!((house.state("level"), house.waiting().len()), (Some(Phase::Pending), 0));
    assert_eq!(house.value("ALERTS{alertstate=\"pending\"}"), [1.0]);
    house.round(2.0);
    house.round(2.0);
    assert_eq!((house.state("level"), house.waiting()), (Some(Phase::Firing), once("firing")));
    assert_eq!(house.value("ALERTS"), [1.0], "the pending series has ended");
    house.round(2.0);
    assert_eq!(house.waiting(), []);
    house.round(0.0);
    assert_eq!((house.state("level"), house.waiting()), (None, once("resolved")));
    assert!(house.value("ALERTS or ALERTS_FOR_STATE").is_empty(), "both series have ended");
    let events = house.alerts.history(TimeRange::ALL, 10).unwrap();
    assert_eq!(events.iter().map(|e| e.change).collect::<Vec<_>>(), [Change::Resolved, Change::Fired]);
    assert_eq!(house.alerts.history(TimeRange::new(events[1].at, Timestamp::MAX), 10).unwrap(), events[..1]);
    assert_eq!(house.alerts.history(TimeRange::ALL, 1).unwrap(), events[..1]);
}

#[test]
fn pending_and_firing_go_on_after_a_restart_and_are_not_told_again() {
    let mut house = House::new();
    house.alerts.create(waiting_draft("3m")).unwrap();
    house.round(2.0);
    let since = house.alerts.active()[0].1.active_at;
    house.restart();
    house.round(2.0);
    assert_eq!(house.alerts.active()[0].1.active_at, since);
    house.round(2.0);
    house.round(2.0);
    assert_eq!(house.waiting(), once("firing"));
    house.restart();
    house.round(2.0);
    assert_eq!((house.state("level"), house.waiting().len()), (Some(Phase::Firing), 0));
    house.round(0.0);
    assert_eq!(house.waiting(), once("resolved"));
}

#[test]
fn what_was_not_delivered_is_still_there_after_a_restart() {
    let mut house = House::new();
    house.alerts.create(draft("Level", "level > 1")).unwrap();
    house.round(2.0);
    house.restart();
    assert_eq!(house.waiting(), once("firing"));
    house.restart();
    assert_eq!(house.waiting(), []);
}

#[test]
fn after_a_long_stop_pending_begins_anew_and_firing_waits_for_data() {
    let mut house = House::new();
    house.alerts.create(waiting_draft("1m")).unwrap();
    house.alerts.create(RuleDraft { wait: Some("1h".into()), ..draft("Slow", "level > 1") }).unwrap();
    house.round(2.0);
    house.round(2.0);
    assert_eq!((house.state("level"), house.state("slow")), (Some(Phase::Firing), Some(Phase::Pending)));
    house.waiting();
    house.clock.advance(Duration::from_secs(3 * 3600));
    house.restart();
    assert_eq!(house.state("slow"), None);
    // No data yet: nothing is said to be over.
    house.evaluate();
    assert_eq!((house.state("level"), house.waiting().len()), (Some(Phase::Firing), 0));
    house.round(2.0);
    assert_eq!((house.state("slow"), house.waiting().len()), (Some(Phase::Pending), 0));
    house.clock.advance(Duration::from_secs(600));
    house.evaluate();
    assert_eq!((house.state("level"), house.waiting()), (None, once("resolved")), "no data for long: it is over");
}

#[test]
fn a_rule_that_goes_or_is_switched_off_resolves_what_fired() {
    let mut house = House::new();
    let made = house.alerts.create(draft("Level", "level > 1")).unwrap();
    house.round(2.0);
    assert_eq!(house.waiting(), once("firing"));
    house.alerts.update("level", RuleDraft { enabled: Some(false), revision: Some(made.entry.revision), ..draft("Level", "level > 1") }).unwrap();
    assert_eq!((house.state("level"), house.waiting()), (None, once("resolved")));
    house.alerts.update("level", draft("Level", "level > 1")).unwrap();
    house.round(2.0);
    assert_eq!(house.waiting(), once("firing"));
    assert!(house.alerts.delete("level").unwrap().is_none());
    assert_eq!(house.waiting(), once("resolved"));
    assert!(house.handles.catalog.list::<Stored>(DocumentKind::AlertState).unwrap().is_empty());
}

#[test]
fn another_wait_keeps_an_alert_and_another_name_ends_it() {
    let mut house = House::new();
    house.alerts.create(draft("Level", "level > 1")).unwrap();
    house.round(2.0);
    house.waiting();
    house.alerts.update("level", waiting_draft("1h")).unwrap();
    house.round(2.0);
    assert_eq!((house.state("level"), house.waiting().len()), (Some(Phase::Firing), 0));
    house.alerts.update("level", draft("Other", "level > 1")).unwrap();
    assert_eq!(house.waiting(), once("resolved"));
    house.round(2.0);
    assert_eq!(house.waiting(), once("firing"));
}

#[test]
fn default_rules_that_are_switched_off_resolve_at_the_next_start() {
    let mut house = House::with_defaults(true);
    house.alerts.update("default-source-down", RuleDraft { group: Some("host".into()), ..draft("SourceDown", "level > 1") }).unwrap();
    assert_eq!(house.alerts.rule("default-source-down").unwrap().entry.origin, RuleOrigin::Changed);
    house.round(2.0);
    assert_eq!(house.waiting(), once("firing"));
    house.options.default_rules = false;
    house.restart();
    assert_eq!((house.alerts.rules().len(), house.waiting()), (0, once("resolved")));
    let event = house.alerts.history(TimeRange::ALL, 1).unwrap().remove(0);
    assert_eq!((event.name.as_str(), event.severity), ("SourceDown", Severity::Warning));
}

/// A series by name and labels, and how much it grows a second.
type Paced<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// Everything that default rules take for trouble, as a quarter of a minute of it looks like.
fn trouble(house: &mut House, seconds: f64) {
    let series: [Paced<'_>; 12] = [
        ("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], 0.0),
        ("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "steal")], 0.9),
        ("node_pressure_cpu_waiting_seconds_total", &[], 0.95),
        ("node_pressure_io_stalled_seconds_total", &[], 0.9),
        ("node_pressure_memory_stalled_seconds_total", &[], 0.9),
        ("node_vmstat_pswpin", &[], 1000.0),
        ("node_vmstat_pswpout", &[], 1000.0),
        ("node_network_receive_errs_total", &[("device", "eth0")], 50.0),
        ("node_network_receive_packets_total", &[("device", "eth0")], 100.0),
        ("node_network_transmit_errs_total", &[("device", "eth0")], 50.0),
        ("node_network_transmit_packets_total", &[("device", "eth0")], 100.0),
        ("latido_journal_commit_duration_seconds_count", &[], 1.0),
    ];
    let buckets = [("2.5", 0.0), ("5", 1.0), ("+Inf", 1.0)].map(|(le, pace)| ("latido_journal_commit_duration_seconds_bucket", [("le", le)], pace));
    let mut batch = Batch::new(Origin::Pushed);
    let mut push = |name: &str, labels: &[(&str, &str)], pace: f64| {
        let pairs = [("__name__", name), ("instance", "box")].into_iter().chain(labels.iter().copied());
        batch.push(&Labels::from_pairs(pairs).unwrap(), Sample { t: house.now(), v: 1e4 + pace * seconds });
    };
    series.iter().for_each(|(name, labels, pace)| push(name, labels, *pace));
    buckets.iter().for_each(|(name, labels, pace)| push(name, labels, *pace));
    house.writer.append(&[batch]).unwrap();
}

#[test]
fn no_default_rule_takes_the_minutes_after_a_start_for_trouble() {
    let mut house = House::with_defaults(true);
    let alerting = |house: &mut House, minutes: std::ops::Range<i64>| {
        for quarter in minutes.start * 4..minutes.end * 4 {
            house.clock.advance(Duration::from_secs(15));
            trouble(house, quarter as f64 * 15.0);
            house.evaluate();
        }
        let mut names: Vec<String> = house.alerts.active().into_iter().map(|(entry, _)| entry.rule.name).collect();
        names.sort();
        names
    };
    assert_eq!(alerting(&mut house, 0..3), Vec::<String>::new());
    let all = [
        "HostCpuPressure",
        "HostCpuSaturated",
        "HostCpuStolen",
        "HostIoPressure",
        "HostMemoryPressure",
        "HostNetworkReceiveErrors",
        "HostNetworkTransmitErrors",
        "HostSwapping",
        "LatidoJournalSlow",
    ];
    assert_eq!(alerting(&mut house, 3..10), all, "with data enough each is seen");
}

#[test]
fn a_rule_that_cannot_be_evaluated_degrades_alone_and_keeps_its_alerts() {
    let mut house = House::new();
    house.alerts.create(draft("Good", "level > 1")).unwrap();
    house.alerts.create(draft("Broken", "level / on () group_left () {__name__=~\"level|other\"} > 1")).unwrap();
    house.put("other", 1.0);
    house.round(2.0);
    let broken = house.alerts.rule("broken").unwrap();
    assert!(matches!(&broken.health, RuleHealth::Bad(reason) if !reason.is_empty()), "{broken:?}");
    assert_eq!((house.state("good"), house.alerts.rule("good").unwrap().health), (Some(Phase::Firing), RuleHealth::Good));
    let alerts = house.handles.health.overall().components[&Component::Alerts].clone();
    assert_eq!(alerts.health, Health::Degraded);
    assert!(alerts.message.is_some_and(|message| message.contains("\"Broken\"")));
    house.alerts.delete("broken").unwrap();
    house.round(2.0);
    assert_eq!(house.handles.health.overall().components[&Component::Alerts].health, Health::Healthy);
}

#[test]
fn nothing_is_stored_of_a_rule_that_is_refused() {
    let mut house = House::new();
    house.put("level", 1.0);
    for wrong in ["level >", "level[5m]", "nonsense(level)", "label_replace(level, \"a\", \"b\", \"c\", \"(\")"] {
        let error = house.alerts.create(draft("Level", wrong)).unwrap_err();
        assert_eq!(error.field(), Some("expr"), "{wrong}: {error}");
    }
    assert!(house.alerts.rules().is_empty());
    assert!(house.handles.catalog.list::<serde::de::IgnoredAny>(DocumentKind::Rule).is_ok_and(|list| list.is_empty()));
}

#[test]
fn an_idle_rule_writes_nothing() {
    let mut house = House::new();
    house.alerts.create(draft("Level", "level > 1")).unwrap();
    house.round(0.0);
    for key in house.alerts.groups() {
        assert!(house.alerts.evaluate(&key, house.now()).is_empty());
    }
    assert!(house.handles.catalog.list::<Stored>(DocumentKind::AlertState).unwrap().is_empty());
}

#[test]
fn a_storm_is_told_in_pieces_and_a_flood_is_no_alert() {
    let mut house = House::new();
    house.alerts.create(draft("Storm", "storm > 0")).unwrap();
    let storm = |count: usize, house: &mut House| {
        let mut batch = Batch::new(Origin::Pushed);
        for i in 0..count {
            batch.push(&Labels::from_pairs([("__name__", "storm"), ("i", &i.to_string())]).unwrap(), Sample { t: house.now(), v: 1.0 });
        }
        house.writer.append(&[batch]).unwrap();
    };
    storm(250, &mut house);
    house.evaluate();
    assert_eq!(house.waiting().iter().map(|(_, n)| *n).collect::<Vec<_>>(), [100, 100, 50]);
    house.clock.advance(Duration::from_secs(60));
    storm(1001, &mut house);
    house.evaluate();
    assert!(matches!(house.alerts.rule("storm").unwrap().health, RuleHealth::Bad(reason) if reason.contains("1001")));
    assert_eq!(house.alerts.active().len(), 250);
}

#[test]
fn notifications_that_wait_for_long_are_seen_and_given_up_without_an_address() {
    let mut house = House::new();
    house.alerts.create(draft("Level", "level > 1")).unwrap();
    house.round(2.0);
    let health = |house: &House| house.handles.health.overall().components[&Component::Alerts].clone();
    assert_eq!(health(&house).health, Health::Healthy);
    for _ in 0..3 {
        house.round(2.0);
    }
    let message = health(&house).message.unwrap();
    assert!(message.contains("127.0.0.1:1") && !message.contains("hook"), "{message}");
    house.options.webhook = None;
    house.restart();
    assert_eq!((house.alerts.notifications_waiting(), house.waiting().len()), (0, 0));
    house.round(0.0);
    assert_eq!((house.alerts.notifications_waiting(), health(&house).health), (0, Health::Healthy));
}

#[test]
fn history_and_outbox_are_bounded() {
    let house = House::new();
    let alert = Alert { labels: Labels::default(), annotations: Vec::new(), phase: Phase::Firing, active_at: START, fired_at: None, lost_at: None, value: 1.0 };
    let step = Step { fired: vec![alert; 5100], changed: true, ..Step::default() };
    house.alerts.settle("x", None, &step, Timestamp(START.0 + MINUTE)).unwrap();
    assert_eq!(house.alerts.history(TimeRange::ALL, usize::MAX).unwrap().len(), 5000);
    for _ in 0..20 {
        house.alerts.settle("x", None, &step, START).unwrap();
    }
    assert_eq!(house.alerts.0.outbox.len(), 1000);
    assert_eq!(house.handles.own.notifications.with_label_values(&["dropped"]).get(), 51 * 21 - 1000);
}
