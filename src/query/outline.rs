//! What can be said of an expression without evaluating it: which metrics it names, what it yields,
//! whether its past values stay, and, of a malformed one, at which character it is wrong.

use std::time::Duration;

use super::locate::locate;
use super::parse;
use super::tree::{At, Expr, Selector, Shift};
use crate::model::{METRIC_NAME, MatchOp, Matcher};

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
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Metric names that its selectors ask for, in order, each once.
    pub names: Vec<String>,
    /// The matchers of each selector, in order.
    pub selectors: Vec<Vec<Matcher>>,
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

/// Reads an expression.
///
/// # Errors
/// It is malformed, or names what is not supported.
pub fn outline(text: &str) -> Result<Outline, Flaw> {
    let expr = parse::parse(text).map_err(|error| {
        let reason = error.to_string();
        Flaw { character: locate(text, &reason), reason }
    })?;
    let yields = match &expr {
        Expr::Range { .. } | Expr::Subquery { .. } => Yields::Windows,
        Expr::Text(_) => Yields::Text,
        _ => Yields::Values,
    };
    let mut found = Outline { names: Vec::new(), selectors: Vec::new(), yields, steady: true, reach: Duration::ZERO };
    found.walk(&expr, 0);
    found.names.sort();
    found.names.dedup();
    Ok(found)
}

impl Outline {
    /// `back`: milliseconds before the time asked for that this node is evaluated at, at most.
    fn walk(&mut self, expr: &Expr, back: i64) {
        match expr {
            Expr::Number(_) | Expr::Text(_) => {}
            Expr::Instant(selector) => self.selector(selector, back),
            Expr::Range { selector, range } => self.selector(selector, back.saturating_add(*range)),
            Expr::Subquery { expr, shift, range, .. } => {
                let back = self.shift(shift, back.saturating_add(*range));
                self.walk(expr, back);
            }
            Expr::Call { args, .. } => args.iter().for_each(|arg| self.walk(arg, back)),
            Expr::Aggregate { expr, param, .. } => {
                self.walk(expr, back);
                param.iter().for_each(|param| self.walk(param, back));
            }
            Expr::Binary { lhs, rhs, .. } => {
                self.walk(lhs, back);
                self.walk(rhs, back);
            }
            Expr::Negate(inner) => self.walk(inner, back),
        }
    }

    fn selector(&mut self, selector: &Selector, back: i64) {
        self.shift(&selector.shift, back);
        self.selectors.push(selector.matchers.clone());
        for matcher in selector.matchers.iter().filter(|matcher| matcher.name == METRIC_NAME) {
            if let MatchOp::Equal(name) = &matcher.op {
                self.names.push(name.clone());
            }
        }
    }

    /// Yields how far back the shifted is.
    fn shift(&mut self, shift: &Shift, back: i64) -> i64 {
        let pinned = matches!(shift.at, Some(At::Start | At::End | At::Time(_)));
        self.steady &= !pinned && shift.offset >= 0;
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
        let selectors: Vec<usize> = found.selectors.iter().map(Vec::len).collect();
        assert_eq!(selectors, [1, 2, 1]);
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
        assert_eq!(flaw.character, 4, "{flaw}");
        assert!(flaw.to_string().ends_with("(at character 4)"));
    }
}
