//! What the daemon computes itself becomes a batch here and enters like any other. Knows nothing of
//! what was computed.

use std::collections::BTreeSet;

use crate::model::{Batch, Labels, Origin, Sample, Timestamp, stale_marker};

/// The values of computed series at `at`. Those of `ended` that are not among them get the marker
/// that says that they end here.
#[must_use]
pub fn derived(alive: &[(Labels, f64)], ended: &[Labels], at: Timestamp) -> Batch {
    let mut batch = Batch::new(Origin::Derived);
    let still: BTreeSet<&Labels> = alive.iter().map(|(labels, _)| labels).collect();
    for labels in ended.iter().filter(|labels| !still.contains(labels)).collect::<BTreeSet<_>>() {
        batch.push(labels, Sample { t: at, v: stale_marker() });
    }
    for (labels, v) in alive {
        batch.push(labels, Sample { t: at, v: *v });
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::is_stale;

    #[test]
    fn a_series_ends_once_and_only_where_it_is_not_there_any_more() {
        let labels = |name: &str| Labels::from_pairs([("__name__", name)]).unwrap();
        let batch = derived(&[(labels("a"), 1.0)], &[labels("a"), labels("b"), labels("b")], Timestamp(7));
        let rows: Vec<(String, bool)> =
            batch.series().map(|row| (Labels::from_canonical(row.labels).unwrap().metric_name().to_owned(), is_stale(row.samples[0].v))).collect();
        assert_eq!(rows, [("b".to_owned(), true), ("a".to_owned(), false)]);
        assert!(derived(&[], &[], Timestamp(7)).is_empty());
    }
}
