//! Rules across settings: what follows from others is filled in, what contradicts is refused with
//! the fix. Knows the settings by name, and no file.

use std::time::Duration;

use crate::clock::{CronSchedule, format_duration, parse_duration};
use crate::model::ByteCount;
use crate::net::Address;

use super::error::Problem;
use super::layers::{Layers, Origin};
use super::rules;
use super::space::memory;
use super::value::{CommandSpec, PluginSpec, Value};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Widths to which one that is too narrow is raised.
const WIDER: [Duration; 3] = [Duration::from_secs(300), Duration::from_secs(900), HOUR];
/// A bucket must hold at least so many rounds, or it says no more than a sample.
const ROUNDS_PER_BUCKET: u32 = 4;
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// Beyond it no width of `WIDER` would hold four rounds.
const LONGEST_INTERVAL: Duration = Duration::from_secs(900);
const LONGEST_DEADLINE: Duration = Duration::from_secs(5);
const LEAST_MEMORY: ByteCount = ByteCount::mib(256);
const LARGEST_BUDGET: ByteCount = ByteCount::mib(5 * 1024);

/// Fills in what follows from other settings and finds everything that contradicts. `disk` is the
/// size of the file system that holds the data.
pub(super) fn complete(layers: &mut Layers, disk: Option<ByteCount>) -> Vec<Problem> {
    let mut problems = Vec::new();
    collection(layers, &mut problems);
    plugins(layers, &mut problems);
    problems.extend(rules::check(layers));
    tiers(layers, disk, &mut problems);
    not_built_yet(layers, &mut problems);
    derive(layers, "storage.memory", Value::Bytes(memory_budget(memory())), "default: a quarter of the machine's memory, at least 256MiB");
    certificate(layers, &mut problems);
    addresses(layers, &mut problems);
    positive(layers, &mut problems);
    alerts(layers, &mut problems);
    problems
}

fn memory_budget(memory: Option<ByteCount>) -> ByteCount {
    memory.map_or(LEAST_MEMORY, |memory| ByteCount(memory.0 / 4).max(LEAST_MEMORY))
}

/// A problem at the place where a setting came from.
fn at(layers: &Layers, path: &str, message: impl Into<String>) -> Problem {
    let place = layers.entry(path).map_or_else(String::new, |entry| entry.origin.to_string());
    Problem { place, message: format!("{path}: {}", message.into()) }
}

fn duration(layers: &Layers, path: &str) -> Option<Duration> {
    match layers.value(path) {
        Some(Value::Duration(duration)) => Some(*duration),
        _ => None,
    }
}

fn is_true(layers: &Layers, path: &str) -> bool {
    layers.value(path) == Some(&Value::Flag(true))
}

fn derive(layers: &mut Layers, path: &'static str, value: Value, how: &str) {
    if layers.value(path).is_none() {
        layers.set(path, value, Origin::Derived(how.to_owned()));
    }
}

fn collection(layers: &mut Layers, problems: &mut Vec<Problem>) {
    let Some(interval) = duration(layers, "collection.interval") else { return };
    if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
        problems.push(at(layers, "collection.interval", format!("{} is not between 1s and 15m", format_duration(interval))));
    }
    derive(layers, "collection.deadline", Value::Duration(interval.min(LONGEST_DEADLINE)), "default: the smaller of 5s and collection.interval");
}

fn plugins(layers: &Layers, problems: &mut Vec<Problem>) {
    let Some(Value::Plugins(list)) = layers.value("plugins") else { return };
    for (i, plugin) in list.iter().enumerate() {
        if list[..i].iter().any(|earlier| earlier.name == plugin.name) {
            problems.push(at(layers, "plugins", format!("{:?} stands twice", plugin.name)));
        }
        if let Err(message) = plugin_is_sound(plugin) {
            problems.push(at(layers, "plugins", format!("{}: {message}", plugin.name)));
        }
    }
}

