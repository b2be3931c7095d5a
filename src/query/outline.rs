//! What can be said of an expression without evaluating it: which metrics it names, what it yields,
//! whether its past values stay, and, of a malformed one, at which character it is wrong.

use std::time::Duration;

use super::parse;
use super::tree::{At, Edges, Expr, Node, Selector, Shift, Type};
use crate::model::{METRIC_NAME, MatchOp};

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// A number or series, at one time or over time.
    Values,
    /// A range vector, which only functions take.
    Windows,
    /// A text.
    Text,
}

/// An expression in outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Metric names that its selectors ask for, in order, each once.
    pub names: Vec<String>,
    /// What it yields.
    pub yields: Yields,
    /// Its value at a time depends on nothing later, nor on the range that is asked for.
    pub steady: bool,
    /// How far before a time it reads at most, the lookback left out.
    pub reach: Duration,
}

/// Why an expression is malformed, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at character {character})")]
pub struct Flaw {
    /// What is wrong.
    pub reason: String,
    /// Counted from 1.
    pub character: usize,
}

/// Reads an expression; what is experimental is allowed, since whether it may run is the engine's to say.
///
/// # Errors
/// It is malformed.
pub fn outline(text: &str) -> Result<Outline, Flaw> {
    let expr = parse::find_flaw(text, true).map_err(|flaw| {
        let character = text.get(..flaw.span.start).map_or(1, |before| before.chars().count() + 1);
        Flaw { character, reason: format!("parse error: {}", flaw.message) }
    })?;
    let yields = match expr.kind() {
        Type::Matrix => Yields::Windows,
        Type::Text => Yields::Text,
        Type::Scalar | Type::Vector => Yields::Values,
    };
    let mut found = Outline { names: Vec::new(), yields, steady: true, reach: Duration::ZERO };
    found.walk(&expr, 0);
    found.names.sort();
    found.names.dedup();
    Ok(found)
}

impl Outline {
    /// `back`: milliseconds before the time asked for that this node is evaluated at, at most.
    fn walk(&mut self, expr: &Expr, back: i64) {
        match &expr.node {
            Node::Instant(selector) => self.selector(selector, back),
            Node::Range { selector, range, length } => {
                self.steady &= length.is_none();
                self.selector(selector, back.saturating_add(*range));
            }
            Node::Subquery { expr, shift, range, length, step_length, .. } => {
                self.steady &= length.is_none() && step_length.is_none();
                let back = self.shift(shift, back.saturating_add(*range));
                self.walk(expr, back);
            }
            Node::Call { function, .. } => {
                // These look at the query's range, not at the time.
                self.steady &= !matches!(function.name, "start" | "end" | "range" | "step");
                expr.children().into_iter().for_each(|child| self.walk(child, back));
            }
            _ => expr.children().into_iter().for_each(|child| self.walk(child, back)),
        }
    }

    fn selector(&mut self, selector: &Selector, back: i64) {
        self.steady &= selector.edges != Edges::Smoothed;
        self.shift(&selector.shift, back);
        for matcher in selector.matchers.iter().filter(|matcher| matcher.name == METRIC_NAME) {
            if let MatchOp::Equal(name) = &matcher.op {
                self.names.push(name.clone());
            }
        }
    }

    /// Yields how far back the shifted is.
    fn shift(&mut self, shift: &Shift, back: i64) -> i64 {
        let pinned = matches!(shift.at, Some(At::Start | At::End | At::Time(_)));
        self.steady &= !pinned && shift.offset >= 0 && shift.length.is_none();
        let back = back.saturating_add(shift.offset.max(0));
        self.reach = self.reach.max(Duration::from_millis(back.unsigned_abs()));
        back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let found = outline("sum by (x) (rate(b_total[5m])) / on() group_left topk(scalar(k), a{x=\"1\"} offset 5m)").unwrap();
        assert_eq!(found.names, ["a", "b_total", "k"]);
        assert!(found.steady && found.yields == Yields::Values);
        assert_eq!(found.reach, Duration::from_secs(300));
        assert_eq!(outline("max_over_time(rate(x[5m] offset 1h)[2h:1m])").unwrap().reach, Duration::from_secs(3 * 3600 + 300));
        assert_eq!(outline("x[5m]").unwrap().yields, Yields::Windows);
    }

    #[test]
    fn what_looks_ahead_or_is_pinned_is_not_steady() {
        for text in ["x @ end()", "x @ 100", "x offset -5m", "sum_over_time(x[1h:1m] @ start())"] {
            assert!(!outline(text).unwrap().steady, "{text}");
        }
    }

    #[test]
    fn a_flaw_says_at_which_character() {
        let flaw = outline("sum(rate(x[5m])").unwrap_err();
        assert_eq!(flaw.character, 16, "{flaw}");
        assert!(flaw.to_string().ends_with("unclosed left parenthesis (at character 16)"));
        assert_eq!(outline("äh + * 1").unwrap_err().character, 1);
    }
}
