//! The `write_probe` table: one row, which `/ready` writes to test that writing works.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::Transaction;

/// Writes the row.
pub(in crate::store) fn write(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO write_probe (id, written_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at",
        &[now.into()],
    )
    .map(drop)
}
