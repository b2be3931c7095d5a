//! Sequences of values: numbers, stale markers, native histograms, repeated and stepped.

use std::collections::BTreeMap;

use latido::model::{Buckets, CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span, stale_marker};

use crate::format::float;

/// One item of a sequence.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Missing,
    Float(f64),
    /// A histogram, and whether its reset hint was given.
    Histogram(Histogram, bool),
}

/// The items of a sequence; `None` where it cannot be read.
pub(crate) fn sequence(text: &str) -> Option<Vec<Item>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if rest.starts_with("{{") {
            rest = histograms(rest, &mut out)?.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        item(&rest[..end], &mut out)?;
        rest = rest[end..].trim_start();
    }
    Some(out)
}

fn item(item: &str, out: &mut Vec<Item>) -> Option<()> {
    let (base, times) = match item.rsplit_once('x') {
        Some((base, times)) => (base, Some(times.parse::<usize>().ok()?)),
        _ => (item, None),
    };
    match base {
        "_" => out.extend((0..times.unwrap_or(1)).map(|_| Item::Missing)),
        "stale" => out.extend((0..=times.unwrap_or(0)).map(|_| Item::Float(stale_marker()))),
        _ => {
            let (mut value, by) = steps(base)?;
            for _ in 0..=times.unwrap_or(0) {
                out.push(Item::Float(value));
                value += by;
            }
        }
    }
    Some(())
}

/// `10-2` as 10 and -2; `7` as 7 and 0.
fn steps(text: &str) -> Option<(f64, f64)> {
    let bytes = text.as_bytes();
    let split = (1..bytes.len()).find(|i| matches!(bytes[*i], b'+' | b'-') && !matches!(bytes[*i - 1], b'e' | b'E'));
    match split {
        Some(i) => Some((float(&text[..i])?, float(&text[i..])?)),
        None => Some((float(text)?, 0.0)),
    }
}

/// `{{a}}`, `{{a}}x4`, `{{a}}+{{b}}x4`, and what follows.
fn histograms<'a>(text: &'a str, out: &mut Vec<Item>) -> Option<&'a str> {
    let (mut current, hinted, mut rest) = histogram(text)?;
    let mut by = None;
    for (sign, factor) in [('+', 1.0), ('-', -1.0)] {
        if let Some(after) = rest.strip_prefix(sign).filter(|after| after.starts_with("{{")) {
            let (step, _, after) = histogram(after)?;
            (by, rest) = (Some((step, factor)), after);
        }
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let times: usize = match rest[..end].strip_prefix('x') {
        Some(times) => times.parse().ok()?,
        None if end == 0 => 0,
        None => return None,
    };
    for i in 0..=times {
        if i > 0
            && let Some((step, factor)) = &by
        {
            current = plus(&current, step, *factor);
        }
        out.push(Item::Histogram(current.clone(), hinted));
    }
    Some(&rest[end..])
}

/// One histogram, whether it has a hint, and what follows.
fn histogram(text: &str) -> Option<(Histogram, bool, &str)> {
    let inner = text.strip_prefix("{{")?;
    let end = inner.find("}}")?;
    let (mut fields, mut rest) = (BTreeMap::new(), inner[..end].trim());
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let length = if after.starts_with('[') { after.find(']')? + 1 } else { after.find(char::is_whitespace).unwrap_or(after.len()) };
        fields.insert(key.trim().to_lowercase(), after[..length].trim_matches(['[', ']']).to_owned());
        rest = after[length..].trim_start();
    }
    let number = |key: &str| fields.get(key).map_or(Some(0.0), |v| float(v));
    let list = |key: &str| fields.get(key).map_or(Some(Vec::new()), |v| v.split_whitespace().map(float).collect::<Option<Vec<f64>>>());
    let side = |counts: &str, offset: &str| {
        let counts = list(counts)?;
        let spans = if counts.is_empty() { Vec::new() } else { vec![Span { offset: number(offset)? as i32, length: counts.len() as u32 }] };
        Some(Buckets { spans, counts })
    };
    let hint = fields.get("counter_reset_hint").map(String::as_str);
    let h = Histogram {
        schema: number("schema")? as i32,
        zero_threshold: number("z_bucket_w")?,
        zero_count: number("z_bucket")?,
        count: number("count")?,
        sum: number("sum")?,
        positive: side("buckets", "offset")?,
        negative: side("n_buckets", "n_offset")?,
        custom_values: list("custom_values")?,
        reset_hint: match hint {
            Some("reset") => ResetHint::Reset,
            Some("not_reset") => ResetHint::NotReset,
            Some("gauge") => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        },
    };
    Some((h, hint.is_some(), &inner[end + 2..]))
}

/// `a + factor * b`, in the resolution of `a`.
fn plus(a: &Histogram, b: &Histogram, factor: f64) -> Histogram {
    let side = |x: &Buckets, y: &Buckets| {
        let mut out: BTreeMap<i32, f64> = x.iter().collect();
        for (i, count) in y.iter() {
            let i = if a.schema == CUSTOM_BUCKETS_SCHEMA { i } else { ((i - 1) >> (b.schema - a.schema).max(0)) + 1 };
            *out.entry(i).or_default() += factor * count;
        }
        buckets(&out)
    };
    let hint = match (a.reset_hint, b.reset_hint) {
        (x, y) if x == y => x,
        (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => ResetHint::Gauge,
        _ => ResetHint::Unknown,
    };
    Histogram {
        zero_threshold: a.zero_threshold.max(b.zero_threshold),
        zero_count: a.zero_count + factor * b.zero_count,
        count: a.count + factor * b.count,
        sum: a.sum + factor * b.sum,
        positive: side(&a.positive, &b.positive),
        negative: side(&a.negative, &b.negative),
        reset_hint: hint,
        ..a.clone()
    }
}

/// Buckets of counts by index.
pub(crate) fn buckets(counts: &BTreeMap<i32, f64>) -> Buckets {
    let (mut out, mut next) = (Buckets::default(), None);
    for (i, count) in counts {
        match (out.spans.last_mut(), next) {
            (Some(span), Some(next)) if next == *i => span.length += 1,
            (Some(_), Some(next)) => out.spans.push(Span { offset: i - next, length: 1 }),
            _ => out.spans.push(Span { offset: *i, length: 1 }),
        }
        out.counts.push(*count);
        next = Some(i + 1);
    }
    out
}
