//! Where the series of the head come from: by metric, by label, by label and value. Computed when
//! asked, from the postings.

use std::collections::{HashMap, HashSet};

use super::head::Head;
use super::index::MemoryIndex;
use super::read::Reader;
use crate::model::{METRIC_NAME, Timestamp};

/// A name and a count, the largest first.
pub type Ranking = Vec<(String, u64)>;

/// Figures of the series in the head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series.
    pub series: u64,
    /// Distinct pairs of label and value.
    pub pairs: u64,
    /// Chunks, one per series and window.
    pub chunks: u64,
    /// The oldest unsealed window's start.
    pub oldest: Option<Timestamp>,
    /// The newest sample's time.
    pub newest: Option<Timestamp>,
    /// Series by metric.
    pub by_metric: Ranking,
    /// Distinct values by label.
    pub values_by_label: Ranking,
    /// Bytes of the values by label.
    pub bytes_by_label: Ranking,
    /// Series by `label=value`.
    pub by_pair: Ranking,
}

impl Reader {
    /// Figures of the series in the head, at most `top` names in each list.
    #[must_use]
    pub fn cardinality(&self, top: usize) -> Cardinality {
        let state = self.shared.read();
        let mut out = of_index(&state.head.index, top);
        out.series = state.head.series.len() as u64;
        out.chunks = state.head.all_windows().map(|(_, window)| window.series().count() as u64).sum();
        out.oldest = state.head.all_windows().filter_map(|(_, window)| window.first()).min();
        out.newest = state.head.newest.map(Timestamp);
        out
    }
}

/// The metric with the most series, how many they are, and which of its labels has the most values.
/// Costs a pass over that metric's series.
pub(super) fn largest(head: &Head) -> (String, usize, Option<(String, usize)>) {
    let names = head.index.names().find(|(name, _)| *name == METRIC_NAME).into_iter().flat_map(|(_, values)| values);
    let Some((metric, numbers)) = names.max_by_key(|(_, numbers)| numbers.len()) else { return (String::new(), 0, None) };
    let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
    for series in numbers.iter().filter_map(|number| head.series.get(*number as usize)) {
        series.labels.iter().for_each(|(name, value)| {
            values.entry(name).or_default().insert(value);
        });
    }
    let label = values.into_iter().max_by(|a, b| a.1.len().cmp(&b.1.len()).then_with(|| b.0.cmp(a.0))).map(|(name, values)| (name.to_owned(), values.len()));
    (metric.clone(), numbers.len(), label)
}

fn of_index(index: &MemoryIndex, top: usize) -> Cardinality {
    let mut out = Cardinality::default();
    for (name, values) in index.names() {
        out.pairs += values.len() as u64;
        out.values_by_label.push((name.to_owned(), values.len() as u64));
        out.bytes_by_label.push((name.to_owned(), values.keys().map(|value| value.len() as u64).sum()));
        for (value, numbers) in values {
            let count = numbers.len() as u64;
            if name == METRIC_NAME {
                out.by_metric.push((value.clone(), count));
            }
            out.by_pair.push((format!("{name}={value}"), count));
        }
        // Labels with many values would otherwise be held all at once.
        cut(&mut out.by_pair, top);
    }
    for ranking in [&mut out.by_metric, &mut out.values_by_label, &mut out.bytes_by_label] {
        cut(ranking, top);
    }
    out
}

fn cut(ranking: &mut Ranking, top: usize) {
    ranking.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranking.truncate(top);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    #[test]
    fn the_largest_come_first_and_ties_by_name() {
        let mut index = MemoryIndex::default();
        for (name, pod) in [("a", "1"), ("b", "1"), ("b", "2"), ("c", "22")] {
            index.add(&Labels::from_pairs([("__name__", name), ("pod", pod)]).unwrap());
        }
        let found = of_index(&index, 2);
        let pairs = |list: &[(&str, u64)]| list.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect::<Ranking>();
        assert_eq!(found.pairs, 6);
        assert_eq!(found.by_metric, pairs(&[("b", 2), ("a", 1)]));
        assert_eq!(found.values_by_label, pairs(&[("__name__", 3), ("pod", 3)]));
        assert_eq!(found.bytes_by_label, pairs(&[("pod", 4), ("__name__", 3)]));
        assert_eq!(found.by_pair, pairs(&[("__name__=b", 2), ("pod=1", 2)]));
    }
}
