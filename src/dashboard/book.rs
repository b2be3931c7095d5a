//! All dashboards there are: predefined ones, those that people made, those that lie in a directory
//! as YAML. Changes are durable before they are answered, and carry the revision that was read.
//!
//! A predefined one can be changed: the change lies over it in the catalog, and deleting the change
//! shows the original again. A file's is changed in the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Dashboard, DashboardError, Draft, predefined};
use crate::access::{Caller, Role};
use crate::store::{Catalog, DocumentKind, StoreError};
use crate::telemetry::{Component, HealthBoard};

/// More in one catalog are a fault of a program that makes them.
const MAX_DASHBOARDS: usize = 1000;
/// A file of a dashboard is not larger.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where a dashboard comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    Predefined,
    /// Compiled in, and changed by people.
    Changed,
    /// Made by people.
    Made,
    /// Read from this file.
    File(PathBuf),
}

/// A dashboard with what is known of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The document.
    pub dashboard: Arc<Dashboard>,
    /// Counts its changes; 0 for what was never changed here.
    pub revision: u64,
    /// Where it comes from.
    pub origin: Origin,
}

impl Entry {
    /// Whether one of its id is compiled in.
    #[must_use]
    pub const fn is_predefined(&self) -> bool {
        matches!(self.origin, Origin::Predefined | Origin::Changed)
    }
}

/// What deleting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// The predefined one shows again.
    Restored,
}

/// A document as it lies in the catalog: as JSON, which may gain fields.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    json: String,
}

/// The book of dashboards. Cheap to clone. Calls that change take disk: use the pool.
#[derive(Clone, Debug)]
pub struct Book(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    predefined: BTreeMap<String, Arc<Dashboard>>,
    directory: Option<PathBuf>,
    health: HealthBoard,
    state: Mutex<State>,
    /// Held while the catalog is written, so that memory follows it in order.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    stored: BTreeMap<String, Entry>,
    files: BTreeMap<String, Entry>,
    /// What in the catalog could not be read.
    unreadable: Vec<String>,
}

impl Book {
    /// Reads the catalog and the directory. What in them cannot be read is left out and shown on
    /// the health board.
    ///
    /// # Errors
    /// The catalog cannot be read at all, or a compiled-in document is wrong.
    pub fn open(catalog: Catalog, directory: Option<PathBuf>, health: HealthBoard) -> Result<Self, DashboardError> {
        let predefined: BTreeMap<String, Arc<Dashboard>> = predefined::all()?.into_iter().map(|d| (d.id.clone(), Arc::new(d))).collect();
        let mut state = State::default();
        for document in catalog.list::<Stored>(DocumentKind::Dashboard)? {
            match serde_json::from_str::<Dashboard>(&document.body.json) {
                Ok(dashboard) => {
                    let origin = if predefined.contains_key(&document.id) { Origin::Changed } else { Origin::Made };
                    state.stored.insert(document.id, Entry { dashboard: Arc::new(dashboard), revision: document.revision, origin });
                }
                Err(error) => state.unreadable.push(format!("the stored dashboard {:?} cannot be read: {error}", document.id)),
            }
        }
        let book = Self(Arc::new(Inner { catalog, predefined, directory, health, state: Mutex::new(state), writing: Mutex::default() }));
        book.reload();
        Ok(book)
    }

    /// Reads the directory anew. A broken file leaves the others alone and shows on the health board.
    pub fn reload(&self) {
        let mut broken = Vec::new();
        let mut files = BTreeMap::new();
        for path in self.0.directory.iter().flat_map(|directory| yaml_files(directory, &mut broken)).collect::<Vec<_>>() {
            let taken = |id: &str| files.contains_key(id) || self.0.predefined.contains_key(id) || self.state().stored.contains_key(id);
            match read_file(&path, taken) {
                Ok(dashboard) => {
                    files.insert(dashboard.id.clone(), Entry { dashboard: Arc::new(dashboard), revision: 0, origin: Origin::File(path) });
                }
                Err(reason) => broken.push(format!("{}: {reason}", path.display())),
            }
        }
        for reason in &broken {
            tracing::warn!(reason, "a dashboard's file is left out");
        }
        let mut state = self.state();
        state.files = files;
        broken.extend(state.unreadable.iter().cloned());
        drop(state);
        if broken.is_empty() {
            self.0.health.healthy(Component::Dashboards);
        } else {
            self.0.health.degraded(Component::Dashboards, broken.join("; "));
        }
    }

    /// Every dashboard that `caller` may see, in order of id.
    #[must_use]
    pub fn list(&self, caller: &Caller) -> Vec<Entry> {
        let state = self.state();
        let originals = self.0.predefined.iter().map(|(id, dashboard)| (id.clone(), original(dashboard)));
        let mut all: BTreeMap<String, Entry> = originals.collect();
        all.extend(state.files.iter().chain(&state.stored).map(|(id, entry)| (id.clone(), entry.clone())));
        all.into_values().filter(|entry| entry.dashboard.is_open_to(caller)).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list(&Caller::local()).len()
    }

