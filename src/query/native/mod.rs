//! Arithmetic of native histograms.
//!
//! `bounds` where buckets begin and end, and all buckets of a histogram in order; `sum` adding,
//! subtracting and scaling, with compensation, over differing resolutions, zero buckets and custom
//! bounds; `quantile` quantiles, fractions and variance; `trim` cutting off at a value; `shown`
//! buckets as an answer shows them. Whether a counter began anew, the model knows. Knows no series
//! and no steps.

mod bounds;
mod quantile;
mod shown;
mod sum;
#[cfg(test)]
mod tests;
mod trim;

pub(super) use bounds::{all_buckets, is_custom};
pub(super) use quantile::{fraction, quantile, variance};
pub use shown::{ShownBucket, shown_buckets};
pub(super) use sum::{Incompatible, Merged, Wide, compacted, divided, same, scaled};
pub(super) use trim::trimmed;
