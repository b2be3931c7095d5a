//! The newest value of each series that this daemon collected itself or that was recorded: what
//! expositions show, without asking the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{CustomMetric, IngestError};
use crate::model::{Batch, Fingerprint, Labels, METRIC_NAME, Matcher, Origin, Sample, Segment, Tier, TimeRange, Timestamp, is_stale};
use crate::store::{Reader, Selection};
use crate::task::Deadline;

/// What is older than this is dropped: well past any usual lookback.
const KEEP: Duration = Duration::from_secs(15 * 60);

/// How often old entries are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// Labels that say who collected, not what: expositions leave them to the scraper.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// Newest value of each series that this daemon collected itself or that was recorded as custom:
/// what expositions show. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    newest: HashMap<Fingerprint, Entry>,
    swept: Option<Timestamp>,
}

#[derive(Debug)]
struct Entry {
    labels: Labels,
    sample: Sample,
    origin: Origin,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Values not older than `oldest`, in label order; stale ones left out.
    #[must_use]
    pub fn newer_than(&self, oldest: Timestamp) -> Vec<(Labels, Sample)> {
        self.values(oldest, |entry| entry.labels.clone())
    }

    /// As [`newer_than`](Self::newer_than), but `job` and `instance` of what was collected are left
    /// out, and no series stands twice.
    #[must_use]
    pub fn exposed(&self, oldest: Timestamp) -> Vec<(Labels, Sample)> {
        let mut out = self.values(oldest, |entry| match entry.origin {
            Origin::Collected => entry.labels.filtered(|name| !TARGET_LABELS.contains(&name)),
            _ => entry.labels.clone(),
        });
        out.dedup_by(|a, b| a.0 == b.0);
        out
    }

