//! Byte counts, so that a bare number never has to say its unit. Parses and prints `512MiB`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl ByteCount {
    /// So many MiB.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// As an index or a length in memory.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// Reads `1073741824`, `512MiB`, `5GB`; `None` for anything else or what does not fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..digits].parse().ok()?;
        let unit = text[digits..].trim();
        if unit.is_empty() {
            return Some(Self(number));
        }
        let (_, scale) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        number.checked_mul(*scale).map(Self)
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, scale) in UNITS[..4].iter().rev() {
            if self.0 >= *scale && self.0.is_multiple_of(*scale) {
                return write!(f, "{}{name}", self.0 / scale);
            }
        }
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_as_printed() {
        for text in ["0B", "17B", "64KiB", "5GiB", "3TiB"] {
            assert_eq!(ByteCount::parse(text).map(|b| b.to_string()).as_deref(), Some(text));
        }
        assert_eq!(ByteCount::parse("5 GB"), Some(ByteCount(5_000_000_000)));
        for bad in ["", "MiB", "-1", "1.5GiB", "99999999999TiB", "7 parsecs"] {
            assert_eq!(ByteCount::parse(bad), None, "{bad}");
        }
    }
}
