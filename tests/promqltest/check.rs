//! Evaluates a case and compares the answer with what its body expects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use latido::model::{Buckets, Histogram, Labels, Pattern, Timestamp, is_stale};
use latido::query::{Answer, Engine, Options, QueryError, Series, Value};
use latido::task::Deadline;

use crate::format::{self, Case, When};
use crate::memory::Memory;
use crate::sequence::{self, Item};

const MINUTE: i64 = 60_000;

/// Series with their points.
type Points = BTreeMap<Labels, Vec<(i64, Item)>>;

struct Expected {
    series: Vec<(Labels, Vec<Item>)>,
    scalar: Option<f64>,
    text: Option<String>,
    /// Start and step of an expected range vector.
    matrix: Option<(i64, i64)>,
}

/// The settings that the cases are written for.
fn engine(memory: &Memory) -> Engine {
    let options = Options {
        lookback: Duration::from_secs(300),
        timeout: Duration::from_secs(100),
        max_samples: 10_000_000,
        experimental: true,
        delayed_name_removal: true,
        start_timestamps: true,
        ..Options::default()
    };
    Engine::new(Arc::new(memory.clone()), options)
}

pub(crate) fn run(memory: &Memory, case: &Case) -> Result<(), String> {
    let engine = engine(memory);
    let deadline = Deadline::never();
    let answer = match case.when {
        When::Instant(at) => engine.instant(&case.expr, Timestamp(at), &deadline),
        When::Range { start, end, step } => engine.range(&case.expr, Timestamp(start), Timestamp(end), Duration::from_millis(step as u64), &deadline),
    };
    if case.fail {
        return check_failure(case, answer);
    }
    let answer = answer.map_err(|e| format!("error: {e}"))?;
    check_notes(case, &answer)?;
    let expected = expected(case)?;
    compare(case, &expected, &answer.value)?;
    match case.when {
        When::Instant(at) if as_range_too(case, &answer.value) => middle(&engine, case, &expected, at),
        _ => Ok(()),
    }
}

/// Whether a pattern is found in a text.
fn found(pattern: &str, text: &str) -> bool {
    Pattern::new(&format!(".*(?:{}).*", pattern.trim())).is_ok_and(|p| p.matches(text))
}

fn check_failure(case: &Case, answer: Result<Answer, QueryError>) -> Result<(), String> {
    let Err(error) = answer else { return Err("it should fail".to_owned()) };
    let text = error.to_string();
    for line in &case.body {
        let message = line.strip_prefix("expect fail msg:").or_else(|| line.strip_prefix("expected_fail_message"));
        if message.is_some_and(|m| m.trim() != text) {
            return Err(format!("it fails with {text:?}"));
        }
        let pattern = line.strip_prefix("expect fail regex:").or_else(|| line.strip_prefix("expected_fail_regexp"));
        if pattern.is_some_and(|p| !found(p, &text)) {
            return Err(format!("it fails with {text:?}"));
        }
    }
    Ok(())
}

fn check_notes(case: &Case, answer: &Answer) -> Result<(), String> {
    for (kind, notes) in [("warn", &answer.warnings), ("info", &answer.infos)] {
        if case.body.iter().any(|l| l == &format!("expect no_{kind}")) && !notes.is_empty() {
            return Err(format!("unexpected {kind}: {notes:?}"));
        }
        let wanted: Vec<&str> = case.body.iter().filter_map(|l| l.strip_prefix(&format!("expect {kind}"))).map(str::trim).collect();
        if wanted.is_empty() {
            continue;
        }
        if notes.is_empty() {
            return Err(format!("no {kind}"));
        }
        let patterns: Vec<&str> = wanted.into_iter().filter(|w| !w.is_empty()).collect();
        let unmet = patterns.iter().find(|pattern| !notes.iter().any(|note| note_matches(pattern, note)));
        let unwanted = notes.iter().find(|note| !patterns.is_empty() && !patterns.iter().any(|pattern| note_matches(pattern, note)));
        if unmet.is_some() || unwanted.is_some() {
            return Err(format!("{kind} {notes:?}"));
        }
    }
    Ok(())
}

fn note_matches(pattern: &str, note: &str) -> bool {
    match pattern.strip_prefix("msg:") {
        Some(message) => message.trim() == note,
        None => found(pattern.strip_prefix("regex:").unwrap_or(pattern), note),
    }
}

fn expected(case: &Case) -> Result<Expected, String> {
    let mut out = Expected { series: Vec::new(), scalar: None, text: None, matrix: None };
    for line in &case.body {
        if let Some(rest) = line.strip_prefix("expect string") {
            out.text = format::quoted(rest.trim()).map(|(text, _)| text);
        } else if let Some(rest) = line.strip_prefix("expect range vector") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            if let [_, start, _, _, _, step] = words[..] {
                out.matrix = Some((format::millis(start), format::millis(step)));
            }
        } else if line.starts_with("expect") {
        } else if let Some(v) = format::float(line) {
            out.scalar = Some(v);
        } else {
            let (labels, rest) = format::series(line).ok_or_else(|| format!("cannot read {line}"))?;
            let items = sequence::sequence(rest).ok_or_else(|| format!("cannot read {line}"))?;
            out.series.push((labels, items));
        }
    }
    Ok(out)
}

