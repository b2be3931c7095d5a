//! Prometheus' text format 0.0.4 into a batch; OpenMetrics 1.0 is read as well (`# EOF`, `# UNIT`,
//! exemplars, timestamps in seconds). Cost is one pass; a line allocates only for escapes.
//!
//! Knows nothing of limits. A counter family of OpenMetrics is kept under the name its samples
//! bear (`x_total`), as the text format names it.

use std::borrow::Cow;

use super::{WireError, parse_value};
use crate::model::{
    Batch, Category, Exemplar, ExemplarRow, Labels, METRIC_NAME, MetricMeta, MetricType, Origin, Sample, Timestamp, encode_canonical, valid_metric_name,
};

/// Labels longer than this in one line are refused: no honest exporter sends them.
const MAX_LABELS_A_LINE: usize = 1000;

/// Reads an exposition. Samples without a timestamp get `default_t`. Each pair of `add` becomes a
/// label of every series; one of that name that was there becomes `exported_<name>`, as in a scrape.
///
/// # Errors
/// A line cannot be read: says which and why. Nothing is taken then.
pub fn parse(text: &str, default_t: Timestamp, origin: Origin, add: &[(&str, &str)]) -> Result<Batch, WireError> {
    let open_metrics = text.trim_end().ends_with("# EOF");
    let mut reader = Reader { batch: Batch::new(origin), default_t, add, open_metrics };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let done = match line.strip_prefix('#') {
            Some(comment) => reader.comment(comment),
            None if line.is_empty() => Ok(()),
            None => reader.sample(line),
        };
        done.map_err(|reason| WireError::Line { line: number + 1, reason })?;
    }
    Ok(reader.finish())
}

struct Reader<'a> {
    batch: Batch,
    default_t: Timestamp,
    add: &'a [(&'a str, &'a str)],
    open_metrics: bool,
}

impl Reader<'_> {
    fn comment(&mut self, comment: &str) -> Result<(), String> {
        let Some((word, rest)) = split_word(comment) else { return Ok(()) };
        if !matches!(word, "HELP" | "TYPE" | "UNIT") {
            return Ok(());
        }
        let (name, rest) = family_name(rest)?;
        let meta = self.meta(&name);
        match word {
            "HELP" => meta.help = unescape(rest).into_owned(),
            "UNIT" => rest.clone_into(&mut meta.unit),
            _ => meta.kind = kind_of(rest)?,
        }
        Ok(())
    }

    /// Comments of one family come together, so the last entry is the one or it is new.
    fn meta(&mut self, name: &str) -> &mut MetricMeta {
        let all = &mut self.batch.metadata;
        let at = all.iter().rposition(|(n, _)| n == name).unwrap_or_else(|| {
            all.push((name.to_owned(), MetricMeta { category: Category::Custom, ..MetricMeta::default() }));
            all.len() - 1
        });
        &mut all[at].1
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let name_len = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
        let (name, mut rest) = line.split_at(name_len);
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(8);
        if !name.is_empty() {
            if !valid_metric_name(name) {
                return Err(format!("{name:?} is not a metric name"));
            }
            pairs.push((METRIC_NAME.into(), name.into()));
        }
        rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = labels(inner, &mut pairs)?;
        }
        if pairs.iter().all(|(n, _)| n != METRIC_NAME) {
            return Err("a sample has no metric name".to_owned());
        }
        let (rest, exemplar) = self.exemplar_of(rest);
        let sample = self.value_and_time(rest)?;
        for (name, value) in self.add {
            if let Some(own) = pairs.iter_mut().find(|(n, _)| n == name) {
                own.0 = format!("exported_{name}").into();
            }
            pairs.push(((*name).into(), (*value).into()));
        }
        let mut refs: Vec<(&[u8], &[u8])> = pairs.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        self.batch.push_pairs(&mut refs, [sample]).map_err(|e| e.to_string())?;
        if let Some(text) = exemplar {
            let exemplar = self.exemplar(text, sample.t)?;
            let mut canonical = Vec::new();
            let labels = encode_canonical(&mut refs, &mut canonical).and_then(|()| Labels::from_canonical(&canonical));
            self.batch.exemplars.push(ExemplarRow { labels: labels.map_err(|e| e.to_string())?, exemplar });
        }
        Ok(())
    }

    /// Value and timestamp, and the exemplar behind " # "; labels are read already, so no value holds that.
    fn exemplar_of<'t>(&self, rest: &'t str) -> (&'t str, Option<&'t str>) {
        match rest.split_once(" # ").filter(|_| self.open_metrics) {
            Some((value, exemplar)) => (value, Some(exemplar)),
            None => (rest, None),
        }
    }

    /// `{trace_id="…"} value [timestamp]`; without its own the sample's time.
    fn exemplar(&self, text: &str, sample_t: Timestamp) -> Result<Exemplar, String> {
        let inner = text.trim_start().strip_prefix('{').ok_or("an exemplar has no labels")?;
        let mut pairs = Vec::new();
        let rest = labels(inner, &mut pairs)?;
        let Sample { t, v: value } = self.value_and_time(rest)?;
        let t = if rest.split_whitespace().count() > 1 { t } else { sample_t };
        let labels = Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))).map_err(|e| e.to_string())?;
        Ok(Exemplar { labels, value, t })
    }

    fn value_and_time(&self, rest: &str) -> Result<Sample, String> {
        let mut words = rest.split_whitespace();
        let value = words.next().ok_or("a sample has no value")?;
        let v = parse_value(value).ok_or_else(|| format!("{value:?} is not a value"))?;
        let t = match words.next() {
            None => self.default_t,
            Some(word) => self.time(word).ok_or_else(|| format!("{word:?} is not a timestamp"))?,
        };
        match words.next() {
            None => Ok(Sample { t, v }),
            Some(extra) => Err(format!("{extra:?} stands behind the timestamp")),
        }
    }

    fn time(&self, word: &str) -> Option<Timestamp> {
        if !self.open_metrics {
            return word.parse().ok().map(Timestamp);
        }
        let seconds = parse_value(word).filter(|s| s.is_finite())?;
        Some(Timestamp((seconds * 1000.0).round() as i64))
    }

    fn finish(mut self) -> Batch {
        if self.open_metrics {
            for (name, meta) in &mut self.batch.metadata {
                if meta.kind == MetricType::Counter && !name.ends_with("_total") {
                    name.push_str("_total");
                }
            }
        }
        self.batch
    }
}

