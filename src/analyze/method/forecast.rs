//! Where the line of a trend goes on, and how far from it values may lie.
//!
//! The prediction is the line itself. Its bounds join, as independent errors do (by squares), how far
//! values lay from the line so far and how far the line may turn: the slope's interval times the
//! distance from the line's middle, so that they widen with time. The first is the larger of the
//! residuals' own quantile and what normal noise would give, so that few points do not make it sure.
//!
//! Nothing is clipped: a share may pass 100 % and free space fall below 0, for when it does is what is
//! asked. Not known here: seasons, and steps that come again; a past such step widens the bounds only.

use std::time::Duration;

use super::trend::{Level, Trend};
use crate::model::Timestamp;

/// Points of a forecast.
const POINTS: u32 = 60;
/// The method's name in answers.
const METHOD: &str = "theil_sen_linear";

/// Times ahead with the values to be expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Times ascending, the last at the horizon, with the line's values.
    pub points: Vec<(Timestamp, f64)>,
    /// The bounds, the narrower first.
    pub intervals: Vec<Interval>,
    /// How it was made.
    pub method: &'static str,
}

/// Between what a share of the values to come should lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// The share, of 100.
    pub level: u8,
    /// Time, low, high; at the times of the forecast.
    pub points: Vec<(Timestamp, f64, f64)>,
}

/// Goes on with the line from its last time for `horizon`.
#[must_use]
pub(crate) fn forecast(trend: &Trend, horizon: Duration) -> Forecast {
    // Shorter than a millisecond a step would be none.
    let count = u32::try_from(horizon.as_millis()).unwrap_or(POINTS).clamp(1, POINTS);
    let times: Vec<Timestamp> = (1..=count).map(|i| trend.last + horizon.mul_f64(f64::from(i) / f64::from(count))).collect();
    let points = times.iter().map(|t| (*t, trend.at(*t))).collect();
    let intervals = [Level::P80, Level::P95].into_iter().map(|level| interval(trend, &times, level)).collect();
    Forecast { points, intervals, method: METHOD }
}

fn interval(trend: &Trend, times: &[Timestamp], level: Level) -> Interval {
    let outside = (1.0 - f64::from(level.percent()) / 100.0) / 2.0;
    let n = trend.residuals.len() as f64;
    // The level of the line is itself a mean of `n / inflation` independent values.
    let unsure_level = (1.0 + trend.inflation / n).sqrt();
    let least = level.z() * trend.noise;
    let below = least.max(-quantile(&trend.residuals, outside)) * unsure_level;
    let above = least.max(quantile(&trend.residuals, 1.0 - outside)) * unsure_level;
    let (slowest, fastest) = trend.slope_within(level);
    let bounds = |t: &Timestamp| {
        let distance = t.seconds() - trend.middle.seconds();
        let low = below.hypot((trend.slope - slowest) * distance);
        let high = above.hypot((fastest - trend.slope) * distance);
        let expected = trend.at(*t);
        (*t, expected - low, expected + high)
    };
    Interval { level: level.percent(), points: times.iter().map(bounds).collect() }
}

/// Of ascending values, between the two neighbours where the place is no whole number.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * sorted.len().saturating_sub(1) as f64;
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0.0);
    let (low, high) = (at(place.floor() as usize), at(place.ceil() as usize));
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::super::trend::tests::{Noise, column};
    use super::super::trend::trend;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_line_goes_on_to_the_horizon_and_its_bounds_widen() {
        let mut noise = Noise::seeded(1);
        let found = trend(&column(120, |s| 10.0 + 0.02 * s + noise.normal())).unwrap();
        let ahead = forecast(&found, Duration::from_secs(3600));
        let (last, value) = *ahead.points.last().unwrap();
        assert_eq!(last, found.last + Duration::from_secs(3600));
        assert!((value - (10.0 + 0.02 * (119.0 * 15.0 + 3600.0))).abs() < 10.0, "{value}");
        let width = |level: usize, i: usize| ahead.intervals[level].points[i].2 - ahead.intervals[level].points[i].1;
        assert_eq!([ahead.intervals[0].level, ahead.intervals[1].level], [80, 95]);
        assert!(width(0, 59) > width(0, 0) && width(1, 59) > width(1, 0) && width(1, 0) > width(0, 0));
    }

    #[test]
    fn values_to_come_lie_within_the_bounds_about_as_often_as_they_say() {
        let (mut inside, mut all) = ([0, 0], 0);
        for seed in 0..60 {
            let mut noise = Noise::seeded(seed);
            let truth = column(150, |s| 0.01 * s + noise.normal());
            let past = crate::model::Column { t: truth.t[..100].to_vec(), v: truth.v[..100].to_vec() };
            let ahead = forecast(&trend(&past).unwrap(), Duration::from_secs(50 * 15));
            // The forecast has more points than values are left: the one at the value's time is looked at.
            for (t, v) in truth.t[100..].iter().zip(&truth.v[100..]) {
                for (level, interval) in ahead.intervals.iter().enumerate() {
                    let (_, low, high) = interval.points.iter().find(|(at, ..)| at.0 >= *t).unwrap();
                    inside[level] += usize::from((low..=high).contains(&v));
                }
                all += 1;
            }
        }
        let share = inside.map(|n| n as f64 / f64::from(all));
        assert!((0.74..0.90).contains(&share[0]) && (0.92..0.99).contains(&share[1]), "{share:?}");
    }

    #[test]
    fn a_constant_stays_what_it_is() {
        let ahead = forecast(&trend(&column(30, |_| 7.0)).unwrap(), Duration::from_secs(60));
        assert!(ahead.points.iter().all(|(_, v)| *v == 7.0));
        assert!(ahead.intervals.iter().flat_map(|i| &i.points).all(|(_, low, high)| (*low, *high) == (7.0, 7.0)));
    }

    proptest! {
        #[test]
        fn the_value_to_expect_lies_within_the_bounds(values in prop::collection::vec(-1e9f64..1e9, 10..80), seconds in 1u64..1_000_000) {
            let mut next = values.iter();
            let found = trend(&column(values.len(), |_| *next.next().unwrap())).unwrap();
            let ahead = forecast(&found, Duration::from_secs(seconds));
            for interval in &ahead.intervals {
                for ((t, v), (at, low, high)) in ahead.points.iter().zip(&interval.points) {
                    prop_assert!(t == at && low <= v && v <= high, "{low} {v} {high}");
                }
            }
        }
    }
}
