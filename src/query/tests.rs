//! The engine over a source in memory.
