//! Text to tree. The only user of promql-parser, so that it can be replaced.
//!
//! The parser recurses and takes time quadratic in the nesting, so length, nesting and the number
//! of operators are bounded before it is called.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use promql_parser::label as theirs_label;
use promql_parser::parser as theirs;

use super::QueryError;
use super::functions;
use super::places;
use super::tree::{AggregateOp, At, BinaryOp, Expr, Grouping, Many, Matching, Selector, Shift};
use crate::model::{METRIC_NAME, Matcher};

const MAX_TEXT_BYTES: usize = 16 << 10;
const MAX_NESTING: usize = 60;
const MAX_OPERATORS: usize = 300;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    let parsed = parse_theirs(text)?;
    convert(parsed, &mut places::places(text))
}

/// Reads a series selector such as `up{job="node"}` (for `match[]`).
///
/// # Errors
/// Anything but a plain selector.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, QueryError> {
    match parse(text)? {
        Expr::Instant(Selector { matchers, shift }) if shift == Shift::default() => Ok(matchers),
        _ => Err(QueryError::Bad(format!("{text:?} is not a series selector such as up{{job=\"node\"}}"))),
    }
}

fn parse_theirs(text: &str) -> Result<theirs::Expr, QueryError> {
    check_size(text)?;
    // The parser is not ours: a panic in it must not reach the caller.
    let parsed = std::panic::catch_unwind(|| theirs::parse(text)).map_err(|_| QueryError::Bad("the expression cannot be parsed".to_owned()))?;
    parsed.map_err(|reason| QueryError::Bad(format!("parse error: {reason}")))
}

/// Bounds what would make the parser slow or deep, by a look at the text alone.
fn check_size(text: &str) -> Result<(), QueryError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(QueryError::Bad(format!("the expression is longer than {MAX_TEXT_BYTES} bytes")));
    }
    let (mut depth, mut deepest, mut operators) = (0usize, 0usize, 0usize);
    let mut chars = text.chars();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c.to_ascii_lowercase());
            continue;
        }
        operators += usize::from(matches!(std::mem::take(&mut word).as_str(), "and" | "or" | "unless" | "atan2"));
        match c {
            '"' | '\'' | '`' => skip_string(&mut chars, c),
            '#' => {
                chars.by_ref().find(|c| *c == '\n');
            }
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' => operators += 1,
            _ => {}
        }
    }
    if deepest > MAX_NESTING {
        return Err(QueryError::Bad(format!("the expression is nested deeper than {MAX_NESTING}")));
    }
    if operators > MAX_OPERATORS {
        return Err(QueryError::Bad(format!("the expression has more than {MAX_OPERATORS} operators")));
    }
    Ok(())
}

fn skip_string(chars: &mut std::str::Chars<'_>, quote: char) {
    while let Some(c) = chars.next() {
        if c == quote {
            return;
        }
        if c == '\\' && quote != '`' {
            chars.next();
        }
    }
}

type Places = VecDeque<places::CallPlaces>;

/// Where the arguments of the next call stand; nowhere if the scan saw another call.
fn take(places: &mut Places, name: &str) -> Vec<String> {
    places.pop_front().filter(|call| call.name == name).map(|call| call.args).unwrap_or_default()
}

fn convert(expr: theirs::Expr, places: &mut Places) -> Result<Expr, QueryError> {
    Ok(match expr {
        theirs::Expr::NumberLiteral(n) => Expr::Number(n.val),
        theirs::Expr::StringLiteral(s) => Expr::Text(s.val),
        theirs::Expr::Paren(p) => convert(*p.expr, places)?,
        theirs::Expr::Unary(u) => match convert(*u.expr, places)? {
            Expr::Number(n) => Expr::Number(-n),
            inner => Expr::Negate(Box::new(inner)),
        },
        theirs::Expr::VectorSelector(vs) => Expr::Instant(selector(vs)?),
        theirs::Expr::MatrixSelector(ms) => Expr::Range { selector: selector(ms.vs)?, range: millis(ms.range) },
        theirs::Expr::Subquery(s) => Expr::Subquery {
            expr: Box::new(convert(*s.expr, places)?),
            range: millis(s.range),
            step: s.step.map(millis).filter(|step| *step > 0),
            shift: shift(s.offset, s.at),
        },
        theirs::Expr::Call(call) => convert_call(call, places)?,
        theirs::Expr::Aggregate(a) => convert_aggregate(a, places)?,
        theirs::Expr::Binary(b) => convert_binary(b, places)?,
        theirs::Expr::Extension(e) => return Err(QueryError::Unsupported(e.expr.name().to_owned())),
    })
}

fn convert_call(call: theirs::Call, places: &mut Places) -> Result<Expr, QueryError> {
    let name = call.func.name;
    let function = functions::find(name).ok_or_else(|| QueryError::Unsupported(format!("the function {name}()")))?;
    let here = take(places, name);
    let args = call.args.args.into_iter().map(|arg| convert(*arg, places)).collect::<Result<Vec<_>, _>>()?;
    Ok(Expr::Call { function, args, places: here })
}

