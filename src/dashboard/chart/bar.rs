//! Bars: one for each step of the time, or one for each series.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart = Chart {
    name: "bar",
    need: |options, _| match options.get("by").and_then(|by| by.as_str()) {
        Some("category") => Need::Newest,
        _ => Need::Steps { points: 60 },
    },
    options: &[("by", Rule::OneOf(&["time", "category"])), ("stack", Rule::Flag), ("colors", Rule::Object)],
};
