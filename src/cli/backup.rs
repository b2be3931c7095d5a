//! `latido backup`, `restore` and `verify`: on a running daemon through its control socket or its
//! address, on a stopped store by its directory. A backup is written here, never by the daemon.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::model::ByteCount;
use crate::store::backup::{self, Verified};
use crate::store::{self, Opened, Place};
use crate::task::Deadline;

use super::args::{BackupCommand, RestoreArgs, TargetArgs, VerifyArgs};
use super::control::{by_url, expect, running_on};
use super::exit::CliError;
use super::http::Endpoint;

const STREAM: &str = "/api/v1/monitoring/maintenance/backup";
const VERIFY: &str = "/api/v1/monitoring/maintenance/verify";

/// Where the store is.
enum There {
    Daemon(Endpoint),
    Stopped(Box<Opened>),
}

pub(super) fn run(command: &BackupCommand) -> Result<(), CliError> {
    match command {
        BackupCommand::Create { dest, target } => create(dest, target),
        BackupCommand::Verify { src } => report(&backup::verify(src)?),
    }
}

fn create(dest: &Path, target: &TargetArgs) -> Result<(), CliError> {
    let unpack = |stream: &mut dyn Read| backup::unpack(stream, dest).map_err(CliError::from);
    let verified = match there(target)? {
        There::Daemon(daemon) => daemon.stream(STREAM, unpack)?,
        There::Stopped(opened) => {
            let snapshot = opened.keeper.snapshot(&Deadline::never())?;
            snapshot.save(dest, &Deadline::never())?
        }
    };
    super::say(&format!("{}: {} files, {}, {} rows", dest.display(), verified.files, ByteCount(verified.bytes), verified.rows));
    report_notes(&verified);
    Ok(())
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), CliError> {
    let done = backup::restore(&args.src, &args.data_dir, args.force, SystemClock.now())?;
    if let Some(aside) = done.moved_to {
        eprintln!("latido: what was there before is in {}", aside.display());
    }
    super::say(&format!("{}: {} files, {}, {} rows", args.data_dir.display(), done.verified.files, ByteCount(done.verified.bytes), done.verified.rows));
    report_notes(&done.verified);
    Ok(())
}

pub(super) fn verify(args: &VerifyArgs) -> Result<(), CliError> {
    match there(&args.target)? {
        There::Daemon(daemon) => report(&of_json(&expect(&daemon, daemon.ask("POST", VERIFY, ""))?)),
        There::Stopped(opened) => {
            for note in &opened.notes {
                eprintln!("latido: {note}");
            }
            let found = opened.keeper.verify(&Deadline::never())?;
            if args.repair && !found.problems.is_empty() {
                opened.keeper.repair()?;
                eprintln!("latido: what is damaged was set aside in quarantine/; the rest is whole");
            }
            report(&found)
        }
    }
}

/// The running daemon, or the store of a stopped one, which is held until the command ends.
fn there(target: &TargetArgs) -> Result<There, CliError> {
    if let Some(url) = &target.url {
        return Ok(There::Daemon(by_url(url, target.key_file.as_deref())?));
    }
    let config = Config::load(&target.settings().sources()?)?;
    if let Some(daemon) = running_on(&config.data_dir)? {
        return Ok(There::Daemon(daemon));
    }
    if !config.data_dir.is_dir() {
        return Err(CliError::Usage(format!("there is no data directory {}", config.data_dir.display())));
    }
    let options = store::Options { place: Place::Disk(config.data_dir), ..config.store };
    Ok(There::Stopped(Box::new(store::open(options, Arc::new(SystemClock))?)))
}

fn of_json(body: &Json) -> Verified {
    let number = |name: &str| body.get(name).and_then(Json::as_u64).unwrap_or(0);
    let list = |name: &str| body.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
    Verified {
        files: usize::try_from(number("files")).unwrap_or(usize::MAX),
        bytes: number("bytes"),
        rows: number("rows"),
        problems: list("problems"),
        notes: list("notes"),
    }
}

fn report(found: &Verified) -> Result<(), CliError> {
    super::say(&format!("{} files, {}, {} rows", found.files, ByteCount(found.bytes), found.rows));
    for problem in &found.problems {
        super::say(&format!("damaged: {problem}"));
    }
    report_notes(found);
    match found.problems.len() {
        0 => Ok(()),
        count => Err(CliError::Damaged(format!("{count} damaged"))),
    }
}

fn report_notes(found: &Verified) {
    for note in &found.notes {
        eprintln!("latido: {note}");
    }
}
