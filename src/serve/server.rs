//! Takes the ports, answers until the stop is said, then drains. Knows no route but as a list.

use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::{TcpStream, UnixStream};
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, Error, HttpServer};
use rustix::net::sockopt;

use super::asking::Asking;
use super::caller::Doorkeeper;
use super::control::{self, ByControl, ByOther, Control};
use super::error::ServeError;
use super::guard::{ArrivedAt, Guard};
use super::measure::{InFlight, Watch, measure};
use super::routes::{self, Lookback};
use super::{Handles, Options, limits};
use crate::clock::Stopwatch;
use crate::collect::{host_name, own_addresses};
use crate::net::Tls;
use crate::task::{Pool, Stop};
use crate::telemetry::OwnMetrics;

/// Threads that read and write sockets; what takes disk or CPU runs on the pool.
const WORKERS: usize = 2;
/// Connections that each of them holds: more than 500 viewers, less than a usual limit of files.
const CONNECTIONS_EACH: usize = 1024;
/// How long an idle connection stays: longer than Grafana's and Prometheus' pauses.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the head of a request may take to arrive.
const HEAD_ARRIVAL: Duration = Duration::from_secs(10);
/// Passwords that are tried at once, of a pool of their own: each takes 19 MiB and tens of
/// milliseconds, and strangers who try them must not hold up queries.
const PASSWORDS_AT_ONCE: usize = 2;
const PASSWORDS_WAITING: usize = 64;
/// What may wait in the system for a client to take it: a viewer that is behind by more skips frames.
const SEND_BUFFER_BYTES: usize = 128 << 10;
/// How long a client may take nothing of what waits for it.
const TAKES_NOTHING_MS: u32 = 60_000;
/// After the last answer was handed over: time for the socket to take it.
const FLUSH: Duration = Duration::from_millis(50);

/// Bound, not yet answering.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tls: Option<Tls>,
}

/// Takes the ports (before anything else is started, so that a taken port is found at once).
///
/// # Errors
/// An address is in use or not this machine's, or the certificate cannot be used.
pub fn bind(options: &Options) -> Result<Bound, ServeError> {
    let tls = options.certificate.clone().map(Tls::load).transpose()?;
    let mut bound = Bound { listeners: Vec::new(), addresses: Vec::new(), tls };
    for &address in &options.listen {
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        bound.addresses.push(listener.local_addr().map_err(failed)?);
        bound.listeners.push(listener);
    }
    Ok(bound)
}

impl Bound {
    /// Where it listens, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    /// The certificate that is shown; `None`: without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    /// Answers there and on the control socket until `handles.stop` is said, then drains.
    ///
    /// # Errors
    /// The server cannot take over the ports, or ended by itself.
    pub async fn run(self, options: Options, handles: Handles, control: Option<Control>) -> Result<(), ServeError> {
        let bound = self.addresses.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
        let own_addresses = bound.chain(own_addresses()).collect();
        let in_flight = InFlight::default();
        let watch = Data::new(Watch {
            guard: Guard::new(&host_name(), own_addresses, &options.hosts),
            doorkeeper: Doorkeeper {
                accounts: handles.accounts.clone(),
                pool: Pool::new(PASSWORDS_AT_ONCE, PASSWORDS_WAITING),
                behind_proxy: options.behind_proxy,
            },
            own: handles.own.clone(),
            stop: handles.stop.clone(),
            in_flight: in_flight.clone(),
        });
        let (stop, drain) = (handles.stop.clone(), options.drain);
        let (control, _file) = control.map(Control::into_parts).unzip();
        let doors = Doors { listeners: self.listeners, tls: self.tls, control };
        let pool = handles.pool.clone();
        let server = start(doors, watch, options, handles)?;
        let (ended, _) = tokio::join!(until_stopped(server, stop, in_flight, drain), pool.run(routes::make_page));
        ended.map_err(ServeError::Run)
    }
}

/// Runs until the stop is said, then takes no more connections and waits at most `drain` for the
/// answers that are being made. Idle connections must not hold up the stop, so the answers are
/// counted here and the server is then stopped at once.
async fn until_stopped(mut server: Server, stop: Stop, in_flight: InFlight, drain: Duration) -> std::io::Result<()> {
    let handle = server.handle();
    tokio::select! {
        ended = &mut server => return ended,
        () = stop.stopped() => {}
    }
    let drained = async {
        handle.pause().await;
        if tokio::time::timeout(drain, in_flight.none()).await.is_err() {
            tracing::warn!("some requests were not answered within {} s of the stop and are given up", drain.as_secs());
        }
        tokio::time::sleep(FLUSH).await;
        handle.stop(false).await;
    };
    let (ended, ()) = tokio::join!(server, drained);
    ended
}

