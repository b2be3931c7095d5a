//! Texts in quotes, in Go's notation: `"…"` and `'…'` with escapes, and back quotes without.

use std::fmt::Write;

/// The text that begins at the first character, and how many bytes it takes with its quotes.
pub(super) fn unquote(text: &str) -> Result<(String, usize), String> {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return Err("unterminated quoted string".to_owned()) };
    let mut out = Vec::new();
    while let Some((i, c)) = chars.next() {
        match c {
            _ if c == quote => {
                let text = String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
                return Ok((text, i + c.len_utf8()));
            }
            '\n' if quote != '`' => break,
            '\\' if quote != '`' => escape(&mut chars, quote, &mut out)?,
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(if quote == '`' { "unterminated raw string".to_owned() } else { "unterminated quoted string".to_owned() })
}

fn escape(chars: &mut std::str::CharIndices<'_>, quote: char, out: &mut Vec<u8>) -> Result<(), String> {
    let Some((_, c)) = chars.next() else { return Err("escape sequence not terminated".to_owned()) };
    let (digits, radix, first) = match c {
        'a' => return push(out, '\x07'),
        'b' => return push(out, '\x08'),
        'f' => return push(out, '\x0c'),
        'n' => return push(out, '\n'),
        'r' => return push(out, '\r'),
        't' => return push(out, '\t'),
        'v' => return push(out, '\x0b'),
        '\\' => return push(out, '\\'),
        _ if c == quote => return push(out, c),
        '0'..='7' => (3, 8, Some(c)),
        'x' => (2, 16, None),
        'u' => (4, 16, None),
        'U' => (8, 16, None),
        _ => return Err(format!("unknown escape sequence U+{:04X} '{c}'", u32::from(c))),
    };
    let mut value = first.and_then(|c| c.to_digit(radix)).unwrap_or(0);
    for _ in usize::from(first.is_some())..digits {
        let Some((_, c)) = chars.next() else { return Err("escape sequence not terminated".to_owned()) };
        let digit = c.to_digit(radix).ok_or_else(|| format!("illegal character U+{:04X} '{c}' in escape sequence", u32::from(c)))?;
        value = value.saturating_mul(radix).saturating_add(digit);
    }
    // Octal and hexadecimal escapes are bytes, the others characters.
    if digits <= 3 {
        out.push(u8::try_from(value).map_err(|_| "escape sequence is an invalid Unicode code point".to_owned())?);
        return Ok(());
    }
    push(out, char::from_u32(value).ok_or_else(|| "escape sequence is an invalid Unicode code point".to_owned())?)
}

fn push(out: &mut Vec<u8>, c: char) -> Result<(), String> {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}

/// A text in double quotes, as Go's `%q` prints it.
pub(in super::super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            // Writing into a text does not fail.
            c if u32::from(c) < 0x20 || c == '\x7f' => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
