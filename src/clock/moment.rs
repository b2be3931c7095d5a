//! Moments as people and programs give them: Unix milliseconds, RFC 3339, `now`, `-1h`.

use chrono::{DateTime, SecondsFormat, Utc};

use super::parse_duration;
use crate::model::Timestamp;

/// Why a text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: give Unix milliseconds, RFC 3339 (2026-11-25T10:00:00Z) or a relative time (-1h, now)")]
pub struct MomentError {
    text: String,
}

/// Reads Unix milliseconds, RFC 3339, `now`, or a duration before (`-1h`) or after (`+5m`) `now`.
///
/// # Errors
/// Another form.
pub fn parse_moment(text: &str, now: Timestamp) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    let fail = || MomentError { text: text.to_owned() };
    if text == "now" {
        return Ok(now);
    }
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(Timestamp(millis));
    }
    if let Some(back) = text.strip_prefix('-') {
        return parse_duration(back).map(|d| now - d).map_err(|_| fail());
    }
    if let Some(ahead) = text.strip_prefix('+') {
        return parse_duration(ahead).map(|d| now + d).map_err(|_| fail());
    }
    parse_rfc3339(text).ok_or_else(fail)
}

/// Reads RFC 3339; `None` for another form.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| Timestamp(t.timestamp_millis()))
}

/// Writes RFC 3339 in UTC with milliseconds; the number itself where no calendar reaches.
#[must_use]
pub fn format_rfc3339(t: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(t.0).map_or_else(|| t.to_string(), |d| d.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let now = Timestamp(1_000_000);
        assert_eq!(parse_moment("1764064800000", now), Ok(Timestamp(1_764_064_800_000)));
        assert_eq!(parse_moment("-5m", now), Ok(Timestamp(700_000)));
        assert_eq!(parse_moment("now", now), Ok(now));
        let moment = parse_moment("2026-11-25T10:00:00.5+01:00", now).unwrap();
        assert_eq!(format_rfc3339(moment), "2026-11-25T09:00:00.500Z");
        assert!(parse_moment("yesterday", now).is_err() && parse_moment("", now).is_err());
    }
}
