//! The values of buckets as one model: each is guessed from the buckets before and from what is
//! known of its own already, in the order first, last, min, max, sum, resets, correction; what is
//! left goes through the learning coder. Knows no time.
//!
//! A counter's smallest is its first and its largest its last; a sum follows from the extremes where
//! no sample lies between them; in a flat bucket everything follows from one value.

use super::coder::{Bit, Coder, Decoder, Encoder};
use super::modelled::common_divisor;
use super::residual::{FINE, Residual, class};
use super::scale::Scale;
use super::{CodecError, priors};
use crate::model::BucketColumns;

/// What first and last are guessed from. Numbers are for ever.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// What came right before.
    Before = 0,
    /// What came right before, and the average of earlier steps.
    Slope = 1,
    /// The average of earlier buckets.
    Level = 2,
}

const GUESSES: [Guess; 3] = [Guess::Before, Guess::Slope, Guess::Level];

/// Fewer bits left of a column are not worth another guess.
const CHEAP: u32 = 64;

/// A bucket's values as whole numbers; sum and correction have a scale of their own.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Whole {
    first: i64,
    last: i64,
    min: i64,
    max: i64,
    sum: i64,
    resets: i64,
    correction: i64,
}

impl Whole {
    /// The same of every value; resets are none.
    fn map(self, each: impl Fn(i64) -> i64) -> Self {
        Self {
            first: each(self.first),
            last: each(self.last),
            min: each(self.min),
            max: each(self.max),
            sum: each(self.sum),
            resets: self.resets,
            correction: each(self.correction),
        }
    }
}

/// How the column is written.
#[derive(Clone, Copy)]
struct Head {
    values: Scale,
    sums: Scale,
    guess: Guess,
    /// What every whole number is a multiple of.
    unit: i64,
}

/// Scales and guess come first, each in bits that have learned what is usual.
fn code_head<C: Coder>(coder: &mut C, head: Head) -> Option<Head> {
    let mut number = |states: &mut [Bit], bits: u32, v: u8| {
        (0..bits).rev().fold(1, |node: usize, i| node * 2 + usize::from(states.get_mut(node).is_some_and(|state| coder.bit(state, v >> i & 1 == 1))))
            - (1 << bits)
    };
    let mut states = priors::head();
    let (scales, others) = states.split_at_mut(32);
    let (same, others) = others.split_at_mut(2);
    let (guesses, units) = others.split_at_mut(4);
    let values = number(scales, 5, head.values.number()) as u8;
    let differs = number(same, 1, u8::from(head.sums != head.values)) == 1;
    let sums = if differs { number(scales, 5, head.sums.number()) as u8 } else { values };
    let guess = number(guesses, 2, head.guess as u8);
    let size = number(units, 6, class(head.unit.unsigned_abs()).cast_unsigned() as u8);
    let unit = if size < 2 { 1 } else { (1 << (size - 1) | coder.plain(size as u32 - 1, head.unit.cast_unsigned() & ((1 << (size - 1)) - 1))).cast_signed() };
    Some(Head { values: Scale::of(values)?, sums: Scale::of(sums)?, guess: *GUESSES.get(guess)?, unit })
}

/// What is known after a bucket.
struct Past {
    last: i64,
    /// Averages of the steps to the first and from first to last, in sixteenths.
    gap: i64,
    rise: i64,
    /// The average of all samples, as a level.
    level: f64,
    /// Where between the extremes samples lie, and where they lie that come before a reset: 0 to 1.
    inside: f64,
    before_reset: f64,
    resets: i64,
    flat: usize,
    zeros: [usize; 7],
    begun: bool,
}

struct Model {
    head: Head,
    start: Residual,
    start_tree: [Bit; 64],
    flat: [Bit; 8],
    first: Residual,
    last: Residual,
    below: Residual,
    above: Residual,
    sum: Residual,
    resets: Residual,
    correction: Residual,
    /// Zero, as a sum.
    nothing: i64,
    past: Past,
}

/// Moves a quarter of the way, in sixteenths.
const fn follow(average: i64, v: i64) -> i64 {
    average.wrapping_add(v.wrapping_mul(16).wrapping_sub(average) >> 2)
}

