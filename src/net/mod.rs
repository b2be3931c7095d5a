//! The way out, and TLS on the way in. No packet leaves unless the configuration names where to.

mod client;

pub use client::{Address, AddressError, Client, ClientError, Reply};
