//! The rules there are: the default ones, those that somebody made, and default ones that somebody
//! changed. Kept in the catalog; ids never change. Knows no state of an alert.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::{AlertError, defaults};
use crate::store::{Catalog, DocumentKind, StoreError};

/// More than anybody writes, and few enough to be evaluated every few seconds.
const MAX_RULES: usize = 1000;
const MAX_SLUG_BYTES: usize = 80;

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOrigin {
    /// Compiled in, as it is.
    Default,
    /// Compiled in, and changed by somebody.
    Changed,
    /// Made by somebody.
    Own,
}

/// A rule with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names it for ever.
    pub id: String,
    /// Counts its changes; 0 for a default rule that nobody changed.
    pub revision: u64,
    /// Where it comes from.
    pub origin: RuleOrigin,
    /// What it says.
    pub rule: Rule,
}

/// A rule as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    rule: Rule,
    /// Stands in place of a default rule.
    replaces_default: bool,
}

/// All rules. Calls that change it take disk.
#[derive(Debug)]
pub(super) struct Book {
    catalog: Catalog,
    defaults: BTreeMap<String, Rule>,
    entries: BTreeMap<String, Entry>,
}

impl Book {
    /// Reads the catalog; `with_defaults`: the default rules apply.
    pub(super) fn open(catalog: Catalog, with_defaults: bool) -> Result<Self, AlertError> {
        let defaults = if with_defaults { defaults::rules()? } else { BTreeMap::new() };
        let of_default = |(id, rule): (&String, &Rule)| (id.clone(), default_entry(id, rule));
        let mut entries: BTreeMap<String, Entry> = defaults.iter().map(of_default).collect();
        for document in catalog.list::<Stored>(DocumentKind::Rule)? {
            let Stored { rule, replaces_default } = document.body;
            // A change of a default rule that does not apply waits until it does again.
            if replaces_default && !defaults.contains_key(&document.id) {
                continue;
            }
            let origin = if replaces_default { RuleOrigin::Changed } else { RuleOrigin::Own };
            entries.insert(document.id.clone(), Entry { id: document.id, revision: document.revision, origin, rule });
        }
        Ok(Self { catalog, defaults, entries })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn get(&self, id: &str) -> Result<&Entry, AlertError> {
        self.entries.get(id).ok_or_else(|| AlertError::Unknown(id.chars().take(100).collect()))
    }

    /// Adds a rule; durable when it returns.
    pub(super) fn create(&mut self, rule: Rule) -> Result<Entry, AlertError> {
        self.is_free(&rule, None)?;
        if self.entries.len() >= MAX_RULES {
            return Err(AlertError::TooMany(MAX_RULES));
        }
        let id = self.free_id(&rule.name);
        self.put(id, rule, RuleOrigin::Own, Some(0))
    }

    /// Changes a rule; durable when it returns. `revision`: what the caller read.
    pub(super) fn update(&mut self, id: &str, rule: Rule, revision: Option<u64>) -> Result<Entry, AlertError> {
        let entry = self.get(id)?;
        if let Some(expected) = revision.filter(|expected| *expected != entry.revision) {
            return Err(AlertError::Stale { id: id.to_owned(), expected, found: entry.revision });
        }
        let origin = if entry.origin == RuleOrigin::Own { RuleOrigin::Own } else { RuleOrigin::Changed };
        self.is_free(&rule, Some(id))?;
        self.put(id.to_owned(), rule, origin, None)
    }

    /// Removes a rule that somebody made, or the change of a default one, which then applies again.
    /// Durable when it returns. Yields what is there now.
    pub(super) fn delete(&mut self, id: &str) -> Result<Option<Entry>, AlertError> {
        match self.get(id)?.origin {
            RuleOrigin::Default => return Err(AlertError::Default(id.to_owned())),
            RuleOrigin::Changed | RuleOrigin::Own => self.catalog.remove(DocumentKind::Rule, id)?,
        };
        self.entries.remove(id);
        let restored = self.defaults.get(id).map(|rule| default_entry(id, rule));
        if let Some(entry) = &restored {
            self.entries.insert(id.to_owned(), entry.clone());
        }
        Ok(restored)
    }

    fn put(&mut self, id: String, rule: Rule, origin: RuleOrigin, expected: Option<u64>) -> Result<Entry, AlertError> {
        let stored = Stored { rule, replaces_default: origin == RuleOrigin::Changed };
        let revision = self.catalog.put(DocumentKind::Rule, &id, expected, &stored).map_err(|e| match e {
            StoreError::StaleRevision { id, expected, found } => AlertError::Stale { id, expected, found },
            other => AlertError::Store(other),
        })?;
        let entry = Entry { id: id.clone(), revision, origin, rule: stored.rule };
        self.entries.insert(id, entry.clone());
        Ok(entry)
    }

    /// No other rule of the group has the name.
    fn is_free(&self, rule: &Rule, own_id: Option<&str>) -> Result<(), AlertError> {
        let is_taken = |entry: &&Entry| Some(entry.id.as_str()) != own_id && entry.rule.group == rule.group && entry.rule.name == rule.name;
        match self.entries.values().find(is_taken) {
            Some(_) => Err(AlertError::Duplicate { name: rule.name.clone(), group: rule.group.clone() }),
            None => Ok(()),
        }
    }

    fn free_id(&self, name: &str) -> String {
        let slug = match slug(name) {
            slug if slug.is_empty() => "rule".to_owned(),
            slug if slug.starts_with(defaults::PREFIX) => format!("rule-{slug}"),
            slug => slug,
        };
        let numbered = (2..).map(|n| format!("{slug}-{n}"));
        std::iter::once(slug.clone()).chain(numbered).find(|id| !self.entries.contains_key(id)).unwrap_or(slug)
    }
}

fn default_entry(id: &str, rule: &Rule) -> Entry {
    Entry { id: id.to_owned(), revision: 0, origin: RuleOrigin::Default, rule: rule.clone() }
}

/// Letters and digits of a name, in lower case, with `-` between the words.
pub(super) fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if out.len() >= MAX_SLUG_BYTES {
            break;
        }
        let begins_word = !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && after_lower);
        if begins_word && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        }
        after_lower = c.is_ascii_lowercase();
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::alerts::tests::catalog;
    use crate::alert::rule::tests::rule;

    #[test]
    fn what_is_made_changed_and_deleted_is_so_after_a_restart() {
        let catalog = catalog();
        let mut book = Book::open(catalog.clone(), false).unwrap();
        let made = book.create(rule("Disk is full", "up == 0")).unwrap();
        assert_eq!((made.id.as_str(), made.revision, made.origin), ("disk-is-full", 1, RuleOrigin::Own));
        let renamed = book.update("disk-is-full", rule("Renamed", "up == 1"), Some(1)).unwrap();
        assert_eq!((renamed.id.as_str(), renamed.revision), ("disk-is-full", 2));
        assert!(matches!(book.update("disk-is-full", rule("x", "up"), Some(1)), Err(AlertError::Stale { found: 2, .. })));
        assert_eq!(book.create(rule("Disk is full", "up")).unwrap().id, "disk-is-full-2");
        book.delete("disk-is-full-2").unwrap();
        let again = Book::open(catalog, false).unwrap();
        assert_eq!(again.all().collect::<Vec<_>>(), [&renamed]);
        assert!(matches!(again.get("disk-is-full-2"), Err(AlertError::Unknown(_))));
    }

    #[test]
    fn a_name_stands_once_in_a_group() {
        let mut book = Book::open(catalog(), false).unwrap();
        book.create(rule("a", "up")).unwrap();
        book.create(rule("b", "up")).unwrap();
        assert!(matches!(book.create(rule("a", "up")), Err(AlertError::Duplicate { .. })));
        assert!(matches!(book.update("b", rule("a", "up"), None), Err(AlertError::Duplicate { .. })));
        book.create(Rule { group: "other".into(), ..rule("a", "up") }).unwrap();
        assert_eq!(book.all().count(), 3);
    }

    #[test]
    fn a_default_rule_is_changed_and_comes_back_and_never_goes() {
        let catalog = catalog();
        let mut book = Book::open(catalog.clone(), true).unwrap();
        let first = book.all().next().unwrap().clone();
        assert!(first.id.starts_with(defaults::PREFIX) && first.origin == RuleOrigin::Default);
        assert!(matches!(book.delete(&first.id), Err(AlertError::Default(_))));
        let off = Rule { enabled: false, ..first.rule.clone() };
        assert_eq!(book.update(&first.id, off.clone(), None).unwrap().origin, RuleOrigin::Changed);
        assert_eq!(Book::open(catalog.clone(), true).unwrap().get(&first.id).unwrap().rule, off);
        assert_eq!(Book::open(catalog, false).unwrap().all().count(), 0);
        assert_eq!(book.delete(&first.id).unwrap(), Some(first));
    }

    #[test]
    fn any_name_makes_an_id_of_plain_letters() {
        for (name, id) in [("HostOutOfMemory", "host-out-of-memory"), ("Disk /dev/sda: full!", "disk-dev-sda-full"), ("OOM", "oom"), ("ñ", "")] {
            assert_eq!(slug(name), id);
        }
        let mut book = Book::open(catalog(), false).unwrap();
        assert_eq!(book.create(rule("ñandú ☃", "up")).unwrap().id, "and");
        assert_eq!(book.create(rule("☃", "up")).unwrap().id, "rule");
        assert_eq!(book.create(rule("default-x", "up")).unwrap().id, "rule-default-x");
    }
}
