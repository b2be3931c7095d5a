//! Bytes to model and back, without state: what arrives becomes a `Batch` or plain requests, what
//! leaves becomes text.
//!
//! Files in reading order: `error`, `number` how values look as text and JSON, `snappy` with a cap,
//! `protobuf` the messages, `remote_write` 1.0, `native` its histograms, `remote_write_2` 2.0, `exposition` text in, `render` text out, `record`
//! JSON of custom metrics, `yaml` typed documents. Knows nothing of what is wanted and where it lies.

mod error;
pub mod exposition;
mod native;
mod number;
mod protobuf;
pub mod record;
pub mod remote_write;
mod remote_write_2;
pub mod render;
pub mod snappy;
pub mod yaml;

pub use error::WireError;
pub use number::{JsonFloat, format_value, json_float, parse_value, push_value};
