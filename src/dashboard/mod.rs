//! Dashboards: documents, what their panels show at a tick, and who watches.
//!
//! Files: `options`. Knows no HTTP route and no socket.

mod options;

pub use options::Options;
