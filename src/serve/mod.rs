//! HTTP: a request is extracted into typed values, one call of an earlier room is made, its answer is written.
//!
//! Files in reading order: `server` takes the ports and answers until the stop; `routes/` a file
//! per resource; `extract` request to typed values; `asking` one call on the pool, ended when the
//! client goes away; `answer` the shape of a success; `error` what kind of error becomes which
//! status and which JSON; `limits` how large and how slow a body may be; `guard` who may come in
//! and which headers every answer carries; `measure` counts requests; `openapi` describes the routes.
//! Knows no PromQL, no file and no label grammar: those are the rooms before.

mod answer;
mod asking;
mod caller;
mod error;
mod extract;
mod guard;
mod limits;
mod measure;
mod openapi;
mod routes;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use error::ServeError;
pub use server::{Bound, bind};

use crate::alert::Alerts;
use crate::clock::SharedClock;
use crate::collect::Collector;
use crate::ingest::{Board, Intake, Registry};
use crate::model::ByteCount;
use crate::query::{Engine, Names};
use crate::store::{Keeper, Reader};
use crate::task::{Pool, Stop};
use crate::telemetry::{HealthBoard, OwnMetrics};

/// How HTTP is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Host names that are accepted besides the machine's own.
    pub hosts: Vec<String>,
    /// A proxy stands before it.
    pub behind_proxy: bool,
    /// The largest pushed body, decompressed.
    pub max_body: ByteCount,
    /// How long reading a body or answering may take.
    pub timeout: Duration,
    /// How long a stop waits for answers that are being made.
    pub drain: Duration,
    /// How old the newest value of a series may be to be shown.
    pub lookback: Duration,
}

/// Effective settings for `config/*`: implemented by `config`.
pub trait Settings: Send + Sync {
    /// The profile: standalone, development, staging or production.
    fn environment(&self) -> String;
    /// The section's effective settings, secrets masked.
    fn section(&self, name: &str) -> serde_json::Value;
    /// Reloads the configuration; the message of what is wrong keeps the old one.
    ///
    /// # Errors
    /// What is wrong with the configuration, for people.
    fn reload(&self) -> Result<(), String>;
}

/// What the handlers call. Each handler gets the two or three of these that it uses.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is the handle that its type documents")]
pub struct Handles {
    pub intake: Intake,
    pub registry: Registry,
    pub board: Board,
    pub reader: Reader,
    pub keeper: Keeper,
    pub engine: Engine,
    pub alerts: Alerts,
    pub names: Arc<dyn Names>,
    pub collector: Collector,
    pub own: OwnMetrics,
    pub health: HealthBoard,
    pub pool: Pool,
    pub clock: SharedClock,
    pub settings: Arc<dyn Settings>,
    pub stop: Stop,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}
