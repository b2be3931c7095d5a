//! Text to tokens. Knows which characters may stand where (braces and brackets have rules of their
//! own) and no grammar. Faults are worded as Prometheus words them.

use super::super::tree::Span;
use super::Flaw;
use super::quote;

/// What a token is. Words are told apart by the grammar: nearly every keyword may also be a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    End,
    /// A name or keyword, as written.
    Word(String),
    /// A number as written, and its value.
    Number(String, f64),
    /// A duration as written, and its value in seconds.
    Duration(String, f64),
    /// A text, unquoted.
    Text(String),
    /// A parenthesis, a comma, an operator.
    Sign(&'static str),
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) span: Span,
}

const SIGNS: [&str; 24] = ["</", ">/", "==", "!=", "<=", ">=", "=~", "!~", "::", "+", "-", "*", "/", "%", "^", "=", "<", ">", "(", ")", ",", "@", "[", "]"];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    parens: usize,
    in_braces: bool,
    in_brackets: bool,
    out: Vec<Lexed>,
}

/// All tokens, the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Lexed>, Flaw> {
    let mut lexer = Lexer { text, at: 0, parens: 0, in_braces: false, in_brackets: false, out: Vec::new() };
    while lexer.step()? {}
    Ok(lexer.out)
}

fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_word(c: char) -> bool {
    is_alpha(c) || c.is_ascii_digit()
}

