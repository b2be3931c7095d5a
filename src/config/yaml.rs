//! YAML text → settings with their lines. The file is walked along the list of settings, so that each
//! value is read as its type wants it: nothing passes through an untyped tree, where `no` would
//! become a boolean and `010` a float.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::wire::{self, WireError};

use super::error::Problem;
use super::settings::{self, Setting};
use super::value::{Kind, PluginSpec, RuleSpec, Value};

/// A setting that a file gives.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// Which one.
    pub(super) setting: &'static Setting,
    /// Its value.
    pub(super) value: Value,
    /// The line, from 1.
    pub(super) line: u64,
}

/// Reads a file's text; `name` stands before the line in messages.
///
/// # Errors
/// Everything that is wrong: malformed, duplicate or unknown keys, values of another type.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Given>, Vec<Problem>> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let problem = |line: u64, message: String| Problem { place: format!("{name}:{line}"), message };
    match wire::yaml::from_str::<Document>(text) {
        Ok(document) if document.wrong.is_empty() => Ok(document.given),
        Ok(document) => Err(document.wrong.into_iter().map(|(line, message)| problem(line, message)).collect()),
        Err(WireError::Yaml { line, reason, .. }) => Err(vec![problem(line.max(1), reason)]),
        Err(error) => Err(vec![problem(1, error.to_string())]),
    }
}

/// Reads a list of plug-ins or rules from a text of its own, as a variable or a flag gives it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn list<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    wire::yaml::from_str(text).map_err(|error| error.to_string())
}

/// What a file says: settings that are right, and lines that are not.
#[derive(Debug, Default)]
struct Document {
    given: Vec<Given>,
    wrong: Vec<(u64, String)>,
}

impl Document {
    fn take(&mut self, setting: &'static Setting, line: u64, value: Result<Value, String>) {
        match value {
            Ok(value) => self.given.push(Given { setting, value, line }),
            Err(message) => self.wrong.push((line, format!("{}: {message}", setting.path))),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut document = Self::default();
        Section { path: String::new(), document: &mut document }.deserialize(deserializer)?;
        Ok(document)
    }
}

/// A mapping whose keys are settings or sections below `path`.
struct Section<'a> {
    path: String,
    document: &'a mut Document,
}

impl<'de> DeserializeSeed<'de> for Section<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Section<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str("sections with settings") } else { write!(f, "settings below {}", self.path) }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            let path = if self.path.is_empty() { key.value } else { format!("{}.{}", self.path, key.value) };
            match settings::find(&path) {
                Some(setting) => self.document.take(setting, line, read_value(setting.kind, &mut map)?),
                None if settings::is_section(&path) => map.next_value_seed(Section { path, document: self.document })?,
                None => {
                    self.document.wrong.push((line, settings::unknown(&path)));
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

fn read_value<'de, A: MapAccess<'de>>(kind: Kind, map: &mut A) -> Result<Result<Value, String>, A::Error> {
    if kind == Kind::Plugins {
        return Ok(Ok(Value::Plugins(map.next_value::<Option<Vec<PluginSpec>>>()?.unwrap_or_default())));
    }
    if kind == Kind::Rules {
        let rules = map.next_value::<Option<Vec<Spanned<RuleSpec>>>>()?.unwrap_or_default();
        let with_line = |rule: Spanned<RuleSpec>| RuleSpec { line: rule.referenced.line(), ..rule.value };
        return Ok(Ok(Value::Rules(rules.into_iter().map(with_line).collect())));
    }
    if kind.is_list() {
        return Ok(kind.parse_list(&map.next_value::<OneOrMany>()?.0));
    }
    Ok(kind.parse(&map.next_value::<String>()?))
}

/// A list of texts, or one text that stands for a list of one.
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![text.to_owned()]))
    }

    fn visit_unit<E>(self) -> Result<OneOrMany, E> {
        Ok(OneOrMany(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<OneOrMany, A::Error> {
        let mut out = Vec::new();
        while let Some(entry) = entries.next_element::<String>()? {
            out.push(entry);
        }
        Ok(OneOrMany(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        read("latido.yaml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn settings_come_with_their_lines() {
        let text = "# mine\ncollection:\n  interval: 15s\n\nretention:\n  summary: off\nhttp:\n  listen: 127.0.0.1:80\n  hosts: [a, b]\n  tls:\nplugins:\n";
        let given = read("f", text).unwrap();
        let lines: Vec<(&str, String, u64)> = given.iter().map(|g| (g.setting.path, g.value.to_string(), g.line)).collect();
        assert_eq!(lines[0], ("collection.interval", "15s".to_owned(), 3));
        assert_eq!(lines[1], ("retention.summary", "off".to_owned(), 6));
        assert_eq!(lines[2], ("http.listen", r#"["127.0.0.1:80"]"#.to_owned(), 8));
        assert_eq!(lines[3], ("http.hosts", r#"["a","b"]"#.to_owned(), 9));
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_the_nearest_right_one() {
        let all = problems("collection:\n  enabled: true\n  intervall: 5s\nretentoin: {raw: 1h}\n");
        assert_eq!(all[0], "latido.yaml:3: there is no setting collection.intervall; did you mean collection.interval?");
        assert_eq!(all[1], "latido.yaml:4: there is no setting retentoin; did you mean retention?");
    }

    #[test]
    fn a_wrong_type_is_refused_with_file_and_line() {
        for (text, line) in [
            ("collection:\n  interval: 5\n", 2),
            ("collection:\n  enabled: yes\n", 2),
            ("query:\n  max_series: many\n", 2),
            ("query:\n  max_series: -1\n", 2),
            ("collection:\n  interval: [5s]\n", 2),
            ("collection: 5s\n", 1),
            ("http:\n  listen: {a: b}\n", 2),
        ] {
            let all = problems(text);
            assert!(all[0].starts_with(&format!("latido.yaml:{line}: ")), "{text}: {all:?}");
        }
    }

    #[test]
    fn malformed_and_doubled_keys_are_refused_with_their_line() {
        let doubled = problems("collection:\n  interval: 5s\n  interval: 6s\n");
        assert!(doubled[0].starts_with("latido.yaml:3: ") && doubled[0].contains("duplicate"), "{doubled:?}");
        assert!(problems("collection:\n  interval: [\n")[0].starts_with("latido.yaml:"));
        assert!(problems("plugins:\n  - name: a\n    command: [x]\n    intervall: 5s\n")[0].contains("intervall"));
    }

    #[test]
    fn an_empty_file_gives_nothing() {
        assert!(read("f", "").unwrap().is_empty() && read("f", "# only a remark\n").unwrap().is_empty());
    }
}
