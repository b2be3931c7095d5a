//! Durations in brackets and after `offset`: arithmetic, `step()`, `range()`, `min_of`, `max_of`; and working them out.

use super::super::QueryError;
use super::super::tree::{BinaryOp, Expr, Length, Node, Selector, Shift, Span};
use super::Flaw;
use super::grammar::Parser;
use super::lexer::Token;

/// Lengths are kept below this, so that sums of a few of them do not overflow.
const MAX_MILLIS: f64 = (i64::MAX / 16) as f64;

/// A length that is known without the query.
pub(super) struct Ready {
    pub(super) millis: i64,
}

/// The value of a plain number, signed or not.
pub(super) fn ready(length: &Length) -> Option<Ready> {
    match length {
        Length::Number(seconds, _) => Some(Ready { millis: millis(*seconds) }),
        Length::Minus(inner) => match &**inner {
            Length::Number(seconds, _) => Some(Ready { millis: millis(-*seconds) }),
            _ => None,
        },
        Length::Plus(inner) => match &**inner {
            Length::Number(..) => ready(inner),
            _ => None,
        },
        _ => None,
    }
}

/// Whole milliseconds, as Prometheus rounds.
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round().clamp(-MAX_MILLIS, MAX_MILLIS) as i64
}

impl Parser {
    /// What stands in brackets, and where.
    pub(super) fn length(&mut self, context: &'static str) -> Result<(Length, Span), Flaw> {
        let span = self.span();
        let length = self.sums(0, context)?;
        Ok((length, Span::new(span.start, self.last_end())))
    }

    /// What stands after `offset`: one thing with its sign.
    pub(super) fn short_length(&mut self) -> Result<Length, Flaw> {
        let minus = self.take("-");
        if !minus {
            self.take("+");
        }
        let inner = self.unit("offset")?;
        Ok(if minus { Length::Minus(Box::new(inner)) } else { inner })
    }

    fn sums(&mut self, strength: u8, context: &'static str) -> Result<Length, Flaw> {
        let mut left = self.signed(context)?;
        loop {
            let Token::Sign(sign @ ("+" | "-" | "*" | "/" | "%" | "^")) = self.peek() else { return Ok(left) };
            let Some(op) = BinaryOp::find(sign).filter(|op| op.strength() >= strength) else { return Ok(left) };
            self.next();
            let right = self.sums(op.strength() + u8::from(op != BinaryOp::Pow), context)?;
            left = Length::Binary(op, Box::new(left), Box::new(right));
        }
    }

    fn signed(&mut self, context: &'static str) -> Result<Length, Flaw> {
        if self.take("-") {
            return Ok(Length::Minus(Box::new(self.sums(BinaryOp::Pow.strength(), context)?)));
        }
        if self.take("+") {
            return Ok(Length::Plus(Box::new(self.sums(BinaryOp::Pow.strength(), context)?)));
        }
        self.unit(context)
    }

    fn unit(&mut self, context: &'static str) -> Result<Length, Flaw> {
        let expected = "number, duration, step(), or range()";
        match self.peek().clone() {
            Token::Number(_, seconds) => {
                self.next();
                Ok(Length::Number(seconds, false))
            }
            Token::Duration(_, seconds) => {
                self.next();
                Ok(Length::Number(seconds, true))
            }
            Token::Sign("(") => {
                self.next();
                let inner = self.enclosed(context)?;
                Ok(Length::Wrapped(Box::new(inner)))
            }
            Token::Word(word) => self.function(&word.to_ascii_lowercase(), context),
            _ => Err(self.unexpected(context, expected)),
        }
    }

    /// A length up to its closing parenthesis.
    fn enclosed(&mut self, context: &'static str) -> Result<Length, Flaw> {
        let inner = self.nested(context)?;
        if !self.take(")") {
            return Err(self.unexpected(context, "\")\""));
        }
        Ok(inner)
    }

