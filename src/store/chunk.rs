//! The head's chunk: samples of one series in the order they came, compressed by whole bytes as
//! they are appended. Knows no window and no series; the sealed forms are in `codec`.
//!
//! A first timestamp, then per sample a control byte. Its high bit: the step differs from the one
//! before and follows. Its low bits: the value, as an unchanged one, as a small change of the
//! scaled whole number, or as a form whose bytes follow.

use super::codec::{CodecError, Cursor, exponent_of, from_mantissa, mantissa, put_varint, unzigzag, zigzag};
use crate::model::Column;

/// Control bit: the step follows.
const OTHER_STEP: u8 = 0x80;
/// From 1 to this the control byte is the change itself.
const INLINE: u64 = 95;
/// The change follows.
const CHANGE: u8 = 96;
/// From here by decimals: the whole number follows, with new decimals.
const DECIMALS: u8 = 97;
/// The most decimals a head chunk tries.
const MOST_DECIMALS: u8 = 12;
/// From here by length less one: the low bytes that differ follow.
const BITS: u8 = 120;
/// After as many values that are no decimals, decimals are looked for only now and then.
const PATIENCE: u8 = 4;
const NOW_AND_THEN: u32 = 32;

/// Samples of one series, appended in ascending order of time.
#[derive(Clone, Debug, Default)]
pub struct HeadChunk {
    data: Vec<u8>,
    last: State,
    len: u32,
    /// Values in a row that were no decimals.
    misses: u8,
    exponent: u8,
}

/// What the next sample is told apart from.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    t: i64,
    step: i64,
    bits: u64,
    whole: i64,
}

impl HeadChunk {
    /// An empty one; it owns no heap yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Samples in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Heap bytes held.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.data.capacity()
    }

    /// Time of the first sample.
    #[must_use]
    pub fn first_t(&self) -> Option<i64> {
        self.data.first_chunk().map(|t| i64::from_le_bytes(*t))
    }

    /// Time of the last sample.
    #[must_use]
    pub const fn last_t(&self) -> Option<i64> {
        if self.len == 0 { None } else { Some(self.last.t) }
    }

    /// Appends a sample; `t` must be later than the last one's.
    #[inline]
    pub fn push(&mut self, t: i64, v: f64) {
        debug_assert!(self.last_t().is_none_or(|last| last < t), "samples come in ascending order");
        self.make_room();
        if self.len == 0 {
            self.data.extend_from_slice(&t.to_le_bytes());
            self.last.t = t;
        }
        let step = t.wrapping_sub(self.last.t);
        let at = self.data.len();
        self.data.push(0);
        let mut control = 0;
        if step != self.last.step {
            control = OTHER_STEP;
            put_varint(zigzag(step.wrapping_sub(self.last.step)), &mut self.data);
        }
        control |= self.push_value(v);
        if let Some(place) = self.data.get_mut(at) {
            *place = control;
        }
        self.last.t = t;
        self.last.step = step;
        self.last.bits = v.to_bits();
        self.len += 1;
    }

    /// Appends all samples to `column`.
    pub fn decode_into(&self, column: &mut Column) {
        column.t.reserve(self.len());
        column.v.reserve(self.len());
        let whole = self.read(column);
        debug_assert!(whole.is_ok(), "a chunk reads what it wrote");
    }

    /// Grows by half: most chunks are small and there are many.
    #[inline]
    fn make_room(&mut self) {
        const LONGEST: usize = 32;
        let capacity = self.data.capacity();
        if capacity - self.data.len() < LONGEST {
            self.data.reserve_exact((capacity / 2).max(LONGEST));
        }
    }

    /// Appends what the value needs and gives its part of the control byte.
    #[inline]
    fn push_value(&mut self, v: f64) -> u8 {
        if v.to_bits() == self.last.bits {
            return 0;
        }
        let Some(whole) = mantissa(v, self.exponent) else {
            return self.push_other(v);
        };
        self.misses = 0;
        let change = zigzag(whole.wrapping_sub(self.last.whole));
        self.last.whole = whole;
        if (1..=INLINE).contains(&change) {
            return change as u8;
        }
        put_varint(change, &mut self.data);
        CHANGE
    }

    /// A value that the decimals so far do not hold.
    fn push_other(&mut self, v: f64) -> u8 {
        let look = self.misses < PATIENCE || self.len.is_multiple_of(NOW_AND_THEN);
        let found = if look { exponent_of(v, MOST_DECIMALS) } else { None };
        if let Some((exponent, whole)) = found.and_then(|k| Some((k, mantissa(v, k)?))) {
            self.misses = 0;
            self.exponent = exponent;
            self.last.whole = whole;
            put_varint(zigzag(whole), &mut self.data);
            return DECIMALS + exponent;
        }
        self.misses = self.misses.saturating_add(1);
        let diff = v.to_bits() ^ self.last.bits;
        let len = (64 - (diff | 1).leading_zeros()).div_ceil(8) as u8;
        self.data.extend(diff.to_le_bytes().into_iter().take(usize::from(len)));
        BITS + len - 1
    }

    fn read(&self, column: &mut Column) -> Result<(), CodecError> {
        if self.len == 0 {
            return Ok(());
        }
        let mut cursor = Cursor::new(&self.data);
        let mut exponent = 0;
        let mut last = State { t: cursor.little_endian(8)?.cast_signed(), ..State::default() };
        for _ in 0..self.len {
            let control = cursor.byte()?;
            if control & OTHER_STEP != 0 {
                last.step = last.step.wrapping_add(cursor.signed()?);
            }
            last.t = last.t.wrapping_add(last.step);
            last.read_value(control & !OTHER_STEP, &mut exponent, &mut cursor)?;
            column.push(last.t, f64::from_bits(last.bits));
        }
        Ok(())
    }
}

impl State {
    #[inline]
    fn read_value(&mut self, form: u8, exponent: &mut u8, cursor: &mut Cursor<'_>) -> Result<(), CodecError> {
        match form {
            0 => return Ok(()),
            1..CHANGE => self.whole = self.whole.wrapping_add(unzigzag(u64::from(form))),
            CHANGE => self.whole = self.whole.wrapping_add(cursor.signed()?),
            DECIMALS..BITS => {
                *exponent = form - DECIMALS;
                self.whole = cursor.signed()?;
            }
            _ => {
                self.bits ^= cursor.little_endian(usize::from(form - BITS) + 1)?;
                return Ok(());
            }
        }
        self.bits = from_mantissa(self.whole, *exponent).to_bits();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
