//! The small encodings of sealed columns, and back: bit-exact for every value. Knows no series, no
//! file and no partition; each encoded column stands alone and says its codec in its first byte.

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
mod integers;
mod joint;
mod learned;
mod modelled;
mod near;
mod packed;
mod priors;
mod residual;
mod scale;

use std::time::Duration;

use crate::model::BucketColumns;

pub(super) use bytes::{Cursor, put_varint, unzigzag, zigzag};
pub(super) use decimal::{exponent_of, from_mantissa, mantissa};
pub use error::CodecError;

/// No column holds more values; a larger count in encoded bytes is damage.
pub const MAX_VALUES: usize = 1 << 24;

/// Appends strictly ascending timestamps to `out`. Regular steps cost about ten bytes in all.
pub fn encode_times(times: &[i64], out: &mut Vec<u8>) {
    debug_assert!(times.is_sorted_by(|a, b| a < b), "times ascend strictly");
    integers::encode(times, out);
}

/// Reads what [`encode_times`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short, or the times do not ascend.
pub fn decode_times(bytes: &[u8]) -> Result<Vec<i64>, CodecError> {
    let times = integers::decode(bytes)?;
    if times.is_sorted_by(|a, b| a < b) { Ok(times) } else { Err(CodecError::NotAscending) }
}

/// Appends values to `out` in the smallest form that gives back every bit.
pub fn encode_floats(values: &[f64], out: &mut Vec<u8>) {
    floats::encode(values, out);
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
    integers::encode(&signed, out);
}

/// Reads what [`encode_ints`] wrote.
///
/// # Errors
/// Where the bytes are damaged or cut short.
pub fn decode_ints(bytes: &[u8]) -> Result<Vec<u64>, CodecError> {
    Ok(integers::decode(bytes)?.into_iter().map(i64::cast_unsigned).collect())
}

/// Appends the values of buckets of `width` to `out`. When they are and how many samples each holds
/// goes to `share`, which stores those bytes once for all series that have the same and says under
/// which number.
pub fn encode_buckets(buckets: &BucketColumns, width: Duration, share: impl FnOnce(Vec<u8>) -> u32, out: &mut Vec<u8>) {
    buckets::encode(buckets, width, share, out);
}

/// Reads what [`encode_buckets`] wrote; `shared` yields what was stored under a number.
///
/// # Errors
/// Where the bytes are damaged or cut short, or the columns differ in length; what `shared` says.
pub fn decode_buckets<E: From<CodecError>>(bytes: &[u8], shared: impl FnOnce(u32) -> Result<Vec<u8>, E>) -> Result<BucketColumns, E> {
    buckets::decode(bytes, shared)
}

#[cfg(test)]
mod tests;
