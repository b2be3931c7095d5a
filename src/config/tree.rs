//! The typed configuration: every room's `Options`, filled from the layers.

use std::path::PathBuf;
use std::time::Duration;

use crate::alert;
use crate::clock::{CronSchedule, parse_duration};
use crate::collect;
use crate::dashboard;
use crate::ingest;
use crate::model::{ByteCount, Widths};
use crate::net::{Address, CertificateFiles};
use crate::query;
use crate::serve;
use crate::store;
use crate::telemetry::LogFormat;

use super::check;
use super::error::{ConfigError, Problem};
use super::layers::{Layers, Sources};
use super::profile::Environment;
use super::space::space_of;
use super::value::{CommandSpec, PluginSpec, RuleSpec, Value};

/// How long requests may take to end after a stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How often and how long a plug-in runs that says nothing of it.
const PLUGIN_INTERVAL: Duration = Duration::from_secs(60);
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A configuration that was checked: what each room is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose defaults apply.
    pub environment: Environment,
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// For `store`.
    pub store: store::Options,
    /// For `ingest`.
    pub ingest: ingest::Options,
    /// For `query`.
    pub query: query::Options,
    /// Queries and other calls on the pool that run at once.
    pub max_concurrent: usize,
    /// For `collect`.
    pub collect: collect::Options,
    /// For `alert`.
    pub alert: alert::Options,
    /// For `dashboard`.
    pub dashboard: dashboard::Options,
    /// For `serve`.
    pub serve: serve::Options,
    /// How log lines look; `None`: by where they go.
    pub log_format: Option<LogFormat>,
    /// What is logged.
    pub log_filter: String,
    /// Every setting with its origin.
    pub layers: Layers,
}

impl Config {
    /// Reads, lays over each other, completes and checks.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = Layers::stack(sources)?;
        let data_dir = absolute(Read(&layers).text("storage.data_dir"))?;
        let problems = check::complete(&mut layers, space_of(&data_dir).map(|space| space.total));
        if !problems.is_empty() {
            return Err(ConfigError::Problems(problems));
        }
        Self::from_layers(layers, data_dir)
    }

    fn from_layers(layers: Layers, data_dir: PathBuf) -> Result<Self, ConfigError> {
        let read = Read(&layers);
        let problem = |place: &str| {
            let place = place.to_owned();
            move |message| ConfigError::Problems(vec![Problem { place, message }])
        };
        let rules = read.rules().iter().map(super::rules::rule).collect::<Result<_, _>>().map_err(problem("retention.rules"))?;
        let store = store::Options { rules, ..store_options(read, data_dir.clone()) };
        let plugins = read.plugins().iter().map(plugin).collect::<Result<_, _>>().map_err(problem("plugins"))?;
        Ok(Self {
            environment: layers.environment,
            data_dir,
            ingest: ingest_options(read, store.longest()),
            store,
            query: query_options(read),
            max_concurrent: read.count("query.max_concurrent"),
            collect: collect_options(read, plugins),
            alert: alert_options(read),
            dashboard: dashboard_options(read),
            serve: serve_options(read),
            log_format: match read.text("log.format") {
                "text" => Some(LogFormat::Text),
                "json" => Some(LogFormat::Json),
                _ => None,
            },
            log_filter: read.text("log.filter").to_owned(),
            layers,
        })
    }
}

fn absolute(path: &str) -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(if path.is_empty() { "data" } else { path });
    std::path::absolute(&path).map_err(|source| ConfigError::Read { path, source })
}

fn store_options(read: Read<'_>, data_dir: PathBuf) -> store::Options {
    store::Options {
        place: if read.text("storage.backend") == "memory" { store::Place::Memory } else { store::Place::Disk(data_dir) },
        raw: read.duration("retention.raw"),
        aggregated: read.duration_or_off("retention.aggregated"),
        summary: read.duration_or_off("retention.summary"),
        widths: Widths { aggregated: read.duration("rollup.aggregated"), summary: read.duration("rollup.summary") },
        late_window: read.duration("ingest.late_window"),
        sync: match read.text("journal.sync") {
            "interval" => store::JournalSync::Interval(read.duration("journal.interval")),
            _ => store::JournalSync::Always,
        },
        cache: read.bytes("storage.cache"),
        max_bytes: Some(read.bytes("retention.max_bytes")),
        max_series: read.count("ingest.max_series"),
        max_memory: Some(read.bytes("storage.memory")),
        guards_clock: true,
        rules: Vec::new(),
    }
}