/// Where connections come in.
struct Doors {
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    control: Option<UnixListener>,
}

fn start(doors: Doors, watch: Data<Watch>, options: Options, handles: Handles) -> Result<Server, ServeError> {
    let own = handles.own.clone();
    let shared = Shared::new(&options, handles);
    let mut server = HttpServer::new(move || app(watch.clone(), shared.clone()))
        // An answer leaves in two pieces: without this the second waits for the client's delayed acknowledgement.
        .tcp_nodelay(true)
        .workers(WORKERS)
        .max_connections(CONNECTIONS_EACH)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_ARRIVAL)
        // A client that closes its side waits for nothing any more: its query is ended.
        .h1_allow_half_closed(false)
        .disable_signals()
        .on_connect(move |connection, data| remember(connection, data, &own));
    for listener in doors.listeners {
        server = match &doors.tls {
            None => server.listen(listener),
            Some(tls) => server.listen_rustls_0_23(listener, tls.server_config()?),
        }
        .map_err(ServeError::Run)?;
    }
    if let Some(control) = doors.control {
        server = server.listen_uds(control).map_err(ServeError::Run)?;
    }
    Ok(server.run())
}

/// What the handlers may ask for, each by its type.
#[derive(Clone)]
struct Shared {
    handles: Handles,
    asking: Asking,
    lookback: Lookback,
    max_body: usize,
    started: Stopwatch,
}

impl Shared {
    fn new(options: &Options, handles: Handles) -> Self {
        let asking = Asking::new(handles.pool.clone(), handles.own.clone(), handles.clock.clone(), options.timeout);
        Self { handles, asking, lookback: Lookback(options.lookback), max_body: options.max_body.as_usize(), started: Stopwatch::start() }
    }
}

fn app(
    watch: Data<Watch>,
    shared: Shared,
) -> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = Error, InitError = ()>> {
    let Handles { intake, registry, board, reader, keeper, engine, alerts, names, collector, accounts, health, own, settings, stop, .. } =
        shared.handles.clone();
    let Handles { book, cache, frames, hub, connections, .. } = shared.handles;
    App::new()
        .app_data(watch)
        .app_data(Data::new(shared.asking))
        .app_data(Data::new(shared.lookback))
        .app_data(Data::new(shared.started))
        .app_data(Data::new(intake))
        .app_data(Data::new(registry))
        .app_data(Data::new(board))
        .app_data(Data::new(reader))
        .app_data(Data::new(keeper))
        .app_data(Data::new(engine))
        .app_data(Data::new(alerts))
        .app_data(Data::from(names))
        .app_data(Data::new(collector))
        .app_data(Data::new(book))
        .app_data(Data::new(cache))
        .app_data(Data::new(frames))
        .app_data(Data::new(hub))
        .app_data(Data::new(connections))
        .app_data(Data::new(accounts))
        .app_data(Data::new(health))
        .app_data(Data::new(own))
        .app_data(Data::from(settings))
        .app_data(Data::new(stop))
        .app_data(PayloadConfig::new(limits::JSON_BYTES))
        .configure(|config| routes::all(config, shared.max_body))
        .wrap(from_fn(limits::spare_small))
        .wrap(Compress::default())
        .wrap(from_fn(measure))
}

/// Remembers at which address a connection arrived, and counts it as long as it is open.
fn remember(connection: &dyn Any, data: &mut Extensions, own: &OwnMetrics) {
    if let Some(connection) = connection.downcast_ref::<UnixStream>() {
        if control::is_own_user(connection) {
            data.insert(ByControl);
        } else {
            data.insert(ByOther);
        }
        return;
    }
    let over_tls = connection.downcast_ref::<TlsStream<TcpStream>>().map(|stream| stream.get_ref().0);
    let Some(stream) = connection.downcast_ref::<TcpStream>().or(over_tls) else { return };
    bound(stream);
    if let Ok(address) = stream.local_addr() {
        data.insert(ArrivedAt(address.ip()));
        own.connections.with_label_values(&[KIND]).inc();
        data.insert(Open(own.clone()));
    }
}

