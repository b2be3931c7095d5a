//! The words that all rooms share: time, labels, matchers, samples, batches, columns, tiers.
//!
//! Files in reading order: `time`, `size`, `kind`, `labels`, `pattern`, `matcher`, `metric`,
//! `sample`, `histogram`, `reset`, `exemplar`, `severity`, `tier`, `batch`, `bucket`, `column`. This room knows no bytes of any wire format,
//! no file and no clock: plain values with their invariants.

mod batch;
mod bucket;
mod column;
mod exemplar;
mod histogram;
mod kind;
mod labels;
mod matcher;
mod metric;
mod pattern;
mod reset;
mod sample;
mod severity;
mod size;
mod tier;
mod time;

pub use batch::{Batch, BatchError, ExemplarRow, HistogramRow, Origin, SeriesRow};
pub use bucket::{Bucket, BucketColumns};
pub use column::{Column, HistogramSegment, Segment, SeriesData};
pub use exemplar::Exemplar;
pub use histogram::{Buckets, CUSTOM_BUCKETS_SCHEMA, Histogram, HistogramColumn, MAX_HISTOGRAM_BUCKETS, ResetHint, Span};
pub use kind::ErrorKind;
pub use labels::{Fingerprint, Labels, LabelsBuilder, LabelsError, METRIC_NAME, encode_canonical, valid_label_name, valid_metric_name};
pub use matcher::{MatchOp, Matcher};
pub use metric::{Category, MetricMeta, MetricType};
pub use pattern::{Pattern, PatternError};
pub use reset::exponential_bound;
pub use sample::{STALE_BITS, Sample, is_stale, stale_marker};
pub use severity::Severity;
pub use size::ByteCount;
pub use tier::{Tier, Widths};
pub use time::{TimeRange, Timestamp};
