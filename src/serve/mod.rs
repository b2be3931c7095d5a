//! HTTP (stub).
#![allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
use crate::clock::SharedClock;
use crate::collect::Collector;
use crate::ingest::{Board, Intake, Registry};
use crate::query::{Engine, Names};
use crate::store::{Keeper, Reader};
use crate::task::{Pool, Stop};
use crate::telemetry::{HealthBoard, OwnMetrics};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: Vec<SocketAddr>,
    pub hosts: Vec<String>,
    pub behind_proxy: bool,
    pub max_body: crate::model::ByteCount,
    pub timeout: Duration,
    pub drain: Duration,
    pub lookback: Duration,
}

/// Effective settings for `config/*`: implemented by `config`.
pub trait Settings: Send + Sync {
    fn environment(&self) -> String;
    /// The section's effective settings, secrets masked.
    fn section(&self, name: &str) -> serde_json::Value;
    /// Reloads the configuration; the message of what is wrong keeps the old one.
    fn reload(&self) -> Result<(), String>;
}
#[derive(Clone)]
pub struct Handles {
    pub intake: Intake,
    pub registry: Registry,
    pub board: Board,
    pub reader: Reader,
    pub keeper: Keeper,
    pub engine: Engine,
    pub names: Arc<dyn Names>,
    pub collector: Collector,
    pub own: OwnMetrics,
    pub health: HealthBoard,
    pub pool: Pool,
    pub clock: SharedClock,
    pub settings: Arc<dyn Settings>,
    pub stop: Stop,
}
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
}
/// Bound, not yet answering.
#[derive(Debug)]
pub struct Bound(());
/// Takes the ports (before anything else is started, so that a taken port is found at once).
pub fn bind(_options: &Options) -> Result<Bound, ServeError> {
    unimplemented!()
}
impl Bound {
    pub fn addresses(&self) -> Vec<SocketAddr> {
        unimplemented!()
    }
    /// Answers until `handles.stop` is said, then drains.
    pub async fn run(self, _options: Options, _handles: Handles) -> Result<(), ServeError> {
        unimplemented!()
    }
}
