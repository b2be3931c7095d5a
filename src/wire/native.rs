//! Native histograms and exemplars of remote write, as both of its versions number them, into the
//! model's. Knows neither series nor limits on times.

use prost::Message as _;

use super::WireError;
use super::protobuf::{BucketSpan, Histogram as Wire, HistogramCount, ZeroCount};
use crate::model::{Buckets, Histogram, ResetHint, Span, Timestamp};

/// One histogram; the inner error says what is wrong with it and refuses nothing else.
pub(super) fn histogram(bytes: &[u8], message: &'static str) -> Result<Result<(Timestamp, Histogram), String>, WireError> {
    let wire = Wire::decode(bytes).map_err(|source| WireError::Protobuf { message, source })?;
    Ok(of_wire(wire))
}

fn of_wire(wire: Wire) -> Result<(Timestamp, Histogram), String> {
    let is_float = matches!(wire.count, Some(HistogramCount::CountFloat(_)));
    let side = |spans: Vec<BucketSpan>, deltas: &[i64], counts: Vec<f64>| -> Result<Buckets, String> {
        let spans = spans.into_iter().map(|s| Span { offset: s.offset, length: s.length }).collect();
        Ok(Buckets { spans, counts: if is_float { counts } else { running(deltas)? } })
    };
    let t = Timestamp(wire.timestamp);
    let out = Histogram {
        schema: wire.schema,
        zero_threshold: wire.zero_threshold,
        zero_count: match wire.zero_count {
            Some(ZeroCount::ZeroCountInt(count)) => count as f64,
            Some(ZeroCount::ZeroCountFloat(count)) => count,
            None => 0.0,
        },
        count: match wire.count {
            Some(HistogramCount::CountInt(count)) => count as f64,
            Some(HistogramCount::CountFloat(count)) => count,
            None => 0.0,
        },
        sum: wire.sum,
        positive: side(wire.positive_spans, &wire.positive_deltas, wire.positive_counts)?,
        negative: side(wire.negative_spans, &wire.negative_deltas, wire.negative_counts)?,
        custom_values: wire.custom_values,
        reset_hint: match wire.reset_hint {
            1 => ResetHint::Reset,
            2 => ResetHint::NotReset,
            3 => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        },
    };
    // The end of a series has nothing else in it.
    if out.is_stale() {
        return Ok((t, out));
    }
    match out.fault().or_else(|| if is_float { None } else { miscounted(&out) }) {
        Some(reason) => Err(reason),
        None => Ok((t, out)),
    }
}

/// Counts of which each was sent as the difference from the one before.
fn running(deltas: &[i64]) -> Result<Vec<f64>, String> {
    let mut count = 0_i64;
    let mut out = Vec::with_capacity(deltas.len());
    for delta in deltas {
        count = count.checked_add(*delta).filter(|count| *count >= 0).ok_or("a histogram has a bucket with a negative count")?;
        out.push(count as f64);
    }
    Ok(out)
}

/// A histogram of whole numbers counts what is in its buckets; NaN is counted and in none of them.
fn miscounted(h: &Histogram) -> Option<String> {
    let within: f64 = h.positive.counts.iter().chain(&h.negative.counts).sum::<f64>() + h.zero_count;
    let wrong = if h.sum.is_nan() { within > h.count } else { within != h.count };
    wrong.then(|| format!("a histogram counts {} observations and has {within} in its buckets", h.count))
}
