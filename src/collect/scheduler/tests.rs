//! Rounds over injected sources and an injected sink: a source that hangs, panics, fails or prints
//! garbage must cost nobody else anything, and must heal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::*;
use crate::clock::ManualClock;
use crate::collect::plugin::Plugin;
use crate::collect::{CollectError, PluginOptions, When};
use crate::model::{Labels, is_stale};
use crate::telemetry::{Component, Health};

#[derive(Clone, Default)]
struct Kept {
    batches: Arc<Mutex<Vec<Batch>>>,
    learned: Arc<Mutex<Vec<String>>>,
    full: Arc<AtomicUsize>,
    came: Arc<tokio::sync::Notify>,
}

impl Sink for Kept {
    async fn submit(&self, batch: Batch) -> Result<(), String> {
        if self.full.load(Ordering::SeqCst) > 0 {
            return Err("the disk is full".to_owned());
        }
        self.batches.lock().unwrap().push(batch);
        self.came.notify_one();
        Ok(())
    }
    async fn learn(&self, metadata: Vec<(String, MetricMeta)>) -> Result<(), String> {
        self.learned.lock().unwrap().extend(metadata.into_iter().map(|(name, _)| name));
        Ok(())
    }
}

impl Kept {
    /// The newest batch: name, value of its `source` label or empty, value.
    fn newest(&self) -> Vec<(String, String, f64)> {
        let batches = self.batches.lock().unwrap();
        let series = batches.last().unwrap().series().map(|s| (Labels::from_canonical(s.labels).unwrap(), s.samples[0].v));
        series.map(|(labels, v)| (labels.metric_name().to_owned(), labels.get("source").unwrap_or("").to_owned(), v)).collect()
    }
    fn value(&self, name: &str, source: &str) -> Option<f64> {
        self.newest().into_iter().find(|(n, s, _)| n == name && s == source).map(|(_, _, v)| v)
    }
}

/// A source made of a closure.
struct Made<F>(&'static str, F);
impl<F: FnMut(&mut Gathered) -> Result<(), CollectError> + Send> Source for Made<F> {
    fn name(&self) -> &str {
        self.0
    }
    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        (self.1)(out)
    }
}

fn good() -> Box<dyn Source> {
    Box::new(Made("good", |out: &mut Gathered| {
        out.gauge("good_value", "Good.").put(&[], 1.0);
        Ok(())
    }))
}

struct Bench {
    scheduler: Scheduler<Kept>,
    kept: Kept,
    clock: Arc<ManualClock>,
    health: HealthBoard,
    ledger: Ledger,
}

impl Bench {
    fn new(sources: Vec<Box<dyn Source>>, deadline: Duration) -> Self {
        let (kept, clock) = (Kept::default(), ManualClock::at(Timestamp(1_000_000)));
        let (health, ledger) = (HealthBoard::default(), Ledger::default());
        let own = OwnMetrics::new().unwrap();
        let instance = "host".to_owned();
        let around = Around { sink: kept.clone(), clock: clock.clone(), own, health: health.clone(), ledger: ledger.clone(), instance };
        Self { scheduler: Scheduler::new(around, sources, deadline), kept, clock, health, ledger }
    }
    async fn round(&mut self) {
        self.clock.advance(Duration::from_secs(5));
        self.scheduler.round().await;
    }
    fn health(&self) -> Health {
        self.health.overall().components[&Component::Collector].health
    }
}

const LONG: Duration = Duration::from_secs(30);

/// Fails in the way that `fail` does at its second call, and is well otherwise.
async fn fails_once_and_heals(fail: fn() -> CollectError) -> Bench {
    let mut calls = 0;
    let bad = Made("bad", move |out: &mut Gathered| {
        calls += 1;
        out.gauge("bad_value", "Bad.").put(&[], f64::from(calls));
        if calls == 2 { Err(fail()) } else { Ok(()) }
    });
    let mut bench = Bench::new(vec![Box::new(bad), good()], LONG);
    bench.round().await;
    assert_eq!((bench.kept.value("up", "bad"), bench.health()), (Some(1.0), Health::Healthy));
    bench.round().await;
    assert_eq!((bench.kept.value("up", "bad"), bench.kept.value("up", "good")), (Some(0.0), Some(1.0)));
    assert_eq!(bench.kept.value("good_value", ""), Some(1.0));
    assert!(is_stale(bench.kept.value("bad_value", "").unwrap()));
    assert_eq!(bench.health(), Health::Degraded);
    bench.round().await;
    assert_eq!((bench.kept.value("up", "bad"), bench.kept.value("bad_value", "")), (Some(1.0), Some(3.0)));
    assert_eq!(bench.health(), Health::Healthy);
    bench
}