fn split_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if text.is_empty() {
        return None;
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    Some((word, rest.trim_start()))
}

fn family_name(rest: &str) -> Result<(Cow<'_, str>, &str), String> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (name, rest) = quoted_text(quoted)?;
        return Ok((name, rest.trim_start()));
    }
    let (name, rest) = split_word(rest).ok_or("a comment names no metric")?;
    if valid_metric_name(name) { Ok((name.into(), rest)) } else { Err(format!("{name:?} is not a metric name")) }
}

fn kind_of(word: &str) -> Result<MetricType, String> {
    match word.trim() {
        "untyped" | "unknown" => Ok(MetricType::Unknown),
        "info" | "stateset" => Ok(MetricType::Gauge),
        "gaugehistogram" => Ok(MetricType::Histogram),
        word => MetricType::parse(word).ok_or_else(|| format!("{word:?} is not a metric type")),
    }
}

/// Reads up to the closing brace and yields what stands behind it.
fn labels<'a>(mut rest: &'a str, pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<&'a str, String> {
    loop {
        rest = rest.trim_start();
        if let Some(tail) = rest.strip_prefix('}') {
            return Ok(tail);
        }
        if pairs.len() > MAX_LABELS_A_LINE {
            return Err(format!("more than {MAX_LABELS_A_LINE} labels"));
        }
        let (name, tail) = label_name(rest)?;
        rest = tail.trim_start();
        if let Some(tail) = rest.strip_prefix('=') {
            let quoted = tail.trim_start().strip_prefix('"').ok_or_else(|| format!("the value of label {name:?} is not quoted"))?;
            let (value, tail) = quoted_text(quoted)?;
            pairs.push((name, value));
            rest = tail.trim_start();
        } else {
            // A quoted name by itself is the metric's.
            pairs.push((METRIC_NAME.into(), name));
        }
        match rest.strip_prefix(',') {
            Some(tail) => rest = tail,
            None if rest.starts_with('}') => {}
            None => return Err("labels are not closed with }".to_owned()),
        }
    }
}

fn label_name(rest: &str) -> Result<(Cow<'_, str>, &str), String> {
    if let Some(quoted) = rest.strip_prefix('"') {
        return quoted_text(quoted);
    }
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !tail.trim_start().starts_with('=') {
        return Err(format!("a label name was expected at {:?}", rest.chars().take(20).collect::<String>()));
    }
    Ok((name.into(), tail))
}

/// Reads up to the closing quote (the opening one is gone) and yields what stands behind it.
fn quoted_text(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                // A quote is one byte, so both cuts lie on character borders.
                let (inside, rest) = text.split_at(i);
                return Ok((unescape(inside), rest.strip_prefix('"').unwrap_or(rest)));
            }
            _ => {}
        }
    }
    Err("a quoted text is not closed".to_owned())
}

