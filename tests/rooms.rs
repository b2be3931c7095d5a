//! The rules of the house, read from the source text: rooms name only earlier rooms, `async` stays
//! in its shell, an outside crate has one home, every file says what it is, and every licence of a
//! dependency is one that `deny.toml` allows. Guards against an import that nobody meant as a
//! decision. The lists below are those decisions: changing one shows in review.
#![expect(clippy::expect_used, reason = "a helper that cannot read the source has nothing to return")]

#[path = "house/licences.rs"]
mod licences;
#[path = "house/source.rs"]
mod source;

use source::{SourceFile, all_files};

/// The rooms in the order of the data: a room names only those before it.
const ORDER: [&str; 19] = [
    "model",
    "clock",
    "task",
    "telemetry",
    "net",
    "wire",
    "store",
    "ingest",
    "query",
    "collect",
    "remote",
    "analyze",
    "alert",
    "access",
    "dashboard",
    "serve",
    "config",
    "app",
    "cli",
];

/// Where `async`, `.await` and tokio may not appear: whole rooms, or single files of a room.
const SYNC: [&str; 12] = ["model", "clock", "telemetry", "wire", "store", "query", "analyze", "access", "config", "ingest", "alert", "dashboard"];
const SYNC_FILES: [&str; 1] = ["task/deadline"];

/// What is async in the rooms above: the bridge for writing with the ways that await it, and the loops.
const ASYNC_FILES: [&str; 7] = ["ingest/intake", "ingest/registry", "ingest/custom", "ingest/record", "alert/scheduler", "alert/notify", "dashboard/hub"];

/// Crates with one home: the crate as code names it (a trailing `*`: any that begins so), and where.
const HOMES: &[(&str, &str)] = &[
    ("redb", "store"),
    ("bincode", "store"),
    ("tar", "store/backup"),
    ("pco", "store"),
    ("zstd", "store"),
    ("roaring", "store"),
    ("prost", "wire"),
    ("snap", "wire"),
    ("serde_saphyr", "wire"),
    // Walks a file along the list of settings, which `wire` must not know.
    ("serde_saphyr", "config/yaml"),
    ("actix_*", "serve"),
    ("utoipa", "serve"),
    ("flate2", "serve"),
    ("flate2", "store/partition/pack"),
    ("flate2", "store/partition/tests"),
    ("rust_embed", "serve"),
    ("sysinfo", "collect"),
    ("procfs", "collect"),
    ("regex", "model"),
    ("prometheus", "telemetry/own"),
    ("chrono", "clock"),
    ("cron", "clock"),
    ("clap", "cli"),
    ("reqwest", "net/client"),
    ("rustls", "net/tls"),
    // Chooses the provider that `reqwest` is to use.
    ("rustls", "net/client"),
    ("lettre", "net/mail"),
    ("argon2", "access/secret"),
    ("sha2", "access/secret"),
    ("subtle", "access/secret"),
    ("getrandom", "access/secret"),
    ("base64", "serve"),
    ("tracing_subscriber", "telemetry/log"),
];

/// Files that a room lets out as they are: a format is a name of its own (`record::decode`).
const OPEN_FILES: [(&str, &str); 7] =
    [("store", "backup"), ("wire", "exposition"), ("wire", "record"), ("wire", "remote_write"), ("wire", "render"), ("wire", "snappy"), ("wire", "yaml")];

/// No file is longer than this: past it there is a second idea in it.
const LONGEST_FILE_LINES: usize = 800;

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == room)
}

fn fail_on(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_room_of_the_list() {
    let files = all_files();
    let strange = files.iter().filter(|file| !file.is_root() && file.room() != "ui" && rank(file.room()).is_none());
    fail_on(&strange.map(|file| format!("{}: no such room in ORDER", file.path)).collect::<Vec<_>>());
    assert!(files.len() > 20, "the source was found");
}

#[test]
fn a_room_names_only_earlier_rooms() {
    let mut breaches = Vec::new();
    for file in all_files().iter().filter(|file| !file.is_root()) {
        let Some(own) = rank(file.room()) else { continue };
        for (line, path) in file.crate_paths() {
            let named = path.first().map_or("", String::as_str);
            match rank(named) {
                Some(other) if other > own => breaches.push(format!("{}:{line}: {} names the later room {named}", file.path, file.room())),
                Some(_) => {}
                None => breaches.push(format!("{}:{line}: crate::{named} is no room: import by the room's path, not from the root", file.path)),
            }
        }
    }
    fail_on(&breaches);
}

#[test]
fn a_room_is_entered_by_its_door_never_by_a_file_inside() {
    let mut breaches = Vec::new();
    for file in all_files().iter().filter(|file| !file.is_root()) {
        for (line, path) in file.crate_paths() {
            let [room, inside, _, ..] = path.as_slice() else { continue };
            let is_module = inside.chars().next().is_some_and(|first| first.is_ascii_lowercase());
            let is_open = OPEN_FILES.contains(&(room.as_str(), inside.as_str()));
            if room != file.room() && is_module && !is_open {
                breaches.push(format!("{}:{line}: names crate::{room}::{inside}, a file inside another room", file.path));
            }
        }
    }
    fail_on(&breaches);
}

#[test]
fn the_core_has_no_async() {
    let mut breaches = Vec::new();
    for file in all_files() {
        let held = SYNC.contains(&file.room()) || file.is_within(&SYNC_FILES);
        if !held || file.is_within(&ASYNC_FILES) {
            continue;
        }
        for (line, word) in file.words() {
            if matches!(word, "async" | "await" | "tokio") {
                breaches.push(format!("{}:{line}: {word} in the sync core", file.path));
            }
        }
    }
    fail_on(&breaches);
}

#[test]
fn an_outside_crate_lives_in_one_room() {
    let mut breaches = Vec::new();
    for file in all_files() {
        for (line, name) in file.outside_crates() {
            let is_of = |krate: &str| krate.strip_suffix('*').map_or(krate == name, |start| name.starts_with(start));
            let homes: Vec<&str> = HOMES.iter().filter(|(krate, _)| is_of(krate)).map(|(_, home)| *home).collect();
            if !homes.is_empty() && !file.is_within(&homes) {
                breaches.push(format!("{}:{line}: uses {name}, whose home is {}", file.path, homes.join(", ")));
            }
        }
    }
    fail_on(&breaches);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = all_files().into_iter().filter(|file| !file.text.starts_with("//! "));
    fail_on(&silent.map(|file| format!("{}: does not begin with `//! `", file.path)).collect::<Vec<_>>());
}

#[test]
fn no_file_is_longer_than_one_idea() {
    let long = all_files().into_iter().filter(|file| file.text.lines().count() > LONGEST_FILE_LINES);
    fail_on(&long.map(|file: SourceFile| format!("{}: longer than {LONGEST_FILE_LINES} lines", file.path)).collect::<Vec<_>>());
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    fail_on(&licences::refused());
}
