//! Arithmetic on columns, pure: the same numbers in, the same numbers out.
//!
//! Files: `trend` the robust slope, `forecast` where its line goes on. Knows no query and no words.

mod forecast;
mod trend;

pub(super) use forecast::forecast;
pub use forecast::{Forecast, Interval};
pub use trend::{Direction, Trend};
pub(super) use trend::{MIN_POINTS, TooLittle, trend};