fn ingest_options(read: Read<'_>, longest: Duration) -> ingest::Options {
    ingest::Options {
        max_future: read.duration("ingest.max_future"),
        longest,
        max_labels: read.count("ingest.max_labels"),
        max_label_name_bytes: read.count("ingest.max_label_name_bytes"),
        max_label_value_bytes: read.count("ingest.max_label_value_bytes"),
        auto_register: read.flag("custom.auto_register"),
        packs: ingest::Packs {
            business_metrics: read.flag("custom_metrics.business_metrics"),
            rag_performance: read.flag("custom_metrics.rag_performance"),
            cache_efficiency: read.flag("custom_metrics.cache_efficiency"),
            user_experience: read.flag("custom_metrics.user_experience"),
        },
    }
}

fn query_options(read: Read<'_>) -> query::Options {
    query::Options {
        lookback: read.duration("query.lookback"),
        timeout: read.duration("query.timeout"),
        max_samples: read.count("query.max_samples"),
        max_series: read.count("query.max_series"),
        max_points: read.count("query.max_points"),
        max_memory: usize::try_from(read.bytes("query.max_memory").0).unwrap_or(usize::MAX),
        experimental: read.flag("query.experimental"),
        delayed_name_removal: read.flag("query.delayed_name_removal"),
        start_timestamps: false,
        slow: read.duration("query.slow"),
    }
}

fn collect_options(read: Read<'_>, plugins: Vec<collect::PluginOptions>) -> collect::Options {
    collect::Options {
        enabled: read.flag("collection.enabled"),
        interval: read.duration("collection.interval"),
        deadline: read.duration("collection.deadline"),
        process_interval: read.duration("collection.process_interval"),
        process_top: read.count("collection.process_top"),
        plugins,
        cache_efficiency: read.flag("custom_metrics.cache_efficiency"),
    }
}

fn alert_options(read: Read<'_>) -> alert::Options {
    alert::Options {
        evaluation_interval: read.duration("alerts.evaluation_interval"),
        default_rules: read.flag("alerts.default_rules"),
        // What is no address was refused by `check`.
        webhook: Address::parse(read.text("alerts.webhook")).ok(),
    }
}

fn dashboard_options(read: Read<'_>) -> dashboard::Options {
    dashboard::Options {
        update_interval: read.duration("dashboards.update_interval"),
        max_connections: read.count("dashboards.max_connections"),
        directory: read.path("dashboards.directory"),
        chart_cache: read.duration("dashboards.chart_cache"),
        aggregation_cache: read.duration("dashboards.aggregation_cache"),
    }
}

fn serve_options(read: Read<'_>) -> serve::Options {
    serve::Options {
        listen: match read.0.value("http.listen") {
            Some(Value::Addresses(list)) => list.clone(),
            _ => Vec::new(),
        },
        hosts: match read.0.value("http.hosts") {
            Some(Value::Texts(list)) => list.clone(),
            _ => Vec::new(),
        },
        behind_proxy: read.flag("http.behind_proxy"),
        certificate: read.path("http.tls.cert").zip(read.path("http.tls.key")).map(|(cert, key)| CertificateFiles { cert, key }),
        max_body: read.bytes("http.max_body"),
        timeout: read.duration("http.timeout"),
        drain: DRAIN,
        lookback: read.duration("query.lookback"),
    }
}

fn plugin(spec: &PluginSpec) -> Result<collect::PluginOptions, String> {
    let read = |text: &Option<String>, default| text.as_deref().map_or(Ok(default), parse_duration).map_err(|e| e.to_string());
    Ok(collect::PluginOptions {
        name: spec.name.clone(),
        command: match &spec.command {
            CommandSpec::Line(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
            CommandSpec::Words(words) => words.clone(),
        },
        when: match &spec.cron {
            Some(cron) => collect::When::Cron(CronSchedule::parse(cron).map_err(|e| e.to_string())?),
            None => collect::When::Every(read(&spec.interval, PLUGIN_INTERVAL)?),
        },
        timeout: read(&spec.timeout, PLUGIN_TIMEOUT)?,
    })
}

/// Typed reading. The list of settings fixes each type and `check` has filled in what follows from
/// others, so another type cannot be there; a test reads them all.
#[derive(Clone, Copy)]
struct Read<'a>(&'a Layers);

impl<'a> Read<'a> {
    fn flag(self, path: &str) -> bool {
        match self.0.value(path) {
            Some(Value::Flag(flag)) => *flag,
            other => unreachable!("{path} is a flag with a default, not {other:?}"),
        }
    }

    fn duration_or_off(self, path: &str) -> Option<Duration> {
        match self.0.value(path) {
            Some(Value::Duration(duration)) => Some(*duration),
            Some(Value::Off) => None,
            other => unreachable!("{path} is a duration with a default, not {other:?}"),
        }
    }

    fn duration(self, path: &str) -> Duration {
        self.duration_or_off(path).unwrap_or_default()
    }

    fn bytes(self, path: &str) -> ByteCount {
        match self.0.value(path) {
            Some(Value::Bytes(bytes)) => *bytes,
            other => unreachable!("{path} is a size with a default, not {other:?}"),
        }
    }

