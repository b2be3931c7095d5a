//! Promises of the encodings: bit for bit, small, and never a panic on damage.

#![expect(clippy::indexing_slicing, reason = "a test may index")]

use proptest::prelude::*;

use super::bytes::put_block;
use super::coder::{Bit, Coder, Decoder, Encoder};
use super::integers::Aim;
use super::residual::Residual;
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

/// In the smallest form, which speed does not matter for.
fn smallest(values: &[f64]) -> Vec<u8> {
    let mut out = Vec::new();
    floats::encode(values, Aim::Size, &mut out);
    assert_eq!(bits(&decode_floats(&out).unwrap()), bits(values));
    out
}

fn times(values: &[i64]) -> Vec<u8> {
    let out = encoded(encode_times, values);
    assert_eq!(decode_times(&out).unwrap(), values);
    out
}

const MINUTE: Duration = Duration::from_secs(60);

fn same_buckets(back: &BucketColumns, columns: &BucketColumns) {
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
}

/// Frame and values.
fn buckets(columns: &BucketColumns) -> [Vec<u8>; 2] {
    let (mut frame, mut values) = (Vec::new(), Vec::new());
    encode_frame(columns, MINUTE, &mut frame);
    encode_buckets(columns, &mut values);
    same_buckets(&decode_buckets(&values, Some(decode_frame(&frame).unwrap())).unwrap(), columns);
    [frame, values]
}

