//! Which queries, which method, which words.
//!
//! Files in reading order: `trends` the trend of every series of a query; `performance` the findings
//! and their score; `rule` what a row of the list is; `rules` the list; `words` numbers with units.

mod performance;
mod rule;
mod rules;
mod trends;
mod words;

pub use performance::{Finding, Performance, performance};
pub use trends::{SeriesTrend, Trends, TrendsRequest, trends};
