//! What templates can call, as Prometheus defines it. A function is a line in `FUNCTIONS`.

use super::{Shown, TemplateError, Term};
use crate::clock::format_rfc3339;
use crate::model::Timestamp;

/// For the message about an unknown one.
pub(super) const NAMES: &str = "humanize, humanize1024, humanizePercentage, humanizeDuration, humanizeTimestamp, printf, title, toUpper, toLower";

/// The widest and most precise a number is written.
const MAX_WIDTH: usize = 64;

type Call = fn(&[Shown]) -> Shown;

const FUNCTIONS: [(&str, Call); 9] = [
    ("humanize", |a| number(a, humanize)),
    ("humanize1024", |a| number(a, humanize_1024)),
    ("humanizePercentage", |a| number(a, |v| format!("{}%", significant(v * 100.0, 4)))),
    ("humanizeDuration", |a| number(a, humanize_duration)),
    ("humanizeTimestamp", |a| number(a, humanize_timestamp)),
    ("printf", printf),
    ("title", |a| text(a, title)),
    ("toUpper", |a| text(a, |t| t.to_uppercase())),
    ("toLower", |a| text(a, |t| t.to_lowercase())),
];

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    name: &'static str,
    call: Call,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Function {
    pub(super) fn find(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(name, call)| Self { name, call: *call })
    }

    /// Whether it can be called with these and, where `piped`, one more behind them.
    pub(super) fn check(self, terms: &[Term], piped: bool) -> Result<(), TemplateError> {
        let count = terms.len() + usize::from(piped);
        if self.name != "printf" {
            return if count == 1 { Ok(()) } else { Err(TemplateError::Arguments(self.name)) };
        }
        let Some(Term::Text(format)) = terms.first() else { return Err(TemplateError::Arguments(self.name)) };
        let wanted = verbs(format)?.iter().filter(|piece| matches!(piece, Piece::Verb { .. })).count();
        if wanted + 1 == count { Ok(()) } else { Err(TemplateError::Arguments(self.name)) }
    }

    pub(super) fn call(self, arguments: &[Shown]) -> Shown {
        (self.call)(arguments)
    }
}

/// A number as Go prints it: shortest, with an exponent below 1e-4 and from 1e21 on.
pub(super) fn plain(v: f64) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = v.abs();
    if size == 0.0 || (1e-4..1e21).contains(&size) { v.to_string() } else { exponent(&format!("{v:e}")) }
}