/// A character as Go prints it with `%q`.
pub(super) fn rune(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '\\' => "'\\\\'".to_owned(),
        '\n' => "'\\n'".to_owned(),
        '\t' => "'\\t'".to_owned(),
        '\r' => "'\\r'".to_owned(),
        _ => format!("'{c}'"),
    }
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn flaw<T>(&self, start: usize, message: String) -> Result<T, Flaw> {
        Err(Flaw { span: Span::new(start, self.text.len()), message })
    }

    fn push(&mut self, start: usize, token: Token) -> Result<bool, Flaw> {
        self.out.push(Lexed { token, span: Span::new(start, self.at) });
        Ok(true)
    }

    /// Reads one token; `false` at the end.
    fn step(&mut self) -> Result<bool, Flaw> {
        let start = self.at;
        let Some(c) = self.rest().chars().next() else { return self.end() };
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            self.at += 1;
            return Ok(true);
        }
        if c == '#' {
            self.at += self.rest().find(['\n', '\r']).unwrap_or(self.rest().len());
            return Ok(true);
        }
        if matches!(c, '"' | '\'' | '`') {
            let (text, length) = quote::unquote(self.rest()).map_err(|message| Flaw { span: Span::new(start, self.text.len()), message })?;
            self.at += length;
            return self.push(start, Token::Text(text));
        }
        if self.in_braces {
            return self.inside_braces(start, c);
        }
        if c.is_ascii_digit() || (c == '.' && self.rest()[1..].starts_with(|n: char| n.is_ascii_digit())) {
            return self.number(start);
        }
        if c == ':' && self.in_brackets {
            self.at += if self.rest().starts_with("::") { 2 } else { 1 };
            return self.push(start, Token::Sign(if self.at - start == 2 { "::" } else { ":" }));
        }
        if is_alpha(c) || c == ':' {
            let with_colon = !self.in_brackets;
            self.at += self.rest().find(|c| !(is_word(c) || (with_colon && c == ':'))).unwrap_or(self.rest().len());
            return self.push(start, Token::Word(self.text[start..self.at].to_owned()));
        }
        self.sign(start, c)
    }

    fn end(&mut self) -> Result<bool, Flaw> {
        let end = self.text.len();
        if self.in_braces {
            return self.flaw(end, "unexpected end of input inside braces".to_owned());
        }
        if self.parens > 0 {
            return self.flaw(end, "unclosed left parenthesis".to_owned());
        }
        if self.in_brackets {
            return self.flaw(end, "unclosed left bracket".to_owned());
        }
        self.push(end, Token::End)?;
        Ok(false)
    }

    fn inside_braces(&mut self, start: usize, c: char) -> Result<bool, Flaw> {
        if is_alpha(c) {
            self.at += self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
            return self.push(start, Token::Word(self.text[start..self.at].to_owned()));
        }
        let next = self.rest()[c.len_utf8()..].chars().next();
        let sign = match (c, next) {
            (',', _) => ",",
            ('=', Some('~')) => "=~",
            ('=', _) => "=",
            ('!', Some('~')) => "!~",
            ('!', Some('=')) => "!=",
            ('!', _) => return self.flaw(start, format!("unexpected character after '!' inside braces: {}", next.map_or("end of input".to_owned(), rune))),
            ('{', _) => return self.flaw(start, "unexpected left brace '{'".to_owned()),
            ('}', _) => "}",
            _ => return self.flaw(start, format!("unexpected character inside braces: {}", rune(c))),
        };
        self.in_braces = sign != "}";
        self.at += sign.len();
        self.push(start, Token::Sign(sign))
    }

    fn sign(&mut self, start: usize, c: char) -> Result<bool, Flaw> {
        if c == '{' {
            self.at += 1;
            self.in_braces = true;
            return self.push(start, Token::Sign("{"));
        }
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) else {
            let after = self.rest()[c.len_utf8()..].chars().next();
            return self.flaw(
                start,
                if c == '!' {
                    format!("unexpected character after '!': {}", after.map_or("end of input".to_owned(), rune))
                } else {
                    format!("unexpected character: {}", rune(c))
                },
            );
        };
        match sign {
            "(" => self.parens += 1,
            ")" if self.parens == 0 => return self.flaw(start, "unexpected right parenthesis ')'".to_owned()),
            ")" => self.parens -= 1,
            "[" if self.in_brackets => return self.flaw(start, "unexpected left bracket '['".to_owned()),
            "[" => self.in_brackets = true,
            "]" if !self.in_brackets => return self.flaw(start, "unexpected right bracket ']'".to_owned()),
            "]" => self.in_brackets = false,
            "=~" => return self.flaw(start, "unexpected character after '=': '~'".to_owned()),
            "!~" => return self.flaw(start, "unexpected character after '!': '~'".to_owned()),
            _ => {}
        }
        self.at += sign.len();
        self.push(start, Token::Sign(sign))
    }

    fn number(&mut self, start: usize) -> Result<bool, Flaw> {
        let length = number_length(self.rest());
        let after = &self.rest()[length..];
        if !after.starts_with(is_word) {
            self.at += length;
            let text = self.text[start..self.at].to_owned();
            let Some(value) = number_value(&text) else { return self.flaw(start, format!("error parsing number: {text:?}")) };
            return self.push(start, Token::Number(text, value));
        }
        let length = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        self.at += length;
        let text = &self.text[start..self.at];
        match seconds(text) {
            Some(value) => self.push(start, Token::Duration(text.to_owned(), value)),
            None => {
                let message = format!("bad number or duration syntax: {}", quote::quote(text));
                self.flaw(start, message)
            }
        }
    }
}

/// How many bytes the number takes that a text begins with.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if text.starts_with("0x") || text.starts_with("0X") {
        let digits = bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit() || **b == b'_').count();
        return 2 + digits;
    }
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at += 1 + digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

fn number_value(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(|v| v as f64);
    }
    let octal = plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal {
        return i64::from_str_radix(&plain, 8).ok().map(|v| v as f64);
    }
    plain.parse().ok()
}

/// A duration such as `1h30m` in seconds: units in falling order, each at most once.
pub(super) fn seconds(text: &str) -> Option<f64> {
    const UNITS: [(&str, u64); 7] = [("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let (mut rest, mut next, mut millis) = (text, 0, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let length = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = UNITS.iter().position(|(unit, _)| *unit == &rest[..length]).filter(|unit| *unit >= next)?;
        millis = millis.checked_add(count.checked_mul(UNITS[unit].1)?)?;
        (rest, next) = (&rest[length..], unit + 1);
    }
    // Beyond what nanoseconds in 64 bits hold, as Prometheus.
    (next > 0 && millis <= 9_223_372_036_854).then_some(millis as f64 / 1000.0)
}
