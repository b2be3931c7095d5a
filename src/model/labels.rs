//! Label sets as canonical bytes: pairs sorted by name, each name and value behind its length.
//!
//! Everything that compares or stores series uses these bytes, so a series has one form and one
//! fingerprint everywhere. Empty values are left out: a label with an empty value is no label.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The label that carries a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// 128-bit XXH3 of the canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// Of canonical label bytes.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128(canonical))
    }
}

/// What is wrong with a label set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelsError {
    /// A name stands twice.
    #[error("label {0:?} is given twice")]
    Duplicate(String),
    /// A name is empty.
    #[error("a label has an empty name")]
    EmptyName,
    /// Not UTF-8.
    #[error("a label name or value is not UTF-8")]
    NotUtf8,
    /// The bytes are not canonical.
    #[error("label bytes are cut short")]
    Truncated,
}

/// A sorted label set. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<[u8]>);

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Labels {
    /// From canonical bytes, checked.
    ///
    /// # Errors
    /// The bytes are not what [`encode_canonical`] writes.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, LabelsError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            for _ in 0..2 {
                let (text, tail) = take(rest).ok_or(LabelsError::Truncated)?;
                std::str::from_utf8(text).map_err(|_| LabelsError::NotUtf8)?;
                rest = tail;
            }
        }
        Ok(Self(Arc::from(bytes)))
    }

    /// From pairs in any order; empty values are dropped.
    ///
    /// # Errors
    /// A name is empty or stands twice.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelsError> {
        let owned: Vec<(N, V)> = pairs.into_iter().collect();
        let mut refs: Vec<(&[u8], &[u8])> = owned.iter().map(|(n, v)| (n.as_ref().as_bytes(), v.as_ref().as_bytes())).collect();
        let mut out = Vec::new();
        encode_canonical(&mut refs, &mut out)?;
        Ok(Self(out.into()))
    }

    /// The canonical bytes.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.0
    }

    /// The fingerprint of the canonical bytes.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }

    /// XXH64 of the labels as Prometheus hashes them: which share of all series this one belongs to.
    #[must_use]
    pub fn share(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.0.len());
        for text in self.iter().flat_map(|(name, value)| [name, value]) {
            match u8::try_from(text.len()) {
                Ok(length @ 0..=254) => bytes.push(length),
                _ => {
                    bytes.push(255);
                    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes()[..3]);
                }
            }
            bytes.extend_from_slice(text.as_bytes());
        }
        xxhash_rust::xxh64::xxh64(&bytes, 0)
    }

    /// Pairs in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        Pairs(&self.0)
    }

    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A label's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The metric's name, or empty.
    #[must_use]
    pub fn metric_name(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or("")
    }

    /// Only the labels for which `keep` is true.
    #[must_use]
    pub fn filtered(&self, keep: impl FnMut(&str) -> bool) -> Self {
        let mut out = Vec::with_capacity(self.0.len());
        self.filter_into(keep, &mut out);
        Self(out.into())
    }

    /// Appends the canonical bytes of the labels for which `keep` is true.
    pub fn filter_into(&self, mut keep: impl FnMut(&str) -> bool, out: &mut Vec<u8>) {
        for (n, v) in self.iter().filter(|(n, _)| keep(n)) {
            put(out, n.as_bytes());
            put(out, v.as_bytes());
        }
    }

    /// Without the metric's name.
    #[must_use]
    pub fn without_name(&self) -> Self {
        self.filtered(|n| n != METRIC_NAME)
    }

    /// A builder that starts from these.
    #[must_use]
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder { pairs: self.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect() }
    }
}

/// Sets and removes labels one by one.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// Sets a label; an empty value removes it.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    /// Sets a label in place; an empty value removes it.
    pub fn put(&mut self, name: &str, value: &str) {
        match self.pairs.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
            Ok(i) if value.is_empty() => {
                self.pairs.remove(i);
            }
            Ok(i) => value.clone_into(&mut self.pairs[i].1),
            Err(_) if value.is_empty() => {}
            Err(i) => self.pairs.insert(i, (name.to_owned(), value.to_owned())),
        }
    }

    /// The label set.
    #[must_use]
    pub fn build(self) -> Labels {
        let mut out = Vec::new();
        for (n, v) in &self.pairs {
            put(&mut out, n.as_bytes());
            put(&mut out, v.as_bytes());
        }
        Labels(out.into())
    }
}