fn decode_all(bytes: &[u8]) {
    let _ = (decode_times(bytes), decode_floats(bytes), decode_ints(bytes), decode_buckets(bytes, None), decode_frame(bytes));
    let frame = BucketColumns { end: vec![60_000, 120_000], count: vec![4, 1], ..BucketColumns::default() };
    let _ = decode_buckets(bytes, Some(frame));
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

const GOLDEN_INTS: [u8; 14] = [8, 12, 2, 208, 15, 2, 7, 171, 5, 102, 125, 200, 203, 160];
const GOLDEN_FRAME: [u8; 10] = [2, 224, 212, 3, 0, 4, 129, 41, 93, 192];
const GOLDEN_VALUES: [u8; 7] = [2, 5, 134, 118, 150, 26, 224];
const GOLDEN_HASHES: [[u64; 3]; 6] = [
    [14_414_493_997_760_300_835, 2_055_315_764_981_605_420, 10_504_923_423_971_765_865],
    [3_156_471_061_298_152_269, 2_055_315_764_981_605_420, 13_025_367_405_495_900_641],
    [12_587_986_596_109_204_881, 2_055_315_764_981_605_420, 7_828_173_827_504_110_120],
    [2_455_553_844_585_331_920, 2_055_315_764_981_605_420, 15_095_001_288_812_284_363],
    [5_831_527_835_227_520_505, 2_055_315_764_981_605_420, 10_213_523_816_327_010_960],
    [4_076_513_891_493_700_760, 17_926_953_870_580_146_073, 4_127_919_242_014_648_137],
];

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
    assert_eq!(floats(&[7.0, 7.0, 7.0]), [8, 3, 14]);
    assert_eq!(floats(&[1.5, 1.5]), [9, 1, 2, 30]);
    assert_eq!(decode_floats(&[2, 1, 0, 1, 2, 30, 0]).unwrap(), [1.5, 1.5]);
    assert_eq!(floats(&[1.0, 2.0, 4.0]), [2, 0, 0, 2, 3, 2, 4, 8]);
    assert_eq!(floats(&[stale_marker()]), [1, 1, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);
    assert_eq!(floats(&[1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]), [3, 3, 0x08, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5, 0x3f, 0, 0x61, 0x30]);
    assert_eq!(encoded(encode_ints, &[7, 7, 7][..]), [1, 3, 14, 0]);
}

#[test]
fn buckets_of_old_stay_readable() {
    let made = rolled(&[1.0, 2.0, 3.0, 4.0, 9.0, 5.0, 6.0, 7.0]);
    let head = [1, 224, 212, 3, 8, 1, 2, 192, 169, 7, 192, 169, 7, 4, 1, 2, 8, 0];
    let values = [0, 7, 2, 0, 0, 1, 2, 2, 16, 5, 0, 4, 1, 2, 9, 6, 6, 0, 4, 1, 2, 0, 3, 7, 0, 4, 1, 2, 0, 0, 8, 0, 4, 1, 2, 0, 9];
    let tail = [6, 1, 2, 176, 234, 1, 0, 4, 1, 2, 0, 0, 0, 6, 3, 2, 0, 98, 34, 64, 4, 1, 2, 0, 2, 0, 0];
    assert_eq!(decode_buckets(&[&head[..], &values[..], &tail[..]].concat(), None).unwrap(), made);
    // As it was before distances from neighbours were stored.
    let plain = [0, 7, 2, 0, 0, 1, 2, 2, 16, 0, 7, 2, 0, 0, 1, 2, 8, 6, 0, 7, 2, 0, 0, 1, 2, 2, 8, 0, 7, 2, 0, 0, 1, 2, 8, 10, 0, 7, 2, 0, 0, 1, 2, 20, 34];
    assert_eq!(decode_buckets(&[&head[..], &plain[..], &tail[..]].concat(), None).unwrap(), made);
}

/// Columns of many shapes that are the same for ever.
fn fixed_columns() -> [Vec<f64>; 6] {
    let noise = |i: i32| f64::from((i * 7919 + i * i * 31) % 1009);
    [
        (0..400).map(|i| f64::from(i * 731) + noise(i)).collect(),
        (0..400).map(|i| noise(i) / 100.0).collect(),
        (0..400).map(|i| if i % 7 == 0 { 1.0 } else { f64::from(i / 50) }).collect(),
        (0..400).map(|i| 4096.0 * (1000.0 + noise(i))).collect(),
        (0..400).map(|i| noise(i) / 1013.0).collect(),
        (0..400).map(|i| if i % 90 == 0 { stale_marker() } else { f64::from((i * 3) % 700) }).collect(),
    ]
}

#[test]
fn the_bytes_of_modelled_columns_never_change() {
    let ints: Vec<u64> = (0..12).map(|i| 1000 + i * 80 + i * i % 7).collect();
    let [frame, values] = buckets(&rolled(&[1.0, 2.0, 3.0, 4.0, 9.0, 5.0, 6.0, 7.0]));
    assert_eq!([encoded(encode_ints, &ints[..]), frame, values], [GOLDEN_INTS.to_vec(), GOLDEN_FRAME.to_vec(), GOLDEN_VALUES.to_vec()]);
}

/// Of longer columns the hash: it moves where a learned state does.
#[test]
fn the_learned_states_never_change() {
    let hash = |bytes: &[u8]| xxhash_rust::xxh3::xxh3_64(bytes);
    let hashes = |column: &Vec<f64>| {
        let rolled = rolled(column);
        let [frame, _] = buckets(&rolled);
        let mut values = vec![2];
        put_block(&mut values, |block| block.extend(joint::smallest(&rolled)));
        assert_eq!(decode_buckets(&values, decode_frame(&frame).ok()).unwrap(), rolled);
        [hash(&smallest(column)), hash(&frame), hash(&values)]
    };
    assert_eq!(fixed_columns().each_ref().map(hashes), GOLDEN_HASHES);
}

#[test]
fn learning_pays() {
    let sizes: Vec<[usize; 2]> = fixed_columns().iter().map(|column| [smallest(column).len(), buckets(&rolled(column))[1].len()]).collect();
    let most = [[170, 500], [400, 1420], [75, 95], [400, 650], [640, 3100], [80, 62]];
    assert!(sizes.iter().flatten().zip(most.iter().flatten()).all(|(size, most)| size <= most), "{sizes:?}");
}

#[test]
fn speed_costs_little() {
    let sizes: Vec<[usize; 2]> = fixed_columns().iter().map(|column| [floats(column).len(), smallest(column).len()]).collect();
    assert!(sizes.iter().all(|[fast, small]| fast * 100 <= small * 130), "{sizes:?}");
}

#[test]
fn noise_is_not_modelled_and_silence_is() {
    let mut seed = 1_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f64
    };
    let noisy: Vec<f64> = (0..480).map(|_| noise()).collect();
    assert_eq!(floats(&noisy)[..4], [2, 0, 0, 5]);
    let silent: Vec<f64> = (0..480).map(|i| f64::from(i / 40)).collect();
    assert_eq!(floats(&silent)[..4], [2, 0, 0, 8]);
}

