//! Buckets, column by column: one that follows from others keeps only where it does not. Knows no
//! tier.

use std::time::Duration;

use super::bytes::{Cursor, put_block, put_varint};
use super::near::{self, Near};
use super::{CodecError, flags, floats, integers};
use crate::model::BucketColumns;

/// The first byte of encoded buckets.
const VERSION: u8 = 1;

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

/// Appends the version, the width, then each column.
pub(super) fn encode(b: &BucketColumns, width: Duration, out: &mut Vec<u8>) {
    let width = width.as_millis() as u64;
    out.push(VERSION);
    put_varint(width, out);
    put_integers(&b.end, out);
    put_integers(&signed(&b.count), out);
    put_guessed(b, &b.first, &[], None, out);
    put_guessed(b, &b.last, &[Guess::First], Some(Guess::NearNextFirst), out);
    put_guessed(b, &b.min, &[Guess::First, Guess::Last], Some(Guess::NearLower), out);
    put_guessed(b, &b.max, &[Guess::Last, Guess::First], Some(Guess::NearUpper), out);
    put_guessed(b, &b.sum, &[Guess::FirstTimesCount], Some(Guess::NearMiddle), out);
    put_integers(&from_start(&b.first_t, &b.end, width), out);
    put_integers(&from_start(&b.last_t, &b.end, 0), out);
    put_guessed(b, &b.correction, &[Guess::Zero], None, out);
    put_integers(&signed(&b.resets), out);
    flags::encode(&b.ended, out);
    flags::encode(&b.approximate, out);
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<BucketColumns, CodecError> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.byte()?;
    if version != VERSION {
        return Err(CodecError::UnknownCodec(version));
    }
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

fn signed(values: &[u64]) -> Vec<i64> {
    values.iter().map(|v| v.cast_signed()).collect()
}

fn unsigned(values: Vec<i64>) -> Vec<u64> {
    values.into_iter().map(i64::cast_unsigned).collect()
}

fn from_start(times: &[i64], end: &[i64], width: u64) -> Vec<i64> {
    times.iter().zip(end).map(|(t, end)| t.wrapping_sub(end.wrapping_sub(width.cast_signed()))).collect()
}

fn to_times(offsets: &[i64], end: &[i64], width: u64) -> Vec<i64> {
    offsets.iter().zip(end).map(|(offset, end)| offset.wrapping_add(end.wrapping_sub(width.cast_signed()))).collect()
}

fn put_integers(values: &[i64], out: &mut Vec<u8>) {
    put_block(out, |block| integers::encode(values, block));
}

fn take_integers(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, CodecError> {
    same_length(integers::decode(cursor.block()?)?, count)
}

fn same_length<T>(values: Vec<T>, count: usize) -> Result<Vec<T>, CodecError> {
    if values.len() == count { Ok(values) } else { Err(CodecError::Damaged("columns differ in length")) }
}

/// Appends the guess that costs least: its number, where it is wrong, and the values there.
fn put_guessed(b: &BucketColumns, values: &[f64], guesses: &[Guess], near: Option<Guess>, out: &mut Vec<u8>) {
    let mut best: Option<Vec<u8>> = None;
    for guess in guesses {
        let Some(form) = guessed_form(values, *guess, &guess.values(b)) else { continue };
        if form.get(1) == Some(&0) {
            out.extend_from_slice(&form);
            return;
        }
        if best.as_ref().is_none_or(|other| form.len() < other.len()) {
            best = Some(form);
        }
    }
    let near = near.and_then(|guess| {
        let mut form = vec![guess as u8];
        form.extend(near::encode(b, values, guess.near()?)?);
        Some(form)
    });
    best = [best, near].into_iter().flatten().min_by_key(Vec::len);
    let mut stored = vec![Guess::Stored as u8];
    put_block(&mut stored, |block| floats::encode(values, block));
    out.extend_from_slice(&best.filter(|form| form.len() < stored.len()).unwrap_or(stored));
}

/// The guess's number, where it is wrong, and the values there; `None` where it is mostly wrong.
fn guessed_form(values: &[f64], guess: Guess, guessed: &[f64]) -> Option<Vec<u8>> {
    let wrong: Vec<bool> = values.iter().zip(guessed).map(|(v, g)| v.to_bits() != g.to_bits()).collect();
    let misses = wrong.iter().filter(|w| **w).count();
    if misses * 2 > wrong.len() {
        return None;
    }
    let mut out = vec![guess as u8];
    flags::encode(&wrong, &mut out);
    if misses > 0 {
        let there: Vec<f64> = values.iter().zip(&wrong).filter(|(_, wrong)| **wrong).map(|(v, _)| *v).collect();
        put_block(&mut out, |block| floats::encode(&there, block));
    }
    Some(out)
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
