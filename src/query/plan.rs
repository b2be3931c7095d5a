//! Which time a selector must read: its steps, shifted, with what lies before each.

use super::tree::{At, BinaryOp, Expr, Node, Shift};
use super::value::Grid;
use crate::model::{Tier, TimeRange, Timestamp};
use crate::store::Coverage;

/// The outermost evaluation, to which `@ start()` and `@ end()` refer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Milliseconds between steps; 0 of an instant query.
    pub(super) step: i64,
    /// Only this tier, where the caller asked for one.
    pub(super) tier: Option<Tier>,
    /// Functions over time keep the metric's name.
    pub(super) keeps_names: bool,
}

impl Frame {
    /// The time that a step looks up.
    pub(super) fn reference(&self, shift: &Shift, t: i64) -> i64 {
        let base = match shift.at {
            None => t,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
            Some(At::Time(at)) => at,
        };
        base.saturating_sub(shift.offset)
    }

    /// The first and last time that the steps of a grid look up.
    pub(super) fn span(&self, shift: &Shift, grid: &Grid) -> (i64, i64) {
        (self.reference(shift, grid.start), self.reference(shift, grid.end()))
    }
}

/// How far an instant selector must look back to find a tier's last bucket.
pub(super) fn lookback(coverage: &Coverage, tier: Tier, configured: i64) -> i64 {
    configured.max(2 * coverage.widths.of(tier).as_millis() as i64)
}

/// What to read for instants from `first` to `last`.
pub(super) fn instant_range(coverage: &Coverage, frame: &Frame, configured: i64, first: i64, last: i64) -> TimeRange {
    let oldest = |tier| first.saturating_sub(lookback(coverage, tier, configured));
    let start = match frame.tier {
        Some(tier) => oldest(tier),
        None => {
            // The coarser the tier, the longer the look back; take the one that the look back reaches.
            let raw = oldest(Tier::Raw);
            if raw >= coverage.raw.0 {
                raw
            } else if oldest(Tier::Aggregated) >= coverage.aggregated.0 {
                oldest(Tier::Aggregated)
            } else {
                oldest(Tier::Summary)
            }
        }
    };
    TimeRange::new(Timestamp(start), Timestamp(last))
}

/// What to read for windows of `range` that end from `first` to `last`.
pub(super) fn window_range(range: i64, first: i64, last: i64) -> TimeRange {
    TimeRange::new(Timestamp(first.saturating_sub(range)), Timestamp(last))
}

/// Marks the selectors of whose histograms only count and sum are looked at: those within `histogram_count` and its
/// like, with nothing in between that needs buckets. Sub-queries jump about, so nothing can be found while reading.
pub(super) fn mark_counts(expr: &mut Expr, within: bool) {
    let within = match &mut expr.node {
        Node::Instant(selector) | Node::Range { selector, .. } => {
            selector.counts_alone = within;
            return;
        }
        Node::Call { function, .. } => match function.name {
            "histogram_count" | "histogram_sum" | "histogram_avg" => true,
            "histogram_quantile" | "histogram_quantiles" | "histogram_fraction" | "histogram_stddev" | "histogram_stdvar" => false,
            _ => within,
        },
        Node::Binary { op, .. } => within && !matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower | BinaryOp::Equal | BinaryOp::NotEqual),
        Node::Subquery { .. } => false,
        _ => within,
    };
    expr.children_mut().into_iter().for_each(|child| mark_counts(child, within));
}
