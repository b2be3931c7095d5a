//! The robust slope of a column, how sure it is, and the direction that may be said.
//!
//! 1. Values that are not finite are left out; of more than [`MAX_POINTS`] every k-th is taken.
//! 2. The slope is the median of the slopes of all pairs (Theil 1950, Sen 1968): up to 29 % of the
//!    values may be outliers without moving it far.
//! 3. Whether there is a trend at all is the test of Mann (1945) and Kendall (1975): S counts pairs
//!    that rise less pairs that fall. Its variance takes ties into account (Kendall 1975, ch. 4).
//! 4. Neighbours in time resemble each other, which makes chance look like a trend. The variance is
//!    made larger as Hamed and Rao (1998) do, by the autocorrelation of the ranks of the values without
//!    their trend. Unlike them only the lags before the first that is not significant are summed
//!    (Geyer's initial sequence, 1992), so the factor is never below 1: this errs to "flat".
//! 5. The interval of the slope is Sen's (1968, also Gilbert 1987, section 16.5): the slopes that stand
//!    z·√Var(S)/2 places to either side of the median.
//! 6. "Flat" where the interval holds 0, or where the change over the whole range is small beside the
//!    noise round the line or beside the level.
//!
//! Cost: n²/2 pairs, at most 180,000, each selected in linear time. Equal distances in time are
//! assumed by step 4 alone. Knows no metric and no counter: a total that only rises has a trend up.

use crate::model::{Column, Timestamp};

/// More points than this are thinned: the slope of 600 is as good, and the cost stays bounded.
const MAX_POINTS: usize = 600;
/// Fewer points than this say nothing: the test's normal approximation holds from 10 on (Kendall 1975).
pub(crate) const MIN_POINTS: usize = 10;
/// A change over the range below this share of the noise cannot be seen in the values.
const NEGLIGIBLE_OF_NOISE: f64 = 0.5;
/// A change over the range below this share of the level is nothing that anybody acts on.
const NEGLIGIBLE_OF_LEVEL: f64 = 1e-4;
/// Makes the median of absolute deviations the standard deviation of normal noise.
const MAD_TO_SIGMA: f64 = 1.4826;
/// How many standard deviations hold 95 %.
const Z_95: f64 = 1.959_964;
/// How many standard deviations hold 80 %.
const Z_80: f64 = 1.281_552;

/// Where a series goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Up,
    Down,
    Flat,
}

impl Direction {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Flat => "flat",
        }
    }
}

/// How sure an interval is, of 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    P80,
    P95,
}

impl Level {
    pub(super) const fn percent(self) -> u8 {
        match self {
            Self::P80 => 80,
            Self::P95 => 95,
        }
    }

    pub(super) const fn z(self) -> f64 {
        match self {
            Self::P80 => Z_80,
            Self::P95 => Z_95,
        }
    }
}

/// Too few values for a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLittle {
    /// Finite values there are.
    pub points: usize,
    /// Values that are NaN or infinite.
    pub unusable: usize,
}

/// A straight line through a column, with its uncertainty. Slopes are per second.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// Where it goes.
    pub direction: Direction,
    /// Change per second.
    pub slope: f64,
    /// The slope's interval of 95 %.
    pub slope_95: (f64, f64),
    /// The slope's interval of 80 %.
    pub slope_80: (f64, f64),
    /// Where the line has its middle: the mean of the first and the last time.
    pub middle: Timestamp,
    /// The line's value in its middle.
    pub level: f64,
    /// The newest time.
    pub last: Timestamp,
    /// From the first time to the last, in seconds.
    pub span_seconds: f64,
    /// Standard deviation of the noise round the line, by the median of absolute residuals.
    pub noise: f64,
    /// Residuals, ascending.
    pub residuals: Vec<f64>,
    /// How many values tell as much as one independent one; at least 1.
    pub inflation: f64,
}

