//! What a row of the list of rules says. Knows no query of its own.

use super::words::Unit;
use crate::model::Severity;

/// From which value on there is a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    side: Side,
    critical: Option<f64>,
    /// The limit without which there is no finding, and how bad passing it is.
    first: (Severity, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Limit {
    pub(super) const fn above(warning: f64, critical: f64) -> Self {
        Self { side: Side::Above, critical: Some(critical), first: (Severity::Warning, warning) }
    }

    pub(super) const fn below(warning: f64, critical: f64) -> Self {
        Self { side: Side::Below, critical: Some(critical), first: (Severity::Warning, warning) }
    }

    /// Passing it is never critical.
    pub(super) const fn warning_above(limit: f64) -> Self {
        Self { side: Side::Above, critical: None, first: (Severity::Warning, limit) }
    }

    pub(super) const fn warning_below(limit: f64) -> Self {
        Self { side: Side::Below, critical: None, first: (Severity::Warning, limit) }
    }

    pub(super) const fn info_below(limit: f64) -> Self {
        Self { side: Side::Below, critical: None, first: (Severity::Info, limit) }
    }

    /// The severity of a value with the limit that it passed; NaN passes none.
    pub(super) fn passed(&self, v: f64) -> Option<(Severity, f64)> {
        let passes = |limit: f64| match self.side {
            Side::Above => v > limit,
            Side::Below => v < limit,
        };
        let critical = self.critical.filter(|limit| passes(*limit)).map(|limit| (Severity::Critical, limit));
        critical.or_else(|| passes(self.first.1).then_some(self.first))
    }
}

/// A second number that belongs to a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fact {
    /// Its PromQL; `$w` is the window. Labels it has must be those of the finding.
    pub(super) query: &'static str,
    /// Its unit.
    pub(super) unit: Unit,
    /// The words round it: `{value}`.
    pub(super) text: &'static str,
    /// What it must be for the finding to stand.
    pub(super) needs: Needs,
}

/// What a fact must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Needs {
    /// It is only told.
    Nothing,
    /// Known and at least this.
    AtLeast(f64),
    /// Known and at most this.
    AtMost(f64),
    /// At least this where the machine can tell.
    AtLeastIfKnown(f64),
}

impl Needs {
    pub(super) fn are_met(self, value: Option<f64>) -> bool {
        match self {
            Self::Nothing => true,
            Self::AtLeast(least) => value.is_some_and(|v| v >= least),
            Self::AtMost(most) => value.is_some_and(|v| v <= most),
            Self::AtLeastIfKnown(least) => value.is_none_or(|v| v >= least),
        }
    }
}

/// How a rule looks at its query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// Its value now (most queries are means over the window).
    Value(Limit),
    /// When its falling trend reaches 0.
    RunsOut,
    /// Whether its trend rises, to more than this.
    Grows(f64),
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// One short sentence. Like all texts it may hold labels: `{mountpoint}`.
    pub(super) title: &'static str,
    /// Its PromQL; `$w` is the window.
    pub(super) query: &'static str,
    /// A selector that must have had values for a part of the window: a rule says nothing before.
    pub(super) basis: &'static str,
    /// The unit of the query's value.
    pub(super) unit: Unit,
    /// What is looked for.
    pub(super) look: Look,
    /// What was seen: `{value}`. The window and the limit are added.
    pub(super) evidence: &'static str,
    /// Further numbers.
    pub(super) facts: &'static [Fact],
    /// What to do, concretely.
    pub(super) advice: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_limit_that_is_passed_counts_and_nan_passes_none() {
        let above = Limit::above(80.0, 95.0);
        assert_eq!([80.0, 81.0, 96.0, f64::NAN].map(|v| above.passed(v).map(|(s, _)| s)), [None, Some(Severity::Warning), Some(Severity::Critical), None]);
        assert_eq!(Limit::below(10.0, 5.0).passed(4.0), Some((Severity::Critical, 5.0)));
        assert_eq!(Limit::info_below(10.0).passed(4.0), Some((Severity::Info, 10.0)));
    }

    #[test]
    fn a_fact_that_nobody_can_tell_refutes_only_where_it_must_be_known() {
        assert!(Needs::AtLeastIfKnown(5.0).are_met(None) && !Needs::AtLeast(5.0).are_met(None));
        assert!(!Needs::AtLeastIfKnown(5.0).are_met(Some(4.0)) && Needs::AtMost(5.0).are_met(Some(4.0)));
    }
}
