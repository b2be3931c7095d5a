//! The `.test` format: commands and series descriptions.

use latido::model::Labels;

/// What a file tells to do.
pub(crate) enum Command {
    Clear,
    Load { step: i64, lines: Vec<String>, with_custom: bool },
    Eval(Case),
}

/// When a case is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Instant(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// One `eval` with its body.
pub(crate) struct Case {
    pub(crate) line: usize,
    pub(crate) when: When,
    pub(crate) expr: String,
    pub(crate) fail: bool,
    pub(crate) ordered: bool,
    pub(crate) body: Vec<String>,
}

/// The commands of a file in order.
pub(crate) fn commands(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text.lines().map(|l| if l.trim().starts_with('#') { "" } else { l.trim() }).collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let (head, line) = (lines[i], i + 1);
        i += 1;
        if head.is_empty() {
            continue;
        }
        let mut body = Vec::new();
        while i < lines.len() && !lines[i].is_empty() {
            body.push(lines[i].to_owned());
            i += 1;
        }
        let mut words = head.splitn(2, char::is_whitespace);
        let keyword = words.next().unwrap_or("").to_lowercase();
        let rest = words.next().unwrap_or("").trim();
        match keyword.as_str() {
            "clear" => out.push(Command::Clear),
            "load" | "load_with_nhcb" => out.push(Command::Load { step: millis(rest), lines: body, with_custom: keyword == "load_with_nhcb" }),
            _ if keyword.starts_with("eval") => out.push(Command::Eval(case(line, &keyword, rest, body))),
            _ => println!("line {line}: unknown command {keyword}"),
        }
    }
    out
}

fn case(line: usize, keyword: &str, rest: &str, body: Vec<String>) -> Case {
    let mut words = Words(rest);
    let when = if words.next() == "instant" {
        words.next();
        When::Instant(millis(words.next()))
    } else {
        words.next();
        let start = millis(words.next());
        words.next();
        let end = millis(words.next());
        words.next();
        When::Range { start, end, step: millis(words.next()) }
    };
    let fail = keyword == "eval_fail" || body.iter().any(|l| l.starts_with("expect fail"));
    let ordered = keyword == "eval_ordered" || body.iter().any(|l| l.starts_with("expect ordered"));
    let old = |name: &str| (keyword == format!("eval_{name}")).then(|| format!("expect {name}"));
    let body = body.into_iter().chain(old("warn")).chain(old("info")).map(|l| l.replace('\t', " ")).collect();
    Case { line, when, expr: words.0.trim().to_owned(), fail, ordered, body }
}

struct Words<'a>(&'a str);
impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        let text = self.0.trim_start();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        self.0 = &text[end..];
        &text[..end]
    }
}

/// A duration in milliseconds; a bare number is seconds.
pub(crate) fn millis(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let found = latido::clock::parse_duration(text).map(|d| d.as_millis() as i64);
    sign * found.unwrap_or_else(|_| text.parse::<f64>().map_or(0, |s| (s * 1000.0) as i64))
}

/// A series description and what follows it.
pub(crate) fn series(line: &str) -> Option<(Labels, &str)> {
    let end = line.find(|c: char| matches!(c, '{' | '@') || c.is_whitespace()).unwrap_or(line.len());
    let mut pairs: Vec<(String, String)> = Vec::new();
    if end > 0 {
        pairs.push(("__name__".to_owned(), line[..end].to_owned()));
    }
    let mut rest = &line[end..];
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (name, after) = if rest.starts_with(['"', '\'', '`']) { quoted(rest)? } else { bare(rest)? };
            let after = after.trim_start();
            if let Some(value) = after.strip_prefix('=') {
                let (value, after) = quoted(value.trim_start())?;
                pairs.push((name, value));
                rest = after;
            } else {
                pairs.push(("__name__".to_owned(), name));
                rest = after;
            }
        }
    }
    Some((Labels::from_pairs(pairs).ok()?, rest.trim()))
}

fn bare(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| c == '=' || c.is_whitespace())?;
    Some((text[..end].to_owned(), &text[end..]))
}

/// A string in Go's notation and what follows it.
pub(crate) fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next()?;
    let mut out = Vec::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        if c == quote {
            return Some((String::from_utf8(out).ok()?, &text[i + 1..]));
        }
        if c != '\\' || quote == '`' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let (_, escaped) = chars.next()?;
        match escaped {
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'r' => out.push(b'\r'),
            'x' => out.push(u8::try_from(number(&mut chars, None, 2, 16)?).ok()?),
            'u' => out.extend_from_slice(char::from_u32(number(&mut chars, None, 4, 16)?)?.encode_utf8(&mut [0; 4]).as_bytes()),
            'U' => out.extend_from_slice(char::from_u32(number(&mut chars, None, 8, 16)?)?.encode_utf8(&mut [0; 4]).as_bytes()),
            '0'..='7' => out.push(u8::try_from(number(&mut chars, Some(escaped), 3, 8)?).ok()?),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    None
}

fn number(chars: &mut impl Iterator<Item = (usize, char)>, first: Option<char>, len: usize, radix: u32) -> Option<u32> {
    let mut text: String = first.into_iter().collect();
    while text.len() < len {
        text.push(chars.next()?.1);
    }
    u32::from_str_radix(&text, radix).ok()
}

/// A number; with `0x` in hexadecimal.
pub(crate) fn float(text: &str) -> Option<f64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(|v| sign * v as f64);
    }
    text.replace('_', "").parse().ok()
}
