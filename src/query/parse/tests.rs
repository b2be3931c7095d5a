//! Reading: the words of errors and their places, bounds, and that printing and reading again is the identity.

use proptest::prelude::*;

use super::{find_flaw, parse, pretty, print};

fn fault(text: &str) -> String {
    parse(text, true).map(|expr| print(&expr)).unwrap_err().to_string()
}

#[test]
fn faults_say_where_and_what_in_the_words_of_prometheus() {
    for (text, want) in [
        ("", "1:1: parse error: no expression found in input"),
        ("sum(", "1:5: parse error: unclosed left parenthesis"),
        ("1 +", "1:4: parse error: unexpected end of input"),
        ("foo{", "1:5: parse error: unexpected end of input inside braces"),
        ("a b", "1:3: parse error: unexpected identifier \"b\""),
        ("nosuch(x)", "1:1: parse error: unknown function with name \"nosuch\""),
        ("rate(up)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("foo and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("\n  foo offset", "2:13: parse error: unexpected end of input in offset, expected number, duration, step(), or range()"),
        ("x[0s]", "1:3: parse error: duration must be greater than 0"),
        ("foo[5m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"),
        ("sum(1, x)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2"),
        ("a)", "1:2: parse error: unexpected right parenthesis ')'"),
        ("\"open", "1:1: parse error: unterminated quoted string"),
    ] {
        assert_eq!(fault(text), want, "{text}");
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    for text in [format!("{}1{}", "(".repeat(200), ")".repeat(200)), "-".repeat(300) + "1", "1+".repeat(400) + "1", "x".repeat(70_000)] {
        assert!(find_flaw(&text, true).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn printing_and_reading_again_is_the_identity() {
    for text in [
        "sum by (a, \"b c\") (rate(x{a=~\"b|c\"}[5m] offset 1h)) / on (a) group_left (z) y > bool 3",
        "-(2 ^ 3) ^ 2 - -x + +y",
        "x @ end() offset -5m or max_over_time({\"strange name\",a=\"1\"}[1h:5m] @ 12.345)",
        "max_over_time(rate(x[5m * 2 + step()])[1h:])",
        "a + fill_left (1) fill_right (2) b",
        "topk without (x) (3, h >/ 1.5) </ 2",
        "count_values(\"l\", x) and ignoring (a) y unless z",
        "histogram_quantile(0.9, rate(h[1h30m] anchored))",
        "info(x, {a=\"b\"})",
        "5m + 1.5e3 + Inf",
    ] {
        let once = parse(text, true).unwrap_or_else(|e| unreachable!("{text}: {e}"));
        let printed = print(&once);
        let twice = parse(&printed, true).unwrap_or_else(|e| unreachable!("{printed}: {e}"));
        assert_eq!(printed, print(&twice));
        assert!(pretty(&once).split_whitespace().collect::<String>().len() >= printed.split_whitespace().collect::<String>().len());
        assert_eq!(print(&parse(&pretty(&once), true).unwrap()), printed);
    }
}

#[test]
fn offsets_take_one_thing_and_brackets_arithmetic() {
    for (text, want) in [
        ("x offset 100 + 2", "x offset 1m40s + 2"),
        ("x offset -2 * 2", "x offset -2s * 2"),
        ("x offset (2 ^ 2)", "x offset (2 ^ 2)"),
        ("x offset min_of(step(), 1s)+8000", "x offset min_of(step(), 1s) + 8000"),
        ("x[24m+((1.5*2m)+2m)]", "x[24m + ((1.5 * 2m) + 2m)]"),
    ] {
        let expr = find_flaw(text, true).unwrap_or_else(|flaw| unreachable!("{text}: {flaw:?}"));
        assert_eq!(print(&expr), want);
    }
}

#[test]
fn what_is_experimental_needs_the_setting() {
    for text in ["info(x)", "limitk(1, x)", "x smoothed", "x[step()]", "a + fill(0) b", "sort_by_label(x, \"a\")"] {
        assert!(parse(text, true).is_ok(), "{text}");
        assert!(parse(text, false).unwrap_err().to_string().contains("query.experimental"), "{text}");
    }
    assert!(parse("x[5m * 2] offset (1m + 1s)", false).is_ok());
}

proptest! {
    #[test]
    fn no_text_panics(text in "[ -~\\n]{0,60}") {
        let _ = find_flaw(&text, true);
    }

    #[test]
    fn no_heap_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(vec![
        "sum", "by", "(", ")", "[", "]", "{", "}", "5m", "1.5", "x", "y:z", "\"s\"", ",", "+", "-", "*", "^", "offset", "@", "start()", "on",
        "group_left", "bool", "==", "=~", "=", ":", "and", "rate", "info", "smoothed", "step()", "min_of", "fill", "nan", "é", "'", "`", "#", "\n",
    ]), 0..25)) {
        let text = tokens.join(" ");
        if let Ok(expr) = find_flaw(&text, true) {
            let printed = print(&expr);
            let again = find_flaw(&printed, true);
            prop_assert!(again.is_ok(), "{text} is printed as {printed}: {again:?}");
            prop_assert_eq!(again.map(|e| print(&e)).ok(), Some(printed));
        }
    }
}
