//! The list of all settings: path, type, default, meaning. Adding a setting is one line here and one
//! where `tree` reads it. Knows no file and no profile.

use super::value::Kind;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Section and key, with a dot between.
    pub path: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What applies where no layer says anything; `None`: nothing, or it follows from others.
    pub default: Option<&'static str>,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// Masked when shown; may come from a file that a `_FILE` variable names.
    pub secret: bool,
}

const fn plain(path: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting { path, kind, default: Some(default), doc, secret: false }
}

const fn unset(path: &'static str, kind: Kind, doc: &'static str) -> Setting {
    Setting { path, kind, default: None, doc, secret: false }
}

const fn secret(path: &'static str, doc: &'static str) -> Setting {
    Setting { path, kind: Kind::Text, default: None, doc, secret: true }
}

/// Every setting, in the order in which they are shown.
pub static SETTINGS: &[Setting] = &[
    plain("collection.enabled", Kind::Flag, "true", "Whether the daemon's own collectors run."),
    plain("collection.interval", Kind::Duration, "5s", "Time between two rounds, from 1s to 15m."),
    unset("collection.deadline", Kind::Duration, "How long a source may take in a round; default: the smaller of 5s and the interval."),
    plain("collection.process_interval", Kind::Duration, "30s", "Pace of the top processes, which cost more than the rest."),
    plain("collection.process_top", Kind::Count, "10", "How many processes are shown by CPU, and by memory."),
    plain("custom_metrics.business_metrics", Kind::Flag, "true", "The pack of known business metrics."),
    plain("custom_metrics.rag_performance", Kind::Flag, "true", "The pack of known metrics of retrieval and recommendation."),
    plain("custom_metrics.cache_efficiency", Kind::Flag, "true", "The pack of known cache metrics, by level l1, l2 and l3."),
    plain("custom_metrics.user_experience", Kind::Flag, "true", "The pack of known metrics of what users see: latency, Apdex, sessions, satisfaction."),
    plain("custom.auto_register", Kind::Flag, "false", "Whether an unknown name becomes a gauge when it is recorded; else it is refused with advice."),
    unset("plugins", Kind::Plugins, "Commands that print Prometheus text, each with an interval or a cron expression of five fields."),
    plain(
        "storage.backend",
        Kind::Choice(&["disk", "memory", "remote"]),
        "disk",
        "Where samples lie; memory ends with the process, remote comes in a later version.",
    ),
    plain("storage.data_dir", Kind::Text, "data", "The data directory."),
    plain("storage.cache", Kind::Bytes, "8MiB", "One budget for the store's page caches over all open files."),
    unset(
        "storage.memory",
        Kind::Bytes,
        "What unsealed samples and their series may take in memory; beyond it new series are refused; default: a quarter of the machine's memory.",
    ),
    plain("retention.raw", Kind::DurationOrOff, "48h", "How long samples are kept as they came; it cannot be off."),
    plain("retention.aggregated", Kind::DurationOrOff, "90d", "How long buckets of rollup.aggregated are kept."),
    plain("retention.summary", Kind::DurationOrOff, "2y", "How long buckets of rollup.summary are kept."),
    unset("retention.rules", Kind::Rules, "What some series keep instead: a selector each, and durations; the first that matches counts."),
    unset("retention.max_bytes", Kind::Bytes, "Budget over every file; default: the smaller of 5GiB and a tenth of the file system."),
    plain("rollup.aggregated", Kind::Duration, "1m", "Bucket width of the aggregated tier; raised where it is below four intervals."),
    plain("rollup.summary", Kind::Duration, "1h", "Bucket width of the summary tier, a multiple of rollup.aggregated."),
    unset("ingest.late_window", Kind::Duration, "How long a window waits before it is sealed; default: the smaller of 1h and a quarter of retention.raw."),
    plain("ingest.max_future", Kind::Duration, "10m", "How far ahead of now a sample may lie."),
    plain(
        "ingest.max_series",
        Kind::Count,
        "1000000",
        "Series in memory at once; beyond it new ones are refused, and the error names the metric and label that grew.",
    ),
    plain("ingest.max_labels", Kind::Count, "64", "Labels a series may have."),
    plain("ingest.max_label_name_bytes", Kind::Count, "256", "Bytes a label's name may have."),
    plain("ingest.max_label_value_bytes", Kind::Count, "4096", "Bytes a label's value may have."),
    plain(
        "journal.sync",
        Kind::Choice(&["always", "interval"]),
        "always",
        "Whether an acknowledgement waits for the disk, or the disk follows within journal.interval.",
    ),
    plain("journal.interval", Kind::Duration, "1s", "With journal.sync: interval, what a power cut may take."),
    plain("query.timeout", Kind::Duration, "30s", "How long a query may take."),
    plain("query.lookback", Kind::Duration, "5m", "How old a sample may be and still be the current value."),
    plain("query.max_samples", Kind::Count, "20000000", "Samples and buckets a query may read."),
    plain("query.max_series", Kind::Count, "20000", "Series a query may read."),
    plain("query.max_points", Kind::Count, "11000", "Steps a range query may have."),
    plain("query.max_memory", Kind::Bytes, "256MiB", "Bytes that the values of one query may take at once."),
    plain(
        "query.experimental",
        Kind::Flag,
        "false",
        "Whether what Prometheus keeps behind a flag is allowed in PromQL: info(), limitk(), smoothed, fill and more.",
    ),
    plain("query.delayed_name_removal", Kind::Flag, "false", "Whether a metric's name goes at the end of a query instead of with the first function."),
    plain("query.slow", Kind::Duration, "10s", "Queries that take longer are logged."),
    plain("query.max_concurrent", Kind::Count, "4", "Queries that run at once; more wait."),
    plain("dashboards.update_interval", Kind::Duration, "1s", "Time between two frames to viewers."),
    plain("dashboards.max_connections", Kind::Count, "1000", "Viewers at once."),
    plain("dashboards.chart_cache", Kind::Duration, "30s", "How long a chart's data is shown again, unless newer data contradicts it."),
    plain("dashboards.aggregation_cache", Kind::Duration, "60s", "The same for aggregations of metrics/query."),
    unset("dashboards.directory", Kind::Text, "Directory of dashboards as YAML files."),
    plain("alerts.evaluation_interval", Kind::Duration, "15s", "Time between two evaluations of a group of rules."),
    plain("alerts.default_rules", Kind::Flag, "true", "Whether the rules for a Linux host apply."),
    secret("alerts.webhook", "One address that gets every notification as JSON."),
    plain("http.listen", Kind::Addresses, "127.0.0.1:7117", "Addresses and ports to answer at."),
    unset("http.hosts", Kind::Texts, "Further host names under which the daemon may be called."),
    plain("http.plaintext", Kind::Flag, "false", "Allow addresses beyond this machine without TLS."),
    plain("http.behind_proxy", Kind::Flag, "false", "A reverse proxy stands in front (the flag --behind-proxy)."),
    unset("http.tls.cert", Kind::Text, "File of the certificate chain."),
    unset("http.tls.key", Kind::Text, "File of the certificate's key."),
    plain("http.max_body", Kind::Bytes, "8MiB", "Bytes a request's body may have."),
    plain("http.timeout", Kind::Duration, "60s", "How long a request may take in all."),
    plain("log.format", Kind::Choice(&["auto", "text", "json"]), "auto", "How lines look; auto is text on a terminal and JSON elsewhere."),
    plain("log.filter", Kind::Text, "info,actix_server=warn", "What is logged, such as info or latido=debug,warn."),
];

