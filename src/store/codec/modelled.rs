//! Columns of whole numbers as what is left after a guess, through the learning coder. Knows no
//! meaning.

use super::bytes::{Cursor, put_block, put_varint, zigzag};
use super::coder::{Decoder, Encoder};
use super::residual::{Residual, class};
use super::{CodecError, priors};

/// Shorter columns are as small without.
pub(super) const SHORTEST: usize = 4;
/// Averages are kept in sixteenths.
const FINE: i64 = 16;

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

/// The guess, the base, the expected class and the unit, then a block of what is left.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    let unit = unit(values);
    let whole: Vec<i64>;
    let (values, first) = if unit > 1 {
        let first = values.first().copied().unwrap_or(0);
        whole = values.iter().map(|v| v.wrapping_sub(first) / unit).collect();
        (whole.as_slice(), first)
    } else {
        (values, 0)
    };
    let (guess, centre) = best_guess(values);
    let base = base_of(guess, values);
    let mut coder = Encoder::new();
    let mut model = Residual::steady(priors::sample(), i32::from(centre));
    let mut rhythm = Rhythm::default();
    each_left(guess, base, values, |left| {
        model.code(&mut coder, rhythm.context(), left);
        rhythm.push(left == 0);
    });
    put_varint(values.len() as u64, out);
    if unit > 1 {
        out.push(guess as u8 | IN_UNITS);
        put_varint(unit.cast_unsigned(), out);
        put_varint(zigzag(first), out);
    } else {
        out.push(guess as u8);
    }
    put_varint(zigzag(base), out);
    out.push(centre);
    put_block(out, |block| block.extend(coder.finish()));
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(mut cursor: Cursor<'_>) -> Result<Vec<i64>, CodecError> {
    let count = cursor.count()?;
    let number = cursor.byte()?;
    let (number, unit, first) = if number & IN_UNITS == 0 { (number, 1, 0) } else { (number ^ IN_UNITS, cursor.varint()?.cast_signed(), cursor.signed()?) };
    let guess = ALL.into_iter().find(|guess| *guess as u8 == number).ok_or(CodecError::UnknownCodec(number))?;
    let base = cursor.signed()?;
    let centre = cursor.byte()?.clamp(1, 64);
    let mut coder = Decoder::new(cursor.block()?);
    cursor.finish()?;
    let mut model = Residual::steady(priors::sample(), i32::from(centre));
    let (mut rhythm, mut past) = (Rhythm::default(), Past::new(base));
    let mut out = Vec::with_capacity(count.min(1 << 16));
    for _ in 0..count {
        let left = model.code(&mut coder, rhythm.context(), 0);
        if coder.is_beyond() {
            return Err(CodecError::Truncated);
        }
        rhythm.push(left == 0);
        let v = past.guess(guess, base).wrapping_add(left);
        past.push(v);
        out.push(v.wrapping_mul(unit).wrapping_add(first));
    }
    coder.finish()?;
    Ok(out)
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

/// The guess that leaves the fewest bits, and the class in the middle of what it leaves.
fn best_guess(values: &[i64]) -> (Guess, u8) {
    let best = ALL.into_iter().map(|guess| (guess, Spread::of(guess, values))).min_by(|(_, a), (_, b)| a.bits().total_cmp(&b.bits()));
    best.map_or((Guess::Last, 1), |(guess, spread)| (guess, spread.centre()))
}

/// How often what is left has so many bits.
struct Spread {
    classes: [u32; 65],
    negative: u32,
}

impl Spread {
    fn of(guess: Guess, values: &[i64]) -> Self {
        let mut out = Self { classes: [0; 65], negative: 0 };
        each_left(guess, base_of(guess, values), values, |left| {
            if let Some(n) = out.classes.get_mut(class(left.unsigned_abs()) as usize) {
                *n += 1;
            }
            out.negative += u32::from(left < 0);
        });
        out
    }

    /// What the coder will take, roughly: entropy of classes and signs, and the bits below the highest.
    fn bits(&self) -> f64 {
        let all: u32 = self.classes.iter().sum();
        let zeros = self.classes.first().copied().unwrap_or(0);
        let entropy = |n: u32, of: u32| if n == 0 { 0.0 } else { f64::from(n) * (f64::from(of) / f64::from(n)).log2() };
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
