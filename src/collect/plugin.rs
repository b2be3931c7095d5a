//! Plug-ins: a command whose standard output is exposition text. It runs in a process group of its
//! own, which is killed as a whole when time is up, too much is printed, or the daemon stops.
//!
//! Its pipes are polled without blocking, so that a grandchild that keeps one open holds up nobody.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};

use super::gathered::{Gathered, Row, Text};
use super::source::beat;
use super::{CollectError, PluginOptions, Source, When};
use crate::model::{Category, Labels, METRIC_NAME, Origin, Timestamp};
use crate::task::{Deadline, Interrupted, Stop};
use crate::wire::exposition;

/// More than this on standard output is no exposition of one machine.
const MOST_BYTES: usize = 4 << 20;
/// What is kept of standard error for the message.
const ERROR_BYTES: usize = 2048;
/// Rests between two looks at the pipes: short at first, for most commands are.
const REST: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// One plug-in.
pub(crate) struct Plugin {
    options: PluginOptions,
    stop: Stop,
    last: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Plugin {
    /// Runs as `options` say, until `stop` is said.
    pub(crate) fn new(options: PluginOptions, stop: Stop) -> Self {
        Self { options, stop, last: None, next: None }
    }
}

impl Source for Plugin {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn category(&self) -> Category {
        Category::Custom
    }

    fn patience(&self) -> Option<Duration> {
        // The command is killed at its own timeout; the rest is for reaping it.
        Some(self.options.timeout + Duration::from_secs(2))
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        let due = match &self.options.when {
            When::Every(every) => beat(*every, self.last, now),
            When::Cron(schedule) => {
                let due = self.next.is_some_and(|next| now >= next);
                if due || self.next.is_none() {
                    self.next = schedule.next_after(now);
                }
                due
            }
        };
        if due {
            self.last = Some(now);
        }
        due
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let text = run(&self.options, &self.stop)?;
        read(&self.options.name, &text, out)
    }
}

/// Takes the newest value of each series that the text holds.
fn read(name: &str, text: &str, out: &mut Gathered) -> Result<(), CollectError> {
    let garbage = |reason: String| CollectError::malformed(format!("the output of plug-in {name}"), reason);
    let batch = exposition::parse(text, out.time(), Origin::Collected, &[]).map_err(|e| garbage(e.to_string()))?;
    if batch.is_empty() {
        return Err(garbage("it holds no sample".to_owned()));
    }
    for (family, meta) in &batch.metadata {
        out.family(family.clone(), meta.kind, meta.help.clone());
    }
    // Both come in the order of the text.
    let mut exemplars = batch.exemplars.iter().peekable();
    for series in batch.series() {
        let labels = Labels::from_canonical(series.labels).map_err(|e| garbage(e.to_string()))?;
        let Some(sample) = series.samples.last() else { continue };
        let pairs = labels.iter().filter(|(name, _)| *name != METRIC_NAME).map(|(name, value)| (Text::Owned(name.to_owned()), value.to_owned()));
        out.push(Row { name: labels.metric_name().to_owned().into(), labels: pairs.collect(), value: sample.v });
        if let Some(row) = exemplars.next_if(|row| row.labels == labels) {
            out.exemplar(row.exemplar.clone());
        }
    }
    Ok(())
}

/// Runs the command to its end and yields what it printed.
fn run(options: &PluginOptions, stop: &Stop) -> Result<String, CollectError> {
    let [program, arguments @ ..] = options.command.as_slice() else {
        return Err(CollectError::malformed(format!("plug-in {}", options.name), "its command is empty"));
    };
    let failed = |source: std::io::Error| CollectError::Spawn { command: program.clone(), source };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    let ended = watch(&mut child, options, stop);
    if ended.is_err() {
        kill_group(&mut child);
    }
    let (status, stdout, stderr) = ended?;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()));
        return Err(CollectError::Exit { command: program.clone(), status, stderr: last.unwrap_or_default() });
    }
    String::from_utf8(stdout).map_err(|_| CollectError::malformed(format!("the output of plug-in {}", options.name), "it is not UTF-8"))
}

/// Kills the command with all that it started, and reaps it.
fn kill_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // Errors mean that it is gone already.
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    let _ = child.kill();
    let _ = child.wait();
}

