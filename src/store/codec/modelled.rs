//! Columns of whole numbers as what is left after a guess, through the learning coder. Knows no
//! meaning.

use std::borrow::Cow;

use super::bytes::{Cursor, put_block, put_varint, zigzag};
use super::coder::{Decoder, Encoder};
use super::residual::{Residual, class};
use super::{CodecError, priors};

/// Shorter columns are as small without.
pub(super) const SHORTEST: usize = 4;
/// Averages are kept in sixteenths.
const FINE: i64 = 16;
/// A column is quiet where for one that is not zero at least as many are.
const QUIET: u32 = 7;
/// Bytes beside what is left.
const HEADER: usize = 8;
/// Values that are read before it is asked whether bytes are left.
const AT_ONCE: usize = 64;

/// What the next value is guessed from. Numbers are for ever; new ones may be added.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// The base: the smallest value.
    Base = 0,
    /// The last value.
    Last = 1,
    /// The last value and the step to it.
    Line = 2,
    /// The average of the last ones.
    Level = 3,
    /// The last value and the average of the last steps.
    Slope = 4,
}

const ALL: [Guess; 5] = [Guess::Base, Guess::Last, Guess::Line, Guess::Level, Guess::Slope];

/// What a guess is made of; arithmetic wraps.
#[derive(Clone, Copy)]
struct Past {
    last: i64,
    step: i64,
    level: i64,
    slope: i64,
}

impl Past {
    const fn new(base: i64) -> Self {
        Self { last: base, step: 0, level: base.wrapping_mul(FINE), slope: 0 }
    }

    const fn guess(&self, guess: Guess, base: i64) -> i64 {
        match guess {
            Guess::Base => base,
            Guess::Last => self.last,
            Guess::Line => self.last.wrapping_add(self.step),
            Guess::Level => self.level.wrapping_add(FINE / 2) >> 4,
            Guess::Slope => self.last.wrapping_add(self.slope.wrapping_add(FINE / 2) >> 4),
        }
    }

    const fn push(&mut self, v: i64) {
        self.step = v.wrapping_sub(self.last);
        self.last = v;
        self.level = self.level.wrapping_add(v.wrapping_mul(FINE).wrapping_sub(self.level) >> 2);
        self.slope = self.slope.wrapping_add(self.step.wrapping_mul(FINE).wrapping_sub(self.slope) >> 2);
    }
}

/// How long what is left was zero, or was not, and how long it was zero before.
#[derive(Default)]
struct Rhythm {
    zeros: usize,
    others: usize,
    before: usize,
}

impl Rhythm {
    /// Below 22.
    #[inline]
    const fn context(&self) -> usize {
        if self.zeros == 0 {
            return if self.others > 3 { 3 } else { self.others };
        }
        let length = match self.zeros {
            1 => 0,
            2 => 1,
            3 | 4 => 2,
            5..9 => 3,
            9..33 => 4,
            _ => 5,
        };
        let than_before = if self.zeros < self.before {
            0
        } else if self.zeros == self.before {
            1
        } else {
            2
        };
        4 + length * 3 + than_before
    }

    const fn push(&mut self, is_zero: bool) {
        if is_zero {
            self.zeros += 1;
            self.others = 0;
        } else {
            if self.zeros > 0 {
                self.before = self.zeros;
            }
            self.zeros = 0;
            self.others += 1;
        }
    }
}

/// Set beside the guess where a unit follows: every value lies so many units from the base.
const IN_UNITS: u8 = 0x80;

/// How a column is written best.
pub(super) struct Plan<'a> {
    /// The values, or how many units each lies from the first.
    values: Cow<'a, [i64]>,
    unit: i64,
    first: i64,
    guess: Guess,
    spread: Spread,
    /// How often neighbours are to be subtracted to leave the least.
    order: usize,
}

