//! How much one query may read and hold.

use super::{Options, QueryError, Stats};

/// Counts what a query takes and refuses what is too much.
#[derive(Debug, Default)]
pub(super) struct Budget {
    pub(super) stats: Stats,
}

impl Budget {
    /// A selector read so many series with so many stored rows.
    pub(super) fn read(&mut self, series: usize, rows: usize, options: &Options) -> Result<(), QueryError> {
        self.stats.series += series;
        self.stats.samples += rows;
        if series > options.max_series {
            return Err(QueryError::Execution(format!(
                "a selector matches {series} series, more than query.max_series ({}): add matchers or raise the setting",
                options.max_series
            )));
        }
        self.hold(0, options)
    }

    /// A node holds so many values besides what was read. A sample takes 16 bytes, a value of a step 8.
    pub(super) fn hold(&self, values: usize, options: &Options) -> Result<(), QueryError> {
        if self.stats.samples.saturating_add(values) > options.max_samples {
            return Err(QueryError::Execution(format!(
                "query processing would load too many samples into memory in query execution: more than query.max_samples ({}); ask for less or raise the setting",
                options.max_samples
            )));
        }
        let bytes = self.stats.samples.saturating_mul(16).saturating_add(values.saturating_mul(8));
        if bytes > options.max_memory {
            return Err(QueryError::Execution(format!(
                "the query takes more memory than query.max_memory ({} MiB): ask for less or raise the setting",
                options.max_memory >> 20
            )));
        }
        Ok(())
    }
}