/// Bounds what waits for a client that takes it slowly, and how long one that takes nothing keeps its
/// connection. Where the system refuses, the connection works all the same.
fn bound(stream: &TcpStream) {
    let _ = sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER_BYTES);
    let _ = sockopt::set_tcp_user_timeout(stream, TAKES_NOTHING_MS);
}

/// The label of these connections.
const KIND: &str = "http";

struct Open(OwnMetrics);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.with_label_values(&[KIND]).dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ByteCount;
    use actix_web::web::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    fn options(listen: SocketAddr) -> Options {
        let second = Duration::from_secs(1);
        Options {
            listen: vec![listen],
            hosts: Vec::new(),
            behind_proxy: false,
            certificate: None,
            max_body: ByteCount::mib(32),
            timeout: second,
            drain: second,
            lookback: second,
        }
    }

    #[test]
    fn a_taken_port_is_found_at_once() {
        let bound = bind(&options("127.0.0.1:0".parse().unwrap())).unwrap();
        let taken = bound.addresses()[0];
        assert_ne!(taken.port(), 0);
        assert!(matches!(bind(&options(taken)), Err(ServeError::Listen { address, .. }) if address == taken));
    }

    #[test]
    fn running_can_be_moved_to_another_thread() {
        fn movable<T: Send>(_: &T) {}
        let _ = |bound: Bound, options: Options, handles: Handles| movable(&bound.run(options, handles, None));
    }

    /// What a slow handler waits for, and what says that it began.
    struct Gate {
        began: Notify,
        open: Notify,
    }

    async fn slow(gate: Data<Gate>) -> &'static str {
        gate.began.notify_one();
        gate.open.notified().await;
        "whole"
    }

    #[tokio::test]
    async fn a_stop_lets_answers_end_and_does_not_wait_for_idle_connections() {
        let (trigger, stop) = Stop::new();
        let in_flight = InFlight::default();
        let watch = Data::new(Watch::of_box(stop.clone(), OwnMetrics::new().unwrap(), in_flight.clone()));
        let gate = Data::new(Gate { began: Notify::new(), open: Notify::new() });
        let mut bound = bind(&options("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = bound.addresses()[0];
        let shared = gate.clone();
        let app = move || App::new().app_data(watch.clone()).app_data(shared.clone()).route("/", get().to(slow)).wrap(from_fn(measure));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(bound.listeners.remove(0)).unwrap().run();
        let client = async {
            let idle = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut asking = tokio::net::TcpStream::connect(address).await.unwrap();
            asking.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            gate.began.notified().await;
            trigger.stop();
            gate.open.notify_one();
            let mut text = String::new();
            asking.read_to_string(&mut text).await.unwrap();
            assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("whole") && text.contains("connection: close"), "{text}");
            idle
        };
        let watch = Stopwatch::start();
        let (ended, _idle) = tokio::join!(until_stopped(server, stop, in_flight, Duration::from_secs(30)), client);
        ended.unwrap();
        assert!(watch.elapsed() < Duration::from_secs(10));
    }

    /// Says that it was dropped.
    struct Dropped(Data<Gate>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.open.notify_one();
        }
    }

    async fn endless(gate: Data<Gate>) -> &'static str {
        let _dropped = Dropped(gate.clone());
        gate.began.notify_one();
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_handler_is_dropped_when_its_client_goes_away() {
        let (_trigger, stop) = Stop::new();
        let gate = Data::new(Gate { began: Notify::new(), open: Notify::new() });
        let mut bound = bind(&options("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = bound.addresses()[0];
        let watch = Data::new(Watch::of_box(stop, OwnMetrics::new().unwrap(), InFlight::default()));
        let shared = gate.clone();
        let app = move || App::new().app_data(watch.clone()).app_data(shared.clone()).route("/", get().to(endless)).wrap(from_fn(measure));
        let server = HttpServer::new(app).workers(1).disable_signals().h1_allow_half_closed(false).listen(bound.listeners.remove(0)).unwrap().run();
        let handle = server.handle();
        let client = async {
            let mut asking = tokio::net::TcpStream::connect(address).await.unwrap();
            asking.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            gate.began.notified().await;
            drop(asking);
            gate.open.notified().await;
            handle.stop(false).await;
        };
        let (ended, ()) = tokio::join!(server, client);
        ended.unwrap();
    }
}
