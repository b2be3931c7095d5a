//! Expressions: operators by their strength, unary signs, calls, aggregations, literals.

use super::super::functions;
use super::super::tree::{AggregateOp, BinaryOp, Expr, Grouping, Many, Matching, Node, Span};
use super::Flaw;
use super::lexer::{self, Lexed, Token};

/// How deep expressions may be nested.
const MAX_NESTING: usize = 100;
/// How many operators there may be: each makes the tree one deeper at worst.
const MAX_OPERATORS: usize = 300;

/// Reads all of a text.
pub(super) fn expression(text: &str, experimental: bool) -> Result<Expr, Flaw> {
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0, nesting: 0, operators: 0, experimental };
    if parser.peek() == &Token::End {
        return Err(Flaw { span: Span::new(0, 0), message: "no expression found in input".to_owned() });
    }
    let expr = parser.expr(0)?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("", ""));
    }
    Ok(expr)
}

/// The tokens and how far they were read.
pub(super) struct Parser {
    tokens: Vec<Lexed>,
    at: usize,
    nesting: usize,
    operators: usize,
    pub(super) experimental: bool,
}

impl Parser {
    fn current(&self) -> &Lexed {
        // The last token is the end, and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn peek(&self) -> &Token {
        &self.current().token
    }

    fn second(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].token
    }

    pub(super) fn span(&self) -> Span {
        self.current().span
    }

    /// Where the last token read ends.
    pub(super) fn last_end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].span.end
    }

    pub(super) fn next(&mut self) -> Lexed {
        let lexed = self.current().clone();
        self.at += 1;
        lexed
    }

    /// Reads a sign if it stands here.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let here = matches!(self.peek(), Token::Sign(s) if *s == sign);
        self.at += usize::from(here);
        here
    }

    /// Whether this keyword stands here.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if w.eq_ignore_ascii_case(word))
    }

    /// Reads a keyword if it stands here.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let here = self.is_word(word);
        self.at += usize::from(here);
        here
    }

    pub(super) fn flaw(&self, span: Span, message: impl Into<String>) -> Flaw {
        Flaw { span, message: message.into() }
    }

    /// That the token here does not fit, as Prometheus words it.
    pub(super) fn unexpected(&self, context: &str, expected: &str) -> Flaw {
        let mut message = format!("unexpected {}", describe(self.peek()));
        if !context.is_empty() {
            message.push_str(&format!(" in {context}"));
        }
        if !expected.is_empty() {
            message.push_str(&format!(", expected {expected}"));
        }
        Flaw { span: self.span(), message }
    }

    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Flaw>) -> Result<T, Flaw> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.flaw(self.span(), format!("the expression is nested deeper than {MAX_NESTING}")));
        }
        let read = read(self);
        self.nesting -= 1;
        read
    }

    fn operator(&self) -> Option<BinaryOp> {
        match self.peek() {
            Token::Sign(sign) => BinaryOp::find(sign),
            Token::Word(word) => BinaryOp::find(word),
            _ => None,
        }
    }

    /// An expression of operators that bind at least so strongly.
    pub(super) fn expr(&mut self, strength: u8) -> Result<Expr, Flaw> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            while let Some(op) = parser.operator().filter(|op| op.strength() >= strength) {
                parser.operators += 1;
                if parser.operators > MAX_OPERATORS {
                    return Err(parser.flaw(parser.span(), format!("the expression has more than {MAX_OPERATORS} operators")));
                }
                parser.next();
                let matching = parser.modifiers()?;
                let right = parser.expr(op.strength() + u8::from(op != BinaryOp::Pow))?;
                let span = left.span.to(right.span);
                left = Expr { node: Node::Binary { op, lhs: Box::new(left), rhs: Box::new(right), matching }, span };
            }
            Ok(left)
        })
    }

    /// A sign binds as `*` does: `-x^2` is `-(x^2)`.
    fn unary(&mut self) -> Result<Expr, Flaw> {
        let start = self.span();
        let minus = self.take("-");
        if !minus && !self.take("+") {
            return self.postfix();
        }
        let inner = self.expr(BinaryOp::Pow.strength())?;
        let span = start.to(inner.span);
        let node = match inner.node {
            Node::Number(v, duration) => Node::Number(if minus { -v } else { v }, duration),
            _ if minus => Node::Negate(Box::new(inner)),
            _ => Node::Plus(Box::new(inner)),
        };
        Ok(Expr { node, span })
    }

    /// What may stand between an operator and its right side.
    fn modifiers(&mut self) -> Result<Matching, Flaw> {
        let mut matching = Matching { return_bool: self.take_word("bool"), ..Matching::default() };
        let on = self.is_word("on");
        if on || self.is_word("ignoring") {
            self.next();
            matching.on = on;
            matching.labels = self.labels()?;
            let left = self.is_word("group_left");
            if left || self.is_word("group_right") {
                self.next();
                matching.many = if left { Many::Left } else { Many::Right };
                if self.peek() == &Token::Sign("(") {
                    matching.include = self.labels()?;
                }
            }
        }
        self.fills(&mut matching)?;
        Ok(matching)
    }

    /// `fill(…)`, `fill_left(…)`, `fill_right(…)`: only where a number in parentheses follows, for a metric may bear the name.
    fn fills(&mut self, matching: &mut Matching) -> Result<(), Flaw> {
        while let Token::Word(word) = self.peek() {
            let word = word.to_ascii_lowercase();
            if !matches!(word.as_str(), "fill" | "fill_left" | "fill_right") || self.second() != &Token::Sign("(") {
                return Ok(());
            }
            let span = self.span();
            self.next();
            self.next();
            let minus = self.take("-");
            if !minus {
                self.take("+");
            }
            let value = self.plain_number().ok_or_else(|| self.unexpected("fill", "number"))?;
            let value = if minus { -value } else { value };
            if !self.take(")") {
                return Err(self.unexpected("fill", "\")\""));
            }
            if !self.experimental {
                return Err(self.flaw(span, "binop fill modifiers are experimental and not enabled: set query.experimental"));
            }
            match word.as_str() {
                "fill" => matching.fill = (Some(value), Some(value)),
                "fill_left" => matching.fill.0 = Some(value),
                _ => matching.fill.1 = Some(value),
            }
        }
        Ok(())
    }

    /// A number, a duration, `Inf` or `NaN`.
    pub(super) fn plain_number(&mut self) -> Option<f64> {
        let value = match self.peek() {
            Token::Number(_, v) | Token::Duration(_, v) => *v,
            Token::Word(word) => word_number(word)?,
            _ => return None,
        };
        self.next();
        Some(value)
    }

    /// Labels in parentheses.
    fn labels(&mut self) -> Result<Vec<String>, Flaw> {
        if !self.take("(") {
            return Err(self.unexpected("grouping opts", "\"(\""));
        }
        let mut out = Vec::new();
        loop {
            if self.take(")") {
                return Ok(out);
            }
            match self.peek().clone() {
                Token::Word(word) if !word.contains(':') => out.push(word),
                Token::Text(text) if !text.is_empty() => out.push(text),
                Token::Text(text) => return Err(self.flaw(self.span(), format!("invalid label name for grouping: {}", super::quote(&text)))),
                _ => return Err(self.unexpected("grouping opts", "label")),
            }
            self.next();
            if !self.take(",") && self.peek() != &Token::Sign(")") {
                return Err(self.unexpected("grouping opts", "\",\" or \")\""));
            }
        }
    }

    fn postfix(&mut self) -> Result<Expr, Flaw> {
        let mut expr = self.primary()?;
        loop {
            expr = if self.peek() == &Token::Sign("[") {
                self.brackets(expr)?
            } else if self.is_word("offset") {
                self.offset(expr)?
            } else if self.peek() == &Token::Sign("@") {
                self.at_time(expr)?
            } else if self.is_word("anchored") || self.is_word("smoothed") {
                self.edges(expr)?
            } else {
                return Ok(expr);
            };
        }
    }

    fn primary(&mut self) -> Result<Expr, Flaw> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(_, v) => self.literal(Node::Number(v, false)),
            Token::Duration(_, v) => self.literal(Node::Number(v, true)),
            Token::Text(text) => self.literal(Node::Text(text)),
            Token::Sign("(") => {
                self.next();
                let inner = self.expr(0)?;
                if !self.take(")") {
                    return Err(self.unexpected("", ""));
                }
                Ok(Expr { node: Node::Paren(Box::new(inner)), span: Span::new(span.start, self.last_end()) })
            }
            Token::Sign("{") => self.selector(None, span),
            Token::Word(word) => self.word(word, span),
            _ => Err(self.unexpected("", "")),
        }
    }

    fn literal(&mut self, node: Node) -> Result<Expr, Flaw> {
        let span = self.next().span;
        Ok(Expr { node, span })
    }

    fn word(&mut self, word: String, span: Span) -> Result<Expr, Flaw> {
        let followed_by = |parser: &Self, sign: &str| matches!(parser.second(), Token::Sign(s) if *s == sign);
        if let Some(op) = AggregateOp::find(&word)
            && (followed_by(self, "(") || matches!(self.second(), Token::Word(w) if w.eq_ignore_ascii_case("by") || w.eq_ignore_ascii_case("without")))
        {
            self.next();
            return self.aggregate(op, span);
        }
        if let Some(value) = word_number(&word) {
            return self.literal(Node::Number(value, false));
        }
        if followed_by(self, "(") && !is_keyword(&word) {
            self.next();
            return self.call(&word, span);
        }
        if matches!(word.to_ascii_lowercase().as_str(), "bool" | "on" | "ignoring" | "group_left" | "group_right") {
            return Err(self.unexpected("", ""));
        }
        self.next();
        self.selector(Some(word), span)
    }

    fn call(&mut self, name: &str, span: Span) -> Result<Expr, Flaw> {
        let args = self.arguments()?;
        let span = Span::new(span.start, self.last_end());
        let name_span = Span::new(span.start, span.start + name.len());
        let function = functions::find(name).ok_or_else(|| self.flaw(name_span, format!("unknown function with name {}", super::quote(name))))?;
        if function.experimental && !self.experimental {
            return Err(self.flaw(name_span, format!("function {} is not enabled: set query.experimental", super::quote(name))));
        }
        Ok(Expr { node: Node::Call { function, args }, span })
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Flaw> {
        if !self.take("(") {
            return Err(self.unexpected("aggregation", ""));
        }
        let mut args = Vec::new();
        if self.take(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expr(0)?);
            let comma = self.span();
            if self.take(")") {
                return Ok(args);
            }
            if !self.take(",") {
                return Err(self.unexpected("", ""));
            }
            if self.peek() == &Token::Sign(")") {
                return Err(self.flaw(comma, "trailing commas not allowed in function call args"));
            }
        }
    }

    fn aggregate(&mut self, op: AggregateOp, span: Span) -> Result<Expr, Flaw> {
        let mut grouping = self.grouping()?;
        let mut args = self.arguments()?;
        let mut end = self.last_end();
        if grouping.is_none() {
            grouping = self.grouping()?;
            end = self.last_end();
        }
        let span = Span::new(span.start, end);
        if op.is_experimental() && !self.experimental {
            return Err(self.flaw(span, format!("{}() is experimental and must be enabled with query.experimental", op.name())));
        }
        let wanted = 1 + usize::from(op.has_parameter());
        if args.is_empty() {
            return Err(self.flaw(span, "no arguments for aggregate expression provided"));
        }
        if args.len() != wanted {
            return Err(self.flaw(span, format!("wrong number of arguments for aggregate expression provided, expected {wanted}, got {}", args.len())));
        }
        let Some(expr) = args.pop() else { return Err(self.unexpected("aggregation", "")) };
        let param = args.pop().map(Box::new);
        let grouping = grouping.unwrap_or(Grouping { labels: Vec::new(), without: false });
        Ok(Expr { node: Node::Aggregate { op, expr: Box::new(expr), param, grouping }, span })
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Flaw> {
        let without = self.is_word("without");
        if !without && !self.is_word("by") {
            return Ok(None);
        }
        self.next();
        Ok(Some(Grouping { labels: self.labels()?, without }))
    }
}

