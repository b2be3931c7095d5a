//! Columns of native histograms: one over the other, cut to a range, thinned to what a rolled-up tier
//! keeps; and the head's chunk of them. The bytes are `codec`'s.
//!
//! **Thinning** keeps, of each cell of time, the first and the last histogram, and on both sides of
//! each counter reset inside it the last before and the first after. Between what is kept the counter
//! only grew, so `rate`, `increase` and all that is made of them over whole cells equal what every
//! sample gives. Thinning what was thinned to cells that divide the new ones gives the same as
//! thinning everything, so tiers and late histograms need nothing of their own: put one over the
//! other by time, thin again. A gauge (by its hint) has no resets.

use std::sync::Arc;
use std::time::Duration;

use super::codec::{Cursor, put_histogram, put_varint, take_histogram, zigzag};
use crate::model::{Histogram, HistogramColumn, ResetHint, TimeRange, Timestamp};

/// Late histograms that a chunk carries before they are worked in.
const MAX_LATE: usize = 64;

/// What a rolled-up tier with cells of `width` keeps.
pub(super) fn thin(column: &HistogramColumn, width: Duration) -> HistogramColumn {
    let mut out = HistogramColumn::default();
    let mut from = 0;
    while from < column.len() {
        let end = Timestamp(column.t[from]).cell_end(width);
        let to = from + column.t[from..].partition_point(|t| *t <= end.0);
        let mut is_reset = false;
        for i in from..to {
            let next_is_reset = i + 1 < to && resets(&column.h[i], &column.h[i + 1]);
            if i == from || i + 1 == to || is_reset || next_is_reset {
                out.push(column.t[i], column.h[i].clone());
            }
            is_reset = next_is_reset;
        }
        from = to;
    }
    out
}

fn resets(before: &Histogram, now: &Histogram) -> bool {
    now.reset_hint != ResetHint::Gauge && now.detects_reset(before)
}

/// Two columns as one; of one time the histogram of `newer`.
pub(super) fn overlay(older: HistogramColumn, newer: HistogramColumn) -> HistogramColumn {
    let apart = match (older.t.last(), newer.t.first()) {
        (Some(last), Some(first)) => last < first,
        _ => true,
    };
    let mut out = older;
    if apart {
        out.t.extend(newer.t);
        out.h.extend(newer.h);
        return out;
    }
    let older = std::mem::take(&mut out);
    let mut old = older.t.into_iter().zip(older.h).peekable();
    for (t, h) in newer.t.into_iter().zip(newer.h) {
        while let Some((t, h)) = old.next_if(|(earlier, _)| *earlier < t) {
            out.push(t, h);
        }
        old.next_if(|(same, _)| *same == t);
        out.push(t, h);
    }
    old.for_each(|(t, h)| out.push(t, h));
    out
}

/// Only the histograms at times that `keep` accepts.
pub(super) fn at_times(column: &HistogramColumn, keep: impl Fn(Timestamp) -> bool) -> HistogramColumn {
    let mut out = HistogramColumn::default();
    column.t.iter().zip(&column.h).filter(|(t, _)| keep(Timestamp(**t))).for_each(|(t, h)| out.push(*t, h.clone()));
    out
}

/// Only the histograms in a range.
pub(super) fn clip(column: HistogramColumn, range: TimeRange) -> HistogramColumn {
    let inside = |t: &i64| range.contains(Timestamp(*t));
    if column.t.iter().all(inside) { column } else { at_times(&column, |t| range.contains(t)) }
}

/// Histograms of one series in one window of the head, each told apart from the one before it.
#[derive(Clone, Debug, Default)]
pub(super) struct HistogramChunk {
    data: Vec<u8>,
    len: usize,
    first: i64,
    last: Option<(i64, Arc<Histogram>)>,
    /// In order of arrival; each came when its time was not after the last.
    late: Vec<(i64, Arc<Histogram>)>,
}

impl HistogramChunk {
    /// Adds a histogram; true where it replaced one that is known to have the same time.
    pub(super) fn push(&mut self, t: i64, h: &Arc<Histogram>) -> bool {
        if let Some((last, _)) = self.last.as_ref().filter(|(last, _)| *last >= t) {
            let known = *last == t || self.late.iter().any(|(late, _)| *late == t);
            self.late.push((t, h.clone()));
            if self.late.len() >= MAX_LATE {
                let column = self.column();
                *self = Self::default();
                column.t.iter().zip(&column.h).for_each(|(t, h)| self.append(*t, h));
            }
            return known;
        }
        self.append(t, h);
        false
    }

    fn append(&mut self, t: i64, h: &Arc<Histogram>) {
        if self.last.is_none() {
            self.first = t;
        }
        let before = self.last.as_ref().map_or(self.first, |(last, _)| *last);
        put_varint(zigzag(t.wrapping_sub(before)), &mut self.data);
        put_histogram(self.last.as_ref().map(|(_, h)| h.as_ref()), h, &mut self.data);
        self.last = Some((t, h.clone()));
        self.len += 1;
    }