fn watch(child: &mut Child, options: &PluginOptions, stop: &Stop) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), CollectError> {
    let command = || options.command.first().cloned().unwrap_or_default();
    let failed = |source: std::io::Error| CollectError::Spawn { command: command(), source };
    let mut stdout = Pipe::new(child.stdout.take()).map_err(failed)?;
    let mut stderr = Pipe::new(child.stderr.take()).map_err(failed)?;
    let deadline = Deadline::after(options.timeout);
    let mut rest = REST.0;
    loop {
        // Before the pipes are read: what it printed before its end is then all there.
        let status = child.try_wait().map_err(failed)?;
        stdout.read(MOST_BYTES + 1).map_err(failed)?;
        stderr.read(ERROR_BYTES).map_err(failed)?;
        if stdout.kept.len() > MOST_BYTES {
            return Err(CollectError::TooMuch { command: command(), limit: MOST_BYTES });
        }
        if let Some(status) = status {
            return Ok((status, stdout.kept, stderr.kept));
        }
        let interrupted = if stop.is_stopped() { Err(Interrupted::Canceled) } else { deadline.check() };
        interrupted.map_err(|why| CollectError::Killed { command: command(), why })?;
        std::thread::sleep(rest.min(deadline.left()));
        rest = (rest * 2).min(REST.1);
    }
}

/// One end of a pipe that never blocks.
struct Pipe<R> {
    end: Option<R>,
    kept: Vec<u8>,
}

impl<R: Read + AsFd> Pipe<R> {
    fn new(end: Option<R>) -> std::io::Result<Self> {
        if let Some(end) = &end {
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
        }
        Ok(Self { end, kept: Vec::new() })
    }

    /// Reads what is there now; what is beyond `most` is thrown away.
    fn read(&mut self, most: usize) -> std::io::Result<()> {
        let Some(end) = &mut self.end else { return Ok(()) };
        let mut part = [0; 16 * 1024];
        // A writer that never rests must not keep the deadline from being looked at.
        for _ in 0..=MOST_BYTES / part.len() {
            match end.read(&mut part) {
                Ok(0) => {
                    self.end = None;
                    return Ok(());
                }
                Ok(n) => self.kept.extend_from_slice(&part[..n.min(most.saturating_sub(self.kept.len()))]),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{CronSchedule, Stopwatch};

    fn plugin(script: &str, timeout: Duration) -> Plugin {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let options = PluginOptions { name: "p".to_owned(), command, when: When::Every(Duration::from_secs(60)), timeout };
        let (trigger, stop) = Stop::new();
        // The trigger goes, the signal stays unsaid.
        drop(trigger);
        Plugin::new(options, stop)
    }

    fn collect(script: &str) -> Result<Gathered, CollectError> {
        let mut out = Gathered::at(Timestamp(1000));
        plugin(script, Duration::from_secs(20)).collect(&mut out).map(|()| out)
    }

    #[test]
    fn exposition_text_becomes_rows_with_metadata() {
        let out = collect("printf '# HELP q Jobs.\\n# TYPE q gauge\\nq{kind=\"a\"} 3\\nq{kind=\"b\"} 4\\n'").unwrap();
        assert_eq!(out.rows().len(), 2);
        assert_eq!((out.rows()[0].name.as_ref(), out.rows()[0].value), ("q", 3.0));
        let meta = out.metadata(Category::Custom, |_| true);
        assert_eq!((meta[0].0.as_str(), meta[0].1.help.as_str()), ("q", "Jobs."));
    }

    #[test]
    fn garbage_names_its_line_and_a_failed_command_its_last_word() {
        let garbage = collect("printf 'a 1\\nthis is no sample\\n'").unwrap_err().to_string();
        assert!(garbage.contains("line 2"), "{garbage}");
        let exit = collect("echo a 1; echo no such queue >&2; exit 3").unwrap_err().to_string();
        assert!(exit.contains("no such queue") && exit.contains('3'), "{exit}");
        assert!(collect("true").unwrap_err().to_string().contains("no sample"));
    }

    #[test]
    fn a_timeout_kills_the_command_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let watch = Stopwatch::start();
        let error = plugin(&script, Duration::from_millis(300)).collect(&mut Gathered::default()).unwrap_err();
        assert!(matches!(error, CollectError::Killed { why: Interrupted::TimedOut, .. }), "{error}");
        assert!(watch.elapsed() < Duration::from_secs(10));
        let grandchild = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            state.is_empty() || state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
        };
        // A kill takes its time, and nobody tells of the death of a process that is not one's child.
        while !gone() && watch.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(gone());
    }

    #[test]
    fn endless_output_is_cut_off() {
        let error = collect("yes 'a 1'").unwrap_err();
        assert!(matches!(error, CollectError::TooMuch { .. }), "{error}");
    }

    #[test]
    fn cron_waits_for_its_time() {
        let mut plugin = plugin("true", Duration::from_secs(1));
        plugin.options.when = When::Cron(CronSchedule::parse("*/5 * * * *").unwrap());
        let due: Vec<i64> = (0..130).map(|i| 10_000 + i * 5000).filter(|t| plugin.is_due(Timestamp(*t))).collect();
        assert_eq!(due, [300_000, 600_000]);
    }
}