const fn rounded(average: i64) -> i64 {
    average.wrapping_add(8) >> 4
}

/// How many bits a distance has.
fn width(a: i64, b: i64) -> i32 {
    class(a.abs_diff(b))
}

impl Model {
    fn new(head: Head) -> Self {
        let [start, first, last, below, above, sum, resets, correction] = priors::fields();
        let past = Past { last: 0, gap: 0, rise: 0, level: 0.0, inside: 0.5, before_reset: 0.7, resets: 0, flat: 0, zeros: [1; 7], begun: false };
        Self {
            head,
            start: Residual::new(start, 1),
            start_tree: priors::start(),
            flat: priors::flat(),
            first: Residual::new(first, 8),
            last: Residual::new(last, 8),
            below: Residual::new(below, 8),
            above: Residual::new(above, 8),
            sum: Residual::new(sum, 0),
            resets: Residual::new(resets, 2),
            correction: Residual::new(correction, 0),
            nothing: head.sums.nearest(0.0, head.values),
            past,
        }
    }

    fn bucket<C: Coder>(&mut self, coder: &mut C, count: u64, w: Whole) -> Whole {
        if !self.past.begun {
            let first = self.opening(coder, w.first);
            self.past.last = first;
            self.past.level = self.head.values.level(first);
            let size = class(first.unsigned_abs()) * FINE / 2;
            [&mut self.first, &mut self.last, &mut self.below, &mut self.above].into_iter().for_each(|model| model.expect(size));
        }
        let flat = self.flat_at(self.past.last, count);
        let context = if self.past.begun { self.past.flat.min(3) } else { 4 + usize::from(count > 1) };
        let is_flat = self.flat.get_mut(context).is_some_and(|state| !coder.bit(state, w != flat));
        let out = if is_flat { flat } else { self.uneven(coder, count, w) };
        self.learn(out, count, is_flat);
        out
    }

    /// The first value of all: its sign, how many bits it has, and these.
    fn opening<C: Coder>(&mut self, coder: &mut C, v: i64) -> i64 {
        let sign = self.start.code(coder, 0, v.signum());
        if sign == 0 {
            return 0;
        }
        let size = class(v.unsigned_abs()) - 1;
        let tree =
            (0..6).rev().fold(1, |node: usize, i| node * 2 + usize::from(self.start_tree.get_mut(node).is_some_and(|s| coder.bit(s, size >> i & 1 == 1))));
        let magnitude = self.start.digits(coder, (tree - 64) as i32 + 1, v.unsigned_abs()).cast_signed();
        if sign < 0 { magnitude.wrapping_neg() } else { magnitude }
    }

    /// The bucket where every sample is `v`.
    fn flat_at(&self, v: i64, count: u64) -> Whole {
        let sum = self.head.sums.nearest(self.head.values.level(v) * count as f64, self.head.values);
        Whole { first: v, last: v, min: v, max: v, sum, resets: 0, correction: self.nothing }
    }

    fn uneven<C: Coder>(&mut self, coder: &mut C, count: u64, w: Whole) -> Whole {
        let one = usize::from(count < 2);
        let first = if self.past.begun {
            let guess = self.guess(self.past.last, self.past.gap);
            guess.wrapping_add(self.first.code(coder, self.context(0), w.first.wrapping_sub(guess)))
        } else {
            self.past.last
        };
        let guess = if count < 2 { first } else { self.guess(first, self.past.rise) };
        let last = guess.wrapping_add(self.last.code(coder, self.context(1) + 4 * one, w.last.wrapping_sub(guess)));
        let (low, high) = (first.min(last), first.max(last));
        if !self.past.begun {
            let size = width(first, last).max(1) * FINE;
            [&mut self.below, &mut self.above].into_iter().for_each(|model| model.expect(size));
        }
        let two = usize::from(count < 3);
        let level = usize::from(low == high);
        let min = low.wrapping_sub(self.below.code(coder, self.context(2) + 4 * two + 8 * level, low.wrapping_sub(w.min)));
        let max = high.wrapping_add(self.above.code(coder, self.context(3) + 4 * two + 8 * level + 2 * usize::from(min == low), w.max.wrapping_sub(high)));
        let known = Whole { first, last, min, max, ..w };
        let sum = self.sum_of(coder, count, known);
        let resets = self.resets_of(coder, count, known);
        let correction = self.correction_of(coder, Whole { resets, ..known });
        Whole { sum, resets, correction, ..known }
    }

