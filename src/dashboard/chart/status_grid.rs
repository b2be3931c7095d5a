//! A tile for each series, with its state.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart =
    Chart { name: "status_grid", need: |_, _| Need::Newest, options: &[("states", Rule::Levels("max")), ("show_value", Rule::Flag)] };