#[tokio::test]
async fn a_source_that_errors_fails_alone_and_heals() {
    let bench = fails_once_and_heals(|| CollectError::malformed("x", "y")).await;
    let stats = bench.ledger.stats();
    assert_eq!((stats.runs, stats.failures, stats.sources["bad"].runs, stats.sources["bad"].failures), (3, 1, 3, 1));
    assert_eq!(stats.sources["bad"].last_error.as_deref(), Some("x is not as expected: y"));
    assert_eq!(stats.sources["good"].failures, 0);
}

#[tokio::test]
async fn a_source_that_panics_fails_alone_and_heals() {
    let bench = fails_once_and_heals(|| panic!("on purpose")).await;
    assert!(bench.ledger.stats().sources["bad"].last_error.as_deref().unwrap().contains("on purpose"));
}

#[tokio::test]
async fn a_source_that_hangs_is_left_behind_not_started_again_and_heals() {
    let (free, held): (Sender<()>, Receiver<()>) = channel();
    let (tell, told) = channel();
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = starts.clone();
    let held = Mutex::new(held);
    let hanging = Made("hanging", move |out: &mut Gathered| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            held.lock().unwrap().recv().unwrap();
            tell.send(()).unwrap();
        }
        out.gauge("hung_value", "").put(&[], 1.0);
        Ok(())
    });
    let mut bench = Bench::new(vec![Box::new(hanging), good()], Duration::from_millis(200));
    bench.round().await;
    assert_eq!((bench.kept.value("up", "hanging"), bench.kept.value("good_value", "")), (Some(0.0), Some(1.0)));
    bench.round().await;
    assert_eq!((bench.kept.value("up", "hanging"), starts.load(Ordering::SeqCst)), (Some(0.0), 1));
    assert!(bench.kept.value("good_value", "").is_some());
    free.send(()).unwrap();
    told.recv().unwrap();
    for _ in 0..100 {
        bench.round().await;
        if bench.kept.value("up", "hanging") == Some(1.0) {
            break;
        }
    }
    assert_eq!((bench.kept.value("up", "hanging"), bench.kept.value("hung_value", "")), (Some(1.0), Some(1.0)));
    assert_eq!(bench.health(), Health::Healthy);
}

#[tokio::test]
async fn a_plug_in_that_prints_garbage_fails_alone_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let print = |text: &str| std::fs::write(&file, text).unwrap();
    print("q 1\n\u{1}garbage\n");
    let command = vec!["cat".to_owned(), file.display().to_string()];
    let options = PluginOptions { name: "queue".to_owned(), command, when: When::Every(Duration::from_secs(5)), timeout: LONG };
    let (_trigger, stop) = Stop::new();
    let mut bench = Bench::new(vec![Box::new(Plugin::new(options, stop)), good()], LONG);
    // A plug-in joins the round in which it is back, which on a busy machine is not the first.
    let until = async |bench: &mut Bench, up: f64| {
        for _ in 0..1000 {
            bench.round().await;
            if bench.kept.value("up", "queue") == Some(up) {
                return;
            }
        }
        panic!("up never became {up}");
    };
    until(&mut bench, 0.0).await;
    assert!(bench.ledger.stats().sources["queue"].last_error.as_deref().unwrap().contains("line 2"));
    assert_eq!((bench.kept.value("q", ""), bench.kept.value("good_value", "")), (None, Some(1.0)));
    print("# TYPE q counter\nq 7\n");
    until(&mut bench, 1.0).await;
    assert_eq!(bench.kept.value("q", ""), Some(7.0));
    assert!(bench.kept.learned.lock().unwrap().contains(&"q".to_owned()));
}

