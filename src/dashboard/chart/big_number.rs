//! One figure, with how it came there below.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart = Chart {
    name: "big_number",
    need: |options, _| match options.get("spark").and_then(|spark| spark.as_bool()) {
        Some(false) => Need::Newest,
        _ => Need::Curve { points: 120 },
    },
    options: &[("spark", Rule::Flag), ("compare", Rule::Duration), ("caption", Rule::Text)],
};
