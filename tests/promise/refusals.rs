//! A start that cannot go well is refused at once, with the exit code that scripts rely on and a
//! message that says what to do.

use std::net::TcpListener;

use crate::harness::Setup;

/// The data directory is in use or not writable.
const DATA_DIRECTORY: i32 = 75;
/// The configuration is wrong, or the bind is refused.
const CONFIGURATION: i32 = 78;
const RUN_TIME: i32 = 1;
const USAGE: i32 = 2;

#[test]
fn a_data_directory_in_use_is_refused_and_the_first_goes_on() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    setup.refused(&[]).is(DATA_DIRECTORY, &["in use"]);
    assert_eq!(daemon.client().get("/-/ready").status, 200);
    daemon.stop();
}

#[test]
fn a_directory_is_free_again_after_kill_9() {
    let setup = Setup::quiet();
    setup.start().kill();
    setup.start().stop();
}

#[test]
fn a_path_that_cannot_be_written_is_refused() {
    let setup = Setup::quiet();
    let file = setup.write("data", "a file where the directory should be");
    setup.refused(&[]).is(DATA_DIRECTORY, &["data"]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a file where the directory should be");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    Setup::quiet().refused(&["--listen", &address]).is(RUN_TIME, &[&address]);
}

#[test]
fn an_unknown_profile_is_refused_with_the_known_ones() {
    Setup::quiet().refused(&["--env", "produktion"]).is(CONFIGURATION, &["produktion", "production"]);
}

#[test]
fn malformed_yaml_is_refused_with_file_and_line() {
    let setup = Setup::quiet();
    let file = setup.write("broken.yaml", "retention:\n  raw: [1h\n");
    setup.refused(&["--config", &file.to_string_lossy()]).is(CONFIGURATION, &["broken.yaml"]);
}

#[test]
fn an_unknown_key_is_refused_with_file_line_and_the_nearest_right_one() {
    let setup = Setup::quiet();
    let file = setup.write("typo.yaml", "collection:\n  interval: 5s\nretention:\n  rwa: 1h\n");
    setup.refused(&["--config", &file.to_string_lossy()]).is(CONFIGURATION, &["typo.yaml", "4", "rwa", "raw"]);
    setup.refused(&["--set", "collection.intervall=5s"]).is(CONFIGURATION, &["intervall", "interval"]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    let setup = Setup::quiet();
    setup.refused(&["--set", "retention.raw=soon"]).is(CONFIGURATION, &["retention.raw", "soon"]);
    setup.refused(&["--set", "journal.sync=sometimes"]).is(CONFIGURATION, &["journal.sync"]);
    setup.refused(&["--set", "collection.enabled=perhaps"]).is(CONFIGURATION, &["collection.enabled"]);
}

#[test]
fn a_missing_configuration_file_is_refused() {
    let setup = Setup::quiet();
    let missing = setup.home().join("missing.yaml");
    setup.refused(&["--config", &missing.to_string_lossy()]).is(CONFIGURATION, &["missing.yaml"]);
}

#[test]
fn a_bind_beyond_loopback_is_refused_without_accounts() {
    let port = crate::harness::free_port();
    Setup::quiet().refused(&["--listen", &format!("0.0.0.0:{port}")]).is(CONFIGURATION, &["0.0.0.0"]);
}

#[test]
fn a_newer_data_format_is_refused_and_left_alone() {
    let setup = Setup::quiet();
    setup.start().stop();
    let format = setup.data().join("FORMAT");
    assert!(format.exists(), "the directory says its format");
    std::fs::write(&format, "999999\n").unwrap();
    setup.refused(&[]).is(CONFIGURATION, &["999999"]);
    assert_eq!(std::fs::read_to_string(format).unwrap(), "999999\n");
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    Setup::quiet().refused(&["--no-such-flag"]).is(USAGE, &["--no-such-flag"]);
}

#[test]
fn sigterm_ends_with_0() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    assert_eq!(daemon.client().get("/-/healthy").status, 200);
    daemon.stop();
}

#[test]
fn the_start_tells_where_the_page_and_the_data_are() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let log = daemon.log();
    for word in [format!("127.0.0.1:{}", daemon.port()), "ssh -L".to_owned(), setup.data().to_string_lossy().into_owned()] {
        assert!(log.contains(&word), "{word} is told:\n{log}");
    }
}
