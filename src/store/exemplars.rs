//! Exemplars: a few of each series in each raw window, the newest ones. In the head a list per series,
//! in a partition a table of their own with labels of its own, so that one without samples is kept too.
//! They are never rolled up, and go with the raw window.
//!
//! ```text
//! row := length · canonical labels of the series · exemplar*
//! exemplar := time (signed difference) · value (8 bytes) · length · canonical labels
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::ReadableTable;

use super::StoreError;
use super::codec::{CodecError, Cursor, put_varint, zigzag};
use super::deletion::Deletion;
use super::layout::Record;
use super::partition::{Partition, PartitionWriter, View};
use super::read::Reader;
use super::retention::{Edges, Retention};
use super::shared::State;
use crate::model::{Exemplar, Labels, LabelsError, Matcher, Tier, TimeRange, Timestamp};
use crate::task::Deadline;

/// Exemplars of one series in one window.
const MOST_OF_A_SERIES: usize = 10;
/// Exemplars of one window: 16 MiB or so.
const MOST_OF_A_WINDOW: usize = 50_000;

/// Exemplars of one window of the head, by number of the series.
#[derive(Clone, Debug, Default)]
pub(super) struct WindowExemplars {
    of: BTreeMap<u32, Vec<Exemplar>>,
    count: usize,
}

impl WindowExemplars {
    /// Takes one, the oldest of its series going where they are many; in a full window none is taken of
    /// a series that has none to give.
    pub(super) fn push(&mut self, series: u32, exemplar: &Exemplar) {
        let room = self.count < MOST_OF_A_WINDOW;
        let list = self.of.entry(series).or_default();
        let before = list.len();
        if room || before > 0 {
            insert(list, exemplar, if room { MOST_OF_A_SERIES } else { before });
        }
        self.count += list.len() - before;
        if list.is_empty() {
            self.of.remove(&series);
        }
    }

    /// Of a series, in order of time.
    pub(super) fn of(&self, series: u32) -> &[Exemplar] {
        self.of.get(&series).map(Vec::as_slice).unwrap_or_default()
    }

    /// Numbers of the series that have any.
    pub(super) fn series(&self) -> impl Iterator<Item = u32> + '_ {
        self.of.keys().copied()
    }

    /// Bytes in memory, about.
    pub(super) const fn bytes(&self) -> usize {
        self.count * (size_of::<Exemplar>() + 64)
    }

    /// Gives every series its new number; those without one go.
    pub(super) fn renumber(&mut self, numbers: &[Option<u32>]) {
        let old = std::mem::take(&mut self.of);
        self.of = old.into_iter().filter_map(|(number, list)| Some((numbers.get(number as usize).copied().flatten()?, list))).collect();
        self.count = self.of.values().map(Vec::len).sum();
    }
}

/// Puts one in its place by time; the very same again is nothing new.
fn insert(list: &mut Vec<Exemplar>, exemplar: &Exemplar, most: usize) {
    let at = list.partition_point(|e| e.t <= exemplar.t);
    let same = |e: &Exemplar| e.t == exemplar.t && e.value.to_bits() == exemplar.value.to_bits() && e.labels == exemplar.labels;
    if list.iter().take(at).rev().take_while(|e| e.t == exemplar.t).any(same) {
        return;
    }
    list.insert(at, exemplar.clone());
    let beyond = list.len().saturating_sub(most);
    list.drain(..beyond);
}

fn encode(labels: &Labels, list: &[Exemplar]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(labels.canonical().len() as u64, &mut out);
    out.extend_from_slice(labels.canonical());
    let mut before = 0_i64;
    for e in list {
        put_varint(zigzag(e.t.0.wrapping_sub(before)), &mut out);
        out.extend_from_slice(&e.value.to_bits().to_le_bytes());
        put_varint(e.labels.canonical().len() as u64, &mut out);
        out.extend_from_slice(e.labels.canonical());
        before = e.t.0;
    }
    out
}

