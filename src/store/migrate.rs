//! The list of migrations: each brings the catalog from one layout to the next, in its own
//! transaction, and is written down. Their bodies lie in `migrations/` at the top.

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::layout::MIGRATIONS;

#[path = "../../migrations/0001_empty_catalog.rs"]
mod m0001_empty_catalog;
#[path = "../../migrations/0002_room_for_deletions.rs"]
mod m0002_room_for_deletions;
#[path = "../../migrations/0003_room_for_retention_rules.rs"]
mod m0003_room_for_retention_rules;

type Migration = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// Number, name and body; only ever appended to.
const LIST: &[(u32, &str, Migration)] = &[
    (1, "empty_catalog", m0001_empty_catalog::run),
    (2, "room_for_deletions", m0002_room_for_deletions::run),
    (3, "room_for_retention_rules", m0003_room_for_retention_rules::run),
];

/// Runs what has not run yet, in order.
pub(super) fn run(database: &Database) -> Result<(), redb::Error> {
    let done = match database.begin_read()?.open_table(MIGRATIONS) {
        Ok(table) => table.last()?.map_or(0, |(number, _)| number.value()),
        Err(redb::TableError::TableDoesNotExist(_)) => 0,
        Err(e) => return Err(e.into()),
    };
    for (number, name, migration) in LIST.iter().filter(|(number, ..)| *number > done) {
        let transaction = database.begin_write()?;
        migration(&transaction)?;
        transaction.open_table(MIGRATIONS)?.insert(number, name)?;
        transaction.commit()?;
    }
    Ok(())
}
