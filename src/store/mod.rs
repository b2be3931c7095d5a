//! The store: what was acknowledged is on disk, by tier, and can be read while it is written.
//!
//! `open` gives one [`Writer`], any number of [`Reader`]s, the [`Keeper`] that seals, rolls up and
//! drops, and the [`Catalog`] of documents. It has no threads and no timers of its own.

mod catalog;
pub mod chunk;
pub mod codec;
mod door;
mod error;
mod options;
mod selection;
mod stats;

pub use catalog::{Catalog, Document, DocumentKind};
pub use door::{Appended, Keeper, Kept, Opened, Reader, Writer, open};
pub use error::StoreError;
pub use options::{JournalSync, Options, Place};
pub use selection::{Coverage, Selection};
pub use stats::{StoreStats, TierStats};
