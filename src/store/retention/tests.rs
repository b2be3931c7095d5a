//! Rules of retention against the count of everything that was ever sent: whatever is kept shorter or
//! longer, and however the rules change between starts, a sample is answered once, by some tier.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::clock::ManualClock;
use crate::model::{Batch, Exemplar, ExemplarRow, Matcher, Origin, Tier, TimeRange, Timestamp};
use crate::store::tests::{HOUR, MINUTE, START, batch, labels, options, raw, read, totals};
use crate::store::{Keep, Opened, Options, Place, RetentionRule, Selection, open};
use crate::task::Deadline;

fn hours(n: u64) -> Keep {
    Keep::For(Duration::from_secs(3600 * n))
}

fn rule(name: &str, keeps: [Keep; 3]) -> RetentionRule {
    RetentionRule { matchers: vec![Matcher::metric(name)], keeps }
}

fn with(place: &Place, rules: Vec<RetentionRule>) -> Options {
    Options { rules, ..options(place.clone()) }
}

fn oldest(opened: &Opened, name: &str) -> i64 {
    raw(&opened.reader)[name].keys().next().copied().unwrap()
}

/// A sample a minute of each series for `length` hours, maintained as a daemon does.
fn live(opened: &mut Opened, clock: &Arc<ManualClock>, names: &[&str], length: i64) {
    let from = crate::clock::Clock::now(clock.as_ref()).0;
    for minute in 0..length * 60 {
        let t = from + minute * MINUTE;
        clock.set(Timestamp(t));
        opened.writer.append(&[batch(&names.iter().map(|name| (*name, t, 1.0)).collect::<Vec<_>>())]).unwrap();
        if minute % 10 == 0 {
            opened.keeper.maintain(&Deadline::never()).unwrap();
            opened.writer.cut().unwrap();
        }
    }
    clock.set(Timestamp(from + length * HOUR));
}

#[test]
fn a_rule_keeps_its_series_shorter_or_longer_than_the_tier() {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::Disk(directory.path().into());
    let rules = vec![rule("short", [hours(1), Keep::AsTier, Keep::AsTier]), rule("long", [hours(12), Keep::AsTier, Keep::AsTier])];
    let clock = ManualClock::at(Timestamp(START));
    let mut opened = open(with(&place, rules.clone()), clock.clone()).unwrap();
    live(&mut opened, &clock, &["short", "long", "plain"], 20);
    for _ in 0..10 {
        opened.keeper.maintain(&Deadline::never()).unwrap();
    }
    let now = START + 20 * HOUR;
    let check = |opened: &Opened| {
        for (name, age) in [("short", 1), ("plain", 4), ("long", 12)] {
            let kept = now - oldest(opened, name);
            assert!(kept >= age * HOUR - MINUTE && kept <= age * HOUR + 2 * HOUR, "{name} is kept raw for {} minutes", kept / MINUTE);
            assert_eq!(totals(&opened.reader, name), (1200, 1200.0), "{name}: nothing is missing, nothing is there twice");
        }
    };
    check(&opened);
    let mine = |tier| opened.reader.stats().tiers[tier as usize].samples;
    let expected = raw(&opened.reader).values().map(|samples| samples.len() as u64).sum::<u64>();
    // Late windows wait ten minutes, and a window is half an hour.
    assert!(mine(Tier::Raw) <= expected + 3 * 60, "{} rows lie in raw, {expected} are read", mine(Tier::Raw));
    drop(opened);
    let opened = open(with(&place, rules), clock).unwrap();
    check(&opened);
}

