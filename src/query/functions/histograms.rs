//! What functions over windows make of native histograms.

use std::sync::Arc;

use super::super::native::{self, Incompatible, Wide};
use super::super::notes::Notes;
use super::super::value::Held;
use super::rate::{Gain, began_anew, factor, known_start, note_overlap};
use super::window::Window;
use crate::model::{Histogram, ResetHint};

/// A function of numbers alone: histograms beside them are left out, and that is said.
pub(super) fn ignored(w: &Window<'_>, samples: fn(&Window<'_>) -> Option<f64>, notes: &mut Notes) -> Option<f64> {
    if w.samples.t.is_empty() {
        return None;
    }
    if !w.histograms.t.is_empty() {
        notes.ignored_in_range(w.name, w.site);
    }
    samples(w)
}

/// `rate`, `increase`, `delta` of a window of histograms alone.
pub(super) fn rate(w: &Window<'_>, counter: bool, per_second: bool, notes: &mut Notes) -> Option<Histogram> {
    let (h, starts) = (w.histograms.h, w.starts.1);
    let first = h.first()?;
    let from_zero = if counter { known_start(w, starts, w.histograms.t[0]) } else { None };
    let mut gained = if h.len() > 1 { Some(gain(w, counter, notes)?) } else { None };
    match (&mut gained, from_zero) {
        (None, None) => return None,
        (None, Some(_)) => gained = Some(Wide::of(first)),
        (Some(gained), Some(_)) => add(gained, first, "addition", w, notes)?,
        (Some(_), None) => {}
    }
    let mut gained = gained?;
    let count = gained.finish().count;
    gained.scale(factor(&Gain::of_counts(w, first.count, count, from_zero)?, counter, per_second));
    Some(gained.finish())
}

/// Last minus first, with what resets lost.
fn gain(w: &Window<'_>, counter: bool, notes: &mut Notes) -> Option<Wide> {
    let (t, h, starts) = (w.histograms.t, w.histograms.h, w.starts.1);
    let (first, last) = (h.first()?, h.last()?);
    let anew = |i: usize, before: &Histogram| (i < starts.len() && began_anew((starts[i - 1], t[i - 1]), (starts[i], t[i]))) || h[i].detects_reset(before);
    let is_gauge = |h: &Histogram| h.reset_hint == ResetHint::Gauge;
    if counter && (is_gauge(first) || is_gauge(last)) {
        notes.no_counter(w.name, w.site);
    }
    let mut before: Arc<Histogram> = first.clone();
    if counter && anew(1, first) {
        // What came before the reset is not looked at, so its layout does not matter.
        before = Arc::new(Histogram { schema: h[1].schema, custom_values: h[1].custom_values.clone(), ..Histogram::default() });
    }
    let custom = native::is_custom(&before);
    let inner = &h[1..h.len() - 1];
    if native::is_custom(last) != custom || (counter && inner.iter().any(|h| native::is_custom(h) != custom)) {
        notes.mixed_schemas(w.name, w.site);
        return None;
    }
    if counter && inner.iter().any(|h| is_gauge(h)) {
        notes.no_counter(w.name, w.site);
    }
    let mut out = Wide::of(last);
    if counter && let Some(schema) = inner.iter().map(|h| h.schema).min() {
        out.reduce(schema);
    }
    sub(&mut out, &before, w, notes)?;
    if counter {
        note_overlap(w, t, starts, notes);
        for (i, now) in h.iter().enumerate().skip(1) {
            if anew(i, &before) {
                add(&mut out, &before, "addition", w, notes)?;
            }
            before = now.clone();
        }
    } else if !is_gauge(first) || !is_gauge(last) {
        notes.no_gauge(w.name, w.site);
    }
    out.set_hint(ResetHint::Gauge);
    Some(out)
}

/// Adds, and says what is to be said; `None` where they do not go together.
pub(super) fn add(to: &mut Wide, h: &Histogram, operation: &str, w: &Window<'_>, notes: &mut Notes) -> Option<()> {
    said(to.add(h), operation, w, notes)
}