    fn values(&self, oldest: Timestamp, show: impl Fn(&Entry) -> Labels) -> Vec<(Labels, Sample)> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out: Vec<(Labels, Sample)> =
            entries.newest.values().filter(|e| e.sample.t >= oldest && !is_stale(e.sample.v)).map(|e| (show(e), e.sample)).collect();
        drop(entries);
        // Of equal labels the newest comes first.
        out.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.t.cmp(&a.1.t)));
        out
    }

    /// Shows again, after a restart, what was recorded of these metrics in `range`. Series with an
    /// `instance` were pushed under the same name and are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn restore(&self, metrics: &[CustomMetric], reader: &Reader, range: TimeRange) -> Result<(), IngestError> {
        let names: Vec<String> = metrics.iter().flat_map(|m| ["", "_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", m.name))).collect();
        let matcher = Matcher::regex(METRIC_NAME, &names.join("|")).map_err(|e| IngestError::invalid("name", e.to_string()))?;
        let selection = Selection { matchers: vec![matcher], range, tier: Some(Tier::Raw) };
        let mut batch = Batch::new(Origin::Custom);
        for series in reader.select(&selection, &Deadline::never())? {
            let Some(Segment::Raw(column)) = series.segments.last() else { continue };
            if let Some((t, v)) = column.t.last().zip(column.v.last()).filter(|_| series.labels.get("instance").is_none()) {
                batch.push(&series.labels, Sample { t: Timestamp(*t), v: *v });
            }
        }
        self.take(&batch, range.end);
        Ok(())
    }

    /// Shows no more what was deleted: series that any matcher set accepts, with their newest value in `range`.
    pub fn forget(&self, any_of: &[Vec<Matcher>], range: TimeRange) {
        let gone = |entry: &Entry| range.contains(entry.sample.t) && any_of.iter().any(|all| all.iter().all(|m| m.accepts_labels(&entry.labels)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).newest.retain(|_, entry| !gone(entry));
    }

    /// Takes what was made durable. What was pushed or computed is not shown.
    pub(super) fn take(&self, batch: &Batch, now: Timestamp) {
        if matches!(batch.origin, Origin::Pushed | Origin::Derived) {
            return;
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in batch.series() {
            // What lies ahead is not yet: it would hide what comes until then.
            let Some(sample) = row.samples.iter().filter(|s| s.t <= now).max_by_key(|s| s.t) else { continue };
            match entries.newest.get_mut(&Fingerprint::of(row.labels)) {
                Some(entry) if sample.t >= entry.sample.t => entry.sample = *sample,
                Some(_) => {}
                None => {
                    let Ok(labels) = Labels::from_canonical(row.labels) else { continue };
                    entries.newest.insert(labels.fingerprint(), Entry { labels, sample: *sample, origin: batch.origin });
                }
            }
        }
        if entries.swept.is_none_or(|t| now > t + SWEEP || now < t) {
            entries.newest.retain(|_, entry| entry.sample.t >= now - KEEP);
            entries.swept = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stale_marker;

    fn put(board: &Board, origin: Origin, pairs: &[(&str, &str)], t: i64, v: f64) {
        let mut batch = Batch::new(origin);
        batch.push(&Labels::from_pairs(pairs.iter().copied()).unwrap(), Sample { t: Timestamp(t), v });
        board.take(&batch, Timestamp(t));
    }

    fn shown(list: Vec<(Labels, Sample)>) -> Vec<(String, f64)> {
        list.into_iter().map(|(labels, sample)| (labels.to_string(), sample.v)).collect()
    }

    #[test]
    fn the_newest_value_is_shown_and_pushed_or_stale_ones_are_not() {
        let board = Board::new();
        put(&board, Origin::Collected, &[("__name__", "b")], 100, 1.0);
        put(&board, Origin::Custom, &[("__name__", "a")], 100, 2.0);
        put(&board, Origin::Custom, &[("__name__", "a")], 90, 9.0);
        put(&board, Origin::Pushed, &[("__name__", "c")], 100, 3.0);
        put(&board, Origin::Collected, &[("__name__", "d")], 100, stale_marker());
        assert_eq!(shown(board.newer_than(Timestamp(95))), [("a{}".to_owned(), 2.0), ("b{}".to_owned(), 1.0)]);
        assert!(board.newer_than(Timestamp(101)).is_empty());
    }

    #[test]
    fn what_is_deleted_is_shown_no_more() {
        let board = Board::new();
        put(&board, Origin::Custom, &[("__name__", "a")], 5, 1.0);
        put(&board, Origin::Custom, &[("__name__", "b")], 5, 1.0);
        board.forget(&[vec![Matcher::metric("a")]], TimeRange::new(Timestamp(5), Timestamp(9)));
        assert_eq!(board.newer_than(Timestamp(0)).len(), 2);
        board.forget(&[vec![Matcher::metric("a")]], TimeRange::ALL);
        assert_eq!(shown(board.newer_than(Timestamp(0))), [("b{}".to_owned(), 1.0)]);
    }

    #[test]
    fn old_entries_go() {
        let board = Board::new();
        put(&board, Origin::Custom, &[("__name__", "a")], 0, 1.0);
        put(&board, Origin::Custom, &[("__name__", "b")], 16 * 60_000, 1.0);
        assert_eq!(shown(board.newer_than(Timestamp::MIN)), [("b{}".to_owned(), 1.0)]);
    }

    #[test]
    fn an_exposition_leaves_out_the_target_and_shows_no_series_twice() {
        let board = Board::new();
        put(&board, Origin::Collected, &[("__name__", "a"), ("job", "node"), ("instance", "h")], 1, 1.0);
        put(&board, Origin::Custom, &[("__name__", "a")], 2, 2.0);
        put(&board, Origin::Custom, &[("__name__", "b"), ("instance", "x")], 2, 3.0);
        assert_eq!(shown(board.exposed(Timestamp(0))), [("a{}".to_owned(), 2.0), ("b{instance=\"x\"}".to_owned(), 3.0)]);
    }
}
