//! Reading: the head and the sealed partitions of every tier as one, each instant answered by one tier.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::deletion::{Deletion, surviving};
use super::head::{SeriesChunk, clip, overlay};
use super::histograms::{self, HistogramChunk, thin};
use super::index::matching;
use super::layout::{Combine, Record};
use super::partition::{Partition, Values};
use super::quarantine::Lost;
use super::retention::{Edges, Retention};
use super::rollup::{roll_samples, stack};
use super::shared::{Shared, State};
use super::{Coverage, Selection, StorageForecast, StoreError, StoreStats};
use crate::model::{
    BucketColumns, Column, HistogramColumn, HistogramSegment, Labels, Matcher, Sample, Segment, SeriesData, Tier, TimeRange, Timestamp, Widths,
};
use crate::task::Deadline;

/// Reads while others write. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
}

/// Which part of the asked range each tier answers.
type Portions = [Option<TimeRange>; 3];

/// What was gathered of one series, by tier, older generations first.
#[derive(Debug, Default)]
struct Pieces {
    portions: Portions,
    raw: Vec<Column>,
    rolled: [Vec<(Combine, BucketColumns)>; 3],
    histograms: [HistogramColumn; 3],
}

/// Chunks of the head that a selection matched, copied out of the lock.
struct FromHead {
    labels: Labels,
    tier: Tier,
    chunk: Option<SeriesChunk>,
    histograms: Option<HistogramChunk>,
}

/// What one selection works on.
struct Snapshot {
    widths: Widths,
    /// Of any series at all.
    reach: Portions,
    dropped: Edges,
    retention: Arc<Retention>,
    set: Arc<Vec<Arc<Partition>>>,
    deletions: Arc<Vec<Deletion>>,
    head: Vec<FromHead>,
}