fn compare(case: &Case, expected: &Expected, value: &Value) -> Result<(), String> {
    match (value, case.when) {
        (Value::Scalar(_, v), _) => match expected.scalar {
            Some(want) if same(want, *v) => Ok(()),
            _ => Err(format!("got the scalar {v}")),
        },
        (Value::String(_, v), _) if expected.text.as_ref() == Some(v) => Ok(()),
        (Value::String(_, v), _) => Err(format!("got the string {v:?}")),
        (Value::Vector(series), When::Instant(at)) => {
            if case.ordered {
                let order: Vec<&Labels> = expected.series.iter().map(|(l, _)| l).collect();
                let got: Vec<&Labels> = series.iter().map(|s| &s.labels).collect();
                if order != got {
                    return Err(format!("the order is {got:?}"));
                }
            }
            compare_points(&at_times(expected, at, 1), &points(series))
        }
        (Value::Matrix(series), When::Instant(_)) => {
            let Some((start, step)) = expected.matrix else { return Err("got a range vector".to_owned()) };
            compare_points(&at_times(expected, start, step), &points(series))
        }
        (Value::Matrix(series), When::Range { start, step, .. }) => {
            if !series.is_sorted_by(|a, b| a.labels < b.labels) {
                return Err("not sorted".to_owned());
            }
            compare_points(&at_times(expected, start, step), &points(series))
        }
        (Value::Vector(_), When::Range { .. }) => Err("got a vector".to_owned()),
    }
}

fn at_times(expected: &Expected, start: i64, step: i64) -> Points {
    let with_times = |items: &[Item]| {
        let there = items.iter().enumerate().filter(|(_, item)| !matches!(item, Item::Missing));
        there.map(|(i, item)| (start + i as i64 * step, item.clone())).collect::<Vec<_>>()
    };
    expected.series.iter().map(|(labels, items)| (labels.clone(), with_times(items))).filter(|(_, points)| !points.is_empty()).collect()
}

fn points(series: &[Series]) -> Points {
    let all = |s: &Series| {
        let floats = s.points.iter().map(|(t, v)| (t.0, Item::Float(*v)));
        let histograms = s.histograms.iter().map(|(t, h)| (t.0, Item::Histogram(Histogram::clone(h), true)));
        let mut out: Vec<(i64, Item)> = floats.chain(histograms).collect();
        out.sort_by_key(|(t, _)| *t);
        out
    };
    series.iter().map(|s| (s.labels.clone(), all(s))).collect()
}

fn compare_points(want: &Points, got: &Points) -> Result<(), String> {
    let equal = want.len() == got.len()
        && want
            .iter()
            .zip(got)
            .all(|((wl, wp), (gl, gp))| wl == gl && wp.len() == gp.len() && wp.iter().zip(gp).all(|(w, g)| w.0 == g.0 && same_item(&w.1, &g.1)));
    if equal { Ok(()) } else { Err(format!("want {want:?}\n     got  {got:?}")) }
}

fn same_item(want: &Item, got: &Item) -> bool {
    match (want, got) {
        (Item::Float(a), Item::Float(b)) => same(*a, *b),
        (Item::Histogram(a, hinted), Item::Histogram(b, _)) => same_histogram(a, b) && (!hinted || a.reset_hint == b.reset_hint),
        _ => false,
    }
}

fn same_histogram(a: &Histogram, b: &Histogram) -> bool {
    let side = |a: &Buckets, b: &Buckets| {
        let there = |buckets: &Buckets| buckets.iter().filter(|(_, c)| *c != 0.0).collect::<Vec<_>>();
        let (a, b) = (there(a), there(b));
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
    };
    a.schema == b.schema
        && a.zero_threshold == b.zero_threshold
        && a.custom_values == b.custom_values
        && same(a.zero_count, b.zero_count)
        && same(a.count, b.count)
        && same(a.sum, b.sum)
        && side(&a.positive, &b.positive)
        && side(&a.negative, &b.negative)
}

fn same(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() / (a.abs() + b.abs()) < 1e-6
}

fn as_range_too(case: &Case, value: &Value) -> bool {
    let named = ["start()", "end()", "range()", "step()"].iter().any(|f| case.expr.to_lowercase().contains(f));
    !case.ordered && !named && matches!(value, Value::Vector(_) | Value::Scalar(..))
}

/// The same case as the middle of a range query.
fn middle(engine: &Engine, case: &Case, expected: &Expected, at: i64) -> Result<(), String> {
    let minute = Duration::from_millis(MINUTE as u64);
    let answer = engine.range(&case.expr, Timestamp(at - MINUTE), Timestamp(at + MINUTE), minute, &Deadline::never());
    let answer = answer.map_err(|e| format!("as a range query: {e}"))?;
    let Value::Matrix(series) = answer.value else { return Err("as a range query: no matrix".to_owned()) };
    let mut want = at_times(expected, at, 1);
    if let Some(v) = expected.scalar {
        want.insert(Labels::default(), vec![(at, Item::Float(v))]);
    }
    let mut got = points(&series);
    got.values_mut().for_each(|points| points.retain(|(t, _)| *t == at));
    got.retain(|_, points| !points.is_empty());
    compare_points(&want, &got).map_err(|e| format!("as a range query: {e}"))
}
