//! Adding, subtracting and scaling. What additions lose is kept beside each number, so that sums over many
//! histograms are as exact as sums of floats.

use super::super::kahan::Sum;
use super::bounds::{bounds, coarser, is_custom, of_pairs, upper};
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint};

/// Exponential and custom buckets do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Incompatible;

/// What is to be said of an addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Merged {
    /// One began anew and the other did not.
    pub(in super::super) collision: bool,
    /// Custom bounds differed: those in both were kept.
    pub(in super::super) reconciled: bool,
}

/// A histogram that is added to.
#[derive(Clone, Debug)]
pub(in super::super) struct Wide {
    schema: i32,
    zero_threshold: f64,
    zero: Sum,
    count: Sum,
    sum: Sum,
    /// By index, ascending.
    positive: Vec<(i32, Sum)>,
    negative: Vec<(i32, Sum)>,
    custom: Vec<f64>,
    hint: ResetHint,
}

fn start(v: f64) -> Sum {
    Sum { sum: v, lost: 0.0 }
}

fn join(into: &mut Sum, other: Sum, sign: f64) {
    into.add(sign * other.sum);
    into.lost += sign * other.lost;
}

impl Wide {
    pub(in super::super) fn of(h: &Histogram) -> Self {
        let side = |buckets: &crate::model::Buckets| buckets.iter().map(|(i, c)| (i, start(c))).collect();
        Self {
            schema: h.schema,
            zero_threshold: h.zero_threshold,
            zero: start(h.zero_count),
            count: start(h.count),
            sum: start(h.sum),
            positive: side(&h.positive),
            negative: side(&h.negative),
            custom: h.custom_values.clone(),
            hint: h.reset_hint,
        }
    }

    /// With empty buckets left out.
    pub(in super::super) fn finish(&self) -> Histogram {
        let value = |s: &Sum| if s.sum.is_finite() { s.value() } else { s.sum };
        let side = |pairs: &[(i32, Sum)]| of_pairs(pairs.iter().map(|(i, s)| (*i, value(s))).filter(|(_, c)| *c != 0.0));
        Histogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: value(&self.zero),
            count: value(&self.count),
            sum: value(&self.sum),
            positive: side(&self.positive),
            negative: side(&self.negative),
            custom_values: self.custom.clone(),
            reset_hint: self.hint,
        }
    }

    pub(in super::super) fn set_hint(&mut self, hint: ResetHint) {
        self.hint = hint;
    }

    /// Whether a number in it grew beyond all bounds.
    pub(in super::super) fn has_overflow(&self) -> bool {
        let sides = self.positive.iter().chain(&self.negative).map(|(_, s)| s);
        [&self.zero, &self.count, &self.sum].into_iter().chain(sides).any(|s| s.sum.is_infinite())
    }

    /// Every number times a factor; a negative one makes it no counter.
    pub(in super::super) fn scale(&mut self, factor: f64) {
        self.each(|v| v * factor);
        if factor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    /// Every number divided; by zero nothing is left of the buckets.
    pub(in super::super) fn divide(&mut self, by: f64) {
        self.each(|v| v / by);
        if by == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
        if by < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    fn each(&mut self, f: impl Fn(f64) -> f64) {
        let sides = self.positive.iter_mut().chain(&mut self.negative).map(|(_, s)| s);
        for s in [&mut self.zero, &mut self.count, &mut self.sum].into_iter().chain(sides) {
            *s = Sum { sum: f(s.sum), lost: if s.lost == 0.0 { 0.0 } else { f(s.lost) } };
        }
    }

    pub(in super::super) fn add(&mut self, other: &Histogram) -> Result<Merged, Incompatible> {
        self.merge(other, 1.0)
    }

    pub(in super::super) fn sub(&mut self, other: &Histogram) -> Result<Merged, Incompatible> {
        self.merge(other, -1.0)
    }

    fn merge(&mut self, other: &Histogram, sign: f64) -> Result<Merged, Incompatible> {
        if (self.schema == CUSTOM_BUCKETS_SCHEMA) != is_custom(other) {
            return Err(Incompatible);
        }
        let collision = self.merge_hint(other.reset_hint);
        let mut other = Self::of(other);
        let mut reconciled = false;
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            if self.custom != other.custom {
                reconciled = true;
                let common = common_bounds(&self.custom, &other.custom);
                self.rebound(&common);
                other.rebound(&common);
            }
        } else {
            self.align_zero(&mut other);
            join(&mut self.zero, other.zero, sign);
            let schema = self.schema.min(other.schema);
            self.reduce(schema);
            other.reduce(schema);
        }
        join(&mut self.count, other.count, sign);
        join(&mut self.sum, other.sum, sign);
        self.positive = merged(std::mem::take(&mut self.positive), &other.positive, sign);
        self.negative = merged(std::mem::take(&mut self.negative), &other.negative, sign);
        Ok(Merged { collision, reconciled })
    }

    /// Says whether one began anew and the other did not.
    fn merge_hint(&mut self, other: ResetHint) -> bool {
        match (self.hint, other) {
            (a, b) if a == b => {}
            (ResetHint::Gauge | ResetHint::Unknown, ResetHint::NotReset | ResetHint::Reset) | (ResetHint::Gauge, ResetHint::Unknown) => {}
            (_, ResetHint::Gauge) => self.hint = ResetHint::Gauge,
            (_, ResetHint::Unknown) => self.hint = ResetHint::Unknown,
            _ => {
                self.hint = ResetHint::Unknown;
                return true;
            }
        }
        false
    }

    /// Takes the resolution down to a schema.
    pub(in super::super) fn reduce(&mut self, schema: i32) {
        if self.schema == CUSTOM_BUCKETS_SCHEMA || schema >= self.schema {
            return;
        }
        for side in [&mut self.positive, &mut self.negative] {
            *side = rebuilt(side.drain(..).map(|(i, s)| (coarser(i, self.schema, schema), s)));
        }
        self.schema = schema;
    }

    /// Puts its counts into other bounds, all of which it has itself.
    fn rebound(&mut self, common: &[f64]) {
        let moved = self.positive.drain(..).map(|(i, s)| (target(i, &self.custom, common), s)).collect::<Vec<_>>();
        self.positive = rebuilt(moved.into_iter());
        self.custom = common.to_vec();
    }

    /// Widens the zero buckets of both until they are the same and cut no bucket that holds something.
    fn align_zero(&mut self, other: &mut Self) {
        while self.zero_threshold != other.zero_threshold {
            if self.zero_threshold > other.zero_threshold {
                other.widen(self.zero_threshold);
            }
            if other.zero_threshold > self.zero_threshold {
                self.widen(other.zero_threshold);
            }
        }
    }

    /// Widens the zero bucket to a threshold, or beyond where that falls into a populated bucket.
    pub(super) fn widen(&mut self, threshold: f64) {
        let mut threshold = threshold;
        while let Some(beyond) = self.cut_by(threshold) {
            threshold = beyond;
        }
        for side in [&mut self.positive, &mut self.negative] {
            side.retain(|(index, s)| {
                let inside = bounds(*index, self.schema, &[]).0 < threshold;
                if inside {
                    join(&mut self.zero, *s, 1.0);
                }
                !inside
            });
        }
        self.zero_threshold = threshold;
    }

    /// The far bound of a populated bucket that a threshold falls into.
    fn cut_by(&self, threshold: f64) -> Option<f64> {
        let cut = |(index, s): &(i32, Sum)| {
            let (lower, upper) = bounds(*index, self.schema, &[]);
            (s.sum != 0.0 && lower < threshold && upper > threshold).then_some(upper)
        };
        self.positive.iter().find_map(cut).or_else(|| self.negative.iter().find_map(cut))
    }
}