impl<'a> Plan<'a> {
    pub(super) fn of(column: &'a [i64]) -> Self {
        let unit = unit(column);
        let (values, first) = if unit > 1 {
            let first = column.first().copied().unwrap_or(0);
            (column.iter().map(|v| v.wrapping_sub(first) / unit).collect(), first)
        } else {
            (Cow::Borrowed(column), 0)
        };
        let spreads = Spread::of_all(&values);
        let bits = spreads.each_ref().map(Spread::bits);
        let least = |bits: &[f64]| bits.iter().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(i, _)| i);
        // Base, last and line are what is left of no, one and two subtractions.
        let order = least(bits.get(..3).unwrap_or_default());
        let (guess, spread) = ALL.into_iter().zip(spreads).nth(least(&bits)).unwrap_or((Guess::Last, Spread::default()));
        Self { values, unit, first, guess, spread, order }
    }

    /// What all distances are multiples of.
    pub(super) const fn unit(&self) -> i64 {
        self.unit
    }

    /// How often neighbours are to be subtracted where nothing is modelled.
    pub(super) const fn order(&self) -> usize {
        self.order
    }

    /// Hardly anything is left: the model takes next to nothing, and is read fast.
    pub(super) fn is_quiet(&self) -> bool {
        let [zeros, others] = self.spread.parts();
        others * QUIET <= zeros
    }

    /// Bytes that the model will take, roughly: what is zero is known from what was right before.
    pub(super) fn estimate(&self) -> usize {
        let [zeros, _] = self.spread.parts();
        let mut after = [[0_u32; 2]; 2];
        let mut before = 0;
        each_left(self.guess, base_of(self.guess, &self.values), &self.values, |left| {
            let now = usize::from(left == 0);
            if let Some(n) = after.get_mut(before).and_then(|row| row.get_mut(now)) {
                *n += 1;
            }
            before = now;
        });
        let flags: f64 = after.iter().map(|[other, zero]| entropy(*other, other + zero) + entropy(*zero, other + zero)).sum();
        let all = self.values.len() as u32;
        let plain = entropy(zeros, all) + entropy(all - zeros, all);
        ((self.spread.bits() - plain + flags) / 8.0) as usize + HEADER
    }

    /// The guess, the base, the expected class and the unit, then a block of what is left.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let base = base_of(self.guess, &self.values);
        let centre = self.spread.centre();
        let mut coder = Encoder::new();
        let mut model = Residual::steady(priors::sample(), i32::from(centre));
        let mut rhythm = Rhythm::default();
        each_left(self.guess, base, &self.values, |left| {
            model.code(&mut coder, rhythm.context(), left);
            rhythm.push(left == 0);
        });
        put_varint(self.values.len() as u64, out);
        if self.unit > 1 {
            out.push(self.guess as u8 | IN_UNITS);
            put_varint(self.unit.cast_unsigned(), out);
            put_varint(zigzag(self.first), out);
        } else {
            out.push(self.guess as u8);
        }
        put_varint(zigzag(base), out);
        out.push(centre);
        put_block(out, |block| block.extend(coder.finish()));
    }
}

/// Reads what [`Plan::encode`] wrote, to the end of the bytes.
pub(super) fn decode(mut cursor: Cursor<'_>) -> Result<Vec<i64>, CodecError> {
    let count = cursor.count()?;
    let number = cursor.byte()?;
    let (number, unit, first) = if number & IN_UNITS == 0 { (number, 1, 0) } else { (number ^ IN_UNITS, cursor.varint()?.cast_signed(), cursor.signed()?) };
    let guess = ALL.into_iter().find(|guess| *guess as u8 == number).ok_or(CodecError::UnknownCodec(number))?;
    let base = cursor.signed()?;
    let centre = cursor.byte()?.clamp(1, 64);
    let bytes = cursor.block()?;
    cursor.finish()?;
    let written = Written { count, base, centre, bytes };
    let mut values = match guess {
        Guess::Base => written.read(|_| base),
        Guess::Last => written.read(|past| past.guess(Guess::Last, base)),
        Guess::Line => written.read(|past| past.guess(Guess::Line, base)),
        Guess::Level => written.read(|past| past.guess(Guess::Level, base)),
        Guess::Slope => written.read(|past| past.guess(Guess::Slope, base)),
    }?;
    if unit != 1 || first != 0 {
        values.iter_mut().for_each(|v| *v = v.wrapping_mul(unit).wrapping_add(first));
    }
    Ok(values)
}

/// A column as it was found.
#[derive(Clone, Copy)]
struct Written<'a> {
    count: usize,
    base: i64,
    centre: u8,
    bytes: &'a [u8],
}