fn decode(bytes: &[u8]) -> Result<(Labels, Vec<Exemplar>), CodecError> {
    let bad = |_: LabelsError| CodecError::Damaged("labels of an exemplar");
    let mut cursor = Cursor::new(bytes);
    let labels = Labels::from_canonical(cursor.block()?).map_err(bad)?;
    let mut list = Vec::new();
    let mut before = 0_i64;
    while !cursor.rest().is_empty() {
        before = before.wrapping_add(cursor.signed()?);
        let value = f64::from_bits(cursor.little_endian(8)?);
        list.push(Exemplar { labels: Labels::from_canonical(cursor.block()?).map_err(bad)?, value, t: Timestamp(before) });
    }
    Ok((labels, list))
}

impl PartitionWriter<'_> {
    /// Adds the exemplars of a series, in label order.
    pub(super) fn push_exemplars(&mut self, labels: &Labels, list: &[Exemplar]) {
        if !list.is_empty() {
            self.put_exemplars(encode(labels, list));
        }
    }

    /// Adds the exemplars of some generations, oldest first, without what is deleted or past.
    pub(super) fn carry_exemplars(&mut self, sources: &[Arc<Partition>], fate: &Fate) -> Result<(), StoreError> {
        let mut all: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
        let length = |range: TimeRange| range.end.0.saturating_sub(range.start.0).max(1);
        // Neighbours that become one file keep what each has.
        let cover = sources.iter().map(|p| p.record.range).reduce(TimeRange::cover).map_or(1, length);
        let windows = sources.iter().map(|p| cover.div_euclid(length(p.record.range))).max().unwrap_or(1);
        let most = MOST_OF_A_SERIES.saturating_mul(usize::try_from(windows).unwrap_or(1));
        for source in sources.iter().filter(|p| p.record.tier == Tier::Raw) {
            source.view()?.exemplars(|labels, list| {
                let after = fate.edge(&labels);
                let kept = all.entry(labels.clone()).or_default();
                let lives = |e: &&Exemplar| e.t > after && !fate.is_deleted(&source.record, &labels, e.t);
                list.iter().filter(lives).for_each(|e| insert(kept, e, most));
            })?;
        }
        all.iter().for_each(|(labels, list)| self.push_exemplars(labels, list));
        Ok(())
    }
}

/// What says which exemplars are no longer, all from one moment.
pub(super) struct Fate {
    deletions: Arc<Vec<Deletion>>,
    retention: Arc<Retention>,
    dropped: Edges,
}

impl Fate {
    pub(super) fn of(state: &State) -> Self {
        Self { deletions: state.deletions.clone(), retention: state.retention.clone(), dropped: state.dropped }
    }

    /// Where raw begins for a series, and its exemplars with it.
    fn edge(&self, labels: &Labels) -> Timestamp {
        self.retention.edges(labels, self.dropped)[Tier::Raw.index()]
    }

    fn is_deleted(&self, record: &Record, labels: &Labels, t: Timestamp) -> bool {
        let covers = |d: &Deletion| record.generation <= d.generation && d.range.contains(t) && d.matchers.iter().all(|m| m.accepts_labels(labels));
        self.deletions.iter().any(covers)
    }
}

impl View<'_> {
    /// Calls `each` for every series with exemplars.
    pub(super) fn exemplars(&self, mut each: impl FnMut(Labels, Vec<Exemplar>)) -> Result<(), StoreError> {
        let Some(table) = self.exemplars_table() else { return Ok(()) };
        for entry in table.iter().map_err(|e| self.partition().failed(e))? {
            let (key, value) = entry.map_err(|e| self.partition().failed(e))?;
            let (labels, list) = decode(value.value()).map_err(|e| self.partition().damaged(format!("exemplars {}: {e}", key.value())))?;
            each(labels, list);
        }
        Ok(())
    }
}

