//! Which metrics an empty panel waits for, and what is known of them. Knows nothing of how it is drawn.

use super::Panel;
use super::data::MissingMetric;
use super::variables::Variables;
use crate::ingest::Registry;
use crate::model::{Matcher, MetricMeta, MetricType, TimeRange};
use crate::query::outline;
use crate::store::{Reader, StoreError};
use crate::task::Deadline;

/// Of the metrics that the panel's queries name, those without series in `range`; and why one of
/// them cannot be recorded, where that is so.
pub(super) fn missing(
    panel: &Panel,
    reader: &Reader,
    registry: &Registry,
    range: TimeRange,
    deadline: &Deadline,
) -> Result<(Vec<MissingMetric>, Option<String>), StoreError> {
    let outlines = panel.queries.iter().filter_map(|query| outline(&Variables::placeholders(&query.query)).ok());
    let mut names: Vec<String> = outlines.flat_map(|outline| outline.names).collect();
    names.sort();
    names.dedup();
    let mut found: Vec<MissingMetric> = Vec::new();
    let mut off = None;
    for name in names {
        if !reader.series(&[vec![Matcher::metric(&name)]], range, deadline)?.is_empty() {
            continue;
        }
        let (family, meta) = family(&name, registry);
        off = off.or_else(|| registry.why_off(&family));
        if !found.iter().any(|known| known.name == family) {
            found.push(described(family, meta));
        }
    }
    Ok((found, off))
}

/// The metric that is recorded under a sample's name: of a histogram's bucket, the histogram.
fn family(name: &str, registry: &Registry) -> (String, Option<MetricMeta>) {
    let stems = ["_bucket", "_sum", "_count"].iter().filter_map(|suffix| name.strip_suffix(suffix));
    for stem in stems {
        let of_buckets = |meta: &MetricMeta| matches!(meta.kind, MetricType::Histogram | MetricType::Summary);
        if let Some(meta) = registry.meta(stem).filter(of_buckets) {
            return (stem.to_owned(), Some(meta));
        }
        if registry.why_off(stem).is_some() {
            return (stem.to_owned(), None);
        }
    }
    (name.to_owned(), registry.meta(name))
}

fn described(name: String, meta: Option<MetricMeta>) -> MissingMetric {
    let known = meta.is_some();
    let MetricMeta { kind, unit, help, .. } = meta.unwrap_or_default();
    let kind = if kind == MetricType::Unknown { MetricType::Gauge } else { kind };
    MissingMetric { name, kind: kind.as_str(), unit, help, known }
}
