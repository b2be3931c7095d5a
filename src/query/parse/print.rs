//! A tree as text: on one line, or broken as Prometheus's formatter breaks it.

use super::super::tree::{At, Edges, Expr, Grouping, Length, Many, Matching, Node, Selector, Shift};
use super::quote;
use crate::model::{METRIC_NAME, MatchOp, Matcher};

/// Lines longer than this are broken.
const MAX_LINE: usize = 100;
const INDENT: &str = "  ";

/// On one line. Reading it yields the same tree.
pub(in super::super) fn print(expr: &Expr) -> String {
    match &expr.node {
        Node::Number(v, duration) => number(*v, *duration),
        Node::Text(text) => quote(text),
        Node::Instant(selector) => format!("{}{}{}{}", bare(selector), at(&selector.shift), edges(selector), offset(&selector.shift)),
        Node::Range { selector, range, length } => {
            format!("{}[{}]{}{}{}", bare(selector), length_or(length.as_deref(), *range), edges(selector), at(&selector.shift), offset(&selector.shift))
        }
        Node::Subquery { expr: inner, .. } => format!("{}{}", print(inner), subquery(&expr.node)),
        Node::Call { function, args } => format!("{}({})", function.name, args.iter().map(print).collect::<Vec<_>>().join(", ")),
        Node::Aggregate { op, expr, param, grouping } => {
            let param = param.as_ref().map_or_else(String::new, |param| format!("{}, ", print(param)));
            format!("{}{}({param}{})", op.name(), by(grouping), print(expr))
        }
        Node::Binary { op, lhs, rhs, matching } => format!("{} {}{} {}", print(lhs), op.sign(), modifiers(matching), print(rhs)),
        Node::Negate(inner) => format!("-{}", print(inner)),
        Node::Plus(inner) => format!("+{}", print(inner)),
        Node::Paren(inner) => format!("({})", print(inner)),
    }
}

/// What stands behind the expression of a sub-query.
fn subquery(node: &Node) -> String {
    let Node::Subquery { range, length, step, step_length, shift, .. } = node else { return String::new() };
    let step = match (step_length, step) {
        (Some(length), _) => print_length(length),
        (None, Some(step)) => millis(*step),
        (None, None) => String::new(),
    };
    format!("[{}:{step}]{}{}", length_or(length.as_deref(), *range), at(shift), offset(shift))
}

/// A number as Prometheus prints it: never with an exponent.
pub(in super::super) fn plain(v: f64) -> String {
    if v.is_nan() {
        "NaN".to_owned()
    } else if v.is_infinite() {
        if v > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{v}")
    }
}

fn number(v: f64, duration: bool) -> String {
    if !duration {
        return plain(v);
    }
    let sign = if v < 0.0 { "-" } else { "" };
    format!("{sign}{}", millis((v.abs() * 1000.0).round() as i64))
}

/// A duration as Prometheus prints it: `1h30m`.
fn millis(length: i64) -> String {
    const UNITS: [(&str, u64, bool); 7] = [
        ("y", 31_536_000_000, true),
        ("w", 604_800_000, true),
        ("d", 86_400_000, true),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1000, false),
        ("ms", 1, false),
    ];
    let sign = if length < 0 { "-" } else { "" };
    let mut left = length.unsigned_abs();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut out = sign.to_owned();
    for (unit, size, exact) in UNITS {
        // Years, weeks and days only where nothing is left over.
        let takes = if exact { left.is_multiple_of(size) } else { true };
        if takes && left >= size {
            out.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    out
}

fn print_length(length: &Length) -> String {
    match length {
        Length::Number(v, duration) => number(*v, *duration),
        Length::Step => "step()".to_owned(),
        Length::Range => "range()".to_owned(),
        Length::Min(a, b) => format!("min_of({}, {})", print_length(a), print_length(b)),
        Length::Max(a, b) => format!("max_of({}, {})", print_length(a), print_length(b)),
        Length::Plus(inner) => print_length(inner),
        Length::Minus(inner) => format!("-{}", print_length(inner)),
        Length::Binary(op, a, b) => format!("{} {} {}", print_length(a), op.sign(), print_length(b)),
        Length::Wrapped(inner) => format!("({})", print_length(inner)),
    }
}

fn length_or(length: Option<&Length>, known: i64) -> String {
    length.map_or_else(|| millis(known), print_length)
}

fn at(shift: &Shift) -> String {
    match shift.at {
        None => String::new(),
        Some(At::Start) => " @ start()".to_owned(),
        Some(At::End) => " @ end()".to_owned(),
        Some(At::Time(t)) => format!(" @ {}{}.{:03}", if t < 0 { "-" } else { "" }, t.unsigned_abs() / 1000, t.unsigned_abs() % 1000),
    }
}

fn offset(shift: &Shift) -> String {
    match &shift.length {
        Some(length) => format!(" offset {}", print_length(length)),
        None if shift.offset == 0 => String::new(),
        None => format!(" offset {}", millis(shift.offset)),
    }
}

fn edges(selector: &Selector) -> &'static str {
    match selector.edges {
        Edges::Plain => "",
        Edges::Anchored => " anchored",
        Edges::Smoothed => " smoothed",
    }
}

