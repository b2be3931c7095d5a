//! Properties of the arithmetic. What the functions over it must yield is held by `tests/promqltest`.

use proptest::prelude::*;

use super::*;
use crate::model::{Buckets, CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span};

fn exponential(schema: i32, offset: i32, counts: &[u8]) -> Histogram {
    let counts: Vec<f64> = counts.iter().map(|c| f64::from(*c)).collect();
    let total: f64 = counts.iter().sum();
    let positive = Buckets { spans: vec![Span { offset, length: counts.len() as u32 }], counts };
    Histogram { schema, count: total, sum: total, positive, ..Histogram::default() }
}

fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    let positive = Buckets { spans: vec![Span { offset: 0, length: counts.len() as u32 }], counts: counts.to_vec() };
    Histogram { schema: CUSTOM_BUCKETS_SCHEMA, count: counts.iter().sum(), positive, custom_values: bounds.to_vec(), ..Histogram::default() }
}

#[test]
fn differing_custom_bounds_keep_those_in_both() {
    let mut wide = Wide::of(&custom(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0, 4.0]));
    let merged = wide.add(&custom(&[2.0, 3.0, 4.0], &[10.0, 20.0, 30.0, 40.0])).unwrap();
    assert!(merged.reconciled);
    let sum = wide.finish();
    assert_eq!((sum.custom_values, sum.positive.counts), (vec![2.0, 4.0], vec![13.0, 53.0, 44.0]));
}

#[test]
fn exponential_and_custom_do_not_mix() {
    assert_eq!(Wide::of(&custom(&[1.0], &[1.0])).add(&exponential(0, 0, &[1])), Err(Incompatible));
}

#[test]
fn a_reset_and_none_collide() {
    let a = Histogram { reset_hint: ResetHint::Reset, ..exponential(0, 0, &[1]) };
    let b = Histogram { reset_hint: ResetHint::NotReset, ..a.clone() };
    assert!(Wide::of(&a).add(&b).unwrap().collision);
    assert!(!Wide::of(&a).add(&a).unwrap().collision);
}

#[test]
fn a_wider_zero_bucket_takes_what_lies_in_it() {
    let mut wide = Wide::of(&exponential(0, -1, &[1, 2, 3]));
    wide.widen(0.7);
    let h = wide.finish();
    assert_eq!((h.zero_threshold, h.zero_count, h.positive.counts), (1.0, 3.0, vec![3.0]));
}

proptest! {
    #[test]
    fn adding_and_taking_away_again_leaves_it(
        a in prop::collection::vec(0_u8..50, 1..12), b in prop::collection::vec(0_u8..50, 1..12),
        schemas in (-2_i32..4, -2_i32..4), offsets in (-9_i32..9, -9_i32..9),
    ) {
        let (x, y) = (exponential(schemas.0, offsets.0, &a), exponential(schemas.1, offsets.1, &b));
        let mut there = Wide::of(&x);
        there.add(&y).unwrap();
        let total: f64 = all_buckets(&there.finish()).iter().map(|b| b.count).sum();
        prop_assert_eq!(total, x.count + y.count);
        prop_assert!(!there.finish().detects_reset(&x), "a sum is no reset");
        there.sub(&y).unwrap();
        let mut reduced = Wide::of(&x);
        reduced.reduce(schemas.0.min(schemas.1));
        prop_assert!(same(&there.finish(), &reduced.finish()));
    }

    #[test]
    fn both_sides_of_a_cut_make_the_whole(counts in prop::collection::vec(0_u8..50, 1..12), offset in -5_i32..5, at in 0.01_f64..100.0) {
        let h = exponential(0, offset, &counts);
        let (below, above) = (trimmed(&h, at, true), trimmed(&h, at, false));
        prop_assert!((below.count + above.count - h.count).abs() < 1e-9);
        if h.count > 0.0 {
            prop_assert!((fraction(f64::NEG_INFINITY, at, &h) - below.count / h.count).abs() < 1e-9);
        }
    }

    #[test]
    fn the_fraction_below_a_quantile_is_its_rank(counts in prop::collection::vec(1_u8..50, 1..12), phi in 0.01_f64..0.99) {
        let h = exponential(1, -2, &counts);
        prop_assert!((fraction(f64::NEG_INFINITY, quantile(phi, &h), &h) - phi).abs() < 1e-9);
    }
}
