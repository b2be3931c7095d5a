//! The four environments and their compiled-in files.

use std::fmt;

use super::error::ConfigError;

/// For what kind of machine the defaults are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// One server on its own.
    #[default]
    Standalone,
    /// A developer's machine.
    Development,
    /// Before production.
    Staging,
    /// Beside a Prometheus.
    Production,
}

impl Environment {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Standalone, Self::Development, Self::Staging, Self::Production];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn parse(name: &str) -> Result<Self, ConfigError> {
        Self::ALL.into_iter().find(|e| e.as_str() == name).ok_or_else(|| ConfigError::UnknownProfile { name: name.to_owned() })
    }

    /// Its file, compiled in.
    #[must_use]
    pub const fn yaml(self) -> &'static str {
        match self {
            Self::Standalone => include_str!("../../config/standalone.yaml"),
            Self::Development => include_str!("../../config/development.yaml"),
            Self::Staging => include_str!("../../config/staging.yaml"),
            Self::Production => include_str!("../../config/production.yaml"),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
