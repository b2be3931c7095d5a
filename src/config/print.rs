//! The effective settings, for people (`config print`) and as JSON (the API). Secrets are masked in both.

use serde_json::{Map, Value as Json, json};

use super::layers::{Entry, Layers};
use super::settings::Setting;

const MASK: &str = "***";

fn shown(setting: &Setting, entry: &Entry) -> String {
    match &entry.value {
        Some(_) if setting.secret => MASK.to_owned(),
        Some(value) => value.to_string(),
        None => "(not set)".to_owned(),
    }
}

/// One line a setting: path, value, origin.
#[must_use]
pub fn print(layers: &Layers) -> String {
    let lines: Vec<(&str, String, String)> = layers.iter().map(|(setting, entry)| (setting.path, shown(setting, entry), entry.origin.to_string())).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let path_width = width(&mut lines.iter().map(|(path, ..)| path.len()));
    let value_width = width(&mut lines.iter().map(|(_, value, _)| value.chars().count().min(24)));
    let mut out = format!("# environment: {}\n", layers.environment);
    for (path, value, origin) in lines {
        out.push_str(&format!("{path:path_width$}  {value:value_width$}  # {origin}\n"));
    }
    out
}

/// A section as JSON, `null` for what is not set.
#[must_use]
pub(super) fn section(layers: &Layers, name: &str) -> Json {
    let mut object = Map::new();
    for (setting, entry) in layers.iter() {
        let value = match &entry.value {
            Some(_) if setting.secret => json!(MASK),
            Some(value) => value.to_json(),
            None => Json::Null,
        };
        if setting.path == name {
            return if value.is_null() { json!([]) } else { value };
        }
        if let Some(key) = setting.path.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) {
            put(&mut object, key, value);
        }
    }
    Json::Object(object)
}

fn put(object: &mut Map<String, Json>, key: &str, value: Json) {
    match key.split_once('.') {
        None => {
            object.insert(key.to_owned(), value);
        }
        Some((outer, rest)) => {
            if let Json::Object(inner) = object.entry(outer).or_insert_with(|| Json::Object(Map::new())) {
                put(inner, rest, value);
            }
        }
    }
}

/// What `config/collector` shows: the section `collection`, and whatever else decides what is
/// collected, accepted and kept.
#[must_use]
pub(super) fn collector(layers: &Layers) -> Json {
    let mut object = section(layers, "collection");
    for name in ["custom_metrics", "custom", "plugins", "storage", "retention", "rollup", "ingest", "journal"] {
        object[name] = section(layers, name);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::{Flag, Sources};
    use crate::config::tree::Config;

    fn layers(flags: &[(&str, &str)]) -> Layers {
        let flags = flags.iter().map(|(path, value)| Flag { name: "--set".into(), path: (*path).into(), value: (*value).into() }).collect();
        Config::load(&Sources { flags, ..Sources::default() }).unwrap().layers
    }

    #[test]
    fn each_value_is_printed_with_its_origin() {
        let text = print(&layers(&[("collection.interval", "20s")]));
        let line = |path: &str| text.lines().find(|line| line.starts_with(&format!("{path} "))).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(line("collection.interval"), "collection.interval 20s # flag --set");
        assert_eq!(line("retention.raw"), "retention.raw 2d # profile standalone");
        assert_eq!(line("rollup.aggregated"), "rollup.aggregated 5m # raised from 1m (default): a bucket must hold 4 rounds of collection.interval 20s");
        assert_eq!(line("http.tls.cert"), "http.tls.cert (not set) # default");
    }

    #[test]
    fn a_secret_is_masked_everywhere() {
        let layers = layers(&[("alerts.webhook", "https://example.org/token")]);
        assert!(!print(&layers).contains("token"));
        assert_eq!(section(&layers, "alerts")["webhook"], MASK);
    }

    #[test]
    fn sections_are_nested_objects() {
        let layers = layers(&[]);
        assert_eq!(section(&layers, "http")["tls"], json!({"cert": null, "key": null}));
        assert_eq!(section(&layers, "dashboards")["max_connections"], 1000);
        let collector = collector(&layers);
        assert_eq!((&collector["interval"], &collector["plugins"], &collector["custom_metrics"]["rag_performance"]), (&json!("5s"), &json!([]), &json!(true)));
    }
}
