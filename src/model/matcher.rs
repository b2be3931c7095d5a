//! Label matchers `=`, `!=`, `=~`, `!~`. A label that a series does not have counts as empty.

use std::fmt;

use super::{Labels, METRIC_NAME, Pattern, PatternError};

/// How a label is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum MatchOp {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Regex(Pattern),
    /// `!~`
    NotRegex(Pattern),
}

/// A label's name and what its value must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Matcher {
    /// The label; `__name__` for the metric's name.
    pub name: String,
    /// What its value must be.
    pub op: MatchOp,
}

impl Matcher {
    /// `name="value"`
    #[must_use]
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), op: MatchOp::Equal(value.to_owned()) }
    }

    /// `__name__="value"`
    #[must_use]
    pub fn metric(value: &str) -> Self {
        Self::equal(METRIC_NAME, value)
    }

    /// `name!="value"`
    #[must_use]
    pub fn not_equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), op: MatchOp::NotEqual(value.to_owned()) }
    }

    /// `name=~"pattern"`
    ///
    /// # Errors
    /// The pattern is no regular expression.
    pub fn regex(name: &str, pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { name: name.to_owned(), op: MatchOp::Regex(Pattern::new(pattern)?) })
    }

    /// `name!~"pattern"`
    ///
    /// # Errors
    /// The pattern is no regular expression.
    pub fn not_regex(name: &str, pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { name: name.to_owned(), op: MatchOp::NotRegex(Pattern::new(pattern)?) })
    }

    /// Whether a value (empty for a label that is not there) satisfies it.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match &self.op {
            MatchOp::Equal(want) => want == value,
            MatchOp::NotEqual(want) => want != value,
            MatchOp::Regex(pattern) => pattern.matches(value),
            MatchOp::NotRegex(pattern) => !pattern.matches(value),
        }
    }

    /// Whether a series without the label satisfies it.
    #[must_use]
    pub fn accepts_absent(&self) -> bool {
        self.accepts("")
    }

    /// Whether a series satisfies it.
    #[must_use]
    pub fn accepts_labels(&self, labels: &Labels) -> bool {
        self.accepts(labels.get(&self.name).unwrap_or(""))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.op {
            MatchOp::Equal(v) => write!(f, "{}={v:?}", self.name),
            MatchOp::NotEqual(v) => write!(f, "{}!={v:?}", self.name),
            MatchOp::Regex(p) => write!(f, "{}=~{:?}", self.name, p.as_str()),
            MatchOp::NotRegex(p) => write!(f, "{}!~{:?}", self.name, p.as_str()),
        }
    }
}
