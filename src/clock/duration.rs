//! Durations as Prometheus writes them: `5m`, `1h30m`, `250ms`, units in falling order, each once.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: write it like 15s, 5m, 1h30m or 90d (units ms s m h d w y)")]
pub struct DurationError {
    text: String,
}

/// Unit and milliseconds, in the order in which they must come.
const UNITS: [(&str, u64); 7] = [("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a duration; `0` needs no unit.
///
/// # Errors
/// Another form, an unknown or repeated unit, or more than 2^63 ms.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let fail = || DurationError { text: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fail)?;
        let number: u64 = rest[..digits].parse().map_err(|_| fail())?;
        rest = &rest[digits..];
        let unit_len = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = &rest[..unit_len];
        rest = &rest[unit_len..];
        let found = UNITS[next_unit..].iter().position(|(name, _)| *name == unit).ok_or_else(fail)?;
        let (_, millis) = UNITS[next_unit + found];
        next_unit += found + 1;
        total = number.checked_mul(millis).and_then(|ms| total.checked_add(ms)).ok_or_else(fail)?;
    }
    if text.is_empty() || i64::try_from(total).is_err() {
        return Err(fail());
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration as Prometheus does: years, weeks and days only where they come out even.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, millis) in UNITS {
        let whole_only = matches!(unit, "y" | "w" | "d");
        if rest < millis || (whole_only && !rest.is_multiple_of(millis)) {
            continue;
        }
        out.push_str(&format!("{}{unit}", rest / millis));
        rest %= millis;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_printed() {
        for (text, millis) in [
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("90d", 7_776_000_000),
            ("2y", 63_072_000_000),
            ("1w", 604_800_000),
            ("1m500ms", 60_500),
            ("36h", 129_600_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(parse_duration(&format_duration(Duration::from_millis(millis))), Ok(Duration::from_millis(millis)));
        }
        assert_eq!(format_duration(Duration::from_secs(172_800)), "2d");
        assert_eq!(format_duration(Duration::from_secs(5)), "5s");
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in ["", "5", "m", "5x", "5m5m", "5s1m", "-5m", "1.5h", " 5m", "5m ", "99999999999y", "5M"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }
}