#[test]
fn the_first_rule_that_matches_counts_and_off_leaves_a_tier_out() {
    let clock = ManualClock::at(Timestamp(START));
    let rules = vec![
        rule("a", [hours(1), Keep::Nothing, Keep::Nothing]),
        RetentionRule { matchers: vec![Matcher::equal("job", "test")], keeps: [hours(2), Keep::Nothing, Keep::AsTier] },
    ];
    let mut opened = open(with(&Place::Memory, rules), clock.clone()).unwrap();
    live(&mut opened, &clock, &["a", "b"], 60);
    opened.keeper.settle(&Deadline::never()).unwrap();
    let now = START + 60 * HOUR;
    assert!(now - oldest(&opened, "a") <= 2 * HOUR && now - oldest(&opened, "b") <= 3 * HOUR);
    assert!(totals(&opened.reader, "a").0 < 3 * 60, "a has no other tier");
    assert_eq!(totals(&opened.reader, "b").0, 3600);
    let tiers: Vec<Tier> = read(&opened.reader, Matcher::metric("b"), None)[0].segments.iter().map(crate::model::Segment::tier).collect();
    assert!(tiers.contains(&Tier::Summary), "{tiers:?}");
    // Names and series of what is past are not told either.
    let early = TimeRange::new(Timestamp(START), Timestamp(START + HOUR));
    let never = Deadline::never();
    assert_eq!(opened.reader.label_values("__name__", &[], early, &never).unwrap(), ["b"]);
    assert_eq!(opened.reader.series(&[vec![Matcher::equal("job", "test")]], early, &never).unwrap().len(), 1);
}

#[test]
fn a_tier_that_is_switched_off_goes_with_the_age_that_it_had() {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::Disk(directory.path().into());
    let clock = ManualClock::at(Timestamp(START));
    let mut opened = open(options(place.clone()), clock.clone()).unwrap();
    live(&mut opened, &clock, &["a"], 8);
    opened.keeper.settle(&Deadline::never()).unwrap();
    drop(opened);
    let without = Options { summary: None, ..options(place.clone()) };
    let files = || std::fs::read_dir(directory.path().join("summary")).unwrap().count();
    let opened = open(without.clone(), clock.clone()).unwrap();
    opened.keeper.settle(&Deadline::never()).unwrap();
    assert!(files() > 0, "they are not past yet");
    // Summary kept 2000 hours, in windows of thirty days.
    clock.set(Timestamp(START + 2900 * HOUR));
    opened.keeper.settle(&Deadline::never()).unwrap();
    drop(opened);
    assert_eq!(files(), 0);
    let opened = open(options(place), clock).unwrap();
    let selection = Selection { matchers: vec![Matcher::metric("a")], range: TimeRange::ALL, tier: Some(Tier::Summary) };
    assert!(opened.reader.select(&selection, &Deadline::never()).unwrap().is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, i64)>),
    Advance(i64),
    Maintain,
    Settle,
    Rules(Vec<RetentionRule>),
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn step() -> impl Strategy<Value = Step> {
    let age = prop_oneof![Just(Keep::AsTier), (1u64..12).prop_map(hours)];
    let rolled = prop_oneof![4 => Just(Keep::AsTier), 1 => Just(Keep::Nothing), 1 => (10u64..60).prop_map(hours)];
    // The last tier keeps everything, so that all must be answered for ever.
    let rule = (0usize..3, age, rolled).prop_map(|(name, raw, aggregated)| rule(NAMES[name], [raw, aggregated, Keep::AsTier]));
    prop_oneof![
        8 => prop::collection::vec((0usize..4, 0i64..1000), 1..12).prop_map(Step::Append),
        4 => (1i64..180).prop_map(|m| Step::Advance(m * MINUTE)),
        4 => Just(Step::Maintain),
        2 => Just(Step::Settle),
        2 => prop::collection::vec(rule, 0..3).prop_map(Step::Rules),
    ]
}

