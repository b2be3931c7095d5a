//! The configuration of a running daemon: what is in force, and reading it anew. What a reload
//! changes in the rooms is told by the one who listens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::serve::Settings;

use super::error::ConfigError;
use super::layers::Sources;
use super::print;
use super::tree::Config;

/// Told of every reload: what is in force now, or why the old one stays.
pub type Listener = Box<dyn Fn(&Result<Reloaded, ConfigError>) + Send + Sync>;

/// What a reload changed.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// In force now.
    pub config: Arc<Config>,
    /// Settings that changed and are in force.
    pub changed: Vec<&'static str>,
    /// Settings that changed and wait for a restart.
    pub waiting: Vec<&'static str>,
}

/// The configuration in force, and where it is read from.
pub struct Live {
    sources: Sources,
    current: Mutex<Arc<Config>>,
    listener: Mutex<Option<Listener>>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the values: there are secrets among them.
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

/// Whether a running daemon can follow a change of this setting.
fn is_live(path: &str) -> bool {
    path.starts_with("collection.") || path == "plugins"
}

impl Live {
    /// Loads for the first time.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        let config = Config::load(&sources)?;
        Ok(Self { sources, current: Mutex::new(Arc::new(config)), listener: Mutex::new(None) })
    }

    /// What is in force.
    #[must_use]
    pub fn current(&self) -> Arc<Config> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who is told of reloads; a later one takes the place of an earlier one.
    pub fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Reads everything anew. A configuration that is wrong keeps the old one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn reload(&self) -> Result<Reloaded, ConfigError> {
        let result = Config::load(&self.sources).map(|fresh| self.adopt(fresh));
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            listener(&result);
        }
        result
    }

    fn adopt(&self, fresh: Config) -> Reloaded {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = |path: &str| fresh.layers.value(path) != current.layers.value(path);
        let (changed, waiting) = fresh.layers.iter().map(|(setting, _)| setting.path).filter(|path| differs(path)).partition(|path| is_live(path));
        // The rest of the file is in force only after a restart, so what is shown must not claim it.
        let mut layers = current.layers.clone();
        for (setting, entry) in fresh.layers.iter().filter(|(setting, _)| is_live(setting.path)) {
            layers.replace(setting.path, entry.clone());
        }
        let config = Arc::new(Config { collect: fresh.collect, layers, ..Config::clone(&current) });
        *current = config.clone();
        Reloaded { config, changed, waiting }
    }
}

impl Settings for Live {
    fn environment(&self) -> String {
        self.current().environment.to_string()
    }

    fn section(&self, name: &str) -> Json {
        let config = self.current();
        match name {
            "collector" => print::collector(&config.layers),
            _ => print::section(&config.layers, name),
        }
    }

    fn reload(&self) -> Result<(), String> {
        Self::reload(self).map(|_| ()).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_reload_takes_what_can_change_and_names_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("latido.yaml");
        std::fs::write(&file, "collection: {interval: 10s}\n").unwrap();
        let live = Live::load(Sources { file: Some(file.clone()), ..Sources::default() }).unwrap();
        std::fs::write(&file, "collection: {interval: 20s}\nquery: {timeout: 9s}\n").unwrap();
        let reloaded = live.reload().unwrap();
        assert_eq!(reloaded.changed, ["collection.interval"]);
        assert_eq!(reloaded.waiting, ["rollup.aggregated", "query.timeout"]);
        assert_eq!(live.section("collector")["interval"], "20s");
        assert_eq!(live.section("query")["timeout"], "30s");
    }

    #[test]
    fn a_bad_file_keeps_the_old_configuration_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("latido.yaml");
        std::fs::write(&file, "collection: {interval: 10s}\n").unwrap();
        let live = Live::load(Sources { file: Some(file.clone()), ..Sources::default() }).unwrap();
        let failures = Arc::new(AtomicUsize::new(0));
        let counted = failures.clone();
        live.listen(Box::new(move |result| {
            counted.fetch_add(usize::from(result.is_err()), Ordering::SeqCst);
        }));
        std::fs::write(&file, "collection: {intervall: 20s}\n").unwrap();
        let settings: &dyn Settings = &live;
        assert!(settings.reload().unwrap_err().contains("did you mean collection.interval?"));
        assert_eq!(settings.section("collection")["interval"], "10s");
        assert_eq!(failures.load(Ordering::SeqCst), 1);
    }
}