#[tokio::test]
async fn all_samples_of_a_round_carry_its_one_time_in_one_batch() {
    let other = Made("other", |out: &mut Gathered| {
        out.counter("a_total", "").put(&[], 1.0).put(&[("x", "1")], 2.0);
        Ok(())
    });
    let mut bench = Bench::new(vec![good(), Box::new(other)], LONG);
    bench.round().await;
    bench.round().await;
    let batches = bench.kept.batches.lock().unwrap();
    assert_eq!(batches.len(), 2);
    for (batch, t) in batches.iter().zip([1_005_000, 1_010_000]) {
        assert_eq!(batch.sample_count(), 5);
        assert!(batch.samples().iter().all(|sample| sample.t == Timestamp(t)));
    }
    // Each name once.
    assert_eq!(*bench.kept.learned.lock().unwrap(), ["good_value", "a_total"]);
}

#[tokio::test]
async fn a_round_that_cannot_be_stored_is_seen_and_the_next_goes_on() {
    let mut bench = Bench::new(vec![good()], LONG);
    bench.kept.full.store(1, Ordering::SeqCst);
    bench.round().await;
    assert_eq!((bench.health(), bench.ledger.stats().failures), (Health::Unhealthy, 1));
    bench.kept.full.store(0, Ordering::SeqCst);
    bench.round().await;
    assert_eq!((bench.health(), bench.kept.value("good_value", "")), (Health::Healthy, Some(1.0)));
}

#[tokio::test]
async fn rounds_go_on_until_stop_is_said() {
    let bench = Bench::new(vec![good()], LONG);
    let (trigger, stop) = Stop::new();
    let kept = bench.kept.clone();
    let beat = beat();
    let running = bench.scheduler.run(Duration::from_millis(1), &beat, stop);
    let watching = async {
        while kept.batches.lock().unwrap().len() < 4 {
            kept.came.notified().await;
        }
        trigger.stop();
    };
    tokio::join!(running, watching);
    let batches = kept.batches.lock().unwrap();
    let times: Vec<Timestamp> = batches.iter().map(|batch| batch.samples()[0].t).collect();
    assert!(times.windows(2).all(|pair| pair[0] != pair[1]), "{times:?}");
}

#[test]
fn rounds_lie_on_multiples_of_the_interval() {
    let every = Duration::from_secs(5);
    assert_eq!(until_next(Timestamp(12_300), every), Duration::from_millis(2_700));
    assert_eq!(until_next(Timestamp(15_000), every), every);
    assert_eq!(until_next(Timestamp(14_999), every), Duration::from_millis(1));
}

fn beat() -> Beat {
    Beat { pace: Arc::new(watch::Sender::new(None)), stored: Arc::new(watch::Sender::new(Timestamp::MIN)) }
}

#[tokio::test]
async fn rounds_follow_the_pace_that_is_wished_for_and_go_back() {
    let bench = Bench::new(vec![good()], LONG);
    let (trigger, stop) = Stop::new();
    let (beat, kept) = (beat(), bench.kept.clone());
    let mut stored = beat.stored.subscribe();
    let watched = async {
        // The first and the second round come by themselves; at an hour's interval no third would.
        kept.came.notified().await;
        beat.pace.send_replace(Some(Duration::from_millis(1)));
        for _ in 0..5 {
            kept.came.notified().await;
        }
        stored.wait_for(|t| *t > Timestamp::MIN).await.unwrap();
        beat.pace.send_replace(None);
        trigger.stop();
    };
    tokio::join!(bench.scheduler.run(Duration::from_secs(3600), &beat, stop), watched);
    assert!(kept.batches.lock().unwrap().len() >= 6);
}

#[test]
fn a_round_that_a_timer_woke_has_the_round_time() {
    let second = Duration::from_secs(1);
    assert_eq!(aligned(Timestamp(5_003), second), Timestamp(5_000));
    assert_eq!(aligned(Timestamp(5_000), second), Timestamp(5_000));
    assert_eq!(aligned(Timestamp(5_021), second), Timestamp(5_021));
    assert_eq!(aligned(Timestamp(4_999), second), Timestamp(4_999));
}
