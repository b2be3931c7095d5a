//! Retention rules: from what is written to what the store is told, and what is wrong with them, each
//! with the place where it stands.

use std::time::Duration;

use crate::clock::parse_duration;
use crate::query::parse_selector;
use crate::store::{Keep, RetentionRule};

use super::error::Problem;
use super::layers::{Layers, Origin};
use super::value::{RuleSpec, Value};

/// What a rule may keep least.
const LEAST: Duration = Duration::from_secs(60);
/// Each new series is held against them one by one.
const MOST_RULES: usize = 100;

/// The rule that is meant.
///
/// # Errors
/// The selector is none, or a duration is wrong.
pub(super) fn rule(spec: &RuleSpec) -> Result<RetentionRule, String> {
    let matchers = parse_selector(&spec.selector).map_err(|error| format!("match {:?}: {error}", spec.selector))?;
    let keep = |name: &str, text: &Option<String>| match text.as_deref() {
        None => Ok(Keep::AsTier),
        Some("off") if name == "raw" => Err("raw cannot be off: every sample enters there; the least is 1m".to_owned()),
        Some("off") => Ok(Keep::Nothing),
        Some(text) => match parse_duration(text) {
            Ok(age) if age >= LEAST => Ok(Keep::For(age)),
            Ok(_) => Err(format!("{name}: {text} is too short: keep at least 1m")),
            Err(_) => Err(format!("{name}: {text:?} is wrong here: it must be a duration such as 48h or 90d, or off")),
        },
    };
    let keeps = [keep("raw", &spec.raw)?, keep("aggregated", &spec.aggregated)?, keep("summary", &spec.summary)?];
    if keeps == [Keep::AsTier; 3] {
        return Err("it changes nothing: give raw, aggregated or summary".to_owned());
    }
    Ok(RetentionRule { matchers, keeps })
}

/// Everything that is wrong with the rules.
pub(super) fn check(layers: &Layers) -> Vec<Problem> {
    let path = "retention.rules";
    let Some((Value::Rules(rules), origin)) = layers.entry(path).and_then(|entry| entry.value.as_ref().map(|value| (value, &entry.origin))) else {
        return Vec::new();
    };
    let place = |spec: &RuleSpec| match origin {
        Origin::File(file, _) if spec.line > 0 => format!("{}:{}", file.display(), spec.line),
        other => other.to_string(),
    };
    let is_off = |tier: &str| layers.value(tier) == Some(&Value::Off);
    let mut problems = Vec::new();
    for (i, spec) in rules.iter().enumerate() {
        let message = match rule(spec) {
            Err(message) => message,
            Ok(_) if i >= MOST_RULES => format!("there are more than {MOST_RULES} rules"),
            Ok(rule) if rules[..i].iter().any(|earlier| self::rule(earlier).is_ok_and(|earlier| earlier.matchers == rule.matchers)) => {
                format!("match {:?} stands twice, and the first rule that matches counts", spec.selector)
            }
            Ok(RetentionRule { keeps: [_, Keep::For(_), _], .. }) if is_off("retention.aggregated") => "retention.aggregated is off for all series".to_owned(),
            Ok(RetentionRule { keeps: [_, _, Keep::For(_)], .. }) if is_off("retention.summary") => "retention.summary is off for all series".to_owned(),
            Ok(_) => continue,
        };
        problems.push(Problem { place: place(spec), message: format!("{path}, rule {}: {message}", i + 1) });
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::{Flag, Sources};
    use crate::config::tree::Config;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn rules_reach_the_store_in_their_order() {
        let text = r#"[{match: '{job="x"}', raw: 30d}, {match: 'debug_.*', aggregated: off, summary: off}]"#.replace("debug_.*", "debug_total{env!~\"p.*\"}");
        let flag = Flag { name: "--set".into(), path: "retention.rules".into(), value: text };
        let config = Config::load(&Sources { flags: vec![flag], ..Sources::default() }).unwrap();
        let [x, debug] = &config.store.rules[..] else { panic!("two rules") };
        assert_eq!(x.keeps, [Keep::For(30 * DAY), Keep::AsTier, Keep::AsTier]);
        assert_eq!((debug.keeps, debug.matchers.len()), ([Keep::AsTier, Keep::Nothing, Keep::Nothing], 2));
        assert_eq!(config.store.longest_in(crate::model::Tier::Raw), Some(30 * DAY));
    }

    #[test]
    fn what_is_wrong_is_named_with_rule_and_line() {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = "retention:\n  raw: 2d\n  rules:\n    - match: up\n      raw: 1d\n    - match: '{job=x}'\n      raw: 1d\n    - {match: a, raw: off}\n    - {match: b, raw: 5s}\n    - {match: c}\n    - {match: up, raw: 3d}\n";
        file.write_all(text.as_bytes()).unwrap();
        let sources = Sources { file: Some(file.path().to_owned()), ..Sources::default() };
        let said = Config::load(&sources).unwrap_err().to_string();
        let name = file.path().display();
        for (line, words) in [
            (6, "rule 2: match \"{job=x}\""),
            (8, "rule 3: raw cannot be off"),
            (9, "rule 4: raw: 5s is too short"),
            (10, "rule 5: it changes nothing"),
            (11, "rule 6: match \"up\" stands twice"),
        ] {
            assert!(said.contains(&format!("{name}:{line}: retention.rules, {words}")), "{words}: {said}");
        }
        let off = Flag { name: "--set".into(), path: "retention.summary".into(), value: "off".into() };
        let rules = Flag { name: "--set".into(), path: "retention.rules".into(), value: "[{match: a, summary: 1y}]".into() };
        let said = Config::load(&Sources { flags: vec![off, rules], ..Sources::default() }).unwrap_err().to_string();
        assert!(said.contains("retention.summary is off for all series"), "{said}");
    }
}
