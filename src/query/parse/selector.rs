//! Selectors in braces, and what may stand behind an expression: brackets, `offset`, `@`, `anchored`, `smoothed`.

use super::super::tree::{At, Edges, Expr, Node, Selector, Shift, Span};
use super::Flaw;
use super::grammar::Parser;
use super::length::{Ready, ready};
use super::lexer::Token;
use crate::model::{METRIC_NAME, Matcher};

impl Parser {
    /// A selector whose name, if it has one before the braces, was just read.
    pub(super) fn selector(&mut self, name: Option<String>, span: Span) -> Result<Expr, Flaw> {
        let mut matchers = Vec::new();
        let mut quoted = None;
        if self.peek() == &Token::Sign("{") {
            self.next();
            self.matchers(&mut matchers, &mut quoted)?;
        }
        let span = Span::new(span.start, self.last_end());
        let set_twice = |a: &str, b: &str| Flaw { span, message: format!("metric name must not be set twice: {} or {}", super::quote(a), super::quote(b)) };
        if let (Some(outside), Some(inside)) = (&name, &quoted) {
            return Err(set_twice(outside, inside));
        }
        let name = name.or(quoted);
        if let Some(name) = &name {
            if let Some(other) = matchers.iter().find(|m| m.name == METRIC_NAME) {
                return Err(set_twice(name, super::print::value_of(other)));
            }
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        Ok(Expr { node: Node::Instant(Selector { name, matchers, shift: Shift::default(), edges: Edges::Plain, counts_alone: false }), span })
    }

    fn matchers(&mut self, out: &mut Vec<Matcher>, quoted: &mut Option<String>) -> Result<(), Flaw> {
        loop {
            if self.take("}") {
                return Ok(());
            }
            let span = self.span();
            let (name, is_text) = match self.peek().clone() {
                Token::Word(word) => (word, false),
                Token::Text(text) => (text, true),
                _ => return Err(self.unexpected("label matching", "identifier or \"}\"")),
            };
            self.next();
            let op = match self.peek() {
                Token::Sign(sign @ ("=" | "!=" | "=~" | "!~")) => *sign,
                Token::Sign("," | "}") if is_text => {
                    if let Some(first) = quoted.replace(name.clone()) {
                        let message = format!("metric name must not be set twice: {} or {}", super::quote(&first), super::quote(&name));
                        return Err(self.flaw(span, message));
                    }
                    self.take(",");
                    continue;
                }
                _ => return Err(self.unexpected("label matching", "label matching operator")),
            };
            self.next();
            let Token::Text(value) = self.peek().clone() else { return Err(self.unexpected("label matching", "string")) };
            let whole = span.to(self.next().span);
            out.push(matcher(&name, op, &value).map_err(|message| Flaw { span: whole, message })?);
            if !self.take(",") && self.peek() != &Token::Sign("}") {
                return Err(self.unexpected("label matching", "\",\" or \"}\""));
            }
        }
    }

    /// `[5m]`, `[1h:5m]`
    pub(super) fn brackets(&mut self, expr: Expr) -> Result<Expr, Flaw> {
        let open = self.next().span;
        let range = self.length("subquery or range selector")?;
        let (range, length) = positive(self, range)?;
        if self.take(":") {
            let step = if self.peek() == &Token::Sign("]") { None } else { Some(self.length("subquery selector")?) };
            if !self.take("]") {
                return Err(self.unexpected("subquery selector", "\"]\""));
            }
            let (step, step_length) = match step {
                Some(step) => {
                    let (step, length) = positive(self, step)?;
                    (Some(step), length)
                }
                None => (None, None),
            };
            let span = Span::new(expr.span.start, self.last_end());
            return Ok(Expr { node: Node::Subquery { expr: Box::new(expr), range, length, step, step_length, shift: Shift::default() }, span });
        }
        if !self.take("]") {
            return Err(self.unexpected("subquery or range", "\":\" or \"]\""));
        }
        let brackets = Span::new(open.start, self.last_end());
        let span = Span::new(expr.span.start, self.last_end());
        let Node::Instant(selector) = expr.node else { return Err(self.flaw(brackets, "ranges only allowed for vector selectors")) };
        if selector.shift.offset != 0 || selector.shift.length.is_some() {
            return Err(self.flaw(brackets, "no offset modifiers allowed before range"));
        }
        if selector.shift.at.is_some() {
            return Err(self.flaw(brackets, "no @ modifiers allowed before range"));
        }
        if selector.edges != Edges::Plain {
            return Err(self.flaw(brackets, "no anchored or smoothed modifiers allowed before range"));
        }
        Ok(Expr { node: Node::Range { selector, range, length }, span })
    }

    pub(super) fn offset(&mut self, mut expr: Expr) -> Result<Expr, Flaw> {
        self.next();
        let length = self.short_length()?;
        let end = self.last_end();
        let (offset, length) = match ready(&length) {
            Some(Ready { millis }) => (millis, None),
            None => (0, Some(Box::new(length))),
        };
        let span = expr.span;
        let Some(shift) = shift_of(&mut expr) else {
            return Err(self.flaw(span, "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"));
        };
        if shift.offset != 0 || shift.length.is_some() {
            return Err(self.flaw(span, "offset may not be set multiple times"));
        }
        (shift.offset, shift.length) = (offset, length);
        expr.span.end = end;
        Ok(expr)
    }

    /// `@ 1234.5`, `@ start()`, `@ end()`
    pub(super) fn at_time(&mut self, mut expr: Expr) -> Result<Expr, Flaw> {
        self.next();
        let at = if self.is_word("start") || self.is_word("end") {
            let at = if self.is_word("start") { At::Start } else { At::End };
            self.next();
            if !self.take("(") || !self.take(")") {
                return Err(self.unexpected("@", "timestamp"));
            }
            at
        } else {
            let minus = self.take("-");
            if !minus {
                self.take("+");
            }
            let value = self.plain_number().ok_or_else(|| self.unexpected("@", "timestamp"))?;
            let value = if minus { -value } else { value };
            if !value.is_finite() || value.abs() >= 9_223_372_036_854_775.0 {
                return Err(self.flaw(expr.span, format!("timestamp out of bounds for @ modifier: {value:.6}")));
            }
            At::Time((value * 1000.0).round() as i64)
        };
        let (span, end) = (expr.span, self.last_end());
        let Some(shift) = shift_of(&mut expr) else {
            return Err(self.flaw(span, "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery"));
        };
        if shift.at.replace(at).is_some() {
            return Err(self.flaw(span, "@ <timestamp> may not be set multiple times"));
        }
        expr.span.end = end;
        Ok(expr)
    }

    pub(super) fn edges(&mut self, mut expr: Expr) -> Result<Expr, Flaw> {
        let anchored = self.is_word("anchored");
        let name = if anchored { "anchored" } else { "smoothed" };
        let (word, span) = (self.next().span, expr.span);
        if !self.experimental {
            return Err(self.flaw(word, format!("{name} modifier is experimental and not enabled: set query.experimental")));
        }
        let selector = match &mut expr.node {
            Node::Instant(selector) if !anchored => selector,
            Node::Range { selector, .. } => selector,
            Node::Instant(_) => return Err(self.flaw(span, "anchored modifier can only be used with range vector selectors")),
            _ => return Err(self.flaw(span, format!("{name} modifier must be preceded by an instant vector selector or range vector selector"))),
        };
        if selector.edges != Edges::Plain {
            return Err(self.flaw(span, "anchored and smoothed modifiers cannot be used together"));
        }
        selector.edges = if anchored { Edges::Anchored } else { Edges::Smoothed };
        expr.span.end = self.last_end();
        Ok(expr)
    }
}

fn shift_of(expr: &mut Expr) -> Option<&mut Shift> {
    match &mut expr.node {
        Node::Instant(selector) | Node::Range { selector, .. } => Some(&mut selector.shift),
        Node::Subquery { shift, .. } => Some(shift),
        _ => None,
    }
}

type Resolved = (i64, Option<Box<super::super::tree::Length>>);

/// A length in brackets, which must not be nothing; worked out at once where nothing of the query is in it.
fn positive(parser: &Parser, (length, span): (super::super::tree::Length, Span)) -> Result<Resolved, Flaw> {
    match ready(&length) {
        Some(Ready { millis }) if millis <= 0 => Err(parser.flaw(span, "duration must be greater than 0")),
        Some(Ready { millis }) => Ok((millis, None)),
        None => Ok((0, Some(Box::new(length)))),
    }
}

fn matcher(name: &str, op: &str, value: &str) -> Result<Matcher, String> {
    match op {
        "=" => Ok(Matcher::equal(name, value)),
        "!=" => Ok(Matcher::not_equal(name, value)),
        "=~" => Matcher::regex(name, value).map_err(|e| e.to_string()),
        _ => Matcher::not_regex(name, value).map_err(|e| e.to_string()),
    }
}
