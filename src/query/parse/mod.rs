//! Text to tree, in Prometheus's grammar and with its words for what is wrong.
//!
//! `lexer` makes tokens, `quote` reads and writes texts in quotes, `grammar` makes expressions (by
//! the strength of operators), `selector` what stands in braces and behind an expression (`offset`,
//! `@`, brackets), `length` durations that are worked out, `check` looks at types, `print` writes a
//! tree so that reading it again yields the same. Length, nesting and the number of operators are bounded.

mod check;
mod grammar;
mod length;
mod lexer;
mod print;
mod quote;
mod selector;
#[cfg(test)]
mod tests;

use super::QueryError;
use super::tree::{Expr, Node, Shift, Span};
use crate::model::Matcher;

pub(super) use length::{Extent, resolve};
pub(super) use print::{plain, pretty, print, sign_of, value_of};
pub(super) use quote::quote;

const MAX_TEXT_BYTES: usize = 64 << 10;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) span: Span,
    pub(super) message: String,
}

/// Reads an expression; `experimental` says whether what Prometheus keeps behind a flag is allowed.
pub(super) fn parse(text: &str, experimental: bool) -> Result<Expr, QueryError> {
    find_flaw(text, experimental).map_err(|flaw| {
        let place = flaw.span.place(text).map_or_else(String::new, |place| format!("{place}: "));
        QueryError::Bad(format!("{place}parse error: {}", flaw.message))
    })
}

/// Reads an expression, or says where it is wrong.
pub(super) fn find_flaw(text: &str, experimental: bool) -> Result<Expr, Flaw> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Flaw { span: Span::new(0, 0), message: format!("the expression is longer than {MAX_TEXT_BYTES} bytes") });
    }
    let expr = grammar::expression(text, experimental)?;
    check::check(&expr, text)?;
    Ok(expr)
}

/// Reads a series selector such as `up{job="node"}` (for `match[]`).
///
/// # Errors
/// Anything but a plain selector.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, QueryError> {
    match parse(text, false)?.node {
        Node::Instant(selector) if selector.shift == Shift::default() => Ok(selector.matchers),
        _ => Err(QueryError::Bad(format!("{text:?} is not a series selector such as up{{job=\"node\"}}"))),
    }
}
