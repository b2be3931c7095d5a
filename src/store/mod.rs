//! The store: what was acknowledged is on disk, by tier, and can be read while it is written.
//!
//! `open` gives one `Writer`, any number of `Reader`s, the `Keeper` that seals, rolls up and
//! drops, and the `Catalog` of documents. It has no threads and no timers of its own.

pub mod backup;
mod budget;
mod cardinality;
mod catalog;
pub mod chunk;
pub mod codec;
mod deletion;
mod document;
mod door;
mod error;
mod exemplars;
mod extras;
mod files;
mod head;
mod histograms;
mod index;
mod journal;
mod keeper;
mod layout;
mod memory;
mod merge;
mod migrate;
mod options;
mod pace;
mod partition;
mod quarantine;
mod read;
mod reserve;
mod retention;
mod rollup;
mod row;
mod selection;
mod shared;
mod stats;
mod touched;
mod windows;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod native_tests;
#[cfg(test)]
mod tests;

pub use cardinality::{Cardinality, Ranking};
pub use catalog::{Catalog, Document, DocumentKind, Edits};
pub use door::{Appended, Opened, Writer, open, open_catalog};
pub use error::StoreError;
pub use files::DirectoryLock;
pub use keeper::{Keeper, Kept};
pub use migrate::pending_migrations;
pub use options::{JournalSync, Keep, Options, Place, RetentionRule};
pub use quarantine::Lost;
pub use read::Reader;
pub use selection::{Coverage, Selection};
pub use stats::{StorageForecast, StoreStats, TierStats};
