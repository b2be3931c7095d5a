//! Buckets as they were written at first, column by column: one that follows from others keeps only
//! where it does not. Read for ever, written no more.

use super::bytes::Cursor;
use super::near::{self, Near};
use super::{CodecError, flags, floats, integers};
use crate::model::BucketColumns;

/// What a column of values is guessed from. Numbers are for ever; new kinds take new ones.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// Nothing: the column is stored.
    Stored = 0,
    /// The first value.
    First = 1,
    /// The last value.
    Last = 2,
    /// The first value, count times.
    FirstTimesCount = 3,
    /// Zero.
    Zero = 4,
    /// Near to the next bucket's first value: the distance is stored.
    NearNextFirst = 5,
    /// Near to the smaller of first and last.
    NearLower = 6,
    /// Near to the larger of first and last.
    NearUpper = 7,
    /// Near to count times the middle of first and last.
    NearMiddle = 8,
}

impl Guess {
    const fn of(byte: u8) -> Result<Self, CodecError> {
        match byte {
            0 => Ok(Self::Stored),
            1 => Ok(Self::First),
            2 => Ok(Self::Last),
            3 => Ok(Self::FirstTimesCount),
            4 => Ok(Self::Zero),
            5 => Ok(Self::NearNextFirst),
            6 => Ok(Self::NearLower),
            7 => Ok(Self::NearUpper),
            8 => Ok(Self::NearMiddle),
            other => Err(CodecError::UnknownCodec(other)),
        }
    }

    /// What the column is near to, where distances are stored.
    const fn near(self) -> Option<Near> {
        match self {
            Self::NearNextFirst => Some(Near::NextFirst),
            Self::NearLower => Some(Near::Lower),
            Self::NearUpper => Some(Near::Upper),
            Self::NearMiddle => Some(Near::Middle),
            _ => None,
        }
    }

    /// What the column is, where it is guessed exactly.
    fn values(self, b: &BucketColumns) -> Vec<f64> {
        match self {
            Self::First => b.first.clone(),
            Self::Last => b.last.clone(),
            Self::FirstTimesCount => b.first.iter().zip(&b.count).map(|(v, n)| v * *n as f64).collect(),
            Self::Zero => vec![0.0; b.len()],
            Self::Stored | Self::NearNextFirst | Self::NearLower | Self::NearUpper | Self::NearMiddle => Vec::new(),
        }
    }
}

/// Reads the columns behind the version, to the end of the bytes.
pub(super) fn decode(mut cursor: Cursor<'_>) -> Result<BucketColumns, CodecError> {
    let width = cursor.varint()?;
    let mut b = BucketColumns { end: integers::decode(cursor.block()?)?, ..BucketColumns::default() };
    if !b.end.is_sorted_by(|a, b| a < b) {
        return Err(CodecError::NotAscending);
    }
    b.count = unsigned(take_integers(&mut cursor, b.len())?);
    b.first = take_guessed(&mut cursor, &b)?;
    b.last = take_guessed(&mut cursor, &b)?;
    b.min = take_guessed(&mut cursor, &b)?;
    b.max = take_guessed(&mut cursor, &b)?;
    b.sum = take_guessed(&mut cursor, &b)?;
    b.first_t = to_times(&take_integers(&mut cursor, b.len())?, &b.end, width);
    b.last_t = to_times(&take_integers(&mut cursor, b.len())?, &b.end, 0);
    b.correction = take_guessed(&mut cursor, &b)?;
    b.resets = unsigned(take_integers(&mut cursor, b.len())?);
    b.ended = flags::decode(&mut cursor, b.len())?;
    b.approximate = flags::decode(&mut cursor, b.len())?;
    cursor.finish()?;
    Ok(b)
}

fn unsigned(values: Vec<i64>) -> Vec<u64> {
    values.into_iter().map(i64::cast_unsigned).collect()
}

fn to_times(offsets: &[i64], end: &[i64], width: u64) -> Vec<i64> {
    offsets.iter().zip(end).map(|(offset, end)| offset.wrapping_add(end.wrapping_sub(width.cast_signed()))).collect()
}

fn take_integers(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, CodecError> {
    same_length(integers::decode(cursor.block()?)?, count)
}

fn same_length<T>(values: Vec<T>, count: usize) -> Result<Vec<T>, CodecError> {
    if values.len() == count { Ok(values) } else { Err(CodecError::Damaged("columns differ in length")) }
}

fn take_guessed(cursor: &mut Cursor<'_>, b: &BucketColumns) -> Result<Vec<f64>, CodecError> {
    let guess = Guess::of(cursor.byte()?)?;
    if guess == Guess::Stored {
        return same_length(floats::decode(cursor.block()?)?, b.len());
    }
    if let Some(near) = guess.near() {
        return near::decode(cursor, b, near);
    }
    let mut values = same_length(guess.values(b), b.len())?;
    let wrong = flags::decode(cursor, b.len())?;
    let expected = wrong.iter().filter(|w| **w).count();
    if expected > 0 {
        let there = same_length(floats::decode(cursor.block()?)?, expected)?;
        let places = values.iter_mut().zip(&wrong).filter(|(_, wrong)| **wrong);
        for ((place, _), v) in places.zip(there) {
            *place = v;
        }
    }
    Ok(values)
}
