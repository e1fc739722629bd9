//! What an engine implements to be one end of a move.

use crate::domain::error::{Error, Result};
use crate::store::engine::Connection;

/// A table, as the schema describes it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Table {
    pub name: String,
    pub columns: Vec<String>,
    /// Where the columns of the primary key stand among the columns.
    pub key: Vec<usize>,
    /// The tables that it refers to.
    pub parents: Vec<String>,
}

impl Table {
    /// The first column of the primary key, which is the one that rows are numbered in, if they are.
    pub fn number(&self) -> &str {
        self.key.first().map_or("", |at| &self.columns[*at])
    }
}

/// A database of the current schema, in one transaction, which no other process changes meanwhile. Dropping it undoes the
/// transaction.
pub(in crate::store) trait End {
    /// The connection of the transaction.
    fn connection(&self) -> &dyn Connection;

    /// The last number that was assigned to a row of this table, also if the row is deleted: it is not assigned again.
    /// `None` if none was, or if rows have no numbers.
    fn last_number(&self, table: &Table) -> Result<Option<i64>>;

    /// The failure with the name of the database, for the operator.
    fn named(&self, failure: Error) -> Error;
}

/// The end that is written.
pub(in crate::store) trait Target: End {
    /// Whether text may have the character NUL.
    fn stores_nul(&self) -> bool;

    /// Makes the number after this one the next.
    fn set_last_number(&self, table: &Table, last: i64) -> Result<()>;

    /// Commits. When this returns, the rows are on disk; before, there are none.
    fn commit(self: Box<Self>) -> Result<()>;
}
