//! The queue and what waits in it, without a thread that empties it. Guards against a burst that
//! takes all memory, and against a waiter that nobody answers.

use super::super::limits::tests::options;
use super::*;
use crate::clock::ManualClock;
use crate::model::{Labels, Sample, Timestamp};
use futures_util::FutureExt as _;

const NOW: Timestamp = Timestamp(1_764_000_000_000);

fn intake(queue: usize) -> (Intake, mpsc::Receiver<Order>) {
    let (orders, receiver) = mpsc::channel(queue);
    let own = OwnMetrics::new().unwrap();
    let waiting = Arc::new(AtomicUsize::new(0));
    (Intake { orders, waiting, full: Arc::new(Notify::new()), gate: Arc::default(), options: Arc::new(options()), clock: ManualClock::at(NOW), own }, receiver)
}

fn batch(samples: usize) -> Batch {
    let mut batch = Batch::new(Origin::Pushed);
    let labels = Labels::from_pairs([("__name__", "a")]).unwrap();
    batch.push_series(&labels, (0..samples).map(|_| Sample { t: NOW, v: 1.0 }));
    batch
}

#[test]
fn a_full_queue_says_busy_at_once() {
    let (intake, _receiver) = intake(1);
    let first = intake.submit(batch(1));
    let mut first = Box::pin(first);
    assert!(first.as_mut().now_or_never().is_none(), "it waits for the commit");
    assert!(matches!(intake.submit(batch(1)).now_or_never(), Some(Err(IngestError::Busy))));
    assert_eq!(intake.waiting.load(Ordering::Relaxed), batch(1).weight(), "the refused one is not counted");
}

#[test]
fn one_huge_batch_is_taken_and_the_next_waits_outside() {
    let (intake, _receiver) = intake(8);
    let huge = QUEUE_BYTES / size_of::<Sample>();
    let mut first = Box::pin(intake.submit(batch(huge)));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(matches!(intake.submit(batch(1)).now_or_never(), Some(Err(IngestError::Busy))));
}

#[test]
fn nothing_to_store_is_answered_without_a_commit() {
    let (intake, _receiver) = intake(1);
    let mut late = Batch::new(Origin::Pushed);
    late.push(&Labels::from_pairs([("x", "1")]).unwrap(), Sample { t: NOW, v: 1.0 });
    let report = intake.submit(late).now_or_never().unwrap().unwrap();
    assert_eq!((report.accepted, report.rejected.len()), (0, 1));
}

#[test]
fn each_waiter_hears_the_outcome_with_its_own_positions() {
    let recorded = |n: usize| {
        let (answer, receiver) = oneshot::channel();
        let one = Recording { name: "m".into(), value: Some(1.0), increment: None, labels: std::collections::BTreeMap::new(), timestamp: None };
        (Recorded { recordings: vec![one; n], answer }, receiver)
    };
    let ((a, mut from_a), (b, mut from_b)) = (recorded(2), recorded(3));
    let rejected = vec![Rejection { index: 3, reason: "x".into() }, Rejection { index: 0, reason: "y".into() }];
    answer_each(vec![a, b], rejected, &Ok(Report::default()));
    let (a, b) = (from_a.try_recv().unwrap().unwrap(), from_b.try_recv().unwrap().unwrap());
    assert_eq!((a.accepted, a.rejected[0].index, b.accepted, b.rejected[0].index), (1, 0, 2, 1));
    let (c, mut from_c) = recorded(1);
    answer_each(vec![c], Vec::new(), &Err(IngestError::Busy));
    assert!(matches!(from_c.try_recv(), Ok(Err(IngestError::Busy))));
}

#[test]
fn who_submits_waits_while_too_much_is_unsealed() {
    let gate = Gate::default();
    assert!(gate.opened().now_or_never().is_some());
    gate.set(true);
    let mut waiting = Box::pin(gate.opened());
    assert!(waiting.as_mut().now_or_never().is_none());
    gate.set(false);
    assert!(waiting.now_or_never().is_some());
}
