//! Where columns come from: the store, or whatever else can select series.

use crate::model::{Labels, SeriesData, TimeRange};
use crate::store::{Coverage, Reader, Selection, StoreError};
use crate::task::Deadline;

/// Something that yields columns of series.
pub trait Source: Send + Sync {
    /// Series in label order with what they have in the range.
    ///
    /// # Errors
    /// Reading failed or the deadline passed.
    fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError>;

    /// Which tier answers when.
    fn coverage(&self) -> Coverage;

    /// When the counters of a series began: times of samples and the start that was sent with each, in Unix
    /// milliseconds, ascending. A source that does not keep them yields nothing.
    fn starts(&self, labels: &Labels, range: TimeRange) -> Vec<(i64, i64)> {
        let _ = (labels, range);
        Vec::new()
    }
}

impl Source for Reader {
    fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        Reader::select(self, selection, deadline)
    }
    fn coverage(&self) -> Coverage {
        Reader::coverage(self)
    }
}
