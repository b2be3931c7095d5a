//! A plug-in that hangs or prints garbage degrades alone and recovers by itself. Guards against one
//! command that holds up a round, or that takes its neighbours' samples with it.

use std::time::Duration;

use crate::harness::{Client, Setup, eventually, now_ms};

const SOON: Duration = Duration::from_secs(20);

/// Starts with these plug-ins, each run every second.
fn with_plugins(setup: Setup, plugins: &[(&str, &str)]) -> Setup {
    let list: Vec<String> =
        plugins.iter().map(|(name, command)| format!("- name: {name}\n  command: [sh, -c, \"{command}\"]\n  interval: 1s\n  timeout: 1s\n")).collect();
    let file = setup.write("plugins.yaml", &format!("plugins:\n{}", list.concat()));
    let path = file.to_string_lossy().into_owned();
    setup.with(["--config", &path])
}

fn up(client: &Client, source: &str) -> Option<f64> {
    client.value(&format!("up{{source=~\"(.*[:/])?{source}\"}}"), now_ms())
}

#[test]
fn a_plugin_that_hangs_or_prints_garbage_degrades_alone() {
    let plugins = [
        ("hangs", "sleep 600"),
        ("garbage", "echo 'this is {no exposition'"),
        ("fails", "exit 3"),
        ("missing", "/no/such/program"),
        ("good", "echo plugin_answer 42"),
    ];
    let setup = with_plugins(Setup::collecting().set("collection.interval=1s"), &plugins);
    let daemon = setup.start();
    let client = daemon.client();
    let value = eventually("the good plug-in's value", SOON, || client.value("plugin_answer", now_ms()));
    assert_eq!(value, 42.0);
    for source in ["hangs", "garbage", "fails", "missing"] {
        eventually(&format!("{source} is down"), SOON, || (up(client, source)? == 0.0).then_some(()));
    }
    assert_eq!(up(client, "good"), Some(1.0));
    eventually("the machine is still watched", SOON, || client.value("node_load1", now_ms()));
    let sources = client.api("metrics/stats")["collection"]["sources"].clone();
    let hangs = sources.as_object().unwrap().iter().find(|(name, _)| name.ends_with("hangs")).expect("the source is counted").1;
    assert!(hangs["failures"].as_u64() > Some(0), "{hangs}");
    assert!(hangs["last_error"].as_str().is_some_and(|error| !error.is_empty()), "{hangs}");
    daemon.stop();
}

#[test]
fn a_plugin_that_heals_is_up_again_by_itself() {
    let setup = Setup::collecting().set("collection.interval=1s");
    let file = setup.write("output.prom", "{{{ nonsense\n");
    let command = format!("cat {}", file.display());
    let setup = with_plugins(setup, &[("healing", &command)]);
    let daemon = setup.start();
    let client = daemon.client();
    eventually("it is down", SOON, || (up(client, "healing")? == 0.0).then_some(()));
    setup.write("output.prom", "# TYPE healed gauge\nhealed{by=\"itself\"} 1\n");
    eventually("it is up again", SOON, || (up(client, "healing")? == 1.0).then_some(()));
    eventually("its value is stored", SOON, || client.value("healed{by=\"itself\"}", now_ms()));
}