impl Trend {
    /// The line at a time.
    #[must_use]
    pub fn at(&self, t: Timestamp) -> f64 {
        self.level + self.slope * seconds_between(self.middle.0, t.0)
    }

    pub(super) const fn slope_within(&self, level: Level) -> (f64, f64) {
        match level {
            Level::P80 => self.slope_80,
            Level::P95 => self.slope_95,
        }
    }
}

/// The trend of a column (times ascending).
///
/// # Errors
/// Fewer than [`MIN_POINTS`] finite values.
pub(crate) fn trend(column: &Column) -> Result<Trend, TooLittle> {
    let (t, v) = usable(column);
    let (Some(&first), Some(&last)) = (t.first(), t.last()) else { return Err(TooLittle { points: 0, unusable: column.len() }) };
    if t.len() < MIN_POINTS {
        return Err(TooLittle { points: t.len(), unusable: column.len() - t.len() });
    }
    let mut pairs = Pairs::of(&t, &v);
    let slope = median(&mut pairs.slopes);
    let middle = first + (last - first) / 2;
    let mut residuals: Vec<f64> = t.iter().zip(&v).map(|(t, v)| v - slope * seconds_between(middle, *t)).collect();
    let inflation = inflation(&residuals);
    let level = median(&mut residuals.clone());
    residuals.iter_mut().for_each(|r| *r -= level);
    residuals.sort_by(f64::total_cmp);
    let noise = MAD_TO_SIGMA * median(&mut residuals.iter().map(|r| r.abs()).collect::<Vec<_>>());
    let deviation = (variance_of_s(&v) * inflation).sqrt();
    let within = |level: Level, pairs: &mut Pairs| pairs.interval(level.z() * deviation);
    let (slope_95, slope_80) = (within(Level::P95, &mut pairs), within(Level::P80, &mut pairs));
    let span_seconds = seconds_between(first, last);
    let level_size = median(&mut v.iter().map(|v| v.abs()).collect::<Vec<_>>());
    let negligible = (NEGLIGIBLE_OF_NOISE * noise).max(NEGLIGIBLE_OF_LEVEL * level_size);
    let direction = direction(slope, slope_95, slope * span_seconds, negligible);
    Ok(Trend { direction, slope, slope_95, slope_80, middle: Timestamp(middle), level, last: Timestamp(last), span_seconds, noise, residuals, inflation })
}

fn direction(slope: f64, (low, high): (f64, f64), change: f64, negligible: f64) -> Direction {
    let sure = low > 0.0 || high < 0.0;
    match slope {
        _ if !sure || change.abs() <= negligible => Direction::Flat,
        slope if slope > 0.0 => Direction::Up,
        _ => Direction::Down,
    }
}

fn seconds_between(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / 1000.0
}

/// Finite values with their times, thinned.
fn usable(column: &Column) -> (Vec<i64>, Vec<f64>) {
    let finite: Vec<(i64, f64)> = column.t.iter().copied().zip(column.v.iter().copied()).filter(|(_, v)| v.is_finite()).collect();
    if finite.len() <= MAX_POINTS {
        return finite.into_iter().unzip();
    }
    // The first and the last stay: they say over which time the trend is.
    let (all, kept) = (finite.len() - 1, MAX_POINTS - 1);
    (0..MAX_POINTS).filter_map(|i| finite.get(i * all / kept).copied()).unzip()
}

/// What all pairs say.
struct Pairs {
    /// Slopes per second of all pairs, in no order.
    slopes: Vec<f64>,
}

impl Pairs {
    fn of(t: &[i64], v: &[f64]) -> Self {
        let mut slopes = Vec::with_capacity(t.len() * t.len().saturating_sub(1) / 2);
        for (i, (ti, vi)) in t.iter().zip(v).enumerate() {
            slopes.extend(t.iter().zip(v).skip(i + 1).map(|(tj, vj)| (vj - vi) / seconds_between(*ti, *tj)));
        }
        Self { slopes }
    }

