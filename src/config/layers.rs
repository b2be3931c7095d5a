//! Layer over layer: default < profile < file < environment < flags. Each value remembers where it
//! came from. The only place that reads the process's environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Problem};
use super::profile::Environment;
use super::settings::{self, SETTINGS, Setting};
use super::value::Value;
use super::yaml;

/// Where settings come from, before anything is read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--env`; without it `LATIDO_ENV`, without that the standalone profile.
    pub environment: Option<String>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Variables of the process that begin with `LATIDO_`.
    pub variables: BTreeMap<String, String>,
    /// Flags, the last of a setting wins.
    pub flags: Vec<Flag>,
}

/// One setting that a flag gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// As it was written, such as `--listen`.
    pub name: String,
    /// The setting.
    pub path: String,
    /// Its value.
    pub value: String,
}

impl Flag {
    /// From `--set section.key=value`.
    ///
    /// # Errors
    /// There is no `=`.
    pub fn from_set(text: &str) -> Result<Self, ConfigError> {
        let (path, value) = text.split_once('=').ok_or_else(|| {
            ConfigError::Problems(vec![Problem { place: "--set".to_owned(), message: format!("{text:?} is not of the form section.key=value") }])
        })?;
        Ok(Self { name: "--set".to_owned(), path: path.trim().to_owned(), value: value.trim().to_owned() })
    }
}

impl Sources {
    /// With the `LATIDO_` variables of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.filter(|(name, _)| name.starts_with("LATIDO_")).collect(), ..Self::default() }
    }
}

impl Sources {
    /// The key that commands show to a daemon: `LATIDO_KEY`, or the first line of the file that
    /// `LATIDO_KEY_FILE` names.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn key(&self) -> Result<Option<String>, ConfigError> {
        if let Some(key) = self.variables.get("LATIDO_KEY").filter(|key| !key.trim().is_empty()) {
            return Ok(Some(key.trim().to_owned()));
        }
        self.variables.get("LATIDO_KEY_FILE").map(|path| Self::key_in(Path::new(path))).transpose()
    }

    /// The key on the first line of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn key_in(path: &Path) -> Result<String, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No layer says anything.
    Default,
    /// The compiled-in file of the environment.
    Profile(Environment),
    /// A line of the file that `--config` names.
    File(PathBuf, u64),
    /// A variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// It follows from other settings; the text says how.
    Derived(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(environment) => write!(f, "profile {environment}"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Derived(how) => f.write_str(how),
        }
    }
}

/// A setting's value and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `None`: not set.
    pub value: Option<Value>,
    /// Where it came from.
    pub origin: Origin,
}

/// All settings after all layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Layers {
    /// Whose defaults apply.
    pub environment: Environment,
    entries: BTreeMap<&'static str, Entry>,
}

