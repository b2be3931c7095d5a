//! Head chunks.
