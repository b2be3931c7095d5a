//! PromQL over columns: one request in, one answer out.
//!
//! Files in reading order: `engine` the door; `parse/` text to `tree` and back; `plan` which time a
//! selector reads; `source` where columns come from; `series` stored segments as points and cells;
//! `selector` from the source to rows; `smooth` between samples; `eval` walks the tree, each node over
//! all steps at once; `aggregate`, `binary`, `histogram`; `native/` arithmetic of native histograms;
//! `functions/` a family a file and one list; `notes` warnings and infos; `explain` what each part cost;
//! `shorthand` the monitoring API's query as a tree; `outline` what an expression names and where a
//! malformed one is wrong; `syntax` the tree as JSON and as formatted text; `limits`, `stats`, `value`, `error`, `options`.
//!
//! This room knows no HTTP, no files and no clock of day: times come with the request.

mod aggregate;
mod binary;
mod engine;
mod error;
mod eval;
mod explain;
mod functions;
mod histogram;
mod kahan;
mod limits;
mod native;
mod notes;
mod options;
mod outline;
mod parse;
mod plan;
mod selector;
mod series;
mod shorthand;
mod smooth;
mod source;
mod stats;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use engine::{Engine, Request, When};
pub use error::QueryError;
pub use explain::Explained;
pub use native::{ShownBucket, shown_buckets};
pub use options::Options;
pub use outline::{Flaw, Outline, Yields, outline};
pub use parse::parse_selector;
pub use shorthand::{Aggregation, MetricsAnswer, MetricsQuery, Names};
pub use source::Source;
pub use stats::Stats;
pub use syntax::{format_expr, syntax_tree};
pub use value::{Answer, Series, Value};
