//! The program as a child process: started with a directory of its own, ready when it says so,
//! killed when dropped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Client, eventually, free_port};

/// Long enough for a debug build on a busy machine with two cores.
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// Ports are taken from the system and given back: another process may be quicker.
const PORT_ATTEMPTS: usize = 5;

/// A temporary directory and the arguments of every start in it.
#[derive(Debug)]
pub(crate) struct Setup {
    home: Arc<TempDir>,
    arguments: Vec<OsString>,
}

impl Setup {
    /// Nothing is collected, so that only the test's own samples are stored.
    pub(crate) fn quiet() -> Self {
        Self::collecting().set("collection.enabled=false")
    }

    /// The default profile.
    pub(crate) fn collecting() -> Self {
        Self { home: Arc::new(tempfile::tempdir().expect("a temporary directory")), arguments: Vec::new() }
    }

    /// `--set section.key=value`.
    pub(crate) fn set(self, pair: &str) -> Self {
        self.with(["--set", pair])
    }

    /// Further arguments.
    pub(crate) fn with<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(OsString::from));
        self
    }

    /// The directory round the data directory: logs and files of the test.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// Writes a file beside the data directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, text).expect("the temporary directory is writable");
        path
    }

    /// Starts the program and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon {
        self.start_when(|port| Client::of(port).try_get("/-/ready").is_some_and(|answer| answer.status == 200))
    }

    /// Starts the program where it is not asked by plain HTTP: `is_ready` asks on a port.
    pub(crate) fn start_when(&self, is_ready: impl Fn(u16) -> bool) -> Daemon {
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            let mut daemon = Daemon::spawn(self, port);
            if daemon.becomes_ready(&is_ready) {
                return daemon;
            }
            let log = daemon.log();
            assert!(log.contains(&port.to_string()), "latido ended before it was ready:\n{log}");
        }
        panic!("no port stayed free in {PORT_ATTEMPTS} attempts");
    }

    /// Runs the program where it has to refuse.
    pub(crate) fn refused(&self, extra: &[&str]) -> Refusal {
        let port = free_port().to_string();
        let listen = format!("127.0.0.1:{port}");
        let mut arguments = vec!["--data-dir".into(), self.data().into_os_string()];
        if !extra.contains(&"--listen") {
            arguments.extend(["--listen".into(), listen.into()]);
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments.extend(extra.iter().map(OsString::from));
        Refusal::of(&arguments, self.home())
    }
}

fn program(arguments: &[OsString], log: &Path) -> Child {
    let out = File::options().create(true).append(true).open(log).expect("the log file opens");
    let err = out.try_clone().expect("the log file opens twice");
    Command::new(env!("CARGO_BIN_EXE_latido"))
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        .env_remove("LATIDO_ENV")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .expect("latido starts")
}

/// How a start that was refused ended.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The exit code; `None`: ended by a signal.
    pub(crate) code: Option<i32>,
    /// All that it said.
    pub(crate) said: String,
}

impl Refusal {
    fn of(arguments: &[OsString], home: &Path) -> Self {
        let log = home.join(format!("refused-{}.log", free_port()));
        let mut child = program(arguments, &log);
        let status = match ended(&mut child, READY_WITHIN) {
            Some(status) => status,
            None => {
                child.kill().expect("the child can be killed");
                child.wait().expect("the child can be awaited")
            }
        };
        Self { code: status.code(), said: fs::read_to_string(&log).unwrap_or_default() }
    }

    /// Asserts the exit code and that each of `words` was said.
    pub(crate) fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "exit code; it said:\n{}", self.said);
        for word in words {
            assert!(self.said.contains(word), "the message should say {word:?}:\n{}", self.said);
        }
        assert!(!self.said.contains("panicked at"), "a refusal is no panic:\n{}", self.said);
    }
}

fn ended(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let watch = latido::clock::Stopwatch::start();
    while watch.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    client: Client,
    port: u16,
    log: PathBuf,
    /// Keeps the directory for as long as it runs.
    _home: Arc<TempDir>,
}

impl Daemon {
    fn spawn(setup: &Setup, port: u16) -> Self {
        let log = setup.home().join(format!("latido-{port}.log"));
        let listen = format!("127.0.0.1:{port}");
        let mut arguments: Vec<OsString> = vec!["--data-dir".into(), setup.data().into_os_string(), "--listen".into(), listen.into()];
        arguments.extend(setup.arguments.iter().cloned());
        Self { child: program(&arguments, &log), client: Client::of(port), port, log, _home: Arc::clone(&setup.home) }
    }

    /// False where it ended instead.
    fn becomes_ready(&mut self, is_ready: impl Fn(u16) -> bool) -> bool {
        eventually(&format!("latido is ready (log in {})", self.log.display()), READY_WITHIN, || {
            if self.child.try_wait().expect("the child can be asked").is_some() {
                return Some(false);
            }
            is_ready(self.port).then_some(true)
        })
    }

    /// Talks to it.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Resident memory of the process in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the daemon runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel tells VmRSS");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("VmRSS is a number")
    }

    /// All that it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGHUP: it reads its configuration and its certificate again.
    pub(crate) fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("the daemon can be told to reload");
    }

    /// SIGTERM; awaits the end and asserts exit code 0.
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the daemon can be told to stop");
        let status = ended(&mut self.child, STOPPED_WITHIN);
        let code = status.and_then(|status| status.code());
        assert_eq!(code, Some(0), "SIGTERM drains and ends with 0; it said:\n{}", self.log());
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the daemon can be killed");
        self.child.wait().expect("the daemon can be awaited");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- latido said:\n{}", self.log());
        }
        // It has ended already where the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