    fn guess(&self, before: i64, step: i64) -> i64 {
        match self.head.guess {
            Guess::Before => before,
            Guess::Slope => before.wrapping_add(rounded(step)),
            Guess::Level => self.head.values.nearest(self.past.level, self.head.values),
        }
    }

    /// Whether what was left of a part was zero, twice.
    fn context(&self, part: usize) -> usize {
        self.past.zeros.get(part).map_or(0, |zeros| zeros & 1)
    }

    fn sum_of<C: Coder>(&mut self, coder: &mut C, count: u64, w: Whole) -> i64 {
        let (known, inner) = self.known_of_sum(count, w);
        let level = |v| self.head.values.level(v);
        let (min, max) = (level(w.min), level(w.max));
        let guess = self.head.sums.nearest(known + inner * (min + self.past.inside * (max - min)), self.head.values);
        let settled = inner < 0.5 || w.min == w.max;
        let spread = (width(w.min, w.max) + class(inner as u64) / 2) * FINE;
        let learned = self.sum.expected();
        self.sum.expect(spread + learned);
        let context = if settled { 0 } else { 1 + self.context(4) + 2 * usize::from(inner < 1.5) };
        let sum = guess.wrapping_add(self.sum.code(coder, context, w.sum.wrapping_sub(guess)));
        self.sum.expect(self.sum.expected() - spread);
        sum
    }

    /// What first, last and the extremes add to the sum, and how many samples are left.
    fn known_of_sum(&self, count: u64, w: Whole) -> (f64, f64) {
        let level = |v| self.head.values.level(v);
        let (low, high) = (w.first.min(w.last), w.first.max(w.last));
        let mut known = if count < 2 { level(w.first) } else { level(w.first) + level(w.last) };
        let mut inner = count as f64 - if count < 2 { 1.0 } else { 2.0 };
        for (extreme, end) in [(w.min, low), (w.max, high)] {
            if extreme != end && inner > 0.5 {
                known += level(extreme);
                inner -= 1.0;
            }
        }
        (known, inner.max(0.0))
    }

    fn resets_of<C: Coder>(&mut self, coder: &mut C, count: u64, w: Whole) -> i64 {
        let fell = w.last < w.first;
        let straight = w.min == w.first && w.max == w.last;
        let guess = if count < 3 { i64::from(fell) } else { rounded(self.past.resets).max(i64::from(fell)) };
        let settled = count < 3 || w.min == w.max;
        let context = if settled { 0 } else { 1 + self.context(5) + 2 * usize::from(fell) + 4 * usize::from(straight) + 8 * usize::from(guess == 0) };
        guess.wrapping_add(self.resets.code(coder, context, w.resets.wrapping_sub(guess)))
    }

    fn correction_of<C: Coder>(&mut self, coder: &mut C, w: Whole) -> i64 {
        let level = |v| self.head.values.level(v);
        let (min, max) = (level(w.min), level(w.max));
        let guess = match w.resets {
            0 => self.nothing,
            1 => self.head.sums.nearest(max, self.head.values),
            n => self.head.sums.nearest(n as f64 * (min + self.past.before_reset * (max - min)), self.head.values),
        };
        let spread = (width(w.min, w.max) + class(w.resets.unsigned_abs()) / 2) * FINE;
        let learned = self.correction.expected();
        self.correction.expect(spread + learned);
        let context = if w.resets == 0 { 0 } else { 1 + self.context(6) + 2 * usize::from(w.resets == 1) };
        let correction = guess.wrapping_add(self.correction.code(coder, context, w.correction.wrapping_sub(guess)));
        self.correction.expect(self.correction.expected() - spread);
        correction
    }

