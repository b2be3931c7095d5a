//! Reads the kernel's small text files into a buffer that is kept. Knows no format.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::collect::CollectError;

/// A buffer that is kept between readings.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// The file's text. Bytes that are not UTF-8 make the rest of it vanish: kernel files are ASCII.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read(&mut self, path: &str) -> Result<&str, CollectError> {
        self.0.clear();
        let read = File::open(path).and_then(|mut file| file.read_to_end(&mut self.0));
        read.map_err(|source| CollectError::Read { path: path.into(), source })?;
        Ok(match std::str::from_utf8(&self.0) {
            Ok(text) => text,
            Err(e) => std::str::from_utf8(&self.0[..e.valid_up_to()]).unwrap_or(""),
        })
    }

    /// The file's text, `None` where there is no such file.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(crate) fn read_if_there(&mut self, path: &str) -> Result<Option<&str>, CollectError> {
        if Path::new(path).exists() { self.read(path).map(Some) } else { Ok(None) }
    }
}

/// A buffer for files that need not be text.
#[derive(Debug, Default)]
pub(crate) struct FileBytes(Vec<u8>);

impl FileBytes {
    /// The file's bytes, where it can be read.
    pub(crate) fn read(&mut self, path: &str) -> Option<&[u8]> {
        self.0.clear();
        File::open(path).and_then(|mut file| file.read_to_end(&mut self.0)).ok()?;
        Some(&self.0)
    }
}

/// A file's text without the white space around it, where it can be read.
pub(crate) fn word(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// A file's number, where it can be read.
pub(crate) fn number(path: &Path) -> Option<f64> {
    word(path)?.parse().ok()
}
