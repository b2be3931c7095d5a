//! The way out, and TLS on the way in. No packet leaves unless the configuration names where to.

mod error;
mod tls;

pub use error::NetError;
pub use tls::{CertificateFiles, Tls};
