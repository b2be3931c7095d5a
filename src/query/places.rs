//! Where in the text the arguments of each call stand, for the warnings about them. The parser does
//! not tell, so the text is scanned once; calls come in the order of their opening parentheses,
//! which is the order in which the tree is built.

use std::collections::VecDeque;

/// The name of a call and `line:column` of each of its arguments.
#[derive(Debug, PartialEq)]
pub(super) struct CallPlaces {
    pub(super) name: String,
    pub(super) args: Vec<String>,
}

/// What an open parenthesis belongs to.
enum Frame {
    Call(usize),
    /// Labels after `by` or `without`, and the aggregation that goes on behind them.
    Labels(Option<String>),
    Other,
}

#[derive(Default)]
struct Scan {
    calls: VecDeque<CallPlaces>,
    stack: Vec<Frame>,
    pending: Option<String>,
    labels_next: bool,
    awaiting: bool,
}

/// Scans an expression.
pub(super) fn places(text: &str) -> VecDeque<CallPlaces> {
    let mut scan = Scan::default();
    let (mut line, mut line_start) = (1, 0);
    let mut i = 0;
    while let Some(c) = text[i..].chars().next() {
        if c.is_whitespace() {
            if c == '\n' {
                (line, line_start) = (line + 1, i + 1);
            }
            i += c.len_utf8();
        } else if c == '#' {
            i = text[i..].find('\n').map_or(text.len(), |n| i + n);
        } else {
            let len = token_len(&text[i..], c);
            scan.token(&text[i..i + len], &format!("{line}:{}", i - line_start + 1));
            i += len;
        }
    }
    scan.calls
}

/// The length of a word, a string, a set of matchers, or of one other character.
fn token_len(text: &str, first: char) -> usize {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
    if word(first) {
        return text.find(|c| !word(c)).unwrap_or(text.len());
    }
    let mut quote = matches!(first, '"' | '\'' | '`').then_some(first);
    if quote.is_none() && first != '{' {
        return first.len_utf8();
    }
    let in_braces = first == '{';
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(q) if c == '\\' && q != '`' => escaped = true,
            Some(q) if c == q && in_braces => quote = None,
            Some(q) if c == q => return i + 1,
            Some(_) => {}
            None if c == '}' => return i + 1,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => {}
        }
    }
    text.len()
}

impl Scan {
    fn token(&mut self, token: &str, place: &str) {
        if let (true, Some(Frame::Call(call))) = (std::mem::take(&mut self.awaiting), self.stack.last())
            && token != ")"
        {
            self.calls[*call].args.push(place.to_owned());
        }
        match token {
            "(" if std::mem::take(&mut self.labels_next) => self.stack.push(Frame::Labels(self.pending.take())),
            "(" => match self.pending.take() {
                Some(name) => {
                    self.stack.push(Frame::Call(self.calls.len()));
                    self.calls.push_back(CallPlaces { name, args: Vec::new() });
                    self.awaiting = true;
                }
                None => self.stack.push(Frame::Other),
            },
            ")" => self.pending = if let Some(Frame::Labels(name)) = self.stack.pop() { name } else { None },
            "," => self.awaiting = matches!(self.stack.last(), Some(Frame::Call(_))),
            _ if matches!(self.stack.last(), Some(Frame::Labels(_))) => {}
            _ => self.word(token),
        }
    }

    fn word(&mut self, token: &str) {
        match token.to_ascii_lowercase().as_str() {
            "by" | "without" => self.labels_next = true,
            "on" | "ignoring" | "group_left" | "group_right" | "and" | "or" | "unless" | "bool" | "offset" | "atan2" => self.pending = None,
            word => self.pending = word.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_in_order_of_calls() {
        let found = places("histogram_quantile(0.8, sum by (le, rate) (rate(x{a=\"(\"}[5m])))\n + on (sum) max(y)");
        let shown: Vec<String> = found.iter().map(|c| format!("{} {}", c.name, c.args.join(" "))).collect();
        assert_eq!(shown, ["histogram_quantile 1:20 1:25", "sum 1:44", "rate 1:49", "max 2:17"]);
    }
}
