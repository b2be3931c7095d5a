//! Documents with revisions (stub).
use super::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// Metadata of a metric, by its name.
    Metadata,
    /// A custom metric's definition, by its name.
    CustomMetric,
}

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<T> {
    /// Its name among its kind.
    pub id: String,
    /// Counts its changes, from 1.
    pub revision: u64,
    /// What it says.
    pub body: T,
}

/// Documents in `catalog.redb`. Cheap to clone. Calls take disk: use the pool.
#[derive(Clone, Debug)]
pub struct Catalog(());

#[allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
impl Catalog {
    pub fn get<T: DeserializeOwned>(&self, _kind: DocumentKind, _id: &str) -> Result<Option<Document<T>>, StoreError> {
        unimplemented!()
    }
    pub fn list<T: DeserializeOwned>(&self, _kind: DocumentKind) -> Result<Vec<Document<T>>, StoreError> {
        unimplemented!()
    }
    /// Stores; with `expected` only where the stored revision is that one (0: must be new). Yields the new revision. Durable when it returns.
    pub fn put<T: Serialize>(&self, _kind: DocumentKind, _id: &str, _expected: Option<u64>, _body: &T) -> Result<u64, StoreError> {
        unimplemented!()
    }
    /// Stores many in one durable commit.
    pub fn put_all<T: Serialize>(&self, _kind: DocumentKind, _documents: &[(String, T)]) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Removes; false where it was not there.
    pub fn remove(&self, _kind: DocumentKind, _id: &str) -> Result<bool, StoreError> {
        unimplemented!()
    }
}