    /// Sen's interval: the slopes at the places `(N ± reach) / 2`.
    fn interval(&mut self, reach: f64) -> (f64, f64) {
        let n = self.slopes.len();
        let place = |rank: f64| (rank.max(0.0) as usize).min(n.saturating_sub(1));
        // The M1-th and the (M2+1)-th smallest, counted from 1.
        let (low, high) = (place(((n as f64 - reach) / 2.0).floor() - 1.0), place(((n as f64 + reach) / 2.0).ceil()));
        (nth(&mut self.slopes, low), nth(&mut self.slopes, high))
    }
}

/// The variance of S without a trend, less what ties take from it.
fn variance_of_s(v: &[f64]) -> f64 {
    let mut sorted = v.to_vec();
    sorted.sort_by(f64::total_cmp);
    let of = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|tied| of(tied.len() as f64)).sum();
    ((of(v.len() as f64) - ties) / 18.0).max(0.0)
}

/// By how much autocorrelation makes the variance of S larger (Hamed and Rao 1998, equation 15).
fn inflation(without_trend: &[f64]) -> f64 {
    let ranks = ranks(without_trend);
    let n = ranks.len() as f64;
    let mean = ranks.iter().sum::<f64>() / n;
    let square: f64 = ranks.iter().map(|r| (r - mean).powi(2)).sum();
    if square <= 0.0 {
        return 1.0;
    }
    let significant = Z_95 / n.sqrt();
    let mut sum = 0.0;
    for lag in 1..ranks.len() / 2 {
        let product: f64 = ranks.iter().zip(ranks.iter().skip(lag)).map(|(a, b)| (a - mean) * (b - mean)).sum();
        let rho = product / square;
        if rho < significant {
            break;
        }
        let left = n - lag as f64;
        sum += left * (left - 1.0) * (left - 2.0) * rho;
    }
    1.0 + 2.0 * sum / (n * (n - 1.0) * (n - 2.0))
}

/// The place of each value in their order, from 1; equal ones share their mean place.
fn ranks(v: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..v.len()).collect();
    order.sort_by(|a, b| v[*a].total_cmp(&v[*b]));
    let mut out = vec![0.0; v.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| v[*a] == v[*b]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|i| out[*i] = rank);
        before += tied.len();
    }
    out
}

/// The value at a place of the order, from 0. Reorders `v`.
fn nth(v: &mut [f64], place: usize) -> f64 {
    if place >= v.len() {
        return f64::NAN;
    }
    *v.select_nth_unstable_by(place, f64::total_cmp).1
}

