//! Runs the PromQL cases of a directory of `.test` files against the engine.
//!
//! The directory comes from `PROMQLTEST_DIR`, else `../shared/promqltest` beside the checkout; where
//! there is none, the run is skipped and says so. Cases without a tag in `TAGS.tsv` are the plain
//! group: their failures are printed. The run fails where a case listed in `passing.txt` does.

mod check;
mod format;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use format::Command;
use memory::Memory;

fn main() -> ExitCode {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "the runner is told where the cases lie, it has no configuration")]
    let dir = std::env::var("PROMQLTEST_DIR").map_or_else(|_| here.join("../shared/promqltest"), PathBuf::from);
    let Ok(tags) = std::fs::read_to_string(dir.join("TAGS.tsv")) else {
        println!("SKIPPED: no PromQL cases in {}; set PROMQLTEST_DIR", dir.display());
        return ExitCode::SUCCESS;
    };
    let plain = plain_cases(&tags);
    let results = run_all(&dir, &plain);
    let failed = results.values().filter(|r| r.is_err()).count();
    println!("{} passed, {failed} failed", results.len() - failed);
    let listed = std::fs::read_to_string(here.join("tests/promqltest/passing.txt")).unwrap_or_default();
    let lost: Vec<&str> = listed.lines().filter(|case| results.get(*case).is_some_and(Result::is_err)).collect();
    if lost.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} cases of passing.txt do not pass any more: {}", lost.len(), lost.join(" "));
    ExitCode::FAILURE
}

/// `file:line` of the cases without a tag.
fn plain_cases(tags: &str) -> BTreeSet<String> {
    let fields = tags.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    fields.filter(|f| f.get(3) == Some(&"-")).map(|f| format!("{}:{}", f[0], f[1])).collect()
}

/// The outcome of every plain case, by `file:line`; failures and passes are printed.
fn run_all(dir: &std::path::Path, plain: &BTreeSet<String>) -> BTreeMap<String, Result<(), String>> {
    let mut results = BTreeMap::new();
    let files: BTreeSet<&str> = plain.iter().filter_map(|case| case.split(':').next()).collect();
    for file in files {
        let Ok(text) = std::fs::read_to_string(dir.join(file)) else {
            println!("FAIL {file}:0 cannot be read");
            results.insert(format!("{file}:0"), Err("cannot be read".to_owned()));
            continue;
        };
        let mut memory = Memory::default();
        for command in format::commands(&text) {
            match command {
                Command::Clear => memory = Memory::default(),
                Command::Load { step, lines } => lines.iter().for_each(|line| memory.load(step, line)),
                Command::Eval(case) => {
                    let name = format!("{file}:{}", case.line);
                    if plain.contains(&name) {
                        let outcome = check::run(&memory, &case);
                        match &outcome {
                            Ok(()) => println!("PASS {name}"),
                            Err(why) => println!("FAIL {name}  {}\n     {why}", case.expr),
                        }
                        results.insert(name, outcome);
                    }
                }
            }
        }
    }
    results
}