impl Reader {
    /// Exemplars at times in the range of the series that any of the matcher sets accepts: series in label
    /// order, exemplars in order of time. Of each raw window a series keeps its newest few.
    ///
    /// # Errors
    /// A file cannot be read, or the deadline passed.
    pub fn exemplars(&self, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline) -> Result<Vec<(Labels, Vec<Exemplar>)>, StoreError> {
        let wanted = |labels: &Labels| any_of.iter().any(|matchers| matchers.iter().all(|m| m.accepts_labels(labels)));
        let mut out: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
        let mut take = |labels: &Labels, list: &[Exemplar], lives: &dyn Fn(&Exemplar) -> bool| {
            if wanted(labels) {
                let kept = out.entry(labels.clone()).or_default();
                list.iter().filter(|e| range.contains(e.t) && lives(e)).for_each(|e| insert(kept, e, usize::MAX));
            }
        };
        // The head first: what is sealed meanwhile is then found in both, never in neither.
        let (set, fate, range) = {
            let state = self.shared.read();
            let fate = Fate::of(&state);
            let range = range.intersect(TimeRange::new(state.dropped[Tier::Raw.index()], Timestamp::MAX));
            for (_, window) in state.head.all_windows().filter(|((tier, _), w)| *tier == Tier::Raw && w.range.overlaps(range)) {
                for number in window.extras.exemplars.series() {
                    if let Some(series) = state.head.series.get(number as usize) {
                        let after = fate.edge(&series.labels);
                        take(&series.labels, window.extras.exemplars.of(number), &|e| range.contains(e.t) && e.t > after);
                    }
                }
            }
            (state.set.clone(), fate, range)
        };
        for partition in set.iter().filter(|p| p.record.tier == Tier::Raw && p.record.range.overlaps(range)) {
            deadline.check()?;
            partition.read(|view| {
                view.exemplars(|labels, list| {
                    let after = fate.edge(&labels);
                    take(&labels, &list, &|e| range.contains(e.t) && e.t > after && !fate.is_deleted(&partition.record, &labels, e.t));
                })
            })?;
        }
        out.retain(|_, list| !list.is_empty());
        Ok(out.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exemplar(t: i64, value: f64) -> Exemplar {
        Exemplar { labels: Labels::from_pairs([("trace_id", "abc")]).unwrap(), value, t: Timestamp(t) }
    }

    #[test]
    fn the_newest_of_a_series_are_kept_once_each() {
        let mut window = WindowExemplars::default();
        for t in [5, 3, 4, 4, 20, 12, 13, 14, 15, 16, 17, 18, 1] {
            window.push(7, &exemplar(t, 1.0));
        }
        let times: Vec<i64> = window.of(7).iter().map(|e| e.t.0).collect();
        assert_eq!(times, [4, 5, 12, 13, 14, 15, 16, 17, 18, 20]);
        assert_eq!(window.count, 10);
        window.renumber(&[None, None, None, None, None, None, None, Some(1)]);
        assert_eq!((window.of(1).len(), window.of(7).len()), (10, 0));
    }

    #[test]
    fn a_full_window_takes_only_in_place_of_its_own() {
        let mut window = WindowExemplars::default();
        (0..MOST_OF_A_WINDOW as u32).for_each(|series| window.push(series, &exemplar(1, 1.0)));
        window.push(u32::MAX, &exemplar(1, 1.0));
        window.push(0, &exemplar(2, 2.0));
        assert_eq!((window.count, window.of(u32::MAX).len()), (MOST_OF_A_WINDOW, 0));
        assert_eq!(window.of(0), [exemplar(2, 2.0)]);
    }

    proptest! {
        #[test]
        fn rows_read_back_to_the_bit(list in prop::collection::vec((any::<i64>(), any::<u64>(), "[a-z]{1,5}"), 0..5)) {
            let series = Labels::from_pairs([("__name__", "a")]).unwrap();
            let list: Vec<Exemplar> = list
                .iter()
                .map(|(t, bits, id)| Exemplar { labels: Labels::from_pairs([("trace_id", id)]).unwrap(), value: f64::from_bits(*bits), t: Timestamp(*t) })
                .collect();
            let (labels, read) = decode(&encode(&series, &list)).unwrap();
            let bits = |list: &[Exemplar]| list.iter().map(|e| (e.t, e.value.to_bits(), e.labels.clone())).collect::<Vec<_>>();
            prop_assert_eq!((labels, bits(&read)), (series, bits(&list)));
        }

        #[test]
        fn damaged_rows_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