/// `\\`, `\"` and `\n`; any other backslash stands for itself.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.clone().next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(next @ ('\\' | '"'))) => out.push(next),
            (c, _) => {
                out.push(c);
                continue;
            }
        }
        chars.next();
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<(String, i64, f64)>, WireError> {
        let batch = parse(text, Timestamp(7), Origin::Collected, &[])?;
        Ok(batch.series().map(|r| (Labels::from_canonical(r.labels).unwrap().to_string(), r.samples[0].t.0, r.samples[0].v)).collect())
    }

    #[test]
    fn the_text_format_is_read_with_escapes_and_timestamps() {
        let text =
            "# HELP a Says \\\\ and \\n so.\n# TYPE a counter\na{x=\"q\\\"\\\\\\n\",} 1.5 123\n\n  a 2\n# a comment\n#\nb { y = \"1\" , z=\"2\" } +Inf\n";
        let rows = read(text).unwrap();
        assert_eq!(rows.iter().map(|r| (r.1, r.2)).collect::<Vec<_>>(), [(123, 1.5), (7, 2.0), (7, f64::INFINITY)]);
        let batch = parse(text, Timestamp(7), Origin::Collected, &[]).unwrap();
        assert_eq!(batch.metadata[0].1.help, "Says \\ and \n so.");
        assert_eq!(batch.metadata[0].1.kind, MetricType::Counter);
        let first = Labels::from_canonical(batch.series().next().unwrap().labels).unwrap();
        assert_eq!(first.get("x"), Some("q\"\\\n"));
    }

    #[test]
    fn open_metrics_is_tolerated() {
        let text = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds H.\na_seconds_total{x=\"1 # 2\"} 4 1.5 # {trace=\"q\"} 0.5\n# EOF\n";
        let batch = parse(text, Timestamp(7), Origin::Pushed, &[]).unwrap();
        assert_eq!(batch.samples()[0], Sample { t: Timestamp(1500), v: 4.0 });
        let ExemplarRow { labels, exemplar } = &batch.exemplars[0];
        assert_eq!((labels.get("x"), exemplar.labels.get("trace"), exemplar.value, exemplar.t), (Some("1 # 2"), Some("q"), 0.5, Timestamp(1500)));
        let (name, meta) = &batch.metadata[0];
        assert_eq!((name.as_str(), meta.kind, meta.unit.as_str()), ("a_seconds_total", MetricType::Counter, "seconds"));
    }

    #[test]
    fn an_exemplar_has_labels_and_may_have_a_time() {
        let batch = parse("a_bucket{le=\"1\"} 4 # {trace_id=\"q # r\",x=\"\"} 0.5 2.25\n# EOF\n", Timestamp(7), Origin::Pushed, &[("job", "j")]).unwrap();
        let ExemplarRow { labels, exemplar } = &batch.exemplars[0];
        assert_eq!((labels.to_string().as_str(), exemplar.t), ("a_bucket{job=\"j\", le=\"1\"}", Timestamp(2250)));
        assert_eq!((exemplar.labels.get("trace_id"), exemplar.labels.len()), (Some("q # r"), 1));
        for bad in ["a 1 # x 1", "a 1 # {x=\"1\"}", "a 1 # {x=\"1\"} y", "a 1 # {x=\"1\" 1", "a 1 # {x=\"1\",x=\"2\"} 1"] {
            assert!(parse(&format!("{bad}\n# EOF\n"), Timestamp(7), Origin::Pushed, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn added_labels_win_and_the_own_ones_are_kept_as_exported() {
        let batch = parse("a{job=\"x\"} 1\n", Timestamp(7), Origin::Pushed, &[("job", "plugin")]).unwrap();
        let labels = Labels::from_canonical(batch.series().next().unwrap().labels).unwrap();
        assert_eq!((labels.get("job"), labels.get("exported_job")), (Some("plugin"), Some("x")));
    }

    #[test]
    fn names_in_quotes_may_be_any_text() {
        assert_eq!(read("{\"my.metric\",\"a b\"=\"c\"} 1").unwrap().len(), 1);
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in [
            "a{x=\"1\" 2",
            "a{x=1} 2",
            "a",
            "a x",
            "a 1 x",
            "a 1 2 3",
            "1a 2",
            "{x=\"1\"} 2",
            "a{x=\"1\",x=\"2\"} 1",
            "a{x} 1",
            "# TYPE a guage",
            "a{x=\"1} 2",
            "a{1x=\"2\"} 1",
        ] {
            match read(&format!("ok 1\n{bad}\n")) {
                Err(WireError::Line { line: 2, reason }) => assert!(!reason.is_empty()),
                other => panic!("{bad}: {other:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in "\\PC{0,60}") {
            let _ = read(&text);
        }

        #[test]
        fn near_misses_never_panic(text in "(a|\\{|\\}|\"|\\\\|=|,| |#|1|é|\n|HELP|TYPE){0,30}") {
            let _ = read(&text);
        }
    }
}
