//! What the numbers mean: trends with their uncertainty, and what is slow, saturated or failing.
//!
//! Files in reading order: `method/` pure arithmetic on columns, which names `model` alone: `trend`
//! slope, interval and direction, `forecast` where the line goes on. `report/` which queries, which
//! method, which words: `trends`, `performance` over the one list in `rules`. Knows no HTTP and no store.

mod method;
mod report;

pub use method::{Direction, Forecast, Interval, Trend};
pub use report::{Finding, Performance, SeriesTrend, Trends, TrendsRequest, performance, trends};
