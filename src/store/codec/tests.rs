//! Promises of the encodings: bit for bit, small, and never a panic on damage.

#![expect(clippy::indexing_slicing, reason = "a test may index")]

use proptest::prelude::*;

use super::*;
use crate::model::{Bucket, Sample, Timestamp, stale_marker};

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn encoded<T: ?Sized>(encode: impl Fn(&T, &mut Vec<u8>), values: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode(values, &mut out);
    out
}

fn floats(values: &[f64]) -> Vec<u8> {
    let out = encoded(encode_floats, values);
    assert_eq!(bits(&decode_floats(&out).unwrap()), bits(values));
    out
}

fn times(values: &[i64]) -> Vec<u8> {
    let out = encoded(encode_times, values);
    assert_eq!(decode_times(&out).unwrap(), values);
    out
}

const MINUTE: Duration = Duration::from_secs(60);

fn buckets(columns: &BucketColumns) -> Vec<u8> {
    let mut out = Vec::new();
    encode_buckets(columns, MINUTE, &mut out);
    let back = decode_buckets(&out).unwrap();
    for (a, b) in [
        (&back.sum, &columns.sum),
        (&back.min, &columns.min),
        (&back.max, &columns.max),
        (&back.first, &columns.first),
        (&back.last, &columns.last),
        (&back.correction, &columns.correction),
    ] {
        assert_eq!(bits(a), bits(b));
    }
    assert_eq!((&back.end, &back.first_t, &back.last_t), (&columns.end, &columns.first_t, &columns.last_t));
    assert_eq!((&back.count, &back.resets), (&columns.count, &columns.resets));
    assert_eq!((&back.ended, &back.approximate), (&columns.ended, &columns.approximate));
    out
}

fn decode_all(bytes: &[u8]) {
    let _ = (decode_times(bytes), decode_floats(bytes), decode_ints(bytes), decode_buckets(bytes));
}

fn rolled(values: &[f64]) -> BucketColumns {
    values
        .chunks(4)
        .zip(1..)
        .filter_map(|(chunk, minute)| {
            let end = minute * 60_000;
            Bucket::of(Timestamp(end), chunk.iter().zip(0..).map(|(v, i)| Sample { t: Timestamp(end - 45_000 + i * 15_000), v: *v }))
        })
        .collect()
}

#[test]
fn regular_times_cost_a_handful_of_bytes() {
    let column: Vec<i64> = (0..4000).map(|i| 1_700_000_000_000 + i * 15_000).collect();
    assert!(times(&column).len() <= 12);
    assert_eq!(times(&[]), [1, 0]);
    times(&[i64::MIN, 0, i64::MAX]);
}

#[test]
fn jittered_times_cost_under_a_byte_and_a_half() {
    let column: Vec<i64> = (0..1000).map(|i| 1_700_000_000_000 + i * 15_000 + (i * 7919) % 5).collect();
    assert!(times(&column).len() < 1500);
}

