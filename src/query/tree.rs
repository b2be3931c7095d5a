//! The expression as this room sees it: what was parsed, with where each part stands. Knows neither
//! how it is read nor how it is evaluated.

use super::functions::Function;
use crate::model::Matcher;

/// A stretch of the expression's text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// Of what was not read from a text.
    pub(super) const NOWHERE: Self = Self { start: usize::MAX, end: usize::MAX };

    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this to the end of the other.
    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// `line:column` of its start, both from 1, in bytes; `None` if it stands nowhere.
    pub(super) fn place(self, text: &str) -> Option<String> {
        let before = text.as_bytes().get(..self.start)?;
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        Some(format!("{line}:{column}"))
    }
}

/// Where `@` pins the evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    Start,
    End,
    /// Unix milliseconds.
    Time(i64),
}

/// A length of time that has to be worked out, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Length {
    /// A value, and whether it was written as a duration.
    Number(f64, bool),
    /// The step of the query.
    Step,
    /// The range of the query.
    Range,
    Min(Box<Length>, Box<Length>),
    Max(Box<Length>, Box<Length>),
    Plus(Box<Length>),
    Minus(Box<Length>),
    Binary(BinaryOp, Box<Length>, Box<Length>),
    /// In parentheses.
    Wrapped(Box<Length>),
}

/// Shifts of the time at which something is looked up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shift {
    /// Milliseconds back; negative looks ahead.
    pub(super) offset: i64,
    /// What `offset` is to be worked out from.
    pub(super) length: Option<Box<Length>>,
    pub(super) at: Option<At>,
}

/// How values at the edges of a window are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Edges {
    /// Only what lies inside.
    #[default]
    Plain,
    /// With the last sample before.
    Anchored,
    /// Interpolated between the samples on both sides.
    Smoothed,
}

/// Which series.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// The name before the braces.
    pub(super) name: Option<String>,
    /// All of them, the name's included.
    pub(super) matchers: Vec<Matcher>,
    pub(super) shift: Shift,
    pub(super) edges: Edges,
    /// Of histograms only count and sum are looked at in the end. Resets between them are then found while reading.
    pub(super) counts_alone: bool,
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
    Limitk,
    LimitRatio,
}

impl AggregateOp {
    pub(super) const ALL: [(Self, &'static str); 14] = [
        (Self::Sum, "sum"),
        (Self::Avg, "avg"),
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::Count, "count"),
        (Self::Group, "group"),
        (Self::Stddev, "stddev"),
        (Self::Stdvar, "stdvar"),
        (Self::Topk, "topk"),
        (Self::Bottomk, "bottomk"),
        (Self::Quantile, "quantile"),
        (Self::CountValues, "count_values"),
        (Self::Limitk, "limitk"),
        (Self::LimitRatio, "limit_ratio"),
    ];

    pub(super) fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(op, _)| op)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(op, _)| *op == self).map_or("", |(_, name)| name)
    }

    pub(super) fn is_experimental(self) -> bool {
        matches!(self, Self::Limitk | Self::LimitRatio)
    }

    pub(super) fn has_parameter(self) -> bool {
        matches!(self, Self::Topk | Self::Bottomk | Self::Quantile | Self::CountValues | Self::Limitk | Self::LimitRatio)
    }

    /// Yields some of the series it is given, as they are.
    pub(super) fn picks(self) -> bool {
        matches!(self, Self::Topk | Self::Bottomk | Self::Limitk | Self::LimitRatio)
    }
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
    TrimUpper,
    TrimLower,
    And,
    Or,
    Unless,
}

impl BinaryOp {
    /// Each with its sign, and how closely it binds.
    const ALL: [(Self, &'static str, u8); 18] = [
        (Self::Or, "or", 1),
        (Self::And, "and", 2),
        (Self::Unless, "unless", 2),
        (Self::Equal, "==", 3),
        (Self::NotEqual, "!=", 3),
        (Self::Greater, ">", 3),
        (Self::Less, "<", 3),
        (Self::GreaterEqual, ">=", 3),
        (Self::LessEqual, "<=", 3),
        (Self::TrimUpper, "</", 3),
        (Self::TrimLower, ">/", 3),
        (Self::Add, "+", 4),
        (Self::Sub, "-", 4),
        (Self::Mul, "*", 5),
        (Self::Div, "/", 5),
        (Self::Mod, "%", 5),
        (Self::Atan2, "atan2", 5),
        (Self::Pow, "^", 6),
    ];

    pub(super) fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, sign, _)| sign.eq_ignore_ascii_case(word)).map(|(op, ..)| op)
    }

    fn row(self) -> (Self, &'static str, u8) {
        Self::ALL.into_iter().find(|(op, ..)| *op == self).unwrap_or(Self::ALL[0])
    }

    pub(super) fn sign(self) -> &'static str {
        self.row().1
    }

    /// The higher, the closer it binds.
    pub(super) fn strength(self) -> u8 {
        self.row().2
    }

    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual | Self::Greater | Self::Less | Self::GreaterEqual | Self::LessEqual)
    }

    pub(super) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// Makes another metric of what it is given, so that the name is lost.
    pub(super) fn changes_metric(self) -> bool {
        matches!(self, Self::Add | Self::Sub | Self::Mul | Self::Div | Self::Mod | Self::Pow | Self::Atan2)
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
    /// What stands for a missing series on the left and on the right.
    pub(super) fill: (Option<f64>, Option<f64>),
}

