//! Viewers share one task; each gets a snapshot first, then updates without a gap, or a snapshot again.

use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::dashboard::tests::{House, draft};
use crate::task::StopTrigger;

/// Collection as the hub sees it.
struct Collected {
    pace: watch::Sender<Option<Duration>>,
    stored: watch::Sender<Timestamp>,
}

impl Watched for Collected {
    fn pace(&self, pace: Option<Duration>) {
        self.pace.send_replace(pace);
    }
    fn stored(&self) -> watch::Receiver<Timestamp> {
        self.stored.subscribe()
    }
}

const INTERVAL: Duration = Duration::from_millis(20);

fn hub() -> (Hub, Arc<Collected>, StopTrigger) {
    let house = House::new();
    let (trigger, stop) = Stop::new();
    let watched = Arc::new(Collected { pace: watch::Sender::new(None), stored: watch::Sender::new(Timestamp::MAX) });
    let book = house.book();
    book.create(draft("d", &[("line", "vector(1)", json!({}))])).unwrap();
    let around = Around {
        book,
        frames: house.frames.clone(),
        pool: Pool::new(2, 64),
        clock: Arc::new(SystemClock),
        own: house.own.clone(),
        watched: watched.clone(),
        stop,
        runtime: Handle::current(),
        interval: INTERVAL,
    };
    (Hub::new(around), watched, trigger)
}

fn everybody(_: &Dashboard) -> bool {
    true
}

async fn frame(viewer: &mut Viewer) -> (String, i64) {
    match viewer.next().await {
        Shown::Frame(text) => {
            let value: Value = serde_json::from_slice(&text).unwrap();
            (value["type"].as_str().unwrap().to_owned(), value["t"].as_i64().unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_updates_follow_without_a_gap() {
    let (hub, watched, _stop) = hub();
    let mut viewer = hub.watch("d", everybody);
    assert_eq!(*watched.pace.borrow(), Some(INTERVAL));
    let (kind, mut before) = frame(&mut viewer).await;
    assert_eq!(kind, "snapshot");
    for _ in 0..5 {
        let (kind, t) = frame(&mut viewer).await;
        // A busy machine leaves ticks out, and the next update holds what they would have.
        assert!(kind == "update" && t % 20 == 0 && t > before, "{kind} at {t} after {before}");
        before = t;
    }
}

#[tokio::test]
async fn all_viewers_are_handed_the_same_bytes() {
    let (hub, _, _stop) = hub();
    let (mut one, mut other) = (hub.watch("d", everybody), hub.watch("d", everybody));
    assert_eq!(hub.channels().len(), 1);
    frame(&mut one).await;
    frame(&mut other).await;
    let mut seen = HashMap::new();
    for viewer in [&mut one, &mut other] {
        for _ in 0..3 {
            let Shown::Frame(text) = viewer.next().await else { panic!("a frame") };
            seen.entry(text.as_ptr()).and_modify(|n| *n += 1).or_insert(1);
        }
    }
    assert!(seen.values().any(|n| *n == 2), "{seen:?}");
}

#[tokio::test]
async fn who_missed_frames_gets_a_snapshot_next() {
    let (hub, _, _stop) = hub();
    let (mut slow, mut quick) = (hub.watch("d", everybody), hub.watch("d", everybody));
    frame(&mut slow).await;
    frame(&mut quick).await;
    // More frames than the ring holds pass while the slow one takes none.
    for _ in 0..RING + 3 {
        frame(&mut quick).await;
    }
    let (kind, t) = frame(&mut slow).await;
    assert_eq!(kind, "snapshot");
    let (kind, next) = frame(&mut slow).await;
    assert!(kind == "update" && next > t, "{kind} at {next} after {t}");
    assert!(hub.0.around.own.dashboard_frames.with_label_values(&["skipped"]).get() >= 3);
}

#[tokio::test]
async fn a_change_of_the_document_is_shown_to_all_and_its_end_as_well() {
    let (hub, _, _stop) = hub();
    let mut viewer = hub.watch("d", everybody);
    frame(&mut viewer).await;
    let book = hub.0.around.book.clone();
    let mut changed = json!({"title": "New", "panels": [], "revision": 1});
    changed["panels"] = json!([{"id": "other", "title": "P", "type": "gauge", "query": "vector(2)", "x": 0, "y": 0, "w": 3, "h": 2}]);
    book.update("d", crate::dashboard::Draft::from_json(changed.to_string().as_bytes()).unwrap()).unwrap();
    loop {
        let Shown::Frame(text) = viewer.next().await else { panic!("a frame") };
        let value: Value = serde_json::from_slice(&text).unwrap();
        if value["type"] == "snapshot" {
            assert!(value["revision"] == 2 && value["panels"]["other"].is_object(), "{value}");
            break;
        }
    }
    book.delete("d").unwrap();
    while viewer.next().await != Shown::Gone {}
    assert!(hub.channels().is_empty());
}

#[tokio::test]
async fn a_tick_waits_for_its_round_but_not_for_long() {
    let (hub, watched, _stop) = hub();
    watched.stored.send_replace(Timestamp::MIN);
    let mut viewer = hub.watch("d", everybody);
    frame(&mut viewer).await;
    assert_eq!(frame(&mut viewer).await.0, "update");
}

#[tokio::test]
async fn with_nobody_left_the_task_ends_and_collection_slows_down() {
    let (hub, watched, _stop) = hub();
    let mut pace = watched.pace.subscribe();
    drop(hub.watch("d", everybody));
    pace.wait_for(Option::is_none).await.unwrap();
    assert!(hub.channels().is_empty());
}

#[tokio::test]
async fn a_dashboard_that_does_not_exist_is_gone_at_once() {
    let (hub, _, _stop) = hub();
    assert_eq!(hub.watch("nosuch", everybody).next().await, Shown::Gone);
}

#[tokio::test]
async fn nothing_is_shown_once_the_access_was_taken_away() {
    let (hub, _watched, _stop) = hub();
    let open = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let asked = open.clone();
    let mut viewer = hub.watch("d", move |_| asked.load(Ordering::Relaxed));
    let mut other = hub.watch("d", everybody);
    assert_eq!(frame(&mut viewer).await.0, "snapshot");
    open.store(false, Ordering::Relaxed);
    assert_eq!(viewer.next().await, Shown::Denied);
    assert_eq!(frame(&mut other).await.0, "snapshot", "others are not concerned");
}
