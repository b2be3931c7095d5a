//! Which series a set of matchers accepts: postings, intersected and subtracted.

use std::collections::{BTreeMap, HashMap};

use super::StoreError;
use crate::model::{Labels, MatchOp, Matcher};

/// Is told a label's value, and yields its series' numbers when called.
pub(super) type EachValue<'a> = dyn FnMut(&str, &mut dyn FnMut() -> Vec<u32>) + 'a;

/// Postings that can be asked: ascending series numbers by label name and value.
pub(super) trait Index {
    /// How many series there are: numbers run from 0.
    fn len(&self) -> u32;
    /// Numbers of the series with this label and value.
    fn equal(&self, name: &str, value: &str) -> Result<Vec<u32>, StoreError>;
    /// Calls `each` for every value of a label with its numbers.
    fn values(&self, name: &str, each: &mut EachValue<'_>) -> Result<(), StoreError>;
}

/// Ascending numbers of the series that all matchers accept.
pub(super) fn matching(index: &dyn Index, matchers: &[Matcher]) -> Result<Vec<u32>, StoreError> {
    let mut found: Option<Vec<u32>> = None;
    // Those that need a value narrow the set; those that accept an absent label only take away.
    for matcher in matchers.iter().filter(|m| !m.accepts_absent()) {
        let with = having(index, matcher, false)?;
        found = Some(match found {
            Some(so_far) => intersect(&so_far, &with),
            None => with,
        });
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
    }
    let mut found = found.unwrap_or_else(|| (0..index.len()).collect());
    for matcher in matchers.iter().filter(|m| m.accepts_absent()) {
        if found.is_empty() {
            break;
        }
        found = subtract(&found, &having(index, matcher, true)?);
    }
    Ok(found)
}

/// The texts that a matcher accepts (or, `refused`, refuses), where it is a plain list of them.
pub(super) fn literals(matcher: &Matcher, refused: bool) -> Option<&[String]> {
    match &matcher.op {
        MatchOp::Equal(value) if !refused => Some(std::slice::from_ref(value)),
        MatchOp::NotEqual(value) if refused => Some(std::slice::from_ref(value)),
        MatchOp::Regex(pattern) if !refused => pattern.literals(),
        MatchOp::NotRegex(pattern) if refused => pattern.literals(),
        _ => None,
    }
}

/// Series that have the label with an accepted (or, `refused`, with a refused) value.
fn having(index: &dyn Index, matcher: &Matcher, refused: bool) -> Result<Vec<u32>, StoreError> {
    let mut out = Vec::new();
    if let Some(literals) = literals(matcher, refused) {
        for value in literals.iter().filter(|v| !v.is_empty()) {
            out.extend(index.equal(&matcher.name, value)?);
        }
    } else {
        index.values(&matcher.name, &mut |value, numbers| {
            if matcher.accepts(value) != refused {
                out.extend(numbers());
            }
        })?;
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (small, large) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    small.iter().copied().filter(|n| large.binary_search(n).is_ok()).collect()
}

fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().copied().filter(|n| b.binary_search(n).is_err()).collect()
}

/// Postings in memory, for the head.
#[derive(Debug, Default)]
pub(super) struct MemoryIndex {
    series: u32,
    names: HashMap<String, BTreeMap<String, Vec<u32>>>,
}

impl MemoryIndex {
    /// Every label with its values and their series.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Vec<u32>>)> {
        self.names.iter().map(|(name, values)| (name.as_str(), values))
    }

    /// Adds the next series.
    pub(super) fn add(&mut self, labels: &Labels) {
        for (name, value) in labels.iter() {
            if !self.names.contains_key(name) {
                self.names.insert(name.to_owned(), BTreeMap::new());
            }
            if let Some(values) = self.names.get_mut(name) {
                match values.get_mut(value) {
                    Some(numbers) => numbers.push(self.series),
                    None => {
                        values.insert(value.to_owned(), vec![self.series]);
                    }
                }
            }
        }
        self.series += 1;
    }
}

impl Index for MemoryIndex {
    fn len(&self) -> u32 {
        self.series
    }

    fn equal(&self, name: &str, value: &str) -> Result<Vec<u32>, StoreError> {
        Ok(self.names.get(name).and_then(|values| values.get(value)).cloned().unwrap_or_default())
    }

    fn values(&self, name: &str, each: &mut EachValue<'_>) -> Result<(), StoreError> {
        for (value, numbers) in self.names.get(name).into_iter().flatten() {
            each(value, &mut || numbers.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_agree_with_testing_every_series() {
        let all: Vec<Labels> = [
            vec![("__name__", "up"), ("job", "a")],
            vec![("__name__", "up"), ("job", "b"), ("x", "1")],
            vec![("__name__", "down"), ("job", "a")],
            vec![("__name__", "up")],
        ]
        .into_iter()
        .map(|pairs| Labels::from_pairs(pairs).unwrap())
        .collect();
        let mut index = MemoryIndex::default();
        all.iter().for_each(|l| index.add(l));
        let sets = [
            vec![Matcher::metric("up")],
            vec![Matcher::metric("up"), Matcher::not_equal("job", "a")],
            vec![Matcher::regex("job", "a|b").unwrap()],
            vec![Matcher::regex("job", ".+").unwrap()],
            vec![Matcher::regex("job", ".*").unwrap(), Matcher::equal("x", "")],
            vec![Matcher::not_regex("job", "a|").unwrap()],
            vec![Matcher::not_regex("job", "[ab]").unwrap()],
            vec![Matcher::equal("job", "")],
            vec![Matcher::regex("job", "b|").unwrap()],
            vec![Matcher::not_equal("job", "")],
            vec![],
        ];
        for matchers in sets {
            let want: Vec<u32> = (0..4).filter(|i| matchers.iter().all(|m| m.accepts_labels(&all[*i as usize]))).collect();
            assert_eq!(matching(&index, &matchers).unwrap(), want, "{matchers:?}");
        }
    }
}
