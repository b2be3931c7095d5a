//! The texts of rules: `{{ $value | humanize }}`, `{{ $labels.device }}`, as Prometheus' annotations
//! commonly use them. What is not known here is refused when a rule is made, by its name.
//!
//! An action is a pipeline: a command, then functions that take its result as their last argument.
//! Files: `template/function` what can be called. Knows no rule.

mod function;

use std::fmt::Write as _;

use function::Function;

use crate::model::Labels;

/// What a template yields at most, whatever is in the labels.
const MAX_OUTPUT_BYTES: usize = 4096;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    /// An action is not closed.
    #[error("\"{{{{\" at character {0} is not closed by \"}}}}\"")]
    Open(usize),
    /// A text in an action is not closed.
    #[error("a text in \"{{{{ {0} }}}}\" is not closed")]
    Quote(String),
    /// Nothing between the braces, or between two `|`.
    #[error("there is nothing to show in \"{{{{ {0} }}}}\"")]
    Empty(String),
    /// A word that is no function.
    #[error("{0:?} is not a function that templates know: use {known}", known = function::NAMES)]
    Unknown(String),
    /// A variable besides the two.
    #[error("{0:?} is not known: use $value and $labels.<name>")]
    Variable(String),
    /// Too few or too many arguments.
    #[error("{0} takes another number of arguments")]
    Arguments(&'static str),
    /// A `printf` format that is not one.
    #[error("printf format {0:?} is not supported: use one of %s %v %d %f %g %e %% each with width and precision")]
    Format(String),
}

/// A value inside an action.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    Value,
    Label(String),
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Command {
    /// A value by itself.
    Show(Term),
    /// A function with the arguments that stand behind it.
    Call(Function, Vec<Term>),
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Plain(String),
    Action(Vec<Command>),
}

/// A text that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Part>);

/// What a pipeline hands on.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Number(f64),
    Text(String),
}

impl Template {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let (mut rest, mut trim) = (text, false);
        while let Some(open) = rest.find("{{") {
            let (mut plain, behind) = (&rest[..open], &rest[open + 2..]);
            let at = text.len() - rest.len() + open;
            let close = end_of_action(behind).ok_or_else(|| TemplateError::Open(text[..at].chars().count() + 1))?;
            let mut action = &behind[..close];
            if trim {
                plain = plain.trim_start();
            }
            if let Some(inner) = action.strip_prefix("- ") {
                action = inner;
                plain = plain.trim_end();
            }
            trim = action.ends_with(" -");
            action = action.strip_suffix(" -").unwrap_or(action);
            parts.push(Part::Plain(plain.to_owned()));
            if !is_comment(action) {
                parts.push(Part::Action(pipeline(action.trim())?));
            }
            rest = &behind[close + 2..];
        }
        parts.push(Part::Plain(if trim { rest.trim_start() } else { rest }.to_owned()));
        Ok(Self(parts))
    }

    /// The text for one alert; cut where it grows past all use.
    pub(super) fn render(&self, value: f64, labels: &Labels) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Plain(text) => out.push_str(text),
                Part::Action(commands) => show(&mut out, &run(commands, value, labels)),
            }
        }
        if out.len() > MAX_OUTPUT_BYTES {
            out.truncate(out.floor_char_boundary(MAX_OUTPUT_BYTES));
        }
        out
    }
}

/// Reads and renders; a text that cannot be read is shown as it is (it was checked when it came in).
pub(super) fn render(text: &str, value: f64, labels: &Labels) -> String {
    Template::parse(text).map_or_else(|_| text.to_owned(), |template| template.render(value, labels))
}

fn is_comment(action: &str) -> bool {
    let action = action.trim();
    action.starts_with("/*") && action.ends_with("*/")
}

/// Where `}}` stands outside of texts.
fn end_of_action(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('"') if c == '\\' => {
                chars.next();
            }
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[i..].starts_with("}}") => return Some(i),
            None => {}
        }
    }
    None
}

/// A word of an action, and whether it was a text in quotes.
#[derive(Debug, PartialEq)]
enum Word {
    Bare(String),
    Quoted(String),
    Pipe,
}

fn words(action: &str) -> Result<Vec<Word>, TemplateError> {
    let mut out = Vec::new();
    let mut chars = action.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '|' => out.push(Word::Pipe),
            '"' | '`' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        None => return Err(TemplateError::Quote(action.to_owned())),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => text.push(match chars.next() {
                            Some('n') => '\n',
                            Some('t') => '\t',
                            Some(other) => other,
                            None => return Err(TemplateError::Quote(action.to_owned())),
                        }),
                        Some(other) => text.push(other),
                    }
                }
                out.push(Word::Quoted(text));
            }
            _ => {
                let mut word = String::from(c);
                while let Some(more) = chars.next_if(|c| !c.is_whitespace() && !"|\"`".contains(*c)) {
                    word.push(more);
                }
                out.push(Word::Bare(word));
            }
        }
    }
    Ok(out)
}

fn pipeline(action: &str) -> Result<Vec<Command>, TemplateError> {
    let words = words(action)?;
    let mut commands = Vec::new();
    for (i, words) in words.split(|word| *word == Word::Pipe).enumerate() {
        commands.push(command(words, i > 0).map_err(|e| e.unwrap_or_else(|| TemplateError::Empty(action.to_owned())))?);
    }
    Ok(commands)
}