/// The setting of that path.
#[must_use]
pub(super) fn find(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.path == path)
}

/// Whether settings lie below that path.
#[must_use]
pub(super) fn is_section(path: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// What to say of a path that is no setting: with the nearest right one, where one is near.
#[must_use]
pub(super) fn unknown(path: &str) -> String {
    if is_section(path) {
        return format!("{path} is a section, not a setting");
    }
    let name = |setting: &'static Setting| {
        // An unknown section is compared with sections, a key with keys.
        if path.contains('.') { setting.path } else { setting.path.split('.').next().unwrap_or(setting.path) }
    };
    let same_key = SETTINGS.iter().find(|s| s.path.rsplit('.').next() == path.rsplit('.').next()).map(|s| (1.0, s.path));
    let nearest = SETTINGS.iter().map(|s| (strsim::jaro_winkler(path, name(s)), name(s))).max_by(|a, b| a.0.total_cmp(&b.0));
    let near = nearest.filter(|(likeness, _)| *likeness > 0.85).or(same_key);
    near.map_or_else(
        || format!("there is no setting {path}; `latido config print` lists all of them"),
        |(_, right)| format!("there is no setting {path}; did you mean {right}?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_of_its_type_and_every_path_stands_once() {
        for (i, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..i].iter().all(|earlier| earlier.path != setting.path), "{} stands twice", setting.path);
            if let Some(default) = setting.default {
                assert!(setting.kind.parse(default).is_ok(), "{}", setting.path);
            }
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest_right_one() {
        for (wrong, right) in [
            ("collection.intervall", "collection.interval"),
            ("colection.interval", "collection.interval"),
            ("retention.rwa", "retention.raw"),
            ("colection", "collection"),
            ("webhook", "alerts.webhook"),
            ("http.tls.crt", "http.tls.cert"),
        ] {
            assert!(unknown(wrong).contains(&format!("did you mean {right}?")), "{wrong}: {}", unknown(wrong));
        }
        assert!(!unknown("xyzzy.plugh").contains("did you mean"));
    }
}
