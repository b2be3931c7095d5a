//! Everything that enters the store enters here: checked, grouped, made durable, answered.
//!
//! Files in reading order: `options`, `error`, `report` what was taken and why not, `limits` which
//! labels and times are taken, `board` the newest values for expositions, `intake` the one way in,
//! `catalogue` the known metrics, `registry` what is known of metrics, `custom` what a recording
//! means by type, `derived` computed series as a batch. Knows no wire format and no file.

mod board;
mod catalogue;
mod custom;
mod derived;
mod error;
mod intake;
mod limits;
mod options;
mod registry;
mod report;

pub use board::Board;
pub use custom::Recording;
pub use derived::derived;
pub use error::IngestError;
pub use intake::Intake;
pub use options::{Options, Packs};
pub use registry::{CustomMetric, Registered, Registry};
pub use report::{Rejection, Report};
