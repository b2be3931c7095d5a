//! The way out, and TLS on the way in. No packet leaves unless the configuration names where to.

mod client;
mod error;
mod tls;

pub use client::{Address, AddressError, Client, ClientError, Reply};
pub use error::NetError;
pub use tls::{CertificateFiles, Tls};
