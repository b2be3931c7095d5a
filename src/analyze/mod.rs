//! What the numbers mean: trends with their uncertainty, and what is slow, saturated or failing.
//!
//! `method/` pure arithmetic on columns, `report/` which queries, which method, which words. Knows
//! no HTTP and no store.
