//! Builds the rooms in order and stops them in reverse.
//!
//! Files: `signals` what the process is asked for, `jobs` what runs every so often, `reload` what a
//! changed configuration changes, `entrance` accounts that are needed and the control socket, `names`
//! and `watched` joins between rooms, `error`. The ports are taken before
//! the store is opened, so that a taken one is found at once; the collectors run before the first
//! answer is given.

mod entrance;
mod error;
mod jobs;
mod names;
mod reload;
mod signals;
mod watched;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::access::Reach;
use crate::alert::{self, Alerts};
use crate::clock::{SharedClock, SystemClock};
use crate::collect::{self, Collector, host_name};
use crate::config::{Config, Live};
use crate::dashboard::{self, Book, Cache, Connections, Frames, Hub, Paces};
use crate::ingest::{Board, Intake, Registry};
use crate::model::TimeRange;
use crate::net::Tls;
use crate::query::Engine;
use crate::serve;
use crate::store::{self, JournalSync, Opened, Place};
use crate::task::{Pool, Stop, StopTrigger};
use crate::telemetry::{Component, HealthBoard, OwnMetrics};

use names::RegistryNames;
use signals::{Asked, Signals};
use watched::Paced;

pub use error::AppError;

/// Threads that run async work; the kernel and the disk do the rest.
const ASYNC_THREADS: usize = 2;
/// Threads for what takes disk or processor; they end when they are idle.
const BLOCKING_THREADS: usize = 32;
/// How long one that is idle stays.
const IDLE_THREAD: Duration = Duration::from_secs(1);
/// Calls that wait for the pool before more are refused.
const POOL_WAITING: usize = 256;
/// Threads that make frames of dashboards.
const FRAME_THREADS: usize = 2;
/// How long jobs may take to end after the stop.
const JOBS_END: Duration = Duration::from_secs(10);
/// How long the runtime waits for threads that still run.
const THREADS_END: Duration = Duration::from_secs(1);

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// Whatever kept it from starting, or ended it.
pub fn run(live: Arc<Live>) -> Result<(), AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ASYNC_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(IDLE_THREAD)
        .enable_all()
        .build()
        .map_err(|source| AppError::Runtime { what: "threads", source })?;
    let result = runtime.block_on(live_and_die(live));
    runtime.shutdown_timeout(THREADS_END);
    result
}

async fn live_and_die(live: Arc<Live>) -> Result<(), AppError> {
    let mut signals = Signals::take()?;
    let config = live.current();
    entrance::lift_file_limit();
    let (trigger, stop) = Stop::new();
    let bound = serve::bind(&config.serve)?;
    let answer = answering(live.clone(), trigger, stop.clone());
    let pool = Pool::new(config.max_concurrent, POOL_WAITING);
    let held = entrance::hold_directory(&config)?;
    let house = signals.attend(House::build(&config, live, bound.tls(), pool, stop.clone()), &answer).await?;
    let control = entrance::open_control(&config, &held);
    // A start whose reader has gone away is a start all the same.
    let _ = writeln!(std::io::stdout(), "{}", welcome(&config, &bound.addresses(), &host_name()));
    let served = signals.attend(bound.run(config.serve.clone(), house.handles.clone(), control), &answer).await;
    // Whatever ended the serving, everything else ends as well. A second stop would leave at once.
    if !stop.is_stopped() {
        answer(Asked::Stop);
    }
    signals
        .attend(house.close(), |asked| {
            if asked == Asked::Stop {
                leave_at_once()
            }
        })
        .await?;
    drop(held);
    tracing::info!("stopped");
    Ok(served?)
}

/// What is done about signals: the first stop is said to all rooms, the second leaves.
fn answering(live: Arc<Live>, trigger: StopTrigger, stop: Stop) -> impl Fn(Asked) {
    move |asked| match asked {
        Asked::Reload => {
            // The outcome is told to the listener, which logs it.
            let _ = live.reload();
        }
        Asked::Stop if stop.is_stopped() => leave_at_once(),
        Asked::Stop => {
            tracing::info!("stopping: open requests are answered first");
            trigger.stop();
        }
    }
}

fn leave_at_once() {
    tracing::warn!("asked to stop twice: leaving at once");
    std::process::exit(1);
}

/// The running rooms behind HTTP.
struct House {
    handles: serve::Handles,
    jobs: Vec<JoinHandle<()>>,
}

