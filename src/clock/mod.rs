//! Time as the machine and as people give it: now, durations, moments, cron expressions.
//!
//! Files: `now` the clock, real or turned by hand; `duration` `1h30m`; `moment` RFC 3339, Unix
//! milliseconds and `-1h`; `cron` five fields to the next time. Knows no time zone but UTC, except
//! `cron`, which follows the machine's.

mod cron;
mod duration;
mod moment;
mod now;

pub use cron::{CronError, CronSchedule};
pub use duration::{DurationError, format_duration, parse_duration};
pub use moment::{MomentError, format_rfc3339, parse_moment, parse_rfc3339};
pub use now::{Clock, ManualClock, SharedClock, Stopwatch, SystemClock};