/// Bounds in both.
fn common_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().copied().filter(|bound| b.contains(bound)).collect()
}

/// Where a bucket of custom bounds goes in coarser ones.
fn target(index: i32, from: &[f64], to: &[f64]) -> i32 {
    let bound = upper(index, CUSTOM_BUCKETS_SCHEMA, from);
    i32::try_from(to.iter().position(|other| *other >= bound).unwrap_or(to.len())).unwrap_or(i32::MAX)
}

/// Joins what has the same index; indices do not fall.
fn rebuilt(pairs: impl Iterator<Item = (i32, Sum)>) -> Vec<(i32, Sum)> {
    let mut out: Vec<(i32, Sum)> = Vec::new();
    for (index, s) in pairs {
        match out.last_mut() {
            Some((last, into)) if *last == index => join(into, s, 1.0),
            _ => out.push((index, s)),
        }
    }
    out
}

fn merged(a: Vec<(i32, Sum)>, b: &[(i32, Sum)], sign: f64) -> Vec<(i32, Sum)> {
    if b.is_empty() {
        return a;
    }
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    let (mut a, mut b) = (a.into_iter().peekable(), b.iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some((i, _)), Some((j, _))) if i == j => {
                if let (Some((i, mut s)), Some((_, other))) = (a.next(), b.next()) {
                    join(&mut s, *other, sign);
                    out.push((i, s));
                }
            }
            (Some((i, _)), Some((j, _))) if i < j => out.extend(a.next()),
            (Some(_), None) => out.extend(a.next()),
            (_, Some(_)) => out.extend(b.next().map(|(j, s)| (*j, Sum { sum: sign * s.sum, lost: sign * s.lost }))),
            (None, None) => return out,
        }
    }
}

/// Every number times a factor, with empty buckets left out.
pub(in super::super) fn scaled(h: &Histogram, factor: f64) -> Histogram {
    let mut wide = Wide::of(h);
    wide.scale(factor);
    wide.finish()
}

/// Every number divided, with empty buckets left out.
pub(in super::super) fn divided(h: &Histogram, by: f64) -> Histogram {
    let mut wide = Wide::of(h);
    wide.divide(by);
    wide.finish()
}

/// With empty buckets left out.
pub(in super::super) fn compacted(h: &Histogram) -> Histogram {
    Wide::of(h).finish()
}

/// Whether two are the same in all but the hint.
pub(in super::super) fn same(a: &Histogram, b: &Histogram) -> bool {
    let equal = |a: f64, b: f64| a.to_bits() == b.to_bits() || a == b;
    let sides = |a: &crate::model::Buckets, b: &crate::model::Buckets| {
        a.counts.len() == b.counts.len() && a.iter().zip(b.iter()).all(|((i, c), (j, d))| i == j && equal(c, d))
    };
    a.schema == b.schema
        && equal(a.zero_threshold, b.zero_threshold)
        && equal(a.zero_count, b.zero_count)
        && equal(a.count, b.count)
        && equal(a.sum, b.sum)
        && a.custom_values == b.custom_values
        && sides(&a.positive, &b.positive)
        && sides(&a.negative, &b.negative)
}
