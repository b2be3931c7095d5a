//! Adds the table of retention rules: whose they are, and where their tiers begin.

use redb::WriteTransaction;

use crate::store::layout::RULES;

/// Makes the table.
pub(super) fn run(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(RULES)?;
    Ok(())
}
