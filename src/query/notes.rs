//! What is said besides the value: warnings and infos in Prometheus's words, each once, with the place
//! in the expression that it is about.

use std::collections::HashSet;

use super::parse::quote;
use super::tree::Span;

/// What a note is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site(Span);

impl Site {
    pub(super) const fn of(span: Span) -> Self {
        Self(span)
    }
}

/// Warnings and infos of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Notes {
    text: String,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
    known: HashSet<String>,
}

impl Notes {
    /// Of an expression with this text.
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Of a part of the same evaluation.
    pub(super) fn part(&self) -> Self {
        Self::of(&self.text)
    }

    /// Takes over what was noted in a part.
    pub(super) fn absorb(&mut self, part: Self) {
        for (theirs, ours) in [(part.warnings, &mut self.warnings), (part.infos, &mut self.infos)] {
            for note in theirs {
                if self.known.insert(note.clone()) {
                    ours.push(note);
                }
            }
        }
    }

    /// What is good to know about the data, without a place.
    pub(super) fn info(&mut self, text: String) {
        if self.known.insert(text.clone()) {
            self.infos.push(text);
        }
    }

    /// What was not read from a text has nobody to tell.
    fn put(&mut self, warns: bool, text: &str, site: Site) {
        let Some(place) = site.0.place(&self.text) else { return };
        let kind = if warns { "warning" } else { "info" };
        let note = format!("PromQL {kind}: {text} ({place})");
        if self.known.insert(note.clone()) {
            if warns { &mut self.warnings } else { &mut self.infos }.push(note);
        }
    }

    pub(super) fn bad_quantile(&mut self, phi: f64, site: Site) {
        self.put(true, &format!("quantile value should be between 0 and 1, got {}", general(phi)), site);
    }

    pub(super) fn bad_ratio(&mut self, ratio: f64, capped: f64, site: Site) {
        self.put(true, &format!("ratio value should be between -1 and 1, got {}, capping to {}", general(ratio), general(capped)), site);
    }

    pub(super) fn bad_bound(&mut self, le: &str, name: &str, site: Site) {
        self.put(true, &with_name(&format!("bucket label \"le\" is missing or has a malformed value of {}", quote(le)), name), site);
    }

    pub(super) fn mixed(&mut self, name: &str, site: Site) {
        self.put(true, &format!("encountered a mix of histograms and floats for metric name {}", quote(name)), site);
    }

    pub(super) fn mixed_aggregation(&mut self, site: Site) {
        self.put(true, "encountered a mix of histograms and floats for aggregation", site);
    }

    pub(super) fn mixed_classic(&mut self, name: &str, site: Site) {
        self.put(true, &with_name("vector contains a mix of classic and native histograms", name), site);
    }

    pub(super) fn mixed_schemas(&mut self, name: &str, site: Site) {
        self.put(true, &format!("vector contains a mix of histograms with exponential and custom buckets schemas for metric name {}", quote(name)), site);
    }

    pub(super) fn no_counter(&mut self, name: &str, site: Site) {
        self.put(true, &format!("this native histogram metric is not a counter: {}", quote(name)), site);
    }

    pub(super) fn no_gauge(&mut self, name: &str, site: Site) {
        self.put(true, &format!("this native histogram metric is not a gauge: {}", quote(name)), site);
    }

    pub(super) fn colliding_resets(&mut self, operation: &str, site: Site) {
        self.put(true, &format!("conflicting counter resets during histogram {operation}"), site);
    }

    pub(super) fn incompatible_layout(&mut self, operator: &str, site: Site) {
        self.put(true, &format!("incompatible bucket layout encountered for binary operator {operator}"), site);
    }

    pub(super) fn overlapping_start(&mut self, name: &str, site: Site) {
        self.put(true, &format!("sample has start time that overlaps with previous sample timestamp for metric {}", quote(name)), site);
    }

    pub(super) fn reconciled(&mut self, operation: &str, site: Site) {
        self.put(false, &format!("mismatched custom buckets were reconciled during {operation}"), site);
    }

    pub(super) fn not_named_as_counter(&mut self, name: &str, site: Site) {
        let text = format!("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}", quote(name));
        self.put(false, &text, site);
    }

    pub(super) fn forced_monotonicity(&mut self, name: &str, site: Site) {
        let text = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        self.put(false, &with_name(text, name), site);
    }

    pub(super) fn incompatible_types(&mut self, left: &str, operator: &str, right: &str, site: Site) {
        self.put(false, &format!("incompatible sample types encountered for binary operator {}: {left} {operator} {right}", quote(operator)), site);
    }

    pub(super) fn ignored_in_aggregation(&mut self, aggregation: &str, site: Site) {
        self.put(false, &format!("ignored histogram in {aggregation} aggregation"), site);
    }

    pub(super) fn ignored_in_range(&mut self, name: &str, site: Site) {
        self.put(false, &format!("ignored histograms in a range containing both floats and histograms for metric name {}", quote(name)), site);
    }

    pub(super) fn nan_result(&mut self, name: &str, site: Site) {
        self.put(false, &with_name("input to histogram_quantile has NaN observations, result is NaN", name), site);
    }

    pub(super) fn nan_skew(&mut self, name: &str, site: Site) {
        self.put(false, &with_name("input to histogram_quantile has NaN observations, result is skewed higher", name), site);
    }

    pub(super) fn nan_fraction(&mut self, name: &str, site: Site) {
        self.put(false, &with_name("input to histogram_fraction has NaN observations, which are excluded from all fractions", name), site);
    }
}

fn with_name(text: &str, name: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{text} for metric name {}", quote(name)) }
}

/// A number as Go's `%g` prints it: with an exponent below 0.0001 and from a million on.
pub(super) fn general(v: f64) -> String {
    if v.is_finite() && v != 0.0 && !(1e-4..1e6).contains(&v.abs()) {
        let text = format!("{v:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    super::parse::plain(v)
}