/// One command; `piped`: it gets a last argument from the one before. `Err(None)`: there is none.
fn command(words: &[Word], piped: bool) -> Result<Command, Option<TemplateError>> {
    let (first, arguments) = words.split_first().ok_or(None)?;
    if let Word::Bare(name) = first
        && let Some(function) = Function::find(name)
    {
        let terms = arguments.iter().map(term).collect::<Result<Vec<_>, _>>()?;
        function.check(&terms, piped)?;
        return Ok(Command::Call(function, terms));
    }
    let shown = term(first)?;
    match (arguments, piped) {
        // `$labels "name"` is no Go template; `index $labels "name"` is a function.
        ([], false) => Ok(Command::Show(shown)),
        _ => Err(Some(match first {
            Word::Bare(word) | Word::Quoted(word) => TemplateError::Unknown(word.clone()),
            Word::Pipe => return Err(None),
        })),
    }
}

fn term(word: &Word) -> Result<Term, TemplateError> {
    let bare = match word {
        Word::Quoted(text) => return Ok(Term::Text(text.clone())),
        Word::Bare(bare) => bare.as_str(),
        Word::Pipe => "|",
    };
    if bare == "$value" || bare == ".Value" {
        return Ok(Term::Value);
    }
    if let Some(name) = bare.strip_prefix("$labels.").or_else(|| bare.strip_prefix(".Labels.")) {
        return Ok(Term::Label(name.to_owned()));
    }
    if let Ok(number) = bare.parse::<f64>() {
        return Ok(Term::Number(number));
    }
    if bare.starts_with('$') || bare.starts_with('.') { Err(TemplateError::Variable(bare.to_owned())) } else { Err(TemplateError::Unknown(bare.to_owned())) }
}

fn run(commands: &[Command], value: f64, labels: &Labels) -> Shown {
    let get = |term: &Term| match term {
        Term::Value => Shown::Number(value),
        Term::Label(name) => Shown::Text(labels.get(name).unwrap_or("").to_owned()),
        Term::Number(number) => Shown::Number(*number),
        Term::Text(text) => Shown::Text(text.clone()),
    };
    let mut last: Option<Shown> = None;
    for command in commands {
        last = Some(match command {
            Command::Show(term) => get(term),
            Command::Call(function, terms) => {
                let mut arguments: Vec<Shown> = terms.iter().map(get).collect();
                arguments.extend(last);
                function.call(&arguments)
            }
        });
    }
    last.unwrap_or(Shown::Text(String::new()))
}

fn show(out: &mut String, shown: &Shown) {
    match shown {
        Shown::Text(text) => out.push_str(text),
        // Writing to a String cannot fail.
        Shown::Number(number) => {
            let _ = write!(out, "{}", function::plain(*number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(text: &str, value: f64) -> String {
        let labels = Labels::from_pairs([("device", "sda"), ("share", "0.25")]).unwrap();
        Template::parse(text).unwrap().render(value, &labels)
    }

    #[test]
    fn texts_are_what_prometheus_makes_of_them() {
        for (text, value, expected) in [
            ("plain", 1.0, "plain"),
            ("{{ $value }}", 0.25, "0.25"),
            ("{{$value}} of {{ $labels.device }}{{ $labels.none }}.", 3.0, "3 of sda."),
            ("{{ .Labels.device }} {{ .Value }}", 1e21, "sda 1e+21"),
            ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
            ("{{ humanize $value }}", 0.001_5, "1.5m"),
            ("{{ $value | humanize1024 }}B", 5.0 * 1024.0 * 1024.0 * 1024.0, "5GiB"),
            ("{{ $value | humanizePercentage }}", 0.1234, "12.34%"),
            ("{{ $value | humanizeDuration }}", 93_784.0, "1d 2h 3m 4s"),
            ("{{ humanizeDuration $value }}", 0.25, "250ms"),
            ("{{ printf \"%.2f\" $value }} %", 12.345, "12.35 %"),
            ("{{ $value | printf \"%.1f%%\" }}", 12.34, "12.3%"),
            ("{{ printf \"%s is %5.1f\" $labels.device $value }}", 1.25, "sda is   1.2"),
            ("a {{- $value -}} b", 1.0, "a1b"),
            ("{{/* said to nobody */}}x", 1.0, "x"),
            ("{{ $labels.device | toUpper }} {{ title \"a word\" }}", 1.0, "SDA A Word"),
            ("{{ \"}}\" }}", 1.0, "}}"),
            ("{{ $value | humanize }}", f64::NAN, "NaN"),
        ] {
            assert_eq!(rendered(text, value), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, word) in [
            ("{{ $value | shout }}", "\"shout\""),
            ("{{ query \"up\" }}", "\"query\""),
            ("{{ if $value }}x{{ end }}", "\"if\""),
            ("{{ $externalLabels.x }}", "$externalLabels.x"),
            ("a {{ $value", "character 3"),
            ("{{ \"x }}", "character 1"),
            ("{{ }}", "nothing"),
            ("{{ $value | }}", "nothing"),
            ("{{ humanize }}", "humanize"),
            ("{{ printf \"%q\" $value }}", "%q"),
            ("{{ printf \"%.2f\" }}", "printf"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn no_label_makes_a_text_endless() {
        let long = Labels::from_pairs([("a", "ä".repeat(60_000))]).unwrap();
        assert!(Template::parse("{{ $labels.a }}").unwrap().render(1.0, &long).len() <= MAX_OUTPUT_BYTES);
        assert!(Template::parse("{{ printf \"%9999999999d\" $value }}").is_err());
        assert!(Template::parse("{{ printf \"%.9999999999f\" $value }}").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}|$.a-z\"`%0-9 \\\\-]{0,40}", value: f64) {
            if let Ok(template) = Template::parse(&text) {
                template.render(value, &Labels::default());
            }
        }

        #[test]
        fn no_value_makes_a_function_panic(bits: u64) {
            for name in ["humanize", "humanize1024", "humanizePercentage", "humanizeDuration", "humanizeTimestamp"] {
                rendered(&format!("{{{{ $value | {name} }}}}"), f64::from_bits(bits));
            }
        }
    }
}
