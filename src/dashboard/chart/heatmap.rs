//! Cells over time: buckets of a histogram by their bound, or any series as rows.

use super::{Chart, Need};

pub(super) const CHART: Chart = Chart { name: "heatmap", need: |_, _| Need::Steps { points: 60 }, options: &[] };
