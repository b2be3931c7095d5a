//! PromQL over columns: one request in, one answer out.
//!
//! Files in reading order: `engine` the door; `parse` text to `tree` (the only user of
//! promql-parser); `places` where arguments stand; `plan` which time a selector reads; `source` where columns come from; `series`
//! stored segments as points and cells; `eval` walks the tree, each node over all steps at once;
//! `aggregate`, `binary`, `histogram`; `functions/` a family a file and one list; `shorthand` the
//! monitoring API's query as a tree; `outline` what an expression names, `locate` where a malformed
//! one is wrong; `limits`, `stats`, `value`, `error`, `options`.
//!
//! This room knows no HTTP, no files and no clock of day: times come with the request.

mod aggregate;
mod binary;
mod engine;
mod error;
mod eval;
mod functions;
mod histogram;
mod kahan;
mod limits;
mod locate;
mod options;
mod outline;
mod parse;
mod places;
mod plan;
mod selector;
mod series;
mod shorthand;
mod source;
mod stats;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use engine::Engine;
pub use error::QueryError;
pub use options::Options;
pub use outline::{Flaw, Outline, Yields, outline};
pub use parse::parse_selector;
pub use shorthand::{Aggregation, MetricsAnswer, MetricsQuery, Names};
pub use source::Source;
pub use stats::Stats;
pub use value::{Answer, Series, Value};