/// Whether a label or metric may stand without quotes.
fn is_plain(name: &str, colon: bool) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric() || (colon && c == ':'))
}

/// Whether a name may stand before the braces and be read as a name again.
fn is_metric(name: &str) -> bool {
    !["inf", "nan", "bool", "on", "ignoring", "group_left", "group_right"].iter().any(|word| word.eq_ignore_ascii_case(name)) && is_plain(name, true)
}

fn label(name: &str) -> String {
    if is_plain(name, false) { name.to_owned() } else { quote(name) }
}

/// The text that a matcher compares with.
pub(in super::super) fn value_of(matcher: &Matcher) -> &str {
    match &matcher.op {
        MatchOp::Equal(value) | MatchOp::NotEqual(value) => value,
        MatchOp::Regex(pattern) | MatchOp::NotRegex(pattern) => pattern.as_str(),
    }
}

/// A matcher's sign.
pub(in super::super) fn sign_of(matcher: &Matcher) -> &'static str {
    match &matcher.op {
        MatchOp::Equal(_) => "=",
        MatchOp::NotEqual(_) => "!=",
        MatchOp::Regex(_) => "=~",
        MatchOp::NotRegex(_) => "!~",
    }
}

/// Name and matchers.
fn bare(selector: &Selector) -> String {
    let name = selector.name.as_deref();
    let is_name = |m: &Matcher| m.name == METRIC_NAME && name.is_some_and(|name| !name.is_empty() && m.op == MatchOp::Equal(name.to_owned()));
    let mut inside: Vec<String> =
        selector.matchers.iter().filter(|m| !is_name(m)).map(|m| format!("{}{}{}", label(&m.name), sign_of(m), quote(value_of(m)))).collect();
    inside.sort();
    let mut before = "";
    match name.filter(|name| !name.is_empty()) {
        Some(name) if is_metric(name) => before = name,
        Some(name) => inside.insert(0, quote(name)),
        None => {}
    }
    if inside.is_empty() && !before.is_empty() { before.to_owned() } else { format!("{before}{{{}}}", inside.join(",")) }
}

fn labels(labels: &[String]) -> String {
    labels.iter().map(|name| label(name)).collect::<Vec<_>>().join(", ")
}

fn by(grouping: &Grouping) -> String {
    match (grouping.without, grouping.labels.is_empty()) {
        (true, _) => format!(" without ({}) ", labels(&grouping.labels)),
        (false, false) => format!(" by ({}) ", labels(&grouping.labels)),
        (false, true) => String::new(),
    }
}

/// What stands between an operator and its right side.
fn modifiers(matching: &Matching) -> String {
    let mut out = String::new();
    if matching.return_bool {
        out.push_str(" bool");
    }
    if !matching.labels.is_empty() || matching.on || matching.many != Many::Neither {
        out.push_str(&format!(" {} ({})", if matching.on { "on" } else { "ignoring" }, labels(&matching.labels)));
    }
    match matching.many {
        Many::Neither => {}
        Many::Left => out.push_str(&format!(" group_left ({})", labels(&matching.include))),
        Many::Right => out.push_str(&format!(" group_right ({})", labels(&matching.include))),
    }
    match matching.fill {
        (Some(a), Some(b)) if a.to_bits() == b.to_bits() => out.push_str(&format!(" fill ({})", plain(a))),
        (a, b) => {
            out.push_str(&a.map_or_else(String::new, |a| format!(" fill_left ({})", plain(a))));
            out.push_str(&b.map_or_else(String::new, |b| format!(" fill_right ({})", plain(b))));
        }
    }
    out
}

/// Broken into lines where it is long.
pub(in super::super) fn pretty(expr: &Expr) -> String {
    indented(expr, 0)
}

fn indented(expr: &Expr, level: usize) -> String {
    let (pad, line) = (INDENT.repeat(level), print(expr));
    if line.len() <= MAX_LINE {
        return format!("{pad}{line}");
    }
    match &expr.node {
        Node::Call { function, args } => format!("{pad}{}(\n{}\n{pad})", function.name, joined(args.iter(), level + 1)),
        Node::Aggregate { op, expr, param, grouping } => {
            let args = param.iter().map(|p| &**p).chain([&**expr]);
            format!("{pad}{}{}(\n{}\n{pad})", op.name(), by(grouping), joined(args, level + 1))
        }
        Node::Binary { op, lhs, rhs, matching } => {
            format!("{}\n{pad}{}{}\n{}", indented(lhs, level + 1), op.sign(), modifiers(matching), indented(rhs, level + 1))
        }
        Node::Paren(inner) => format!("{pad}(\n{}\n{pad})", indented(inner, level + 1)),
        Node::Negate(inner) => format!("{pad}-{}", indented(inner, level).trim_start()),
        Node::Plus(inner) => format!("{pad}+{}", indented(inner, level).trim_start()),
        Node::Subquery { expr: inner, .. } => format!("{}{}", indented(inner, level), subquery(&expr.node)),
        Node::Number(..) | Node::Text(_) | Node::Instant(_) | Node::Range { .. } => format!("{pad}{line}"),
    }
}

fn joined<'a>(args: impl Iterator<Item = &'a Expr>, level: usize) -> String {
    args.map(|arg| indented(arg, level)).collect::<Vec<_>>().join(",\n")
}
