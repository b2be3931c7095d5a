//! Whether a counter began anew between two histograms: a count fell, or the layout became finer.

use super::super::kahan::Sum;
use super::bounds::is_custom;
use super::sum::{Wide, common_bounds, target};
use crate::model::{Histogram, ResetHint};

/// Whether `now` began anew after `before`. A hint decides; without one they are compared.
pub(in super::super) fn detects_reset(now: &Histogram, before: &Histogram) -> bool {
    match now.reset_hint {
        ResetHint::Reset => return true,
        ResetHint::NotReset => return false,
        ResetHint::Unknown | ResetHint::Gauge => {}
    }
    if now.count < before.count {
        return true;
    }
    if is_custom(now) {
        if !is_custom(before) {
            return true;
        }
        if now.custom_values != before.custom_values {
            return falls_in_common(now, before);
        }
    }
    if now.schema > before.schema || now.zero_threshold < before.zero_threshold {
        return true;
    }
    let mut widened = Wide::of(before);
    if !is_custom(now) {
        widened.widen(now.zero_threshold);
    }
    if widened.zero_threshold() != now.zero_threshold || now.zero_count < widened.zero_count() {
        return true;
    }
    widened.reduce(now.schema);
    let now = Wide::of(now);
    widened.sides().into_iter().zip(now.sides()).any(|(before, now)| falls(before, now))
}

/// Whether a count that was there is smaller now, or gone.
fn falls(before: &[(i32, Sum)], now: &[(i32, Sum)]) -> bool {
    let mut now = now.iter().peekable();
    before.iter().any(|(index, was)| {
        while now.next_if(|(i, _)| i < index).is_some() {}
        match now.peek() {
            Some((i, is)) if i == index => is.sum < was.sum,
            _ => was.sum != 0.0,
        }
    })
}

/// Whether a count falls within the bounds that both have.
fn falls_in_common(now: &Histogram, before: &Histogram) -> bool {
    let common = common_bounds(&now.custom_values, &before.custom_values);
    let rolled = |h: &Histogram| {
        let mut out = vec![0.0; common.len() + 1];
        for (index, count) in h.positive.iter() {
            if let Some(into) = usize::try_from(target(index, &h.custom_values, &common)).ok().and_then(|i| out.get_mut(i)) {
                *into += count;
            }
        }
        out
    };
    rolled(before).iter().zip(rolled(now)).any(|(was, is)| is < *was)
}
