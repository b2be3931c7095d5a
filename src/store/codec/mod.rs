//! The small encodings of sealed columns, and back: bit-exact for every value. Knows no series, no
//! file and no partition; each encoded column says its codec in its first byte, and stands alone but
//! for the frame of buckets.
//!
//! In reading order: `floats` and `buckets` choose a form. Whole numbers are `integers`, decimals
//! become such in `decimal`. What is left of a good guess goes through `modelled` (samples), `joint`
//! (buckets) and `frame`: `residual` is their model of one number, `coder` writes its decisions,
//! `priors` are what it knows before the first. `apart`, `near`, `flags` read what was written once.

#![deny(clippy::indexing_slicing)]

mod apart;
mod buckets;
mod bytes;
mod coder;
mod decimal;
mod error;
mod flags;
mod floats;
mod frame;
mod histogram;
mod histograms;
mod integers;
mod joint;
mod learned;
mod modelled;
mod near;
mod packed;
mod priors;
mod residual;
mod scale;

use std::sync::Arc;
use std::time::Duration;

use crate::model::{BucketColumns, Histogram};

use integers::Aim;

pub(super) use bytes::{Cursor, put_varint, unzigzag, zigzag};
pub(super) use decimal::{exponent_of, from_mantissa, mantissa};
pub use error::CodecError;
pub(super) use histogram::{put_histogram, take_histogram};

/// No column holds more values; a larger count in encoded bytes is damage.
pub const MAX_VALUES: usize = 1 << 24;

/// Appends strictly ascending timestamps to `out`. Regular steps cost about ten bytes in all.
pub fn encode_times(times: &[i64], out: &mut Vec<u8>) {
    debug_assert!(times.is_sorted_by(|a, b| a < b), "times ascend strictly");
    integers::encode(times, Aim::Size, out);
}

/// Reads what [`encode_times`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short, or the times do not ascend.
pub fn decode_times(bytes: &[u8]) -> Result<Vec<i64>, CodecError> {
    let times = integers::decode(bytes)?;
    if times.is_sorted_by(|a, b| a < b) { Ok(times) } else { Err(CodecError::NotAscending) }
}

/// Appends values to `out` in a form that gives back every bit: one that is read fast, unless another
/// is clearly smaller.
pub fn encode_floats(values: &[f64], out: &mut Vec<u8>) {
    floats::encode(values, Aim::Speed, out);
}

/// Reads what [`encode_floats`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short.
pub fn decode_floats(bytes: &[u8]) -> Result<Vec<f64>, CodecError> {
    floats::decode(bytes)
}

/// Appends whole numbers to `out`.
pub fn encode_ints(values: &[u64], out: &mut Vec<u8>) {
    let signed: Vec<i64> = values.iter().map(|v| v.cast_signed()).collect();
    integers::encode(&signed, Aim::Size, out);
}

/// Reads what [`encode_ints`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short.
pub fn decode_ints(bytes: &[u8]) -> Result<Vec<u64>, CodecError> {
    Ok(integers::decode(bytes)?.into_iter().map(i64::cast_unsigned).collect())
}

/// Appends what buckets of `width` have in common with those of other series: when each ends, how
/// many samples it holds and when they lie. Where many series have the same bytes, they are worth
/// storing once.
pub fn encode_frame(buckets: &BucketColumns, width: Duration, out: &mut Vec<u8>) {
    frame::encode(buckets, width, out);
}

/// Reads what [`encode_frame`] wrote: buckets whose columns of values are empty.
///
/// # Errors
/// Where the bytes are damaged or cut short, or the ends do not ascend.
pub fn decode_frame(bytes: &[u8]) -> Result<BucketColumns, CodecError> {
    frame::decode(bytes)
}

/// Appends the values of buckets; their frame is [`encode_frame`]'s.
pub fn encode_buckets(buckets: &BucketColumns, out: &mut Vec<u8>) {
    buckets::encode(buckets, out);
}

/// Reads what [`encode_buckets`] wrote into the frame of the same buckets. An older form needs none.
///
/// # Errors
/// Where the bytes are damaged or cut short, or are of other buckets than the frame.
pub fn decode_buckets(bytes: &[u8], frame: Option<BucketColumns>) -> Result<BucketColumns, CodecError> {
    buckets::decode(bytes, frame)
}

/// Appends native histograms: each shape once, the counts bucket by bucket over time.
pub fn encode_histograms(histograms: &[Arc<Histogram>], out: &mut Vec<u8>) {
    histograms::encode(histograms, out);
}

/// Reads what [`encode_histograms`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short, or parts differ in length.
pub fn decode_histograms(bytes: &[u8]) -> Result<Vec<Arc<Histogram>>, CodecError> {
    histograms::decode(bytes)
}

#[cfg(test)]
mod tests;
