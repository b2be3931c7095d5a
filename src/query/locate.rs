//! Where a malformed expression goes wrong. The parser does not tell, so the text is read once more,
//! as a row of values and of what joins them: the first token that does not fit is the place. What
//! fits as a row is looked up by the name that the reason quotes.

/// Words that join two values.
const JOINERS: [&str; 4] = ["and", "or", "unless", "atan2"];
/// Words that follow a value or a joiner and change neither.
const MODIFIERS: [&str; 9] = ["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "keep_metric_names"];

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    Joiner,
}

struct Token<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

/// The character, counted from 1, at which `text` is wrong; `reason` is what the parser said.
pub(super) fn locate(text: &str, reason: &str) -> usize {
    let at = misfit(text).or_else(|| named(text, reason)).unwrap_or(0);
    text.get(..at).map_or(1, |before| before.chars().count() + 1)
}

/// The place of the last word of the reason that stands in quotes and in the text.
fn named(text: &str, reason: &str) -> Option<usize> {
    reason.split(['"', '`', '\'', ' ', '(', ')', ':']).filter(|word| word.len() > 1).filter_map(|word| word_at(text, word)).next_back()
}

fn word_at(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The byte at which the row of tokens breaks; `None`: it does not.
fn misfit(text: &str) -> Option<usize> {
    let mut open: Vec<Token<'_>> = Vec::new();
    let mut next = Next::Value;
    let mut before = "";
    let mut at = 0;
    while let Some(token) = token(text, at) {
        at = token.at + token.text.len();
        let first = token.text.chars().next().unwrap_or(' ');
        match first {
            '(' => {
                // After a word: its arguments or labels; else a group, where a value is due.
                if next == Next::Joiner && !is_word(before) && before != ")" && before != "]" && before != "}" {
                    return Some(token.at);
                }
                next = Next::Value;
                open.push(Token { ..token });
            }
            ')' => {
                let opener = open.pop().filter(|o| o.text == "(");
                if opener.is_none() || (next == Next::Value && before != "(" && !is_word(before)) {
                    return Some(token.at);
                }
                next = Next::Joiner;
            }
            '[' | '{' => {
                let closed = close(text, token.at, first);
                match closed {
                    Some(end) => at = end,
                    None => return Some(token.at),
                }
                if first == '[' && next == Next::Value {
                    return Some(token.at);
                }
                next = Next::Joiner;
            }
            ']' | '}' => return Some(token.at),
            '"' | '\'' | '`' => {
                if token.text.len() < 2 || !token.text.ends_with(first) || next == Next::Joiner {
                    return Some(token.at);
                }
                next = Next::Joiner;
            }
            ',' => {
                if open.is_empty() || next == Next::Value {
                    return Some(token.at);
                }
                next = Next::Value;
            }
            '+' | '-' if next == Next::Value => {}
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' => {
                if next == Next::Value || matches!(token.text, "=" | "!" | "=~" | "!~") {
                    return Some(token.at);
                }
                next = Next::Value;
            }
            '@' => next = Next::Value,
            _ if !is_word(token.text) => return Some(token.at),
            _ if JOINERS.contains(&token.text.to_ascii_lowercase().as_str()) => {
                if next == Next::Value {
                    return Some(token.at);
                }
                next = Next::Value;
            }
            _ if MODIFIERS.contains(&token.text.to_ascii_lowercase().as_str()) => {
                if token.text.eq_ignore_ascii_case("offset") {
                    next = Next::Value;
                }
            }
            _ => {
                if next == Next::Joiner && !matches!(before, ")" | "(") {
                    return Some(token.at);
                }
                next = Next::Joiner;
            }
        }
        before = token.text;
    }
    if let Some(opener) = open.last() {
        return Some(opener.at);
    }
    (next == Next::Value).then_some(text.len())
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '$'))
}

/// The token at or after `at`, without white space and comments.
fn token(text: &str, mut at: usize) -> Option<Token<'_>> {
    loop {
        let rest = text.get(at..)?;
        let first = rest.chars().next()?;
        if first.is_whitespace() {
            at += first.len_utf8();
        } else if first == '#' {
            at += rest.find('\n')?;
        } else {
            return Some(Token { text: &rest[..length(rest, first)], at });
        }
    }
}

fn length(rest: &str, first: char) -> usize {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '$');
    if word(first) {
        return rest.find(|c| !word(c)).unwrap_or(rest.len());
    }
    match first {
        '"' | '\'' | '`' => string_end(rest, first),
        '=' | '!' | '<' | '>' if rest[1..].starts_with(['=', '~']) => 2,
        _ => first.len_utf8(),
    }
}

/// The length of a string with its quotes; to the end where it is not closed.
fn string_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The byte after the bracket that closes the one at `at`; strings between are skipped.
fn close(text: &str, at: usize, opener: char) -> Option<usize> {
    let closer = if opener == '[' { "]" } else { "}" };
    let mut next = at + 1;
    while let Some(token) = token(text, next) {
        next = token.at + token.text.len();
        if token.text == closer {
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_that_does_not_fit_is_the_place() {
        for (text, character) in [
            ("sum(rate(x[5m])", 4),
            ("a b", 3),
            ("sum(a) )", 8),
            ("1 + * 2", 5),
            ("up{job=\"node\"", 3),
            ("rate(x[5m)", 7),
            ("a +", 4),
            ("foo{} ; bar", 7),
            ("\"open", 1),
            ("x = 1", 3),
            ("äh + * 1", 6),
        ] {
            assert_eq!(locate(text, "parse error"), character, "{text}");
        }
    }

    #[test]
    fn what_fits_as_a_row_is_found_by_its_name() {
        assert_eq!(locate("1 + nosuch(x)", "unknown function with name \"nosuch\""), 5);
        assert_eq!(locate("rate(up)", "expected type range vector in call to function 'rate', got instant vector"), 1);
    }

    #[test]
    fn good_rows_have_no_misfit() {
        for text in [
            "sum by (a) (rate(x{a=~\"b|c\"}[5m] offset 1h)) / on(a) group_left(b) y > bool 3",
            "sum(x) by (a) and -z or topk(3, w)",
            "time() - x @ end()",
            "max_over_time(rate(x[1m])[1h:5m])",
            "{__name__=\"x\"} # end",
            "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
        ] {
            assert_eq!(misfit(text), None, "{text}");
        }
    }
}
