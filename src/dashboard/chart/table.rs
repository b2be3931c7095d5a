//! A table: one query a column, one label set a row. The history of one column is drawn beside it.

use super::{Chart, Need, Rule};

pub(super) const CHART: Chart = Chart {
    name: "table",
    need: |options, query| {
        let spark = options.get("spark").and_then(|index| index.as_u64());
        if spark == Some(query as u64) { Need::Curve { points: 60 } } else { Need::Newest }
    },
    options: &[("row", Rule::Texts), ("row_title", Rule::Text), ("columns", Rule::List), ("spark", Rule::Query), ("sort", Rule::Query), ("limit", Rule::Count)],
};