impl Layers {
    /// Reads all sources and lays them over each other.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn stack(sources: &Sources) -> Result<Self, ConfigError> {
        let name = sources.environment.as_deref().or_else(|| sources.variables.get("LATIDO_ENV").map(String::as_str));
        let environment = name.map_or(Ok(Environment::default()), Environment::parse)?;
        let mut layers = Self { environment, entries: BTreeMap::new() };
        let mut problems = layers.lay_defaults();
        problems.extend(layers.lay_yaml(&format!("config/{environment}.yaml"), environment.yaml(), |_| Origin::Profile(environment)));
        if let Some(path) = &sources.file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
            problems.extend(layers.lay_yaml(&path.display().to_string(), &text, |line| Origin::File(path.clone(), line)));
        }
        problems.extend(sources.variables.iter().filter_map(|(name, value)| layers.lay_variable(name, value).err()));
        problems.extend(sources.flags.iter().filter_map(|flag| layers.lay_flag(flag).err()));
        if problems.is_empty() { Ok(layers) } else { Err(ConfigError::Problems(problems)) }
    }

    fn lay_defaults(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for setting in SETTINGS {
            let value = match setting.default.map(|text| setting.kind.parse(text)).transpose() {
                Ok(value) => value,
                Err(message) => {
                    problems.push(Problem { place: setting.path.to_owned(), message });
                    None
                }
            };
            self.entries.insert(setting.path, Entry { value, origin: Origin::Default });
        }
        problems
    }

    fn lay_yaml(&mut self, name: &str, text: &str, origin: impl Fn(u64) -> Origin) -> Vec<Problem> {
        match yaml::read(name, text) {
            Ok(given) => {
                for one in given {
                    self.set(one.setting.path, one.value, origin(one.line));
                }
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    fn lay_variable(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let problem = |message: String| Problem { place: name.to_owned(), message };
        let origin = Origin::Variable(name.to_owned());
        if let Some(setting) = setting_of_variable(name) {
            let value = setting.kind.parse(value).map_err(problem)?;
            self.set(setting.path, value, origin);
        } else if let Some(setting) = name.strip_suffix("_FILE").and_then(setting_of_variable).filter(|s| s.secret) {
            let text = std::fs::read_to_string(Path::new(value)).map_err(|e| problem(format!("cannot read {value}: {e}")))?;
            let value = setting.kind.parse(text.trim_end()).map_err(problem)?;
            self.set(setting.path, value, origin);
        } else if let Some(rest) = name.strip_prefix("LATIDO_").filter(|rest| rest.contains("__")) {
            return Err(problem(settings::unknown(&rest.to_lowercase().replace("__", "."))));
        }
        Ok(())
    }

    fn lay_flag(&mut self, flag: &Flag) -> Result<(), Problem> {
        let problem = |message: String| Problem { place: flag.name.clone(), message };
        let setting = settings::find(&flag.path).ok_or_else(|| problem(settings::unknown(&flag.path)))?;
        let value = setting.kind.parse(&flag.value).map_err(|m| problem(format!("{}: {m}", flag.path)))?;
        self.set(setting.path, value, Origin::Flag(flag.name.clone()));
        Ok(())
    }

    /// Puts a value over what is there. An empty text, or `[]`, takes the value away.
    pub(super) fn set(&mut self, path: &'static str, value: Value, origin: Origin) {
        let empty = matches!(&value, Value::Text(text) if text.is_empty());
        self.entries.insert(path, Entry { value: (!empty).then_some(value), origin });
    }

    /// Puts an entry in the place of what is there.
    pub(super) fn replace(&mut self, path: &'static str, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// A setting's value and origin.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// A setting's value, where it is set.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.entries.get(path)?.value.as_ref()
    }

    /// Every setting in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Entry)> {
        SETTINGS.iter().filter_map(|setting| Some((setting, self.entries.get(setting.path)?)))
    }
}

/// The variable of a setting: `LATIDO_HTTP__TLS__CERT`.
#[must_use]
pub fn variable_of(setting: &Setting) -> String {
    format!("LATIDO_{}", setting.path.to_uppercase().replace('.', "__"))
}

fn setting_of_variable(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| variable_of(setting) == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn shown(layers: &Layers, path: &str) -> (String, String) {
        let entry = layers.entry(path).unwrap();
        (entry.value.as_ref().map(ToString::to_string).unwrap_or_default(), entry.origin.to_string())
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn flag(path: &str, value: &str) -> Flag {
        Flag { name: "--set".into(), path: path.into(), value: value.into() }
    }

    #[test]
    fn a_later_layer_wins_and_each_value_knows_its_own() {
        let given = file("collection:\n  interval: 10s\nretention:\n  raw: 3h\n  aggregated: 5d\nquery:\n  timeout: 7s\n");
        let mut sources = Sources { environment: Some("production".into()), file: Some(given.path().into()), ..Sources::default() };
        sources.variables.insert("LATIDO_RETENTION__RAW".into(), "4h".into());
        sources.variables.insert("LATIDO_RETENTION__AGGREGATED".into(), "6d".into());
        sources.flags = vec![flag("retention.raw", "5h"), flag("retention.raw", "6h")];
        let layers = Layers::stack(&sources).unwrap();
        assert_eq!(shown(&layers, "query.lookback"), ("5m".into(), "default".into()));
        assert_eq!(shown(&layers, "retention.summary"), ("30d".into(), "profile production".into()));
        assert_eq!(shown(&layers, "collection.interval"), ("10s".into(), format!("{}:2", given.path().display())));
        assert_eq!(shown(&layers, "retention.aggregated"), ("6d".into(), "environment LATIDO_RETENTION__AGGREGATED".into()));
        assert_eq!(shown(&layers, "retention.raw"), ("6h".into(), "flag --set".into()));
    }

    #[test]
    fn the_flag_for_the_environment_wins_over_the_variable() {
        let mut sources = Sources::default();
        assert_eq!(Layers::stack(&sources).unwrap().environment, Environment::Standalone);
        sources.variables.insert("LATIDO_ENV".into(), "staging".into());
        assert_eq!(Layers::stack(&sources).unwrap().environment, Environment::Staging);
        sources.environment = Some("development".into());
        assert_eq!(Layers::stack(&sources).unwrap().environment, Environment::Development);
        sources.environment = Some("prod".into());
        assert!(matches!(Layers::stack(&sources), Err(ConfigError::UnknownProfile { .. })));
    }

    #[test]
    fn unknown_variables_and_flags_are_refused_with_their_name() {
        let mut sources = Sources::default();
        sources.variables.insert("LATIDO_COLLECTION__INTERVALL".into(), "5s".into());
        sources.flags = vec![flag("retention.rwa", "1h"), flag("query.timeout", "soon")];
        let text = Layers::stack(&sources).unwrap_err().to_string();
        assert!(text.contains("LATIDO_COLLECTION__INTERVALL: there is no setting collection.intervall; did you mean collection.interval?"), "{text}");
        assert!(text.contains("--set: there is no setting retention.rwa; did you mean retention.raw?"), "{text}");
        assert!(text.contains("--set: query.timeout: \"soon\" is wrong here"), "{text}");
    }

    #[test]
    fn a_secret_may_come_from_a_file_and_nothing_else_may() {
        let secret = file("https://example.org/hook\n");
        let mut sources = Sources::default();
        sources.variables.insert("LATIDO_ALERTS__WEBHOOK_FILE".into(), secret.path().display().to_string());
        assert_eq!(shown(&Layers::stack(&sources).unwrap(), "alerts.webhook").0, "https://example.org/hook");
        sources.variables.insert("LATIDO_LOG__FILTER_FILE".into(), secret.path().display().to_string());
        assert!(Layers::stack(&sources).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let sources = Sources { file: Some("/nowhere/latido.yaml".into()), ..Sources::default() };
        assert!(Layers::stack(&sources).unwrap_err().to_string().starts_with("cannot read /nowhere/latido.yaml: "));
        assert!(Flag::from_set("collection.interval").is_err());
    }
}