/// Sorts `pairs` by name and appends their canonical bytes to `out`; pairs with empty values are left out.
///
/// # Errors
/// A name is empty or stands twice, or something is not UTF-8; `out` is then as it was.
pub fn encode_canonical(pairs: &mut [(&[u8], &[u8])], out: &mut Vec<u8>) -> Result<(), LabelsError> {
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.sort_unstable_by(|a, b| a.0.cmp(b.0));
        if let Some(twice) = pairs.windows(2).find(|w| w[0].0 == w[1].0) {
            return Err(LabelsError::Duplicate(String::from_utf8_lossy(twice[0].0).into_owned()));
        }
    }
    let before = out.len();
    for (n, v) in pairs.iter() {
        if n.is_empty() {
            out.truncate(before);
            return Err(LabelsError::EmptyName);
        }
        if !v.is_empty() {
            put(out, n);
            put(out, v);
        }
    }
    // One look at all bytes serves nearly every label set; lengths below 128 are ASCII as well.
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
    if !out[before..].is_ascii() && !pairs.iter().all(|(n, v)| text(n) && text(v)) {
        out.truncate(before);
        return Err(LabelsError::NotUtf8);
    }
    Ok(())
}

fn put(out: &mut Vec<u8>, text: &[u8]) {
    let mut len = text.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(text);
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut len = 0usize;
    for (i, &b) in bytes.iter().enumerate().take(5) {
        len |= usize::from(b & 0x7f) << (7 * i);
        if b < 0x80 {
            return bytes.get(i + 1..)?.split_at_checked(len);
        }
    }
    None
}

#[derive(Clone)]
struct Pairs<'a>(&'a [u8]);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (name, rest) = take(self.0)?;
        let (value, rest) = take(rest)?;
        self.0 = rest;
        Some((std::str::from_utf8(name).unwrap_or(""), std::str::from_utf8(value).unwrap_or("")))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name())?;
        f.write_str("{")?;
        for (i, (n, v)) in self.iter().filter(|(n, _)| *n != METRIC_NAME).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{n}={v:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
        Self::from_pairs(map).map_err(serde::de::Error::custom)
    }
}

/// Whether `name` is a metric name of the classic grammar `[a-zA-Z_:][a-zA-Z0-9_:]*`.
#[must_use]
pub fn valid_metric_name(name: &str) -> bool {
    let ok = |i: usize, c: u8| c.is_ascii_alphabetic() || c == b'_' || c == b':' || (i > 0 && c.is_ascii_digit());
    !name.is_empty() && name.bytes().enumerate().all(|(i, c)| ok(i, c))
}

/// Whether `name` is a label name of the classic grammar `[a-zA-Z_][a-zA-Z0-9_]*`.
#[must_use]
pub fn valid_label_name(name: &str) -> bool {
    valid_metric_name(name) && !name.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_whatever_the_order() {
        let a = Labels::from_pairs([("b", "2"), ("__name__", "m"), ("a", ""), ("c", "3")]).unwrap();
        let b = Labels::from_pairs([("c", "3"), ("__name__", "m"), ("b", "2")]).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.fingerprint(), b.fingerprint());
        assert_eq!(a.to_string(), "m{b=\"2\", c=\"3\"}");
        assert_eq!(Labels::from_canonical(a.canonical()).unwrap(), a);
        assert_eq!(Labels::from_pairs([("a", "1"), ("a", "2")]), Err(LabelsError::Duplicate("a".into())));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let long = "x".repeat(300);
        let labels = Labels::from_pairs([("name", long.as_str())]).unwrap();
        assert_eq!(labels.get("name"), Some(long.as_str()));
        for cut in 1..labels.canonical().len() {
            assert!(Labels::from_canonical(&labels.canonical()[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn the_builder_sets_and_removes() {
        let labels = Labels::from_pairs([("a", "1"), ("b", "2")]).unwrap();
        let changed = labels.to_builder().set("a", "").set("c", "3").set("b", "4").build();
        assert_eq!(changed, Labels::from_pairs([("b", "4"), ("c", "3")]).unwrap());
    }

    #[test]
    fn names_follow_the_grammar() {
        assert!(valid_metric_name("node:cpu_total") && !valid_metric_name("9a") && !valid_metric_name("a-b") && !valid_metric_name(""));
        assert!(valid_label_name("_x1") && !valid_label_name("a:b"));
    }
}
