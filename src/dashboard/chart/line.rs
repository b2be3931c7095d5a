//! Lines over time, stacked or not.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart =
    Chart { name: "line", need: |_, _| Need::Curve { points: 360 }, options: &[("stack", Rule::Flag), ("step", Rule::Flag), ("colors", Rule::Object)] };
