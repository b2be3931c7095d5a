//! The expression as this room sees it. Knows nothing of the parser that made it.

use super::functions::Function;
use crate::model::Matcher;

/// Where `@` pins the evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    Start,
    End,
    /// Unix milliseconds.
    Time(i64),
}

/// Shifts of the time at which something is looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shift {
    /// Milliseconds back; negative looks ahead.
    pub(super) offset: i64,
    pub(super) at: Option<At>,
}

/// Which series.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    pub(super) matchers: Vec<Matcher>,
    pub(super) shift: Shift,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AggregateOp {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    Quantile,
    CountValues,
}

/// `by (…)` or `without (…)`.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    pub(super) labels: Vec<String>,
    pub(super) without: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    And,
    Or,
    Unless,
}

impl BinaryOp {
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual | Self::Greater | Self::Less | Self::GreaterEqual | Self::LessEqual)
    }

    pub(super) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// Which side may have several series per match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Many {
    Neither,
    Left,
    Right,
}

/// How series of both sides find each other.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    /// `on` these labels, else ignoring them.
    pub(super) on: bool,
    pub(super) labels: Vec<String>,
    pub(super) many: Many,
    /// Labels taken over from the side of one.
    pub(super) include: Vec<String>,
    pub(super) return_bool: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    Instant(Selector),
    Range { selector: Selector, range: i64 },
    Subquery { expr: Box<Expr>, range: i64, step: Option<i64>, shift: Shift },
    Call { function: &'static Function, args: Vec<Expr>, places: Vec<String> },
    Aggregate { op: AggregateOp, expr: Box<Expr>, param: Option<Box<Expr>>, grouping: Grouping, place: String },
    Binary { op: BinaryOp, lhs: Box<Expr>, rhs: Box<Expr>, matching: Matching },
    Negate(Box<Expr>),
}

impl Expr {
    /// Whether it is a range vector, which only functions take.
    pub(super) fn is_range(&self) -> bool {
        matches!(self, Self::Range { .. } | Self::Subquery { .. })
    }

    /// Whether the order of an instant answer is part of it.
    pub(super) fn is_ordered(&self) -> bool {
        match self {
            Self::Call { function, .. } => function.name.starts_with("sort"),
            Self::Aggregate { op, .. } => matches!(op, AggregateOp::Topk | AggregateOp::Bottomk),
            _ => false,
        }
    }
}