    /// Averages follow; a bucket of a stale marker alone has no values to learn from.
    fn learn(&mut self, w: Whole, count: u64, is_flat: bool) {
        self.past.flat = if is_flat { self.past.flat + 1 } else { 0 };
        if count == 0 {
            self.past.begun = true;
            return;
        }
        let (values, sums) = (self.head.values, self.head.sums);
        let as_level = |v: i64| if values == sums { values.level(v) } else { sums.value(v) * values.unit() };
        if self.head.guess == Guess::Level {
            let mean = as_level(w.sum) / count as f64;
            self.past.level = if self.past.begun && self.past.level.is_finite() { self.past.level + (mean - self.past.level) * 0.3 } else { mean };
        }
        let (min, max) = (values.level(w.min), values.level(w.max));
        if max > min {
            let (known, inner) = self.known_of_sum(count, w);
            let place = |v: f64| Some((v - min) / (max - min)).filter(|p| p.is_finite()).unwrap_or(0.5).clamp(0.0, 1.0);
            if inner > 0.5 {
                self.past.inside += (place((as_level(w.sum) - known) / inner) - self.past.inside) * 0.2;
            }
            if w.resets > 1 {
                self.past.before_reset += (place(as_level(w.correction) / w.resets as f64) - self.past.before_reset) * 0.2;
            }
        }
        let steps = [w.first.wrapping_sub(self.past.last), w.last.wrapping_sub(w.first)];
        (self.past.gap, self.past.rise) =
            if self.past.begun { (follow(self.past.gap, steps[0]), follow(self.past.rise, steps[1])) } else { (0, steps[1].wrapping_mul(16)) };
        self.past.resets = if self.past.begun { follow(self.past.resets, w.resets) } else { w.resets.wrapping_mul(16) };
        let low = w.first.min(w.last);
        let high = w.first.max(w.last);
        self.past.zeros = [steps[0] == 0, steps[1] == 0, w.min == low, w.max == high, is_flat, w.resets == 0, w.correction == 0].map(usize::from);
        self.past.last = w.last;
        self.past.begun = true;
    }
}

/// The values, after the guess that is likely to leave the least.
pub(super) fn encode(b: &BucketColumns) -> Vec<u8> {
    let column = Column::of(b);
    column.encode(column.likely_guess())
}

/// The values in the smallest of all guesses.
#[cfg(test)]
pub(super) fn smallest(b: &BucketColumns) -> Vec<u8> {
    let column = Column::of(b);
    let guesses = if b.len() < 2 { 1 } else { GUESSES.len() };
    GUESSES.into_iter().take(guesses).map(|guess| column.encode(guess)).min_by_key(Vec::len).unwrap_or_default()
}

/// Buckets as whole numbers.
struct Column<'a> {
    head: Head,
    whole: Vec<Whole>,
    counts: &'a [u64],
}

impl<'a> Column<'a> {
    fn of(b: &'a BucketColumns) -> Self {
        let values = Scale::holding(b.first.iter().chain(&b.last).chain(&b.min).chain(&b.max));
        let sums = || b.sum.iter().chain(&b.correction);
        let same = values == Scale::Bits || sums().all(|v| values.whole(*v).is_some());
        let sums = if same { values } else { Scale::holding(sums()) };
        let mut whole = wholes(b, values, sums);
        let unit = if values == sums && values != Scale::Bits { unit(&whole) } else { 1 };
        if unit > 1 {
            whole.iter_mut().for_each(|w| *w = w.map(|v| v / unit));
        }
        Self { head: Head { values, sums, guess: Guess::Before, unit }, whole, counts: &b.count }
    }

    fn encode(&self, guess: Guess) -> Vec<u8> {
        let head = Head { guess, ..self.head };
        let mut coder = Encoder::new();
        code_head(&mut coder, head);
        let mut model = Model::new(head);
        for (w, count) in self.whole.iter().zip(self.counts) {
            model.bucket(&mut coder, *count, *w);
        }
        coder.finish()
    }

