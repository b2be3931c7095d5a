//! Lays out an empty catalog: every table exists from the first start, so that readers need not
//! tell a missing one from an empty one.

use redb::WriteTransaction;

use crate::store::layout::{COUNTERS, DOCUMENTS, DROPPED, RECORDS, ROLLED};

/// Makes the tables.
pub(super) fn run(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(RECORDS)?;
    transaction.open_table(DROPPED)?;
    transaction.open_table(ROLLED)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(DOCUMENTS)?;
    Ok(())
}
