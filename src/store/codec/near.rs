//! A column of buckets as what is left of it after a neighbour's guess, in whole numbers: of decimals
//! the extremes lie just outside first and last, the last just before the next first, the sum near
//! count times the middle. Only where every value concerned is a decimal of one exponent.

use super::decimal::{from_mantissa, mantissa};
use super::{CodecError, Cursor, integers};
use crate::model::BucketColumns;

/// More decimals are no measured figure, and would leave no room for sums.
const MAX_EXPONENT: u8 = 9;

/// What a column is near to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Near {
    /// The next bucket's first value; of the last bucket its own.
    NextFirst,
    /// The smaller of first and last.
    Lower,
    /// The larger of first and last.
    Upper,
    /// Count times the middle of first and last.
    Middle,
}

impl Near {
    /// The guess for the bucket at `i`, from the mantissas of first and last.
    fn guess(self, i: usize, first: &[i64], last: &[i64], count: &[u64]) -> Option<i64> {
        let f = *first.get(i)?;
        match self {
            Self::NextFirst => Some(first.get(i + 1).copied().unwrap_or(f)),
            Self::Lower => Some(f.min(*last.get(i)?)),
            Self::Upper => Some(f.max(*last.get(i)?)),
            Self::Middle => {
                let both = i128::from(f) + i128::from(*last.get(i)?);
                i64::try_from(both * i128::from(*count.get(i)?) / 2).ok()
            }
        }
    }

    const fn needs_last(self) -> bool {
        !matches!(self, Self::NextFirst)
    }
}

/// Reads an exponent and what each value is beyond its guess; `first`, and unless it is read here `last`, are in `b` already.
pub(super) fn decode(cursor: &mut Cursor<'_>, b: &BucketColumns, near: Near) -> Result<Vec<f64>, CodecError> {
    let damaged = CodecError::Damaged("a column is near to what is no decimal");
    let exponent = cursor.byte()?;
    if exponent > MAX_EXPONENT {
        return Err(damaged);
    }
    let left = integers::decode(cursor.block()?)?;
    if left.len() != b.len() {
        return Err(CodecError::Damaged("columns differ in length"));
    }
    let Some((first, last)) = sides(b, near, exponent) else { return Err(damaged) };
    let value = |(i, left): (usize, i64)| near.guess(i, &first, &last, &b.count).map(|guess| from_mantissa(guess.wrapping_add(left), exponent));
    left.into_iter().enumerate().map(value).collect::<Option<_>>().ok_or(CodecError::Damaged("a column is near to what is no decimal"))
}

fn sides(b: &BucketColumns, near: Near, exponent: u8) -> Option<(Vec<i64>, Vec<i64>)> {
    let scaled = |values: &[f64]| values.iter().map(|v| mantissa(*v, exponent)).collect::<Option<Vec<i64>>>();
    Some((scaled(&b.first)?, if near.needs_last() { scaled(&b.last)? } else { Vec::new() }))
}