    fn likely_guess(&self) -> Guess {
        if self.whole.len() < 2 {
            return Guess::Before;
        }
        let before = self.cost(Guess::Before, u32::MAX);
        let mut best = (before, Guess::Before);
        // Where nothing rises, only what was right before is cheap.
        for guess in GUESSES.into_iter().skip(1).filter(|_| before > CHEAP) {
            let cost = self.cost(guess, best.0);
            if cost < best.0 {
                best = (cost, guess);
            }
        }
        best.1
    }

    /// The bits that a guess leaves of first and last, roughly; it stops past `most`.
    fn cost(&self, guess: Guess, most: u32) -> u32 {
        let mut model = Model::new(Head { guess, ..self.head });
        let mut cost = 0;
        let left = |guess: i64, v: i64| if guess == v { 0 } else { width(guess, v).cast_unsigned() + 2 };
        for (w, count) in self.whole.iter().zip(self.counts) {
            let is_flat = model.past.begun && *w == model.flat_at(model.past.last, *count);
            if !model.past.begun {
                model.past.last = w.first;
            } else if !is_flat {
                cost += left(model.guess(model.past.last, model.past.gap), w.first);
            }
            if !is_flat && *count > 1 {
                cost += left(model.guess(w.first, model.past.rise), w.last);
            }
            if cost > most {
                break;
            }
            model.learn(*w, *count, is_flat);
        }
        cost
    }
}

/// What every value is a multiple of.
fn unit(whole: &[Whole]) -> i64 {
    let mut unit = 0;
    for w in whole {
        for v in [w.first, w.last, w.min, w.max, w.sum, w.correction] {
            unit = common_divisor(unit, v.unsigned_abs());
        }
        if unit == 1 {
            break;
        }
    }
    i64::try_from(unit).unwrap_or(1).max(1)
}

/// Both scales hold every value.
fn wholes(b: &BucketColumns, values: Scale, sums: Scale) -> Vec<Whole> {
    let whole = |scale: Scale, v: f64| scale.whole(v).unwrap_or_default();
    b.iter()
        .map(|bucket| Whole {
            first: whole(values, bucket.first),
            last: whole(values, bucket.last),
            min: whole(values, bucket.min),
            max: whole(values, bucket.max),
            sum: whole(sums, bucket.sum),
            resets: bucket.resets.cast_signed(),
            correction: whole(sums, bucket.correction),
        })
        .collect()
}

/// Reads what [`encode`] wrote into buckets that have their frame already.
pub(super) fn decode(bytes: &[u8], b: &mut BucketColumns) -> Result<(), CodecError> {
    let mut coder = Decoder::new(bytes);
    let any = Head { values: Scale::Bits, sums: Scale::Bits, guess: Guess::Before, unit: 1 };
    let head = code_head(&mut coder, any).ok_or(CodecError::Damaged("scale of buckets"))?;
    let mut model = Model::new(head);
    let columns = [&mut b.first, &mut b.last, &mut b.min, &mut b.max, &mut b.sum, &mut b.correction];
    columns.into_iter().for_each(|column| column.reserve(b.count.len()));
    b.resets.reserve(b.count.len());
    let (mut values, mut sums, mut corrections) = (Known::new(head.values), Known::new(head.sums), Known::new(head.sums));
    for count in &b.count {
        let w = model.bucket(&mut coder, *count, Whole::default()).map(|v| v.wrapping_mul(head.unit));
        if coder.is_beyond() {
            return Err(CodecError::Truncated);
        }
        b.first.push(values.of(w.first));
        b.last.push(values.of(w.last));
        b.min.push(values.of(w.min));
        b.max.push(values.of(w.max));
        b.sum.push(sums.of(w.sum));
        b.resets.push(w.resets.cast_unsigned());
        b.correction.push(corrections.of(w.correction));
    }
    coder.finish()
}

/// Remembers the last value: neighbours are often the same.
struct Known {
    scale: Scale,
    whole: i64,
    value: f64,
}

impl Known {
    fn new(scale: Scale) -> Self {
        Self { scale, whole: 0, value: scale.value(0) }
    }

    #[inline]
    fn of(&mut self, whole: i64) -> f64 {
        if whole != self.whole {
            *self = Self { whole, value: self.scale.value(whole), scale: self.scale };
        }
        self.value
    }
}