    /// Whether there is none, which is never so: some are compiled in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One dashboard, whoever asks.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Entry> {
        let state = self.state();
        let made = state.stored.get(id).or_else(|| state.files.get(id)).cloned();
        made.or_else(|| self.0.predefined.get(id).map(original))
    }

    /// One dashboard for `caller`.
    ///
    /// # Errors
    /// There is none, or it is not for them; strangers are not told which.
    pub fn get(&self, id: &str, caller: &Caller) -> Result<Entry, DashboardError> {
        let entry = self.find(id);
        let least = entry.as_ref().and_then(|entry| entry.dashboard.access.least());
        match entry {
            Some(entry) if caller.has(least) => Ok(entry),
            _ if caller.role.is_none() => Err(DashboardError::SignIn),
            Some(_) => Err(DashboardError::Forbidden(format!("the dashboard {id:?} is for the role {} and above", least.map_or("", Role::as_str)))),
            None => Err(DashboardError::no_dashboard(id)),
        }
    }

    /// Stores a new one, durably.
    ///
    /// # Errors
    /// It is malformed, its id is taken, there are too many, or the catalog cannot be written.
    pub fn create(&self, draft: Draft) -> Result<Entry, DashboardError> {
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let dashboard = draft.checked(|wish| self.free_id(wish))?;
        if self.find(&dashboard.id).is_some() {
            return Err(DashboardError::Conflict(format!("there is a dashboard {:?} already: choose another id, or change that one with PUT", dashboard.id)));
        }
        if self.state().stored.len() >= MAX_DASHBOARDS {
            return Err(DashboardError::Conflict(format!("there are {MAX_DASHBOARDS} dashboards, which is the limit: delete one first")));
        }
        self.store(dashboard, 0, Origin::Made)
    }

    /// Puts another document in the place of one, durably. The draft carries the revision that was read.
    ///
    /// # Errors
    /// It is malformed, the revision is stale, it lies in a file, or the catalog cannot be written.
    pub fn update(&self, id: &str, draft: Draft) -> Result<Entry, DashboardError> {
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = self.find(id).ok_or_else(|| DashboardError::no_dashboard(id))?;
        if let Origin::File(path) = &entry.origin {
            return Err(DashboardError::Conflict(format!("the dashboard {id:?} lies in {}: edit the file", path.display())));
        }
        if draft.id().is_some_and(|named| named != id) {
            return Err(DashboardError::invalid(
                "id",
                format!("the document has another id than the path, which is {id:?}: leave it out, or create a new one"),
            ));
        }
        let Some(revision) = draft.revision() else {
            return Err(DashboardError::invalid("revision", "send the revision that was read, so that nobody's change is lost"));
        };
        let dashboard = draft.named(id).checked(str::to_owned)?;
        let origin = if entry.is_predefined() { Origin::Changed } else { Origin::Made };
        self.store(dashboard, revision, origin)
    }

    /// Deletes what people made or changed, durably.
    ///
    /// # Errors
    /// There is none, it is compiled in or lies in a file, or the catalog cannot be written.
    pub fn delete(&self, id: &str) -> Result<Deleted, DashboardError> {
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = self.find(id).ok_or_else(|| DashboardError::no_dashboard(id))?;
        let deleted = match &entry.origin {
            Origin::Predefined => return Err(DashboardError::Conflict(format!("the dashboard {id:?} comes with the program and cannot be deleted"))),
            Origin::File(path) => return Err(DashboardError::Conflict(format!("the dashboard {id:?} lies in {}: remove the file", path.display()))),
            Origin::Changed => Deleted::Restored,
            Origin::Made => Deleted::Gone,
        };
        self.0.catalog.remove(DocumentKind::Dashboard, id)?;
        self.state().stored.remove(id);
        Ok(deleted)
    }

    fn store(&self, dashboard: Dashboard, expected: u64, origin: Origin) -> Result<Entry, DashboardError> {
        let unwritable = |e: serde_json::Error| StoreError::Damaged { what: dashboard.id.clone(), reason: e.to_string() };
        let stored = Stored { json: serde_json::to_string(&dashboard).map_err(unwritable)? };
        let revision = self.0.catalog.put(DocumentKind::Dashboard, &dashboard.id, Some(expected), &stored)?;
        let entry = Entry { dashboard: Arc::new(dashboard), revision, origin };
        self.state().stored.insert(entry.dashboard.id.clone(), entry.clone());
        Ok(entry)
    }

    fn free_id(&self, wish: &str) -> String {
        let numbered = (2..).map(|n| format!("{wish}-{n}"));
        std::iter::once(wish.to_owned()).chain(numbered).find(|id| self.find(id).is_none()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn original(dashboard: &Arc<Dashboard>) -> Entry {
    Entry { dashboard: dashboard.clone(), revision: 0, origin: Origin::Predefined }
}

/// The YAML files of a directory, in order of name.
fn yaml_files(directory: &Path, broken: &mut Vec<String>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(directory).and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
    let mut files = listed.unwrap_or_else(|error| {
        broken.push(format!("{}: {error}", directory.display()));
        Vec::new()
    });
    files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"));
    files.sort();
    files
}

/// The dashboard in a file; one without an id is named after the file.
fn read_file(path: &Path, taken: impl Fn(&str) -> bool) -> Result<Dashboard, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("it has {size} bytes, at most {MAX_FILE_BYTES} are read"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let dashboard = Draft::from_yaml(&text).and_then(|draft| draft.checked(|_| stem)).map_err(|e| e.to_string())?;
    if taken(&dashboard.id) {
        return Err(format!("there is a dashboard {:?} already: give it another id", dashboard.id));
    }
    Ok(dashboard)
}
