//! Classic histograms turned into native ones with custom buckets, as `load_with_nhcb` does.

use std::collections::BTreeMap;

use latido::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Labels};

use crate::sequence::{Item, buckets};

/// What is known of one histogram at one time.
#[derive(Default)]
struct Parts {
    /// Cumulative counts by bound, in order.
    bounds: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Native histograms by series and time.
pub(crate) fn histograms(loaded: &BTreeMap<Labels, BTreeMap<i64, Item>>) -> Vec<(Labels, Vec<(i64, Histogram)>)> {
    let mut found: BTreeMap<Labels, BTreeMap<i64, Parts>> = BTreeMap::new();
    for (labels, samples) in loaded {
        let name = labels.metric_name();
        let Some((base, suffix)) = ["_bucket", "_count", "_sum"].into_iter().find_map(|suffix| Some((name.strip_suffix(suffix)?, suffix))) else { continue };
        let bound = match (suffix, labels.get("le").map(str::parse::<f64>)) {
            ("_bucket", Some(Ok(bound))) if !bound.is_nan() => bound,
            ("_bucket", _) => continue,
            _ => f64::NAN,
        };
        let series = labels.filtered(|n| n != "le").to_builder().set("__name__", base).build();
        for (t, item) in samples {
            let Item::Float(v) = item else { continue };
            let parts = found.entry(series.clone()).or_default().entry(*t).or_default();
            match suffix {
                "_bucket" => parts.bounds.push((bound, *v)),
                "_count" => parts.count = Some(*v),
                _ => parts.sum = *v,
            }
        }
    }
    found.into_iter().map(|(labels, times)| (labels, times.into_iter().map(|(t, parts)| (t, convert(parts))).collect())).collect()
}

fn convert(mut parts: Parts) -> Histogram {
    parts.bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Without its own bucket the count is the last bound's at least.
    if parts.bounds.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        let last = parts.bounds.last().map_or(0.0, |(_, count)| *count);
        parts.bounds.push((f64::INFINITY, parts.count.unwrap_or(last)));
    }
    let (mut before, mut counts, mut custom_values) = (0.0, BTreeMap::new(), Vec::new());
    for (i, (bound, count)) in parts.bounds.iter().enumerate() {
        if *count != before {
            counts.insert(i as i32, count - before);
        }
        before = *count;
        if bound.is_finite() {
            custom_values.push(*bound);
        }
    }
    Histogram { schema: CUSTOM_BUCKETS_SCHEMA, count: before, sum: parts.sum, positive: buckets(&counts), custom_values, ..Histogram::default() }
}
