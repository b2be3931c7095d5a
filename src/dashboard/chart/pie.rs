//! A ring: each series a slice by its newest value.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart = Chart {
    name: "pie",
    need: |_, _| Need::Newest,
    options: &[("rest", Rule::Text), ("center", Rule::OneOf(&["sum", "used"])), ("caption", Rule::Text), ("colors", Rule::Object)],
};
