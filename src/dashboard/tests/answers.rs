//! What is kept never differs from what would be computed now, and frames say what is new.

use serde_json::json;

use super::*;
use crate::dashboard::cache::Grid;
use crate::dashboard::frame::Trail;
use crate::model::Matcher;
use crate::query::{MetricsQuery, Names, Series, Value};
use crate::task::Deadline;

const STEP: Duration = Duration::from_secs(10);

fn grid(from: u64, to: u64) -> Grid {
    Grid { start: START + Duration::from_secs(from), end: START + Duration::from_secs(to), step: STEP }
}

fn computed(house: &House, query: &str, grid: Grid) -> Vec<Series> {
    match house.engine.range(query, grid.start, grid.end, grid.step, &Deadline::never()).unwrap().value {
        Value::Matrix(series) => series,
        other => panic!("{other:?}"),
    }
}

fn kept(house: &House, query: &str, grid: Grid) -> Vec<Series> {
    house.cache.curve(query, grid, &Deadline::never()).unwrap().to_vec()
}

fn look_ups(house: &House, cache: &str) -> (u64, u64) {
    let count = |result: &str| house.own.cache_requests.with_label_values(&[cache, result]).get();
    (count("hit"), count("miss"))
}

#[test]
fn a_kept_curve_goes_on_as_if_it_were_computed_anew() {
    let mut house = House::new();
    let query = "sum_over_time(x[1m])";
    for round in 1..=10 {
        house.fill("x", 3);
        // The last point has no sample yet at every second look.
        let end = 30 * round + 10 * (round % 2);
        let asked = grid(10 * round, end);
        assert_eq!(kept(&house, query, asked), computed(&house, query, asked), "round {round}");
    }
    assert_eq!(look_ups(&house, "charts"), (9, 1));
}

#[test]
fn a_late_sample_changes_what_was_kept() {
    let mut house = House::new();
    house.fill("x", 30);
    let asked = grid(0, 300);
    let before = kept(&house, "x", asked);
    assert_eq!(kept(&house, "x", asked), before);
    house.put("x", START + Duration::from_secs(50), 1e6);
    let after = kept(&house, "x", asked);
    assert_ne!(after, before);
    assert_eq!(after, computed(&house, "x", asked));
}

#[test]
fn a_deletion_takes_what_was_kept_with_it() {
    let mut house = House::new();
    house.fill("x", 30);
    let asked = grid(0, 300);
    assert!(!kept(&house, "x", asked).is_empty());
    let range = crate::model::TimeRange::new(START, house.now());
    house.keeper.delete(&[vec![Matcher::metric("x")]], range, &Deadline::never()).unwrap();
    assert!(kept(&house, "x", asked).is_empty());
}

#[test]
fn what_looks_ahead_is_never_kept() {
    let mut house = House::new();
    house.fill("x", 10);
    for _ in 0..2 {
        kept(&house, "x @ end()", grid(0, 100));
    }
    assert_eq!(look_ups(&house, "charts"), (0, 0));
}

struct NoNames;