    fn function(&mut self, word: &str, context: &'static str) -> Result<Length, Flaw> {
        let span = self.span();
        if !matches!(word, "step" | "range" | "min_of" | "max_of") {
            return Err(self.unexpected(context, "number, duration, step(), or range()"));
        }
        self.next();
        if !self.experimental {
            return Err(self.flaw(span, format!("{word}() in a duration is experimental and not enabled: set query.experimental")));
        }
        if !self.take("(") {
            return Err(self.unexpected(context, "\"(\""));
        }
        if matches!(word, "step" | "range") {
            if !self.take(")") {
                return Err(self.unexpected(context, "\")\""));
            }
            return Ok(if word == "step" { Length::Step } else { Length::Range });
        }
        let first = Box::new(self.nested(context)?);
        if !self.take(",") {
            return Err(self.unexpected(context, "\",\""));
        }
        let second = Box::new(self.enclosed(context)?);
        Ok(if word == "min_of" { Length::Min(first, second) } else { Length::Max(first, second) })
    }

    fn nested(&mut self, context: &'static str) -> Result<Length, Flaw> {
        self.deeper(|parser| parser.sums(0, context))
    }
}

/// Step and range of a query in milliseconds: what `step()` and `range()` stand for.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Extent {
    pub(in super::super) step: i64,
    pub(in super::super) range: i64,
}

/// Works out every length of an expression.
pub(in super::super) fn resolve(expr: &mut Expr, extent: Extent) -> Result<(), QueryError> {
    match &mut expr.node {
        Node::Instant(Selector { shift, .. }) => resolve_shift(shift, extent)?,
        Node::Range { selector, range, length } => {
            resolve_shift(&mut selector.shift, extent)?;
            resolve_range(range, length.as_deref(), extent)?;
        }
        Node::Subquery { range, length, step, step_length, shift, .. } => {
            resolve_shift(shift, extent)?;
            resolve_range(range, length.as_deref(), extent)?;
            if let Some(length) = step_length {
                step.replace(positive(length, extent)?);
            }
        }
        _ => {}
    }
    expr.children_mut().into_iter().try_for_each(|child| resolve(child, extent))
}

fn resolve_shift(shift: &mut Shift, extent: Extent) -> Result<(), QueryError> {
    if let Some(length) = &shift.length {
        shift.offset = whole(evaluate(length, extent)?)?;
    }
    Ok(())
}

fn resolve_range(range: &mut i64, length: Option<&Length>, extent: Extent) -> Result<(), QueryError> {
    if let Some(length) = length {
        *range = positive(length, extent)?;
    }
    Ok(())
}

fn positive(length: &Length, extent: Extent) -> Result<i64, QueryError> {
    let seconds = evaluate(length, extent)?;
    if seconds <= 0.0 || seconds.is_nan() {
        return Err(QueryError::Bad("duration must be greater than 0".to_owned()));
    }
    whole(seconds)
}

fn whole(seconds: f64) -> Result<i64, QueryError> {
    if !seconds.is_finite() || seconds.abs() > 9_223_372_036.0 {
        return Err(QueryError::Bad("duration is out of range".to_owned()));
    }
    Ok((seconds * 1000.0) as i64)
}

fn evaluate(length: &Length, extent: Extent) -> Result<f64, QueryError> {
    Ok(match length {
        Length::Number(seconds, _) => *seconds,
        Length::Step => extent.step as f64 / 1000.0,
        Length::Range => extent.range as f64 / 1000.0,
        Length::Min(a, b) => evaluate(a, extent)?.min(evaluate(b, extent)?),
        Length::Max(a, b) => evaluate(a, extent)?.max(evaluate(b, extent)?),
        Length::Plus(inner) | Length::Wrapped(inner) => evaluate(inner, extent)?,
        Length::Minus(inner) => -evaluate(inner, extent)?,
        Length::Binary(op, a, b) => {
            let (a, b) = (evaluate(a, extent)?, evaluate(b, extent)?);
            match op {
                BinaryOp::Add => a + b,
                BinaryOp::Sub => a - b,
                BinaryOp::Mul => a * b,
                BinaryOp::Div if b == 0.0 => return Err(QueryError::Bad("division by zero".to_owned())),
                BinaryOp::Div => a / b,
                BinaryOp::Mod if b == 0.0 => return Err(QueryError::Bad("modulo by zero".to_owned())),
                BinaryOp::Mod => a % b,
                _ => a.powf(b),
            }
        }
    })
}
