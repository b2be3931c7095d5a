//! What is known of metrics: the catalogue's, those that users registered, and metadata that came
//! along with samples. Registered metrics and learned metadata are documents in the store's catalog.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::catalogue::{self, Known};
use super::custom::{Plan, Planner, Totals, reserved_label};
use super::intake::Desk;
use super::{IngestError, Options, Recording};
use crate::clock::SharedClock;
use crate::model::{Category, Labels, MetricMeta, MetricType, valid_label_name, valid_metric_name};
use crate::store::{Catalog, DocumentKind, Reader};
use crate::task::Deadline;

/// Upper bounds of a histogram for which none were given: Prometheus' own, in seconds.
const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// More buckets than this make a histogram dearer than what it tells.
const MAX_BUCKETS: usize = 200;

/// A custom metric's definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomMetric {
    /// In the classic grammar.
    pub name: String,
    /// Counter, gauge, histogram or summary.
    pub kind: MetricType,
    /// Base unit, or empty.
    pub unit: String,
    /// One sentence.
    pub help: String,
    /// What it is about.
    pub category: Category,
    /// Names that its samples may have as labels, sorted; none: any.
    pub labels: Vec<String>,
    /// Upper bounds of a histogram, rising, without infinity.
    pub buckets: Vec<f64>,
}

impl CustomMetric {
    fn meta(&self) -> MetricMeta {
        MetricMeta { kind: self.kind, unit: self.unit.clone(), help: self.help.clone(), category: self.category }
    }

    /// The names of its samples.
    fn sample_names(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            MetricType::Histogram => &["", "_bucket", "_sum", "_count"],
            MetricType::Summary => &["", "_sum", "_count"],
            _ => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

/// What registering did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It was not there.
    New,
    /// It was there, the same.
    Same,
}

/// Known metrics, the catalogue's and custom ones. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    reader: Reader,
    options: Options,
    clock: SharedClock,
    desk: Desk,
    state: Mutex<State>,
    /// Held while documents are written, so that memory follows the catalog in order.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    custom: BTreeMap<String, CustomMetric>,
    learned: BTreeMap<String, MetricMeta>,
}