impl Names for NoNames {
    fn of_category(&self, _: crate::model::Category) -> Vec<String> {
        Vec::new()
    }
    fn is_histogram(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn an_aggregation_is_kept_until_its_range_is_written_to() {
    let mut house = House::new();
    house.fill("x", 30);
    let query = MetricsQuery {
        metrics: vec!["x".into()],
        matchers: Vec::new(),
        category: None,
        start: START,
        end: START + Duration::from_secs(200),
        step: Some(STEP),
        aggregation: None,
        group_by: None,
        tier: None,
        limit: None,
    };
    let ask = |house: &House| house.cache.metrics(&query, &NoNames, &Deadline::never()).unwrap().series.clone();
    let first = ask(&house);
    house.fill("x", 1);
    assert_eq!(ask(&house), first);
    assert_eq!(look_ups(&house, "aggregations"), (1, 1));
    house.put("x", START + Duration::from_secs(100), 1e6);
    assert_ne!(ask(&house), first);
    assert_eq!(look_ups(&house, "aggregations"), (1, 2));
}

fn dashboard(panels: &[(&str, &str, serde_json::Value)]) -> Dashboard {
    draft("d", panels).checked(str::to_owned).unwrap()
}

fn shown(frame: &Frame, panel: &str) -> Vec<(i64, f64)> {
    frame.panels.get(panel).into_iter().flat_map(|data| &data.series).flat_map(|series| &series.points).map(|(t, v)| ((t.0 - START.0) / 1000, *v)).collect()
}

#[test]
fn a_snapshot_holds_the_range_and_updates_only_what_is_newer() {
    let mut house = House::new();
    let board = dashboard(&[("line", "x", json!({})), ("gauge", "x", json!({})), ("bar", "x", json!({}))]);
    // Old enough that steps are those of the whole range.
    house.put("old", START - HOUR, 0.0);
    house.fill("x", 7);
    let t = START + Duration::from_secs(73);
    let snapshot = house.frames.snapshot(&board, t, &Deadline::never());
    assert_eq!(shown(&snapshot, "p0"), [(10, 0.0), (20, 1.0), (30, 2.0), (40, 3.0), (50, 4.0), (60, 5.0), (70, 6.0), (73, 6.0)]);
    assert_eq!(shown(&snapshot, "p1"), [(73, 6.0)]);
    // Bars are whole minutes: 1_764_000_000 is one.
    assert_eq!(shown(&snapshot, "p2"), [(60, 5.0)]);
    let mut trail = Trail::after(t);
    for second in 74..=121u64 {
        house.put("x", START + Duration::from_secs(second), second as f64);
        let frame = house.frames.update(&board, &mut trail, START + Duration::from_secs(second), &Deadline::never());
        assert_eq!(shown(&frame, "p0"), [(second as i64, second as f64)]);
        assert_eq!(shown(&frame, "p1"), [(second as i64, second as f64)]);
        let bars = if second == 120 { vec![(120, 120.0)] } else { Vec::new() };
        assert_eq!(shown(&frame, "p2"), bars, "{second}");
    }
}

#[test]
fn young_data_is_shown_in_steps_that_suit_its_age() {
    let mut house = House::new();
    let board = dashboard(&[("line", "x", json!({})), ("bar", "x", json!({})), ("heatmap", "x", json!({}))]);
    for second in 1..=12 {
        house.put("x", START + Duration::from_secs(second), second as f64);
    }
    let t = START + Duration::from_secs(12);
    let every_second: Vec<(i64, f64)> = (1..=12).map(|second| (second, second as f64)).collect();
    let window = Window { start: t - HOUR, end: t, step: None };
    let (snapshot, data) = (house.frames.snapshot(&board, t, &Deadline::never()), house.frames.data(&board, None, window, &Deadline::never()).unwrap());
    for panel in ["p0", "p1", "p2"] {
        assert_eq!((shown(&snapshot, panel), snapshot.panels[panel].step), (every_second.clone(), Some(1000)), "{panel}");
        assert_eq!(data.panels[panel], snapshot.panels[panel]);
    }
    let mut trail = Trail::after(t);
    house.put("x", START + Duration::from_secs(13), 13.0);
    let update = house.frames.update(&board, &mut trail, START + Duration::from_secs(13), &Deadline::never());
    assert_eq!((shown(&update, "p1"), update.panels["p1"].step), (vec![(13, 13.0)], Some(1000)));
    // After ten minutes a bar is ten seconds, and the page is told.
    let later = house.frames.snapshot(&board, START + Duration::from_secs(600), &Deadline::never());
    assert_eq!(later.panels["p1"].step, Some(10_000));
    // Who says when it starts and nothing of steps sees the same.
    let short = Window { start: START, ..window };
    assert_eq!(house.frames.data(&board, None, short, &Deadline::never()).unwrap(), data);
    let asked = Window { step: Some(Duration::from_secs(60)), ..window };
    assert_eq!(house.frames.data(&board, None, asked, &Deadline::never()).unwrap().panels["p0"].step, Some(60_000));
}

#[test]
fn an_empty_panel_says_which_metric_it_waits_for() {
    let mut house = House::new();
    house.fill("x", 1);
    let board =
        dashboard(&[("line", "rate(rag_search_duration_seconds_bucket[5m]) + x + nosuch", json!({})), ("gauge", "avg(user_satisfaction_ratio)", json!({}))]);
    let frame = house.frames.snapshot(&board, house.now(), &Deadline::never());
    let of = |panel: &str| frame.panels[panel].missing.iter().map(|m| (m.name.as_str(), m.kind, m.known)).collect::<Vec<_>>();
    assert_eq!(frame.panels["p0"].state, PanelState::Empty);
    assert_eq!(of("p0"), [("nosuch", "gauge", false), ("rag_search_duration_seconds", "histogram", true)]);
    // Its pack is off.
    assert_eq!(of("p1"), [("user_satisfaction_ratio", "gauge", false)]);
    assert!(frame.panels["p1"].message.as_ref().unwrap().contains("business_metrics"));
}

#[test]
fn one_failing_panel_leaves_the_others_alone_and_is_said_once() {
    let mut house = House::new();
    house.fill("x", 3);
    let board = dashboard(&[("line", "x", json!({})), ("line", "x + on() group_left() label_replace(x, \"a\", \"b\", \"c\", \"(\")", json!({}))]);
    let t = house.now();
    let frame = house.frames.snapshot(&board, t, &Deadline::never());
    assert_eq!((frame.panels["p0"].state, frame.panels["p1"].state), (PanelState::Ok, PanelState::Error));
    let mut trail = Trail::after(t);
    let said: Vec<bool> = (1..=3u64)
        .map(|second| house.frames.update(&board, &mut trail, t + Duration::from_secs(second), &Deadline::never()).panels.contains_key("p1"))
        .collect();
    assert_eq!(said, [true, false, false]);
}

#[test]
fn a_panel_that_falls_silent_says_so_once() {
    let mut house = House::new();
    house.fill("x", 1);
    let board = dashboard(&[("gauge", "x", json!({}))]);
    let t = house.now();
    let mut trail = Trail::after(t);
    let states: Vec<Option<PanelState>> = [1, 400, 401]
        .map(|seconds| house.frames.update(&board, &mut trail, t + Duration::from_secs(seconds), &Deadline::never()).panels.get("p0").map(|data| data.state))
        .to_vec();
    assert_eq!(states, [Some(PanelState::Ok), Some(PanelState::Empty), None]);
}

#[test]
fn no_more_series_are_shown_than_anybody_tells_apart() {
    let mut house = House::new();
    let mut batch = Batch::new(Came::Pushed);
    for n in 0..250 {
        batch.push(&Labels::from_pairs([("__name__", "many"), ("n", n.to_string().as_str())]).unwrap(), Sample { t: START, v: 1.0 });
    }
    house.writer.append(&[batch]).unwrap();
    let board = dashboard(&[("pie", "many", json!({}))]);
    let data = &house.frames.snapshot(&board, START, &Deadline::never()).panels["p0"];
    assert_eq!(data.series.len(), 200);
    assert!(data.message.as_ref().unwrap().contains("200 of 250"));
}

#[test]
fn a_step_that_was_asked_for_counts_from_the_start() {
    let mut house = House::new();
    house.fill("x", 10);
    let board = dashboard(&[("line", "x", json!({}))]);
    let window = Window { start: START + Duration::from_secs(13), end: START + Duration::from_secs(60), step: Some(Duration::from_secs(15)) };
    let frame = house.frames.data(&board, None, window, &Deadline::never()).unwrap();
    assert_eq!(shown(&frame, "p0"), [(13, 0.0), (28, 1.0), (43, 3.0), (58, 4.0)]);
    let unknown = house.frames.data(&board, Some(&["nosuch".to_owned()]), window, &Deadline::never()).unwrap_err();
    assert!(unknown.to_string().contains("nosuch"), "{unknown}");
}