impl Reader {
    /// Series in label order, each with stitched segments; one without rows in the range is left out.
    /// Of a rolled-up tier every histogram is given whose cell overlaps the range, as with buckets.
    ///
    /// # Errors
    /// A file cannot be read, or the deadline passed.
    pub fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        let Snapshot { widths, reach, dropped, retention, set, deletions, head } = self.snapshot(selection)?;
        let begun = |labels: &Labels| Pieces::of(self.portions(retention.edges(labels, dropped), selection));
        let mut found: HashMap<Labels, Pieces> = HashMap::new();
        for partition in set.iter() {
            deadline.check()?;
            let tier = partition.record.tier;
            if reach[tier.index()].is_none_or(|p| !p.overlaps(partition.record.range)) {
                continue;
            }
            partition.read(|view| {
                for number in view.matching(&selection.matchers)?.iter().copied() {
                    let (labels, values) = view.read(number)?;
                    let Some(values) = surviving(&deletions, &partition.record, widths, &labels, values) else { continue };
                    let pieces = found.entry(labels).or_insert_with_key(begun);
                    let (floats, histograms) = values.split();
                    pieces.add_histograms(tier, histograms);
                    match floats {
                        Some(Values::Samples(column)) => pieces.push_raw(column),
                        Some(Values::Buckets(buckets)) => pieces.rolled[tier.index()].push((partition.record.combine, buckets)),
                        Some(Values::Histograms(_)) | None => {}
                    }
                }
                Ok(())
            })?;
        }
        for FromHead { labels, tier, chunk, histograms } in head {
            let pieces = found.entry(labels).or_insert_with_key(begun);
            pieces.add_histograms(tier, histograms.map(|chunk| chunk.column()).unwrap_or_default());
            let Some(chunk) = chunk else { continue };
            match tier {
                Tier::Raw => pieces.push_raw(chunk.column()),
                _ => pieces.rolled[tier.index()].push((Combine::Merge, roll_samples(&chunk.column(), widths.of(tier)))),
            }
        }
        deadline.check()?;
        let mut out: Vec<SeriesData> = found
            .into_iter()
            .map(|(labels, mut pieces)| {
                let histograms = pieces.histogram_segments(widths);
                SeriesData { labels, segments: pieces.segments(widths), histograms }
            })
            .filter(|s| !s.segments.is_empty() || !s.histograms.is_empty())
            .collect();
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(out)
    }

    /// Which part of the asked range each tier answers for a series whose tiers begin there.
    fn portions(&self, edges: Edges, selection: &Selection) -> Portions {
        let coverage = self.shared.coverage_of(edges);
        self.asked(selection, |tier| match selection.tier {
            Some(_) => TimeRange::new(edges[tier.index()], Timestamp::MAX),
            None => coverage.of(tier),
        })
    }

    /// Which part of the asked range each tier answers for any series at all.
    fn reach(&self, state: &State, selection: &Selection) -> Portions {
        if state.retention.is_plain() {
            return self.portions(state.dropped, selection);
        }
        let answers = self.answers(state);
        self.asked(selection, |tier| if selection.tier.is_some() { TimeRange::new(state.dropped[tier.index()], Timestamp::MAX) } else { answers(tier) })
    }

    /// What each tier answers for one series or another.
    fn answers(&self, state: &State) -> impl Fn(Tier) -> TimeRange + use<> {
        let (oldest, newest) = (self.shared.coverage_of(state.dropped), self.shared.coverage(state));
        let (dropped, is_plain) = (state.dropped, state.retention.is_plain());
        move |tier| if is_plain { oldest.of(tier) } else { TimeRange::new(dropped[tier.index()], if tier == Tier::Raw { Timestamp::MAX } else { newest.raw }) }
    }

    fn asked(&self, selection: &Selection, answers: impl Fn(Tier) -> TimeRange) -> Portions {
        Tier::ALL.map(|tier| {
            if selection.tier.is_some_and(|only| only != tier) {
                return None;
            }
            let answers = answers(tier);
            // A range that ends inside a bucket is answered from that bucket.
            let width = self.shared.options.widths.of(tier);
            let asked = TimeRange::new(selection.range.start, if tier == Tier::Raw { selection.range.end } else { selection.range.end + width });
            Some(answers.intersect(asked)).filter(|p| !p.is_empty())
        })
    }

    /// Which tier answers what, the partitions and the matched chunks of the head, all from one
    /// moment: between two the edge of a tier could move.
    fn snapshot(&self, selection: &Selection) -> Result<Snapshot, StoreError> {
        let state = self.shared.read();
        let reach = self.reach(&state, selection);
        let mut head = Vec::new();
        let relevant = |tier: Tier, range: TimeRange| reach[tier.index()].is_some_and(|p| p.overlaps(range));
        if state.head.all_windows().any(|((tier, _), w)| relevant(tier, w.range)) {
            let numbers = matching(&state.head.index, &selection.matchers)?;
            for ((tier, _), window) in state.head.all_windows().filter(|((tier, _), w)| relevant(*tier, w.range)) {
                for number in &numbers {
                    if let Some(series) = state.head.series.get(*number as usize).filter(|_| window.holds(*number)) {
                        let (chunk, histograms) = (window.chunk(*number).cloned(), window.extras.histograms.get(number).cloned());
                        head.push(FromHead { labels: series.labels.clone(), tier, chunk, histograms });
                    }
                }
            }
        }
        Ok(Snapshot {
            widths: self.shared.options.widths,
            reach,
            dropped: state.dropped,
            retention: state.retention.clone(),
            set: state.set.clone(),
            deletions: state.deletions.clone(),
            head,
        })
    }

    /// Label sets with data in the range that any of the matcher sets accepts (none given: all), in label order.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn series(&self, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline) -> Result<Vec<Labels>, StoreError> {
        let every = [Vec::new()];
        let sets = if any_of.is_empty() { every.as_slice() } else { any_of };
        let mut out = BTreeSet::new();
        // The head first: what is sealed meanwhile is then found in both, never in neither.
        {
            let state = self.shared.read();
            for matchers in sets {
                for number in matching(&state.head.index, matchers)? {
                    if state.head.all_windows().any(|(_, w)| w.range.overlaps(range) && w.holds(number)) {
                        out.extend(state.head.series.get(number as usize).map(|s| s.labels.clone()));
                    }
                }
            }
        }
        let (deletions, widths) = (self.shared.read().deletions.clone(), self.shared.options.widths);
        let answers = self.answering(range);
        for partition in self.overlapping(range) {
            deadline.check()?;
            partition.read(|view| {
                for matchers in sets {
                    for number in view.matching(matchers)?.iter().copied() {
                        let labels = view.labels(number)?;
                        if !answers(&partition.record, &labels) {
                            continue;
                        }
                        if deletions.is_empty() || surviving(&deletions, &partition.record, widths, &labels, view.read(number)?.1).is_some() {
                            out.insert(labels);
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(out.into_iter().collect())
    }

    /// Partitions that answer any part of a range.
    fn overlapping(&self, range: TimeRange) -> Vec<Arc<Partition>> {
        let state = self.shared.read();
        let of = self.answers(&state);
        let answers = |p: &Partition| of(p.record.tier).intersect(p.record.range).overlaps(range);
        state.set.iter().filter(|p| answers(p)).cloned().collect()
    }

    /// Whether a partition answers any part of a range for a series.
    fn answering(&self, range: TimeRange) -> impl Fn(&Record, &Labels) -> bool {
        let (retention, dropped) = {
            let state = self.shared.read();
            (state.retention.clone(), state.dropped)
        };
        move |record, labels| {
            retention.is_plain() || self.shared.coverage_of(retention.edges(labels, dropped)).of(record.tier).intersect(record.range).overlaps(range)
        }
    }

    /// Label names of those series, in order.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn label_names(&self, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline) -> Result<Vec<String>, StoreError> {
        let mut out: BTreeSet<String> = BTreeSet::new();
        self.each_pair(any_of, range, deadline, &mut |name, _| {
            if !out.contains(name) {
                out.insert(name.to_owned());
            }
        })?;
        Ok(out.into_iter().collect())
    }

    /// Values of a label among those series, in order.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn label_values(&self, label: &str, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline) -> Result<Vec<String>, StoreError> {
        let mut out: BTreeSet<String> = BTreeSet::new();
        self.each_pair(any_of, range, deadline, &mut |name, value| {
            if name == label && !out.contains(value) {
                out.insert(value.to_owned());
            }
        })?;
        Ok(out.into_iter().collect())
    }

    fn each_pair(&self, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline, each: &mut dyn FnMut(&str, &str)) -> Result<(), StoreError> {
        if !any_of.is_empty() || !self.shared.read().deletions.is_empty() {
            for labels in self.series(any_of, range, deadline)? {
                labels.iter().for_each(|(n, v)| each(n, v));
            }
            return Ok(());
        }
        // The head first, as in `series`.
        {
            let state = self.shared.read();
            let held: Vec<_> = state.head.all_windows().filter(|(_, w)| w.range.overlaps(range)).map(|(_, w)| w).collect();
            for (number, series) in state.head.series.iter().enumerate() {
                if held.iter().any(|w| w.holds(number as u32)) {
                    series.labels.iter().for_each(|(n, v)| each(n, v));
                }
            }
        }
        let answers = self.answering(range);
        let (is_plain, whole) = {
            let state = self.shared.read();
            (state.retention.is_plain(), state.retention.newest(state.dropped)[0])
        };
        for partition in self.overlapping(range) {
            deadline.check()?;
            // Where some of its series are past, only those count that are not.
            if is_plain || (partition.record.tier == Tier::Raw && partition.record.range.start >= whole) {
                partition.read(|view| view.pairs(&mut *each))?;
                continue;
            }
            partition.read(|view| {
                for number in 0..partition.record.series as u32 {
                    let labels = view.labels(number)?;
                    if answers(&partition.record, &labels) {
                        labels.iter().for_each(|(n, v)| each(n, v));
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The newest sample of one series over all tiers.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn last(&self, labels: &Labels, deadline: &Deadline) -> Result<Option<Sample>, StoreError> {
        let matchers: Vec<Matcher> = labels.iter().map(|(n, v)| Matcher::equal(n, v)).collect();
        for tier in Tier::ALL {
            let selection = Selection { matchers: matchers.clone(), range: TimeRange::ALL, tier: Some(tier) };
            let found = self.select(&selection, deadline)?.into_iter().find(|s| s.labels == *labels);
            let newest = found.and_then(|s| s.segments.last().and_then(last_of));
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    /// Which tier answers when.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.shared.coverage(&self.shared.read())
    }

    /// The number of the newest write that can be read now.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.shared.touched.lock().unwrap_or_else(PoisonError::into_inner).newest()
    }

    /// The oldest time that was written to after the write of that number; `None`: nothing was.
    /// Where nobody knows any more it is [`Timestamp::MIN`].
    #[must_use]
    pub fn touched_since(&self, write: u64) -> Option<Timestamp> {
        self.shared.touched.lock().unwrap_or_else(PoisonError::into_inner).since(write)
    }

    /// Partitions that were damaged or missing, oldest first.
    #[must_use]
    pub fn lost(&self) -> Vec<Lost> {
        self.shared.lost()
    }

    /// Time of the oldest row, about; `None`: there is none.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        self.shared.oldest()
    }

    /// What the store takes and will take.
    #[must_use]
    pub fn storage(&self) -> StorageForecast {
        self.shared.storage()
    }

    /// Figures of the store.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.shared.stats()
    }
}

fn last_of(segment: &Segment) -> Option<Sample> {
    match segment {
        Segment::Raw(c) => c.t.last().zip(c.v.last()).map(|(t, v)| Sample { t: Timestamp(*t), v: *v }),
        Segment::Rolled { buckets, .. } => buckets.iter().filter(|b| b.count > 0).last().map(|b| Sample { t: b.last_t, v: b.last }),
    }
}

impl Pieces {
    fn of(portions: Portions) -> Self {
        Self { portions, ..Self::default() }
    }

    fn push_raw(&mut self, column: Column) {
        self.raw.extend(self.portions[0].map(|portion| clip(column, portion)));
    }

    /// Puts newer histograms over those that are there.
    fn add_histograms(&mut self, tier: Tier, newer: HistogramColumn) {
        let place = &mut self.histograms[tier.index()];
        if !newer.is_empty() {
            *place = histograms::overlay(std::mem::take(place), newer);
        }
    }

    /// The coarsest tier first; none is empty.
    fn histogram_segments(&mut self, widths: Widths) -> Vec<HistogramSegment> {
        let mut out = Vec::new();
        for tier in [Tier::Summary, Tier::Aggregated, Tier::Raw] {
            let column = std::mem::take(&mut self.histograms[tier.index()]);
            let Some(portion) = self.portions[tier.index()].filter(|_| !column.is_empty()) else { continue };
            let width = if tier == Tier::Raw { Duration::ZERO } else { widths.of(tier) };
            let column = match tier {
                Tier::Raw => histograms::clip(column, portion),
                _ => histograms::at_times(&thin(&column, width), |t| portion.contains(t.cell_end(width))),
            };
            if !column.is_empty() {
                out.push(HistogramSegment { tier, width, column });
            }
        }
        out
    }

    fn segments(self, widths: Widths) -> Vec<Segment> {
        let portions = self.portions;
        let mut out = Vec::new();
        let [_, aggregated, summary] = self.rolled;
        for (tier, generations) in [(Tier::Summary, summary), (Tier::Aggregated, aggregated)] {
            let Some(portion) = portions[tier.index()].filter(|_| !generations.is_empty()) else { continue };
            let buckets: BucketColumns = stack(generations).iter().filter(|b| portion.contains(b.end)).collect();
            if !buckets.is_empty() {
                out.push(Segment::Rolled { tier, width: widths.of(tier), buckets });
            }
        }
        let mut raw = self.raw;
        // Windows are disjoint, so in order of time nearly all are put end to end; the order of
        // generations is kept among those that begin together.
        raw.retain(|c| !c.is_empty());
        let merged = in_order(raw);
        if !merged.is_empty() {
            out.push(Segment::Raw(merged));
        }
        out
    }
}

/// Columns, older generations first, as one. Those that do not overlap are put end to end.
fn in_order(columns: Vec<Column>) -> Column {
    let mut groups: BTreeMap<i64, Column> = BTreeMap::new();
    for column in columns {
        let (Some(first), Some(last)) = (column.t.first().copied(), column.t.last().copied()) else { continue };
        let overlapping: Vec<i64> = groups.range(..=last).filter(|(_, c)| c.t.last().is_some_and(|l| *l >= first)).map(|(k, _)| *k).collect();
        let mut merged = Column::default();
        for key in overlapping {
            if let Some(older) = groups.remove(&key) {
                merged = overlay(merged, older);
            }
        }
        merged = overlay(merged, column);
        if let Some(start) = merged.t.first() {
            groups.insert(*start, merged);
        }
    }
    groups.into_values().fold(Column::default(), overlay)
}