fn plugin_is_sound(plugin: &PluginSpec) -> Result<(), String> {
    let in_grammar = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if plugin.name.is_empty() || !plugin.name.chars().all(in_grammar) {
        return Err("a name is made of letters, digits and _ - .".to_owned());
    }
    let empty = match &plugin.command {
        CommandSpec::Line(line) => line.trim().is_empty(),
        CommandSpec::Words(words) => words.first().is_none_or(String::is_empty),
    };
    if empty {
        return Err("the command is empty".to_owned());
    }
    for text in [&plugin.interval, &plugin.timeout].into_iter().flatten() {
        if parse_duration(text).map_err(|e| e.to_string())? < SHORTEST_INTERVAL {
            return Err(format!("{text} is shorter than 1s"));
        }
    }
    match (&plugin.interval, &plugin.cron) {
        (Some(_), Some(_)) => Err("give interval or cron, not both".to_owned()),
        (None, Some(cron)) => CronSchedule::parse(cron).map(|_| ()).map_err(|e| e.to_string()),
        _ => Ok(()),
    }
}

fn alerts(layers: &Layers, problems: &mut Vec<Problem>) {
    if duration(layers, "alerts.evaluation_interval").is_some_and(|interval| !(SHORTEST_INTERVAL..=HOUR).contains(&interval)) {
        problems.push(at(layers, "alerts.evaluation_interval", "it is not between 1s and 1h"));
    }
    if let Some(Value::Text(address)) = layers.value("alerts.webhook")
        && !address.is_empty()
        && let Err(error) = Address::parse(address)
    {
        problems.push(at(layers, "alerts.webhook", error.to_string()));
    }
}

fn tiers(layers: &mut Layers, disk: Option<ByteCount>, problems: &mut Vec<Problem>) {
    for path in ["retention.raw", "retention.aggregated", "retention.summary"] {
        if duration(layers, path).is_some_and(|kept| kept < MINUTE) {
            problems.push(at(layers, path, "keep at least 1m"));
        }
    }
    match duration(layers, "retention.raw") {
        Some(raw) => derive(layers, "ingest.late_window", Value::Duration(HOUR.min(raw / 4)), "default: the smaller of 1h and a quarter of retention.raw"),
        None => problems.push(at(layers, "retention.raw", "it cannot be off: every sample enters there; the least is 1m")),
    }
    let budget = disk.map_or(LARGEST_BUDGET, |total| LARGEST_BUDGET.min(ByteCount(total.0 / 10)));
    derive(layers, "retention.max_bytes", Value::Bytes(budget), "default: the smaller of 5GiB and a tenth of the file system");
    raise_widths(layers);
    let widths = duration(layers, "rollup.aggregated").zip(duration(layers, "rollup.summary"));
    if let Some((narrow, wide)) = widths
        && (narrow < Duration::from_secs(1) || wide < narrow || !wide.as_millis().is_multiple_of(narrow.as_millis()))
    {
        let message = format!("{} must be a multiple of rollup.aggregated, which is {}, at least 1s", format_duration(wide), format_duration(narrow));
        problems.push(at(layers, "rollup.summary", message));
    }
}

fn raise_widths(layers: &mut Layers) {
    let Some(interval) = duration(layers, "collection.interval") else { return };
    let least = interval.saturating_mul(ROUNDS_PER_BUCKET);
    for path in ["rollup.aggregated", "rollup.summary"] {
        let Some(width) = duration(layers, path).filter(|width| *width < least) else { continue };
        let Some(wider) = WIDER.into_iter().find(|wider| *wider >= least) else { continue };
        let from = layers.entry(path).map_or_else(String::new, |entry| entry.origin.to_string());
        let why = format!("raised from {} ({from}): a bucket must hold 4 rounds of collection.interval {}", format_duration(width), format_duration(interval));
        layers.set(path, Value::Duration(wider), Origin::Derived(why));
    }
}

fn not_built_yet(layers: &Layers, problems: &mut Vec<Problem>) {
    if layers.value("storage.backend") == Some(&Value::Text("remote".to_owned())) {
        problems.push(at(layers, "storage.backend", "remote is not built yet: use disk or memory"));
    }
}

/// Both files or none, and such that they can be read. What they hold is looked at when they are used.
fn certificate(layers: &Layers, problems: &mut Vec<Problem>) {
    let text = |path| match layers.value(path) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    for (path, other) in [("http.tls.cert", "http.tls.key"), ("http.tls.key", "http.tls.cert")] {
        let Some(file) = text(path) else { continue };
        if text(other).is_none() {
            problems.push(at(layers, path, format!("{other} is missing: TLS needs both, the certificate and its key")));
        } else if let Err(error) = std::fs::read(file) {
            problems.push(at(layers, path, format!("cannot read {file}: {error}")));
        }
    }
}

