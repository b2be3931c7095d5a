//! The room over a store in memory, at times that the test chooses: `book` documents, `answers`
//! what is kept and shown. Here the house that both stand in.

mod answers;
mod book;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::ingest::{self, Packs, Registry};
use crate::model::{Batch, Labels, Origin as Came, Sample, Timestamp};
use crate::query::{self, Engine};
use crate::store::{self, Catalog, Keeper, Place as Lies, Reader, Writer};
use crate::telemetry::{HealthBoard, OwnMetrics};

pub(in crate::dashboard) const START: Timestamp = Timestamp(1_764_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A store, and the room over it.
pub(in crate::dashboard) struct House {
    pub(in crate::dashboard) clock: Arc<ManualClock>,
    pub(in crate::dashboard) writer: Writer,
    pub(in crate::dashboard) keeper: Keeper,
    pub(in crate::dashboard) engine: Engine,
    pub(in crate::dashboard) own: OwnMetrics,
    pub(in crate::dashboard) health: HealthBoard,
    pub(in crate::dashboard) catalog: Catalog,
    pub(in crate::dashboard) cache: Cache,
    pub(in crate::dashboard) frames: Frames,
}

impl House {
    pub(in crate::dashboard) fn new() -> Self {
        let clock = ManualClock::at(START);
        let opened = store::open(store_options(), clock.clone()).unwrap();
        let engine = Engine::new(Arc::new(opened.reader.clone()), query::Options::default());
        let (own, health) = (OwnMetrics::new().unwrap(), HealthBoard::default());
        let cache = Cache::new(engine.clone(), opened.reader.clone(), own.clone(), &options());
        let frames = Frames::new(cache.clone(), opened.reader.clone(), registry(&opened.catalog, &opened.reader, &clock), paces());
        Self { clock, writer: opened.writer, keeper: opened.keeper, engine, own, health, catalog: opened.catalog, cache, frames }
    }

    pub(in crate::dashboard) fn book(&self) -> Book {
        Book::open(self.catalog.clone(), None, self.health.clone()).unwrap()
    }

    pub(in crate::dashboard) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes a sample of a series of this name at a time.
    pub(in crate::dashboard) fn put(&mut self, name: &str, t: Timestamp, v: f64) {
        let mut batch = Batch::new(Came::Pushed);
        batch.push(&Labels::from_pairs([("__name__", name), ("a", "b")]).unwrap(), Sample { t, v });
        self.writer.append(&[batch]).unwrap();
    }

    /// A sample every ten seconds through `count` of them, and the clock with them.
    pub(in crate::dashboard) fn fill(&mut self, name: &str, count: u32) {
        for n in 0..count {
            self.clock.advance(Duration::from_secs(10));
            self.put(name, self.now(), f64::from(n));
        }
    }
}

fn store_options() -> store::Options {
    store::Options::of(Lies::Memory)
}

fn registry(catalog: &Catalog, reader: &Reader, clock: &Arc<ManualClock>) -> Registry {
    let packs = Packs { business_metrics: false, rag_performance: true, cache_efficiency: true, user_experience: true };
    let options = ingest::Options {
        max_future: HOUR,
        longest: 48 * HOUR,
        max_labels: 64,
        max_label_name_bytes: 256,
        max_label_value_bytes: 4096,
        auto_register: false,
        packs,
    };
    Registry::open(catalog.clone(), reader.clone(), options, clock.clone()).unwrap()
}

fn options() -> Options {
    Options { update_interval: Duration::from_secs(1), max_connections: 3, directory: None, chart_cache: HOUR, aggregation_cache: HOUR }
}

fn paces() -> Paces {
    Paces { interval: Duration::from_secs(1), collection: Duration::from_secs(5), lookback: Duration::from_secs(300) }
}

/// A dashboard of panels that lie below each other: type, query, options.
pub(in crate::dashboard) fn draft(id: &str, panels: &[(&str, &str, serde_json::Value)]) -> Draft {
    let panels: Vec<_> = panels
        .iter()
        .enumerate()
        .map(|(i, (kind, query, options))| {
            serde_json::json!({"id": format!("p{i}"), "title": format!("P{i}"), "type": kind, "query": query, "options": options, "x": 0, "y": i, "w": 12, "h": 1})
        })
        .collect();
    Draft::from_json(serde_json::json!({"id": id, "title": "D", "panels": panels}).to_string().as_bytes()).unwrap()
}