/// Go writes a sign and at least two digits of the exponent.
fn exponent(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%.<digits>g`: that many digits that count, without zeros at the end.
fn significant(v: f64, digits: usize) -> String {
    if !v.is_finite() || v == 0.0 {
        return plain(v);
    }
    let scientific = format!("{v:.*e}", digits.saturating_sub(1));
    let power: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if power < -4 || power >= i32::try_from(digits).unwrap_or(i32::MAX) {
        let (mantissa, e) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{e}", trimmed(mantissa)));
    }
    let decimals = usize::try_from(i32::try_from(digits).unwrap_or(0) - 1 - power).unwrap_or(0);
    trimmed(&format!("{v:.decimals$}")).to_owned()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn number(arguments: &[Shown], f: impl Fn(f64) -> String) -> Shown {
    Shown::Text(match arguments.last() {
        Some(Shown::Number(v)) => f(*v),
        Some(Shown::Text(text)) => text.parse().map_or_else(|_| text.clone(), f),
        None => String::new(),
    })
}

fn text(arguments: &[Shown], f: impl Fn(&str) -> String) -> Shown {
    Shown::Text(arguments.last().map(|shown| f(&as_text(shown))).unwrap_or_default())
}

fn as_text(shown: &Shown) -> String {
    match shown {
        Shown::Number(v) => plain(*v),
        Shown::Text(text) => text.clone(),
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins {
            out.extend(c.to_uppercase())
        } else {
            out.push(c)
        }
        begins = c.is_whitespace();
    }
    out
}

fn scaled(v: f64, base: f64, above: &[&str], below: &[&str]) -> String {
    if v == 0.0 || !v.is_finite() {
        return significant(v, 4);
    }
    let (mut v, mut prefix) = (v, "");
    if v.abs() >= 1.0 {
        for unit in above {
            if v.abs() < base {
                break;
            }
            (v, prefix) = (v / base, unit);
        }
    } else {
        for unit in below {
            if v.abs() >= 1.0 {
                break;
            }
            (v, prefix) = (v * base, unit);
        }
    }
    format!("{}{prefix}", significant(v, 4))
}

fn humanize(v: f64) -> String {
    scaled(v, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"], &["m", "u", "n", "p", "f", "a", "z", "y"])
}

fn humanize_1024(v: f64) -> String {
    if v.abs() <= 1.0 { significant(v, 4) } else { scaled(v, 1024.0, &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"], &[]) }
}

fn humanize_duration(v: f64) -> String {
    if !v.is_finite() || v == 0.0 {
        return if v == 0.0 { "0s".to_owned() } else { significant(v, 4) };
    }
    if v.abs() < 1.0 {
        return format!("{}s", scaled(v, 1000.0, &[], &["m", "u", "n", "p", "f", "a", "z", "y"]));
    }
    let sign = if v < 0.0 { "-" } else { "" };
    let v = v.abs();
    // Beyond it a float knows no seconds.
    let whole = v.min(9e15) as u64;
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", significant(v, 4))
    }
}

fn humanize_timestamp(v: f64) -> String {
    if v.is_finite() { format_rfc3339(Timestamp((v * 1000.0) as i64)) } else { significant(v, 4) }
}

/// A piece of a `printf` format.
#[derive(Debug, PartialEq)]
enum Piece {
    Plain(String),
    Verb { left: bool, zero: bool, width: usize, precision: Option<usize>, verb: char },
}

fn verbs(format: &str) -> Result<Vec<Piece>, TemplateError> {
    let wrong = || TemplateError::Format(format.chars().take(64).collect());
    let mut out = Vec::new();
    let mut chars = format.chars().peekable();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        if c != '%' {
            plain.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            plain.push('%');
            continue;
        }
        out.push(Piece::Plain(std::mem::take(&mut plain)));
        out.push(verb(&mut chars).ok_or_else(wrong)?);
    }
    out.push(Piece::Plain(plain));
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What stands behind a `%`: flags, width, precision, and the letter.
fn verb(chars: &mut Chars<'_>) -> Option<Piece> {
    let (mut left, mut zero) = (false, false);
    while let Some(flag) = chars.next_if(|c| "-0+".contains(*c)) {
        left |= flag == '-';
        zero |= flag == '0';
    }
    let width = count(chars)?;
    let precision = match chars.next_if_eq(&'.') {
        Some(_) => Some(count(chars)?),
        None => None,
    };
    let verb = chars.next().filter(|c| "svdfgeF".contains(*c))?;
    Some(Piece::Verb { left, zero, width, precision, verb })
}

/// A number of characters: 0 where none is given, `None` past all use.
fn count(chars: &mut Chars<'_>) -> Option<usize> {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|n| *n <= MAX_WIDTH) }
}

fn printf(arguments: &[Shown]) -> Shown {
    let Some((Shown::Text(format), values)) = arguments.split_first() else { return Shown::Text(String::new()) };
    let mut values = values.iter();
    let mut out = String::new();
    for piece in verbs(format).unwrap_or_default() {
        match piece {
            Piece::Plain(text) => out.push_str(&text),
            Piece::Verb { left, zero, width, precision, verb } => {
                let written = values.next().map(|value| verb_of(verb, precision, value)).unwrap_or_default();
                let pad = width.saturating_sub(written.chars().count());
                let (fill, is_number) = (if zero && !left { "0" } else { " " }, !written.starts_with('-'));
                match (left, is_number || fill == " ") {
                    (true, _) => out.push_str(&(written + &" ".repeat(pad))),
                    (false, true) => out.push_str(&(fill.repeat(pad) + &written)),
                    (false, false) => out.push_str(&format!("-{}{}", fill.repeat(pad), &written[1..])),
                }
            }
        }
    }
    Shown::Text(out)
}

fn verb_of(verb: char, precision: Option<usize>, value: &Shown) -> String {
    let number = match value {
        Shown::Number(v) => Some(*v),
        Shown::Text(text) => text.parse().ok(),
    };
    match (verb, number) {
        ('f' | 'F', Some(v)) if v.is_finite() => format!("{v:.*}", precision.unwrap_or(6)),
        ('e', Some(v)) if v.is_finite() => exponent(&format!("{v:.*e}", precision.unwrap_or(6))),
        ('d', Some(v)) if v.is_finite() => format!("{v:.0}"),
        ('g' | 'v', Some(v)) if matches!(value, Shown::Number(_)) => precision.map_or_else(|| plain(v), |digits| significant(v, digits.max(1))),
        ('f' | 'F' | 'e' | 'd' | 'g', Some(v)) => plain(v),
        _ => {
            let text = as_text(value);
            precision.map_or(text.clone(), |n| text.chars().take(n).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::template::Template;

    #[test]
    fn every_function_is_named_in_the_message() {
        assert!(FUNCTIONS.iter().all(|(name, _)| NAMES.split(", ").any(|known| known == *name)));
        assert!(Template::parse("{{ $value | humanize }}").is_ok());
    }

    #[test]
    fn digits_that_count_are_written_as_go_does() {
        for (v, text) in [(1234.56, "1235"), (12345.0, "1.234e+04"), (0.000_123_45, "0.0001234"), (0.000_012_3, "1.23e-05"), (100.0, "100"), (-0.5, "-0.5")] {
            assert_eq!(significant(v, 4), text);
        }
    }
}
