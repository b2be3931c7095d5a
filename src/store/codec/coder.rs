//! A binary arithmetic coder whose probabilities learn (the carrying range coder of LZMA). Knows no
//! meaning: a model names for each decision the state that predicts it. One model serves both ways,
//! since [`Coder`] takes the value to write and yields the value that was read.

use super::CodecError;

/// Probabilities are of this many bits.
const PRECISION: u32 = 15;
const ONE: u16 = 1 << PRECISION;
/// No outcome is held for less likely, so that no surprise costs more than ten bits.
const LEAST: u16 = 24;
/// Below, the range is widened by a byte.
const NARROW: u32 = 1 << 24;
/// Plain bits that are coded at once.
const PLAIN_BITS: u32 = 12;
/// Zero bytes that are left out at the end; the reader supposes as many.
const LEFT_OUT: usize = 4;
/// How far a state moves to what it sees, in 1/65536, after it has seen so much.
const RATES: [u16; 64] = rates();

#[expect(clippy::indexing_slicing, reason = "at compile time")]
const fn rates() -> [u16; 64] {
    let mut out = [0; 64];
    let mut seen = 0;
    while seen < out.len() {
        out[seen] = (655_360 / (10 * seen + 16)) as u16;
        seen += 1;
    }
    out
}

/// How likely a decision is to be no, and how much of it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bit {
    no: u16,
    seen: u16,
}

impl Bit {
    /// A state that has learned before: how likely no is, in 1/1024, and how sure that is (to 63).
    pub(super) const fn learned(no: u16, seen: u16) -> Self {
        Self { no: no << (PRECISION - 10), seen }
    }

    fn learn(&mut self, bit: bool) {
        let rate = i32::from(RATES.get(usize::from(self.seen) % RATES.len()).copied().unwrap_or(1000));
        let goal = if bit { i32::from(LEAST) } else { i32::from(ONE - LEAST) };
        let moved = i32::from(self.no) + (((goal - i32::from(self.no)) * rate) >> 16);
        self.no = (moved as u16).clamp(LEAST, ONE - LEAST);
        self.seen = (self.seen + 1).min(RATES.len() as u16 - 1);
    }

    /// The part of a range that no takes.
    const fn bound(self, range: u32) -> u32 {
        (range >> PRECISION) * self.no as u32
    }
}

/// Writes what it is given, or ignores it and yields what was written.
pub(super) trait Coder {
    /// One decision.
    fn bit(&mut self, state: &mut Bit, bit: bool) -> bool;
    /// The lowest `count` bits of a number, nothing known of them.
    fn plain(&mut self, count: u32, value: u64) -> u64;
    /// Some decisions in a row; a reader holds what it reads from in registers meanwhile.
    fn row<T>(&mut self, decide: impl FnOnce(&mut Self) -> T) -> T;
}

/// Writes decisions.
pub(super) struct Encoder {
    low: u64,
    range: u32,
    held: u8,
    /// Bytes that wait for a carry: the held one, then 0xff.
    waiting: u64,
    out: Vec<u8>,
}

impl Encoder {
    pub(super) const fn new() -> Self {
        Self { low: 0, range: u32::MAX, held: 0, waiting: 1, out: Vec::new() }
    }

    fn shift(&mut self) {
        if self.low < 0xff00_0000 || self.low > 0xffff_ffff {
            let carry = (self.low >> 32) as u8;
            self.out.push(self.held.wrapping_add(carry));
            for _ in 1..self.waiting {
                self.out.push(0xff_u8.wrapping_add(carry));
            }
            self.waiting = 0;
            self.held = (self.low >> 24) as u8;
        }
        self.waiting += 1;
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    fn normalize(&mut self) {
        while self.range < NARROW {
            self.range <<= 8;
            self.shift();
        }
    }

    /// The bytes: of all numbers in the last range the one that ends in most zeros, without them.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let end = self.low + u64::from(self.range);
        let rounded = (0..32).rev().map(|zeros| (self.low + ((1 << zeros) - 1)) >> zeros << zeros).find(|v| *v < end);
        self.low = rounded.unwrap_or(self.low);
        for _ in 0..5 {
            self.shift();
        }
        // The first byte held nothing yet.
        let mut out = self.out.split_off(1);
        let zeros = out.iter().rev().take(LEFT_OUT).take_while(|byte| **byte == 0).count();
        out.truncate(out.len() - zeros);
        out
    }
}

impl Coder for Encoder {
    #[inline]
    fn bit(&mut self, state: &mut Bit, bit: bool) -> bool {
        let bound = state.bound(self.range);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        state.learn(bit);
        self.normalize();
        bit
    }

    fn plain(&mut self, count: u32, value: u64) -> u64 {
        let mut left = count;
        while left > 0 {
            let now = left.min(PLAIN_BITS);
            left -= now;
            self.range >>= now;
            self.low += u64::from(self.range) * (value >> left & ((1 << now) - 1));
            self.normalize();
        }
        value
    }

    #[inline]
    fn row<T>(&mut self, decide: impl FnOnce(&mut Self) -> T) -> T {
        decide(self)
    }
}

/// Reads decisions.
#[derive(Clone)]
pub(super) struct Decoder<'a> {
    code: u32,
    range: u32,
    rest: std::slice::Iter<'a, u8>,
    supposed: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut out = Self { code: 0, range: u32::MAX, rest: bytes.iter(), supposed: 0 };
        (0..4).for_each(|_| out.shift());
        out
    }

    #[inline(always)]
    fn shift(&mut self) {
        let byte = self.rest.next().copied().unwrap_or_else(|| {
            self.supposed += 1;
            0
        });
        self.code = self.code << 8 | u32::from(byte);
    }

    #[inline(always)]
    fn normalize(&mut self) {
        while self.range < NARROW {
            self.range <<= 8;
            self.shift();
        }
    }

    /// Whether more was read than any writer leaves out.
    #[inline(always)]
    pub(super) const fn is_beyond(&self) -> bool {
        self.supposed > LEFT_OUT
    }

    /// All bytes were read, and no more.
    pub(super) fn finish(self) -> Result<(), CodecError> {
        if self.is_beyond() {
            Err(CodecError::Truncated)
        } else if self.rest.len() > 0 {
            Err(CodecError::Trailing)
        } else {
            Ok(())
        }
    }
}

impl Coder for Decoder<'_> {
    #[inline(always)]
    fn bit(&mut self, state: &mut Bit, _: bool) -> bool {
        let bound = state.bound(self.range);
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        state.learn(bit);
        self.normalize();
        bit
    }

    #[inline(always)]
    fn plain(&mut self, count: u32, _: u64) -> u64 {
        let mut value = 0;
        let mut left = count;
        while left > 0 {
            let now = left.min(PLAIN_BITS);
            left -= now;
            self.range >>= now;
            let part = (self.code / self.range).min((1 << now) - 1);
            self.code -= part * self.range;
            value = value << now | u64::from(part);
            self.normalize();
        }
        value
    }

    #[inline(always)]
    fn row<T>(&mut self, decide: impl FnOnce(&mut Self) -> T) -> T {
        let mut near = self.clone();
        let out = decide(&mut near);
        *self = near;
        out
    }
}
