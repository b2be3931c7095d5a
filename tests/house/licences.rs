//! Licences of all dependencies against the allow list of `deny.toml`, from `cargo metadata`: a
//! check that needs no tool beyond cargo. Exceptions and advisories are cargo-deny's.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Packages whose licence is not allowed, with that licence.
pub(crate) fn refused() -> Vec<String> {
    let allowed = allowed();
    assert!(allowed.iter().any(|name| name == "MIT"), "deny.toml has an allow list");
    let packages = packages();
    assert!(packages.len() > 50, "cargo metadata names the dependencies");
    packages
        .iter()
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or("none given");
            let ok = Expression::new(licence, &allowed).accepted();
            (!ok).then(|| format!("{} {}: {licence}", package["name"], package["version"]))
        })
        .collect()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let resolved: Vec<&str> = metadata["resolve"]["nodes"].as_array().into_iter().flatten().filter_map(|node| node["id"].as_str()).collect();
    let all = metadata["packages"].as_array().into_iter().flatten();
    all.filter(|package| package["id"].as_str().is_some_and(|id| resolved.contains(&id))).cloned().collect()
}

fn allowed() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml")).expect("deny.toml is there");
    let list = text.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
    list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()).collect()
}

/// An SPDX expression, read by descent: `or` of `and` of names or parentheses.
struct Expression<'a> {
    tokens: Vec<String>,
    at: usize,
    allowed: &'a [String],
}

impl<'a> Expression<'a> {
    fn new(text: &str, allowed: &'a [String]) -> Self {
        // `MIT/Apache-2.0` is the old way to write OR.
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
        let tokens = spaced.split_whitespace().map(|token| token.replace("+WITH+", " WITH ")).collect();
        Self { tokens, at: 0, allowed }
    }

    fn accepted(mut self) -> bool {
        self.any() && self.at == self.tokens.len()
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|token| token == word);
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> bool {
        let mut ok = self.all();
        while self.take("OR") {
            ok |= self.all();
        }
        ok
    }

    fn all(&mut self) -> bool {
        let mut ok = self.one();
        while self.take("AND") {
            ok &= self.one();
        }
        ok
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let ok = self.any();
            return self.take(")") && ok;
        }
        let name = self.tokens.get(self.at);
        self.at += 1;
        name.is_some_and(|name| self.allowed.contains(name))
    }
}
