//! Types and arguments of what was read, with Prometheus's words for what does not fit.

use super::super::tree::{AggregateOp, BinaryOp, Expr, Many, Matching, Node, Selector, Span, Type};
use super::Flaw;

/// Checks an expression and all its parts.
pub(super) fn check(expr: &Expr, text: &str) -> Result<(), Flaw> {
    expr.children().into_iter().enumerate().try_for_each(|(i, child)| {
        // The second argument of `info` selects nothing by itself.
        let bypass = i == 1 && matches!(&expr.node, Node::Call { function, .. } if function.name == "info");
        if bypass { Ok(()) } else { check(child, text) }
    })?;
    match &expr.node {
        Node::Instant(selector) | Node::Range { selector, .. } => check_selector(expr, selector),
        Node::Subquery { expr: inner, .. } => match inner.kind() {
            Type::Vector => Ok(()),
            other => flaw(expr.span, format!("subquery is only allowed on instant vector, got {} instead", short(other))),
        },
        Node::Negate(inner) | Node::Plus(inner) => match inner.kind() {
            Type::Scalar | Type::Vector => Ok(()),
            other => flaw(expr.span, format!("unary expression only allowed on expressions of type scalar or instant vector, got {:?}", other.documented())),
        },
        Node::Aggregate { op, expr: inner, param, .. } => check_aggregate(*op, inner, param.as_deref()),
        Node::Binary { op, lhs, rhs, matching } => check_binary(*op, lhs, rhs, matching, text, expr.span),
        Node::Call { .. } => check_call(expr),
        Node::Number(..) | Node::Text(_) | Node::Paren(_) => Ok(()),
    }
}

fn flaw(span: Span, message: impl Into<String>) -> Result<(), Flaw> {
    Err(Flaw { span, message: message.into() })
}

fn short(kind: Type) -> &'static str {
    match kind {
        Type::Scalar => "scalar",
        Type::Text => "string",
        Type::Vector => "vector",
        Type::Matrix => "matrix",
    }
}

fn check_selector(expr: &Expr, selector: &Selector) -> Result<(), Flaw> {
    if selector.name.is_none() && selector.matchers.iter().all(|m| m.accepts("")) {
        return flaw(expr.span, "vector selector must contain at least one non-empty matcher");
    }
    Ok(())
}

fn expect(expr: &Expr, want: Type, context: &str) -> Result<(), Flaw> {
    let got = expr.kind();
    if got == want { Ok(()) } else { flaw(expr.span, format!("expected type {} in {context}, got {}", want.documented(), got.documented())) }
}

fn check_aggregate(op: AggregateOp, expr: &Expr, param: Option<&Expr>) -> Result<(), Flaw> {
    expect(expr, Type::Vector, "aggregation expression")?;
    let Some(param) = param else { return Ok(()) };
    expect(param, if op == AggregateOp::CountValues { Type::Text } else { Type::Scalar }, "aggregation parameter")
}

fn check_binary(op: BinaryOp, lhs: &Expr, rhs: &Expr, matching: &Matching, text: &str, span: Span) -> Result<(), Flaw> {
    let (left, right) = (lhs.kind(), rhs.kind());
    let operator = operator_span(lhs, rhs, text);
    if matching.return_bool && !op.is_comparison() {
        return flaw(operator, "bool modifier can only be used on comparison operators");
    }
    if op.is_comparison() && !matching.return_bool && left == Type::Scalar && right == Type::Scalar {
        return flaw(operator, "comparisons between scalars must use BOOL modifier");
    }
    if matching.on
        && let Some(label) = matching.labels.iter().find(|label| matching.include.contains(label))
    {
        return flaw(operator, format!("label {label:?} must not occur in ON and GROUP clause at once"));
    }
    for (side, kind) in [(lhs, left), (rhs, right)] {
        if !matches!(kind, Type::Scalar | Type::Vector) {
            return flaw(side.span, "binary expression must contain only scalar and instant vector types");
        }
    }
    let fills = matching.fill != (None, None);
    if left != Type::Vector || right != Type::Vector {
        if !matching.labels.is_empty() {
            return flaw(span, "vector matching only allowed between instant vectors");
        }
        if fills {
            return flaw(span, "filling in missing series only allowed between instant vectors");
        }
        if op.is_set() {
            return flaw(span, format!("set operator {:?} not allowed in binary scalar expression", op.sign()));
        }
    } else if op.is_set() {
        if matching.many != Many::Neither {
            return flaw(span, format!("no grouping allowed for {:?} operation", op.sign()));
        }
        if fills {
            return flaw(span, "filling in missing series not allowed for set operators");
        }
    }
    Ok(())
}

/// Where the operator stands, blanks around it left out.
fn operator_span(lhs: &Expr, rhs: &Expr, text: &str) -> Span {
    let between = text.get(lhs.span.end..rhs.span.start).unwrap_or("");
    let start = lhs.span.end + (between.len() - between.trim_start().len());
    Span::new(start, start + between.trim().len())
}

fn check_call(expr: &Expr) -> Result<(), Flaw> {
    let Node::Call { function, args } = &expr.node else { return Ok(()) };
    let (name, types) = (function.name, function.args);
    let count = args.len();
    if function.variadic == 0 {
        if types.len() != count {
            return flaw(expr.span, format!("expected {} argument(s) in call to {name:?}, got {count}", types.len()));
        }
    } else {
        let least = types.len() - 1;
        if count < least {
            return flaw(expr.span, format!("expected at least {least} argument(s) in call to {name:?}, got {count}"));
        }
        let most = usize::try_from(function.variadic).map_or(usize::MAX, |more| least + more);
        if count > most {
            return flaw(expr.span, format!("expected at most {most} argument(s) in call to {name:?}, got {count}"));
        }
    }
    if name == "info"
        && let Some(labels) = args.get(1)
    {
        match &labels.node {
            Node::Instant(selector) if selector.name.is_some() => return flaw(labels.span, "expected label selectors only, got vector selector instead"),
            Node::Instant(_) => {}
            _ => return flaw(labels.span, "expected label selectors only"),
        }
    }
    for (i, arg) in args.iter().enumerate() {
        let want = types[i.min(types.len() - 1)];
        expect(arg, want, &format!("call to function {name:?}"))?;
    }
    Ok(())
}
