//! What the models know before they have seen anything: how likely each decision is, learned once
//! from columns of many kinds. Part of the format: the table never changes, a better one would be a
//! codec of its own.

use super::coder::Bit;
use super::learned::LEARNED;
use super::residual::STATES;

const SAMPLE: [Bit; STATES] = part(0);
const FRAME: [Bit; STATES] = part(STATES);
const FIELDS: [[Bit; STATES]; 8] =
    [part(2 * STATES), part(3 * STATES), part(4 * STATES), part(5 * STATES), part(6 * STATES), part(7 * STATES), part(8 * STATES), part(9 * STATES)];
const HEAD: [Bit; 102] = part(10 * STATES);
const START: [Bit; 64] = part(10 * STATES + 102);
const FLAT: [Bit; 8] = part(10 * STATES + 166);

/// So many states from a place in the table on.
#[expect(clippy::indexing_slicing, reason = "at compile time")]
const fn part<const N: usize>(from: usize) -> [Bit; N] {
    let mut out = [Bit::learned(512, 0); N];
    let mut i = 0;
    while i < N {
        let word = LEARNED[from + i];
        out[i] = Bit::learned(word >> 6, word & 63);
        i += 1;
    }
    out
}

/// What is left of samples.
pub(super) const fn sample() -> [Bit; STATES] {
    SAMPLE
}

/// What is left of the parts of a frame.
pub(super) const fn frame() -> [Bit; STATES] {
    FRAME
}

/// The first value of all, then what is left of first, last, smallest, largest, sum, resets, correction.
pub(super) const fn fields() -> [[Bit; STATES]; 8] {
    FIELDS
}

/// Scales and guess of buckets.
pub(super) const fn head() -> [Bit; 102] {
    HEAD
}

/// How many bits the first value of all has.
pub(super) const fn start() -> [Bit; 64] {
    START
}

/// Whether a bucket is flat.
pub(super) const fn flat() -> [Bit; 8] {
    FLAT
}
