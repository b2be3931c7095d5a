//! The model of one kind of whole number that is mostly small: what is left after a guess. Knows
//! neither the guess nor the bytes.
//!
//! A number is: is it zero (in a context of the caller's), its sign, its class (how many bits it
//! has, as the distance from what is expected), the three bits below the highest, and the rest
//! plain. The expected class follows the classes seen, or is one for the whole column.

use super::coder::{Bit, Coder};

/// States of one model: zero 24, sign 8, class 6 × 16, upper bits 16 × 8.
pub(super) const STATES: usize = 256;
const SIGN: usize = 24;
const CLASS: usize = 32;
const UPPER: usize = 128;
/// Steps of a distance that have states of their own; further ones share the last.
const STEPS: usize = 7;
/// Classes are expected in sixteenths.
pub(super) const FINE: i32 = 16;
/// Bits below the highest that are modelled.
const UPPER_BITS: u32 = 3;

/// States and what they have seen so far.
#[derive(Clone)]
pub(super) struct Residual {
    states: [Bit; STATES],
    expected: i32,
    follows: bool,
    sign: usize,
}

/// How many bits a magnitude has.
pub(super) const fn class(v: u64) -> i32 {
    64 - v.leading_zeros().cast_signed()
}

impl Residual {
    /// A model that begins as learned, and expects a class.
    pub(super) const fn new(states: [Bit; STATES], expected: i32) -> Self {
        Self { states, expected: expected * FINE, follows: true, sign: 0 }
    }

    /// A model that goes on expecting the class that it was told.
    pub(super) const fn steady(states: [Bit; STATES], expected: i32) -> Self {
        Self { states, expected: expected * FINE, follows: false, sign: 0 }
    }

    /// Expects another class than it would by what it has seen, in sixteenths.
    pub(super) const fn expect(&mut self, sixteenths: i32) {
        self.expected = sixteenths;
    }

    #[inline(always)]
    fn bit<C: Coder>(&mut self, coder: &mut C, at: usize, bit: bool) -> bool {
        match self.states.get_mut(at % STATES) {
            Some(state) => coder.bit(state, bit),
            None => false,
        }
    }

    /// Codes a number, `context` (below 24) telling how likely zero is.
    #[inline]
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, context: usize, value: i64) -> i64 {
        if !self.bit(coder, context.min(SIGN - 1), value != 0) {
            return 0;
        }
        let (negative, magnitude) = coder.row(|coder| {
            let negative = self.bit(coder, SIGN + self.sign, value < 0);
            self.sign = 1 + usize::from(negative);
            (negative, self.magnitude(coder, value.unsigned_abs()))
        });
        let value = magnitude.cast_signed();
        if negative { value.wrapping_neg() } else { value }
    }

    /// What it expects now, in sixteenths of a class.
    pub(super) const fn expected(&self) -> i32 {
        self.expected
    }

    #[inline(always)]
    fn magnitude<C: Coder>(&mut self, coder: &mut C, value: u64) -> u64 {
        let size = self.class(coder, class(value));
        if self.follows {
            self.expected += (size * FINE - self.expected) / 4;
        }
        self.digits(coder, size, value)
    }

    /// The bits of a magnitude of a known class, below the highest.
    #[inline(always)]
    pub(super) fn digits<C: Coder>(&mut self, coder: &mut C, size: i32, value: u64) -> u64 {
        let mut left = size.cast_unsigned().saturating_sub(1);
        let row = UPPER + 8 * (size.cast_unsigned() as usize).min(15);
        let (mut node, mut read) = (1, 1_u64);
        for _ in 0..UPPER_BITS.min(left) {
            left -= 1;
            let bit = self.bit(coder, row + node, value >> left & 1 == 1);
            node = node * 2 + usize::from(bit);
            read = read << 1 | u64::from(bit);
        }
        if left == 0 { read } else { read << left | coder.plain(left, value & ((1 << left) - 1)) }
    }

    /// From 1 to 64.
    #[inline(always)]
    fn class<C: Coder>(&mut self, coder: &mut C, size: i32) -> i32 {
        let expected = ((self.expected + FINE / 2) / FINE).clamp(1, 64);
        let row = CLASS + 16 * (expected.cast_unsigned() as usize).min(5);
        if !self.bit(coder, row, size != expected) {
            return expected;
        }
        let below = expected > 1 && (expected == 64 || self.bit(coder, row + 1, size < expected));
        let (step, most, states) = if below { (-1, expected - 1, row + 2 + STEPS) } else { (1, 64 - expected, row + 2) };
        let mut distance = 1;
        while distance < most {
            let at = states + (distance.cast_unsigned() as usize - 1).min(STEPS - 1);
            if !self.bit(coder, at, size != expected + step * distance) {
                break;
            }
            distance += 1;
        }
        expected + step * distance
    }
}