fn convert_aggregate(a: theirs::AggregateExpr, places: &mut Places) -> Result<Expr, QueryError> {
    let word = a.op.to_string();
    let place = take(places, &word).into_iter().next().unwrap_or_default();
    let op = match word.as_str() {
        "sum" => AggregateOp::Sum,
        "avg" => AggregateOp::Avg,
        "min" => AggregateOp::Min,
        "max" => AggregateOp::Max,
        "count" => AggregateOp::Count,
        "group" => AggregateOp::Group,
        "stddev" => AggregateOp::Stddev,
        "stdvar" => AggregateOp::Stdvar,
        "topk" => AggregateOp::Topk,
        "bottomk" => AggregateOp::Bottomk,
        "quantile" => AggregateOp::Quantile,
        "count_values" => AggregateOp::CountValues,
        other => return Err(QueryError::Unsupported(format!("the aggregation {other}"))),
    };
    let grouping = match a.modifier {
        Some(theirs::LabelModifier::Include(l)) => Grouping { labels: l.labels, without: false },
        Some(theirs::LabelModifier::Exclude(l)) => Grouping { labels: l.labels, without: true },
        None => Grouping { labels: Vec::new(), without: false },
    };
    let param = a.param.map(|p| convert(*p, places)).transpose()?.map(Box::new);
    Ok(Expr::Aggregate { op, expr: Box::new(convert(*a.expr, places)?), param, grouping, place })
}

fn convert_binary(b: theirs::BinaryExpr, places: &mut Places) -> Result<Expr, QueryError> {
    let word = b.op.to_string();
    let op = binary_op(&word).ok_or_else(|| QueryError::Unsupported(format!("the operator {word}")))?;
    let modifier = b.modifier.unwrap_or_default();
    if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
        return Err(QueryError::Unsupported("the modifier fill".to_owned()));
    }
    let (many, include) = match modifier.card {
        theirs::VectorMatchCardinality::ManyToOne(l) => (Many::Left, l.labels),
        theirs::VectorMatchCardinality::OneToMany(l) => (Many::Right, l.labels),
        theirs::VectorMatchCardinality::OneToOne | theirs::VectorMatchCardinality::ManyToMany => (Many::Neither, Vec::new()),
    };
    let (on, labels) = match modifier.matching {
        Some(theirs::LabelModifier::Include(l)) => (true, l.labels),
        Some(theirs::LabelModifier::Exclude(l)) => (false, l.labels),
        None => (false, Vec::new()),
    };
    let matching = Matching { on, labels, many, include, return_bool: modifier.return_bool };
    Ok(Expr::Binary { op, lhs: Box::new(convert(*b.lhs, places)?), rhs: Box::new(convert(*b.rhs, places)?), matching })
}

fn binary_op(word: &str) -> Option<BinaryOp> {
    Some(match word {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        "%" => BinaryOp::Mod,
        "^" => BinaryOp::Pow,
        "atan2" => BinaryOp::Atan2,
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        ">" => BinaryOp::Greater,
        "<" => BinaryOp::Less,
        ">=" => BinaryOp::GreaterEqual,
        "<=" => BinaryOp::LessEqual,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        "unless" => BinaryOp::Unless,
        _ => return None,
    })
}

fn selector(vs: theirs::VectorSelector) -> Result<Selector, QueryError> {
    if !vs.matchers.or_matchers.is_empty() {
        return Err(QueryError::Unsupported("`or` inside a selector".to_owned()));
    }
    let mut matchers = Vec::with_capacity(vs.matchers.matchers.len() + 1);
    if let Some(name) = &vs.name {
        matchers.push(Matcher::equal(METRIC_NAME, name));
    }
    for m in vs.matchers.matchers {
        let built = match m.op {
            theirs_label::MatchOp::Equal => Ok(Matcher::equal(&m.name, &m.value)),
            theirs_label::MatchOp::NotEqual => Ok(Matcher::not_equal(&m.name, &m.value)),
            theirs_label::MatchOp::Re(_) => Matcher::regex(&m.name, &m.value),
            theirs_label::MatchOp::NotRe(_) => Matcher::not_regex(&m.name, &m.value),
        };
        matchers.push(built.map_err(|e| QueryError::Bad(format!("parse error: {e}")))?);
    }
    Ok(Selector { matchers, shift: shift(vs.offset, vs.at) })
}

fn shift(offset: Option<theirs::Offset>, at: Option<theirs::AtModifier>) -> Shift {
    let offset = match offset {
        None => 0,
        Some(theirs::Offset::Pos(d)) => millis(d),
        Some(theirs::Offset::Neg(d)) => -millis(d),
    };
    let at = at.map(|at| match at {
        theirs::AtModifier::Start => At::Start,
        theirs::AtModifier::End => At::End,
        theirs::AtModifier::At(time) => At::Time(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        }),
    });
    Shift { offset, at }
}

/// Bounded so that sums of a few of them do not overflow.
fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_too_long_or_too_deep_is_refused_before_parsing() {
        let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
        assert!(matches!(parse(&deep), Err(QueryError::Bad(_))));
        assert!(matches!(parse(&vec!["1"; 400].join("+")), Err(QueryError::Bad(_))));
        assert!(matches!(parse(&"-".repeat(5000)), Err(QueryError::Bad(_))));
        assert!(matches!(parse(&"x".repeat(20_000)), Err(QueryError::Bad(_))));
        assert!(parse(&vec!["x"; 200].join(" or ")).is_ok());
    }

    #[test]
    fn selectors_read_as_matchers() {
        let matchers = parse_selector("up{job=\"node\", x!~\"a.*\"}").unwrap();
        assert_eq!(matchers[0], Matcher::metric("up"));
        assert_eq!(matchers.len(), 3);
        for bad in ["up[5m]", "rate(up[5m])", "up offset 5m", "1", "", "{}", "up{"] {
            assert!(parse_selector(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, part) in [("info(up)", "info"), ("limitk(1, up)", "limitk"), ("histogram_avg(up)", "histogram_avg")] {
            match parse(text) {
                Err(QueryError::Unsupported(what)) => assert!(what.contains(part), "{what}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z0-9(){}\\[\\]+*/=~!,.:\"@ -]{0,60}") {
            let _ = parse(&text);
        }
    }
}
