//! An expression as its tree in JSON and as formatted text, as Prometheus's `parse_query` and `format_query` give them.

use serde_json::{Value, json};

use super::QueryError;
use super::parse::{self, sign_of, value_of};
use super::tree::{At, Edges, Expr, Many, Matching, Node, Selector, Shift};

/// The expression, broken into lines where it is long.
///
/// # Errors
/// It is malformed.
pub fn format_expr(text: &str) -> Result<String, QueryError> {
    Ok(parse::pretty(&parse::parse(text, true)?))
}

/// The tree of an expression.
///
/// # Errors
/// It is malformed.
pub fn syntax_tree(text: &str) -> Result<Value, QueryError> {
    Ok(tree(&parse::parse(text, true)?))
}

fn tree(expr: &Expr) -> Value {
    match &expr.node {
        Node::Number(v, _) => json!({ "type": "numberLiteral", "val": parse::plain(*v) }),
        Node::Text(text) => json!({ "type": "stringLiteral", "val": text }),
        Node::Paren(inner) => json!({ "type": "parenExpr", "expr": tree(inner) }),
        Node::Negate(inner) => json!({ "type": "unaryExpr", "op": "-", "expr": tree(inner) }),
        Node::Plus(inner) => json!({ "type": "unaryExpr", "op": "+", "expr": tree(inner) }),
        Node::Instant(selector) => selected(selector, json!({ "type": "vectorSelector" })),
        Node::Range { selector, range, .. } => selected(selector, json!({ "type": "matrixSelector", "range": range })),
        Node::Subquery { expr, range, step, shift, .. } => {
            let node = json!({ "type": "subquery", "expr": tree(expr), "range": range, "step": step.unwrap_or(0) });
            shifted(shift, node)
        }
        Node::Call { function, args } => json!({
            "type": "call",
            "func": {
                "name": function.name,
                "argTypes": function.args.iter().map(|kind| short(*kind)).collect::<Vec<_>>(),
                "variadic": function.variadic,
                "returnType": short(function.returns),
            },
            "args": args.iter().map(tree).collect::<Vec<_>>(),
        }),
        Node::Aggregate { op, expr, param, grouping } => json!({
            "type": "aggregation",
            "op": op.name(),
            "expr": tree(expr),
            "param": param.as_ref().map(|param| tree(param)),
            "grouping": grouping.labels,
            "without": grouping.without,
        }),
        Node::Binary { op, lhs, rhs, matching } => json!({
            "type": "binaryExpr",
            "op": op.sign(),
            "lhs": tree(lhs),
            "rhs": tree(rhs),
            "matching": matches(matching, op.is_set()),
            "bool": matching.return_bool,
        }),
    }
}

fn short(kind: super::tree::Type) -> &'static str {
    use super::tree::Type;
    match kind {
        Type::Scalar => "scalar",
        Type::Text => "string",
        Type::Vector => "vector",
        Type::Matrix => "matrix",
    }
}

fn matches(matching: &Matching, is_set: bool) -> Value {
    let card = match matching.many {
        _ if is_set => "many-to-many",
        Many::Neither => "one-to-one",
        Many::Left => "many-to-one",
        Many::Right => "one-to-many",
    };
    json!({
        "card": card,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": { "lhs": matching.fill.0, "rhs": matching.fill.1 },
    })
}

fn selected(selector: &Selector, node: Value) -> Value {
    let matchers: Vec<Value> = selector.matchers.iter().map(|m| json!({ "name": m.name, "type": sign_of(m), "value": value_of(m) })).collect();
    let mut node = shifted(&selector.shift, node);
    node["name"] = json!(selector.name.as_deref().unwrap_or(""));
    node["matchers"] = json!(matchers);
    node["anchored"] = json!(selector.edges == Edges::Anchored);
    node["smoothed"] = json!(selector.edges == Edges::Smoothed);
    node
}

fn shifted(shift: &Shift, mut node: Value) -> Value {
    node["offset"] = json!(shift.offset);
    node["timestamp"] = match shift.at {
        Some(At::Time(t)) => json!(t),
        _ => Value::Null,
    };
    node["startOrEnd"] = match shift.at {
        Some(At::Start) => json!("start"),
        Some(At::End) => json!("end"),
        _ => Value::Null,
    };
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_names_its_parts() {
        let found = syntax_tree("sum by (a) (rate(x{b!=\"c\"}[5m] offset 1m)) > bool 2").unwrap();
        assert_eq!(found["type"], "binaryExpr");
        assert_eq!(found["lhs"]["expr"]["func"]["name"], "rate");
        assert_eq!(found["lhs"]["expr"]["args"][0]["range"], 300_000);
        assert_eq!(found["lhs"]["expr"]["args"][0]["matchers"][0], json!({ "name": "b", "type": "!=", "value": "c" }));
    }

    #[test]
    fn short_expressions_stay_on_one_line() {
        assert_eq!(format_expr("sum(  x)by(a)+1").unwrap(), "sum by (a) (x) + 1");
        assert!(format_expr(&format!("sum({} + {})", "x".repeat(80), "y".repeat(80))).unwrap().contains("\n  "));
    }
}