impl Default for Matching {
    fn default() -> Self {
        Self { on: false, labels: Vec::new(), many: Many::Neither, include: Vec::new(), return_bool: false, fill: (None, None) }
    }
}

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Scalar,
    Text,
    Vector,
    Matrix,
}

impl Type {
    /// As Prometheus names it in errors.
    pub(super) fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Text => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) node: Node,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A value, and whether it was written as a duration.
    Number(f64, bool),
    Text(String),
    Instant(Selector),
    Range {
        selector: Selector,
        /// Milliseconds.
        range: i64,
        length: Option<Box<Length>>,
    },
    Subquery {
        expr: Box<Expr>,
        /// Milliseconds.
        range: i64,
        length: Option<Box<Length>>,
        /// Milliseconds; without it the default.
        step: Option<i64>,
        step_length: Option<Box<Length>>,
        shift: Shift,
    },
    Call {
        function: &'static Function,
        args: Vec<Expr>,
    },
    Aggregate {
        op: AggregateOp,
        expr: Box<Expr>,
        param: Option<Box<Expr>>,
        grouping: Grouping,
    },
    Binary {
        op: BinaryOp,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
        matching: Matching,
    },
    Negate(Box<Expr>),
    /// `+x`.
    Plus(Box<Expr>),
    Paren(Box<Expr>),
}

impl Expr {
    /// Of no place in a text.
    pub(super) fn nowhere(node: Node) -> Self {
        Self { node, span: Span::NOWHERE }
    }

    /// What it yields.
    pub(super) fn kind(&self) -> Type {
        match &self.node {
            Node::Number(..) => Type::Scalar,
            Node::Text(_) => Type::Text,
            Node::Instant(_) | Node::Aggregate { .. } => Type::Vector,
            Node::Range { .. } | Node::Subquery { .. } => Type::Matrix,
            Node::Call { function, .. } => function.returns,
            Node::Binary { lhs, rhs, .. } => {
                if lhs.kind() == Type::Scalar && rhs.kind() == Type::Scalar {
                    Type::Scalar
                } else {
                    Type::Vector
                }
            }
            Node::Negate(inner) | Node::Plus(inner) | Node::Paren(inner) => inner.kind(),
        }
    }

    /// Without parentheses around it.
    pub(super) fn bare(&self) -> &Self {
        match &self.node {
            Node::Paren(inner) => inner.bare(),
            _ => self,
        }
    }

    /// Whether it is a range vector, which only functions take.
    pub(super) fn is_range(&self) -> bool {
        self.kind() == Type::Matrix
    }

    /// Whether the order of an instant answer is part of it.
    pub(super) fn is_ordered(&self) -> bool {
        match &self.bare().node {
            Node::Call { function, .. } => function.name.starts_with("sort"),
            Node::Aggregate { op, .. } => matches!(op, AggregateOp::Topk | AggregateOp::Bottomk),
            _ => false,
        }
    }

    /// The parts it is made of.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Number(..) | Node::Text(_) | Node::Instant(_) | Node::Range { .. } => Vec::new(),
            Node::Subquery { expr, .. } | Node::Negate(expr) | Node::Plus(expr) | Node::Paren(expr) => vec![&**expr],
            Node::Call { args, .. } => args.iter().collect(),
            Node::Aggregate { expr, param, .. } => param.iter().map(|p| &**p).chain([&**expr]).collect(),
            Node::Binary { lhs, rhs, .. } => vec![&**lhs, &**rhs],
        }
    }

    /// The parts it is made of, to change.
    pub(super) fn children_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.node {
            Node::Number(..) | Node::Text(_) | Node::Instant(_) | Node::Range { .. } => Vec::new(),
            Node::Subquery { expr, .. } | Node::Negate(expr) | Node::Plus(expr) | Node::Paren(expr) => vec![&mut **expr],
            Node::Call { args, .. } => args.iter_mut().collect(),
            Node::Aggregate { expr, param, .. } => param.iter_mut().map(|p| &mut **p).chain([&mut **expr]).collect(),
            Node::Binary { lhs, rhs, .. } => vec![&mut **lhs, &mut **rhs],
        }
    }
}
