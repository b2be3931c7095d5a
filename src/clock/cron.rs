//! Cron expressions of five fields, as people write them, in the machine's time zone.
//!
//! The `cron` crate wants seconds first and counts Sunday as 1; here Sunday is 0 or 7 and there are
//! five fields (minute, hour, day of month, month, day of week).

use std::str::FromStr;

use chrono::{DateTime, Local, TimeZone, Utc};
use cron::Schedule;

use crate::model::Timestamp;

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields, or a field is out of grammar.
    #[error("{expression:?} is not a cron expression of five fields (minute hour day month weekday): {reason}")]
    Malformed {
        /// As it was written.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It never comes, such as 31 February.
    #[error("the cron expression {0:?} never comes")]
    Never(String),
}

/// When something is due.
#[derive(Clone, Debug)]
pub struct CronSchedule {
    schedule: Schedule,
}

const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

impl CronSchedule {
    /// Reads five fields.
    ///
    /// # Errors
    /// Another form, or one that never comes.
    pub fn parse(expression: &str) -> Result<Self, CronError> {
        let malformed = |reason: String| CronError::Malformed { expression: expression.to_owned(), reason };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(malformed(format!("it has {} fields", fields.len())));
        };
        let weekday = named_days(weekday).map_err(malformed)?;
        let six = format!("0 {minute} {hour} {day} {month} {weekday}");
        let schedule = Schedule::from_str(&six).map_err(|e| malformed(e.to_string()))?;
        if schedule.upcoming(Utc).next().is_none() {
            return Err(CronError::Never(expression.to_owned()));
        }
        Ok(Self { schedule })
    }

    /// The first time strictly after `t`, in the machine's time zone; `None` where none comes.
    #[must_use]
    pub fn next_after(&self, t: Timestamp) -> Option<Timestamp> {
        self.next_in(&Local, t)
    }

    fn next_in<Z: TimeZone>(&self, zone: &Z, t: Timestamp) -> Option<Timestamp> {
        let from = DateTime::<Utc>::from_timestamp_millis(t.0)?.with_timezone(zone);
        self.schedule.after(&from).next().map(|d| Timestamp(d.timestamp_millis()))
    }
}

/// Turns day numbers (0 and 7 are Sunday) into names, in lists, ranges and steps.
fn named_days(field: &str) -> Result<String, String> {
    let parts: Result<Vec<String>, String> = field.split(',').map(named_part).collect();
    Ok(parts?.join(","))
}

fn named_part(part: &str) -> Result<String, String> {
    let (range, step) = part.split_once('/').map_or((part, None), |(r, s)| (r, Some(s)));
    let number = |text: &str| -> Result<Option<usize>, String> {
        match text.parse::<usize>() {
            Ok(n) if n < DAYS.len() => Ok(Some(n)),
            Ok(n) => Err(format!("day of week {n} is beyond 7")),
            Err(_) => Ok(None),
        }
    };
    let span = match range.split_once('-') {
        Some((from, to)) => number(from)?.zip(number(to)?),
        None => number(range)?.map(|n| (n, if step.is_some() { 6 } else { n })),
    };
    // A range may cross the end of the week of the crate (`6-7` is Saturday and Sunday), so it is spelled out.
    match (span, range) {
        (Some((from, to)), _) if from <= to => {
            let by = step.map_or(Ok(1), str::parse::<usize>).ok().filter(|by| *by > 0).ok_or("a step must be a number above 0")?;
            Ok((from..=to).step_by(by).map(|d| DAYS[d]).collect::<Vec<_>>().join(","))
        }
        (Some(_), _) => Err(format!("{range} runs backwards")),
        (None, "*") if step.is_some() => named_part(&format!("0-6/{}", step.unwrap_or("1"))),
        (None, _) => Ok(part.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{format_rfc3339, parse_rfc3339};

    fn next(expression: &str, from: &str) -> String {
        let t = parse_rfc3339(from).unwrap();
        format_rfc3339(CronSchedule::parse(expression).unwrap().next_in(&Utc, t).unwrap())
    }

    #[test]
    fn sunday_is_zero_and_seven() {
        // 25 November 2026 is a Wednesday.
        for sunday in ["30 4 * * 0", "30 4 * * 7", "30 4 * * sun", "30 4 * * SUN"] {
            assert_eq!(next(sunday, "2026-11-25T00:00:00Z"), "2026-11-29T04:30:00.000Z", "{sunday}");
        }
        assert_eq!(next("0 0 * * 1", "2026-11-25T00:00:00Z"), "2026-11-30T00:00:00.000Z");
        assert_eq!(next("0 0 * * 6-7", "2026-11-25T00:00:00Z"), "2026-11-28T00:00:00.000Z");
        assert_eq!(next("*/15 * * * 1-5", "2026-11-25T10:01:00Z"), "2026-11-25T10:15:00.000Z");
        assert_eq!(next("0 3 * * */2", "2026-11-25T00:00:00Z"), "2026-11-26T03:00:00.000Z");
    }

    #[test]
    fn what_never_comes_or_is_malformed_is_refused() {
        assert!(matches!(CronSchedule::parse("0 0 31 2 *"), Err(CronError::Never(_))));
        for bad in ["", "* * * *", "0 * * * * *", "60 * * * *", "* * * * 8", "* * * * 5-2", "a b c d e"] {
            assert!(matches!(CronSchedule::parse(bad), Err(CronError::Malformed { .. })), "{bad}");
        }
    }
}
