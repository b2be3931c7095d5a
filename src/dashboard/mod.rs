//! Dashboards: documents, what their panels show at a tick, and who watches.
//!
//! Files in reading order: `options`, `error`; `definition/` the document and what it must hold to;
//! `variables` what queries may say besides PromQL; `predefined` documents that are compiled in;
//! `book` list, create, change; `chart/` a type a file and one list; `data` what is sent of a panel,
//! `missing` what an empty one waits for; `cache` answers that are kept; `frame` all panels over a
//! window or at a tick; `hub` a task for each dashboard that is watched; `connections` who watches.
//! Knows no HTTP route and no socket.

mod book;
mod cache;
mod chart;
mod connections;
mod data;
mod definition;
mod error;
mod frame;
mod hub;
mod missing;
mod options;
mod predefined;
#[cfg(test)]
mod tests;
mod variables;

pub use book::{Book, Deleted, Entry, Origin};
pub use cache::Cache;
pub use connections::{Connections, Place, Ticket};
pub use data::{DataSeries, Frame, MissingMetric, PanelData, PanelState};
pub use definition::{Access, Dashboard, Draft, Panel, PanelOptions, PanelQuery, PanelType, Theme};
pub use error::DashboardError;
pub use frame::{Frames, Paces, Window};
pub use hub::{Around, Hub, Shown, Viewer, Watched};
pub use options::Options;
