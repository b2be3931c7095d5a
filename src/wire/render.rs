//! Samples into expositions: Prometheus' text format 0.0.4 and OpenMetrics 1.0.
//!
//! Families must stand together, and label order does not give that (`a_bucket`, `a_buckets`,
//! `a_count`). So samples are first placed by family and series, then written into one `String`.
//! Names that the formats do not know are written with `_` for what is not allowed.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{parse_value, push_value};
use crate::model::{Labels, METRIC_NAME, MetricMeta, MetricType, valid_label_name, valid_metric_name};

/// Content type of [`text`].
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Content type of [`openmetrics`].
pub const OPENMETRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// About the bytes of one line, to make room at once.
const LINE_BYTES: usize = 96;

/// What a family says of itself when nobody described it: `promtool` wants something there.
const NO_HELP: &str = "Not described.";

/// The text format. `meta` is asked by sample name; `_bucket`, `_sum` and `_count` of a histogram
/// or summary must yield their family's. Samples come in label order, no series twice.
pub fn text(samples: &[(Labels, f64)], meta: impl Fn(&str) -> Option<MetricMeta>) -> String {
    let mut out = String::with_capacity(samples.len() * LINE_BYTES);
    for family in families(samples, &meta) {
        let name = metric_name(&family.name);
        let help = if family.meta.help.is_empty() { NO_HELP } else { &family.meta.help };
        out.push_str("# HELP ");
        out.push_str(&name);
        out.push(' ');
        push_escaped(&mut out, help, false);
        out.push_str("\n# TYPE ");
        out.push_str(&name);
        out.push(' ');
        out.push_str(match family.meta.kind {
            MetricType::Unknown => "untyped",
            kind => kind.as_str(),
        });
        out.push('\n');
        push_lines(&mut out, samples, &family);
    }
    out
}

/// The text format with the time of every sample, in Unix milliseconds, as `/federate` gives it: `samples` and `times` go together.
/// Names that no scraper takes unquoted are written so that two of them never become one.
pub fn federated(samples: &[(Labels, f64)], times: &[i64], meta: impl Fn(&str) -> Option<MetricMeta>) -> String {
    let mut out = String::with_capacity(samples.len() * LINE_BYTES);
    for family in families(samples, &meta) {
        out.push_str("# TYPE ");
        out.push_str(&unmistakable(&family.name, valid_metric_name));
        out.push_str(" untyped\n");
        for &i in &family.samples {
            let (Some((labels, value)), Some(time)) = (samples.get(i), times.get(i)) else { continue };
            out.push_str(&unmistakable(labels.metric_name(), valid_metric_name));
            for (k, (name, value)) in labels.iter().filter(|(n, _)| *n != METRIC_NAME).enumerate() {
                out.push(if k == 0 { '{' } else { ',' });
                out.push_str(&unmistakable(name, valid_label_name));
                out.push_str("=\"");
                push_escaped(&mut out, value, true);
                out.push('"');
            }
            out.push_str(if labels.iter().any(|(n, _)| n != METRIC_NAME) { "} " } else { " " });
            push_value(&mut out, *value);
            out.push_str(&format!(" {time}\n"));
        }
    }
    out
}

/// A name as it is, or escaped as Prometheus escapes: `U__` and `_<code point>_` for each character that is not allowed.
fn unmistakable(name: &str, valid: fn(&str) -> bool) -> Cow<'_, str> {
    if valid(name) && !name.starts_with("U__") {
        return name.into();
    }
    let mut out = "U__".to_owned();
    for c in name.chars() {
        match c {
            '_' => out.push_str("__"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            c => out.push_str(&format!("_{:x}_", u32::from(c))),
        }
    }
    out.into()
}

/// OpenMetrics. A counter family goes without `_total`; a counter whose name has none is `unknown`,
/// for its samples must keep their name. A unit is told only where the name ends in it.
pub fn openmetrics(samples: &[(Labels, f64)], meta: impl Fn(&str) -> Option<MetricMeta>) -> String {
    let mut out = String::with_capacity(samples.len() * LINE_BYTES);
    let families = families(samples, &meta);
    let names: HashSet<&str> = families.iter().map(|f| f.name.as_ref()).collect();
    for family in &families {
        let (name, kind) = open_name(family, &names);
        out.push_str("# TYPE ");
        out.push_str(&name);
        out.push(' ');
        out.push_str(kind);
        out.push('\n');
        let unit = &family.meta.unit;
        if !unit.is_empty() && name.strip_suffix(unit.as_str()).is_some_and(|rest| rest.ends_with('_')) {
            out.push_str("# UNIT ");
            out.push_str(&name);
            out.push(' ');
            out.push_str(unit);
            out.push('\n');
        }
        if !family.meta.help.is_empty() {
            out.push_str("# HELP ");
            out.push_str(&name);
            out.push(' ');
            push_escaped(&mut out, &family.meta.help, true);
            out.push('\n');
        }
        push_lines(&mut out, samples, family);
    }
    out.push_str("# EOF\n");
    out
}

