//! The list of migrations: each brings the catalog from one layout to the next, in its own
//! transaction, and is written down. Their bodies lie in `migrations/` at the top.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::StoreError;
use super::catalog::NAME;
use super::files::{Files, opened_copy};
use super::layout::MIGRATIONS;

#[path = "../../migrations/0001_empty_catalog.rs"]
mod m0001_empty_catalog;
#[path = "../../migrations/0002_room_for_deletions.rs"]
mod m0002_room_for_deletions;
#[path = "../../migrations/0003_room_for_retention_rules.rs"]
mod m0003_room_for_retention_rules;

type Migration = (u32, &'static str, fn(&WriteTransaction) -> Result<(), redb::Error>);

/// Number, name and body; only ever appended to.
const LIST: &[Migration] = &[
    (1, "empty_catalog", m0001_empty_catalog::run),
    (2, "room_for_deletions", m0002_room_for_deletions::run),
    (3, "room_for_retention_rules", m0003_room_for_retention_rules::run),
];

/// Runs what has not run yet, in order.
///
/// # Errors
/// A newer latido ran more than are known here; nothing was changed then.
pub(super) fn run(files: &Files, database: &Database) -> Result<(), StoreError> {
    for (number, name, migration) in pending(files, database)? {
        let run = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            migration(&transaction)?;
            transaction.open_table(MIGRATIONS)?.insert(number, name)?;
            Ok(transaction.commit()?)
        };
        run().map_err(|e| files.database("migrate", NAME, e))?;
    }
    Ok(())
}

fn pending(files: &Files, database: &Database) -> Result<impl Iterator<Item = &'static Migration> + use<>, StoreError> {
    let done = done(database).map_err(|e| files.database("read", NAME, e))?;
    let known = LIST.last().map_or(0, |(number, ..)| *number);
    if done > known {
        return Err(StoreError::NewerCatalog { path: files.root().to_owned(), found: done, known });
    }
    Ok(LIST.iter().filter(move |(number, ..)| *number > done))
}

fn done(database: &Database) -> Result<u32, redb::Error> {
    match database.begin_read()?.open_table(MIGRATIONS) {
        Ok(table) => Ok(table.last()?.map_or(0, |(number, _)| number.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(0),
        Err(e) => Err(e.into()),
    }
}

/// The names of the migrations that the next start would run on a data directory, such as
/// `0002_room_for_deletions`. Looks at a copy in memory: no byte of the directory changes.
///
/// # Errors
/// The directory is in use, of a newer format, or its catalog cannot be read.
pub fn pending_migrations(directory: &Path) -> Result<Vec<String>, StoreError> {
    let files = Files::reading(directory);
    files.check_unlocked()?;
    files.check_format()?;
    let database = opened_copy(&files, NAME)?;
    Ok(pending(&files, &database)?.map(|(number, name, _)| format!("{number:04}_{name}")).collect())
}