#[test]
fn one_bucket_costs_what_it_says() {
    assert!(buckets(&rolled(&[0.0; 4]))[1].len() <= 3);
    assert!(buckets(&rolled(&[81920.0; 4]))[1].len() <= 6);
    assert!(buckets(&rolled(&[81920.0, 81921.0, 81925.0, 81930.0]))[1].len() <= 9);
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
    let [frame, values] = buckets(&columns);
    assert!(frame.len() < 40 && values.len() < 8, "{} {}", frame.len(), values.len());
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

/// Buckets as no samples make them.
fn any_buckets() -> impl Strategy<Value = BucketColumns> {
    let bucket = (
        1..5_i64,
        prop_oneof![0..6_u64, any::<u64>()],
        [any_float(), any_float(), any_float(), any_float(), any_float(), any_float()],
        [any::<i64>(), any::<i64>()],
        any::<u64>(),
        any::<[bool; 2]>(),
    );
    prop::collection::vec(bucket, 0..40).prop_map(|list| {
        let mut end = 0;
        let made = list.into_iter().map(|(step, count, [first, last, min, max, sum, correction], [from, to], resets, [ended, approximate])| {
            end += step * 60_000;
            Bucket {
                end: Timestamp(end),
                count,
                sum,
                min,
                max,
                first,
                last,
                first_t: Timestamp(from),
                last_t: Timestamp(to),
                correction,
                resets,
                ended,
                approximate,
            }
        });
        made.collect()
    })
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
    fn any_buckets_come_back_bit_for_bit(made in any_buckets()) {
        buckets(&made);
    }

    #[test]
    fn decisions_come_back(list in prop::collection::vec((0..3_usize, any::<bool>(), 0..=60_u32, any::<u64>()), 0..300)) {
        let states = [Bit::learned(1000, 8), Bit::learned(2, 63), Bit::learned(512, 0)];
        let low = |count: u32, v: u64| v & ((1 << count) - 1);
        let (mut encoder, mut learned) = (Encoder::new(), states);
        for (state, bit, count, v) in &list {
            encoder.bit(&mut learned[*state], *bit);
            encoder.plain(*count, low(*count, *v));
        }
        let bytes = encoder.finish();
        let (mut decoder, mut learned) = (Decoder::new(&bytes), states);
        for (state, bit, count, v) in &list {
            prop_assert_eq!(decoder.bit(&mut learned[*state], false), *bit);
            prop_assert_eq!(decoder.plain(*count, 0), low(*count, *v));
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
    }

    #[test]
    fn every_residual_comes_back(list in prop::collection::vec((0..24_usize, prop_oneof![any::<i64>(), -9..9_i64, Just(i64::MIN), Just(i64::MAX)]), 0..200), expected in 1..=64) {
        let (mut encoder, mut model) = (Encoder::new(), Residual::new(priors::sample(), expected));
        for (context, v) in &list {
            model.code(&mut encoder, *context, *v);
        }
        let bytes = encoder.finish();
        let (mut decoder, mut model) = (Decoder::new(&bytes), Residual::new(priors::sample(), expected));
        for (context, v) in &list {
            prop_assert_eq!(model.code(&mut decoder, *context, 0), *v);
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
    }

    #[test]
    fn levels_round_as_the_standard_library_has_it(v in prop_oneof![any::<f64>(), -5.0..5.0_f64, (-9_i64..9).prop_map(|v| v as f64 / 2.0), Just(0.499_999_999_999_999_94), Just(i64::MAX as f64), Just(i64::MIN as f64)]) {
        prop_assert_eq!(scale::rounded(v), v.round() as i64);
    }

    #[test]
    fn cut_bytes_are_an_error(values in column(), cut in any::<prop::sample::Index>()) {
        let (one, [frame, many]) = (floats(&values), buckets(&rolled(&values)));
        prop_assert!(decode_floats(&one[..cut.index(one.len())]).is_err());
        prop_assert!(decode_frame(&frame[..cut.index(frame.len())]).is_err());
        prop_assert!(decode_buckets(&many[..cut.index(many.len())], decode_frame(&frame).ok()).is_err());
    }

    #[test]
    fn damage_never_panics(values in column(), at in any::<prop::sample::Index>(), bit in 0..8_u32, noise in prop::collection::vec(any::<u8>(), 0..60)) {
        let [frame, many] = buckets(&rolled(&values));
        for mut bytes in [floats(&values), frame, many] {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            decode_all(&bytes);
        }
        decode_all(&noise);
    }
}