impl Registry {
    /// Loads definitions and metadata from the catalog, adds the packs that are on.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn open(catalog: Catalog, reader: Reader, options: Options, clock: SharedClock) -> Result<Self, IngestError> {
        let custom = catalog.list::<CustomMetric>(DocumentKind::CustomMetric)?.into_iter().map(|d| (d.id, d.body)).collect();
        let learned = catalog.list::<MetricMeta>(DocumentKind::Metadata)?.into_iter().map(|d| (d.id, d.body)).collect();
        let state = Mutex::new(State { custom, learned });
        let inner = Inner { catalog, reader, options, clock, desk: Desk::default(), state, writing: Mutex::default() };
        Ok(Self(Arc::new(inner)))
    }

    /// What is known of a metric family; `_bucket`, `_sum`, `_count` are traced back to their family.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<MetricMeta> {
        let state = self.state();
        family_meta(name, |name| self.exact(&state, name))
    }

    /// Everything known, in order of name.
    #[must_use]
    pub fn all_meta(&self) -> BTreeMap<String, MetricMeta> {
        let mut all = self.state().learned.clone();
        all.extend(self.list().into_iter().map(|metric| (metric.name.clone(), metric.meta())));
        all
    }

    /// Learns metadata that came along (collectors, remote write); written to the catalog only where
    /// it changed. Sync, takes disk.
    ///
    /// # Errors
    /// The catalog cannot be written; nothing is learned then.
    pub fn learn(&self, metadata: &[(String, MetricMeta)]) -> Result<(), IngestError> {
        if self.news(metadata).is_empty() {
            return Ok(());
        }
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.news(metadata);
        self.0.catalog.put_all(DocumentKind::Metadata, &news)?;
        self.state().learned.extend(news);
        Ok(())
    }

    /// Registers a custom metric, durably.
    ///
    /// # Errors
    /// It is malformed, contradicts what is known, or the catalog cannot be written.
    pub fn register(&self, metric: CustomMetric) -> Result<Registered, IngestError> {
        let metric = checked(metric, &self.0.options)?;
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let state = self.state();
            let known = self.known(&metric.name)?.map(Known::definition).or_else(|| state.custom.get(&metric.name).cloned());
            match known {
                Some(known) if known == metric => return Ok(Registered::Same),
                Some(_) => return Err(IngestError::Conflict(format!("{} is registered already, and not the same", metric.name))),
                None => free_names(&metric, &state)?,
            }
        }
        self.0.catalog.put(DocumentKind::CustomMetric, &metric.name, None, &metric)?;
        self.state().custom.insert(metric.name.clone(), metric);
        Ok(Registered::New)
    }

    /// Custom metrics and those of the packs that are on, in order of name.
    #[must_use]
    pub fn list(&self) -> Vec<CustomMetric> {
        let mut all = self.state().custom.clone();
        let on = catalogue::all().filter(|known| known.is_on(self.0.options.packs));
        all.extend(on.map(|known| (known.name.to_owned(), known.definition())));
        all.into_values().collect()
    }

    /// Why a known metric cannot be recorded: its pack is off. `None` for all others.
    #[must_use]
    pub fn why_off(&self, name: &str) -> Option<String> {
        catalogue::all().find(|known| known.name == name && !known.is_on(self.0.options.packs)).map(Known::off_reason)
    }

    /// What the recordings mean, built on `totals`. Sync, may take disk.
    pub(super) fn plan(&self, totals: &mut Totals, recordings: &[&Recording]) -> Result<Plan, IngestError> {
        let deadline = Deadline::never();
        let newest = |labels: &Labels| Ok(self.0.reader.last(labels, &deadline)?);
        let mut planner = Planner::new(&self.0.options, self.0.clock.now(), totals, &newest);
        let mut metrics: HashMap<&str, Result<CustomMetric, String>> = HashMap::new();
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for (index, &recording) in recordings.iter().enumerate() {
            let metric = metrics.entry(recording.name.as_str()).or_insert_with(|| self.definition(recording));
            planner.take(index, recording, metric)?;
            if planner.took(index) {
                taken.insert(recording.name.as_str());
            }
        }
        // Of unknown names only those of which something is kept.
        for metric in taken.iter().filter_map(|name| metrics.get(name)?.as_ref().ok()).filter(|_| self.0.options.auto_register) {
            self.register(metric.clone())?;
        }
        Ok(planner.finish())
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The metric that a recording names, a gauge to be where unknown names are wished; or why there is none.
    fn definition(&self, recording: &Recording) -> Result<CustomMetric, String> {
        let name = &recording.name;
        if let Some(known) = self.known(name).map_err(|e| e.to_string())? {
            return Ok(known.definition());
        }
        if let Some(metric) = self.state().custom.get(name) {
            return Ok(metric.clone());
        }
        if !self.0.options.auto_register {
            return Err(format!("{name:?} is not registered: register it first at metrics/custom/register, or set custom.auto_register: true"));
        }
        let metric = CustomMetric {
            name: name.clone(),
            kind: MetricType::Gauge,
            unit: String::new(),
            help: String::new(),
            category: Category::Custom,
            labels: Vec::new(),
            buckets: Vec::new(),
        };
        let metric = checked(metric, &self.0.options).map_err(|e| e.to_string())?;
        free_names(&metric, &self.state()).map_err(|e| e.to_string())?;
        Ok(metric)
    }

    /// The catalogue's metric of this name; an error where its pack is off.
    fn known(&self, name: &str) -> Result<Option<&'static Known>, IngestError> {
        match catalogue::all().find(|known| known.name == name) {
            Some(known) if !known.is_on(self.0.options.packs) => Err(IngestError::invalid("name", known.off_reason())),
            found => Ok(found),
        }
    }

    fn exact(&self, state: &State, name: &str) -> Option<MetricMeta> {
        if let Some(metric) = state.custom.get(name) {
            return Some(metric.meta());
        }
        let on = catalogue::all().find(|known| known.name == name && known.is_on(self.0.options.packs));
        on.map(|known| known.definition().meta()).or_else(|| state.learned.get(name).cloned())
    }

    /// What of `metadata` says more than is known, as it is to be kept. Registered ones stay as they are.
    fn news(&self, metadata: &[(String, MetricMeta)]) -> Vec<(String, MetricMeta)> {
        let state = self.state();
        let mut news = BTreeMap::new();
        for (name, meta) in metadata {
            if name.is_empty() || state.custom.contains_key(name) || catalogue::all().any(|known| known.name == name) {
                continue;
            }
            let old = news.get(name).or_else(|| state.learned.get(name));
            let merged = old.map_or_else(|| meta.clone(), |old| merge(old, meta));
            if old != Some(&merged) {
                news.insert(name.clone(), merged);
            }
        }
        news.into_iter().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Newer metadata wins where it says something.
fn merge(old: &MetricMeta, new: &MetricMeta) -> MetricMeta {
    let text = |old: &String, new: &String| if new.is_empty() { old.clone() } else { new.clone() };
    MetricMeta {
        kind: if new.kind == MetricType::Unknown { old.kind } else { new.kind },
        unit: text(&old.unit, &new.unit),
        help: text(&old.help, &new.help),
        category: if new.category == Category::Custom { old.category } else { new.category },
    }
}

/// Asks for the name itself, then for the family that a histogram's or summary's sample belongs to.
fn family_meta(name: &str, exact: impl Fn(&str) -> Option<MetricMeta>) -> Option<MetricMeta> {
    exact(name).or_else(|| {
        ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
            let meta = exact(name.strip_suffix(suffix)?)?;
            let fits = meta.kind == MetricType::Histogram || (meta.kind == MetricType::Summary && *suffix != "_bucket");
            fits.then_some(meta)
        })
    })
}

