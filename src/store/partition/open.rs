//! Sealed files that are open, the least recently used closed first, and which series of them
//! selections matched: a file cannot change, so what was found once stays right.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::ReadOnlyDatabase;

use super::directory::Directory;
use crate::store::StoreError;
use crate::store::files::MAX_OPEN;

/// Bytes of all remembered selections together.
const SELECTION_BYTES: usize = 4 << 20;
/// What one costs beside its numbers, about.
const SELECTION_OVERHEAD: usize = 96;

/// A sealed file that is open.
pub(super) struct OpenFile {
    pub(super) database: ReadOnlyDatabase,
    /// `None`: of the layout before streams.
    pub(super) directory: Option<Arc<Directory>>,
}

/// Open files and remembered selections.
#[derive(Default)]
pub(in crate::store) struct OpenFiles {
    list: Mutex<Vec<(u64, Arc<OpenFile>)>>,
    selections: Mutex<Selections>,
    pub(in crate::store) hits: AtomicU64,
    pub(in crate::store) misses: AtomicU64,
}

impl std::fmt::Debug for OpenFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenFiles")
    }
}

impl OpenFiles {
    /// The open file of a generation; `open` is called where it is not open.
    pub(super) fn get(&self, generation: u64, open: impl FnOnce() -> Result<OpenFile, StoreError>) -> Result<Arc<OpenFile>, StoreError> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(i) = list.iter().position(|(g, _)| *g == generation) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            let entry = list.remove(i);
            let file = entry.1.clone();
            list.push(entry);
            return Ok(file);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let file = Arc::new(open()?);
        if list.len() >= MAX_OPEN {
            list.remove(0);
        }
        list.push((generation, file.clone()));
        Ok(file)
    }

    /// Closes a file that is gone or damaged.
    pub(super) fn forget(&self, generation: u64) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).retain(|(g, _)| *g != generation);
        self.selections().forget(generation);
    }

    /// The series of a file that these matchers accept; `find` is called where nobody asked of late.
    pub(super) fn selection(&self, generation: u64, matchers: String, find: impl FnOnce() -> Result<Vec<u32>, StoreError>) -> Result<Arc<[u32]>, StoreError> {
        let key = (generation, matchers);
        if let Some(found) = self.selections().get(&key) {
            return Ok(found);
        }
        // Not under the lock: it may take a while.
        let found: Arc<[u32]> = find()?.into();
        self.selections().put(key, &found);
        Ok(found)
    }

    fn selections(&self) -> std::sync::MutexGuard<'_, Selections> {
        self.selections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers of series by file and matchers.
#[derive(Default)]
struct Selections {
    found: HashMap<(u64, String), (Arc<[u32]>, u64)>,
    bytes: usize,
    turn: u64,
}

impl Selections {
    fn cost(key: &(u64, String), numbers: &[u32]) -> usize {
        SELECTION_OVERHEAD + key.1.len() + size_of_val(numbers)
    }

    fn get(&mut self, key: &(u64, String)) -> Option<Arc<[u32]>> {
        self.turn += 1;
        let (numbers, used) = self.found.get_mut(key)?;
        *used = self.turn;
        Some(numbers.clone())
    }

    fn put(&mut self, key: (u64, String), numbers: &Arc<[u32]>) {
        let cost = Self::cost(&key, numbers);
        // One that would push out a quarter of all others is not worth it.
        if cost > SELECTION_BYTES / 4 || self.found.contains_key(&key) {
            return;
        }
        if self.bytes + cost > SELECTION_BYTES {
            self.make_room();
        }
        self.bytes += cost;
        self.turn += 1;
        self.found.insert(key, (numbers.clone(), self.turn));
    }

    /// Lets the half go that was asked for the longest ago.
    fn make_room(&mut self) {
        let mut ages: Vec<u64> = self.found.values().map(|(_, used)| *used).collect();
        let middle = ages.len() / 2;
        let limit = if ages.is_empty() { 0 } else { *ages.select_nth_unstable(middle).1 };
        self.keep(|_, used| used >= limit);
        // The larger ones may be the younger ones.
        if self.bytes > SELECTION_BYTES * 3 / 4 {
            self.keep(|_, _| false);
        }
    }

    fn forget(&mut self, generation: u64) {
        self.keep(|of, _| of != generation);
    }

    fn keep(&mut self, keep: impl Fn(u64, u64) -> bool) {
        let bytes = &mut self.bytes;
        self.found.retain(|key, (numbers, used)| {
            let kept = keep(key.0, *used);
            if !kept {
                *bytes -= Self::cost(key, numbers);
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_found_again_and_stay_within_their_bytes() {
        let open = OpenFiles::default();
        let ask = |generation: u64, text: &str, answer: Vec<u32>| open.selection(generation, text.to_owned(), || Ok(answer)).unwrap();
        assert_eq!(*ask(1, "a", vec![1, 2]), [1, 2]);
        assert_eq!(*ask(1, "a", vec![]), [1, 2], "not asked again");
        assert_eq!(*ask(2, "a", vec![7]), [7], "another file");
        open.forget(1);
        assert_eq!(*ask(1, "a", vec![3]), [3], "the file is gone");
        for i in 0..500 {
            ask(3, &format!("m{i}"), vec![0; 10_000]);
            assert!(open.selections().bytes <= SELECTION_BYTES);
        }
        assert_eq!(*ask(3, "m499", vec![]), [0; 10_000]);
        assert!(open.selections().found.len() > 20);
        ask(4, "huge", vec![0; SELECTION_BYTES]);
        assert_eq!(*ask(4, "huge", vec![]), [0; 0], "too large to keep");
        (1..=4).for_each(|generation| open.forget(generation));
        assert_eq!(open.selections().bytes, 0);
    }
}