    /// The histograms in order of time; of one time the last that came.
    pub(super) fn column(&self) -> HistogramColumn {
        let mut column = HistogramColumn::default();
        let mut cursor = Cursor::new(&self.data);
        let mut t = self.first;
        for _ in 0..self.len {
            let read = cursor.signed().and_then(|step| Ok((step, take_histogram(column.h.last().map(AsRef::as_ref), &mut cursor)?)));
            debug_assert!(read.is_ok(), "a chunk reads what it wrote");
            let Ok((step, h)) = read else { break };
            t = t.wrapping_add(step);
            column.push(t, Arc::new(h));
        }
        let mut late = self.late.clone();
        late.sort_by_key(|(t, _)| *t);
        let mut newer = HistogramColumn::default();
        for (i, (t, h)) in late.iter().enumerate() {
            if late.get(i + 1).is_none_or(|(next, _)| next != t) {
                newer.push(*t, h.clone());
            }
        }
        overlay(column, newer)
    }

    /// Time of the first, about: late ones are not looked at.
    pub(super) const fn first_t(&self) -> i64 {
        self.first
    }

    pub(super) fn len(&self) -> usize {
        self.len + self.late.len()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        let late: usize = self.late.iter().chain(&self.last).map(|(_, h)| h.weight()).sum();
        size_of::<Self>() + self.data.capacity() + late
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Buckets, Span};

    fn histogram(counts: &[f64]) -> Arc<Histogram> {
        let positive = Buckets { spans: vec![Span { offset: 0, length: counts.len() as u32 }], counts: counts.to_vec() };
        Arc::new(Histogram { count: counts.iter().sum(), sum: counts.iter().sum(), positive, ..Histogram::default() })
    }

    /// A counter with a reset now and then, which is not always seen in the count.
    fn counter() -> impl Strategy<Value = HistogramColumn> {
        prop::collection::vec((1_i64..40_000, 0_u32..9, 0_u32..9, 0_u32..12), 0..120).prop_map(|steps| {
            let (mut t, mut low, mut high) = (0, 0_u32, 0_u32);
            let mut column = HistogramColumn::default();
            for (step, more, most, fate) in steps {
                t += step;
                (low, high) = match fate {
                    0 => (more, most),
                    1 => (low.saturating_sub(1), high + most),
                    _ => (low + more, high + most),
                };
                column.push(t, histogram(&[f64::from(low), f64::from(high)]));
            }
            column
        })
    }

    /// What each bucket gained, resets counted, as the ordinary algorithm has it; `None` of fewer than two.
    fn increase(column: &HistogramColumn) -> Option<Vec<f64>> {
        let (first, last) = column.h.first().zip(column.h.last()).filter(|_| column.len() > 1)?;
        let mut gained: Vec<f64> = last.positive.counts.iter().zip(&first.positive.counts).map(|(a, b)| a - b).collect();
        for pair in column.h.windows(2).filter(|pair| pair[1].detects_reset(&pair[0])) {
            gained.iter_mut().zip(&pair[0].positive.counts).for_each(|(gained, lost)| *gained += lost);
        }
        Some(gained)
    }

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    proptest! {
        #[test]
        fn what_a_counter_gained_over_whole_cells_is_what_every_sample_gives(column in counter(), from in 0_i64..20, cells in 1_i64..20) {
            let range = TimeRange::new(Timestamp(from * 60_000), Timestamp((from + cells) * 60_000));
            let thinned = clip(thin(&column, MINUTE), range);
            let all = clip(column, range);
            prop_assert_eq!(increase(&thinned), increase(&all));
            prop_assert_eq!((thinned.t.first(), thinned.t.last()), (all.t.first(), all.t.last()));
        }

        #[test]
        fn thinning_twice_equals_thinning_once(column in counter()) {
            prop_assert_eq!(thin(&thin(&column, MINUTE), HOUR), thin(&column, HOUR));
            prop_assert_eq!(thin(&thin(&column, MINUTE), MINUTE), thin(&column, MINUTE));
        }

        #[test]
        fn the_newer_stands_and_nothing_else_is_lost(older in counter(), newer in counter()) {
            let mut model: std::collections::BTreeMap<i64, Arc<Histogram>> = older.t.iter().copied().zip(older.h.iter().cloned()).collect();
            model.extend(newer.t.iter().copied().zip(newer.h.iter().cloned()));
            let merged = overlay(older, newer);
            prop_assert_eq!(merged.t, model.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(merged.h, model.into_values().collect::<Vec<_>>());
        }

        #[test]
        fn a_chunk_gives_back_what_came_whatever_the_order(came in prop::collection::vec((0_i64..200, 0_u32..50), 1..200)) {
            let mut chunk = HistogramChunk::default();
            let mut model = std::collections::BTreeMap::new();
            for (t, count) in came {
                let h = histogram(&[f64::from(count), 1.5]);
                chunk.push(t, &h);
                model.insert(t, h);
            }
            let column = chunk.column();
            prop_assert_eq!(column.t, model.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(column.h, model.into_values().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_gauge_keeps_its_first_and_last() {
        let mut column = HistogramColumn::default();
        for (i, count) in [5.0, 3.0, 9.0, 1.0].into_iter().enumerate() {
            column.push(i as i64 + 1, Arc::new(Histogram { reset_hint: ResetHint::Gauge, ..Histogram::clone(&histogram(&[count])) }));
        }
        assert_eq!(thin(&column, MINUTE).t, [1, 4]);
    }
}
