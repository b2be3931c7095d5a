//! A half circle with one arc: the newest value between `min` and `max`.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart = Chart { name: "gauge", need: |_, _| Need::Newest, options: &[("target", Rule::Number), ("caption", Rule::Text)] };