impl House {
    /// Opens the store and starts what feeds it, in the order of the data.
    async fn build(config: &Config, live: Arc<Live>, tls: Option<Tls>, pool: Pool, stop: Stop) -> Result<Self, AppError> {
        let clock: SharedClock = Arc::new(SystemClock);
        let own = OwnMetrics::new().map_err(|e| AppError::OwnMetrics(e.to_string()))?;
        let health = HealthBoard::default();
        let board = Board::new();

        let (options, opening) = (config.store.clone(), clock.clone());
        let Opened { writer, reader, keeper, catalog, replayed, notes } = pool.run(move || store::open(options, opening)).await??;
        for note in notes {
            tracing::warn!(note, "the store was mended");
        }
        tracing::info!(replayed, "store open");
        health.healthy(Component::Store);
        health.healthy(Component::Journal);
        health.healthy(Component::Compactor);

        let (documents, opening, options, data_dir) = (catalog.clone(), clock.clone(), config.serve.clone(), config.data_dir.clone());
        let accounts = pool.run(move || entrance::open_accounts(documents, opening, &options, &data_dir)).await??;

        let intake = Intake::start(writer, config.ingest.clone(), clock.clone(), own.clone(), health.clone(), board.clone())?;
        let (known, reading, options, opening) = (catalog.clone(), reader.clone(), config.ingest.clone(), clock.clone());
        let registry = pool.run(move || Registry::open(known, reading, options, opening)).await??;

        let (metrics, shown, reading, end) = (registry.list(), board.clone(), reader.clone(), clock.now());
        let since = TimeRange::new(end - config.serve.lookback, end);
        pool.run(move || shown.restore(&metrics, &reading, since)).await??;

        let engine = Engine::new(Arc::new(reader.clone()), config.query.clone());
        health.healthy(Component::Query);

        let collecting = collect::Handles {
            intake: intake.clone(),
            registry: registry.clone(),
            reader: reader.clone(),
            own: own.clone(),
            health: health.clone(),
            clock: clock.clone(),
            stop: stop.clone(),
        };
        let collector = Collector::start(config.collect.clone(), collecting);
        let (directory, board_of_health) = (config.dashboard.directory.clone(), health.clone());
        let documents = catalog.clone();
        let book = pool.run(move || Book::open(documents, directory, board_of_health)).await??;
        let cache = Cache::new(engine.clone(), reader.clone(), own.clone(), &config.dashboard);
        let frames = Frames::new(cache.clone(), reader.clone(), registry.clone(), paces(config));
        let hub = Hub::new(dashboard::Around {
            book: book.clone(),
            frames: frames.clone(),
            // Of their own: long queries of others must not hold up those who watch.
            pool: Pool::new(FRAME_THREADS, POOL_WAITING),
            clock: clock.clone(),
            own: own.clone(),
            watched: Arc::new(Paced(collector.clone())),
            stop: stop.clone(),
            runtime: Handle::current(),
            interval: config.dashboard.update_interval,
        });
        let connections = Connections::new(config.dashboard.max_connections, clock.clone(), own.clone());
        health.healthy(Component::Websocket);
        reload::follow(&live, collector.clone(), book.clone(), tls, own.clone(), Handle::current());
        let (options, watching) =
            (config.alert.clone(), alert::Handles { catalog, engine: engine.clone(), own: own.clone(), health: health.clone(), clock: clock.clone() });
        let alerts = pool.run(move || Alerts::open(options, watching)).await??;
        let names = Arc::new(RegistryNames(registry.clone()));
        let handles = serve::Handles {
            intake,
            registry,
            board,
            reader,
            keeper,
            engine,
            alerts,
            names,
            collector,
            book,
            cache,
            frames,
            hub,
            connections,
            accounts,
            own,
            health,
            pool,
            clock,
            settings: live,
            stop,
        };
        let mut jobs = jobs::start(&parts_for_jobs(config, &handles));
        jobs.extend(alert::start(&handles.alerts, handles.intake.clone(), handles.pool.clone(), handles.stop.clone()));
        Ok(Self { handles, jobs })
    }

    /// Lets the jobs end, then makes durable what waits.
    async fn close(self) -> Result<(), AppError> {
        for job in self.jobs {
            if tokio::time::timeout(JOBS_END, job).await.is_err() {
                tracing::warn!("a job did not end in time and is left");
            }
        }
        self.handles.intake.close().await?;
        Ok(())
    }
}

fn paces(config: &Config) -> Paces {
    Paces { interval: config.dashboard.update_interval, collection: config.collect.interval, lookback: config.query.lookback }
}

fn parts_for_jobs(config: &Config, handles: &serve::Handles) -> jobs::Parts {
    jobs::Parts {
        keeper: handles.keeper.clone(),
        reader: handles.reader.clone(),
        intake: handles.intake.clone(),
        accounts: handles.accounts.clone(),
        health: handles.health.clone(),
        own: handles.own.clone(),
        data_dir: match &config.store.place {
            Place::Disk(directory) => Some(directory.clone()),
            Place::Memory => None,
        },
        sync_every: match config.store.sync {
            JournalSync::Interval(every) if config.store.place != Place::Memory => Some(every),
            _ => None,
        },
        stop: handles.stop.clone(),
    }
}

/// What a person reads at the start: the page, the way to it from elsewhere, where the data lies.
fn welcome(config: &Config, addresses: &[SocketAddr], host: &str) -> String {
    let mut lines = vec![format!("latido {} ({})", env!("CARGO_PKG_VERSION"), config.environment)];
    let scheme = if config.serve.certificate.is_some() { "https" } else { "http" };
    lines.extend(addresses.iter().map(|address| format!("  page   {scheme}://{address}/")));
    if let Some(address) = addresses.first().filter(|_| config.serve.reach() == Reach::Loopback) {
        lines.push(format!("  afar   ssh -L {port}:{address} user@{host}   then {scheme}://127.0.0.1:{port}/", port = address.port()));
    }
    lines.push(match &config.store.place {
        Place::Disk(directory) => format!("  data   {}", directory.display()),
        Place::Memory => "  data   in memory: it ends with this process".to_owned(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, Sources};

    #[test]
    fn the_start_names_the_page_the_way_to_it_and_the_data() {
        let flag = |path: &str, value: &str| Flag { name: "--set".into(), path: path.into(), value: value.into() };
        let disk = Config::load(&Sources { flags: vec![flag("storage.data_dir", "/srv/latido")], ..Sources::default() }).unwrap();
        let text = welcome(&disk, &["127.0.0.1:7117".parse().unwrap()], "box");
        assert!(text.contains("http://127.0.0.1:7117/\n"), "{text}");
        assert!(text.contains("ssh -L 7117:127.0.0.1:7117 user@box"), "{text}");
        assert!(text.ends_with("data   /srv/latido"), "{text}");
        let memory = Config::load(&Sources { environment: Some("development".into()), ..Sources::default() }).unwrap();
        assert!(welcome(&memory, &[], "box").contains("in memory"));
    }
}