/// Words that open no call of a function.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 13] = ["and", "or", "unless", "atan2", "bool", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "smoothed"];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn word_number(word: &str) -> Option<f64> {
    if word.eq_ignore_ascii_case("inf") {
        Some(f64::INFINITY)
    } else if word.eq_ignore_ascii_case("nan") {
        Some(f64::NAN)
    } else {
        None
    }
}

/// A token as Prometheus describes it.
fn describe(token: &Token) -> String {
    match token {
        Token::End => "end of input".to_owned(),
        Token::Number(text, _) => format!("number {}", shortened(text)),
        Token::Duration(text, _) => format!("duration {}", shortened(text)),
        Token::Text(text) => format!("string {}", shortened(&super::quote(text))),
        Token::Sign(sign) => match BinaryOp::find(sign) {
            Some(_) => format!("<op:{sign}>"),
            None if matches!(*sign, "=~" | "!~" | "@") => format!("<op:{sign}>"),
            None => format!("\"{sign}\""),
        },
        Token::Word(word) => {
            if AggregateOp::find(word).is_some() {
                format!("<aggr:{word}>")
            } else if BinaryOp::find(word).is_some() {
                format!("<op:{word}>")
            } else if is_keyword(word) {
                format!("<{word}>")
            } else if word_number(word).is_some() {
                format!("number \"{word}\"")
            } else if word.contains(':') {
                format!("metric identifier \"{word}\"")
            } else {
                format!("identifier \"{word}\"")
            }
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 10 { format!("{}...", super::quote(&text.chars().take(10).collect::<String>())) } else { super::quote(text) }
}