impl Written<'_> {
    /// The values in units; a loop of its own for each guess.
    fn read(self, guess: impl Fn(&Past) -> i64) -> Result<Vec<i64>, CodecError> {
        let mut coder = Decoder::new(self.bytes);
        let mut model = Residual::steady(priors::sample(), i32::from(self.centre));
        let (mut rhythm, mut past) = (Rhythm::default(), Past::new(self.base));
        let mut out = Vec::with_capacity(self.count.min(1 << 16));
        while out.len() < self.count {
            let now = (self.count - out.len()).min(AT_ONCE);
            out.extend((0..now).map(|_| {
                let left = model.code(&mut coder, rhythm.context(), 0);
                rhythm.push(left == 0);
                let v = guess(&past).wrapping_add(left);
                past.push(v);
                v
            }));
            if coder.is_beyond() {
                return Err(CodecError::Truncated);
            }
        }
        coder.finish()?;
        Ok(out)
    }
}

/// The largest number that divides all distances from the first.
fn unit(values: &[i64]) -> i64 {
    let Some((first, rest)) = values.split_first() else { return 1 };
    let mut unit = 0;
    for v in rest {
        match v.checked_sub(*first) {
            Some(distance) => unit = common_divisor(unit, distance.unsigned_abs()),
            None => return 1,
        }
        if unit == 1 {
            break;
        }
    }
    i64::try_from(unit).unwrap_or(1).max(1)
}

/// Euclid's; of zero and a number it is the number.
pub(super) const fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn base_of(guess: Guess, values: &[i64]) -> i64 {
    let base = if guess == Guess::Base { values.iter().min() } else { values.first() };
    base.copied().unwrap_or(0)
}

fn each_left(guess: Guess, base: i64, values: &[i64], mut each: impl FnMut(i64)) {
    let mut past = Past::new(base);
    for v in values {
        each(v.wrapping_sub(past.guess(guess, base)));
        past.push(*v);
    }
}

/// How often what is left has so many bits.
#[derive(Clone, Copy)]
struct Spread {
    classes: [u32; 65],
    negative: u32,
}

impl Default for Spread {
    fn default() -> Self {
        Self { classes: [0; 65], negative: 0 }
    }
}

/// The bits that say `n` times of `of` what came.
fn entropy(n: u32, of: u32) -> f64 {
    if n == 0 || n == of { 0.0 } else { f64::from(n) * (f64::from(of) / f64::from(n)).log2() }
}

impl Spread {
    /// One of every guess, in the order of [`ALL`].
    fn of_all(values: &[i64]) -> [Self; 5] {
        let mut out = [Self::default(); 5];
        let [of_base, of_last, of_line, of_level, of_slope] = &mut out;
        let lowest = base_of(Guess::Base, values);
        let mut past = Past::new(base_of(Guess::Last, values));
        for v in values {
            of_base.push(v.wrapping_sub(lowest));
            of_last.push(v.wrapping_sub(past.guess(Guess::Last, lowest)));
            of_line.push(v.wrapping_sub(past.guess(Guess::Line, lowest)));
            of_level.push(v.wrapping_sub(past.guess(Guess::Level, lowest)));
            of_slope.push(v.wrapping_sub(past.guess(Guess::Slope, lowest)));
            past.push(*v);
        }
        out
    }

    fn push(&mut self, left: i64) {
        if let Some(n) = self.classes.get_mut(class(left.unsigned_abs()) as usize) {
            *n += 1;
        }
        self.negative += u32::from(left < 0);
    }

    /// How many are zero, and how many are not.
    fn parts(&self) -> [u32; 2] {
        let zeros = self.classes.first().copied().unwrap_or(0);
        [zeros, self.classes.iter().sum::<u32>() - zeros]
    }

    /// What the coder will take, roughly: entropy of classes and signs, and the bits below the highest.
    fn bits(&self) -> f64 {
        let all: u32 = self.classes.iter().sum();
        let zeros = self.classes.first().copied().unwrap_or(0);
        let classes: f64 = self.classes.iter().zip(0_u32..).map(|(n, size)| entropy(*n, all) + f64::from(*n * size.saturating_sub(1))).sum();
        classes + entropy(self.negative, all - zeros) + entropy(all - zeros - self.negative, all - zeros)
    }

    fn centre(&self) -> u8 {
        let others = || self.classes.iter().zip(0_u8..).skip(1);
        let half = others().map(|(n, _)| n).sum::<u32>().div_ceil(2);
        let mut seen = 0;
        others()
            .find_map(|(n, size)| {
                seen += n;
                (seen >= half).then_some(size)
            })
            .unwrap_or(1)
            .max(1)
    }
}