/// The middle value, of an even number the mean of the two. Reorders `v`.
fn median(v: &mut [f64]) -> f64 {
    let high = nth(v, v.len() / 2);
    if v.len() % 2 == 1 { high } else { f64::midpoint(nth(v, (v.len() / 2).saturating_sub(1)), high) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const STEP_MS: i64 = 15_000;

    /// Noise that is the same at every run: sums of a linear congruential generator, nearly normal.
    pub(in super::super) struct Noise(u64);

    impl Noise {
        pub(in super::super) fn seeded(seed: u64) -> Self {
            Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
        }

        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        /// Mean 0, standard deviation 1.
        pub(in super::super) fn normal(&mut self) -> f64 {
            (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
        }
    }

    pub(in super::super) fn column(n: usize, mut value: impl FnMut(f64) -> f64) -> Column {
        let mut out = Column::default();
        for i in 0..n {
            let t = i as i64 * STEP_MS;
            out.push(1_764_000_000_000 + t, value(t as f64 / 1000.0));
        }
        out
    }

    #[test]
    fn a_straight_line_has_its_slope_and_a_narrow_interval() {
        let found = trend(&column(100, |s| 5.0 + 0.25 * s)).unwrap();
        assert!((found.slope - 0.25).abs() < 1e-9, "{found:?}");
        assert!(found.slope_95.0 <= found.slope && found.slope <= found.slope_95.1);
        assert_eq!(found.direction, Direction::Up);
        assert!((found.at(Timestamp(1_764_000_000_000 + 100 * STEP_MS)) - (5.0 + 0.25 * 1500.0)).abs() < 1e-6);
    }

    #[test]
    fn a_constant_is_flat_with_slope_0() {
        let found = trend(&column(50, |_| 7.0)).unwrap();
        assert_eq!((found.direction, found.slope, found.slope_95, found.noise), (Direction::Flat, 0.0, (0.0, 0.0), 0.0));
    }

    #[test]
    fn a_quarter_of_outliers_does_not_move_the_slope_far() {
        let mut noise = Noise::seeded(3);
        let mut i = 0;
        let found = trend(&column(200, |s| {
            i += 1;
            if i % 4 == 0 { 1e6 } else { -0.1 * s + noise.normal() }
        }))
        .unwrap();
        assert!((found.slope + 0.1).abs() < 0.03, "{}", found.slope);
        assert_eq!(found.direction, Direction::Down);
    }

    #[test]
    fn the_interval_holds_the_true_slope_about_as_often_as_it_says() {
        let hits = |slope: f64| {
            (0..200)
                .filter(|seed| {
                    let mut noise = Noise::seeded(*seed);
                    let (low, high) = trend(&column(80, |s| slope * s + noise.normal())).unwrap().slope_95;
                    low <= slope && slope <= high
                })
                .count()
        };
        for slope in [0.0, 0.01] {
            let hits = hits(slope);
            assert!((182..=199).contains(&hits), "{hits} of 200 for slope {slope}");
        }
    }

    #[test]
    fn noise_that_remembers_is_rarely_taken_for_a_trend() {
        let wrong = (0..100)
            .filter(|seed| {
                let (mut noise, mut state) = (Noise::seeded(*seed), 0.0);
                let found = trend(&column(200, |_| {
                    state = 0.7 * state + noise.normal();
                    state
                }));
                found.unwrap().direction != Direction::Flat
            })
            .count();
        // Without the correction it is more than every third.
        assert!(wrong <= 12, "{wrong} of 100 taken for a trend");
    }

    #[test]
    fn a_change_that_nobody_would_see_is_flat() {
        let mut noise = Noise::seeded(9);
        // Sure by its number of points, yet a third of the noise over the whole range.
        let small = trend(&column(600, |s| s * 0.33 / 9000.0 + noise.normal())).unwrap();
        assert_eq!(small.direction, Direction::Flat);
        let beside_level = trend(&column(100, |s| 1e12 + s)).unwrap();
        assert_eq!(beside_level.direction, Direction::Flat);
    }

    #[test]
    fn too_few_or_unusable_values_say_how_many() {
        let mut i = 0;
        let found = trend(&column(12, |_| {
            i += 1;
            if i > 4 { f64::NAN } else { 1.0 }
        }));
        assert_eq!(found, Err(TooLittle { points: 4, unusable: 8 }));
        assert_eq!(trend(&Column::default()), Err(TooLittle { points: 0, unusable: 0 }));
    }

    #[test]
    fn many_points_are_thinned_and_give_the_same_slope() {
        let found = trend(&column(20_000, |s| 0.5 * s)).unwrap();
        assert!((found.slope - 0.5).abs() < 1e-9);
        assert_eq!((found.residuals.len(), found.span_seconds), (MAX_POINTS, 19_999.0 * 15.0));
    }

    #[test]
    fn huge_values_neither_panic_nor_claim_a_direction_from_nothing() {
        let mut i = 0;
        let found = trend(&column(30, |_| {
            i += 1;
            if i % 2 == 0 { f64::MAX } else { -f64::MAX }
        }))
        .unwrap();
        assert_eq!(found.direction, Direction::Flat);
    }

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }
}
