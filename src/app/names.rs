//! What `query` needs to know of names, answered by `ingest`'s registry.

use crate::ingest::Registry;
use crate::model::{Category, MetricType};
use crate::query::Names;

/// The registry as `query` sees it.
#[derive(Debug)]
pub(super) struct RegistryNames(pub(super) Registry);

impl Names for RegistryNames {
    fn of_category(&self, category: Category) -> Vec<String> {
        self.0.all_meta().into_iter().filter(|(_, meta)| meta.category == category).map(|(name, _)| name).collect()
    }

    fn is_histogram(&self, name: &str) -> bool {
        self.0.meta(name).is_some_and(|meta| meta.kind == MetricType::Histogram)
    }
}
