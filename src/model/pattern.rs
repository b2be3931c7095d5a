//! Regular expressions as Prometheus anchors them: the whole text must match. The only user of `regex`.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

/// Compiled size beyond which a pattern is refused: what a label matcher needs is far below it.
const SIZE_LIMIT_BYTES: usize = 4 << 20;

/// An anchored regular expression. Cheap to clone.
#[derive(Clone)]
pub struct Pattern {
    text: Arc<str>,
    /// Set where the pattern is a plain alternation: no automaton needed.
    literals: Option<Arc<[String]>>,
    regex: Option<Regex>,
}

/// Why a pattern was refused.
#[derive(Debug, thiserror::Error)]
#[error("invalid regular expression {text:?}: {reason}")]
pub struct PatternError {
    text: String,
    reason: String,
}

impl Pattern {
    /// Compiles `text` as `^(?s:text)$`.
    ///
    /// # Errors
    /// The text is no regular expression of the RE2 family, or too large when compiled.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let literals = alternation(text);
        let regex = if literals.is_some() {
            None
        } else {
            let built = regex::RegexBuilder::new(&format!("^(?s:{text})$")).size_limit(SIZE_LIMIT_BYTES).build();
            Some(built.map_err(|e| PatternError { text: text.to_owned(), reason: e.to_string() })?)
        };
        Ok(Self { text: text.into(), literals: literals.map(Into::into), regex })
    }

    /// Whether the whole of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        match (&self.literals, &self.regex) {
            (Some(literals), _) => literals.iter().any(|l| l == value),
            (None, Some(regex)) => regex.is_match(value),
            (None, None) => false,
        }
    }

    /// The texts it matches, where it is a plain alternation such as `a|b`.
    #[must_use]
    pub fn literals(&self) -> Option<&[String]> {
        self.literals.as_deref()
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Replaces by the capture template `replacement` (`$1`, `${name}`) where the whole of `value`
    /// matches, as PromQL's `label_replace` does; `None` where it does not match.
    #[must_use]
    pub fn expand(&self, value: &str, replacement: &str) -> Option<String> {
        let Some(regex) = &self.regex else {
            // A literal has no groups: every reference is empty, except `$0`, the match.
            if !self.matches(value) {
                return None;
            }
            let whole = Regex::new("^(?s:.*)$").ok()?;
            let captures = whole.captures(value)?;
            let mut out = String::new();
            captures.expand(replacement, &mut out);
            return Some(out);
        };
        let captures = regex.captures(value)?;
        let mut out = String::new();
        captures.expand(replacement, &mut out);
        Some(out)
    }
}

/// The parts of `a|b|c` where none has a special character.
fn alternation(text: &str) -> Option<Vec<String>> {
    let plain = |part: &str| part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | ' ' | '@' | ',' | '=' | '%'));
    let parts: Vec<&str> = text.split('|').collect();
    parts.iter().all(|part| plain(part)).then(|| parts.into_iter().map(str::to_owned).collect())
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match() {
        let p = Pattern::new("a.c").unwrap();
        assert!(p.matches("abc") && !p.matches("xabc") && !p.matches("abcx") && p.matches("a\nc"));
        let p = Pattern::new("eth0|lo|").unwrap();
        assert!(p.matches("lo") && p.matches("") && !p.matches("eth01"));
        assert!(Pattern::new("a(").is_err());
    }

    #[test]
    fn captures_expand() {
        let p = Pattern::new("(.*):(.*)").unwrap();
        assert_eq!(p.expand("host:9100", "$2-${1}x").as_deref(), Some("9100-hostx"));
        assert_eq!(p.expand("host", "$1"), None);
        assert_eq!(Pattern::new("host").unwrap().expand("host", "x$1").as_deref(), Some("x"));
    }
}