#[test]
fn the_bytes_of_small_columns_never_change() {
    assert_eq!(times(&[1000, 2000, 3000]), [1, 3, 0xd0, 0x0f, 0xd0, 0x0f]);
    assert_eq!(times(&[1000, 2000, 3001]), [4, 3, 0xd0, 0x0f, 0, 2]);
    assert_eq!(encoded(encode_ints, &[9, 8, 1][..]), [2, 3, 18, 16, 2]);
    assert_eq!(encoded(encode_ints, &[500, 501, 499][..]), [3, 3, 0xe8, 7, 2, 3]);
    assert_eq!(floats(&[]), [6, 0]);
    assert_eq!(floats(&[1.5, 1.5]), [2, 1, 0, 1, 2, 30, 0]);
    assert_eq!(floats(&[1.0, 2.0, 4.0]), [2, 0, 0, 2, 3, 2, 4, 8]);
    assert_eq!(floats(&[stale_marker()]), [1, 1, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);
    assert_eq!(floats(&[1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]), [3, 3, 0x08, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5, 0x3f, 0, 0x61, 0x30]);
    assert_eq!(encoded(encode_ints, &[7, 7, 7][..]), [1, 3, 14, 0]);
}

#[test]
fn the_bytes_of_small_buckets_never_change() {
    let made = rolled(&[1.0, 2.0, 3.0, 4.0, 9.0, 5.0, 6.0, 7.0]);
    let head = [1, 224, 212, 3, 8, 1, 2, 192, 169, 7, 192, 169, 7, 4, 1, 2, 8, 0];
    let values = [0, 7, 2, 0, 0, 1, 2, 2, 16, 5, 0, 4, 1, 2, 9, 6, 6, 0, 4, 1, 2, 0, 3, 7, 0, 4, 1, 2, 0, 0, 8, 0, 4, 1, 2, 0, 9];
    let tail = [6, 1, 2, 176, 234, 1, 0, 4, 1, 2, 0, 0, 0, 6, 3, 2, 0, 98, 34, 64, 4, 1, 2, 0, 2, 0, 0];
    assert_eq!(buckets(&made), [&head[..], &values[..], &tail[..]].concat());
    // As it was before distances from neighbours were stored.
    let plain = [0, 7, 2, 0, 0, 1, 2, 2, 16, 0, 7, 2, 0, 0, 1, 2, 8, 6, 0, 7, 2, 0, 0, 1, 2, 2, 8, 0, 7, 2, 0, 0, 1, 2, 8, 10, 0, 7, 2, 0, 0, 1, 2, 20, 34];
    assert_eq!(decode_buckets(&[&head[..], &plain[..], &tail[..]].concat()).unwrap(), made);
}

#[test]
fn a_rare_step_costs_a_few_bytes() {
    let mut values = vec![7_u64; 1000];
    values[600..].fill(9);
    assert_eq!(encoded(encode_ints, &values[..]), [6, 0xe8, 7, 2, 0, 14, 0xd7, 4, 4]);
    assert_eq!(decode_ints(&[6, 0xe8, 7, 2, 0, 14, 0xd7, 4, 4]).unwrap(), values);
    let bent: Vec<i64> = (0..100).chain((1..100).map(|i| 99 + i * 5)).collect();
    assert!(times(&bent).len() < 12);
}

#[test]
fn packed_bytes_of_old_stay_readable() {
    let values: Vec<u64> = (0..24).map(|i| 1_000_000 * (i * 7 % 24)).collect();
    let old = [
        5, 24, 171, 59, 156, 173, 112, 99, 111, 33, 3, 0, 4, 6, 4, 1, 4, 23, 0, 0, 16, 33, 2, 0, 128, 51, 249, 253, 255, 255, 255, 255, 0, 2, 63, 171, 1, 0, 0,
        0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 128, 47, 197, 65, 0, 0,
    ];
    assert_eq!(decode_ints(&old).unwrap(), values);
}

#[test]
fn short_columns_carry_no_big_header() {
    let gauge: Vec<f64> = (0..20).map(|i| f64::from((i * 37) % 50) / 10.0).collect();
    assert!(floats(&gauge).len() <= 45);
}

#[test]
fn a_stale_marker_in_a_counter_is_one_exception() {
    let mut counter: Vec<f64> = (0..1000).map(|i| f64::from(i * 3)).collect();
    counter.push(stale_marker());
    assert!(floats(&counter).len() < 60);
}

#[test]
fn odd_values_come_back() {
    let odd = [0.0, -0.0, f64::NAN, f64::from_bits(0xfff8_dead_beef_0001), stale_marker(), f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MAX, 0.1 + 0.2];
    floats(&odd);
    for v in odd {
        floats(&[v]);
        floats(&[v; 100]);
    }
    floats(&odd.repeat(30));
}

#[test]
fn a_constant_series_derives_nearly_everything() {
    let columns = rolled(&[5.0; 4000]);
    assert!(buckets(&columns).len() < 80);
    buckets(&BucketColumns::default());
}

#[test]
fn a_count_beyond_any_column_is_refused() {
    let mut bytes = vec![1];
    put_varint(MAX_VALUES as u64 + 1, &mut bytes);
    bytes.extend([0, 0]);
    assert_eq!(decode_ints(&bytes), Err(CodecError::TooLong(MAX_VALUES as u64 + 1)));
}

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-1000..1000_i32).prop_map(f64::from),
        (0..99_999_i32).prop_map(|v| f64::from(v) / 1000.0),
        (0.0..1.0_f64),
        Just(stale_marker()),
        Just(-0.0),
    ]
}

fn column() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(any_float(), 0..120),
        prop::collection::vec((0..5000_i32).prop_map(|v| f64::from(v) / 10.0), 0..300),
        prop::collection::vec(any::<f64>(), 0..300),
        prop::collection::vec((any_float(), 1..40_usize), 0..20).prop_map(|runs| runs.into_iter().flat_map(|(v, n)| vec![v; n]).collect()),
    ]
}

proptest! {
    #[test]
    fn every_float_comes_back_bit_for_bit(values in column()) {
        floats(&values);
    }

    #[test]
    fn every_int_comes_back(values in prop_oneof![prop::collection::vec(any::<u64>(), 0..100), prop::collection::vec(0..50_u64, 0..300), prop::collection::vec((0..50_u64, 1..40_usize), 0..20).prop_map(|runs| runs.into_iter().flat_map(|(v, n)| vec![v; n]).collect())]) {
        prop_assert_eq!(decode_ints(&encoded(encode_ints, &values[..])).unwrap(), values);
    }

    #[test]
    fn ascending_times_come_back(start in any::<i64>(), steps in prop::collection::vec(1..20_000_i64, 0..300)) {
        let mut t = start >> 1;
        times(&steps.iter().map(|step| { t += step; t }).collect::<Vec<_>>());
    }

    #[test]
    fn buckets_come_back_bit_for_bit(values in column()) {
        buckets(&rolled(&values));
    }

    #[test]
    fn cut_bytes_are_an_error(values in column(), cut in any::<prop::sample::Index>()) {
        let (one, many) = (floats(&values), buckets(&rolled(&values)));
        prop_assert!(decode_floats(&one[..cut.index(one.len())]).is_err());
        prop_assert!(decode_buckets(&many[..cut.index(many.len())]).is_err());
    }

    #[test]
    fn damage_never_panics(values in column(), at in any::<prop::sample::Index>(), bit in 0..8_u32, noise in prop::collection::vec(any::<u8>(), 0..60)) {
        for mut bytes in [floats(&values), buckets(&rolled(&values))] {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            decode_all(&bytes);
        }
        decode_all(&noise);
    }
}