    fn count(self, path: &str) -> usize {
        match self.0.value(path) {
            Some(Value::Count(n)) => usize::try_from(*n).unwrap_or(usize::MAX),
            other => unreachable!("{path} is a count with a default, not {other:?}"),
        }
    }

    /// Empty where it is not set.
    fn text(self, path: &str) -> &'a str {
        match self.0.value(path) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    fn path(self, path: &str) -> Option<PathBuf> {
        Some(PathBuf::from(self.text(path))).filter(|path| !path.as_os_str().is_empty())
    }

    fn rules(self) -> &'a [RuleSpec] {
        match self.0.value("retention.rules") {
            Some(Value::Rules(list)) => list,
            _ => &[],
        }
    }

    fn plugins(self) -> &'a [PluginSpec] {
        match self.0.value("plugins") {
            Some(Value::Plugins(list)) => list,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::Flag;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    fn load(environment: &str, flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let flags = flags.iter().map(|(path, value)| Flag { name: "--set".into(), path: (*path).into(), value: (*value).into() }).collect();
        Config::load(&Sources { environment: Some(environment.into()), flags, ..Sources::default() })
    }

    /// The table of the specification: interval, raw, aggregated, summary in seconds; backend in
    /// memory; frames in seconds, viewers; business, rag, cache, experience.
    type Row = (&'static str, [u64; 3], Option<u64>, bool, (u64, u64), [bool; 4]);
    const TABLE: [Row; 4] = [
        ("development", [60, 15 * MINUTE, DAY], None, true, (5, 10), [false, true, false, false]),
        ("staging", [30, 30 * MINUTE, 3 * DAY], None, false, (5, 50), [true, true, false, false]),
        ("production", [15, HOUR, 7 * DAY], Some(30 * DAY), false, (5, 100), [true; 4]),
        ("standalone", [5, 48 * HOUR, 90 * DAY], Some(730 * DAY), false, (1, 1000), [true; 4]),
    ];

    #[test]
    fn every_profile_is_the_table_of_the_specification() {
        for (name, [interval, raw, aggregated], summary, memory, (frames, viewers), packs) in TABLE {
            let config = load(name, &[]).unwrap();
            let seconds = Duration::from_secs;
            assert_eq!(config.environment.as_str(), name);
            assert_eq!(config.collect.interval, seconds(interval), "{name}");
            assert_eq!((config.store.raw, config.store.aggregated, config.store.summary), (seconds(raw), Some(seconds(aggregated)), summary.map(seconds)));
            assert_eq!(config.store.place == store::Place::Memory, memory, "{name}");
            assert_eq!(config.layers.value("dashboards.update_interval"), Some(&Value::Duration(seconds(frames))), "{name}");
            assert_eq!(config.layers.value("dashboards.max_connections"), Some(&Value::Count(viewers)), "{name}");
            let on = config.ingest.packs;
            assert_eq!([on.business_metrics, on.rag_performance, on.cache_efficiency, on.user_experience], packs, "{name}");
        }
    }

    #[test]
    fn plugins_become_commands_with_their_times() {
        let text = "[{name: a, command: 'echo x | cat'}, {name: b, command: [df, -k], cron: '*/5 * * * 0', timeout: 3s}]";
        let config = load("standalone", &[("plugins", text)]).unwrap();
        let [a, b] = &config.collect.plugins[..] else { panic!("two plug-ins") };
        assert_eq!(a.command, ["sh", "-c", "echo x | cat"]);
        assert!(matches!(a.when, collect::When::Every(PLUGIN_INTERVAL)) && a.timeout == PLUGIN_TIMEOUT);
        assert_eq!(b.command, ["df", "-k"]);
        assert!(matches!(b.when, collect::When::Cron(_)) && b.timeout == Duration::from_secs(3));
    }

    #[test]
    fn taking_away_a_default_falls_back_and_never_panics() {
        for setting in super::super::settings::SETTINGS {
            // Refused or accepted; what must not happen is a panic.
            let _ = load("standalone", &[(setting.path, "")]);
        }
        assert!(load("standalone", &[("storage.data_dir", "")]).unwrap().data_dir.ends_with("data"));
        assert!(load("standalone", &[("storage.data_dir", "x/y")]).unwrap().data_dir.is_absolute());
    }

    #[test]
    fn journal_and_retention_reach_the_store() {
        let config = load("standalone", &[("journal.sync", "interval"), ("journal.interval", "2s"), ("retention.aggregated", "off")]).unwrap();
        assert_eq!(config.store.sync, store::JournalSync::Interval(Duration::from_secs(2)));
        assert_eq!(config.store.aggregated, None);
        assert_eq!(config.ingest.longest, Duration::from_secs(730 * DAY));
    }
}