/// Takes the steps, and says after which of them something is missing or there twice.
fn walk(steps: &[Step]) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::Disk(directory.path().into());
    let clock = ManualClock::at(Timestamp(START));
    let mut opened = Some(open(options(place.clone()), clock.clone()).unwrap());
    let mut sent: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unique = 0;
    for (number, step) in steps.iter().enumerate() {
        let now = crate::clock::Clock::now(clock.as_ref()).0;
        let store = opened.as_mut().unwrap();
        match step {
            Step::Append(rows) => {
                // Up to sixteen hours late, and never the same time twice.
                let row = |(name, minutes): &(usize, i64)| {
                    unique += 1;
                    (NAMES[*name], now - minutes * MINUTE - unique, 1.0)
                };
                let rows: Vec<(&str, i64, f64)> = rows.iter().map(row).collect();
                let taken = store.writer.append(&[batch(&rows)]).unwrap();
                prop_assert_eq!(taken[0].accepted, rows.len());
                rows.iter().for_each(|(name, ..)| *sent.entry(name).or_default() += 1);
            }
            Step::Advance(by) => clock.advance(Duration::from_millis(*by as u64)),
            Step::Maintain => {
                store.keeper.maintain(&Deadline::never()).unwrap();
                store.writer.cut().unwrap();
            }
            Step::Settle => {
                store.keeper.settle(&Deadline::never()).unwrap();
            }
            Step::Rules(rules) => {
                drop(opened.take());
                opened = Some(open(with(&place, rules.clone()), clock.clone()).unwrap());
            }
        }
        for (name, count) in &sent {
            prop_assert_eq!(totals(&opened.as_ref().unwrap().reader, name).0, *count, "{} after step {}: {:?}", name, number, step);
        }
    }
    Ok(())
}

#[test]
fn late_samples_in_a_window_that_is_past_for_another_series_are_answered_once() {
    for rolled in 0..2 {
        let mut steps = vec![
            Step::Advance(42 * MINUTE),
            Step::Rules(vec![rule("a", [hours(5), Keep::AsTier, Keep::AsTier])]),
            Step::Append(vec![(1, 162)]),
            Step::Advance(129 * MINUTE),
            Step::Maintain,
            Step::Append(vec![(2, 915), (0, 320), (0, 803)]),
            Step::Rules(Vec::new()),
            Step::Settle,
        ];
        // As well when the window was rolled up before the rules went.
        steps.splice(6..6, vec![Step::Settle; rolled]);
        walk(&steps).unwrap();
    }
}

#[test]
fn exemplars_go_with_their_series_by_its_rule() {
    let clock = ManualClock::at(Timestamp(START));
    let mut opened = open(with(&Place::Memory, vec![rule("short", [hours(1), Keep::AsTier, Keep::AsTier])]), clock.clone()).unwrap();
    let mut batch = Batch::new(Origin::Pushed);
    let row = |name: &str| ExemplarRow { labels: labels(name), exemplar: Exemplar { labels: labels("trace"), value: 1.0, t: Timestamp(START - MINUTE) } };
    batch.exemplars = ["short", "plain"].map(row).into();
    assert_eq!(opened.writer.append(&[batch]).unwrap()[0].exemplars, 2);
    let of = |opened: &Opened| -> Vec<String> {
        let found = opened.reader.exemplars(&[Vec::new()], TimeRange::ALL, &Deadline::never()).unwrap();
        found.iter().map(|(labels, _)| labels.metric_name().to_owned()).collect()
    };
    assert_eq!(of(&opened), ["plain", "short"]);
    clock.set(Timestamp(START + 2 * HOUR));
    opened.keeper.settle(&Deadline::never()).unwrap();
    assert_eq!(of(&opened), ["plain"]);
    let mut stored = 0;
    for partition in opened.keeper.shared.read().set.iter() {
        partition.read(|view| view.exemplars(|labels, _| stored += usize::from(labels.metric_name() == "short"))).unwrap();
    }
    assert_eq!(stored, 0, "not only hidden");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_rules_a_sample_is_answered_once(steps in prop::collection::vec(step(), 1..60)) {
        walk(&steps)?;
    }
}