/// Beyond this machine: TLS, a proxy that has it, or a word that it is meant so. That there is an
/// account is known only when the store is open.
fn addresses(layers: &Layers, problems: &mut Vec<Problem>) {
    let Some(Value::Addresses(list)) = layers.value("http.listen") else { return };
    if list.is_empty() {
        problems.push(at(layers, "http.listen", "give at least one address"));
    }
    let beyond = list.iter().find(|address| !address.ip().to_canonical().is_loopback());
    let behind_proxy = is_true(layers, "http.behind_proxy");
    let (path, who) = match beyond {
        Some(address) => ("http.listen", format!("{address} is reachable from beyond this machine")),
        None if behind_proxy => ("http.behind_proxy", "a proxy brings others to this daemon".to_owned()),
        None => return,
    };
    if layers.value("storage.backend") == Some(&Value::Text("memory".to_owned())) {
        let message = format!("{who}, so an account is needed, and with storage.backend: memory accounts end with the process: use disk");
        problems.push(at(layers, path, message));
    }
    let has_tls = layers.value("http.tls.cert").is_some() && layers.value("http.tls.key").is_some();
    if let Some(address) = beyond
        && !(has_tls || behind_proxy || is_true(layers, "http.plaintext"))
    {
        problems.push(at(layers, path, without_tls(&who, address.port())));
    }
}

fn without_tls(who: &str, port: u16) -> String {
    format!(
        "{who}, and passwords and keys would pass in plain text. Give it a certificate,\n  \
         http:\n    tls:\n      cert: /path/to/fullchain.pem\n      key: /path/to/privkey.pem\n\
         or start it with --behind-proxy where a proxy ends TLS, or, in a network that you trust, with\n  \
         http:\n    plaintext: true\n\
         An account is needed as well, if there is none yet: latido user add NAME --role admin\n\
         Or stay on this machine with\n  \
         http:\n    listen: [127.0.0.1:{port}]\n\
         and come from elsewhere through\n  ssh -L {port}:127.0.0.1:{port} user@host"
    )
}