/// Subtracts, and says what is to be said; `None` where they do not go together.
pub(super) fn sub(from: &mut Wide, h: &Histogram, w: &Window<'_>, notes: &mut Notes) -> Option<()> {
    said(from.sub(h), "subtraction", w, notes)
}

fn said(merged: Result<native::Merged, Incompatible>, operation: &str, w: &Window<'_>, notes: &mut Notes) -> Option<()> {
    match merged {
        Ok(merged) => {
            if merged.reconciled {
                notes.reconciled(operation, w.site);
            }
            Some(())
        }
        Err(Incompatible) => {
            notes.mixed_schemas(w.name, w.site);
            None
        }
    }
}

/// Notes whether counters that began anew were summed up with such that did not.
fn note_collision(h: &[Arc<Histogram>], w: &Window<'_>, notes: &mut Notes) {
    let has = |hint| h.iter().any(|h| h.reset_hint == hint);
    if has(ResetHint::Reset) && has(ResetHint::NotReset) {
        notes.colliding_resets("aggregation", w.site);
    }
}

/// A function of numbers alone or histograms alone.
pub(super) fn either(
    w: &Window<'_>,
    notes: &mut Notes,
    floats: fn(&Window<'_>) -> Option<f64>,
    histograms: fn(&Window<'_>, &mut Notes) -> Option<Histogram>,
) -> Option<Held> {
    match (w.samples.t.is_empty(), w.histograms.t.is_empty()) {
        (false, false) => {
            notes.mixed(w.name, w.site);
            None
        }
        (_, true) => floats(w).map(Held::Float),
        (true, false) => histograms(w, notes).map(Held::of),
    }
}

/// The sum of a window of histograms.
pub(super) fn sum(w: &Window<'_>, notes: &mut Notes) -> Option<Histogram> {
    let (first, rest) = w.histograms.h.split_first()?;
    note_collision(w.histograms.h, w, notes);
    let mut out = Wide::of(first);
    rest.iter().try_for_each(|h| add(&mut out, h, "aggregation", w, notes))?;
    Some(out.finish())
}

/// The mean of a window of histograms: by the sum, or bit by bit where that would grow beyond all bounds.
pub(super) fn mean(w: &Window<'_>, notes: &mut Notes) -> Option<Histogram> {
    note_collision(w.histograms.h, w, notes);
    let mut mean = native_mean::Mean::default();
    w.histograms.h.iter().try_for_each(|h| match mean.add(h) {
        Ok(merged) => said(Ok(merged), "aggregation", w, notes),
        Err(incompatible) => said(Err(incompatible), "aggregation", w, notes),
    })?;
    mean.finish()
}

pub(in super::super) mod native_mean {
    //! Means of histograms.

    use super::super::super::native::{Incompatible, Merged, Wide};
    use crate::model::Histogram;

    /// A mean that turns to incremental calculation where the sum would overflow.
    #[derive(Debug, Default)]
    pub(in super::super::super) struct Mean {
        /// The sum, or where `incremental` the mean.
        acc: Option<Wide>,
        count: f64,
        incremental: bool,
    }

    impl Mean {
        pub(in super::super::super) fn add(&mut self, h: &Histogram) -> Result<Merged, Incompatible> {
            self.count += 1.0;
            let Some(acc) = &mut self.acc else {
                self.acc = Some(Wide::of(h));
                return Ok(Merged::default());
            };
            if !self.incremental {
                let mut next = acc.clone();
                let merged = next.add(h)?;
                if !next.has_overflow() {
                    *acc = next;
                    return Ok(merged);
                }
                self.incremental = true;
                acc.divide(self.count - 1.0);
            }
            acc.scale((self.count - 1.0) / self.count);
            let mut part = Wide::of(h);
            part.divide(self.count);
            acc.add(&part.finish())
        }

        /// `None` where there was nothing.
        pub(in super::super::super) fn finish(mut self) -> Option<Histogram> {
            let acc = self.acc.as_mut()?;
            if !self.incremental {
                acc.divide(self.count);
            }
            Some(acc.finish())
        }
    }
}
