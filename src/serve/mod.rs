//! HTTP: a request is extracted into typed values, one call of an earlier room is made, its answer is written.
//!
//! Files in reading order: `server` takes the ports and answers until the stop; `routes/` a file
//! per resource; `extract` request to typed values; `asking` one call on the pool, ended when the
//! client goes away; `answer` the shape of a success; `error` what kind of error becomes which
//! status and which JSON; `limits` how large and how slow a body may be; `guard` which
//! requests are from where they may be, and which headers every answer carries; `doors` what each
//! route needs; `caller` who asks; `control` the socket of the daemon's own user; `measure` round
//! every request; `live` one socket of a dashboard; `openapi` describes the routes.
//! Knows no PromQL, no file and no label grammar: those are the rooms before.

mod answer;
mod asking;
mod bundle;
mod caller;
mod control;
mod doors;
mod error;
mod extract;
mod guard;
mod limits;
mod live;
mod measure;
mod openapi;
mod routes;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use control::{CONTROL_SOCKET, Control};
pub use error::ServeError;
pub use server::{Bound, bind};

use crate::access::{Accounts, Reach};
use crate::alert::Alerts;
use crate::clock::SharedClock;
use crate::collect::Collector;
use crate::dashboard::{Book, Cache, Connections, Frames, Hub};
use crate::ingest::{Board, Intake, Registry};
use crate::model::ByteCount;
use crate::net::CertificateFiles;
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
    /// The certificate; `None`: without TLS.
    pub certificate: Option<CertificateFiles>,
    /// The largest pushed body, decompressed.
    pub max_body: ByteCount,
    /// How long reading a body or answering may take.
    pub timeout: Duration,
    /// How long a stop waits for answers that are being made.
    pub drain: Duration,
    /// How old the newest value of a series may be to be shown.
    pub lookback: Duration,
}

impl Options {
    /// From where it can be reached: a proxy brings others even to a loopback address.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        if self.behind_proxy || !self.listen.iter().all(is_loopback) { Reach::Beyond } else { Reach::Loopback }
    }
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
    pub book: Book,
    pub cache: Cache,
    pub frames: Frames,
    pub hub: Hub,
    pub connections: Connections,
    pub accounts: Accounts,
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