fn positive(layers: &Layers, problems: &mut Vec<Problem>) {
    let mut wrong: Vec<Problem> = Vec::new();
    for (setting, entry) in layers.iter() {
        let zero_is_fine = matches!(setting.path, "ingest.late_window" | "ingest.max_future");
        let zero = matches!(entry.value, Some(Value::Duration(Duration::ZERO) | Value::Bytes(ByteCount(0))));
        if zero && !zero_is_fine {
            wrong.push(at(layers, setting.path, "it must be above zero"));
        }
    }
    problems.append(&mut wrong);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::{Flag, Sources};

    fn completed(environment: &str, flags: &[(&str, &str)]) -> (Layers, Vec<Problem>) {
        let flags = flags.iter().map(|(path, value)| Flag { name: "--set".into(), path: (*path).into(), value: (*value).into() }).collect();
        let mut layers = Layers::stack(&Sources { environment: Some(environment.into()), flags, ..Sources::default() }).unwrap();
        let problems = complete(&mut layers, Some(ByteCount::mib(10 * 1024)));
        (layers, problems)
    }

    fn shown(layers: &Layers, path: &str) -> String {
        layers.value(path).unwrap().to_string()
    }

    #[test]
    fn a_width_below_four_rounds_is_raised_and_says_why() {
        for (interval, aggregated, summary) in
            [("5s", "1m", "1h"), ("15s", "1m", "1h"), ("16s", "5m", "1h"), ("60s", "5m", "1h"), ("2m", "15m", "1h"), ("5m", "1h", "1h"), ("15m", "1h", "1h")]
        {
            let (layers, problems) = completed("standalone", &[("collection.interval", interval)]);
            assert_eq!(problems, []);
            assert_eq!((shown(&layers, "rollup.aggregated"), shown(&layers, "rollup.summary")), (aggregated.into(), summary.into()), "{interval}");
        }
        let (layers, _) = completed("development", &[]);
        let why = layers.entry("rollup.aggregated").unwrap().origin.to_string();
        assert_eq!(why, "raised from 1m (default): a bucket must hold 4 rounds of collection.interval 1m");
    }

    #[test]
    fn what_follows_from_others_is_filled_in_unless_it_is_given() {
        let (layers, _) = completed("standalone", &[]);
        assert_eq!(shown(&layers, "ingest.late_window"), "1h");
        assert_eq!(shown(&layers, "retention.max_bytes"), "1GiB");
        assert_eq!(shown(&layers, "collection.deadline"), "5s");
        let (layers, _) = completed("development", &[("retention.max_bytes", "7GiB"), ("collection.interval", "2s")]);
        assert_eq!(shown(&layers, "ingest.late_window"), "3m45s");
        assert_eq!(shown(&layers, "retention.max_bytes"), "7GiB");
        assert_eq!(shown(&layers, "collection.deadline"), "2s");
    }

    #[test]
    fn an_address_beyond_this_machine_needs_tls_a_proxy_or_a_word() {
        for address in ["0.0.0.0:7117", "[::]:7117", "192.168.0.5:7117", "127.0.0.1:7117,10.0.0.1:7117"] {
            let (_, problems) = completed("standalone", &[("http.listen", address)]);
            assert_eq!(problems.len(), 1, "{address}");
            for words in ["plaintext: true", "--behind-proxy", "listen: [127.0.0.1:7117]", "ssh -L 7117:127.0.0.1:7117", "latido user add NAME --role admin"] {
                assert!(problems[0].message.contains(words), "{words}: {}", problems[0].message);
            }
            for meant in ["http.plaintext", "http.behind_proxy"] {
                assert_eq!(completed("standalone", &[("http.listen", address), (meant, "true")]).1, [], "{address}");
                let (_, problems) = completed("development", &[("http.listen", address), (meant, "true")]);
                assert!(problems.len() == 1 && problems[0].message.contains("memory accounts end with the process"), "{problems:?}");
            }
        }
        for address in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:7117", "localhost:80"] {
            assert_eq!(completed("standalone", &[("http.listen", address)]).1, [], "{address}");
        }
        assert_eq!(completed("development", &[("http.behind_proxy", "true")]).1.len(), 1);
    }

    #[test]
    fn a_certificate_is_two_files_that_can_be_read() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name).display().to_string();
        std::fs::write(file("c.pem"), "").unwrap();
        std::fs::write(file("k.pem"), "").unwrap();
        let problems = |cert: &str, key: &str| completed("standalone", &[("http.tls.cert", cert), ("http.tls.key", key), ("http.listen", "0.0.0.0:7117")]).1;
        assert_eq!(problems(&file("c.pem"), &file("k.pem")), []);
        let missing = problems(&file("c.pem"), &file("none.pem"));
        assert!(missing.len() == 1 && missing[0].message.contains("http.tls.key: cannot read") && missing[0].message.contains("none.pem"), "{missing:?}");
        let (_, alone) = completed("standalone", &[("http.tls.cert", &file("c.pem"))]);
        assert!(alone.len() == 1 && alone[0].message.contains("http.tls.key is missing"), "{alone:?}");
    }

    #[test]
    fn what_contradicts_or_is_not_built_is_refused() {
        for (path, value) in [
            ("collection.interval", "500ms"),
            ("collection.interval", "16m"),
            ("retention.raw", "off"),
            ("retention.raw", "10s"),
            ("rollup.summary", "90s"),
            ("storage.backend", "remote"),
            ("http.tls.cert", "c.pem"),
            ("query.timeout", "0s"),
            ("plugins", "[{name: a, command: [x], interval: 5s, cron: '* * * * *'}]"),
            ("plugins", "[{name: a, command: [x], cron: '0 0 31 2 *'}]"),
            ("plugins", "[{name: a, command: []}]"),
            ("plugins", "[{name: a, command: x}, {name: a, command: y}]"),
        ] {
            let (_, problems) = completed("standalone", &[(path, value)]);
            assert_eq!(problems.len(), 1, "{path}={value}: {problems:?}");
            assert_eq!(problems[0].place, "flag --set");
            assert!(problems[0].message.starts_with(path));
        }
    }
}
