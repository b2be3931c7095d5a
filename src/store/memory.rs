//! What the head takes in memory, about, and its budget: beyond it new series are refused while known
//! ones go on, and from three quarters of it the fullest windows are sealed early. Measured in each
//! round of maintenance; between two, what is taken is estimated and added.

use std::sync::atomic::Ordering;

use super::head::{Head, HeadSeries};
use super::shared::Shared;

/// A sample in a chunk, with what a late one or a new chunk costs now and then.
const SAMPLE_BYTES: u64 = 3;
/// A series in the table by labels, and a label in the index: its place in a list, and its text now and then.
const SERIES_BYTES: u64 = size_of::<HeadSeries>() as u64 + 16;
const LABEL_BYTES: u64 = 24;
/// The first chunk of a series in a window.
const CHUNK_BYTES: u64 = 120;

/// Bytes of a series of those labels, without its samples.
fn of_series(labels: &crate::model::Labels) -> u64 {
    SERIES_BYTES + labels.canonical().len() as u64 + labels.iter().count() as u64 * LABEL_BYTES
}

/// Bytes of the whole head.
pub(super) fn of_head(head: &Head) -> u64 {
    let series: u64 = head.series.iter().map(|series| of_series(&series.labels)).sum();
    series + head.all_windows().map(|(_, window)| window.bytes() as u64).sum::<u64>()
}

impl Shared {
    /// Looks how much the head takes.
    pub(super) fn measure_memory(&self) {
        let bytes = of_head(&self.read().head);
        self.memory.store(bytes, Ordering::Relaxed);
    }

    /// Adds what was taken since.
    pub(super) fn add_memory(&self, samples: u64, new_series: u64, label_bytes: u64) {
        let series = new_series * (SERIES_BYTES + CHUNK_BYTES) + label_bytes * 2;
        self.memory.fetch_add(samples * SAMPLE_BYTES + series, Ordering::Relaxed);
    }

    /// Series that the head may hold now: no new ones where there is no memory for them.
    pub(super) fn most_series(&self) -> usize {
        if self.is_out_of_memory() { 0 } else { self.options.max_series }
    }

    /// Whether new series are to be refused for want of memory.
    fn is_out_of_memory(&self) -> bool {
        self.options.max_memory.is_some_and(|most| self.memory.load(Ordering::Relaxed) > most.0)
    }

    /// Bytes of windows that should be sealed early; 0: none.
    pub(super) fn memory_to_free(&self) -> u64 {
        self.options.max_memory.map_or(0, |most| self.memory.load(Ordering::Relaxed).saturating_sub(most.0 / 4 * 3))
    }
}
