//! Settings, layer over layer, and where each came from.
//!
//! Files in reading order: `settings` the list of all of them, `value` their types, `yaml` a file's
//! text along that list, `profile` the four environments, `layers` default < profile < file <
//! environment < flags, `check` rules across settings, `tree` every room's options, `print` what is
//! in force, `live` reading it anew, `space` of a file system, `error`. The only room that reads the
//! process's environment. Knows of other rooms their options alone, and starts nothing.

mod check;
mod error;
mod layers;
mod live;
mod print;
mod profile;
mod rules;
mod settings;
mod space;
mod tree;
mod value;
mod yaml;

pub use error::{ConfigError, Problem};
pub use layers::{Entry, Flag, Layers, Origin, Sources, variable_of};
pub use live::{Listener, Live, Reloaded};
pub use print::print;
pub use profile::Environment;
pub use settings::{SETTINGS, Setting};
pub use space::{Space, space_of};
pub use tree::Config;
pub use value::{CommandSpec, Kind, PluginSpec, Value};

#[cfg(test)]
mod tests {
    //! The page on the configuration says what the binary does: every setting, with its default in
    //! each environment.
    use super::*;

    fn default_in(environment: Environment, path: &str) -> String {
        let sources = Sources { environment: Some(environment.to_string()), ..Sources::default() };
        let layers = Layers::stack(&sources).unwrap();
        layers.value(path).map_or_else(|| "–".to_owned(), |value| value.to_string())
    }

    #[test]
    fn the_page_has_every_setting_with_its_defaults() {
        let page = include_str!("../../docs/configuration.md");
        for setting in SETTINGS {
            let defaults = Environment::ALL.map(|environment| default_in(environment, setting.path)).join(" | ");
            let row = format!("| `{}` | {} | {} |", setting.path, defaults, setting.doc);
            assert!(page.contains(&row), "missing in docs/configuration.md:\n{row}");
        }
    }
}