/// The definition as it is kept, or what is wrong with it.
fn checked(mut metric: CustomMetric, options: &Options) -> Result<CustomMetric, IngestError> {
    if !valid_metric_name(&metric.name) || metric.name.starts_with("__") {
        return Err(IngestError::invalid("name", format!("{:?} is not a metric name: use letters, digits and _, no digit first", metric.name)));
    }
    if metric.name.len() > options.max_label_value_bytes {
        return Err(IngestError::invalid("name", format!("the name has {} bytes, the limit is {}", metric.name.len(), options.max_label_value_bytes)));
    }
    if metric.name == "up" || metric.name.starts_with("latido_") {
        return Err(IngestError::Conflict(format!("{} is the daemon's own: choose another name", metric.name)));
    }
    if metric.kind == MetricType::Unknown {
        return Err(IngestError::invalid("type", "the type is counter, gauge, histogram or summary"));
    }
    metric.labels.sort();
    check_label_names(&metric, options)?;
    if metric.kind == MetricType::Histogram && metric.buckets.is_empty() {
        metric.buckets = DEFAULT_BUCKETS.to_vec();
    }
    check_buckets(&metric)?;
    Ok(metric)
}

fn check_label_names(metric: &CustomMetric, options: &Options) -> Result<(), IngestError> {
    if metric.labels.len() >= options.max_labels {
        return Err(IngestError::invalid("labels", format!("{} label names, the limit is {} besides the name", metric.labels.len(), options.max_labels - 1)));
    }
    let mut seen = HashSet::new();
    for name in &metric.labels {
        if !valid_label_name(name) || name.len() > options.max_label_name_bytes {
            return Err(IngestError::invalid("labels", format!("{name:?} is not a label name: use letters, digits and _, no digit first")));
        }
        reserved_label(name, metric.kind).map_err(|reason| IngestError::invalid("labels", reason))?;
        if !seen.insert(name) {
            return Err(IngestError::invalid("labels", format!("{name:?} is given twice")));
        }
    }
    Ok(())
}

fn check_buckets(metric: &CustomMetric) -> Result<(), IngestError> {
    let buckets = &metric.buckets;
    if metric.kind != MetricType::Histogram && !buckets.is_empty() {
        return Err(IngestError::invalid("buckets", format!("a {} has no buckets", metric.kind)));
    }
    if buckets.len() > MAX_BUCKETS {
        return Err(IngestError::invalid("buckets", format!("{} buckets, the limit is {MAX_BUCKETS}", buckets.len())));
    }
    if buckets.iter().any(|b| !b.is_finite()) || !buckets.is_sorted_by(|a, b| a < b) {
        return Err(IngestError::invalid("buckets", "buckets are finite and rise; +Inf is added by itself"));
    }
    Ok(())
}

/// No sample of the new metric may bear a name that another metric's samples bear.
fn free_names(metric: &CustomMetric, state: &State) -> Result<(), IngestError> {
    let mine = metric.sample_names();
    let known = catalogue::all().map(Known::definition);
    if let Some(other) = state.custom.values().cloned().chain(known).find(|other| other.sample_names().iter().any(|n| mine.contains(n))) {
        return Err(IngestError::Conflict(format!("{} would share the name of a sample with {}", metric.name, other.name)));
    }
    let collected = |name: &str| state.learned.get(name).is_some_and(|m| matches!(m.category, Category::System | Category::Application));
    match mine.iter().find(|name| collected(name)) {
        Some(name) => Err(IngestError::Conflict(format!("{name} is collected already: choose another name"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
