//! Promises of head chunks.

use proptest::prelude::*;

use super::*;
use crate::model::stale_marker;

fn round_trip(samples: &[(i64, f64)]) -> HeadChunk {
    let mut chunk = HeadChunk::new();
    for (t, v) in samples {
        chunk.push(*t, *v);
    }
    let mut column = Column::default();
    chunk.decode_into(&mut column);
    let read: Vec<(i64, u64)> = column.t.iter().zip(&column.v).map(|(t, v)| (*t, v.to_bits())).collect();
    let written: Vec<(i64, u64)> = samples.iter().map(|(t, v)| (*t, v.to_bits())).collect();
    assert_eq!(read, written);
    assert_eq!(chunk.first_t(), samples.first().map(|s| s.0));
    assert_eq!(chunk.last_t(), samples.last().map(|s| s.0));
    assert_eq!(chunk.len(), samples.len());
    chunk
}

#[test]
fn the_struct_stays_small() {
    assert!(size_of::<HeadChunk>() <= 64);
    assert_eq!(HeadChunk::new().bytes(), 0);
}

#[test]
fn a_counter_takes_at_most_three_bytes_a_sample() {
    let samples: Vec<_> = (0..1000_u32).map(|i| (1_700_000_000_000 + i64::from(i) * 15_000, f64::from(i * 1731 + i % 7))).collect();
    assert!(round_trip(&samples).data.len() <= 3 * samples.len() + 32);
}

#[test]
fn the_bytes_of_a_small_chunk_never_change() {
    let chunk = round_trip(&[(1000, 5.0), (2000, 6.0), (3000, 6.0), (4500, 6.25), (6000, 1.0 / 3.0), (7500, 900.0)]);
    assert_eq!(chunk.data, [232, 3, 0, 0, 0, 0, 0, 0, 10, 130, 208, 15, 0, 227, 232, 7, 226, 9, 127, 85, 85, 85, 85, 85, 85, 204, 127, 96, 190, 244, 10]);
}

#[test]
fn odd_values_between_decimals_come_back() {
    let odd = [0.0, -0.0, f64::NAN, 1.5, stale_marker(), 1.5, f64::INFINITY, 0.1 + 0.2, 1e300, f64::MIN_POSITIVE, 5e-324, 9.3e18, -9.3e18, 1.0];
    let samples: Vec<_> = odd.iter().zip(-3..).map(|(v, t)| (t, *v)).collect();
    round_trip(&samples);
    round_trip(&[]);
    round_trip(&[(i64::MIN, 1.0), (0, 2.0), (i64::MAX, 3.0)]);
}

proptest! {
    #[test]
    fn every_sample_comes_back_bit_for_bit(
        start in any::<i64>(),
        samples in prop::collection::vec((1..100_000_i64, prop_oneof![any::<u64>().prop_map(f64::from_bits), (-1000..1000_i32).prop_map(f64::from), (0..9999_i32).prop_map(|v| f64::from(v) / 100.0)]), 0..200),
    ) {
        let mut t = start >> 1;
        let samples: Vec<_> = samples.into_iter().map(|(step, v)| { t += step; (t, v) }).collect();
        round_trip(&samples);
    }
}
