//! Parts of a date in UTC, computed from Unix seconds without a calendar crate.

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::value::{Evaluated, Grid, Row, TierSet};
use super::Args;
use crate::model::Labels;

struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// Days since the epoch.
    days: i64,
}

impl Date {
    /// The civil calendar of a day (Howard Hinnant's algorithm).
    fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        Self { year, month, day: doy - (153 * mp + 2) / 5 + 1, days }
    }

    fn leap(&self) -> bool {
        (self.year % 4 == 0 && self.year % 100 != 0) || self.year % 400 == 0
    }

    fn days_in_month(&self) -> i64 {
        match self.month {
            2 if self.leap() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    fn day_of_year(&self) -> i64 {
        const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        BEFORE[(self.month - 1).clamp(0, 11) as usize] + self.day + i64::from(self.leap() && self.month > 2)
    }
}

/// Evaluates the argument, or the time of the step where there is none, and takes a part of each.
fn part(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, part: fn(i64) -> i64) -> Result<Evaluated, QueryError> {
    let mut rows = match args.args.first() {
        Some(arg) => evaluator.vector(arg, grid)?,
        None => vec![Row::floats(Labels::default(), (0..grid.count).map(|i| grid.time(i) as f64 / 1000.0).collect(), TierSet::default())],
    };
    for row in &mut rows {
        row.histograms.clear();
        row.map(|_, v| if v.is_finite() && v.abs() < 1e14 { part(v.trunc() as i64) as f64 } else { f64::NAN });
    }
    rows.retain(|row| !row.is_empty());
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

macro_rules! parts {
    ($($name:ident = $part:expr;)+) => {
        $(pub(super) fn $name(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
            part(evaluator, args, grid, $part)
        })+
    };
}

parts! {
    minute = |s| s.rem_euclid(3600) / 60;
    hour = |s| s.rem_euclid(86_400) / 3600;
    day_of_week = |s| (Date::of(s).days + 4).rem_euclid(7);
    day_of_month = |s| Date::of(s).day;
    day_of_year = |s| Date::of(s).day_of_year();
    days_in_month = |s| Date::of(s).days_in_month();
    month = |s| Date::of(s).month;
    year = |s| Date::of(s).year;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_around_leap_days() {
        let d = Date::of(951_782_400); // 29 February 2000
        assert_eq!((d.year, d.month, d.day, d.day_of_year(), d.days_in_month()), (2000, 2, 29, 60, 29));
        let d = Date::of(-1);
        assert_eq!((d.year, d.month, d.day, d.day_of_year()), (1969, 12, 31, 365));
    }
}
