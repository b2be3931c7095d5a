//! Numbers with their units, as people read them. Knows no rule.

use std::time::Duration;

use crate::clock::{format_duration, format_rfc3339};
use crate::model::Timestamp;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// 0 to 100.
    Percent,
    Bytes,
    Seconds,
    Celsius,
    /// Without a unit.
    Number,
    /// A number a second of what is named.
    EachSecond(&'static str),
    /// A number of what is named.
    Of(&'static str),
}

impl Unit {
    /// The value with its unit.
    pub(super) fn write(self, v: f64) -> String {
        match self {
            Self::Percent => format!("{} %", short(v)),
            Self::Bytes => bytes(v),
            Self::Seconds => seconds(v),
            Self::Celsius => format!("{} °C", short(v)),
            Self::Number => short(v),
            Self::EachSecond(what) => format!("{} {what}/s", short(v)),
            Self::Of(what) => format!("{} {what}", short(v)),
        }
    }
}

/// Three digits that count, never more than are needed.
fn short(v: f64) -> String {
    let digits = match v.abs() {
        size if size >= 100.0 || v.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{v:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn bytes(v: f64) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let unit = units.into_iter().find(|(_, size)| v.abs() >= *size);
    unit.map_or_else(|| format!("{v:.0} B"), |(name, size)| format!("{} {name}", short(v / size)))
}

fn seconds(v: f64) -> String {
    match v.abs() {
        size if size >= 1.0 => format!("{} s", short(v)),
        size if size >= 1e-3 => format!("{} ms", short(v * 1e3)),
        _ => format!("{} µs", short(v * 1e6)),
    }
}

/// A length of time, its two largest units.
pub(super) fn length(seconds: f64) -> String {
    let coarse = match seconds {
        s if s >= 86_400.0 => 3600.0,
        s if s >= 3600.0 => 60.0,
        _ => 1.0,
    };
    format_duration(Duration::try_from_secs_f64((seconds / coarse).round() * coarse).unwrap_or_default())
}

/// An instant to the minute, in UTC.
pub(super) fn moment(t: Timestamp) -> String {
    let text = format_rfc3339(t);
    text.get(..16).map_or(text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_units_and_no_more_digits_than_count() {
        assert_eq!(Unit::Percent.write(93.4567), "93.5 %");
        assert_eq!(Unit::Bytes.write(12_345_678_900.0), "12.3 GB");
        assert_eq!(Unit::Bytes.write(12.0), "12 B");
        assert_eq!(Unit::Seconds.write(0.0123), "12.3 ms");
        assert_eq!(Unit::EachSecond("errors").write(1.5), "1.5 errors/s");
        assert_eq!(Unit::Of("samples").write(2000.0), "2000 samples");
    }

    #[test]
    fn lengths_and_moments_are_as_coarse_as_they_are_sure() {
        assert_eq!(length(93_784.0), "26h");
        assert_eq!(length(3_725.0), "1h2m");
        assert_eq!(moment(Timestamp(1_764_064_800_000)), "2025-11-25 10:00 UTC");
    }
}
