//! Runs the PromQL cases of every file of a directory of `.test` files against the engine.
//!
//! The directory comes from `PROMQLTEST_DIR`, else `../shared/promqltest` beside the checkout; where
//! there is none, the run is skipped and says so. Every case is run with what is experimental allowed.
//! The run fails where a case listed in `passing.txt` does not pass. With a `TAGS.tsv` beside the files the figures
//! are given by group, too.

mod check;
mod custom;
mod format;
mod memory;
mod sequence;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use format::Command;
use memory::Memory;

fn main() -> ExitCode {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "the runner is told where the cases lie, it has no configuration")]
    let dir = std::env::var("PROMQLTEST_DIR").map_or_else(|_| here.join("../shared/promqltest"), PathBuf::from);
    let files = test_files(&dir);
    if files.is_empty() {
        println!("SKIPPED: no PromQL cases in {}; set PROMQLTEST_DIR", dir.display());
        return ExitCode::SUCCESS;
    }
    let results: BTreeMap<String, bool> = files.iter().flat_map(|file| run_file(file)).collect();
    by_group(&dir, &results);
    let failed = results.values().filter(|passed| !**passed).count();
    let listed = std::fs::read_to_string(here.join("tests/promqltest/passing.txt")).unwrap_or_default();
    let lost: Vec<&str> = listed.lines().filter(|case| results.get(*case).is_some_and(|passed| !passed)).collect();
    if !lost.is_empty() {
        println!("{} cases of passing.txt do not pass any more: {}", lost.len(), lost.join(" "));
    }
    println!("{} passed, {failed} failed", results.len() - failed);
    if lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "test")).collect();
    files.sort();
    files
}

/// Which cases of a file pass, by `file:line`; failures are printed.
fn run_file(path: &Path) -> Vec<(String, bool)> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("FAIL {file}:0 cannot be read");
        return vec![(format!("{file}:0"), false)];
    };
    let mut out = Vec::new();
    let mut memory = Memory::default();
    for command in format::commands(&text) {
        match command {
            Command::Clear => memory = Memory::default(),
            Command::Load { step, lines, with_custom } => {
                if let Err(why) = memory.load(step, &lines, with_custom) {
                    println!("{file}: {why}");
                }
            }
            Command::Eval(case) => {
                let name = format!("{file}:{}", case.line);
                let outcome = check::run(&memory, &case);
                if let Err(why) = &outcome {
                    println!("FAIL {name}\n     {}\n     {why}", case.expr);
                }
                out.push((name, outcome.is_ok()));
            }
        }
    }
    out
}

/// Prints how many cases of each tag pass.
fn by_group(dir: &Path, results: &BTreeMap<String, bool>) {
    let Ok(tags) = std::fs::read_to_string(dir.join("TAGS.tsv")) else { return };
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for line in tags.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, line, _, tags] = fields[..] else { continue };
        let Some(passed) = results.get(&format!("{file}:{line}")) else { continue };
        for tag in tags.split([',', ' ']).filter(|tag| !tag.is_empty()) {
            let group = groups.entry(if tag == "-" { "plain" } else { tag }).or_default();
            if *passed { group.0 += 1 } else { group.1 += 1 }
        }
    }
    for (group, (passed, failed)) in groups {
        println!("{group}: {passed} passed, {failed} failed");
    }
}
