//! Where columns come from: the store, or whatever else can select series.

use crate::model::SeriesData;
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
}

impl Source for Reader {
    fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        Reader::select(self, selection, deadline)
    }
    fn coverage(&self) -> Coverage {
        Reader::coverage(self)
    }
}
