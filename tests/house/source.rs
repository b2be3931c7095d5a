//! The source as the rules read it: text with comments and literals blanked, its words, the paths
//! and crates that it names. Knows no rule.

use std::fs;
use std::path::{Path, PathBuf};

/// One file below `src/`.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Path below `src/`, with `/`.
    pub(crate) path: String,
    /// As written.
    pub(crate) text: String,
    /// Comments, strings and characters blanked; lines stay.
    code: String,
}

/// Every `.rs` file below `src/`, in order of path.
pub(crate) fn all_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    gather(&root, &mut paths);
    paths.sort();
    paths.iter().map(|path| SourceFile::read(&root, path)).collect()
}

fn gather(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            gather(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

impl SourceFile {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is UTF-8");
        let path = path.strip_prefix(root).expect("below src").to_string_lossy().into_owned();
        let code = blank(&text);
        Self { path, text, code }
    }

    /// The first folder.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// `lib.rs` or `main.rs`.
    pub(crate) fn is_root(&self) -> bool {
        !self.path.contains('/')
    }

    /// Whether it is one of these files or lies in one of these folders, named without `.rs`.
    pub(crate) fn is_within(&self, places: &[&str]) -> bool {
        let own = self.path.trim_end_matches(".rs");
        places.iter().any(|place| own.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Words with their lines.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().flat_map(|(at, line)| words_of(line).map(move |(_, word)| (at + 1, word)))
    }

    /// What follows each `crate::`: up to the first thing that is not a name.
    pub(crate) fn crate_paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for (at, line) in self.code.lines().enumerate() {
            for (start, word) in words_of(line) {
                if word == "crate" && line[start..].starts_with("crate::") {
                    found.push((at + 1, segments(&line[start + "crate::".len()..])));
                }
            }
        }
        found
    }

    /// Names that stand first in a path (`name::…`) or in a `use`, and are no module of this file.
    pub(crate) fn outside_crates(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, line) in self.code.lines().enumerate() {
            for (start, word) in words_of(line) {
                let after_colons = line[..start].trim_end().ends_with("::");
                let opens_path = line[start + word.len()..].starts_with("::");
                let used_whole = line.trim_start().strip_prefix("use ").is_some_and(|rest| rest.starts_with(word));
                if !after_colons && (opens_path || used_whole) && !self.has_module(word) {
                    found.push((at + 1, word.to_owned()));
                }
            }
        }
        found
    }

    fn has_module(&self, name: &str) -> bool {
        let declared = format!("mod {name}");
        self.code.lines().any(|line| line.trim().trim_start_matches("pub ").trim_end_matches([';', ' ', '{']) == declared)
    }
}

fn segments(text: &str) -> Vec<String> {
    let mut path = Vec::new();
    for part in text.split("::") {
        let end = part.find(|c: char| !is_word(c)).unwrap_or(part.len());
        path.push(part[..end].to_owned());
        if end < part.len() {
            // `{` after the colons: one more, unnamed, segment stands for what is inside.
            break;
        }
    }
    path
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words_of(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + line[rest..].find(is_word)?;
        let end = line[start..].find(|c| !is_word(c)).map_or(line.len(), |length| start + length);
        rest = end;
        Some((start, &line[start..end]))
    })
}

/// Replaces what is no code by spaces, byte for byte, and keeps line ends.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = literal_length(&bytes[at..], at.checked_sub(1).map(|before| bytes[before]));
        let (taken, keep) = if length == 0 { (1, true) } else { (length, false) };
        for byte in &bytes[at..(at + taken).min(bytes.len())] {
            let shown = if *byte == b'\n' || (keep && byte.is_ascii()) { char::from(*byte) } else { ' ' };
            out.push(shown);
        }
        at += taken;
    }
    out
}

/// How long the comment, string or character is that begins here; 0: none does.
fn literal_length(rest: &[u8], before: Option<u8>) -> usize {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4),
        [b'"', ..] => quoted_length(rest),
        [b'r', b'"' | b'#', ..] if !in_word => raw_length(&rest[1..]).map_or(0, |length| length + 1),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => raw_length(&rest[2..]).map_or(0, |length| length + 2),
        [b'\'', b'\\', ..] => rest.iter().skip(3).position(|byte| *byte == b'\'').map_or(1, |end| end + 4),
        [b'\'', _, b'\'', ..] => 3,
        _ => 0,
    }
}

fn quoted_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of `#"…"#`, counted from the first `#` or quote; `None` where it is no raw string.
fn raw_length(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    Some(find(&rest[hashes + 1..], &end).map_or(rest.len(), |at| hashes + 1 + at + end.len()))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