/// One family: where its samples lie, in the order in which they are written.
struct Family<'a> {
    name: Cow<'a, str>,
    meta: MetricMeta,
    samples: Vec<usize>,
}

fn open_name<'a>(family: &'a Family<'_>, all: &HashSet<&str>) -> (Cow<'a, str>, &'static str) {
    let name = metric_name(&family.name);
    if family.meta.kind != MetricType::Counter {
        return (name, family.meta.kind.as_str());
    }
    match name.strip_suffix("_total") {
        Some(base) if !base.is_empty() && !all.contains(base) => (base.to_owned().into(), MetricType::Counter.as_str()),
        _ => (name, MetricType::Unknown.as_str()),
    }
}

fn families<'a>(samples: &'a [(Labels, f64)], meta: &impl Fn(&str) -> Option<MetricMeta>) -> Vec<Family<'a>> {
    // Label order keeps one name together for the most part, so few look-ups are made.
    let mut at: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut of_name: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut out: Vec<Family<'a>> = Vec::new();
    for (i, (labels, _)) in samples.iter().enumerate() {
        let name = labels.metric_name();
        let position = *of_name.entry(name).or_insert_with(|| {
            let meta = meta(name).unwrap_or_default();
            let family = family_of(name, meta.kind);
            *at.entry(family).or_insert_with(|| {
                out.push(Family { name: family.into(), meta, samples: Vec::new() });
                out.len() - 1
            })
        });
        if let Some(family) = out.get_mut(position) {
            family.samples.push(i);
        }
    }
    for family in &mut out {
        if matches!(family.meta.kind, MetricType::Histogram | MetricType::Summary) {
            family.samples.sort_by_cached_key(|&i| samples.get(i).map(|(labels, _)| place(labels)));
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

fn family_of(name: &str, kind: MetricType) -> &str {
    let suffixes: &[&str] = match kind {
        MetricType::Histogram => &["_bucket", "_sum", "_count"],
        MetricType::Summary => &["_sum", "_count"],
        _ => &[],
    };
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// Series by series; in each buckets (or quantiles) upwards, then sum, then count.
fn place(labels: &Labels) -> (Labels, u8, u64) {
    let series = labels.filtered(|n| n != METRIC_NAME && n != "le" && n != "quantile");
    let name = labels.metric_name();
    let rank = u8::from(name.ends_with("_sum")) + 2 * u8::from(name.ends_with("_count"));
    let bound = labels.get("le").or_else(|| labels.get("quantile")).and_then(parse_value).unwrap_or(0.0);
    // Flipped so that bits compare as the numbers do.
    let bits = bound.to_bits();
    (series, rank, if bound.is_sign_negative() { !bits } else { bits | (1 << 63) })
}

fn push_lines(out: &mut String, samples: &[(Labels, f64)], family: &Family<'_>) {
    for (labels, value) in family.samples.iter().filter_map(|&i| samples.get(i)) {
        out.push_str(&metric_name(labels.metric_name()));
        let mut open = '{';
        for (name, value) in labels.iter().filter(|(n, _)| *n != METRIC_NAME) {
            out.push(open);
            open = ',';
            out.push_str(&label_name(name));
            out.push_str("=\"");
            push_escaped(out, value, true);
            out.push('"');
        }
        if open == ',' {
            out.push('}');
        }
        out.push(' ');
        push_value(out, *value);
        out.push('\n');
    }
}

fn metric_name(name: &str) -> Cow<'_, str> {
    if valid_metric_name(name) { name.into() } else { legal(name, ':').into() }
}

fn label_name(name: &str) -> Cow<'_, str> {
    if valid_label_name(name) { name.into() } else { legal(name, '_').into() }
}

fn legal(name: &str, also: char) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == also { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == also) {
        out.insert(0, '_');
    }
    out
}

fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '\\' | '\n') || (quotes && c == '"')) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('\n') => out.push_str("\\n"),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, Origin, Timestamp};
    use crate::wire::exposition;
    use proptest::prelude::*;

    fn meta(name: &str) -> Option<MetricMeta> {
        let of = |kind, unit: &str| Some(MetricMeta { kind, unit: unit.into(), help: format!("Of \"{name}\"\\."), category: Category::Custom });
        match name {
            "a_seconds_bucket" | "a_seconds_sum" | "a_seconds_count" => of(MetricType::Histogram, "seconds"),
            "b_total" => of(MetricType::Counter, ""),
            "c_bytes" => of(MetricType::Gauge, "bytes"),
            "d" => of(MetricType::Counter, "bytes"),
            _ => None,
        }
    }

    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

    fn samples(list: &[Row<'_>]) -> Vec<(Labels, f64)> {
        let mut out: Vec<(Labels, f64)> =
            list.iter().map(|(name, pairs, v)| (Labels::from_pairs(pairs.iter().copied().chain([(METRIC_NAME, *name)])).unwrap(), *v)).collect();
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out
    }

    fn mixed() -> Vec<(Labels, f64)> {
        samples(&[
            ("a_seconds_bucket", &[("le", "+Inf"), ("x", "1")], 3.0),
            ("a_seconds_bucket", &[("le", "10"), ("x", "1")], 2.0),
            ("a_seconds_bucket", &[("le", "2.5"), ("x", "1")], 1.0),
            ("a_seconds_buckets", &[], 9.0),
            ("a_seconds_count", &[("x", "1")], 3.0),
            ("a_seconds_sum", &[("x", "1")], 30.5),
            ("b_total", &[("path", "C:\\x\n\"")], 1.0),
            ("c_bytes", &[], f64::NAN),
            ("d", &[("Upper", "1")], 1e-7),
        ])
    }

    #[test]
    fn federated_samples_have_their_times_and_no_two_names_become_one() {
        let all = samples(&[("a.b", &[("x-y", "1")], 1.5), ("a-b", &[], 2.0), ("ok", &[("l", "v")], 3.0)]);
        let text = federated(&all, &[7000, 7001, 7002], meta);
        assert!(text.contains("U__a_2d_b 2 7000\n") && text.contains("U__a_2e_b{U__x_2d_y=\"1\"} 1.5 7001\n"), "{text}");
        assert!(text.ends_with("# TYPE ok untyped\nok{l=\"v\"} 3 7002\n"), "{text}");
    }

    #[test]
    fn families_stand_together_and_buckets_climb() {
        let out = text(&mixed(), meta);
        let lines: Vec<&str> = out.lines().filter(|l| !l.starts_with("# HELP")).collect();
        assert_eq!(
            lines,
            [
                "# TYPE a_seconds histogram",
                "a_seconds_bucket{le=\"2.5\",x=\"1\"} 1",
                "a_seconds_bucket{le=\"10\",x=\"1\"} 2",
                "a_seconds_bucket{le=\"+Inf\",x=\"1\"} 3",
                "a_seconds_sum{x=\"1\"} 30.5",
                "a_seconds_count{x=\"1\"} 3",
                "# TYPE a_seconds_buckets untyped",
                "a_seconds_buckets 9",
                "# TYPE b_total counter",
                "b_total{path=\"C:\\\\x\\n\\\"\"} 1",
                "# TYPE c_bytes gauge",
                "c_bytes NaN",
                "# TYPE d counter",
                "d{Upper=\"1\"} 1e-07",
            ]
        );
        assert!(out.contains("# HELP a_seconds_buckets Not described.\n"));
        assert!(out.contains("# HELP b_total Of \"b_total\"\\\\.\n"));
    }

    #[test]
    fn openmetrics_names_counters_without_total_and_ends_with_eof() {
        let out = openmetrics(&mixed(), meta);
        assert!(out.contains("# TYPE b counter\n# HELP b Of \\\"b_total\\\"\\\\.\nb_total{"));
        assert!(out.contains("# TYPE d unknown\n") && !out.contains("# UNIT d "));
        assert!(out.contains("# UNIT a_seconds seconds\n") && out.contains("# UNIT c_bytes bytes\n"));
        assert!(out.ends_with("# EOF\n"));
    }

    #[test]
    fn names_that_the_formats_do_not_know_are_made_legal() {
        let out = text(&samples(&[("my.metric", &[("a b", "1")], 1.0)]), meta);
        assert!(out.ends_with("my_metric{a_b=\"1\"} 1\n"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(list in proptest::collection::btree_map(("[a-z]{1,4}(_total|_bucket)?", "\\PC{0,6}"), any::<f64>(), 0..12)) {
            let mut all: Vec<(Labels, f64)> = list
                .iter()
                .map(|((name, value), v)| (Labels::from_pairs([(METRIC_NAME, name.as_str()), ("x", value.as_str())]).unwrap(), *v))
                .collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            for out in [text(&all, meta), openmetrics(&all, meta)] {
                let batch = exposition::parse(&out, Timestamp(0), Origin::Pushed, &[]).unwrap();
                let mut back: Vec<(Labels, u64)> = batch.series().map(|r| (Labels::from_canonical(r.labels).unwrap(), r.samples[0].v.to_bits())).collect();
                back.sort_by(|a, b| a.0.cmp(&b.0));
                let want: Vec<(Labels, u64)> = all.iter().map(|(l, v)| (l.clone(), if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() })).collect();
                prop_assert_eq!(&back, &want);
            }
        }
    }
}
