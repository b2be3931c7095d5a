//! Adds the table of deletions that are not yet worked into the files.

use redb::WriteTransaction;

use crate::store::layout::DELETIONS;

/// Makes the table.
pub(super) fn run(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(DELETIONS)?;
    Ok(())
}
