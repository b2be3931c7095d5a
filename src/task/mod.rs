//! How work runs and ends: the stop signal, deadlines that long loops poll, the bounded pool for
//! work that takes disk or CPU, and loops that are started again when they panic.
//!
//! Files: `stop`, `deadline` (no async in it), `pool` (the bridge from async to sync), `split` (one call on several processors), `supervise`.
//! Knows no data.

mod deadline;
mod pool;
mod split;
mod stop;
mod supervise;

pub use deadline::{Deadline, Interrupted};
pub use pool::{Pool, PoolError};
pub use split::in_parts;
pub use stop::{Stop, StopTrigger};
pub use supervise::{RestartCount, spawn_supervised};
