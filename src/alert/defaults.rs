//! The rules for a Linux host, compiled in from `config/rules/linux.yaml`, which is a file of rules
//! as Prometheus reads it too.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rule::{Rule, RuleDraft, SEVERITY};
use super::{AlertError, book};
use crate::wire;

const FILE: &str = include_str!("../../config/rules/linux.yaml");

/// Ids of default rules begin so, and no other does: a rule of a later version must not find its
/// id taken.
pub(super) const PREFIX: &str = "default-";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default)]
    interval: Option<String>,
    rules: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    alert: String,
    expr: String,
    #[serde(rename = "for", default)]
    wait: Option<String>,
    #[serde(default)]
    keep_firing_for: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Every default rule by its id.
pub(super) fn rules() -> Result<BTreeMap<String, Rule>, AlertError> {
    let file: File = wire::yaml::from_str(FILE).map_err(|e| AlertError::Defaults(e.to_string()))?;
    let mut out = BTreeMap::new();
    for group in file.groups {
        for entry in group.rules {
            let id = format!("{PREFIX}{}", book::slug(&entry.alert));
            out.insert(id, draft(entry, &group.name, group.interval.as_ref()).check()?);
        }
    }
    Ok(out)
}

fn draft(mut entry: Entry, group: &str, interval: Option<&String>) -> RuleDraft {
    RuleDraft {
        id: None,
        revision: None,
        name: entry.alert,
        expr: entry.expr.trim().to_owned(),
        wait: entry.wait,
        keep_firing_for: entry.keep_firing_for,
        severity: entry.labels.remove(SEVERITY).unwrap_or_default(),
        labels: Some(entry.labels),
        annotations: Some(entry.annotations),
        group: Some(group.to_owned()),
        interval: interval.cloned(),
        enabled: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_rule_is_in_order_and_says_what_to_do() {
        let rules = rules().unwrap();
        assert!(rules.len() > 20, "{}", rules.len());
        assert_eq!(rules.len(), FILE.matches("- alert: ").count(), "no two have one id");
        for (id, rule) in &rules {
            for name in ["summary", "description"] {
                assert!(rule.annotations.iter().any(|(n, text)| n == name && !text.is_empty()), "{id} has a {name}");
            }
        }
    }
}
